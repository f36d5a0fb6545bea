//! Fetching robots.txt once per host and run, and deciding by it.

use std::collections::HashMap;
use std::time::Duration;

use url::Url;

use super::parse::{BYTES_MAX, Robots};
use crate::config::RobotsPolicy;
use crate::crawl::address::authority;
use crate::crawl::sighting::RobotsDecision;
use crate::net::{Client, Error, Kind, Request};

/// Hosts whose robots.txt is remembered; beyond that the oldest knowledge is dropped, not the new host refused.
const HOSTS_MAX: usize = 10_000;

/// The host cannot be reached at all, so its robots.txt is not the matter.
#[derive(Debug, Clone)]
pub struct Unreachable(pub Error);

/// Decides for every URL of a run; asks each host once.
pub struct Gate {
    client: Client,
    agent: String,
    policy: RobotsPolicy,
    reason: Option<String>,
    known: HashMap<String, Known>,
}

#[derive(Debug, Clone)]
enum Known {
    Rules(Robots),
    /// No rules, because of this.
    AllowAll(String),
    /// Nothing may be fetched, because of this.
    DenyAll(String),
    Unreachable(Error),
}

impl Gate {
    /// Makes a gate for one run. `user_agent` is the whole header; robots.txt is searched for its product token.
    #[must_use]
    pub fn new(client: Client, user_agent: &str, policy: RobotsPolicy, reason: Option<String>) -> Self {
        let agent = user_agent.split(['/', ' ']).next().unwrap_or_default().to_owned();
        Self { client, agent, policy, reason, known: HashMap::new() }
    }

    /// Returns whether `url` may be fetched; fetches the host's robots.txt where it is not known yet.
    ///
    /// # Errors
    /// [`Unreachable`] when the host cannot be reached at all (no address, refused by the guard, no connection).
    pub async fn decide(&mut self, url: &Url) -> Result<RobotsDecision, Unreachable> {
        let key = authority(url);
        if !self.known.contains_key(&key) {
            let known = self.fetch(url).await;
            if self.known.len() >= HOSTS_MAX {
                self.known.clear();
            }
            self.known.insert(key.clone(), known);
        }
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let (allowed, rule) = match self.known.get(&key) {
            Some(Known::Rules(robots)) => {
                let (allowed, rule) = robots.decide(&path);
                (allowed, rule.unwrap_or_else(|| "no rule for this URL".to_owned()))
            }
            Some(Known::AllowAll(why)) => (true, why.clone()),
            Some(Known::DenyAll(why)) => (false, why.clone()),
            Some(Known::Unreachable(error)) => return Err(Unreachable(error.clone().of_url(url))),
            None => (false, "robots.txt not known".to_owned()),
        };
        let overridden = match self.policy {
            RobotsPolicy::Ignore if !allowed => Some(self.reason.clone().unwrap_or_default()),
            _ => None,
        };
        Ok(RobotsDecision { allowed, rule, overridden })
    }

    /// Returns the pause between two requests that the host asks for, if its robots.txt is known and asks.
    #[must_use]
    pub fn crawl_delay(&self, url: &Url) -> Option<Duration> {
        match self.known.get(&authority(url)) {
            Some(Known::Rules(robots)) => robots.crawl_delay,
            _ => None,
        }
    }

    /// Returns the sitemaps that the host's robots.txt names, as written, if it is known.
    #[must_use]
    pub fn sitemaps(&self, url: &Url) -> Vec<String> {
        match self.known.get(&authority(url)) {
            Some(Known::Rules(robots)) => robots.sitemaps.clone(),
            _ => Vec::new(),
        }
    }

    async fn fetch(&self, url: &Url) -> Known {
        let mut at = url.clone();
        at.set_path("/robots.txt");
        at.set_query(None);
        at.set_fragment(None);
        let opened = match self.client.open(Request::new(at, Kind::Robots)).await {
            Ok(opened) => opened,
            // A redirect of robots.txt to a place out of reach is the file's failure, not the host's.
            Err(error) if error.is_host_failure() && names(&error, url) => return Known::Unreachable(error),
            Err(Error::RedirectLoop { .. } | Error::TooManyRedirects { .. } | Error::BadRedirect { .. }) => {
                return Known::AllowAll("no robots.txt (endless redirects)".to_owned());
            }
            Err(error) => return Known::DenyAll(format!("robots.txt unreachable ({error})")),
        };
        match opened.status {
            200..300 => match opened.body.collect_first(BYTES_MAX).await {
                Ok(bytes) => Known::Rules(Robots::parse(&bytes, &self.agent)),
                Err(error) => Known::DenyAll(format!("robots.txt unreachable ({error})")),
            },
            // "Too many requests" says nothing of the rules: like a server error, as the large crawlers take it.
            429 | 500.. => Known::DenyAll(format!("robots.txt unreachable ({})", opened.status)),
            status => Known::AllowAll(format!("no robots.txt ({status})")),
        }
    }
}

/// Whether `error` speaks of the host of `url` itself.
fn names(error: &Error, url: &Url) -> bool {
    error.url().and_then(|text| Url::parse(text).ok()).is_some_and(|at| authority(&at) == authority(url))
}
