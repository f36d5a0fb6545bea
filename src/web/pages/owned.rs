//! Recordings and licences: what there is, what is missing, what depends on what.

use std::sync::Arc;

use askama::Template;

use super::filters;
use super::shell::Shell;
use crate::base::{RecordingId, Timestamp};
use crate::cases::State;
use crate::catalog::{Catalog, CatalogStats, Recording};
use crate::rights::{Conflict, Licence, conflicts};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{AskedFor, AtEnd, Filter, Order, Page, Row, asked_for, at_end, licences_of};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::words::{DeskWords, OwnedWords};

/// Recordings or licences of a page.
const PAGE: usize = 50;
/// Recordings that are looked through for a word.
const LOOKED_MAX: usize = 200_000;
/// Contradictions that are listed.
const CONFLICTS: usize = 100;

#[derive(Template)]
#[template(path = "recordings.html")]
struct RecordingsPage<'a> {
    shell: Shell<'a>,
    w: &'static OwnedWords,
    stats: CatalogStats,
    q: &'a str,
    /// Each with how many licences may cover it.
    rows: Vec<(Recording, usize)>,
    next: Option<String>,
    is_first: bool,
}

#[derive(Template)]
#[template(path = "recording.html")]
struct RecordingPage<'a> {
    shell: Shell<'a>,
    w: &'static OwnedWords,
    recording: Recording,
    licences: Vec<Licence>,
    cases: Page,
    now: Timestamp,
}

impl RecordingPage<'_> {
    fn state_name(&self, row: &Row) -> &'static str {
        let state: State = row.state;
        DeskWords::state_name(self.shell.lang, state)
    }

    /// What is known, by the names of the catalogue's columns.
    fn facts(&self) -> Vec<(&'static str, &str)> {
        let one = &self.recording;
        let fields = [
            ("isrc", &one.isrc),
            ("iswc", &one.iswc),
            ("upc", &one.upc),
            ("version", &one.version),
            ("artist", &one.artist),
            ("album", &one.album),
            ("label", &one.label),
            ("p_line", &one.p_line),
            ("c_line", &one.c_line),
            ("first_made", &one.first_made),
            ("release_date", &one.release_date),
            ("registration_no", &one.registration_no),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

pub(super) fn recordings(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let catalog = Catalog::new(app.store());
    let licences = app.desk.licences(app.store())?;
    let q = ask.query("q").unwrap_or_default();
    let words: Vec<String> = q.split_whitespace().take(8).map(str::to_lowercase).collect();
    let mut after: Option<RecordingId> = ask
        .query("after")
        .map(RecordingId::new)
        .transpose()
        .map_err(|error| Fault::bad_request(format!("after: {error}")))?;
    let is_first = after.is_none();
    let (mut rows, mut next, mut looked) = (Vec::new(), None, 0);
    'all: loop {
        let part = catalog.list("", after.as_ref(), 1000)?;
        let Some(last) = part.last() else { break };
        after = Some(last.recording_id.clone());
        looked += part.len();
        for recording in part.into_iter().filter(|recording| fits(recording, &words)) {
            if rows.len() == PAGE {
                next = rows.last().map(|(last, _): &(Recording, usize)| address(q, &last.recording_id));
                break 'all;
            }
            let count = licences_of(&licences, &recording).len();
            rows.push((recording, count));
        }
        if looked >= LOOKED_MAX {
            break;
        }
    }
    let (shell, w) = (Shell::of(app, ask, "/recordings"), OwnedWords::of(ask.lang));
    Reply::page(&RecordingsPage { shell, w, stats: catalog.stats()?, q, rows, next, is_first })
}

fn address(q: &str, after: &RecordingId) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !q.is_empty() {
        query.append_pair("q", q);
    }
    format!("/recordings?{}", query.append_pair("after", after.as_str()).finish())
}

