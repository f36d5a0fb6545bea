//! Peaks → quads: a root peak and three later ones, described so that speed, tempo and pitch do not matter.
//!
//! Three differences of log frequency do not change when all pitches move; two ratios of time do not change when all
//! times stretch. References get few quads, of salient peaks only; queries get many, of all peaks, so that those of
//! the reference are among them (the asymmetry of Sonnleitner and Widmer, TASLP 2016).

use std::ops::Range;

use super::{Peak, TIME_STEPS_PER_S};

/// What a quad is found by: five quantised numbers, packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuadKey(pub u32);

/// A root peak and three later peaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quad {
    /// Time of the root, in steps of 1/8 hop.
    pub time: u32,
    /// Pitch of the root, in steps of 1/384 octave.
    pub pitch: u16,
    /// Steps of time from the root to the last peak, 1 to 1,023.
    pub duration: u16,
    /// Pitches of the three others over the root's, in units of 1/96 octave, −144 to 144; in order of time.
    pub intervals: [i16; 3],
    /// Times of the second and third peak as shares of `duration`, in units of 1/128, 0 to 127.
    pub ratios: [u8; 2],
}

/// Steps of pitch in one unit of [`Quad::intervals`].
const STEPS_PER_UNIT: i32 = 4;
/// The widest interval, in units: 1.5 octaves.
const INTERVAL_MAX: i32 = 144;
/// The longest [`Quad::duration`], in steps of time (2.97 s).
const DURATION_MAX: u32 = 1023;
/// Units of one cell of the key: 1/24 octave, twice the tolerance, so that a probe of the nearer neighbour in each
/// dimension reaches all within tolerance and little else, and nothing of the quad need be kept but its key …
const INTERVAL_CELL: i32 = 4;
/// … and a twenty-first of the duration.
const RATIO_CELL: i32 = 6;
/// How far a quad of a query may lie from its reference, in units of 1/96 octave …
const INTERVAL_TOLERANCE: i32 = 2;
/// … and in 1/128 of the duration.
const RATIO_TOLERANCE: i32 = 3;

/// How the peaks of one side are combined.
struct Shape {
    /// Whether roots and partners must be salient.
    salient_only: bool,
    /// The nearest and the farthest partner, in steps of time.
    zone: (u32, u32),
    /// The least duration of a quad, in steps of time.
    duration_min: u32,
    /// How many partners are taken of the zone, the strongest first.
    partners: usize,
    /// How many quads are taken of one root, the strongest first …
    quads_per_root: usize,
    /// … and of one that is at least [`STRONG`].
    quads_per_strong_root: usize,
}

/// The strength of a root that is likelier to survive than others: 23 dB.
const STRONG: u8 = 46;

const fn steps(seconds: f64) -> u32 {
    (seconds * TIME_STEPS_PER_S) as u32
}

const REFERENCE: Shape = Shape {
    salient_only: true,
    zone: (steps(0.10), steps(1.8)),
    duration_min: steps(0.4),
    partners: 5,
    quads_per_root: 1,
    quads_per_strong_root: 2,
};

const QUERY: Shape = Shape {
    salient_only: false,
    zone: (steps(0.07), steps(2.6)),
    duration_min: steps(0.28),
    partners: 7,
    quads_per_root: usize::MAX,
    quads_per_strong_root: usize::MAX,
};

/// The quads of a query that are most often those of a reference: salient peaks alone, as references have them.
const QUERY_SPARSE: Shape =
    Shape { salient_only: true, zone: REFERENCE.zone, duration_min: steps(0.3), partners: 5, ..QUERY };

/// The quads of a query of which there is little.
const QUERY_DEEP: Shape = Shape { partners: 13, ..QUERY };

/// How far from a quad of the query the recording's is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// In its own cell alone.
    Own,
    /// Within half the tolerance: in some nine cells of 32.
    Half,
    /// Within the tolerance.
    Full,
}

/// How many quads a query is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    /// Those of salient peaks, some 100 a second: enough for a copy that is hardly altered.
    Sparse,
    /// Those of all peaks, some 900 a second.
    Dense,
    /// Those of all peaks with more partners, some 7,000 a second.
    Deep,
}

impl Quad {
    fn new(root: &Peak, mut others: [&Peak; 3]) -> Option<Self> {
        others.sort_by_key(|peak| (peak.time, peak.pitch));
        Self::in_order(root, others)
    }

