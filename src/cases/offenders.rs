//! Who does it again, and what is the same in several places.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::case::Case;
use super::file::CaseFile;
use super::notification::Notification;
use super::state::State;
use crate::base::{RecordingId, Timestamp};

/// An operator with more than one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offender {
    /// The operator: its registrable domain, or its address.
    pub operator: String,
    /// Cases that a person upheld.
    pub upheld: usize,
    /// Cases that still wait for a person.
    pub suspected: usize,
    /// Upheld cases in which what was gone had come again.
    pub reuploads: usize,
    /// Notices that were ignored.
    pub ignored: usize,
    /// Notices that were countered.
    pub countered: usize,
    /// Cases in which the file was removed.
    pub removed: usize,
    /// Which recordings, of upheld cases.
    pub recordings: BTreeSet<RecordingId>,
    /// When the first of the files was seen …
    pub first_seen: Option<Timestamp>,
    /// … and the last.
    pub last_seen: Option<Timestamp>,
    /// The cases, upheld ones first: the evidence.
    pub cases: Vec<String>,
}

/// What is the same in several places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorOf {
    /// The file, byte for byte.
    Sha256,
    /// The address that serves the media.
    MediaUrl,
}

impl MirrorOf {
    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::MediaUrl => "media_url",
        }
    }
}

/// The same file, or the same address, at several operators: one of them copies from another, or one person runs both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mirror {
    /// What is the same.
    pub of: MirrorOf,
    /// The digest, or the address.
    pub value: String,
    /// The operators, two at least.
    pub operators: BTreeSet<String>,
    /// The recordings.
    pub recordings: BTreeSet<RecordingId>,
    /// The cases: the evidence.
    pub cases: Vec<String>,
}

/// Repeat infringers and mirrors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Offenders {
    /// Operators with several cases, the worst first: most that came again, then most ignored, then most upheld.
    pub operators: Vec<Offender>,
    /// What is at several operators, most operators first.
    pub mirrors: Vec<Mirror>,
}

/// Ranks repeat infringers and mirrors. Cases that were dismissed or retracted count for nothing.
#[must_use]
pub fn offenders(files: &[CaseFile]) -> Offenders {
    let held: Vec<&CaseFile> =
        files.iter().filter(|file| file.case.state.is_upheld() || file.case.state.is_open()).collect();
    Offenders { operators: operators(&held), mirrors: mirrors(&held) }
}

fn operators(files: &[&CaseFile]) -> Vec<Offender> {
    let mut by_operator: BTreeMap<String, Vec<&CaseFile>> = BTreeMap::new();
    for file in files {
        by_operator.entry(file.case.domain.to_lowercase()).or_default().push(file);
    }
    let several = by_operator.into_iter().filter(|(_, files)| files.len() > 1);
    let mut operators: Vec<Offender> = several.map(|(operator, files)| offender(operator, &files)).collect();
    operators.sort_by(|a, b| {
        let rank =
            |one: &Offender| (one.reuploads, one.ignored, one.upheld, one.recordings.len(), one.suspected);
        rank(b).cmp(&rank(a)).then_with(|| a.operator.cmp(&b.operator))
    });
    operators
}

fn offender(operator: String, files: &[&CaseFile]) -> Offender {
    let (upheld, suspected): (Vec<&CaseFile>, Vec<&CaseFile>) =
        files.iter().copied().partition(|file| file.case.state.is_upheld());
    let notices = |holds: fn(&Notification) -> bool| {
        upheld.iter().flat_map(|file| &file.notifications).filter(|one| holds(one)).count()
    };
    let was_ignored =
        |one: &Notification| one.events.iter().any(|entry| entry.event == super::state::Event::Ignored);
    Offender {
        operator,
        reuploads: upheld.iter().filter(|file| file.case.reupload_of.is_some()).count(),
        ignored: notices(was_ignored),
        countered: notices(Notification::is_locked),
        removed: upheld
            .iter()
            .filter(|file| file.case.state == State::Removed || file.case.gone_at.is_some())
            .count(),
        recordings: upheld.iter().map(|file| file.case.recording_id.clone()).collect(),
        first_seen: files.iter().flat_map(|file| first_seen(&file.case)).min(),
        last_seen: files.iter().filter_map(|file| file.case.last_seen()).max(),
        cases: upheld.iter().chain(&suspected).map(|file| file.case.case_id.clone()).collect(),
        upheld: upheld.len(),
        suspected: suspected.len(),
    }
}

fn first_seen(case: &Case) -> Option<Timestamp> {
    case.sightings.iter().map(|sighting| sighting.captured_at).min()
}

fn mirrors(files: &[&CaseFile]) -> Vec<Mirror> {
    let mut by_value: BTreeMap<(MirrorOf, String), Vec<&Case>> = BTreeMap::new();
    for file in files {
        let case = &file.case;
        by_value.entry((MirrorOf::Sha256, case.sha256.to_string())).or_default().push(case);
        let urls: BTreeSet<&str> =
            case.sightings.iter().map(|sighting| sighting.media_url.as_str()).collect();
        for url in urls {
            by_value.entry((MirrorOf::MediaUrl, url.to_owned())).or_default().push(case);
        }
    }
    let mut mirrors: Vec<Mirror> = by_value
        .into_iter()
        .map(|((of, value), cases)| Mirror {
            of,
            value,
            operators: cases.iter().map(|case| case.domain.to_lowercase()).collect(),
            recordings: cases.iter().map(|case| case.recording_id.clone()).collect(),
            cases: cases.iter().map(|case| case.case_id.clone()).collect(),
        })
        .filter(|mirror| mirror.operators.len() > 1)
        .collect();
    mirrors.sort_by(|a, b| {
        let rank = |one: &Mirror| (one.operators.len(), one.cases.len());
        rank(b).cmp(&rank(a)).then_with(|| (a.of, &a.value).cmp(&(b.of, &b.value)))
    });
    mirrors
}
