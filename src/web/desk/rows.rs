//! The cases as a list is made of them: a few words of each in memory, in the orders in which they can be asked for.
//!
//! Reading 100,000 case records for each page would take seconds; here a page is a walk along one order, from where the last
//! one ended, until enough cases fit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::filter::{Filter, Order, Sort};
use crate::base::Timestamp;
use crate::cases::{Case, Event, State};
use crate::rights::Decision;

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::web) struct Row {
    /// The case's identifier.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub(in crate::web) case_id: Arc<str>,
    /// Where it stands.
    #[schemars(with = "String")]
    pub(in crate::web) state: State,
    /// The newest verdict: `LICENSED`, `UNLICENSED` or `UNDETERMINED`.
    #[schemars(with = "String")]
    pub(in crate::web) verdict: Decision,
    /// Which recording was found.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub(in crate::web) recording_id: Arc<str>,
    /// The recording's title and artist, as the catalogue has them.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub(in crate::web) title: Arc<str>,
    /// Who serves the file: a registrable domain or an address.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub(in crate::web) operator: Arc<str>,
    /// Where the use was judged, ISO 3166-1 alpha-2.
    pub(in crate::web) territory: Option<String>,
    /// Base-10 logarithm of the chance that the file holds nothing of the recording.
    pub(in crate::web) log10_false_match: Option<f64>,
    /// How many addresses of the file are known.
    pub(in crate::web) sightings: u64,
    /// When the case was opened.
    #[schemars(with = "String")]
    pub(in crate::web) created_at: Timestamp,
    /// When the file was last seen.
    #[schemars(with = "Option<String>")]
    pub(in crate::web) last_seen: Option<Timestamp>,
    /// When a provider was first notified.
    #[schemars(with = "Option<String>")]
    pub(in crate::web) noticed_at: Option<Timestamp>,
    /// Since when the file is gone.
    #[schemars(with = "Option<String>")]
    pub(in crate::web) gone_at: Option<Timestamp>,
    /// When the next of its periods ends.
    #[schemars(with = "Option<String>")]
    pub(in crate::web) due_at: Option<Timestamp>,
}

fn as_text<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl Row {
    fn of(case: &Case, due_at: Option<Timestamp>, names: &mut Names) -> Self {
        Self {
            case_id: case.case_id.as_str().into(),
            state: case.state,
            verdict: case.verdict.decision,
            title: names.title(case.recording_id.as_str()),
            recording_id: names.shared(case.recording_id.as_str()),
            operator: names.shared(&case.domain),
            territory: case.territory.clone(),
            log10_false_match: case.log10_false_match(),
            sightings: case.sightings.len() as u64 + case.sightings_unlisted,
            created_at: case.created_at,
            last_seen: case.last_seen(),
            noticed_at: case.history.iter().find(|entry| entry.event == Event::Noticed).map(|entry| entry.at),
            gone_at: case.gone_at,
            due_at,
        }
    }

    /// What it is sorted by; whoever lacks it comes last in either direction's natural reading.
    fn key(&self, sort: Sort) -> i64 {
        match sort {
            Sort::Created => self.created_at.as_second(),
            Sort::Seen => self.last_seen.unwrap_or(self.created_at).as_second(),
            Sort::Significance => {
                self.log10_false_match.map_or(i64::MAX, |log10| (log10.clamp(-1e9, 1e9) * 1e6) as i64)
            }
            Sort::Due => self.due_at.map_or(i64::MAX, Timestamp::as_second),
        }
    }
}

/// Texts that stand in many rows, each once in memory.
#[derive(Debug, Default)]
pub(super) struct Names {
    shared: HashMap<Box<str>, Arc<str>>,
    titles: HashMap<Box<str>, Arc<str>>,
}

impl Names {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.shared.insert(text.into(), Arc::clone(&new));
        new
    }

    /// The title of a recording; its identifier where there is none.
    fn title(&mut self, recording_id: &str) -> Arc<str> {
        match self.titles.get(recording_id) {
            Some(title) => Arc::clone(title),
            None => self.shared(recording_id),
        }
    }

    pub(super) fn set_title(&mut self, recording_id: &str, title: String) {
        self.titles.insert(recording_id.into(), title.into());
    }
}

/// Where a page ends, and the next one goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Cursor {
    key: i64,
    case_id: Arc<str>,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.key, self.case_id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "the cursor is not one that was given out; leave it away to begin anew".to_owned();
        let (key, case_id) = text.split_once('~').ok_or_else(wrong)?;
        let key = key.parse().map_err(|_| wrong())?;
        if case_id.is_empty() || case_id.len() > 100 {
            return Err(wrong());
        }
        Ok(Self { key, case_id: case_id.into() })
    }
}

