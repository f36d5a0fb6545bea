//! The conditions of one licence, one at a time: each finding says whether it holds, and why.

use super::licence::{Holds, Licence};
use super::operator::{Kinship, kinship, normalise_operator};
use super::terms::{Layer, Status};
use super::territory::Territory;
use super::verdict::{Outcome, Question};
use crate::base::Timestamp;

/// What came of one condition.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) holds: Holds,
    pub(super) text: String,
}

impl Finding {
    pub(super) fn new(holds: Holds, text: impl Into<String>) -> Self {
        Self { holds, text: text.into() }
    }
}

impl From<Holds> for Outcome {
    fn from(holds: Holds) -> Self {
        match holds {
            Holds::Yes => Self::Holds,
            Holds::No => Self::Fails,
            Holds::Unknown => Self::Unknown,
        }
    }
}

/// The question in the form that conditions are checked in.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) question: Question<'a>,
    /// `None` where it was not given, or is no territory.
    pub(super) territory: Option<Territory>,
    /// In the form of [`normalise_operator`].
    pub(super) operator: Option<String>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(question: Question<'a>) -> Self {
        let operator = question.operator.map(normalise_operator).filter(|operator| !operator.is_empty());
        let territory = question.territory.and_then(|text| text.parse().ok());
        Self { question, territory, operator }
    }

    /// Names the place in sentences.
    pub(super) fn place(&self) -> String {
        self.territory.map_or_else(|| "an unknown territory".to_owned(), |territory| territory.to_string())
    }
}

/// Checks everything that a licence says of itself, whoever uses it: scope, right, layer, territory, period,
/// status.
pub(super) fn grant_findings(licence: &Licence, asked: &Asked<'_>) -> Vec<Finding> {
    vec![
        scope(licence, asked),
        right(licence, asked),
        layer(licence),
        territory(licence, asked),
        period(licence, asked.question.at),
        status(licence),
    ]
}

/// The least of several findings: a licence holds only if all its conditions do.
pub(super) fn all(findings: &[Finding]) -> Holds {
    findings.iter().map(|finding| finding.holds).min().unwrap_or(Holds::Yes)
}

fn scope(licence: &Licence, asked: &Asked<'_>) -> Finding {
    let id = &asked.question.recording.recording_id;
    let scope = &licence.scope;
    match scope.holds(asked.question.recording) {
        Holds::Yes => Finding::new(Holds::Yes, format!("covers recording {id} (scope {scope})")),
        Holds::No => Finding::new(Holds::No, format!("does not cover recording {id} (scope {scope})")),
        Holds::Unknown => Finding::new(
            Holds::Unknown,
            format!("scope is {scope}, and the catalogue does not say this of recording {id}"),
        ),
    }
}

fn right(licence: &Licence, asked: &Asked<'_>) -> Finding {
    let asked_right = asked.question.right;
    let granted: Vec<&str> = licence.rights.iter().map(|right| right.as_str()).collect();
    let granted = granted.join(" and ");
    if licence.rights.iter().any(|right| right.contains(asked_right)) {
        Finding::new(Holds::Yes, format!("grants {granted}, which covers {asked_right}"))
    } else if licence.rights.iter().any(|&right| asked_right.contains(right)) {
        Finding::new(
            Holds::Unknown,
            format!("grants only {granted}, a part of {asked_right}; which part this use is is not known"),
        )
    } else {
        Finding::new(Holds::No, format!("grants {granted}, not {asked_right}"))
    }
}

fn layer(licence: &Licence) -> Finding {
    match licence.layer {
        Layer::Recording => Finding::new(Holds::Yes, "is about the right in the sound recording"),
        Layer::Unknown => Finding::new(
            Holds::Unknown,
            "does not say whose right (recording, work or performance) it is about",
        ),
        other => Finding::new(Holds::No, format!("is about the {other}, not about the sound recording")),
    }
}

fn territory(licence: &Licence, asked: &Asked<'_>) -> Finding {
    let territories = &licence.territories;
    match asked.territory {
        _ if territories.is_worldwide() => Finding::new(Holds::Yes, "holds worldwide"),
        None => Finding::new(
            Holds::Unknown,
            format!("holds in {territories}; the territory of the use is not known"),
        ),
        Some(territory) if territories.contains(territory) => {
            Finding::new(Holds::Yes, format!("holds in {territory} (territories {territories})"))
        }
        Some(territory) => {
            Finding::new(Holds::No, format!("does not hold in {territory} (territories {territories})"))
        }
    }
}

