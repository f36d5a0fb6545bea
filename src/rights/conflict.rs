//! What in a licence graph contradicts itself or is missing: told at import, while somebody can still ask.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::graph::LicenceGraph;
use super::licence::Licence;
use super::operator::fold_name;
use super::scope_index::ScopeIndex;
use super::terms::Status;

/// The most conflicts that are told of one graph: beyond, the table is wrong as a whole.
const CONFLICTS_MAX: usize = 5_000;

/// What kind of contradiction or hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two owners claim the same.
    TwoOwners,
    /// One licensor has granted the same exclusively to two.
    TwoExclusives,
    /// A licence is granted under itself, by way of others or directly.
    Cycle,
    /// The licence names a parent that is not recorded.
    MissingParent,
    /// The licensor is neither an owner nor a licensee on record.
    NoOrigin,
    /// The licensor is not the holder of the parent that the licence names.
    WrongLicensor,
    /// The licence gives more than the one it is granted under.
    WiderThanParent,
    /// Between two consecutive grants of the same there is a time without any.
    Gap,
    /// No operator is recorded, so that nobody can be told from this licensee.
    NoOperators,
}

/// One contradiction or hole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// What kind.
    pub kind: ConflictKind,
    /// The licences concerned, the one to look at first first.
    pub licence_ids: Vec<String>,
    /// One sentence, without a full stop.
    pub text: String,
}

/// Finds the contradictions and holes among the newest versions of all licences, in the order of the kinds.
///
/// Scopes of different kinds (labels against ISRCs) are compared only by the catalogue, so they are left to the
/// verdict, which knows the recording.
#[must_use]
pub fn conflicts(graph: &LicenceGraph) -> Vec<Conflict> {
    let mut found = Vec::new();
    overlaps(graph, &mut found);
    cycles(graph, &mut found);
    let holders = holders(graph);
    for licence in graph.licences() {
        if found.len() >= CONFLICTS_MAX {
            break;
        }
        parentage(graph, &holders, licence, &mut found);
        if licence.operators.is_unknown() && !licence.is_ownership() {
            let text = format!("names no operator; add the domains of {}, or `none`", licence.licensee);
            found.push(conflict(ConflictKind::NoOperators, &[licence], text));
        }
    }
    gaps(graph, &mut found);
    found.sort_by(|a, b| (a.kind, &a.licence_ids).cmp(&(b.kind, &b.licence_ids)));
    found.truncate(CONFLICTS_MAX);
    found
}

fn conflict(kind: ConflictKind, licences: &[&Licence], text: String) -> Conflict {
    let licence_ids = licences.iter().map(|licence| licence.licence_id.clone()).collect();
    Conflict { kind, licence_ids, text }
}

/// Two exclusive grants of the same by one licensor, or two claims to own the same.
fn overlaps(graph: &LicenceGraph, found: &mut Vec<Conflict>) {
    let mut groups: BTreeMap<Option<String>, Vec<&Licence>> = BTreeMap::new();
    for licence in graph.licences().filter(|licence| licence.exclusive && licence.status != Status::Draft) {
        groups.entry(licence.licensor.as_deref().map(fold_name)).or_default().push(licence);
    }
    for (licensor, group) in groups {
        let index = ScopeIndex::new(group);
        for (n, m) in index.pairs() {
            let (one, two) = (index.at(n), index.at(m));
            if found.len() >= CONFLICTS_MAX {
                return;
            }
            if fold_name(&one.licensee) == fold_name(&two.licensee) || !overlap(one, two) {
                continue;
            }
            let (kind, what) = match licensor {
                None => (ConflictKind::TwoOwners, "both claim to own"),
                Some(_) => (ConflictKind::TwoExclusives, "both hold exclusively"),
            };
            let text = format!(
                "{} and {} {what} the same recordings, territory, right and time",
                one.licensee, two.licensee
            );
            found.push(conflict(kind, &[one, two], text));
        }
    }
}

fn overlap(one: &Licence, two: &Licence) -> bool {
    let rights = one.rights.iter().any(|a| two.rights.iter().any(|&b| a.contains(b) || b.contains(*a)));
    let starts_before_end = |a: &Licence, b: &Licence| match (a.start, b.ends_at()) {
        (Some(start), Some(end)) => start < end,
        _ => true,
    };
    rights
        && one.layer == two.layer
        && one.scope.surely_overlaps(&two.scope)
        && one.territories.overlaps(&two.territories)
        && starts_before_end(one, two)
        && starts_before_end(two, one)
}

/// Follows the named parents upwards from each licence; a licence met twice stands on a cycle.
fn cycles(graph: &LicenceGraph, found: &mut Vec<Conflict>) {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for licence in graph.licences() {
        let mut path: Vec<&Licence> = Vec::new();
        let mut on_path: BTreeSet<&str> = BTreeSet::new();
        let mut at = Some(licence);
        while let Some(here) = at.filter(|here| !done.contains(here.licence_id.as_str())) {
            if !on_path.insert(&here.licence_id) {
                let from = path.iter().position(|seen| seen.licence_id == here.licence_id).unwrap_or(0);
                let ids: Vec<&str> = path[from..].iter().map(|licence| licence.licence_id.as_str()).collect();
                let text = format!("is granted under itself: {} → {}", ids.join(" → "), here.licence_id);
                found.push(conflict(ConflictKind::Cycle, &path[from..], text));
                break;
            }
            path.push(here);
            at = here.parent_licence_id.as_deref().and_then(|parent| graph.get(parent));
        }
        done.extend(path.iter().map(|licence| licence.licence_id.as_str()));
    }
}

