//! Which sites are being crawled, which are wanted or let alone, and what ends their runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio_util::sync::CancellationToken;

use crate::base::{Clock, Timestamp, lock};
use crate::crawl;
use crate::store::Store;

/// No run begins, and nobody's file is taken, with less free than this many times what the store keeps free; runs that go on
/// stop at half of it.
pub(super) const SPARE: u64 = 4;

/// What ends a run.
#[derive(Clone)]
pub(super) struct Ends {
    /// For now: it goes on by itself, at the next start or once there is room. Cancelled with the service.
    pub(super) pause: CancellationToken,
    /// Until its next time. Cancelled with the above.
    pub(super) stop: CancellationToken,
}

/// What runs now.
#[derive(Default)]
pub(super) struct Runs {
    /// Sites, each with what ends its run.
    sites: Mutex<BTreeMap<String, Ends>>,
    /// Sites that somebody wants crawled now.
    wanted: Mutex<BTreeSet<String>>,
    /// Sites whose runs failed: how often without a pause, and when last.
    failures: Mutex<BTreeMap<String, (u32, Timestamp)>>,
    /// Whether addresses are being looked at.
    pub(super) is_looking: AtomicBool,
    /// Whether the disk is so full that nothing is begun.
    pub(super) is_short: AtomicBool,
}

impl Runs {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Ends>> {
        lock(&self.sites)
    }

    /// Whether a site is being crawled by this service.
    pub(super) fn is_running(&self, site: &str) -> bool {
        self.lock().contains_key(site)
    }

    /// Which sites are.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.lock().keys().cloned().collect()
    }

    /// How many are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether the disk is so full that nothing is begun.
    pub(super) fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    /// Asks for a site to be crawled now, whatever its schedule says.
    pub(super) fn want(&self, site: &str) {
        lock(&self.wanted).insert(site.to_owned());
    }

    /// Whether a run was asked for that has not begun.
    pub(super) fn is_wanted(&self, site: &str) -> bool {
        lock(&self.wanted).contains(site)
    }

    /// Keeps runs of a site from beginning for as long as what it gives lives; nothing where one is under way.
    pub(super) fn hold<'a>(&'a self, site: &'a str) -> Option<Held<'a>> {
        self.begin(site, &CancellationToken::new())?;
        lock(&self.wanted).remove(site);
        Some(Held { runs: self, site })
    }

    pub(super) fn take_wanted(&self) -> BTreeSet<String> {
        std::mem::take(&mut *lock(&self.wanted))
    }

    /// Asks a run to end until its next time; whether there is one.
    pub(super) fn stop(&self, site: &str, store: &Store) -> bool {
        let Some(ends) = self.lock().get(site).cloned() else { return false };
        // A person's word counts also where the service ends while the run comes to its end.
        if let Err(error) = crawl::ask_to_stop(store.path(), site) {
            tracing::warn!("site {site}: that its run is to stop cannot be written: {error}");
        }
        ends.stop.cancel();
        true
    }

    /// Ends all runs for now.
    pub(super) fn pause(&self) {
        self.lock().values().for_each(|ends| ends.pause.cancel());
    }

    /// Remembers how a run ended.
    fn note(&self, site: &str, is_well: bool, now: Timestamp) {
        let mut failures = lock(&self.failures);
        if is_well {
            failures.remove(site);
            return;
        }
        let (count, at) = failures.entry(site.to_owned()).or_insert((0, now));
        (*count, *at) = (count.saturating_add(1), now);
    }

    /// Whether a site that failed is let alone for now: ten seconds, then twice as long each time, an hour at most.
    pub(super) fn waits(&self, site: &str, now: Timestamp) -> bool {
        let failures = lock(&self.failures);
        let Some((count, at)) = failures.get(site) else { return false };
        let wait_s = 10i64.checked_shl((*count).min(12) - 1).unwrap_or(3600).min(3600);
        now.as_second() - at.as_second() < wait_s
    }

    pub(super) fn begin(&self, site: &str, service: &CancellationToken) -> Option<Ends> {
        let mut sites = self.lock();
        if sites.contains_key(site) {
            return None;
        }
        let pause = service.child_token();
        let ends = Ends { stop: pause.child_token(), pause };
        sites.insert(site.to_owned(), ends.clone());
        Some(ends)
    }

    pub(super) fn end(&self, site: &str) {
        self.lock().remove(site);
    }
}

/// Takes a site off the list of those that run, when it is dropped.
pub(super) struct Held<'a> {
    pub(super) runs: &'a Runs,
    pub(super) site: &'a str,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.runs.end(self.site);
    }
}

/// Remembers how a run ended, when it is dropped: as failed, unless told otherwise.
pub(super) struct Noted<'a> {
    runs: &'a Runs,
    site: &'a str,
    clock: &'a dyn Clock,
    /// Whether the run has come to its end in good order.
    pub(super) is_well: bool,
}

impl<'a> Noted<'a> {
    pub(super) const fn failed(runs: &'a Runs, site: &'a str, clock: &'a dyn Clock) -> Self {
        Self { runs, site, clock, is_well: false }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.runs.note(self.site, self.is_well, self.clock.now());
    }
}

/// Says that nobody looks any more.
pub(super) struct Looking<'a> {
    pub(super) runs: &'a Runs,
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.runs.is_looking.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::FixedClock;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_run_that_panics_is_let_alone_longer_each_time() {
        let runs = Runs::default();
        let mut now = 0;
        for wait_s in [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600] {
            let clock = FixedClock(at(now));
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _noted = Noted::failed(&runs, "site", &clock);
                std::panic::resume_unwind(Box::new("a mistake of ours"));
            }));
            assert!(ended.is_err());
            assert!(runs.waits("site", at(now + wait_s - 1)));
            now += wait_s;
            assert!(!runs.waits("site", at(now)));
        }
        let clock = FixedClock(at(now));
        Noted::failed(&runs, "site", &clock).is_well = true;
        drop(Noted::failed(&runs, "site", &clock));
        assert!(runs.waits("site", at(now + 9)) && !runs.waits("site", at(now + 10)));
    }
}
