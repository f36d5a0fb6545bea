//! Which segments, less which recordings, are the catalogue's index right now.

use serde::{Deserialize, Serialize};

use crate::base::RecordingId;

/// One segment of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// The file's name in the index's folder.
    pub file: String,
    /// How many recordings it holds, removed ones included.
    pub recordings: u32,
    /// Recordings in it that are no longer of the catalogue, or are newer in a later segment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<RecordingId>,
}

/// The segments that make up the index. Whoever keeps it replaces it whole, in the same step as the catalogue's
/// records, so that both are always of one state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Grows by one with every change; part of the names of new segments.
    pub generation: u64,
    /// The segments, oldest first.
    pub segments: Vec<SegmentEntry>,
}

impl Manifest {
    /// Marks `recording` as removed in the segments that hold it.
    pub fn remove(&mut self, recording: &RecordingId, holds: impl Fn(&SegmentEntry) -> bool) {
        for entry in self.segments.iter_mut().filter(|entry| holds(entry)) {
            if !entry.removed.contains(recording) {
                entry.removed.push(recording.clone());
            }
        }
    }

    /// Number of recordings in the index.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.segments.iter().map(|entry| u64::from(entry.recordings) - entry.removed.len() as u64).sum()
    }
}
