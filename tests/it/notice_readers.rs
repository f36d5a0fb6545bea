//! Tables and documents for office programs, opened by programs that are not ours: openpyxl and python-docx.

use std::path::{Path, PathBuf};
use std::process::Command;

use earwitness::notice::{Form, Format, Templates, files};

use crate::notices::notice;

/// The Python with both that `.ci/run` has put into the build folder.
fn office() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/office/bin/python");
    if !python.is_file() {
        eprintln!("SKIPPED: openpyxl and python-docx are not in target/tools (`.ci/run` puts them there)");
        return None;
    }
    Some(python)
}

/// Writes a notice in two formats, and has a script compare the files; gives what it prints, `None` where the form does not
/// have both.
fn compared(python: &Path, form: Form, formats: [Format; 2], script: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let written = files(&notice(form), &Templates::load(None).unwrap(), &formats).unwrap();
    let mut paths = Vec::new();
    for format in formats {
        let file = written.iter().find(|file| file.format == format)?;
        let path = folder.path().join(format!("notice.{}", format.as_str()));
        std::fs::write(&path, &file.bytes).unwrap();
        paths.push(path);
    }
    let output = Command::new(python).args(["-c", script]).args(paths).output().unwrap();
    assert!(output.status.success(), "{form}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Every cell of the workbook is that of the table: text as text, numbers as numbers.
const COMPARE_TABLES: &str = r#"
import csv, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[2])
assert len(book.sheetnames) == 1 and not book.vba_archive, book.sheetnames
sheet = [[cell for cell in row] for row in book.worksheets[0].iter_rows()]
table = list(csv.reader(open(sys.argv[1], encoding='utf-8-sig', newline='')))
assert len(sheet) == len(table), (len(sheet), len(table))
numbers = 0
for own, told in zip(sheet, table):
    assert len(own) == len(told), told
    for cell, text in zip(own, told):
        assert cell.data_type in ('s', 'n'), (cell.coordinate, cell.data_type)
        if cell.data_type == 'n' and cell.value is not None:
            numbers += 1
            assert float(text) == float(cell.value), (cell.coordinate, cell.value, text)
        else:
            # Calculation programs take a table's text for a formula where a quotation mark does not stand before it.
            plain = text[1:] if text[:1] == "'" and text[1:].lstrip()[:1] in tuple('=+-@＝＋－＠') else text
            assert (cell.value or '') == plain, (cell.coordinate, cell.value, text)
assert book.worksheets[0].freeze_panes == 'A2'
print(len(table), numbers)
"#;

#[test]
fn a_workbook_opened_by_another_program_holds_the_table() {
    let Some(python) = office() else { return };
    let mut forms = 0;
    for &form in Form::ALL {
        let Some(told) = compared(&python, form, [Format::Csv, Format::Xlsx], COMPARE_TABLES) else {
            continue;
        };
        let counts: Vec<usize> = told.split_whitespace().map(|count| count.parse().unwrap()).collect();
        // A heading and three rows, each with its number, four instants and the probability.
        assert_eq!(counts, [4, 18], "{form}");
        forms += 1;
    }
    assert!(forms > 0);
}

/// Every text of the page is in the document, and the document's tables have the page's rows.
const COMPARE_DOCUMENTS: &str = r#"
import sys, docx
from html.parser import HTMLParser
class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.texts, self.rows, self.hidden = [], 0, 0
    def handle_starttag(self, tag, attributes):
        self.hidden += tag in ('style', 'title')
        self.rows += tag == 'tr'
    def handle_endtag(self, tag):
        self.hidden -= tag in ('style', 'title')
    def handle_data(self, text):
        if not self.hidden: self.texts.append(text)
letters = lambda text: ''.join(text.split())
page = Page()
page.feed(open(sys.argv[1], encoding='utf-8').read())
document = docx.Document(sys.argv[2])
texts = [paragraph.text for paragraph in document.paragraphs]
texts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
texts += [paragraph.text for section in document.sections for paragraph in section.footer.paragraphs]
whole = letters('\n'.join(texts))
wanted = [letters(text) for text in page.texts if letters(text)]
missing = [text for text in wanted if text not in whole]
assert not missing, missing
rows = sum(len(table.rows) for table in document.tables)
assert rows == page.rows, (rows, page.rows)
print(len(wanted), rows)
"#;

#[test]
fn a_document_opened_by_another_program_holds_the_page() {
    let Some(python) = office() else { return };
    let mut forms = 0;
    for &form in Form::ALL {
        let Some(told) = compared(&python, form, [Format::Html, Format::Docx], COMPARE_DOCUMENTS) else {
            continue;
        };
        let counts: Vec<usize> = told.split_whitespace().map(|count| count.parse().unwrap()).collect();
        assert!(counts[0] > 50 && counts[1] > 3, "{form}: {counts:?}");
        forms += 1;
    }
    assert!(forms > 0);
}
