//! Excerpts of both sides as audio: the record of them, `earwitness/excerpts.json`, and the form of the files.
//!
//! An excerpt is what the comparison heard, one channel view at the analysis rate, and not the file at its best: who listens
//! to it hears what was found to be the same. The sound is cut out, and recordings are recognised, by rooms below this one;
//! [`Listener`] is what they do for the verifier.

use serde::{Deserialize, Serialize};

use super::section::Section;
use crate::base::{ANALYSIS_RATE_HZ, AudioSpan, Digest, Pcm};
use crate::matching::Match;

/// The version of the record.
pub const EXCERPTS_FORMAT: &str = "earwitness-excerpts/1";

/// The record's entry.
pub(super) const EXCERPTS: &str = "earwitness/excerpts.json";
/// How the names of the excerpts begin.
pub(super) const EXCERPT: &str = "earwitness/excerpt-";

/// Which of both an excerpt is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExcerptOf {
    /// The file that was found.
    Suspect,
    /// The recording.
    Reference,
}

impl ExcerptOf {
    /// Returns the word used in names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspect => "suspect",
            Self::Reference => "reference",
        }
    }
}

/// How the two excerpts of a match lie to each other, for who wants to hear them at once: figures of the match.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alignment {
    /// See [`Match::speed`].
    pub speed: f64,
    /// See [`Match::tempo`].
    pub tempo: f64,
    /// See [`Match::pitch_semitones`].
    pub pitch_semitones: f64,
    /// An instant of the suspect file, in seconds.
    pub query_start_s: f64,
    /// The instant of the recording that is the same place of the music, in seconds.
    pub reference_start_s: f64,
    /// Seconds of the recording in each second of the suspect file after that.
    pub reference_s_per_s: f64,
}

impl From<&Match> for Alignment {
    fn from(found: &Match) -> Self {
        let lengths =
            (found.reference_end_s - found.reference_start_s, found.query_end_s - found.query_start_s);
        Self {
            speed: found.speed,
            tempo: found.tempo,
            pitch_semitones: found.pitch_semitones,
            query_start_s: found.query_start_s,
            reference_start_s: found.reference_start_s,
            reference_s_per_s: lengths.0 / lengths.1,
        }
    }
}

/// One excerpt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// The entry that holds it.
    pub path: String,
    /// The digest of that.
    pub sha256: Digest,
    /// Which of both it is of.
    pub of: ExcerptOf,
    /// Of which match in `replay.json`, the first being 1.
    pub match_number: usize,
    /// SHA-256 of the file that it was cut out of.
    pub source_sha256: Digest,
    /// Where in that: exact, in samples of the analysis rate.
    pub span: AudioSpan,
    /// Where it begins in its source, in seconds.
    pub start_s: f64,
    /// Where it ends in its source, in seconds.
    pub end_s: f64,
    /// How it lies to the other side's.
    pub alignment: Alignment,
    /// Of a recording's: whether the excerpt alone is recognised in the recording's fingerprint, where it was taken from. Short
    /// or quiet ones need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognised: Option<bool>,
}

/// An excerpt that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Which of both it would be of.
    pub of: ExcerptOf,
    /// Of which match; none: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_number: Option<usize>,
    /// Why, in words.
    pub why: String,
}

/// All excerpts of a bundle: `earwitness/excerpts.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpts {
    /// [`EXCERPTS_FORMAT`].
    pub format: String,
    /// Samples a second of all of them.
    pub rate_hz: u32,
    /// The excerpts, those of the surest match first.
    pub excerpts: Vec<Excerpt>,
    /// Those that are not there, and why.
    pub left_out: Vec<LeftOut>,
}

/// What the verifier needs to be done with sound.
pub trait Listener {
    /// Decodes media, and gives the sound of each span as the fingerprint hears it.
    ///
    /// # Errors
    /// Why it cannot be done here, in a line.
    fn cut(&self, media: Section<'_>, spans: &[AudioSpan]) -> Result<Vec<Pcm>, String>;

    /// Gives where in a recording, in seconds, a piece of it at its own speed begins; none where it is not recognised.
    /// `reference` is the recording's encoded fingerprint.
    ///
    /// # Errors
    /// Why it cannot be done here, in a line.
    fn place(&self, piece: &Pcm, reference: &[u8]) -> Result<Option<f64>, String>;
}

/// Bytes before the samples of a WAV file.
const HEADER_BYTES: usize = 44;

/// Writes sound as WAV: 16-bit PCM, one channel, at the analysis rate (Microsoft, Multimedia Programming Interface 1.0).
#[must_use]
pub fn wav(sound: &Pcm) -> Vec<u8> {
    let samples = sound.to_16_bit().flat_map(i16::to_le_bytes);
    header(2 * sound.samples.len()).into_iter().chain(samples).collect()
}

/// Reads a WAV file as [`wav`] writes it, and no other; `None` where it is another.
#[must_use]
pub fn read_wav(bytes: &[u8]) -> Option<Pcm> {
    let (head, samples) = bytes.split_at_checked(HEADER_BYTES)?;
    let (samples, rest) = samples.as_chunks::<2>();
    let is_ours = head == header(2 * samples.len()) && rest.is_empty();
    is_ours.then(|| Pcm::from_16_bit(samples.iter().map(|sample| i16::from_le_bytes(*sample))))
}

/// The length of the WAV file of so many samples, in bytes.
pub(super) const fn wav_bytes(samples: u32) -> u64 {
    HEADER_BYTES as u64 + 2 * samples as u64
}

fn header(samples_bytes: usize) -> Vec<u8> {
    let bytes = u32::try_from(samples_bytes).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend(b"RIFF");
    header.extend(bytes.saturating_add(HEADER_BYTES as u32 - 8).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    // PCM; one channel.
    header.extend(1u16.to_le_bytes());
    header.extend(1u16.to_le_bytes());
    header.extend(ANALYSIS_RATE_HZ.to_le_bytes());
    // Bytes a second; bytes of a frame; bits of a sample.
    header.extend((2 * ANALYSIS_RATE_HZ).to_le_bytes());
    header.extend(2u16.to_le_bytes());
    header.extend(16u16.to_le_bytes());
    header.extend(b"data");
    header.extend(bytes.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wav_comes_back_and_no_other_is_read(samples in prop::collection::vec(any::<i16>(), 0..40), at in any::<usize>(), by in 1u8..) {
            let bytes = wav(&Pcm::from_16_bit(samples.iter().copied()));
            let read = read_wav(&bytes).unwrap();
            prop_assert_eq!(read.to_16_bit().collect::<Vec<_>>(), samples);
            prop_assert!(read_wav(&bytes[..at % bytes.len()]).is_none());
            let mut other = bytes;
            other[at % HEADER_BYTES] ^= by;
            prop_assert!(read_wav(&other).is_none());
        }
    }
}
