//! Sites, or all of them, whose schedules a person has halted.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::store::{Batch, Error, Record, Store};

/// The name that stands for all sites.
const ALL: &str = "*";

/// That a schedule is halted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Which site; `*` for all.
    pub site: String,
    /// Since when.
    pub at: Timestamp,
    /// Who halted it.
    pub by: String,
}

impl Record for Pause {
    const KIND: &'static str = "schedule_pause";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.site.clone()
    }
}

/// Halts the schedule of a site, or, without a name, all. What runs goes on.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn pause(store: &Store, site: Option<&str>, by: &str, now: Timestamp) -> Result<(), Error> {
    store.put(&Pause { site: site.unwrap_or(ALL).to_owned(), at: now, by: by.to_owned() })
}

/// Lets the schedule go on; times that were missed meanwhile are treated as the schedule says.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn resume(store: &Store, site: Option<&str>) -> Result<(), Error> {
    let mut batch = Batch::new();
    batch.delete::<Pause>(site.unwrap_or(ALL));
    store.commit(batch)
}

/// Why a site's schedule is halted, if it is.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn paused(store: &Store, site: &str) -> Result<Option<Pause>, Error> {
    match store.get::<Pause>(ALL)? {
        Some(all) => Ok(Some(all)),
        None => store.get::<Pause>(site),
    }
}
