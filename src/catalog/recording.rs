//! One sound recording of the catalogue.

use serde::{Deserialize, Serialize};

use crate::base::{Digest, MediaTags, RecordingId};
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

impl Recording {
    /// Title and artist, as people name a recording: `Title – Artist`.
    #[must_use]
    pub fn title_and_artist(&self) -> String {
        match &self.artist {
            Some(artist) => format!("{} – {artist}", self.title),
            None => self.title.clone(),
        }
    }

    /// Returns a recording of which nothing but identifier and title is known.
    #[must_use]
    pub fn new(recording_id: RecordingId, title: String) -> Self {
        Self {
            recording_id,
            isrc: None,
            iswc: None,
            upc: None,
            title,
            title_alt: Vec::new(),
            version: None,
            artist: None,
            album: None,
            label: None,
            p_line: None,
            c_line: None,
            first_made: None,
            release_date: None,
            registration_no: None,
            audio: None,
        }
    }

    /// Returns this recording with all that `incoming` says put over it; what `incoming` leaves empty stays. Its
    /// title counts only when it was given and not made from a file's name or an identifier.
    #[must_use]
    pub fn updated_by(&self, incoming: &Self, title_given: bool) -> Self {
        let or = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
        Self {
            recording_id: incoming.recording_id.clone(),
            isrc: or(&incoming.isrc, &self.isrc),
            iswc: or(&incoming.iswc, &self.iswc),
            upc: or(&incoming.upc, &self.upc),
            title: if title_given { incoming.title.clone() } else { self.title.clone() },
            title_alt: if incoming.title_alt.is_empty() { &self.title_alt } else { &incoming.title_alt }
                .clone(),
            version: or(&incoming.version, &self.version),
            artist: or(&incoming.artist, &self.artist),
            album: or(&incoming.album, &self.album),
            label: or(&incoming.label, &self.label),
            p_line: or(&incoming.p_line, &self.p_line),
            c_line: or(&incoming.c_line, &self.c_line),
            first_made: or(&incoming.first_made, &self.first_made),
            release_date: or(&incoming.release_date, &self.release_date),
            registration_no: or(&incoming.registration_no, &self.registration_no),
            audio: incoming.audio.clone().or_else(|| self.audio.clone()),
        }
    }
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
    /// What it said of itself when it was added, each text cut to 200 characters; `None` where it was added by a program
    /// that did not keep that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<MediaTags>,
}

/// Characters kept of each of a file's tags: a record of the store must stay small.
pub const TAG_CHARS_MAX: usize = 200;

impl Record for Recording {
    const KIND: &'static str = "recording";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.recording_id.to_string()
    }
}
