//! Tallies → the probability that chance does as well. The constants were fitted on strangers only; how well they hold
//! on others is measured in `docs/engine.md`.

use super::alteration::Alteration;
use super::verify::Tally;
use crate::fingerprint::TIME_STEPS_PER_S;

/// Nothing is taken to share less than this with a recording. What tells most between strangers is not chance but
/// kinship: pieces of one album, with the same instruments in the same key and tempo, share up to a fifth of their
/// peaks along one line, however long. Where this floor was lower, their surprise grew with their length.
const CHANCE_MIN: f64 = 0.16;
/// How much of a peak's chance is that of its own pitch, where a drone or a key's notes are found anywhere and others
/// nowhere; the rest is that of all peaks.
const OWN_CHANCE: f64 = 0.6;
/// No peak is taken to be found less or more often than this by chance.
const OWN_CHANCE_RANGE: (f64, f64) = (0.01, 0.95);
/// What the query's own peaks, looked for in the recording, add: half, for they are partly the same peaks.
const BACKWARD_WEIGHT: f64 = 0.5;
/// The shortest query that counts as such, in seconds: a shorter one has no fewer chances, for it is searched as deeply.
const QUERY_MIN_S: f64 = 10.0;

/// The decades of probability at no surprise for each second of query and of catalogue, and those that a unit of
/// surprise takes away. Peaks of music come in groups (chords, bars), so that a unit carries less than a decade.
struct Null {
    at_nothing: f64,
    per_unit: f64,
}

/// By the factors of alteration, none, one or two: the more of them may be chosen, the better the best stranger. Half a
/// decade above the lines through pieces of strangers that were altered as peaks, since real alterations of their audio
/// reach further by as much.
const NULLS: [Null; 3] = [
    Null { at_nothing: -6.37, per_unit: 0.45 },
    Null { at_nothing: -5.57, per_unit: 0.43 },
    Null { at_nothing: -4.92, per_unit: 0.45 },
];

/// What is added where time is altered apart from pitch. A theme that comes in two pieces of one soundtrack is in one key and
/// at two tempos: nine of the ten surest matches of 13,506 pieces of strangers were such, and without this they came a
/// decade more often than the lines say.
const TEMPO_DECADES: f64 = 1.0;

/// Whether one peak was found, and how often chance finds one of its pitch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    pub(super) found: bool,
    pub(super) chance: f64,
}

/// The decimal logarithm of how much likelier the outcomes are if the recording is there, when each of its peaks is
/// found as often as all of them were, than if only what has the same instruments, key and beat is, when each is found
/// as `chance` (of all) and its own pitch say. A peak of a pitch that is hardly ever met tells much, one of a drone
/// nothing. At least 0.
pub(super) fn surprise(outcomes: &[Outcome], chance: f64) -> f64 {
    let count = outcomes.len().max(1) as f64;
    let share = (outcomes.iter().filter(|one| one.found).count() as f64 / count).clamp(0.02, 0.98);
    let chance = chance.max(CHANCE_MIN);
    if share <= chance {
        return 0.0;
    }
    let mean = outcomes.iter().map(|one| one.chance).sum::<f64>() / count;
    let evidence = outcomes.iter().map(|one| {
        let by_chance = chance * (1.0 - OWN_CHANCE + OWN_CHANCE * one.chance / mean);
        let by_chance = by_chance.clamp(OWN_CHANCE_RANGE.0, OWN_CHANCE_RANGE.1);
        let if_there = share.max(by_chance);
        if one.found { (if_there / by_chance).ln() } else { ((1.0 - if_there) / (1.0 - by_chance)).ln() }
    });
    (evidence.sum::<f64>() / std::f64::consts::LN_10).max(0.0)
}

/// What both ways say together, and the length: there are more short spans for chance to choose from than long ones.
pub(super) fn joint_surprise(forward: &Tally, backward: &Tally) -> f64 {
    forward.surprise + BACKWARD_WEIGHT * backward.surprise + (forward.tested.max(1) as f64).ln()
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
    let null = &NULLS[(alteration.free_factors() as usize).min(NULLS.len() - 1)];
    let kinship = if alteration.is_tempo_altered() { TEMPO_DECADES } else { 0.0 };
    (null.at_nothing + kinship + chances - null.per_unit * surprise).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::alteration::explain;
    use super::log10_false_match;

    #[test]
    fn the_more_that_may_be_chosen_the_less_sure() {
        let of = |time: f64, frequency: f64| log10_false_match(30.0, &explain(time, frequency), 3000.0, 7e4);
        let (plain, speed, pitch) = (of(1.0, 1.0), of(1.2, 1.2), of(1.0, 1.2));
        let (tempo, both) = (of(1.2, 1.0), of(1.2, 0.9));
        assert!(plain < speed && speed < tempo && tempo < both);
        assert_eq!(speed, pitch);
        assert!(of(1.004, 1.0) == plain, "within what a measurement errs by");
    }
}
