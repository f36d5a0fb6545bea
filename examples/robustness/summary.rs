//! Outcomes → figures.

use serde::Serialize;

use crate::attack::{Attack, Kind};
use crate::run::Outcome;
use crate::stats::{Share, percentile};

/// The figures of one attack at one length, or of several together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) group: &'static str,
    /// Seconds; 0 where the queries are of several lengths.
    pub(crate) length_s: f64,
    /// Whether finding the recording is asked for.
    pub(crate) asked: bool,
    /// Right recording and place, and right recording alone.
    pub(crate) place: Share,
    pub(crate) track: Share,
    pub(crate) place_errors_s: Vec<f64>,
    pub(crate) time_errors_percent: Vec<f64>,
    pub(crate) pitch_errors_semitones: Vec<f64>,
    /// Strangers that were accused.
    pub(crate) accused: Share,
    /// Queries of the catalogue in which another recording was named as well.
    pub(crate) others: Share,
}

/// A row as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct RowJson<'a> {
    attack: &'a str,
    group: &'a str,
    length_s: Option<f64>,
    queries: usize,
    recall: usize,
    recall_95: (f64, f64),
    track_only: usize,
    place_error_median_s: Option<f64>,
    place_error_p95_s: Option<f64>,
    time_error_p95_percent: Option<f64>,
    pitch_error_p95_semitones: Option<f64>,
    other_named: usize,
    strangers: usize,
    accused: usize,
}

impl Row {
    fn new(attack: &Attack, length_s: f64) -> Self {
        Self {
            name: attack.name.clone(),
            group: attack.group,
            length_s,
            asked: attack.kind.is_asked_for(),
            ..Self::default()
        }
    }

    fn take(&mut self, outcome: &Outcome) {
        if outcome.stranger {
            self.accused.count(!outcome.accused.is_empty());
            return;
        }
        self.others.count(!outcome.accused.is_empty());
        for answer in &outcome.answers {
            self.place.count(answer.place);
            self.track.count(answer.track);
            self.place_errors_s.extend(answer.place_error_s);
            self.time_errors_percent.extend(answer.time_error_percent);
            self.pitch_errors_semitones.extend(answer.pitch_error_semitones);
        }
    }

    fn join(&mut self, other: &Self) {
        self.accused = self.accused.plus(other.accused);
        self.others = self.others.plus(other.others);
        if other.asked {
            self.place = self.place.plus(other.place);
            self.track = self.track.plus(other.track);
            self.place_errors_s.extend(&other.place_errors_s);
            self.time_errors_percent.extend(&other.time_errors_percent);
            self.pitch_errors_semitones.extend(&other.pitch_errors_semitones);
        }
    }

    pub(crate) fn json(&self) -> RowJson<'_> {
        RowJson {
            attack: &self.name,
            group: self.group,
            length_s: (self.length_s > 0.0).then_some(self.length_s),
            queries: self.place.of,
            recall: self.place.hits,
            recall_95: self.place.bounds(),
            track_only: self.track.hits,
            place_error_median_s: percentile(&self.place_errors_s, 0.5),
            place_error_p95_s: percentile(&self.place_errors_s, 0.95),
            time_error_p95_percent: percentile(&self.time_errors_percent, 0.95),
            pitch_error_p95_semitones: percentile(&self.pitch_errors_semitones, 0.95),
            other_named: self.others.hits,
            strangers: self.accused.of,
            accused: self.accused.hits,
        }
    }
}

/// One decade of the calibration: what the engine claims, and what was seen.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Decade {
    /// The claim: this share of strangers, as a base-10 logarithm, reaches it or less.
    pub(crate) log10: i32,
    pub(crate) reached: usize,
    pub(crate) strangers: usize,
    /// Bounds of the true share in percent.
    pub(crate) bounds_percent: (f64, f64),
}

/// How well mixes were taken apart.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct MixFigures {
    pub(crate) mixes: usize,
    pub(crate) f1: f64,
    pub(crate) edge_error_median_s: Option<f64>,
}

