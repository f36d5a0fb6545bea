//! How far the machine's clock was off, estimated from what is there anyway: nobody is asked for the time.
//!
//! - [`from_servers`]: by the `Date` headers of the answers that were captured, against the instants around them.
//! - [`ClockReading`]: by a time-stamp token, against the instants around its request; kept for the bundles made after it.

use std::collections::BTreeMap;

use jiff::fmt::rfc2822::DateTimeParser;
use serde::{Deserialize, Serialize};
use url::Url;

use super::capture::Capture;
use super::error::Error;
use crate::base::Timestamp;
use crate::net::Exchange;
use crate::store::{Record, Store};

/// Answers that took longer say little of when the server looked at its clock.
const ANSWER_S_MAX: f64 = 10.0;

/// `Date` counts whole seconds, leaving out what is over: on the average half of one.
const HALF_RESOLUTION_S: f64 = 0.5;

/// Characters of an authority's name that are kept.
const AUTHORITY_CHARS_MAX: usize = 200;

/// `clock_offset` of `earwitness/environment.json`: estimates, each from another source; none where that was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffset {
    /// By the clocks of the servers that answered while the file was captured.
    pub servers: Option<OffsetEstimate>,
    /// By the clock of a time-stamp authority, on the last day on which one was asked.
    pub time_stamp: Option<OffsetEstimate>,
}

/// One estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetEstimate {
    /// By how many seconds the machine's clock was ahead; behind where it is negative. With one decimal.
    pub ahead_s: String,
    /// How far that may be off to either side, in seconds, if the other clocks were right. With one decimal.
    pub within_s: String,
    /// What it was estimated from, in words.
    pub source: String,
}

/// A time-stamp token as a look at another clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// The machine's instant before the authority was asked.
    pub asked_at: Timestamp,
    /// The machine's instant after it had answered.
    pub answered_at: Timestamp,
    /// The instant that the token bears.
    pub said_at: Timestamp,
    /// How far that may be off to either side, in microseconds, where the authority says it.
    pub accuracy_us: Option<u64>,
    /// Who signed it: text from outside.
    pub authority: String,
}

impl Record for ClockReading {
    const KIND: &'static str = "clock_reading";
    const JOURNALLED: bool = true;

    /// The day: the last one of each is kept.
    fn key(&self) -> String {
        self.answered_at.strftime("%Y-%m-%d").to_string()
    }
}

/// Keeps a reading, in place of an earlier one of the same day.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn keep_reading(store: &Store, reading: &ClockReading) -> Result<(), Error> {
    let authority = reading.authority.chars().take(AUTHORITY_CHARS_MAX).collect();
    Ok(store.put(&ClockReading { authority, ..reading.clone() })?)
}

/// Estimates how far the machine's clock is off, for a bundle of these captures.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn clock_offset(store: &Store, captures: &[Capture]) -> Result<ClockOffset, Error> {
    let readings = store.scan::<ClockReading>("")?.collect::<Result<Vec<_>, _>>()?;
    Ok(ClockOffset { servers: from_servers(captures), time_stamp: readings.last().map(from_reading) })
}

/// The estimate from the `Date` headers of captures: the median over the servers of each one's median, so that neither a
/// server with many answers nor one with a wrong clock decides. Answers out of a cache (with an `Age`) do not count.
pub(super) fn from_servers(captures: &[Capture]) -> Option<OffsetEstimate> {
    let mut of_server: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for exchange in captures.iter().flat_map(|capture| &capture.exchanges) {
        if let Some((server, seen)) = server_of(exchange).zip(seen(exchange)) {
            of_server.entry(server).or_default().push(seen);
        }
    }
    let answers: usize = of_server.values().map(Vec::len).sum();
    let over = |values: fn(&Seen) -> f64| {
        let medians = of_server.values().filter_map(|all| median(all.iter().map(values)));
        median(medians.collect::<Vec<_>>().into_iter())
    };
    let servers = match of_server.len() {
        1 => "1 server's Date headers".to_owned(),
        count => format!("{count} servers' Date headers"),
    };
    let source = format!(
        "estimated from {servers} ({answers} answers), which count whole seconds and are as right as the servers' clocks"
    );
    Some(estimate(over(|seen| seen.ahead_s)?, over(|seen| seen.within_s)?, source))
}

fn from_reading(reading: &ClockReading) -> OffsetEstimate {
    let (asked, answered) = (seconds(reading.asked_at), seconds(reading.answered_at));
    let ahead_s = f64::midpoint(asked, answered) - seconds(reading.said_at);
    let accuracy_s = reading.accuracy_us.map_or(0.0, |accuracy| accuracy as f64 / 1e6);
    let untold = if reading.accuracy_us.is_none() { ", which does not tell its accuracy" } else { "" };
    let source = format!(
        "estimated from the time-stamp token of {} by {}{untold}, obtained between {} and {} of this clock",
        reading.said_at, reading.authority, reading.asked_at, reading.answered_at
    );
    estimate(ahead_s, (answered - asked).abs() / 2.0 + accuracy_s, source)
}

