//! What people do with cases.

use super::case::{Case, MoveError};
use super::information::{Comparison, Sign};
use super::notification::Standing;
use super::sendable::Why;
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
    /// A provider must not be sent a notice about the case.
    #[error("case {case_id} is not notified to {provider}: {why}")]
    Refused {
        /// The case.
        case_id: String,
        /// The provider.
        provider: String,
        /// Why.
        why: Box<Why>,
    },
    /// A notice that names no address.
    #[error(
        "a notice about case {case_id} would name no address; `earwitness cases recheck {case_id}` tells why"
    )]
    NoUrls {
        /// The case.
        case_id: String,
    },
    /// Very many notices.
    #[error("case {case_id} has {max} notices already, and takes no more")]
    TooManyNotices {
        /// The case.
        case_id: String,
        /// How many it takes.
        max: usize,
    },
    /// No such notice.
    #[error(
        "case {case_id} has no notice{}; write one with `earwitness notice export`",
        provider.as_ref().map(|name| format!(" to `{name}`")).unwrap_or_default()
    )]
    NoNotification {
        /// The case.
        case_id: String,
        /// The provider that was named.
        provider: Option<String>,
    },
    /// Notices to several providers.
    #[error("case {case_id} was notified to several providers; say with --provider which: {}", providers.join(", "))]
    WhichProvider {
        /// The case.
        case_id: String,
        /// The providers.
        providers: Vec<String>,
    },
    /// It cannot happen as the notice stands.
    #[error(
        "notice {number} of case {case_id} to {provider} is {}, so it cannot be {}",
        standing.as_str(),
        event.as_str()
    )]
    Standing {
        /// The case.
        case_id: String,
        /// Which notice.
        number: u32,
        /// To whom.
        provider: String,
        /// How it stands.
        standing: Standing,
        /// What was tried.
        event: Event,
    },
    /// An instant at which it cannot have happened.
    #[error("case {case_id}: {at} is not between the notice ({earliest}) and now ({now})")]
    When {
        /// The case.
        case_id: String,
        /// The instant that was given.
        at: Timestamp,
        /// The earliest that can be.
        earliest: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// Nothing of the rights information is known to be removed or altered.
    #[error("case {case_id}: notices cannot state that rights information was removed or altered: {why}")]
    NoInformation {
        /// The case.
        case_id: String,
        /// Why.
        why: String,
    },
    /// The newest verdict is LICENSED.
    #[error("case {0} is licensed by its newest verdict; `earwitness cases show {0}` tells why")]
    Licensed(String),
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct Decided {
    /// [`Event::Review`], [`Event::Asked`], [`Event::Approved`] or [`Event::Dismissed`].
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
/// Deciding the same again changes nothing, unless the newest verdict is in doubt since: then the approval is renewed.
///
/// # Errors
/// [`Error::Move`] where the state does not allow it; [`Error::Doubtful`] when an undetermined case is approved
/// without a note; [`Error::Licensed`] when the newest verdict is LICENSED.
pub fn decide(case: &mut Case, now: Timestamp, decided: &Decided) -> Result<(), Error> {
    if decided.event == Event::Approved {
        match case.verdict.decision {
            Decision::Licensed => return Err(Error::Licensed(case.case_id.clone())),
            Decision::Undetermined
                if (case.state != State::Approved || case.doubted_since().is_some())
                    && decided.note.is_none() =>
            {
                let doubt = case.verdict.reasons.first().cloned().unwrap_or_default();
                return Err(Error::Doubtful { case_id: case.case_id.clone(), doubt });
            }
            _ => {}
        }
    }
    // What was held for an infringement before the doubt is held for one again; what came of it since stays.
    let is_renewed = decided.event == Event::Approved && case.state.is_upheld() && !case.state.is_final();
    if is_renewed && case.doubted_since().is_some() {
        case.log(Event::Approved, now, &decided.actor, decided.note.clone());
        return Ok(());
    }
    if decided.event == Event::Asked {
        // What the verdict lacks is what is to be found out, unless somebody says more.
        let note = decided.note.clone().or_else(|| case.verdict.reasons.first().cloned());
        if case.asked().is_some_and(|asked| asked.note == note) {
            return Ok(());
        }
        return Ok(case.apply(Event::Asked, now, &decided.actor, note)?);
    }
    let already = matches!(
        (case.state, decided.event),
        (State::Approved, Event::Approved)
            | (State::Dismissed, Event::Dismissed)
            | (State::Review, Event::Review)
    );
    if already {
        return Ok(());
    }
    Ok(case.apply(decided.event, now, &decided.actor, decided.note.clone())?)
}

/// Enters a person's word on whether notices about a case state that rights information was removed or altered.
///
/// # Errors
/// [`Error::NoInformation`] where the comparison gives no ground to say yes.
pub fn state_information(
    case: &mut Case,
    comparison: Option<&Comparison>,
    (now, actor): (Timestamp, &str),
    states: bool,
) -> Result<(), Error> {
    if states && comparison.is_none_or(|comparison| comparison.sign() == Sign::None) {
        let caveats = comparison.map(|comparison| &comparison.caveats).filter(|caveats| !caveats.is_empty());
        let why = caveats.map_or_else(
            || "its file's tags show no such thing".to_owned(),
            |caveats| caveats.iter().map(|caveat| caveat.as_str()).collect::<Vec<_>>().join("; "),
        );
        return Err(Error::NoInformation { case_id: case.case_id.clone(), why });
    }
    if case.states_information != Some(states) {
        case.states_information = Some(states);
        let note = if states { "rights information: stated" } else { "rights information: not stated" };
        case.log(Event::Information, now, actor, Some(note.to_owned()));
    }
    Ok(())
}

/// Keeps cases, all or none, and enters what happened to each since it was kept last in the operation log.
///
/// # Errors
/// [`Error::Store`] and [`Error::Evidence`] when the store fails.
pub fn save<'a>(store: &Store, cases: impl IntoIterator<Item = &'a Case>) -> Result<(), Error> {
    let mut log = Log::open(store)?;
    let mut batch = store::Batch::new();
    for case in cases {
        let told = store.get::<Case>(&case.case_id)?.map_or(0, |kept| kept.history.len());
        batch.put(case)?;
        enter(&mut log, &mut batch, case, told)?;
    }
    Ok(store.commit(batch)?)
}

/// Enters what happened to a case in the operation log, without the first `told` entries of its history.
pub(super) fn enter(log: &mut Log, batch: &mut store::Batch, case: &Case, told: usize) -> Result<(), Error> {
    for event in case.history.iter().skip(told) {
        let note = event.note.as_deref().unwrap_or_default();
        let entry = NewEntry {
            at: event.at,
            what: event.event.as_str(),
            subject: &case.case_id,
            actor: &event.actor,
            sha256: None,
            note,
        };
        log.add(batch, &entry)?;
    }
    Ok(())
}
