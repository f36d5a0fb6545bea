//! Turns: what all runs of one process share, so that no host is asked twice at once, whatever jobs there are.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;
use url::Url;

use super::pace::{Came, Manners, NotYet, Pace, Turn};
use crate::base::{Clock, lock};

/// The lanes of all hosts; one for a process.
#[derive(Debug, Default)]
pub struct Lanes {
    pace: Mutex<Pace>,
    changed: Notify,
}

/// The right to make one request, handed back at the latest when it is dropped.
pub(super) struct Slot<'l> {
    lanes: &'l Lanes,
    manners: Manners,
    clock: &'l dyn Clock,
    turn: Option<Turn>,
    /// Whether the request has gone out: one that is broken off in the middle may have reached the host, and counts.
    is_used: bool,
}

impl Lanes {
    /// Makes lanes that nobody has used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the turn for a request to `url` if it can be made now.
    pub(super) fn try_take<'l>(
        &'l self,
        url: &Url,
        manners: Manners,
        clock: &'l dyn Clock,
    ) -> Result<Slot<'l>, NotYet> {
        let turn = self.lock().begin(url, &manners, Instant::now())?;
        Ok(Slot { lanes: self, manners, clock, turn: Some(turn), is_used: false })
    }

    /// Waits for the turn. The caller must hold no other one: two who wait for each other's would wait for ever.
    ///
    /// # Errors
    /// Why the host is given up.
    pub(super) async fn take<'l>(
        &'l self,
        url: &Url,
        manners: Manners,
        clock: &'l dyn Clock,
    ) -> Result<Slot<'l>, String> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.try_take(url, manners, clock) {
                Ok(slot) => return Ok(slot),
                Err(NotYet::Never(why)) => return Err(why),
                Err(NotYet::Busy) => changed.await,
                Err(NotYet::At(at)) => {
                    let _ = tokio::time::timeout_at(at, changed).await;
                }
            }
        }
    }

    /// Returns whether a request to `url` may be made now.
    pub(super) fn look(&self, url: &Url, manners: &Manners) -> Result<(), NotYet> {
        self.lock().look(url, manners, Instant::now())
    }

    /// Waits until some turn has been handed back.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Lets a lane alone until then, as a host asked for in an earlier run.
    pub(super) fn hold(&self, lane: &str, until: Instant) {
        self.lock().hold(lane, until);
    }

    /// As [`Pace::standing`].
    pub(super) fn standing(&self, lane: &str) -> (u32, u32, Option<Instant>) {
        self.lock().standing(lane)
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        // Nothing in there panics half way.
        lock(&self.pace)
    }
}

impl Slot<'_> {
    /// Time since the turn was taken.
    fn latency(&self) -> std::time::Duration {
        self.turn.as_ref().map_or_else(Default::default, |turn| Pace::latency(turn, Instant::now()))
    }

    /// The request goes out.
    pub(super) const fn uses(&mut self) {
        self.is_used = true;
    }

    /// Hands the turn back with what came of it.
    pub(super) fn end(mut self, came: &Came) {
        self.hand_back(came);
    }

    fn hand_back(&mut self, came: &Came) {
        if let Some(turn) = self.turn.take() {
            self.lanes.lock().end(turn, came, &self.manners, Instant::now(), self.clock.now());
            self.lanes.changed.notify_waiters();
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let latency = self.is_used.then(|| self.latency());
        self.hand_back(&Came { latency, ..Came::default() });
    }
}
