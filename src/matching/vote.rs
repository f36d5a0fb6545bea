//! Hits → candidates: cells of (recording, rate, shift, offset) in which many hits agree.

use super::line::Line;
use super::lookup::Hit;
use crate::index::RecordingIndex;

/// Size of a cell in natural logarithm of rate (4 %) …
const RATE_CELL: f32 = 0.04;
/// … in steps of pitch (three quarters of a semitone) …
const SHIFT_CELL: f32 = 24.0;
/// … and in steps of time (0.37 s).
const OFFSET_CELL: f32 = 128.0;
/// Candidates that a window hands on to verification.
const CANDIDATES_MAX: usize = 100;
/// A cell needs hits of this many different roots of the query.
const ROOTS_MIN: usize = 3;

/// A cell with many votes.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) recording: RecordingIndex,
    pub(super) line: Line,
    /// Number of different roots of the query that voted.
    pub(super) votes: usize,
}

/// Returns the best candidates of hits whose query times lie around `middle` (steps).
pub(super) fn candidates(hits: &[Hit], middle: f32) -> Vec<Candidate> {
    let mut found = Vec::new();
    // Eight grids, shifted by half a cell in each dimension: no cluster is cut by all of them.
    let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(hits.len());
    for grid in 0..8u32 {
        let moved = |bit: u32| (grid >> bit & 1) as f32 * 0.5;
        keyed.clear();
        keyed.extend(hits.iter().enumerate().map(|(index, hit)| (cell(hit, middle, &moved), index as u32)));
        keyed.sort_unstable();
        for group in keyed.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() >= ROOTS_MIN) {
            found.extend(candidate(hits, group));
        }
    }
    best_distinct(found, middle)
}

fn cell(hit: &Hit, middle: f32, moved: &impl Fn(u32) -> f32) -> u64 {
    let offset = hit.reference_time - hit.ln_rate.exp() * (hit.query_time - middle);
    let number =
        |value: f32, size: f32, bit: u32, bias: f32| (value / size + moved(bit) + bias).floor() as u64;
    let rate = number(hit.ln_rate, RATE_CELL, 0, 32.0) & 0x3f;
    let shift = number(hit.shift, SHIFT_CELL, 1, 32.0) & 0x3f;
    let offset = number(offset, OFFSET_CELL, 2, 1024.0) & 0xff_ffff;
    u64::from(hit.recording.0) << 36 | offset << 12 | rate << 6 | shift
}

fn candidate(hits: &[Hit], group: &[(u64, u32)]) -> Option<Candidate> {
    let members = || group.iter().map(|&(_, index)| &hits[index as usize]);
    let mut roots: Vec<u32> = members().map(|hit| hit.query_time as u32).collect();
    roots.sort_unstable();
    roots.dedup();
    if roots.len() < ROOTS_MIN {
        return None;
    }
    let median = |of: fn(&Hit) -> f32| {
        let mut values: Vec<f32> = members().map(of).collect();
        values.sort_unstable_by(f32::total_cmp);
        f64::from(values[values.len() / 2])
    };
    let (query_time, reference_time) = (median(|hit| hit.query_time), median(|hit| hit.reference_time));
    let rate = median(|hit| hit.ln_rate).exp();
    let pairs: Vec<(f64, f64)> =
        members().map(|hit| (f64::from(hit.query_time), f64::from(hit.reference_time))).collect();
    let rough = Line { rate, offset: reference_time - rate * query_time, shift: median(|hit| hit.shift) };
    let line = rough.through(&pairs, 0.06);
    Some(Candidate { recording: members().next()?.recording, line, votes: roots.len() })
}

/// The candidates with the most votes, each place of the catalogue once.
fn best_distinct(mut found: Vec<Candidate>, middle: f32) -> Vec<Candidate> {
    found.sort_by(|a, b| b.votes.cmp(&a.votes).then(a.recording.cmp(&b.recording)).then(a.line.cmp(&b.line)));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in found {
        let known = |other: &Candidate| {
            other.recording == candidate.recording && other.line.is_near(&candidate.line, f64::from(middle))
        };
        if !kept.iter().any(known) {
            kept.push(candidate);
        }
        if kept.len() == CANDIDATES_MAX {
            break;
        }
    }
    kept
}
