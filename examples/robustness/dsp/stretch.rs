//! Change of tempo alone and of pitch alone: a phase vocoder whose bins are locked to their peaks.
//!
//! After Laroche and Dolson, "Improved phase vocoder time-scale modification of audio", IEEE Trans. Speech and Audio
//! Processing 7(3), 1999 (identity phase locking). Both sides turn by the phases of their sum, so that the stereo image
//! stays.

use std::f64::consts::{PI, TAU};

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;

use super::resample::resample;
use crate::sound::Sound;

/// Samples of a frame: 93 ms, which tells the notes of a chord apart.
const FRAME: usize = 4096;
/// Samples from one frame of the output to the next.
const HOP: usize = 512;
const BINS: usize = FRAME / 2 + 1;
/// A peak is higher than this many bins on each side.
const PEAK_REACH: usize = 2;

/// Plays `factor` times as fast at the same pitch.
pub(crate) fn tempo(sound: &Sound, factor: f64) -> Sound {
    let frames = (sound.len() as f64 / factor).round() as usize;
    let Some(mut vocoder) = Vocoder::new(frames) else { return sound.clone() };
    let mut before = None;
    for number in 0..frames.div_ceil(HOP) + FRAME / HOP {
        let at = (number as f64 * HOP as f64 * factor).round() as i64 - (FRAME / 2) as i64;
        let step = before.map(|before| at - before);
        if vocoder.frame(sound, at, step, number).is_none() {
            break;
        }
        before = Some(at);
    }
    vocoder.finish()
}

/// Shifts by `semitones` at the same tempo: the tempo changes one way, the speed the other.
pub(crate) fn pitch(sound: &Sound, semitones: f64) -> Sound {
    let factor = (semitones / 12.0).exp2();
    tempo(sound, 1.0 / factor).each(|side| resample(&side, factor)).of_length(sound.len())
}

struct Vocoder {
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    /// Phases of the last frame, as it was heard and as it was given.
    heard: Vec<f64>,
    given: Vec<f64>,
    out: Sound,
    /// Sum of the squared windows that were added at each sample.
    weight: Vec<f32>,
    frames: usize,
}

impl Vocoder {
    fn new(frames: usize) -> Option<Self> {
        let mut planner = RealFftPlanner::new();
        let hann = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / FRAME as f64).cos();
        let room = frames + 2 * FRAME + HOP;
        (frames > 0).then(|| Self {
            forward: planner.plan_fft_forward(FRAME),
            backward: planner.plan_fft_inverse(FRAME),
            window: (0..FRAME).map(|n| hann(n) as f32).collect(),
            heard: vec![0.0; BINS],
            given: vec![0.0; BINS],
            out: Sound::default().of_length(room),
            weight: vec![0.0; room],
            frames,
        })
    }

    /// Takes the frame that begins at sample `at` of the input, `step` after the last one, and adds it to the output.
    fn frame(&mut self, sound: &Sound, at: i64, step: Option<i64>, number: usize) -> Option<()> {
        let mut left = self.spectrum(&sound.left, at)?;
        let mut right = self.spectrum(&sound.right, at)?;
        let mid: Vec<Complex32> = left.iter().zip(&right).map(|(left, right)| left + right).collect();
        let turns = self.turns(&mid, step.filter(|&step| step > 0));
        for bin in 0..BINS {
            let turn = Complex32::from_polar(1.0, turns[bin] as f32);
            left[bin] *= turn;
            right[bin] *= turn;
            let heard = f64::from(mid[bin].arg());
            (self.heard[bin], self.given[bin]) = (heard, heard + turns[bin]);
        }
        let start = number * HOP;
        let left = self.samples(left)?;
        let right = self.samples(right)?;
        for n in 0..FRAME {
            self.out.left[start + n] += left[n] * self.window[n];
            self.out.right[start + n] += right[n] * self.window[n];
            self.weight[start + n] += self.window[n] * self.window[n];
        }
        Some(())
    }

    fn spectrum(&self, side: &[f32], at: i64) -> Option<Vec<Complex32>> {
        let sample = |n: usize| {
            let index = usize::try_from(at + n as i64).ok();
            index.and_then(|index| side.get(index)).copied().unwrap_or(0.0)
        };
        let mut frame: Vec<f32> = (0..FRAME).map(|n| sample(n) * self.window[n]).collect();
        let mut spectrum = vec![Complex32::default(); BINS];
        self.forward.process(&mut frame, &mut spectrum).ok()?;
        Some(spectrum)
    }

    fn samples(&self, mut spectrum: Vec<Complex32>) -> Option<Vec<f32>> {
        // The first and the last bin of a real signal are real.
        spectrum[0].im = 0.0;
        spectrum[BINS - 1].im = 0.0;
        let mut frame = vec![0.0; FRAME];
        self.backward.process(&mut spectrum, &mut frame).ok()?;
        frame.iter_mut().for_each(|sample| *sample /= FRAME as f32);
        Some(frame)
    }

    /// By how much each bin's phase turns: that of its peak, which goes on at the frequency that two frames show.
    fn turns(&self, mid: &[Complex32], step: Option<i64>) -> Vec<f64> {
        let Some(step) = step else { return vec![0.0; BINS] };
        let power: Vec<f32> = mid.iter().map(Complex32::norm_sqr).collect();
        let peaks: Vec<usize> = (PEAK_REACH..BINS - PEAK_REACH)
            .filter(|&bin| {
                (1..=PEAK_REACH).all(|by| power[bin] > power[bin - by] && power[bin] >= power[bin + by])
            })
            .collect();
        let mut turns = vec![0.0; BINS];
        for (number, &peak) in peaks.iter().enumerate() {
            let centre = TAU * peak as f64 / FRAME as f64;
            let phase = f64::from(mid[peak].arg());
            let ahead = wrap(phase - self.heard[peak] - centre * step as f64);
            let frequency = centre + ahead / step as f64;
            let turn = self.given[peak] + frequency * HOP as f64 - phase;
            let first = number.checked_sub(1).map_or(0, |last| usize::midpoint(peaks[last], peak) + 1);
            let last = peaks.get(number + 1).map_or(BINS - 1, |&next| usize::midpoint(peak, next));
            turns[first..=last].fill(turn);
        }
        turns
    }

    fn finish(self) -> Sound {
        let weight = self.weight;
        let whole = self.out.pairs(|at, left, right| {
            let by = weight[at].max(0.05);
            (left / by, right / by)
        });
        // The first frame is centred on the first sample.
        let range = FRAME / 2..FRAME / 2 + self.frames;
        whole.each(|side| side.get(range.clone()).unwrap_or_default().to_vec())
    }
}

/// Brings an angle to −π … π.
fn wrap(angle: f64) -> f64 {
    angle - TAU * ((angle + PI) / TAU).floor()
}
