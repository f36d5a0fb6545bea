//! Stereo audio at one rate, and pieces of it out of files.

use std::fs::File;
use std::path::Path;

use earwitness::audio::{self, Frames, Limits, Source};

use crate::dsp::resample::resample;

/// All attacks work at this rate.
pub(crate) const RATE_HZ: f64 = 44_100.0;

/// Stereo audio at [`RATE_HZ`]; both sides are of one length.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sound {
    pub(crate) left: Vec<f32>,
    pub(crate) right: Vec<f32>,
}

impl Sound {
    /// The same on both sides.
    pub(crate) fn mono(samples: Vec<f32>) -> Self {
        Self { right: samples.clone(), left: samples }
    }

    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn duration_s(&self) -> f64 {
        self.len() as f64 / RATE_HZ
    }

    pub(crate) fn mid(&self) -> Vec<f32> {
        self.left.iter().zip(&self.right).map(|(left, right)| 0.5 * (left + right)).collect()
    }

    /// Does the same to each side.
    pub(crate) fn each(mut self, change: impl Fn(Vec<f32>) -> Vec<f32>) -> Self {
        self.left = change(self.left);
        self.right = change(self.right);
        self
    }

    /// Changes each pair of samples in its turn; the first argument is its number.
    pub(crate) fn pairs(mut self, mut change: impl FnMut(usize, f32, f32) -> (f32, f32)) -> Self {
        for (at, (left, right)) in self.left.iter_mut().zip(&mut self.right).enumerate() {
            (*left, *right) = change(at, *left, *right);
        }
        self
    }

    pub(crate) fn scaled(self, factor: f32) -> Self {
        self.pairs(|_, left, right| (left * factor, right * factor))
    }

    /// Root of the mean square over both sides.
    pub(crate) fn rms(&self) -> f64 {
        let sum: f64 = self.left.iter().chain(&self.right).map(|&sample| f64::from(sample).powi(2)).sum();
        (sum / (2 * self.len()).max(1) as f64).sqrt()
    }

    /// Adds `other` so that this is `ratio_db` louder than what is added, over the whole length.
    pub(crate) fn with_added(self, other: &Self, ratio_db: f64) -> Self {
        let wanted = self.rms() * 10f64.powf(-ratio_db / 20.0);
        let factor = (wanted / other.rms().max(1e-9)) as f32;
        self.pairs(|at, left, right| {
            let of = |side: &[f32]| factor * side.get(at).copied().unwrap_or(0.0);
            (left + of(&other.left), right + of(&other.right))
        })
    }

    /// Cuts or fills with silence to a number of frames.
    pub(crate) fn of_length(self, frames: usize) -> Self {
        self.each(|mut side| {
            side.resize(frames, 0.0);
            side
        })
    }

    /// Samples of both sides in turn, as little-endian 32-bit floats.
    pub(crate) fn interleaved_bytes(&self) -> Vec<u8> {
        let pairs = self.left.iter().zip(&self.right);
        pairs.flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()]).flatten().collect()
    }
}

/// A stretch of a file, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) start_s: f64,
    pub(crate) length_s: f64,
}

/// Decodes a file and keeps the stretches alone, however long the file is; a stretch that the file does not reach is
/// shorter or empty.
pub(crate) fn cut(path: &Path, stretches: &[Stretch]) -> Result<Vec<Sound>, audio::Error> {
    let mut kept: Vec<(u32, Sound)> = vec![(0, Sound::default()); stretches.len()];
    let mut at_s = 0.0;
    let mut keep = |frames: &Frames<'_>| {
        let rate = f64::from(frames.rate_hz);
        for (stretch, (rate_hz, sound)) in stretches.iter().zip(&mut kept) {
            let frame =
                |second: f64| (((second - at_s) * rate).round().max(0.0) as usize).min(frames.left.len());
            let range = frame(stretch.start_s)..frame(stretch.start_s + stretch.length_s);
            if !range.is_empty() {
                *rate_hz = frames.rate_hz;
                sound.left.extend_from_slice(&frames.left[range.clone()]);
                sound.right.extend_from_slice(&frames.right.unwrap_or(frames.left)[range]);
            }
        }
        at_s += frames.left.len() as f64 / rate;
    };
    let end_s = stretches.iter().map(|stretch| stretch.start_s + stretch.length_s).fold(0.0, f64::max);
    let limits = Limits { duration_max_s: end_s, ..Limits::default() };
    audio::decode_frames(&mut Source::file(File::open(path)?)?, 0, &limits, &mut keep)?;
    Ok(kept.into_iter().map(|(rate_hz, sound)| at_rate(rate_hz, sound)).collect())
}

fn at_rate(rate_hz: u32, sound: Sound) -> Sound {
    if f64::from(rate_hz) == RATE_HZ || rate_hz == 0 {
        return sound;
    }
    sound.each(|side| resample(&side, f64::from(rate_hz) / RATE_HZ))
}
