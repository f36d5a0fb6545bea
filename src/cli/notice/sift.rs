//! What of a batch of cases may be named now: live addresses only, no case behind a counter-notice, and no batch of which too
//! many accusations are to be expected to be wrong.

use jiff::SignedDuration;

use super::super::Usage;
use crate::base::Timestamp;
use crate::cases::{self, Case, Form, sendable};
use crate::config::NoticeSettings;
use crate::notice::LeftOut;
use crate::store::Store;

/// A case with those of its addresses that may be named.
pub(super) struct Sifted {
    pub(super) case: Case,
    pub(super) urls: Vec<String>,
}

/// Takes out what may not be named to the provider of each case's site; a case without any address left is left out.
pub(super) fn sift(
    store: &Store,
    settings: &NoticeSettings,
    form: Form,
    cases: Vec<Case>,
    now: Timestamp,
) -> anyhow::Result<(Vec<Sifted>, Vec<LeftOut>)> {
    let max_age = SignedDuration::from_hours(settings.live_within_h.into());
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for case in cases {
        // A record of a notice names what the notice named.
        let Some(purpose) = form.purpose() else {
            let urls = case.sightings.iter().map(|sighting| sighting.media_url.clone()).collect();
            kept.push(Sifted { case, urls });
            continue;
        };
        let file = cases::load_file(store, case)?;
        let found = sendable(&file, &file.case.domain, purpose, now, max_age);
        let reasons = found.left_out.into_iter().map(|one| LeftOut {
            case_id: file.case.case_id.clone(),
            url: one.url,
            reason: one.why.to_string(),
        });
        left_out.extend(reasons);
        if !found.urls.is_empty() {
            kept.push(Sifted { case: file.case, urls: found.urls });
        }
    }
    Ok((kept, left_out))
}

/// Refuses a batch of which more accusations are to be expected to be wrong than is set.
pub(super) fn weigh(
    store: &Store,
    settings: &NoticeSettings,
    form: Form,
    kept: &[Sifted],
) -> anyhow::Result<f64> {
    let cases: Vec<Case> = kept.iter().map(|one| one.case.clone()).collect();
    let expected = cases::expected_wrong_of(&cases, cases::heard(store)?);
    if form.purpose().is_some() && expected.expected > settings.expected_wrong_max {
        let worst: Vec<String> =
            expected.worst.iter().take(3).map(|(case_id, wrong)| format!("{case_id} {wrong:.2}")).collect();
        return Err(Usage(format!(
            "of these {} accusations {:.2} are to be expected to be wrong by chance, and notice.expected_wrong_max is {}; leave \
             out the least sure ones ({})",
            expected.cases,
            expected.expected,
            settings.expected_wrong_max,
            worst.join(", ")
        ))
        .into());
    }
    Ok(expected.expected)
}
