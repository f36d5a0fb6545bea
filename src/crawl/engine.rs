//! The run: takes tasks until there are none, and tells what came of each.

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::address::{authority, domain_of, trap};
use super::discover::{MediaKind, MediaLink, Stream, discover, extension_kind};
use super::event::{Error, Event, Failure, PageRead, Skip, SkipReason};
use super::fetch::Answer;
use super::frontier::{Added, Frontier, Task, TaskKind, Visit};
use super::pace::Pace;
use super::plan::Plan;
use super::robots::Gate;
use super::sniff::{Content, HEAD_BYTES, sniff};
use crate::base::Clock;
use crate::net::{Client, Kind, shown};

/// Players in players, playlists in playlists: a page, its player, the player's master playlist, the stream.
const NESTING_MAX: u32 = 4;
/// Pages in frames in pages: the page's player, and the frame that this loads the player from. Deeper come adverts.
const EMBED_NESTING_MAX: u32 = 1;
/// How often a URL is tried again after "not now".
const REFUSALS_MAX: u32 = 3;

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Requests made, redirects included.
    pub requests: u64,
    /// Documents read.
    pub pages: u64,
    /// Media objects handed over.
    pub found: u64,
    /// URLs passed over.
    pub skipped: u64,
    /// URLs that failed.
    pub failed: u64,
    /// Whether the run was stopped before its end.
    pub cancelled: bool,
}

/// Why a task ends without its bytes.
pub(super) enum Stop {
    Skip(SkipReason),
    /// The host asked to come again later.
    NotNow(Error),
    Fail(Error),
    /// Nobody listens any more.
    Deaf,
}

pub(super) struct Engine<'a> {
    pub(super) plan: &'a Plan,
    pub(super) client: &'a Client,
    pub(super) clock: &'a dyn Clock,
    pub(super) gate: Gate,
    pub(super) pace: Pace,
    pub(super) frontier: Frontier,
    pub(super) summary: Summary,
    events: mpsc::Sender<Event>,
    /// Domains (or authorities, for addresses) of the seeds.
    scope: Vec<String>,
}

/// Carries out `plan` and tells of it through `events`; waits while the receiver is busy, so that never more media
/// lie on disk than the channel holds. Ends when all is done, when `cancel` is cancelled, or when the receiver is
/// dropped.
pub async fn crawl(
    plan: &Plan,
    client: &Client,
    clock: &dyn Clock,
    events: mpsc::Sender<Event>,
    cancel: &CancellationToken,
) -> Summary {
    let gate = Gate::new(client.clone(), &plan.user_agent, plan.robots.clone(), plan.robots_reason.clone());
    let mut engine = Engine {
        plan,
        client,
        clock,
        gate,
        pace: Pace::default(),
        frontier: Frontier::default(),
        summary: Summary::default(),
        events,
        scope: plan.seeds.iter().map(scope_key).collect(),
    };
    engine.sow();
    let finished = cancel.run_until_cancelled(engine.run()).await;
    engine.summary.cancelled = finished.is_none();
    engine.summary.requests = engine.frontier.requests;
    engine.summary
}

/// What two URLs of one site share: the registrable domain, or host and port where there is none.
fn scope_key(url: &Url) -> String {
    match url.host() {
        Some(url::Host::Domain(name)) if psl::domain_str(name).is_some() => domain_of(url),
        _ => authority(url),
    }
}

