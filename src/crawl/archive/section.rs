//! Parts of a file, read without a shared position.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

/// Bytes that are counted at a time.
const COUNTED_BYTES: usize = 4096;

/// A stretch of a file, as a reader.
pub(super) struct Section<'a> {
    file: &'a File,
    at: u64,
    end: u64,
    /// Counts what is read, for those who share a budget.
    taken: Option<&'a Cell<u64>>,
}

impl<'a> Section<'a> {
    /// From `at` for `length` bytes, or to the file's end where that comes first.
    pub(super) fn new(file: &'a File, at: u64, length: u64) -> Self {
        Self { file, at, end: at.saturating_add(length), taken: None }
    }

    pub(super) fn counted(mut self, taken: &'a Cell<u64>) -> Self {
        self.taken = Some(taken);
        self
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        // Of shared bytes no more than a decoder needs at once.
        let most = buffer.len().min(left).min(if self.taken.is_some() { COUNTED_BYTES } else { usize::MAX });
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += read as u64;
        if let Some(taken) = self.taken {
            taken.set(taken.get().saturating_add(read as u64));
        }
        Ok(read)
    }
}

/// Reads up to `length` bytes at `at`; fewer only where the file ends. The caller bounds `length`.
pub(super) fn read_up_to(file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Section::new(file, at, length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fills `buffer` as far as the reader goes.
pub(super) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
