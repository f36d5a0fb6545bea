//! The owner's audio into catalogue and index.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::library::{self, Entry, Library};
use super::worker::{self, Analysis, Decoder, analyse_all};
use crate::base::{ChannelView, Digest, Hasher, RecordingId};
use crate::catalog::import::Row;
use crate::catalog::{Catalog, Outcome, Recording, RecordingAudio, TAG_CHARS_MAX, recording_from_file};
use crate::fingerprint::Fingerprint;

/// Recordings that are committed together: each commit syncs a few files, and a kill loses at most this much work.
const RECORDINGS_PER_COMMIT: usize = 8;

/// What became of one input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Registered {
    /// The audio file, where the input has one.
    pub path: Option<PathBuf>,
    /// The line of the table, where the input came from one.
    pub line: Option<u64>,
    /// The recording, as far as it is known.
    pub recording_id: Option<RecordingId>,
    /// What became of the recording; `None` where it failed, or is no audio and was found in a folder.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub error: Option<String>,
    /// What is wrong with the audio that was registered all the same.
    pub warnings: Vec<String>,
    /// Whether the index has a new fingerprint of it.
    #[serde(skip)]
    pub fingerprinted: bool,
}

/// One input is done; told in the order of the inputs, once it is safely stored.
#[derive(Debug)]
pub struct Progress<'a> {
    /// How many are done, this one included.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// What became of this one.
    pub result: &'a Registered,
}

/// Whether to go on after an input.
pub type OnDone<'a> = &'a mut dyn FnMut(Progress<'_>) -> bool;

/// One audio file to be registered.
struct Input {
    path: PathBuf,
    /// What is known of it from a table.
    row: Option<Row>,
    /// Found in a folder, where not everything need be audio.
    found: bool,
}

/// Brings audio files, and all audio files in folders, into catalogue and index. An input that fails is told and the
/// others go on; what is there with the same bytes already is left as it is.
///
/// # Errors
/// [`library::Error`] when nothing more can be written.
pub fn add_files(
    library: &mut Library,
    decoder: &Decoder,
    paths: &[PathBuf],
    on_done: OnDone<'_>,
) -> Result<(), library::Error> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files, 0);
            files.sort();
            inputs.extend(files.into_iter().map(|path| Input { path, row: None, found: true }));
        } else {
            inputs.push(Input { path: path.clone(), row: None, found: false });
        }
    }
    register(library, decoder, inputs, on_done)
}

/// Brings the rows of a table into the catalogue and the audio files that they name into the index; file names are
/// relative to `audio_root`. A row whose audio fails is told, and its metadata is kept.
///
/// # Errors
/// [`library::Error`] when nothing more can be written.
pub fn import_rows(
    library: &mut Library,
    decoder: &Decoder,
    rows: Vec<Row>,
    audio_root: &Path,
    on_done: OnDone<'_>,
) -> Result<(), library::Error> {
    let (with_audio, without): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.filename.is_some());
    for row in without {
        Catalog::new(library.store()).upsert(&row.recording, row.title_given)?;
    }
    let input = |row: Row| {
        let path = audio_root.join(row.filename.as_deref().unwrap_or_default());
        Input { path, row: Some(row), found: false }
    };
    register(library, decoder, with_audio.into_iter().map(input).collect(), on_done)
}

/// Removes recordings from catalogue and index. Gives those that were there.
///
/// # Errors
/// [`library::Error`] when it cannot be written.
pub fn remove(library: &mut Library, ids: &[RecordingId]) -> Result<Vec<RecordingId>, library::Error> {
    let removed = library.remove(ids)?;
    library.settle()?;
    Ok(removed)
}

/// All files below a folder; links are not followed, and twenty levels are deep enough for any archive of masters.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            Ok(kind) if kind.is_dir() && depth < 20 => walk(&entry.path(), files, depth + 1),
            _ => {}
        }
    }
}

/// The work of one call: inputs that wait to be committed, and what is told of them.
struct Session<'a, 'b> {
    library: &'a mut Library,
    /// The recordings that are indexed already, by their audio's digest: one master may stand under several ids.
    known: HashMap<Digest, Vec<RecordingId>>,
    waiting: Vec<(Registered, Option<Entry>)>,
    total: usize,
    done: usize,
    on_done: OnDone<'b>,
    stopped: bool,
}

