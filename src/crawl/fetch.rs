//! One request, hop by hop: each hop waits for its host's turn, is asked about at robots.txt, and is recorded.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::address::{authority, lane_of};
use super::engine::{Engine, Stop};
use super::event::{Error, SkipReason};
use super::exchanges::Tracing;
use super::frontier::{Task, TaskKind};
use super::known::KnownAs;
use super::lanes::Slot;
use super::pace::{Came, NotYet};
use super::records::RobotsFetched;
use super::robots::{BYTES_MAX, Known, Robots};
use super::sighting::{Hop, RobotsDecision};
use crate::base::{Digest, lock};
use crate::crawl::discover::MediaKind;
use crate::net::{self, Kind, Meter, Opened, Request, Step, Trace, Walk};
use crate::store::Pin;

/// A final answer, with what is to be recorded of the way. The host's turn is held until the body has been read.
pub(super) struct Answer<'e> {
    pub(super) opened: Opened,
    pub(super) robots: RobotsDecision,
    /// This request's own hops.
    pub(super) hops: Vec<Hop>,
    pub(super) tracing: Tracing,
    pub(super) held: Held<'e>,
}

/// A turn whose answer's body is still to be read. Handed back when it is dropped: the body has been read, or no more of
/// it is wanted.
pub(super) struct Held<'e> {
    engine: &'e Engine<'e>,
    slot: Option<Slot<'e>>,
    came: Came,
    url: Url,
    /// Counts the body's bytes on the wire.
    meter: Arc<Meter>,
}

impl Held<'_> {
    /// The body has been read, or no more of it is wanted.
    pub(super) fn end(self) {
        drop(self);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let bytes = self.meter.wire();
        lock(&self.engine.ledger).ends(&self.url, bytes);
        self.engine.count_bytes(bytes);
        if let Some(slot) = self.slot.take() {
            slot.end(&self.came);
        }
    }
}

/// One request as the run makes it.
pub(super) struct Asked<'t> {
    pub(super) request: Request,
    /// How its URL was learned of.
    pub(super) via: &'t str,
    /// Whether a redirect out of the site ends it.
    pub(super) stays: bool,
    /// Whether it counts towards the run's budget of requests.
    pub(super) counts: bool,
}

