//! Tables of recordings. Here are the bytes of a CSV file, gives rows and what is wrong with the others.
//!
//! `records` splits text into records, `columns` understands the header, `values` reads cells, `rows` puts a
//! recording together.

mod columns;
mod records;
mod rows;
mod values;
#[cfg(test)]
mod tests;

use std::fmt;

use encoding_rs::Encoding;

pub use rows::parse;

use super::Recording;

/// The longest table that is read, in bytes.
pub const TABLE_BYTES_MAX: u64 = 512 << 20;

/// How a table is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The encoding; detected where not given. See [`crate::base::encoding_by_name`].
    pub encoding: Option<&'static Encoding>,
    /// The delimiter; comma, semicolon or tab is detected where not given.
    pub delimiter: Option<u8>,
    /// Only rows in which each of these columns has this text are read.
    pub filters: Vec<Filter>,
}

/// Rows in which `column` has exactly the text `value`, outer space aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The column's name, in any case.
    pub column: String,
    /// The text it must have.
    pub value: String,
}

/// What a table holds.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The good rows, in their order.
    pub rows: Vec<Row>,
    /// What is wrong with the others, of the first 1,000, in the order of lines.
    pub problems: Vec<Problem>,
    /// How many rows were not taken because something is wrong with them.
    pub bad_rows: u64,
    /// How many rows a filter left out.
    pub filtered_rows: u64,
    /// The encoding it was read as.
    pub encoding: &'static str,
    /// The delimiter it was read with.
    pub delimiter: char,
    /// Whether a column names audio files.
    pub names_audio: bool,
}

/// One good row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The recording, without audio.
    pub recording: Recording,
    /// Whether the row has a title; else the recording's is made from its identifier.
    pub title_given: bool,
    /// The audio file it names.
    pub filename: Option<String>,
    /// The length that it states, in seconds.
    pub duration_s: Option<f64>,
}

/// What is wrong with a row, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The line that the row begins on, from 1.
    pub line: u64,
    /// The column's name, where it is about one.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// Reads a date as tables and tags write it; gives `YYYY` or `YYYY-MM-DD`, or `None` when it is no date.
pub(super) fn date(text: &str) -> Option<String> {
    values::date(text.trim()).ok()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {}, column {column}: {}", self.line, self.message),
            None => write!(f, "line {}: {}", self.line, self.message),
        }
    }
}
