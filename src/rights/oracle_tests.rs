//! The verdict against a naive oracle over random graphs: the oracle lists every simple path from every licence of
//! the operator up to every root and takes the best of the worst, with conditions of its own on plain numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::tests::recording;
use super::*;
use crate::base::Timestamp;

const NAMES: [&str; 5] = ["Owner", "Ann", "Bob", "Cyd", "Dan"];
const PLACES: [&str; 3] = ["CN", "JP", "US"];

/// A licence in plain numbers.
#[derive(Debug, Clone)]
struct Plain {
    licensor: Option<usize>,
    licensee: usize,
    /// An index that may be beyond the list: a parent that is not recorded.
    parent: Option<usize>,
    /// 0 none on record, 1 the licensee's domain, 2 "none".
    sites: u8,
    /// 0 all, 1 R1, 2 R2, 3 label X (which R1 has), 4 a UPC (which R1 has not recorded).
    scope: u8,
    /// 0 communication, 1 making available, 2 streaming, 3 sync.
    right: u8,
    /// 0 recording, 1 work, 2 unknown.
    layer: u8,
    exclusive: bool,
    sublicensable: bool,
    /// Bits of PLACES; 7 is the whole world.
    places: u8,
    start: Option<i64>,
    end: Option<i64>,
    /// 0 active, 1 suspended, 2 draft, 3 terminated at `ended`.
    status: u8,
    ended: i64,
}

fn plain() -> impl Strategy<Value = Plain> {
    let mostly = |common: u8, rest: std::ops::Range<u8>| prop_oneof![6 => Just(common), 1 => rest];
    let parties =
        (proptest::option::weighted(0.8, 0..5usize), 0..5usize, proptest::option::weighted(0.5, 0..9usize));
    let what =
        (mostly(1, 0..3), mostly(0, 0..5), mostly(1, 0..4), mostly(0, 0..3), any::<bool>(), any::<bool>());
    let times = (
        proptest::option::weighted(0.5, 0..6i64),
        proptest::option::weighted(0.5, 6..11i64),
        mostly(0, 0..4),
        0..10i64,
    );
    (parties, what, mostly(7, 1..8), times).prop_map(|(parties, what, places, times)| Plain {
        licensor: parties.0,
        licensee: parties.1,
        parent: parties.0.and(parties.2),
        sites: what.0,
        scope: what.1,
        right: what.2,
        layer: what.3,
        exclusive: what.4 && places != 7,
        sublicensable: what.5,
        places,
        start: times.0,
        end: times.1,
        status: times.2,
        ended: times.3,
    })
}

fn instant(hour: i64) -> Timestamp {
    Timestamp::from_second(1_500_000_000 + hour * 3600).unwrap()
}

fn built(n: usize, plain: &Plain) -> Licence {
    let listed = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect::<BTreeSet<_>>();
    let places: BTreeSet<Territory> =
        (0..3).filter(|bit| plain.places & (1 << bit) != 0).map(|bit| PLACES[bit].parse().unwrap()).collect();
    let name = NAMES[plain.licensee];
    Licence {
        licence_id: format!("L{n}"),
        version: 1,
        recorded_at: instant(0),
        parent_licence_id: plain.parent.map(|parent| format!("L{parent}")),
        licensor: plain.licensor.map(|licensor| NAMES[licensor].to_uppercase()),
        licensee: name.to_owned(),
        operators: Operators {
            domains: if plain.sites == 1 {
                listed(&[&format!("{}.example", name.to_lowercase())])
            } else {
                listed(&[])
            },
            accounts: listed(&[]),
            none: plain.sites == 2,
        },
        scope: match plain.scope {
            0 => Scope::All,
            1 => Scope::Recording(listed(&["R1"])),
            2 => Scope::Recording(listed(&["R2"])),
            3 => Scope::Label(listed(&["X"])),
            _ => Scope::Upc(listed(&["123"])),
        },
        rights: BTreeSet::from([[
            Right::CommunicationToThePublic,
            Right::MakingAvailable,
            Right::Streaming,
            Right::Sync,
        ][usize::from(plain.right)]]),
        layer: [Layer::Recording, Layer::Work, Layer::Unknown][usize::from(plain.layer)],
        exclusive: plain.exclusive,
        sublicensable: plain.sublicensable,
        territories: if plain.places == 7 { Territories::WORLDWIDE } else { Territories::Only(places) },
        start: plain.start.map(instant),
        end: plain.end.map(instant),
        status: [Status::Active, Status::Suspended, Status::Draft, Status::Terminated]
            [usize::from(plain.status)],
        terminated_at: (plain.status == 3).then(|| instant(plain.ended)),
        evidence_file_sha256: None,
    }
}