impl Engine<'_> {
    fn sow(&mut self) {
        for url in &self.plan.seeds {
            let kind = extension_kind(url.path()).map_or(TaskKind::Page, TaskKind::Media);
            let via = "seed".to_owned();
            let task = Task { url: url.clone(), kind, via, depth: 0, nesting: 0, from: None, refusals: 0 };
            self.frontier.add(task);
        }
    }

    async fn run(&mut self) {
        self.sow_sitemaps().await;
        while self.frontier.waiting() > 0 {
            if self.frontier.requests >= self.plan.requests_max {
                self.report_budget().await;
                return;
            }
            let pace = &self.pace;
            let Some(task) = self.frontier.take(|task| pace.ready_at(&task.url).is_none()) else {
                let next = self.frontier.tasks().filter_map(|task| self.pace.ready_at(&task.url)).min();
                tokio::time::sleep_until(next.unwrap_or_else(Instant::now)).await;
                continue;
            };
            self.frontier.in_hand = Some(task.clone());
            if let Err(stop) = Box::pin(self.visit(&task)).await
                && self.ended(task, stop).await.is_err()
            {
                return;
            }
            self.frontier.in_hand = None;
        }
        self.report_beyond().await;
    }

    async fn report_beyond(&mut self) {
        let depth_max = self.plan.depth_max;
        for (url, from) in self.frontier.take_beyond() {
            if self.skip(&url, Some(from), SkipReason::TooDeep { depth_max }).await.is_err() {
                return;
            }
        }
    }

    async fn report_budget(&mut self) {
        let Some(next) = self.frontier.tasks().next() else { return };
        let (url, from) = (next.url.clone(), next.from);
        let waiting = self.frontier.waiting();
        let reason = SkipReason::Budget { requests_max: self.plan.requests_max, waiting };
        // Nobody listening is the end anyway.
        let _ = self.skip(&url, from, reason).await;
    }

    /// Tells why a task ended, or puts it back.
    async fn ended(&mut self, mut task: Task, stop: Stop) -> Result<(), Stop> {
        match stop {
            Stop::Skip(reason) => self.skip(&task.url, task.from, reason).await,
            Stop::NotNow(_) if task.refusals < REFUSALS_MAX => {
                task.refusals += 1;
                self.frontier.put_back(task);
                Ok(())
            }
            Stop::Fail(error) | Stop::NotNow(error) if task.kind == TaskKind::Sitemap => {
                self.skip_sitemap(&task, &error).await
            }
            Stop::Fail(error) | Stop::NotNow(error) => {
                self.summary.failed += 1;
                let page_url = self.frontier.page_of(task.from).map(|page| shown(&page.url));
                let failure = Failure { url: shown(&task.url), page_url, error };
                self.tell(Event::Failed(Box::new(failure))).await
            }
            Stop::Deaf => Err(Stop::Deaf),
        }
    }

    async fn visit(&mut self, task: &Task) -> Result<(), Stop> {
        let mut answer = self.fetch(task).await?;
        if task.kind == TaskKind::Sitemap {
            return self.read_sitemap(task, answer).await;
        }
        let content_type = answer.opened.content_type();
        let head = answer.opened.body.peek(HEAD_BYTES).await.map_err(|error| Stop::Fail(error.into()))?;
        match sniff(content_type.as_deref(), head) {
            Content::Media => self.keep_media(task, answer).await,
            // What was linked as media and is of no known form may still be: the decoder will say.
            Content::Other if is_media(task) && may_be_media(content_type.as_deref()) => {
                self.keep_media(task, answer).await
            }
            // An M3U playlist without its header line is nothing but lines.
            Content::Other if is_playlist(task) && !head.contains(&0) => {
                self.read_document(task, answer, Content::M3u).await
            }
            Content::Other => {
                let content_type = content_type.unwrap_or_else(|| "no Content-Type".to_owned());
                Err(Stop::Skip(SkipReason::NotAudio {
                    content_type: content_type.chars().take(100).collect(),
                }))
            }
            Content::Archive(kind) => {
                Err(Stop::Skip(SkipReason::Unsupported { format: format!("{kind:?}") }))
            }
            content => self.read_document(task, answer, content).await,
        }
    }

    /// Reads a page, feed or playlist and takes on what it leads to.
    async fn read_document(&mut self, task: &Task, answer: Answer, content: Content) -> Result<(), Stop> {
        let Answer { opened, hops, .. } = answer;
        let content_type = match content {
            Content::M3u => Some("audio/x-mpegurl".to_owned()),
            _ => opened.content_type(),
        };
        let (url, mut body) = (opened.final_url.clone(), opened.body);
        body.treat_as(Kind::Page);
        let bytes = body.collect().await.map_err(|error| Stop::Fail(error.into()))?;
        let at = url.clone();
        let found = off_the_loop(&url, move || discover(&at, content_type.as_deref(), &bytes)).await?;
        self.frontier.mark_seen(&url);
        let is_page = content == Content::Html;
        let visit = Visit { url: url.clone(), title: found.title.clone(), is_page, hops, from: task.from };
        let from = self.frontier.visited(visit);
        self.summary.pages += 1;
        self.tell(Event::Page(PageRead {
            url: shown(&url),
            title: found.title,
            media: found.media.len(),
            links: found.links.len(),
            problems: found.problems,
        }))
        .await?;
        for link in found.media {
            self.take_media(task, from, link).await?;
        }
        if task.kind == TaskKind::Page && self.plan.follow_links {
            for link in found.links {
                self.take_link(task, from, link).await?;
            }
        }
        match found.stream {
            Some(stream) => self.take_stream(task, from, &url, stream).await,
            None => Ok(()),
        }
    }

    async fn take_media(&mut self, task: &Task, from: usize, link: MediaLink) -> Result<(), Stop> {
        let MediaLink { url, via, kind } = link;
        // A feed tells of the whole site: nothing that a single page shows.
        if kind == MediaKind::Feed && !self.plan.follow_links {
            return Ok(());
        }
        // A frame or refresh to a page of the site is a page of the site; beyond the depth it is still shown here.
        let is_page = kind == MediaKind::Embed && self.plan.follow_links && task.kind == TaskKind::Page;
        if is_page && task.depth < self.plan.depth_max && self.in_scope(&url) {
            let (kind, depth) = (TaskKind::Page, task.depth + 1);
            return self
                .take_on(Task { url, kind, via, depth, nesting: 0, from: Some(from), refusals: 0 })
                .await;
        }
        let nesting = if task.kind == TaskKind::Page { 0 } else { task.nesting + 1 };
        if nesting > NESTING_MAX || kind == MediaKind::Embed && nesting > EMBED_NESTING_MAX {
            return self.skip_once(&url, from, SkipReason::TooNested).await;
        }
        let (kind, depth) = (TaskKind::Media(kind), task.depth);
        self.take_on(Task { url, kind, via, depth, nesting, from: Some(from), refusals: 0 }).await
    }

    async fn take_link(&mut self, task: &Task, from: usize, url: Url) -> Result<(), Stop> {
        if !self.in_scope(&url) {
            return self.skip_once(&url, from, SkipReason::OutOfScope).await;
        }
        if let Some(extension) = other_extension(url.path()) {
            let content_type = format!("named .{extension}");
            return self.skip_once(&url, from, SkipReason::NotAudio { content_type }).await;
        }
        if task.depth >= self.plan.depth_max {
            self.frontier.put_beyond(url, from);
            return Ok(());
        }
        let (kind, via, depth) = (TaskKind::Page, "link".to_owned(), task.depth + 1);
        self.take_on(Task { url, kind, via, depth, nesting: 0, from: Some(from), refusals: 0 }).await
    }

    async fn take_stream(&mut self, task: &Task, from: usize, url: &Url, stream: Stream) -> Result<(), Stop> {
        match stream {
            Stream::Choice { chosen } => {
                let link = MediaLink { url: chosen, via: "playlist".to_owned(), kind: MediaKind::Playlist };
                self.take_media(task, from, link).await
            }
            Stream::Segments { encrypted: Some(method), .. } => {
                Err(Stop::Skip(SkipReason::Encrypted { method }))
            }
            Stream::Segments { segments, .. } if segments.iter().any(|segment| segment.key.is_some()) => {
                Err(Stop::Skip(SkipReason::Encrypted { method: "AES-128".to_owned() }))
            }
            Stream::Segments { segments, ended, .. } => {
                let live = "the stream is live: only what its playlist held at that moment was fetched";
                let warnings = if ended { Vec::new() } else { vec![live.to_owned()] };
                self.keep_segments(from, url, &segments, warnings).await
            }
        }
    }

    async fn take_on(&mut self, task: Task) -> Result<(), Stop> {
        let (url, from) = (task.url.clone(), task.from);
        // The signed addresses of media may be as odd as they like.
        if let Some(what) = trap(&url).filter(|_| task.kind == TaskKind::Page) {
            let reason = SkipReason::Trap { what: what.to_owned() };
            return if self.frontier.mark_seen(&url) { self.skip(&url, from, reason).await } else { Ok(()) };
        }
        match self.frontier.add(task) {
            Added::Yes | Added::Known => Ok(()),
            Added::Full => self.skip(&url, from, SkipReason::FrontierFull).await,
        }
    }

    pub(super) fn in_scope(&self, url: &Url) -> bool {
        self.scope.contains(&scope_key(url))
    }

    async fn skip_once(&mut self, url: &Url, from: usize, reason: SkipReason) -> Result<(), Stop> {
        if self.frontier.mark_seen(url) { self.skip(url, Some(from), reason).await } else { Ok(()) }
    }

    pub(super) async fn skip(
        &mut self,
        url: &Url,
        from: Option<usize>,
        reason: SkipReason,
    ) -> Result<(), Stop> {
        self.summary.skipped += 1;
        let page_url = self.frontier.page_of(from).map(|page| shown(&page.url));
        self.tell(Event::Skipped(Skip { url: shown(url), page_url, reason })).await
    }

    pub(super) async fn tell(&self, event: Event) -> Result<(), Stop> {
        self.events.send(event).await.map_err(|_| Stop::Deaf)
    }
}

