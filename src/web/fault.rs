//! Why a request is not answered as it was meant, in words for people (a page) and programs (RFC 9457, `problem+json`).

use axum::http::StatusCode;
use serde::Serialize;

use super::access;
use crate::base::chain;
use crate::{cases, evidence, store};

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// What is wrong, and what to do; shown to whoever asked.
    pub(super) detail: String,
    /// Seconds after which trying again may help.
    pub(super) retry_after_s: Option<u64>,
}

/// The body of a `problem+json` answer.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status tells the kind.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// The status in words.
    pub(super) title: String,
    /// The HTTP status code.
    pub(super) status: u16,
    /// What is wrong, and what to do.
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_s: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// What was sent is well-formed and cannot be done.
    pub(super) fn unfit(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }

    pub(super) fn sign_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign in, or show a token (Authorization: Bearer …)")
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn wait(wait_s: u64) -> Self {
        let detail = format!("too many requests; try again in {wait_s} s");
        Self { retry_after_s: Some(wait_s), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Others are served first.
    pub(super) fn busy(wait_s: u64) -> Self {
        let detail = format!("too much is asked for at once; try again in {wait_s} s");
        Self { retry_after_s: Some(wait_s), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// Something of ours failed. What, is told to the log and not to whoever asked.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something failed here; the service's log says what")
    }

    pub(super) fn problem(&self) -> Problem {
        Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
        }
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoSpace { .. } => {
                let fault = Self::internal(&error);
                let detail = "the disk is full: nothing can be written before there is room again";
                Self { status: StatusCode::INSUFFICIENT_STORAGE, detail: detail.to_owned(), ..fault }
            }
            other => Self::internal(&other),
        }
    }
}

impl From<evidence::Error> for Fault {
    fn from(error: evidence::Error) -> Self {
        match error {
            evidence::Error::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<cases::Error> for Fault {
    fn from(error: cases::Error) -> Self {
        use cases::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Evidence(error) => error.into(),
            E::Missing(_) => Self::not_found(error.to_string()),
            E::Ambiguous { .. } | E::When { .. } => Self::unfit(error.to_string()),
            _ => Self::conflict(error.to_string()),
        }
    }
}

impl From<access::Error> for Fault {
    fn from(error: access::Error) -> Self {
        use access::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Evidence(error) => error.into(),
            E::Random => Self::internal(&error),
            E::NoAccount(_) | E::NoToken(_) => Self::not_found(error.to_string()),
            E::Taken(_) | E::LastAdmin(_) => Self::conflict(error.to_string()),
            E::TooMuch { .. } | E::ByToken => Self::forbidden(error.to_string()),
            E::Wait { wait_s } => Self { detail: error.to_string(), ..Self::wait(wait_s) },
            E::Wrong => Self::new(StatusCode::UNAUTHORIZED, error.to_string()),
            E::Name { .. } | E::Password { .. } => Self::unfit(error.to_string()),
        }
    }
}
