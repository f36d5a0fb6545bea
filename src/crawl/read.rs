//! Reading what came: what it is, and what a document leads to.

use url::Url;

use super::address::trap;
use super::discover::{Discovered, MediaKind, MediaLink, discover};
use super::engine::{Engine, Stop, off_the_loop};
use super::event::{Error, Event, LeadFound, PageRead, Skip, SkipReason};
use super::fetch::Answer;
use super::frontier::{Added, InHand, Task, TaskKind, Visit};
use super::known::KnownAs;
use super::lanes::Slot;
use super::shapes;
use super::sniff::{Content, HEAD_BYTES, sniff};
use crate::base::{Digest, lock};
use crate::net::{Kind, shown};
use crate::store;

/// Players in players, playlists in playlists: a page, its player, the player's master playlist, the stream.
const NESTING_MAX: u32 = 4;
/// Pages in frames in pages: the page's player, and the frame that this loads the player from. Deeper come adverts.
const EMBED_NESTING_MAX: u32 = 1;

impl<'a> Engine<'a> {
    /// Fetches a task and does what its content calls for.
    pub(super) async fn visit(&'a self, in_hand: &InHand, slot: Slot<'a>) -> Result<(), Stop> {
        let task = &in_hand.task;
        if is_media(task) && self.plan.probe_over.is_some() {
            return Box::pin(self.visit_media(in_hand, slot)).await;
        }
        let mut slot = Some(slot);
        if let Some(found) = self.ask_known_hosts(task, &mut slot).await? {
            return self.take_known(in_hand, found).await;
        }
        let answer = self.fetch(task, slot).await?;
        if task.kind == TaskKind::Sitemap {
            return self.read_sitemap(in_hand, answer).await;
        }
        self.take_answer(in_hand, answer).await
    }

    /// Does what an answer's content calls for.
    pub(super) async fn take_answer(&'a self, in_hand: &InHand, mut answer: Answer<'a>) -> Result<(), Stop> {
        let task = &in_hand.task;
        if answer.opened.is_not_modified() {
            return self.take_unchanged(in_hand, answer).await;
        }
        let content_type = answer.opened.content_type();
        let head = answer.opened.body.peek(HEAD_BYTES).await.map_err(|error| Stop::Fail(error.into()))?;
        match sniff(content_type.as_deref(), head) {
            content @ (Content::Media | Content::Archive(_)) => {
                self.keep_media(in_hand, content, answer).await
            }
            // What was linked as media and is of no known form may still be: the decoder will say.
            Content::Other if is_media(task) && may_be_media(content_type.as_deref()) => {
                self.keep_media(in_hand, Content::Other, answer).await
            }
            // An M3U playlist without its header line is nothing but lines.
            Content::Other if is_playlist(task) && !head.contains(&0) => {
                self.read_document(in_hand, answer, Content::M3u).await
            }
            Content::Other => {
                let content_type = content_type.unwrap_or_else(|| "no Content-Type".to_owned());
                Err(Stop::Skip(SkipReason::NotAudio {
                    content_type: content_type.chars().take(100).collect(),
                }))
            }
            content => self.read_document(in_hand, answer, content).await,
        }
    }

