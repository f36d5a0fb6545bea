//! Which passage of a match is shown.

use super::Comparison;
use crate::fingerprint::{Peak, TIME_STEPS_PER_S};
use crate::matching::Match;

/// The longest passage, in seconds of the suspect file: longer ones leave no room between the notes.
const PASSAGE_S: f64 = 20.0;
/// The shortest length that can be asked for, in seconds: less shows no music.
const PASSAGE_S_MIN: f64 = 1.0;

/// A stretch of the suspect file with the stretch of the recording that it holds, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passage {
    /// Where it begins and ends in the suspect file.
    pub suspect: (f64, f64),
    /// Where it begins and ends in the recording.
    pub reference: (f64, f64),
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
    rate_of(comparison.found)
}

fn rate_of(found: &Match) -> f64 {
    let rate = (found.reference_end_s - found.reference_start_s) / (found.query_end_s - found.query_start_s);
    if rate.is_finite() && (0.05..=20.0).contains(&rate) { rate } else { 1.0 }
}

/// Returns the passage of a match with the most peaks in common (`pairs`, the suspect's first), at most `longest_s` seconds of
/// either side, and never more than 20 of the suspect; the whole match where it is short. Figures that make no sense give a
/// passage all the same.
#[must_use]
pub fn richest(found: &Match, pairs: &[(Peak, Peak)], longest_s: f64) -> Passage {
    let (from, rate) = (sound(found.query_start_s), rate_of(found));
    let to = sound(found.query_end_s).max(from);
    let longest_s = if longest_s.is_nan() { PASSAGE_S } else { longest_s / rate.max(1.0) };
    let longest_s = longest_s.clamp(PASSAGE_S_MIN, PASSAGE_S);
    let start = if to - from <= longest_s { from } else { richest_start(pairs, (from, to), longest_s) };
    let end = to.min(start + longest_s);
    let there = |at: f64| sound(found.reference_start_s) + (at - from) * rate;
    Passage { suspect: (start, end), reference: (there(start), there(end)) }
}

/// Where a window of `longest_s` within the match holds the most pairs; the first of equal ones.
fn richest_start(pairs: &[(Peak, Peak)], (from, to): (f64, f64), longest_s: f64) -> f64 {
    let mut times: Vec<f64> = pairs.iter().map(|(own, _)| seconds(own)).collect();
    times.sort_by(f64::total_cmp);
    let mut best = (0, from);
    for (index, &time) in times.iter().enumerate() {
        let start = time.clamp(from, (to - longest_s).max(from));
        let end = times.partition_point(|&other| other <= start + longest_s);
        let count = end.saturating_sub(index);
        if count > best.0 {
            best = (count, start);
        }
    }
    best.1
}
