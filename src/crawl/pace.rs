//! When a host may be asked. Pure: what time it is, is passed in, so that manners can be tested on a clock of the
//! test's own.
//!
//! Hosts are kept apart by *lanes*. The first lane of a URL is its registrable domain (host and port where it has none),
//! the second the address that answered for it, from the first answer on: two names of one server are one host. A request
//! takes its turn in both, and a lane has so many requests under way at once as the site allows, one unless it says
//! otherwise.
//!
//! The pause after an answer is the longest of: what the site's settings say, the host's `Crawl-delay` (up to 30 s), and
//! so many times what the host took to answer (up to 30 s). A 429 or 503 stops the whole host for as long as its
//! `Retry-After` says, or for a time that doubles; so does a connection that fails. A host that goes on like that, or
//! asks for more patience than there is, is given up for this run.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use url::Url;

use super::address::lane_of;
use crate::net::retry_after;

/// A longer `Crawl-delay` than this is cut to it, and so is the pause by latency.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The first pause after a 429 or 503 that names none; doubles with each further one in a row.
const BACK_OFF: Duration = Duration::from_secs(5);
/// The first pause after a connection that failed; doubles with each further one in a row.
const FAILURE_BACK_OFF: Duration = Duration::from_secs(2);
/// No pause that we set ourselves is longer.
const BACK_OFF_MAX: Duration = Duration::from_secs(600);
/// A host is given up after so many refusals in a row …
const REFUSALS_MAX: u32 = 6;
/// … or so many failed connections in a row.
const FAILURES_MAX: u32 = 5;
/// Lanes that are kept in mind; those that are free and owe nothing are forgotten beyond.
const LANES_MAX: usize = 100_000;

/// How a run treats hosts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manners {
    /// The least pause between an answer and the next request.
    pub(super) delay: Duration,
    /// The pause is at least this many times the latency.
    pub(super) delay_factor: f64,
    /// The longest `Retry-After` that is waited for.
    pub(super) patience: Duration,
    /// Requests under way at once in one lane.
    pub(super) at_once: u32,
}

/// Why a request cannot be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotYet {
    /// Another request is under way; somebody will call [`Pace::end`].
    Busy,
    /// The pause is not over until then.
    At(Instant),
    /// The host is given up for this run, for this reason.
    Never(String),
}

/// The right to make one request; to be handed back with [`Pace::end`].
#[derive(Debug)]
pub(super) struct Turn {
    lanes: Vec<String>,
    url: Url,
    began: Instant,
}

/// What came of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Came {
    /// Time to the answer's head; `None` where no request was made after all.
    pub(super) latency: Option<Duration>,
    /// The address that answered, with its port.
    pub(super) peer: Option<String>,
    /// The pause that the host's robots.txt asks for.
    pub(super) crawl_delay: Option<Duration>,
    /// Whether it was a 429 or 503.
    pub(super) refused: bool,
    /// Its Retry-After, where it was refused.
    pub(super) retry_after: Option<String>,
    /// Whether the connection failed.
    pub(super) failed: bool,
}

#[derive(Debug, Default)]
struct Lane {
    under_way: u32,
    ready_at: Option<Instant>,
    ended_at: Option<Instant>,
    refusals: u32,
    failures: u32,
    given_up: Option<String>,
}

/// Who may be asked when.
#[derive(Debug, Default)]
pub(super) struct Pace {
    lanes: HashMap<String, Lane>,
    /// The address that answered last for each domain.
    addresses: HashMap<String, String>,
}

impl Pace {
    /// Returns whether a request to `url` may be made at `now`.
    pub(super) fn look(&self, url: &Url, manners: &Manners, now: Instant) -> Result<(), NotYet> {
        let mut ready_at = now;
        for lane in self.lanes_of(url).iter().filter_map(|name| self.lanes.get(name)) {
            if let Some(reason) = &lane.given_up {
                return Err(NotYet::Never(reason.clone()));
            }
            if lane.under_way >= manners.at_once {
                return Err(NotYet::Busy);
            }
            ready_at = ready_at.max(lane.ready_at.unwrap_or(now));
            // Another run may have asked last, with a shorter pause than this one's.
            ready_at = ready_at.max(lane.ended_at.map_or(now, |ended| ended + manners.delay));
        }
        if ready_at > now { Err(NotYet::At(ready_at)) } else { Ok(()) }
    }

    /// Takes the turn for a request to `url`.
    pub(super) fn begin(&mut self, url: &Url, manners: &Manners, now: Instant) -> Result<Turn, NotYet> {
        self.look(url, manners, now)?;
        self.forget_idle(now);
        let lanes = self.lanes_of(url);
        for name in &lanes {
            self.lanes.entry(name.clone()).or_default().under_way += 1;
        }
        Ok(Turn { lanes, url: url.clone(), began: now })
    }