/// All figures of a run.
pub(crate) struct Summary {
    pub(crate) rows: Vec<Row>,
    pub(crate) groups: Vec<Row>,
    pub(crate) total: Row,
    pub(crate) calibration: Vec<Decade>,
    pub(crate) mix: Option<MixFigures>,
    pub(crate) cost_median_ms: Option<f64>,
    pub(crate) cost_p95_ms: Option<f64>,
    /// Accusations of strangers, in words.
    pub(crate) accusations: Vec<String>,
    /// Queries that could not be made, in words.
    pub(crate) errors: Vec<String>,
}

/// Decades of the calibration.
const DECADES: std::ops::RangeInclusive<i32> = 1..=8;

/// Sums up.
pub(crate) fn sum_up(attacks: &[Attack], outcomes: &[Outcome]) -> Summary {
    let mut rows: Vec<Row> = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.error.is_none()) {
        let attack = &attacks[outcome.attack];
        let length_s = if attack.kind == Kind::Mix { 0.0 } else { outcome.length_s };
        let at = rows.iter().position(|row| row.name == attack.name && row.length_s == length_s);
        let at = at.unwrap_or_else(|| {
            rows.push(Row::new(attack, length_s));
            rows.len() - 1
        });
        rows[at].take(outcome);
    }
    let mut groups: Vec<Row> = Vec::new();
    let mut total = Row { name: "all that is asked for".to_owned(), asked: true, ..Row::default() };
    for row in &rows {
        total.join(row);
        let at = groups.iter().position(|group| group.group == row.group);
        let at = at.unwrap_or_else(|| {
            groups.push(Row { name: row.group.to_owned(), group: row.group, asked: true, ..Row::default() });
            groups.len() - 1
        });
        groups[at].join(row);
    }
    let costs: Vec<f64> = outcomes
        .iter()
        .filter(|one| one.mix.is_none() && one.error.is_none())
        .map(|one| one.cost_ms)
        .collect();
    Summary {
        groups: groups.into_iter().filter(|group| group.place.of > 0).collect(),
        total,
        calibration: calibration(outcomes),
        mix: mix(outcomes),
        cost_median_ms: percentile(&costs, 0.5),
        cost_p95_ms: percentile(&costs, 0.95),
        accusations: accusations(attacks, outcomes),
        errors: outcomes
            .iter()
            .filter_map(|one| {
                Some(format!("{}: {}: {}", attacks[one.attack].name, one.source, one.error.as_ref()?))
            })
            .collect(),
        rows,
    }
}

fn calibration(outcomes: &[Outcome]) -> Vec<Decade> {
    let strangers = || outcomes.iter().filter(|one| one.stranger && one.error.is_none());
    let decade = |log10: i32| {
        let mut share = Share::default();
        strangers().for_each(|one| share.count(one.best.is_some_and(|best| best <= f64::from(log10))));
        Decade { log10, reached: share.hits, strangers: share.of, bounds_percent: share.bounds() }
    };
    DECADES.map(|decades| decade(-decades)).collect()
}

fn mix(outcomes: &[Outcome]) -> Option<MixFigures> {
    let scores: Vec<_> = outcomes.iter().filter_map(|one| one.mix.as_ref()).collect();
    let sum =
        |of: fn(&crate::mix::MixScore) -> usize| scores.iter().map(|score| of(score)).sum::<usize>() as f64;
    let right = sum(|score| score.right);
    let wrong = sum(|score| score.wrong) + sum(|score| score.missed);
    let edges: Vec<f64> = scores.iter().flat_map(|score| score.edges_s.iter().copied()).collect();
    (!scores.is_empty()).then(|| MixFigures {
        mixes: scores.len(),
        f1: 2.0 * right / (2.0 * right + wrong).max(1.0),
        edge_error_median_s: percentile(&edges, 0.5),
    })
}

fn accusations(attacks: &[Attack], outcomes: &[Outcome]) -> Vec<String> {
    let strangers = outcomes.iter().filter(|one| one.stranger);
    let words = |one: &Outcome| {
        let accused = one.accused.first()?;
        Some(format!(
            "{}, {}: {:.1} to {:.1} s of it were taken for {} at {:.1} s, log10_false_match {:.1}",
            one.source,
            attacks[one.attack].name,
            accused.query_start_s,
            accused.query_end_s,
            accused.recording_id,
            accused.reference_start_s,
            accused.log10_false_match
        ))
    };
    strangers.filter_map(words).collect()
}
