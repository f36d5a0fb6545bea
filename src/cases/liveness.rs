//! What an address of a case served when it was last looked at.

use serde::{Deserialize, Serialize};

use super::case::Case;
use crate::base::{Digest, Timestamp};
use crate::store::Record;

/// Whether an address still serves the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alive {
    /// It served the same bytes, or others in which the same recording was heard.
    Yes,
    /// The server says that there is nothing (404, 410, 451), or it serves audio in which the recording is not.
    Gone,
    /// Neither can be told: no answer, a refusal, a page without audio.
    Unclear,
}

impl Alive {
    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Gone => "gone",
            Self::Unclear => "unclear",
        }
    }
}

/// What one address of a case served at one instant; the newest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liveness {
    /// Which case.
    pub case_id: String,
    /// Which of its addresses.
    pub url: String,
    /// When.
    pub at: Timestamp,
    /// The HTTP status of the last answer, where there was one.
    pub status: Option<u16>,
    /// SHA-256 of the media that came, where some came.
    pub sha256: Option<Digest>,
    /// What follows.
    pub alive: Alive,
    /// How it was told, in words.
    pub note: String,
}

impl Record for Liveness {
    const KIND: &'static str = "liveness";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        let digest = Digest::of(self.url.as_bytes()).to_string();
        format!("{}{}", super::notification::prefix(&self.case_id), digest.get(..24).unwrap_or_default())
    }
}

/// The newest that is known of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'a> {
    /// The address.
    pub url: &'a str,
    /// Whether it serves the recording.
    pub alive: Alive,
    /// When that was seen.
    pub at: Timestamp,
    /// The record, where it is not the crawl that saw it.
    pub record: Option<&'a Liveness>,
}

/// Returns the newest that is known of each of a case's addresses: what a crawl saw proves as much as a look of its own.
#[must_use]
pub fn known_liveness<'a>(case: &'a Case, liveness: &'a [Liveness]) -> Vec<Known<'a>> {
    let of_sighting = |sighting: &'a super::case::CaseSighting| {
        let url = sighting.media_url.as_str();
        let seen = Known { url, alive: Alive::Yes, at: sighting.last_seen, record: None };
        let looked = liveness.iter().find(|one| one.url == url && one.at >= seen.at);
        looked.map_or(seen, |one| Known { url, alive: one.alive, at: one.at, record: Some(one) })
    };
    case.sightings.iter().map(of_sighting).collect()
}
