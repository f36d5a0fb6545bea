//! From a question to a verdict with its proof trace.

use std::collections::BTreeSet;

use super::condition::{Asked, Finding, all, grant_findings, operator};
use super::graph::LicenceGraph;
use super::licence::{Holds, Licence, Scope};
use super::verdict::{Decision, Outcome, Question, Step, Verdict};
use super::walk::{Chain, Walk};

/// The longest proof trace: an operator with thousands of licences is summed up beyond it.
const STEPS_MAX: usize = 400;

/// Years of protection of a sound recording from the end of the year of its first making (Copyright Law of China,
/// Art. 44). Other countries protect longer; "may be over" is all that follows from it.
const PROTECTION_YEARS: i16 = 50;

/// Answers a question from the newest version of every licence in `graph`.
#[must_use]
pub fn verdict(graph: &LicenceGraph, question: &Question<'_>) -> Verdict {
    let asked = Asked::new(*question);
    let mut trace = Trace { walk: Walk { graph, asked: &asked }, steps: Vec::new(), reasons: Vec::new() };
    let decision = trace.decide();
    Verdict {
        decision,
        recording_id: question.recording.recording_id.clone(),
        operator: asked.operator.clone(),
        territory: asked
            .territory
            .map(|territory| territory.to_string())
            .or_else(|| question.territory.map(str::to_owned)),
        at: question.at,
        reasons: trace.reasons,
        steps: trace.steps,
    }
}

/// A licence that names the operator, or may.
struct Leaf<'a> {
    licence: &'a Licence,
    operator: Finding,
    chain: Option<Chain<'a>>,
}

impl Leaf<'_> {
    fn holds(&self) -> Holds {
        self.chain.as_ref().map_or(Holds::No, |chain| chain.holds).min(self.operator.holds)
    }
}

struct Trace<'a> {
    walk: Walk<'a>,
    steps: Vec<Step>,
    reasons: Vec<String>,
}

impl<'a> Trace<'a> {
    fn decide(&mut self) -> Decision {
        let owned = self.ownership();
        let leaves = self.leaves();
        if let Some(leaf) = leaves.iter().find(|leaf| leaf.holds() == Holds::Yes) {
            self.licensed(leaf);
            return Decision::Licensed;
        }
        let mut doubts = self.unknown_question();
        let (leaf_doubts, failing) = self.tell_leaves(&leaves);
        doubts.extend(leaf_doubts);
        doubts.extend(owned.err());
        doubts.extend(self.protection_over());
        if doubts.is_empty() {
            self.reasons.extend(failing);
            self.unlicensed(&leaves);
            return Decision::Unlicensed;
        }
        self.reasons.extend(doubts);
        Decision::Undetermined
    }

    /// Whether somebody is known to own what is asked about; otherwise the doubt.
    fn ownership(&mut self) -> Result<(), String> {
        let asked = self.walk.asked;
        let id = &asked.question.recording.recording_id;
        let mut best: Option<(Holds, String)> = None;
        for licence in self.walk.graph.ownerships() {
            if self.walk.grant(licence) == Holds::No {
                continue;
            }
            let mut findings = grant_findings(licence, asked);
            findings.extend(self.walk.root(licence));
            let holds = all(&findings);
            let first_doubt = findings.iter().find(|finding| finding.holds != Holds::Yes);
            let doubt =
                first_doubt.map(|finding| format!("licence {}: {}", licence.licence_id, finding.text));
            self.licence_steps(0, licence, &findings);
            if best.as_ref().is_none_or(|(best, _)| holds > *best) {
                best = Some((holds, doubt.unwrap_or_default()));
            }
        }
        match best {
            Some((Holds::Yes, _)) => Ok(()),
            Some((_, doubt)) => Err(doubt),
            None => {
                let text = format!(
                    "no ownership record for recording {id} in {} at {} ({})",
                    asked.place(),
                    asked.question.at,
                    asked.question.right
                );
                self.step(0, Outcome::Unknown, None, text.clone());
                Err(text)
            }
        }
    }

