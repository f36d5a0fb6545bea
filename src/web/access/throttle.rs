//! Limits on how often somebody may knock: buckets that fill again, and locks that grow with each failure.
//!
//! A lock is for an account and the network that its password was guessed from, so that a stranger elsewhere locks nobody out. That
//! many networks guess together is what a wider bound is for, which leaves alone whoever has signed in well from where they are.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;

use crate::base::{Timestamp, lock};

/// Visitors that are remembered; when there are more, those that may do most are forgotten first.
const REMEMBERED_MAX: usize = 20_000;

/// A bucket of `most` requests that fills by `a_second` of them.
#[derive(Debug, Clone, Copy)]
struct Rate {
    most: f64,
    a_second: f64,
}

/// Seconds' worth of requests that an address may make at once.
const BURST_S: f64 = 6.0;
/// Attempts of one network to sign in.
const SIGN_INS: Rate = Rate { most: 20.0, a_second: 0.1 };
/// Failures to sign in to one account, of all networks together but those that it was signed in from well lately: ten an hour,
/// and fifty at once.
const FAILURES_EVERYWHERE: Rate = Rate { most: 50.0, a_second: 10.0 / 3600.0 };

/// Failures to sign in to one account from one network after which it is locked for that network.
const FAILURES_FREE: u32 = 5;
/// The first lock, in seconds; each further failure doubles it …
const LOCK_S: i64 = 30;
/// … up to this.
const LOCK_MAX_S: i64 = 900;
/// Seconds after the last failure, when they are forgotten.
const FAILURES_KEPT_S: i64 = 3600;
/// Seconds for which a network is known that an account was signed in from.
const KNOWN_S: i64 = 30 * 24 * 3600;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
    locked_until: Timestamp,
}

/// What a failure to sign in has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locked {
    /// The account is locked for the network that it came from, for so many seconds.
    Here(i64),
    /// Nobody may try any more from where the account was not signed in from lately, for about so many seconds.
    Everywhere(i64),
}

/// An account as it is tried from a network.
type From = (String, IpAddr);

/// What was knocked so far; in memory alone.
#[derive(Debug, Default)]
pub struct Throttle {
    requests: Mutex<HashMap<IpAddr, Bucket>>,
    sign_ins: Mutex<HashMap<IpAddr, Bucket>>,
    failures: Mutex<HashMap<From, Failures>>,
    failures_everywhere: Mutex<HashMap<String, Bucket>>,
    /// When each was signed in well.
    known: Mutex<HashMap<From, Timestamp>>,
}

impl Throttle {
    /// Counts a request of an address, of which `a_second` are allowed, any number where that is 0; gives how many seconds
    /// to wait where it has made too many.
    pub(super) fn request(&self, client: IpAddr, a_second: u32, now: Timestamp) -> Result<(), u64> {
        if a_second == 0 {
            return Ok(());
        }
        let rate = Rate { most: f64::from(a_second) * BURST_S, a_second: f64::from(a_second) };
        take(&mut lock(&self.requests), network(client), rate, now)
    }

    /// Counts an attempt to sign in; gives how many seconds to wait where there were too many, of the network or for the
    /// account.
    pub(super) fn sign_in(&self, client: IpAddr, account: &str, now: Timestamp) -> Result<(), u64> {
        take(&mut lock(&self.sign_ins), network(client), SIGN_INS, now)?;
        let from = (account.to_owned(), network(client));
        let failures = lock(&self.failures).get(&from).copied();
        if let Some(failures) = failures.filter(|one| one.locked_until > now) {
            return Err(seconds(now, failures.locked_until).max(1).unsigned_abs());
        }
        if self.knows(&from, now) {
            return Ok(());
        }
        let everywhere = lock(&self.failures_everywhere);
        let left = everywhere.get(account).map(|bucket| filled(*bucket, FAILURES_EVERYWHERE, now));
        left.map_or(Ok(()), |left| wait(left, FAILURES_EVERYWHERE))
    }

    fn knows(&self, from: &From, now: Timestamp) -> bool {
        lock(&self.known).get(from).is_some_and(|at| seconds(*at, now) < KNOWN_S)
    }

