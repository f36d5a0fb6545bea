//! Frames → peaks: local maxima of the spectrogram, placed finer than a frame and a bin, the strongest of each second.
//!
//! Everything here is whole numbers: levels of 1/256 dB, their sums and their maxima.

use super::level::{FLOOR, Level, PER_DB};
use super::maxima::running_max;
use super::spectrum::Frame;
use super::{BINS, PITCH_STEPS_PER_BIN, Peak, TIME_STEPS_PER_HOP};

/// A patch of the spectrogram around a frame and a bin, by how far it reaches to each side.
struct Patch {
    frames: usize,
    bins: usize,
}

/// The patches of which a peak may be the maximum, from the smallest to the widest: that of any peak (0.16 s, 0.21
/// octave) and that of a salient one (0.30 s, 0.31 octave). The first gives the candidates; each further one costs a
/// running maximum a frame and a look at the few candidates.
const PATCHES: [Patch; 2] = [Patch { frames: 7, bins: 10 }, Patch { frames: 13, bins: 15 }];
/// The patch whose mean a peak's strength is measured against.
const MEAN: Patch = Patch { frames: 13, bins: 24 };
/// A peak stands at least this many decibels above the local mean.
const STRENGTH_DB_MIN: i32 = 4;
/// A peak lies at most this far below the loudest bin of the last seconds.
const RANGE_DB: i32 = 75;
/// How fast the loudest bin is forgotten, in levels a frame: 75 dB in about 20 s.
const LOUDEST_DECAY: i32 = 23;
/// At most this many peaks are kept of each block of [`BLOCK_FRAMES`].
const PEAKS_PER_BLOCK: usize = 40;
/// A block: about a second.
const BLOCK_FRAMES: u32 = 43;
/// The greatest strength, in half decibels.
const STRENGTH_MAX: u8 = 127;
/// Bins that are passed over at once.
const GROUP: usize = 8;
const _: () = assert!(BINS.is_multiple_of(GROUP));

/// Frames on each side of the one that is searched: as far as the widest patch reaches.
const REACH: usize = {
    let mut reach = MEAN.frames;
    let mut patch = 0;
    while patch < PATCHES.len() {
        if PATCHES[patch].frames > reach {
            reach = PATCHES[patch].frames;
        }
        patch += 1;
    }
    reach
};
/// Rows held, a power of two: one in the middle, [`REACH`] on both sides, and the one that leaves the mean.
const HELD: usize = (2 * REACH + 2).next_power_of_two();

/// One frame with its running maxima along frequency, so that the test along time only compares.
#[derive(Clone)]
struct Row {
    frame: Frame,
    /// For each of [`PATCHES`], the maximum of as many bins as it reaches over.
    maxima: [Frame; PATCHES.len()],
    loudest: i32,
}

/// Takes frames, one by one, and gives the peaks of all.
pub(super) struct PeakPicker {
    /// The last [`HELD`] rows, each at its number modulo that. Before the first lie silent ones.
    rows: Vec<Row>,
    /// Rows pushed so far.
    pushed: u32,
    loudest: i32,
    /// For each bin, the sum of its levels in the frames of [`MEAN`] around the middle.
    sums: [i32; BINS],
    block: Vec<Peak>,
    peaks: Vec<Peak>,
}

