//! Pages made by scripts: here is a URL; gives the page as the machine's Chromium makes it, the media that it asked for,
//! and a picture.
//!
//! - [`Browser::find`]: looks for Chromium; [`Error::Missing`] says what to install.
//! - [`Browser::render`]: one page, in a process and a profile of its own, which are gone afterwards.
//!
//! What a page can reach is what we would fetch: each request is judged when the browser announces it, and all of the
//! browser's network goes through a [`GuardedProxy`], which judges it again by the addresses of
//! its host. The browser resolves no name itself; QUIC and WebRTC past the proxy are off, and so are downloads, windows,
//! service workers, extensions and whatever a browser does by itself. Dialogs are dismissed. Time, bytes, requests,
//! memory, dialogs, pages led to and the document are bounded, and the whole group of processes is killed at the end.
//!
//! A user other than root is to run this: Chromium has no sandbox for root, so for root it is switched off, and a page
//! that breaks Chromium then acts with all rights of this process. Root certificates of `fetch.extra_root_certificates`
//! are not known to the browser.
//!
//! In the order of the files: `program` (which) → `process` (started, watched, ended) → `devtools` (messages) → `page`
//! (what is asked of it) with `events` (what it tells) and `seen` (what of that is media).

mod devtools;
mod error;
mod events;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod page;
mod process;
mod program;
mod seen;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

pub use self::error::Error;
use self::page::{Harvest, Page, Task};
use self::process::Process;
use crate::config::RenderSettings;
use crate::net::{Budget, Client, GuardedProxy, Policy, ProxyLimits, shown};

/// The bounds of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderLimits {
    /// Time from the browser's start to the end.
    pub time_max: Duration,
    /// Bytes that move, both ways.
    pub bytes_max: u64,
    /// Requests.
    pub requests_max: u64,
    /// Bytes of the document with its frames; longer ones are cut.
    pub document_bytes_max: u64,
    /// Bytes of memory that the browser's processes take together.
    pub memory_bytes_max: u64,
    /// Whether a picture is taken.
    pub screenshot: bool,
}

impl From<&RenderSettings> for RenderLimits {
    fn from(settings: &RenderSettings) -> Self {
        Self {
            // An hour is "never" here, and keeps the arithmetic of instants in range.
            time_max: Duration::from_secs(settings.timeout_s.clamp(1, 3600)),
            bytes_max: settings.bytes_max,
            requests_max: settings.requests_max,
            document_bytes_max: settings.document_bytes_max,
            memory_bytes_max: settings.memory_bytes_max,
            screenshot: settings.screenshot,
        }
    }
}

/// A frame of a page, also of another site, as its scripts have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where it comes from; relative addresses in it are meant from there.
    pub url: Url,
    /// Its document.
    pub html: String,
}

/// A page as the browser made it.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// Where it was at the end, after redirects and scripts.
    pub final_url: Url,
    /// Its title.
    pub title: String,
    /// Its document with shadow roots in their places, cut at the limit; empty where only the network log could be had.
    pub html: String,
    /// The documents of its frames, which stand nowhere in `html`.
    pub frames: Vec<Frame>,
    /// Media and lists of media that it asked for or plays, with the content type where a server has said one; and
    /// downloads that it began. At most 500.
    pub media: Vec<(Url, Option<String>)>,
    /// Requests that it made.
    pub requests: u64,
    /// Bytes that moved, both ways.
    pub bytes: u64,
    /// What it was not let do: a URL (of HTTPS perhaps only `https://host:port/`) and why.
    pub refused: Vec<(String, String)>,
    /// What its window looks like, 1280 × 1024, as PNG; empty where none was wanted or could be had.
    pub screenshot_png: Vec<u8>,
    /// What went wrong without ending it.
    pub problems: Vec<String>,
}

/// Connections of the browser at a time: it opens up to 32 to one proxy by itself.
const CONNECTIONS_MAX: usize = 64;

/// The machine's Chromium. Cheap to clone; clones share the bound on bytes and on browsers at a time.
#[derive(Clone)]
pub struct Browser {
    program: PathBuf,
    client: Client,
    total: Budget,
    places: Arc<Semaphore>,
}

