//! From a finding to a case: new, joined, or nothing new.

use super::case::{
    Case, CaseSighting, MATCHES_BYTES_MAX, MATCHES_MAX, SIGHTINGS_BYTES_MAX, SIGHTINGS_MAX, json_bytes,
};
use super::information::{Comparison, InformationRecord};
use super::reupload::{Place, place};
use super::review::{Error, enter};
use super::state::{Event, State};
use crate::base::Timestamp;
use crate::catalog::Recording;
use crate::crawl::Sighting;
use crate::evidence::log::Log;
use crate::matching::Match;
use crate::rights::{Decision, Verdict};
use crate::store::{Batch, Store};

/// Who acts where no person does.
const PROGRAM: &str = "earwitness";

/// One finding: a recording in a file at an address.
#[derive(Debug, Clone, Copy)]
pub struct CaseInput<'a> {
    /// Where the file was seen.
    pub sighting: &'a Sighting,
    /// The matches of this recording in it; those of others are left aside.
    pub matches: &'a [Match],
    /// Whether the operator may use the recording.
    pub verdict: &'a Verdict,
    /// Which recording.
    pub recording: &'a Recording,
    /// The copy's tags beside the recording's, where the catalogue knows those.
    pub information: Option<&'a Comparison>,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queued {
    /// A new case was opened.
    New(String),
    /// The file was seen at another address of the same operator: one more sighting of an old case.
    Joined(String),
    /// The same file at the same address: only counted.
    Seen(String),
    /// The use is licensed, and there is no case.
    Licensed,
}

impl Queued {
    /// Returns the case's identifier, if there is a case.
    #[must_use]
    pub fn case_id(&self) -> Option<&str> {
        match self {
            Self::New(id) | Self::Joined(id) | Self::Seen(id) => Some(id),
            Self::Licensed => None,
        }
    }
}

/// Files a finding. Filing the same finding again changes nothing.
///
/// A LICENSED finding never opens a case; where one is open from before the licence was known, it is told in the
/// case's history and left to people.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn queue(store: &Store, now: Timestamp, input: CaseInput<'_>) -> Result<Queued, Error> {
    let (mut log, mut batch) = (Log::open(store)?, Batch::new());
    let queued = queue_in(store, now, input, (&mut log, &mut batch))?;
    store.commit(batch)?;
    Ok(queued)
}

/// As [`queue`], but puts the case into the batch, for the caller to commit with what belongs to it while it has the log.
///
/// # Errors
/// As [`queue`].
pub fn queue_in(
    store: &Store,
    now: Timestamp,
    input: CaseInput<'_>,
    (log, batch): (&mut Log, &mut Batch),
) -> Result<Queued, Error> {
    let CaseInput { sighting, verdict, .. } = input;
    let mut case = match place(store, &input)? {
        Place::Old(case) => *case,
        Place::New { .. } if verdict.decision == Decision::Licensed => return Ok(Queued::Licensed),
        Place::New { case_id, reupload_of } => {
            let case = open(case_id.clone(), reupload_of, now, &input);
            batch.put(&case)?;
            enter(log, batch, &case, 0)?;
            keep_information(batch, &case, input.information)?;
            return Ok(Queued::New(case_id));
        }
    };
    // Of a case from before tags were compared.
    if input.information.is_some() && store.get::<InformationRecord>(&case.case_id)?.is_none() {
        keep_information(batch, &case, input.information)?;
    }
    let before = case.clone();
    let queued = see(&mut case, now, sighting);
    judge(&mut case, now, verdict);
    if case != before {
        batch.put(&case)?;
        enter(log, batch, &case, before.history.len())?;
    }
    Ok(queued)
}

fn keep_information(batch: &mut Batch, case: &Case, information: Option<&Comparison>) -> Result<(), Error> {
    let Some(comparison) = information.cloned() else { return Ok(()) };
    Ok(batch.put(&InformationRecord { case_id: case.case_id.clone(), comparison })?)
}

