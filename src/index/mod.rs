//! Fingerprints on disk, found by their quads: here are fingerprints, gives immutable segments; here is a quad, gives
//! postings; here is a recording, gives its peaks. Memory-mapped, checksummed, specified in `fingerprints/FORMAT.md`.
//!
//! - [`write_segment`]: fingerprints → one segment file.
//! - [`Segment`]: one open segment file.
//! - [`Manifest`]: which segments, less which recordings, are the catalogue's index right now.
//! - [`Index`]: the open segments of a manifest, as one.

mod format;
mod manifest;
mod reader;
mod writer;

pub use format::Error;
pub use manifest::{Manifest, SegmentEntry};
pub use reader::{Index, Posting, RecordingIndex, Segment};
pub use writer::write_segment;
