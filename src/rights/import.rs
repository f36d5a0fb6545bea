//! `licences.csv` → licences, and one clear line for everything wrong with it.
//!
//! The header names the columns, in any order and case: `licence_id`, `parent_licence_id`, `licensor`, `licensee`,
//! `licensee_domains`, `licensee_accounts`, `scope`, `right`, `layer`, `exclusive`, `sublicensable`, `territories`,
//! `excluded_territories`, `start`, `end`, `status`, `terminated_at`, `evidence_file_sha256`. Needed are
//! `licence_id`, `licensor`, `licensee` and `territories`. A row with an empty `licensor` states that `licensee`
//! owns what `scope` says; every chain begins with such a row.

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;

use super::licence::Licence;
use super::row;
use crate::base::{DecodedText, Timestamp, decode_text};

/// The most rows that are read of one table.
const ROWS_MAX: usize = 1_000_000;

/// The most problems that are told of one table.
const PROBLEMS_MAX: usize = 10_000;

/// The columns, each with the other names that are taken for it.
const COLUMNS: [(&str, &[&str]); 18] = [
    ("licence_id", &["license_id"]),
    ("parent_licence_id", &["parent_license_id", "parent"]),
    ("licensor", &[]),
    ("licensee", &["owner"]),
    ("licensee_domains", &["operators", "domains", "licensee_operators"]),
    ("licensee_accounts", &["accounts"]),
    ("scope", &[]),
    ("right", &["rights"]),
    ("layer", &[]),
    ("exclusive", &[]),
    ("sublicensable", &["sublicenseable", "sub_licensable"]),
    ("territories", &["territory"]),
    ("excluded_territories", &["territories_excluded"]),
    ("start", &["start_date", "valid_from"]),
    ("end", &["end_date", "valid_until"]),
    ("status", &[]),
    ("terminated_at", &[]),
    ("evidence_file_sha256", &["evidence_sha256"]),
];

/// Columns without which no row can be read.
const NEEDED: [&str; 4] = ["licence_id", "licensor", "licensee", "territories"];

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row, or the whole table, is not taken.
    Error,
    /// Taken, but worth a look.
    Warning,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Line of the table, the header being line 1.
    pub line: u64,
    /// Column of the table, from 1; `None` where the whole row is meant.
    pub column: Option<usize>,
    /// The column's name as the header writes it.
    pub field: Option<String>,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence, without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(field) = &self.field {
            write!(f, " ({field})")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the table.
    pub line: u64,
    /// What it says, as version 1; the store knows whether it is a later one.
    pub licence: Licence,
}

/// What a table held.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The good rows, in order.
    pub rows: Vec<Row>,
    /// Everything wrong with the others, in order.
    pub problems: Vec<Problem>,
}

/// Reads a table of licences. Nothing in `bytes` makes it fail: bad rows become problems.
///
/// `zone` is the time zone of dates and times written without one. A plain start date begins at its midnight, a
/// plain end date is the last day; an end written as an instant is the first instant no longer covered.
#[must_use]
pub fn parse_csv(bytes: &[u8], zone: &TimeZone, recorded_at: Timestamp) -> Parsed {
    let mut parsed = Parsed::default();
    let DecodedText { text, encoding, malformed } = decode_text(bytes, None);
    if malformed {
        let message =
            format!("some bytes are not {encoding}, the likeliest encoding; save the table as UTF-8");
        parsed.problems.push(table_problem(Severity::Warning, message));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(Ok(record)) => record,
        Some(Err(error)) => return failed(parsed, format!("the header cannot be read: {error}")),
        None => return failed(parsed, "the table is empty; its first line must name the columns".to_owned()),
    };
    let Some(columns) = Columns::find(&header, &mut parsed.problems) else { return parsed };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for record in records.take(ROWS_MAX) {
        if parsed.problems.len() >= PROBLEMS_MAX {
            return failed(parsed, format!("more than {PROBLEMS_MAX} problems; the rest is not read"));
        }
        read_record(record, &columns, (zone, recorded_at), &mut places, &mut parsed);
    }
    parsed
}

