//! An answer, before it becomes HTTP.

use std::io::{Read as _, Seek as _, SeekFrom};

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::ask::Ask;
use super::fault::Fault;

/// What pages may do: load from here, send forms here, be shown in no frame; no script or style inside the page.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     media-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// What came from outside may do: nothing, were it ever shown as a page of its own. Pictures of ours style themselves.
const INERT_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'";

/// An answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Body,
}

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: Body) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status, headers, body }
    }

    /// A page.
    pub(super) fn page(template: &impl Template) -> Result<Self, Fault> {
        Self::page_with(StatusCode::OK, template)
    }

    /// A page with a status.
    pub(super) fn page_with(status: StatusCode, template: &impl Template) -> Result<Self, Fault> {
        let text = template.render().map_err(|error| Fault::internal(&error))?;
        let policy = HeaderValue::from_static(PAGE_POLICY);
        Ok(Self::new(status, "text/html; charset=utf-8", text.into())
            .with(header::CONTENT_SECURITY_POLICY, policy))
    }

    /// JSON.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Fault> {
        let bytes = serde_json::to_vec(value).map_err(|error| Fault::internal(&error))?;
        Ok(Self::new(status, "application/json", bytes.into()))
    }

    /// A fault, for a program.
    pub(super) fn problem(fault: &Fault) -> Self {
        let bytes = serde_json::to_vec(&fault.problem()).unwrap_or_default();
        Self::new(fault.status, "application/problem+json", bytes.into())
    }

    /// Text of ours: metrics, a schema.
    pub(super) fn text(content_type: &'static str, text: String) -> Self {
        Self::new(StatusCode::OK, content_type, text.into())
    }

    /// Something of ours that never changes under its address.
    pub(super) fn asset(content_type: &'static str, bytes: &'static [u8]) -> Self {
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        Self::new(StatusCode::OK, content_type, bytes.into()).with(header::CACHE_CONTROL, forever)
    }

    /// Bytes that may have come from outside, as a type that is safe: they can do nothing even as a page of their own.
    pub(super) fn inert(content_type: &'static str, bytes: Vec<u8>) -> Self {
        let policy = HeaderValue::from_static(INERT_POLICY);
        Self::new(StatusCode::OK, content_type, bytes.into()).with(header::CONTENT_SECURITY_POLICY, policy)
    }

    /// A document of ours, to be shown in a frame of a page of ours, where it can do nothing but look as it does.
    pub(super) fn framed(html: Vec<u8>) -> Self {
        let policy = HeaderValue::from_static(
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
        );
        Self::new(StatusCode::OK, "text/html; charset=utf-8", html.into())
            .with(header::CONTENT_SECURITY_POLICY, policy)
            .with(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"))
    }

    /// As [`Reply::inert`], but what the client asks for of it (RFC 9110, section 14): players seek by that.
    pub(super) fn ranged(ask: &Ask, content_type: &'static str, bytes: &[u8]) -> Self {
        let length = bytes.len();
        let accept = HeaderValue::from_static("bytes");
        let wanted = ask.header(header::RANGE).map(|text| range(text, length));
        let reply = match wanted {
            None | Some(Wanted::All) => Self::inert(content_type, bytes.to_vec()),
            Some(Wanted::None) => {
                let mut reply = Self::inert(content_type, Vec::new());
                reply.status = StatusCode::RANGE_NOT_SATISFIABLE;
                reply.with_text(header::CONTENT_RANGE, &format!("bytes */{length}"))
            }
            Some(Wanted::Part(from, to)) => {
                let part = bytes.get(from..to).unwrap_or_default().to_vec();
                let mut reply = Self::inert(content_type, part);
                reply.status = StatusCode::PARTIAL_CONTENT;
                let last = to.saturating_sub(1);
                reply.with_text(header::CONTENT_RANGE, &format!("bytes {from}-{last}/{length}"))
            }
        };
        reply.with(header::ACCEPT_RANGES, accept)
    }

    /// A file to be saved under `name`, in pieces.
    pub(super) fn download(
        name: &str,
        content_type: &'static str,
        mut file: std::fs::File,
    ) -> Result<Self, Fault> {
        let length = file.seek(SeekFrom::End(0)).and_then(|length| file.rewind().map(|()| length));
        let length = length.map_err(|error| Fault::internal(&error))?;
        let stream = tokio_util::io::ReaderStream::new(tokio::fs::File::from_std(file));
        Ok(Self::new(StatusCode::OK, content_type, Body::from_stream(stream))
            .with_text(header::CONTENT_LENGTH, &length.to_string())
            .named(name))
    }

    /// Says under which name it is to be saved.
    pub(super) fn named(self, name: &str) -> Self {
        let plain: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect();
        self.with_text(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{plain}\""))
    }

    /// Goes to another page of this desk.
    pub(super) fn see_other(path: &str) -> Self {
        Self::new(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Body::empty())
            .with_text(header::LOCATION, path)
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds a header whose text is ours; what cannot stand in one is left out.
    pub(super) fn with_text(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }

    /// As HTTP, with what every answer says.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::CACHE_CONTROL, "no-store"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in self.headers {
            // Several cookies are several headers; of all else the handler's word counts.
            if name == header::SET_COOKIE {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(INERT_POLICY));
        }
        response
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// From the first byte up to, without, the second.
    Part(usize, usize),
    None,
}

/// Reads a `Range` header of one range; several, and other units, ask for all.
fn range(text: &str, length: usize) -> Wanted {
    let Some(spec) = text.strip_prefix("bytes=") else { return Wanted::All };
    let Some((from, to)) = spec.split_once('-').filter(|_| !spec.contains(',')) else { return Wanted::All };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    match (number(from), number(to)) {
        (Some(from), _) if from >= length => Wanted::None,
        (Some(from), Some(to)) if to >= from => Wanted::Part(from, to.saturating_add(1).min(length)),
        (Some(from), None) if to.trim().is_empty() => Wanted::Part(from, length),
        (None, Some(last)) if from.trim().is_empty() && last > 0 && length > 0 => {
            Wanted::Part(length.saturating_sub(last), length)
        }
        (None, Some(_)) if from.trim().is_empty() => Wanted::None,
        _ => Wanted::All,
    }
}

/// Reads a file that is not longer than `most` bytes.
pub(super) fn read_capped(file: std::fs::File, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        assert_eq!(range("bytes=0-99", 1000), Wanted::Part(0, 100));
        assert_eq!(range("bytes=900-", 1000), Wanted::Part(900, 1000));
        assert_eq!(range("bytes=-100", 1000), Wanted::Part(900, 1000));
        assert_eq!(range("bytes=-5000", 1000), Wanted::Part(0, 1000));
        assert_eq!(range("bytes=990-5000", 1000), Wanted::Part(990, 1000));
        assert_eq!(range("bytes=1000-", 1000), Wanted::None);
        assert_eq!(range("bytes=-0", 1000), Wanted::None);
        for all in ["items=0-1", "bytes=0-1,5-6", "bytes=5-1", "bytes=x-y", "bytes=1-x", "bytes"] {
            assert_eq!(range(all, 1000), Wanted::All, "{all}");
        }
    }

    proptest! {
        #[test]
        fn no_range_lies_outside(text in "(bytes=)?[0-9x,-]{0,24}", length in 0usize..3000) {
            if let Wanted::Part(from, to) = range(&text, length) {
                prop_assert!(from < to && to <= length);
            }
        }
    }
}
