//! The embedded store: small typed records in one tree per kind. Here is a record, keep it; here is a key, give
//! me the record. The only user of sled.
//!
//! - [`Record`]: what a kind of record must say of itself.
//! - [`Batch`]: puts and deletes, of any kinds, that become visible together or not at all.
//! - [`Store`]: opens a folder (locked to one process), reads, scans and commits.
//! - [`Blobs`]: large things (media bytes, documents), in files named by their digest.
//! - [`Store::hold`], [`Store::release`], [`Pin`]: large things that are kept for a time.
//! - [`Store::watch`], [`Watch`]: which records were changed, for views that are kept in memory.
//! - [`Store::backup`], [`restore`]: a copy of all of it taken while it is in use, and a store made of one.
//! - [`Kinds`]: the kinds of record that an import is checked against.
//!
//! What must not be lost goes into an append-only, checksummed, fsynced journal first; the trees are a cache of
//! it that is repaired or rebuilt at opening. Records of other kinds live in the trees alone.

mod error;
mod files;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod line;
mod record;
mod journal;
mod trees;
mod blobs;
mod holds;
mod engine;
mod opening;
mod transfer;
mod backup;
mod restore;
mod repair;
mod watch;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use backup::{BackupPlan, BackupReport, Copied, Going};
pub use blobs::{BlobWriter, Blobs, StoredBlob};
pub use engine::{KEEP_FREE_BYTES, Options, Scan, Store};
pub use error::Error;
pub use files::{FreeSpace, system_free_space};
pub use holds::{Hold, Pin};
pub use record::{BATCH_BYTES_MAX, Batch, KEY_BYTES_MAX, Kinds, Record, VALUE_BYTES_MAX};
pub use repair::{CheckReport, Gap, KindStats, RebuildReport, Stats};
pub use restore::{RestorePlan, Restored, restore};
pub use transfer::{Import, ImportReport, LineProblem, OtherLine};
pub use watch::Watch;
