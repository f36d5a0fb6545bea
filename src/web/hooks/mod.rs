//! Webhooks: other programs are told what happens to cases. The operation log is the queue: each webhook stands at one of its
//! entries, and goes on to the next once that was delivered or is of no concern to it. So nothing is lost by a kill, nothing
//! comes out of order, and nothing is kept twice.
//!
//! - [`Hooks`]: makes, changes and removes webhooks, and keeps how each stands; [`Webhook`], [`Standing`]: what is kept.
//! - [`Dispatcher`] delivers.
//! - [`Sent`], [`Outcome`]: what came of one try.
//!
//! **Invariants:** an entry is passed once its receiver has answered 2xx, not before; of crawled pages nothing is told; a
//! secret is told when it is made, and in no list, page, log or error.

mod dispatch;
mod error;
mod keep;
mod message;
mod secret;
mod send;
mod standing;
#[cfg(test)]
mod tests;
mod webhook;

pub use dispatch::Dispatcher;
pub(in crate::web) use error::Error;
pub(in crate::web) use keep::{Change, Hooks, NewWebhook};
pub(in crate::web) use secret::Secret;
pub(in crate::web) use standing::{Outcome, Sent, Standing, Tried, Why};
pub(in crate::web) use webhook::{OVERLAP_H, Paused, Webhook};

use crate::store::Record as _;

/// The kinds of record of this folder. They are of no use in another store: secrets belong to one desk, and a second one that
/// went on from a copy would deliver everything twice.
pub(in crate::web) const KINDS: [&str; 2] = [Webhook::KIND, Standing::KIND];
