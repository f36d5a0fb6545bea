//! From audio to a [`Fingerprint`]: spectrogram → peaks → codec, and the quads (hashes) that an index is made of.
//! Here are samples, gives peaks; here are peaks, gives quads. Pure: same samples, same fingerprint.
//!
//! - [`Analyzer`]: takes samples piece by piece in bounded memory, gives the [`Fingerprint`].
//! - [`encode`] / [`decode`]: the versioned bytes of a fingerprint.
//! - [`spectrogram`]: what the analysis works on, for pictures.
//! - [`reference_quads`] / [`query_quads`]: few quads for the recording that is indexed, many for the query.

mod analyzer;
mod codec;
mod lanes;
mod level;
mod maxima;
mod peaks;
mod quads;
#[cfg(test)]
mod reference_tests;
mod spectrogram;
mod spectrum;

pub use analyzer::Analyzer;
pub use codec::{Error, FORMAT_VERSION, decode, encode};
pub use quads::{Density, Quad, QuadKey, Tolerance, query_quads, reference_quads};
pub use spectrogram::{Spectrogram, spectrogram};

/// Samples from one frame to the next, at [`crate::base::ANALYSIS_RATE_HZ`]: 23.2 ms.
pub const HOP_SAMPLES: usize = 256;

/// Peak times are counted in this fraction of a hop (2.9 ms), finer than the 5 ms to which a peak can be placed.
pub const TIME_STEPS_PER_HOP: u32 = 8;

/// Steps of [`Peak::time`] in a second: 344.53.
pub const TIME_STEPS_PER_S: f64 =
    crate::base::ANALYSIS_RATE_HZ as f64 / HOP_SAMPLES as f64 * TIME_STEPS_PER_HOP as f64;

/// Bins of the log-frequency spectrogram in an octave: a quarter of a semitone each.
pub const BINS_PER_OCTAVE: usize = 48;

/// Peak pitches are counted in this fraction of a bin (1/384 octave, 3 cents).
pub const PITCH_STEPS_PER_BIN: u16 = 8;

/// Steps of [`Peak::pitch`] in an octave.
pub const PITCH_STEPS_PER_OCTAVE: u16 = BINS_PER_OCTAVE as u16 * PITCH_STEPS_PER_BIN;

/// Lowest frequency of the spectrogram in Hz: the lower edge of what small loudspeakers and telephones keep.
pub const LOWEST_HZ: f64 = 110.0;

/// Number of bins: 5.5 octaves, 110 Hz to 4,978 Hz.
pub const BINS: usize = 264;

/// One spectral peak of the log-frequency spectrogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peak {
    /// Time of the frame's centre, in steps of 1/8 hop ([`TIME_STEPS_PER_S`]).
    pub time: u32,
    /// Log frequency above [`LOWEST_HZ`] in steps of 1/384 octave, 0 to 2,111.
    pub pitch: u16,
    /// Height over the local mean in half decibels, 0 to 127.
    pub strength: u8,
    /// Whether the peak is the highest of a wide neighbourhood: these few survive alteration best, and only they
    /// make the quads of a reference.
    pub salient: bool,
}

impl Peak {
    /// Whether it is likely to be found in a copy, and so is kept of a recording: see [`Fingerprint::for_reference`].
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.salient || self.strength >= REFERENCE_STRENGTH_MIN
    }
}

/// The least strength of a peak of a recording that is not salient: 11 dB.
const REFERENCE_STRENGTH_MIN: u8 = 22;

/// The peaks of one piece of audio, in order of time, then pitch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Length of the audio in steps of 1/8 hop.
    pub duration: u32,
    /// The peaks.
    pub peaks: Vec<Peak>,
}

impl Fingerprint {
    /// What is kept of a recording: all salient peaks, and of the others those that are likely to be found in a copy, some
    /// 22 a second in all. The rest would be a seventh of the index and tell hardly anything.
    #[must_use]
    pub fn for_reference(mut self) -> Self {
        self.peaks.retain(Peak::is_lasting);
        self
    }

    /// Returns the length of the audio in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        f64::from(self.duration) / TIME_STEPS_PER_S
    }
}

/// Analyses a whole piece of audio at once.
#[must_use]
pub fn analyze(samples: &[f32]) -> Fingerprint {
    let mut analyzer = Analyzer::new();
    analyzer.push(samples);
    analyzer.finish()
}
