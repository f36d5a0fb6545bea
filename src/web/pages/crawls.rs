//! Sites, their schedules and runs, as they stand and as they go on; for admins, forms to make and change them.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::filters;
use super::shell::Shell;
use super::site_form::SiteForm;
use crate::base::minute;
use crate::crawl::{self, Status};
use crate::web::access::Role;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{
    Act, Halted, Origin, Site, Skipped, act as do_act, all_paused, change_site, make_site, own_settings,
    remove_site, site, sites, skips,
};
use crate::web::fault::Fault;
use crate::web::guard::Credentials;
use crate::web::reply::Reply;
use crate::web::words::CrawlWords;

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
    sites: Vec<Site>,
    paused: Option<Halted>,
    is_short: bool,
    may_run: bool,
    form: SiteForm,
}

impl CrawlsPage<'_> {
    fn due_text(&self, site: &Site) -> String {
        match site.next_run_at {
            Some(_) if site.is_due => self.w.now.to_owned(),
            Some(at) => minute(at),
            None if site.settings.schedule.is_some() => self.w.never.to_owned(),
            None => String::new(),
        }
    }
}

pub(super) fn list(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    show_list(app, ask, StatusCode::OK, SiteForm::default())
}

fn show_list(app: &Arc<App>, ask: &Ask, status: StatusCode, form: SiteForm) -> Result<Reply, Fault> {
    let page = CrawlsPage {
        shell: Shell::of(app, ask, "/crawls"),
        w: CrawlWords::of(ask.lang),
        sites: sites(app, ask.now)?,
        paused: all_paused(app)?,
        is_short: app.runs.is_short(),
        may_run: ask.may(Role::Admin),
        form,
    };
    Reply::page_with(status, &page)
}

/// Makes a site, and goes to it; shows the form again where it is wrong.
pub(super) fn make(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (form, by) = (SiteForm::typed(&ask.form()?), &ask.visitor()?.name);
    let made = form
        .settings(None)
        .and_then(|settings| make_site(app, (&form.name, settings), (by, ask.now), &mut |_, _| Ok(())));
    match made {
        Ok(site) => Ok(Reply::see_other(&address(&site.name))),
        Err(fault) if fault.status.is_server_error() => Err(fault),
        Err(fault) => show_list(app, ask, fault.status, form.with_trouble(fault.detail)),
    }
}

/// The address of a site's page.
fn address(name: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("/crawls/{name}")
}

#[derive(Template)]
#[template(path = "crawl.html")]
struct CrawlPage<'a> {
    shell: Shell<'a>,
    w: &'static CrawlWords,
    site: Site,
    skips: Vec<Skipped>,
    may_run: bool,
    /// For whoever may change it.
    form: Option<SiteForm>,
}

impl CrawlPage<'_> {
    fn is_configured(&self) -> bool {
        self.site.origin == Origin::Configuration
    }
}

pub(super) fn show(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    show_site(app, ask, StatusCode::OK, None)
}

fn show_site(app: &Arc<App>, ask: &Ask, status: StatusCode, form: Option<SiteForm>) -> Result<Reply, Fault> {
    let site = site(app, ask.param("site"), ask.now)?;
    let may_run = ask.may(Role::Admin);
    let form = match form {
        None if may_run => own_settings(app, &site.name).ok().map(|own| SiteForm::of(&site.name, &own)),
        form => form,
    };
    let page = CrawlPage {
        shell: Shell::of(app, ask, "/crawls"),
        w: CrawlWords::of(ask.lang),
        skips: skips(app, &site.name)?,
        site,
        may_run,
        form,
    };
    Reply::page_with(status, &page)
}

/// Changes a site; shows the form again where it is wrong.
pub(super) fn change(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (name, by) = (ask.param("site"), &ask.visitor()?.name);
    let form = SiteForm { name: name.to_owned(), ..SiteForm::typed(&ask.form()?) };
    let own = own_settings(app, name)?;
    let changed =
        form.settings(Some(own)).and_then(|settings| change_site(app, name, settings, (by, ask.now)));
    match changed {
        Ok(site) => Ok(Reply::see_other(&address(&site.name))),
        Err(fault) if fault.status.is_server_error() || fault.status == StatusCode::NOT_FOUND => Err(fault),
        Err(fault) => show_site(app, ask, fault.status, Some(form.with_trouble(fault.detail))),
    }
}

#[derive(Template)]
#[template(path = "crawl_remove.html")]
struct RemovalPage<'a> {
    shell: Shell<'a>,
    w: &'static CrawlWords,
    name: String,
}

/// Asks whether a site is really to be removed.
pub(super) fn ask_removal(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let name = site(app, ask.param("site"), ask.now)?.name;
    let (shell, w) = (Shell::of(app, ask, "/crawls"), CrawlWords::of(ask.lang));
    Reply::page(&RemovalPage { shell, w, name })
}

/// Removes a site.
pub(super) fn remove(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    remove_site(app, ask.param("site"), (&ask.visitor()?.name, ask.now))?;
    Ok(Reply::see_other("/crawls"))
}

/// What a person does with a schedule or a run.
pub(super) fn act(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    // As it stands in the page: trimmed, it could be another's, or all.
    let named = Some(form.raw("site")).filter(|name| !name.is_empty());
    let named = named.ok_or_else(|| Fault::bad_request("site: a name, or * for all"))?;
    let what = form.get("what").unwrap_or_default();
    let act = Act::ALL.into_iter().find(|act| act.as_str() == what);
    let act = act.ok_or_else(|| Fault::bad_request("what: begin, stop, pause or resume"))?;
    do_act(app, named, act, (&ask.visitor()?.name, ask.now))?;
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
