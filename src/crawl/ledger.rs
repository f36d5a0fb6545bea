//! The ledger of manners: what passed between a run and each host, written to the store every few seconds.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::address::{authority, lane_of};
use super::frontier::Frontier;
use super::records::{HostRecord, RobotsFetched, job_key};
use crate::base::Timestamp;
use crate::store::{self, Store};

/// Hosts that the ledger holds; a run that meets more keeps no account of the further ones.
const HOSTS_MAX: usize = 50_000;

/// The open pages of the ledger.
pub(super) struct Ledger {
    job: String,
    hosts: HashMap<String, HostRecord>,
    /// When the last answer of a host ended.
    ended: HashMap<String, Instant>,
    changed: HashSet<String>,
}

impl Ledger {
    /// Opens the ledger of a run; a run that begins anew begins a new one.
    pub(super) fn open(store: &Store, job: &str, resumes: bool) -> Result<Self, store::Error> {
        let mut hosts = HashMap::new();
        if resumes {
            for record in store.scan::<HostRecord>(&format!("{}/", job_key(job)))?.take(HOSTS_MAX) {
                let record = record?;
                hosts.insert(record.authority.clone(), record);
            }
        }
        Ok(Self { job: job.to_owned(), hosts, ended: HashMap::new(), changed: HashSet::new() })
    }

    /// A request goes out.
    pub(super) fn asks(&mut self, url: &Url, at: Timestamp) {
        let name = authority(url);
        let pause = self.ended.get(&name).map(|ended| millis(ended.elapsed()));
        self.with(url, |host| {
            host.requests += 1;
            host.asked_at = Some(at);
            host.pause_ms_min = match (host.pause_ms_min, pause) {
                (Some(least), Some(pause)) => Some(least.min(pause)),
                (least, pause) => least.or(pause),
            };
        });
    }

    /// An answer's head came, or none.
    pub(super) fn answers(&mut self, url: &Url, status: Option<u16>, latency: Duration) {
        self.with(url, |host| {
            host.latency_ms = Some(millis(latency));
            match status {
                Some(status) => *host.statuses.entry(status).or_default() += 1,
                None => host.failures += 1,
            }
        });
    }

    /// An answer has ended, after so many bytes.
    pub(super) fn ends(&mut self, url: &Url, bytes: u64) {
        self.with(url, |host| host.bytes = host.bytes.saturating_add(bytes));
        if self.ended.len() < HOSTS_MAX {
            self.ended.insert(authority(url), Instant::now());
        }
    }

    /// A robots.txt was fetched.
    pub(super) fn robots(&mut self, url: &Url, fetched: RobotsFetched) {
        self.with(url, |host| host.robots = Some(fetched));
    }

    /// A host is let alone for a while, or for good.
    pub(super) fn backs_off(&mut self, url: &Url, until: Option<Timestamp>, given_up: Option<String>) {
        self.with(url, |host| {
            host.back_off_until = until;
            host.given_up = given_up.or_else(|| host.given_up.take());
        });
    }

    /// Requests to and bytes from one host so far.
    pub(super) fn spent(&self, url: &Url) -> (u64, u64) {
        self.hosts.get(&authority(url)).map_or((0, 0), |host| (host.requests, host.bytes))
    }

    /// Everything that is known, in no order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &HostRecord> {
        self.hosts.values()
    }

    /// Hands what has changed to the frontier's next batch.
    pub(super) fn write(&mut self, frontier: &mut Frontier<'_>) -> Result<(), store::Error> {
        for name in self.changed.drain() {
            if let Some(host) = self.hosts.get(&name) {
                frontier.keep(host)?;
            }
        }
        Ok(())
    }

    fn with(&mut self, url: &Url, change: impl FnOnce(&mut HostRecord)) {
        let name = authority(url);
        if self.hosts.len() >= HOSTS_MAX && !self.hosts.contains_key(&name) {
            return;
        }
        let job = &self.job;
        let host =
            self.hosts.entry(name.clone()).or_insert_with(|| HostRecord::new(job, &name, &lane_of(url)));
        change(host);
        self.changed.insert(name);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
