//! What comes again after it was gone.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::queue::CaseInput;
use super::review::Error;
use super::state::State;
use crate::base::{Digest, RecordingId, Timestamp};
use crate::crawl::Sighting;
use crate::store::{Record, Store};

/// How often one file may come again.
const UPLOADS_MAX: u32 = 1000;

/// Where a finding belongs.
pub(super) enum Place {
    Old(Box<Case>),
    New { case_id: String, reupload_of: Option<String> },
}

/// Finds the case of a file, or names a new one. What comes again after it was gone is a new case, which names the old one: the
/// same file by its own earlier case, another file by the last case about this recording at this operator.
pub(super) fn place(store: &Store, input: &CaseInput<'_>) -> Result<Place, Error> {
    let CaseInput { sighting, recording, .. } = *input;
    let (id, domain) = (&recording.recording_id, &sighting.domain);
    let mut newest = None;
    for upload in 1..=UPLOADS_MAX {
        let case_id = Case::id_of_upload(id, domain, sighting.sha256, upload);
        match store.get::<Case>(&case_id)? {
            Some(case) => newest = Some(case),
            None => {
                return Ok(match newest {
                    Some(case) if !comes_again(&case, sighting) => Place::Old(Box::new(case)),
                    Some(case) => Place::New { case_id, reupload_of: Some(case.case_id) },
                    None => Place::New { case_id, reupload_of: gone_before(store, input)? },
                });
            }
        }
    }
    let case_id = Case::id_of(id, domain, sighting.sha256);
    Ok(newest.map_or(Place::New { case_id, reupload_of: None }, |case| Place::Old(Box::new(case))))
}

/// Whether the sighting is of a new upload: what the case is about was gone before.
fn comes_again(case: &Case, sighting: &Sighting) -> bool {
    matches!(case.state, State::Removed | State::Closed)
        && case.gone_at.is_some_and(|gone| sighting.captured_at > gone)
}

/// The last case about this recording at this operator whose media was gone before this sighting.
fn gone_before(store: &Store, input: &CaseInput<'_>) -> Result<Option<String>, Error> {
    let key = GoneRecord::key_of(&input.recording.recording_id, &input.sighting.domain);
    let Some(gone) = store.get::<GoneRecord>(&key)? else { return Ok(None) };
    let case = store.get::<Case>(&gone.case_id)?;
    Ok(case.filter(|case| comes_again(case, input.sighting)).map(|case| case.case_id))
}

/// The last case about one recording at one operator whose media was found to be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GoneRecord {
    key: String,
    /// Which case.
    case_id: String,
    /// Since when it was gone.
    at: Timestamp,
}

impl GoneRecord {
    pub(super) fn of(case: &Case, at: Timestamp) -> Self {
        let key = Self::key_of(&case.recording_id, &case.domain);
        Self { key, case_id: case.case_id.clone(), at }
    }

    fn key_of(recording_id: &RecordingId, domain: &str) -> String {
        Digest::of(format!("{recording_id}\u{0}{}", domain.to_lowercase()).as_bytes()).to_string()
    }
}

impl Record for GoneRecord {
    const KIND: &'static str = "case_gone";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.key.clone()
    }
}
