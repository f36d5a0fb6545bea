//! The store itself: journal first, then trees.

use std::marker::PhantomData;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::files::{FreeSpace, Layout, Session, system_free_space};
use super::journal::Journal;
use super::opening::JOURNAL_COMPACT_BYTES_MIN;
use super::record::{Change, journal_payload};
use super::trees::Trees;
use super::watch::Watches;
use super::{Batch, Blobs, Error, Record};
use crate::base::lock;

/// How much must stay free on the file system where nothing else is said: room for the engine's own files and for
/// the system around it to go on.
pub const KEEP_FREE_BYTES: u64 = 64 << 20;

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Writes are refused while less than this many bytes are free. Opening needs a quarter of it.
    pub keep_free_bytes: u64,
    /// How free space is measured; tests put in their own.
    pub free_space: FreeSpace,
}

impl Default for Options {
    fn default() -> Self {
        Self { keep_free_bytes: KEEP_FREE_BYTES, free_space: system_free_space }
    }
}

impl Options {
    /// Refuses when fewer than `needed` bytes are free under `path`.
    pub(super) fn check_space(&self, path: &Path, needed: u64) -> Result<(), Error> {
        let free = (self.free_space)(path).map_err(Error::io(path))?;
        if free < needed { Err(Error::NoSpace { path: path.to_owned(), free, needed }) } else { Ok(()) }
    }
}

/// An open store. It can be shared between threads; commits take turns, reads do not wait for the disk.
pub struct Store {
    // Dropped in this order: the trees must be closed before the lock is given up.
    trees: Trees,
    journal: Mutex<Journal>,
    layout: Layout,
    options: Options,
    session: Arc<Session>,
    /// The length of the journal at which a rewriting is next thought of.
    compact_next: AtomicU64,
    /// Held by whoever decides about files that are kept for a time.
    holds: Mutex<()>,
    watches: Watches,
}

