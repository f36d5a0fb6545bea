//! The owner's audio into catalogue and index.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::RecordingId;
use crate::catalog::Outcome;
use crate::catalog::import::Row;
use crate::config::Settings;
use crate::store::Store;

/// What became of one input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Registered {
    /// The audio file, where the input has one.
    pub path: Option<PathBuf>,
    /// The line of the table, where the input came from one.
    pub line: Option<u64>,
    /// The recording, as far as it is known.
    pub recording_id: Option<RecordingId>,
    /// What became of the recording; `None` where it failed.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub error: Option<String>,
}

/// One input is done; told in the order of the inputs.
#[derive(Debug)]
pub struct Progress<'a> {
    /// How many are done, this one included.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// What became of this one.
    pub result: &'a Registered,
}

/// Why registering could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// This version cannot do it yet.
    #[error("{0} is not built yet")]
    NotBuilt(&'static str),
}

/// Brings audio files, and all audio files in folders, into catalogue and index. An input that fails is told and the
/// others go on.
///
/// # Errors
/// [`Error`] when nothing more can be written.
pub fn add_files(
    _store: &Store,
    _settings: &Settings,
    _paths: &[PathBuf],
    _on_done: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    Err(Error::NotBuilt("adding audio"))
}

/// Brings the rows of a table into the catalogue and the audio files that they name into the index; file names are
/// relative to `audio_root`. A row whose audio fails is told, and its metadata is kept.
///
/// # Errors
/// [`Error`] when nothing more can be written.
pub fn import_rows(
    _store: &Store,
    _settings: &Settings,
    _rows: Vec<Row>,
    _audio_root: &Path,
    _on_done: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    Err(Error::NotBuilt("importing audio"))
}

/// Removes recordings from catalogue and index. Gives those that were there.
///
/// # Errors
/// [`Error`] when it cannot be written.
pub fn remove(_store: &Store, _ids: &[RecordingId]) -> Result<Vec<RecordingId>, Error> {
    Err(Error::NotBuilt("removing recordings"))
}
