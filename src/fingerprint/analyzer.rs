//! The stage chain: samples in, fingerprint out, in memory that does not grow with the audio (but for its peaks).

use super::peaks::PeakPicker;
use super::spectrum::{Spectrum, WINDOW_SAMPLES};
use super::{Fingerprint, HOP_SAMPLES, TIME_STEPS_PER_HOP};

/// Takes mono samples at [`crate::base::ANALYSIS_RATE_HZ`] piece by piece and gives their [`Fingerprint`].
pub struct Analyzer {
    spectrum: Spectrum,
    picker: PeakPicker,
    /// Samples that the next frames still need. The first frame is centred on the first sample.
    pending: Vec<f32>,
    samples: u64,
}

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
            pending: vec![0.0; WINDOW_SAMPLES / 2],
            samples: 0,
        }
    }

    /// Takes more samples; what is not finite counts as silence.
    pub fn push(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        self.feed(samples.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }));
    }

    /// Ends the audio and gives its fingerprint.
    #[must_use]
    pub fn finish(mut self) -> Fingerprint {
        self.feed(std::iter::repeat_n(0.0, WINDOW_SAMPLES / 2));
        let steps = self.samples * u64::from(TIME_STEPS_PER_HOP) / HOP_SAMPLES as u64;
        Fingerprint { duration: u32::try_from(steps).unwrap_or(u32::MAX), peaks: self.picker.finish() }
    }

    fn feed(&mut self, samples: impl Iterator<Item = f32>) {
        self.pending.extend(samples);
        let mut start = 0;
        while start + WINDOW_SAMPLES <= self.pending.len() {
            let frame = self.spectrum.frame(&self.pending[start..start + WINDOW_SAMPLES]);
            self.picker.push(&frame);
            start += HOP_SAMPLES;
        }
        self.pending.drain(..start);
    }
}
