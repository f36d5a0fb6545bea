//! The spectrogram that the analysis works on, for pictures: what is shown is what was compared.

use super::analyzer::FRAMES_BEFORE;
use super::level::PER_DB;
use super::spectrum::{BATCH_SAMPLES, Frame, Spectrum};
use super::{BINS, HOP_SAMPLES};

/// The levels of a stretch of audio, frame by frame of [`HOP_SAMPLES`], each of [`BINS`] bins from low to high.
pub struct Spectrogram {
    frames: Vec<Frame>,
}

/// Analyses a stretch of mono audio at [`crate::base::ANALYSIS_RATE_HZ`]. Frame `n` is centred on sample `n` · 256; what
/// is not finite counts as silence. Takes half a kilobyte a frame: give it a stretch, not an hour.
#[must_use]
pub fn spectrogram(samples: &[f32]) -> Spectrogram {
    let mut spectrum = Spectrum::new();
    let wanted = samples.len() / HOP_SAMPLES + 1;
    let skipped = FRAMES_BEFORE as usize;
    let mut frames = Vec::with_capacity(wanted + skipped);
    let mut batches = samples.chunks(BATCH_SAMPLES);
    while frames.len() < wanted + skipped {
        let mut batch = [0.0; BATCH_SAMPLES];
        for (to, &from) in batch.iter_mut().zip(batches.next().unwrap_or_default()) {
            *to = if from.is_finite() { from } else { 0.0 };
        }
        frames.extend_from_slice(spectrum.batch(&batch));
    }
    frames.truncate(wanted + skipped);
    frames.drain(..skipped);
    Spectrogram { frames }
}

impl Spectrogram {
    /// Returns the number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Returns whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Returns the level of a bin in decibels of full scale, −100 at least; the floor where there is no such place.
    #[must_use]
    pub fn decibels(&self, frame: usize, bin: usize) -> f32 {
        let level = self.frames.get(frame).filter(|_| bin < BINS).and_then(|levels| levels.get(bin));
        level.map_or(-100.0, |&level| f32::from(level) / PER_DB as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ANALYSIS_RATE_HZ;
    use crate::fingerprint::{BINS_PER_OCTAVE, LOWEST_HZ, analyze};

    #[test]
    fn a_tone_stands_at_its_pitch_and_its_time() {
        let rate = ANALYSIS_RATE_HZ as usize;
        let mut samples = vec![0.0; 3 * rate];
        for (n, sample) in samples.iter_mut().enumerate().skip(rate).take(rate) {
            *sample = 0.5 * (std::f32::consts::TAU * 880.0 * n as f32 / rate as f32).sin();
        }
        let shown = spectrogram(&samples);
        assert_eq!(shown.len(), samples.len() / HOP_SAMPLES + 1);
        let bin = ((880.0 / LOWEST_HZ).log2() * BINS_PER_OCTAVE as f64).round() as usize;
        let frame = |seconds: f64| (seconds * rate as f64 / HOP_SAMPLES as f64) as usize;
        assert!((shown.decibels(frame(1.5), bin) + 6.0).abs() < 1.0, "{}", shown.decibels(frame(1.5), bin));
        assert!(shown.decibels(frame(1.5), bin + 40) < -50.0);
        assert!(shown.decibels(frame(0.5), bin) <= -99.0 && shown.decibels(frame(2.7), bin) <= -99.0);
        assert!(shown.decibels(usize::MAX, 0) <= -100.0 && shown.decibels(0, BINS) <= -100.0);
    }

    #[test]
    fn peaks_stand_where_the_picture_is_bright() {
        let rate = ANALYSIS_RATE_HZ as f32;
        let samples: Vec<f32> = (0..5 * ANALYSIS_RATE_HZ)
            .map(|n| {
                let t = n as f32 / rate;
                let note = 220.0 * 2f32.powf((((t * 2.0) as u32 * 7) % 24) as f32 / 12.0);
                0.3 * (-4.0 * (t * 2.0).fract()).exp() * (std::f32::consts::TAU * note * t).sin()
            })
            .collect();
        let shown = spectrogram(&samples);
        let peaks = analyze(&samples).peaks;
        assert!(peaks.len() >= 8, "of ten notes {}", peaks.len());
        for peak in peaks {
            let (frame, bin) = ((peak.time + 4) as usize / 8, (peak.pitch + 4) as usize / 8);
            let (here, beside) = (shown.decibels(frame, bin), shown.decibels(frame, bin + 12));
            assert!(here > beside, "{peak:?}: {here} and {beside}");
        }
    }

    #[test]
    fn nothing_is_one_silent_frame() {
        let shown = spectrogram(&[]);
        assert!(shown.len() == 1 && !shown.is_empty());
        assert!(shown.decibels(0, 0) <= -99.0);
    }
}
