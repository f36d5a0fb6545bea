//! Which peaks a match rests on, one by one: for pictures and for whoever wants to check by hand.

use super::line::Line;
use super::types::Match;
use super::verify::{FITTED_TOLERANCES, PITCH_TOLERANCE, QueryPeaks, TIME_TOLERANCE, fit, projected};
use crate::fingerprint::{Fingerprint, PITCH_STEPS_PER_OCTAVE, Peak, TIME_STEPS_PER_S};

/// Factors of time outside of which a match says nothing that could be looked for.
const RATES: std::ops::RangeInclusive<f64> = 0.1..=10.0;

/// Returns the salient peaks of the recording that were found in the query, each with the query's peak, in order of the
/// recording's time. Both fingerprints must be those that were matched; of others, few or none come. The number comes near
/// to [`Match::matched_peaks`]: here a peak of the query answers for one of the recording alone.
#[must_use]
pub fn matched_pairs(query: &Fingerprint, reference: &Fingerprint, found: &Match) -> Vec<(Peak, Peak)> {
    let Some((line, span)) = line_of(found) else { return Vec::new() };
    let mut peaks = QueryPeaks::new(&query.peaks);
    let line = fit(&peaks, &reference.peaks, line, span, FITTED_TOLERANCES);
    let mut pairs = Vec::new();
    for (time, pitch, peak) in projected(&reference.peaks, &line, span) {
        let Some(index) = peaks.nearest(time, pitch, TIME_TOLERANCE, PITCH_TOLERANCE) else { continue };
        if let (Some(own), Some(used)) = (query.peaks.get(index), peaks.used.get_mut(index)) {
            *used = true;
            pairs.push((*own, *peak));
        }
    }
    pairs
}

/// The map that a match tells, and its span in steps of the query; `None` where its figures make none.
fn line_of(found: &Match) -> Option<(Line, (f64, f64))> {
    let span = (found.query_start_s * TIME_STEPS_PER_S, found.query_end_s * TIME_STEPS_PER_S);
    let (from, to) = (found.reference_start_s * TIME_STEPS_PER_S, found.reference_end_s * TIME_STEPS_PER_S);
    let rate = (to - from) / (span.1 - span.0);
    let frequency = found.speed * (found.pitch_semitones / 12.0).exp2();
    let shift = -f64::from(PITCH_STEPS_PER_OCTAVE) * frequency.log2();
    let line = Line { rate, offset: from - rate * span.0, shift };
    let is_sound = RATES.contains(&rate) && line.offset.is_finite() && shift.is_finite() && span.0 < span.1;
    is_sound.then_some((line, span))
}