impl Store {
    /// Opens the store in `path`, which is made where missing, and takes its lock.
    ///
    /// # Errors
    /// [`Error`] when the folder is in use, damaged beyond rebuilding, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Options::default())
    }

    /// As [`Store::open`], with options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(path: &Path, options: Options) -> Result<Self, Error> {
        super::opening::open(path, options)
    }

    pub(super) fn assemble(
        trees: Trees,
        journal: Journal,
        layout: Layout,
        options: Options,
        session: Session,
    ) -> Self {
        let compact_next = AtomicU64::new(journal.end().max(JOURNAL_COMPACT_BYTES_MIN));
        let (journal, session) = (Mutex::new(journal), Arc::new(session));
        Self {
            trees,
            journal,
            layout,
            options,
            session,
            compact_next,
            holds: Mutex::new(()),
            watches: Watches::default(),
        }
    }

    /// Whether there is a store in `path`; nothing is made.
    #[must_use]
    pub fn is_in(path: &Path) -> bool {
        let layout = Layout::new(path);
        layout.journal().exists() || layout.trees().exists()
    }

    /// Returns the store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.layout.root
    }

    /// Returns the place for large things: files named by their digest.
    #[must_use]
    pub fn blobs(&self) -> Blobs {
        Blobs::new(self.layout.blobs(), self.options)
    }

    /// Makes all of `batch` durable and visible together.
    ///
    /// # Errors
    /// [`Error`] when it could not be made durable; then nothing of it is visible.
    pub fn commit(&self, batch: Batch) -> Result<(), Error> {
        let changes = batch.into_changes()?;
        if changes.is_empty() {
            return Ok(());
        }
        self.options.check_space(&self.layout.root, self.options.keep_free_bytes)?;
        let payload = journal_payload(&changes);
        let mut journal = self.lock_journal();
        if let Some(why) = journal.poisoned() {
            return Err(Error::Poisoned { path: self.layout.root.clone(), why: why.to_owned() });
        }
        if !payload.is_empty() {
            journal.append(&payload).map_err(Error::io(&self.layout.journal()))?;
        }
        self.apply(&mut journal, &changes)?;
        self.watches.tell(&changes);
        self.compact_if_grown(&mut journal);
        Ok(())
    }

    /// Rewrites the journal when most of it is no longer live. The commit that led here stands either way.
    fn compact_if_grown(&self, journal: &mut Journal) {
        if journal.end() < self.compact_next.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = super::opening::compact_journal(&self.layout, &self.trees, journal) {
            tracing::warn!("the journal could not be rewritten: {error}");
        }
        // Looked at again only after some growth, so that neither looking nor failing costs every commit.
        self.compact_next.store(journal.end() + JOURNAL_COMPACT_BYTES_MIN, Ordering::Relaxed);
    }

    /// Brings changes that are in the journal into the trees.
    fn apply(&self, journal: &mut Journal, changes: &[Change]) -> Result<(), Error> {
        self.trees.apply(changes, journal.generation(), journal.end()).map_err(|source| {
            // The journal has the batch and the trees do not: only opening again brings them together.
            journal.poison(format!("updating the trees: {source}"));
            Error::Engine { path: self.layout.root.clone(), source }
        })
    }

    pub(super) fn watches(&self) -> &Watches {
        &self.watches
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
        self.get_bytes::<R>(key)?.map(|bytes| decode(key.as_bytes(), &bytes)).transpose()
    }

    /// Returns whether exactly this record is kept under its key, compared as it is encoded.
    ///
    /// Decoding what is kept and comparing the values would not do: a decimal fraction may come back a last digit
    /// off.
    ///
    /// # Errors
    /// [`Error`] when the store cannot be read or the record cannot be encoded.
    pub fn holds<R: Record>(&self, record: &R) -> Result<bool, Error> {
        let key = record.key();
        let encoded = serde_json::to_vec(record).map_err(|source| Error::Record {
            kind: R::KIND,
            key: key.clone(),
            source,
        })?;
        Ok(self.get_bytes::<R>(&key)?.is_some_and(|kept| kept == encoded))
    }

    fn get_bytes<R: Record>(&self, key: &str) -> Result<Option<sled::IVec>, Error> {
        self.tree::<R>()?.get(key).map_err(Error::engine(&self.layout.root))
    }

    /// Iterates over the records whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// [`Error`] when the tree cannot be opened; each item may fail on its own.
    pub fn scan<R: Record>(&self, prefix: &str) -> Result<Scan<R>, Error> {
        Ok(self.scan_of(self.tree::<R>()?.scan_prefix(prefix), prefix))
    }

    /// As [`Store::scan`], beginning behind the key `after`, which need not be there: the next page of a list.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan_after<R: Record>(&self, prefix: &str, after: &str) -> Result<Scan<R>, Error> {
        let from = after.max(prefix);
        let bound = if from == after { Bound::Excluded(from) } else { Bound::Included(from) };
        let inner = self.tree::<R>()?.range::<&str, _>((bound, Bound::Unbounded));
        Ok(self.scan_of(inner, prefix))
    }

    fn scan_of<R>(&self, inner: sled::Iter, prefix: &str) -> Scan<R> {
        Scan {
            inner,
            prefix: prefix.to_owned(),
            layout: self.layout.clone(),
            kind: PhantomData,
            session: Arc::clone(&self.session),
        }
    }

    /// Returns how many records of a kind there are. Takes time in proportion to their number.
    ///
    /// # Errors
    /// [`Error`] when the tree cannot be opened.
    pub fn count<R: Record>(&self) -> Result<usize, Error> {
        Ok(self.tree::<R>()?.len())
    }

    fn tree<R: Record>(&self) -> Result<sled::Tree, Error> {
        self.trees.tree(R::KIND, R::JOURNALLED).map_err(Error::engine(&self.layout.root))
    }

    pub(super) fn options(&self) -> Options {
        self.options
    }

    pub(super) fn trees(&self) -> &Trees {
        &self.trees
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn lock_holds(&self) -> MutexGuard<'_, ()> {
        lock(&self.holds)
    }

    pub(super) fn lock_journal(&self) -> MutexGuard<'_, Journal> {
        // A thread that panicked while it held the lock left the journal's own poison mark if it mattered.
        lock(&self.journal)
    }
}

/// The records of one kind under a prefix; see [`Store::scan`].
pub struct Scan<R> {
    // Dropped before the session: an iterator keeps the trees open, and with them the store.
    inner: sled::Iter,
    prefix: String,
    layout: Layout,
    kind: PhantomData<R>,
    #[expect(dead_code, reason = "held, not used: the store stays locked while it is read")]
    session: Arc<Session>,
}

