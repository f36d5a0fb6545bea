//! Where bytes come from: a file, memory, or a pipe that cannot seek.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use symphonia::core::io::{MediaSource, MediaSourceStream};

use super::pipe::Pipe;

/// Bytes to decode.
pub struct Source {
    from: From,
    /// Length in bytes where it is known.
    len: Option<u64>,
}

enum From {
    File(File),
    Bytes(Cursor<Arc<[u8]>>),
    Pipe(Pipe),
}

impl Source {
    /// Reads an open regular file, from its start.
    ///
    /// # Errors
    /// When the file's length cannot be asked.
    pub fn file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { from: From::File(file), len: Some(len) })
    }

    /// Reads bytes in memory.
    #[must_use]
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let len = bytes.len() as u64;
        Self { from: From::Bytes(Cursor::new(bytes)), len: Some(len) }
    }

    /// Reads what comes once and cannot be asked for again: a pipe, a live stream.
    #[must_use]
    pub fn pipe(reader: impl Read + Send + Sync + 'static) -> Self {
        Self { from: From::Pipe(Pipe::new(Box::new(reader))), len: None }
    }

    /// Returns the length in bytes; `None` for a pipe.
    pub(super) const fn len(&self) -> Option<u64> {
        self.len
    }

    /// Returns whether the source is a pipe: read once, from front to back.
    pub(super) const fn is_pipe(&self) -> bool {
        matches!(self.from, From::Pipe(_))
    }

    /// Returns whether `offset` can still be read.
    pub(super) const fn reaches(&self, offset: u64) -> bool {
        match &self.from {
            From::Pipe(pipe) => pipe.reaches(offset),
            From::File(_) | From::Bytes(_) => true,
        }
    }

    /// Reads up to `max` bytes from `offset`; fewer only at the end.
    pub(super) fn read_at(&mut self, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        if let From::Pipe(pipe) = &mut self.from {
            return pipe.look(offset, max);
        }
        self.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        self.take(max as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Wraps the source for symphonia's readers, positioned at `start`, which they take for the beginning.
    pub(super) fn stream(&mut self, start: u64) -> io::Result<MediaSourceStream<'_>> {
        self.seek(SeekFrom::Start(start))?;
        Ok(MediaSourceStream::new(Box::new(From0 { source: self, start }), Default::default()))
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.from {
            From::File(file) => file.read(buffer),
            From::Bytes(bytes) => bytes.read(buffer),
            From::Pipe(pipe) => pipe.read(buffer),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.from {
            From::File(file) => file.seek(to),
            From::Bytes(bytes) => bytes.seek(to),
            From::Pipe(pipe) => match to {
                SeekFrom::Start(offset) => pipe.go_to(offset),
                SeekFrom::Current(0) => Ok(pipe.position()),
                _ => Err(io::Error::new(io::ErrorKind::Unsupported, "a stream has no end to count from")),
            },
        }
    }
}

/// A source whose beginning lies `start` bytes in: what stands before (tags) does not exist for the reader.
struct From0<'a> {
    source: &'a mut Source,
    start: u64,
}

impl Read for From0<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl Seek for From0<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(offset) => SeekFrom::Start(offset.saturating_add(self.start)),
            other => other,
        };
        Ok(self.source.seek(to)?.saturating_sub(self.start))
    }
}

impl MediaSource for From0<'_> {
    fn is_seekable(&self) -> bool {
        !self.source.is_pipe()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.len.map(|len| len.saturating_sub(self.start))
    }
}
