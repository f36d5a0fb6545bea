//! An overlap as it is kept.

use serde::{Deserialize, Serialize};

use crate::base::RecordingId;
use crate::store::{self, Batch, Record, Store};

/// Between the parts of a key: a recording_id holds no control character.
const SEPARATOR: char = '\u{1f}';

/// How much two recordings share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverlapKind {
    /// Nearly all of both.
    Duplicate,
    /// Nearly all of the shorter one.
    Contained,
    /// A passage.
    Shared,
}

impl OverlapKind {
    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Contained => "contained",
            Self::Shared => "shared",
        }
    }
}

/// A span of one recording that is a span of another. Kept once for each side, as that side sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// The recording.
    pub recording_id: RecordingId,
    /// The other one.
    pub with: RecordingId,
    /// Tells the spans of one pair apart, from 0.
    pub number: u32,
    /// How much they share.
    pub kind: OverlapKind,
    /// From here, in seconds of the recording, …
    pub start_s: f64,
    /// … to here; and the same …
    pub end_s: f64,
    /// … from here, in seconds of the other, …
    pub with_start_s: f64,
    /// … to here.
    pub with_end_s: f64,
    /// Speed of the recording over the other's; as in [`crate::matching::Match`].
    pub speed: f64,
    /// Likewise tempo.
    pub tempo: f64,
    /// Likewise pitch, in semitones.
    pub pitch_semitones: f64,
    /// How sure it is; as in [`crate::matching::Match`].
    pub log10_false_match: f64,
}

impl Overlap {
    /// The same, as the other recording sees it.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self {
            recording_id: self.with.clone(),
            with: self.recording_id.clone(),
            start_s: self.with_start_s,
            end_s: self.with_end_s,
            with_start_s: self.start_s,
            with_end_s: self.end_s,
            speed: self.speed.recip(),
            tempo: self.tempo.recip(),
            pitch_semitones: -self.pitch_semitones,
            ..self.clone()
        }
    }
}

impl Record for Overlap {
    const KIND: &'static str = "overlap";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        format!("{}{}{SEPARATOR}{:03}", prefix(&self.recording_id), self.with, self.number)
    }
}

/// What the keys of a recording's overlaps begin with.
pub(super) fn prefix(id: &RecordingId) -> String {
    format!("{id}{SEPARATOR}")
}

/// Adds to `batch` that what is known of a recording is forgotten, on both sides, but for what `is_kept` keeps.
pub(in crate::scan) fn forget(
    store: &Store,
    batch: &mut Batch,
    id: &RecordingId,
    is_kept: impl Fn(&Overlap) -> bool,
) -> Result<(), store::Error> {
    for old in store.scan::<Overlap>(&prefix(id))? {
        let old = old?;
        if !is_kept(&old) {
            batch.delete::<Overlap>(&old.key());
            batch.delete::<Overlap>(&old.turned().key());
        }
    }
    Ok(())
}
