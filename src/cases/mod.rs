//! Suspected infringements under review: here is a sighting with its matches and its verdict; gives a [`Case`] that
//! people approve or dismiss, and that then goes the way of the law: noticed, forwarded, removed, countered, escalated.
//!
//! - [`Case`]: one recording × one operator × one file, with all its sightings and its history.
//! - [`Match`]: what of a recording is in a case's file, as `matching` found it.
//! - [`State`], [`Event`]: the states of a case and what moves it.
//! - [`queue`], [`queue_in`]: files a finding: a new case, one more sighting of an old one, or nothing new.
//! - [`find`], [`list`], [`decide`]: what the review desk and the command line call.
//! - [`Notification`], [`Standing`]: one notice about one case to one provider, and what became of it.
//! - [`CaseFile`]: a case with its notices and what its addresses serve; how it moves, as pure functions.
//! - [`load_file`], [`edit`], [`record_notice`]: case files in the store; each call changes all or nothing.
//! - [`ProviderId`]: a provider, under all the names that the settings have for it.
//! - [`sendable`]: which addresses may be named to a provider now, and why the others may not.
//! - [`Forum`], [`Term`], [`Calendars`]: the law's periods and the working days that they count; [`due`]: which end when.
//! - [`compare`], [`Comparison`], [`information()`]: what a copy's tags say of its rights beside the owner's own file; [`state_information`]: a
//!   person's word on whether that becomes a claim.
//! - [`expected_wrong`]: how many of a batch of accusations are to be expected to be wrong.
//! - [`offenders`]: who does it again, and what is the same in several places.
//! - [`load_licences`], [`record_licences`]: the licence graph as the store keeps it (`rights` itself is pure).

mod state;
mod case;
mod calendar;
mod terms;
mod notification;
mod liveness;
mod lock;
mod sendable;
mod file;
mod due;
mod wrong;
mod spelling;
mod information;
mod offenders;
mod keep;
mod reupload;
mod queue;
mod review;
mod undo;
mod licences;
#[cfg(test)]
mod tests;

pub use crate::matching::Match;
pub use calendar::{Calendar, CalendarError, Calendars, Ends, PERIOD_DAYS_MAX, Region};
pub use case::{Case, CaseSighting, HistoryEntry, MoveError};
pub use due::{Due, DueKind, due};
pub use file::{CaseFile, NoticeWritten, Received};
pub use information::{Caveat, Comparison, CopyHeard, Field, FieldCompared, FieldOutcome, Sign, compare};
pub use keep::{Beside, edit, edit_with, files, information, load_file, record_notice, with_kinds};
pub use licences::{Recorded, load_licences, plan_licences, record_licences};
pub use liveness::{Alive, Known, Liveness, known_liveness};
pub use lock::{CounterLock, ProviderId};
pub use notification::{Notification, NotificationEvent, Running, Standing};
pub use offenders::{Mirror, MirrorOf, Offender, Offenders, offenders};
pub use queue::{CaseInput, Queued, queue, queue_in};
pub use review::{Decided, Error, decide, find, list, save, state_information};
pub use sendable::{LeftOut, Sendable, Why, sendable};
pub use state::{Event, State};
pub use terms::{Form, Forum, Length, Owes, Purpose, Starts, Term};
pub use wrong::{ExpectedWrong, HeardCount, count_heard, expected_wrong, expected_wrong_of, heard};
