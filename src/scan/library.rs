//! The store together with the catalogue's index, always of one state.
//!
//! A change writes its new segment file first, and then commits the recordings and the manifest that names the
//! segment in one batch of the store's journal. A process that is killed before the commit leaves a file that no
//! manifest names, which the next opening removes; killed after it, everything is there.
//!
//! Merges run in a thread beside queries and changes, and are taken over by the next change, or by
//! [`Library::settle`]. Whoever queries holds a snapshot of the index, which never changes and is never waited for.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::merging::{Merging, merge};
use super::overlap;
use crate::base::{Digest, RecordingId, lock};
use crate::catalog::{Catalog, Outcome, Recording};
use crate::fingerprint::Fingerprint;
use crate::index::{
    self, Index, Manifest, REMOVED_MAX, Segment, SegmentEntry, TEMPORARY_PREFIX, is_small, kept, next_merge,
    write_segment,
};
use crate::store::{self, Batch, Record, Store};

/// The folder of the segment files, inside the store's.
const INDEX_FOLDER: &str = "index";
const SEGMENT_SUFFIX: &str = ".seg";
/// Why the library cannot be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A segment file does not work.
    #[error(transparent)]
    Index(#[from] index::Error),
    /// The index's folder does not work.
    #[error("index folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The manifest as the store keeps it: one record, in the journal.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct IndexState {
    manifest: Manifest,
}

impl Record for IndexState {
    const KIND: &'static str = "index_manifest";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        CURRENT.to_owned()
    }
}

const CURRENT: &str = "current";

/// A recording with the fingerprint of its audio, to be added.
pub(super) struct Entry {
    pub(super) recording: Recording,
    pub(super) title_given: bool,
    pub(super) fingerprint: Fingerprint,
}

/// The store together with the catalogue's index.
pub struct Library {
    store: Store,
    folder: PathBuf,
    manifest: Manifest,
    index: Arc<Index>,
    reader: IndexReader,
    /// The number of the last segment file that was begun.
    last_file: u64,
    /// Whether there may be files that nobody names.
    untidy: bool,
    /// Segments that are no longer of the index, but perhaps of somebody's snapshot; their files are removed later.
    retired: Vec<Arc<Segment>>,
    merging: Option<Merging>,
    /// A merge has failed; another is not begun before the library is opened again.
    merges_fail: bool,
    /// Held by whoever files a case: two files of one case at once must not write over each other.
    filing: Mutex<()>,
}

/// Gives the index as it is now, to any thread, while the library changes.
#[derive(Clone, Default)]
pub struct IndexReader {
    current: Arc<RwLock<Arc<Index>>>,
}

impl IndexReader {
    /// The index as it is now. It does not change; the files of its segments stay as long as it is held.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Index> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, index: &Arc<Index>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(index);
    }
}

impl Library {
    /// Opens the index of an open store.
    ///
    /// # Errors
    /// [`Error`] when a segment file is missing, damaged or of another version.
    pub fn open(store: Store) -> Result<Self, Error> {
        let manifest = current_manifest(&store)?;
        let mut library = Self::with_manifest(store, manifest)?;
        library.remove_unnamed_files()?;
        Ok(library)
    }

    /// As [`Library::open`], but goes on without segments that cannot be read: their recordings count as having no
    /// fingerprint, so that adding their audio again repairs the index. Gives the problems. Nothing on disk changes
    /// before the first change.
    ///
    /// # Errors
    /// [`Error`] when the store or the folder does not work.
    pub fn open_for_repair(store: Store) -> Result<(Self, Vec<index::Error>), Error> {
        let mut manifest = current_manifest(&store)?;
        let folder = index_folder(&store);
        let mut problems = Vec::new();
        manifest.segments.retain(|entry| {
            let opened = Segment::open(&folder.join(&entry.file)).and_then(|segment| segment.verify());
            opened.map_err(|problem| problems.push(problem)).is_ok()
        });
        Ok((Self::with_manifest(store, manifest)?, problems))
    }

