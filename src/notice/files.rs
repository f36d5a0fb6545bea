//! The files that a notice is written as.

use super::data::Notice;
use super::error::Error;
use super::form::{Document as _, Form, Format};
use super::template::Templates;
use super::{acns, docx, google, html, list, lumen, pdf};

/// One file of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeFile {
    /// Its format.
    pub format: Format,
    /// What goes between the notice's name and the format's ending: empty, or `.2` for the second file of a format.
    pub suffix: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Writes a notice in those of `formats` that its form has, in the form's order. Same notice and templates, same bytes.
///
/// # Errors
/// [`Error`] when a template does not work or a format cannot hold what the notice says.
pub fn files(notice: &Notice, templates: &Templates, formats: &[Format]) -> Result<Vec<NoticeFile>, Error> {
    let mut files = Vec::new();
    let document = templates.document(notice)?;
    for format in notice.form.formats().iter().filter(|format| formats.contains(format)) {
        let parts = match format {
            Format::Pdf => vec![pdf::render(templates.page(pdf::PAGE), &document, &notice.date)?],
            Format::Docx => vec![docx::render(&document, &notice.date)?],
            Format::Html => vec![html::render(templates.page(html::PAGE), &document)?.into_bytes()],
            Format::Csv => vec![list::csv(notice)?],
            Format::Xlsx => vec![list::xlsx(notice)?],
            Format::Xml => {
                let messages = acns::messages(notice, &document.plain_text());
                messages.into_iter().map(String::into_bytes).collect()
            }
            Format::Txt => google::lists(notice)?.into_iter().map(String::into_bytes).collect(),
            Format::Json => vec![json_of(notice, &document.plain_text())?],
        };
        files.extend(parts.into_iter().enumerate().map(|(n, bytes)| NoticeFile {
            format: *format,
            suffix: if n == 0 { String::new() } else { format!(".{}", n + 1) },
            bytes,
        }));
    }
    Ok(files)
}

/// Lumen's and Google's have a shape of their own; all others are the notice's data.
fn json_of(notice: &Notice, statement: &str) -> Result<Vec<u8>, Error> {
    let value = match notice.form {
        Form::Lumen => lumen::report(notice, statement),
        Form::Google => google::web_form(notice, google::lists(notice)?.len()),
        _ => return pretty(notice),
    };
    pretty(&value)
}

fn pretty(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
