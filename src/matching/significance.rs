//! Tallies → the probability that chance does as well.

use super::verify::Tally;

/// No place is taken to be emptier than this: the least chance measured over long stretches of music.
const CHANCE_MIN: f64 = 0.02;
/// Peaks of music come in groups (chords, bars), so a tally carries less evidence than as many coin flips.
const EFFICIENCY: f64 = 0.5;
/// Places tried for each second of catalogue: 16 offsets × 40 rates × 20 shifts.
const PLACES_PER_S: f64 = 16.0 * 40.0 * 20.0;

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

/// The base-10 logarithm of the probability that audio holding nothing of the catalogue reaches `surprise` somewhere
/// in it.
pub(super) fn log10_false_match(surprise: f64, catalogue_s: f64) -> f64 {
    (catalogue_s.max(1.0) * PLACES_PER_S).log10() - EFFICIENCY * surprise
}
