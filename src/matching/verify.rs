//! Candidates → verified spans: the recording's salient peaks are projected into the query and looked for there.

use super::grid::{Grid, Profile, TIME_CELL};
use super::line::Line;
use super::significance::{Outcome, surprise};
use crate::fingerprint::{BINS, PITCH_STEPS_PER_BIN, Peak, TIME_STEPS_PER_S};

/// How near a found peak must be in the end, in steps of time (29 ms) …
pub(super) const TIME_TOLERANCE: f64 = 10.0;
/// … and of pitch (a quarter of a semitone).
pub(super) const PITCH_TOLERANCE: f64 = 8.0;
/// Tolerances of the successive fits of a candidate, as multiples of the last …
pub(super) const CANDIDATE_TOLERANCES: &[f64] = &[4.0, 2.0, 1.5, 1.0];
/// … and of a line that fits a part of its span already.
pub(super) const FITTED_TOLERANCES: &[f64] = &[1.5, 1.0];
/// Wrong offsets that are tried on each side, the first, and the distance from one to the next, in cells of the grid
/// (0.12 s, 46 ms): to 2.8 s, which holds a bar of most music, in steps that miss no beat by more than the tolerance.
const WRONG_OFFSETS: i64 = 60;
const WRONG_OFFSET_FIRST: i64 = 10;
const WRONG_OFFSET_STEP: i64 = 4;
/// An offset at which fewer peaks than this can be tested says nothing.
const WRONG_TESTED_MIN: usize = 5;
/// Of the shares found at the wrong offsets, this one from the top …
const HIGH_RANK: usize = 4;
/// … speaks, times this, for what coincides on the beat: with rhythm alone two pieces of one tempo agree at
/// every beat, so that the true place must be better than the best of the wrong ones, not than their mean.
const HIGH_WEIGHT: f64 = 0.7;
/// Factors by which a candidate's rate is tried, and how many on each side: a few votes tell it to 2 %.
const RATE_STEP: f64 = 0.005;
const RATE_STEPS: i32 = 4;
/// Steps of pitch by which a candidate's shift is tried.
const SHIFT_STEPS: [f64; 3] = [0.0, -8.0, 8.0];
/// What of the recording is looked at beyond a span, for the wrong offsets, in steps of time.
const BEYOND: f64 = 3.2 * TIME_STEPS_PER_S;

/// One peak of the recording, where it should be in the query, and whether it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    /// Query time at which it is expected, in steps.
    pub(super) time: f64,
    /// Index of the query's peak that was found, if any.
    pub(super) found: Option<usize>,
}

/// How many peaks of a span were looked for and found, and how much that tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tally {
    pub(super) tested: usize,
    pub(super) found: usize,
    /// Share that is found at wrong places.
    pub(super) chance: f64,
    /// See [`surprise`].
    pub(super) surprise: f64,
}

impl Tally {
    /// Share of the tested peaks that was found, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.found as f64 / self.tested.max(1) as f64
    }
}

/// The query's peaks, searchable by time.
pub(super) struct QueryPeaks<'a> {
    pub(super) peaks: &'a [Peak],
    /// Peaks that a better match has explained already.
    pub(super) used: Vec<bool>,
}

impl<'a> QueryPeaks<'a> {
    pub(super) fn new(peaks: &'a [Peak]) -> Self {
        Self { peaks, used: vec![false; peaks.len()] }
    }

    /// The unused peak nearest in time within the tolerances (steps).
    pub(super) fn nearest(
        &self,
        time: f64,
        pitch: f64,
        time_tolerance: f64,
        pitch_tolerance: f64,
    ) -> Option<usize> {
        let first = self.peaks.partition_point(|peak| f64::from(peak.time) < time - time_tolerance);
        let mut best: Option<(f64, usize)> = None;
        for (index, peak) in self.peaks.iter().enumerate().skip(first) {
            let distance = (f64::from(peak.time) - time).abs();
            if f64::from(peak.time) > time + time_tolerance {
                break;
            }
            let off_pitch = (f64::from(peak.pitch) - pitch).abs();
            if off_pitch <= pitch_tolerance && !self.used[index] {
                let cost = distance / time_tolerance + off_pitch / pitch_tolerance;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, index));
                }
            }
        }
        best.map(|(_, index)| index)
    }
}

/// The recording's salient peaks that `line` projects into the span (query steps) and into the query's band.
pub(super) fn projected<'r>(
    reference: &'r [Peak],
    line: &Line,
    span: (f64, f64),
) -> impl Iterator<Item = (f64, f64, &'r Peak)> {
    projected_all(reference, line, span).filter(|(.., peak)| peak.salient)
}

