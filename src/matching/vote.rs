//! Hits → candidates: cells of (recording, rate, shift, offset) in which hits agree, the likeliest first.

use std::collections::HashMap;

use super::line::Line;
use super::lookup::Hit;
use crate::fingerprint::PITCH_STEPS_PER_OCTAVE;
use crate::index::RecordingIndex;

/// Size of a cell in natural logarithm of rate (4 %) …
const RATE_CELL: f32 = 0.04;
/// … in steps of pitch (three quarters of a semitone) …
const SHIFT_CELL: f32 = 24.0;
/// … and in steps of time (0.37 s).
const OFFSET_CELL: f32 = 128.0;
/// Candidates that a window hands on to verification, which costs some ten microseconds each.
const CANDIDATES_MAX: usize = 300;
/// Slots of the counters that tell which cells can hold enough hits: a power of two.
const SLOTS_LOG2: u32 = 20;
/// From this many roots on their least squares are better than their medians.
const ROOTS_FOR_LINE: usize = 4;

/// What was done to the recording, by what a hit or a cell can tell. The simpler it is the more often it is met, and the
/// fewer are the cells in which chance could put a hit: so fewer votes will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Neither time nor pitch was changed.
    AsItIs,
    /// Speed, tempo or pitch alone was changed.
    OneFactor,
    /// Tempo and pitch were changed.
    TwoFactors,
}

impl Kind {
    fn of(ln_rate: f32, shift: f32) -> Self {
        let octave = f32::from(PITCH_STEPS_PER_OCTAVE);
        let (same_time, same_pitch) = (ln_rate.abs() < 0.05, shift.abs() < 14.0);
        let speed_alone = (ln_rate + shift / octave * std::f32::consts::LN_2).abs() < 0.06;
        match (same_time, same_pitch) {
            (true, true) => Self::AsItIs,
            (false, false) if !speed_alone => Self::TwoFactors,
            _ => Self::OneFactor,
        }
    }

    /// Roots of the query that a cell needs.
    fn roots_min(self) -> usize {
        match self {
            Self::AsItIs => 1,
            Self::OneFactor => 2,
            Self::TwoFactors => 3,
        }
    }

    /// What its simplicity is worth in votes.
    fn bonus(self) -> usize {
        3 - self.roots_min()
    }
}

/// A cell with many votes.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) recording: RecordingIndex,
    pub(super) line: Line,
    /// Number of different roots of the query that voted, and what the simplicity of the alteration adds.
    pub(super) votes: usize,
}

/// Returns the best candidates of hits whose query times lie around `middle` (steps).
pub(super) fn candidates(hits: &[Hit], middle: f32) -> Vec<Candidate> {
    let mut found = Vec::new();
    let halves: Vec<Halves> = hits.iter().map(|hit| Halves::of(hit, middle)).collect();
    let mut cells: Vec<u64> = Vec::with_capacity(hits.len());
    let mut counts = vec![0u8; 1 << SLOTS_LOG2];
    let mut crowded: Vec<(u64, u32)> = Vec::new();
    // Eight grids, shifted by half a cell in each dimension: no cluster is cut by all of them.
    for grid in 0..8 {
        cells.clear();
        cells.extend(halves.iter().map(|halves| halves.cell(grid)));
        counts.fill(0);
        for &cell in &cells {
            let count = &mut counts[slot(cell)];
            *count = count.saturating_add(1);
        }
        crowded.clear();
        for (index, (&cell, hit)) in cells.iter().zip(hits).enumerate() {
            if usize::from(counts[slot(cell)]) >= Kind::of(hit.ln_rate, hit.shift).roots_min() {
                crowded.push((cell, index as u32));
            }
        }
        crowded.sort_unstable();
        found.extend(crowded.chunk_by(|a, b| a.0 == b.0).filter_map(|group| candidate(hits, group)));
    }
    best_distinct(found, middle)
}

