//! Sites by the API: what is crawled and when, runs, pauses.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::endpoint::{Endpoint, schema_of};
use super::once::{once, once_after};
use crate::config::SiteSettings;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{
    ALL, Act, Halted, Site, Skipped, act, all_paused, change_site, make_site, read_settings, remove_site,
    site, sites, skips,
};
use crate::web::fault::Fault;
use crate::web::reply::Reply;

pub(super) const LIST: Endpoint =
    Endpoint::new("sites", "List sites with their schedules and last runs", 200, schema_of::<SiteList>);
pub(super) const SHOW: Endpoint = Endpoint::new(
    "sites",
    "Show a site, and what its last run passed over (at most 500)",
    200,
    schema_of::<SiteShown>,
);
pub(super) const MAKE: Endpoint =
    Endpoint::new("sites", "Make a site; with a schedule it is crawled at once", 201, schema_of::<Site>)
        .with_body(schema_of::<NewSite>)
        .once();
pub(super) const CHANGE: Endpoint =
    Endpoint::new("sites", "Give a site that was made here other settings", 200, schema_of::<Site>)
        .with_body(schema_of::<ChangedSite>);
pub(super) const REMOVE: Endpoint = Endpoint::new(
    "sites",
    "Remove a site that was made here, and what is kept of its runs; cases stay",
    200,
    schema_of::<Removed>,
);
pub(super) const BEGIN: Endpoint =
    Endpoint::new("sites", "Crawl a site now, whatever its schedule says", 202, schema_of::<Site>).once();
pub(super) const STOP: Endpoint = Endpoint::new(
    "sites",
    "Stop the run of a site after what is in hand; it goes on at its next time",
    202,
    schema_of::<Site>,
);
pub(super) const PAUSE: Endpoint =
    Endpoint::new("sites", "Halt the schedule of a site, or of all (`*`)", 200, schema_of::<PauseShown>);
pub(super) const RESUME: Endpoint = Endpoint::new(
    "sites",
    "Let the schedule of a site, or of all (`*`), go on",
    200,
    schema_of::<PauseShown>,
);

/// All sites.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SiteList {
    /// The sites of the configuration, then those of the store.
    items: Vec<Site>,
    /// That all schedules are halted.
    all_paused: Option<Halted>,
    /// Whether the disk is so full that no crawl begins.
    is_disk_short: bool,
}

/// A site with what it passed over.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SiteShown {
    /// The site.
    site: Site,
    /// What its last run passed over, and why.
    skips: Vec<Skipped>,
}

/// A site that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSite {
    /// 1 to 200 bytes without control characters, no URL.
    name: String,
    /// As `[sites.NAME]` of the configuration file, but for `fetch.headers`, `fetch.cookies_file` and `fetch.proxy`, which only
    /// stand there.
    #[schemars(with = "SiteSettings")]
    settings: Map<String, Value>,
}

/// What a site is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedSite {
    /// All its settings: what is left out has its default.
    #[schemars(with = "SiteSettings")]
    settings: Map<String, Value>,
}

/// A site that is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Removed {
    /// What it was called.
    name: String,
}

/// Whether a schedule is halted.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PauseShown {
    /// The site; `*` for all.
    site: String,
    /// Since when and by whom; null where it goes on.
    paused: Option<Halted>,
}

pub(super) fn list(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let items = sites(app, ask.now)?;
    let (all_paused, is_disk_short) = (all_paused(app)?, app.runs.is_short());
    Reply::json(StatusCode::OK, &SiteList { items, all_paused, is_disk_short })
}

pub(super) fn show(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let site = site(app, ask.param("site"), ask.now)?;
    let skips = skips(app, &site.name)?;
    Reply::json(StatusCode::OK, &SiteShown { site, skips })
}

pub(super) fn make(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let NewSite { name, settings } = ask.json()?;
    let (settings, by) = (read_settings(&settings)?, &ask.visitor()?.name);
    once(app.store(), ask, StatusCode::CREATED, |beside| {
        make_site(app, (&name, settings), (by, ask.now), beside)
    })
}

pub(super) fn change(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let ChangedSite { settings } = ask.json()?;
    let by = &ask.visitor()?.name;
    let site = change_site(app, ask.param("site"), read_settings(&settings)?, (by, ask.now))?;
    Reply::json(StatusCode::OK, &site)
}

pub(super) fn remove(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let name = ask.param("site").to_owned();
    remove_site(app, &name, (&ask.visitor()?.name, ask.now))?;
    Reply::json(StatusCode::OK, &Removed { name })
}

pub(super) fn begin(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    once_after(app.store(), ask, StatusCode::ACCEPTED, || acted(app, ask, Act::Begin))
}

pub(super) fn stop(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    Reply::json(StatusCode::ACCEPTED, &acted(app, ask, Act::Stop)?)
}

fn acted(app: &App, ask: &Ask, what: Act) -> Result<Site, Fault> {
    act(app, ask.param("site"), what, (&ask.visitor()?.name, ask.now))?;
    site(app, ask.param("site"), ask.now)
}

pub(super) fn pause(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    paused(app, ask, Act::Pause)
}

pub(super) fn resume(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    paused(app, ask, Act::Resume)
}

fn paused(app: &App, ask: &Ask, what: Act) -> Result<Reply, Fault> {
    let named = ask.param("site");
    act(app, named, what, (&ask.visitor()?.name, ask.now))?;
    let paused = if named == ALL { all_paused(app)? } else { site(app, named, ask.now)?.paused };
    Reply::json(StatusCode::OK, &PauseShown { site: named.to_owned(), paused })
}
