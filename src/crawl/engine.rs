//! The run: takes tasks until there are none, several at once, each at another host, and tells what came of each.

mod budget;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::address::lane_of;
use super::clearing::forget;
use super::discover::extension_kind;
use super::event::{Error, Event, Failure, Skip, SkipReason};
use super::exchanges::release_bodies;
use super::frontier::{Frontier, InHand, Task, TaskKind};
use super::known_host::KnownHosts;
use super::lanes::{Lanes, Slot};
use super::ledger::Ledger;
use super::pace::NotYet;
use super::plan::Plan;
use super::records::{JobState, Summary};
use super::render::Browser;
use super::robots::Gate;
use super::status::Board;
use crate::base::{Clock, lock};
use crate::net::{self, Allowance, Client, shown};
use crate::store::{self, Store};

/// How often a URL is tried again after "not now".
const REFUSALS_MAX: u32 = 3;
/// How often the ledger and the status are written, and the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long what is in hand may go on when a run is stopped.
const DRAIN: Duration = Duration::from_secs(30);

/// What a run needs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// What it may do.
    pub plan: &'a Plan,
    /// Its door to the network.
    pub client: &'a Client,
    /// Where its state is kept.
    pub store: &'a Store,
    /// Where "now" comes from.
    pub clock: &'a dyn Clock,
    /// The turns at hosts, shared with the other runs of this process.
    pub lanes: &'a Lanes,
    /// Renders the pages of a site that wants it.
    pub browser: Option<&'a Browser>,
    /// Knows the media of known hosts.
    pub known_hosts: Option<&'a KnownHosts>,
    /// What failed of whoever listens, where that is why the run is cancelled: it then goes on by itself.
    pub failure: Option<&'a OnceLock<String>>,
}

/// Why a task ends without its bytes.
pub(super) enum Stop {
    Skip(SkipReason),
    /// The host asked to come again later.
    NotNow(Error),
    Fail(Error),
    /// The run has spent what it may.
    Spent,
    /// Nobody listens any more.
    Deaf,
    /// The store does not work: the run ends.
    Store(store::Error),
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

pub(super) struct Engine<'a> {
    pub(super) plan: &'a Plan,
    pub(super) client: &'a Client,
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
    pub(super) lanes: &'a Lanes,
    pub(super) browser: Option<&'a Browser>,
    pub(super) known_hosts: Option<&'a KnownHosts>,
    failure: Option<&'a OnceLock<String>>,
    pub(super) gate: Mutex<Gate>,
    pub(super) frontier: Mutex<Frontier<'a>>,
    pub(super) ledger: Mutex<Ledger>,
    /// What bodies may still take, of the run (under the empty name) and of each host.
    allowances: Mutex<HashMap<String, Arc<Allowance>>>,
    /// Hosts of which it was told that they have given all that they may.
    told_spent: Mutex<BTreeSet<String>>,
    /// Hosts whose robots.txt somebody is fetching.
    pub(super) asking_robots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    events: mpsc::Sender<Event>,
    cancel: &'a CancellationToken,
    board: Board,
    went_on_at: Instant,
    /// Seconds under way before this time.
    wall_s_before: f64,
}

/// Waits for `asking` while the tasks under way go on. Whoever waits for room among the events must not hold up one who has it
/// already: that one alone can make room again.
async fn beside<T, W>(
    running: &mut FuturesUnordered<W>,
    asking: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop>
where
    W: Future<Output = Result<(), Stop>>,
{
    tokio::pin!(asking);
    loop {
        tokio::select! {
            biased;
            answer = &mut asking => return answer,
            Some(done) = running.next() => done?,
        }
    }
}

/// Carries out a plan and tells of it through `events`; waits while the receiver is busy, so that never more media lie
/// on disk than requests are under way. A run of the same name that was not done is gone on with. Ends when all is
/// done, when the budget is spent, when `cancel` is cancelled (what is in hand is finished first, for up to 30 s), or
/// when the receiver is dropped.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub async fn crawl(
    run: Run<'_>,
    events: mpsc::Sender<Event>,
    cancel: &CancellationToken,
) -> Result<Summary, Error> {
    let Run { plan, client, store, clock, lanes, browser, known_hosts, failure } = run;
    let (frontier, resumes) = Frontier::open(store, &plan.name, plan.sort_query, plan.fresh, clock.now())?;
    release_bodies(store)?;
    let engine = Engine {
        plan,
        client,
        store,
        clock,
        lanes,
        browser,
        known_hosts,
        failure,
        gate: Mutex::new(Gate::new(client.user_agent(), plan.robots.clone(), plan.robots_reason.clone())),
        ledger: Mutex::new(Ledger::open(store, &plan.name, resumes)?),
        allowances: Mutex::default(),
        told_spent: Mutex::default(),
        asking_robots: Mutex::default(),
        events,
        cancel,
        board: Board::new(store, plan),
        went_on_at: Instant::now(),
        wall_s_before: frontier.job.wall_s,
        frontier: Mutex::new(frontier),
    };
    lock(&engine.frontier).job.transient = plan.transient;
    engine.keep_back_offs();
    let end = match engine.sow(resumes) {
        Ok(()) => Box::pin(engine.run()).await,
        Err(stop) => Err(stop),
    };
    let summary = engine.close(&end)?;
    match end {
        Err(Stop::Store(error)) => Err(error.into()),
        _ => Ok(summary),
    }
}