fn slot(cell: u64) -> usize {
    (cell.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SLOTS_LOG2)) as usize
}

/// Where a hit lies, in half cells.
struct Halves {
    recording: u32,
    offset: u32,
    rate: u16,
    shift: u16,
}

impl Halves {
    fn of(hit: &Hit, middle: f32) -> Self {
        let offset = hit.reference_time - hit.rate * (hit.query_time - middle);
        let number = |value: f32, size: f32, bias: f32| ((value / size + bias) * 2.0) as u32;
        Self {
            recording: hit.recording.0,
            offset: number(offset, OFFSET_CELL, 1024.0),
            rate: number(hit.ln_rate, RATE_CELL, 32.0) as u16,
            shift: number(hit.shift, SHIFT_CELL, 32.0) as u16,
        }
    }

    /// Recording 28 bits, offset 24, rate 6, shift 6; each bit of `grid` shifts one dimension by half a cell.
    fn cell(&self, grid: u32) -> u64 {
        let whole = |halves: u32, bit: u32| u64::from((halves + (grid >> bit & 1)) >> 1);
        let rate = whole(u32::from(self.rate), 0) & 0x3f;
        let shift = whole(u32::from(self.shift), 1) & 0x3f;
        let offset = whole(self.offset, 2) & 0xff_ffff;
        u64::from(self.recording) << 36 | offset << 12 | rate << 6 | shift
    }
}

/// The line that the hits of a cell agree on, if they are enough for what it says.
fn candidate(hits: &[Hit], group: &[(u64, u32)]) -> Option<Candidate> {
    let members = || group.iter().map(|&(_, index)| &hits[index as usize]);
    let mut roots: Vec<u32> = members().map(|hit| hit.query_time as u32).collect();
    roots.sort_unstable();
    roots.dedup();
    let median = |of: fn(&Hit) -> f32| {
        let mut values: Vec<f32> = members().map(of).collect();
        values.sort_unstable_by(f32::total_cmp);
        f64::from(values[values.len() / 2])
    };
    let (ln_rate, shift) = (median(|hit| hit.ln_rate), median(|hit| hit.shift));
    let kind = Kind::of(ln_rate as f32, shift as f32);
    if roots.len() < kind.roots_min() {
        return None;
    }
    let (query_time, reference_time) = (median(|hit| hit.query_time), median(|hit| hit.reference_time));
    let mut line = match kind {
        Kind::AsItIs => Line { rate: 1.0, offset: reference_time - query_time, shift: 0.0 },
        _ => Line { rate: ln_rate.exp(), offset: reference_time - ln_rate.exp() * query_time, shift },
    };
    if kind != Kind::AsItIs && roots.len() >= ROOTS_FOR_LINE {
        let pairs: Vec<(f64, f64)> =
            members().map(|hit| (f64::from(hit.query_time), f64::from(hit.reference_time))).collect();
        line = line.through(&pairs, 0.06);
    }
    Some(Candidate { recording: members().next()?.recording, line, votes: roots.len() + kind.bonus() })
}

/// The candidates with the most votes, each place of the catalogue once.
fn best_distinct(mut found: Vec<Candidate>, middle: f32) -> Vec<Candidate> {
    found.sort_unstable_by(|a, b| {
        b.votes.cmp(&a.votes).then(a.recording.cmp(&b.recording)).then(a.line.cmp(&b.line))
    });
    let mut kept: Vec<Candidate> = Vec::new();
    let mut of_recording: HashMap<RecordingIndex, Vec<usize>> = HashMap::new();
    for candidate in found {
        let known = of_recording.entry(candidate.recording).or_default();
        if !known.iter().any(|&at| kept[at].line.is_near(&candidate.line, f64::from(middle))) {
            known.push(kept.len());
            kept.push(candidate);
        }
        if kept.len() == CANDIDATES_MAX {
            break;
        }
    }
    kept
}
