//! Samples → frames of the log-frequency spectrogram, eight frames at a time.

use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

use super::lanes::{LANES, Lanes};
use super::level::{FLOOR, Level, levels};
use super::{BINS, BINS_PER_OCTAVE, HOP_SAMPLES, LOWEST_HZ};
use crate::base::ANALYSIS_RATE_HZ;

/// Samples of one window: 186 ms, long enough to part neighbouring semitones from 200 Hz up.
pub(super) const WINDOW_SAMPLES: usize = 2048;

/// Samples of one batch: a hop for each lane.
pub(super) const BATCH_SAMPLES: usize = LANES * HOP_SAMPLES;

/// One frame: the level of each bin.
pub(super) type Frame = [Level; BINS];

/// Hops in one window.
const HOPS: usize = WINDOW_SAMPLES / HOP_SAMPLES;

/// Hops that the eight frames of a batch look at, of which all but eight belong to the batch before.
const HELD_HOPS: usize = HOPS + LANES;

/// Length of the complex transform: the even samples of a window are its real parts, the odd ones its imaginary parts.
const LENGTH: usize = WINDOW_SAMPLES / 2;

/// Which part of the linear spectrum one bin gathers.
struct BinWeights {
    first: usize,
    weights: Vec<f32>,
}

/// Computes frames with planned, reused buffers.
pub(super) struct Spectrum {
    /// Named, not planned: the planner would choose by what the processor has, and bring in every algorithm there is.
    fft: Radix4<Lanes>,
    /// e^(−2πik/2048) / i, which parts the transform of even and odd samples.
    twiddles: Vec<Complex<f32>>,
    window: Vec<f32>,
    bins: Vec<BinWeights>,
    /// For each place in a hop, the samples there of the hops held: those of eight frames lie side by side.
    columns: Vec<[f32; HELD_HOPS]>,
    /// Batches of nothing but zeros until now, as far as a window reaches back.
    silent_batches: usize,
    transformed: Vec<Complex<Lanes>>,
    scratch: Vec<Complex<Lanes>>,
    power: Vec<Lanes>,
    frames: Vec<Frame>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let zero = Complex::new(Lanes::all(0.0), Lanes::all(0.0));
        let fft = Radix4::new(LENGTH, FftDirection::Forward);
        Self {
            twiddles: (0..=LENGTH / 2).map(twiddle).collect(),
            window: hann_window(),
            bins: (0..BINS).map(bin_weights).collect(),
            columns: vec![[0.0; HELD_HOPS]; HOP_SAMPLES],
            silent_batches: 1,
            transformed: vec![zero; LENGTH],
            scratch: vec![zero; fft.get_inplace_scratch_len()],
            power: vec![Lanes::all(0.0); LENGTH],
            frames: vec![[FLOOR; BINS]; LANES],
            fft,
        }
    }

    /// Returns the frames that end with each of the eight hops of `samples`, which are [`BATCH_SAMPLES`] finite numbers
    /// and follow those of the last call (zeros, at first).
    pub(super) fn batch(&mut self, samples: &[f32]) -> &[Frame] {
        self.hold(samples);
        let silent = samples.iter().all(|&sample| sample == 0.0);
        if silent && self.silent_batches > 0 {
            // Views that are not given come as silence: it costs nothing, and this is what the rest would give.
            self.frames.fill([FLOOR; BINS]);
            return &self.frames;
        }
        self.silent_batches = usize::from(silent);
        apply_window(&self.columns, &self.window, &mut self.transformed);
        self.fft.process_with_scratch(&mut self.transformed, &mut self.scratch);
        powers(&self.transformed, &self.twiddles, &mut self.power);
        for (number, bin) in self.bins.iter().enumerate() {
            let levels = levels(bin.gather(&self.power));
            for (frame, level) in self.frames.iter_mut().zip(levels) {
                frame[number] = level;
            }
        }
        &self.frames
    }

    /// Moves the hops held by eight, and puts the new ones behind them.
    fn hold(&mut self, samples: &[f32]) {
        for column in &mut self.columns {
            column.copy_within(LANES.., 0);
        }
        for (number, hop) in samples.chunks_exact(HOP_SAMPLES).take(LANES).enumerate() {
            for (column, &sample) in self.columns.iter_mut().zip(hop) {
                column[HELD_HOPS - LANES + number] = sample;
            }
        }
    }
}

