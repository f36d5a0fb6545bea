//! The open segments of a manifest, as one.

use std::path::Path;
use std::sync::Arc;

use super::family::Family;
use super::format::{Error, damaged};
use super::manifest::Manifest;
use super::reader::Segment;
use super::set::Removed;
use crate::base::RecordingId;
use crate::fingerprint::Fingerprint;

/// A recording's number in an open [`Index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingIndex(pub u32);

/// One open segment with what is removed of it.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) segment: Arc<Segment>,
    /// Number of its first recording in the index.
    pub(super) base: u32,
    removed: Removed,
    /// The removed recordings as bits, empty where there is none.
    gone: Vec<u64>,
}

impl Part {
    #[inline]
    pub(super) fn is_gone(&self, local: u32) -> bool {
        self.gone.get(local as usize / 64).is_some_and(|word| word >> (local % 64) & 1 == 1)
    }
}

/// The open segments of a manifest, as one. It never changes: a change of the catalogue makes another, which shares
/// the segments that stay.
#[derive(Default, Clone)]
pub struct Index {
    parts: Vec<Part>,
    recordings: usize,
    steps: u64,
}

impl Index {
    /// Opens all segments of `manifest`, which lie in `folder`.
    ///
    /// # Errors
    /// [`Error`] naming the first segment that cannot be opened.
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<Self, Error> {
        Self::default().reopen(folder, manifest)
    }

    /// Opens the segments of another manifest, sharing those that are open already.
    ///
    /// # Errors
    /// [`Error`] naming the first segment that cannot be opened.
    pub fn reopen(&self, folder: &Path, manifest: &Manifest) -> Result<Self, Error> {
        let mut index = Self::default();
        let mut base = 0u32;
        for entry in &manifest.segments {
            let path = folder.join(&entry.file);
            let known = self.parts.iter().find(|part| part.segment.path() == path);
            let segment = match known {
                Some(part) => Arc::clone(&part.segment),
                None => Arc::new(Segment::open(&path)?),
            };
            let end = base.checked_add(segment.len() as u32);
            let end =
                end.ok_or_else(|| damaged(&path, "the index has more than 2³² recordings".to_owned()))?;
            let same = known.filter(|part| part.removed == entry.without);
            let gone = same.map_or_else(|| bits(&entry.without, segment.len()), |part| part.gone.clone());
            let live = segment.len().saturating_sub(gone.iter().map(|word| word.count_ones() as usize).sum());
            let lost: u64 =
                entry.without.iter().map(|local| u64::from(segment.duration(local as usize))).sum();
            index.recordings += live;
            index.steps += segment.steps().saturating_sub(lost);
            index.parts.push(Part { segment, base, removed: entry.without.clone(), gone });
            base = end;
        }
        Ok(index)
    }

    /// The same index as if some recordings were not in it; nothing is opened or written.
    #[must_use]
    pub fn without(&self, ids: &[RecordingId]) -> Self {
        let mut index = self.clone();
        for id in ids {
            let Some((at, local)) = index.find_in_part(id) else { continue };
            let part = &mut index.parts[at];
            part.removed.insert(local);
            part.gone = bits(&part.removed, part.segment.len());
            index.recordings -= 1;
            index.steps = index.steps.saturating_sub(u64::from(part.segment.duration(local as usize)));
        }
        index
    }

    /// Number of recordings, removed ones left out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recordings
    }

    /// Whether the index holds no recording.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The open segments, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.parts.iter().map(|part| &part.segment)
    }

    /// How many postings there are, those of removed recordings with them.
    #[must_use]
    pub fn postings(&self, family: Family) -> u64 {
        self.segments().map(|segment| segment.postings(family)).sum()
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Total length of all recordings in seconds, removed ones left out.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.steps as f64 / crate::fingerprint::TIME_STEPS_PER_S
    }

    /// Returns a recording's id.
    #[must_use]
    pub fn id(&self, recording: RecordingIndex) -> Option<RecordingId> {
        let (segment, local) = self.locate(recording)?;
        segment.id(local)
    }

    /// Reads a recording's fingerprint.
    #[must_use]
    pub fn fingerprint(&self, recording: RecordingIndex) -> Option<Fingerprint> {
        let (segment, local) = self.locate(recording)?;
        segment.fingerprint(local)
    }

    /// Finds a recording that is not removed.
    #[must_use]
    pub fn find(&self, id: &RecordingId) -> Option<RecordingIndex> {
        self.find_in_part(id).map(|(part, local)| RecordingIndex(self.parts[part].base + local))
    }

    /// Finds a recording that is not removed: which segment, and its number there. The youngest segment is asked first.
    #[must_use]
    pub fn find_in_part(&self, id: &RecordingId) -> Option<(usize, u32)> {
        let held = |(at, part): (usize, &Part)| {
            let local = part.segment.find(id)? as u32;
            (!part.is_gone(local)).then_some((at, local))
        };
        self.parts.iter().enumerate().rev().find_map(held)
    }

    /// The ids of all recordings that are not removed, in the order of the segments.
    pub fn ids(&self) -> impl Iterator<Item = RecordingId> {
        let live = |part: &'_ Part| {
            let part = part.clone();
            (0..part.segment.len()).filter_map(move |local| {
                if part.is_gone(local as u32) { None } else { part.segment.id(local) }
            })
        };
        self.parts.iter().flat_map(live)
    }

    fn locate(&self, recording: RecordingIndex) -> Option<(&Segment, usize)> {
        let at = self.parts.partition_point(|part| part.base <= recording.0).checked_sub(1)?;
        let part = &self.parts[at];
        Some((&part.segment, (recording.0 - part.base) as usize))
    }
}

/// The removed recordings of a segment with so many recordings as bits; nothing for none.
fn bits(removed: &Removed, recordings: usize) -> Vec<u64> {
    if removed.is_empty() {
        return Vec::new();
    }
    let mut bits = vec![0u64; recordings.div_ceil(64)];
    for local in removed.iter().filter(|&local| (local as usize) < recordings) {
        bits[local as usize / 64] |= 1 << (local % 64);
    }
    bits
}
