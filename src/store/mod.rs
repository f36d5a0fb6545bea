//! The embedded store: small typed records in one tree per kind. Here is a record, keep it; here is a key, give
//! me the record. The only user of sled.
//!
//! - [`Record`]: what a kind of record must say of itself.
//! - [`Batch`]: puts and deletes, of any kinds, that become visible together or not at all.
//! - [`Store`]: opens a folder (locked to one process), reads, scans and commits.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned {
    /// The tree's name and the `kind` in exports, for example `recording`. Lower case, unique.
    const KIND: &'static str;
    /// Whether the record must never be lost (catalogue, licences, cases, decisions): journalled and fsynced
    /// before a commit returns. Others (crawl frontier, caches) may lose the last moments before a power cut.
    const JOURNALLED: bool;
    /// The record's key within its kind, at most 512 bytes. Keys sort as text.
    fn key(&self) -> String;
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the folder.
    #[error(
        "store {0} is in use by another process; wait for it to end, or choose another folder with --store"
    )]
    Locked(PathBuf),
    /// The engine failed.
    #[error("store {path}: {source}")]
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
}

/// Puts and deletes that become visible together or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    operations: Vec<(&'static str, String, Option<Vec<u8>>)>,
}

impl Batch {
    /// Starts an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record to be written, in place of one with the same key.
    ///
    /// # Errors
    /// [`Error::Record`] when the record cannot be encoded.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        let value = serde_json::to_vec(record).map_err(|source| Error::Record {
            kind: R::KIND,
            key: record.key(),
            source,
        })?;
        self.operations.push((R::KIND, record.key(), Some(value)));
        Ok(())
    }

    /// Adds a key to be removed; removing what is not there is no error.
    pub fn delete<R: Record>(&mut self, key: &str) {
        self.operations.push((R::KIND, key.to_owned(), None));
    }
}

/// An open store.
pub struct Store {
    path: PathBuf,
    db: sled::Db,
}

impl Store {
    /// Opens the store in `path`, which is made where missing, and takes its lock.
    ///
    /// # Errors
    /// [`Error`] when the folder is in use, damaged beyond rebuilding, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let db = sled::open(path.join("trees"))
            .map_err(|source| Error::Engine { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), db })
    }

    /// Returns the store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes all of `batch` durable and visible together.
    ///
    /// # Errors
    /// [`Error`] when it could not be made durable; then nothing of it is visible.
    pub fn commit(&self, batch: Batch) -> Result<(), Error> {
        for (kind, key, value) in batch.operations {
            let tree = self.tree(kind)?;
            match value {
                Some(value) => tree.insert(key, value),
                None => tree.remove(key),
            }
            .map_err(|source| Error::Engine { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    /// Commits a single record.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn put<R: Record>(&self, record: &R) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.put(record)?;
        self.commit(batch)
    }

    /// Returns the record with `key`, or `None`.
    ///
    /// # Errors
    /// [`Error`] when the store cannot be read or the record is damaged.
    pub fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        let value = self
            .tree(R::KIND)?
            .get(key)
            .map_err(|source| Error::Engine { path: self.path.clone(), source })?;
        value.map(|bytes| decode(key.as_bytes(), &bytes)).transpose()
    }

    /// Iterates over the records whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// [`Error`] when the tree cannot be opened; each item may fail on its own.
    pub fn scan<R: Record>(&self, prefix: &str) -> Result<Scan<R>, Error> {
        Ok(Scan {
            inner: self.tree(R::KIND)?.scan_prefix(prefix),
            path: self.path.clone(),
            kind: PhantomData,
        })
    }

    fn tree(&self, kind: &str) -> Result<sled::Tree, Error> {
        self.db.open_tree(kind).map_err(|source| Error::Engine { path: self.path.clone(), source })
    }
}

/// The records of one kind under a prefix; see [`Store::scan`].
pub struct Scan<R> {
    inner: sled::Iter,
    path: PathBuf,
    kind: PhantomData<R>,
}

impl<R: Record> Iterator for Scan<R> {
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.inner.next()?;
        Some(
            entry
                .map_err(|source| Error::Engine { path: self.path.clone(), source })
                .and_then(|(key, bytes)| decode(&key, &bytes)),
        )
    }
}

fn decode<R: Record>(key: &[u8], bytes: &[u8]) -> Result<R, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Record {
        kind: R::KIND,
        key: String::from_utf8_lossy(key).into_owned(),
        source,
    })
}