/// The cases before and behind one in a list.
pub(in crate::web) type Neighbours = (Option<Arc<str>>, Option<Arc<str>>);

/// A part of the list.
#[derive(Debug)]
pub(in crate::web) struct Page {
    pub(in crate::web) rows: Vec<Row>,
    /// Where the next page begins; none at the end.
    pub(in crate::web) next: Option<Cursor>,
    /// How many cases fit the filter.
    pub(in crate::web) total: usize,
}

/// All cases, in all orders.
#[derive(Debug, Default)]
pub(super) struct Rows {
    by_id: HashMap<Arc<str>, Row>,
    orders: BTreeMap<Sort, BTreeSet<(i64, Arc<str>)>>,
    counts: BTreeMap<State, usize>,
    pub(super) names: Names,
}

impl Rows {
    /// Puts a case in, in place of what was known of it.
    pub(super) fn put(&mut self, case: &Case, due_at: Option<Timestamp>) {
        let row = Row::of(case, due_at, &mut self.names);
        self.remove(&row.case_id);
        for sort in Sort::ALL {
            self.orders.entry(sort).or_default().insert((row.key(sort), Arc::clone(&row.case_id)));
        }
        *self.counts.entry(row.state).or_default() += 1;
        self.by_id.insert(Arc::clone(&row.case_id), row);
    }

    /// Takes a case out.
    pub(super) fn remove(&mut self, case_id: &str) {
        let Some(row) = self.by_id.remove(case_id) else { return };
        for sort in Sort::ALL {
            if let Some(order) = self.orders.get_mut(&sort) {
                order.remove(&(row.key(sort), Arc::clone(&row.case_id)));
            }
        }
        if let Some(count) = self.counts.get_mut(&row.state) {
            *count = count.saturating_sub(1);
        }
    }

    /// The rows about a recording whose title has changed.
    pub(super) fn retitle(&mut self, recording_id: &str, title: String) {
        self.names.set_title(recording_id, title);
        let title = self.names.title(recording_id);
        for row in self.by_id.values_mut().filter(|row| &*row.recording_id == recording_id) {
            row.title = Arc::clone(&title);
        }
    }

    pub(super) fn get(&self, case_id: &str) -> Option<&Row> {
        self.by_id.get(case_id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Row> {
        self.by_id.values()
    }

    pub(super) fn count(&self, state: State) -> usize {
        self.counts.get(&state).copied().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The cases that fit, from behind `after` on, at most `most` of them.
    pub(super) fn page(&self, filter: &Filter, order: Order, after: Option<&Cursor>, most: usize) -> Page {
        let total =
            if filter.is_all() { self.len() } else { self.all().filter(|row| filter.fits(row)).count() };
        let mut rows: Vec<Row> = Vec::new();
        let mut next = None;
        for row in self.walk(order, after).filter(|row| filter.fits(row)) {
            if rows.len() == most {
                next = rows
                    .last()
                    .map(|last| Cursor { key: last.key(order.sort), case_id: Arc::clone(&last.case_id) });
                break;
            }
            rows.push(row.clone());
        }
        Page { rows, next, total }
    }

    /// The case before and the case behind one, among those that fit.
    pub(super) fn neighbours(&self, case_id: &str, filter: &Filter, order: Order) -> Neighbours {
        let Some(row) = self.get(case_id) else { return (None, None) };
        let here = Cursor { key: row.key(order.sort), case_id: Arc::clone(&row.case_id) };
        let back = Order { is_descending: !order.is_descending, ..order };
        let one = |order| self.walk(order, Some(&here)).find(|row| filter.fits(row));
        let id = |row: &Row| Arc::clone(&row.case_id);
        (one(back).map(id), one(order).map(id))
    }

    fn walk<'a>(&'a self, order: Order, after: Option<&Cursor>) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        let Some(sorted) = self.orders.get(&order.sort) else { return Box::new(std::iter::empty()) };
        let place = after.map(|cursor| (cursor.key, Arc::clone(&cursor.case_id)));
        let row = |entry: &'a (i64, Arc<str>)| self.by_id.get(&entry.1);
        let edge = place.map_or(Bound::Unbounded, Bound::Excluded);
        if order.is_descending {
            Box::new(sorted.range((Bound::Unbounded, edge)).rev().filter_map(row))
        } else {
            Box::new(sorted.range((edge, Bound::Unbounded)).filter_map(row))
        }
    }
}
