//! Rewrites a journal so that it holds only what is live.
//!
//! It reads the journal itself, not the trees: the truth must not be made anew from a cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use super::reader::{HeaderError, Reader, Step};
use super::writer::{create, frames_of};
use crate::store::line;

/// How large the frames of a rewritten journal are, in bytes, about.
const FRAME_BYTES: usize = 1 << 20;

/// Rewrites the journal at `path` in its place, one generation on; gives generation and length of the new one.
///
/// A kill at any instant leaves the old journal or the new one.
pub(in crate::store) fn compact(path: &Path) -> io::Result<(u64, u64)> {
    let mut first = open(path)?;
    let generation = first.generation() + 1;
    let live = last_writes(&mut first)?;
    let mut second = open(path)?;
    let mut lines = LiveLines { reader: &mut second, live, waiting: Vec::new().into_iter(), number: 0 };
    let length = create(path, generation, frames_of(&mut lines, FRAME_BYTES))?;
    Ok((generation, length))
}

fn open(path: &Path) -> io::Result<Reader<BufReader<File>>> {
    Reader::new(BufReader::new(File::open(path)?)).map_err(|error| match error {
        HeaderError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    })
}

/// Returns the numbers of the lines that are still live, counted through the whole journal.
fn last_writes<R: Read + Seek>(reader: &mut Reader<R>) -> io::Result<BTreeSet<u64>> {
    let mut last: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut number = 0;
    while let Some(payload) = next_frame(reader)? {
        for bytes in payload.split_inclusive(|&byte| byte == b'\n') {
            let operation = line::decode(bytes).map_err(io::Error::from)?;
            let key = (operation.kind, operation.key);
            match operation.value {
                Some(_) => last.insert(key, number),
                None => last.remove(&key),
            };
            number += 1;
        }
    }
    Ok(last.into_values().collect())
}

fn next_frame<R: Read + Seek>(reader: &mut Reader<R>) -> io::Result<Option<Vec<u8>>> {
    match reader.step()? {
        Step::Frame { payload, .. } => Ok(Some(payload)),
        Step::End => Ok(None),
        Step::Torn { offset, what } | Step::Damaged { offset, what, .. } => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("at byte {offset}: {what}")))
        }
    }
}

/// The lines of a journal whose numbers are in `live`.
struct LiveLines<'a, R> {
    reader: &'a mut Reader<R>,
    live: BTreeSet<u64>,
    waiting: std::vec::IntoIter<Vec<u8>>,
    number: u64,
}

impl<R: Read + Seek> Iterator for LiveLines<'_, R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.waiting.next() {
                return Some(Ok(line));
            }
            let payload = match next_frame(self.reader) {
                Ok(Some(payload)) => payload,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            let mut live_lines = Vec::new();
            for bytes in payload.split_inclusive(|&byte| byte == b'\n') {
                if self.live.contains(&self.number) {
                    live_lines.push(bytes.to_vec());
                }
                self.number += 1;
            }
            self.waiting = live_lines.into_iter();
        }
    }
}
