//! Recordings and licences as lists, and one of either with what belongs to it.

use super::owned::{AtEnd, at_end, licences_of};
use super::{Filter, Order, Page};
use crate::base::{RecordingId, Timestamp};
use crate::catalog::{Catalog, Recording};
use crate::rights::{self, Conflict, Licence, LicenceGraph};
use crate::store::{self, Store};
use crate::web::app::App;
use crate::web::fault::Fault;

/// Recordings that are looked through for a word in one answer.
const LOOKED_MAX: usize = 200_000;
/// Recordings that are read at once.
const READ: usize = 1000;
/// Contradictions that are listed.
const CONFLICTS: usize = 100;
/// Cases that are told of one recording.
const CASES: usize = 50;

/// A part of the list of recordings.
pub(in crate::web) struct RecordingPage {
    /// Each with how many licences may cover it.
    pub(in crate::web) rows: Vec<(Recording, usize)>,
    /// After which recording the list goes on; none at its end.
    pub(in crate::web) next: Option<RecordingId>,
}

/// The recordings behind `after`, in the order of their identifiers, that hold all `words`; at most `most`.
///
/// # Errors
/// [`store::Error`] when the store fails.
pub(in crate::web) fn recordings(
    store: &Store,
    graph: &LicenceGraph,
    words: &[String],
    mut after: Option<RecordingId>,
    most: usize,
) -> Result<RecordingPage, store::Error> {
    let catalog = Catalog::new(store);
    let (mut rows, mut looked) = (Vec::new(), 0);
    loop {
        let part = catalog.list("", after.as_ref(), READ)?;
        let Some(last) = part.last() else { return Ok(RecordingPage { rows, next: None }) };
        let last = last.recording_id.clone();
        looked += part.len();
        for recording in part.into_iter().filter(|recording| fits(recording, words)) {
            if rows.len() == most {
                let next = rows.last().map(|(last, _): &(Recording, usize)| last.recording_id.clone());
                return Ok(RecordingPage { rows, next });
            }
            let count = licences_of(graph, &recording).len();
            rows.push((recording, count));
        }
        // What is behind is found by whoever asks on.
        if looked >= LOOKED_MAX {
            return Ok(RecordingPage { rows, next: Some(last) });
        }
        after = Some(last);
    }
}

fn fits(recording: &Recording, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let optional = [&recording.artist, &recording.album, &recording.label, &recording.isrc];
    let texts = optional.into_iter().flatten().chain([&recording.title]).chain(&recording.title_alt);
    let texts: Vec<String> = texts
        .map(|text| text.to_lowercase())
        .chain([recording.recording_id.as_str().to_lowercase()])
        .collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

/// A recording with what belongs to it.
pub(in crate::web) struct RecordingFile {
    pub(in crate::web) recording: Recording,
    /// The licences that may cover it.
    pub(in crate::web) licences: Vec<Licence>,
    /// The surest of its cases.
    pub(in crate::web) cases: Page,
}

/// A recording with its licences and cases.
///
/// # Errors
/// [`Fault`] where there is no such recording, or the store fails.
pub(in crate::web) fn recording(app: &App, id: &str) -> Result<RecordingFile, Fault> {
    let missing = || Fault::not_found("there is no such recording");
    let id = RecordingId::new(id).map_err(|_| missing())?;
    let recording = Catalog::new(app.store()).get(&id)?.ok_or_else(missing)?;
    let filter = Filter { recording_id: Some(id.to_string()), ..Filter::default() };
    let cases = app.desk.page(app.store(), &filter, Order::default(), None, CASES)?;
    let licences = licences_of(&*app.desk.licences(app.store())?, &recording);
    Ok(RecordingFile { recording, licences, cases })
}

/// A part of the list of licences.
pub(in crate::web) struct LicencePage {
    pub(in crate::web) licences: Vec<Licence>,
    /// After which licence the list goes on; none at its end.
    pub(in crate::web) next: Option<String>,
    /// How many fit the words.
    pub(in crate::web) total: usize,
}

/// The licences behind `after`, in the order of their identifiers, that hold all `words`; at most `most`.
pub(in crate::web) fn licences(
    graph: &LicenceGraph,
    words: &[String],
    after: Option<&str>,
    most: usize,
) -> LicencePage {
    let fits = |licence: &&Licence| {
        let text = format!("{} {} {}", licence.licence_id, licence.parties(), licence.scope).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut all: Vec<&Licence> = graph.licences().filter(fits).collect();
    all.sort_by(|a, b| a.licence_id.cmp(&b.licence_id));
    let begin = after.map_or(0, |after| all.partition_point(|licence| licence.licence_id.as_str() <= after));
    let licences: Vec<Licence> = all.iter().skip(begin).take(most).map(|one| (*one).clone()).collect();
    let is_more = all.len() > begin + most;
    let next = licences.last().filter(|_| is_more).map(|last| last.licence_id.clone());
    LicencePage { licences, next, total: all.len() }
}

/// The contradictions and gaps of all licences, at most 100, and how many more there are.
pub(in crate::web) fn conflicts(graph: &LicenceGraph) -> (Vec<Conflict>, usize) {
    let mut found = rights::conflicts(graph);
    let more = found.len().saturating_sub(CONFLICTS);
    found.truncate(CONFLICTS);
    (found, more)
}

/// A licence with what depends on it.
pub(in crate::web) struct LicenceFile {
    pub(in crate::web) licence: Licence,
    /// What turns unlicensed when it ends; nothing where it has no end, or has ended.
    pub(in crate::web) at_end: AtEnd,
    /// Contradictions and gaps that it is part of.
    pub(in crate::web) conflicts: Vec<Conflict>,
}

/// A licence with what turns at its end, and what contradicts it.
///
/// # Errors
/// [`Fault`] where there is no such licence, or the store fails.
pub(in crate::web) fn licence(app: &App, id: &str, now: Timestamp) -> Result<LicenceFile, Fault> {
    let graph = app.desk.licences(app.store())?;
    let licence = graph.get(id).cloned().ok_or_else(|| Fault::not_found("there is no such licence"))?;
    let at_end = match licence.ends_at().filter(|end| *end > now) {
        Some(end) => at_end(app.store(), &app.settings(), &graph, &licence, (now, end))?,
        None => AtEnd::default(),
    };
    let mut conflicts = rights::conflicts(&graph);
    conflicts.retain(|one| one.licence_ids.contains(&licence.licence_id));
    Ok(LicenceFile { licence, at_end, conflicts })
}
