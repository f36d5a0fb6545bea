//! The cases as a list is made of them: a few words of each in memory, in the orders in which they can be asked for.
//!
//! Reading 100,000 case records for each page would take seconds; here a page of all is a walk along one order, and what fits a
//! filter is found once and kept until a case changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::filter::{Filter, Order, Sort};
use super::found::FoundLately;
use crate::base::Timestamp;
use crate::cases::{Case, Event, State};
use crate::rights::Decision;

/// A set of cases is looked through in place of all where it is at most one part in so many of them.
const NARROW: usize = 8;

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
    /// Since when licence data is asked for.
    #[schemars(with = "Option<String>")]
    pub(in crate::web) asked_at: Option<Timestamp>,
    /// What words are looked for in, lower case; no word crosses a line.
    #[serde(skip)]
    pub(super) words: Box<str>,
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
            asked_at: case.asked().map(|entry| entry.at),
            words: Box::default(),
        }
        .with_words()
    }

    fn with_words(mut self) -> Self {
        let Self { case_id, operator, title, recording_id, .. } = &self;
        self.words = format!("{case_id}\n{operator}\n{title}\n{recording_id}").to_lowercase().into();
        self
    }

    fn titled(mut self, title: Arc<str>) -> Self {
        self.title = title;
        self.with_words()
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

/// Where a case stands in an order: by its key, and among those of one key by its identifier.
type Place = (i64, Arc<str>);

/// All cases, in all orders.
#[derive(Debug, Default)]
pub(super) struct Rows {
    by_id: HashMap<Arc<str>, Arc<Row>>,
    orders: BTreeMap<Sort, BTreeMap<Place, Arc<Row>>>,
    /// The cases in each state, at each operator, about each recording: few filters fit more than a part of all.
    by_state: BTreeMap<State, BTreeSet<Arc<str>>>,
    by_operator: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    by_recording: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    pub(super) names: Names,
    found: FoundLately,
}

impl Rows {
    /// Puts a case in, in place of what was known of it.
    pub(super) fn put(&mut self, case: &Case, due_at: Option<Timestamp>) {
        let row = Row::of(case, due_at, &mut self.names);
        self.put_row(row);
    }

    fn put_row(&mut self, row: Row) {
        self.remove(&row.case_id);
        let id = Arc::clone(&row.case_id);
        let row = Arc::new(row);
        for sort in Sort::ALL {
            self.orders.entry(sort).or_default().insert((row.key(sort), Arc::clone(&id)), Arc::clone(&row));
        }
        self.by_state.entry(row.state).or_default().insert(Arc::clone(&id));
        self.by_operator.entry(Arc::clone(&row.operator)).or_default().insert(Arc::clone(&id));
        self.by_recording.entry(Arc::clone(&row.recording_id)).or_default().insert(Arc::clone(&id));
        self.by_id.insert(id, row);
    }

    /// Takes a case out.
    pub(super) fn remove(&mut self, case_id: &str) {
        self.found.forget();
        let Some(row) = self.by_id.remove(case_id) else { return };
        for sort in Sort::ALL {
            if let Some(order) = self.orders.get_mut(&sort) {
                order.remove(&(row.key(sort), Arc::clone(&row.case_id)));
            }
        }
        take_from(&mut self.by_operator, &row.operator, case_id);
        take_from(&mut self.by_recording, &row.recording_id, case_id);
        if let Some(ids) = self.by_state.get_mut(&row.state) {
            ids.remove(case_id);
        }
    }

    /// The rows about a recording whose title has changed.
    pub(super) fn retitle(&mut self, recording_id: &str, title: String) {
        self.names.set_title(recording_id, title);
        let title = self.names.title(recording_id);
        let ids = self.by_recording.get(recording_id).cloned().unwrap_or_default();
        for row in ids.iter().filter_map(|id| self.by_id.get(id).cloned()).collect::<Vec<_>>() {
            self.put_row(Row::clone(&row).titled(Arc::clone(&title)));
        }
    }

    pub(super) fn get(&self, case_id: &str) -> Option<&Row> {
        self.by_id.get(case_id).map(Arc::as_ref)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Row> {
        self.by_id.values().map(Arc::as_ref)
    }

    pub(super) fn count(&self, state: State) -> usize {
        self.by_state.get(&state).map_or(0, BTreeSet::len)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The cases that fit, from behind `after` on, at most `most` of them.
    pub(super) fn page(&self, filter: &Filter, order: Order, after: Option<&Cursor>, most: usize) -> Page {
        let (mut rows, total) = if filter.is_all() {
            (self.walk(order, after).take(most + 1).cloned().collect::<Vec<_>>(), self.len())
        } else {
            let found = self.found(filter, order.sort);
            (behind(&found, order, after).take(most + 1).cloned().collect(), found.len())
        };
        let goes_on = rows.len() > most;
        rows.truncate(most);
        let cursor = |last: &Row| Cursor { key: last.key(order.sort), case_id: Arc::clone(&last.case_id) };
        Page { next: rows.last().filter(|_| goes_on).map(cursor), rows, total }
    }

    /// The case before and the case behind one, among those that fit.
    pub(super) fn neighbours(&self, case_id: &str, filter: &Filter, order: Order) -> Neighbours {
        let Some(row) = self.get(case_id) else { return (None, None) };
        let here = Cursor { key: row.key(order.sort), case_id: Arc::clone(&row.case_id) };
        let back = Order { is_descending: !order.is_descending, ..order };
        let id = |row: &Row| Arc::clone(&row.case_id);
        if filter.is_all() {
            let one = |order| self.walk(order, Some(&here)).next();
            return (one(back).map(id), one(order).map(id));
        }
        let found = self.found(filter, order.sort);
        let one = |order| behind(&found, order, Some(&here)).next().map(id);
        (one(back), one(order))
    }

    fn walk<'a>(&'a self, order: Order, after: Option<&Cursor>) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        let Some(sorted) = self.orders.get(&order.sort) else { return Box::new(std::iter::empty()) };
        let place = after.map(|cursor| (cursor.key, Arc::clone(&cursor.case_id)));
        let edge = place.map_or(Bound::Unbounded, Bound::Excluded);
        if order.is_descending {
            Box::new(sorted.range((Bound::Unbounded, edge)).rev().map(|(_, row)| row.as_ref()))
        } else {
            Box::new(sorted.range((edge, Bound::Unbounded)).map(|(_, row)| row.as_ref()))
        }
    }

    /// All that fit, in an order.
    fn found(&self, filter: &Filter, sort: Sort) -> Arc<[Arc<Row>]> {
        self.found.get(filter, sort, || {
            let all = || self.orders.get(&sort).into_iter().flat_map(BTreeMap::values);
            let Some(ids) = self.narrowest(filter) else {
                return all().filter(|row| filter.fits(row)).cloned().collect();
            };
            let fitting = ids.iter().flat_map(|ids| ids.iter()).filter_map(|id| self.by_id.get(id));
            let mut rows: Vec<Arc<Row>> = fitting.filter(|row| filter.fits(row)).cloned().collect();
            rows.sort_unstable_by(|a, b| (a.key(sort), &a.case_id).cmp(&(b.key(sort), &b.case_id)));
            rows.into()
        })
    }

    /// The smallest sets of cases that hold all that fit; none where they are no small part of all.
    fn narrowest(&self, filter: &Filter) -> Option<Vec<&BTreeSet<Arc<str>>>> {
        let states: Vec<&BTreeSet<Arc<str>>> =
            filter.states.iter().filter_map(|state| self.by_state.get(state)).collect();
        let by_state = Some(states).filter(|_| !filter.states.is_empty());
        let choices = [
            named(&self.by_operator, &filter.operator),
            named(&self.by_recording, &filter.recording_id),
            by_state,
        ];
        let size = |sets: &Vec<&BTreeSet<Arc<str>>>| sets.iter().map(|ids| ids.len()).sum::<usize>();
        choices.into_iter().flatten().min_by_key(size).filter(|sets| size(sets) <= self.len() / NARROW)
    }
}

/// The set under a name, if one is asked for; no set where there is no such name.
fn named<'a>(
    sets: &'a HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    name: &Option<String>,
) -> Option<Vec<&'a BTreeSet<Arc<str>>>> {
    name.as_ref().map(|name| sets.get(name.as_str()).into_iter().collect())
}

/// Removes a case from the set under a name, and the set where nothing is left in it.
fn take_from(sets: &mut HashMap<Arc<str>, BTreeSet<Arc<str>>>, name: &Arc<str>, case_id: &str) {
    if let Some(ids) = sets.get_mut(name) {
        ids.remove(case_id);
        if ids.is_empty() {
            sets.remove(name);
        }
    }
}

/// What comes behind a place in an order, of rows that are sorted upwards.
fn behind<'a>(
    rows: &'a [Arc<Row>],
    order: Order,
    after: Option<&Cursor>,
) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
    let place = |row: &Row| (row.key(order.sort), Arc::clone(&row.case_id));
    let edge = after.map(|cursor| (cursor.key, Arc::clone(&cursor.case_id)));
    let at = |is_before: &dyn Fn(&Place) -> bool| rows.partition_point(|row| is_before(&place(row)));
    if order.is_descending {
        let end = edge.map_or(rows.len(), |edge| at(&|place| *place < edge));
        Box::new(rows.iter().take(end).rev().map(Arc::as_ref))
    } else {
        let begin = edge.map_or(0, |edge| at(&|place| *place <= edge));
        Box::new(rows.iter().skip(begin).map(Arc::as_ref))
    }
}
