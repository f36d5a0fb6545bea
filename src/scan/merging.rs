//! A merge of segments in the background.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::index::{Error, Index, Manifest, Segment, SegmentEntry, Source, merge_into};

/// A merge that runs, or is done and not yet taken over.
pub(super) struct Merging {
    /// What is merged, as the manifest had it at the beginning.
    sources: Vec<SegmentEntry>,
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<u32, Error>>>,
}

impl Merging {
    /// Begins to merge the segments of `index` at `places` into a new file of this name.
    pub(super) fn begin(
        folder: &Path,
        file: &str,
        manifest: &Manifest,
        index: &Index,
        places: &[usize],
    ) -> Self {
        let path = folder.join(file);
        let chosen = |at: &usize| manifest.segments.get(*at).cloned();
        let sources: Vec<SegmentEntry> = places.iter().filter_map(chosen).collect();
        let segments: Vec<Arc<Segment>> =
            places.iter().filter_map(|&at| index.segments().nth(at).cloned()).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let work = (path.clone(), sources.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (path, sources, stop) = work;
            merge(&path, &sources, &segments, &stop)
        });
        Self { sources, path, stop, thread: Some(thread) }
    }

    /// Whether a segment is being merged.
    pub(super) fn takes(&self, entry: &SegmentEntry) -> bool {
        self.sources.iter().any(|source| source.file == entry.file)
    }

    /// Whether the file is written, or cannot be.
    pub(super) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the file is written, and gives the manifest with it in place of what was merged. What was removed
    /// meanwhile is removed from it too.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<Manifest, Error> {
        let recordings = match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result?,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => return Err(Error::Stopped),
        };
        let file = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut merged = SegmentEntry::new(file, recordings);
        let segment = Segment::open(&self.path)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut manifest = manifest.clone();
        let at = manifest.segments.iter().position(|entry| self.takes(entry)).unwrap_or(0);
        for source in &self.sources {
            let Some(now) = manifest.segments.iter().find(|entry| entry.file == source.file) else {
                continue;
            };
            if now.without == source.without {
                continue;
            }
            let old = Segment::open(&folder.join(&source.file))?;
            let gone = now.without.iter().filter(|&local| !source.without.contains(local));
            let ids = gone.filter_map(|local| old.id(local as usize));
            ids.filter_map(|id| segment.find(&id)).for_each(|local| _ = merged.without.insert(local as u32));
        }
        manifest.segments.retain(|entry| !self.takes(entry));
        if merged.live() > 0 {
            manifest.segments.insert(at, merged);
        }
        Ok(manifest)
    }
}

impl Drop for Merging {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Ok(Ok(_))) = self.thread.take().map(JoinHandle::join) {
            // Nobody took it over. What stays here is removed when the library is opened again.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Merges segments without their removed recordings into a file at `path`.
pub(super) fn merge(
    path: &Path,
    entries: &[SegmentEntry],
    segments: &[Arc<Segment>],
    stop: &AtomicBool,
) -> Result<u32, Error> {
    let sources: Vec<Source<'_>> = entries
        .iter()
        .zip(segments)
        .map(|(entry, segment)| Source { segment, without: &entry.without })
        .collect();
    merge_into(path, &sources, stop)
}
