//! Everything as JSON Lines, out and in: `{"kind":"recording","key":"JP-1","value":{…}}`.

use std::io::{self, BufRead, Read as _, Write};

use super::{Batch, Error, KEY_BYTES_MAX, Kinds, Store, VALUE_BYTES_MAX, line};

/// The longest line that is read, in bytes: the largest record with room for another spelling.
const LINE_BYTES_MAX: usize = 4 * (VALUE_BYTES_MAX + KEY_BYTES_MAX);

/// How many lines are committed together, at most.
const LINES_PER_BATCH: usize = 500;

/// How many problems are kept; a file of another kind altogether must not fill the memory.
const PROBLEMS_MAX: usize = 1000;

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImportReport {
    /// Records written.
    pub written: u64,
    /// Lines that were not taken.
    pub failed: u64,
    /// What was wrong with them; of the first 1,000.
    pub problems: Vec<LineProblem>,
}

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LineProblem {
    /// The line's number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

/// A line of a kind that is not the store's, for whoever knows that kind.
#[derive(Debug, PartialEq, Eq)]
pub struct OtherLine {
    /// The line's number, from 1.
    pub number: u64,
    /// Its key.
    pub key: String,
    /// Its value, as JSON.
    pub value: Vec<u8>,
}

/// An import under way: lines as [`Store::export`] writes them, over what is there.
pub struct Import<'a> {
    input: &'a mut dyn BufRead,
    kinds: &'a Kinds,
    /// The kind of [`OtherLine`], if any.
    other: Option<&'static str>,
    line_bytes_max: usize,
    batch: Batch,
    number: u64,
    report: ImportReport,
}

impl<'a> Import<'a> {
    /// Begins to read `input`.
    pub fn new(input: &'a mut dyn BufRead, kinds: &'a Kinds) -> Self {
        let (batch, report) = (Batch::new(), ImportReport::default());
        Self { input, kinds, other: None, line_bytes_max: LINE_BYTES_MAX, batch, number: 0, report }
    }

    /// Also takes lines of `kind`, which is not the store's, and lines of up to `line_bytes_max` bytes.
    #[must_use]
    pub fn with_other(self, kind: &'static str, line_bytes_max: usize) -> Self {
        Self { other: Some(kind), line_bytes_max: line_bytes_max.max(LINE_BYTES_MAX), ..self }
    }

    /// Reads on until the next line of the other kind, and gives that; `None` at the end. Bad lines are noted, good
    /// ones are committed in batches, in their order; the last of them with [`Import::commit`].
    ///
    /// # Errors
    /// [`Error`] when a batch cannot be committed.
    pub fn read_on(&mut self, store: &Store) -> Result<Option<OtherLine>, Error> {
        loop {
            self.number += 1;
            let operation = match read_line(self.input, self.line_bytes_max) {
                Ok(None) => break,
                Ok(Some(Line::TooLong)) => Err(format!("longer than {} bytes", self.line_bytes_max)),
                Ok(Some(Line::Whole(bytes))) if bytes.trim_ascii().is_empty() => continue,
                Ok(Some(Line::Whole(bytes))) => decode_line(&bytes),
                Err(error) => {
                    self.fail(self.number, format!("cannot read on: {error}"));
                    break;
                }
            };
            let change = match operation {
                Ok(line::Operation { kind, key, value: Some(value) })
                    if Some(kind.as_str()) == self.other =>
                {
                    return Ok(Some(OtherLine { number: self.number, key, value }));
                }
                Ok(operation) => self.kinds.check(operation),
                Err(message) => Err(message),
            };
            match change {
                Ok(change) => self.batch.push(change),
                Err(message) => self.fail(self.number, message),
            }
            if self.batch.len() >= LINES_PER_BATCH || self.batch.bytes() > (1 << 20) {
                self.commit(store)?;
            }
        }
        Ok(None)
    }

    /// Commits what was read and is not committed yet.
    ///
    /// # Errors
    /// [`Error`] when it cannot be committed.
    pub fn commit(&mut self, store: &Store) -> Result<(), Error> {
        let records = self.batch.len() as u64;
        store.commit(std::mem::take(&mut self.batch))?;
        self.report.written += records;
        Ok(())
    }

    /// Notes that a line was not taken.
    pub fn fail(&mut self, line: u64, message: String) {
        self.report.failed += 1;
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(LineProblem { line, message });
        }
    }

    /// Commits the rest and says what came of it all.
    ///
    /// # Errors
    /// As [`Import::commit`].
    pub fn finish(mut self, store: &Store) -> Result<ImportReport, Error> {
        self.commit(store)?;
        Ok(self.report)
    }
}

