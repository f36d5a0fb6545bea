//! One case.

use serde::{Deserialize, Serialize};

use super::state::{Event, State};
use crate::base::{Digest, RecordingId, Timestamp};
use crate::crawl::Sighting;
use crate::matching::Match;
use crate::rights::{Decision, Verdict};
use crate::store::Record;

/// The most sightings that a case lists; more are only counted, as a store's records must stay small.
pub(super) const SIGHTINGS_MAX: usize = 200;

/// About how many bytes of JSON the sightings take at most, for the same reason: addresses can be very long. The history tells
/// of each, and takes as much again at most.
pub(super) const SIGHTINGS_BYTES_MAX: usize = 18 << 10;

/// The most matches that a case keeps, for the same reason; the surest are kept.
pub(super) const MATCHES_MAX: usize = 200;

/// About how many bytes of JSON they take at most.
pub(super) const MATCHES_BYTES_MAX: usize = 12 << 10;

/// The longest note of an entry of the history, in characters.
const NOTE_CHARS_MAX: usize = 2_000;

/// The longest page title that a case keeps, in characters.
const TITLE_CHARS_MAX: usize = 300;

/// A suspected infringement: one recording, one operator, one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `C-` and ten hexadecimal digits that follow from recording, domain and file.
    pub case_id: String,
    /// Which recording was found.
    pub recording_id: RecordingId,
    /// The registrable domain, or the address, of who serves the file.
    pub domain: String,
    /// Where the use was judged, ISO 3166-1 alpha-2; `None` where not known.
    pub territory: Option<String>,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Where the case stands.
    pub state: State,
    /// Where the file was seen, in the order in which the addresses became known.
    pub sightings: Vec<CaseSighting>,
    /// How many more addresses there were than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sightings_unlisted: u64,
    /// What of the recording is in the file.
    pub matches: Vec<Match>,
    /// The newest verdict.
    pub verdict: Verdict,
    /// When the case was opened.
    pub created_at: Timestamp,
    /// The case about the same recording at the same operator whose media was gone before this one's came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reupload_of: Option<String>,
    /// Since when the media is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
    /// What a person has said of the removed or altered rights information: whether notices state it; `None` where
    /// nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states_information: Option<bool>,
    /// Everything that happened to it, oldest first; only ever appended to.
    pub history: Vec<HistoryEntry>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One address at which the file was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseSighting {
    /// Where the bytes came from.
    pub media_url: String,
    /// The page that led there, if any.
    pub page_url: Option<String>,
    /// That page's title, shortened.
    pub page_title: Option<String>,
    /// When it was first fetched.
    pub captured_at: Timestamp,
    /// When it was last fetched with the same bytes.
    pub last_seen: Timestamp,
    /// How often it was fetched with the same bytes.
    pub times_seen: u64,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// Number of bytes.
    pub bytes: u64,
    /// The server's Content-Type, as sent.
    pub content_type: Option<String>,
    /// The address that served the bytes, with its port.
    pub peer: Option<String>,
}

impl From<&Sighting> for CaseSighting {
    fn from(sighting: &Sighting) -> Self {
        Self {
            media_url: sighting.media_url.clone(),
            page_url: sighting.page_url.clone(),
            page_title: sighting
                .page_title
                .as_ref()
                .map(|title| title.chars().take(TITLE_CHARS_MAX).collect()),
            captured_at: sighting.captured_at,
            last_seen: sighting.captured_at,
            times_seen: 1,
            sha256: sighting.sha256,
            bytes: sighting.bytes,
            content_type: sighting.content_type.clone(),
            peer: sighting.peer.clone(),
        }
    }
}

/// About how many bytes a part of a case takes in its record.
pub(super) fn json_bytes<T: Serialize>(part: &T) -> usize {
    serde_json::to_vec(part).map_or(usize::MAX, |json| json.len())
}

/// Something that happened to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Who did it: a person's name, or `earwitness` for the program itself.
    pub actor: String,
    /// What happened.
    pub event: Event,
    /// In words: a reason, a file name, a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An event that cannot happen to a case as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("case {case_id} is {state}, so it cannot be {}", event.as_str())]
