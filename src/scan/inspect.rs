//! The index of an open store, looked at without changing anything: its figures, and what is wrong with it.

use std::collections::HashSet;

use serde::Serialize;

use super::library::{Error, current_manifest, index_folder};
use crate::base::RecordingId;
use crate::catalog::Recording;
use crate::index::{Segment, SegmentEntry};
use crate::store::Store;

/// How many recordings are named where many share one problem.
const NAMED_MAX: usize = 5;

/// Figures of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IndexStats {
    /// Segment files.
    pub segments: u64,
    /// Recordings that can be found.
    pub recordings: u64,
    /// Bytes of the segment files.
    pub bytes: u64,
}

/// What a check of an index found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IndexReport {
    /// Segment files looked at.
    pub segments: u64,
    /// Fingerprints in those that can be read.
    pub fingerprints: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<String>,
}

/// Returns the figures of a store's index; files that are missing count nothing.
///
/// # Errors
/// [`Error`] when the store cannot be read.
pub fn stats(store: &Store) -> Result<IndexStats, Error> {
    let manifest = current_manifest(store)?;
    let folder = index_folder(store);
    let size =
        |entry: &SegmentEntry| std::fs::metadata(folder.join(&entry.file)).map_or(0, |file| file.len());
    Ok(IndexStats {
        segments: manifest.segments.len() as u64,
        recordings: manifest.live(),
        bytes: manifest.segments.iter().map(size).sum(),
    })
}

/// Checks the checksums of all segment files, and that index and catalogue hold the same recordings.
///
/// # Errors
/// [`Error`] when the store cannot be read.
pub fn check(store: &Store) -> Result<IndexReport, Error> {
    let manifest = current_manifest(store)?;
    let folder = index_folder(store);
    let mut report = IndexReport::default();
    let mut indexed: HashSet<RecordingId> = HashSet::new();
    for entry in &manifest.segments {
        report.segments += 1;
        let opened = Segment::open(&folder.join(&entry.file));
        match opened.and_then(|segment| segment.verify().map(|()| segment)) {
            Ok(segment) => take_segment(entry, &segment, &mut indexed, &mut report),
            Err(error) => report.problems.push(error.to_string()),
        }
    }
    report.fingerprints = indexed.len() as u64;
    compare_with_catalogue(store, indexed, &mut report)?;
    Ok(report)
}

fn take_segment(
    entry: &SegmentEntry,
    segment: &Segment,
    indexed: &mut HashSet<RecordingId>,
    report: &mut IndexReport,
) {
    if segment.len() != entry.recordings as usize {
        let (is, wanted) = (segment.len(), entry.recordings);
        report.problems.push(format!("index segment {} holds {is} recordings, not {wanted}", entry.file));
    }
    let live = (0..segment.len()).filter(|&local| !entry.without.contains(local as u32));
    for id in live.filter_map(|local| segment.id(local)) {
        if !indexed.insert(id.clone()) {
            report.problems.push(format!("recording `{id}` is in the index twice"));
        }
    }
}

fn compare_with_catalogue(
    store: &Store,
    mut indexed: HashSet<RecordingId>,
    report: &mut IndexReport,
) -> Result<(), Error> {
    let mut missing = Vec::new();
    for recording in store.scan::<Recording>("")? {
        let recording = recording?;
        if !indexed.remove(&recording.recording_id) && recording.audio.is_some() {
            missing.push(recording.recording_id);
        }
    }
    if !missing.is_empty() {
        let advice = "add their audio again with `earwitness catalog add`, or import a backup";
        report.problems.push(format!("audio without a fingerprint: {}; {advice}", named(missing)));
    }
    if !indexed.is_empty() {
        let unknown = named(indexed.into_iter().collect());
        report.problems.push(format!("fingerprints without a recording in the catalogue: {unknown}"));
    }
    Ok(())
}

/// A few of the recordings by name, and how many more there are.
fn named(mut ids: Vec<RecordingId>) -> String {
    ids.sort();
    let names: Vec<String> = ids.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
    match ids.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
