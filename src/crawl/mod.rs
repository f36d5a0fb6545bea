//! The crawl: here are seeds; gives every media object that their pages play or link to, as a [`Sighting`] with its
//! bytes in a file.
//!
//! - [`Plan`]: what one run may do, from a site's settings ([`Plan::for_site`]) or for one URL ([`Plan::for_url`]).
//! - [`crawl`]: carries a plan out and tells of it in [`Event`]s: found, skipped (with the reason), failed.
//! - [`discover`](discover::discover): what a document leads to; pure.
//! - [`robots`]: the rules of RFC 9309.
//! - [`domain_of`]: by what name an operator is known in licences.
//!
//! The way of one task, in the order of the files: `frontier` (what is next) → `pace` (when) → `robots` (whether) →
//! `fetch` (hop by hop) → `sniff` (what it is) → `discover` (a document), `sitemaps` or `keep` (media) → `event`.

mod address;
pub mod discover;
mod engine;
mod event;
mod fetch;
mod frontier;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod keep;
mod pace;
mod plan;
pub mod robots;
mod sighting;
mod sitemaps;
mod sniff;

pub use address::{domain_of, key};
pub use engine::{Summary, crawl};
pub use event::{Error, Event, Failure, Found, PageRead, Skip, SkipReason};
pub use plan::Plan;
pub use sighting::{Hop, RobotsDecision, Sighting};
pub use sniff::{Content, sniff};