    /// Reads a page, feed or playlist and takes on what it leads to.
    async fn read_document(
        &'a self,
        in_hand: &InHand,
        answer: Answer<'a>,
        content: Content,
    ) -> Result<(), Stop> {
        let Answer { opened, hops, held, tracing, .. } = answer;
        tracing.trace.want_body(self.client.page_bytes_max());
        let content_type = match content {
            Content::M3u => Some("audio/x-mpegurl".to_owned()),
            _ => opened.content_type(),
        };
        let validators = opened.validators();
        let (url, mut body) = (opened.final_url.clone(), opened.body);
        body.treat_as(Kind::Page);
        let bytes = body.collect().await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        let (exchanges, wire) = tracing.take();
        let at = url.clone();
        let (sha256, mut found) =
            off_the_loop(&url, move || (Digest::of(&bytes), discover(&at, content_type.as_deref(), &bytes)))
                .await?;
        let stream = found.stream.take();
        if stream.is_none() {
            self.remember_document(&in_hand.task, validators, (sha256, content == Content::Html), &found)?;
        }
        let is_page = content == Content::Html;
        let screenshot = if is_page { Box::pin(self.add_rendered(&url, &mut found)).await? } else { None };
        // What leads to no media proves nothing.
        if stream.is_some() || !found.media.is_empty() {
            self.hold_body(wire)?;
        }
        let (from, title) = (in_hand.task.from, found.title.clone());
        let visit = Visit { url: url.clone(), title, is_page, hops, from, screenshot, exchanges };
        let (from, events) = self.take_document(in_hand, visit, &sha256, found, stream.is_none())?;
        for event in events {
            self.tell(event).await?;
        }
        match stream {
            Some(stream) => Box::pin(self.take_stream(&in_hand.task, from, &url, stream)).await,
            None => Ok(()),
        }
    }

    /// Takes on what a document led to when it was read last, since it is the same.
    async fn take_unchanged(&'a self, in_hand: &InHand, answer: Answer<'a>) -> Result<(), Stop> {
        let Answer { opened, hops, held, tracing, .. } = answer;
        held.end();
        let task = &in_hand.task;
        let known = self.known(task)?.map(|record| record.what);
        let Some(KnownAs::Document { sha256, is_page, title, media, links, leads }) = known else {
            let reason = "it says that nothing has changed, but nothing is known of it".to_owned();
            return Err(Stop::Fail(Error::Document { url: shown(&task.url), reason }));
        };
        let found = Discovered { title, media, links, leads, ..Discovered::default() };
        let (url, from, title) = (opened.final_url.clone(), task.from, found.title.clone());
        drop(opened);
        let (exchanges, _) = tracing.take();
        let visit = Visit { url, title, is_page, hops, from, screenshot: None, exchanges };
        lock(&self.frontier).job.summary.unchanged += 1;
        let (_, events) = self.take_document(in_hand, visit, &sha256, found, true)?;
        for event in events {
            self.tell(event).await?;
        }
        Ok(())
    }

    /// Takes on what a known host has at a URL.
    async fn take_known(&'a self, in_hand: &InHand, found: Discovered) -> Result<(), Stop> {
        let task = &in_hand.task;
        let visit = Visit {
            url: task.url.clone(),
            title: found.title.clone(),
            is_page: true,
            // No request of ours: how the media was learned of says who made it.
            hops: Vec::new(),
            from: task.from,
            screenshot: None,
            exchanges: Vec::new(),
        };
        let sha256 = Digest::of(task.url.as_str().as_bytes());
        let (_, events) = self.take_document(in_hand, visit, &sha256, found, true)?;
        for event in events {
            self.tell(event).await?;
        }
        Ok(())
    }