fn fits(recording: &Recording, words: &[String]) -> bool {
    let optional = [&recording.artist, &recording.album, &recording.label, &recording.isrc];
    let texts = optional.into_iter().flatten().chain([&recording.title]).chain(&recording.title_alt);
    let texts: Vec<String> = texts
        .map(|text| text.to_lowercase())
        .chain([recording.recording_id.as_str().to_lowercase()])
        .collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

pub(super) fn recording(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let missing = || Fault::not_found("there is no such recording");
    let id = RecordingId::new(ask.param("recording_id")).map_err(|_| missing())?;
    let recording = Catalog::new(app.store()).get(&id)?.ok_or_else(missing)?;
    let filter = Filter { recording_id: Some(id.to_string()), ..Filter::default() };
    let cases = app.desk.page(app.store(), &filter, Order::default(), None, PAGE)?;
    let licences = licences_of(&*app.desk.licences(app.store())?, &recording);
    let (shell, w) = (Shell::of(app, ask, "/recordings"), OwnedWords::of(ask.lang));
    Reply::page(&RecordingPage { shell, w, recording, licences, cases, now: ask.now })
}

#[derive(Template)]
#[template(path = "licences.html")]
struct LicencesPage<'a> {
    shell: Shell<'a>,
    w: &'static OwnedWords,
    licences: Vec<Licence>,
    conflicts: Vec<Conflict>,
    more_conflicts: usize,
    asked: Vec<AskedFor>,
    asked_total: usize,
    q: &'a str,
    next: Option<String>,
    is_first: bool,
    now: Timestamp,
}

pub(super) fn licences(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let graph = app.desk.licences(app.store())?;
    let q = ask.query("q").unwrap_or_default();
    let words: Vec<String> = q.split_whitespace().take(8).map(str::to_lowercase).collect();
    let after = ask.query("after");
    let fits = |licence: &&Licence| {
        let text = format!("{} {} {}", licence.licence_id, licence.parties(), licence.scope).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut all: Vec<&Licence> = graph.licences().filter(fits).collect();
    all.sort_by(|a, b| a.licence_id.cmp(&b.licence_id));
    let begin = after.map_or(0, |after| all.partition_point(|licence| licence.licence_id.as_str() <= after));
    let shown: Vec<Licence> = all.iter().skip(begin).take(PAGE).map(|licence| (*licence).clone()).collect();
    let is_more = all.len() > begin + PAGE;
    let next = shown.last().filter(|_| is_more).map(|last| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", q).append_pair("after", &last.licence_id);
        format!("/licences?{}", query.finish())
    });
    let mut conflicts = conflicts(&graph);
    let more_conflicts = conflicts.len().saturating_sub(CONFLICTS);
    conflicts.truncate(CONFLICTS);
    let (asked, asked_total) = asked_for(&app.desk, app.store(), PAGE)?;
    Reply::page(&LicencesPage {
        asked,
        asked_total,
        shell: Shell::of(app, ask, "/licences"),
        w: OwnedWords::of(ask.lang),
        licences: shown,
        conflicts,
        more_conflicts,
        q,
        next,
        is_first: begin == 0,
        now: ask.now,
    })
}

#[derive(Template)]
#[template(path = "licence.html")]
struct LicencePage<'a> {
    shell: Shell<'a>,
    w: &'static OwnedWords,
    licence: Licence,
    ends: Option<Timestamp>,
    at_end: AtEnd,
    now: Timestamp,
}

pub(super) fn licence(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let graph = app.desk.licences(app.store())?;
    let licence = graph.get(ask.param("licence_id")).cloned();
    let licence = licence.ok_or_else(|| Fault::not_found("there is no such licence"))?;
    let ends = licence.ends_at();
    let at_end = match ends.filter(|end| *end > ask.now) {
        Some(end) => at_end(app.store(), &app.settings(), &graph, &licence, (ask.now, end))?,
        None => AtEnd::default(),
    };
    let (shell, w) = (Shell::of(app, ask, "/licences"), OwnedWords::of(ask.lang));
    Reply::page(&LicencePage { shell, w, licence, ends, at_end, now: ask.now })
}
