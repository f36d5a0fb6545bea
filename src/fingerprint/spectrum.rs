//! Samples → frames of the log-frequency power spectrogram, in decibels.

use realfft::{RealToComplex, RealToComplexEven};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::{BINS, BINS_PER_OCTAVE, LOWEST_HZ};
use crate::base::ANALYSIS_RATE_HZ;

/// Samples of one window: 186 ms, long enough to part neighbouring semitones from 200 Hz up.
pub(super) const WINDOW_SAMPLES: usize = 2048;

/// Power below this is silence: −100 dB of full scale, under the noise of 16-bit audio.
pub(super) const FLOOR_DB: f32 = -100.0;

/// One frame: the power in each bin in decibels of full scale, not below [`FLOOR_DB`].
pub(super) type Frame = [f32; BINS];

/// Which part of the linear spectrum one bin gathers.
struct BinWeights {
    first: usize,
    weights: Vec<f32>,
}

/// Computes frames with planned, reused buffers.
pub(super) struct Spectrum {
    fft: RealToComplexEven<f32>,
    window: Vec<f32>,
    bins: Vec<BinWeights>,
    windowed: Vec<f32>,
    transformed: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let fft = RealToComplexEven::new(WINDOW_SAMPLES, &mut FftPlanner::new());
        Self {
            windowed: fft.make_input_vec(),
            transformed: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; WINDOW_SAMPLES / 2 + 1],
            window: hann_window(),
            bins: (0..BINS).map(bin_weights).collect(),
            fft,
        }
    }

    /// Returns the frame of `samples`, which are [`WINDOW_SAMPLES`] long.
    pub(super) fn frame(&mut self, samples: &[f32]) -> Frame {
        for ((out, sample), weight) in self.windowed.iter_mut().zip(samples).zip(&self.window) {
            *out = sample * weight;
        }
        let transformed =
            self.fft.process_with_scratch(&mut self.windowed, &mut self.transformed, &mut self.scratch);
        let mut frame = [FLOOR_DB; BINS];
        if transformed.is_err() {
            return frame; // lengths are fixed above; a silent frame is the harmless answer
        }
        for (power, value) in self.power.iter_mut().zip(&self.transformed) {
            *power = value.norm_sqr();
        }
        for (out, bin) in frame.iter_mut().zip(&self.bins) {
            let sum: f32 =
                bin.weights.iter().zip(&self.power[bin.first..]).map(|(weight, power)| weight * power).sum();
            *out = (10.0 * sum.max(1e-20).log10()).max(FLOOR_DB);
        }
        frame
    }
}

/// Hann window, scaled so that a sine of full scale has 0 dB at its peak.
fn hann_window() -> Vec<f32> {
    let step = std::f64::consts::TAU / WINDOW_SAMPLES as f64;
    let scale = 4.0 / WINDOW_SAMPLES as f64;
    (0..WINDOW_SAMPLES).map(|n| (0.5 * (1.0 - (step * n as f64).cos()) * scale) as f32).collect()
}

/// A triangle around the bin's centre: half as wide as a neighbour's distance, but never narrower than one line of
/// the linear spectrum, so that low bins interpolate and high bins gather.
fn bin_weights(bin: usize) -> BinWeights {
    let line_hz = f64::from(ANALYSIS_RATE_HZ) / WINDOW_SAMPLES as f64;
    let line_at = |b: f64| LOWEST_HZ * (b / BINS_PER_OCTAVE as f64).exp2() / line_hz;
    let centre = line_at(bin as f64);
    let half_width = (line_at(bin as f64 + 1.0) - centre).max(1.0);
    let first = (centre - half_width).ceil().max(0.0) as usize;
    let last = ((centre + half_width).floor() as usize).min(WINDOW_SAMPLES / 2);
    let weights =
        (first..=last).map(|k| (1.0 - (k as f64 - centre).abs() / half_width).max(0.0) as f32).collect();
    BinWeights { first, weights }
}
