//! What can go wrong with the store; each message says what, where, and what to do.

use std::path::{Path, PathBuf};

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the folder.
    #[error(
        "store {path} is in use by another process{}; wait for it to end, or choose another folder with --store",
        .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The store's folder.
        path: PathBuf,
        /// The process that holds it, as far as it is known.
        pid: Option<u32>,
    },
    /// The engine failed.
    #[error(
        "store {path}: {source}{}",
        if matches!(.source, sled::Error::Io(_)) { "" } else { "; repair it with `earwitness store rebuild`" }
    )]
    Engine {
        /// The store's folder.
        path: PathBuf,
        /// What the engine said.
        source: sled::Error,
    },
    /// A file of the store could not be read or written.
    #[error("store file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A stored record is not of the form it should have.
    #[error("store {kind} `{key}` is damaged: {source}")]
    Record {
        /// The record's kind.
        kind: &'static str,
        /// Its key.
        key: String,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// A record, a key or a batch is larger than the store takes.
    #[error(
        "store {kind} `{key}`: {what} of {size} bytes is over the limit of {limit}; keep large things in files"
    )]
    TooLarge {
        /// The record's kind.
        kind: String,
        /// The beginning of its key.
        key: String,
        /// `key`, `value` or `batch`.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The largest size that is taken, in bytes.
        limit: usize,
    },
    /// A record has an empty key.
    #[error("store {kind}: a record with an empty key cannot be kept")]
    EmptyKey {
        /// The record's kind.
        kind: &'static str,
    },
    /// Backup and store do not go together, or the backup is damaged.
    #[error("backup: {path}: {what}")]
    Backup {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A restoring was cut off.
    #[error("store {path}: `earwitness store restore` was cut off here, so it is not whole; run it again")]
    HalfRestored {
        /// The store's folder.
        path: PathBuf,
    },
    /// Whoever asked for a copy no longer wants it.
    #[error("copying into {path} was stopped")]
    Stopped {
        /// The folder that was written.
        path: PathBuf,
    },
    /// The file system is nearly full.
    #[error(
        "store {path}: only {free} bytes are free, {needed} must stay free; \
         make space, or lower `storage.keep_free_bytes` in the configuration"
    )]
    NoSpace {
        /// The folder that was to be written.
        path: PathBuf,
        /// Bytes free now.
        free: u64,
        /// Bytes that must stay free.
        needed: u64,
    },
    /// The folder holds something else.
    #[error("{path} is not a store and not empty; choose another folder with --store")]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// The store was written by a newer version of this program.
    #[error("store file {path} has version {found}, this program knows {known}; use a newer earwitness")]
    Newer {
        /// The file that says so.
        path: PathBuf,
        /// The version it has.
        found: u64,
        /// The newest version known here.
        known: u64,
    },
    /// A file of the store holds bytes that were not written so.
    #[error(
        "store file {path} is damaged at byte {offset}: {what}; restore a backup, or keep all that can still be \
         read with `earwitness store rebuild`"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// An earlier write failed half way, so that this handle no longer knows what is on disk.
    #[error(
        "store {path}: an earlier write failed ({why}); start the program again, which repairs the store"
    )]
    Poisoned {
        /// The store's folder.
        path: PathBuf,
        /// What the earlier failure was.
        why: String,
    },
}

impl Error {
    /// Returns a closure that wraps an I/O error on `path`.
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Returns a closure that wraps an engine error of the store in `path`.
    pub(super) fn engine(path: &Path) -> impl FnOnce(sled::Error) -> Self + '_ {
        move |source| Self::Engine { path: path.to_owned(), source }
    }
}