    /// All licences that name the operator, or may be its; the best first, then by identifier.
    fn leaves(&self) -> Vec<Leaf<'a>> {
        if self.walk.asked.operator.is_none() {
            return Vec::new();
        }
        let mut leaves = Vec::new();
        for licence in self.walk.graph.licences() {
            let operator = operator(licence, self.walk.asked);
            if operator.holds != Holds::No {
                leaves.push(Leaf { licence, operator, chain: self.walk.best_chain(licence) });
            }
        }
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.holds()));
        leaves
    }

    fn licensed(&mut self, leaf: &Leaf<'a>) {
        let Some(chain) = &leaf.chain else { return };
        for (depth, &licence) in chain.licences.iter().enumerate() {
            if depth > 0 {
                let mut findings = grant_findings(licence, self.walk.asked);
                if let Some(&below) = chain.licences.get(depth + 1) {
                    findings.extend(self.walk.link(licence, below));
                }
                self.licence_steps(depth, licence, &findings);
            }
            self.reasons.push(format!("licence {}: {}", licence.licence_id, terms(licence)));
        }
        let text = leaf.operator.text.clone();
        self.reasons.push(format!("licence {}: {text}", leaf.licence.licence_id));
        self.step(chain.licences.len(), Outcome::Holds, Some(leaf.licence), text);
    }

    /// What the question itself leaves open.
    fn unknown_question(&mut self) -> Vec<String> {
        let asked = self.walk.asked;
        let mut doubts = Vec::new();
        if asked.operator.is_none() {
            doubts.push("the operator is not known".to_owned());
        }
        match (asked.territory, asked.question.territory) {
            (None, Some(text)) => doubts.push(format!("`{text}` is not a territory (ISO 3166-1 alpha-2)")),
            (None, None) => doubts.push("the territory is not known".to_owned()),
            _ => {}
        }
        for doubt in &doubts {
            self.step(0, Outcome::Unknown, None, doubt.clone());
        }
        doubts
    }

    /// Writes the leaves' walks down; returns what is not known in them, and what fails.
    fn tell_leaves(&mut self, leaves: &[Leaf<'a>]) -> (Vec<String>, Vec<String>) {
        let mut doubts = Vec::new();
        let mut failing = Vec::new();
        for leaf in leaves {
            let worth_telling = leaf.holds() == Holds::Unknown
                || (leaf.operator.holds == Holds::Yes && self.scope_touches(leaf.licence));
            if !worth_telling {
                continue;
            }
            self.step(0, leaf.operator.holds.into(), Some(leaf.licence), leaf.operator.text.clone());
            let mut seen = BTreeSet::new();
            let found = self.ascend(leaf.licence, None, 1, &mut seen);
            if leaf.holds() == Holds::Unknown {
                doubts.extend(doubt_of(leaf, &self.walk));
            } else {
                failing.extend(found);
            }
        }
        (doubts, failing)
    }

    fn scope_touches(&self, licence: &Licence) -> bool {
        licence.scope.holds(self.walk.asked.question.recording) != Holds::No
    }

    /// Writes down a licence and all above it; returns the conditions that fail, one sentence each.
    fn ascend(
        &mut self,
        licence: &'a Licence,
        below: Option<&Licence>,
        depth: usize,
        seen: &mut BTreeSet<String>,
    ) -> Vec<String> {
        if !seen.insert(licence.licence_id.clone()) {
            self.step(depth, Outcome::Note, Some(licence), "(already told)".to_owned());
            return Vec::new();
        }
        let mut findings = grant_findings(licence, self.walk.asked);
        findings.extend(self.walk.root(licence));
        match below {
            Some(below) => findings.extend(self.walk.link(licence, below)),
            None => findings.push(self.walk.own_use(licence)),
        }
        self.licence_steps(depth, licence, &findings);
        let fails = findings.iter().filter(|finding| finding.holds == Holds::No);
        let mut failing: Vec<String> = fails
            .map(|finding| format!("licence {} ({}) {}", licence.licence_id, licence.parties(), finding.text))
            .collect();
        if !failing.is_empty() || self.steps.len() > STEPS_MAX {
            return failing;
        }
        for parent in self.walk.graph.parents(licence) {
            // Of what a licensor holds for other recordings nothing needs to be told.
            if self.scope_touches(parent) || licence.parent_licence_id.is_some() {
                failing.extend(self.ascend(parent, Some(licence), depth + 1, seen));
            }
        }
        failing
    }

    fn unlicensed(&mut self, leaves: &[Leaf<'a>]) {
        let asked = self.walk.asked;
        let operator = asked.operator.clone().unwrap_or_default();
        let id = &asked.question.recording.recording_id;
        let naming = leaves.iter().filter(|leaf| leaf.operator.holds == Holds::Yes).count();
        if naming == 0 {
            let text = format!("no licence names {operator} as an operator");
            self.step(0, Outcome::Fails, None, text.clone());
            self.reasons.push(text);
        } else if self.reasons.is_empty() {
            let text = format!(
                "{naming} licence(s) name {operator}, and none leads from an owner of recording {id}"
            );
            self.step(0, Outcome::Fails, None, text.clone());
            self.reasons.push(text);
        }
        for holder in self.exclusive_holders() {
            self.step(0, Outcome::Note, Some(holder), exclusive_text(holder, asked));
            self.reasons.push(format!("licence {}: {}", holder.licence_id, exclusive_text(holder, asked)));
        }
    }

    fn exclusive_holders(&self) -> Vec<&'a Licence> {
        let graph = self.walk.graph;
        let exclusive = graph.licences().filter(|licence| licence.exclusive && !licence.is_ownership());
        exclusive.filter(|licence| self.walk.grant(licence) == Holds::Yes).take(5).collect()
    }

    /// Whether the term of protection may be over: the doubt, if so.
    fn protection_over(&mut self) -> Option<String> {
        let recording = self.walk.asked.question.recording;
        let made = recording.first_made.as_deref().or(recording.release_date.as_deref())?;
        let year: i16 = made.get(..4)?.parse().ok()?;
        // The answer must not hang on where the reader sits: the end of the year is taken in China's time.
        let at = self.walk.asked.question.at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
        if at.year() <= year.saturating_add(PROTECTION_YEARS) {
            return None;
        }
        let text = format!(
            "the recording was made by {year}: its term of protection ({PROTECTION_YEARS} years, Copyright Law Art. 44) may be over"
        );
        self.step(0, Outcome::Unknown, None, text.clone());
        Some(text)
    }

    fn licence_steps(&mut self, depth: usize, licence: &Licence, findings: &[Finding]) {
        self.step(depth, all(findings).into(), Some(licence), licence.parties());
        for finding in findings {
            self.step(depth + 1, finding.holds.into(), Some(licence), finding.text.clone());
        }
    }

    fn step(&mut self, depth: usize, outcome: Outcome, licence: Option<&Licence>, text: String) {
        if self.steps.len() >= STEPS_MAX + 40 {
            return;
        }
        let depth = u8::try_from(depth).unwrap_or(u8::MAX);
        self.steps.push(Step { depth, outcome, licence_id: licence.map(|l| l.licence_id.clone()), text });
    }
}

