//! When a host may be asked again.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::time::Instant;
use url::Url;

/// A longer `Crawl-delay` than this is cut to it.
const CRAWL_DELAY_MAX: Duration = Duration::from_secs(30);
/// A longer `Retry-After` than this is not waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);
/// The first pause after a 429 or 503 that names none; doubles with each further one of the same host.
const BACK_OFF: Duration = Duration::from_secs(5);
/// Hosts that are kept in mind.
const HOSTS_MAX: usize = 10_000;

/// When each host may be asked again.
#[derive(Default)]
pub(super) struct Pace {
    hosts: HashMap<String, Host>,
}

#[derive(Clone, Copy)]
struct Host {
    ready_at: Instant,
    refusals: u32,
}

impl Pace {
    /// Returns when the host of `url` may be asked; `None`: now.
    pub(super) fn ready_at(&self, url: &Url) -> Option<Instant> {
        let ready_at = self.hosts.get(url.host_str()?)?.ready_at;
        (ready_at > Instant::now()).then_some(ready_at)
    }

    /// Takes note of a request that is made now.
    pub(super) fn asked(&mut self, url: &Url, delay: Duration, crawl_delay: Option<Duration>) {
        let delay = delay.max(crawl_delay.unwrap_or_default().min(CRAWL_DELAY_MAX));
        let host = self.host(url);
        host.ready_at = host.ready_at.max(Instant::now() + delay);
    }

    /// Takes note of an answer that was no refusal.
    pub(super) fn answered(&mut self, url: &Url) {
        self.host(url).refusals = 0;
    }

    /// Takes note of a 429 or 503 and returns whether it is worth waiting.
    pub(super) fn refused(&mut self, url: &Url, retry_after: Option<&str>, now: Timestamp) -> bool {
        let host = self.host(url);
        let pause = match retry_after.and_then(|text| parse_retry_after(text, now)) {
            Some(asked) => asked,
            None => BACK_OFF * 2_u32.saturating_pow(host.refusals.min(8)),
        };
        host.refusals += 1;
        if pause > RETRY_AFTER_MAX {
            return false;
        }
        host.ready_at = host.ready_at.max(Instant::now() + pause);
        true
    }

    fn host(&mut self, url: &Url) -> &mut Host {
        if self.hosts.len() >= HOSTS_MAX {
            let now = Instant::now();
            self.hosts.retain(|_, host| host.ready_at > now);
        }
        let name = url.host_str().unwrap_or_default().to_owned();
        self.hosts.entry(name).or_insert(Host { ready_at: Instant::now(), refusals: 0 })
    }
}

/// Both forms of RFC 9110: seconds, or a date.
pub(super) fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    Some(Duration::from_secs(u64::try_from(date.as_second() - now.as_second()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn retry_after_in_both_forms() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(parse_retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("Sun, 22 Nov 2026 10:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(parse_retry_after("Sun, 22 Nov 2020 10:00:30 GMT", now), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("soon", now), None);
    }

    #[test]
    fn long_pauses_are_not_waited_for() {
        let url = Url::parse("http://a.example/").unwrap();
        let mut pace = Pace::default();
        assert!(pace.ready_at(&url).is_none());
        assert!(!pace.refused(&url, Some("86400"), Timestamp::UNIX_EPOCH));
        assert!(pace.ready_at(&url).is_none());
        assert!(pace.refused(&url, None, Timestamp::UNIX_EPOCH));
        assert!(pace.ready_at(&url).is_some());
    }
}
