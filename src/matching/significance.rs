//! Tallies → the probability that chance does as well.

use super::alteration::Alteration;
use super::verify::Tally;

/// No place is taken to be emptier than this: the least chance measured over long stretches of music.
const CHANCE_MIN: f64 = 0.02;
/// Decades of probability for each unit of surprise. Peaks of music come in groups (chords, bars), so a tally carries
/// less evidence than as many coin flips.
const DECADES_PER_SURPRISE: f64 = 0.5;
/// What the query's own peaks, looked for in the recording, add: half, for they are partly the same peaks.
const BACKWARD_WEIGHT: f64 = 0.5;
/// Independent offsets in a second of catalogue.
const OFFSETS_PER_S: f64 = 16.0;
/// Decades that nothing, one, or two free factors of alteration cost, over the number of offsets. Set from the
/// strangers of the development corpus (`docs/engine.md`): pieces that share instruments and tempo grids agree
/// best at some odd tempo and pitch, hardly ever as they are.
const ALTERATION_DECADES: [f64; 3] = [-5.4, -2.0, 3.8];

/// Chernoff's bound on the tail of a binomial, as −log10: how unlikely `tally` is at its measured chance.
pub(super) fn surprise(tally: &Tally) -> f64 {
    if tally.tested == 0 {
        return 0.0;
    }
    let share = tally.found as f64 / tally.tested as f64;
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

/// The base-10 logarithm of the probability that audio holding nothing of the catalogue reaches `surprise` somewhere
/// in it, with an alteration as simple as this one.
pub(super) fn log10_false_match(surprise: f64, alteration: &Alteration, catalogue_s: f64) -> f64 {
    let places = (catalogue_s.max(1.0) * OFFSETS_PER_S).log10();
    let freedom = ALTERATION_DECADES[alteration.free_factors().min(2) as usize];
    places + freedom - DECADES_PER_SURPRISE * surprise
}
