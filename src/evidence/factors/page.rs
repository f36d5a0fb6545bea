//! The report as a page.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::report::FactorsReport;
use crate::base::inert;

/// The page could not be written: a mistake in its template.
#[derive(Debug, thiserror::Error)]
#[error("the report of legal factors cannot be rendered: {0}")]
pub struct Error(#[from] minijinja::Error);

#[derive(Serialize)]
struct Page<'a> {
    report: &'a FactorsReport,
    subject: String,
}

/// Renders the report as one HTML page to print, Chinese with English below. `subject` names what the report is on, for
/// example the case's number and file; it comes from outside, as names in the bundle do. Same report, same bytes.
///
/// # Errors
/// [`Error`] when the built-in template is wrong.
pub fn render_factors(report: &FactorsReport, subject: &str) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("inert", |text: &str| inert(text));
    // The name's ending turns escaping on.
    environment.add_template("factors.html", include_str!("factors.html"))?;
    let page = Page { report, subject: inert(subject) };
    Ok(environment.get_template("factors.html")?.render(Serde(&page))?)
}
