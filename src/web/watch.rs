//! What the service does by itself: crawls sites when their schedules say so, looks at notified addresses when their clocks
//! say so, stops crawling before the disk is full, and sweeps what is over.
//!
//! One thread asks every few seconds what is to be done; each run has a thread of its own, whose state is the store's, so
//! that a run that was killed or ended with the service goes on after a restart.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::access;
use super::api;
use super::app::App;
use super::fault::Fault;
use super::runs::{Ends, Held, Looking, Noted, SPARE};
use crate::base::Timestamp;
use crate::cases;
use crate::config::SiteSettings;
use crate::crawl::SiteRecord;
use crate::evidence::{environment, keep_environment};
use crate::scan::{self, Runner, Together, Told};
use crate::schedule::{LastRun, SiteStanding, begin_now, last_runs, paused};
use crate::store::{self, system_free_space};

/// How often is asked what is to be done.
const TICK: Duration = Duration::from_secs(1);
/// Seconds between two looks for addresses that are to be looked at, and between two sweeps.
const LOOK_EVERY_S: i64 = 600;
const SWEEP_EVERY_S: i64 = 3600;
/// Cases that are looked at in one go.
const LOOKED_MAX: usize = 200;

/// Keeps watch. Its threads end when `stop` is cancelled.
pub struct Watchman {
    app: Arc<App>,
    together: Together,
    runtime: Handle,
    stop: CancellationToken,
}

impl Watchman {
    /// Makes ready what all runs share.
    ///
    /// # Errors
    /// [`crate::net::Error`] where the settings of the network are wrong.
    pub fn new(
        app: &Arc<App>,
        runtime: Handle,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, crate::net::Error> {
        let settings = app.settings();
        let mut warn = |problem: &str| tracing::warn!("{problem}");
        let together = scan::together(&settings, &settings.fetch, &runtime, &mut warn)?;
        Ok(Arc::new(Self { app: Arc::clone(app), together, runtime, stop }))
    }

    /// Watches until the end. Blocks: for a thread of its own.
    pub fn watch(self: &Arc<Self>) {
        let (mut looked, mut swept) = (i64::MIN, i64::MIN);
        while !self.stop.is_cancelled() {
            let now = self.app.now();
            self.watch_disk();
            if let Err(error) = self.begin_due(now) {
                tracing::error!("schedules cannot be read: {error}");
            }
            if now.as_second() >= looked.saturating_add(LOOK_EVERY_S) {
                looked = now.as_second();
                self.begin_looking();
            }
            if now.as_second() >= swept.saturating_add(SWEEP_EVERY_S) {
                swept = now.as_second();
                if let Err(error) = self.sweep(now) {
                    tracing::error!("what is over cannot be swept: {error}");
                }
            }
            self.runtime.block_on(async {
                tokio::select! { () = self.stop.cancelled() => {}, () = tokio::time::sleep(TICK) => {} }
            });
        }
    }

    /// Waits until no run is left, at most so long. Gives whether all have ended.
    pub fn wait(&self, most: Duration) -> bool {
        let until = std::time::Instant::now() + most;
        while self.app.runs.count() > 0 || self.app.runs.is_looking.load(Ordering::Acquire) {
            if std::time::Instant::now() >= until {
                return false;
            }
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
        }
        true
    }

    /// Before the store is in danger, nothing is begun; nearer to it, what runs is stopped, and goes on once there is room.
    fn watch_disk(&self) {
        let keep = self.app.settings().storage.keep_free_bytes;
        let Ok(free) = system_free_space(self.app.store().path()) else { return };
        let is_short = free < keep.saturating_mul(SPARE);
        if is_short && !self.app.runs.is_short.swap(is_short, Ordering::Relaxed) {
            tracing::error!("only {free} bytes are free: no crawl begins before there is more room");
        }
        self.app.runs.is_short.store(is_short, Ordering::Relaxed);
        if free < keep.saturating_mul(SPARE / 2) {
            self.app.runs.pause();
        }
    }

    fn begin_due(self: &Arc<Self>, now: Timestamp) -> Result<(), store::Error> {
        if self.app.runs.is_short() {
            return Ok(());
        }
        let settings = self.app.settings();
        let sites = scan::sites(&settings, self.app.store())?;
        for name in self.app.runs.take_wanted() {
            if let Some((name, site)) = sites.iter().find(|(known, _)| *known == name) {
                self.begin(name, site);
            }
        }
        // Before the store is asked: a run that ends between would seem broken off.
        let running: BTreeSet<String> = self.app.runs.lock().keys().cloned().collect();
        let last = last_runs(self.app.store())?;
        let mut standing = Vec::new();
        for (name, site) in &sites {
            standing.push(SiteStanding {
                name,
                schedule: site.schedule.as_ref(),
                last: last.get(name).copied().unwrap_or(LastRun::None),
                is_running: running.contains(name),
                is_paused: paused(self.app.store(), name)?.is_some() || self.app.runs.waits(name, now),
            });
        }
        for name in begin_now(&standing, now, settings.serve.crawls_at_once) {
            if let Some((name, site)) = sites.iter().find(|(known, _)| known == name) {
                self.begin(name, site);
            }
        }
        Ok(())
    }

    /// Begins the run of a site in a thread of its own; whether it was begun.
    fn begin(self: &Arc<Self>, name: &str, site: &SiteSettings) -> bool {
        let Some(ends) = self.app.runs.begin(name, &self.stop) else { return false };
        // Whoever removes a site holds its runs: what was removed since the list was read is not begun.
        let is_known = self.app.settings().sites.contains_key(name)
            || self.app.store().get::<SiteRecord>(name).is_ok_and(|record| record.is_some());
        if !is_known {
            self.app.runs.end(name);
            return false;
        }
        let (watchman, name, site) = (Arc::clone(self), name.to_owned(), site.clone());
        let thread = std::thread::Builder::new().name(format!("crawl {name}")).spawn({
            let name = name.clone();
            move || {
                // Ended whatever happens, else the site would never be crawled again.
                let _ended = Held { runs: &watchman.app.runs, site: &name };
                // Before that, and as failed where it panics, else it would begin again at once.
                let mut noted = Noted::failed(&watchman.app.runs, &name, watchman.app.clock.as_ref());
                match watchman.crawl(&name, &site, ends) {
                    Ok(()) => noted.is_well = true,
                    Err(error) => tracing::error!("site {name}: {}", error.detail),
                }
            }
        });
        if let Err(error) = thread {
            tracing::error!("site {name}: no thread: {error}");
            self.app.runs.end(&name);
            return false;
        }
        true
    }

    fn crawl(&self, name: &str, site: &SiteSettings, ends: Ends) -> Result<(), Fault> {
        let settings = self.app.settings();
        let machine = environment(self.app.now(), settings.fetch.proxy.as_deref());
        keep_environment(self.app.store(), &machine)?;
        let licences = self.app.desk.licences(self.app.store())?;
        let runner = self.runner(&settings, &licences, &ends.stop);
        let mut plan = runner.plan(name, site, false).map_err(|error| Fault::internal(&error))?;
        plan.pause = ends.pause;
        let mut tell = |told: Told<'_>| {
            if let Told::Checked(checked) = told {
                self.app.metrics.listened(checked.error.is_none(), checked.findings.len());
            }
        };
        let mut warn = |problem: &str| tracing::warn!("site {name}: {problem}");
        let summary =
            runner.run(&plan, Some(site), &mut tell, &mut warn).map_err(|error| Fault::internal(&error))?;
        tracing::info!(
            "site {name}: {} requests, {} pages, {} media, {} failed",
            summary.requests,
            summary.pages,
            summary.found,
            summary.failed
        );
        Ok(())
    }

