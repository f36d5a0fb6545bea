//! Sites as they stand: those of the configuration file and those that were made here, with schedules and runs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{Timestamp, without_user};
use crate::config::{SiteFetchSettings, SiteSettings};
use crate::crawl::{self, JobRecord, JobState, SkipRecord};
use crate::scan;
use crate::schedule::{self, Due, LastRun};
use crate::web::app::App;
use crate::web::fault::Fault;

/// Skips that are listed.
const SKIPS: usize = 500;
/// The name that stands for all sites.
pub(in crate::web) const ALL: &str = "*";

/// Where a site is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Origin {
    /// In the configuration file, where it is changed.
    Configuration,
    /// In the store: it was made here or on the command line, and can be changed here.
    Store,
}

/// That a schedule is halted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(in crate::web) struct Halted {
    /// Since when.
    #[schemars(with = "String")]
    pub(in crate::web) at: Timestamp,
    /// Who halted it.
    pub(in crate::web) by: String,
}

/// What the last run came to, or the one under way.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::web) struct RunFigures {
    /// `running`, `stopped` (it goes on later) or `done`. One that was killed stays `running`.
    #[schemars(with = "String")]
    pub(in crate::web) state: JobState,
    /// When it began.
    #[schemars(with = "String")]
    pub(in crate::web) began_at: Timestamp,
    /// When it last went on.
    #[schemars(with = "String")]
    pub(in crate::web) changed_at: Timestamp,
    /// Requests made.
    pub(in crate::web) requests: u64,
    /// Documents read.
    pub(in crate::web) pages: u64,
    /// Media objects listened to, whole or in windows.
    pub(in crate::web) media: u64,
    /// Documents and media objects that had not changed.
    pub(in crate::web) unchanged: u64,
    /// Addresses passed over.
    pub(in crate::web) skipped: u64,
    /// Addresses that failed.
    pub(in crate::web) failed: u64,
    /// Links to what is not followed: magnet links, shares of net disks.
    pub(in crate::web) leads: u64,
    /// Bytes of bodies.
    pub(in crate::web) bytes: u64,
    /// Seconds of audio that were listened to.
    pub(in crate::web) audio_s: f64,
    /// Addresses passed over, by reason.
    pub(in crate::web) skipped_by_reason: BTreeMap<String, u64>,
    /// Why it is stopped.
    pub(in crate::web) stopped_because: Option<String>,
}

impl From<JobRecord> for RunFigures {
    fn from(job: JobRecord) -> Self {
        let summary = job.summary;
        Self {
            state: job.state,
            began_at: job.began_at,
            changed_at: job.changed_at,
            requests: summary.requests,
            pages: summary.pages,
            media: summary.found + summary.probed,
            unchanged: summary.unchanged,
            skipped: summary.skipped,
            failed: summary.failed,
            leads: summary.leads,
            bytes: summary.bytes,
            audio_s: job.media_s,
            skipped_by_reason: job.skipped,
            stopped_because: job.stopped_because,
        }
    }
}

/// A site as it stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct Site {
    /// What it is called.
    pub(in crate::web) name: String,
    /// Where it is described.
    pub(in crate::web) origin: Origin,
    /// How it is crawled, without what is secret.
    pub(in crate::web) settings: SiteSettings,
    /// Whether it has headers, cookies, a proxy or passwords, which are not told.
    pub(in crate::web) has_secrets: bool,
    /// When the next run begins, this instant where it is due, as if nothing were halted; null where none comes by itself.
    #[schemars(with = "Option<String>")]
    pub(in crate::web) next_run_at: Option<Timestamp>,
    /// Whether it is to be crawled now, as if nothing were halted: its schedule says so, or its last run was broken off and is
    /// to go on. Not while it is being crawled.
    pub(in crate::web) is_due: bool,
    /// Whether it is being crawled.
    pub(in crate::web) is_running: bool,
    /// Whether a run was asked for that has not begun.
    pub(in crate::web) is_wanted: bool,
    /// That its own schedule is halted. All may be, beside.
    pub(in crate::web) paused: Option<Halted>,
    /// What its last run came to.
    pub(in crate::web) last_run: Option<RunFigures>,
}

/// Whether settings hold something that is not told.
pub(super) fn has_secrets(settings: &SiteSettings) -> bool {
    let fetch = &settings.fetch;
    !fetch.headers.is_empty()
        || fetch.cookies_file.is_some()
        || fetch.proxy.is_some()
        || settings.seeds.iter().any(|seed| without_user(seed) != *seed)
}

