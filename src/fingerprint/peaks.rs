//! Frames → peaks: local maxima of the spectrogram, placed finer than a frame and a bin, the strongest of each second.

use std::collections::VecDeque;

use super::spectrum::{FLOOR_DB, Frame};
use super::{BINS, PITCH_STEPS_PER_BIN, Peak, TIME_STEPS_PER_HOP};

/// Half height of the neighbourhood of which a peak is the maximum, in frames (0.16 s) …
const NEAR_FRAMES: usize = 7;
/// … and half its width, in bins (0.21 octave).
const NEAR_BINS: usize = 10;
/// The same for salient peaks, in frames (0.30 s) …
const WIDE_FRAMES: usize = 13;
/// … and in bins (0.31 octave).
const WIDE_BINS: usize = 15;
/// Half height and half width of the patch whose mean a peak's strength is measured against.
const MEAN_FRAMES: usize = WIDE_FRAMES;
const MEAN_BINS: usize = 24;
/// A peak stands at least this many decibels above the local mean.
const STRENGTH_DB_MIN: f32 = 4.0;
/// A peak lies at most this far below the loudest bin of the last seconds.
const RANGE_DB: f32 = 75.0;
/// How fast the loudest bin is forgotten: 75 dB in about 20 s.
const LOUDEST_DECAY_DB: f32 = 0.09;
/// At most this many peaks are kept of each block of [`BLOCK_FRAMES`].
const PEAKS_PER_BLOCK: usize = 40;
/// A block: about a second.
const BLOCK_FRAMES: u32 = 43;
/// Frames held: one in the middle and the widest neighbourhood on both sides.
const HELD: usize = 2 * WIDE_FRAMES + 1;

/// One frame with its running maxima along frequency, so that the test along time only compares.
struct Row {
    frame: Box<Frame>,
    near_max: Box<Frame>,
    wide_max: Box<Frame>,
    loudest: f32,
}

/// Takes frames, one by one, and gives the peaks of all.
pub(super) struct PeakPicker {
    rows: VecDeque<Row>,
    /// Index of the frame in the middle of `rows`.
    middle: u32,
    /// Frames pushed, without the padding at both ends.
    loudest: f32,
    block: Vec<Peak>,
    peaks: Vec<Peak>,
}

impl PeakPicker {
    pub(super) fn new() -> Self {
        let rows = (0..WIDE_FRAMES).map(|_| silent_row()).collect();
        Self { rows, middle: 0, loudest: FLOOR_DB, block: Vec::new(), peaks: Vec::new() }
    }

    pub(super) fn push(&mut self, frame: &Frame) {
        let top = frame.iter().copied().fold(FLOOR_DB, f32::max);
        self.loudest = (self.loudest - LOUDEST_DECAY_DB).max(top);
        self.push_row(Row {
            frame: Box::new(*frame),
            near_max: Box::new(running_max(frame, NEAR_BINS)),
            wide_max: Box::new(running_max(frame, WIDE_BINS)),
            loudest: self.loudest,
        });
    }

    /// Gives the peaks, in order of time, then pitch.
    pub(super) fn finish(mut self) -> Vec<Peak> {
        for _ in 0..WIDE_FRAMES {
            self.push_row(silent_row());
        }
        self.close_block();
        self.peaks
    }

    /// Takes out the peaks that no later frame can change, and tells the time (steps) up to which they are all:
    /// that of the last whole block, less half a frame, which is how far a later peak may be placed back.
    pub(super) fn drain(&mut self) -> (Vec<Peak>, u32) {
        let whole = self.middle - self.middle % BLOCK_FRAMES;
        let complete_to = (whole * TIME_STEPS_PER_HOP).saturating_sub(TIME_STEPS_PER_HOP / 2);
        let count = self.peaks.partition_point(|peak| peak.time < complete_to);
        (self.peaks.drain(..count).collect(), complete_to)
    }

    fn push_row(&mut self, row: Row) {
        self.rows.push_back(row);
        if self.rows.len() < HELD {
            return;
        }
        self.pick_middle();
        self.rows.pop_front();
        self.middle += 1;
        if self.middle.is_multiple_of(BLOCK_FRAMES) {
            self.close_block();
        }
    }

    /// Finds the peaks of the frame in the middle.
    fn pick_middle(&mut self) {
        let near = self.max_over_time(NEAR_FRAMES, |row| &row.near_max);
        let row = &self.rows[WIDE_FRAMES];
        let floor = (row.loudest - RANGE_DB).max(FLOOR_DB + STRENGTH_DB_MIN);
        let candidates: Vec<usize> = (1..BINS - 1)
            .filter(|&bin| row.frame[bin] >= near[bin] && row.frame[bin] > floor && self.is_first(bin))
            .collect();
        if candidates.is_empty() {
            return;
        }
        let wide = self.max_over_time(WIDE_FRAMES, |row| &row.wide_max);
        for bin in candidates {
            let strength = self.rows[WIDE_FRAMES].frame[bin] - self.local_mean(bin);
            if strength >= STRENGTH_DB_MIN {
                let salient = self.rows[WIDE_FRAMES].frame[bin] >= wide[bin];
                self.block.push(self.place(bin, strength, salient));
            }
        }
    }

