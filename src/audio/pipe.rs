//! A pipe: bytes that come once and in order, with a bounded look back for those who must see what they are first.

use std::io::{self, Read};

/// Bytes that stay in reach behind the furthest that was looked at: more than any prober asks for (a transport
/// stream's survey, 4 MiB), so that tags with pictures stay readable too.
const LOOK_BACK_BYTES: usize = 8 << 20;

/// Bytes read at a time where bytes are passed over.
const SKIP_BYTES: usize = 64 * 1024;

/// A reader without a way back, but for what [`Pipe::look`] has kept.
pub(super) struct Pipe {
    reader: Box<dyn Read + Send + Sync>,
    /// What was looked at and not yet read past; starts at `kept_from`.
    kept: Vec<u8>,
    kept_from: u64,
    /// Where the next read starts; never before `kept_from`, never after the end of `kept`.
    at: u64,
    ended: bool,
}

impl Pipe {
    pub(super) fn new(reader: Box<dyn Read + Send + Sync>) -> Self {
        Self { reader, kept: Vec::new(), kept_from: 0, at: 0, ended: false }
    }

    /// Whether a read can start at `offset` without going back further than is kept.
    pub(super) const fn reaches(&self, offset: u64) -> bool {
        offset >= self.kept_from
    }

    pub(super) const fn position(&self) -> u64 {
        self.at
    }

    /// Returns up to `max` bytes from `offset`, and keeps them; fewer only at the end.
    pub(super) fn look(&mut self, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        self.go_to(offset)?;
        let max = max.min(LOOK_BACK_BYTES);
        while !self.ended && self.end() < offset.saturating_add(max as u64) {
            self.keep_more()?;
        }
        let from = (offset.min(self.end()) - self.kept_from) as usize;
        let to = (from + max).min(self.kept.len());
        Ok(self.kept[from..to].to_vec())
    }

    /// Moves to `offset`; forward by reading, or back within what is kept.
    pub(super) fn go_to(&mut self, offset: u64) -> io::Result<u64> {
        if !self.reaches(offset) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a stream cannot go back"));
        }
        while !self.ended && self.end() < offset {
            self.keep_more()?;
        }
        self.at = offset.min(self.end());
        Ok(self.at)
    }

    fn end(&self) -> u64 {
        self.kept_from + self.kept.len() as u64
    }

    /// Reads what comes next, and forgets the oldest where that becomes too much.
    fn keep_more(&mut self) -> io::Result<()> {
        let length = self.kept.len();
        self.kept.resize(length + SKIP_BYTES, 0);
        let got = read_once(&mut self.reader, &mut self.kept[length..]);
        self.kept.truncate(length + *got.as_ref().unwrap_or(&0));
        self.ended = got? == 0;
        let excess = self.kept.len().saturating_sub(LOOK_BACK_BYTES + SKIP_BYTES);
        // In large steps: moving the rest for every piece would take quadratic time.
        if excess > LOOK_BACK_BYTES / 8 {
            self.kept.drain(..excess);
            self.kept_from += excess as u64;
            self.at = self.at.max(self.kept_from);
        }
        Ok(())
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = (self.at - self.kept_from) as usize;
        let ready = &self.kept[from..];
        if !ready.is_empty() {
            let count = ready.len().min(buffer.len());
            buffer[..count].copy_from_slice(&ready[..count]);
            self.at += count as u64;
            return Ok(count);
        }
        // All that was looked at is read: from here on nothing is kept.
        self.kept = Vec::new();
        let got = if self.ended { 0 } else { read_once(&mut self.reader, buffer)? };
        self.ended |= got == 0 && !buffer.is_empty();
        self.at += got as u64;
        self.kept_from = self.at;
        Ok(got)
    }
}

fn read_once(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Gives its bytes in pieces of a size.
    struct Dripping(Vec<u8>, usize, usize);

    impl Read for Dripping {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.2.min(buffer.len()).min(self.0.len() - self.1);
            buffer[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
            self.1 += count;
            Ok(count)
        }
    }

    fn dripping(bytes: usize, piece: usize) -> (Vec<u8>, Pipe) {
        let bytes: Vec<u8> = (0..bytes).map(|n| (n % 251) as u8).collect();
        (bytes.clone(), Pipe::new(Box::new(Dripping(bytes, 0, piece))))
    }

    proptest! {
        #[test]
        fn looks_and_reads_give_what_a_file_gives(
            length in 0usize..200_000,
            piece in 1usize..70_000,
            looks in proptest::collection::vec((0u64..250_000, 0usize..100_000), 0..6),
            start in 0u64..200_000,
        ) {
            let (bytes, mut pipe) = dripping(length, piece);
            for (offset, max) in looks {
                let from = (offset as usize).min(length);
                prop_assert_eq!(pipe.look(offset, max).unwrap(), &bytes[from..(from + max).min(length)]);
            }
            prop_assert_eq!(pipe.go_to(start).unwrap(), start.min(length as u64));
            let mut rest = Vec::new();
            pipe.read_to_end(&mut rest).unwrap();
            prop_assert_eq!(rest, &bytes[(start as usize).min(length)..]);
            prop_assert!(length == 0 || !pipe.reaches(length as u64 - 1));
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (bytes, mut pipe) = dripping(40 << 20, 1 << 20);
        assert_eq!(pipe.look(39 << 20, 16).unwrap(), &bytes[39 << 20..(39 << 20) + 16]);
        assert!(pipe.kept.len() < 2 * LOOK_BACK_BYTES, "{} bytes", pipe.kept.len());
        assert!(!pipe.reaches(0));
        assert!(pipe.look(0, 1).is_err());
    }
}
