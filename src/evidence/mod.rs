//! Evidence: here is a case with its sightings, the recorded requests and the bytes; gives one signed file that anybody
//! can verify offline. The file's format is told in `docs/evidence.md`.
//!
//! - [`Capture`]: what was recorded when the file was seen; [`keep_capture`] keeps it with the case, [`captures`] gives
//!   those of a case that a bundle has room for, [`left_out`] the others.
//! - [`log`]: what was done, as a chain of digests.
//! - [`environment()`], [`keep_environment`]: where it was done; [`clock_offset`]: how far the clock there was off.
//! - [`signing_key`], [`rotate`], [`PublicKey`]: who vouches for it.
//! - [`Draft`]: captures and documents → a bundle; [`attach_timestamp`] for its token.
//! - [`ReplayRecord`], [`Replay`]: the match made again from what is in the bundle.
//! - [`Excerpts`]: what both sound like, as files; [`Listener`] hears them again.
//! - [`Redaction`], [`Annex`], [`open_annex`]: a bundle for others, with the whole one sealed inside.
//! - [`verify()`]: a bundle → each check with its result.
//! - [`timestamp`]: time-stamps of a third party (RFC 3161), obtained and verified.
//! - [`pictures`]: what a match rests on, as pictures.
//! - [`artefacts()`]: what a bundle holds; [`factors`]: which part of a bundle answers which factor that a Chinese court looks at.
//!
//! Invariants: a bundle is a function of what it is made from, the key and the instant; nothing in it is outside the
//! signature but the time-stamp and what follows from the rest; what verifies needs no store and no network.

mod capture;
mod room;
mod container;
mod error;
mod section;
mod merkle;
mod keys;
pub mod log;
mod environment;
mod clock;
mod warc;
mod manifest;
mod replay;
mod excerpts;
mod made;
mod bundle;
mod packing;
mod withheld;
mod redaction;
mod annex;
mod opening;
mod reading;
mod verify;
mod artefacts;
pub mod timestamp;
pub mod pictures;
pub mod factors;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod tests;

pub use annex::{Annex, AnnexRecord, is_redacted};
pub use artefacts::artefacts;
pub use bundle::{DOCUMENT_BYTES_MAX, Draft, Sealed, Stamp};
pub use capture::{Capture, CaptureRecord, captures, keep_capture, left_out};
pub use clock::{ClockOffset, ClockReading, OffsetEstimate, clock_offset, keep_reading};
pub use environment::{
    ClockSource, Environment, Program, System, SystemFile, environment, keep_environment, kept_environment,
    without_secrets,
};
pub use error::Error;
pub use excerpts::{
    Alignment, EXCERPTS_FORMAT, Excerpt, ExcerptOf, Excerpts, LeftOut, Listener, read_wav, wav,
};
pub use keys::{KEY_FILE, KeyRecord, PublicKey, SigningKey, public_keys, rotate, signing_key};
pub use made::{
    BundleRecord, PendingBundle, known_root, newest_bundle, newest_bundle_beside, newest_bundle_of,
};
pub use manifest::{Listed, Manifest, Signature, document};
pub use merkle::{leaf_line, merkle_root};
pub use opening::{OpenedAnnex, open_annex};
pub use packing::{attach_timestamp, timestamp_imprint};
pub use redaction::Redaction;
pub use replay::{
    Exact, ExactMatch, MediaPlace, REPLAY_FORMAT, ReferencePlace, Replay, ReplayRecord, ReplaySettings,
    Replayed, Rerun, TAGS_FORMAT,
};
pub use section::{ReadAt, Section, SectionReader};
pub use verify::{Check, Demands, Outcome, Report, StampCheck, case_and_root_of, verify};

use crate::store::Kinds;

/// Adds this room's kinds of record to those that an import knows.
#[must_use]
pub fn with_kinds(kinds: Kinds) -> Kinds {
    kinds
        .with::<log::LogRecord>()
        .with::<log::LogHead>()
        .with::<log::LogMention>()
        .with::<CaptureRecord>()
        .with::<KeyRecord>()
        .with::<ClockReading>()
        .with::<BundleRecord>()
        .with::<PendingBundle>()
}
