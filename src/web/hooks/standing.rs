//! How a webhook stands, and what follows from a try: pure, time is handed in.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::base::{Digest, Timestamp};
use crate::store::Record;

/// Seconds that are waited after the first, second … failure in a row; the last for all further ones. After the schedule that
/// <https://www.standardwebhooks.com> recommends.
const WAITS_S: [i64; 8] = [5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, LONGEST_S];
/// The longest of them, and the longest wait that a receiver can ask for.
const LONGEST_S: i64 = 12 * 3600;
/// By how many percent a wait may be longer, so that webhooks of one receiver do not come at the same instant.
const JITTER_PERCENT: i64 = 20;
/// Seconds without success after which nothing more is sent before a person says so.
const PATIENCE_S: i64 = 3 * 24 * 3600;

/// How a webhook stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::web) struct Standing {
    /// Which webhook.
    pub(in crate::web) webhook_id: String,
    /// The number of the last entry of the operation log that was delivered or passed over.
    pub(in crate::web) number: u64,
    /// Failures in a row.
    #[serde(default)]
    pub(in crate::web) failures: u32,
    /// When the first of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::web) failing_since: Option<Timestamp>,
    /// Before when nothing is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::web) next_try: Option<Timestamp>,
    /// The last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::web) last: Option<Tried>,
}

/// A try, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::web) struct Tried {
    /// When it was over.
    pub(in crate::web) at: Timestamp,
    /// What was answered.
    pub(in crate::web) outcome: Outcome,
}

/// What came of sending a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Sent {
    /// What was answered.
    pub(in crate::web) outcome: Outcome,
    /// How long the receiver asks not to be asked again (`Retry-After`).
    pub(in crate::web) retry_after: Option<Duration>,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Outcome {
    /// The receiver's HTTP status.
    Answered(u16),
    /// Why there was none.
    Failed(String),
}

/// Why a webhook was paused by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Why {
    /// The receiver said that it is gone for good.
    Gone,
    /// Nothing was taken for days.
    Untaken,
}

impl Record for Standing {
    const KIND: &'static str = "webhook_standing";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.webhook_id.clone()
    }
}

impl From<Outcome> for Sent {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, retry_after: None }
    }
}

impl Outcome {
    /// Whether the receiver took it.
    pub(in crate::web) const fn is_taken(&self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// The status, where there was an answer.
    pub(in crate::web) const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(*status),
            Self::Failed(_) => None,
        }
    }

    /// In words.
    pub(in crate::web) fn text(&self) -> String {
        match self {
            Self::Answered(status) => status.to_string(),
            Self::Failed(why) => why.clone(),
        }
    }
}

impl Why {
    /// In words, for the log and for programs.
    pub(in crate::web) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "the receiver answered 410: it is gone for good",
            Self::Untaken => "nothing was taken for 3 days",
        }
    }
}

impl Standing {
    /// One that begins behind an entry.
    pub(super) const fn begin(webhook_id: String, number: u64) -> Self {
        Self { webhook_id, number, failures: 0, failing_since: None, next_try: None, last: None }
    }

    /// Whether something is to be tried now, where the log ends at `head`. A time further away than any wait is one from before
    /// the clock was set back.
    pub(super) fn is_due(&self, head: u64, now: Timestamp) -> bool {
        let is_time = |next: Timestamp| next <= now || next.duration_since(now) > wait_most();
        self.number < head && self.next_try.is_none_or(is_time)
    }

    /// How it stands once the entries up to `number` are none of its concern.
    pub(super) fn passed(mut self, number: u64) -> Self {
        self.number = self.number.max(number);
        self
    }

    /// How it stands after a try to deliver entry `number`, and why it is to be paused.
    pub(super) fn after(self, number: u64, sent: &Sent, at: Timestamp) -> (Self, Option<Why>) {
        let Sent { outcome, retry_after } = sent;
        let last = Some(Tried { at, outcome: outcome.clone() });
        if outcome.is_taken() {
            let number = self.number.max(number);
            return (Self { last, ..Self::begin(self.webhook_id, number) }, None);
        }
        // A clock that was set back must not make the patience endless.
        let since = self.failing_since.map_or(at, |since| since.min(at));
        let failures = self.failures.saturating_add(1);
        // Later than it would be tried anyhow where the receiver asks for that, and never later than the longest wait.
        let asked = retry_after.map_or(0, |asked| asked.as_secs().min(LONGEST_S.unsigned_abs()));
        let wait =
            wait(&self.webhook_id, number, failures).max(SignedDuration::from_secs(asked.cast_signed()));
        let why = if outcome.status() == Some(410) {
            Some(Why::Gone)
        } else {
            (at.as_second().saturating_sub(since.as_second()) >= PATIENCE_S).then_some(Why::Untaken)
        };
        let next_try = Some(at.checked_add(wait).unwrap_or(Timestamp::MAX));
        (
            Self {
                failures,
                failing_since: Some(since),
                next_try,
                last,
                ..self.passed(number.saturating_sub(1))
            },
            why,
        )
    }

    /// How it stands once a person has it go on: at once, with all patience.
    pub(super) fn resumed(self) -> Self {
        Self { failures: 0, failing_since: None, next_try: None, ..self }
    }
}

