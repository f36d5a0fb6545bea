//! Text to records: delimiters, quotation marks, line numbers, and going on after a broken record.

use csv::StringRecord;

/// The longest record that is taken, in bytes.
const RECORD_BYTES_MAX: usize = 64 << 10;

/// How often reading starts again after a record of more than [`RECORD_BYTES_MAX`]: each time costs up to the rest
/// of the table, so that without a bound a hostile table could cost the square of its length.
const OVERLONG_MAX: u32 = 20;

/// One record of the table.
pub(super) struct RawRecord {
    /// The line it begins on, from 1.
    pub(super) line: u64,
    pub(super) fields: StringRecord,
    /// Whether it goes over several lines, by line breaks within quotation marks.
    pub(super) spans_lines: bool,
    /// Whether each quotation mark that opens a field is closed at the field's end; looked at only where the record
    /// spans lines, since only there a missing one swallows rows.
    pub(super) quotes_closed: bool,
    start: usize,
}

/// What comes next in a table.
pub(super) enum Next {
    Record(RawRecord),
    /// A record that is too long to be one; reading goes on with the next line.
    Overlong {
        line: u64,
    },
    /// Reading is given up at this line.
    GivenUp {
        line: u64,
    },
    End,
}

/// The records of a table.
pub(super) struct Records<'a> {
    text: &'a str,
    delimiter: u8,
    reader: csv::Reader<&'a [u8]>,
    /// Where in `text` the reader began, and on which line.
    base: (usize, u64),
    overlong: u32,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, delimiter, reader: reader(text, delimiter), base: (0, 1), overlong: 0 }
    }

    pub(super) fn next(&mut self) -> Next {
        let mut fields = StringRecord::new();
        match self.reader.read_record(&mut fields) {
            Ok(true) => {}
            // The input is in memory, is UTF-8, and any number of fields is taken, so there is no other error.
            Ok(false) | Err(_) => return Next::End,
        }
        let (mut start, mut line) = self.base;
        if let Some(position) = fields.position() {
            start += position.byte() as usize;
            line += position.line() - 1;
        }
        // Empty lines before a record count as part of it.
        let rest = self.text.get(start..).unwrap_or_default();
        let blank = rest.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += rest.bytes().take(blank).filter(|&byte| byte == b'\n').count() as u64;
        start += blank;
        let end = self.base.0 + self.reader.position().byte() as usize;
        let raw = self.text.get(start..end).unwrap_or_default();
        let spans_lines = raw.trim_end().contains('\n');
        let quotes_closed = !spans_lines || quotes_are_closed(raw.as_bytes(), self.delimiter);
        let record = RawRecord { line, fields, spans_lines, quotes_closed, start };
        if raw.len() <= RECORD_BYTES_MAX {
            return Next::Record(record);
        }
        self.overlong += 1;
        if self.overlong > OVERLONG_MAX {
            self.reader = reader("", self.delimiter);
            return Next::GivenUp { line };
        }
        self.resume_after_first_line(&record);
        Next::Overlong { line }
    }

    /// Goes on with the line after the one on which `record` began: a quotation mark that is never closed swallows
    /// good rows, and this gives them back.
    pub(super) fn resume_after_first_line(&mut self, record: &RawRecord) {
        let rest = self.text.get(record.start..).unwrap_or_default();
        let offset = rest.find('\n').map_or(self.text.len(), |at| record.start + at + 1);
        self.base = (offset, record.line + 1);
        self.reader = reader(self.text.get(offset..).unwrap_or_default(), self.delimiter);
    }
}

/// Returns whether each field that begins with a quotation mark ends with one.
fn quotes_are_closed(raw: &[u8], delimiter: u8) -> bool {
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        let field_end = |&byte: &u8| byte == delimiter || byte == b'\n' || byte == b'\r';
        if first == b'"' {
            let Some(close) = after.iter().position(|&byte| byte == b'"') else { return false };
            rest = &after[close + 1..];
            // A doubled mark stands for one within the field: the loop goes on as if a new field began there.
            if !rest.first().is_none_or(|byte| *byte == b'"' || field_end(byte)) {
                return false;
            }
            continue;
        }
        let end = rest.iter().position(field_end).unwrap_or(rest.len());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    true
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// Returns the delimiter that is commonest in the first line, outside quotation marks; a comma where there is none.
pub(super) fn detect_delimiter(text: &str) -> u8 {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0u32), (b';', 0), (b'\t', 0)];
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += u32::from(!quoted && byte == *delimiter);
        }
    }
    // Of equals the comma, which stands first, wins.
    let mut best = counts[0];
    for candidate in counts {
        if candidate.1 > best.1 {
            best = candidate;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn lines(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text, b',');
        let mut found = Vec::new();
        while let Next::Record(record) = records.next() {
            found.push((record.line, record.fields.iter().map(str::to_owned).collect()));
        }
        found
    }

    #[test]
    fn lines_are_counted_through_blank_lines_and_quotes() {
        let found = lines("a,b\r\n\r\n\"x\ny\",2\n\nc,\"d \"\"e\"\"\"");
        assert_eq!(found[0], (1, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(found[1], (3, vec!["x\ny".to_owned(), "2".to_owned()]));
        assert_eq!(found[2], (6, vec!["c".to_owned(), "d \"e\"".to_owned()]));
    }

    #[test]
    fn goes_on_after_overlong_records() {
        let text = format!("a,\"b\n1,2\n{}\n3,4\n", "x\n".repeat(RECORD_BYTES_MAX));
        let mut records = Records::new(&text, b',');
        assert!(matches!(records.next(), Next::Overlong { line: 1 }));
        let Next::Record(record) = records.next() else { panic!("no record") };
        assert_eq!((record.line, &record.fields[1]), (2, "2"));
    }

    #[test]
    fn closed_quotes() {
        for (raw, closed) in [
            ("1,\"a\nb\",\"\"\n", true),
            ("1,\"a\"\"\n\",2", true),
            ("1,12\" mix,\"a\nb\"", true),
            ("1,\"a\n2,b\n", false),
            ("1,\"a\n2,\"b\n", false),
            ("1,\"a\n2,\"b\"\n", false),
        ] {
            assert_eq!(quotes_are_closed(raw.as_bytes(), b','), closed, "{raw}");
        }
    }

    #[test]
    fn delimiters() {
        assert_eq!(detect_delimiter("a,b;c,d"), b',');
        assert_eq!(detect_delimiter("\"a,b,c\";d"), b';');
        assert_eq!(detect_delimiter("a\tb\tc,d"), b'\t');
        assert_eq!(detect_delimiter("isrc"), b',');
    }
}
