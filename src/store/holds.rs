//! Files that are kept for a time: here are bytes and who may need them; they stay until nobody may any more, unless
//! somebody has said meanwhile that they must stay for good.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::{Batch, Error, Record, Store, StoredBlob};
use crate::base::Digest;

/// Holds that are looked at together; whoever wants to hold something waits meanwhile.
const STEP: usize = 1000;

/// A file that somebody may need. It may be lost in a power cut; the file then stays for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which file.
    pub sha256: Digest,
    /// Who may need it.
    pub holder: String,
    /// Whether the file is there for holders only. What was kept before anybody held it is somebody else's.
    pub is_only_held: bool,
}

impl Record for Hold {
    const KIND: &'static str = "blob_hold";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        format!("{}/{}", self.sha256, self.holder)
    }
}

/// A file that stays whoever held it: what a case rests on, the text of a robots.txt. Whoever keeps bytes for good that
/// somebody may hold for a time puts one of these with what refers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Which file.
    pub sha256: Digest,
}

impl Record for Pin {
    const KIND: &'static str = "blob_pin";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.sha256.to_string()
    }
}

impl Store {
    /// Keeps `bytes` for `holder`, until a [`Store::release`] finds that it is over.
    ///
    /// # Errors
    /// As [`super::Blobs::put`] and [`Store::commit`].
    pub fn hold(&self, holder: &str, bytes: &[u8]) -> Result<StoredBlob, Error> {
        let sha256 = Digest::of(bytes);
        let _alone = self.lock_holds();
        let mut is_only_held = !self.blobs().contains(&sha256);
        for hold in self.scan::<Hold>(&format!("{sha256}/"))? {
            is_only_held |= hold?.is_only_held;
        }
        // First, so that a file that is written just before a kill is not forgotten.
        self.put(&Hold { sha256, holder: holder.to_owned(), is_only_held })?;
        self.blobs().put(bytes)
    }

    /// Gives up the holds of all holders for whom `is_over` holds, and removes the files that nobody needs then. Returns
    /// how many were removed.
    ///
    /// # Errors
    /// When the store fails, a file cannot be removed, or `is_over` fails.
    pub fn release(&self, mut is_over: impl FnMut(&str) -> Result<bool, Error>) -> Result<u64, Error> {
        let (mut removed, mut after) = (0, String::new());
        let mut known: BTreeMap<String, bool> = BTreeMap::new();
        loop {
            let holds: Vec<Hold> =
                self.scan_after::<Hold>("", &after)?.take(STEP).collect::<Result<_, _>>()?;
            let Some(last) = holds.last() else { return Ok(removed) };
            after = last.key();
            let _alone = self.lock_holds();
            for hold in &holds {
                let is_over = match known.get(&hold.holder) {
                    Some(&is_over) => is_over,
                    None => *known.entry(hold.holder.clone()).or_insert(is_over(&hold.holder)?),
                };
                if is_over {
                    removed += u64::from(self.remove_unneeded(hold)?);
                    // At once, so that the next hold of the same file is known to be the last one.
                    let mut batch = Batch::new();
                    batch.delete::<Hold>(&hold.key());
                    self.commit(batch)?;
                }
            }
        }
    }

    /// Removes a held file, unless others hold it or it is to stay; returns whether it did.
    fn remove_unneeded(&self, hold: &Hold) -> Result<bool, Error> {
        if !hold.is_only_held || self.get::<Pin>(&hold.sha256.to_string())?.is_some() {
            return Ok(false);
        }
        for other in self.scan::<Hold>(&format!("{}/", hold.sha256))? {
            if other?.holder != hold.holder {
                return Ok(false);
            }
        }
        let path = self.blobs().path(&hold.sha256);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io(&path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        (folder, store)
    }

    fn release(store: &Store, over: &[&str]) -> u64 {
        store.release(|holder| Ok(over.contains(&holder))).unwrap()
    }

    #[test]
    fn what_is_held_goes_with_its_last_holder() {
        let (_folder, store) = store();
        let one = store.hold("a", b"one").unwrap();
        store.hold("a", b"two").unwrap();
        let two = store.hold("b", b"two").unwrap();
        assert!(one.new && !two.new);
        assert_eq!(release(&store, &[]), 0);
        assert_eq!(release(&store, &["a"]), 1);
        assert!(!store.blobs().contains(&one.digest) && store.blobs().contains(&two.digest));
        assert_eq!(release(&store, &["a", "b"]), 1);
        assert!(!store.blobs().contains(&two.digest));
        assert_eq!(store.count::<Hold>().unwrap(), 0);
        // All its holders end at once.
        store.hold("a", b"two").unwrap();
        store.hold("b", b"two").unwrap();
        assert_eq!(release(&store, &["a", "b"]), 1);
        assert!(!store.blobs().contains(&two.digest));
    }

    #[test]
    fn what_was_there_before_and_what_is_pinned_stays() {
        let (_folder, store) = store();
        let before = store.blobs().put(b"before").unwrap().digest;
        store.hold("a", b"before").unwrap();
        let pinned = store.hold("a", b"pinned").unwrap().digest;
        store.put(&Pin { sha256: pinned }).unwrap();
        let gone = store.hold("a", b"gone").unwrap().digest;
        // Held twice by the same one is held once, and still held only.
        store.hold("a", b"gone").unwrap();
        assert_eq!(release(&store, &["a"]), 1);
        let is_kept = |digest| store.blobs().contains(digest);
        assert!(is_kept(&before) && is_kept(&pinned) && !is_kept(&gone));
    }

    #[test]
    fn very_many_are_released_step_by_step() {
        let (_folder, store) = store();
        for number in 0..(2 * STEP + 10) {
            let (sha256, holder) = (Digest::of(&number.to_le_bytes()), format!("{}", number % 3));
            store.put(&Hold { sha256, holder, is_only_held: true }).unwrap();
        }
        assert_eq!(release(&store, &["0", "2"]), 0);
        let left: Vec<_> = store.scan::<Hold>("").unwrap().map(|hold| hold.unwrap().holder).collect();
        assert!(left.len() == 670 && left.iter().all(|holder| holder == "1"), "{}", left.len());
    }
}
