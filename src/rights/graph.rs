//! The licences as a graph: who has what from whom, now and as it was known at any instant.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::licence::Licence;
use super::operator::fold_name;
use crate::base::Timestamp;

/// All versions of all licences; questions are answered by the newest version of each.
#[derive(Debug, Clone, Default)]
pub struct LicenceGraph {
    /// Every version, by identifier and version.
    history: BTreeMap<(String, u32), Arc<Licence>>,
    /// The newest version of each, by identifier.
    current: BTreeMap<String, Arc<Licence>>,
    /// Identifiers by the licensee's folded name.
    by_licensee: BTreeMap<String, Vec<String>>,
    /// Identifiers by the licensor's folded name.
    by_licensor: BTreeMap<String, Vec<String>>,
    /// Licences above which, whatever the terms, some statement of ownership stands.
    founded: BTreeSet<String>,
}

impl LicenceGraph {
    /// Builds the graph of all given versions, in any order. Of two with the same identifier and version the last
    /// one counts.
    #[must_use]
    pub fn new(licences: impl IntoIterator<Item = Licence>) -> Self {
        Self::from_versions(licences.into_iter().map(Arc::new))
    }

    /// Returns the graph as it was known at `known_at`: without what was recorded later.
    #[must_use]
    pub fn as_of(&self, known_at: Timestamp) -> Self {
        Self::from_versions(
            self.history.values().filter(|licence| licence.recorded_at <= known_at).map(Arc::clone),
        )
    }

    /// Iterates over the newest version of every licence, by identifier.
    pub fn licences(&self) -> impl Iterator<Item = &Licence> {
        self.current.values().map(AsRef::as_ref)
    }

    /// Iterates over all versions of one licence, oldest first.
    pub fn history<'a>(&'a self, licence_id: &str) -> impl Iterator<Item = &'a Licence> {
        let range = (licence_id.to_owned(), 0)..=(licence_id.to_owned(), u32::MAX);
        self.history.range(range).map(|(_, licence)| licence.as_ref())
    }

    /// Returns the newest version of a licence.
    #[must_use]
    pub fn get(&self, licence_id: &str) -> Option<&Licence> {
        self.current.get(licence_id).map(AsRef::as_ref)
    }

    /// Returns how many licences there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.current.len()
    }

    /// Whether there is no licence at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// Returns the licences under which `licence` may have been granted: the one it names, or else all that its
    /// licensor holds or owns.
    pub(super) fn parents<'a>(&'a self, licence: &Licence) -> Vec<&'a Licence> {
        match (&licence.parent_licence_id, &licence.licensor) {
            (_, None) => Vec::new(),
            (Some(parent), Some(_)) => self.get(parent).into_iter().collect(),
            (None, Some(licensor)) => {
                self.held_by(licensor).filter(|held| held.licence_id != licence.licence_id).collect()
            }
        }
    }

    /// Iterates over what `name` holds or owns.
    pub(super) fn held_by(&self, name: &str) -> impl Iterator<Item = &Licence> {
        self.listed(self.by_licensee.get(&fold_name(name)))
    }

    /// Iterates over what `name` has granted.
    pub(super) fn granted_by(&self, name: &str) -> impl Iterator<Item = &Licence> {
        self.listed(self.by_licensor.get(&fold_name(name)))
    }

    /// Iterates over the statements of ownership.
    pub(super) fn ownerships(&self) -> impl Iterator<Item = &Licence> {
        self.licences().filter(|licence| licence.is_ownership())
    }

    /// Whether some statement of ownership stands above the licence, so that a failing chain is known to fail and
    /// is not just unrecorded.
    pub(super) fn is_founded(&self, licence_id: &str) -> bool {
        self.founded.contains(licence_id)
    }

    fn listed<'a>(&'a self, ids: Option<&'a Vec<String>>) -> impl Iterator<Item = &'a Licence> {
        ids.into_iter().flatten().filter_map(|id| self.get(id))
    }

    fn from_versions(versions: impl IntoIterator<Item = Arc<Licence>>) -> Self {
        let mut graph = Self::default();
        for licence in versions {
            graph.history.insert((licence.licence_id.clone(), licence.version), licence);
        }
        for ((id, _), licence) in &graph.history {
            graph.current.insert(id.clone(), Arc::clone(licence));
        }
        for (id, licence) in &graph.current {
            graph.by_licensee.entry(fold_name(&licence.licensee)).or_default().push(id.clone());
            if let Some(licensor) = &licence.licensor {
                graph.by_licensor.entry(fold_name(licensor)).or_default().push(id.clone());
            }
        }
        graph.founded = graph.find_founded();
        graph
    }

    /// Walks down from the statements of ownership.
    fn find_founded(&self) -> BTreeSet<String> {
        let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for licence in self.licences() {
            if let Some(parent) = &licence.parent_licence_id {
                children.entry(parent).or_default().push(&licence.licence_id);
            }
        }
        let mut founded = BTreeSet::new();
        let mut holders = BTreeSet::new();
        let mut waiting: VecDeque<&Licence> = self.ownerships().collect();
        while let Some(licence) = waiting.pop_front() {
            if !founded.insert(licence.licence_id.clone()) {
                continue;
            }
            let named = children.get(licence.licence_id.as_str()).into_iter().flatten();
            waiting.extend(named.filter_map(|id| self.get(id)).filter(|child| !child.is_ownership()));
            // A licensee with thousands of licences is gone through once.
            if holders.insert(fold_name(&licence.licensee)) {
                let implied = self.granted_by(&licence.licensee);
                waiting.extend(implied.filter(|child| child.parent_licence_id.is_none()));
            }
        }
        founded
    }
}
