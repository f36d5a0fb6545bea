//! A verified line → the span on which the recording is there.

use super::alteration::{Alteration, explain};
use super::line::Line;
use super::verify::{FITTED_TOLERANCES, Probe, QueryPeaks, Tally, fit, probe};
use crate::fingerprint::{PITCH_STEPS_PER_OCTAVE, Peak, TIME_STEPS_PER_S};

/// How far a span is extended at a time, at least; otherwise by its length.
const EXTENSION_MIN: f64 = 5.0 * TIME_STEPS_PER_S;

/// Follows a line to both sides until the recording is no longer there; gives the line fitted to all of it.
pub(super) fn extend(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: Line,
    window: (f64, f64),
    tally: &Tally,
    duration: f64,
) -> Option<(Line, (f64, f64))> {
    let share = tally.share();
    let mut line = line;
    let mut span = best_stretch(&probe(query, reference, &line, window), share, tally.chance)?;
    // Each round but the last grows the span, so the query's length bounds their number.
    let rounds = (2.0 * duration / EXTENSION_MIN) as usize + 4;
    for _ in 0..rounds {
        let extension = (span.1 - span.0).max(EXTENSION_MIN);
        let wider = ((span.0 - extension).max(0.0), (span.1 + extension).min(duration));
        let refined = fit(query, reference, line, span, FITTED_TOLERANCES);
        let next = best_stretch(&probe(query, reference, &refined, wider), share, tally.chance)?;
        let grown = next.0 < span.0 - 1.0 || next.1 > span.1 + 1.0;
        (line, span) = (refined, next);
        if !grown {
            break;
        }
    }
    Some((line, span))
}

/// The stretch of probes with the greatest log-likelihood ratio of "the recording is here" over "it is not".
fn best_stretch(probes: &[Probe], share: f64, chance: f64) -> Option<(f64, f64)> {
    let chance = chance.clamp(0.02, 0.9);
    // Parts of a span are worse than its mean; half of the mean still speaks for it.
    let present = (0.6 * share).max(1.5 * chance).min(0.95);
    let (gain, loss) = ((present / chance).ln(), ((1.0 - present) / (1.0 - chance)).ln());
    let (mut sum, mut start) = (0.0f64, 0usize);
    let mut best: Option<(f64, usize, usize)> = None;
    for (index, probe) in probes.iter().enumerate() {
        if sum <= 0.0 {
            (sum, start) = (0.0, index);
        }
        sum += if probe.found.is_some() { gain } else { loss };
        if best.is_none_or(|(most, ..)| sum > most) {
            best = Some((sum, start, index));
        }
    }
    best.map(|(_, first, last)| (probes[first].time, probes[last].time))
}

/// What the factors of a line mean.
pub(super) fn alteration_of(line: &Line) -> Alteration {
    explain(line.rate, (-line.shift / f64::from(PITCH_STEPS_PER_OCTAVE)).exp2())
}