    /// Remembers a failure; gives what is locked by it, if something is.
    pub(super) fn failed(&self, client: IpAddr, account: &str, now: Timestamp) -> Option<Locked> {
        let from = (account.to_owned(), network(client));
        let is_known = self.knows(&from, now);
        let here = {
            let mut failures = lock(&self.failures);
            make_room(&mut failures, |one| if is_forgotten(one, now) { 0 } else { one.count });
            let one = failures.entry(from).or_insert(Failures { count: 0, last: now, locked_until: now });
            if is_forgotten(one, now) {
                one.count = 0;
            }
            (one.count, one.last) = (one.count.saturating_add(1), now);
            one.count.checked_sub(FAILURES_FREE).map(|beyond| {
                let lock_s =
                    LOCK_S.checked_shl(beyond).filter(|s| *s > 0).unwrap_or(LOCK_MAX_S).min(LOCK_MAX_S);
                let until = now.checked_add(jiff::SignedDuration::from_secs(lock_s));
                one.locked_until = until.unwrap_or(Timestamp::MAX);
                Locked::Here(lock_s)
            })
        };
        if is_known {
            return here;
        }
        let mut everywhere = lock(&self.failures_everywhere);
        // Of those that tried at once some may find it empty already.
        let _ = take(&mut everywhere, account.to_owned(), FAILURES_EVERYWHERE, now);
        let left = everywhere.get(account).map_or(FAILURES_EVERYWHERE.most, |bucket| bucket.left);
        let wait_s = wait(left, FAILURES_EVERYWHERE).err().and_then(|wait_s| i64::try_from(wait_s).ok());
        wait_s.map(Locked::Everywhere).or(here)
    }

