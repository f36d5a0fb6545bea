//! The walk through the licence graph that answers a question.
//!
//! A licence is worth as much as its weakest condition, a chain as much as its weakest link, an answer as much as
//! its best chain; each is one of yes, not known, no. So the answer is a search for the widest path: first along
//! what surely holds, then along what may hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::condition::{Asked, Finding, all, grant_findings};
use super::graph::LicenceGraph;
use super::licence::{Holds, Licence};
use super::operator::fold_name;
use super::terms::Status;

/// A search through one graph for one question.
pub(super) struct Walk<'a> {
    pub(super) graph: &'a LicenceGraph,
    pub(super) asked: &'a Asked<'a>,
}

/// A way from a root down to a leaf, and what it is worth.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) holds: Holds,
    /// Root first. The root is a statement of ownership, or a licence of which no origin is recorded.
    pub(super) licences: Vec<&'a Licence>,
}

impl<'a> Walk<'a> {
    pub(super) fn grant(&self, licence: &Licence) -> Holds {
        // Most licences of a large table are about other recordings: no sentences are made for them.
        if licence.scope.holds(self.asked.question.recording) == Holds::No {
            return Holds::No;
        }
        all(&grant_findings(licence, self.asked))
    }

    /// Finds the best chain down to `leaf`, the shortest of equals; `None` where every chain fails.
    pub(super) fn best_chain(&self, leaf: &'a Licence) -> Option<Chain<'a>> {
        [Holds::Yes, Holds::Unknown]
            .into_iter()
            .find_map(|least| Some(Chain { holds: least, licences: self.chain_worth(leaf, least)? }))
    }

    /// Breadth first upwards, only along what is worth at least `least`.
    fn chain_worth(&self, leaf: &'a Licence, least: Holds) -> Option<Vec<&'a Licence>> {
        if self.grant(leaf) < least || self.own_use(leaf).holds < least {
            return None;
        }
        let mut came_from: BTreeMap<&str, &'a Licence> = BTreeMap::new();
        let mut seen = BTreeSet::from([leaf.licence_id.as_str()]);
        let mut waiting = VecDeque::from([leaf]);
        while let Some(licence) = waiting.pop_front() {
            if self.root(licence).is_some_and(|root| root.holds >= least) {
                let mut chain = vec![licence];
                let mut at = licence;
                while let Some(&below) = came_from.get(at.licence_id.as_str()) {
                    chain.push(below);
                    at = below;
                }
                return Some(chain);
            }
            for parent in self.graph.parents(licence) {
                let passes = self.grant(parent) >= least && all(&self.link(parent, licence)) >= least;
                if passes && seen.insert(&parent.licence_id) {
                    came_from.insert(&parent.licence_id, licence);
                    waiting.push_back(parent);
                }
            }
        }
        None
    }

    /// What a licence is worth as the beginning of a chain; `None` where it is none.
    pub(super) fn root(&self, licence: &Licence) -> Option<Finding> {
        if licence.is_ownership() {
            return Some(self.sole_owner(licence));
        }
        if self.graph.is_founded(&licence.licence_id) {
            return None;
        }
        let licensor = licence.licensor.as_deref().unwrap_or_default();
        let text = match &licence.parent_licence_id {
            Some(parent) if self.graph.get(parent).is_none() => {
                format!("is granted under licence {parent}, which is not recorded")
            }
            _ => format!("comes from {licensor}, and no record leads from an owner to {licensor}"),
        };
        Some(Finding::new(Holds::Unknown, text))
    }

    /// Whether nobody else claims to own the same.
    fn sole_owner(&self, licence: &Licence) -> Finding {
        let rival = self.graph.ownerships().find(|rival| {
            (rival.exclusive || licence.exclusive) && self.takes_away(rival, &licence.licensee)
        });
        match rival {
            None => Finding::new(Holds::Yes, format!("{} is the only owner on record", licence.licensee)),
            Some(rival) => Finding::new(
                Holds::Unknown,
                format!("{} claims to own the same (licence {})", rival.licensee, rival.licence_id),
            ),
        }
    }

    /// Whether what `parent` gives can have been passed on as `child`.
    pub(super) fn link(&self, parent: &Licence, child: &Licence) -> Vec<Finding> {
        let mut findings = Vec::new();
        let licensor = child.licensor.as_deref().unwrap_or_default();
        if fold_name(licensor) != fold_name(&parent.licensee) {
            findings.push(Finding::new(
                Holds::Unknown,
                format!("licence {} is granted by {licensor}, who is not its holder", child.licence_id),
            ));
        }
        if !parent.is_ownership() {
            findings.push(if parent.sublicensable {
                Finding::new(Holds::Yes, "may be sub-licensed")
            } else {
                Finding::new(Holds::No, "may not be sub-licensed")
            });
        }
        findings.extend(self.rival(&parent.licensee, Some(&child.licensee)));
        findings
    }

    /// Whether the holder may still use the licence itself.
    pub(super) fn own_use(&self, leaf: &Licence) -> Finding {
        self.rival(&leaf.licensee, None)
            .unwrap_or_else(|| Finding::new(Holds::Yes, "is given exclusively to nobody below"))
    }

    /// An exclusive grant by `holder` to somebody else than `heir` leaves in doubt what else `holder` can give or
    /// use: which of the two came first and what they agreed on is for people to read.
    fn rival(&self, holder: &str, heir: Option<&str>) -> Option<Finding> {
        let rival = self.graph.granted_by(holder).find(|rival| {
            rival.exclusive
                && heir.is_none_or(|heir| fold_name(heir) != fold_name(&rival.licensee))
                && self.takes_away(rival, holder)
        })?;
        Some(Finding::new(
            Holds::Unknown,
            format!(
                "{holder} has granted the same exclusively to {} (licence {})",
                rival.licensee, rival.licence_id
            ),
        ))
    }

    /// Whether `rival` may hold for this very question and is somebody else's.
    fn takes_away(&self, rival: &Licence, holder: &str) -> bool {
        rival.status != Status::Draft
            && fold_name(&rival.licensee) != fold_name(holder)
            && self.grant(rival) != Holds::No
    }
}
