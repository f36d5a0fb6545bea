//! Records to rows: header, filters, cells, and recordings.

use std::collections::HashMap;
use std::path::Path;

use super::columns::{Columns, Field};
use super::records::{Next, RawRecord, Records, detect_delimiter};
use super::{Options, Problem, Row, Table, values};
use crate::base::{RecordingId, decode_text};
use crate::catalog::{Recording, identifiers};

/// How many problems are kept; a file of another kind altogether must not fill the memory.
const PROBLEMS_MAX: usize = 1000;

/// Reads a table of recordings: any order of columns, names in any case and of several schemes, any of the usual
/// encodings and delimiters. Bad rows become problems, good ones rows; nothing fails as a whole but the header.
#[must_use]
pub fn parse(bytes: &[u8], options: &Options) -> Table {
    let decoded = decode_text(bytes, options.encoding);
    let mut text = decoded.text;
    // Old spreadsheets end lines with CR alone.
    if !text.contains('\n') {
        text = text.replace('\r', "\n");
    }
    let delimiter = options.delimiter.unwrap_or_else(|| detect_delimiter(&text));
    let mut table =
        Table { encoding: decoded.encoding, delimiter: char::from(delimiter), ..Table::default() };
    let mut records = Records::new(&text, delimiter);
    if let Some(columns) = read_header(&mut records, options, &mut table) {
        table.names_audio = columns.place(Field::Filename).is_some();
        read_rows(&mut records, &columns, options, &mut table);
    }
    table
}

fn read_header(records: &mut Records<'_>, options: &Options, table: &mut Table) -> Option<Columns> {
    let mut refuse = |line, message: String| {
        table.problems.push(Problem { line, column: None, message });
        None
    };
    let header = match records.next() {
        Next::Record(record) => record,
        Next::Overlong { line } | Next::GivenUp { line } => {
            return refuse(line, "the header is longer than 64 KiB; is this a table?".to_owned());
        }
        Next::End => return refuse(1, "the table is empty".to_owned()),
    };
    let names: Vec<String> = header.fields.iter().map(|name| name.trim().to_owned()).collect();
    let columns = Columns::new(&names);
    let listed = || columns.names().join(", ").chars().take(300).collect::<String>();
    if listed().contains('\u{fffd}') {
        let message =
            "the header holds bytes that are not in this encoding; name the right one with --encoding";
        return refuse(header.line, message.to_owned());
    }
    if !columns.can_identify() {
        let message = format!(
            "the header has none of recording_id, reference_id, custom_id, isrc, filename; its columns are: {}",
            listed()
        );
        return refuse(header.line, message);
    }
    for filter in &options.filters {
        if columns.place_by_name(&filter.column).is_none() {
            let message = format!("there is no column `{}`; the columns are: {}", filter.column, listed());
            return refuse(header.line, message);
        }
    }
    Some(columns)
}

fn read_rows(records: &mut Records<'_>, columns: &Columns, options: &Options, table: &mut Table) {
    let mut seen: HashMap<RecordingId, u64> = HashMap::new();
    loop {
        let record = match records.next() {
            Next::Record(record) => record,
            Next::Overlong { line } => {
                let message =
                    "the row is longer than 64 KiB; is a closing quotation mark missing?".to_owned();
                table.bad_row(vec![Problem { line, column: None, message }]);
                continue;
            }
            Next::GivenUp { line } => {
                let message = "too many rows longer than 64 KiB; the rest is not read".to_owned();
                table.bad_row(vec![Problem { line, column: None, message }]);
                return;
            }
            Next::End => return,
        };
        if record.fields.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match read_row(&record, columns, options, &mut seen) {
            Ok(Some(row)) => table.rows.push(row),
            Ok(None) => table.filtered_rows += 1,
            Err(problems) => {
                table.bad_row(problems);
                if record.spans_lines {
                    records.resume_after_first_line(&record);
                }
            }
        }
    }
}

impl Table {
    fn bad_row(&mut self, problems: Vec<Problem>) {
        self.bad_rows += 1;
        let room = PROBLEMS_MAX.saturating_sub(self.problems.len());
        self.problems.extend(problems.into_iter().take(room));
    }
}

