//! The trees: a cache of the journal, and the home of what is not journalled. The only file that touches sled.
//!
//! One sled tree per kind: `j/KIND` for journalled kinds, `c/KIND` for the others, `meta` for how far the journal
//! was applied. Each change goes in one sled transaction together with that mark.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use super::record::Change;

/// The engine's cache, in bytes; its own default is 1 GiB.
const CACHE_BYTES: u64 = 64 << 20;

/// A node or value over a quarter of a segment would go to a file of its own, which the engine neither syncs nor
/// ever removes. A leaf splits over 16 entries, so the largest is 17 × 64 KiB and some: well under 2 MiB.
const SEGMENT_BYTES: usize = 8 << 20;

const META: &str = "meta";
const MARK: &[u8] = b"mark";

/// Up to where the journal was applied, and how much is live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The journal's generation; 0 before any was applied.
    pub(super) generation: u64,
    /// The offset in the journal behind the last frame applied.
    pub(super) applied: u64,
    /// Bytes of keys and values of journalled kinds.
    pub(super) live_journalled: u64,
    /// Bytes of keys and values of the other kinds.
    pub(super) live_other: u64,
}

impl Mark {
    fn encode(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let numbers = [self.generation, self.applied, self.live_journalled, self.live_other];
        for (slot, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let mut numbers = bytes
            .chunks_exact(8)
            .map(|chunk| chunk.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)));
        Some(Self {
            generation: numbers.next()?,
            applied: numbers.next()?,
            live_journalled: numbers.next()?,
            live_other: numbers.next()?,
        })
    }

    /// Counts bytes that came and went.
    fn count(&mut self, journalled: bool, added: u64, removed: u64) {
        let live = if journalled { &mut self.live_journalled } else { &mut self.live_other };
        *live = (*live + added).saturating_sub(removed);
    }
}

/// Why the trees could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// Something outside is in the way (space, permissions, another process); the trees may well be whole.
    Outside(sled::Error),
    /// The trees are damaged; the text says how.
    Damaged(String),
}

/// The open trees.
pub(super) struct Trees {
    db: sled::Db,
    meta: sled::Tree,
}

