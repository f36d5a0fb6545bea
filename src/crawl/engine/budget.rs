//! What a run may spend, in all and at one host, and what is told where that is spent.

use std::sync::Arc;

use url::Url;

use super::{Engine, Stop};
use crate::base::lock;
use crate::crawl::address::authority;
use crate::crawl::event::SkipReason;
use crate::net::Allowance;

/// The names of the budgets of bytes, as they stand in errors.
const RUN_BYTES: &str = "bytes_max of the run";
const HOST_BYTES: &str = "host_bytes_max";

impl Engine<'_> {
    /// Counts one request that is about to be made.
    pub(in crate::crawl) fn spend(&self, url: &Url, counts: bool, is_first: bool) -> Result<(), Stop> {
        if let Some((budget, max)) = self.spent_of_host(url) {
            if is_first {
                return Err(Stop::Spent);
            }
            // The task's own host has something left, so that the task would come again at once.
            let budget = budget.to_owned();
            return Err(Stop::Skip(SkipReason::Budget { budget, max, waiting: 0 }));
        }
        if self.spent_budget().is_some() {
            return Err(Stop::Spent);
        }
        lock(&self.frontier).job.summary.requests += u64::from(counts);
        Ok(())
    }

    /// What a body may take from: what is left of the run's bytes, and of the host's. A body that takes more ends in the
    /// middle.
    pub(in crate::crawl) fn allowances(&self, url: &Url) -> Vec<Arc<Allowance>> {
        let budget = &self.plan.budget;
        let (_, of_host) = lock(&self.ledger).spent(url);
        let of_run = lock(&self.frontier).job.summary.bytes;
        let mut known = lock(&self.allowances);
        [(budget.bytes_max, of_run, String::new()), (budget.host_bytes_max, of_host, authority(url))]
            .into_iter()
            .filter(|(max, ..)| *max < u64::MAX)
            .map(|(max, spent, host)| {
                let whose = if host.is_empty() { RUN_BYTES } else { HOST_BYTES };
                // One for all requests that are under way, or each could take what is left.
                let made = || Arc::new(Allowance::new(whose.to_owned(), max.saturating_sub(spent)));
                Arc::clone(known.entry(host).or_insert_with(made))
            })
            .collect()
    }

    /// What of a host is spent: its name, and how much there was.
    pub(super) fn spent_of_host(&self, url: &Url) -> Option<(&'static str, u64)> {
        let budget = &self.plan.budget;
        let (requests, bytes) = lock(&self.ledger).spent(url);
        [
            (requests, budget.host_requests_max, "requests to one host"),
            (bytes, budget.host_bytes_max, "bytes of one host"),
        ]
        .into_iter()
        .find(|(spent, max, _)| spent >= max)
        .map(|(_, max, name)| (name, max))
    }

    /// What the run has spent all of: its name, and how much of it there was.
    pub(super) fn spent_budget(&self) -> Option<(&'static str, u64)> {
        let budget = &self.plan.budget;
        let frontier = lock(&self.frontier);
        let job = &frontier.job;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds of a run")]
        let (media_s, wall_s) = (job.media_s as u64, self.wall_s() as u64);
        [
            (job.summary.requests, budget.requests_max, "requests"),
            (job.summary.bytes, budget.bytes_max, "bytes"),
            (media_s, budget.media_s_max, "seconds of audio"),
            (wall_s, budget.wall_s_max, "seconds"),
        ]
        .into_iter()
        .find(|(spent, max, _)| spent >= max)
        .map(|(_, max, name)| (name, max))
    }

    /// Tells of hosts that have given all that they may, each once.
    pub(super) async fn report_spent_hosts(&self, spent: Vec<(Url, &'static str, u64)>) -> Result<(), Stop> {
        for (url, budget, max) in spent {
            if !lock(&self.told_spent).insert(authority(&url)) {
                continue;
            }
            let waiting = {
                let mut frontier = lock(&self.frontier);
                frontier.job.stopped_because = Some(format!("the limit of {max} {budget} is reached"));
                frontier.waiting()
            };
            let reason = SkipReason::Budget { budget: budget.to_owned(), max, waiting };
            self.skip(&url, None, reason).await?;
        }
        Ok(())
    }

    /// Tells that the run has spent all that it may, where something waits.
    pub(super) async fn report_budget(&self) -> Result<(), Stop> {
        let Some((name, max)) = self.spent_budget() else { return Ok(()) };
        let (waiting, next) = {
            let mut frontier = lock(&self.frontier);
            (frontier.waiting(), frontier.nexts()?.into_iter().next())
        };
        let Some(url) = next else { return Ok(()) };
        lock(&self.frontier).job.stopped_because = Some(format!("the limit of {max} {name} is reached"));
        self.skip(&url, None, SkipReason::Budget { budget: name.to_owned(), max, waiting }).await
    }
}
