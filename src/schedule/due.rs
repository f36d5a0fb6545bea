//! Whether a site is due.

use std::collections::BTreeMap;

use crate::base::{Digest, Timestamp};
use crate::config::{CatchUp, ScheduleSettings};
use crate::crawl::{self, JobRecord, JobState};
use crate::store::{Error, Store};

/// How a site's last run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRun {
    /// There was none.
    None,
    /// It was broken off, killed or ended with the service, and waits to be gone on with.
    BrokenOff,
    /// A person or a budget stopped it then; the schedule's next time goes on with it.
    Stopped(Timestamp),
    /// It is done, and began then.
    Done(Timestamp),
}

/// Why a site is to be crawled now, or when it will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Now: it never was.
    First,
    /// Now: its last run was broken off.
    GoesOn,
    /// Now: its time came at this instant.
    Since(Timestamp),
    /// Not before this instant.
    At(Timestamp),
    /// Not within the calendar.
    Never,
}

impl Due {
    /// Whether it is due now.
    #[must_use]
    pub const fn is_now(self) -> bool {
        matches!(self, Self::First | Self::GoesOn | Self::Since(_))
    }
}

/// How the last runs stand that a store holds, by site.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn last_runs(store: &Store) -> Result<BTreeMap<String, LastRun>, Error> {
    let stand = |job: JobRecord| {
        let last = match job.state {
            JobState::Running => LastRun::BrokenOff,
            JobState::Stopped if job.goes_on => LastRun::BrokenOff,
            JobState::Stopped => LastRun::Stopped(job.changed_at),
            JobState::Done => LastRun::Done(job.resumed_at.unwrap_or(job.began_at)),
        };
        (job.name, last)
    };
    Ok(crawl::jobs(store)?.into_iter().map(stand).collect())
}

/// A time that nobody has looked at for so long was missed; until then it is merely late.
const LATE: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// Returns whether the site `name` is due at `now`.
#[must_use]
pub fn due(name: &str, schedule: &ScheduleSettings, last: LastRun, now: Timestamp) -> Due {
    let since = match last {
        LastRun::None => return Due::First,
        LastRun::BrokenOff => return Due::GoesOn,
        LastRun::Stopped(at) | LastRun::Done(at) => at,
    };
    let since = match schedule.catch_up {
        CatchUp::Once => since,
        // Also in reach of the longest jitter: what waits for its second was not missed.
        CatchUp::Skip => {
            let reach = LATE + jiff::SignedDuration::from_secs(schedule.jitter_s.into());
            since.max(now.checked_sub(reach).unwrap_or(Timestamp::MIN))
        }
    };
    let Some(next) = schedule.next_after(since) else { return Due::Never };
    let begins = next.checked_add(jitter(name, schedule, next)).unwrap_or(Timestamp::MAX);
    if begins <= now { Due::Since(next) } else { Due::At(begins) }
}

/// Returns whether a site is due at `now` that may have no schedule: a run that a person began goes on too where it was broken
/// off.
#[must_use]
pub fn due_of_site(name: &str, schedule: Option<&ScheduleSettings>, last: LastRun, now: Timestamp) -> Due {
    match (schedule, last) {
        (Some(schedule), last) => due(name, schedule, last, now),
        (None, LastRun::BrokenOff) => Due::GoesOn,
        (None, _) => Due::Never,
    }
}

