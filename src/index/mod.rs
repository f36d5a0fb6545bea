//! Fingerprints on disk, found by their tuples of peaks: here are fingerprints, gives immutable segments; here are keys,
//! gives postings; here is a recording, gives its peaks. Memory-mapped, checksummed, specified in
//! `fingerprints/FORMAT.md`.
//!
//! - [`write_segment`], [`SegmentBuilder`]: fingerprints → one segment file; the second in bounded memory.
//! - [`merge_into`]: several [`Segment`]s → one.
//! - [`next_merge`]: which segments are to be merged next.
//! - [`Segment`]: one open segment file.
//! - [`Manifest`]: which segments, less which recordings, are the catalogue's index right now.
//! - [`Index`]: the open segments of a manifest, as one; [`Index::lookup`] finds the postings under keys.

mod bits;
mod catalogue;
mod family;
mod file;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod lookup;
mod manifest;
mod merge;
mod peaks;
mod policy;
mod postings;
mod reader;
mod set;
mod units;
mod writer;

pub use catalogue::{Index, RecordingIndex};
pub use family::Family;
pub use file::TEMPORARY_PREFIX;
pub use format::Error;
pub use lookup::{Answer, CostLimit, LookupReport, Probes, Reach};
pub use manifest::{Manifest, SegmentEntry};
pub use merge::{Source, merge_into};
pub use peaks::kept;
pub use policy::{MERGED_RECORDINGS_MAX, REMOVED_MAX, is_small, next_merge};
pub use reader::Segment;
pub use set::Removed;
pub use writer::{SegmentBuilder, write_segment};
