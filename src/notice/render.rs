//! Notices as pages to print.

use minijinja::Environment;

use super::form::NcacNotice;

/// A document could not be written: a mistake in its template.
#[derive(Debug, thiserror::Error)]
#[error("the notice cannot be rendered: {0}")]
pub struct Error(#[from] minijinja::Error);

/// Renders a notice as one HTML page: Chinese, A4, without any outside resource. Same notice, same bytes.
///
/// # Errors
/// [`Error`] when the built-in template is wrong.
pub fn render_ncac(notice: &NcacNotice) -> Result<String, Error> {
    let mut environment = Environment::new();
    // The name's ending makes the engine escape everything that is filled in.
    environment.add_template("ncac.html", include_str!("templates/ncac.html"))?;
    Ok(environment.get_template("ncac.html")?.render(minijinja::value::Serde(notice))?)
}
