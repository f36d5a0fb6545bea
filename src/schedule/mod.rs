//! Schedules: here is how a site's last run stands and what the clock says; gives whether another is due, and, of all
//! sites, which begin now.
//!
//! Nothing runs here: `crawl run --due` asks, called by the machine's own cron or timer, and `serve` asks by itself. What decides
//! is pure, so that a year of it can be tried in a second.

mod due;
mod pause;
mod planner;
#[cfg(test)]
mod year_tests;

pub use due::{Due, LastRun, due, due_of_site, last_runs};
pub use pause::{Pause, pause, paused, resume};
pub use planner::{SiteStanding, begin_now};

use crate::store::Kinds;

/// Adds this room's kinds of record to those that an import knows.
#[must_use]
pub fn with_kinds(kinds: Kinds) -> Kinds {
    kinds.with::<Pause>()
}
