//! What one licence says.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::operator::fold_name;
use super::terms::{Layer, Right, Status};
use super::territory::Territories;
use crate::base::{Digest, Timestamp};
use crate::catalog::Recording;

/// One version of one grant. Terms are never changed in place: new terms are a new version with its own
/// `recorded_at`, so that the graph as it was known at any instant can be told.
///
/// A licence without a licensor is a statement of ownership by its `licensee`: every chain begins with one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The owner's own identifier of the licence.
    pub licence_id: String,
    /// 1 for the first terms recorded under this identifier, then 2, 3 …
    #[serde(default = "first_version")]
    pub version: u32,
    /// When these terms were recorded.
    pub recorded_at: Timestamp,
    /// The licence that this one is granted under; where not named, any licence held by `licensor` may be it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_licence_id: Option<String>,
    /// Who grants; `None` makes this a statement of ownership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensor: Option<String>,
    /// Who is granted, or who owns.
    pub licensee: String,
    /// Through which sites the licensee may use the recordings.
    #[serde(default)]
    pub operators: Operators,
    /// Which recordings.
    pub scope: Scope,
    /// Which rights; never empty.
    pub rights: BTreeSet<Right>,
    /// Whose right: the maker's of the recording, the author's, the performer's.
    #[serde(default)]
    pub layer: Layer,
    /// Whether nobody else, not even the licensor, may use what is granted.
    #[serde(default)]
    pub exclusive: bool,
    /// Whether the licensee may license others in turn.
    #[serde(default)]
    pub sublicensable: bool,
    /// Where.
    pub territories: Territories,
    /// First instant at which it holds; `None`: as long as the right exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// First instant at which it no longer holds; `None`: until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Whether it is in force at all.
    #[serde(default)]
    pub status: Status,
    /// First instant at which it no longer holds because it was ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminated_at: Option<Timestamp>,
    /// SHA-256 of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_file_sha256: Option<Digest>,
}

const fn first_version() -> u32 {
    1
}

impl Licence {
    /// Whether this is a statement of ownership, the root of chains.
    #[must_use]
    pub const fn is_ownership(&self) -> bool {
        self.licensor.is_none()
    }

    /// Whether both say the same, whenever and in whichever order they were recorded.
    #[must_use]
    pub fn same_terms(&self, other: &Self) -> bool {
        let mut copy = other.clone();
        copy.version = self.version;
        copy.recorded_at = self.recorded_at;
        *self == copy
    }

    /// First instant at which it no longer holds, by its term or by early termination.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match (self.end, self.terminated_at) {
            (Some(end), Some(terminated)) => Some(end.min(terminated)),
            (end, terminated) => end.or(terminated),
        }
    }

    /// Whether the term runs at `at`: the start belongs to it, the end does not. Says nothing of the status.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.ends_at().is_none_or(|end| at < end)
    }

    /// Whether the scope covers `recording`, or may: for want of an identifier in the catalogue it can be open.
    #[must_use]
    pub fn may_cover(&self, recording: &Recording) -> bool {
        self.scope.holds(recording) != Holds::No
    }

    /// Returns `Avex → NetEase`, or `owned by Avex`.
    #[must_use]
    pub fn parties(&self) -> String {
        match &self.licensor {
            Some(licensor) => format!("{licensor} → {}", self.licensee),
            None => format!("owned by {}", self.licensee),
        }
    }
}

/// The sites through which a licensee may use what is granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operators {
    /// Domains in lower-case punycode, subdomains included; addresses where there is no name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub domains: BTreeSet<String>,
    /// Accounts on other people's platforms, as text, for example `bilibili.com/12345`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<String>,
    /// Set where it is recorded that the licensee runs no site of its own (a distributor, say). Without it and
    /// without any domain or account, nothing is known of the licensee's sites.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub none: bool,
}

impl Operators {
    /// Whether nothing at all is recorded.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        !self.none && self.domains.is_empty() && self.accounts.is_empty()
    }
}

/// Which recordings a licence covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All that the licensor has.
    All,
    /// Those of these labels; case and spacing do not matter.
    Label(BTreeSet<String>),
    /// Those released under these UPCs or EANs, without leading zeros.
    Upc(BTreeSet<String>),
    /// Those with these ISRCs.
    Isrc(BTreeSet<String>),
    /// Those with these identifiers.
    Recording(BTreeSet<String>),
}

/// Whether something holds; a thing not recorded is neither true nor false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    No,
    Unknown,
    Yes,
}

impl Scope {
    /// Whether the scope holds `recording`.
    pub(super) fn holds(&self, recording: &Recording) -> Holds {
        let listed = |list: &BTreeSet<String>, value: Option<String>| match value {
            None => Holds::Unknown,
            Some(value) if list.contains(&value) => Holds::Yes,
            Some(_) => Holds::No,
        };
        match self {
            Self::All => Holds::Yes,
            Self::Label(list) => {
                let label = recording.label.as_deref().map(fold_name).filter(|label| !label.is_empty());
                match label {
                    None => Holds::Unknown,
                    Some(label) if list.iter().any(|listed| fold_name(listed) == label) => Holds::Yes,
                    Some(_) => Holds::No,
                }
            }
            Self::Upc(list) => listed(list, recording.upc.as_deref().map(fold_upc)),
            Self::Isrc(list) => listed(list, recording.isrc.as_deref().map(fold_isrc)),
            Self::Recording(list) => listed(list, Some(recording.recording_id.to_string())),
        }
    }

    /// Whether some recording is surely in both; scopes of different kinds are told apart only by the catalogue,
    /// so they count as apart here.
    pub(super) fn surely_overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => true,
            (Self::Label(a), Self::Label(b)) => {
                a.iter().any(|one| b.iter().any(|two| fold_name(one) == fold_name(two)))
            }
            (Self::Upc(a), Self::Upc(b))
            | (Self::Isrc(a), Self::Isrc(b))
            | (Self::Recording(a), Self::Recording(b)) => !a.is_disjoint(b),
            _ => false,
        }
    }

    /// Whether everything of `self` is surely in `other`; `None` where only the catalogue could tell.
    pub(super) fn is_within(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (_, Self::All) => Some(true),
            (Self::All, _) => Some(false),
            (Self::Label(a), Self::Label(b)) => {
                Some(a.iter().all(|one| b.iter().any(|two| fold_name(one) == fold_name(two))))
            }
            (Self::Upc(a), Self::Upc(b))
            | (Self::Isrc(a), Self::Isrc(b))
            | (Self::Recording(a), Self::Recording(b)) => Some(a.is_subset(b)),
            _ => None,
        }
    }
}

/// Brings a UPC or EAN into the form that is compared: digits without leading zeros, as one number may be written
/// with 12, 13 or 14 of them.
pub(super) fn fold_upc(upc: &str) -> String {
    let digits: String = upc.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}

/// Brings an ISRC into the form that is compared: upper case without hyphens.
pub(super) fn fold_isrc(isrc: &str) -> String {
    isrc.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, list) = match self {
            Self::All => return f.write_str("all"),
            Self::Label(list) => ("label", list),
            Self::Upc(list) => ("upc", list),
            Self::Isrc(list) => ("isrc", list),
            Self::Recording(list) => ("recording", list),
        };
        let shown: Vec<&str> = list.iter().take(3).map(String::as_str).collect();
        write!(f, "{kind}:{}", shown.join("|"))?;
        if list.len() > shown.len() { write!(f, "|… ({} in all)", list.len()) } else { Ok(()) }
    }
}
