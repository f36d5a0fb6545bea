//! Fingerprints → one segment file.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::family::Family;
use super::file::SegmentFile;
use super::format::Error;
use super::merge::{Source, merge_into};
use super::peaks;
use super::postings::Tuple;
use super::reader::{Segment, Stored};
use super::set::Removed;
use crate::base::RecordingId;
use crate::fingerprint::{Fingerprint, reference_quads};

/// Postings that a [`SegmentBuilder`] holds in memory, by default: 256 MB with room to grow.
const RUN_POSTINGS: usize = 8 << 20;

/// Writes the segment that holds `recordings` to `path`, replacing what is there. The same recordings in the same
/// order give the same bytes.
///
/// # Errors
/// [`Error`] when the file cannot be written, or there is more than a segment can hold.
pub fn write_segment(path: &Path, recordings: &[(RecordingId, Fingerprint)]) -> Result<(), Error> {
    let mut run = Run::default();
    for (id, fingerprint) in recordings {
        run.push(id, fingerprint);
    }
    let (file, families) = run.write(path)?;
    file.finish(families)
}

/// Makes one segment of any number of fingerprints in bounded memory: they are gathered into runs, which are sorted
/// and written as temporary segments beside the file, and merged in the end.
pub struct SegmentBuilder {
    path: PathBuf,
    run_postings: usize,
    run: Run,
    runs: Vec<tempfile::TempPath>,
}

impl SegmentBuilder {
    /// Begins a segment that will be `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), run_postings: RUN_POSTINGS, run: Run::default(), runs: Vec::new() }
    }

    /// Sets how many postings are held in memory.
    #[must_use]
    pub fn with_run_postings(mut self, postings: usize) -> Self {
        self.run_postings = postings.max(1);
        self
    }

    /// Adds a recording.
    ///
    /// # Errors
    /// [`Error`] when a run cannot be written.
    pub fn push(&mut self, id: &RecordingId, fingerprint: &Fingerprint) -> Result<(), Error> {
        self.run.push(id, fingerprint);
        if self.run.quads.len() >= self.run_postings {
            self.end_run()?;
        }
        Ok(())
    }

    fn end_run(&mut self) -> Result<(), Error> {
        let (file, families) = std::mem::take(&mut self.run).write(&self.path)?;
        self.runs.push(file.finish_temporary(families)?);
        Ok(())
    }

    /// Writes the segment. Gives the number of its recordings.
    ///
    /// # Errors
    /// [`Error`] when it cannot be written, or there is more than a segment can hold.
    pub fn finish(mut self) -> Result<u32, Error> {
        if self.runs.is_empty() {
            let recordings = self.run.recordings.len() as u32;
            let (file, families) = self.run.write(&self.path)?;
            file.finish(families)?;
            return Ok(recordings);
        }
        self.end_run()?;
        let segments: Vec<Segment> =
            self.runs.iter().map(|run| Segment::open(run)).collect::<Result<_, _>>()?;
        let none = Removed::default();
        let sources: Vec<Source<'_>> =
            segments.iter().map(|segment| Source { segment, without: &none }).collect();
        merge_into(&self.path, &sources, &AtomicBool::new(false))
    }
}

/// Recordings with their postings, in memory.
#[derive(Default)]
struct Run {
    recordings: Vec<(RecordingId, u32, Vec<u8>)>,
    quads: Vec<Tuple>,
}

impl Run {
    fn push(&mut self, id: &RecordingId, fingerprint: &Fingerprint) {
        let number = self.recordings.len() as u32;
        self.quads
            .extend(reference_quads(&fingerprint.peaks).iter().map(|quad| Tuple::of_quad(number, quad)));
        self.recordings.push((id.clone(), fingerprint.duration, peaks::encode(&fingerprint.peaks)));
    }

    fn write(mut self, path: &Path) -> Result<(SegmentFile, [super::format::FamilyHeader; 1]), Error> {
        let get = |at: usize| {
            let (id, duration, peaks) = &self.recordings[at];
            Ok(Stored { id: id.as_str(), duration: *duration, peaks })
        };
        let mut file = SegmentFile::begin(path, self.recordings.len(), get)?;
        self.quads.sort_unstable();
        self.quads.dedup();
        let durations = self.quads.iter().map(|tuple| tuple.duration());
        let durations = (durations.clone().min().unwrap_or(0), durations.max().unwrap_or(0));
        let shape = file.shape(self.quads.len() as u64, durations);
        let mut postings = file.begin_postings(shape)?;
        postings.put(&self.quads)?;
        let family = postings.finish(Family::Quads)?;
        Ok((file, [family]))
    }
}