/// Reads one row; `None` when a filter leaves it out.
fn read_row(
    record: &RawRecord,
    columns: &Columns,
    options: &Options,
    seen: &mut HashMap<RecordingId, u64>,
) -> Result<Option<Row>, Vec<Problem>> {
    let line = record.line;
    if !record.quotes_closed {
        let message =
            "a quotation mark is not closed; write one at the end of the field, or double it within";
        return Err(vec![Problem { line, column: None, message: message.to_owned() }]);
    }
    let extra = record.fields.iter().skip(columns.names().len()).any(|cell| !cell.trim().is_empty());
    if extra {
        let (found, expected) = (record.fields.len(), columns.names().len());
        let message = format!(
            "the row has {found} fields, the header {expected}; put quotation marks around a field that holds the \
             delimiter"
        );
        return Err(vec![Problem { line, column: None, message }]);
    }
    let wanted = options.filters.iter().all(|filter| {
        let place = columns.place_by_name(&filter.column);
        place.and_then(|place| record.fields.get(place)).unwrap_or_default().trim() == filter.value.trim()
    });
    if !wanted && !record.spans_lines {
        return Ok(None);
    }
    let mut cells = Cells { record, columns, problems: Vec::new() };
    let row = cells.row();
    let mut problems = cells.problems;
    let Some(row) = row.filter(|_| problems.is_empty()) else { return Err(problems) };
    if !wanted {
        return Ok(None);
    }
    let id = &row.recording.recording_id;
    if let Some(first) = seen.get(id) {
        let column = columns.place(Field::RecordingId).map(|place| columns.name(place).to_owned());
        problems.push(Problem { line, column, message: format!("`{id}` is on line {first} already") });
        return Err(problems);
    }
    seen.insert(id.clone(), line);
    Ok(Some(row))
}

/// The cells of one row, read one after the other, with what is wrong with them.
struct Cells<'a> {
    record: &'a RawRecord,
    columns: &'a Columns,
    problems: Vec<Problem>,
}

impl Cells<'_> {
    fn row(&mut self) -> Option<Row> {
        let isrc = self.read(Field::Isrc, |cell| identifiers::isrc(cell).map_err(|error| error.to_string()));
        let filename = self.text(Field::Filename);
        let title = self.text(Field::Title);
        let recording_id = self.recording_id(isrc.as_deref(), filename.as_deref());
        let row = Row {
            line: self.record.line,
            title_given: title.is_some(),
            duration_s: self.read(Field::Duration, values::duration),
            recording: Recording {
                title: title.or_else(|| recording_id.as_ref().map(ToString::to_string)).unwrap_or_default(),
                isrc,
                iswc: self
                    .read(Field::Iswc, |cell| identifiers::iswc(cell).map_err(|error| error.to_string())),
                upc: self.read(Field::Upc, |cell| identifiers::upc(cell).map_err(|error| error.to_string())),
                title_alt: self.text(Field::TitleAlt).map(|cell| values::titles(&cell)).unwrap_or_default(),
                version: self.text(Field::Version),
                artist: self.text(Field::Artist),
                album: self.text(Field::Album),
                label: self.text(Field::Label),
                p_line: self.text(Field::PLine),
                c_line: self.text(Field::CLine),
                first_made: self.read(Field::FirstMade, values::date),
                release_date: self.read(Field::ReleaseDate, values::date),
                registration_no: self.text(Field::RegistrationNo),
                audio: None,
                recording_id: recording_id?,
            },
            filename,
        };
        Some(row)
    }

    /// Returns the row's own identifier, else its ISRC, else the stem of its file's name.
    fn recording_id(&mut self, isrc: Option<&str>, filename: Option<&str>) -> Option<RecordingId> {
        let own =
            self.read(Field::RecordingId, |cell| RecordingId::new(cell).map_err(|error| error.to_string()));
        if own.is_some() || self.problems.iter().any(|problem| problem.column.is_some()) {
            // With a bad cell the row is lost anyway; a second message about the missing identifier would mislead.
            return own;
        }
        let stem = filename.and_then(|name| Path::new(name).file_stem()).and_then(|stem| stem.to_str());
        match isrc.or(stem).map(RecordingId::new) {
            Some(Ok(id)) => Some(id),
            Some(Err(error)) => self.problem(None, error.to_string()),
            None => self.problem(None, "the row has neither recording_id nor ISRC nor file name".to_owned()),
        }
    }

    fn text(&mut self, field: Field) -> Option<String> {
        self.read(field, |cell| Ok(cell.to_owned()))
    }

    fn read<T>(&mut self, field: Field, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let place = self.columns.place(field)?;
        let cell = self.record.fields.get(place)?;
        match values::text(cell).and_then(|cell| cell.map(parse).transpose()) {
            Ok(value) => value,
            Err(message) => self.problem(Some(place), message),
        }
    }

    fn problem<T>(&mut self, place: Option<usize>, message: String) -> Option<T> {
        let column = place.map(|place| self.columns.name(place).to_owned());
        self.problems.push(Problem { line: self.record.line, column, message });
        None
    }
}
