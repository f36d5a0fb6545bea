//! Papers: notices previewed and written, bundles made and verified, both to be taken away.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;

use super::filters;
use super::report::ReportPart;
use super::shell::Shell;
use crate::base::{Digest, lock};
use crate::cases::{self, Case, State};
use crate::evidence::log::{self, NewEntry};
use crate::evidence::{self, signing_key};
use crate::notice::{Document as _, Form, Format, PageDetail};
use crate::scan::bundling::{Bundler, captures_of};
use crate::scan::match_options;
use crate::scan::notifying::{self, Batch, Exported, choose};
use crate::scan::stamping::Authority;
use crate::scan::worker::Decoder;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::verifying::{self, Wanted};
use crate::web::words::PaperWords;

/// Documents that are listed.
const LISTED: usize = 200;

fn folder(app: &App) -> PathBuf {
    app.store().path().join(crate::web::PAPERS_FOLDER)
}

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
    written: Vec<String>,
}

impl PapersPage<'_> {
    fn forms(&self) -> &'static [Form] {
        Form::ALL
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
    let (files, rest) = with_batch(app, ask, form, &[Format::Html, Format::Json], |batch| {
        let cases = choose(app.store(), form, &ids)?;
        notifying::preview(app.store(), &app.settings(), cases, batch)
    })?;
    Ok((files.into_iter().map(|file| file.bytes).collect(), rest))
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
    show(app, ask, form, ids, previews, rest)
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
    form: Form,
    cases: Vec<String>,
    previews: Vec<String>,
    rest: Option<Exported>,
) -> Result<Reply, Fault> {
    let counts = app.desk.counts(app.store())?;
    let approved =
        counts.into_iter().find(|(state, _)| *state == State::Approved).map_or(0, |(_, count)| count);
    let (shell, w) = (Shell::of(app, ask, "/notices"), PaperWords::of(ask.lang));
    Reply::page(&PapersPage { shell, w, form, approved, cases, previews, rest, written: names(app)? })
}

/// The newest documents, by name: they begin with their dates.
fn names(app: &App) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = match std::fs::read_dir(folder(app)) {
        Ok(files) => files
            .filter_map(|file| file.ok()?.file_name().into_string().ok())
            .filter(|name| is_name(name))
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Fault::internal(&error)),
    };
    names.sort_unstable_by(|a, b| b.cmp(a));
    names.truncate(LISTED);
    Ok(names)
}

/// Whether a name is one that documents here have: nothing in it leads elsewhere.
fn is_name(name: &str) -> bool {
    !name.starts_with('.')
        && name.len() < 250
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn with_batch<T>(
    app: &App,
    ask: &Ask,
    form: Form,
    wanted: &[Format],
    work: impl FnOnce(&Batch<'_>) -> Result<T, notifying::Error>,
) -> Result<T, Fault> {
    let settings = app.settings();
    let templates = notifying::templates(&settings.notice)?;
    let formats: Vec<Format> = form
        .formats()
        .iter()
        .copied()
        .filter(|format| wanted.is_empty() || wanted.contains(format))
        .collect();
    let out = folder(app);
    let batch = Batch {
        form,
        formats: &formats,
        templates: &templates,
        date: notifying::today(form, ask.now),
        now: ask.now,
        pages: PageDetail::Address,
        actor: &ask.visitor()?.name,
        out: &out,
    };
    Ok(work(&batch)?)
}

/// Writes notices, and records them in their cases.
pub(super) fn write(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let sent = ask.form()?;
    let named: Vec<String> = sent.all("case").map(str::to_owned).collect();
    let (form, ids) = asked(sent.get("form"), &named)?;
    // Of two who write at once, the second finds the cases noticed.
    let _one_at_a_time = lock(&app.writing);
    let rest = with_batch(app, ask, form, &[], |batch| {
        let cases = choose(app.store(), form, &ids)?;
        notifying::export(app.store(), &app.settings(), cases, batch, &mut |_| {})
    })?;
    show(app, ask, form, Vec::new(), Vec::new(), Some(rest))
}

/// Gives a document or a bundle to be saved, and says so in the log.
pub(super) fn take(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let name = ask.param("name");
    let missing = || Fault::not_found("there is no such document");
    if !is_name(name) {
        return Err(missing());
    }
    let file = File::open(folder(app).join(name)).map_err(|_| missing())?;
    let subject = format!("document {name}");
    let actor = &ask.visitor()?.name;
    let entry =
        NewEntry { at: ask.now, what: "export", subject: &subject, actor, sha256: None, note: "taken" };
    log::append(app.store(), &entry)?;
    Reply::download(name, content_type(name), file)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wacz" | "docx" | "xlsx") => "application/zip",
        _ => "application/octet-stream",
    }
}

/// Makes the evidence bundle of a case.
pub(super) fn bundle(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = cases::find(app.store(), ask.param("case_id"))?;
    let name = make_bundle(app, ask, &case)?;
    Ok(Reply::see_other(&format!("/bundles/{name}")))
}

fn make_bundle(app: &App, ask: &Ask, case: &Case) -> Result<String, Fault> {
    let (settings, store) = (app.settings(), app.store());
    let decoder = Decoder::of_this_program().map_err(|error| Fault::internal(&error))?;
    let licences = app.desk.licences(store)?;
    let key = signing_key(store, ask.now)?;
    let authority =
        Authority::configured(&settings, app.clock.as_ref()).map_err(|error| Fault::internal(&error))?;
    let stamp = authority.as_ref().map(|authority| |digest: &Digest| authority.stamp(digest));
    let bundler = Bundler {
        library: &app.library,
        decoder: &decoder,
        options: match_options(&settings),
        settings: &settings,
        licences: &licences,
        key: &key,
        stamp: stamp.as_ref().map(|stamp| stamp as &evidence::Stamp<'_>),
        now: ask.now,
    };
    let captures = captures_of(store, case)?;
    let sealed = bundler
        .export(case, &captures, Vec::new(), &folder(app))
        .map_err(|error| Fault::unfit(format!("the bundle cannot be made: {error}")))?;
    if let Some(authority) = &authority {
        authority.keep_readings(store)?;
    }
    let name = sealed.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(name.to_owned())
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
    let missing = || Fault::not_found("there is no such bundle");
    if !is_name(name) || !name.ends_with(".wacz") {
        return Err(missing());
    }
    let file = File::open(folder(app).join(name)).map_err(|_| missing())?;
    let report = verifying::verify(app, &file, &Wanted::default())?;
    let (shell, w) = (Shell::of(app, ask, "/cases"), PaperWords::of(ask.lang));
    Reply::page(&BundlePage { shell, w, name, part: ReportPart { w, report } })
}

impl From<notifying::Error> for Fault {
    fn from(error: notifying::Error) -> Self {
        use notifying::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Cases(error) => error.into(),
            E::Evidence(error) => error.into(),
            E::Unfit(what) => Self::unfit(what),
            other => Self::internal(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_lead_nowhere_else() {
        for bad in ["../store.json", ".hidden", "a/b.pdf", "a\\b.pdf", "", "a b.pdf", "a%2fb", "ä.pdf"] {
            assert!(!is_name(bad) || bad.is_empty(), "{bad}");
        }
        assert!(is_name("2026-11-26-example.com-ncac.pdf"));
    }
}