/// What everybody holds, by folded name and scope.
fn holders(graph: &LicenceGraph) -> BTreeMap<String, ScopeIndex<'_>> {
    let mut held: BTreeMap<String, Vec<&Licence>> = BTreeMap::new();
    for licence in graph.licences() {
        held.entry(fold_name(&licence.licensee)).or_default().push(licence);
    }
    held.into_iter().map(|(name, licences)| (name, ScopeIndex::new(licences))).collect()
}

fn parentage(
    graph: &LicenceGraph,
    holders: &BTreeMap<String, ScopeIndex<'_>>,
    licence: &Licence,
    found: &mut Vec<Conflict>,
) {
    let Some(licensor) = &licence.licensor else { return };
    let parents = match &licence.parent_licence_id {
        Some(parent) => graph.get(parent).into_iter().collect(),
        None => holders.get(&fold_name(licensor)).map_or_else(Vec::new, |held| held.near(licence)),
    };
    match (&licence.parent_licence_id, parents.first()) {
        (Some(parent), None) => {
            let text = format!("is granted under licence {parent}, which is not recorded");
            found.push(conflict(ConflictKind::MissingParent, &[licence], text));
            return;
        }
        (None, None) => {
            let text = format!("comes from {licensor}, who is neither an owner nor a licensee on record");
            found.push(conflict(ConflictKind::NoOrigin, &[licence], text));
            return;
        }
        (Some(_), Some(parent)) if fold_name(&parent.licensee) != fold_name(licensor) => {
            let text = format!(
                "is granted by {licensor}, but licence {} is {}'s",
                parent.licence_id, parent.licensee
            );
            found.push(conflict(ConflictKind::WrongLicensor, &[licence, parent], text));
        }
        _ => {}
    }
    // Where no parent is named, the one that the licence exceeds least is meant.
    let excesses = parents.iter().map(|parent| (excess(licence, parent), *parent));
    let least = excesses.min_by_key(|(excess, parent)| (excess.len(), parent.licence_id.clone()));
    if let Some((excess, parent)) = least.filter(|(excess, _)| !excess.is_empty()) {
        let text = format!("gives more than licence {} has: {}", parent.licence_id, excess.join("; "));
        found.push(conflict(ConflictKind::WiderThanParent, &[licence, parent], text));
    }
}

/// Names in what `child` exceeds `parent`.
fn excess(child: &Licence, parent: &Licence) -> Vec<String> {
    let mut excess = Vec::new();
    if !parent.is_ownership() && !parent.sublicensable {
        excess.push("it may not be sub-licensed".to_owned());
    }
    if child.exclusive && !parent.exclusive {
        excess.push("exclusive under a non-exclusive one".to_owned());
    }
    if !child.territories.is_within(&parent.territories) {
        excess.push(format!("territories {} beyond {}", child.territories, parent.territories));
    }
    if child.scope.is_within(&parent.scope) == Some(false) {
        excess.push(format!("scope {} beyond {}", child.scope, parent.scope));
    }
    for right in child.rights.iter().filter(|&&right| !parent.rights.iter().any(|held| held.contains(right)))
    {
        excess.push(format!("right {right}"));
    }
    if child.layer != parent.layer {
        excess.push(format!("layer {} under {}", child.layer, parent.layer));
    }
    if let Some(start) = parent.start.filter(|&start| child.start.is_none_or(|own| own < start)) {
        excess.push(format!("begins before {start}"));
    }
    if let Some(end) = parent.ends_at().filter(|&end| child.ends_at().is_none_or(|own| own > end)) {
        excess.push(format!("runs on after {end}"));
    }
    excess
}

/// Times without a licence between two grants of the same by one licensor to one licensee.
fn gaps(graph: &LicenceGraph, found: &mut Vec<Conflict>) {
    let mut groups: BTreeMap<String, Vec<&Licence>> = BTreeMap::new();
    for licence in graph.licences().filter(|licence| licence.status != Status::Draft) {
        let rights: Vec<&str> = licence.rights.iter().map(|right| right.as_str()).collect();
        let licensor = licence.licensor.as_deref().map(fold_name);
        let key = format!(
            "{licensor:?} {:?} {:?} {} {rights:?} {}",
            fold_name(&licence.licensee),
            licence.scope,
            licence.territories,
            licence.layer
        );
        groups.entry(key).or_default().push(licence);
    }
    for mut group in groups.into_values() {
        group.sort_by_key(|licence| (licence.start, licence.licence_id.clone()));
        let mut covered_until: Option<(&Licence, crate::base::Timestamp)> = None;
        for licence in group {
            if let (Some((before, end)), Some(start)) = (covered_until, licence.start)
                && start > end
            {
                let text = format!("nothing is licensed to {} from {end} until {start}", licence.licensee);
                found.push(conflict(ConflictKind::Gap, &[before, licence], text));
            }
            let Some(end) = licence.ends_at() else { break };
            if covered_until.is_none_or(|(_, until)| end > until) {
                covered_until = Some((licence, end));
            }
        }
    }
}
