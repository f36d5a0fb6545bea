//! The licence graph as the store keeps it. It lives here because `rights` is pure and knows no store.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::rights::{Licence, LicenceGraph};
use crate::store::{Batch, Error, Record, Store};

impl Record for Licence {
    const KIND: &'static str = "licence";
    const JOURNALLED: bool = true;

    /// Every version is a record of its own: nothing is ever written over.
    fn key(&self) -> String {
        // A name longer than a store's key is cut to its digest; the record itself holds it whole.
        let id = &self.licence_id;
        let id = if id.len() > 400 { crate::base::Digest::of(id.as_bytes()).to_string() } else { id.clone() };
        format!("{id}#{:06}", self.version)
    }
}

/// What recording licences comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Recorded {
    /// How many licences are new.
    pub new: usize,
    /// How many have new terms, kept as a new version.
    pub changed: usize,
    /// How many are as they were.
    pub unchanged: usize,
}

/// Reads all versions of all licences.
///
/// # Errors
/// [`Error`] when the store fails or a record is damaged.
pub fn load_licences(store: &Store) -> Result<LicenceGraph, Error> {
    Ok(LicenceGraph::new(store.scan::<Licence>("")?.collect::<Result<Vec<_>, _>>()?))
}

/// Compares `licences` with what `graph` knows: returns the versions to be written, and their count.
#[must_use]
pub fn plan_licences(
    graph: &LicenceGraph,
    licences: impl IntoIterator<Item = Licence>,
    now: Timestamp,
) -> (Vec<Licence>, Recorded) {
    let mut count = Recorded::default();
    let mut planned: BTreeMap<String, Licence> = BTreeMap::new();
    for mut licence in licences {
        let known = planned.get(&licence.licence_id).or_else(|| graph.get(&licence.licence_id));
        match known {
            Some(known) if known.same_terms(&licence) => {
                count.unchanged += 1;
                continue;
            }
            Some(known) => {
                count.changed += 1;
                licence.version = known.version + 1;
            }
            None => {
                count.new += 1;
                licence.version = 1;
            }
        }
        licence.recorded_at = now;
        planned.insert(licence.licence_id.clone(), licence);
    }
    (planned.into_values().collect(), count)
}

/// Records `licences`, all or none: new ones, and new versions of those whose terms differ from what is recorded.
/// Recording the same again changes nothing.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn record_licences(
    store: &Store,
    licences: impl IntoIterator<Item = Licence>,
    now: Timestamp,
) -> Result<Recorded, Error> {
    let (versions, count) = plan_licences(&load_licences(store)?, licences, now);
    let mut batch = Batch::new();
    for version in &versions {
        batch.put(version)?;
    }
    store.commit(batch)?;
    Ok(count)
}
