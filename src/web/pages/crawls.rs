//! Sites, their schedules and runs, as they stand and as they go on.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::filters;
use super::shell::Shell;
use crate::base::Timestamp;
use crate::config::SiteSettings;
use crate::crawl::{self, JobRecord, SkipRecord, Status};
use crate::evidence::log::{self, NewEntry};
use crate::scan;
use crate::schedule::{self, Due, LastRun, Pause};
use crate::web::access::Role;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::guard::Credentials;
use crate::web::reply::Reply;
use crate::web::words::CrawlWords;

/// Skips that are listed.
const SKIPS: usize = 500;
/// How often live figures are told.
const EVERY: Duration = Duration::from_secs(1);
/// For how long one stream of them lasts; browsers ask again by themselves.
const STREAM_S: u32 = 600;
/// After so many seconds is looked again whether account and session of a stream go on.
const ASKED_AGAIN_S: u32 = 10;

#[derive(Template)]
#[template(path = "crawls.html")]
struct CrawlsPage<'a> {
    shell: Shell<'a>,
    w: &'static CrawlWords,
    sites: Vec<SiteRow>,
    paused: Option<Pause>,
    is_short: bool,
    may_run: bool,
}

/// A site in the list.
struct SiteRow {
    name: String,
    schedule: Option<String>,
    due: Option<Due>,
    job: Option<JobRecord>,
    is_running: bool,
    pause: Option<Pause>,
}

impl SiteRow {
    fn due_text(&self, w: &CrawlWords) -> String {
        match self.due {
            Some(Due::First | Due::GoesOn | Due::Since(_)) => w.now.to_owned(),
            Some(Due::At(at)) => at.strftime("%Y-%m-%d %H:%MZ").to_string(),
            Some(Due::Never) => w.never.to_owned(),
            None => String::new(),
        }
    }
}

fn rows(app: &App, now: Timestamp) -> Result<Vec<SiteRow>, Fault> {
    let sites = scan::sites(&app.settings(), app.store())?;
    let jobs = crawl::jobs(app.store())?;
    let last = schedule::last_runs(app.store())?;
    let row = |(name, site): (String, SiteSettings)| {
        let last = last.get(&name).copied().unwrap_or(LastRun::None);
        // That all are halted is told above the list.
        let pause = schedule::paused(app.store(), &name)?.filter(|pause| pause.site == name);
        Ok(SiteRow {
            schedule: site.schedule.as_ref().map(|one| format!("{} {}", one.cron, one.time_zone)),
            due: site.schedule.as_ref().map(|one| schedule::due(&name, one, last, now)),
            job: jobs.iter().find(|job| job.name == name).cloned(),
            is_running: app.runs.is_running(&name),
            pause,
            name,
        })
    };
    sites.into_iter().map(row).collect()
}

pub(super) fn list(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    Reply::page(&CrawlsPage {
        shell: Shell::of(app, ask, "/crawls"),
        w: CrawlWords::of(ask.lang),
        sites: rows(app, ask.now)?,
        paused: schedule::paused(app.store(), "*")?,
        is_short: app.runs.is_short(),
        may_run: ask.may(Role::Admin),
    })
}

#[derive(Template)]
#[template(path = "crawl.html")]
struct CrawlPage<'a> {
    shell: Shell<'a>,
    w: &'static CrawlWords,
    name: String,
    site: SiteSettings,
    job: Option<JobRecord>,
    skips: Vec<SkipRecord>,
}

pub(super) fn show(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (name, site) = known_site(app, ask.param("site"))?;
    let job = crawl::jobs(app.store())?.into_iter().find(|job| job.name == name);
    let mut skips = Vec::new();
    for skip in app.store().scan::<SkipRecord>(&crawl::job_key(&name))?.take(SKIPS) {
        skips.push(skip?);
    }
    let (shell, w) = (Shell::of(app, ask, "/crawls"), CrawlWords::of(ask.lang));
    Reply::page(&CrawlPage { shell, w, name, site, job, skips })
}

fn known_site(app: &App, name: &str) -> Result<(String, SiteSettings), Fault> {
    let sites = scan::sites(&app.settings(), app.store())?;
    let found = sites.into_iter().find(|(known, _)| known == name);
    found.ok_or_else(|| Fault::not_found("there is no such site"))
}

/// What a person does with a schedule or a run.
pub(super) fn act(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let actor = &ask.visitor()?.name;
    let named = form.get("site").ok_or_else(|| Fault::bad_request("site: a name, or * for all"))?;
    let site = Some(named).filter(|site| *site != "*");
    if let Some(site) = site {
        known_site(app, site)?;
    }
    let what = form.get("what").unwrap_or_default();
    match (what, site) {
        ("begin", Some(site)) => app.runs.want(site),
        ("stop", Some(site)) => {
            if !app.runs.stop(site, app.store()) {
                return Err(Fault::conflict("it is not being crawled"));
            }
        }
        ("pause", site) => schedule::pause(app.store(), site, actor, ask.now)?,
        ("resume", site) => schedule::resume(app.store(), site)?,
        _ => return Err(Fault::bad_request("what: begin, stop, pause or resume")),
    }
    let subject = format!("site {}", site.unwrap_or("*"));
    let entry = NewEntry { at: ask.now, what: "crawl", subject: &subject, actor, sha256: None, note: what };
    log::append(app.store(), &entry)?;
    Ok(Reply::see_other("/crawls"))
}

/// How a run stands, for a page that shows it live.
#[derive(Serialize)]
struct Live {
    site: String,
    requests: u64,
    pages: u64,
    media: u64,
    skipped: u64,
    failed: u64,
    waiting: u64,
}

impl From<Status> for Live {
    fn from(status: Status) -> Self {
        let summary = &status.job.summary;
        Self {
            requests: summary.requests,
            pages: summary.pages,
            media: summary.found + summary.probed,
            skipped: summary.skipped,
            failed: summary.failed,
            waiting: status.waiting,
            site: status.job.name,
        }
    }
}

/// Server-sent events (HTML standard, section 9.2): all runs that are under way, once a second, for as long as whoever asks may
/// know.
pub(super) fn events(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let shown = Arc::new(Credentials::of(app, ask));
    let app = Arc::clone(app);
    let tell = move |count: u32| {
        let (app, shown) = (Arc::clone(&app), Arc::clone(&shown));
        async move {
            if count > 0 {
                tokio::select! { () = app.stop.cancelled() => return None, () = tokio::time::sleep(EVERY) => {} }
            }
            if count >= STREAM_S {
                return None;
            }
            let look = move || {
                let is_over = count > 0 && count.is_multiple_of(ASKED_AGAIN_S) && !shown.are_good(&app);
                (!is_over).then(|| crawl::running(app.store().path()))
            };
            let running = tokio::task::spawn_blocking(look).await.ok()??;
            let live: Vec<Live> = running.into_iter().map(Live::from).collect();
            let text = serde_json::to_string(&live).ok()?;
            Some((Ok::<_, std::convert::Infallible>(format!("data: {text}\n\n")), count + 1))
        }
    };
    let stream = futures_util::stream::unfold(0, tell);
    let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    Ok(Reply { status: StatusCode::OK, headers, body: Body::from_stream(stream) })
}
