//! Which sites begin now.

use super::due::{Due, LastRun, due_of_site};
use crate::base::Timestamp;
use crate::config::ScheduleSettings;

/// How it stands with one site.
#[derive(Debug, Clone, Copy)]
pub struct SiteStanding<'a> {
    /// The site.
    pub name: &'a str,
    /// When it is crawled; none where only people begin its runs.
    pub schedule: Option<&'a ScheduleSettings>,
    /// How its last run stands in the store.
    pub last: LastRun,
    /// Whether it is being crawled; it is not begun once more meanwhile.
    pub is_running: bool,
    /// Whether its schedule is halted, or it is let alone after a failure.
    pub is_paused: bool,
}

/// Returns the sites that begin at `now`, those that have waited longest first, so that at most `at_once` run.
#[must_use]
pub fn begin_now<'a>(sites: &[SiteStanding<'a>], now: Timestamp, at_once: usize) -> Vec<&'a str> {
    let running = sites.iter().filter(|site| site.is_running).count();
    let mut waiting: Vec<(Timestamp, &'a str)> = sites
        .iter()
        .filter(|site| !site.is_running && !site.is_paused)
        .filter_map(|site| match due_of_site(site.name, site.schedule, site.last, now) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_began_goes_on_without_a_schedule() {
        let now = Timestamp::UNIX_EPOCH;
        let site =
            |name, last| SiteStanding { name, schedule: None, last, is_running: false, is_paused: false };
        let mut sites = [
            site("broken off", LastRun::BrokenOff),
            site("paused", LastRun::BrokenOff),
            site("stopped", LastRun::Stopped(now)),
            site("done", LastRun::Done(now)),
            site("never begun", LastRun::None),
        ];
        sites[1].is_paused = true;
        assert_eq!(begin_now(&sites, now, 8), ["broken off"]);
        assert!(begin_now(&sites, now, 0).is_empty());
    }
}