/// Puts the windowed samples of the eight frames in pairs. A frame takes its samples from eight hops in turn, the next
/// frame from those one later.
fn apply_window(columns: &[[f32; HELD_HOPS]], window: &[f32], out: &mut [Complex<Lanes>]) {
    let pairs = HOP_SAMPLES / 2;
    for (hop, (out, window)) in out.chunks_exact_mut(pairs).zip(window.chunks_exact(HOP_SAMPLES)).enumerate()
    {
        for ((out, columns), weights) in
            out.iter_mut().zip(columns.chunks_exact(2)).zip(window.chunks_exact(2))
        {
            let windowed = |odd: usize| Lanes::load(&columns[odd][1 + hop..]) * Lanes::all(weights[odd]);
            *out = Complex::new(windowed(0), windowed(1));
        }
    }
}

/// Parts the transforms of even and odd samples, joins them to the spectrum of the whole, and returns its power. Lines 0
/// and 1024, at both ends, are not needed, and stay as they are.
fn powers(transformed: &[Complex<Lanes>], twiddles: &[Complex<f32>], power: &mut [Lanes]) {
    for (low, twiddle) in twiddles.iter().enumerate().skip(1) {
        let high = LENGTH - low;
        let (a, b) = (transformed[low], transformed[high]);
        let (even_re, even_im) = (a.re + b.re, a.im - b.im);
        let (odd_re, odd_im) = (a.re - b.re, a.im + b.im);
        let (cos, sin) = (Lanes::all(twiddle.re), Lanes::all(twiddle.im));
        let (turned_re, turned_im) = (odd_re * cos - odd_im * sin, odd_re * sin + odd_im * cos);
        let square = |re: Lanes, im: Lanes| re * re + im * im;
        power[low] = square(even_re + turned_re, even_im + turned_im);
        power[high] = square(even_re - turned_re, even_im - turned_im);
    }
}

impl BinWeights {
    /// The power in the bin, summed from the lowest line up.
    #[inline(always)]
    fn gather(&self, power: &[Lanes]) -> Lanes {
        let mut sum = Lanes::all(0.0);
        for (&weight, &power) in self.weights.iter().zip(&power[self.first..]) {
            sum = sum + power * Lanes::all(weight);
        }
        sum
    }
}

fn twiddle(line: usize) -> Complex<f32> {
    let angle = std::f64::consts::TAU / WINDOW_SAMPLES as f64 * line as f64;
    Complex::new(-angle.sin() as f32, -angle.cos() as f32)
}

/// Hann window, scaled so that a sine of full scale has 0 dB at its peak; half of that, since [`powers`] leaves out the
/// halves of both sums.
fn hann_window() -> Vec<f32> {
    let step = std::f64::consts::TAU / WINDOW_SAMPLES as f64;
    let scale = 2.0 / WINDOW_SAMPLES as f64;
    (0..WINDOW_SAMPLES).map(|n| (0.5 * (1.0 - (step * n as f64).cos()) * scale) as f32).collect()
}

/// A triangle around the bin's centre: half as wide as a neighbour's distance, but never narrower than one line of
/// the linear spectrum, so that low bins interpolate and high bins gather.
fn bin_weights(bin: usize) -> BinWeights {
    let line_hz = f64::from(ANALYSIS_RATE_HZ) / WINDOW_SAMPLES as f64;
    let line_at = |b: f64| LOWEST_HZ * (b / BINS_PER_OCTAVE as f64).exp2() / line_hz;
    let centre = line_at(bin as f64);
    let half_width = (line_at(bin as f64 + 1.0) - centre).max(1.0);
    let first = (centre - half_width).ceil().max(1.0) as usize;
    let last = ((centre + half_width).floor() as usize).min(LENGTH - 1);
    let weights =
        (first..=last).map(|k| (1.0 - (k as f64 - centre).abs() / half_width).max(0.0) as f32).collect();
    BinWeights { first, weights }
}