fn open(case_id: String, reupload_of: Option<String>, now: Timestamp, input: &CaseInput<'_>) -> Case {
    let CaseInput { sighting, matches, verdict, recording, .. } = *input;
    let (state, event) = standing(verdict.decision);
    let mut case = Case {
        case_id,
        recording_id: recording.recording_id.clone(),
        domain: sighting.domain.clone(),
        territory: verdict.territory.clone(),
        sha256: sighting.sha256,
        state,
        sightings: vec![CaseSighting::from(sighting)],
        sightings_unlisted: 0,
        matches: own_matches(matches, recording),
        verdict: verdict.clone(),
        created_at: now,
        reupload_of,
        gone_at: None,
        states_information: None,
        history: Vec::new(),
    };
    let again = case.reupload_of.as_ref().map(|old| format!("; again there after case {old}"));
    // Cannot fail: the state was chosen for the event.
    let _ = case.apply(event, now, PROGRAM, Some(told(verdict) + &again.unwrap_or_default()));
    case
}

/// The matches of this recording, in the order of the file; of very many the surest.
fn own_matches(matches: &[Match], recording: &Recording) -> Vec<Match> {
    let own = matches.iter().filter(|found| found.recording_id == recording.recording_id);
    let mut own: Vec<Match> = own.cloned().collect();
    own.sort_by(|a, b| a.log10_false_match.total_cmp(&b.log10_false_match));
    own.truncate(MATCHES_MAX);
    let mut bytes = 0;
    let fits = |found: &&Match| {
        bytes += json_bytes(*found);
        bytes <= MATCHES_BYTES_MAX
    };
    // Without any match there is no case: the surest stays, whatever it takes.
    let fitting = own.iter().take_while(fits).count().max(1);
    own.truncate(fitting);
    own.sort_by(|a, b| a.query_start_s.total_cmp(&b.query_start_s));
    own
}

fn standing(decision: Decision) -> (State, Event) {
    match decision {
        Decision::Undetermined => (State::Undetermined, Event::Undetermined),
        Decision::Unlicensed | Decision::Licensed => (State::Queued, Event::Queued),
    }
}

/// Adds or counts the sighting.
fn see(case: &mut Case, now: Timestamp, sighting: &Sighting) -> Queued {
    let case_id = case.case_id.clone();
    if let Some(known) = case.sightings.iter_mut().find(|known| known.media_url == sighting.media_url) {
        // An older or equal instant is the same visit, filed again.
        if sighting.captured_at > known.last_seen {
            known.last_seen = sighting.captured_at;
            known.times_seen += 1;
            known.peer = sighting.peer.clone().or_else(|| known.peer.take());
        }
        return Queued::Seen(case_id);
    }
    let seen = CaseSighting::from(sighting);
    let bytes = json_bytes(&case.sightings).saturating_add(json_bytes(&seen));
    if case.sightings.len() >= SIGHTINGS_MAX || bytes > SIGHTINGS_BYTES_MAX {
        case.sightings_unlisted += 1;
        return Queued::Joined(case_id);
    }
    case.sightings.push(seen);
    let _ = case.apply(Event::Joined, now, PROGRAM, Some(sighting.media_url.clone()));
    Queued::Joined(case_id)
}

/// Takes a newer verdict over. One that decides otherwise is told in the history; it moves the case only while no
/// person has decided.
fn judge(case: &mut Case, now: Timestamp, verdict: &Verdict) {
    if verdict.at < case.verdict.at || *verdict == case.verdict {
        return;
    }
    if verdict.decision != case.verdict.decision {
        let event = match verdict.decision {
            Decision::Licensed => Event::Verdict,
            other => standing(other).1,
        };
        let event = if case.state.after(event).is_some() { event } else { Event::Verdict };
        let _ = case.apply(event, now, PROGRAM, Some(told(verdict)));
    }
    case.territory.clone_from(&verdict.territory);
    case.verdict = verdict.clone();
}

fn told(verdict: &Verdict) -> String {
    format!("{}: {}", verdict.decision.as_str(), verdict.reasons.join("; "))
}
