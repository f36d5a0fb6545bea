//! Decisions, of one case or of many, and taking them back.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::cases::{self, CaseFile, Decided, Event, decide};
use crate::store::{Batch, Store};
use crate::web::fault::Fault;

/// Cases of one decision, or of one call for notices.
pub(super) const CASES_MAX: usize = 500;
/// The longest reason, in characters.
const NOTE_CHARS_MAX: usize = 1000;

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Choice {
    /// It is an infringement, and may be notified. An undetermined case needs a note that says why.
    Approve,
    /// It is none, or not worth pursuing; the note says why.
    Dismiss,
    /// Somebody looks into it.
    Review,
    /// Licence data is asked for, without which it cannot be decided; the note says what is to be found out, or else the
    /// verdict's first reason. The case stays where it is.
    Ask,
}

impl Choice {
    const fn event(self) -> Event {
        match self {
            Self::Approve => Event::Approved,
            Self::Dismiss => Event::Dismissed,
            Self::Review => Event::Review,
            Self::Ask => Event::Asked,
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "approve" => Ok(Self::Approve),
            "dismiss" => Ok(Self::Dismiss),
            "review" => Ok(Self::Review),
            "ask" => Ok(Self::Ask),
            _ => Err("decision: approve, dismiss, review or ask".to_owned()),
        }
    }
}

/// A decision about some cases.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewDecision {
    /// Which cases; all are decided, or none.
    pub(in crate::web) cases: Vec<String>,
    /// What is decided.
    pub(in crate::web) decision: Choice,
    /// Why; needed for `dismiss`, and to approve an undetermined case.
    #[serde(default)]
    pub(in crate::web) note: Option<String>,
}

/// What is to be taken back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewUndo {
    /// Which cases; all, or none.
    pub(in crate::web) cases: Vec<String>,
    /// The instant of the decision, as its answer told it.
    #[schemars(with = "String")]
    pub(in crate::web) decided_at: Timestamp,
}

/// A case after a decision.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct CaseStands {
    /// The case.
    pub(in crate::web) case_id: String,
    /// Where it stands now.
    pub(in crate::web) state: String,
}

/// What came of a decision.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct Done {
    /// Its instant: what an undo names.
    #[schemars(with = "String")]
    pub(in crate::web) decided_at: Timestamp,
    /// The cases.
    pub(in crate::web) cases: Vec<CaseStands>,
}

/// Puts what belongs to a change, of which `T` came, into its batch.
pub(in crate::web) type Beside<'a, T> = &'a mut dyn FnMut(&T, &mut Batch) -> Result<(), crate::store::Error>;

/// Decides cases: all of them, or none.
///
/// # Errors
/// [`Fault`] that names the case that cannot be decided so, or what is missing.
pub(in crate::web) fn decide_cases(
    store: &Store,
    new: &NewDecision,
    (actor, now): (&str, Timestamp),
    beside: Beside<'_, Done>,
) -> Result<Done, Fault> {
    let note = new.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
        return Err(Fault::unfit(format!("note: at most {NOTE_CHARS_MAX} characters")));
    }
    if new.decision == Choice::Dismiss && note.is_none() {
        return Err(Fault::unfit("note: say why the cases are dismissed"));
    }
    let decided =
        Decided { event: new.decision.event(), actor: actor.to_owned(), note: note.map(str::to_owned) };
    change(store, &new.cases, now, &mut |file| decide(&mut file.case, now, &decided), beside)
}

/// Takes a decision about cases back: of all, or of none.
///
/// # Errors
/// [`Fault`] that names the case of which something has followed.
pub(in crate::web) fn undo_cases(
    store: &Store,
    new: &NewUndo,
    (actor, now): (&str, Timestamp),
    beside: Beside<'_, Done>,
) -> Result<Done, Fault> {
    change(store, &new.cases, now, &mut |file| file.case.undo(new.decided_at, now, actor), beside)
}

fn change(
    store: &Store,
    cases: &[String],
    now: Timestamp,
    how: &mut dyn FnMut(&mut CaseFile) -> Result<(), cases::Error>,
    beside: Beside<'_, Done>,
) -> Result<Done, Fault> {
    if cases.is_empty() || cases.len() > CASES_MAX {
        return Err(Fault::unfit(format!("cases: name 1 to {CASES_MAX} of them")));
    }
    let mut done = Done { decided_at: now, cases: Vec::new() };
    cases::edit_with(store, cases, how, &mut |files, batch| {
        // Those that stood so already were not decided now, and are not undone with the others.
        let is_new = |file: &&CaseFile| file.case.history.last().is_some_and(|entry| entry.at == now);
        let stands = |file: &CaseFile| CaseStands {
            case_id: file.case.case_id.clone(),
            state: file.case.state.as_str().to_owned(),
        };
        done.cases = files.iter().filter(is_new).map(stands).collect();
        beside(&done, batch)?;
        Ok(())
    })?;
    Ok(done)
}