fn is_media(task: &Task) -> bool {
    matches!(task.kind, TaskKind::Media(MediaKind::Media))
}

fn is_playlist(task: &Task) -> bool {
    matches!(task.kind, TaskKind::Media(MediaKind::Playlist))
}

/// Whether bytes of no known form may be media by their Content-Type: text named `.mp3` is for the decoder to
/// refuse, a picture behind an `og:video` is not.
fn may_be_media(content_type: Option<&str>) -> bool {
    let essence = content_type.unwrap_or_default().to_ascii_lowercase();
    let other =
        ["image/", "font/", "text/css", "text/javascript", "application/javascript", "application/pdf"];
    !other.iter().any(|start| essence.starts_with(start))
}

/// Files that pages link to most often and that are neither pages nor audio: not worth a request each.
const OTHER_EXTENSIONS: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "ico", "bmp", "css", "js", "mjs", "map", "woff",
    "woff2", "ttf", "pdf", "doc", "docx", "epub", "zip", "rar", "7z", "gz", "tar", "exe", "apk", "dmg",
    "iso", "torrent",
];

pub(super) fn other_extension(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    OTHER_EXTENSIONS.iter().copied().find(|other| extension.eq_ignore_ascii_case(other))
}

/// Looks through a document on a thread that may take its time. `url` is the document's.
pub(super) async fn off_the_loop<T: Send + 'static>(
    url: &Url,
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stop> {
    let failed = |error: tokio::task::JoinError| {
        Stop::Fail(Error::Document { url: shown(url), reason: error.to_string() })
    };
    tokio::task::spawn_blocking(look).await.map_err(failed)
}
