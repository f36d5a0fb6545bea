//! Documents as PDF/A, laid out by typst with the fonts that are compiled in.
//!
//! What is filled in reaches the layout as values of a JSON file, never as markup. Nothing is read from the machine: no
//! font, no file, no clock.

use std::sync::{LazyLock, Mutex};

use serde::Serialize;
use serde_json::Value;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::document::Document;
use super::error::Error;
use super::fonts::{FONTS, families, joins, shown};
use crate::base::lock;

/// The name of the page's template.
pub(super) const PAGE: &str = "page.typ";

/// A stretch of text without a place to break longer than this many characters is cut into pieces.
const WORD_CHARS_MAX: usize = 24;

/// The pieces' length: short enough for a ragged edge that does not disturb.
const PIECE_CHARS: usize = 4;

/// The engine keeps what it learned for all threads alike, and is emptied after each document; one at a time keeps
/// memory at that of one.
static ENGINE: Mutex<()> = Mutex::new(());

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// The two files that exist. Identifiers are never freed, so there must be no others.
static FILES: LazyLock<Option<[FileId; 2]>> = LazyLock::new(|| {
    let file = |name| Some(RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).ok()?).intern());
    Some([file("/page.typ")?, file("/document.json")?])
});

struct Page {
    files: [FileId; 2],
    source: Source,
    data: Bytes,
}

impl World for Page {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.files[0]
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.files[0] { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.files[1] { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.faces.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// What the page's template reads.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    document: &'a Document,
    fonts: [&'static str; 5],
}

/// Renders a document as PDF/A-2b with the date as its time of making. Same document and date, same bytes.
pub(super) fn render(template: &str, document: &Document, date: &str) -> Result<Vec<u8>, Error> {
    let mut data = serde_json::to_value(Data { document, fonts: families(document.language) })?;
    make_printable(&mut data);
    let files = (*FILES).ok_or_else(|| Error::Pdf("no name for its files".to_owned()))?;
    let page = Page {
        files,
        source: Source::new(files[0], template.to_owned()),
        data: Bytes::new(serde_json::to_vec(&data)?),
    };
    let options = options(document, date)?;
    let _one_at_a_time = lock(&ENGINE);
    let made = lay_out(&page, &options);
    typst::comemo::evict(0);
    made
}

fn lay_out(page: &Page, options: &PdfOptions) -> Result<Vec<u8>, Error> {
    let compiled = typst::compile::<PagedDocument>(page);
    let document = compiled.output.map_err(|errors| told(&errors))?;
    // A warning is a font that is not there, or text that did not settle: not a document to send.
    if !compiled.warnings.is_empty() {
        return Err(told(&compiled.warnings));
    }
    typst_pdf::pdf(&document, options).map_err(|errors| told(&errors))
}

fn told(diagnostics: &[SourceDiagnostic]) -> Error {
    Error::Pdf(diagnostics.iter().map(|one| one.message.to_string()).collect::<Vec<_>>().join("; "))
}

fn options(document: &Document, date: &str) -> Result<PdfOptions, Error> {
    let wrong = || Error::Pdf(format!("`{date}` is no date"));
    let day: jiff::civil::Date = date.parse().map_err(|_| wrong())?;
    let month_and_day = (u8::try_from(day.month()), u8::try_from(day.day()));
    let (Ok(month), Ok(day_of_month)) = month_and_day else { return Err(wrong()) };
    let at = Datetime::from_ymd_hms(i32::from(day.year()), month, day_of_month, 0, 0, 0);
    Ok(PdfOptions {
        ident: Smart::Custom(document.footer.clone()),
        creator: Smart::Custom(Some("Earwitness".to_owned())),
        timestamp: at.map(Timestamp::new_utc),
        standards: PdfStandards::new(&[PdfStandard::A_2b])
            .map_err(|error| Error::Pdf(error.message().to_string()))?,
        ..PdfOptions::default()
    })
}

/// Writes characters that no font has as their numbers, and turns the text of every run into pieces between which a
/// line may break.
fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = shown(text),
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(fields) => {
            fields.values_mut().for_each(make_printable);
            let literal = fields.get("literal").and_then(Value::as_bool);
            if let (Some(literal), Some(Value::String(text))) = (literal, fields.get("text")) {
                let pieces = pieces(text, literal);
                fields.insert("pieces".to_owned(), Value::from(pieces));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Cuts text where a line may break beyond what the language's rules allow: anywhere in addresses, and in words that are
/// too long for any line.
fn pieces(text: &str, literal: bool) -> Vec<String> {
    let mut pieces: Vec<String> = vec![String::new()];
    let mut word = 0;
    for c in text.chars() {
        word = if breaks_anyway(c) { 0 } else { word + 1 };
        let here = (literal && word % PIECE_CHARS == 1 && word > 1)
            || (word > WORD_CHARS_MAX && word % PIECE_CHARS == 1);
        if here && !joins(c) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

/// Whether a line may break at `c` by the rules: white space and the scripts without spaces.
fn breaks_anyway(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_and_addresses_may_break() {
        assert_eq!(pieces("an ordinary line", false), ["an ordinary line"]);
        assert_eq!(pieces("http://abcdef", true), ["http", "://a", "bcde", "f"]);
        let long = "x".repeat(1_000);
        assert!(pieces(&long, false).len() > 200);
        assert_eq!(pieces(&long, false).concat(), long);
        let kana = "か".repeat(500);
        assert_eq!(pieces(&kana, false), [kana]);
    }
}
