//! What can go wrong between a URL and its bytes.

use url::Url;

/// Which clock ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// No connection stood in time.
    Connect,
    /// No byte came for too long.
    Read,
    /// The response as a whole took too long.
    Total,
}

impl std::fmt::Display for Deadline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::Read => "no byte came",
            Self::Total => "the response did not end",
        })
    }
}

/// What can go wrong between a URL and its bytes. Each message names the URL.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error("fetch.{key}: {reason}")]
    Setting {
        /// The key in the configuration's `[fetch]`.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The URL cannot be fetched at all (scheme, missing host, port of another service).
    #[error("{url}: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The URL leads to an address that is not public.
    #[error(
        "address {address} of {url} is not public; use --allow-private, or name the host in fetch.private_allowed, \
         to fetch it all the same"
    )]
    NotPublic {
        /// The URL.
        url: String,
        /// The address it leads to.
        address: String,
    },
    /// The host's name has no address.
    #[error("{url}: the host name cannot be resolved ({reason})")]
    Resolve {
        /// The URL.
        url: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection could be made.
    #[error("{url}: cannot connect ({reason})")]
    Connect {
        /// The URL.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("{url}: no secure connection ({reason})")]
    Tls {
        /// The URL.
        url: String,
        /// What the TLS library said.
        reason: String,
    },
    /// A clock ran out.
    #[error("{url}: {deadline} within {seconds} s")]
    Timeout {
        /// The URL.
        url: String,
        /// Which clock.
        deadline: Deadline,
        /// What it was set to, in seconds.
        seconds: u64,
    },
    /// The body came slower than the floor.
    #[error(
        "{url}: the body comes too slowly ({bytes} bytes in {seconds} s, at least {floor} a second are asked)"
    )]
    TooSlow {
        /// The URL.
        url: String,
        /// Bytes that came.
        bytes: u64,
        /// Seconds waited for them.
        seconds: u64,
        /// The floor in bytes per second.
        floor: u64,
    },
    /// The body is longer than the cap.
    #[error("{url}: longer than the limit of {bytes_max} bytes ({setting})")]
    TooLarge {
        /// The URL.
        url: String,
        /// The cap in bytes.
        bytes_max: u64,
        /// Where the cap is set.
        setting: &'static str,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("{url}: broken off after {bytes} bytes of the body ({reason})")]
    Broken {
        /// The URL.
        url: String,
        /// Bytes of the body that had come.
        bytes: u64,
        /// What the HTTP library said.
        reason: String,
    },
    /// The server answered with something else than success.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The URL.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Its Retry-After as sent, if there was one.
        retry_after: Option<String>,
    },
    /// Nothing has changed since the answer whose validators were sent: there is no body to go on with.
    #[error("{url}: not modified since it was last fetched")]
    NotModified {
        /// The URL.
        url: String,
    },
    /// A piece of a file came that is not the one that was asked for.
    #[error("{url}: not the piece that was asked for ({reason})")]
    Piece {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A piece came, or the whole, but of another version of the file than the pieces before; fetch them all anew.
    #[error("{url}: the file has changed between two requests ({reason})")]
    Changed {
        /// The URL.
        url: String,
        /// What differs.
        reason: String,
    },
    /// The content coding cannot be taken off, or what is in it is out of all proportion.
    #[error("{url}: cannot be decompressed ({reason})")]
    Inflate {
        /// The URL.
        url: String,
        /// What is wrong with the data.
        reason: String,
    },
    /// A byte budget of the caller's is used up.
    #[error("{url}: {whose} is used up; stopped after {bytes} bytes of the body")]
    Budget {
        /// The URL.
        url: String,
        /// Which budget.
        whose: String,
        /// Bytes of the body that had come.
        bytes: u64,
    },
    /// A redirect leads back to a URL of the same chain.
    #[error("{url}: redirects in a loop, back to {again}")]
    RedirectLoop {
        /// Where the chain began.
        url: String,
        /// The URL that came up twice.
        again: String,
    },
    /// Too many redirects.
    #[error("{url}: more than {redirects_max} redirects (fetch.redirects_max)")]
    TooManyRedirects {
        /// Where the chain began.
        url: String,
        /// The cap.
        redirects_max: u32,
    },
    /// A redirect leads nowhere.
    #[error("{url}: redirects to `{location}`, which is no address of a page")]
    BadRedirect {
        /// The URL that redirected.
        url: String,
        /// Its Location.
        location: String,
    },
    /// The bytes could not be written.
    #[error("{url}: cannot keep the bytes ({reason})")]
    Write {
        /// The URL.
        url: String,
        /// What the system said.
        reason: String,
    },
}

impl Error {
    /// Returns whether the host as a whole is out of reach, so that another URL of it would fail likewise.
    #[must_use]
    pub const fn is_host_failure(&self) -> bool {
        matches!(
            self,
            Self::NotPublic { .. } | Self::Resolve { .. } | Self::Connect { .. } | Self::Tls { .. }
        )
    }

    /// Returns whether the same request may succeed a moment later: the connection failed, not the request. A server
    /// that stays silent is not asked twice, since that costs its patience and ours.
    #[must_use]
    pub const fn may_be_transient(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Broken { bytes: 0, .. }
                | Self::Timeout { deadline: Deadline::Connect, .. }
        )
    }

    /// Returns the URL that failed; none for a wrong setting.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Setting { .. } => None,
            Self::Url { url, .. }
            | Self::NotPublic { url, .. }
            | Self::Resolve { url, .. }
            | Self::Connect { url, .. }
            | Self::Tls { url, .. }
            | Self::Timeout { url, .. }
            | Self::TooSlow { url, .. }
            | Self::TooLarge { url, .. }
            | Self::Broken { url, .. }
            | Self::Status { url, .. }
            | Self::NotModified { url }
            | Self::Piece { url, .. }
            | Self::Changed { url, .. }
            | Self::Inflate { url, .. }
            | Self::Budget { url, .. }
            | Self::RedirectLoop { url, .. }
            | Self::TooManyRedirects { url, .. }
            | Self::BadRedirect { url, .. }
            | Self::Write { url, .. } => Some(url),
        }
    }

    /// Returns the same error, said of another URL of the same host.
    #[must_use]
    pub fn of_url(mut self, other: &Url) -> Self {
        match &mut self {
            Self::Url { url, .. }
            | Self::NotPublic { url, .. }
            | Self::Resolve { url, .. }
            | Self::Connect { url, .. }
            | Self::Tls { url, .. }
            | Self::Timeout { url, .. } => *url = shown(other),
            _ => {}
        }
        self
    }
}

/// The longest URL that is printed or stored whole, in characters.
const SHOWN_CHARS_MAX: usize = 8192;

/// Returns `url` as it may be printed and stored: without user name and password, cut where it is very long.
#[must_use]
pub fn shown(url: &Url) -> String {
    let text = if url.username().is_empty() && url.password().is_none() {
        url.to_string()
    } else {
        let mut bare = url.clone();
        // Fails only for URLs without a host, which have no credentials.
        let _ = bare.set_password(None);
        let _ = bare.set_username("");
        bare.to_string()
    };
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn shown_hides_credentials_and_cuts() {
        let url = Url::parse("http://me:secret@example.com/a").unwrap();
        assert_eq!(shown(&url), "http://example.com/a");
        let long = Url::parse(&format!("http://example.com/{}", "a".repeat(9000))).unwrap();
        assert_eq!(shown(&long).chars().count(), SHOWN_CHARS_MAX + 1);
    }
}
