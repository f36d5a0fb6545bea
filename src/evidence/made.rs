//! Which bundles were made: what an older one of a case is told from.
//!
//! A bundle gets its name in a folder of the user's, and is recorded in the store: two places, between which a process can be
//! killed. So its root is kept as [`PendingBundle`] before the file has its name, and becomes a [`BundleRecord`] after. What
//! is pending was either named or not, which the folder tells: [`settle`] looks there, or is shown the file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::annex::is_redacted;
use super::error::Error;
use super::log::{Log, NewEntry};
use super::packing::is_kept;
use super::section::ReadAt;
use super::verify::case_and_root_of;
use crate::base::{Digest, Timestamp};
use crate::store::{Batch, Record, Store};

/// The root of a bundle that was made: what an older one of the same case is told from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleRecord {
    /// The case.
    pub case_id: String,
    /// The Merkle root.
    pub root: Digest,
    /// SHA-256 of the file as it was made; a time-stamp that is attached later changes it, and not the root.
    pub bundle_sha256: Digest,
    /// When.
    pub made_at: Timestamp,
    /// The root of the whole bundle that is sealed in it; `None` where it is whole itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_root: Option<Digest>,
}

impl BundleRecord {
    /// Whether it is a redacted one.
    #[must_use]
    pub const fn is_redacted(&self) -> bool {
        self.sealed_root.is_some()
    }

    /// What its file's name begins with.
    fn stem(&self) -> String {
        format!("{}{}", self.case_id, if self.is_redacted() { "-redacted" } else { "" })
    }
}

impl Record for BundleRecord {
    const KIND: &'static str = "evidence_bundle";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        // A redacted bundle is made at the same instant as the one inside, and comes after it.
        let redacted = if self.is_redacted() { "-redacted" } else { "" };
        let root: String = self.root.to_string().chars().take(8).collect();
        format!("{}#{:030}{redacted}-{root}", self.case_id, self.made_at.as_nanosecond())
    }
}

/// A bundle that is written and about to get its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingBundle {
    /// What it will be recorded as.
    #[serde(flatten)]
    pub bundle: BundleRecord,
    /// The file's length, in bytes.
    pub bytes: u64,
    /// The folder that it is in, as an absolute path.
    pub folder: String,
}

impl Record for PendingBundle {
    const KIND: &'static str = "evidence_bundle_pending";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.bundle.key()
    }
}

impl PendingBundle {
    /// Keeps it, before its file gets a name.
    pub(super) fn keep(
        bundle: BundleRecord,
        bytes: u64,
        folder: &Path,
        store: &Store,
    ) -> Result<Self, Error> {
        let folder = std::path::absolute(folder).map_err(Error::io(folder))?;
        let pending = Self { bundle, bytes, folder: folder.to_string_lossy().into_owned() };
        store.put(&pending)?;
        Ok(pending)
    }

    /// Its file has its name: records it, in the store and in its log.
    pub(super) fn settle(&self, store: &Store) -> Result<(), Error> {
        let bundle = &self.bundle;
        let mut log = Log::open(store)?;
        let mut batch = Batch::new();
        batch.put(bundle)?;
        batch.delete::<Self>(&self.key());
        let kind = if bundle.is_redacted() { "redacted bundle" } else { "bundle" };
        let note = format!("{kind} made, Merkle root {}", bundle.root);
        let entry = NewEntry {
            at: bundle.made_at,
            what: "bundle",
            subject: &bundle.case_id,
            actor: "earwitness",
            sha256: Some(bundle.bundle_sha256),
            note: &note,
        };
        log.add(&mut batch, &entry)?;
        Ok(store.commit(batch)?)
    }

    /// Its file never got its name.
    pub(super) fn forget(&self, store: &Store) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.delete::<Self>(&self.key());
        Ok(store.commit(batch)?)
    }

    fn is_there(&self) -> bool {
        let (stem, sha256) = (self.bundle.stem(), &self.bundle.bundle_sha256);
        is_kept(Path::new(&self.folder), &stem, (sha256, self.bytes))
    }
}

/// Records the bundles of a case whose making was ended between naming the file and recording it; gives those that are still
/// pending. `shown` is the root of a bundle that somebody has in hand, from wherever.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub(super) fn settle(
    store: &Store,
    case_id: &str,
    shown: Option<&Digest>,
) -> Result<Vec<PendingBundle>, Error> {
    let pending = store.scan::<PendingBundle>(&format!("{case_id}#"))?.collect::<Result<Vec<_>, _>>()?;
    let mut left = Vec::new();
    for one in pending {
        if shown == Some(&one.bundle.root) || one.is_there() {
            one.settle(store)?;
        } else {
            left.push(one);
        }
    }
    Ok(left)
}

/// The newest bundle of a case that the store knows of. Where the making of one was ended before it was recorded, it is
/// recorded now, if its file is where it was put.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn newest_bundle(store: &Store, case_id: &str) -> Result<Option<BundleRecord>, Error> {
    newest(store, case_id, None, None)
}

/// As [`newest_bundle`], of those that are whole, or that are redacted.
///
/// # Errors
/// As [`newest_bundle`].
pub fn newest_bundle_of(store: &Store, case_id: &str, redacted: bool) -> Result<Option<BundleRecord>, Error> {
    newest(store, case_id, None, Some(redacted))
}

/// As [`newest_bundle_of`], for somebody who has a bundle with the root `shown` in hand: it is recorded likewise, wherever it
/// is.
///
/// # Errors
/// As [`newest_bundle`].
pub fn newest_bundle_beside(
    store: &Store,
    case_id: &str,
    shown: &Digest,
    redacted: bool,
) -> Result<Option<BundleRecord>, Error> {
    newest(store, case_id, Some(shown), Some(redacted))
}

/// The root that a bundle must have to be the newest of its case that the store knows of, whole or redacted as it is itself;
/// where the store knows none, a root that no bundle has.
///
/// # Errors
/// As [`newest_bundle`].
pub fn known_root(store: &Store, bundle: &dyn ReadAt) -> Result<Digest, Error> {
    /// No identifier of a case is longer, in bytes.
    const CASE_ID_BYTES_MAX: usize = 64;
    let none = Digest::from_bytes([0; 32]);
    let shown = case_and_root_of(bundle).filter(|(case_id, _)| case_id.len() <= CASE_ID_BYTES_MAX);
    let Some((case_id, root)) = shown else { return Ok(none) };
    Ok(newest_bundle_beside(store, &case_id, &root, is_redacted(bundle))?.map_or(none, |made| made.root))
}

fn newest(
    store: &Store,
    case_id: &str,
    shown: Option<&Digest>,
    redacted: Option<bool>,
) -> Result<Option<BundleRecord>, Error> {
    settle(store, case_id, shown)?;
    let made = store.scan::<BundleRecord>(&format!("{case_id}#"))?;
    let made = made.filter(|made| {
        redacted.is_none_or(|redacted| made.as_ref().map_or(true, |made| made.is_redacted() == redacted))
    });
    Ok(made.collect::<Result<Vec<_>, _>>()?.pop())
}
