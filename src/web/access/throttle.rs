//! Limits on how often somebody may knock: buckets that fill again, and locks that grow with each failure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::Timestamp;

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
/// Attempts of one address to sign in.
const SIGN_INS: Rate = Rate { most: 20.0, a_second: 0.1 };

/// Failures to sign in to one account after which it is locked.
const FAILURES_FREE: u32 = 5;
/// The first lock, in seconds; each further failure doubles it …
const LOCK_S: i64 = 30;
/// … up to this.
const LOCK_MAX_S: i64 = 900;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    locked_until: Timestamp,
}

/// What was knocked so far; in memory alone.
#[derive(Debug, Default)]
pub struct Throttle {
    requests: Mutex<HashMap<IpAddr, Bucket>>,
    sign_ins: Mutex<HashMap<IpAddr, Bucket>>,
    failures: Mutex<HashMap<String, Failures>>,
}

impl Throttle {
    /// Counts a request of an address, of which `a_second` are allowed, any number where that is 0; gives how many seconds
    /// to wait where it has made too many.
    pub(super) fn request(&self, peer: IpAddr, a_second: u32, now: Timestamp) -> Result<(), u64> {
        if a_second == 0 {
            return Ok(());
        }
        let rate = Rate { most: f64::from(a_second) * BURST_S, a_second: f64::from(a_second) };
        take(&mut lock(&self.requests), network(peer), rate, now)
    }

    /// Counts an attempt to sign in; gives how many seconds to wait where there were too many, of the address or for the
    /// account.
    pub(super) fn sign_in(&self, peer: IpAddr, account: &str, now: Timestamp) -> Result<(), u64> {
        take(&mut lock(&self.sign_ins), network(peer), SIGN_INS, now)?;
        match lock(&self.failures).get(account) {
            Some(failures) if failures.locked_until > now => {
                Err((failures.locked_until.as_second() - now.as_second()).max(1).unsigned_abs())
            }
            _ => Ok(()),
        }
    }

    /// Remembers a failure; gives for how many seconds the account is locked by it, if it is.
    pub(super) fn failed(&self, account: &str, now: Timestamp) -> Option<i64> {
        let mut failures = lock(&self.failures);
        make_room(&mut failures, |one| one.count);
        let one = failures.entry(account.to_owned()).or_insert(Failures { count: 0, locked_until: now });
        one.count = one.count.saturating_add(1);
        let beyond = one.count.checked_sub(FAILURES_FREE)?;
        let lock_s = LOCK_S.checked_shl(beyond).filter(|s| *s > 0).unwrap_or(LOCK_MAX_S).min(LOCK_MAX_S);
        one.locked_until = now.checked_add(jiff::SignedDuration::from_secs(lock_s)).unwrap_or(Timestamp::MAX);
        Some(lock_s)
    }

    /// Forgets the failures of an account whose owner has signed in.
    pub(super) fn succeeded(&self, account: &str) {
        lock(&self.failures).remove(account);
    }
}

/// A network of IPv6 is one customer's.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

fn take(buckets: &mut HashMap<IpAddr, Bucket>, of: IpAddr, rate: Rate, now: Timestamp) -> Result<(), u64> {
    make_room(buckets, |bucket| (rate.most - bucket.left).max(0.0) as u32);
    let bucket = buckets.entry(of).or_insert(Bucket { left: rate.most, at: now });
    let passed_s = now.duration_since(bucket.at).as_secs_f64().max(0.0);
    *bucket = Bucket { left: (bucket.left + passed_s * rate.a_second).min(rate.most), at: now };
    if bucket.left < 1.0 {
        return Err(((1.0 - bucket.left) / rate.a_second).ceil().max(1.0) as u64);
    }
    bucket.left -= 1.0;
    Ok(())
}

/// Forgets half of them where there are too many, those with the least weight first.
fn make_room<K: Clone + Eq + std::hash::Hash, V>(of: &mut HashMap<K, V>, weight: impl Fn(&V) -> u32) {
    if of.len() < REMEMBERED_MAX {
        return;
    }
    let mut weights: Vec<u32> = of.values().map(&weight).collect();
    weights.sort_unstable();
    let median = weights.get(weights.len() / 2).copied().unwrap_or(0);
    of.retain(|_, value| weight(value) > median);
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn an_account_is_locked_longer_each_time() {
        let throttle = Throttle::default();
        let locks: Vec<Option<i64>> = (0..12).map(|_| throttle.failed("mika", at(0))).collect();
        assert_eq!(locks[..5], [None, None, None, None, Some(30)]);
        assert_eq!(locks[5..], [60, 120, 240, 480, 900, 900, 900].map(Some));
        let peer = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(throttle.sign_in(peer, "mika", at(0)), Err(900));
        assert_eq!(throttle.sign_in(peer, "jun", at(0)), Ok(()));
        assert_eq!(throttle.sign_in(peer, "mika", at(900)), Ok(()));
        throttle.succeeded("mika");
        assert_eq!(throttle.failed("mika", at(900)), None);
        for _ in 0..200 {
            throttle.failed("mika", at(0));
        }
        assert_eq!(throttle.failed("mika", at(0)), Some(900));
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
            throttle.failed(&number.to_string(), at(0));
        }
        assert!(lock(&throttle.requests).len() <= REMEMBERED_MAX);
        assert!(lock(&throttle.failures).len() <= REMEMBERED_MAX);
    }
}
