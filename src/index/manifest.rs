//! Which segments, less which recordings, are the catalogue's index right now.

use serde::{Deserialize, Serialize};

use super::set::Removed;

/// One segment of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// The file's name in the index's folder.
    pub file: String,
    /// How many recordings it holds, removed ones included.
    pub recordings: u32,
    /// Recordings in it that are no longer of the catalogue, or are newer in a later segment.
    #[serde(default, skip_serializing_if = "Removed::is_empty")]
    pub without: Removed,
}

impl SegmentEntry {
    /// An entry for a segment of which nothing is removed.
    #[must_use]
    pub fn new(file: String, recordings: u32) -> Self {
        Self { file, recordings, without: Removed::default() }
    }

    /// Number of recordings that are not removed.
    #[must_use]
    pub fn live(&self) -> u64 {
        u64::from(self.recordings).saturating_sub(self.without.len() as u64)
    }
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
    /// Number of recordings in the index.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.segments.iter().map(SegmentEntry::live).sum()
    }
}
