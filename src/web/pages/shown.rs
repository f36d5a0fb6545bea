//! Sounds and pictures of a case, as the case's page loads them. All of them are made here, of what was decoded in a worker:
//! nothing that a site served reaches a browser as it was.

use std::sync::Arc;

use axum::http::StatusCode;
use serde::Serialize;

use crate::cases::{self, Case};
use crate::evidence::{Excerpt, ExcerptOf};
use crate::web::app::App;
use crate::web::ask::Ask;
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

/// Two excerpts that belong together, and how they lie to each other.
#[derive(Serialize)]
struct Pair {
    rank: usize,
    suspect: Option<Side>,
    reference: Option<Side>,
    /// Seconds of the recording in each second of the copy.
    reference_s_per_s: f64,
    /// Whether the copy's pitch went with its speed.
    is_speed: bool,
    /// An instant of the copy, and the same of the recording, in seconds of their files.
    query_start_s: f64,
    reference_start_s: f64,
}

#[derive(Serialize)]
struct Side {
    url: String,
    start_s: f64,
    end_s: f64,
}

/// Which excerpts there are, for the players.
pub(super) fn sounds(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = case(app, ask)?;
    let shown = app.showing.get(app, &case)?;
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
        let url = format!("/cases/{}/sound/{}/{rank}", case.case_id, excerpt.of.as_str());
        let side = Some(Side { url, start_s: excerpt.start_s, end_s: excerpt.end_s });
        match excerpt.of {
            ExcerptOf::Suspect => pairs[at].suspect = side,
            ExcerptOf::Reference => pairs[at].reference = side,
        }
    }
    let missing: Vec<&str> = shown.excerpts.left_out.iter().map(|one| one.why.as_str()).collect();
    Reply::json(StatusCode::OK, &serde_json::json!({ "pairs": pairs, "missing": missing }))
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
