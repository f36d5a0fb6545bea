//! Stretches of a file or of memory that are read without a cursor, so that media of any size passes in small pieces.

use std::fs::File;
use std::io::{self, Read};

use crate::base::{Digest, Hasher};

/// How much is read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes that can be read at any place.
pub trait ReadAt {
    /// Reads some bytes at `offset`; 0 at the end.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Returns how many bytes there are.
    ///
    /// # Errors
    /// What the system says.
    fn length(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(copy_at(self, buffer, offset))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

fn copy_at(bytes: &[u8], buffer: &mut [u8], offset: u64) -> usize {
    let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    for (to, from) in buffer.iter_mut().zip(rest) {
        *to = *from;
    }
    rest.len().min(buffer.len())
}

#[derive(Clone, Copy)]
enum Source<'a> {
    At(&'a dyn ReadAt),
    Memory(&'a [u8]),
}

impl Source<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::At(source) => source.read_at(buffer, offset),
            Self::Memory(bytes) => Ok(copy_at(bytes, buffer, offset)),
        }
    }
}

/// A stretch of such bytes.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    source: Source<'a>,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
}

/// What one pass over a section tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sha256: Digest,
    /// The checksum of ZIP (CRC-32 of ISO 3309).
    pub(super) crc32: u32,
}

impl<'a> Section<'a> {
    /// All of `source`.
    ///
    /// # Errors
    /// What the system says.
    pub fn all(source: &'a dyn ReadAt) -> io::Result<Self> {
        Ok(Self { source: Source::At(source), offset: 0, bytes: source.length()? })
    }

    /// All of some bytes in memory.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { source: Source::Memory(bytes), offset: 0, bytes: bytes.len() as u64 }
    }

    /// The part of this section from `from` on, `bytes` long, both cut to what there is.
    #[must_use]
    pub fn part(&self, from: u64, bytes: u64) -> Self {
        let from = from.min(self.bytes);
        Self { source: self.source, offset: self.offset + from, bytes: bytes.min(self.bytes - from) }
    }

    /// Reads it from its start.
    #[must_use]
    pub fn reader(&self) -> SectionReader<'a> {
        SectionReader { section: *self, at: 0 }
    }

    /// Reads all of it, or refuses where it is longer than `limit`.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`], or what the system says.
    pub fn read(&self, limit: u64) -> io::Result<Vec<u8>> {
        if self.bytes > limit {
            let text = format!("{} bytes are over the limit of {limit}", self.bytes);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let mut bytes = Vec::with_capacity(self.bytes as usize);
        self.reader().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Gives each piece of it to `take`.
    pub(super) fn each(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut reader = self.reader();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = reader.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            take(piece.get(..read).unwrap_or_default())?;
        }
    }

    /// Digests it.
    pub(super) fn sums(&self) -> io::Result<Sums> {
        let (mut sha256, mut crc32) = (Hasher::new(), crc32fast::Hasher::new());
        self.each(|piece| {
            sha256.update(piece);
            crc32.update(piece);
            Ok(())
        })?;
        Ok(Sums { sha256: sha256.finish(), crc32: crc32.finalize() })
    }
}

/// Reads a [`Section`] from its start to its end.
pub struct SectionReader<'a> {
    section: Section<'a>,
    at: u64,
}

impl Read for SectionReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.section.bytes - self.at;
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let read = self.section.source.read_at(buffer, self.section.offset + self.at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
