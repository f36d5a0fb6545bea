//! Approved cases → documents in a folder: chosen, sifted, composed, written, recorded. Command line and desk do the same.
//!
//! - [`choose`]: which cases; [`Batch`]: which documents.
//! - [`preview`]: the documents as they would be; [`export`]: written, and in the histories of their cases.

mod choose;
mod export;
mod sift;
mod write;

use std::path::PathBuf;

pub use choose::choose;
pub use export::{Batch, Exported, export, preview, provider, templates, today};
pub use write::{Written, WrittenFile, write_whole};

use crate::{cases, evidence, notice, store};

/// Why documents are not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A case is not there, or cannot be notified.
    #[error(transparent)]
    Cases(#[from] cases::Error),
    /// The bundles of evidence are not known.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// Documents lack mandatory fields.
    #[error(transparent)]
    Incomplete(#[from] notice::Incomplete),
    /// A document cannot be made.
    #[error(transparent)]
    Notice(#[from] notice::Error),
    /// Something is missing or must not be: in the configuration, the catalogue or the cases.
    #[error("{0}")]
    Unfit(String),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
