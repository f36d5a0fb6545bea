//! Case files in the store.

use super::case::Case;
use super::file::{CaseFile, NoticeWritten};
use super::information::{Comparison, InformationRecord};
use super::liveness::Liveness;
use super::lock::CounterLock;
use super::notification::{Notification, prefix};
use super::reupload::GoneRecord;
use super::review::{Error, enter};
use super::state::State;
use super::wrong::HeardCount;
use crate::base::Timestamp;
use crate::evidence::log::Log;
use crate::store::{Batch, Kinds, Record, Store};

/// Adds the kinds of record that cases are kept in to those that an import is checked against.
#[must_use]
pub fn with_kinds(kinds: Kinds) -> Kinds {
    kinds
        .with::<Case>()
        .with::<Notification>()
        .with::<Liveness>()
        .with::<CounterLock>()
        .with::<GoneRecord>()
        .with::<HeardCount>()
        .with::<InformationRecord>()
}

/// Reads all that belongs to a case.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn load_file(store: &Store, case: Case) -> Result<CaseFile, Error> {
    let own = prefix(&case.case_id);
    let mut locks = Vec::new();
    for sighting in &case.sightings {
        let of_address = CounterLock::prefix(&case.recording_id, &sighting.media_url);
        for lock in store.scan::<CounterLock>(&of_address)? {
            locks.push(lock?);
        }
    }
    Ok(CaseFile {
        notifications: store.scan::<Notification>(&own)?.collect::<Result<_, _>>()?,
        liveness: store.scan::<Liveness>(&own)?.collect::<Result<_, _>>()?,
        locks,
        information: information(store, &case.case_id)?,
        case,
    })
}

/// Reads the tags of a case's file beside the recording's, as they were when the case was opened.
///
/// # Errors
/// As [`Store::get`].
pub fn information(store: &Store, case_id: &str) -> Result<Option<Comparison>, crate::store::Error> {
    Ok(store.get::<InformationRecord>(case_id)?.map(|record| record.comparison))
}

/// Reads all case files, or those in one state, the oldest first.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn files(store: &Store, state: Option<State>) -> Result<Vec<CaseFile>, Error> {
    super::review::list(store, state)?.into_iter().map(|case| load_file(store, case)).collect()
}

/// Changes several cases together, or none where one cannot be changed so. `change` is called with each; a case that is named
/// twice is changed once.
///
/// # Errors
/// What `change` says; [`Error::Missing`] where a case is not there; [`Error::Store`] when the store fails.
pub fn edit(
    store: &Store,
    case_ids: &[String],
    change: &mut dyn FnMut(&mut CaseFile) -> Result<(), Error>,
) -> Result<Vec<CaseFile>, Error> {
    edit_with(store, case_ids, change, &mut |_, _| Ok(()))
}

/// Puts what belongs to a change of cases into the same batch.
pub type Beside<'a> = &'a mut dyn FnMut(&[CaseFile], &mut Batch) -> Result<(), Error>;

/// As [`edit`]; `beside` puts what belongs to the change into the same batch, so that it is there exactly when the change is.
///
/// # Errors
/// As [`edit`], and what `beside` says.
pub fn edit_with(
    store: &Store,
    case_ids: &[String],
    change: &mut dyn FnMut(&mut CaseFile) -> Result<(), Error>,
    beside: Beside<'_>,
) -> Result<Vec<CaseFile>, Error> {
    let (mut edited, mut batch): (Vec<CaseFile>, _) = (Vec::new(), Batch::new());
    let mut log = Log::open(store)?;
    for case_id in case_ids {
        if edited.iter().any(|known| known.case.case_id == *case_id) {
            continue;
        }
        let case = store.get::<Case>(case_id)?.ok_or_else(|| Error::Missing(case_id.clone()))?;
        let before = load_file(store, case)?;
        let mut file = before.clone();
        change(&mut file)?;
        put_changed(&mut batch, &before, &file)?;
        enter(&mut log, &mut batch, &file.case, before.case.history.len())?;
        edited.push(file);
    }
    beside(&edited, &mut batch)?;
    store.commit(batch)?;
    Ok(edited)
}

/// Records a notice that was written: in the history of each of its cases, and as a [`Notification`] whose clocks begin once
/// it is said to be sent. All cases or none. A document that is no notice ([`super::Form::purpose`] is `None`) is not
/// recorded.
///
/// # Errors
/// As [`CaseFile::write_notice`].
pub fn record_notice(
    store: &Store,
    notices: &[(String, NoticeWritten)],
    now: Timestamp,
) -> Result<Vec<CaseFile>, Error> {
    let ids: Vec<String> = notices.iter().map(|(case_id, _)| case_id.clone()).collect();
    edit(store, &ids, &mut |file| {
        for (case_id, notice) in notices {
            if *case_id == file.case.case_id {
                file.write_notice(notice, now)?;
            }
        }
        Ok(())
    })
}

fn put_changed(batch: &mut Batch, before: &CaseFile, file: &CaseFile) -> Result<(), Error> {
    if file.case != before.case {
        batch.put(&file.case)?;
    }
    if let Some(at) = file.case.gone_at.filter(|_| file.case.gone_at != before.case.gone_at) {
        batch.put(&GoneRecord::of(&file.case, at))?;
    }
    put_others(batch, &before.notifications, &file.notifications)?;
    put_others(batch, &before.liveness, &file.liveness)?;
    for one in file.notifications.iter().filter(|one| !before.notifications.contains(one)) {
        for lock in CounterLock::of(&file.case, one) {
            batch.put(&lock)?;
        }
    }
    Ok(())
}

fn put_others<R: Record + PartialEq>(batch: &mut Batch, before: &[R], after: &[R]) -> Result<(), Error> {
    for record in after.iter().filter(|record| !before.contains(record)) {
        batch.put(record)?;
    }
    Ok(())
}
