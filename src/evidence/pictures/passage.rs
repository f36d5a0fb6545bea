//! Which passage of a match is shown.

use super::Comparison;
use crate::fingerprint::{Peak, TIME_STEPS_PER_S};

/// The longest passage, in seconds of the suspect file: longer ones leave no room between the notes.
const PASSAGE_S: f64 = 20.0;

/// A stretch of the suspect file with the stretch of the recording that it holds, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Passage {
    pub(super) suspect: (f64, f64),
    pub(super) reference: (f64, f64),
}

/// An instant of a match as the arithmetic of places can take it.
pub(super) fn sound(seconds: f64) -> f64 {
    if seconds.is_finite() { seconds.clamp(0.0, 1e7) } else { 0.0 }
}

/// A peak's time in seconds.
pub(super) fn seconds(peak: &Peak) -> f64 {
    f64::from(peak.time) / TIME_STEPS_PER_S
}

/// Seconds of the recording in a second of the suspect file; 1 where the figures make no sense.
pub(super) fn rate(comparison: &Comparison<'_>) -> f64 {
    let found = comparison.found;
    let rate = (found.reference_end_s - found.reference_start_s) / (found.query_end_s - found.query_start_s);
    if rate.is_finite() && (0.05..=20.0).contains(&rate) { rate } else { 1.0 }
}

/// The passage of the match with the most peaks in common; the whole where it is short.
pub(super) fn richest(comparison: &Comparison<'_>) -> Passage {
    let found = comparison.found;
    let from = sound(found.query_start_s);
    let to = sound(found.query_end_s).max(from);
    let start = if to - from <= PASSAGE_S { from } else { richest_start(comparison.pairs, from, to) };
    let end = to.min(start + PASSAGE_S);
    let rate = rate(comparison);
    let there = |at: f64| sound(found.reference_start_s) + (at - from) * rate;
    Passage { suspect: (start, end), reference: (there(start), there(end)) }
}

/// Where a window of [`PASSAGE_S`] within the match holds the most pairs; the first of equal ones.
fn richest_start(pairs: &[(Peak, Peak)], from: f64, to: f64) -> f64 {
    let mut times: Vec<f64> = pairs.iter().map(|(own, _)| seconds(own)).collect();
    times.sort_by(f64::total_cmp);
    let mut best = (0, from);
    for (index, &time) in times.iter().enumerate() {
        let start = time.clamp(from, to - PASSAGE_S);
        let end = times.partition_point(|&other| other <= start + PASSAGE_S);
        let count = end.saturating_sub(index);
        if count > best.0 {
            best = (count, start);
        }
    }
    best.1
}