impl<'e> Engine<'e> {
    /// Fetches a task up to the head of the final answer.
    pub(super) async fn fetch(&'e self, task: &Task, slot: Option<Slot<'e>>) -> Result<Answer<'e>, Stop> {
        let mut request = Request::new(task.url.clone(), request_kind(task.kind));
        request.referer = lock(&self.frontier).page_of(task.from)?.map(|visit| visit.url);
        // A single URL may be a short link; a crawl must not be led out of its site.
        let stays = self.plan.follow_links && task.kind == TaskKind::Page;
        let is_document = !matches!(task.kind, TaskKind::Media(MediaKind::Media) | TaskKind::Sitemap);
        if is_document
            && !self.plan.render
            && let Some(known) = self.known(task)?
        {
            request.validators = matches!(known.what, KnownAs::Document { .. }).then_some(known.validators);
        }
        self.ask(Asked { request, via: &task.via, stays, counts: true }, slot).await
    }

    /// Makes one request and follows its redirects to a successful answer.
    pub(super) async fn ask(
        &'e self,
        asked: Asked<'_>,
        mut slot: Option<Slot<'e>>,
    ) -> Result<Answer<'e>, Stop> {
        let meter = Arc::new(Meter::default());
        let mut request = asked.request;
        request.meter = Some(Arc::clone(&meter));
        request.allowances = self.allowances(&request.url);
        let mut tracing = Tracing { trace: Trace::new(), robots: Vec::new() };
        request.trace = Some(Arc::clone(&tracing.trace));
        let mut walk = self.client.walk(request);
        let mut hops: Vec<Hop> = Vec::new();
        loop {
            let url = walk.url().clone();
            if asked.stays && !self.plan.scope.holds(&url) {
                return Err(Stop::Skip(SkipReason::RedirectsOut { to: net::shown(&url) }));
            }
            let robots = self.ask_robots(&url, &mut slot).await?;
            tracing.robots.push(lock(&self.gate).recorded(&url));
            let taken = match slot.take() {
                Some(slot) => slot,
                None => self.turn(&url).await?,
            };
            self.spend(&url, asked.counts, hops.is_empty())?;
            let at = self.clock.now();
            let (step, held) = self.hop(&mut walk, &url, taken, &meter).await?;
            let via = if hops.is_empty() { asked.via } else { "redirect" };
            if let Some(net::Hop { url: shown, status, peer }) = walk.hops().last().cloned() {
                hops.push(Hop { url: shown, status, peer, via: via.to_owned(), at });
            }
            match step {
                Step::Redirect => held.end(),
                Step::Answer(opened) => return self.accept(*opened, robots, (hops, tracing), held),
            }
        }
    }

    /// Asks for the next hop in its host's turn, and enters it into the ledger.
    async fn hop(
        &'e self,
        walk: &mut Walk<'_>,
        url: &Url,
        mut slot: Slot<'e>,
        meter: &Arc<Meter>,
    ) -> Result<(Step, Held<'e>), Stop> {
        slot.uses();
        lock(&self.ledger).asks(url, self.clock.now());
        let began = Instant::now();
        let step = walk.step().await;
        let mut came = Came {
            latency: Some(began.elapsed()),
            // Of a robots.txt that is fetched again, the pause that it asked for before.
            crawl_delay: lock(&self.gate).crawl_delay(url),
            ..Came::default()
        };
        let step = match step {
            Ok(step) => step,
            Err(error) => return Err(self.failed(url, error, came, slot)),
        };
        if let Some(hop) = walk.hops().last() {
            lock(&self.ledger).answers(url, Some(hop.status), began.elapsed());
            came.peer.clone_from(&hop.peer);
        }
        let (url, meter) = (url.clone(), Arc::clone(meter));
        Ok((step, Held { engine: self, slot: Some(slot), came, url, meter }))
    }

    /// Waits for the turn of `url`'s host.
    pub(super) async fn turn(&'e self, url: &Url) -> Result<Slot<'e>, Stop> {
        let given_up = |why| Stop::Skip(SkipReason::HostGivenUp { why, waiting: 0 });
        let taking = self.lanes.take(url, self.plan.manners(), self.clock);
        tokio::select! {
            slot = taking => slot.map_err(given_up),
            // Whoever waits for a slow host does not keep a run alive that is to end.
            () = self.is_to_end() => Err(Stop::Spent),
        }
    }

    /// Asks the host's robots.txt, which is fetched where it is not known; the turn for `url` is then given back first.
    pub(super) async fn ask_robots(
        &'e self,
        url: &Url,
        slot: &mut Option<Slot<'e>>,
    ) -> Result<RobotsDecision, Stop> {
        // What the guard refuses is refused before anything is sent there, be it for robots.txt.
        self.client.check(url).map_err(|error| Stop::Fail(error.into()))?;
        if lock(&self.gate).must_ask(url, Instant::now()) {
            if let Some(slot) = slot.take() {
                slot.end(&Came::default());
            }
            self.learn_robots(url).await?;
        }
        // A host that cannot be reached now may be in a moment.
        let decision = lock(&self.gate).decide(url).map_err(|error| Stop::NotNow(error.into()))?;
        if !decision.allowed && decision.overridden.is_none() {
            return Err(Stop::Skip(SkipReason::Robots { rule: decision.rule }));
        }
        Ok(decision)
    }

    /// Fetches a host's robots.txt, once for all who ask at the same time.
    async fn learn_robots(&'e self, url: &Url) -> Result<(), Stop> {
        let name = authority(url);
        let asking = Arc::clone(lock(&self.asking_robots).entry(name.clone()).or_default());
        let first = asking.lock().await;
        if !lock(&self.gate).must_ask(url, Instant::now()) {
            return Ok(());
        }
        let trace = Trace::new();
        let (known, fetched) = self.fetch_robots(url, &trace).await?;
        let recorded = self.keep_robots_exchanges(&trace)?;
        lock(&self.gate).learn(url, known, recorded, Instant::now());
        lock(&self.ledger).robots(url, fetched);
        lock(&self.asking_robots).remove(&name);
        drop(first);
        Ok(())
    }

    /// The way of a robots.txt, by RFC 9309 2.3.1.
    async fn fetch_robots(&'e self, url: &Url, trace: &Arc<Trace>) -> Result<(Known, RobotsFetched), Stop> {
        let mut at = url.clone();
        at.set_path("/robots.txt");
        at.set_query(None);
        at.set_fragment(None);
        let mut fetched = RobotsFetched {
            at: self.clock.now(),
            status: None,
            sha256: None,
            note: None,
            crawl_delay_s: None,
        };
        let (opened, mut held) = match self.walk_robots(at, trace).await {
            Ok(answer) => answer,
            Err(Stop::Fail(Error::Net(error))) => {
                let known = without_robots(error, url);
                fetched.note = note_of(&known);
                return Ok((known, fetched));
            }
            Err(Stop::Skip(reason)) => {
                let known = Known::DenyAll(format!("robots.txt unreachable ({reason})"));
                fetched.note = note_of(&known);
                return Ok((known, fetched));
            }
            Err(stop) => return Err(stop),
        };
        fetched.status = Some(opened.status);
        let known = match opened.status {
            200..300 => match opened.body.collect_first(BYTES_MAX).await {
                Ok(bytes) => {
                    let robots = Robots::parse(&bytes, lock(&self.gate).agent());
                    // The pause that it asks for is owed from now on.
                    held.came.crawl_delay = robots.crawl_delay;
                    held.end();
                    self.keep_robots(&bytes, &mut fetched)?;
                    fetched.crawl_delay_s = robots.crawl_delay.map(|delay| delay.as_secs_f64());
                    Known::Rules(robots)
                }
                Err(error) => {
                    held.end();
                    Known::DenyAll(format!("robots.txt unreachable ({error})"))
                }
            },
            // "Too many requests" says nothing of the rules: like a server error, as the large crawlers take it.
            status @ (429 | 500..) => {
                held.end();
                Known::DenyAll(format!("robots.txt unreachable ({status})"))
            }
            status => {
                held.end();
                Known::AllowAll(format!("no robots.txt ({status})"))
            }
        };
        fetched.note = note_of(&known);
        Ok((known, fetched))
    }

    /// Follows the redirects of a robots.txt, each at its host's turn.
    async fn walk_robots(&'e self, at: Url, trace: &Arc<Trace>) -> Result<(Opened, Held<'e>), Stop> {
        let meter = Arc::new(Meter::default());
        let mut request = Request::new(at, Kind::Robots);
        request.meter = Some(Arc::clone(&meter));
        request.trace = Some(Arc::clone(trace));
        let mut walk = self.client.walk(request);
        loop {
            let url = walk.url().clone();
            self.client.check(&url).map_err(|error| Stop::Fail(error.into()))?;
            let slot = self.turn(&url).await?;
            let (step, mut held) = self.hop(&mut walk, &url, slot, &meter).await?;
            match step {
                Step::Redirect => held.end(),
                Step::Answer(opened) => {
                    note_refusal(&opened, &mut held.came);
                    return Ok((*opened, held));
                }
            }
        }
    }

    /// Keeps the text of a robots.txt with the crawl.
    fn keep_robots(&self, bytes: &[u8], fetched: &mut RobotsFetched) -> Result<(), Stop> {
        fetched.sha256 = Some(Digest::of(bytes));
        if !self.plan.transient && !bytes.is_empty() {
            // A run may hold the same bytes for a time only.
            self.store.put(&Pin { sha256: Digest::of(bytes) })?;
            self.store.blobs().put(bytes)?;
        }
        Ok(())
    }

    /// Sorts statuses: success, "not now", failure.
    fn accept(
        &'e self,
        opened: Opened,
        robots: RobotsDecision,
        (hops, tracing): (Vec<Hop>, Tracing),
        mut held: Held<'e>,
    ) -> Result<Answer<'e>, Stop> {
        let url = opened.final_url.clone();
        note_refusal(&opened, &mut held.came);
        if opened.is_not_modified() {
            return Ok(Answer { opened, robots, hops, tracing, held });
        }
        match opened.successful() {
            Ok(opened) => Ok(Answer { opened, robots, hops, tracing, held }),
            Err(error) => {
                let refused = held.came.refused;
                held.end();
                self.note_back_off(&url);
                let given_up = matches!(self.lanes.look(&url, &self.plan.manners()), Err(NotYet::Never(_)));
                Err(if refused && !given_up { Stop::NotNow(error.into()) } else { Stop::Fail(error.into()) })
            }
        }
    }

    /// A request that got no answer.
    fn failed(&'e self, url: &Url, error: net::Error, mut came: Came, slot: Slot<'e>) -> Stop {
        let is_refused_by_us = matches!(
            error,
            net::Error::NotPublic { .. } | net::Error::Url { .. } | net::Error::Setting { .. }
        );
        came.failed = !is_refused_by_us && (error.is_host_failure() || error.may_be_transient())
            || matches!(error, net::Error::Timeout { .. });
        lock(&self.ledger).answers(url, None, came.latency.unwrap_or_default());
        slot.end(&came);
        self.note_back_off(url);
        Stop::Fail(error.into())
    }

    /// Enters into the ledger until when a host is let alone.
    fn note_back_off(&self, url: &Url) {
        let (refusals, failures, ready_at) = self.lanes.standing(&lane_of(url));
        let given_up = match self.lanes.look(url, &self.plan.manners()) {
            Err(NotYet::Never(why)) => Some(why),
            _ => None,
        };
        if refusals + failures == 0 && given_up.is_none() {
            return;
        }
        let pause = ready_at.map(|at| at.saturating_duration_since(Instant::now())).unwrap_or_default();
        let until = jiff::SignedDuration::try_from(pause)
            .ok()
            .and_then(|pause| self.clock.now().checked_add(pause).ok());
        lock(&self.ledger).backs_off(url, until, given_up);
    }
}

