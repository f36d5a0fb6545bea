//! The review desk and the service: here is a store with what was found; gives pages on which people hear, see and decide,
//! an API for programs, figures for those who keep it running.
//!
//! - [`App`]: what requests are answered from. [`Service`]: listens, and ends in a bounded time.
//!   [`Watchman`]: crawls and looks by itself. [`Dispatcher`]: tells other programs what happens.
//! - [`Order`], [`Said`]: what other commands ask of a service through its socket.
//! - [`access`]: accounts, roles, sessions, tokens.
//!
//! Handlers are plain functions from a request to a reply, on blocking threads; one table of routes says who may do what.
//! **Invariants:** nothing that came from a site is shown but as text, or as a type of media that cannot act; a write needs a
//! form of ours or a token; no figure has a label from outside.

pub mod access;
mod answer;
mod api;
mod app;
mod ask;
mod assets;
mod body;
mod control;
mod crowd;
mod desk;
mod fault;
mod forwarded;
mod guard;
mod hooks;
mod impatient;
mod metrics;
mod multipart;
mod pages;
mod permits;
mod reply;
mod routes;
mod runs;
mod server;
mod service;
mod showing;
mod shown;
#[cfg(test)]
mod testing;
mod upload;
mod verifying;
mod watch;
mod words;

pub use app::App;
pub use control::{Order, Said, socket_of};
pub use hooks::Dispatcher;
pub use service::{Error, Service};
pub use watch::Watchman;

use crate::store::{Kinds, Record};

/// Kinds of record that are of no use in another store: sessions, what was answered to repeated requests, and webhooks.
pub const PASSING_KINDS: [&str; 4] =
    [<access::Session as Record>::KIND, <api::Answered as Record>::KIND, hooks::KINDS[0], hooks::KINDS[1]];

/// The folder of documents that were made here, in the store's.
pub const PAPERS_FOLDER: &str = "papers";

/// Adds this room's kinds of record to those that an import knows.
#[must_use]
pub fn with_kinds(kinds: Kinds) -> Kinds {
    access::with_kinds(kinds)
}