    fn max_over_time(&self, frames: usize, of: impl Fn(&Row) -> &Frame) -> Frame {
        let mut max = [f32::MIN; BINS];
        for row in self.rows.range(WIDE_FRAMES - frames..=WIDE_FRAMES + frames) {
            for (max, value) in max.iter_mut().zip(of(row)) {
                *max = max.max(*value);
            }
        }
        max
    }

    /// Of equal values the first in time, then the lowest, is the peak: a plateau gives one peak, by rule.
    fn is_first(&self, bin: usize) -> bool {
        let value = self.rows[WIDE_FRAMES].frame[bin];
        let low = bin.saturating_sub(NEAR_BINS);
        let high = (bin + NEAR_BINS).min(BINS - 1);
        let earlier = self.rows.range(WIDE_FRAMES - NEAR_FRAMES..WIDE_FRAMES);
        self.rows[WIDE_FRAMES].frame[low..bin].iter().all(|&other| other < value)
            && earlier.into_iter().all(|row| row.frame[low..=high].iter().all(|&other| other < value))
    }

    /// Mean of the decibels around the bin in the middle frame.
    fn local_mean(&self, bin: usize) -> f32 {
        let low = bin.saturating_sub(MEAN_BINS);
        let high = (bin + MEAN_BINS).min(BINS - 1);
        let rows = self.rows.range(WIDE_FRAMES - MEAN_FRAMES..=WIDE_FRAMES + MEAN_FRAMES);
        let sum: f32 = rows.map(|row| row.frame[low..=high].iter().sum::<f32>()).sum();
        sum / ((2 * MEAN_FRAMES + 1) * (high - low + 1)) as f32
    }

    /// Refines the peak's place by parabolas along time and frequency.
    fn place(&self, bin: usize, strength: f32, salient: bool) -> Peak {
        let here = &self.rows[WIDE_FRAMES].frame;
        let before = self.rows[WIDE_FRAMES - 1].frame[bin];
        let after = self.rows[WIDE_FRAMES + 1].frame[bin];
        let along_time = vertex(before, here[bin], after);
        let along_bins = vertex(here[bin - 1], here[bin], here[bin + 1]);
        let time = (f64::from(self.middle) + f64::from(along_time)) * f64::from(TIME_STEPS_PER_HOP);
        let pitch = (bin as f64 + f64::from(along_bins)) * f64::from(PITCH_STEPS_PER_BIN);
        Peak {
            time: time.round().max(0.0) as u32,
            pitch: pitch.round() as u16,
            strength: (strength * 2.0).round().clamp(0.0, 127.0) as u8,
            salient,
        }
    }

    /// Keeps the strongest peaks of the last block.
    fn close_block(&mut self) {
        if self.block.len() > PEAKS_PER_BLOCK {
            self.block.sort_unstable_by_key(|peak| (!peak.salient, u8::MAX - peak.strength, *peak));
            self.block.truncate(PEAKS_PER_BLOCK);
        }
        self.block.sort_unstable();
        // A refined time may lie before the last peak of the block before by part of a frame.
        let from = self.peaks.len().saturating_sub(2 * PEAKS_PER_BLOCK);
        self.peaks.append(&mut self.block);
        self.peaks[from..].sort_unstable();
    }
}

/// A frame of silence, for both ends of the audio.
fn silent_row() -> Row {
    let silent = || Box::new([FLOOR_DB; BINS]);
    Row { frame: silent(), near_max: silent(), wide_max: silent(), loudest: FLOOR_DB }
}

/// The maximum over ±`reach` bins, for every bin.
fn running_max(frame: &Frame, reach: usize) -> Frame {
    let mut max = *frame;
    for shift in 1..=reach {
        for bin in shift..BINS {
            max[bin] = max[bin].max(frame[bin - shift]);
        }
        for bin in 0..BINS - shift {
            max[bin] = max[bin].max(frame[bin + shift]);
        }
    }
    max
}

/// Where the parabola through three values one step apart has its top: −0.5 to 0.5 steps from the middle one.
fn vertex(before: f32, here: f32, after: f32) -> f32 {
    let curvature = before - 2.0 * here + after;
    if curvature >= -1e-6 { 0.0 } else { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) }
}
