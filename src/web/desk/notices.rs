//! Notices: what they would be, and written.

use schemars::JsonSchema;
use serde::Serialize;

use super::decide::CASES_MAX;
use super::documents::folder;
use super::making::By;
use crate::base::{Digest, lock};
use crate::notice::{Document as _, Form, Format, Incomplete, LeftOut, NoticeFile, PageDetail};
use crate::scan::notifying::{self, Batch, Exported, Written, choose};
use crate::web::app::App;
use crate::web::fault::Fault;

/// A notice that was written.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct WrittenNotice {
    /// Its form.
    form: Form,
    /// Its reference.
    number: String,
    /// The site's registrable domain.
    domain: String,
    /// The cases that it is about.
    cases: Vec<String>,
    /// Its files.
    files: Vec<NoticeFileNamed>,
    /// Addresses that it tells the provider are gone.
    left_out: Vec<LeftOut>,
}

/// A file of a notice.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct NoticeFileNamed {
    /// Its name, for `/api/v1/documents/{name}`.
    name: String,
    /// Its format.
    format: String,
    /// SHA-256 of its bytes.
    #[schemars(with = "String")]
    sha256: Digest,
}

impl From<&Written> for WrittenNotice {
    fn from(written: &Written) -> Self {
        let files = written.files.iter().map(|file| NoticeFileNamed {
            name: file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            format: file.format.to_owned(),
            sha256: file.sha256,
        });
        Self {
            form: written.form,
            number: written.number.clone(),
            domain: written.domain.clone(),
            cases: written.cases.clone(),
            files: files.collect(),
            left_out: written.left_out.clone(),
        }
    }
}

/// What came of some cases: documents, and what is in none.
pub(in crate::web) struct Noticed<T> {
    pub(in crate::web) documents: Vec<T>,
    pub(in crate::web) rest: Exported,
}

fn with_batch<T>(
    app: &App,
    (form, cases): (Form, &[String]),
    wanted: &[Format],
    (actor, now): By<'_>,
    work: impl FnOnce(&Batch<'_>) -> Result<T, notifying::Error>,
) -> Result<T, notifying::Error> {
    if cases.len() > CASES_MAX {
        return Err(notifying::Error::Unfit(format!("cases: at most {CASES_MAX} of them")));
    }
    let settings = app.settings();
    let templates = notifying::templates(&settings.notice)?;
    let formats: Vec<Format> = form
        .formats()
        .iter()
        .copied()
        .filter(|format| wanted.is_empty() || wanted.contains(format))
        .collect();
    let out = folder(app);
    work(&Batch {
        form,
        formats: &formats,
        templates: &templates,
        date: notifying::today(form, now),
        now,
        pages: PageDetail::Address,
        actor,
        out: &out,
    })
}

/// The documents as they would be now, in the first of the form's formats that is wanted; what is missing for them is told
/// in their place.
///
/// # Errors
/// [`Fault`] where a case is not there or cannot be notified, or something fails.
pub(in crate::web) fn preview(
    app: &App,
    (form, cases): (Form, &[String]),
    wanted: &[Format],
    by: By<'_>,
) -> Result<Result<Noticed<NoticeFile>, Incomplete>, Fault> {
    let previewed = with_batch(app, (form, cases), wanted, by, |batch| {
        let chosen = choose(app.store(), form, cases)?;
        notifying::preview(app.store(), &app.settings(), chosen, batch)
    });
    match previewed {
        Ok((documents, rest)) => Ok(Ok(Noticed { documents, rest })),
        Err(notifying::Error::Incomplete(incomplete)) => Ok(Err(incomplete)),
        Err(error) => Err(error.into()),
    }
}

/// Writes notices, and records them in their cases.
///
/// # Errors
/// As [`preview`], and where something is missing.
pub(in crate::web) fn write_notices(
    app: &App,
    (form, cases): (Form, &[String]),
    by: By<'_>,
) -> Result<Noticed<WrittenNotice>, Fault> {
    // Of two who write at once, the second finds the cases noticed.
    let _one_at_a_time = lock(&app.writing);
    let mut documents = Vec::new();
    let rest = with_batch(app, (form, cases), &[], by, |batch| {
        let chosen = choose(app.store(), form, cases)?;
        let mut tell = |written: &Written| documents.push(written.into());
        notifying::export(app.store(), &app.settings(), chosen, batch, &mut tell)
    })?;
    Ok(Noticed { documents, rest })
}

impl From<notifying::Error> for Fault {
    fn from(error: notifying::Error) -> Self {
        use notifying::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Cases(error) => error.into(),
            E::Evidence(error) => error.into(),
            E::Unfit(what) => Self::unfit(what),
            E::Incomplete(incomplete) => Self::unfit(incomplete.to_string()),
            other => Self::internal(&other),
        }
    }
}
