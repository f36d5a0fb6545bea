//! The pipeline, the only room that knows the whole order: from the owner's files to the catalogue and its index,
//! from sightings to cases; and the worker processes that touch outside bytes for it.
//!
//! - [`worker`]: outside bytes → [`worker::Analysis`], in a child process.
//! - [`Library`]: the store with the catalogue's index, always of one state.
//! - [`register`]: the owner's audio → catalogue and index.
//! - [`identify`]: an analysis → matches.
//! - [`Pipeline`]: sightings → verdicts and cases.

pub mod worker;
mod library;
pub mod register;
mod identify;
mod pipeline;

pub use identify::{Identified, identify};
pub use library::Library;
pub use pipeline::{Checked, Finding, Pipeline, Told};
