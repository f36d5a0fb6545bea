//! The stage chain: samples in, fingerprint out, in memory that does not grow with the audio (but for its peaks).

use super::peaks::PeakPicker;
use super::spectrum::{BATCH_SAMPLES, Spectrum, WINDOW_SAMPLES};
use super::{Fingerprint, HOP_SAMPLES, TIME_STEPS_PER_HOP};

/// Takes mono samples at [`crate::base::ANALYSIS_RATE_HZ`] piece by piece and gives their [`Fingerprint`].
pub struct Analyzer {
    spectrum: Spectrum,
    picker: PeakPicker,
    /// Samples of a batch that is not full yet.
    filling: Vec<f32>,
    samples: u64,
    /// Frames that the spectrum gave, those before the first sample included.
    frames: u64,
}

/// Frames that the first batch holds before the first one, which is centred on the first sample: half a window is before
/// its centre, and a frame is given with the last hop of its window.
pub(super) const FRAMES_BEFORE: u64 = (WINDOW_SAMPLES / 2 / HOP_SAMPLES) as u64 - 1;

impl Default for Analyzer {
    fn default() -> Self {
        Self::new()
    }
}

impl Analyzer {
    /// Starts an empty analysis.
    #[must_use]
    pub fn new() -> Self {
        Self {
            spectrum: Spectrum::new(),
            picker: PeakPicker::new(),
            filling: Vec::with_capacity(BATCH_SAMPLES),
            samples: 0,
            frames: 0,
        }
    }

    /// Takes more samples; what is not finite counts as silence.
    pub fn push(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        let mut rest = samples;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(BATCH_SAMPLES - self.filling.len()));
            self.filling.extend(piece.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }));
            rest = after;
            if self.filling.len() == BATCH_SAMPLES {
                self.batch(u64::MAX);
            }
        }
    }

    /// Takes out the peaks found so far that later audio cannot change, in order, and tells the time (in steps, see
    /// [`super::Peak::time`]) up to which they are all there are. What [`Self::finish`] gives then lacks them.
    pub fn drain(&mut self) -> (Vec<super::Peak>, u32) {
        self.picker.drain()
    }

    /// Ends the audio and gives its fingerprint.
    #[must_use]
    pub fn finish(mut self) -> Fingerprint {
        let end = FRAMES_BEFORE + self.samples / HOP_SAMPLES as u64 + 1;
        while self.frames < end {
            self.batch(end);
        }
        let steps = self.samples * u64::from(TIME_STEPS_PER_HOP) / HOP_SAMPLES as u64;
        Fingerprint { duration: u32::try_from(steps).unwrap_or(u32::MAX), peaks: self.picker.finish() }
    }

    /// Analyses the batch that is being filled, with zeros for what is missing, up to frame `end`.
    fn batch(&mut self, end: u64) {
        self.filling.resize(BATCH_SAMPLES, 0.0);
        for frame in self.spectrum.batch(&self.filling) {
            if (FRAMES_BEFORE..end).contains(&self.frames) {
                self.picker.push(frame);
            }
            self.frames += 1;
        }
        self.filling.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::base::ANALYSIS_RATE_HZ;

    /// Notes of a wandering tune, half a second each.
    fn tune(seconds: usize) -> Vec<f32> {
        let note = |n: usize| 220.0 * 2f32.powf(((n * 7) % 24) as f32 / 12.0);
        (0..seconds * ANALYSIS_RATE_HZ as usize)
            .map(|n| {
                let t = n as f32 / ANALYSIS_RATE_HZ as f32;
                let frequency = note((t * 2.0) as usize);
                let decay = (-4.0 * (t * 2.0).fract()).exp();
                0.3 * decay * (std::f32::consts::TAU * frequency * t).sin()
            })
            .collect()
    }

    #[test]
    fn pieces_of_any_size_give_the_same_fingerprint() {
        let samples = tune(6);
        let whole = crate::fingerprint::analyze(&samples);
        assert!(whole.peaks.len() > 10, "{} peaks", whole.peaks.len());
        for size in [1, 255, 256, 257, 5000] {
            let mut analyzer = Analyzer::new();
            samples.chunks(size).for_each(|piece| analyzer.push(piece));
            assert_eq!(analyzer.finish(), whole, "pieces of {size}");
        }
    }

    #[test]
    fn drained_pieces_make_up_the_whole() {
        let samples = tune(12);
        let whole = crate::fingerprint::analyze(&samples);
        for size in [300, 5000, 40_000] {
            let mut analyzer = Analyzer::new();
            let (mut peaks, mut complete_to) = (Vec::new(), 0);
            for piece in samples.chunks(size) {
                analyzer.push(piece);
                let (some, now) = analyzer.drain();
                assert!(
                    some.iter().all(|peak| (complete_to..now).contains(&peak.time)),
                    "to {now}: {some:?}"
                );
                assert!(now >= complete_to);
                peaks.extend(some);
                complete_to = now;
            }
            let rest = analyzer.finish();
            assert!(rest.peaks.iter().all(|peak| peak.time >= complete_to));
            assert_eq!(rest.duration, whole.duration);
            peaks.extend(rest.peaks);
            assert_eq!(peaks, whole.peaks, "pieces of {size}");
            // All but the last seconds come out on the way.
            assert!(complete_to > whole.duration * 3 / 4, "to {complete_to} of {}", whole.duration);
        }
    }

    #[test]
    fn peaks_lie_where_the_notes_are() {
        let fingerprint = crate::fingerprint::analyze(&tune(6));
        let strongest = |from: f64| {
            let within = |time: u32| {
                let s = f64::from(time) / crate::fingerprint::TIME_STEPS_PER_S;
                (from..from + 0.4).contains(&s)
            };
            fingerprint
                .peaks
                .iter()
                .filter(|peak| within(peak.time))
                .max_by_key(|peak| peak.strength)
                .unwrap()
        };
        // The note at 1.0 s is the third: 14 semitones over 220 Hz.
        let pitch = f64::from(strongest(1.0).pitch) / 384.0;
        let expected = (220.0f64 / 110.0).log2() + 14.0 / 12.0;
        assert!((pitch - expected).abs() < 1.0 / 48.0, "{pitch} octaves, expected {expected}");
    }

    #[test]
    fn silence_constants_and_wrong_numbers_have_no_peaks() {
        for sample in [0.0, 0.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let fingerprint = crate::fingerprint::analyze(&vec![sample; 40_000]);
            // The edges of a constant are clicks; between them there is nothing.
            let inner = fingerprint.peaks.iter().filter(|peak| (200..1000).contains(&peak.time)).count();
            assert_eq!(inner, 0, "of {sample}");
            assert_eq!(fingerprint.duration, 1250);
        }
    }
}