    /// Looks at the addresses whose time has come, in a thread of its own.
    fn begin_looking(self: &Arc<Self>) {
        if self.app.runs.is_short() || self.app.runs.is_looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let watchman = Arc::clone(self);
        let thread = std::thread::Builder::new().name("recheck".to_owned()).spawn(move || {
            let looking = Looking { runs: &watchman.app.runs };
            if let Err(error) = watchman.look() {
                tracing::error!("addresses cannot be looked at: {}", error.detail);
            }
            drop(looking);
        });
        if thread.is_err() {
            self.app.runs.is_looking.store(false, Ordering::Release);
        }
    }

    fn look(&self) -> Result<(), Fault> {
        let settings = self.app.settings();
        let (now, calendars) = (self.app.now(), self.app.desk.calendars());
        let max_age = jiff::SignedDuration::from_hours(i64::from(settings.notice.live_within_h));
        let mut files = cases::files(self.app.store(), None)?;
        files.retain(|file| scan::is_watched(file) && scan::is_look_due(file, now, max_age, &calendars));
        files.truncate(LOOKED_MAX);
        if files.is_empty() {
            return Ok(());
        }
        let licences = self.app.desk.licences(self.app.store())?;
        // Of its own: what goes wrong with one address must not end the service.
        let cancel = self.stop.child_token();
        let runner = self.runner(&settings, &licences, &cancel);
        let mut tell = |file: &cases::CaseFile, moved: Option<cases::Event>| {
            if let Some(event) = moved {
                tracing::info!("case {} is {} ({})", file.case.case_id, file.case.state, event.as_str());
            }
        };
        scan::look_at(&runner, &files, &calendars, &mut tell).map_err(|error| Fault::internal(&error))
    }

    fn runner<'a>(
        &'a self,
        settings: &'a crate::config::Settings,
        licences: &'a crate::rights::LicenceGraph,
        cancel: &'a CancellationToken,
    ) -> Runner<'a> {
        Runner {
            library: &self.app.library,
            settings,
            fetch: &settings.fetch,
            licences,
            territory: settings.claim.territory.as_deref(),
            operator: None,
            clock: self.app.clock.as_ref(),
            together: &self.together,
            runtime: &self.runtime,
            cancel,
        }
    }

    fn sweep(&self, now: Timestamp) -> Result<(), store::Error> {
        if let Err(access::Error::Store(error)) = access::sweep(self.app.store(), now) {
            return Err(error);
        }
        api::sweep(self.app.store(), now)
    }
}