/// Enters a 429 or 503.
fn note_refusal(opened: &Opened, came: &mut Came) {
    if matches!(opened.status, 429 | 503) {
        came.refused = true;
        came.retry_after = opened
            .headers
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(100).collect());
    }
}

/// What follows from a robots.txt that could not be had.
fn without_robots(error: net::Error, url: &Url) -> Known {
    match error {
        // A redirect of robots.txt to a place out of reach is the file's failure, not the host's.
        error if error.is_host_failure() && names(&error, url) => Known::Unreachable(error),
        net::Error::RedirectLoop { .. }
        | net::Error::TooManyRedirects { .. }
        | net::Error::BadRedirect { .. } => Known::AllowAll("no robots.txt (endless redirects)".to_owned()),
        error => Known::DenyAll(format!("robots.txt unreachable ({error})")),
    }
}

fn note_of(known: &Known) -> Option<String> {
    match known {
        Known::Rules(_) => None,
        Known::AllowAll(why) | Known::DenyAll(why) => Some(why.clone()),
        Known::Unreachable(error) => Some(error.to_string()),
    }
}

/// Whether `error` speaks of the host of `url` itself.
fn names(error: &net::Error, url: &Url) -> bool {
    error.url().and_then(|text| Url::parse(text).ok()).is_some_and(|at| authority(&at) == authority(url))
}

const fn request_kind(kind: TaskKind) -> Kind {
    match kind {
        TaskKind::Page | TaskKind::Media(MediaKind::Embed) => Kind::Page,
        TaskKind::Media(MediaKind::Media) => Kind::Media,
        TaskKind::Media(MediaKind::Playlist | MediaKind::Feed) => Kind::Playlist,
        TaskKind::Sitemap => Kind::Sitemap,
    }
}
