//! Recordings and licences: what there is, what is missing, what depends on what.

use std::sync::Arc;

use askama::Template;

use super::filters;
use super::shell::Shell;
use crate::base::{RecordingId, Timestamp};
use crate::cases::State;
use crate::catalog::{Catalog, CatalogStats, Recording};
use crate::rights::{Conflict, Licence};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{
    AskedFor, AtEnd, LicenceFile, PAGE, Page, RecordingFile, RecordingPage, Row, asked_for, conflicts,
    licence as find_licence, licences as list_licences, recording as find_recording,
    recordings as list_recordings, words,
};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::words::{DeskWords, OwnedWords};

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
struct OneRecordingPage<'a> {
    shell: Shell<'a>,
    w: &'static OwnedWords,
    recording: Recording,
    licences: Vec<Licence>,
    cases: Page,
    now: Timestamp,
}

impl OneRecordingPage<'_> {
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
    let q = ask.query("q").unwrap_or_default();
    let after: Option<RecordingId> = ask
        .query("after")
        .map(RecordingId::new)
        .transpose()
        .map_err(|error| Fault::bad_request(format!("after: {error}")))?;
    let is_first = after.is_none();
    let graph = app.desk.licences(app.store())?;
    let RecordingPage { rows, next } = list_recordings(app.store(), &graph, &words(q), after, PAGE)?;
    let next = next.map(|next| address("/recordings", q, next.as_str()));
    let stats = Catalog::new(app.store()).stats()?;
    let (shell, w) = (Shell::of(app, ask, "/recordings"), OwnedWords::of(ask.lang));
    Reply::page(&RecordingsPage { shell, w, stats, q, rows, next, is_first })
}

/// The address of a part of a list.
fn address(path: &str, q: &str, after: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !q.is_empty() {
        query.append_pair("q", q);
    }
    format!("{path}?{}", query.append_pair("after", after).finish())
}

pub(super) fn recording(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let RecordingFile { recording, licences, cases } = find_recording(app, ask.param("recording_id"))?;
    let (shell, w) = (Shell::of(app, ask, "/recordings"), OwnedWords::of(ask.lang));
    Reply::page(&OneRecordingPage { shell, w, recording, licences, cases, now: ask.now })
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
    let (q, after) = (ask.query("q").unwrap_or_default(), ask.query("after"));
    let page = list_licences(&graph, &words(q), after, PAGE);
    let (conflicts, more_conflicts) = conflicts(&graph);
    let (asked, asked_total) = asked_for(&app.desk, app.store(), PAGE)?;
    Reply::page(&LicencesPage {
        asked,
        asked_total,
        shell: Shell::of(app, ask, "/licences"),
        w: OwnedWords::of(ask.lang),
        licences: page.licences,
        conflicts,
        more_conflicts,
        q,
        next: page.next.map(|next| address("/licences", q, &next)),
        is_first: after.is_none(),
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
    let LicenceFile { licence, at_end, .. } = find_licence(app, ask.param("licence_id"), ask.now)?;
    let (shell, w) = (Shell::of(app, ask, "/licences"), OwnedWords::of(ask.lang));
    Reply::page(&LicencePage { shell, w, ends: licence.ends_at(), licence, at_end, now: ask.now })
}
