//! One request and its answer as they went over the wire, for the evidence.

use serde::{Deserialize, Serialize};

use super::heads;
use crate::base::{Digest, Timestamp};

/// One request and its answer. Secrets of a site (its headers, cookies, the proxy's password) are left out of the request's
/// head, which says so, and so are the cookies that the site sets in its answers.
///
/// The HTTP library tells headers parsed: names are in lower case, values are to the byte as they came, several of one name
/// stand together. Of a head beyond 20 KiB the rest is left out, which a line `x-earwitness-left-out` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked for, with its query and without its fragment.
    pub url: String,
    /// When the request was sent.
    pub asked_at: Timestamp,
    /// When the head of the answer was there.
    pub answered_at: Timestamp,
    /// The version of HTTP, as `HTTP/1.1` or `HTTP/2`.
    pub http: String,
    /// The request's line and headers, in the form of HTTP/1.1 whatever was spoken, each line ended by CR LF, without the
    /// empty line.
    pub request_head: String,
    /// The answer's status line and headers, in the same form. Bytes that are no UTF-8 are kept as Latin-1.
    pub response_head: String,
    /// The HTTP status.
    pub status: u16,
    /// The address that answered, with its port; the proxy's where there is one.
    pub peer: Option<String>,
    /// Whether a proxy stood between.
    pub via_proxy: bool,
    /// What the host's name was resolved to, where it was for this connection or an earlier one of this process.
    pub dns: Option<DnsAnswer>,
    /// The encrypted connection; `None` over plain HTTP.
    pub tls: Option<TlsSeen>,
    /// SHA-256 of the body as it came, content codings still on, as far as it was read; `None` where it was not.
    pub body_sha256: Option<Digest>,
    /// Number of those bytes.
    pub body_bytes: u64,
    /// Why the body is not whole; `None` where it is.
    pub truncated: Option<Truncated>,
}

impl Exchange {
    /// Shortens the heads to whole lines of at most so many bytes each, and says so in them: for places that take no more.
    pub fn cut_heads(&mut self, bytes_max: usize) {
        self.request_head = heads::cut(&self.request_head, bytes_max);
        self.response_head = heads::cut(&self.response_head, bytes_max);
    }
}

/// What a name was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsAnswer {
    /// The name.
    pub name: String,
    /// Its addresses, as they were given.
    pub addresses: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// What was seen of an encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSeen {
    /// `TLSv1.2` or `TLSv1.3`, where known.
    pub version: Option<String>,
    /// The cipher suite by its name in IANA's registry; none where it is not known, or where connections with the same
    /// certificate and version agreed on different ones, since the HTTP library does not tell which of them it used.
    pub cipher: Option<String>,
    /// The server's certificates in DER, as base64, its own first.
    pub certificates: Vec<String>,
}

/// Why a body is not whole (WARC 1.1, `WARC-Truncated`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truncated {
    /// It was longer than is taken.
    Length,
    /// It took longer than is waited.
    Time,
    /// The connection broke.
    Disconnect,
    /// No more of it was wanted, or another reason.
    Unspecified,
}
