//! What comes back.

use reqwest::header::HeaderMap;
use url::Url;

use super::body::Body;
use super::error::{Error, shown};
use super::inflate::Coding;
use super::range::{self, ContentRange};
use super::validators::{self, Validators, Version};
use super::walk::Hop;
use crate::base::Digest;

/// The head of a final answer with its body still to be read.
pub struct Opened {
    /// Where the answer came from, after redirects.
    pub final_url: Url,
    /// The HTTP status; not a redirect, but not necessarily a success.
    pub status: u16,
    /// The headers, as sent.
    pub headers: HeaderMap,
    /// The address that answered, with its port; the proxy's where there is one.
    pub peer: Option<String>,
    /// Every answer on the way, this one last.
    pub hops: Vec<Hop>,
    /// The body.
    pub body: Body,
    pub(super) piece: Option<ContentRange>,
    pub(super) was_conditional: bool,
    pub(super) codings: Vec<Coding>,
}

impl Opened {
    /// Returns the Content-Type as sent, as far as it is text.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        header_text(&self.headers, "content-type")
    }

    /// Returns whether nothing has changed since the answer whose validators were sent (status 304). There is no body
    /// then. A 304 that nobody asked for is not meant: that is a failure like any other status.
    #[must_use]
    pub const fn is_not_modified(&self) -> bool {
        self.status == 304 && self.was_conditional
    }

    /// Returns what this answer says of its version, to be sent at the next visit; `None` where it says nothing.
    #[must_use]
    pub fn validators(&self) -> Option<Validators> {
        let found = Validators {
            url: self.final_url.clone(),
            etag: validators::etag(&self.headers),
            last_modified: validators::last_modified(&self.headers),
        };
        (!found.is_empty()).then_some(found)
    }

    /// Returns which piece of the file the body is; `None` where it is the whole (status 200 in answer to a range,
    /// too: read what is wanted with [`Body::save_first`] and the rest stays where it is).
    #[must_use]
    pub const fn content_range(&self) -> Option<ContentRange> {
        self.piece
    }

    /// Returns the length of the whole file in bytes, where the head says it: from a piece's Content-Range, from that
    /// of a refusal (status 416), or else from the Content-Length of a body without codings.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match self.status {
            206 => self.piece.and_then(|piece| piece.total),
            416 => range::total_of_refusal(&self.headers),
            200 if self.codings.is_empty() => validators::content_length(&self.headers),
            _ => None,
        }
    }

    /// Returns what tells this version of the file from others: for the requests of its other pieces.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::read(&self.headers, self.total())
    }

    /// Returns the names of the content codings that are taken off the body, in the order in which they were put on:
    /// a body's bytes, their number and digest are always those without codings. Media are asked for without
    /// (`Accept-Encoding: identity`), so that here is where it shows that a server compressed them all the same.
    /// A coding that is not known is left on, is not named here, and still stands in the headers.
    #[must_use]
    pub fn codings(&self) -> Vec<&'static str> {
        self.codings.iter().map(|coding| coding.name()).collect()
    }

    /// Returns itself where the status is a success.
    ///
    /// # Errors
    /// [`Error::NotModified`] where it is that, [`Error::Status`] otherwise.
    pub fn successful(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let url = shown(&self.final_url);
        if self.is_not_modified() {
            return Err(Error::NotModified { url });
        }
        let retry_after = header_text(&self.headers, "retry-after");
        Err(Error::Status { url, status: self.status, retry_after })
    }
}

/// A whole response.
pub struct Response {
    /// Where it came from, after redirects.
    pub final_url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers, as sent.
    pub headers: HeaderMap,
    /// The address that answered, with its port; the proxy's where there is one.
    pub peer: Option<String>,
    /// Every answer on the way, this one last.
    pub hops: Vec<Hop>,
    /// The body, without content codings.
    pub body: Vec<u8>,
}

/// A media object that was streamed into a file.
pub struct MediaFetched {
    /// Where it came from, after redirects.
    pub final_url: Url,
    /// Number of bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// The Content-Type, as sent.
    pub content_type: Option<String>,
    /// The address that served it, with its port.
    pub peer: Option<String>,
    /// Every answer on the way, the last one with the bytes.
    pub hops: Vec<Hop>,
}

/// Returns a header's value as far as it is text.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