    fn with_manifest(store: Store, manifest: Manifest) -> Result<Self, Error> {
        let folder = index_folder(&store);
        std::fs::create_dir_all(&folder).map_err(|source| Error::Folder { path: folder.clone(), source })?;
        let index = Arc::new(Index::open(&folder, &manifest)?);
        let reader = IndexReader::default();
        reader.set(&index);
        Ok(Self {
            store,
            folder,
            last_file: manifest.generation,
            manifest,
            index,
            reader,
            untidy: true,
            retired: Vec::new(),
            merging: None,
            merges_fail: false,
            filing: Mutex::new(()),
        })
    }

    /// Waits until nobody else files a case.
    pub(super) fn filing(&self) -> MutexGuard<'_, ()> {
        // Whoever panicked has filed a case, or none.
        lock(&self.filing)
    }

    /// Returns what the index is a state of: two libraries of one stamp hold the same fingerprints.
    #[must_use]
    pub fn stamp(&self) -> String {
        // What cannot be encoded is no state twice; it would not have been stored either.
        serde_json::to_vec(&self.manifest)
            .map_or_else(|_| String::new(), |bytes| Digest::of(&bytes).to_string())
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What gives other threads the index as it is then.
    #[must_use]
    pub fn reader(&self) -> IndexReader {
        self.reader.clone()
    }

    /// Whether the index holds a fingerprint of a recording.
    #[must_use]
    pub fn holds(&self, recording: &RecordingId) -> bool {
        self.index.find(recording).is_some()
    }

    /// Reads the fingerprint of a recording; `None` where the index has none.
    #[must_use]
    pub fn fingerprint(&self, recording: &RecordingId) -> Option<Fingerprint> {
        self.index.fingerprint(self.index.find(recording)?)
    }

    /// Returns the recordings that have a fingerprint, sorted.
    #[must_use]
    pub fn indexed(&self) -> Vec<RecordingId> {
        let mut ids: Vec<RecordingId> = self.index.ids().collect();
        ids.sort_unstable();
        ids
    }

    /// Adds recordings with their fingerprints, in place of older ones of the same id; all of them or, on an error,
    /// none. Gives what became of each.
    pub(super) fn add(&mut self, entries: Vec<Entry>) -> Result<Vec<Outcome>, Error> {
        let mut batch = Batch::new();
        let catalog = Catalog::new(&self.store);
        let mut outcomes = Vec::with_capacity(entries.len());
        let mut fingerprints: Vec<(RecordingId, Fingerprint)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let outcome = catalog.upsert_in(&mut batch, &entry.recording, entry.title_given)?;
            // The same metadata with a new fingerprint is a change all the same.
            let refreshed = outcome == Outcome::Unchanged && self.holds(&entry.recording.recording_id);
            outcomes.push(if refreshed { Outcome::Updated } else { outcome });
            let id = entry.recording.recording_id;
            // Of the audio that was there before.
            overlap::forget(&self.store, &mut batch, &id, |_| false)?;
            fingerprints.retain(|(other, _)| *other != id);
            fingerprints.push((id, entry.fingerprint));
        }
        let removed: Vec<RecordingId> = fingerprints.iter().map(|(id, _)| id.clone()).collect();
        self.change(batch, &fingerprints, &removed)?;
        Ok(outcomes)
    }

    /// Puts fingerprints of recordings that are in the catalogue, in place of older ones; all or, on an error, none.
    pub(super) fn put_fingerprints(
        &mut self,
        mut fingerprints: Vec<(RecordingId, Fingerprint)>,
    ) -> Result<(), Error> {
        fingerprints.retain(|(id, fingerprint)| self.fingerprint(id) != Some(kept(fingerprint)));
        let removed: Vec<RecordingId> = fingerprints.iter().map(|(id, _)| id.clone()).collect();
        if removed.is_empty() { Ok(()) } else { self.change(Batch::new(), &fingerprints, &removed) }
    }

    /// Removes recordings from catalogue and index; gives those that were in the catalogue.
    pub(super) fn remove(&mut self, ids: &[RecordingId]) -> Result<Vec<RecordingId>, Error> {
        let mut batch = Batch::new();
        let mut removed = Vec::new();
        for id in ids {
            if !removed.contains(id) && Catalog::new(&self.store).get(id)?.is_some() {
                batch.delete::<Recording>(id.as_str());
                overlap::forget(&self.store, &mut batch, id, |_| false)?;
                removed.push(id.clone());
            }
        }
        self.change(batch, &[], &removed)?;
        Ok(removed)
    }

    /// Commits `batch` together with the index less `removed` and with `added`.
    fn change(
        &mut self,
        batch: Batch,
        added: &[(RecordingId, Fingerprint)],
        removed: &[RecordingId],
    ) -> Result<(), Error> {
        self.take_over_merge(false)?;
        let mut manifest = self.manifest.clone();
        for id in removed {
            if let Some((at, local)) = self.index.find_in_part(id) {
                manifest.segments[at].without.insert(local);
            }
        }
        let crowded = |entry: &SegmentEntry| entry.without.len() > REMOVED_MAX && entry.live() > 0;
        if self.merging.as_ref().is_some_and(|merging| {
            manifest.segments.iter().any(|entry| crowded(entry) && merging.takes(entry))
        }) {
            self.merging = None;
        }
        let taken = self.take_for(&mut manifest, added.len() as u64, crowded);
        self.write_new(&mut manifest, &taken, added)?;
        self.commit(batch, manifest)?;
        if self.untidy {
            self.remove_unnamed_files()?;
        }
        self.begin_merge();
        Ok(())
    }

    /// Takes out of the manifest what is written anew with the added recordings: the youngest small segments that are
    /// not much larger than what is added, and those whose removed recordings no longer fit into the manifest. Empty
    /// segments go too. A segment that is being merged stays.
    fn take_for(
        &self,
        manifest: &mut Manifest,
        added: u64,
        crowded: impl Fn(&SegmentEntry) -> bool,
    ) -> Vec<SegmentEntry> {
        let merging =
            |entry: &SegmentEntry| self.merging.as_ref().is_some_and(|merging| merging.takes(entry));
        manifest.segments.retain(|entry| merging(entry) || entry.live() > 0);
        let mut taken = Vec::new();
        let mut size = added;
        for at in (0..manifest.segments.len()).rev() {
            let entry = &manifest.segments[at];
            if merging(entry) {
                continue;
            }
            let joins = size > 0 && is_small(entry) && entry.live() <= 2 * size;
            if joins || crowded(entry) {
                size += if joins { entry.live() } else { 0 };
                taken.push(manifest.segments.remove(at));
            }
        }
        taken.reverse();
        taken
    }

    /// Writes a segment of what was taken and what is added, and names it in the manifest.
    fn write_new(
        &mut self,
        manifest: &mut Manifest,
        taken: &[SegmentEntry],
        added: &[(RecordingId, Fingerprint)],
    ) -> Result<(), Error> {
        if taken.is_empty() && added.is_empty() {
            return Ok(());
        }
        let file = self.next_file();
        let path = self.folder.join(&file);
        let recordings = if taken.is_empty() {
            write_segment(&path, added)?;
            added.len() as u32
        } else {
            let mut entries = taken.to_vec();
            let open = |entry: &SegmentEntry| {
                let path = self.folder.join(&entry.file);
                let known = self.index.segments().find(|segment| segment.path() == path).cloned();
                known.map_or_else(|| Segment::open(&path).map(Arc::new), Ok)
            };
            let mut segments = taken.iter().map(open).collect::<Result<Vec<_>, _>>()?;
            let fresh = self.folder.join(format!("{TEMPORARY_PREFIX}{file}"));
            if !added.is_empty() {
                write_segment(&fresh, added)?;
                segments.push(Arc::new(Segment::open(&fresh)?));
                entries.push(SegmentEntry::new(String::new(), added.len() as u32));
            }
            let merged = merge(&path, &entries, &segments, &AtomicBool::new(false));
            drop(segments);
            remove_file(&fresh)?;
            merged?
        };
        if recordings > 0 {
            manifest.segments.push(SegmentEntry::new(file, recordings));
        }
        Ok(())
    }

    /// A name for a new segment file.
    fn next_file(&mut self) -> String {
        self.last_file += 1;
        format!("{:010}{SEGMENT_SUFFIX}", self.last_file)
    }

    /// Commits `batch` and a manifest, and goes over to it.
    fn commit(&mut self, mut batch: Batch, mut manifest: Manifest) -> Result<(), Error> {
        if manifest.segments == self.manifest.segments {
            return Ok(self.store.commit(batch)?);
        }
        manifest.generation = self.last_file.max(self.manifest.generation + 1);
        self.last_file = manifest.generation;
        batch.put(&IndexState { manifest: manifest.clone() })?;
        // Opened first: what cannot be opened must not become the index.
        let index = Arc::new(self.index.reopen(&self.folder, &manifest)?);
        self.store.commit(batch)?;
        let stays = |segment: &Arc<Segment>| index.segments().any(|other| Arc::ptr_eq(segment, other));
        self.retired.extend(self.index.segments().filter(|segment| !stays(segment)).cloned());
        self.reader.set(&index);
        self.index = index;
        self.manifest = manifest;
        self.remove_retired()
    }

    /// Takes over the merge that runs, if it is done, or once it is; another begins if there is more to do.
    fn take_over_merge(&mut self, wait: bool) -> Result<(), Error> {
        let Some(merging) = self.merging.take_if(|merging| wait || merging.is_done()) else { return Ok(()) };
        match merging.finish(&self.manifest) {
            Ok(manifest) => self.commit(Batch::new(), manifest)?,
            Err(error) => {
                tracing::warn!("segments of the index could not be merged, which makes it slower: {error}");
                self.merges_fail = true;
            }
        }
        Ok(())
    }

    fn begin_merge(&mut self) {
        if self.merging.is_some() || self.merges_fail {
            return;
        }
        if let Some(places) = next_merge(&self.manifest.segments) {
            let file = self.next_file();
            self.merging = Some(Merging::begin(&self.folder, &file, &self.manifest, &self.index, &places));
        }
    }

    /// Waits until nothing is left to be merged, so that the next process need not begin anew.
    ///
    /// # Errors
    /// [`Error`] when the store or the folder does not work.
    pub fn settle(&mut self) -> Result<(), Error> {
        loop {
            self.begin_merge();
            if self.merging.is_none() {
                return Ok(());
            }
            self.take_over_merge(true)?;
        }
    }

    /// Removes the files of segments that nobody uses any more.
    fn remove_retired(&mut self) -> Result<(), Error> {
        let (used, unused): (Vec<_>, Vec<_>) =
            self.retired.drain(..).partition(|segment| Arc::strong_count(segment) > 1);
        self.retired = used;
        unused.iter().try_for_each(|segment| remove_file(segment.path()))
    }

    /// Removes segment files that the manifest does not name, left by a process that was killed. Must not be called
    /// while a merge runs.
    fn remove_unnamed_files(&mut self) -> Result<(), Error> {
        let failed = |source| Error::Folder { path: self.folder.clone(), source };
        let named: HashSet<&str> = self.manifest.segments.iter().map(|entry| entry.file.as_str()).collect();
        for file in std::fs::read_dir(&self.folder).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            let ours = name.ends_with(SEGMENT_SUFFIX) || name.starts_with(TEMPORARY_PREFIX);
            if ours && !named.contains(name.as_ref()) {
                remove_file(&file.path())?;
            }
        }
        self.untidy = false;
        Ok(())
    }
}

/// The manifest of a store's index.
pub(super) fn current_manifest(store: &Store) -> Result<Manifest, Error> {
    Ok(store.get::<IndexState>(CURRENT)?.unwrap_or_default().manifest)
}

/// Where a store's segment files are.
pub(super) fn index_folder(store: &Store) -> PathBuf {
    store.path().join(INDEX_FOLDER)
}

fn remove_file(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Folder { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
