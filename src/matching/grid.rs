//! Peaks as a bitmap: which cells of time and pitch lie within tolerance of a peak. A word holds 64 successive times
//! of one pitch, so one fetch tests a projected peak at 64 offsets at once; that is what makes it cheap to ask how
//! many peaks chance finds.

use crate::fingerprint::{BINS, PITCH_STEPS_PER_BIN, Peak};

/// Steps of time in a cell (11.6 ms).
pub(super) const TIME_CELL: f64 = 4.0;
/// Steps of pitch in a cell (1/96 octave).
const PITCH_CELL: f64 = 4.0;
/// Pitches of the whole band.
const ROWS: usize = BINS * PITCH_STEPS_PER_BIN as usize / PITCH_CELL as usize;
/// Planes of the counters: up to 65,535 peaks, some hour and a half of one match.
const PLANES: usize = 16;

/// Which cells lie near a peak.
pub(super) struct Grid {
    words_per_row: usize,
    bits: Vec<u64>,
}

impl Grid {
    /// Marks the cells within `reach` (steps of time, steps of pitch) of each peak that lies before `duration`, at times
    /// less `from`.
    pub(super) fn new<'p>(
        peaks: impl Iterator<Item = &'p Peak>,
        (from, duration): (f64, f64),
        reach: (f64, f64),
    ) -> Self {
        let cells = (duration.max(0.0) / TIME_CELL) as usize + 1;
        let words_per_row = cells.div_ceil(64);
        let mut grid = Self { words_per_row, bits: vec![0; words_per_row * ROWS] };
        let bounds = |middle: f64, reach: f64, cell: f64, end: usize| {
            let edge = |value: f64| ((value / cell).round().max(0.0) as usize).min(end);
            edge(middle - reach)..edge(middle + reach)
        };
        for peak in peaks {
            let times = bounds(f64::from(peak.time) - from, reach.0, TIME_CELL, cells);
            for row in bounds(f64::from(peak.pitch), reach.1, PITCH_CELL, ROWS) {
                let words = &mut grid.bits[row * words_per_row..][..words_per_row];
                times.clone().for_each(|cell| words[cell / 64] |= 1 << (cell % 64));
            }
        }
        grid
    }

    /// The 64 cells of a row from `first` on; none outside of the grid.
    fn word(&self, row: usize, first: i64) -> u64 {
        let (at, bit) = (first.div_euclid(64), first.rem_euclid(64) as u32);
        let words = &self.bits[row * self.words_per_row..][..self.words_per_row];
        let word = |at: i64| usize::try_from(at).ok().and_then(|at| words.get(at)).copied().unwrap_or(0);
        if bit == 0 { word(at) } else { word(at) >> bit | word(at + 1) << (64 - bit) }
    }

    /// Whether a place lies near a peak.
    pub(super) fn has(&self, place: (f64, f64)) -> bool {
        self.around::<2>(place)[1] & 1 == 1
    }

    /// Which of 64 · `W` offsets in time, of one cell each from −32 · `W` on, put a place (steps of time, steps of
    /// pitch) near a peak.
    pub(super) fn around<const W: usize>(&self, (time, pitch): (f64, f64)) -> [u64; W] {
        let row = pitch / PITCH_CELL;
        if !(0.0..ROWS as f64).contains(&row) {
            return [0; W];
        }
        let first = cell_of(time) - Profile::<W>::HALF;
        std::array::from_fn(|word| self.word(row as usize, first + 64 * word as i64))
    }
}

/// The cell nearest to a time.
fn cell_of(time: f64) -> i64 {
    let cells = time / TIME_CELL + 0.5;
    let whole = cells as i64;
    whole - i64::from(whole as f64 > cells)
}

/// Counts at successive offsets, one bit of each in a plane.
pub(super) struct Profile<const W: usize> {
    planes: [[u64; W]; PLANES],
    /// Places added; their bits are all that is used of the planes.
    added: usize,
}

impl<const W: usize> Profile<W> {
    /// Offsets go from −`HALF` to `HALF` − 1.
    pub(super) const HALF: i64 = 32 * W as i64;