impl PeakPicker {
    pub(super) fn new() -> Self {
        let silent =
            Row { frame: [FLOOR; BINS], maxima: [[FLOOR; BINS]; PATCHES.len()], loudest: i32::from(FLOOR) };
        Self {
            rows: vec![silent; HELD],
            pushed: 0,
            loudest: i32::from(FLOOR),
            sums: [i32::from(FLOOR) * (2 * MEAN.frames + 1) as i32; BINS],
            block: Vec::new(),
            peaks: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, frame: &Frame) {
        let top = frame.iter().fold(FLOOR, |top, &level| top.max(level));
        self.loudest = (self.loudest - LOUDEST_DECAY).max(i32::from(top));
        let row = &mut self.rows[self.pushed as usize % HELD];
        row.frame = *frame;
        row.loudest = self.loudest;
        for (maxima, patch) in row.maxima.iter_mut().zip(&PATCHES) {
            running_max(frame, patch.bins, maxima);
        }
        self.pushed += 1;
        self.slide_sums();
        if let Some(middle) = self.pushed.checked_sub(REACH as u32 + 1) {
            self.pick(middle);
            if (middle + 1).is_multiple_of(BLOCK_FRAMES) {
                self.close_block();
            }
        }
    }

    /// Gives the peaks, in order of time, then pitch.
    pub(super) fn finish(mut self) -> Vec<Peak> {
        for _ in 0..REACH {
            self.push(&[FLOOR; BINS]);
        }
        self.close_block();
        self.peaks
    }

    /// Takes out the peaks that no later frame can change, and tells the time (steps) up to which they are all:
    /// that of the last whole block, less half a frame, which is how far a later peak may be placed back.
    pub(super) fn drain(&mut self) -> (Vec<Peak>, u32) {
        let searched = self.pushed.saturating_sub(REACH as u32);
        let whole = searched - searched % BLOCK_FRAMES;
        let complete_to = (whole * TIME_STEPS_PER_HOP).saturating_sub(TIME_STEPS_PER_HOP / 2);
        let count = self.peaks.partition_point(|peak| peak.time < complete_to);
        (self.peaks.drain(..count).collect(), complete_to)
    }

    /// The row `offset` rows after frame `middle`; rows before the first are silent.
    fn row(&self, middle: u32, offset: isize) -> &Row {
        &self.rows[(middle as usize).wrapping_add_signed(offset) % HELD]
    }

    /// Moves the sums on to the patch around the frame that is searched next.
    fn slide_sums(&mut self) {
        let newest = self.pushed.wrapping_sub(1 + (REACH - MEAN.frames) as u32);
        let (enters, leaves) = (self.row(newest, 0), self.row(newest, -(2 * MEAN.frames as isize + 1)));
        let mut sums = self.sums;
        for ((sum, &enters), &leaves) in sums.iter_mut().zip(&enters.frame).zip(&leaves.frame) {
            *sum += i32::from(enters) - i32::from(leaves);
        }
        self.sums = sums;
    }

    /// Finds the peaks of one frame.
    fn pick(&mut self, middle: u32) {
        let row = self.row(middle, 0);
        let floor = (row.loudest - RANGE_DB * PER_DB).max(i32::from(FLOOR) + STRENGTH_DB_MIN * PER_DB);
        let floor = floor.clamp(i32::from(FLOOR), i32::from(Level::MAX)) as Level;
        let reaching = self.reaching(middle, floor);
        for (group, any) in reaching.as_chunks::<GROUP>().0.iter().enumerate() {
            if u64::from_le_bytes(*any) == 0 {
                continue;
            }
            for (bin, _) in any.iter().enumerate().filter(|(_, reaches)| **reaches > 0) {
                let peak = self.peak_at(middle, group * GROUP + bin);
                self.block.extend(peak);
            }
        }
    }

    /// Which bins are above `floor` and not below the maximum of the smallest patch: 1 or 0 for each. The loops are as
    /// long as a row and never left early, so that they become vector instructions.
    fn reaching(&self, middle: u32, floor: Level) -> [u8; BINS] {
        let mut bars = [floor.saturating_add(1); BINS];
        let near = PATCHES[0].frames as isize;
        for offset in -near..=near {
            for (bar, &max) in bars.iter_mut().zip(&self.row(middle, offset).maxima[0]) {
                *bar = max.max(*bar);
            }
        }
        let mut reaching = [0; BINS];
        for ((reaches, level), bar) in reaching.iter_mut().zip(&self.row(middle, 0).frame).zip(&bars) {
            *reaches = u8::from(level >= bar);
        }
        reaching
    }

    /// The peak at a bin that reaches its surroundings' maximum, if it is one.
    fn peak_at(&self, middle: u32, bin: usize) -> Option<Peak> {
        let strength = self.strength(middle, bin).filter(|_| (1..BINS - 1).contains(&bin))?;
        if !self.is_first(middle, bin) {
            return None;
        }
        let level = self.row(middle, 0).frame[bin];
        let widest = &PATCHES[1..];
        let salient = widest.iter().enumerate().all(|(number, patch)| {
            let reach = patch.frames as isize;
            (-reach..=reach).all(|offset| self.row(middle, offset).maxima[1 + number][bin] <= level)
        });
        Some(self.place(middle, bin, strength, salient))
    }

    /// Half decibels above the local mean, where it is enough.
    fn strength(&self, middle: u32, bin: usize) -> Option<u8> {
        let bins = bin.saturating_sub(MEAN.bins)..BINS.min(bin + MEAN.bins + 1);
        let count = ((2 * MEAN.frames + 1) * bins.len()) as i32;
        let sum: i32 = self.sums[bins].iter().sum();
        let above = i32::from(self.row(middle, 0).frame[bin]) * count - sum;
        let half_db = PER_DB / 2 * count;
        (above >= STRENGTH_DB_MIN * PER_DB * count)
            .then(|| ((above + half_db / 2) / half_db).min(i32::from(STRENGTH_MAX)) as u8)
    }

    /// Of equal levels the first in time, then the lowest, is the peak: a plateau gives one peak, by rule.
    fn is_first(&self, middle: u32, bin: usize) -> bool {
        let Patch { frames, bins } = PATCHES[0];
        let (low, high) = (bin.saturating_sub(bins), (bin + bins).min(BINS - 1));
        let here = &self.row(middle, 0).frame;
        here[low..bin].iter().all(|&other| other < here[bin])
            && (1..=frames as isize).all(|before| {
                self.row(middle, -before).frame[low..=high].iter().all(|&other| other < here[bin])
            })
    }

    /// Refines the peak's place by parabolas along time and frequency.
    fn place(&self, middle: u32, bin: usize, strength: u8, salient: bool) -> Peak {
        let here = &self.row(middle, 0).frame;
        let (before, after) = (self.row(middle, -1).frame[bin], self.row(middle, 1).frame[bin]);
        let time = steps(i64::from(middle), TIME_STEPS_PER_HOP, [before, here[bin], after]);
        let pitch =
            steps(bin as i64, u32::from(PITCH_STEPS_PER_BIN), [here[bin - 1], here[bin], here[bin + 1]]);
        Peak {
            time: u32::try_from(time.max(0)).unwrap_or(u32::MAX),
            pitch: u16::try_from(pitch.max(0)).unwrap_or(u16::MAX),
            strength,
            salient,
        }
    }

    /// Keeps the strongest peaks of the last block.
    fn close_block(&mut self) {
        if self.block.len() > PEAKS_PER_BLOCK {
            self.block.sort_unstable_by_key(|peak| (!peak.salient, STRENGTH_MAX - peak.strength, *peak));
            self.block.truncate(PEAKS_PER_BLOCK);
        }
        self.block.sort_unstable();
        // A refined time may lie before the last peak of the block before by part of a frame.
        let from = self.peaks.len().saturating_sub(2 * PEAKS_PER_BLOCK);
        self.peaks.append(&mut self.block);
        self.peaks[from..].sort_unstable();
    }
}

/// Where the parabola through three levels one apart, of which none is above the middle one, has its top, in steps of
/// `per_one` around the middle one's `place`: at most half a place away, halves rounded up.
fn steps(place: i64, per_one: u32, [before, here, after]: [Level; 3]) -> i64 {
    let (rise, fall) = (i64::from(here) - i64::from(before), i64::from(here) - i64::from(after));
    let (per_one, curvature) = (i64::from(per_one), rise + fall);
    if curvature <= 0 {
        return place * per_one;
    }
    // The top is (rise − fall) / (2 · curvature) after the middle; half a step more, and the floor of it.
    place * per_one + (per_one * (rise - fall) + curvature).div_euclid(2 * curvature)
}