/// 0 no, 1 unknown, 2 yes.
type Worth = u8;

struct Oracle<'a> {
    all: &'a [Plain],
    operator: Option<usize>,
    place: usize,
    hour: i64,
}

impl Oracle<'_> {
    fn grant(&self, n: usize) -> Worth {
        let one = &self.all[n];
        let scope = [2, 2, 0, 2, 1][usize::from(one.scope)];
        let right = [2, 2, 1, 0][usize::from(one.right)];
        let layer = [2, 0, 1][usize::from(one.layer)];
        let place = if one.places & (1 << self.place) != 0 { 2 } else { 0 };
        let begun = one.start.unwrap_or(i64::MIN) <= self.hour;
        let over = self.hour >= one.end.unwrap_or(i64::MAX) || (one.status == 3 && self.hour >= one.ended);
        let time = if begun && !over { 2 } else { 0 };
        let status = [2, 1, 1, 2][usize::from(one.status)];
        scope.min(right).min(layer).min(place).min(time).min(status)
    }

    fn parents(&self, n: usize) -> Vec<usize> {
        let one = &self.all[n];
        match (one.licensor, one.parent) {
            (None, _) => vec![],
            (Some(_), Some(parent)) => {
                if parent < self.all.len() {
                    vec![parent]
                } else {
                    vec![]
                }
            }
            (Some(licensor), None) => {
                (0..self.all.len()).filter(|&p| p != n && self.all[p].licensee == licensor).collect()
            }
        }
    }

    /// All simple paths upwards from `path`'s last member to a statement of ownership or to a dead end.
    fn paths(&self, path: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
        let last = *path.last().unwrap();
        out.push(path.clone());
        for parent in self.parents(last) {
            if !path.contains(&parent) {
                path.push(parent);
                self.paths(path, out);
                path.pop();
            }
        }
    }

    fn founded(&self, n: usize) -> bool {
        let mut out = Vec::new();
        self.paths(&mut vec![n], &mut out);
        out.iter().any(|path| self.all[*path.last().unwrap()].licensor.is_none())
    }

    /// Whether somebody else than `heir` has it exclusively from `holder`.
    fn given_away(&self, holder: Option<usize>, itself: usize, heir: Option<usize>, only_if: bool) -> bool {
        (0..self.all.len()).any(|e| {
            let rival = &self.all[e];
            rival.licensor == holder
                && (rival.exclusive || only_if)
                && rival.status != 2
                && rival.licensee != itself
                && heir != Some(rival.licensee)
                && self.grant(e) > 0
        })
    }

    fn path_worth(&self, path: &[usize]) -> Worth {
        let root = *path.last().unwrap();
        let mut worth = match self.all[root].licensor {
            None => {
                if self.given_away(None, self.all[root].licensee, None, self.all[root].exclusive) {
                    1
                } else {
                    2
                }
            }
            Some(_) => {
                if self.founded(root) {
                    0
                } else {
                    1
                }
            }
        };
        for (k, &n) in path.iter().enumerate() {
            worth = worth.min(self.grant(n));
            let holder = self.all[n].licensee;
            let heir = (k > 0).then(|| &self.all[path[k - 1]]);
            if let Some(heir) = heir {
                if heir.licensor != Some(holder) {
                    worth = worth.min(1);
                }
                if self.all[n].licensor.is_some() && !self.all[n].sublicensable {
                    worth = 0;
                }
            }
            if self.given_away(Some(holder), holder, heir.map(|heir| heir.licensee), false) {
                worth = worth.min(1);
            }
        }
        worth
    }

    fn names(&self, n: usize, operator: usize) -> Worth {
        let one = &self.all[n];
        match one.sites {
            1 if one.licensee == operator => 2,
            0 if one.licensor.is_some() => 1,
            _ => 0,
        }
    }

    fn decide(&self) -> Decision {
        let mut best = 0;
        for n in 0..self.all.len() {
            let Some(operator) = self.operator else { continue };
            let mut out = Vec::new();
            self.paths(&mut vec![n], &mut out);
            let worth = out.iter().map(|path| self.path_worth(path)).max().unwrap_or(0);
            best = best.max(worth.min(self.names(n, operator)));
        }
        let owned = (0..self.all.len()).filter(|&n| self.all[n].licensor.is_none()).map(|n| {
            let one = &self.all[n];
            let rival = self.given_away(None, one.licensee, None, one.exclusive);
            self.grant(n).min(if rival { 1 } else { 2 })
        });
        match (best, owned.max().unwrap_or(0), self.operator) {
            (2, _, _) => Decision::Licensed,
            (0, 2, Some(_)) => Decision::Unlicensed,
            _ => Decision::Undetermined,
        }
    }
}

