//! Sounds and pictures of a case, as its page and programs load them, and documents to be saved. Sounds and pictures are made
//! here, of what was decoded in a worker: nothing that a site served reaches anybody as it was.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cases::{self, Case};
use crate::evidence::log::{self, NewEntry};
use crate::evidence::{Excerpt, ExcerptOf};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{content_type, open_document};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::showing::{screenshot, screenshots};

const PICTURES: [&str; 3] = ["coverage", "spectrograms", "time-map"];

fn case(app: &App, ask: &Ask) -> Result<Case, Fault> {
    Ok(cases::find(app.store(), ask.param("case_id"))?)
}

/// A picture, in the language of the page where there is one in it.
pub(super) fn picture(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let missing = || Fault::not_found("there is no such picture of it");
    let kind = PICTURES.into_iter().find(|kind| *kind == ask.param("kind")).ok_or_else(missing)?;
    let shown = app.showing.get(app, &case(app, ask)?)?;
    let in_language = |code: &str| {
        let name = format!("{kind}-{code}.svg");
        shown.files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.clone())
    };
    let bytes = in_language(ask.lang.code()).or_else(|| in_language("en")).ok_or_else(missing)?;
    Ok(Reply::inert("image/svg+xml", bytes))
}

/// What can be heard and seen of a case, each by its address.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sounds {
    /// The excerpts, two and two.
    pairs: Vec<Pair>,
    /// Why some are missing, in words.
    missing: Vec<String>,
    /// Drawings of the match.
    pictures: Vec<String>,
    /// Pictures of the pages that led to the file.
    pages: Vec<String>,
}

/// Two excerpts that belong together, and how they lie to each other.
#[derive(Debug, Serialize, JsonSchema)]
struct Pair {
    /// 1 for the surest match.
    rank: usize,
    /// The copy's.
    suspect: Option<Side>,
    /// The recording's.
    reference: Option<Side>,
    /// Seconds of the recording in each second of the copy.
    reference_s_per_s: f64,
    /// Whether the copy's pitch went with its speed.
    is_speed: bool,
    /// An instant of the copy, in seconds of its file.
    query_start_s: f64,
    /// The same instant of the recording, in seconds of its file.
    reference_start_s: f64,
}

/// One excerpt.
#[derive(Debug, Serialize, JsonSchema)]
struct Side {
    /// Where it is.
    url: String,
    /// Where it begins in its file, in seconds.
    start_s: f64,
    /// Where it ends.
    end_s: f64,
}

/// Which excerpts there are, for the players.
pub(super) fn sounds(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = case(app, ask)?;
    let shown = app.showing.get(app, &case)?;
    // A program's token is let in under the API, a browser's cookie under both.
    let base = format!("{}/cases/{}", if ask.is_api() { "/api/v1" } else { "" }, case.case_id);
    let mut pairs: Vec<Pair> = Vec::new();
    for excerpt in &shown.excerpts.excerpts {
        let Some(rank) = rank(excerpt) else { continue };
        let at = pairs.iter().position(|pair| pair.rank == rank).unwrap_or_else(|| {
            let alignment = &excerpt.alignment;
            pairs.push(Pair {
                rank,
                suspect: None,
                reference: None,
                reference_s_per_s: alignment.reference_s_per_s,
                is_speed: (alignment.speed - 1.0).abs() > 0.005,
                query_start_s: alignment.query_start_s,
                reference_start_s: alignment.reference_start_s,
            });
            pairs.len() - 1
        });
        let url = format!("{base}/sound/{}/{rank}", excerpt.of.as_str());
        let side = Some(Side { url, start_s: excerpt.start_s, end_s: excerpt.end_s });
        match excerpt.of {
            ExcerptOf::Suspect => pairs[at].suspect = side,
            ExcerptOf::Reference => pairs[at].reference = side,
        }
    }
    let pages = 1..=screenshots(app, &case.case_id)?.len();
    let sounds = Sounds {
        pairs,
        missing: shown.excerpts.left_out.iter().map(|one| one.why.clone()).collect(),
        pictures: PICTURES.iter().map(|kind| format!("{base}/picture/{kind}")).collect(),
        pages: pages.map(|number| format!("{base}/page/{number}")).collect(),
    };
    Reply::json(StatusCode::OK, &sounds)
}

/// The number in an excerpt's name: 1 for the surest match.
fn rank(excerpt: &Excerpt) -> Option<usize> {
    excerpt.path.strip_suffix(".wav")?.rsplit('-').next()?.parse().ok()
}

/// One excerpt.
pub(super) fn sound(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let shown = app.showing.get(app, &case(app, ask)?)?;
    let name = format!("excerpt-{}-{}.wav", ask.param("side"), ask.param("rank"));
    let found = shown.files.iter().find(|(known, _)| *known == name);
    let (_, bytes) = found.ok_or_else(|| Fault::not_found("there is no such excerpt of it"))?;
    Ok(Reply::ranged(ask, "audio/wav", bytes))
}

/// The picture of a page that led to the file.
pub(super) fn page_picture(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = case(app, ask)?;
    let found = screenshots(app, &case.case_id)?;
    let number: usize = ask.param("number").parse().unwrap_or(0);
    let sha256 = number.checked_sub(1).and_then(|at| found.get(at));
    let sha256 = sha256.ok_or_else(|| Fault::not_found("there is no such picture of a page"))?;
    Ok(Reply::inert("image/png", screenshot(app, sha256)?))
}

/// Gives a document or a bundle to be saved, and says so in the log.
pub(super) fn document(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let name = ask.param("name");
    let file = open_document(app, name)?;
    let subject = format!("document {name}");
    let actor = &ask.visitor()?.name;
    let entry =
        NewEntry { at: ask.now, what: "export", subject: &subject, actor, sha256: None, note: "taken" };
    log::append(app.store(), &entry)?;
    Reply::download(name, content_type(name), file)
}