/// The same of all its peaks.
fn projected_all<'r>(
    reference: &'r [Peak],
    line: &Line,
    span: (f64, f64),
) -> impl Iterator<Item = (f64, f64, &'r Peak)> {
    let (from, to) = (line.reference(span.0), line.reference(span.1));
    let first = reference.partition_point(|peak| f64::from(peak.time) < from);
    let top = f64::from(BINS as u16 * PITCH_STEPS_PER_BIN);
    let line = *line;
    reference[first..]
        .iter()
        .take_while(move |peak| f64::from(peak.time) <= to)
        .map(move |peak| (line.query(f64::from(peak.time)), f64::from(peak.pitch) - line.shift, peak))
        .filter(move |&(_, pitch, _)| (0.0..top).contains(&pitch))
}

/// Looks for every projected peak.
pub(super) fn probe(query: &QueryPeaks<'_>, reference: &[Peak], line: &Line, span: (f64, f64)) -> Vec<Probe> {
    projected(reference, line, span)
        .map(|(time, pitch, _)| Probe {
            time,
            found: query.nearest(time, pitch, TIME_TOLERANCE, PITCH_TOLERANCE),
        })
        .collect()
}

/// The query's peaks that a match explains.
pub(super) fn explained(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: &Line,
    span: (f64, f64),
) -> Vec<usize> {
    projected_all(reference, line, span)
        .filter_map(|(time, pitch, _)| query.nearest(time, pitch, TIME_TOLERANCE, PITCH_TOLERANCE))
        .collect()
}

/// Fits the line to the peaks found, with shrinking tolerance.
pub(super) fn fit(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: Line,
    span: (f64, f64),
    tolerances: &[f64],
) -> Line {
    let mut line = line;
    for factor in tolerances {
        let mut pairs = Vec::new();
        let mut shift = 0.0;
        for (time, pitch, peak) in projected(reference, &line, span) {
            if let Some(index) = query.nearest(time, pitch, factor * TIME_TOLERANCE, factor * PITCH_TOLERANCE)
            {
                let found = &query.peaks[index];
                pairs.push((f64::from(found.time), f64::from(peak.time)));
                shift += f64::from(peak.pitch) - f64::from(found.pitch);
            }
        }
        if pairs.len() < 4 {
            return line;
        }
        line.shift = shift / pairs.len() as f64;
        line = line.through(&pairs, 0.02);
    }
    line
}

/// Which places of the query lie within tolerance of an unused peak.
pub(super) fn grid_of(query: &QueryPeaks<'_>, duration: f64) -> Grid {
    let unused = query.peaks.iter().zip(&query.used).filter(|(_, used)| !**used);
    grid_of_peaks(unused.map(|(peak, _)| peak), duration)
}

/// Which places of the query lie within tolerance of a peak.
pub(super) fn grid_of_peaks<'p>(peaks: impl Iterator<Item = &'p Peak>, duration: f64) -> Grid {
    Grid::new(peaks, (0.0, duration), (TIME_TOLERANCE, PITCH_TOLERANCE))
}

/// Finds the rate, offset and shift near a candidate's at which most of the recording's peaks are found.
pub(super) fn refine(grid: &Grid, reference: &[Peak], line: &Line, span: (f64, f64)) -> Line {
    let middle = f64::midpoint(span.0, span.1);
    let at = line.reference(middle);
    let mut best = (0, *line);
    let mut steps: Vec<i32> = (-RATE_STEPS..=RATE_STEPS).collect();
    steps.sort_by_key(|step| step.abs()); // of equal counts the one nearest to the candidate is taken
    for step in steps {
        let rate = line.rate * (1.0 + f64::from(step) * RATE_STEP);
        let tried = Line { rate, offset: at - rate * middle, shift: line.shift };
        let mut profiles = [const { Profile::<1>::new() }; SHIFT_STEPS.len()];
        for (time, pitch, _) in projected(reference, &tried, span) {
            for (profile, shift) in profiles.iter_mut().zip(SHIFT_STEPS) {
                profile.add(grid.around((time, pitch - shift)));
            }
        }
        for (profile, shift) in profiles.iter().zip(SHIFT_STEPS) {
            let (count, offset) = profile.best();
            if count > best.0 {
                let moved = rate * offset as f64 * TIME_CELL;
                best = (count, Line { rate, offset: tried.offset - moved, shift: tried.shift + shift });
            }
        }
    }
    best.1
}

/// The wrong offsets, as bits of what [`Grid::around`] gives.
const WRONG: [u64; 8] = {
    let mut words = [0; 8];
    let mut n = 0;
    while n < WRONG_OFFSETS {
        let offset = WRONG_OFFSET_FIRST + n * WRONG_OFFSET_STEP;
        let (after, before) = ((256 + offset) as usize, (256 - offset) as usize);
        words[after / 64] |= 1 << (after % 64);
        words[before / 64] |= 1 << (before % 64);
        n += 1;
    }
    words
};