impl Trees {
    /// Opens the trees in `path`, first clearing away what a start on a full disk left there.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        remove_half_snapshots(path).map_err(|error| OpenError::Outside(error.into()))?;
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).segment_size(SEGMENT_BYTES);
        // The engine panics on some kinds of damage; in a thread of its own that costs only the thread.
        let opened = std::thread::Builder::new()
            .name("open-trees".to_owned())
            .spawn(move || {
                let db = config.open()?;
                let meta = db.open_tree(META)?;
                meta.get(MARK)?;
                Ok(Self { db, meta })
            })
            .map_err(|error| OpenError::Outside(error.into()))?;
        match opened.join() {
            Ok(Ok(trees)) => Ok(trees),
            Ok(Err(error @ sled::Error::Io(_))) => Err(OpenError::Outside(error)),
            Ok(Err(error)) => Err(OpenError::Damaged(error.to_string())),
            Err(_) => Err(OpenError::Damaged("the engine panicked".to_owned())),
        }
    }

    /// Returns the mark; the default where there is none yet.
    pub(super) fn mark(&self) -> sled::Result<Mark> {
        Ok(self.meta.get(MARK)?.and_then(|bytes| Mark::decode(&bytes)).unwrap_or_default())
    }

    /// Sets the mark alone.
    pub(super) fn set_mark(&self, mark: Mark) -> sled::Result<()> {
        self.meta.insert(MARK, &mark.encode()).map(drop)
    }

    /// Makes all changes visible together, with the mark moved to `generation` and `applied`.
    pub(super) fn apply(&self, changes: &[Change], generation: u64, applied: u64) -> sled::Result<()> {
        let (trees, slots) = self.trees_of(changes)?;
        let base = Mark { generation, applied, ..self.mark()? };
        let outcome: Result<(), TransactionError<()>> = trees.as_slice().transaction(|views| {
            // The engine may run this several times, so it begins from `base` each time.
            let mut mark = base;
            for (change, &slot) in changes.iter().zip(&slots) {
                let key_bytes = change.key.len() as u64;
                let (added, before) = match &change.value {
                    Some(value) => {
                        let before = views[slot].insert(change.key.as_bytes(), value.as_slice())?;
                        (key_bytes + value.len() as u64, before)
                    }
                    None => (0, views[slot].remove(change.key.as_bytes())?),
                };
                let removed = before.map_or(0, |value| key_bytes + value.len() as u64);
                mark.count(change.journalled, added, removed);
            }
            views[0].insert(MARK, &mark.encode())?;
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        match outcome {
            Ok(()) | Err(TransactionError::Abort(())) => Ok(()),
            Err(TransactionError::Storage(error)) => Err(error),
        }
    }

    /// Returns the meta tree and each tree that the changes touch, and for each change which of them is its own.
    fn trees_of(&self, changes: &[Change]) -> sled::Result<(Vec<sled::Tree>, Vec<usize>)> {
        let mut trees = vec![self.meta.clone()];
        let mut known: BTreeMap<(&str, bool), usize> = BTreeMap::new();
        let mut slots = Vec::with_capacity(changes.len());
        for change in changes {
            let name = (change.kind.as_str(), change.journalled);
            let slot = match known.get(&name) {
                Some(&slot) => slot,
                None => {
                    trees.push(self.tree(&change.kind, change.journalled)?);
                    known.insert(name, trees.len() - 1);
                    trees.len() - 1
                }
            };
            slots.push(slot);
        }
        Ok((trees, slots))
    }

    /// Opens the tree of a kind.
    pub(super) fn tree(&self, kind: &str, journalled: bool) -> sled::Result<sled::Tree> {
        self.db.open_tree(tree_name(kind, journalled))
    }

    /// Returns the kinds that have a tree, sorted, and whether each is journalled.
    pub(super) fn kinds(&self) -> Vec<(String, bool)> {
        let names = self.db.tree_names();
        let mut kinds: Vec<_> = names
            .iter()
            .filter_map(|name| {
                let name = std::str::from_utf8(name).ok()?;
                let journalled = name.strip_prefix("j/").map(|kind| (kind.to_owned(), true));
                journalled.or_else(|| name.strip_prefix("c/").map(|kind| (kind.to_owned(), false)))
            })
            .collect();
        kinds.sort();
        kinds
    }

    /// Empties the trees of journalled kinds, for replaying the whole journal; then sets the mark.
    pub(super) fn clear_journalled(&self, generation: u64, applied: u64) -> sled::Result<()> {
        for (kind, _) in self.kinds().iter().filter(|(_, journalled)| *journalled) {
            self.tree(kind, true)?.clear()?;
        }
        let mark = self.mark()?;
        self.set_mark(Mark { generation, applied, live_journalled: 0, live_other: mark.live_other })
    }

    /// Copies the trees that `wanted` says, by whether they are journalled, into the empty trees `other`.
    pub(super) fn copy_to(&self, other: &Self, wanted: fn(bool) -> bool) -> sled::Result<()> {
        for (kind, journalled) in self.kinds().into_iter().filter(|(_, journalled)| wanted(*journalled)) {
            let target = other.tree(&kind, journalled)?;
            for entry in &self.tree(&kind, journalled)? {
                let (key, value) = entry?;
                target.insert(key, value)?;
            }
        }
        other.db.flush().map(drop)
    }

    /// Returns how many bytes the trees take on disk.
    pub(super) fn size_on_disk(&self) -> sled::Result<u64> {
        self.db.size_on_disk()
    }
}

fn tree_name(kind: &str, journalled: bool) -> String {
    format!("{}/{kind}", if journalled { 'j' } else { 'c' })
}

/// Removes `snap.*.generating`: an open on a full disk leaves it empty, and then every later open fails.
fn remove_half_snapshots(path: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path: PathBuf = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::warn!("removing {}, left by a start that failed", path.display());
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