    /// A quad whose three other peaks are in the order given.
    fn in_order(root: &Peak, others: [&Peak; 3]) -> Option<Self> {
        let duration = others[2].time.checked_sub(root.time).filter(|&d| d > 0 && d <= DURATION_MAX)?;
        let interval = |peak: &Peak| {
            let units = (i32::from(peak.pitch) - i32::from(root.pitch)).div_euclid(STEPS_PER_UNIT);
            (units.abs() <= INTERVAL_MAX).then_some(units as i16)
        };
        let ratio = |peak: &Peak| ((peak.time - root.time) * 128 / duration).min(127) as u8;
        Some(Self {
            time: root.time,
            pitch: root.pitch,
            duration: duration as u16,
            intervals: [interval(others[0])?, interval(others[1])?, interval(others[2])?],
            ratios: [ratio(others[0]), ratio(others[1])],
        })
    }

    /// The cell that the quad lies in.
    #[must_use]
    pub fn key(&self) -> QuadKey {
        pack(self.cells())
    }

    /// All cells in which quads within a tolerance may lie, its own first.
    pub fn probes(&self, tolerance: Tolerance, mut visit: impl FnMut(QuadKey)) {
        let own = self.cells();
        if tolerance == Tolerance::Own {
            visit(pack(own));
            return;
        }
        let mut neighbours = [0i32; 5];
        for (dimension, neighbour) in neighbours.iter_mut().enumerate() {
            *neighbour = self.neighbour(dimension, tolerance);
        }
        for choice in 0u32..32 {
            let mut cells = own;
            let possible = (0..5).all(|dimension| {
                let moved = choice >> dimension & 1 == 1;
                if moved {
                    cells[dimension] += neighbours[dimension];
                }
                !moved || neighbours[dimension] != 0
            });
            if possible {
                visit(pack(cells));
            }
        }
    }

    fn values(&self) -> [(i32, i32, i32); 5] {
        let interval =
            |i: usize| (i32::from(self.intervals[i]) + INTERVAL_MAX, INTERVAL_CELL, INTERVAL_TOLERANCE);
        let ratio = |i: usize| (i32::from(self.ratios[i]), RATIO_CELL, RATIO_TOLERANCE);
        [interval(0), interval(1), interval(2), ratio(0), ratio(1)]
    }

    fn cells(&self) -> [i32; 5] {
        self.values().map(|(value, cell, _)| value.div_euclid(cell))
    }

    /// −1 or 1 where the neighbouring cell below or above is within tolerance, else 0.
    fn neighbour(&self, dimension: usize, tolerance: Tolerance) -> i32 {
        let (value, cell, full) = self.values()[dimension];
        let tolerance = if tolerance == Tolerance::Half { (full as u32).div_ceil(2) as i32 } else { full };
        let within = value.rem_euclid(cell);
        if within < tolerance {
            -1
        } else if within >= cell - tolerance {
            1
        } else {
            0
        }
    }
}

/// Digits to the base 75; one is added so that the cell below the first has a number too.
fn pack(cells: [i32; 5]) -> QuadKey {
    let bits = cells.iter().fold(0u32, |bits, &cell| bits.wrapping_mul(75).wrapping_add((cell + 1) as u32));
    QuadKey(bits)
}

/// The few quads of a recording that is indexed: about 13 a second.
#[must_use]
pub fn reference_quads(peaks: &[Peak]) -> Vec<Quad> {
    let mut quads = Vec::new();
    combine(peaks, 0..u32::MAX, &REFERENCE, |root, others| quads.extend(Quad::new(root, others)));
    quads
}

/// The many quads of a query whose roots lie in a stretch of time (steps), in order of their roots. Where two peaks
/// are nearly simultaneous, both orders are given.
#[must_use]
pub fn query_quads(peaks: &[Peak], roots: Range<u32>, density: Density) -> Vec<Quad> {
    let simultaneous = steps(0.03);
    let shape = match density {
        Density::Sparse => &QUERY_SPARSE,
        Density::Dense => &QUERY,
        Density::Deep => &QUERY_DEEP,
    };
    let mut quads = Vec::new();
    combine(peaks, roots, shape, |root, mut others| {
        others.sort_by_key(|peak| (peak.time, peak.pitch));
        let [a, b, c] = others;
        quads.extend(Quad::in_order(root, [a, b, c]));
        if b.time - a.time <= simultaneous {
            quads.extend(Quad::in_order(root, [b, a, c]));
        }
        if c.time - b.time <= simultaneous {
            quads.extend(Quad::in_order(root, [a, c, b]));
        }
    });
    quads
}