fn answer(graph: &LicenceGraph, operator: Option<usize>, place: usize, hour: i64) -> Verdict {
    let recording = recording("R1", Some("x"));
    let domain = operator.map(|operator| {
        NAMES
            .get(operator)
            .map_or_else(|| "stranger.example".to_owned(), |name| format!("{}.example", name.to_lowercase()))
    });
    let question = Question {
        recording: &recording,
        operator: domain.as_deref(),
        territory: Some(PLACES[place]),
        at: instant(hour),
        right: Right::MakingAvailable,
    };
    verdict(graph, &question)
}

fn graph_of(all: &[Plain]) -> LicenceGraph {
    LicenceGraph::new(all.iter().enumerate().map(|(n, plain)| built(n, plain)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_verdict_is_what_the_oracle_says(
        mut all in proptest::collection::vec(plain(), 0..8),
        owner in any::<bool>(),
        operator in proptest::option::weighted(0.95, 0..6usize),
        place in 0..3usize,
        hour in 0..12i64,
    ) {
        if owner {
            // Most graphs need an owner to say anything at all.
            all.push(Plain { licensor: None, licensee: 0, parent: None, sites: 0, scope: 0, right: 0, layer: 0,
                exclusive: true, sublicensable: false, places: 7, start: None, end: None, status: 0, ended: 0 });
        }
        let oracle = Oracle { all: &all, operator, place, hour };
        let told = answer(&graph_of(&all), operator, place, hour);
        prop_assert_eq!(told.decision, oracle.decide(), "{:#?}", told);
        prop_assert!(!told.reasons.is_empty());
    }

    #[test]
    fn licences_between_strangers_change_nothing(
        all in proptest::collection::vec(plain(), 0..7),
        operator in 0..6usize,
        hour in 0..12i64,
    ) {
        let graph = graph_of(&all);
        let before = answer(&graph, Some(operator), 0, hour);
        let mut apart = built(90, &Plain { licensor: Some(1), licensee: 2, parent: None, sites: 2, scope: 0, right: 1,
            layer: 0, exclusive: true, sublicensable: true, places: 7, start: None, end: None, status: 0, ended: 0 });
        apart.licensor = Some("Somebody".to_owned());
        apart.licensee = "Else".to_owned();
        let after = LicenceGraph::new(graph.licences().cloned().chain([apart]));
        prop_assert_eq!(before.decision, answer(&after, Some(operator), 0, hour).decision);
    }

    #[test]
    fn a_licence_for_another_recording_never_takes_or_gives_a_licence(
        all in proptest::collection::vec(plain(), 0..7),
        other in plain(),
        operator in 0..6usize,
        hour in 0..12i64,
    ) {
        let before = answer(&graph_of(&all), Some(operator), 0, hour).decision;
        let mut more = all.clone();
        more.retain(|one| one.parent != Some(all.len()));
        prop_assume!(more.len() == all.len());
        more.push(Plain { scope: 2, ..other });
        let after = answer(&graph_of(&more), Some(operator), 0, hour).decision;
        prop_assert_eq!(before == Decision::Licensed, after == Decision::Licensed);
    }
}
