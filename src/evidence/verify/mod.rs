//! The offline verifier: here is a bundle and what the verifier trusts; gives each check with its result.
//!
//! Nothing but the file is needed. What it proves grows with what is given beside it: a public key that was had from
//! elsewhere says by whom it was made, roots of a time-stamping authority say when, the root that a store or a letter names
//! says that it is the one that was meant.

mod documents;
mod heard;
mod opened;
mod replayed;
mod sealed;
mod withheld;

use serde::Serialize;

use super::container::Container;
use super::excerpts::Listener;
use super::keys::PublicKey;
use super::replay::Replay;
use super::section::ReadAt;
use crate::base::Digest;
use opened::Opened;

/// Judges a time-stamp token (RFC 3161) over a digest; gives what it says, or why it says nothing, in a line.
pub type StampCheck<'a> = dyn Fn(&[u8], &Digest) -> Result<String, String> + 'a;

/// What a bundle is held against.
#[derive(Clone, Copy, Default)]
pub struct Demands<'a> {
    /// Who must have signed it; none: whoever it names itself.
    pub key: Option<&'a PublicKey>,
    /// The Merkle root that it must have.
    pub root: Option<&'a Digest>,
    /// Judges its time-stamp against trusted roots.
    pub stamp: Option<&'a StampCheck<'a>>,
    /// Makes the match again.
    pub replay: Option<&'a Replay<'a>>,
    /// Cuts the excerpts out again.
    pub listener: Option<&'a dyn Listener>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What it asks for holds.
    Passed,
    /// It does not hold.
    Failed,
    /// What it needs was not given, or an earlier check failed that it rests on.
    NotChecked,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, the same in every version.
    pub name: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// In words.
    pub detail: String,
}

/// All checks of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The case that it is about, as it says.
    pub case_id: Option<String>,
    /// Its Merkle root, as computed.
    pub root: Option<Digest>,
    /// SHA-256 of the file.
    pub sha256: Option<Digest>,
    /// The checks, in their order.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether no check failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Failed)
    }
}

/// What a check tells: that it passed and why that is worth something, that it failed, or that it was not made.
enum Told {
    Passed(String),
    Failed(String),
    NotChecked(String),
}

impl From<Result<String, String>> for Told {
    fn from(result: Result<String, String>) -> Self {
        match result {
            Ok(detail) => Self::Passed(detail),
            Err(why) => Self::Failed(why),
        }
    }
}

type CheckOf = (&'static str, fn(&Opened<'_>, &Demands<'_>) -> Told);

/// The name of the first check, on which all others rest.
const CONTAINER: &str = "container";

/// The checks after it. Each is made whatever became of those before it.
const CHECKS: [CheckOf; 14] = [
    ("entries", |opened, _| sealed::entries(opened).into()),
    ("digests", |opened, _| sealed::digests(opened).into()),
    ("merkle root", |opened, _| sealed::merkle(opened).into()),
    ("signature", |opened, demands| sealed::signature(opened, demands).into()),
    ("expected root", sealed::expected_root),
    ("time-stamp", sealed::timestamp),
    ("data package", |opened, _| documents::data_package(opened).into()),
    ("web archive", |opened, _| documents::web_archive(opened).into()),
    ("index", |opened, _| documents::index(opened).into()),
    ("operation log", |opened, _| documents::log(opened).into()),
    ("documents", |opened, _| documents::agree(opened).into()),
    ("annex", |opened, _| withheld::annex(opened).into()),
    ("replay", replayed::replay),
    ("excerpts", heard::excerpts),
];

/// The case that a bundle says it is about, and its Merkle root as computed; none where it is no bundle.
#[must_use]
pub fn case_and_root_of(bundle: &dyn ReadAt) -> Option<(String, Digest)> {
    let opened = Opened::new(Container::read(bundle).ok()?);
    let case_id = opened.manifest().ok()?.case_id.clone();
    Some((case_id, opened.root()))
}

/// Verifies a bundle.
#[must_use]
pub fn verify(bundle: &dyn ReadAt, demands: &Demands<'_>) -> Report {
    let container = match Container::read(bundle) {
        Ok(container) => container,
        Err(fault) => return unreadable(&fault.to_string()),
    };
    let whole =
        format!("{} entries, each byte of the file as the program writes it", container.entries().len());
    let mut checks = vec![Check { name: CONTAINER, outcome: Outcome::Passed, detail: whole }];
    let opened = Opened::new(container);
    checks.extend(CHECKS.iter().map(|(name, check)| match check(&opened, demands) {
        Told::Passed(detail) => Check { name, outcome: Outcome::Passed, detail },
        Told::Failed(detail) => Check { name, outcome: Outcome::Failed, detail },
        Told::NotChecked(detail) => Check { name, outcome: Outcome::NotChecked, detail },
    }));
    Report {
        case_id: opened.manifest().ok().map(|manifest| manifest.case_id.clone()),
        root: Some(opened.root()),
        sha256: Some(opened.container.sha256()),
        checks,
    }
}

fn unreadable(why: &str) -> Report {
    let mut checks = vec![Check { name: CONTAINER, outcome: Outcome::Failed, detail: why.to_owned() }];
    checks.extend(CHECKS.iter().map(|(name, _)| Check {
        name,
        outcome: Outcome::NotChecked,
        detail: "the container is broken".to_owned(),
    }));
    Report { case_id: None, root: None, sha256: None, checks }
}