impl<R: Record> Iterator for Scan<R> {
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.inner.next()?;
        if let Ok((key, _)) = &entry
            && !key.starts_with(self.prefix.as_bytes())
        {
            return None;
        }
        Some(entry.map_err(Error::engine(&self.layout.root)).and_then(|(key, bytes)| decode(&key, &bytes)))
    }
}

fn decode<R: Record>(key: &[u8], bytes: &[u8]) -> Result<R, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Record {
        kind: R::KIND,
        key: String::from_utf8_lossy(key).into_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::store::testing::{Cached, Kept};

    #[test]
    fn keeps_records_over_openings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = Store::open(&path).unwrap();
        let mut batch = Batch::new();
        batch.put(&Kept::new("a", "1")).unwrap();
        batch.put(&Kept::new("ab", "2")).unwrap();
        batch.put(&Cached::new("a", "3")).unwrap();
        store.commit(batch).unwrap();
        let mut batch = Batch::new();
        batch.delete::<Kept>("ab");
        batch.put(&Kept::new("b", "4")).unwrap();
        store.commit(batch).unwrap();
        for _ in 0..2 {
            let keys: Vec<_> = store.scan::<Kept>("").unwrap().map(|kept| kept.unwrap().id).collect();
            assert_eq!(keys, ["a", "b"]);
        }
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.get::<Kept>("b").unwrap().unwrap().text, "4");
        assert_eq!(store.get::<Cached>("a").unwrap().unwrap().text, "3");
        assert!(store.get::<Kept>("ab").unwrap().is_none());
        assert!(store.holds(&Kept::new("b", "4")).unwrap());
        assert!(!store.holds(&Kept::new("b", "5")).unwrap());
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.put(&Kept::new("a", "1")).unwrap();
        let scan = store.scan::<Kept>("").unwrap();
        drop(store);
        // A scan still reads, so the store is not free yet.
        match Store::open(folder.path()) {
            Err(Error::Locked { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("opened twice"),
        }
        assert_eq!(scan.count(), 1);
        Store::open(folder.path()).unwrap();
    }

    #[test]
    fn refuses_what_is_too_large() {
        let mut batch = Batch::new();
        let text = "x".repeat(crate::store::VALUE_BYTES_MAX);
        assert!(matches!(batch.put(&Kept::new("a", &text)), Err(Error::TooLarge { what: "value", .. })));
        assert!(matches!(
            batch.put(&Kept::new(&"k".repeat(513), "")),
            Err(Error::TooLarge { what: "key", .. })
        ));
        assert!(matches!(batch.put(&Kept::new("", "")), Err(Error::EmptyKey { .. })));
        assert!(batch.is_empty());
    }

    #[test]
    fn refuses_to_write_on_a_full_disk_and_goes_on_after() {
        let folder = tempfile::tempdir().unwrap();
        let nearly_full = Options { free_space: |_| Ok(KEEP_FREE_BYTES / 2), ..Options::default() };
        let full = Options { free_space: |_| Ok(KEEP_FREE_BYTES / 5), ..Options::default() };
        let store = Store::open(folder.path()).unwrap();
        store.put(&Kept::new("a", "1")).unwrap();
        drop(store);
        assert!(matches!(Store::open_with(folder.path(), full), Err(Error::NoSpace { .. })));
        let store = Store::open_with(folder.path(), nearly_full).unwrap();
        assert!(store.get::<Kept>("a").unwrap().is_some());
        assert!(matches!(store.put(&Kept::new("b", "2")), Err(Error::NoSpace { .. })));
        assert!(matches!(store.blobs().put(b"x"), Err(Error::NoSpace { .. })));
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert!(store.get::<Kept>("b").unwrap().is_none());
        store.put(&Kept::new("b", "2")).unwrap();
    }

    #[test]
    fn refuses_folders_of_others_and_newer_stores() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::NotAStore { .. })));
        assert!(!folder.path().join("lock").exists());
        let path = folder.path().join("store");
        drop(Store::open(&path).unwrap());
        std::fs::write(path.join("store.json"), r#"{"format":"earwitness-store","version":9}"#).unwrap();
        let Err(error) = Store::open(&path) else { panic!("opened") };
        assert!(error.to_string().contains("version 9"), "{error}");
    }
}
