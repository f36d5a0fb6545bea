//! One sound recording of the catalogue.

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RecordingId};
use crate::store::Record;

/// One sound recording of the catalogue; not the musical work behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The owner's own identifier.
    pub recording_id: RecordingId,
    /// International Standard Recording Code, 12 characters without hyphens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
    /// International Standard Musical Work Code of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iswc: Option<String>,
    /// UPC or EAN of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upc: Option<String>,
    /// Title, in its own script.
    pub title: String,
    /// The title in other scripts or translations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub title_alt: Vec<String>,
    /// Version, for example `live` or `2019 remaster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Main artist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Album.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The ℗ line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_line: Option<String>,
    /// The © line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_line: Option<String>,
    /// First making of the recording: `YYYY` or `YYYY-MM-DD`. Protection lasts 50 years from the end of that year
    /// (Copyright Law of China, Art. 44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_made: Option<String>,
    /// First release: `YYYY` or `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date: Option<String>,
    /// Number of the copyright registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_no: Option<String>,
    /// The audio that was fingerprinted, where there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<RecordingAudio>,
}

/// The audio file that a recording's fingerprint was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingAudio {
    /// The file's path as it was given.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Its length in seconds.
    pub duration_s: f64,
}

impl Record for Recording {
    const KIND: &'static str = "recording";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.recording_id.to_string()
    }
}