    /// Takes on all that a document leads to, and ends its task where nothing more is to be done: in one batch, so
    /// that a run that is killed has either all of it or has not read the document.
    fn take_document(
        &self,
        in_hand: &InHand,
        visit: Visit,
        sha256: &Digest,
        found: Discovered,
        ends: bool,
    ) -> Result<(u64, Vec<Event>), store::Error> {
        let task = &in_hand.task;
        let mut taking =
            Taking { engine: self, task, page: shown(&visit.url), is_page: visit.is_page, skips: Vec::new() };
        let url = visit.url.clone();
        let (title, is_page) = (visit.title.clone(), visit.is_page);
        let mut frontier = lock(&self.frontier);
        frontier.mark_seen(&url)?;
        let from = frontier.visited(visit)?;
        frontier.job.summary.pages += 1;
        let page = PageRead {
            url: shown(&url),
            title,
            media: found.media.len(),
            links: found.links.len(),
            problems: found.problems,
        };
        // The same page under another address: its links are those of the first one, or lead on without end.
        let is_repeated =
            is_page && task.from.is_some() && !self.plan.render && frontier.knows_content(sha256)?;
        // Media beside it may be others: `01.mp3` of another folder.
        for link in found.media {
            taking.media(&mut frontier, from, link)?;
        }
        if is_repeated {
            taking.skip(&mut frontier, &url, SkipReason::SameContent)?;
        } else if task.kind == TaskKind::Page && self.plan.follow_links {
            for link in found.links {
                taking.link(&mut frontier, from, link)?;
            }
        }
        let mut events = Vec::new();
        for lead in found.leads {
            let found = LeadFound { page_url: shown(&url), lead };
            if frontier.lead(&found)? {
                events.push(Event::Lead(found));
            }
        }
        // Last, in the batch that ends the task: a page that is read again after a kill is no repetition.
        if is_page {
            frontier.mark_content(sha256)?;
        }
        if ends {
            frontier.done(in_hand);
        }
        frontier.commit()?;
        events.insert(0, Event::Page(page));
        events.extend(taking.skips.into_iter().map(Event::Skipped));
        Ok((from, events))
    }

    /// Takes on one more URL of a document that is read already.
    pub(super) async fn take_one(&self, task: &Task, from: u64, link: MediaLink) -> Result<(), Stop> {
        let skips = {
            let mut frontier = lock(&self.frontier);
            let page = frontier.page_of(Some(from))?.map(|page| shown(&page.url)).unwrap_or_default();
            let mut taking = Taking { engine: self, task, page, is_page: false, skips: Vec::new() };
            taking.media(&mut frontier, from, link)?;
            taking.skips
        };
        for skip in skips {
            self.tell(Event::Skipped(skip)).await?;
        }
        Ok(())
    }
}

/// Taking on what one document leads to.
struct Taking<'t, 'a> {
    engine: &'t Engine<'a>,
    /// The document's task.
    task: &'t Task,
    /// The document's URL, as it is shown.
    page: String,
    is_page: bool,
    skips: Vec<Skip>,
}

type Frontier<'f> = super::frontier::Frontier<'f>;

impl Taking<'_, '_> {
    fn media(&mut self, frontier: &mut Frontier<'_>, from: u64, link: MediaLink) -> Result<(), store::Error> {
        let MediaLink { url, via, kind } = link;
        let (plan, task) = (self.engine.plan, self.task);
        // A feed tells of the whole site: nothing that a single page shows.
        if kind == MediaKind::Feed && !plan.follow_links {
            return Ok(());
        }
        // A frame or refresh to a page of the site is a page of the site; beyond the depth it is still shown here.
        let is_page = kind == MediaKind::Embed && plan.follow_links && task.kind == TaskKind::Page;
        if is_page && task.depth < plan.depth_max && plan.scope.holds(&url) {
            let (kind, depth) = (TaskKind::Page, task.depth + 1);
            let task = Task { url, kind, via, depth, nesting: 0, from: Some(from), refusals: 0 };
            return self.take_on(frontier, task);
        }
        let nesting = if task.kind == TaskKind::Page { 0 } else { task.nesting + 1 };
        if nesting > NESTING_MAX || kind == MediaKind::Embed && nesting > EMBED_NESTING_MAX {
            return self.skip_once(frontier, &url, SkipReason::TooNested);
        }
        let (kind, depth) = (TaskKind::Media(kind), task.depth);
        self.take_on(frontier, Task { url, kind, via, depth, nesting, from: Some(from), refusals: 0 })
    }

