//! One task's request, hop by hop: each hop is asked about at robots.txt, waits for its host, and is recorded.

use super::engine::{Engine, Stop};
use super::event::{Error, SkipReason};
use super::frontier::{Task, TaskKind};
use super::sighting::{Hop, RobotsDecision};
use crate::crawl::discover::MediaKind;
use crate::net::{self, Kind, Opened, Request, Step};

/// A final answer, with what is to be recorded of the way.
pub(super) struct Answer {
    pub(super) opened: Opened,
    pub(super) robots: RobotsDecision,
    /// This request's own hops.
    pub(super) hops: Vec<Hop>,
}

impl Engine<'_> {
    /// Fetches up to the head of the final answer.
    pub(super) async fn fetch(&mut self, task: &Task) -> Result<Answer, Stop> {
        let client = self.client;
        let mut request = Request::new(task.url.clone(), request_kind(task.kind));
        request.referer = self.frontier.page_of(task.from).map(|visit| visit.url.clone());
        let mut walk = client.walk(request);
        let mut hops: Vec<Hop> = Vec::new();
        loop {
            let url = walk.url().clone();
            // A single URL may be a short link; a crawl must not be led out of its site.
            if self.plan.follow_links && task.kind == TaskKind::Page && !self.in_scope(&url) {
                return Err(Stop::Skip(SkipReason::RedirectsOut { to: net::shown(&url) }));
            }
            let robots = self.ask_robots(&url).await?;
            if let Some(ready_at) = self.pace.ready_at(&url) {
                tokio::time::sleep_until(ready_at).await;
            }
            self.pace.asked(&url, self.plan.delay, self.gate.crawl_delay(&url));
            self.frontier.requests += 1;
            let step = walk.step().await.map_err(|error| Stop::Fail(error.into()))?;
            let via = if hops.is_empty() { task.via.as_str() } else { "redirect" };
            if let Some(net::Hop { url, status, peer }) = walk.hops().last().cloned() {
                hops.push(Hop { url, status, peer, via: via.to_owned(), at: self.clock.now() });
            }
            if let Step::Answer(opened) = step {
                return Ok(Answer { opened: self.accept(*opened)?, robots, hops });
            }
        }
    }

    /// Asks the host's robots.txt.
    pub(super) async fn ask_robots(&mut self, url: &url::Url) -> Result<RobotsDecision, Stop> {
        // What the guard refuses is refused before anything is sent there, be it for robots.txt.
        self.client.check(url).map_err(|error| Stop::Fail(error.into()))?;
        let decision = self.gate.decide(url).await.map_err(|unreachable| Stop::Fail(unreachable.0.into()))?;
        if !decision.allowed && decision.overridden.is_none() {
            return Err(Stop::Skip(SkipReason::Robots { rule: decision.rule }));
        }
        Ok(decision)
    }

    /// Sorts statuses: success, "not now", failure.
    fn accept(&mut self, opened: Opened) -> Result<Opened, Stop> {
        let url = opened.final_url.clone();
        match opened.successful() {
            Ok(opened) => {
                self.pace.answered(&url);
                Ok(opened)
            }
            Err(net::Error::Status { url: shown, status: status @ (429 | 503), retry_after }) => {
                let worth_waiting = self.pace.refused(&url, retry_after.as_deref(), self.clock.now());
                let error = net::Error::Status { url: shown, status, retry_after }.into();
                Err(if worth_waiting { Stop::NotNow(error) } else { Stop::Fail(error) })
            }
            Err(error) => Err(Stop::Fail(Error::Net(error))),
        }
    }
}

const fn request_kind(kind: TaskKind) -> Kind {
    match kind {
        TaskKind::Page | TaskKind::Media(MediaKind::Embed) => Kind::Page,
        TaskKind::Media(MediaKind::Media) => Kind::Media,
        TaskKind::Media(MediaKind::Playlist | MediaKind::Feed) => Kind::Playlist,
        TaskKind::Sitemap => Kind::Sitemap,
    }
}
