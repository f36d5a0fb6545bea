//! Suspected infringements under review: here is a sighting with its matches and its verdict; gives a [`Case`] that
//! people approve or dismiss.
//!
//! - [`Case`]: one recording × one operator × one file, with all its sightings and its history.
//! - [`Match`]: what of a recording is in a case's file, as `matching` found it.
//! - [`State`], [`Event`]: the states of a case and what moves it.
//! - [`queue`], [`queue_in`]: files a finding: a new case, one more sighting of an old one, or nothing new.
//! - [`find`], [`list`], [`decide`]: what the review desk and the command line call.
//! - [`load_licences`], [`record_licences`]: the licence graph as the store keeps it (`rights` itself is pure).

mod state;
mod case;
mod queue;
mod review;
mod licences;

pub use crate::matching::Match;
pub use case::{Case, CaseSighting, HistoryEntry, MoveError};
pub use licences::{Recorded, load_licences, plan_licences, record_licences};
pub use queue::{CaseInput, Queued, queue, queue_in};
pub use review::{Decided, Error, decide, find, list, save};
pub use state::{Event, State};