impl Browser {
    /// Looks for Chromium and takes the client's rules for it.
    ///
    /// # Errors
    /// [`Error::Missing`], which says what to install or to set.
    pub fn find(settings: &RenderSettings, client: &Client) -> Result<Self, Error> {
        let program = program::find(settings, std::env::var_os("PATH").as_deref())?;
        let places = (settings.browsers_max as usize).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            program,
            client: client.clone(),
            total: Budget::new(settings.total_bytes_max),
            places: Arc::new(Semaphore::new(places)),
        })
    }

    /// Returns the program that is used.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Renders one page. `policy` is asked about each host and port beside the client's guard. Where the page hangs,
    /// crashes or never ends but media was seen already, that is returned, and [`Rendered::problems`] says the rest. All
    /// processes are gone afterwards, also where the future is dropped.
    ///
    /// # Errors
    /// [`Error`], one line that names the URL.
    pub async fn render(&self, url: &Url, limits: &RenderLimits, policy: Policy) -> Result<Rendered, Error> {
        self.client.check(url)?;
        let host = url.host().map(|host| host.to_owned());
        if let Some(Err(reason)) = host.map(|host| policy(&host, url.port_or_known_default().unwrap_or(0))) {
            return Err(Error::Refused { url: shown(url), reason });
        }
        let _place = self.places.acquire().await;
        let bounds = ProxyLimits {
            connections_max: CONNECTIONS_MAX,
            // The browser announces each request; redirects, preflights and sockets come on top.
            requests_max: limits.requests_max.saturating_mul(4),
            bytes_max: limits.bytes_max,
            time_max: limits.time_max + Duration::from_secs(5),
        };
        let proxy =
            GuardedProxy::start(&self.client, bounds, self.total.clone(), Arc::clone(&policy)).await?;
        let task = Task { url, limits, client: &self.client, proxy: &proxy, policy: &policy };
        Box::pin(self.run(task)).await
    }

    async fn run(&self, task: Task<'_>) -> Result<Rendered, Error> {
        let limits = task.limits;
        let user_agent = self.client.user_agent();
        let (mut process, link) =
            Process::start(&self.program, task.proxy, user_agent, limits.memory_bytes_max)?;
        let complaints = tokio::spawn(process.complaints());
        let mut page = Page::new(task, link);
        let url = || shown(task.url);
        let outcome = tokio::select! {
            done = timeout(limits.time_max, page.render()) => done.unwrap_or_else(|_| {
                Err(Error::Timeout { url: url(), seconds: limits.time_max.as_secs() })
            }),
            () = process.outgrows(limits.memory_bytes_max) => {
                Err(Error::Memory { url: url(), mib: limits.memory_bytes_max >> 20 })
            }
        };
        process.end().await;
        let outcome = match outcome {
            Err(Error::Crashed { .. } | Error::Hangs { .. }) if page.watch.own_target.is_empty() => {
                let said = timeout(Duration::from_secs(1), complaints).await.ok().and_then(Result::ok);
                let reason = last_line(&said.unwrap_or_default());
                Err(Error::Start { program: self.program.clone(), reason })
            }
            other => other,
        };
        finish(task, page, outcome)
    }
}

/// Puts together what was seen and what was written down.
fn finish(task: Task<'_>, page: Page<'_>, outcome: Result<Harvest, Error>) -> Result<Rendered, Error> {
    let mut watch = page.watch;
    watch.read_proxy_log();
    let harvest = match outcome {
        Ok(harvest) => harvest,
        Err(error) if watch.seen.media.is_empty() || !leaves_something(&error) => return Err(error),
        Err(error) => {
            watch.problem(error.to_string());
            Harvest::default()
        }
    };
    if task.proxy.bytes() >= task.limits.bytes_max {
        watch.problem(format!("the page took all of its {} bytes (render.bytes_max)", task.limits.bytes_max));
    }
    if watch.seen.left_out > 0 {
        watch.problem(format!("{} media addresses more were left out", watch.seen.left_out));
    }
    Ok(Rendered {
        final_url: harvest.final_url.unwrap_or_else(|| task.url.clone()),
        title: harvest.title,
        html: harvest.html,
        frames: harvest.frames,
        media: watch.seen.media,
        requests: watch.requests,
        bytes: task.proxy.bytes(),
        refused: watch.seen.refused,
        screenshot_png: harvest.screenshot_png,
        problems: watch.problems,
    })
}

/// Whether what was seen before the error counts: the page was there.
const fn leaves_something(error: &Error) -> bool {
    match error {
        Error::Wanders { .. }
        | Error::Dialogs { .. }
        | Error::Hangs { .. }
        | Error::Crashed { .. }
        | Error::Memory { .. }
        | Error::Timeout { .. }
        | Error::Protocol { .. } => true,
        Error::Missing { .. }
        | Error::Start { .. }
        | Error::Net(_)
        | Error::Refused { .. }
        | Error::Load { .. }
        | Error::Download { .. } => false,
    }
}

/// The last line that the browser said before it ended.
fn last_line(said: &str) -> String {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.unwrap_or("it says nothing").chars().take(300).collect()
}