    /// Counts of nothing.
    pub(super) const fn new() -> Self {
        Self { planes: [[0; W]; PLANES], added: 0 }
    }

    /// Adds one where a bit is set: 64 binary counters at once.
    pub(super) fn add(&mut self, words: [u64; W]) {
        self.added += 1;
        for (word, bits) in words.into_iter().enumerate() {
            let mut carry = bits;
            for plane in &mut self.planes {
                if carry == 0 {
                    break;
                }
                let both = plane[word] & carry;
                plane[word] ^= carry;
                carry = both;
            }
        }
    }

    /// The planes that can hold anything.
    fn used(&self) -> &[[u64; W]] {
        let bits = (usize::BITS - self.added.leading_zeros()) as usize;
        &self.planes[..bits.min(PLANES)]
    }

    /// The count at an offset in cells.
    pub(super) fn count(&self, offset: i64) -> u32 {
        let at = (offset + Self::HALF).clamp(0, 2 * Self::HALF - 1) as usize;
        let bit = |plane: &[u64; W]| (plane[at / 64] >> (at % 64) & 1) as u32;
        self.used().iter().enumerate().fold(0, |count, (power, plane)| count | bit(plane) << power)
    }
}

impl Profile<1> {
    /// The highest count, and of the offsets that reach it the one nearest to the middle, the earlier of two.
    pub(super) fn best(&self) -> (u32, i64) {
        let (mut highest, mut count) = (u64::MAX, 0);
        for (power, plane) in self.used().iter().enumerate().rev() {
            if highest & plane[0] != 0 {
                highest &= plane[0];
                count |= 1 << power;
            }
        }
        let after = i64::from((highest >> Self::HALF).trailing_zeros());
        let before = i64::from((highest << Self::HALF).leading_zeros()) + 1;
        (count, if before <= after { -before } else { after })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What the bits count is what a plain look at every peak counts, wherever the places lie.
        #[test]
        fn counts_as_a_plain_loop_does(
            peaks in prop::collection::vec((0u32..4000, 0u16..2112), 0..60),
            places in prop::collection::vec((-500i32..5000, -50i32..2200), 1..60),
            offset in -128i64..128,
        ) {
            let peak = |&(time, pitch): &(u32, u16)| Peak { time, pitch, strength: 20, salient: true };
            let peaks: Vec<Peak> = peaks.iter().map(peak).collect();
            let grid = Grid::new(peaks.iter(), (0.0, 4000.0), (10.0, 8.0));
            let at = places.iter().map(|&(time, pitch)| (f64::from(time), f64::from(pitch)));
            let mut wide = Profile::<4>::new();
            at.clone().for_each(|place| wide.add(grid.around(place)));
            let counted = wide.count(offset);
            let marked = |&(time, pitch): &(i32, i32)| {
                // Half a cell belongs to the later one, also before the beginning.
                let cell = (f64::from(time) / TIME_CELL + 0.5).floor() as i64 + offset;
                let row = f64::from(pitch) / PITCH_CELL;
                let within = |value: f64, reach: f64, size: f64, at: i64| {
                    let edge = |value: f64| (value / size).round().max(0.0) as i64;
                    (edge(value - reach)..edge(value + reach)).contains(&at)
                };
                let inside = (0..1001).contains(&cell) && (0.0..ROWS as f64).contains(&row);
                inside && peaks.iter().any(|peak| {
                    within(f64::from(peak.time), 10.0, TIME_CELL, cell)
                        && within(f64::from(peak.pitch), 8.0, PITCH_CELL, row as i64)
                })
            };
            prop_assert_eq!(counted as usize, places.iter().filter(|place| marked(place)).count());

            let mut profile = Profile::<1>::new();
            at.for_each(|place| profile.add(grid.around(place)));
            let counts: Vec<(u32, i64)> = (-32..32).map(|offset| (profile.count(offset), offset)).collect();
            let nearer = |a: &(u32, i64), b: &(u32, i64)| a.0.cmp(&b.0).then(b.1.abs().cmp(&a.1.abs())).then(b.1.cmp(&a.1));
            prop_assert_eq!(Some(profile.best()), counts.into_iter().max_by(nearer));
        }
    }
}
