//! Everything as JSON Lines, out and in: `{"kind":"recording","key":"JP-1","value":{…}}`.

use std::io::{self, BufRead, Read as _, Write};

use super::record::Change;
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

impl ImportReport {
    fn fail(&mut self, line: u64, message: String) {
        self.failed += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(LineProblem { line, message });
        }
    }
}

impl Store {
    /// Writes every record as a line of JSON, sorted by kind and key. Gives the number of records.
    ///
    /// # Errors
    /// [`Error`] when the store cannot be read; [`Error::Io`] when `output` cannot be written.
    pub fn export(&self, output: &mut impl Write) -> Result<u64, Error> {
        let mut records = 0;
        let mut text = Vec::new();
        for (kind, journalled) in self.trees().kinds() {
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
    pub fn import(&self, input: &mut impl BufRead, kinds: &Kinds) -> Result<ImportReport, Error> {
        let mut report = ImportReport::default();
        let mut batch = Batch::new();
        let mut number = 0;
        loop {
            number += 1;
            let change = match read_line(input) {
                Ok(None) => break,
                Ok(Some(Line::TooLong)) => Err(format!("longer than {LINE_BYTES_MAX} bytes")),
                Ok(Some(Line::Whole(bytes))) if bytes.trim_ascii().is_empty() => continue,
                Ok(Some(Line::Whole(bytes))) => check_line(&bytes, kinds),
                Err(error) => {
                    report.fail(number, format!("cannot read on: {error}"));
                    break;
                }
            };
            match change {
                Ok(change) => batch.push(change),
                Err(message) => report.fail(number, message),
            }
            if batch.len() >= LINES_PER_BATCH || batch.bytes() > (1 << 20) {
                self.commit_import(&mut batch, &mut report)?;
            }
        }
        self.commit_import(&mut batch, &mut report)?;
        Ok(report)
    }

    fn commit_import(&self, batch: &mut Batch, report: &mut ImportReport) -> Result<(), Error> {
        let records = batch.len() as u64;
        self.commit(std::mem::take(batch))?;
        report.written += records;
        Ok(())
    }
}

fn check_line(bytes: &[u8], kinds: &Kinds) -> Result<Change, String> {
    // Some editors put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let operation = line::decode(bytes).map_err(|error| error.to_string())?;
    kinds.check(operation)
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// Reads one line in bounded memory; the rest of a line that is too long is skipped.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.len() <= LINE_BYTES_MAX {
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