impl<'a> Engine<'a> {
    /// The seeds; those that an earlier run of the same job has seen are seen.
    fn sow(&self, resumes: bool) -> Result<(), Stop> {
        let mut frontier = lock(&self.frontier);
        for url in &self.plan.seeds {
            let kind = extension_kind(url.path()).map_or(TaskKind::Page, TaskKind::Media);
            let via = "seed".to_owned();
            frontier.add(Task {
                url: url.clone(),
                kind,
                via,
                depth: 0,
                nesting: 0,
                from: None,
                refusals: 0,
            })?;
        }
        if resumes {
            tracing::info!("{}: goes on; {} URLs wait", self.plan.name, frontier.waiting());
        }
        Ok(frontier.commit()?)
    }

    /// Who asked to be let alone in an earlier run is let alone still.
    fn keep_back_offs(&self) {
        let now = self.clock.now();
        for host in lock(&self.ledger).hosts() {
            let left = host.back_off_until.map(|until| until.duration_since(now));
            if let Some(left) = left.and_then(|left| Duration::try_from(left).ok()) {
                self.lanes.hold(&host.lane, Instant::now() + left.min(self.plan.patience));
            }
        }
    }

    async fn run(&'a self) -> Result<(), Stop> {
        match self.sow_sitemaps().await {
            Ok(()) | Err(Stop::Spent) => {}
            Err(stop) => return Err(stop),
        }
        let mut running = FuturesUnordered::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut drained_by = None;
        loop {
            let is_stopping = self.cancel.is_cancelled() || self.board.is_stop_asked();
            let is_spent = self.spent_budget().is_some();
            let (mut next, mut is_stuck) = (None, false);
            if is_stopping {
                drained_by.get_or_insert_with(|| Instant::now() + DRAIN);
            } else if !is_spent {
                while running.len() < self.plan.at_once {
                    match beside(&mut running, self.next_task()).await? {
                        Next::Task(in_hand, slot) => running.push(Box::pin(self.work(*in_hand, slot))),
                        Next::At(at) => {
                            next = at;
                            break;
                        }
                        Next::Never => {
                            is_stuck = true;
                            break;
                        }
                    }
                }
            }
            let is_over = is_stopping || is_spent || is_stuck || lock(&self.frontier).waiting() == 0;
            if running.is_empty() && is_over {
                break;
            }
            let wake_at = drained_by.or(next).unwrap_or_else(|| Instant::now() + TICK);
            tokio::select! {
                Some(done) = running.next() => done?,
                () = self.lanes.changed() => {}
                () = self.cancel.cancelled(), if !is_stopping => {}
                _ = tick.tick() => self.note(JobState::Running)?,
                () = tokio::time::sleep_until(wake_at) => {
                    if drained_by.is_some_and(|by| by <= Instant::now()) {
                        break;
                    }
                }
            }
        }
        drop(running);
        if self.cancel.is_cancelled() || self.board.is_stop_asked() {
            return Ok(());
        }
        self.report_budget().await?;
        // While something waits there may still be a shorter way to what is too far.
        if lock(&self.frontier).waiting() > 0 { Ok(()) } else { self.report_beyond().await }
    }

