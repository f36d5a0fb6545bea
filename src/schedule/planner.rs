//! Which sites begin now.

use super::due::{Due, LastRun, due};
use crate::base::Timestamp;
use crate::config::ScheduleSettings;

/// How it stands with one site.
#[derive(Debug, Clone, Copy)]
pub struct SiteStanding<'a> {
    /// The site.
    pub name: &'a str,
    /// When it is crawled.
    pub schedule: &'a ScheduleSettings,
    /// How its last run stands in the store.
    pub last: LastRun,
    /// Whether it is being crawled; it is not begun once more meanwhile.
    pub is_running: bool,
    /// Whether its schedule is halted.
    pub is_paused: bool,
}

/// Returns the sites that begin at `now`, those that have waited longest first, so that at most `at_once` run.
#[must_use]
pub fn begin_now<'a>(sites: &[SiteStanding<'a>], now: Timestamp, at_once: usize) -> Vec<&'a str> {
    let running = sites.iter().filter(|site| site.is_running).count();
    let mut waiting: Vec<(Timestamp, &'a str)> = sites
        .iter()
        .filter(|site| !site.is_running && !site.is_paused)
        .filter_map(|site| match due(site.name, site.schedule, site.last, now) {
            // Those that were broken off have begun already, and go first.
            Due::GoesOn => Some((Timestamp::MIN, site.name)),
            Due::Since(at) => Some((at, site.name)),
            Due::First => Some((now, site.name)),
            Due::At(_) | Due::Never => None,
        })
        .collect();
    waiting.sort_unstable();
    waiting.into_iter().take(at_once.saturating_sub(running)).map(|(_, name)| name).collect()
}
