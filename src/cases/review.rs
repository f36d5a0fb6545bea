//! What people do with cases.

use super::case::{Case, MoveError};
use super::state::{Event, State};
use crate::base::Timestamp;
use crate::evidence::{
    self,
    log::{Log, NewEntry},
};
use crate::rights::Decision;
use crate::store::{self, Store};

/// What can go wrong with cases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The operation log does not work.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// No case has this identifier.
    #[error("there is no case `{0}`; `earwitness cases list` shows all")]
    Missing(String),
    /// Several cases begin like this.
    #[error("`{prefix}` is the beginning of several cases: {}", candidates.join(", "))]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// Up to ten cases that begin so.
        candidates: Vec<String>,
    },
    /// The decision is not possible in the case's state.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// The case is in doubt, and nothing says what settled it.
    #[error(
        "case {case_id} is undetermined ({doubt}); say with --note what settled it, or record the missing licences"
    )]
    Doubtful {
        /// The case.
        case_id: String,
        /// What is not known.
        doubt: String,
    },
    /// The newest verdict is LICENSED.
    #[error("case {0} is licensed by its newest verdict; `earwitness cases show {0}` tells why")]
    Licensed(String),
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct Decided {
    /// [`Event::Approved`] or [`Event::Dismissed`].
    pub event: Event,
    /// Who decided.
    pub actor: String,
    /// Why.
    pub note: Option<String>,
}

/// Finds the case whose identifier is `text` or begins with it; the `C-` may be left out, and case does not matter.
///
/// # Errors
/// [`Error::Missing`] and [`Error::Ambiguous`]; [`Error::Store`] when the store fails.
pub fn find(store: &Store, text: &str) -> Result<Case, Error> {
    let digits = text.trim().to_lowercase();
    let digits = digits.strip_prefix("c-").unwrap_or(&digits);
    if digits.is_empty() {
        return Err(Error::Missing(text.to_owned()));
    }
    let mut found = store.scan::<Case>(&format!("C-{digits}"))?.take(10).collect::<Result<Vec<_>, _>>()?;
    match found.len() {
        0 => Err(Error::Missing(text.to_owned())),
        1 => Ok(found.remove(0)),
        _ => Err(Error::Ambiguous {
            prefix: text.to_owned(),
            candidates: found.into_iter().map(|case| case.case_id).collect(),
        }),
    }
}

/// Returns all cases, or those in one state, the oldest first.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn list(store: &Store, state: Option<State>) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for case in store.scan::<Case>("")? {
        let case = case?;
        if state.is_none_or(|state| case.state == state) {
            cases.push(case);
        }
    }
    cases.sort_by(|a, b| (a.created_at, &a.case_id).cmp(&(b.created_at, &b.case_id)));
    Ok(cases)
}

/// Applies a person's decision to a case; the caller saves it, so that several are decided together or not at all.
///
/// Deciding the same again changes nothing.
///
/// # Errors
/// [`Error::Move`] where the state does not allow it; [`Error::Doubtful`] when an undetermined case is approved
/// without a note; [`Error::Licensed`] when the newest verdict is LICENSED.
pub fn decide(case: &mut Case, now: Timestamp, decided: &Decided) -> Result<(), Error> {
    if decided.event == Event::Approved {
        match case.verdict.decision {
            Decision::Licensed => return Err(Error::Licensed(case.case_id.clone())),
            Decision::Undetermined if case.state != State::Approved && decided.note.is_none() => {
                let doubt = case.verdict.reasons.first().cloned().unwrap_or_default();
                return Err(Error::Doubtful { case_id: case.case_id.clone(), doubt });
            }
            _ => {}
        }
    }
    let already = matches!(
        (case.state, decided.event),
        (State::Approved, Event::Approved) | (State::Dismissed, Event::Dismissed)
    );
    if already {
        return Ok(());
    }
    Ok(case.apply(decided.event, now, &decided.actor, decided.note.clone())?)
}

/// Keeps cases, all or none, and enters what last happened to each in the operation log.
///
/// # Errors
/// [`Error::Store`] and [`Error::Evidence`] when the store fails.
pub fn save<'a>(store: &Store, cases: impl IntoIterator<Item = &'a Case>) -> Result<(), Error> {
    let mut log = Log::open(store)?;
    let mut batch = store::Batch::new();
    for case in cases {
        batch.put(case)?;
        if let Some(last) = case.history.last() {
            let note = last.note.as_deref().unwrap_or_default();
            let entry = NewEntry {
                at: last.at,
                what: last.event.as_str(),
                subject: &case.case_id,
                actor: &last.actor,
                sha256: None,
                note,
            };
            log.add(&mut batch, &entry)?;
        }
    }
    Ok(store.commit(batch)?)
}