fn without_secrets(settings: SiteSettings) -> SiteSettings {
    let fetch = SiteFetchSettings { user_agent: settings.fetch.user_agent, ..SiteFetchSettings::default() };
    let seeds = settings.seeds.iter().map(|seed| without_user(seed)).collect();
    SiteSettings { fetch, seeds, ..settings }
}

/// A site of these settings, as it stands with a last run. `was_running` is whether it was being crawled before that was read: a
/// run that ended since is no run that was broken off.
pub(super) fn standing(
    app: &App,
    (name, settings): (String, SiteSettings),
    (job, last): (Option<JobRecord>, LastRun),
    was_running: bool,
    now: Timestamp,
) -> Result<Site, Fault> {
    let is_configured = app.settings().sites.contains_key(&name);
    let is_running = was_running || app.runs.is_running(&name);
    let last = match &job {
        // In the store a run under way looks like one that was broken off.
        Some(job) if is_running && last == LastRun::BrokenOff => {
            LastRun::Done(job.resumed_at.unwrap_or(job.began_at))
        }
        _ => last,
    };
    let due = schedule::due_of_site(&name, settings.schedule.as_ref(), last, now);
    // That all are halted is told once, beside them.
    let paused = schedule::paused(app.store(), &name)?.filter(|pause| pause.site == name);
    Ok(Site {
        origin: if is_configured { Origin::Configuration } else { Origin::Store },
        next_run_at: match due {
            Due::First | Due::GoesOn | Due::Since(_) => Some(now),
            Due::At(at) => Some(at),
            Due::Never => None,
        },
        is_due: due.is_now() && !is_running,
        is_running,
        is_wanted: app.runs.is_wanted(&name),
        paused: paused.map(|pause| Halted { at: pause.at, by: pause.by }),
        last_run: job.map(Into::into),
        name,
        has_secrets: has_secrets(&settings),
        settings: without_secrets(settings),
    })
}

/// All sites.
///
/// # Errors
/// [`Fault`] when the store fails.
pub(in crate::web) fn sites(app: &App, now: Timestamp) -> Result<Vec<Site>, Fault> {
    let running = app.runs.names();
    let known = scan::sites(&app.settings(), app.store())?;
    let mut jobs: BTreeMap<String, JobRecord> =
        crawl::jobs(app.store())?.into_iter().map(|job| (job.name.clone(), job)).collect();
    let last = schedule::last_runs(app.store())?;
    let stand = |(name, settings): (String, SiteSettings)| {
        let run = (jobs.remove(&name), last.get(&name).copied().unwrap_or(LastRun::None));
        let was_running = running.contains(&name);
        standing(app, (name, settings), run, was_running, now)
    };
    known.into_iter().map(stand).collect()
}

/// One site.
///
/// # Errors
/// [`Fault`] where there is no such site, or the store fails.
pub(in crate::web) fn site(app: &App, name: &str, now: Timestamp) -> Result<Site, Fault> {
    let found = sites(app, now)?.into_iter().find(|site| site.name == name);
    found.ok_or_else(|| Fault::not_found("there is no such site"))
}

/// Whether all schedules are halted.
///
/// # Errors
/// [`Fault`] when the store fails.
pub(in crate::web) fn all_paused(app: &App) -> Result<Option<Halted>, Fault> {
    let paused = schedule::paused(app.store(), ALL)?;
    Ok(paused.map(|pause| Halted { at: pause.at, by: pause.by }))
}

/// An address that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(in crate::web) struct Skipped {
    /// The address.
    pub(in crate::web) url: String,
    /// The page that led there.
    pub(in crate::web) page_url: Option<String>,
    /// Why, in words.
    pub(in crate::web) reason: String,
}

/// What the last run of a site passed over, at most 500.
///
/// # Errors
/// [`Fault`] when the store fails.
pub(in crate::web) fn skips(app: &App, name: &str) -> Result<Vec<Skipped>, Fault> {
    let mut skips = Vec::new();
    for skip in app.store().scan::<SkipRecord>(&crawl::job_key(name))?.take(SKIPS) {
        let skip = skip?.skip;
        skips.push(Skipped { url: skip.url, page_url: skip.page_url, reason: skip.reason.to_string() });
    }
    Ok(skips)
}
