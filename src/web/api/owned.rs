//! Figures, recordings and licences by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::{AFTER, Endpoint, LIMIT, Param, WORDS, schema_of};
use crate::base::{Digest, RecordingId, Timestamp};
use crate::catalog::{CatalogStats, Recording};
use crate::rights::{Conflict, ConflictKind, Licence};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{
    AtEnd, LicenceFile, LicencePage, Overview, RecordingFile, RecordingPage, Row, conflicts,
    licence as find_licence, licences as list_licences, most, recording as find_recording,
    recordings as list_recordings, words,
};
use crate::web::fault::Fault;
use crate::web::reply::Reply;

const LISTED: &[Param] = &[WORDS, AFTER, LIMIT];

pub(super) const FIGURES: Endpoint =
    Endpoint::new("figures", "Show how it goes, and what is due next", 200, schema_of::<Overview>);
pub(super) const RECORDINGS: Endpoint =
    Endpoint::new("recordings", "List recordings", 200, schema_of::<RecordingList>).with_query(LISTED);
pub(super) const RECORDING: Endpoint = Endpoint::new(
    "recordings",
    "Show a recording with the licences that may cover it and its surest cases",
    200,
    schema_of::<RecordingWithAll>,
);
pub(super) const LICENCES: Endpoint = Endpoint::new(
    "licences",
    "List licences; with the first part, what contradicts itself",
    200,
    schema_of::<LicenceList>,
)
.with_query(LISTED);
pub(super) const LICENCE: Endpoint = Endpoint::new(
    "licences",
    "Show a licence, what contradicts it, and which addresses turn unlicensed when it ends",
    200,
    schema_of::<LicenceWithAll>,
);

/// A recording of the catalogue. What is not known is null.
#[derive(Debug, Serialize, JsonSchema)]
struct RecordingShown {
    /// The owner's own identifier.
    recording_id: String,
    /// Title, in its own script.
    title: String,
    /// The title in other scripts or translations.
    title_alt: Vec<String>,
    /// Version, for example `live`.
    version: Option<String>,
    /// Main artist.
    artist: Option<String>,
    /// Album.
    album: Option<String>,
    /// Label.
    label: Option<String>,
    /// International Standard Recording Code.
    isrc: Option<String>,
    /// Code of the work.
    iswc: Option<String>,
    /// UPC or EAN of the release.
    upc: Option<String>,
    /// The ℗ line.
    p_line: Option<String>,
    /// The © line.
    c_line: Option<String>,
    /// First making: `YYYY` or `YYYY-MM-DD`.
    first_made: Option<String>,
    /// First release: `YYYY` or `YYYY-MM-DD`.
    release_date: Option<String>,
    /// Number of the copyright registration.
    registration_no: Option<String>,
    /// The audio that is listened for; null where there is none.
    audio: Option<AudioShown>,
}

/// The audio of a recording.
#[derive(Debug, Serialize, JsonSchema)]
struct AudioShown {
    /// SHA-256 of its file.
    #[schemars(with = "String")]
    sha256: Digest,
    /// Its length in seconds.
    duration_s: f64,
}

impl From<Recording> for RecordingShown {
    fn from(one: Recording) -> Self {
        Self {
            recording_id: one.recording_id.to_string(),
            title: one.title,
            title_alt: one.title_alt,
            version: one.version,
            artist: one.artist,
            album: one.album,
            label: one.label,
            isrc: one.isrc,
            iswc: one.iswc,
            upc: one.upc,
            p_line: one.p_line,
            c_line: one.c_line,
            first_made: one.first_made,
            release_date: one.release_date,
            registration_no: one.registration_no,
            // Not where the file lies: that is this machine's affair.
            audio: one.audio.map(|audio| AudioShown { sha256: audio.sha256, duration_s: audio.duration_s }),
        }
    }
}

/// A recording in the list.
#[derive(Debug, Serialize, JsonSchema)]
struct RecordingRow {
    /// The recording.
    recording: RecordingShown,
    /// How many licences may cover it. With none, nobody can be accused.
    licences: usize,
}

/// A part of the list of recordings.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RecordingList {
    /// The recordings, by their identifiers.
    items: Vec<RecordingRow>,
    /// What `after` is to be for the next part; null at the end. A part may hold fewer than were asked for, or none, where few of
    /// very many recordings fit.
    next: Option<String>,
    /// Recordings of the whole catalogue.
    in_catalogue: u64,
    /// Of them, those with audio.
    with_audio: u64,
    /// Of them, those with an ISRC.
    with_isrc: u64,
}

