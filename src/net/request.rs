//! What is asked for, and the headers that say so.

use std::sync::Arc;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    RANGE, REFERER,
};
use url::Url;

use super::error::shown;
use super::meter::{Allowance, Meter};
use super::range::Range;
use super::trace::Trace;
use super::validators::{Validators, Version};

/// What is expected at a URL: decides the cap, the clock and the headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An HTML page, or anything a link may lead to.
    Page,
    /// Audio or video; asked for without compression.
    Media,
    /// A live stream: as media, but it may go on for ever.
    Live,
    /// A playlist or feed.
    Playlist,
    /// A robots.txt.
    Robots,
    /// A sitemap, which its protocol allows more bytes than a page.
    Sitemap,
    /// The answer of a time-stamp authority: a few kilobytes of signed bytes.
    Stamp,
    /// The answer of whoever is sent a message: its status is what counts.
    Receipt,
}

/// What is sent with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The kind of the bytes, as `Content-Type` says it.
    pub content_type: &'static str,
    /// The bytes.
    pub body: Vec<u8>,
    /// Headers beside those that every request has: names in lower case. What is no header value is left out.
    pub headers: Vec<(&'static str, String)>,
}

/// One thing to be fetched.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to fetch.
    pub url: Url,
    /// The page that leads there; sent as a browser would send it.
    pub referer: Option<Url>,
    /// What is expected there.
    pub kind: Kind,
    /// Which piece is wanted, where it is not the whole. A server may send the whole all the same (status 200).
    pub range: Option<Range>,
    /// What an earlier answer said of its version: the body is then wanted only where it has changed.
    /// Without effect beside `range`.
    pub validators: Option<Validators>,
    /// The version that a piece must be of; an answer of another version is [`super::Error::Changed`].
    pub version: Option<Version>,
    /// Counts the bytes of the body as they come.
    pub meter: Option<Arc<Meter>>,
    /// What the body may take from; each must suffice, or the body ends with [`super::Error::Budget`].
    pub allowances: Vec<Arc<Allowance>>,
    /// Records the request with its redirects.
    pub trace: Option<Arc<Trace>>,
    /// What is sent: the request is then a POST, and a redirect is an answer that is not followed, since it would send
    /// the bytes to a place that nobody named.
    pub upload: Option<Arc<Upload>>,
}

impl Request {
    /// Asks for the whole of `url`, without a referer.
    #[must_use]
    pub const fn new(url: Url, kind: Kind) -> Self {
        Self {
            url,
            referer: None,
            kind,
            range: None,
            validators: None,
            version: None,
            meter: None,
            allowances: Vec::new(),
            trace: None,
            upload: None,
        }
    }

    /// Returns whether the hop to `url` is asked only for what has changed: the validators are of that URL.
    pub(super) fn is_conditional(&self, url: &Url) -> bool {
        self.range.is_none()
            && self.validators.as_ref().is_some_and(|known| known.url == *url && !known.is_empty())
    }

    /// The headers of the hop to `url`, all but those that the site's settings add.
    pub(super) fn headers(&self, url: &Url) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept(self.kind)));
        // Ranges count coded bytes, and a digest is to be of the bytes that a player gets.
        let plain = matches!(self.kind, Kind::Media | Kind::Live | Kind::Stamp | Kind::Receipt)
            || self.range.is_some();
        let codings = if plain { "identity" } else { "gzip, deflate, br, zstd" };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
        if self.kind == Kind::Live {
            // Some servers put titles into the stream unasked; asked, all say where.
            headers.insert("icy-metadata", HeaderValue::from_static("1"));
        }
        // What is no header value is left out: nothing is lost but the saving.
        let mut add = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if let Some(range) = self.range {
            add(RANGE, &range.header());
            if let Some(etag) = self.version.as_ref().and_then(Version::strong_etag) {
                add(IF_RANGE, etag);
            }
        }
        if let Some(known) = self.validators.as_ref().filter(|_| self.is_conditional(url)) {
            if let Some(etag) = &known.etag {
                add(IF_NONE_MATCH, etag);
            }
            if let Some(date) = &known.last_modified {
                add(IF_MODIFIED_SINCE, date);
            }
        }
        if let Some(page) = self.referer.as_ref().and_then(|page| referer(page, url)) {
            add(REFERER, &page);
        }
        for (name, value) in self.upload.iter().flat_map(|upload| &upload.headers) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        headers
    }
}

const fn accept(kind: Kind) -> &'static str {
    match kind {
        Kind::Page => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        Kind::Stamp => "application/timestamp-reply",
        Kind::Media | Kind::Live | Kind::Playlist | Kind::Robots | Kind::Sitemap | Kind::Receipt => "*/*",
    }
}

/// What a browser sends by its default policy, `strict-origin-when-cross-origin`: the page within one origin, the
/// origin to others, nothing from a secure page to an insecure place.
fn referer(page: &Url, target: &Url) -> Option<String> {
    if page.origin() == target.origin() {
        let mut page = page.clone();
        page.set_fragment(None);
        return Some(shown(&page));
    }
    if page.scheme() == "https" && target.scheme() != "https" {
        return None;
    }
    Some(format!("{}/", page.origin().ascii_serialization()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn referer_as_a_browser_sends_it() {
        let referer = |page: &str, target: &str| {
            super::referer(&Url::parse(page).unwrap(), &Url::parse(target).unwrap())
        };
        let page = "https://me:pw@a.example/p?q=1#f";
        assert_eq!(referer(page, "https://a.example/x.mp3").as_deref(), Some("https://a.example/p?q=1"));
        assert_eq!(referer(page, "https://cdn.example/x.mp3").as_deref(), Some("https://a.example/"));
        assert_eq!(referer(page, "http://cdn.example/x.mp3"), None);
    }
}
