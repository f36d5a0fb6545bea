//! What can go wrong with evidence.

use crate::base::Digest;
use crate::store;

/// What can go wrong with evidence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not work.
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
}