fn estimate(ahead_s: f64, within_s: f64, source: String) -> OffsetEstimate {
    // Adding zero turns a negative zero into one without a sign.
    let decimal = |value: f64| format!("{:.1}", (value * 10.0).round() / 10.0 + 0.0);
    OffsetEstimate { ahead_s: decimal(ahead_s), within_s: decimal(within_s), source }
}

/// What one answer says of the machine's clock.
struct Seen {
    ahead_s: f64,
    within_s: f64,
}

fn seen(exchange: &Exchange) -> Option<Seen> {
    if header(exchange, "age").is_some() {
        return None;
    }
    let date = header(exchange, "date")?;
    let date = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date).ok()?;
    let (asked, answered) = (seconds(exchange.asked_at), seconds(exchange.answered_at));
    let took = answered - asked;
    (0.0..=ANSWER_S_MAX).contains(&took).then(|| Seen {
        ahead_s: f64::midpoint(asked, answered) - (seconds(date) + HALF_RESOLUTION_S),
        within_s: took / 2.0 + HALF_RESOLUTION_S,
    })
}

fn header<'e>(exchange: &'e Exchange, name: &str) -> Option<&'e str> {
    let mut fields = exchange.response_head.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Host and port, as far as the address tells them.
fn server_of(exchange: &Exchange) -> Option<String> {
    let url = Url::parse(&exchange.url).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// Seconds since 1970; of the years in question to less than a microsecond.
fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64 + f64::from(at.subsec_nanosecond()) / 1e9
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::capture::tests::capture;
    use super::*;
    use crate::base::Digest;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// An answer that came in half a second from 10:00:00 on.
    fn answer(url: &str, head: &str) -> Exchange {
        let mut exchange = capture(url, Digest::of(b"body")).exchanges.remove(0);
        exchange.asked_at = at("2026-03-01T10:00:00Z");
        exchange.answered_at = at("2026-03-01T10:00:00.5Z");
        exchange.response_head = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
        exchange
    }

    fn estimated(exchanges: Vec<Exchange>) -> Option<(String, String, String)> {
        let captures = [Capture { exchanges, ..capture("http://a.example/", Digest::of(b"body")) }];
        from_servers(&captures).map(|told| (told.ahead_s, told.within_s, told.source))
    }

    #[test]
    fn the_clock_is_held_against_those_of_the_servers() {
        assert_eq!(estimated(vec![answer("http://a.example/", "x: y")]), None);
        let date = |clock: &str| format!("date: Sun, 01 Mar 2026 {clock} GMT");
        // By the first, three seconds ahead; out of a cache, nothing; one that is wrong by an hour does not decide.
        let mut exchanges = vec![answer("http://a.example/1", &date("09:59:57")); 5];
        exchanges.push(answer("http://a.example/2", &format!("{}\r\nage: 600", date("09:49:57"))));
        let (ahead, within, source) = estimated(exchanges.clone()).unwrap();
        assert_eq!((ahead.as_str(), within.as_str()), ("2.8", "0.8"));
        assert!(source.starts_with("estimated from 1 server's Date headers (5 answers)"), "{source}");
        exchanges.push(answer("https://b.example/", &date("09:59:56")));
        exchanges.push(answer("https://c.example/", &date("11:00:00")));
        let (ahead, _, source) = estimated(exchanges.clone()).unwrap();
        assert_eq!(ahead, "2.8");
        assert!(source.contains("3 servers' Date headers (7 answers)"), "{source}");
        let mut slow = answer("http://d.example/", &date("09:00:00"));
        slow.answered_at = at("2026-03-01T10:01:00Z");
        assert_eq!(estimated(vec![slow, answer("http://e.example/", "date: yesterday")]), None);
        assert_eq!(estimated(vec![answer("http://a.example/", &date("10:00:00"))]).unwrap().0, "-0.3");
    }

    #[test]
    fn the_clock_is_held_against_that_of_a_time_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let none = clock_offset(&store, &[]).unwrap();
        assert_eq!(none, ClockOffset { servers: None, time_stamp: None });
        let mut reading = ClockReading {
            asked_at: at("2026-03-01T10:00:00Z"),
            answered_at: at("2026-03-01T10:00:01Z"),
            said_at: at("2026-03-01T10:00:05Z"),
            accuracy_us: Some(1_500_000),
            authority: "CN=TSA".to_owned(),
        };
        keep_reading(&store, &reading).unwrap();
        let told = clock_offset(&store, &[]).unwrap().time_stamp.unwrap();
        assert_eq!((told.ahead_s.as_str(), told.within_s.as_str()), ("-4.5", "2.0"));
        assert!(told.source.contains("by CN=TSA, obtained between"), "{}", told.source);
        (reading.said_at, reading.accuracy_us) = (at("2026-03-01T10:00:00.5Z"), None);
        keep_reading(&store, &reading).unwrap();
        let told = clock_offset(&store, &[]).unwrap().time_stamp.unwrap();
        assert_eq!((told.ahead_s.as_str(), told.within_s.as_str()), ("0.0", "0.5"));
        assert!(told.source.contains("does not tell its accuracy"), "{}", told.source);
    }
}
