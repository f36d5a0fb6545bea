//! How it goes: what was found, decided and removed, over all, by operator and by recording.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::rows::Row;
use crate::base::Timestamp;
use crate::cases::State;

/// Weeks that are told.
pub(in crate::web) const WEEKS: usize = 26;
const WEEK_S: i64 = 7 * 24 * 3600;

/// What became of some cases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(in crate::web) struct Tally {
    /// Cases that were opened.
    pub(in crate::web) found: usize,
    /// Those that wait for a decision.
    pub(in crate::web) open: usize,
    /// Those that a person holds for infringements, whatever came of them.
    pub(in crate::web) upheld: usize,
    /// Those that were dismissed or taken back.
    pub(in crate::web) dismissed: usize,
    /// Those whose file is gone.
    pub(in crate::web) removed: usize,
    /// Days from the first notice until the file was gone: the median of those that are gone after one.
    pub(in crate::web) days_to_removal: Option<f64>,
    #[serde(skip)]
    days: Vec<f64>,
}

impl Tally {
    fn count(&mut self, row: &Row) {
        self.found += 1;
        self.open += usize::from(row.state.is_open());
        self.upheld += usize::from(row.state.is_upheld());
        self.dismissed += usize::from(matches!(row.state, State::Dismissed | State::Retracted));
        self.removed += usize::from(row.gone_at.is_some());
        if let (Some(noticed), Some(gone)) = (row.noticed_at, row.gone_at)
            && gone >= noticed
        {
            self.days.push(gone.duration_since(noticed).as_secs_f64() / 86_400.0);
        }
    }

    fn finish(&mut self) {
        self.days.sort_by(f64::total_cmp);
        self.days_to_removal = self.days.get(self.days.len() / 2).copied();
        self.days = Vec::new();
    }
}

/// A tally of one operator or recording.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::web) struct Named {
    /// The operator, or the recording's identifier.
    pub(in crate::web) key: String,
    /// How it is called.
    pub(in crate::web) name: String,
    /// What became of its cases.
    pub(in crate::web) tally: Tally,
}

/// How it goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(in crate::web) struct Figures {
    /// All cases.
    pub(in crate::web) all: Tally,
    /// The operators with the most cases.
    pub(in crate::web) operators: Vec<Named>,
    /// The recordings with the most cases.
    pub(in crate::web) recordings: Vec<Named>,
    /// Cases opened in each of the last 26 weeks, the oldest first.
    pub(in crate::web) opened: Vec<usize>,
    /// Cases whose file went in each of these weeks.
    pub(in crate::web) removed: Vec<usize>,
}

/// How it goes, and what is due next.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct Overview {
    /// What was found, decided and removed.
    pub(in crate::web) figures: Figures,
    /// The cases whose periods end next, at most ten.
    pub(in crate::web) due: Vec<Row>,
}

/// Collects figures from rows.
pub(super) struct Counting {
    now: Timestamp,
    figures: Figures,
    operators: HashMap<Arc<str>, Tally>,
    recordings: HashMap<Arc<str>, (Arc<str>, Tally)>,
}

impl Counting {
    pub(super) fn new(now: Timestamp) -> Self {
        let figures = Figures { opened: vec![0; WEEKS], removed: vec![0; WEEKS], ..Figures::default() };
        Self { now, figures, operators: HashMap::new(), recordings: HashMap::new() }
    }

    pub(super) fn add(&mut self, row: &Row) {
        self.figures.all.count(row);
        self.operators.entry(Arc::clone(&row.operator)).or_default().count(row);
        let title = || (Arc::clone(&row.title), Tally::default());
        self.recordings.entry(Arc::clone(&row.recording_id)).or_insert_with(title).1.count(row);
        let now = self.now;
        let week = |at: Timestamp| {
            let back = usize::try_from((now.as_second() - at.as_second()).div_euclid(WEEK_S)).ok()?;
            (WEEKS - 1).checked_sub(back)
        };
        if let Some(count) = week(row.created_at).and_then(|at| self.figures.opened.get_mut(at)) {
            *count += 1;
        }
        if let Some(count) = row.gone_at.and_then(week).and_then(|at| self.figures.removed.get_mut(at)) {
            *count += 1;
        }
    }

    /// The figures, with so many operators and recordings.
    pub(super) fn finish(mut self, most: usize) -> Figures {
        self.figures.all.finish();
        let operators = self.operators.into_iter();
        self.figures.operators = first(
            operators.map(|(key, tally)| Named { key: key.to_string(), name: key.to_string(), tally }),
            most,
        );
        let recordings = self.recordings.into_iter();
        self.figures.recordings = first(
            recordings.map(|(key, (name, tally))| Named {
                key: key.to_string(),
                name: name.to_string(),
                tally,
            }),
            most,
        );
        self.figures
    }
}

fn first(all: impl Iterator<Item = Named>, most: usize) -> Vec<Named> {
    let mut all: Vec<Named> = all.collect();
    all.sort_by(|a, b| b.tally.found.cmp(&a.tally.found).then_with(|| a.key.cmp(&b.key)));
    all.truncate(most);
    all.iter_mut().for_each(|named| named.tally.finish());
    all
}
