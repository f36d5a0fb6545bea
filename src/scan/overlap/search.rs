//! Fingerprints of the catalogue, looked for in the index without themselves.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::library::{Error, Library};
use super::{Overlap, OverlapKind};
use crate::base::{ChannelView, RecordingId};
use crate::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S};
use crate::index::{Index, Manifest, SegmentEntry, write_segment};
use crate::matching::{Match, MatchOptions, find_matches};

/// How thoroughly is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Ten seconds of every thirty, and the whole recording where they hold anything of another: a third of the cost,
    /// and a passage is missed that lies between two samples.
    Sampled,
    /// All of every recording.
    Whole,
}

/// Length of a sample, and the distance from one to the next, in steps of time.
const SAMPLE: u32 = (10.0 * TIME_STEPS_PER_S) as u32;
const SAMPLE_EVERY: u32 = (30.0 * TIME_STEPS_PER_S) as u32;
/// A span that holds this share of a recording holds it all: fades and silence at both ends have no peaks.
const WHOLE_SHARE: f64 = 0.9;

/// The name of the one segment of a group's own index.
const GROUP_FILE: &str = "group.seg";

/// Takes a recording's overlaps; gives whether to go on.
type OnRecording<'a> = &'a mut dyn FnMut(&RecordingId, Vec<Overlap>) -> Result<bool, Error>;

/// Looks for each of `ids` in the index without all of them, and among the others of them.
pub(super) fn group(
    library: &Library,
    ids: &[RecordingId],
    depth: Depth,
    options: &MatchOptions,
    on_recording: OnRecording<'_>,
) -> Result<(), Error> {
    let recordings: Vec<(RecordingId, Fingerprint)> =
        ids.iter().filter_map(|id| Some((id.clone(), library.fingerprint(id)?))).collect();
    let others = library.index().without(ids);
    // What shares audio shares it unaltered, or the whole recording is looked for: no need of a deep search.
    let options = &MatchOptions { deep_s: 0.0, ..*options };
    let own = GroupIndex::new(&recordings)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // As many at a time as there are threads: what was found is told soon, and kept if the process is stopped.
    for round in recordings.chunks(threads) {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..round.len() {
                scope.spawn(|| {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let found = one(&round[at], &others, &own, depth, options);
                    if let Ok(mut results) = results.lock() {
                        results.push((at, found));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        results.sort_by_key(|(at, _)| *at);
        for (at, found) in results {
            let overlaps = overlaps(library, &round[at], found?);
            if !on_recording(&round[at].0, overlaps)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Looks for one recording in both indexes.
fn one(
    (id, fingerprint): &(RecordingId, Fingerprint),
    others: &Index,
    own: &GroupIndex,
    depth: Depth,
    options: &MatchOptions,
) -> Result<Vec<Match>, Error> {
    let mut found = look(fingerprint, others, depth, options);
    let (index, decades) = own.without(id, others);
    let mut stricter = *options;
    stricter.log10_false_match_max -= decades;
    found.extend(look(fingerprint, &index, depth, &stricter));
    Ok(found)
}

fn look(fingerprint: &Fingerprint, index: &Index, depth: Depth, options: &MatchOptions) -> Vec<Match> {
    let find = |query: &Fingerprint| find_matches(query, ChannelView::Mid, index, options).matches;
    if index.is_empty() {
        return Vec::new();
    }
    let worth_it = depth == Depth::Whole || samples(fingerprint).any(|sample| !find(&sample).is_empty());
    if worth_it { find(fingerprint) } else { Vec::new() }
}

/// Every third ten seconds of a fingerprint, the last ten included.
fn samples(fingerprint: &Fingerprint) -> impl Iterator<Item = Fingerprint> {
    let last = fingerprint.duration.saturating_sub(SAMPLE);
    let starts = (0..last).step_by(SAMPLE_EVERY as usize).chain([last]);
    starts.map(|start| {
        let from = fingerprint.peaks.partition_point(|peak| peak.time < start);
        let to = fingerprint.peaks.partition_point(|peak| peak.time < start.saturating_add(SAMPLE));
        let peaks = &fingerprint.peaks[from..to];
        let peaks = peaks.iter().map(|peak| Peak { time: peak.time - start, ..*peak }).collect();
        Fingerprint { duration: SAMPLE.min(fingerprint.duration), peaks }
    })
}

/// An index of a group alone, in a folder that goes with it.
struct GroupIndex {
    index: Index,
    /// Holds the segment that `index` has mapped.
    _folder: tempfile::TempDir,
}

impl GroupIndex {
    fn new(recordings: &[(RecordingId, Fingerprint)]) -> Result<Self, Error> {
        let folder =
            tempfile::tempdir().map_err(|source| Error::Folder { path: std::env::temp_dir(), source })?;
        write_segment(&folder.path().join(GROUP_FILE), recordings)?;
        let entry = SegmentEntry::new(GROUP_FILE.to_owned(), recordings.len() as u32);
        let index = Index::open(folder.path(), &Manifest { generation: 1, segments: vec![entry] })?;
        Ok(Self { index, _folder: folder })
    }

    /// The group less one, and by how many decades its matches must be surer, since significance is told against an
    /// index that is smaller than the catalogue.
    fn without(&self, id: &RecordingId, others: &Index) -> (Index, f64) {
        let index = self.index.without(std::slice::from_ref(id));
        let (own_s, others_s) = (index.duration_s().max(1.0), others.duration_s());
        let decades = ((own_s + others_s) / own_s).log10();
        (index, decades)
    }
}

/// Matches as overlaps, with their kind.
fn overlaps(
    library: &Library,
    (id, fingerprint): &(RecordingId, Fingerprint),
    found: Vec<Match>,
) -> Vec<Overlap> {
    let duration_s = fingerprint.duration_s();
    let overlap = |one: Match| {
        let other_s = library.fingerprint(&one.recording_id)?.duration_s();
        Some(Overlap {
            kind: kind(&one, duration_s, other_s),
            recording_id: id.clone(),
            with: one.recording_id,
            number: 0,
            start_s: one.query_start_s,
            end_s: one.query_end_s,
            with_start_s: one.reference_start_s,
            with_end_s: one.reference_end_s,
            speed: one.speed,
            tempo: one.tempo,
            pitch_semitones: one.pitch_semitones,
            log10_false_match: one.log10_false_match,
        })
    };
    found.into_iter().filter(|one| one.recording_id != *id).filter_map(overlap).collect()
}

fn kind(one: &Match, duration_s: f64, other_s: f64) -> OverlapKind {
    let whole = one.query_end_s - one.query_start_s >= WHOLE_SHARE * duration_s;
    let other_whole = one.reference_end_s - one.reference_start_s >= WHOLE_SHARE * other_s;
    match (whole, other_whole) {
        (true, true) => OverlapKind::Duplicate,
        (false, false) => OverlapKind::Shared,
        _ => OverlapKind::Contained,
    }
}
