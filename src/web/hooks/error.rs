//! What can go wrong with webhooks.

use super::webhook::{OVERLAP_H_MAX, WEBHOOKS_MAX};
use crate::cases::Event;
use crate::web::fault::Fault;
use crate::{evidence, net, store};

/// What can go wrong with webhooks.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The operation log does not work.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// An address that cannot be one of a receiver.
    #[error("url: {0}")]
    Url(String),
    /// An address that may not be reached.
    #[error("url: {0}")]
    Network(#[from] net::Error),
    /// A word that is no event's.
    #[error("events: `{0}` is none of {known}", known = Event::ALL.map(Event::as_str).join(", "))]
    Event(String),
    /// There is no such webhook.
    #[error("there is no webhook `{0}`")]
    Missing(String),
    /// The old secret cannot be kept for so long.
    #[error("overlap_h: 0 to {OVERLAP_H_MAX} hours")]
    Overlap,
    /// There are too many.
    #[error("there are {WEBHOOKS_MAX} webhooks already; remove one first")]
    TooMany,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Evidence(error) => error.into(),
            Error::Random => Self::internal(&error),
            Error::Missing(_) => Self::not_found(error.to_string()),
            Error::TooMany => Self::conflict(error.to_string()),
            Error::Url(_) | Error::Network(_) | Error::Event(_) | Error::Overlap => {
                Self::unfit(error.to_string())
            }
        }
    }
}