    #[expect(clippy::needless_pass_by_value, reason = "a turn is handed back once")]
    /// Hands a turn back. `wall` is the time of day, which a `Retry-After` may speak of.
    pub(super) fn end(&mut self, turn: Turn, came: &Came, manners: &Manners, now: Instant, wall: Timestamp) {
        for name in &turn.lanes {
            if let Some(lane) = self.lanes.get_mut(name) {
                lane.under_way = lane.under_way.saturating_sub(1);
            }
        }
        if came.latency.is_none() && !came.failed {
            return;
        }
        let domain = lane_of(&turn.url);
        if let Some(address) = came.peer.as_deref().map(address_lane)
            && address != domain
        {
            self.addresses.insert(domain, address);
        }
        let pause = pause(came, manners);
        // The address may have become known by this very answer.
        for name in self.lanes_of(&turn.url) {
            let seed = format!("{name} {}", turn.url.path());
            let lane = self.lanes.entry(name).or_default();
            let pause = match lane.owes(came, manners, wall, &seed) {
                Some(asked) => asked.max(pause),
                None => pause,
            };
            lane.ready_at = lane.ready_at.max(Some(now + pause));
            lane.ended_at = Some(now);
        }
    }

    /// Lets a lane alone until then.
    pub(super) fn hold(&mut self, lane: &str, until: Instant) {
        let lane = self.lanes.entry(lane.to_owned()).or_default();
        lane.ready_at = lane.ready_at.max(Some(until));
    }

    /// How long the last request took so far.
    pub(super) fn latency(turn: &Turn, now: Instant) -> Duration {
        now.saturating_duration_since(turn.began)
    }

    /// Returns when the lane of `url` is free again and why not before, for people: refusals in a row, failures in a
    /// row, and the instant.
    pub(super) fn standing(&self, lane: &str) -> (u32, u32, Option<Instant>) {
        self.lanes.get(lane).map_or((0, 0, None), |lane| (lane.refusals, lane.failures, lane.ready_at))
    }

    fn lanes_of(&self, url: &Url) -> Vec<String> {
        let domain = lane_of(url);
        let address = self.addresses.get(&domain).cloned();
        std::iter::once(domain).chain(address).collect()
    }

    fn forget_idle(&mut self, now: Instant) {
        if self.lanes.len() < LANES_MAX {
            return;
        }
        self.lanes.retain(|_, lane| {
            lane.under_way > 0 || lane.given_up.is_some() || lane.ready_at.is_some_and(|at| at > now)
        });
        let lanes = &self.lanes;
        self.addresses.retain(|domain, _| lanes.contains_key(domain));
    }
}

impl Lane {
    /// Counts what came, and returns the pause that it calls for beyond the usual one.
    fn owes(&mut self, came: &Came, manners: &Manners, wall: Timestamp, seed: &str) -> Option<Duration> {
        if came.failed {
            self.failures += 1;
            if self.failures >= FAILURES_MAX {
                self.given_up = Some(format!("{FAILURES_MAX} connections in a row failed"));
            }
            return Some(doubled(FAILURE_BACK_OFF, self.failures - 1, seed));
        }
        self.failures = 0;
        if !came.refused {
            self.refusals = 0;
            return None;
        }
        self.refusals += 1;
        if self.refusals >= REFUSALS_MAX {
            self.given_up = Some(format!("it said \"not now\" {REFUSALS_MAX} times in a row"));
        }
        let Some(asked) = came.retry_after.as_deref().and_then(|text| retry_after(text, wall)) else {
            return Some(doubled(BACK_OFF, self.refusals - 1, seed));
        };
        if asked > manners.patience {
            self.given_up = Some(format!("it asked to come again in {} s", asked.as_secs()));
        }
        Some(asked)
    }
}

/// The pause after an answer that was none of refusal and failure.
fn pause(came: &Came, manners: &Manners) -> Duration {
    let by_latency = came.latency.unwrap_or_default().as_secs_f64() * manners.delay_factor.max(0.0);
    let by_latency = Duration::try_from_secs_f64(by_latency).unwrap_or(PAUSE_MAX).min(PAUSE_MAX);
    manners.delay.max(came.crawl_delay.unwrap_or_default().min(PAUSE_MAX)).max(by_latency)
}

/// `first` doubled `times` times, and up to a quarter more, so that hosts that failed together are not asked together;
/// how much more follows from `seed`, so that a run can be told again.
fn doubled(first: Duration, times: u32, seed: &str) -> Duration {
    let base = first.saturating_mul(2_u32.saturating_pow(times)).min(BACK_OFF_MAX);
    let share = crc32fast::hash(format!("{seed} {times}").as_bytes());
    base + base.mul_f64(f64::from(share) / f64::from(u32::MAX) / 4.0)
}

/// The lane of an address: the ports of the web are one host, any other port is a server of its own.
fn address_lane(peer: &str) -> String {
    let bare = peer.strip_suffix(":80").or_else(|| peer.strip_suffix(":443"));
    bare.unwrap_or(peer).to_owned()
}
