//! Tallies → the probability that chance does as well. The constants were fitted on strangers only; how well they hold
//! on others is measured in `docs/engine.md`.

use super::alteration::Alteration;
use super::verify::Tally;
use crate::fingerprint::TIME_STEPS_PER_S;

/// Nothing is taken to share less than this with a recording. What tells most between strangers is not chance but
/// kinship: pieces of one album, with the same instruments in the same key and tempo, share up to a fifth of their
/// peaks along one line, however long. Where this floor was lower, their surprise grew with their length.
const CHANCE_MIN: f64 = 0.14;
/// What the query's own peaks, looked for in the recording, add: half, for they are partly the same peaks.
const BACKWARD_WEIGHT: f64 = 0.5;
/// Surprise that each factor of alteration costs: the more alterations are tried, the better the best stranger.
const SURPRISE_PER_FACTOR: f64 = 1.0;
/// Decades of probability for each unit of surprise. Peaks of music come in groups (chords, bars), so a tally
/// carries less evidence than as many coin flips …
const DECADES_PER_SURPRISE: f64 = 0.42;
/// … and the decades at no surprise, for each second of query and of catalogue.
const DECADES_AT_NOTHING: f64 = -6.67;
/// The shortest query that counts as such, in seconds: a shorter one has no fewer chances.
const QUERY_MIN_S: f64 = 5.0;

/// Chernoff's bound on the tail of a binomial, as −log10: how unlikely `tally` is at its measured chance.
pub(super) fn surprise(tally: &Tally) -> f64 {
    if tally.tested == 0 {
        return 0.0;
    }
    let share = tally.share();
    let chance = tally.chance.clamp(CHANCE_MIN, 0.99);
    if share <= chance {
        return 0.0;
    }
    let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    let divergence = part(share, chance) + part(1.0 - share, 1.0 - chance);
    tally.tested as f64 * divergence / std::f64::consts::LN_10
}

/// What both ways say together.
pub(super) fn joint_surprise(forward: &Tally, backward: &Tally) -> f64 {
    surprise(forward) + BACKWARD_WEIGHT * surprise(backward)
}

/// The base-10 logarithm of the probability that a query of `query_steps`, holding nothing of the catalogue, reaches
/// `surprise` somewhere in it, with an alteration as simple as this one. At most 0.
pub(super) fn log10_false_match(
    surprise: f64,
    alteration: &Alteration,
    query_steps: f64,
    catalogue_s: f64,
) -> f64 {
    let query_s = (query_steps / TIME_STEPS_PER_S).max(QUERY_MIN_S);
    let chances = (query_s * catalogue_s.max(1.0)).log10();
    let telling = surprise - SURPRISE_PER_FACTOR * f64::from(alteration.free_factors());
    (DECADES_AT_NOTHING + chances - DECADES_PER_SURPRISE * telling).min(0.0)
}