    /// Forgets the failures of an account whose owner has signed in, and remembers from where.
    pub(super) fn succeeded(&self, client: IpAddr, account: &str, now: Timestamp) {
        let from = (account.to_owned(), network(client));
        lock(&self.failures).remove(&from);
        let mut known = lock(&self.known);
        // The longest ago first.
        make_room(&mut known, |at| u32::try_from(at.as_second()).unwrap_or(0));
        known.insert(from, now);
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

fn is_forgotten(failures: &Failures, now: Timestamp) -> bool {
    seconds(failures.last, now) >= FAILURES_KEPT_S
}

/// What is in a bucket by now.
fn filled(bucket: Bucket, rate: Rate, now: Timestamp) -> f64 {
    let passed_s = now.duration_since(bucket.at).as_secs_f64().max(0.0);
    (bucket.left + passed_s * rate.a_second).min(rate.most)
}

/// How many seconds are to be waited for a bucket with less than one in it.
fn wait(left: f64, rate: Rate) -> Result<(), u64> {
    if left < 1.0 { Err(((1.0 - left) / rate.a_second).ceil().max(1.0) as u64) } else { Ok(()) }
}

/// The network that an address counts for: itself, or the /64 of IPv6, which is one customer's.
pub fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

fn take<K: Clone + Eq + Hash>(
    buckets: &mut HashMap<K, Bucket>,
    of: K,
    rate: Rate,
    now: Timestamp,
) -> Result<(), u64> {
    make_room(buckets, |bucket| (rate.most - bucket.left).max(0.0) as u32);
    let bucket = buckets.entry(of).or_insert(Bucket { left: rate.most, at: now });
    *bucket = Bucket { left: filled(*bucket, rate, now), at: now };
    wait(bucket.left, rate)?;
    bucket.left -= 1.0;
    Ok(())
}

/// Forgets half of them where there are too many, those with the least weight first.
fn make_room<K: Clone + Eq + Hash, V>(of: &mut HashMap<K, V>, weight: impl Fn(&V) -> u32) {
    if of.len() < REMEMBERED_MAX {
        return;
    }
    let mut weights: Vec<u32> = of.values().map(&weight).collect();
    weights.sort_unstable();
    let median = weights.get(weights.len() / 2).copied().unwrap_or(0);
    of.retain(|_, value| weight(value) > median);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

    #[test]
    fn an_account_is_locked_longer_each_time_for_who_guesses() {
        let throttle = Throttle::default();
        let locks: Vec<Option<Locked>> = (0..12).map(|_| throttle.failed(HERE, "mika", at(0))).collect();
        assert_eq!(locks[..5], [None, None, None, None, Some(Locked::Here(30))]);
        assert_eq!(locks[5..], [60, 120, 240, 480, 900, 900, 900].map(|s| Some(Locked::Here(s))));
        assert_eq!(throttle.sign_in(HERE, "mika", at(0)), Err(900));
        // Neither another account from there, nor the owner elsewhere.
        assert_eq!(throttle.sign_in(HERE, "jun", at(0)), Ok(()));
        assert_eq!(throttle.sign_in(ELSEWHERE, "mika", at(0)), Ok(()));
        assert_eq!(throttle.sign_in(HERE, "mika", at(900)), Ok(()));
        throttle.succeeded(HERE, "mika", at(900));
        assert_eq!(throttle.failed(HERE, "mika", at(900)), None);
        for _ in 0..200 {
            throttle.failed(HERE, "mika", at(1000));
        }
        assert_eq!(throttle.failed(HERE, "mika", at(1000)), Some(Locked::Here(900)));
    }

    #[test]
    fn failures_are_forgotten_an_hour_after_the_last() {
        let throttle = Throttle::default();
        for minute in [0, 50, 100, 150] {
            assert_eq!(throttle.failed(HERE, "mika", at(60 * minute)), None);
        }
        assert_eq!(throttle.failed(HERE, "mika", at(60 * 200)), Some(Locked::Here(30)));
        for _ in 0..4 {
            assert_eq!(throttle.failed(HERE, "mika", at(60 * 260)), None);
        }
        assert_eq!(throttle.failed(HERE, "mika", at(60 * 319)), Some(Locked::Here(30)));
    }

    /// The `number`th of many networks.
    fn one_of_many(number: u32) -> IpAddr {
        IpAddr::from((0x0a00_0000 + number).to_be_bytes())
    }

    #[test]
    fn many_networks_together_guess_no_more_than_one_would() {
        let throttle = Throttle::default();
        throttle.succeeded(HERE, "mika", at(0));
        let mut guesses = 0;
        // Each second another network, for a day.
        for second in 0..24 * 3600u32 {
            let (bot, now) = (one_of_many(second), at(second.into()));
            if throttle.sign_in(bot, "mika", now).is_ok() {
                throttle.failed(bot, "mika", now);
                guesses += 1;
            }
        }
        assert!((50 + 230..=50 + 240).contains(&guesses), "{guesses}");
        let evening = at(24 * 3600);
        throttle.failed(one_of_many(24 * 3600), "mika", evening);
        assert!(throttle.sign_in(ELSEWHERE, "mika", evening).is_err());
        // The owner is where she was before, and is not bothered, even after a slip.
        assert_eq!(throttle.failed(HERE, "mika", evening), None);
        assert_eq!(throttle.sign_in(HERE, "mika", evening), Ok(()));
        // But not for ever.
        assert!(throttle.sign_in(HERE, "mika", at(KNOWN_S)).is_ok());
        for number in 0..60 {
            throttle.failed(one_of_many(number), "mika", at(KNOWN_S));
        }
        assert!(throttle.sign_in(HERE, "mika", at(KNOWN_S)).is_err());
        assert_eq!(throttle.sign_in(ELSEWHERE, "jun", evening), Ok(()));
    }

    #[test]
    fn the_last_free_guess_of_all_is_told() {
        let throttle = Throttle::default();
        let locks: Vec<Option<Locked>> =
            (0..50).map(|number| throttle.failed(one_of_many(number), "mika", at(0))).collect();
        assert!(locks[..49].iter().all(Option::is_none));
        assert_eq!(locks[49], Some(Locked::Everywhere(360)));
    }

    #[test]
    fn an_address_waits_and_a_network_is_one() {
        let throttle = Throttle::default();
        let peer: IpAddr = "2001:db8:1:2::7".parse().unwrap();
        for _ in 0..20 {
            assert_eq!(throttle.sign_in(peer, "a", at(0)), Ok(()));
        }
        let neighbour: IpAddr = "2001:db8:1:2:ffff::1".parse().unwrap();
        assert_eq!(throttle.sign_in(neighbour, "a", at(0)), Err(10));
        assert_eq!(throttle.sign_in("2001:db8:1:3::7".parse().unwrap(), "a", at(0)), Ok(()));
        assert_eq!(throttle.sign_in(peer, "a", at(10)), Ok(()));
        assert_eq!((0..400).filter(|_| throttle.request(peer, 50, at(0)).is_ok()).count(), 300);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..30_000u32 {
            let _ = throttle.request(IpAddr::from(number.to_be_bytes()), 50, at(0));
            throttle.failed(HERE, &number.to_string(), at(0));
            throttle.succeeded(HERE, &number.to_string(), at(number.into()));
        }
        assert!(lock(&throttle.requests).len() <= REMEMBERED_MAX);
        assert!(lock(&throttle.failures).len() <= REMEMBERED_MAX);
        assert!(lock(&throttle.failures_everywhere).len() <= REMEMBERED_MAX);
        assert!(lock(&throttle.known).len() <= REMEMBERED_MAX);
    }
}
