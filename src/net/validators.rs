//! Which version of a file an answer is of: `ETag` and `Last-Modified` (RFC 9110, section 8.8).

use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use url::Url;

/// The longest ETag that is believed and kept; those in use have under one hundred characters.
const ETAG_CHARS_MAX: usize = 512;
/// The longest date that is kept; `Sun, 06 Nov 1994 08:49:37 GMT` has 29 characters.
const DATE_CHARS_MAX: usize = 64;

/// What an answer said of its version, kept to ask later whether it has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// The URL that answered, after redirects. Where a later request is led elsewhere, nothing is known of that
    /// place, and it is asked without conditions.
    pub url: Url,
    /// The ETag as sent, with its quotes and, where it is weak, its `W/`.
    pub etag: Option<String>,
    /// The Last-Modified as sent.
    pub last_modified: Option<String>,
}

impl Validators {
    pub(super) const fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// What tells two versions of one file apart: kept from the first piece, so that the others are of the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The ETag as sent.
    pub etag: Option<String>,
    /// The Last-Modified as sent.
    pub last_modified: Option<String>,
    /// The length of the whole file in bytes.
    pub total: Option<u64>,
}

impl Version {
    /// Reads it from the head of an answer whose whole file has `total` bytes.
    pub(super) fn read(headers: &HeaderMap, total: Option<u64>) -> Self {
        Self { etag: etag(headers), last_modified: last_modified(headers), total }
    }

    /// Returns the ETag where it stands for the very bytes: only such a one may ask for a piece (RFC 9110, 13.1.5).
    pub(super) fn strong_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.len() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    }

    /// Checks that `other`, which came later, is the same version, as far as both say; returns what differs.
    pub(super) fn check(&self, other: &Self) -> Result<(), String> {
        if let Some(etag) = self.strong_etag() {
            match &other.etag {
                Some(now) if now == etag => {}
                Some(now) => return Err(format!("its ETag was {etag} and is now {now}")),
                None => return Err(format!("its ETag was {etag}, and now there is none")),
            }
        } else if let (Some(etag), Some(now)) = (&self.etag, &other.etag)
            && etag != now
        {
            return Err(format!("its ETag was {etag} and is now {now}"));
        }
        if let (Some(date), Some(now)) = (&self.last_modified, &other.last_modified)
            && date != now
        {
            return Err(format!("it was last modified {date} and is now {now}"));
        }
        match (self.total, other.total) {
            (Some(total), Some(now)) if total != now => {
                Err(format!("it had {total} bytes and now has {now}"))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn etag(headers: &HeaderMap) -> Option<String> {
    text(headers, &ETAG, ETAG_CHARS_MAX)
}

pub(super) fn last_modified(headers: &HeaderMap) -> Option<String> {
    text(headers, &LAST_MODIFIED, DATE_CHARS_MAX)
}

/// The length of the body as the head announces it.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// A header's value where it is printable ASCII and not too long.
fn text(headers: &HeaderMap, name: &reqwest::header::HeaderName, chars_max: usize) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty() && text.len() <= chars_max).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn version(etag: Option<&str>, total: Option<u64>) -> Version {
        Version { etag: etag.map(str::to_owned), last_modified: None, total }
    }

    #[test]
    fn versions_are_told_apart() {
        let strong = version(Some("\"a\""), Some(9));
        assert_eq!(strong.check(&strong), Ok(()));
        assert_eq!(strong.strong_etag(), Some("\"a\""));
        assert!(strong.check(&version(Some("\"b\""), Some(9))).is_err());
        assert!(strong.check(&version(None, Some(9))).is_err());
        assert!(strong.check(&version(Some("\"a\""), Some(8))).is_err());
        let weak = version(Some("W/\"a\""), None);
        assert_eq!(weak.strong_etag(), None);
        assert!(weak.check(&version(None, Some(8))).is_ok());
        assert!(weak.check(&version(Some("W/\"b\""), None)).is_err());
        for bare in ["a", "\""] {
            assert_eq!(version(Some(bare), None).strong_etag(), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..900)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = reqwest::header::HeaderValue::from_bytes(&bytes) {
                headers.insert(ETAG, value.clone());
                headers.insert(LAST_MODIFIED, value.clone());
                headers.insert(CONTENT_LENGTH, value);
            }
            prop_assert!(etag(&headers).is_none_or(|text| text.len() <= ETAG_CHARS_MAX));
            prop_assert!(last_modified(&headers).is_none_or(|text| text.len() <= DATE_CHARS_MAX));
            let _ = content_length(&headers);
        }
    }
}
