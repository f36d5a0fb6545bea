//! Hits → candidates: cells of (recording, rate, shift, offset) in which hits agree, the likeliest first.

use std::collections::HashMap;

use super::line::Line;
use super::lookup::Hit;
use crate::index::{Reach, RecordingIndex};

/// Size of a cell in natural logarithm of rate (4 %) …
const RATE_CELL: f32 = 0.04;
/// … in steps of pitch (three quarters of a semitone) …
const SHIFT_CELL: f32 = 24.0;
/// … and in steps of time (0.37 s).
const OFFSET_CELL: f32 = 128.0;
/// The most slots of the counters that tell which cells can hold enough hits, as a power of two …
const SLOTS_LOG2_MAX: u32 = 20;
/// … and how many there are for each hit.
const SLOTS_PER_HIT: usize = 4;
/// From this many roots on their least squares are better than their medians.
const ROOTS_FOR_LINE: usize = 4;

/// Roots of the query that a cell needs: the simpler the alteration that it speaks of, the more often that is met, and
/// the fewer are the cells in which chance could put a hit.
fn roots_min(kind: Reach) -> usize {
    match kind {
        Reach::AsItIs => 1,
        Reach::OneFactor => 2,
        Reach::TwoFactors => 3,
    }
}

/// The most roots that any needs.
const ROOTS_MIN_MAX: usize = 3;

/// What the simplicity of an alteration is worth in votes.
fn bonus(kind: Reach) -> usize {
    ROOTS_MIN_MAX - roots_min(kind)
}

fn kind_of(ln_rate: f32, shift: f32) -> Reach {
    Reach::of(ln_rate, shift).unwrap_or(Reach::TwoFactors)
}

/// A cell with many votes.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) recording: RecordingIndex,
    pub(super) line: Line,
    /// Number of different roots of the query that voted, and what the simplicity of the alteration adds.
    pub(super) votes: usize,
}

/// Counts votes, and keeps its memory from one window to the next.
#[derive(Default)]
pub(super) struct Voter {
    halves: Vec<Halves>,
    counts: Vec<u8>,
    near: Vec<Near>,
    crowded: Vec<(u64, Near)>,
}

/// A hit that may be in a cell with enough others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Near {
    /// Which hit.
    at: u32,
    /// The roots that its cell needs, by what this hit says of the alteration.
    roots_min: u32,
}

impl Voter {
    /// Returns the `most` best candidates, with at least `votes_min` votes, of hits whose query times lie around `middle`
    /// (steps).
    pub(super) fn candidates(
        &mut self,
        hits: &[Hit],
        middle: f32,
        votes_min: usize,
        most: usize,
    ) -> Vec<Candidate> {
        let mut found = Vec::new();
        self.halves.clear();
        self.halves.extend(hits.iter().map(|hit| Halves::of(hit, middle)));
        let slots_log2 = (hits.len() * SLOTS_PER_HIT).max(2).ilog2().min(SLOTS_LOG2_MAX);
        // Two times four grids, shifted by half a cell in each dimension: no cluster is cut by all of them.
        for moved in 0..2 {
            self.count(hits, slots_log2, moved);
            for grid in 0..4 {
                self.crowded.clear();
                let cell = |near: &Near| self.halves[near.at as usize].cell(grid | moved << 2);
                self.crowded.extend(self.near.iter().map(|near| (cell(near), *near)));
                self.crowded.sort_unstable();
                // Most cells hold one hit: they are seen to be too few before memory is searched for it.
                let enough = |group: &&[(u64, Near)]| {
                    group.iter().any(|(_, near)| group.len() >= near.roots_min as usize)
                };
                let groups = self.crowded.chunk_by(|a, b| a.0 == b.0).filter(enough);
                let groups = groups.filter_map(|group| candidate(hits, group));
                found.extend(groups.filter(|candidate| candidate.votes >= votes_min));
            }
        }
        best_distinct(found, middle, most)
    }

    /// Finds the hits that have enough others near them in time, whatever their rates and shifts: nothing else can be in a
    /// cell with enough hits.
    fn count(&mut self, hits: &[Hit], slots_log2: u32, moved: u32) {
        let slot = |place: u64| (place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - slots_log2)) as usize;
        self.counts.clear();
        self.counts.resize(1 << slots_log2, 0);
        for halves in &self.halves {
            let count = &mut self.counts[slot(halves.place(moved))];
            *count = count.saturating_add(1);
        }
        self.near.clear();
        for (at, (halves, hit)) in self.halves.iter().zip(hits).enumerate() {
            let count = usize::from(self.counts[slot(halves.place(moved))]);
            let roots_min = roots_min(kind_of(hit.ln_rate, hit.shift));
            if count >= roots_min {
                self.near.push(Near { at: at as u32, roots_min: roots_min as u32 });
            }
        }
    }
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

    /// Recording and offset; `moved` (0 or 1) shifts the offset by half a cell.
    fn place(&self, moved: u32) -> u64 {
        u64::from(self.recording) << 32 | u64::from((self.offset + moved) >> 1)
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
fn candidate(hits: &[Hit], group: &[(u64, Near)]) -> Option<Candidate> {
    let members = || group.iter().map(|(_, near)| &hits[near.at as usize]);
    let mut roots: Vec<u32> = members().map(|hit| hit.query_time as u32).collect();
    roots.sort_unstable();
    roots.dedup();
    let median = |of: fn(&Hit) -> f32| {
        let mut values: Vec<f32> = members().map(of).collect();
        values.sort_unstable_by(f32::total_cmp);
        f64::from(values[values.len() / 2])
    };
    let (ln_rate, shift) = (median(|hit| hit.ln_rate), median(|hit| hit.shift));
    let kind = kind_of(ln_rate as f32, shift as f32);
    if roots.len() < roots_min(kind) {
        return None;
    }
    let (query_time, reference_time) = (median(|hit| hit.query_time), median(|hit| hit.reference_time));
    let mut line = match kind {
        Reach::AsItIs => Line { rate: 1.0, offset: reference_time - query_time, shift: 0.0 },
        _ => Line { rate: ln_rate.exp(), offset: reference_time - ln_rate.exp() * query_time, shift },
    };
    if kind != Reach::AsItIs && roots.len() >= ROOTS_FOR_LINE {
        let pairs: Vec<(f64, f64)> =
            members().map(|hit| (f64::from(hit.query_time), f64::from(hit.reference_time))).collect();
        line = line.through(&pairs, 0.06);
    }
    Some(Candidate { recording: members().next()?.recording, line, votes: roots.len() + bonus(kind) })
}

/// The candidates with the most votes, each place of the catalogue once.
fn best_distinct(mut found: Vec<Candidate>, middle: f32, most: usize) -> Vec<Candidate> {
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
        if kept.len() == most {
            break;
        }
    }
    kept
}