/// How often a place is found at those wrong offsets that leave it within the span: what chance finds in its pitch.
fn chance_of_place(around: &[u64; 8], time: f64, span: (f64, f64)) -> f64 {
    let bit = |edge: f64| (256.0 + (edge - time) / TIME_CELL).clamp(0.0, 512.0);
    let (first, end) = (bit(span.0).ceil() as usize, (bit(span.1).floor() as usize + 1).min(512));
    let (mut tried, mut found) = (0, 0);
    for (word, (wrong, around)) in WRONG.iter().zip(around).enumerate() {
        let from = first.saturating_sub(64 * word).min(64) as u32;
        let left_out = (64 * (word + 1)).saturating_sub(end).min(64) as u32;
        let within = u64::MAX.checked_shl(from).unwrap_or(0) & u64::MAX.checked_shr(left_out).unwrap_or(0);
        tried += (wrong & within).count_ones();
        found += (wrong & within & around).count_ones();
    }
    (f64::from(found) + 0.5) / (f64::from(tried) + 2.0)
}

/// Counts the peaks found in a span, and how many chance finds: the mean over many wrong offsets or, where that is
/// more, most of what the best of them find. Places at which `explained` has a peak are left out: what another recording
/// put there tells nothing of this one.
pub(super) fn tally(
    grid: &Grid,
    explained: Option<&Grid>,
    reference: &[Peak],
    line: &Line,
    span: (f64, f64),
) -> Tally {
    let places = projected(reference, line, span).map(|(time, pitch, _)| (time, pitch));
    let places: Vec<(f64, f64)> =
        places.filter(|&place| !explained.is_some_and(|explained| explained.has(place))).collect();
    let mut profile = Profile::<8>::new();
    let mut outcomes = Vec::with_capacity(places.len());
    for &place in &places {
        let around = grid.around(place);
        profile.add(around);
        outcomes.push(Outcome { found: around[4] & 1 == 1, chance: chance_of_place(&around, place.0, span) });
    }
    let chance = chance_of_all(&profile, &places, span);
    let found = outcomes.iter().filter(|one| one.found).count();
    Tally { tested: places.len(), found, chance, surprise: surprise(&outcomes, chance) }
}

/// The share of places that is found at wrong offsets.
fn chance_of_all(profile: &Profile<8>, places: &[(f64, f64)], span: (f64, f64)) -> f64 {
    let (mut tested, mut found) = (0, 0);
    let mut shares = Vec::with_capacity(2 * WRONG_OFFSETS as usize);
    for offset in (0..WRONG_OFFSETS).map(|n| WRONG_OFFSET_FIRST + n * WRONG_OFFSET_STEP) {
        for offset in [offset, -offset] {
            let moved = offset as f64 * TIME_CELL;
            let before = places.partition_point(|place| place.0 + moved < span.0);
            let within = places.partition_point(|place| place.0 + moved <= span.1).saturating_sub(before);
            let marked = (profile.count(offset) as usize).min(within);
            tested += within;
            found += marked;
            if within >= WRONG_TESTED_MIN {
                shares.push(marked as f64 / within as f64);
            }
        }
    }
    shares.sort_unstable_by(|a, b| b.total_cmp(a));
    let high = shares.get(HIGH_RANK - 1).copied().unwrap_or(1.0);
    // One more found and two more tested: a chance of nothing is never certain.
    let mean = (found as f64 + 1.0) / (tested as f64 + 2.0);
    mean.max(HIGH_WEIGHT * high)
}

/// Counts the other way: the query's salient peaks, looked for among all of the recording's. Where the copy is
/// clean both ways agree; what only shares a rhythm leaves most of the query unexplained.
pub(super) fn backward_tally(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: &Line,
    span: (f64, f64),
) -> Tally {
    let before = query.peaks.partition_point(|peak| f64::from(peak.time) < span.0);
    let peaks = query.peaks.iter().zip(&query.used).skip(before);
    let peaks = peaks.take_while(|(peak, _)| f64::from(peak.time) <= span.1);
    let unused: Vec<Peak> = peaks.filter(|(_, used)| !**used).map(|(peak, _)| *peak).collect();
    let (first, last) = (line.reference(span.0), line.reference(span.1));
    let from = (first - BEYOND).max(0.0);
    let around = reference.partition_point(|peak| f64::from(peak.time) < from)
        ..reference.partition_point(|peak| f64::from(peak.time) <= last + BEYOND);
    let around = reference.get(around).unwrap_or_default();
    let duration = last + BEYOND - from;
    let grid = Grid::new(around.iter(), (from, duration), (TIME_TOLERANCE, PITCH_TOLERANCE));
    let back = Line { offset: line.offset - from, ..*line }.inverse();
    tally(&grid, None, &unused, &back, (first - from, last - from))
}
