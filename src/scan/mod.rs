//! The pipeline, the only room that knows the whole order: from the owner's files to the catalogue and its index,
//! from sightings to cases; and the worker processes that touch outside bytes for it.
//!
//! - [`worker`]: outside bytes → [`worker::Analysis`], in a child process.
//! - [`Library`]: the store with the catalogue's index, always of one state; [`IndexReader`] gives other threads the index.
//! - [`Error`], [`PipelineError`]: why the library could not be opened or changed, and why a pipeline stopped.
//! - [`register`]: the owner's audio → catalogue and index.
//! - [`overlap`]: an open library → what its recordings share with each other.
//! - [`inspect`]: an open store → figures of its index, and what is wrong with it.
//! - [`transfer`]: everything as JSON Lines, fingerprints included, out and in.
//! - [`backup`]: all of it as a folder, taken while it is in use, and back.
//! - [`identify`]: an analysis → matches; [`StreamIdentifier`]: a stream → spans, as they are confirmed.
//! - [`bundling`]: a case → its evidence bundle; [`replay()`]: the match of a bundle made again; [`self_test()`];
//!   [`show_case`]: what people see and hear of a case.
//! - [`Pipeline`]: sightings → verdicts and cases; [`Pipeline::crawl`] drives a crawl and listens beside it;
//!   [`Pipeline::recheck`] tells whether an address still serves what a case is about.
//! - [`stamping`]: the time-stamp authority that is configured.
//! - [`notifying`]: approved cases → documents in a folder.
//! - [`Runner`]: runs of sites, by the settings; [`look_at`]: the addresses of cases, looked at and settled.

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod worker;
mod library;
mod merging;
pub mod register;
pub mod overlap;
pub mod inspect;
pub mod transfer;
pub mod backup;
mod identify;
mod informing;
mod pipeline;
mod crawling;
mod recheck;
mod runner;
mod looking;
mod self_test;
mod replay;
pub mod bundling;
mod showing;
pub mod notifying;
pub mod stamping;
mod passages;
mod excerpting;
mod illustrating;
#[cfg(test)]
mod tests;

pub use crawling::{Ears, Together};
pub use identify::{Identified, SpanTold, StreamIdentifier, StreamSummary, identify, too_short};
pub use library::{Error, IndexReader, Library};
pub use looking::{LookError, is_look_due, is_watched, look_at};
pub use pipeline::{Checked, Error as PipelineError, Finding, Pipeline, Told};
pub use recheck::{Door, Target};
pub use replay::replay;
pub use runner::{RunError, Runner, match_options, sites, together};
pub use self_test::{SelfTest, self_test};
pub use showing::{ShownAll, show_case};
