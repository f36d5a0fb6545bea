//! Records of a kind, and batches of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, line};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 512;

/// The longest encoded record, in bytes. The engine's tree nodes stay under the size at which it would move them
/// to files that it neither syncs nor ever removes.
pub const VALUE_BYTES_MAX: usize = 64 << 10;

/// The longest encoded batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 32 << 20;

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned {
    /// The tree's name and the `kind` in exports, for example `recording`. Lower case, unique.
    const KIND: &'static str;
    /// Whether the record must never be lost (catalogue, licences, cases, decisions): journalled and fsynced
    /// before a commit returns. Others (crawl frontier, caches) may lose the last moments before a power cut.
    const JOURNALLED: bool;
    /// The record's key within its kind, 1 to [`KEY_BYTES_MAX`] bytes. Keys sort as text.
    fn key(&self) -> String;
}

/// One put or delete of a batch.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) kind: String,
    pub(super) journalled: bool,
    pub(super) key: String,
    pub(super) value: Option<Vec<u8>>,
}

/// Puts and deletes that become visible together or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    changes: Vec<Change>,
    bytes: usize,
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
    /// [`Error::Record`] when the record cannot be encoded, [`Error::TooLarge`] and [`Error::EmptyKey`] when the
    /// store does not take it.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        let key = record.key();
        let value = serde_json::to_vec(record).map_err(|source| Error::Record {
            kind: R::KIND,
            key: key.clone(),
            source,
        })?;
        if key.is_empty() {
            return Err(Error::EmptyKey { kind: R::KIND });
        }
        check_size(R::KIND, &key, "key", key.len(), KEY_BYTES_MAX)?;
        check_size(R::KIND, &key, "value", value.len(), VALUE_BYTES_MAX)?;
        self.push(Change { kind: R::KIND.to_owned(), journalled: R::JOURNALLED, key, value: Some(value) });
        Ok(())
    }

    /// Adds a key to be removed; removing what is not there is no error.
    pub fn delete<R: Record>(&mut self, key: &str) {
        // No record can have such a key, so there is nothing to remove.
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return;
        }
        let kind = R::KIND.to_owned();
        self.push(Change { kind, journalled: R::JOURNALLED, key: key.to_owned(), value: None });
    }

    /// Returns whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns how many puts and deletes were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Returns about how many bytes the batch takes in the journal; at most [`BATCH_BYTES_MAX`] can be committed.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, change: Change) {
        self.bytes += change.kind.len() + change.key.len() + change.value.as_ref().map_or(0, Vec::len) + 64;
        self.changes.push(change);
    }

    pub(super) fn into_changes(self) -> Result<Vec<Change>, Error> {
        let first = self.changes.first();
        check_size(
            first.map_or("", |change| &change.kind),
            first.map_or("", |change| &change.key),
            "batch",
            self.bytes,
            BATCH_BYTES_MAX,
        )?;
        Ok(self.changes)
    }
}

/// Returns the journal's payload: the lines of the journalled changes; empty where there are none.
pub(super) fn journal_payload(changes: &[Change]) -> Vec<u8> {
    let mut payload = Vec::new();
    for change in changes.iter().filter(|change| change.journalled) {
        line::encode(&change.kind, &change.key, change.value.as_deref(), &mut payload);
    }
    payload
}

pub(super) fn check_size(
    kind: &str,
    key: &str,
    what: &'static str,
    size: usize,
    limit: usize,
) -> Result<(), Error> {
    if size <= limit {
        return Ok(());
    }
    let key = key.chars().take(40).collect();
    Err(Error::TooLarge { kind: kind.to_owned(), key, what, size, limit })
}

/// A check of one encoded record: gives its key, or what is wrong with it.
type Check = fn(&[u8]) -> Result<String, serde_json::Error>;

/// The kinds of record that a program knows: what [`super::Store::import`] checks lines against.
#[derive(Default)]
pub struct Kinds {
    known: std::collections::BTreeMap<&'static str, (bool, Check)>,
}

impl Kinds {
    /// Starts with no kinds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind.
    #[must_use]
    pub fn with<R: Record>(mut self) -> Self {
        let check: Check = |value| serde_json::from_slice::<R>(value).map(|record| record.key());
        self.known.insert(R::KIND, (R::JOURNALLED, check));
        self
    }

    /// Checks one line; gives the change to commit.
    pub(super) fn check(&self, operation: line::Operation) -> Result<Change, String> {
        let line::Operation { kind, key, value } = operation;
        let Some((journalled, check)) = self.known.get(kind.as_str()) else {
            let known: Vec<&str> = self.known.keys().copied().collect();
            return Err(format!("unknown kind `{kind}` (known: {})", known.join(", ")));
        };
        let Some(value) = value else { return Err("`value` is null".to_owned()) };
        let own_key = check(&value).map_err(|error| format!("{kind} `{key}`: {error}"))?;
        if own_key != key {
            return Err(format!("{kind}: key is `{key}`, but the value's own key is `{own_key}`"));
        }
        if key.is_empty() {
            return Err(format!("{kind}: the key is empty"));
        }
        check_size(&kind, &key, "key", key.len(), KEY_BYTES_MAX).map_err(|error| error.to_string())?;
        check_size(&kind, &key, "value", value.len(), VALUE_BYTES_MAX).map_err(|error| error.to_string())?;
        Ok(Change { kind, journalled: *journalled, key, value: Some(value) })
    }
}