impl Store {
    /// Writes every record as a line of JSON, sorted by kind and key. Gives the number of records.
    ///
    /// # Errors
    /// [`Error`] when the store cannot be read; [`Error::Io`] when `output` cannot be written.
    pub fn export(&self, output: &mut impl Write) -> Result<u64, Error> {
        self.export_without(output, &[])
    }

    /// As [`Store::export`], without the records of some kinds.
    ///
    /// # Errors
    /// As [`Store::export`].
    pub fn export_without(&self, output: &mut impl Write, kinds: &[&str]) -> Result<u64, Error> {
        let mut records = 0;
        let mut text = Vec::new();
        for (kind, journalled) in self.trees().kinds() {
            if kinds.contains(&kind.as_str()) {
                continue;
            }
            let tree = self.trees().tree(&kind, journalled).map_err(Error::engine(self.path()))?;
            for entry in &tree {
                let (key, value) = entry.map_err(Error::engine(self.path()))?;
                text.clear();
                line::encode(&kind, &String::from_utf8_lossy(&key), Some(&value), &mut text);
                output.write_all(&text).map_err(Error::io(self.path()))?;
                records += 1;
            }
        }
        output.flush().map_err(Error::io(self.path()))?;
        Ok(records)
    }

    /// Reads lines as [`Store::export`] writes them, over what is there. Bad lines are reported, good ones kept.
    ///
    /// Lines are committed in batches, in their order: when this is cut off, a run from the beginning of whole
    /// batches is kept, and importing again completes it.
    ///
    /// # Errors
    /// [`Error`] when a batch cannot be committed.
    pub fn import(&self, input: &mut dyn BufRead, kinds: &Kinds) -> Result<ImportReport, Error> {
        let mut import = Import::new(input, kinds);
        while import.read_on(self)?.is_some() {}
        import.finish(self)
    }
}

pub(super) fn decode_line(bytes: &[u8]) -> Result<line::Operation, String> {
    // Some editors put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    line::decode(bytes).map_err(|error| error.to_string())
}

pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// Reads one line in bounded memory; the rest of a line that is too long is skipped.
pub(super) fn read_line(input: &mut dyn BufRead, bytes_max: usize) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let read = (&mut *input).take(bytes_max as u64 + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.len() <= bytes_max {
        return Ok(Some(Line::Whole(bytes)));
    }
    if bytes.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(Some(Line::TooLong))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::store::testing::{Cached, Kept};

    fn kinds() -> Kinds {
        Kinds::new().with::<Kept>().with::<Cached>()
    }

    #[test]
    fn export_then_import_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let one = Store::open(&folder.path().join("one")).unwrap();
        for n in 0..700 {
            one.put(&Cached::new(&format!("k{n:04}"), "夜に駆ける\n\"🎵\"")).unwrap();
        }
        one.put(&Kept::new("日本", "1")).unwrap();
        let mut first = Vec::new();
        assert_eq!(one.export(&mut first).unwrap(), 701);
        let two = Store::open(&folder.path().join("two")).unwrap();
        let report = two.import(&mut first.as_slice(), &kinds()).unwrap();
        assert_eq!((report.written, report.failed), (701, 0));
        let mut second = Vec::new();
        two.export(&mut second).unwrap();
        assert_eq!(first, second);
        assert_eq!(two.get::<Kept>("日本").unwrap().unwrap().text, "1");
    }

    #[test]
    fn bad_lines_are_named_and_good_ones_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let long = "x".repeat(LINE_BYTES_MAX + 5);
        let text = format!(
            "\u{feff}{}\n\nnot json\n{}\n{}\n{long}\n{}\n{}",
            r#"{"kind":"kept","key":"a","value":{"id":"a","text":"1"}}"#,
            r#"{"kind":"keept","key":"a","value":{"id":"a","text":"1"}}"#,
            r#"{"kind":"kept","key":"b","value":{"id":"a","text":"1"}}"#,
            r#"{"kind":"kept","key":"a","value":{"id":"a"}}"#,
            r#" {"key":"c","value":{"text":"3","id":"c"},"kind":"kept"}"#,
        );
        let report = store.import(&mut text.as_bytes(), &kinds()).unwrap();
        assert_eq!((report.written, report.failed), (2, 5));
        let lines: Vec<u64> = report.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7]);
        assert!(report.problems[1].message.contains("keept"), "{:?}", report.problems[1]);
        assert_eq!(store.get::<Kept>("c").unwrap().unwrap().text, "3");
    }
}
