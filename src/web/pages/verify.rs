//! Bundles of others, verified: a file is sent, each check is shown, and the file is gone.

use std::sync::Arc;

use askama::Template;

use super::filters;
use super::report::ReportPart;
use super::shell::Shell;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::verifying::{self, Wanted};
use crate::web::words::{PaperWords, VerifyWords};

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage<'a> {
    shell: Shell<'a>,
    w: &'static VerifyWords,
    /// The longest file, in bytes.
    bytes_max: u64,
    /// What was verified, by the browser's name for it, and what came of it.
    verified: Option<(String, ReportPart)>,
}

impl VerifyPage<'_> {
    /// The longest file in a unit that people read.
    fn longest(&self) -> String {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        let fits = units
            .into_iter()
            .find(|(shift, _)| self.bytes_max.trailing_zeros() >= *shift && self.bytes_max > 0);
        match fits {
            Some((shift, unit)) => format!("{} {unit}", self.bytes_max >> shift),
            None => format!("{} bytes", self.bytes_max),
        }
    }
}

pub(super) fn page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    show(app, ask, None)
}

fn show(app: &App, ask: &Ask, verified: Option<(String, ReportPart)>) -> Result<Reply, Fault> {
    let (shell, w) = (Shell::of(app, ask, "/verify"), VerifyWords::of(ask.lang));
    Reply::page(&VerifyPage { shell, w, bytes_max: app.settings().serve.upload_bytes_max, verified })
}

/// Verifies the file that was sent.
pub(super) fn verify(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let wanted = Wanted::of(|name| form.get(name))?;
    let report = verifying::verify(app, ask.file()?, &wanted)?;
    let name = ask.upload.as_ref().and_then(|upload| upload.name.clone()).unwrap_or_default();
    show(app, ask, Some((name, ReportPart { w: PaperWords::of(ask.lang), report })))
}
