//! The match made again from what is in the bundle: what is asked for, what came of it when the bundle was made, and who
//! does it. The engine itself is below this room and is handed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::section::Section;
use crate::base::{ChannelView, Digest, MediaTags, RecordingId};
use crate::matching::Match;

/// The version of the record.
pub const REPLAY_FORMAT: &str = "earwitness-replay/1";

/// A number to its last bit: written as the shortest decimal that reads back as the same `f64`, in a string, since readers
/// of JSON round numbers.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Exact(pub f64);

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Exact {}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Exact> for String {
    fn from(exact: Exact) -> Self {
        exact.to_string()
    }
}

impl TryFrom<String> for Exact {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        f64::from_str(&text).map(Self)
    }
}

/// Where the media's bytes are in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaPlace {
    /// The entry that holds them.
    pub path: String,
    /// From its start, in bytes.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
    /// Their digest.
    pub sha256: Digest,
}

/// The recording that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferencePlace {
    /// The entry that holds its fingerprint (the format is in `fingerprints/FORMAT.md`).
    pub path: String,
    /// The digest of that.
    pub sha256: Digest,
    /// Which recording.
    pub recording_id: RecordingId,
}

/// What the search is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaySettings {
    /// Seconds of audio in the catalogue, which the probability of a false match grows with: that of the whole catalogue when
    /// the bundle was made, though the replay has one recording alone.
    pub catalogue_s: Exact,
    /// Only matches at most this improbable by chance count.
    pub log10_false_match_max: Exact,
    /// About how many entries of the index may be looked at.
    pub postings_max: u64,
    /// Up to how many seconds a query is searched the most deeply.
    pub deep_s: Exact,
}

/// A match to its last bit; see [`Match`] for what the figures say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of Match")]
pub struct ExactMatch {
    pub recording_id: RecordingId,
    pub query_start_s: Exact,
    pub query_end_s: Exact,
    pub reference_start_s: Exact,
    pub reference_end_s: Exact,
    pub speed: Exact,
    pub tempo: Exact,
    pub pitch_semitones: Exact,
    pub channel: ChannelView,
    pub matched_peaks: u32,
    pub log10_false_match: Exact,
}

impl From<&Match> for ExactMatch {
    fn from(found: &Match) -> Self {
        Self {
            recording_id: found.recording_id.clone(),
            query_start_s: Exact(found.query_start_s),
            query_end_s: Exact(found.query_end_s),
            reference_start_s: Exact(found.reference_start_s),
            reference_end_s: Exact(found.reference_end_s),
            speed: Exact(found.speed),
            tempo: Exact(found.tempo),
            pitch_semitones: Exact(found.pitch_semitones),
            channel: found.channel,
            matched_peaks: found.matched_peaks,
            log10_false_match: Exact(found.log10_false_match),
        }
    }
}

/// What was replayed when the bundle was made, and with what result: `earwitness/replay.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRecord {
    /// [`REPLAY_FORMAT`].
    pub format: String,
    /// The program's version.
    pub program_version: String,
    /// The version of fingerprints, which must be the verifier's.
    pub fingerprint_format: u16,
    /// The bytes that are decoded.
    pub media: MediaPlace,
    /// What is looked for in them.
    pub reference: ReferencePlace,
    /// What the search is told.
    pub settings: ReplaySettings,
    /// The matches, in the order of their place.
    pub matches: Vec<ExactMatch>,
    /// Whether these are the matches of the case, to a tenth of a second and a hundredth of the speed.
    pub agrees_with_case: bool,
    /// In words, what differs and why, or that nothing does.
    pub remark: String,
}

/// What is to be done again.
#[derive(Clone, Copy)]
pub struct Rerun<'a> {
    /// The bytes to be decoded.
    pub media: Section<'a>,
    /// The bytes of the reference's fingerprint.
    pub reference: &'a [u8],
    /// Which recording that is.
    pub recording_id: &'a RecordingId,
    /// What the search is told.
    pub settings: &'a ReplaySettings,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// All matches, in the order of their place.
    pub matches: Vec<Match>,
    /// What the media says of itself.
    pub tags: MediaTags,
}

/// The version of `earwitness/tags.json`; another one where tags are read otherwise.
pub const TAGS_FORMAT: &str = "earwitness-tags/1";

/// What `earwitness/tags.json` says that can be read anew from the media.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct TagsTold {
    pub(super) format: String,
    pub(super) copy: MediaTags,
}

/// Decodes, fingerprints and matches anew, or says why it could not, in a line.
pub type Replay<'a> = dyn Fn(&Rerun<'_>) -> Result<Replayed, String> + 'a;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_comes_back_to_its_last_bit(bits in any::<u64>()) {
            let exact = Exact(f64::from_bits(bits));
            prop_assume!(!exact.0.is_nan());
            let text = serde_json::to_string(&exact).unwrap();
            prop_assert_eq!(serde_json::from_str::<Exact>(&text).unwrap(), exact);
        }
    }
}
