//! The crawl: here are seeds; gives every media object that their pages play or link to, as a [`Sighting`] with its
//! bytes in a file.
//!
//! - [`Plan`]: what one run may do, from a site's settings ([`Plan::for_site`]) or for one URL ([`Plan::for_url`]).
//! - [`crawl`]: carries a [`Run`] out and tells of it in [`Event`]s: found, skipped (with the reason), failed. Its state is
//!   in the store: a run that was killed goes on.
//! - [`Lanes`]: the turns at hosts, shared by the runs of a process.
//! - [`Status`], [`running`], [`kept`], [`jobs`], [`ask_to_stop`]: how runs stand, for whoever wants to know.
//! - [`discover`](discover::discover): what a document leads to; pure.
//! - [`robots`]: the rules of RFC 9309.
//! - [`render`]: pages made by scripts, in the machine's Chromium.
//! - [`known_host`]: what `yt-dlp` knows of a URL.
//! - [`domain_of`]: by what name an operator is known in licences.
//!
//! The way of one task, in the order of the files: `frontier` (what is next) → `lanes`, `pace` (when) → `fetch` with
//! `robots` (whether, hop by hop) → `read` with `sniff` (what it is) → `discover` (a document), `sitemaps`, `probe` (windows
//! of long media) or `keep` (media) → `event`. `records`, `exchanges` and `ledger` are what is kept of it.

mod address;
pub mod archive;
mod clearing;
pub mod discover;
mod engine;
#[cfg(test)]
mod engine_tests;
mod event;
mod exchanges;
mod fetch;
mod frontier;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod keep;
mod known;
mod lanes;
mod ledger;
pub mod known_host;
mod pace;
#[cfg(test)]
mod pace_tests;
mod plan;
mod probe;
mod read;
mod records;
pub mod render;
pub mod robots;
mod scope;
mod scripted;
mod shapes;
mod sighting;
mod sitemaps;
mod sniff;
mod status;
mod stream;
mod unpack;

pub use address::{domain_of, key};
pub use clearing::{forget, remove_site};
pub use engine::{Run, crawl};
pub use event::{Error, Event, Failure, Found, Hearing, LeadFound, PageRead, Probe, Skip, SkipReason};
pub use lanes::Lanes;
pub use plan::{Budget, Plan};
pub use records::{
    Heard, HostRecord, JobRecord, JobState, LeadRecord, RobotsFetched, SightingRecord, SiteRecord,
    SkipRecord, Summary, Window, job_key, with_kinds,
};
pub use sighting::{Hop, InArchive, RobotsDecision, Sighting};
pub use sniff::{ArchiveKind, Content, sniff};
pub use status::{HostStatus, Status, ask_to_stop, jobs, kept, running};
