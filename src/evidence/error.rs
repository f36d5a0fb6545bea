//! What can go wrong with evidence.

use std::path::PathBuf;

use crate::base::Digest;
use crate::store;

/// What can go wrong with evidence; each message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What was recorded when a case's file was seen cannot be read or kept.
    #[error(
        "case {case_id}: the capture {sha256} of {media_url}: {reason}; `earwitness store check` tells what else is damaged"
    )]
    Capture {
        /// The case.
        case_id: String,
        /// Where the file was seen.
        media_url: String,
        /// SHA-256 of the capture, under which the store keeps it.
        sha256: Digest,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The signing key's file is not what it should be.
    #[error("signing key {path}: {what}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A public key that was given is none.
    #[error("{what}: not an Ed25519 public key in PEM ({why})")]
    PublicKey {
        /// What was given.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Bytes that the evidence rests on are no longer kept.
    #[error("the store no longer has the bytes {sha256} of {what}; restore its folder `blobs` from a backup")]
    Missing {
        /// What they are.
        what: String,
        /// Their digest.
        sha256: Digest,
    },
    /// Kept bytes are not those that their name says.
    #[error("the store's bytes {sha256} of {what} are damaged; restore its folder `blobs` from a backup")]
    Damaged {
        /// What they are.
        what: String,
        /// Their digest as recorded.
        sha256: Digest,
    },
    /// Something that a bundle must hold cannot be put into one.
    #[error("case {case_id}: {what}")]
    Bundle {
        /// The case.
        case_id: String,
        /// What is wrong.
        what: String,
    },
    /// A file is no bundle of ours.
    #[error("{what}")]
    NotABundle {
        /// Why, with the place.
        what: String,
    },
    /// The sealed annex of a redacted bundle cannot be made or opened.
    #[error("the sealed annex: {what}")]
    Annex {
        /// What is wrong, and what to do.
        what: String,
    },
    /// The operation log does not hang together.
    #[error("operation log, entry {number}: {what}")]
    Log {
        /// Which entry.
        number: u64,
        /// What is wrong there.
        what: String,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random number for an entry of the operation log")]
    Random,
    /// A record cannot be written as JSON.
    #[error("{what} cannot be written as JSON: {source}")]
    Json {
        /// What.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl Error {
    /// Returns a closure that wraps an I/O error on `path`.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