/// How long after its time a run begins: the same for the same site and time, so that a restart changes nothing.
fn jitter(name: &str, schedule: &ScheduleSettings, at: Timestamp) -> jiff::SignedDuration {
    if schedule.jitter_s == 0 {
        return jiff::SignedDuration::ZERO;
    }
    let digest = Digest::of(format!("{name}\n{}", at.as_second()).as_bytes()).to_string();
    let number = digest.get(..15).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
    let seconds = number % (u64::from(schedule.jitter_s) + 1);
    jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_site_is_due_once_for_all_times_that_were_missed() {
        let nightly = ScheduleSettings::new("30 2 * * *", "UTC").unwrap();
        let began = at("2026-11-20T02:31:00Z");
        let due_at = |now: &str| due("site", &nightly, LastRun::Done(began), at(now));
        assert_eq!(due_at("2026-11-21T02:29:59Z"), Due::At(at("2026-11-21T02:30:00Z")));
        assert_eq!(due_at("2026-11-21T02:30:00Z"), Due::Since(at("2026-11-21T02:30:00Z")));
        assert_eq!(due_at("2026-11-26T12:00:00Z"), Due::Since(at("2026-11-21T02:30:00Z")));
        let again = LastRun::Done(at("2026-11-26T12:00:00Z"));
        assert_eq!(
            due("site", &nightly, again, at("2026-11-26T12:10:00Z")),
            Due::At(at("2026-11-27T02:30:00Z"))
        );
    }

    #[test]
    fn missed_times_are_skipped_where_that_is_wanted() {
        let nightly = ScheduleSettings {
            catch_up: CatchUp::Skip,
            ..ScheduleSettings::new("30 2 * * *", "UTC").unwrap()
        };
        let last = LastRun::Done(at("2026-11-20T02:31:00Z"));
        let due_at = |now: &str| due("site", &nightly, last, at(now));
        assert_eq!(due_at("2026-11-21T02:40:00Z"), Due::Since(at("2026-11-21T02:30:00Z")));
        assert_eq!(due_at("2026-11-21T02:46:00Z"), Due::At(at("2026-11-22T02:30:00Z")));
    }

    #[test]
    fn jitter_spreads_sites_and_is_the_same_again() {
        let nightly =
            ScheduleSettings { jitter_s: 600, ..ScheduleSettings::new("30 2 * * *", "UTC").unwrap() };
        let last = LastRun::Done(at("2026-11-20T03:00:00Z"));
        let begins: std::collections::BTreeSet<Timestamp> = (0..50)
            .map(|number| match due(&format!("site{number}"), &nightly, last, at("2026-11-20T04:00:00Z")) {
                Due::At(at) => at,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(begins.len() > 30, "{begins:?}");
        let range = at("2026-11-21T02:30:00Z")..=at("2026-11-21T02:40:00Z");
        assert!(begins.iter().all(|at| range.contains(at)));
    }

    #[test]
    fn a_run_goes_on_that_nobody_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let ended = at("2026-11-26T11:00:00Z");
        // As older versions wrote them too: without `goes_on`.
        for (name, state, goes_on) in [
            ("killed", "running", None),
            ("service", "stopped", Some(true)),
            ("person", "stopped", Some(false)),
            ("old", "stopped", None),
        ] {
            let mut job = serde_json::json!({
                "name": name, "state": state, "began_at": "2026-11-26T10:00:00Z", "changed_at": ended,
                "summary": crawl::Summary::default(), "next_number": 0, "sitemaps_taken": 0,
            });
            if let Some(goes_on) = goes_on {
                job["goes_on"] = goes_on.into();
            }
            store.put(&serde_json::from_value::<JobRecord>(job).unwrap()).unwrap();
        }
        let last = last_runs(&store).unwrap();
        assert_eq!(last["killed"], LastRun::BrokenOff);
        assert_eq!(last["service"], LastRun::BrokenOff);
        assert_eq!(last["person"], LastRun::Stopped(ended));
        assert_eq!(last["old"], LastRun::Stopped(ended));
    }

    #[test]
    fn unfinished_runs() {
        let nightly = ScheduleSettings::new("30 2 * * *", "UTC").unwrap();
        let now = at("2026-11-26T12:00:00Z");
        assert_eq!(due("site", &nightly, LastRun::None, now), Due::First);
        assert_eq!(due("site", &nightly, LastRun::BrokenOff, now), Due::GoesOn);
        let stopped = LastRun::Stopped(at("2026-11-26T11:00:00Z"));
        assert_eq!(due("site", &nightly, stopped, now), Due::At(at("2026-11-27T02:30:00Z")));
        assert!(due("site", &nightly, stopped, at("2026-11-27T02:30:00Z")).is_now());
    }
}
