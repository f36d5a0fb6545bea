//! Manners, seen from the servers, on a clock of the test's own.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use tokio::time::Instant;
use url::Url;

use super::pace::{Came, Manners, NotYet, Pace, Turn};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

const MANNERS: Manners = Manners {
    delay: Duration::from_secs(1),
    delay_factor: 2.0,
    patience: Duration::from_secs(3600),
    at_once: 1,
};

fn ok(latency_ms: u64) -> Came {
    Came { latency: Some(Duration::from_millis(latency_ms)), ..Came::default() }
}

fn refused(retry_after: Option<&str>) -> Came {
    Came { refused: true, retry_after: retry_after.map(str::to_owned), ..ok(10) }
}

/// Makes one request that ends at once, and returns how long the host is let alone then.
fn pause_after(pace: &mut Pace, came: &Came) -> Option<Duration> {
    let (now, wall) = (Instant::now() + Duration::from_secs(1_000_000), Timestamp::UNIX_EPOCH);
    let at = url("http://a.example/");
    // Long after whatever was before.
    let turn = pace.begin(&at, 1, now).unwrap();
    pace.end(turn, came, &MANNERS, now, wall);
    match pace.look(&at, 1, now) {
        Err(NotYet::At(then)) => Some(then - now),
        Err(NotYet::Never(_)) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_longest_of_all_pauses_counts() {
    let seconds = |came: &Came| pause_after(&mut Pace::default(), came).map(|pause| pause.as_secs_f64());
    assert_eq!(seconds(&ok(10)), Some(1.0));
    assert_eq!(seconds(&ok(4000)), Some(8.0));
    assert_eq!(seconds(&ok(60_000)), Some(30.0));
    let delayed = |seconds| Came { crawl_delay: Some(Duration::from_secs(seconds)), ..ok(10) };
    assert_eq!(seconds(&delayed(5)), Some(5.0));
    assert_eq!(seconds(&delayed(5000)), Some(30.0));
    assert_eq!(seconds(&refused(Some(" 7 "))), Some(7.0));
    assert_eq!(seconds(&refused(Some("Thu, 01 Jan 1970 00:00:30 GMT"))), Some(30.0));
    assert_eq!(seconds(&refused(Some("Sun, 22 Nov 1960 10:00:30 GMT"))), Some(1.0));
    assert_eq!(seconds(&refused(Some("3601"))), None);
    assert_eq!(seconds(&refused(Some("99999999999999999999999999"))), None);
    let by_us = seconds(&refused(Some("soon"))).unwrap();
    assert!((5.0..=6.25).contains(&by_us), "{by_us}");
    assert_eq!(seconds(&refused(None)), Some(by_us));
    let failed = Came { failed: true, ..Came::default() };
    assert!((2.0..=2.5).contains(&seconds(&failed).unwrap()));
}

#[test]
fn back_off_doubles_until_the_host_is_given_up_and_ends_with_an_answer() {
    let (wall, at) = (Timestamp::UNIX_EPOCH, url("http://a.example/"));
    let mut pace = Pace::default();
    let mut now = Instant::now();
    let mut ask = |came: &Came| {
        let turn = pace.begin(&at, 1, now).unwrap();
        pace.end(turn, came, &MANNERS, now, wall);
        match pace.look(&at, 1, now) {
            Err(NotYet::At(then)) => {
                let pause = then - now;
                now = then;
                Some(pause.as_secs_f64())
            }
            _ => None,
        }
    };
    let pauses: Vec<f64> = (0..5).filter_map(|_| ask(&refused(None))).collect();
    for (number, pause) in pauses.iter().enumerate() {
        let least = 5.0 * 2_f64.powi(i32::try_from(number).unwrap());
        assert!((least..=1.25 * least).contains(pause), "{pauses:?}");
    }
    assert_eq!(ask(&ok(10)), Some(1.0));
    assert_eq!((0..6).filter_map(|_| ask(&refused(None))).count(), 5, "the sixth in a row is the last");
}

#[test]
fn two_names_of_one_address_are_one_host() {
    let (now, wall) = (Instant::now(), Timestamp::UNIX_EPOCH);
    let (one, two) = (url("http://one.example/"), url("https://www.two.example/"));
    let mut pace = Pace::default();
    for at in [&one, &two] {
        let port = at.port_or_known_default().unwrap();
        let came = Came { peer: Some(format!("192.0.2.7:{port}")), ..ok(10) };
        let turn = pace.begin(at, 1, now).unwrap();
        pace.end(turn, &came, &MANNERS, now, wall);
    }
    let later = now + Duration::from_secs(60);
    let turn = pace.begin(&one, 1, later).unwrap();
    assert_eq!(pace.look(&two, 1, later), Err(NotYet::Busy));
    pace.end(turn, &ok(10), &MANNERS, later, wall);
    assert_eq!(pace.look(&two, 1, later), Err(NotYet::At(later + Duration::from_secs(1))));
    assert_eq!(pace.look(&url("http://three.example/"), 1, later), Ok(()));
}

/// What a host does with one request.
#[derive(Debug, Clone)]
struct Behaviour {
    takes_ms: u64,
    came: Came,
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    let came = prop_oneof![
        6 => Just(Came::default()),
        1 => (1_u64..40).prop_map(|seconds| refused(Some(&seconds.to_string()))),
        1 => Just(refused(None)),
        1 => Just(Came { failed: true, ..Came::default() }),
        1 => (1_u64..5).prop_map(|seconds| Came {
            crawl_delay: Some(Duration::from_secs(seconds)), ..Came::default()
        }),
    ];
    (0_u64..3000, came).prop_map(|(takes_ms, came)| {
        let latency = (!came.failed).then(|| Duration::from_millis(takes_ms));
        Behaviour { takes_ms, came: Came { latency, ..came } }
    })
}

/// One request as its host saw it.
#[derive(Debug)]
struct Seen {
    host: usize,
    began: Instant,
    ended: Instant,
    /// The earliest instant at which the next one may begin.
    next: Instant,
}

/// Lets jobs ask hosts, each with its own list, and returns what the hosts saw.
fn simulate(jobs: &[Vec<usize>], behaviours: &[Behaviour]) -> Vec<Seen> {
    let hosts = ["http://a.example/", "http://b.example/", "http://www.a.example/x"].map(url);
    // The first and the third are one registrable domain.
    let lane = |host: usize| if host == 2 { 0 } else { host };
    let wall = Timestamp::UNIX_EPOCH;
    let (mut pace, mut now) = (Pace::default(), Instant::now());
    let mut lists: Vec<std::collections::VecDeque<usize>> =
        jobs.iter().map(|list| list.iter().copied().collect()).collect();
    let mut under_way: Vec<(Instant, Turn, usize, Instant, Behaviour)> = Vec::new();
    let (mut seen, mut asked) = (Vec::new(), 0);
    loop {
        let mut wake_at: Option<Instant> = None;
        for list in &mut lists {
            while let Some(&host) = list.front() {
                match pace.begin(&hosts[host], 1, now) {
                    Ok(turn) => {
                        let behaviour = behaviours[asked % behaviours.len()].clone();
                        asked += 1;
                        let ends = now + Duration::from_millis(behaviour.takes_ms);
                        under_way.push((ends, turn, host, now, behaviour));
                        list.pop_front();
                    }
                    Err(NotYet::Never(_)) => drop(list.pop_front()),
                    Err(NotYet::At(at)) => {
                        wake_at = Some(wake_at.map_or(at, |wake| wake.min(at)));
                        break;
                    }
                    Err(NotYet::Busy) => break,
                }
            }
        }
        under_way.sort_by_key(|entry| std::cmp::Reverse(entry.0));
        let ends = under_way.last().map(|entry| entry.0);
        let Some(next) = [ends, wake_at].into_iter().flatten().min() else { return seen };
        now = next;
        while under_way.last().is_some_and(|entry| entry.0 <= now) {
            let (ended, turn, host, began, Behaviour { takes_ms, came }) = under_way.pop().unwrap();
            pace.end(turn, &came, &MANNERS, now, wall);
            let latency = if came.failed { 0 } else { takes_ms };
            let asked_for = came.retry_after.as_ref().map_or(0, |text| text.parse::<u64>().unwrap() * 1000);
            let delay = came.crawl_delay.map_or(0, |delay| delay.as_secs() * 1000);
            let pause = 1000.max(2 * latency).max(asked_for).max(delay);
            seen.push(Seen { host: lane(host), began, ended, next: ended + Duration::from_millis(pause) });
        }
    }
}

proptest! {
    #[test]
    fn no_host_is_asked_twice_at_once_or_too_soon(
        jobs in prop::collection::vec(prop::collection::vec(0_usize..3, 1..12), 8),
        behaviours in prop::collection::vec(behaviour(), 1..20),
    ) {
        let mut seen = simulate(&jobs, &behaviours);
        seen.sort_by_key(|one| one.began);
        for host in 0..2 {
            let of_host: Vec<&Seen> = seen.iter().filter(|one| one.host == host).collect();
            for pair in of_host.windows(2) {
                prop_assert!(pair[1].began >= pair[0].ended, "two at once: {pair:?}");
                prop_assert!(pair[1].began >= pair[0].next, "too soon: {pair:?}");
            }
        }
        // Nobody is forgotten, unless hosts were given up.
        let all: usize = jobs.iter().map(Vec::len).sum();
        let harmless = behaviours.iter().all(|one| !one.came.failed && !one.came.refused);
        prop_assert!(!harmless || seen.len() == all);
    }
}