    /// Waits until the run is to end: somebody stopped it, or its time is over.
    pub(super) async fn is_to_end(&self) {
        let left = self.plan.budget.wall_s_max as f64 - self.wall_s();
        let left = Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX);
        let ends_at = Instant::now().checked_add(left);
        loop {
            if self.cancel.is_cancelled() || self.board.is_stop_asked() {
                return;
            }
            let now = Instant::now();
            if ends_at.is_some_and(|at| at <= now) {
                return;
            }
            let look_again = ends_at.map_or(now + TICK, |at| at.min(now + TICK));
            tokio::select! {
                () = self.cancel.cancelled() => return,
                () = tokio::time::sleep_until(look_again) => {}
            }
        }
    }

    /// The next task whose host may be asked now, with the turn; else when one may be.
    async fn next_task(&'a self) -> Result<Next<'a>, Stop> {
        loop {
            let (mut slot, mut next, mut given_up) = (None, None::<Instant>, BTreeSet::new());
            let (mut spent, mut is_busy) = (Vec::new(), false);
            let taken = lock(&self.frontier).take(self.in_lane_max(), |url| {
                if let Some((budget, max)) = self.spent_of_host(url) {
                    spent.push((url.clone(), budget, max));
                    return false;
                }
                match self.lanes.try_take(url, self.plan.manners(), self.clock) {
                    Ok(turn) => {
                        slot = Some(turn);
                        return true;
                    }
                    Err(NotYet::At(at)) => next = Some(next.map_or(at, |next| next.min(at))),
                    Err(NotYet::Busy) => is_busy = true,
                    Err(NotYet::Never(why)) => {
                        given_up.insert((lane_of(url), url.clone(), why));
                    }
                }
                false
            })?;
            if let (Some(in_hand), Some(slot)) = (taken, slot) {
                return Ok(Next::Task(Box::new(in_hand), slot));
            }
            if given_up.is_empty() {
                let is_stuck = next.is_none() && !is_busy && !spent.is_empty();
                self.report_spent_hosts(spent).await?;
                return Ok(if is_stuck { Next::Never } else { Next::At(next) });
            }
            for (lane, url, why) in given_up {
                let waiting = lock(&self.frontier).drop_lane(&lane)?;
                self.skip(&url, None, SkipReason::HostGivenUp { why, waiting }).await?;
            }
        }
    }

    /// Carries out one task.
    async fn work(&'a self, in_hand: InHand, slot: Slot<'a>) -> Result<(), Stop> {
        match Box::pin(self.visit(&in_hand, slot)).await {
            Ok(()) => {
                let mut frontier = lock(&self.frontier);
                frontier.done(&in_hand);
                Ok(frontier.commit()?)
            }
            Err(stop) => self.ended(in_hand, stop).await,
        }
    }

    /// Tells why a task ended, or puts it back.
    async fn ended(&'a self, mut in_hand: InHand, stop: Stop) -> Result<(), Stop> {
        let (url, from) = (in_hand.task.url.clone(), in_hand.task.from);
        let is_sitemap = in_hand.task.kind == TaskKind::Sitemap;
        let stop = match stop {
            // What ended in the middle waits for a larger budget.
            Stop::Fail(Error::Net(net::Error::Budget { .. })) => Stop::Spent,
            other => other,
        };
        match stop {
            Stop::NotNow(_) if in_hand.task.refusals < REFUSALS_MAX => {
                in_hand.task.refusals += 1;
                return Ok(lock(&self.frontier).put_back(in_hand)?);
            }
            Stop::Spent => return Ok(lock(&self.frontier).put_back(in_hand)?),
            Stop::Deaf | Stop::Store(_) => return Err(stop),
            Stop::Skip(reason) => self.skip(&url, from, reason).await?,
            // No failure of the run, since nobody asked for it.
            Stop::Fail(error) | Stop::NotNow(error) if is_sitemap => {
                let reason = SkipReason::NoSitemap { reason: error.to_string() };
                self.skip(&url, from, reason).await?;
            }
            Stop::Fail(error) | Stop::NotNow(error) => self.fail(&url, from, error).await?,
        }
        let mut frontier = lock(&self.frontier);
        frontier.done(&in_hand);
        Ok(frontier.commit()?)
    }

    async fn fail(&self, url: &Url, from: Option<u64>, error: Error) -> Result<(), Stop> {
        let page_url = {
            let mut frontier = lock(&self.frontier);
            frontier.job.summary.failed += 1;
            frontier.page_of(from)?.map(|page| shown(&page.url))
        };
        self.tell(Event::Failed(Box::new(Failure { url: shown(url), page_url, error }))).await
    }

    /// Passes a URL over, for a reason that is kept.
    pub(super) async fn skip(&self, url: &Url, from: Option<u64>, reason: SkipReason) -> Result<(), Stop> {
        let skip = self.note_skip(url, from, reason)?;
        self.tell(Event::Skipped(skip)).await
    }

    /// Keeps a skip, to be told by the caller.
    pub(super) fn note_skip(
        &self,
        url: &Url,
        from: Option<u64>,
        reason: SkipReason,
    ) -> Result<Skip, store::Error> {
        let mut frontier = lock(&self.frontier);
        let page_url = frontier.page_of(from)?.map(|page| shown(&page.url));
        let skip = Skip { url: shown(url), page_url, reason };
        frontier.skipped(&skip)?;
        Ok(skip)
    }

    /// Keeps a skip that another has made.
    pub(super) fn keep_skip(&self, skip: &Skip) -> Result<(), store::Error> {
        lock(&self.frontier).skipped(skip)
    }

    /// Counts bytes that came by another way than a request of ours.
    pub(super) fn count_bytes(&self, bytes: u64) {
        let mut frontier = lock(&self.frontier);
        let spent = &mut frontier.job.summary.bytes;
        *spent = spent.saturating_add(bytes);
    }

    pub(super) async fn tell(&self, event: Event) -> Result<(), Stop> {
        self.events.send(event).await.map_err(|_| Stop::Deaf)
    }

    fn wall_s(&self) -> f64 {
        self.wall_s_before + self.went_on_at.elapsed().as_secs_f64()
    }

    /// Tasks of one lane in hand at once: some are listened to while others are fetched, but a slow host must not take all
    /// places.
    fn in_lane_max(&self) -> usize {
        self.plan.at_once_per_host as usize + self.plan.at_once / 2
    }

    async fn report_beyond(&self) -> Result<(), Stop> {
        let depth_max = self.plan.depth_max;
        loop {
            let Some(beyond) = lock(&self.frontier).take_beyond()? else { return Ok(()) };
            for (url, from) in beyond {
                self.skip(&url, Some(from), SkipReason::TooDeep { depth_max }).await?;
            }
        }
    }

    /// Writes how the run stands.
    fn note(&self, state: JobState) -> Result<(), store::Error> {
        let mut frontier = lock(&self.frontier);
        let mut ledger = lock(&self.ledger);
        frontier.job.state = state;
        frontier.job.changed_at = self.clock.now();
        frontier.job.wall_s = self.wall_s();
        ledger.write(&mut frontier)?;
        self.board.write(&frontier, &ledger);
        frontier.commit()
    }

    /// Ends the run's time, whether all is done or not.
    fn close(&self, end: &Result<(), Stop>) -> Result<Summary, store::Error> {
        let has_ended = end.is_ok();
        let failure = match end {
            Err(Stop::Store(error)) => Some(error.to_string()),
            _ => self.failure.and_then(OnceLock::get).cloned(),
        };
        let (state, is_stopped) = {
            let mut frontier = lock(&self.frontier);
            let is_asked = self.board.is_stop_asked();
            let is_stopped = self.cancel.is_cancelled() || is_asked;
            let is_done = has_ended && !is_stopped && frontier.waiting() == 0;
            let job = &mut frontier.job;
            job.summary.cancelled = is_stopped;
            // A person's word counts also where something failed.
            if let Some(what) = failure.filter(|_| !is_asked) {
                job.goes_on = true;
                job.stopped_because = Some(format!("it failed: {what}"));
            } else if is_stopped {
                job.goes_on = self.plan.pause.is_cancelled() && !is_asked;
                let why = if job.goes_on { "it goes on by itself" } else { "somebody stopped it" };
                job.stopped_because = Some(why.to_owned());
            }
            (if is_done { JobState::Done } else { JobState::Stopped }, is_stopped)
        };
        self.note(state)?;
        let summary = lock(&self.frontier).job.summary;
        self.board.remove();
        if self.plan.transient {
            forget(self.store, &self.plan.name)?;
        }
        // Of a run that is stopped somebody may still listen to the last media, whose case then needs the bodies; the next
        // run removes what none needs.
        if has_ended && !is_stopped {
            release_bodies(self.store)?;
        }
        Ok(summary)
    }
}

/// What there is to do next.
enum Next<'a> {
    Task(Box<InHand>, Slot<'a>),
    /// Nothing now; perhaps then.
    At(Option<Instant>),
    /// Nothing but what waits for hosts that have given all that they may.
    Never,
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