/// The start belongs to the period, the end does not.
fn period(licence: &Licence, at: Timestamp) -> Finding {
    if let Some(start) = licence.start.filter(|&start| at < start) {
        return Finding::new(Holds::No, format!("is not yet in force: begins on {start}"));
    }
    if let Some(terminated) = licence.terminated_at.filter(|&terminated| at >= terminated) {
        return Finding::new(Holds::No, format!("was terminated on {terminated}"));
    }
    if let Some(end) = licence.end.filter(|&end| at >= end) {
        return Finding::new(Holds::No, format!("expired on {end}"));
    }
    let start = licence.start.map_or_else(|| "always".to_owned(), |start| start.to_string());
    let end = licence.ends_at().map_or_else(|| "further notice".to_owned(), |end| end.to_string());
    Finding::new(Holds::Yes, format!("is in force at {at} (from {start} until {end})"))
}

fn status(licence: &Licence) -> Finding {
    match (licence.status, licence.terminated_at) {
        (Status::Active, _) => Finding::new(Holds::Yes, "is active"),
        // The period above has already looked at the instant of termination.
        (Status::Terminated, Some(_)) => Finding::new(Holds::Yes, "was active before its termination"),
        (Status::Terminated, None) => {
            Finding::new(Holds::Unknown, "is terminated, and since when is not recorded")
        }
        (Status::Draft, _) => {
            Finding::new(Holds::Unknown, "is a draft: whether it was signed is not recorded")
        }
        (Status::Suspended, _) => {
            Finding::new(Holds::Unknown, "is suspended: whether it may be used is not clear")
        }
    }
}

/// Checks whether a licence covers use by the asked operator; `No` with an empty text where they have nothing to
/// do with each other.
pub(super) fn operator(licence: &Licence, asked: &Asked<'_>) -> Finding {
    let Some(operator) = asked.operator.as_deref() else {
        return Finding::new(Holds::Unknown, "the operator is not known");
    };
    let mut best = Finding::new(Holds::No, "");
    for domain in &licence.operators.domains {
        let found = match kinship(operator, domain) {
            Kinship::Same => return Finding::new(Holds::Yes, format!("names {operator} as an operator")),
            Kinship::Below => Finding::new(
                Holds::Yes,
                format!("names {domain} as an operator, of which {operator} is a subdomain"),
            ),
            Kinship::Above => Finding::new(
                Holds::Unknown,
                format!("names only {domain}, a part of {operator}; which part was seen is not known"),
            ),
            Kinship::None => continue,
        };
        if found.holds > best.holds {
            best = found;
        }
    }
    let covers = licence.scope.holds(asked.question.recording) != Holds::No;
    if covers && normalise_operator(&licence.licensee) == operator {
        return Finding::new(Holds::Yes, format!("the operator is the {}", role(licence)));
    }
    if best.holds == Holds::No { accounts(licence, operator).unwrap_or(best) } else { best }
}

fn role(licence: &Licence) -> &'static str {
    if licence.is_ownership() { "owner" } else { "licensee" }
}

/// What accounts, or the lack of any operator, leave open.
fn accounts(licence: &Licence, operator: &str) -> Option<Finding> {
    for account in &licence.operators.accounts {
        let host = account.split_once('/').map(|(host, _)| normalise_operator(host));
        let may_be = match &host {
            Some(host) if host.contains('.') => kinship(operator, host) != Kinship::None,
            _ => true,
        };
        if may_be {
            let text =
                format!("covers the account {account}; whose account was seen on {operator} is not known");
            return Some(Finding::new(Holds::Unknown, text));
        }
    }
    // An owner knows its own sites and need not list them; of a licensee nothing may be assumed.
    if licence.operators.is_unknown() && !licence.is_ownership() {
        let text = format!(
            "names no operator: whether {operator} is run by {} is not recorded (add its domains, or `none`)",
            licence.licensee
        );
        return Some(Finding::new(Holds::Unknown, text));
    }
    None
}