/// A recording with what belongs to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RecordingWithAll {
    /// The recording.
    recording: RecordingShown,
    /// The licences that may cover it.
    licences: Vec<LicenceShown>,
    /// The surest of its cases, at most 50; `/api/v1/cases?recording=` lists all.
    cases: Vec<Row>,
    /// How many cases it has.
    cases_total: usize,
}

/// A licence as it stands now.
#[derive(Debug, Serialize, JsonSchema)]
struct LicenceShown {
    /// The newest version, as `earwitness licence list --json` tells it.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    licence: Licence,
    /// `licensor → licensee`, or whose statement of ownership it is.
    parties: String,
    /// First instant at which it no longer holds.
    #[schemars(with = "Option<String>")]
    ends_at: Option<Timestamp>,
    /// Whether its period runs now.
    is_in_force: bool,
}

impl LicenceShown {
    fn of(licence: Licence, now: Timestamp) -> Self {
        Self {
            parties: licence.parties(),
            ends_at: licence.ends_at(),
            is_in_force: licence.is_in_force(now),
            licence,
        }
    }
}

/// A contradiction or a gap.
#[derive(Debug, Serialize, JsonSchema)]
struct ConflictShown {
    /// What kind, such as `two_owners` or `gap`.
    #[schemars(with = "String")]
    kind: ConflictKind,
    /// The licences concerned.
    licence_ids: Vec<String>,
    /// In words.
    text: String,
}

impl From<Conflict> for ConflictShown {
    fn from(Conflict { kind, licence_ids, text }: Conflict) -> Self {
        Self { kind, licence_ids, text }
    }
}

/// A part of the list of licences.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LicenceList {
    /// The licences, by their identifiers.
    items: Vec<LicenceShown>,
    /// What `after` is to be for the next part; null at the end.
    next: Option<String>,
    /// How many licences fit.
    total: usize,
    /// Contradictions and gaps among all licences, at most 100; told with the first part alone.
    conflicts: Vec<ConflictShown>,
    /// How many more there are.
    more_conflicts: usize,
}

/// A licence with what depends on it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LicenceWithAll {
    /// The licence.
    licence: LicenceShown,
    /// Contradictions and gaps that it is part of.
    conflicts: Vec<ConflictShown>,
    /// Which addresses are licensed now, and not once it has ended; none where it has no end, or has ended.
    at_end: AtEnd,
}

pub(super) fn figures(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    Reply::json(StatusCode::OK, &app.desk.overview(app.store(), ask.now)?)
}

pub(super) fn recordings(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let after: Option<RecordingId> = ask
        .query("after")
        .map(RecordingId::new)
        .transpose()
        .map_err(|error| Fault::bad_request(format!("after: {error}")))?;
    let graph = app.desk.licences(app.store())?;
    let words = words(ask.query("q").unwrap_or_default());
    let RecordingPage { rows, next } = list_recordings(app.store(), &graph, &words, after, most(ask)?)?;
    let row =
        |(recording, licences): (Recording, usize)| RecordingRow { recording: recording.into(), licences };
    let CatalogStats { recordings, with_audio, with_isrc, .. } =
        crate::catalog::Catalog::new(app.store()).stats()?;
    let list = RecordingList {
        items: rows.into_iter().map(row).collect(),
        next: next.map(|next| next.to_string()),
        in_catalogue: recordings,
        with_audio,
        with_isrc,
    };
    Reply::json(StatusCode::OK, &list)
}

pub(super) fn recording(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let RecordingFile { recording, licences, cases } = find_recording(app, ask.param("recording_id"))?;
    let all = RecordingWithAll {
        recording: recording.into(),
        licences: licences.into_iter().map(|one| LicenceShown::of(one, ask.now)).collect(),
        cases: cases.rows,
        cases_total: cases.total,
    };
    Reply::json(StatusCode::OK, &all)
}

pub(super) fn licences(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let graph = app.desk.licences(app.store())?;
    let (words, after) = (words(ask.query("q").unwrap_or_default()), ask.query("after"));
    let LicencePage { licences, next, total } = list_licences(&graph, &words, after, most(ask)?);
    let (found, more_conflicts) = if after.is_none() { conflicts(&graph) } else { (Vec::new(), 0) };
    let list = LicenceList {
        items: licences.into_iter().map(|one| LicenceShown::of(one, ask.now)).collect(),
        next,
        total,
        conflicts: found.into_iter().map(Into::into).collect(),
        more_conflicts,
    };
    Reply::json(StatusCode::OK, &list)
}

pub(super) fn licence(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let LicenceFile { licence, at_end, conflicts } = find_licence(app, ask.param("licence_id"), ask.now)?;
    let all = LicenceWithAll {
        licence: LicenceShown::of(licence, ask.now),
        conflicts: conflicts.into_iter().map(Into::into).collect(),
        at_end,
    };
    Reply::json(StatusCode::OK, &all)
}