pub struct MoveError {
    /// The case.
    pub case_id: String,
    /// Where it stands.
    pub state: State,
    /// What was tried.
    pub event: Event,
}

impl Case {
    /// Derives the identifier: the same finding has the same one on every machine.
    #[must_use]
    pub fn id_of(recording_id: &RecordingId, domain: &str, sha256: Digest) -> String {
        Self::id_of_upload(recording_id, domain, sha256, 1)
    }

    /// As [`Case::id_of`], of the file's first, second … time there: it comes again after it was gone.
    #[must_use]
    pub fn id_of_upload(recording_id: &RecordingId, domain: &str, sha256: Digest, upload: u32) -> String {
        let mut key = format!("{recording_id}\u{0}{}\u{0}{sha256}", domain.to_lowercase());
        if upload > 1 {
            key.push_str(&format!("\u{0}{upload}"));
        }
        let digest = Digest::of(key.as_bytes()).to_string();
        format!("C-{}", digest.get(..10).unwrap_or_default())
    }

    /// Moves the case by `event` and writes it into the history.
    ///
    /// # Errors
    /// [`MoveError`] when the event cannot happen in the case's state; the case is then unchanged.
    pub fn apply(
        &mut self,
        event: Event,
        at: Timestamp,
        actor: &str,
        note: Option<String>,
    ) -> Result<(), MoveError> {
        let Some(state) = self.state.after(event) else {
            return Err(MoveError { case_id: self.case_id.clone(), state: self.state, event });
        };
        self.state = state;
        match event {
            Event::Removed => self.gone_at = Some(at),
            // The provider may restore it: then it comes again, and is no new upload.
            Event::Countered => self.gone_at = None,
            _ => {}
        }
        self.log(event, at, actor, note);
        Ok(())
    }

    /// Writes an event into the history that does not move the case.
    pub(super) fn log(&mut self, event: Event, at: Timestamp, actor: &str, note: Option<String>) {
        let note = note.map(|note| note.chars().take(NOTE_CHARS_MAX).collect());
        self.history.push(HistoryEntry { at, actor: actor.to_owned(), event, note });
    }

    /// Returns since when the newest verdict is UNDETERMINED, where no person has approved the case after that; `None` where no
    /// new approval is asked for.
    #[must_use]
    pub fn doubted_since(&self) -> Option<Timestamp> {
        if self.verdict.decision != Decision::Undetermined {
            return None;
        }
        let doubt = Decision::Undetermined.as_str();
        let tells = |entry: &&HistoryEntry| match entry.event {
            Event::Approved | Event::Undetermined => true,
            Event::Verdict => entry.note.as_deref().is_some_and(|note| note.starts_with(doubt)),
            _ => false,
        };
        let last = self.history.iter().rev().find(tells)?;
        (last.event != Event::Approved).then_some(last.at)
    }

    /// Returns who asked for licence data, when and what, where neither a newer verdict nor a decision has come since.
    #[must_use]
    pub fn asked(&self) -> Option<&HistoryEntry> {
        use Event as E;
        let mut undone = 0;
        for entry in self.history.iter().rev() {
            match entry.event {
                E::Asked => return Some(entry),
                E::Undone => undone += 1,
                // What was taken back has settled nothing.
                E::Review | E::Approved | E::Dismissed if undone > 0 => undone -= 1,
                E::Queued | E::Undetermined | E::Verdict | E::Approved | E::Dismissed => return None,
                _ => {}
            }
        }
        None
    }

    /// Returns the base-10 logarithm of the chance that the file holds nothing of the recording: that of its
    /// surest match; `None` without any match.
    #[must_use]
    pub fn log10_false_match(&self) -> Option<f64> {
        self.matches.iter().map(|found| found.log10_false_match).min_by(f64::total_cmp)
    }

    /// Whether the newest verdict itself says UNLICENSED; otherwise a person's knowledge carries the claim.
    #[must_use]
    pub fn is_unlicensed_by_verdict(&self) -> bool {
        self.verdict.decision == Decision::Unlicensed
    }

    /// Returns when the file was last seen at any of its addresses.
    #[must_use]
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.sightings.iter().map(|sighting| sighting.last_seen).max()
    }
}

impl Record for Case {
    const KIND: &'static str = "case";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.case_id.clone()
    }
}