fn register(
    library: &mut Library,
    decoder: &Decoder,
    inputs: Vec<Input>,
    on_done: OnDone<'_>,
) -> Result<(), library::Error> {
    let known = indexed_audio(library)?;
    let total = inputs.len();
    let mut session =
        Session { library, known, waiting: Vec::new(), total, done: 0, on_done, stopped: false };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // In chunks, so that what is unchanged is found by its digest alone without reading all files before the first
    // result.
    let mut inputs = inputs.into_iter();
    loop {
        let chunk: Vec<Input> = inputs.by_ref().take(RECORDINGS_PER_COMMIT * threads).collect();
        if chunk.is_empty() || session.stopped {
            break;
        }
        session.chunk(decoder, threads, &chunk)?;
    }
    session.commit()?;
    session.library.settle()
}

impl Session<'_, '_> {
    fn chunk(&mut self, decoder: &Decoder, threads: usize, chunk: &[Input]) -> Result<(), library::Error> {
        let unchanged: Vec<Option<RecordingId>> = chunk.iter().map(|input| self.unchanged(input)).collect();
        let fresh: Vec<usize> = (0..chunk.len()).filter(|&at| unchanged[at].is_none()).collect();
        let files: Vec<PathBuf> = fresh.iter().map(|&at| chunk[at].path.clone()).collect();
        let mut next = 0;
        let mut failure = None;
        analyse_all(decoder, &files, threads, &mut |index, result| {
            let taken = self.unchanged_until(chunk, &unchanged, &mut next, fresh[index]);
            next = fresh[index] + 1;
            let taken = taken.and_then(|()| self.take(&chunk[fresh[index]], result));
            failure = taken.err();
            failure.is_none() && !self.stopped
        });
        match failure {
            Some(error) => Err(error),
            None => self.unchanged_until(chunk, &unchanged, &mut next, chunk.len()),
        }
    }

    /// The recording that holds this input's very bytes already, with the same metadata.
    fn unchanged(&self, input: &Input) -> Option<RecordingId> {
        if self.known.is_empty() {
            return None;
        }
        let ids = self.known.get(&digest(&input.path).ok()?)?;
        match &input.row {
            Some(row) => ids.iter().find(|id| **id == row.recording.recording_id).cloned(),
            None => ids.first().cloned(),
        }
    }

    /// Tells the inputs from `next` to `end` that need no analysis.
    fn unchanged_until(
        &mut self,
        chunk: &[Input],
        unchanged: &[Option<RecordingId>],
        next: &mut usize,
        end: usize,
    ) -> Result<(), library::Error> {
        while *next < end && !self.stopped {
            let input = &chunk[*next];
            if let Some(id) = &unchanged[*next] {
                let outcome = match &input.row {
                    Some(row) => {
                        Catalog::new(self.library.store()).upsert(&row.recording, row.title_given)?
                    }
                    None => Outcome::Unchanged,
                };
                let told = told(input, Some(id.clone()), Some(outcome), None);
                self.waiting.push((told, None));
            }
            *next += 1;
        }
        Ok(())
    }

    fn take(&mut self, input: &Input, result: Result<Analysis, worker::Error>) -> Result<(), library::Error> {
        let waiting = match result {
            Ok(analysis) => self.analysed(input, &analysis),
            Err(worker::Error::Audio { source, .. }) if input.found && is_no_audio(&source) => {
                (told(input, None, None, None), None)
            }
            Err(error) => {
                self.keep_metadata(input)?;
                (told(input, None, None, Some(error.to_string())), None)
            }
        };
        self.waiting.push(waiting);
        if self.waiting.iter().filter(|(_, entry)| entry.is_some()).count() >= RECORDINGS_PER_COMMIT {
            self.commit()?;
        }
        Ok(())
    }