/// Names what makes the best chain of a leaf doubtful.
fn doubt_of(leaf: &Leaf<'_>, walk: &Walk<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut add = |licence: &Licence, finding: &Finding| {
        if finding.holds == Holds::Unknown {
            doubts.push(format!("licence {} ({}): {}", licence.licence_id, licence.parties(), finding.text));
        }
    };
    add(leaf.licence, &leaf.operator);
    let Some(chain) = &leaf.chain else { return doubts };
    for (n, licence) in chain.licences.iter().enumerate() {
        let mut findings = grant_findings(licence, walk.asked);
        if n == 0 {
            findings.extend(walk.root(licence));
        }
        match chain.licences.get(n + 1) {
            Some(below) => findings.extend(walk.link(licence, below)),
            None => findings.push(walk.own_use(licence)),
        }
        findings.iter().for_each(|finding| add(licence, finding));
    }
    doubts
}

fn exclusive_text(licence: &Licence, asked: &Asked<'_>) -> String {
    format!("{} holds the right exclusively in {}", licence.licensee, asked.place())
}

/// Sums up a licence in one sentence.
fn terms(licence: &Licence) -> String {
    let rights: Vec<&str> = licence.rights.iter().map(|right| right.as_str()).collect();
    let exclusive = if licence.exclusive && !licence.is_ownership() { "exclusive, " } else { "" };
    let start = licence.start.map_or_else(String::new, |start| format!(", from {start}"));
    let end = licence.ends_at().map_or_else(String::new, |end| format!(", until {end}"));
    let scope =
        if licence.scope == Scope::All { "all recordings".to_owned() } else { licence.scope.to_string() };
    format!(
        "{}, {exclusive}{scope}, {}, {}{start}{end}",
        licence.parties(),
        rights.join(" and "),
        licence.territories
    )
}
