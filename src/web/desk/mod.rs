//! What people and programs do: list, look, decide, make sites and papers. Pages and the API are two faces of this.
//!
//! - [`Desk`]: the list of cases in memory, always of what the store holds.
//! - [`asked()`], [`Filter`], [`Order`], [`Cursor`]: which of them, how sorted, from where on.
//! - [`decide_cases`], [`undo_cases`]: decisions, all of a call or none.
//! - [`recordings`], [`licences`]: what the owner has, and one of them with what depends on it.
//! - [`sites`], [`make_site`], [`act`]: what is crawled, and what people do with it.
//! - [`preview`], [`write_notices`], [`make_bundle`], [`documents`]: papers.

mod asked;
mod bundles;
mod decide;
mod documents;
mod figures;
mod filter;
mod found;
mod licences;
mod listed;
mod making;
mod notices;
mod owned;
mod rows;
mod sites;
mod waiting;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

pub(in crate::web) use asked::{Asked, PAGE, asked, most, words};
pub(in crate::web) use bundles::{make_bundle, verify_bundle};
pub(in crate::web) use decide::{Beside, Choice, Done, NewDecision, NewUndo, decide_cases, undo_cases};
pub(in crate::web) use documents::{Document, DocumentCursor, content_type, documents, open_document};
pub(in crate::web) use figures::{Figures, Named, Overview};
pub(in crate::web) use filter::{Filter, Order, Sort};
use licences::Licences;
pub(in crate::web) use listed::{
    LicenceFile, LicencePage, RecordingFile, RecordingPage, conflicts, licence, licences, recording,
    recordings,
};
pub(in crate::web) use making::{Act, act, change_site, make_site, own_settings, read_settings, remove_site};
pub(in crate::web) use notices::{Noticed, WrittenNotice, preview, write_notices};
pub(in crate::web) use owned::AtEnd;
use rows::Rows;
pub(in crate::web) use rows::{Cursor, Neighbours, Page, Row};
pub(in crate::web) use sites::{ALL, Halted, Origin, Site, Skipped, all_paused, site, sites, skips};
pub(in crate::web) use waiting::{AskedFor, asked_for};

use crate::base::{RecordingId, Timestamp, lock};
use crate::cases::{self, Calendars, Case, Notification, State};
use crate::catalog::{Catalog, Recording};
use crate::rights::LicenceGraph;
use crate::store::{self, Store, Watch};

/// How far ahead the end of a period is looked for.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 3650);
/// Operators, recordings and deadlines of the overview.
const LISTED: usize = 10;

/// Keys of records that were changed.
#[derive(Default)]
struct Changed {
    cases: BTreeSet<String>,
    recordings: BTreeSet<String>,
}

/// The list of cases in memory. What the store has committed is in it at the next question.
pub(in crate::web) struct Desk {
    rows: RwLock<Rows>,
    /// What was changed and is not in the rows yet; held by whoever brings it in.
    refreshing: Mutex<Changed>,
    cases: Watch,
    notifications: Watch,
    recordings: Watch,
    calendars: RwLock<Arc<Calendars>>,
    licences: Licences,
}

impl Desk {
    /// Reads all cases. Takes a second or so for 100,000.
    pub(in crate::web) fn open(store: &Store, calendars: Calendars) -> Result<Self, store::Error> {
        // Watched first: what is committed while the rest is read is told by the watch.
        let desk = Self {
            cases: store.watch::<Case>(),
            notifications: store.watch::<Notification>(),
            recordings: store.watch::<Recording>(),
            rows: RwLock::default(),
            refreshing: Mutex::default(),
            licences: Licences::open(store)?,
            calendars: RwLock::new(Arc::new(calendars)),
        };
        let mut rows = Rows::default();
        for recording in store.scan::<Recording>("")? {
            let recording = recording?;
            rows.names.set_title(recording.recording_id.as_str(), recording.title_and_artist());
        }
        let mut notified: BTreeSet<String> = BTreeSet::new();
        for one in store.scan::<Notification>("")? {
            notified.insert(one?.case_id);
        }
        let calendars = desk.calendars();
        for case in store.scan::<Case>("")? {
            let case = case?;
            let due_at =
                if notified.contains(&case.case_id) { due_at(store, &case, &calendars)? } else { None };
            rows.put(&case, due_at);
        }
        *desk.rows.write().unwrap_or_else(PoisonError::into_inner) = rows;
        Ok(desk)
    }

