//! The folder's music: which tracks there are, which are the same, and which are held out as strangers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use earwitness::base::{ChannelView, RecordingId};
use earwitness::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S};
use earwitness::index;
use earwitness::matching::Match;

use crate::engine::{self, Engine};
use crate::parallel::{Progress, map};
use crate::rng::Rng;

/// A file of the folder.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) path: PathBuf,
    /// By which the index and the report know it: its path in the folder, or a number where that is too long.
    pub(crate) id: RecordingId,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) duration_s: f64,
}

/// What the run works with.
pub(crate) struct Corpus {
    pub(crate) tracks: Vec<Track>,
    /// Indices into `tracks`.
    pub(crate) catalogue: Vec<usize>,
    pub(crate) strangers: Vec<usize>,
    /// Files without audio, by name and reason.
    pub(crate) unread: Vec<String>,
    /// Tracks left out as copies of another, and how many groups they formed.
    pub(crate) copies: usize,
    pub(crate) groups: usize,
}

/// Folders below the given one are searched so deep.
const DEPTH_MAX: usize = 20;
/// A track shorter than this gives no excerpt.
pub(crate) const TRACK_S_MIN: f64 = 5.0;
/// Where of a track it is compared with the others, as shares of its length: an album's copy may lack an intro, but
/// not three of five places.
const PROBES_AT: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
const PROBE_S: f64 = 10.0;
/// How many of the places must agree.
const PROBES_AGREE: usize = 3;

/// Reads a folder: fingerprints its files, puts copies aside, draws the strangers.
pub(crate) fn read(
    folder: &Path,
    tracks_max: usize,
    strangers_share: f64,
    seed: u64,
    threads: usize,
) -> anyhow::Result<Corpus> {
    let mut files = Vec::new();
    walk(folder, &mut files, 0);
    files.sort();
    Rng::new(seed, "tracks", 0).shuffle(&mut files);
    let (mut tracks, mut unread) = (Vec::new(), Vec::new());
    let progress = Progress::new(files.len().min(tracks_max), "fingerprinting");
    // In rounds, so that files that are no audio do not count against the limit.
    let mut files = files.into_iter();
    while tracks.len() < tracks_max {
        let round: Vec<PathBuf> = files.by_ref().take(tracks_max - tracks.len()).collect();
        if round.is_empty() {
            break;
        }
        let read = map(&round, threads, &progress, |path| read_track(folder, path));
        for (path, result) in round.iter().zip(read) {
            match result {
                Ok(track) => tracks.push(track),
                Err(error) => unread.push(format!("{}: {error}", path.display())),
            }
        }
    }
    progress.finish();
    tracks.sort_by(|a, b| a.path.cmp(&b.path));
    split(tracks, unread, strangers_share, seed, threads)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && depth < DEPTH_MAX {
            walk(&path, files, depth + 1);
        } else if path.is_file() {
            files.push(path);
        }
    }
}

fn read_track(folder: &Path, path: &Path) -> Result<Track, String> {
    let analysis = engine::analyse_file(path)?;
    let duration_s = analysis.info.duration_s;
    if duration_s < TRACK_S_MIN {
        return Err(format!("only {duration_s:.1} s long"));
    }
    let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let id = RecordingId::new(&name.replace(char::is_control, "?")).or_else(|_| {
        let tail: String = name.chars().rev().take(30).collect();
        RecordingId::new(&tail.chars().rev().collect::<String>())
    });
    let mid = analysis.fingerprints.into_iter().find(|(view, _)| *view == ChannelView::Mid);
    let fingerprint =
        mid.map(|(_, fingerprint)| fingerprint.for_reference()).filter(|one| !one.peaks.is_empty());
    Ok(Track {
        path: path.to_owned(),
        id: id.map_err(|error| error.to_string())?,
        fingerprint: fingerprint.ok_or("nothing but silence")?,
        duration_s,
    })
}

/// Puts copies aside and draws the strangers from what is left.
fn split(
    tracks: Vec<Track>,
    unread: Vec<String>,
    strangers_share: f64,
    seed: u64,
    threads: usize,
) -> anyhow::Result<Corpus> {
    let group = copies(&tracks, threads)?;
    let mut own: Vec<usize> = (0..tracks.len()).filter(|&track| group[track] == track).collect();
    let copies = tracks.len() - own.len();
    let mut heads: Vec<usize> =
        (0..tracks.len()).filter(|&track| group[track] != track).map(|at| group[at]).collect();
    heads.sort_unstable();
    heads.dedup();
    Rng::new(seed, "strangers", 0).shuffle(&mut own);
    let count = ((own.len() as f64 * strangers_share).round() as usize).min(own.len().saturating_sub(1));
    let catalogue = own.split_off(count);
    Ok(Corpus { tracks, catalogue, strangers: own, unread, copies, groups: heads.len() })
}

/// The first track of the group that each belongs to; tracks whose audio is the same form a group.
pub(crate) fn copies(tracks: &[Track], threads: usize) -> anyhow::Result<Vec<usize>> {
    let recordings: Vec<_> =
        tracks.iter().map(|track| (track.id.clone(), track.fingerprint.clone())).collect();
    let engine = Engine::new(&recordings)?;
    let progress = Progress::new(tracks.len(), "looking for copies");
    let alike = map(tracks, threads, &progress, |track| alike(track, &engine));
    progress.finish();
    let mut group: Vec<usize> = (0..tracks.len()).collect();
    for (at, ids) in alike.into_iter().enumerate() {
        for other in ids?.iter().filter_map(|id| tracks.iter().position(|track| track.id == *id)) {
            let (a, b) = (group[at], group[other]);
            group.iter_mut().filter(|head| **head == a || **head == b).for_each(|head| *head = a.min(b));
        }
    }
    Ok(group)
}

/// Tracks that hold most of this one unaltered.
fn alike(track: &Track, engine: &Engine) -> Result<Vec<RecordingId>, index::Error> {
    let start_s =
        |at: f64| (at * track.duration_s - PROBE_S / 2.0).clamp(0.0, (track.duration_s - PROBE_S).max(0.0));
    let probes = PROBES_AT.map(|at| slice(&track.fingerprint, start_s(at), PROBE_S));
    let mut votes: Vec<(RecordingId, usize)> = Vec::new();
    for matches in engine.others(&track.id, &probes) {
        let unaltered = matches.into_iter().filter(is_unaltered);
        let ids: BTreeSet<RecordingId> = unaltered.map(|one| one.recording_id).collect();
        for id in ids {
            match votes.iter_mut().find(|(other, _)| *other == id) {
                Some((_, count)) => *count += 1,
                None => votes.push((id, 1)),
            }
        }
    }
    Ok(votes.into_iter().filter(|(_, count)| *count >= PROBES_AGREE).map(|(id, _)| id).collect())
}

fn is_unaltered(one: &Match) -> bool {
    (one.speed * one.tempo - 1.0).abs() < 0.01 && one.pitch_semitones.abs() < 0.3
}

/// A stretch of a fingerprint, as if it were a query.
fn slice(fingerprint: &Fingerprint, start_s: f64, length_s: f64) -> Fingerprint {
    let steps = |seconds: f64| (seconds * TIME_STEPS_PER_S) as u32;
    let (start, length) = (steps(start_s), steps(length_s));
    let inside = fingerprint.peaks.iter().filter(|peak| (start..start + length).contains(&peak.time));
    let peaks = inside.map(|peak| Peak { time: peak.time - start, ..*peak }).collect();
    Fingerprint { duration: length.min(fingerprint.duration.saturating_sub(start)), peaks }
}
