//! Schedules: here is how a site's last run stands and what the clock says; gives whether another is due.
//!
//! Nothing runs here: `crawl run --due` asks, called by the machine's own cron or timer. However many times were missed
//! while nobody asked, they are made up for by one run.

use crate::base::Timestamp;
use crate::config::ScheduleSettings;

/// How a site's last run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRun {
    /// There was none.
    None,
    /// It was killed, and waits to be gone on with.
    Killed,
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
    /// Now: its last run was killed.
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

/// Returns whether a site is due at `now`.
#[must_use]
pub fn due(schedule: &ScheduleSettings, last: LastRun, now: Timestamp) -> Due {
    let since = match last {
        LastRun::None => return Due::First,
        LastRun::Killed => return Due::GoesOn,
        LastRun::Stopped(at) | LastRun::Done(at) => at,
    };
    match schedule.next_after(since) {
        Some(next) if next <= now => Due::Since(next),
        Some(next) => Due::At(next),
        None => Due::Never,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_site_is_due_once_for_all_times_that_were_missed() {
        let nightly = ScheduleSettings::new("30 2 * * *", "UTC").unwrap();
        let began = at("2026-11-20T02:31:00Z");
        let due_at = |now: &str| due(&nightly, LastRun::Done(began), at(now));
        assert_eq!(due_at("2026-11-21T02:29:59Z"), Due::At(at("2026-11-21T02:30:00Z")));
        assert_eq!(due_at("2026-11-21T02:30:00Z"), Due::Since(at("2026-11-21T02:30:00Z")));
        assert_eq!(due_at("2026-11-26T12:00:00Z"), Due::Since(at("2026-11-21T02:30:00Z")));
        let again = LastRun::Done(at("2026-11-26T12:00:00Z"));
        assert_eq!(due(&nightly, again, at("2026-11-26T12:10:00Z")), Due::At(at("2026-11-27T02:30:00Z")));
    }

    #[test]
    fn unfinished_runs() {
        let nightly = ScheduleSettings::new("30 2 * * *", "UTC").unwrap();
        let now = at("2026-11-26T12:00:00Z");
        assert_eq!(due(&nightly, LastRun::None, now), Due::First);
        assert_eq!(due(&nightly, LastRun::Killed, now), Due::GoesOn);
        let stopped = LastRun::Stopped(at("2026-11-26T11:00:00Z"));
        assert_eq!(due(&nightly, stopped, now), Due::At(at("2026-11-27T02:30:00Z")));
        assert!(due(&nightly, stopped, at("2026-11-27T02:30:00Z")).is_now());
    }
}
