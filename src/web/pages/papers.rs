//! Papers: notices previewed and written, bundles made and verified, both to be taken away.

use std::sync::Arc;

use askama::Template;

use super::filters;
use super::report::ReportPart;
use super::shell::Shell;
use crate::cases::{self, State};
use crate::notice::{Form, Format};
use crate::scan::notifying::Exported;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{
    Document, DocumentCursor, Noticed, documents, make_bundle, preview as preview_notices, verify_bundle,
    write_notices,
};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::words::PaperWords;

/// Documents of a page.
const LISTED: usize = 200;
/// What is shown of a notice: its page, or its data where it has none.
const SHOWN: &[Format] = &[Format::Html, Format::Json];

#[derive(Template)]
#[template(path = "papers.html")]
struct PapersPage<'a> {
    shell: Shell<'a>,
    w: &'static PaperWords,
    form: Form,
    approved: usize,
    cases: Vec<String>,
    /// Where each preview is.
    previews: Vec<String>,
    rest: Option<Exported>,
    written: Vec<Document>,
    /// Where older documents are.
    older: Option<String>,
}

impl PapersPage<'_> {
    fn forms(&self) -> &'static [Form] {
        Form::ALL
    }

    /// A length as people read it.
    fn size(&self, document: &Document) -> String {
        format!("{:.1} kB", document.bytes as f64 / 1000.0)
    }
}

/// What was asked: the form, and the cases, if any are named.
fn asked(form: Option<&str>, cases: &[String]) -> Result<(Form, Vec<String>), Fault> {
    let form = form.map(str::parse).transpose().map_err(Fault::bad_request)?.unwrap_or(Form::Ncac);
    let cases = cases.iter().flat_map(|text| text.split([',', ' '])).filter(|id| !id.is_empty());
    Ok((form, cases.map(str::to_owned).collect()))
}

/// The documents as they would be, in the form that is shown.
fn previewed(app: &App, ask: &Ask) -> Result<(Vec<Vec<u8>>, Exported), Fault> {
    let (form, ids) = wanted(ask)?;
    let previewed = preview_notices(app, (form, &ids), SHOWN, (&ask.visitor()?.name, ask.now))?;
    let Noticed { documents, rest } = previewed.map_err(|lacks| Fault::unfit(lacks.to_string()))?;
    Ok((documents.into_iter().map(|file| file.bytes).collect(), rest))
}

fn wanted(ask: &Ask) -> Result<(Form, Vec<String>), Fault> {
    let named: Vec<String> =
        ask.query.iter().filter(|(name, _)| name == "case").map(|(_, id)| id.clone()).collect();
    asked(ask.query("form"), &named)
}

pub(super) fn page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (form, ids) = wanted(ask)?;
    let (mut previews, mut rest) = (Vec::new(), None);
    if ask.query("preview").is_some() {
        let (files, left) = previewed(app, ask)?;
        let address = |at: usize| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("form", form.as_str()).append_pair("at", &at.to_string());
            query.extend_pairs(ids.iter().map(|id| ("case", id)));
            format!("/notices/preview?{}", query.finish())
        };
        previews = (0..files.len()).map(address).collect();
        rest = Some(left);
    }
    show(app, ask, (form, ids), previews, rest)
}

/// One document as it would be, for a frame.
pub(super) fn preview(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let at: usize = ask.query("at").and_then(|text| text.parse().ok()).unwrap_or(0);
    let (files, _) = previewed(app, ask)?;
    let bytes = files.into_iter().nth(at).ok_or_else(|| Fault::not_found("there is no such document"))?;
    // JSON and XML begin otherwise, and are shown as text.
    let is_html = bytes.starts_with(b"<!doctype html") || bytes.starts_with(b"<!DOCTYPE html");
    Ok(if is_html { Reply::framed(bytes) } else { Reply::framed(escaped(&bytes)) })
}

fn escaped(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<!doctype html><meta charset=\"utf-8\"><pre>{text}</pre>").into_bytes()
}

fn show(
    app: &Arc<App>,
    ask: &Ask,
    (form, cases): (Form, Vec<String>),
    previews: Vec<String>,
    rest: Option<Exported>,
) -> Result<Reply, Fault> {
    let counts = app.desk.counts(app.store())?;
    let approved =
        counts.into_iter().find(|(state, _)| *state == State::Approved).map_or(0, |(_, count)| count);
    let after: Option<DocumentCursor> =
        ask.query("after").map(str::parse).transpose().map_err(Fault::bad_request)?;
    let part = documents(app, after.as_ref(), LISTED)?;
    let older = part.next.map(|next| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("form", form.as_str())
            .append_pair("after", &next.to_string())
            .finish();
        format!("/notices?{query}")
    });
    let (shell, w) = (Shell::of(app, ask, "/notices"), PaperWords::of(ask.lang));
    Reply::page(&PapersPage { shell, w, form, approved, cases, previews, rest, written: part.items, older })
}

/// Writes notices, and records them in their cases.
pub(super) fn write(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let sent = ask.form()?;
    let named: Vec<String> = sent.all("case").map(str::to_owned).collect();
    let (form, ids) = asked(sent.get("form"), &named)?;
    let Noticed { rest, .. } = write_notices(app, (form, &ids), (&ask.visitor()?.name, ask.now))?;
    show(app, ask, (form, Vec::new()), Vec::new(), Some(rest))
}

/// Makes the evidence bundle of a case.
pub(super) fn bundle(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = cases::find(app.store(), ask.param("case_id"))?;
    let sealed = make_bundle(app, &case, ask.now)?;
    let name = sealed.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(Reply::see_other(&format!("/bundles/{name}")))
}

#[derive(Template)]
#[template(path = "bundle.html")]
struct BundlePage<'a> {
    shell: Shell<'a>,
    w: &'static PaperWords,
    name: &'a str,
    part: ReportPart,
}

/// Verifies a bundle that was made here, as anybody can, and shows each check.
pub(super) fn verified(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let name = ask.param("name");
    let report = verify_bundle(app, name)?;
    let (shell, w) = (Shell::of(app, ask, "/cases"), PaperWords::of(ask.lang));
    Reply::page(&BundlePage { shell, w, name, part: ReportPart { w, report } })
}
