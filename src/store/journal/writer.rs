//! Appends frames, and makes new journals.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::format::{PAYLOAD_BYTES_MAX, frame_header, header};
use crate::store::files::sync_folder;

/// An open journal, at whose end frames are appended.
pub(in crate::store) struct Journal {
    file: File,
    generation: u64,
    end: u64,
    poisoned: Option<String>,
}

impl Journal {
    /// Opens the journal for appending at `end`; whatever follows there (a torn frame) is cut off.
    pub(in crate::store) fn open(path: &Path, generation: u64, end: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        if file.metadata()?.len() != end {
            file.set_len(end)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { file, generation, end, poisoned: None })
    }

    /// Returns the generation.
    pub(in crate::store) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the offset behind the last frame, which is the file's length.
    pub(in crate::store) fn end(&self) -> u64 {
        self.end
    }

    /// Returns why nothing can be appended any more, if so.
    pub(in crate::store) fn poisoned(&self) -> Option<&str> {
        self.poisoned.as_deref()
    }

    /// Refuses everything from here on: memory and disk no longer agree.
    pub(in crate::store) fn poison(&mut self, why: String) {
        self.poisoned = Some(why);
    }

    /// Appends one frame and syncs it; on return it survives a power cut. Gives the new end.
    ///
    /// After an error nothing of the frame remains, or else the journal is poisoned: after a failed sync nobody
    /// knows what the disk holds, and trying again would only seem to succeed.
    pub(in crate::store) fn append(&mut self, payload: &[u8]) -> io::Result<u64> {
        if payload.is_empty() || payload.len() > PAYLOAD_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a batch is empty or too large"));
        }
        let mut bytes = Vec::with_capacity(payload.len() + 16);
        bytes.extend_from_slice(&frame_header(payload));
        bytes.extend_from_slice(payload);
        if let Err(error) = self.file.write_all(&bytes) {
            self.take_back(&error);
            return Err(error);
        }
        if let Err(error) = self.file.sync_data() {
            self.poison(format!("syncing the journal: {error}"));
            self.take_back(&error);
            return Err(error);
        }
        self.end += bytes.len() as u64;
        Ok(self.end)
    }

    fn take_back(&mut self, error: &io::Error) {
        let taken = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
        if let Err(again) = taken {
            self.poison(format!("writing the journal: {error}; taking it back: {again}"));
        }
    }
}

/// Makes a journal of the given payloads under `path`, by way of a temporary file, so that it is there whole or
/// not at all. Gives its length.
pub(in crate::store) fn create(
    path: &Path,
    generation: u64,
    payloads: impl IntoIterator<Item = io::Result<Vec<u8>>>,
) -> io::Result<u64> {
    let temporary = path.with_extension("new");
    let length = write_all(&temporary, generation, payloads).inspect_err(|_| {
        // Half a journal only takes space.
        let _ = std::fs::remove_file(&temporary);
    })?;
    std::fs::rename(&temporary, path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    Ok(length)
}

fn write_all(
    path: &Path,
    generation: u64,
    payloads: impl IntoIterator<Item = io::Result<Vec<u8>>>,
) -> io::Result<u64> {
    let mut output = BufWriter::new(File::create(path)?);
    output.write_all(&header(generation))?;
    for payload in payloads {
        let payload = payload?;
        output.write_all(&frame_header(&payload))?;
        output.write_all(&payload)?;
    }
    let mut file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    file.stream_position()
}

/// Gathers lines into payloads of about `size` bytes.
pub(in crate::store) fn frames_of(
    lines: impl Iterator<Item = io::Result<Vec<u8>>>,
    size: usize,
) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let mut lines = lines.fuse();
    std::iter::from_fn(move || {
        let mut payload = Vec::new();
        while payload.len() < size {
            match lines.next() {
                Some(Ok(line)) => payload.extend_from_slice(&line),
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        (!payload.is_empty()).then_some(Ok(payload))
    })
}
