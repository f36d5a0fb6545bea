//! Documents as pages to print.

use std::fmt::Write as _;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind, Output, UndefinedBehavior};

use super::document::Document;
use super::error::Error;

/// The name of the page's template.
pub(super) const PAGE: &str = "page.html";

/// Renders a document as one HTML page: A4, without any outside resource. Same document, same bytes.
pub(super) fn render(template: &str, document: &Document) -> Result<String, Error> {
    render_page(template, document).map_err(|error| Error::template(PAGE, &error))
}

fn render_page(template: &str, document: &Document) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, _, value| write_escaped(out, value));
    // The name's ending makes the engine treat what macros return as markup, and nothing else.
    environment.add_template(PAGE, template)?;
    environment.get_template(PAGE)?.render(Serde(document))
}

/// Escapes everything that is filled in. The engine's own escaping also turns `/` into `&#x2f;`, which is right but
/// makes addresses in a notice's source unreadable and impossible to search for.
fn write_escaped(out: &mut Output<'_>, value: &Value) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let text = value.to_string();
    if value.is_safe() {
        return Ok(out.write_str(&text)?);
    }
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&#39;")?,
            other => out.write_char(other)?,
        }
    }
    Ok(())
}
