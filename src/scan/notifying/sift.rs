//! What of a batch of cases may be named now: live addresses only, no case behind a counter-notice, and no batch of which too
//! many accusations are to be expected to be wrong.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::Error;
use crate::base::Timestamp;
use crate::cases::{self, Case, CaseFile, Comparison, Form, ProviderId, Purpose, Standing, Why, sendable};
use crate::catalog::Recording;
use crate::config::{NoticeSettings, Settings};
use crate::notice::{LeftOut, also_known};
use crate::rights::{Decision, LicenceGraph, Question, Right, verdict};
use crate::store::Store;

/// A case with those of its addresses that may be named.
pub(super) struct Sifted {
    pub(super) case: Case,
    pub(super) urls: Vec<String>,
    /// Its file's tags beside the recording's.
    pub(super) information: Option<Comparison>,
}

/// An address that is not named.
pub(super) struct Unnamed {
    /// Which, and why.
    pub(super) told: LeftOut,
    /// Whether it is gone, which the provider may be told; the other reasons are ours alone.
    pub(super) is_gone: bool,
}

/// Takes out what may not be named to the provider of each case's site; a case without any address left is left out.
pub(super) fn sift(
    store: &Store,
    settings: &Settings,
    form: Form,
    cases: Vec<Case>,
    now: Timestamp,
) -> Result<(Vec<Sifted>, Vec<Unnamed>), Error> {
    let max_age = SignedDuration::from_hours(settings.notice.live_within_h.into());
    let licences = cases::load_licences(store)?;
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for case in cases {
        let file = cases::load_file(store, case)?;
        let mut leave = |url: &str, reason: String, is_gone| {
            let told = LeftOut { case_id: file.case.case_id.clone(), url: url.to_owned(), reason };
            left_out.push(Unnamed { told, is_gone });
        };
        let urls: Vec<String> = if let Some(reason) = licensed_by_now(store, &licences, &file.case, now)? {
            file.case.sightings.iter().for_each(|seen| leave(&seen.media_url, reason.clone(), false));
            Vec::new()
        } else if let Some(purpose) = form.purpose() {
            let also = also_known(&file.case.domain, &settings.providers);
            let provider = ProviderId { name: &file.case.domain, also: &also };
            let found = sendable(&file, provider, purpose, now, max_age);
            for one in found.left_out {
                leave(&one.url, one.why.to_string(), matches!(one.why, Why::Gone { .. }));
            }
            found.urls
        } else {
            let sent = sent_addresses(&file);
            if sent.is_empty() {
                let reason = "no notice about it was sent yet".to_owned();
                file.case.sightings.iter().for_each(|seen| leave(&seen.media_url, reason.clone(), false));
            }
            sent
        };
        if !urls.is_empty() {
            kept.push(Sifted { case: file.case, urls, information: file.information });
        }
    }
    Ok((kept, left_out))
}

/// What the notices named that were sent and stand: a record of them names nothing else.
fn sent_addresses(file: &CaseFile) -> Vec<String> {
    let sent = file.notifications.iter().filter(|one| {
        one.purpose == Purpose::Takedown && one.sent_at.is_some() && one.standing != Standing::Retracted
    });
    let urls: BTreeSet<&String> = sent.flat_map(|one| &one.urls).collect();
    urls.into_iter().cloned().collect()
}

/// Asks the licences as they are recorded now: at the capture, and at this instant. Why nobody is to be accused by the case.
fn licensed_by_now(
    store: &Store,
    licences: &LicenceGraph,
    case: &Case,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let Some(recording) = store.get::<Recording>(case.recording_id.as_str())? else { return Ok(None) };
    let asked = |at| Question {
        recording: &recording,
        operator: case.verdict.operator.as_deref(),
        territory: case.verdict.territory.as_deref(),
        at,
        right: Right::MakingAvailable,
    };
    let licensed = [case.verdict.at, now]
        .into_iter()
        .map(|at| verdict(licences, &asked(at)))
        .find(|found| found.decision == Decision::Licensed);
    Ok(licensed.map(|found| {
        format!("LICENSED by what is recorded now ({}); dismiss the case", found.reasons.join("; "))
    }))
}

/// Refuses a batch of which more accusations are to be expected to be wrong than is set.
pub(super) fn weigh(
    store: &Store,
    settings: &NoticeSettings,
    form: Form,
    kept: &[Sifted],
) -> Result<f64, Error> {
    let cases: Vec<Case> = kept.iter().map(|one| one.case.clone()).collect();
    let expected = cases::expected_wrong_of(&cases, cases::heard(store)?);
    if form.purpose().is_some() && expected.expected > settings.expected_wrong_max {
        let worst: Vec<String> =
            expected.worst.iter().take(3).map(|(case_id, wrong)| format!("{case_id} {wrong:.2}")).collect();
        return Err(Error::Unfit(format!(
            "of these {} accusations {:.2} are to be expected to be wrong by chance, and notice.expected_wrong_max is {}; leave \
             out the least sure ones ({})",
            expected.cases,
            expected.expected,
            settings.expected_wrong_max,
            worst.join(", ")
        )));
    }
    Ok(expected.expected)
}
