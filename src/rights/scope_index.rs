//! Licences by what their scopes list, so that thousands of licences for single recordings need not be compared
//! each with each.

use std::collections::{BTreeMap, BTreeSet};

use super::licence::{Licence, Scope};
use super::operator::fold_name;

/// The most pairs of licences of one party that are compared.
const PAIRS_MAX: usize = 2_000_000;

/// The most licences that are looked at as the parent of one.
const NEAR_MAX: usize = 64;

/// Licences of one party by scope.
pub(super) struct ScopeIndex<'a> {
    licences: Vec<&'a Licence>,
    /// Positions of those that cover everything.
    everything: Vec<usize>,
    /// Positions by kind of scope and listed item.
    by_item: BTreeMap<(Kind, String), Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Label,
    Upc,
    Isrc,
    Recording,
}

/// The keys under which a scope's items stand; `None` for everything.
fn keys(scope: &Scope) -> Option<Vec<(Kind, String)>> {
    let (kind, items) = match scope {
        Scope::All => return None,
        Scope::Label(items) => (Kind::Label, items),
        Scope::Upc(items) => (Kind::Upc, items),
        Scope::Isrc(items) => (Kind::Isrc, items),
        Scope::Recording(items) => (Kind::Recording, items),
    };
    let fold = |item: &String| if kind == Kind::Label { fold_name(item) } else { item.clone() };
    Some(items.iter().map(|item| (kind, fold(item))).collect())
}

impl<'a> ScopeIndex<'a> {
    pub(super) fn new(licences: impl IntoIterator<Item = &'a Licence>) -> Self {
        let mut index = Self {
            licences: licences.into_iter().collect(),
            everything: Vec::new(),
            by_item: BTreeMap::new(),
        };
        for (n, licence) in index.licences.iter().enumerate() {
            match keys(&licence.scope) {
                None => index.everything.push(n),
                Some(keys) => keys.into_iter().for_each(|key| index.by_item.entry(key).or_default().push(n)),
            }
        }
        index
    }

    /// Lists the pairs of positions whose scopes overlap by what they list.
    pub(super) fn pairs(&self) -> BTreeSet<(usize, usize)> {
        let mut pairs = BTreeSet::new();
        let mut add = |a: usize, b: usize| {
            if a != b && pairs.len() < PAIRS_MAX {
                pairs.insert((a.min(b), a.max(b)));
            }
        };
        for &n in &self.everything {
            (0..self.licences.len()).for_each(|m| add(n, m));
        }
        for sharing in self.by_item.values() {
            for (k, &n) in sharing.iter().enumerate() {
                sharing[k + 1..].iter().for_each(|&m| add(n, m));
            }
        }
        pairs
    }

    /// Lists the licences that `licence` may have been granted under: those whose scope meets its own, or else any
    /// one, to tell the difference by. Empty only where the party holds nothing else.
    pub(super) fn near(&self, licence: &Licence) -> Vec<&'a Licence> {
        let shared =
            keys(&licence.scope).into_iter().flatten().filter_map(|key| self.by_item.get(&key)).flatten();
        let positions: BTreeSet<usize> =
            self.everything.iter().chain(shared).copied().take(NEAR_MAX).collect();
        let others = |licences: Vec<&'a Licence>| -> Vec<&'a Licence> {
            licences.into_iter().filter(|held| held.licence_id != licence.licence_id).collect()
        };
        let near = others(positions.into_iter().map(|n| self.licences[n]).collect());
        if near.is_empty() { others(self.licences.clone()).into_iter().take(1).collect() } else { near }
    }

    /// The licence at a position of [`ScopeIndex::pairs`].
    pub(super) fn at(&self, position: usize) -> &'a Licence {
        self.licences[position]
    }
}