    /// The calendars that periods are counted by.
    pub(in crate::web) fn calendars(&self) -> Arc<Calendars> {
        Arc::clone(&self.calendars.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who may use what, as the store is now.
    pub(in crate::web) fn licences(&self, store: &Store) -> Result<Arc<LicenceGraph>, store::Error> {
        self.licences.get(store)
    }

    /// The rows, as the store is now.
    fn rows(&self, store: &Store) -> Result<RwLockReadGuard<'_, Rows>, store::Error> {
        // Taken and read by one at a time: whoever asks sees what was committed before.
        let mut changed = lock(&self.refreshing);
        changed.cases.extend(self.cases.take());
        // A notification's key begins with its case's.
        changed.cases.extend(self.notifications.take().into_iter().filter_map(|key| {
            key.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().map(str::to_owned)
        }));
        changed.recordings.extend(self.recordings.take());
        if !changed.cases.is_empty() || !changed.recordings.is_empty() {
            // Where that fails, it is still to be done.
            self.refresh(store, &changed)?;
            *changed = Changed::default();
        }
        Ok(self.rows.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn refresh(&self, store: &Store, changed: &Changed) -> Result<(), store::Error> {
        let calendars = self.calendars();
        // Read under the lock: of two who refresh, the later one must not put back what the earlier one read.
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for recording_id in &changed.recordings {
            let Ok(id) = RecordingId::new(recording_id) else { continue };
            let name = Catalog::new(store)
                .get(&id)?
                .map_or_else(|| recording_id.clone(), |one| one.title_and_artist());
            rows.retitle(recording_id, name);
        }
        for case_id in &changed.cases {
            match store.get::<Case>(case_id)? {
                Some(case) => {
                    let due_at = due_at(store, &case, &calendars)?;
                    rows.put(&case, due_at);
                }
                None => rows.remove(case_id),
            }
        }
        Ok(())
    }

    /// A part of the list.
    pub(in crate::web) fn page(
        &self,
        store: &Store,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<Page, store::Error> {
        Ok(self.rows(store)?.page(filter, order, after, most))
    }

    /// How many cases are in each state.
    pub(in crate::web) fn counts(&self, store: &Store) -> Result<Vec<(State, usize)>, store::Error> {
        let rows = self.rows(store)?;
        Ok(State::ALL.into_iter().map(|state| (state, rows.count(state))).collect())
    }

    /// The cases before and behind one in a list.
    pub(in crate::web) fn neighbours(
        &self,
        store: &Store,
        case_id: &str,
        filter: &Filter,
        order: Order,
    ) -> Result<Neighbours, store::Error> {
        Ok(self.rows(store)?.neighbours(case_id, filter, order))
    }

    /// How it goes, and what is due next.
    pub(in crate::web) fn overview(&self, store: &Store, now: Timestamp) -> Result<Overview, store::Error> {
        let mut counting = figures::Counting::new(now);
        self.rows(store)?.all().for_each(|row| counting.add(row));
        let by_due = Order { sort: Sort::Due, is_descending: false };
        let mut due = self.page(store, &Filter::default(), by_due, None, LISTED)?.rows;
        due.retain(|row| row.due_at.is_some());
        Ok(Overview { figures: counting.finish(LISTED), due })
    }
}

/// When the next of a case's periods ends.
fn due_at(store: &Store, case: &Case, calendars: &Calendars) -> Result<Option<Timestamp>, store::Error> {
    let file = match cases::load_file(store, case.clone()) {
        Ok(file) => file,
        Err(cases::Error::Store(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    if file.notifications.is_empty() {
        return Ok(None);
    }
    Ok(cases::due(&file, case.created_at, AHEAD, calendars).first().map(|due| due.at))
}
