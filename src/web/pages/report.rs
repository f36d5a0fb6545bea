//! What came of verifying a bundle, as a part of pages.

use askama::Template;

use super::filters;
use crate::evidence::{Outcome, Report};
use crate::web::words::PaperWords;

/// What came of verifying a bundle; whole in itself, and so to be put into a page as it is.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct ReportPart {
    pub(super) w: &'static PaperWords,
    pub(super) report: Report,
}

impl ReportPart {
    fn outcome(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotChecked => "not checked",
        }
    }
}