/// Calls `visit` with each root in a stretch of time and three of its partners.
fn combine<'a>(
    peaks: &'a [Peak],
    roots: Range<u32>,
    shape: &Shape,
    mut visit: impl FnMut(&'a Peak, [&'a Peak; 3]),
) {
    let mut zone: Vec<&Peak> = Vec::new();
    let first = peaks.partition_point(|peak| peak.time < roots.start);
    for (index, root) in peaks.iter().enumerate().skip(first) {
        if root.time >= roots.end {
            break;
        }
        if shape.salient_only && !root.salient {
            continue;
        }
        zone.clear();
        zone.extend(
            peaks[index..]
                .iter()
                .take_while(|peak| peak.time <= root.time.saturating_add(shape.zone.1))
                .filter(|peak| {
                    peak.time >= root.time.saturating_add(shape.zone.0)
                        && (peak.salient || !shape.salient_only)
                        && (i32::from(peak.pitch) - i32::from(root.pitch)).abs()
                            <= INTERVAL_MAX * STEPS_PER_UNIT
                }),
        );
        zone.sort_by_key(|peak| (std::cmp::Reverse(rank(peak)), peak.time, peak.pitch));
        zone.truncate(shape.partners);
        visit_triples(&zone, shape, root, &mut visit);
    }
}

/// What makes one partner better than another.
fn rank(peak: &Peak) -> u16 {
    u16::from(peak.strength) + if peak.salient { SALIENCE_BONUS } else { 0 }
}

/// Half decibels by which a salient peak is preferred.
const SALIENCE_BONUS: u16 = 20;

/// Triples of the partners, those of the best partners first.
fn visit_triples<'a>(
    partners: &[&'a Peak],
    shape: &Shape,
    root: &'a Peak,
    visit: &mut impl FnMut(&'a Peak, [&'a Peak; 3]),
) {
    let mut left = if root.strength < STRONG { shape.quads_per_root } else { shape.quads_per_strong_root };
    for third in 2..partners.len() {
        for second in 1..third {
            for first in 0..second {
                let others = [partners[first], partners[second], partners[third]];
                let end = others.iter().map(|peak| peak.time).max().unwrap_or(root.time);
                if end - root.time < shape.duration_min {
                    continue;
                }
                if left == 0 {
                    return;
                }
                left -= 1;
                visit(root, others);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    fn peak(time: u32, pitch: u16) -> Peak {
        Peak { time, pitch, strength: 20, salient: true }
    }

    proptest! {
        /// Whatever lies within tolerance of a quad is found from one of its probes, and no probe comes twice.
        #[test]
        fn probes_reach_every_quad_within_tolerance(
            intervals in prop::array::uniform3(-140i16..=140),
            ratios in prop::array::uniform2(4u8..=123),
            moved in prop::array::uniform3(-2i16..=2),
            stretched in prop::array::uniform2(-3i8..=3),
        ) {
            let reference = Quad { time: 0, pitch: 900, duration: 400, intervals, ratios };
            let query = Quad {
                intervals: [0, 1, 2].map(|i| intervals[i] + moved[i]),
                ratios: [0, 1].map(|i| ratios[i].saturating_add_signed(stretched[i])),
                ..reference
            };
            let mut probes = Vec::new();
            query.probes(Tolerance::Full, |key| probes.push(key));
            prop_assert!(probes.contains(&reference.key()));
            let count = probes.len();
            probes.sort_unstable();
            probes.dedup();
            prop_assert_eq!(probes.len(), count);
        }

        /// Moving all pitches and stretching all times leaves the reference's quads within reach.
        #[test]
        fn quads_survive_speed_tempo_and_pitch(rate in 0.75f64..1.35, shift in -128i32..=128) {
            let peaks: Vec<Peak> = (0..80u32).map(|n| peak(n * 83 + n * n % 37, (600 + (n * 271) % 800) as u16)).collect();
            let altered: Vec<Peak> = peaks
                .iter()
                .map(|one| peak((f64::from(one.time) / rate).round() as u32, (i32::from(one.pitch) + shift) as u16))
                .collect();
            let references = reference_quads(&peaks);
            prop_assert!(references.len() > 50);
            let mut keys = std::collections::HashSet::new();
            for quad in query_quads(&altered, 0..u32::MAX, Density::Dense) {
                quad.probes(Tolerance::Full, |key| _ = keys.insert(key));
            }
            let reached = references.iter().filter(|quad| keys.contains(&quad.key())).count();
            prop_assert!(reached * 10 >= references.len() * 7, "{} of {}", reached, references.len());
        }
    }
}
