//! The list of works and addresses as a table for calculation programs.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::data::{AnnexItem, Notice};
use super::error::Error;
use super::words;

/// The most characters that such programs take in a cell.
const CELL_CHARS_MAX: usize = 32_000;

/// The widths of the columns, in characters.
const WIDTHS: [f64; 22] = [
    6.0, 14.0, 16.0, 28.0, 24.0, 20.0, 15.0, 60.0, 50.0, 30.0, 22.0, 22.0, 40.0, 18.0, 10.0, 10.0, 10.0,
    10.0, 30.0, 30.0, 8.0, 50.0,
];

/// A cell.
enum Cell {
    Text(String),
    Number(f64),
}

/// Writes the list with commas, in UTF-8 with the byte order mark without which such programs take it for another
/// encoding. No cell begins like a formula.
pub(super) fn csv(notice: &Notice) -> Result<Vec<u8>, Error> {
    let failed = |error: csv::Error| Error::Table(error.to_string());
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(b"\xEF\xBB\xBF".to_vec());
    writer.write_record(words::columns(notice.language)).map_err(failed)?;
    for row in rows(notice) {
        let cells = row.into_iter().map(|cell| match cell {
            Cell::Text(text) => harmless(text),
            Cell::Number(number) => number.to_string(),
        });
        writer.write_record(cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::Table(error.to_string()))
}

/// Puts a quotation mark before what a calculation program would take for a formula.
fn harmless(text: String) -> String {
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') => format!("'{text}"),
        _ => text,
    }
}

/// Writes the list as a workbook. All text is text to it, so nothing can be a formula. Same notice, same bytes.
pub(super) fn xlsx(notice: &Notice) -> Result<Vec<u8>, Error> {
    workbook(notice).map_err(|error| Error::Table(error.to_string()))
}

fn workbook(notice: &Notice) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::parse_from_str(&notice.date)?;
    workbook.set_properties(&DocProperties::new().set_title(&notice.number).set_creation_datetime(&made));
    let sheet = workbook.add_worksheet();
    sheet.set_name(words::list_name(notice.language))?;
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    fill(sheet, notice)?;
    workbook.save_to_buffer()
}

fn fill(sheet: &mut Worksheet, notice: &Notice) -> Result<(), XlsxError> {
    let head = Format::new().set_bold().set_text_wrap();
    let plain = Format::new().set_text_wrap();
    for (column, (heading, width)) in (0..).zip(words::columns(notice.language).iter().zip(WIDTHS)) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, *heading, &head)?;
    }
    for (row, cells) in (1..).zip(rows(notice)) {
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => sheet.write_string_with_format(row, column, cut(&text), &plain)?,
                Cell::Number(number) => sheet.write_number(row, column, number)?,
            };
        }
    }
    Ok(())
}

fn cut(text: &str) -> String {
    if text.encode_utf16().count() <= CELL_CHARS_MAX {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(CELL_CHARS_MAX / 2).collect();
    cut.push('…');
    cut
}

/// One row for each match of each address, in the order of the headings.
fn rows(notice: &Notice) -> Vec<[Cell; 22]> {
    notice.annex.iter().flat_map(|item| rows_of(item, &information(notice, item))).collect()
}

/// What the notice states of the rights information in the file at an address, in one cell.
fn information(notice: &Notice, item: &AnnexItem) -> String {
    let own = notice.rights_information.iter().filter(|one| one.address == item.number);
    let told = own.map(|one| {
        let copy = one.copy.as_deref().unwrap_or("–");
        format!("{} {}: {} → {copy}", one.field, one.outcome, one.reference)
    });
    told.collect::<Vec<_>>().join("; ")
}

fn rows_of(item: &AnnexItem, information: &str) -> Vec<[Cell; 22]> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let perhaps = |text: &Option<String>| Cell::Text(text.clone().unwrap_or_default());
    let row = |found: [Cell; 7]| {
        let [from, to, reference_from, reference_to, alteration, probability, log10] = found;
        [
            Cell::Number(item.number as f64),
            text(&item.case_id),
            text(&item.recording_id),
            text(&item.title),
            Cell::Text(item.title_alt.join(" / ")),
            perhaps(&item.artist),
            perhaps(&item.isrc),
            text(&item.media_url),
            perhaps(&item.page_url),
            perhaps(&item.page_title),
            text(&item.captured_at),
            text(&item.last_seen_at),
            Cell::Text(item.sha256.to_string()),
            perhaps(&item.ip_address),
            from,
            to,
            reference_from,
            reference_to,
            alteration,
            probability,
            log10,
            text(information),
        ]
    };
    if item.matches.is_empty() {
        return vec![row(std::array::from_fn(|_| text("")))];
    }
    let matches = item.matches.iter().map(|found| {
        row([
            Cell::Number(found.query_start_s),
            Cell::Number(found.query_end_s),
            Cell::Number(found.reference_start_s),
            Cell::Number(found.reference_end_s),
            text(&found.alteration),
            text(&found.probability),
            Cell::Number(found.log10_false_match),
        ])
    });
    matches.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::notice::{Form, sample};

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for text in ["=1+1", " =1", "+1", "-1", "@SUM(A1)", "＝1"] {
            assert_eq!(harmless(text.to_owned()), format!("'{text}"));
        }
        assert_eq!(harmless("a=1".to_owned()), "a=1");
    }

    #[test]
    fn a_list_is_read_back_whole() {
        let mut notice = sample::notice(Form::Ncac, true);
        notice.annex[0].title = "=HYPERLINK(\"http://x\"),\"a\"\r\nb".to_owned();
        let bytes = csv(&notice).unwrap();
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap();
        let mut reader = csv::ReaderBuilder::new().from_reader(text);
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), notice.annex.iter().map(|item| item.matches.len().max(1)).sum::<usize>());
        assert_eq!(rows[0][3], format!("'{}", notice.annex[0].title));
        assert_eq!(rows[0][7], notice.annex[0].media_url);
    }

    #[test]
    fn the_workbook_is_the_same_each_time_and_takes_endless_titles() {
        let mut notice = sample::notice(Form::Japan, true);
        notice.annex[0].title = "長".repeat(100_000);
        assert_eq!(xlsx(&notice).unwrap(), xlsx(&notice).unwrap());
    }
}