/// How long is waited after so many failures in a row to deliver an entry.
fn wait(webhook_id: &str, number: u64, failures: u32) -> SignedDuration {
    let at = (failures.max(1) as usize - 1).min(WAITS_S.len() - 1);
    let base_ms = WAITS_S.get(at).copied().unwrap_or_default() * 1000;
    let seed = Digest::of(format!("{webhook_id}\n{number}\n{failures}").as_bytes()).to_string();
    // The first 32 bits of a digest, as a part of one.
    let part = i64::from(seed.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0));
    let jitter_ms = ((base_ms * JITTER_PERCENT / 100) * part) >> 32;
    SignedDuration::from_millis(base_ms + jitter_ms)
}

/// The longest wait there is.
fn wait_most() -> SignedDuration {
    SignedDuration::from_secs(LONGEST_S + LONGEST_S * JITTER_PERCENT / 100)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn begun() -> Standing {
        Standing::begin("W-0123456789".to_owned(), 7)
    }

    #[test]
    fn what_was_taken_is_passed_and_what_failed_is_tried_again() {
        assert!(begun().is_due(8, at(0)) && !begun().is_due(7, at(0)));
        let failed = Outcome::Failed("cannot connect".to_owned()).into();
        let (standing, why) = begun().after(10, &failed, at(0));
        // The entries before the one that failed were none of its concern.
        assert_eq!((standing.number, standing.failures, why), (9, 1, None));
        assert!(!standing.is_due(20, at(4)) && standing.is_due(20, at(6)));
        for status in [199, 301, 307, 400, 401, 500] {
            let (standing, why) = standing.clone().after(10, &answered(status), at(6));
            assert_eq!((standing.number, standing.failures, why), (9, 2, None), "{status}");
            assert!(!standing.is_due(20, at(6 + 29)) && standing.is_due(20, at(6 + 36)));
        }
        let (standing, why) = standing.after(10, &answered(204), at(6));
        assert_eq!((standing.number, standing.failures, standing.next_try, why), (10, 0, None, None));
        assert_eq!(standing.last.unwrap().outcome.status(), Some(204));
    }

    #[test]
    fn it_waits_as_long_as_the_receiver_asks_for() {
        let asks = |seconds| Sent { retry_after: Some(Duration::from_secs(seconds)), ..answered(503) };
        let next = |seconds| begun().after(8, &asks(seconds), at(0)).0.next_try.unwrap();
        assert_eq!(next(90), at(90));
        // Sooner than the schedule says is not for the receiver to ask, and there is an end to it.
        assert!(next(0) >= at(5));
        assert_eq!((next(12 * 3600 + 1), next(u64::MAX)), (at(LONGEST_S), at(LONGEST_S)));
        let (standing, _) = begun().after(8, &asks(u64::MAX), at(0));
        assert!(!standing.is_due(8, at(LONGEST_S - 1)) && standing.is_due(8, at(LONGEST_S)));
    }

    #[test]
    fn it_gives_up_after_three_days_or_at_once_where_told_so() {
        let mut standing = begun();
        let (mut now, mut tries) = (0, 0);
        let given_up = loop {
            let (next, why) = standing.after(8, &answered(503), at(now));
            tries += 1;
            if why.is_some() {
                break why;
            }
            now = next.next_try.unwrap().as_second() - at(0).as_second() + 1;
            standing = next;
        };
        assert_eq!(given_up, Some(Why::Untaken));
        assert!((PATIENCE_S..PATIENCE_S + 15 * 3600).contains(&now), "{now}");
        assert!((11..=13).contains(&tries), "{tries}");
        let (standing, why) = begun().after(8, &answered(410), at(0));
        assert_eq!(why, Some(Why::Gone));
        let resumed = standing.resumed();
        assert!(resumed.is_due(8, at(0)) && resumed.number == 7);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let (standing, _) = begun().after(8, &answered(500), at(10 * 24 * 3600));
        assert!(standing.is_due(8, at(0)));
        let (standing, _) = standing.after(8, &answered(500), at(0));
        assert_eq!(standing.failing_since, Some(at(0)));
    }

    fn answered(status: u16) -> Sent {
        Outcome::Answered(status).into()
    }

    fn sent() -> impl Strategy<Value = Sent> {
        let outcome =
            prop_oneof![any::<u16>().prop_map(Outcome::Answered), ".{0,9}".prop_map(Outcome::Failed)];
        (outcome, any::<Option<Duration>>()).prop_map(|(outcome, retry_after)| Sent { outcome, retry_after })
    }

    proptest! {
        #[test]
        fn waits_grow_and_have_an_end(id in ".{0,12}", number in any::<u64>(), failures in any::<u32>()) {
            let one = wait(&id, number, failures);
            prop_assert_eq!(one, wait(&id, number, failures));
            prop_assert!(one >= SignedDuration::from_secs(5) && one <= wait_most());
            if failures >= 1 {
                prop_assert!(wait(&id, number, failures.saturating_add(1)) >= one || failures >= 8);
            }
        }

        #[test]
        fn no_way_leads_back_and_only_what_was_taken_leads_on(
            tries in prop::collection::vec((1u64..50, sent(), any::<i32>()), 1..40)
        ) {
            let mut standing = begun();
            for (further, sent, second) in tries {
                let number = standing.number + further;
                let (next, why) = standing.clone().after(number, &sent, at(i64::from(second)));
                let is_taken = sent.outcome.is_taken();
                let wanted = if is_taken { number } else { number - 1 };
                prop_assert_eq!(next.number, wanted.max(standing.number));
                prop_assert_eq!(next.failures == 0, is_taken);
                prop_assert!(why.is_none() || !is_taken);
                prop_assert!(next.is_due(u64::MAX, next.next_try.unwrap_or_else(|| at(0))));
                standing = next;
            }
        }
    }
}