    fn link(&mut self, frontier: &mut Frontier<'_>, from: u64, url: Url) -> Result<(), store::Error> {
        let plan = self.engine.plan;
        if is_archive(url.path()) {
            let link = MediaLink { url, via: "link".to_owned(), kind: MediaKind::Media };
            return self.media(frontier, from, link);
        }
        if !plan.scope.holds(&url) {
            return self.skip_once(frontier, &url, SkipReason::OutOfScope);
        }
        if let Some(extension) = other_extension(url.path()) {
            let content_type = format!("named .{extension}");
            return self.skip_once(frontier, &url, SkipReason::NotAudio { content_type });
        }
        if self.task.depth >= plan.depth_max {
            return frontier.put_beyond(url, from);
        }
        let (kind, via, depth) = (TaskKind::Page, "link".to_owned(), self.task.depth + 1);
        self.take_on(frontier, Task { url, kind, via, depth, nesting: 0, from: Some(from), refusals: 0 })
    }

    fn take_on(&mut self, frontier: &mut Frontier<'_>, task: Task) -> Result<(), store::Error> {
        // The signed addresses of media may be as odd as they like.
        if task.kind == TaskKind::Page
            && let Some(what) = trap(&task.url).map(str::to_owned).or(self.too_many(frontier, &task.url)?)
        {
            return self.skip_once(frontier, &task.url, SkipReason::Trap { what });
        }
        let url = task.url.clone();
        match frontier.add(task)? {
            Added::Yes | Added::Known => Ok(()),
            Added::Full => self.skip(frontier, &url, SkipReason::FrontierFull),
        }
    }

    /// Whether a page is one of very many of one shape.
    fn too_many(&self, frontier: &mut Frontier<'_>, url: &Url) -> Result<Option<String>, store::Error> {
        if frontier.knows(url)? {
            return Ok(None);
        }
        for shape in shapes::of(url) {
            if frontier.count_shape(&shape.text)? > shape.max {
                return Ok(Some(shape.what.to_owned()));
            }
        }
        Ok(None)
    }

    fn skip_once(
        &mut self,
        frontier: &mut Frontier<'_>,
        url: &Url,
        reason: SkipReason,
    ) -> Result<(), store::Error> {
        if frontier.mark_skipped(url)? { self.skip(frontier, url, reason) } else { Ok(()) }
    }

    fn skip(
        &mut self,
        frontier: &mut Frontier<'_>,
        url: &Url,
        reason: SkipReason,
    ) -> Result<(), store::Error> {
        let page_url = self.is_page.then(|| self.page.clone());
        let skip = Skip { url: shown(url), page_url, reason };
        frontier.skipped(&skip)?;
        self.skips.push(skip);
        Ok(())
    }
}

pub(super) fn is_media(task: &Task) -> bool {
    matches!(task.kind, TaskKind::Media(MediaKind::Media))
}

fn is_playlist(task: &Task) -> bool {
    matches!(task.kind, TaskKind::Media(MediaKind::Playlist))
}

/// Whether bytes of no known form may be media by their Content-Type: text named `.mp3` is for the decoder to
/// refuse, a picture behind an `og:video` is not.
pub(super) fn may_be_media(content_type: Option<&str>) -> bool {
    let essence = content_type.unwrap_or_default().to_ascii_lowercase();
    let other =
        ["image/", "font/", "text/css", "text/javascript", "application/javascript", "application/pdf"];
    !other.iter().any(|start| essence.starts_with(start))
}

/// Files that pages link to most often and that are neither pages nor audio: not worth a request each.
const OTHER_EXTENSIONS: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "ico", "bmp", "css", "js", "mjs", "map", "woff",
    "woff2", "ttf", "pdf", "doc", "docx", "epub", "exe", "apk", "dmg", "iso", "torrent",
];

/// Archives, which may hold audio.
const ARCHIVE_EXTENSIONS: &[&str] =
    &["zip", "rar", "7z", "tar", "tgz", "gz", "tbz", "tbz2", "bz2", "txz", "xz", "tzst", "zst"];

fn is_archive(path: &str) -> bool {
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    extension.is_some_and(|end| ARCHIVE_EXTENSIONS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

pub(super) fn other_extension(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    OTHER_EXTENSIONS.iter().copied().find(|other| extension.eq_ignore_ascii_case(other))
}
