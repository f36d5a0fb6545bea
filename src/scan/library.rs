//! The store together with the catalogue's index, always of one state.
//!
//! A change writes its new segment file first, and then commits the recordings and the manifest that names the
//! segment in one batch of the store's journal. A process that is killed before the commit leaves a file that no
//! manifest names, which the next opening removes; killed after it, everything is there.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::overlap;
use crate::base::RecordingId;
use crate::catalog::{Catalog, Outcome, Recording};
use crate::fingerprint::Fingerprint;
use crate::index::{self, Index, Manifest, Segment, SegmentEntry, write_segment};
use crate::store::{self, Batch, Record, Store};

/// The folder of the segment files, inside the store's.
const INDEX_FOLDER: &str = "index";
const SEGMENT_SUFFIX: &str = ".seg";
/// A segment with more recordings than this is not merged any more.
const MERGED_RECORDINGS_MAX: usize = 20_000;
/// With more removed recordings than this a segment is written anew without them: their ids are part of the manifest,
/// which must stay a small record.
const REMOVED_MAX: usize = 200;

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
    index: Index,
    places: HashMap<RecordingId, Place>,
}

/// Where a recording's fingerprint is.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The segment, by its number in the manifest.
    segment: usize,
    /// The recording, by its number in the segment.
    local: usize,
}

impl Library {
    /// Opens the index of an open store.
    ///
    /// # Errors
    /// [`Error`] when a segment file is missing, damaged or of another version.
    pub fn open(store: Store) -> Result<Self, Error> {
        let manifest = current_manifest(&store)?;
        let library = Self::with_manifest(store, manifest)?;
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
        let index = Index::open(&folder, &manifest)?;
        let places = places(&manifest, &index);
        Ok(Self { store, folder, manifest, index, places })
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

    /// Whether the index holds a fingerprint of a recording.
    #[must_use]
    pub fn holds(&self, recording: &RecordingId) -> bool {
        self.places.contains_key(recording)
    }

    /// Opens the index anew as if some recordings were not in it.
    pub(super) fn index_without(&self, ids: &[RecordingId]) -> Result<Index, Error> {
        let mut manifest = self.manifest.clone();
        for id in ids {
            if let Some(place) = self.places.get(id) {
                let file = self.manifest.segments[place.segment].file.clone();
                manifest.remove(id, |entry| entry.file == file);
            }
        }
        Ok(Index::open(&self.folder, &manifest)?)
    }

    /// Reads the fingerprint of a recording; `None` where the index has none.
    #[must_use]
    pub fn fingerprint(&self, recording: &RecordingId) -> Option<Fingerprint> {
        let place = self.places.get(recording)?;
        self.index.segments().get(place.segment)?.fingerprint(place.local)
    }

    /// Returns the recordings that have a fingerprint, sorted.
    #[must_use]
    pub fn indexed(&self) -> Vec<&RecordingId> {
        let mut ids: Vec<&RecordingId> = self.places.keys().collect();
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
        self.change(batch, fingerprints, &removed)?;
        Ok(outcomes)
    }

    /// Puts fingerprints of recordings that are in the catalogue, in place of older ones; all or, on an error, none.
    pub(super) fn put_fingerprints(
        &mut self,
        mut fingerprints: Vec<(RecordingId, Fingerprint)>,
    ) -> Result<(), Error> {
        fingerprints.retain(|(id, fingerprint)| self.fingerprint(id).as_ref() != Some(fingerprint));
        let removed: Vec<RecordingId> = fingerprints.iter().map(|(id, _)| id.clone()).collect();
        if removed.is_empty() { Ok(()) } else { self.change(Batch::new(), fingerprints, &removed) }
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
        self.change(batch, Vec::new(), &removed)?;
        Ok(removed)
    }

    /// Commits `batch` together with the index less `removed` and with `added`.
    fn change(
        &mut self,
        mut batch: Batch,
        added: Vec<(RecordingId, Fingerprint)>,
        removed: &[RecordingId],
    ) -> Result<(), Error> {
        let mut manifest = self.manifest.clone();
        manifest.generation += 1;
        for id in removed {
            if let Some(place) = self.places.get(id) {
                let file = manifest.segments[place.segment].file.clone();
                manifest.remove(id, |entry| entry.file == file);
            }
        }
        let merged = self.merge_into(&mut manifest, added)?;
        if !merged.is_empty() {
            let file = format!("{:010}{SEGMENT_SUFFIX}", manifest.generation);
            write_segment(&self.folder.join(&file), &merged)?;
            manifest.segments.push(SegmentEntry {
                file,
                recordings: merged.len() as u32,
                removed: Vec::new(),
            });
        }
        if manifest.segments != self.manifest.segments {
            batch.put(&IndexState { manifest: manifest.clone() })?;
        }
        self.store.commit(batch)?;
        self.index = Index::open(&self.folder, &manifest)?;
        self.places = places(&manifest, &self.index);
        self.manifest = manifest;
        self.remove_unnamed_files()
    }

    /// Takes out of the manifest the youngest segments that are not much larger than what is added, and those with
    /// many removed recordings, and gives their live recordings with the added ones: each recording is written anew
    /// only about as often as the catalogue doubles.
    fn merge_into(
        &self,
        manifest: &mut Manifest,
        added: Vec<(RecordingId, Fingerprint)>,
    ) -> Result<Vec<(RecordingId, Fingerprint)>, Error> {
        let mut taken: Vec<SegmentEntry> = Vec::new();
        let mut size = added.len();
        while let Some(last) = manifest.segments.last() {
            let live = last.recordings as usize - last.removed.len();
            if size == 0 || live > 2 * size || live + size > MERGED_RECORDINGS_MAX {
                break;
            }
            size += live;
            taken.extend(manifest.segments.pop());
        }
        taken.reverse();
        manifest.segments.retain(|entry| {
            let worn = entry.removed.len() > REMOVED_MAX || entry.removed.len() == entry.recordings as usize;
            if worn {
                taken.push(entry.clone());
            }
            !worn
        });
        let mut merged = Vec::with_capacity(size);
        for entry in &taken {
            let segment = Segment::open(&self.folder.join(&entry.file))?;
            let removed: HashSet<&RecordingId> = entry.removed.iter().collect();
            for (local, id) in segment.ids().enumerate().filter(|(_, id)| !removed.contains(id)) {
                merged.push((id.clone(), segment.fingerprint(local).unwrap_or_default()));
            }
        }
        merged.extend(added);
        Ok(merged)
    }

    /// Removes segment files that the manifest does not name: left by a process that was killed, or merged away.
    fn remove_unnamed_files(&self) -> Result<(), Error> {
        let failed = |source| Error::Folder { path: self.folder.clone(), source };
        let named: HashSet<&str> = self.manifest.segments.iter().map(|entry| entry.file.as_str()).collect();
        for file in std::fs::read_dir(&self.folder).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            let ours = name.ends_with(SEGMENT_SUFFIX) || name.starts_with(".segment-");
            if ours && !named.contains(name.as_ref()) {
                remove_file(&file.path())?;
            }
        }
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

fn places(manifest: &Manifest, index: &Index) -> HashMap<RecordingId, Place> {
    let mut places = HashMap::new();
    for (at, (entry, segment)) in manifest.segments.iter().zip(index.segments()).enumerate() {
        let removed: HashSet<&RecordingId> = entry.removed.iter().collect();
        let live = segment.ids().enumerate().filter(|(_, id)| !removed.contains(id));
        places.extend(live.map(|(local, id)| (id.clone(), Place { segment: at, local })));
    }
    places
}