    fn analysed(&self, input: &Input, analysis: &Analysis) -> (Registered, Option<Entry>) {
        let recording = match &input.row {
            Some(row) => Ok(row.recording.clone()),
            None => recording_from_file(&input.path, &analysis.info.tags),
        };
        let recording = match recording {
            Ok(recording) => recording,
            Err(error) => {
                let message = format!("{}: {error}; rename the file", input.path.display());
                return (told(input, None, None, Some(message)), None);
            }
        };
        let Some(fingerprint) = reference_fingerprint(analysis) else {
            let message =
                format!("{}: nothing but silence; it cannot be found anywhere", input.path.display());
            return (told(input, Some(recording.recording_id), None, Some(message)), None);
        };
        let mut told = told(input, Some(recording.recording_id.clone()), None, None);
        told.warnings.clone_from(&analysis.info.warnings);
        let audio = RecordingAudio {
            path: input.path.display().to_string(),
            sha256: analysis.digest,
            duration_s: analysis.info.duration_s,
            tags: Some(analysis.info.tags.shortened(TAG_CHARS_MAX)),
        };
        let recording = Recording { audio: Some(audio), ..recording };
        let title_given =
            input.row.as_ref().map_or(analysis.info.tags.title.is_some(), |row| row.title_given);
        (told, Some(Entry { recording, title_given, fingerprint }))
    }

    fn keep_metadata(&self, input: &Input) -> Result<(), library::Error> {
        if let Some(row) = &input.row {
            Catalog::new(self.library.store()).upsert(&row.recording, row.title_given)?;
        }
        Ok(())
    }

    /// Stores what waits, and then tells it.
    fn commit(&mut self) -> Result<(), library::Error> {
        let (mut results, mut entries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (result, entry)) in self.waiting.drain(..).enumerate() {
            results.push(result);
            if let Some(entry) = entry {
                // Two files of one id in a batch: the later one counts, as it would in a batch of its own.
                if let Some(earlier) = entries
                    .iter()
                    .position(|other: &Entry| other.recording.recording_id == entry.recording.recording_id)
                {
                    entries.remove(earlier);
                    let owner: usize = owners.remove(earlier);
                    results[owner].outcome = Some(Outcome::Updated);
                }
                entries.push(entry);
                owners.push(at);
            }
        }
        if !entries.is_empty() {
            for (owner, outcome) in owners.into_iter().zip(self.library.add(entries)?) {
                results[owner].outcome = Some(outcome);
                results[owner].fingerprinted = true;
            }
        }
        for result in &results {
            self.done += 1;
            let go_on = (self.on_done)(Progress { done: self.done, total: self.total, result });
            self.stopped |= !go_on;
        }
        Ok(())
    }
}

fn told(
    input: &Input,
    recording_id: Option<RecordingId>,
    outcome: Option<Outcome>,
    error: Option<String>,
) -> Registered {
    Registered {
        path: Some(input.path.clone()),
        line: input.row.as_ref().map(|row| row.line),
        recording_id: recording_id
            .or_else(|| input.row.as_ref().map(|row| row.recording.recording_id.clone())),
        outcome,
        error,
        warnings: Vec::new(),
        fingerprinted: false,
    }
}

fn is_no_audio(error: &crate::audio::Error) -> bool {
    matches!(error, crate::audio::Error::NotAudio { .. } | crate::audio::Error::NoAudioTrack { .. })
}

/// The view that says most of a recording: mid, unless that nearly cancels.
fn reference_fingerprint(analysis: &Analysis) -> Option<Fingerprint> {
    let of = |wanted: ChannelView| analysis.fingerprints.iter().find(|(view, _)| *view == wanted);
    let peaks = |view: ChannelView| of(view).map_or(0, |(_, fingerprint)| fingerprint.peaks.len());
    let view = if peaks(ChannelView::Side) > 2 * peaks(ChannelView::Mid) {
        ChannelView::Side
    } else {
        ChannelView::Mid
    };
    of(view)
        .filter(|(_, fingerprint)| !fingerprint.peaks.is_empty())
        .map(|(_, fingerprint)| fingerprint.clone().for_reference())
}

/// The recordings that have a fingerprint and the tags of their file, by their audio's digest. Those that were added before
/// tags were kept are heard again.
fn indexed_audio(library: &Library) -> Result<HashMap<Digest, Vec<RecordingId>>, library::Error> {
    let mut known: HashMap<Digest, Vec<RecordingId>> = HashMap::new();
    for recording in library.store().scan::<Recording>("")? {
        let recording = recording?;
        if let Some(audio) = recording.audio
            && audio.tags.is_some()
            && library.holds(&recording.recording_id)
        {
            known.entry(audio.sha256).or_default().push(recording.recording_id);
        }
    }
    Ok(known)
}

fn digest(path: &Path) -> std::io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..read]);
    }
}
