//! What the robots.txt of the hosts of one run say, as far as they are known.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::parse::Robots;
use crate::config::RobotsPolicy;
use crate::crawl::address::authority;
use crate::crawl::sighting::RobotsDecision;
use crate::net;

/// Hosts whose robots.txt is remembered; beyond that all is asked for anew, and no new host refused.
const HOSTS_MAX: usize = 10_000;
/// RFC 9309 2.4: a robots.txt should not be used for longer.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// One that could not be had is asked for again sooner: a server that failed for a minute shall not shut out a day.
const UNAVAILABLE_FRESH: Duration = Duration::from_secs(900);
/// A host that could not be reached at all is tried again with the next URL, after the pause that a failure calls for.
const UNREACHABLE_FRESH: Duration = Duration::from_secs(1);

/// What is known of a host's robots.txt.
#[derive(Debug, Clone)]
pub(in crate::crawl) enum Known {
    /// Its rules.
    Rules(Robots),
    /// No rules, because of this.
    AllowAll(String),
    /// Nothing may be fetched, because of this.
    DenyAll(String),
    /// The host cannot be reached at all, so that its robots.txt is not the matter.
    Unreachable(net::Error),
}

/// Decides for the URLs of one run.
#[derive(Debug)]
pub(in crate::crawl) struct Gate {
    /// The product token that robots.txt is searched for.
    agent: String,
    policy: RobotsPolicy,
    reason: Option<String>,
    known: HashMap<String, (Instant, Known)>,
    /// What was recorded of each, by its number.
    recorded: HashMap<String, u64>,
}

impl Gate {
    /// Makes a gate for one run. `user_agent` is the whole header; robots.txt is searched for its product token.
    pub(in crate::crawl) fn new(user_agent: &str, policy: RobotsPolicy, reason: Option<String>) -> Self {
        let agent = user_agent.split(['/', ' ']).next().unwrap_or_default().to_owned();
        Self { agent, policy, reason, known: HashMap::new(), recorded: HashMap::new() }
    }

    /// The name that robots.txt is searched for.
    pub(in crate::crawl) fn agent(&self) -> &str {
        &self.agent
    }

    /// Returns whether the robots.txt for `url` must be fetched before it can be decided on.
    pub(in crate::crawl) fn must_ask(&self, url: &Url, now: Instant) -> bool {
        match self.known.get(&authority(url)) {
            None => true,
            Some((at, known)) => {
                let fresh = match known {
                    Known::Unreachable(_) => UNREACHABLE_FRESH,
                    Known::DenyAll(_) => UNAVAILABLE_FRESH,
                    Known::Rules(_) | Known::AllowAll(_) => FRESH,
                };
                now.saturating_duration_since(*at) >= fresh
            }
        }
    }

    /// Takes note of a robots.txt.
    pub(in crate::crawl) fn learn(&mut self, url: &Url, known: Known, recorded: Option<u64>, now: Instant) {
        if self.known.len() >= HOSTS_MAX {
            self.known.clear();
            self.recorded.clear();
        }
        match recorded {
            Some(number) => self.recorded.insert(authority(url), number),
            None => self.recorded.remove(&authority(url)),
        };
        self.known.insert(authority(url), (now, known));
    }

    /// Returns the number of what was recorded of the robots.txt for `url`.
    pub(in crate::crawl) fn recorded(&self, url: &Url) -> Option<u64> {
        self.recorded.get(&authority(url)).copied()
    }

    /// Returns whether `url` may be fetched.
    ///
    /// # Errors
    /// When the host cannot be reached at all (no address, refused by the guard, no connection).
    pub(in crate::crawl) fn decide(&self, url: &Url) -> Result<RobotsDecision, net::Error> {
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let (allowed, rule) = match self.known.get(&authority(url)).map(|(_, known)| known) {
            Some(Known::Rules(robots)) => {
                let (allowed, rule) = robots.decide(&path);
                (allowed, rule.unwrap_or_else(|| "no rule for this URL".to_owned()))
            }
            Some(Known::AllowAll(why)) => (true, why.clone()),
            Some(Known::DenyAll(why)) => (false, why.clone()),
            Some(Known::Unreachable(error)) => return Err(error.clone().of_url(url)),
            None => (false, "robots.txt not known".to_owned()),
        };
        let overridden = match self.policy {
            RobotsPolicy::Ignore if !allowed => Some(self.reason.clone().unwrap_or_default()),
            _ => None,
        };
        Ok(RobotsDecision { allowed, rule, overridden })
    }

    /// Returns the pause between two requests that the host asks for, if its robots.txt is known and asks.
    pub(in crate::crawl) fn crawl_delay(&self, url: &Url) -> Option<Duration> {
        match self.known.get(&authority(url)) {
            Some((_, Known::Rules(robots))) => robots.crawl_delay,
            _ => None,
        }
    }

    /// Returns the sitemaps that the host's robots.txt names, as written, if it is known.
    pub(in crate::crawl) fn sitemaps(&self, url: &Url) -> Vec<String> {
        match self.known.get(&authority(url)) {
            Some((_, Known::Rules(robots))) => robots.sitemaps.clone(),
            _ => Vec::new(),
        }
    }
}