fn read_record(
    record: Result<csv::StringRecord, csv::Error>,
    columns: &Columns,
    (zone, recorded_at): (&TimeZone, Timestamp),
    places: &mut BTreeMap<String, usize>,
    parsed: &mut Parsed,
) {
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            let line = error.position().map_or(0, csv::Position::line);
            parsed.problems.push(row_problem(line, format!("the row cannot be read: {error}")));
            return;
        }
    };
    if record.iter().all(|field| field.trim().is_empty()) {
        return;
    }
    let line = record.position().map_or(0, csv::Position::line);
    let cells = Cells { record: &record, columns, line };
    let licence = match row::read(&cells, zone, recorded_at) {
        Ok(licence) => licence,
        Err(problems) => return parsed.problems.extend(problems),
    };
    if let Some(first) = places.get(&licence.licence_id).and_then(|&place| parsed.rows.get(place)) {
        if first.licence != licence {
            let message = format!(
                "licence `{}` is already on line {}, with other terms",
                licence.licence_id, first.line
            );
            parsed.problems.push(cells.problem("licence_id", message));
        }
        return;
    }
    places.insert(licence.licence_id.clone(), parsed.rows.len());
    parsed.rows.push(Row { line, licence });
}

fn table_problem(severity: Severity, message: String) -> Problem {
    Problem { line: 1, column: None, field: None, severity, message }
}

fn row_problem(line: u64, message: String) -> Problem {
    Problem { line, column: None, field: None, severity: Severity::Error, message }
}

fn failed(mut parsed: Parsed, message: String) -> Parsed {
    parsed.problems.push(table_problem(Severity::Error, message));
    parsed
}

/// The separator of which the header has most: spreadsheets write commas, semicolons or tabs by their locale.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|&byte| byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|&separator| count(separator)).unwrap_or(b',')
}

/// Where each known column stands.
#[derive(Debug)]
pub(super) struct Columns {
    header: Vec<String>,
    positions: BTreeMap<&'static str, usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord, problems: &mut Vec<Problem>) -> Option<Self> {
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut positions = BTreeMap::new();
        for (position, written) in header.iter().enumerate() {
            let folded = written.to_lowercase().replace([' ', '-'], "_");
            let known =
                COLUMNS.iter().find(|(name, others)| *name == folded || others.contains(&folded.as_str()));
            let message = match known {
                None if written.is_empty() => continue,
                None => format!("the column is not known and is not read; known are {}", names()),
                Some((name, _)) => match positions.insert(*name, position) {
                    None => continue,
                    Some(_) => format!("the column {name} is there twice; the last one is read"),
                },
            };
            problems.push(Problem {
                line: 1,
                column: Some(position + 1),
                field: Some(written.clone()),
                severity: Severity::Warning,
                message,
            });
        }
        let missing: Vec<&str> = NEEDED.into_iter().filter(|name| !positions.contains_key(name)).collect();
        if missing.is_empty() {
            return Some(Self { header, positions });
        }
        let message = format!("the header lacks {}; known columns are {}", missing.join(", "), names());
        problems.push(table_problem(Severity::Error, message));
        None
    }
}

fn names() -> String {
    COLUMNS.map(|(name, _)| name).join(", ")
}

/// The cells of one row, by the column's name.
pub(super) struct Cells<'a> {
    record: &'a csv::StringRecord,
    columns: &'a Columns,
    line: u64,
}

impl Cells<'_> {
    /// Returns a cell without white space around it; `None` where it is empty or the column is not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let position = *self.columns.positions.get(name)?;
        self.record.get(position).map(str::trim).filter(|cell| !cell.is_empty())
    }

    /// Makes an error of this row, at the column `name`.
    pub(super) fn problem(&self, name: &str, message: impl Into<String>) -> Problem {
        let position = self.columns.positions.get(name).copied();
        let field = position.and_then(|position| self.columns.header.get(position)).cloned();
        Problem {
            line: self.line,
            column: position.map(|position| position + 1),
            field: field.or_else(|| Some(name.to_owned())),
            severity: Severity::Error,
            message: message.into(),
        }
    }

    /// How many cells the row has against the header.
    pub(super) fn widths(&self) -> (usize, usize) {
        (self.record.len(), self.columns.header.len())
    }
}
