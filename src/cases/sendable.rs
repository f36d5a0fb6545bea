//! Which addresses of a case may be named to a provider now, and why the others may not.

use serde::Serialize;

use super::file::CaseFile;
use super::liveness::{Alive, known_liveness};
use super::lock::{CounterLock, ProviderId};
use super::state::State;
use super::terms::Purpose;
use crate::base::Timestamp;

/// Why an address, or a whole case, is left out of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// The case's state does not allow it.
    #[error("the case is {state}")]
    State {
        /// Where it stands.
        state: State,
    },
    /// The newest verdict is LICENSED.
    #[error("the newest verdict is LICENSED")]
    Licensed,
    /// A newer verdict than the approval is UNDETERMINED.
    #[error(
        "the newest verdict is UNDETERMINED since {at}, after the case was approved; say what settles it with `earwitness cases \
         approve {case_id} --note …`"
    )]
    Doubted {
        /// The case.
        case_id: String,
        /// Since when.
        at: Timestamp,
    },
    /// A counter-notice arrived, after which the provider must not be notified again about it.
    #[error(
        "a counter-notice to notice {number} of case {case_id} arrived at {at}: this provider must not be notified about it \
         again (Regulation Art. 17); file a complaint or a suit, then `earwitness cases escalate {case_id}`"
    )]
    Countered {
        /// The case whose notice was countered.
        case_id: String,
        /// Which notice.
        number: u32,
        /// When the counter-notice arrived.
        at: Timestamp,
    },
    /// It was found to be gone.
    #[error("gone since {at} at the latest{}", status.map(|status| format!(" (status {status})")).unwrap_or_default())]
    Gone {
        /// When it was looked at.
        at: Timestamp,
        /// The HTTP status.
        status: Option<u16>,
    },
    /// The last look at it told nothing.
    #[error("not proved live: at {at} {note}")]
    Unclear {
        /// When it was looked at.
        at: Timestamp,
        /// What happened.
        note: String,
    },
    /// The last proof that it is live is too old.
    #[error("last seen live at {at}, which is too long ago; `earwitness cases recheck` looks again")]
    Stale {
        /// When it was last seen.
        at: Timestamp,
    },
}

impl Why {
    pub(super) fn countered(lock: &CounterLock) -> Self {
        Self::Countered { case_id: lock.case_id.clone(), number: lock.number, at: lock.at }
    }
}

/// An address that is left out of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The address.
    pub url: String,
    /// Why.
    #[serde(flatten)]
    pub why: Why,
}

/// Which addresses of a case may be named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sendable {
    /// Those that may, in the case's order.
    pub urls: Vec<String>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

/// Returns which addresses of a case may be named to `provider` at `now`: those that were seen live within `max_age`, and
/// about which no counter-notice from this provider is known. Where the case as a whole may not, all are left out.
///
/// A complaint to an authority may name what a counter-notice is about, and what is gone by now.
#[must_use]
pub fn sendable<'a>(
    file: &CaseFile,
    provider: impl Into<ProviderId<'a>>,
    purpose: Purpose,
    now: Timestamp,
    max_age: jiff::SignedDuration,
) -> Sendable {
    let provider = provider.into();
    let mut sendable = Sendable::default();
    let whole = file.may_notify(provider, purpose);
    for known in known_liveness(&file.case, &file.liveness) {
        let lock = file.lock_of(provider, known.url).filter(|_| purpose == Purpose::Takedown);
        let why = match (&whole, lock, known.alive) {
            (Err(why), ..) => Some(why.clone()),
            (Ok(()), Some(lock), _) => Some(Why::countered(lock)),
            _ if purpose == Purpose::Complaint => None,
            (Ok(()), None, Alive::Gone) => {
                Some(Why::Gone { at: known.at, status: known.record.and_then(|record| record.status) })
            }
            (Ok(()), None, Alive::Unclear) => {
                let note = known.record.map(|record| record.note.clone()).unwrap_or_default();
                Some(Why::Unclear { at: known.at, note })
            }
            (Ok(()), None, Alive::Yes) => {
                (now.duration_since(known.at) > max_age).then_some(Why::Stale { at: known.at })
            }
        };
        match why {
            None => sendable.urls.push(known.url.to_owned()),
            Some(why) => sendable.left_out.push(LeftOut { url: known.url.to_owned(), why }),
        }
    }
    sendable
}
