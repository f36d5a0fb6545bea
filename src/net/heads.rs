//! Heads as they are recorded: text in the form of HTTP/1.1, without what is a secret.

use reqwest::header::{HOST, HeaderMap, HeaderValue, PROXY_AUTHORIZATION, SET_COOKIE};
use reqwest::{Method, StatusCode};
use url::{Position, Url};

/// What stands in place of a secret.
const WITHHELD: &str = "(withheld)";
/// The longest head that is recorded; servers of the web send and take 8 to 16 KiB.
const HEAD_BYTES_MAX: usize = 20 << 10;

/// How the head of a request went out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// The whole URL stands in the first line, as a proxy wants it that is spoken to in plain HTTP.
    pub(super) is_absolute: bool,
    /// A user and password for that proxy were in it.
    pub(super) has_proxy_secret: bool,
}

/// The head of a request. The HTTP library adds the Host itself, and keeps the order of the others.
pub(super) fn of_request(method: &Method, url: &Url, headers: &HeaderMap, sent: Sent) -> String {
    let target = if sent.is_absolute {
        without_credentials(url)
    } else {
        url[Position::BeforePath..Position::AfterQuery].to_owned()
    };
    let mut lines = Lines::begin(&format!("{method} {target} HTTP/1.1"));
    for (name, value) in headers {
        lines.add(name.as_str(), &value_text(value));
    }
    if !headers.contains_key(HOST) {
        lines.add(HOST.as_str(), &url[Position::BeforeHost..Position::AfterPort]);
    }
    if sent.has_proxy_secret {
        lines.add(PROXY_AUTHORIZATION.as_str(), WITHHELD);
    }
    lines.end()
}

/// The head of an answer. Cookies that a site set for a session of somebody's own are withheld.
pub(super) fn of_answer(
    status: StatusCode,
    reason: Option<&[u8]>,
    headers: &HeaderMap,
    hides_cookies: bool,
) -> String {
    let reason = reason.map_or_else(|| status.canonical_reason().unwrap_or_default().to_owned(), text);
    let mut lines = Lines::begin(&format!("HTTP/1.1 {} {reason}", status.as_u16()));
    for (name, value) in headers {
        let is_hidden = hides_cookies && name == SET_COOKIE;
        lines.add(name.as_str(), &if is_hidden { WITHHELD.to_owned() } else { value_text(value) });
    }
    lines.end()
}

/// The URL as it is recorded: whole, but for user, password and fragment.
pub(super) fn without_credentials(url: &Url) -> String {
    let mut bare = url.clone();
    // Fails only for URLs without a host, which have no credentials.
    let _ = bare.set_password(None);
    let _ = bare.set_username("");
    bare.set_fragment(None);
    bare.into()
}

/// Shortens a head to whole lines of at most so many bytes, and says so in a line of its own.
pub(super) fn cut(head: &str, bytes_max: usize) -> String {
    let mut lines = Lines { text: String::new(), bytes_max, left_out: 0 };
    head.split_inclusive("\r\n").for_each(|line| lines.push(line));
    lines.end()
}

/// The lines of a head, up to a bound.
struct Lines {
    text: String,
    bytes_max: usize,
    /// Bytes that found no room.
    left_out: usize,
}

impl Lines {
    fn begin(first: &str) -> Self {
        let mut lines = Self { text: String::new(), bytes_max: HEAD_BYTES_MAX, left_out: 0 };
        lines.push(&format!("{first}\r\n"));
        lines
    }

    fn add(&mut self, name: &str, value: &str) {
        self.push(&format!("{name}: {value}\r\n"));
    }

    fn push(&mut self, line: &str) {
        if self.left_out == 0 && self.text.len() + line.len() <= self.bytes_max {
            self.text.push_str(line);
        } else {
            self.left_out += line.len();
        }
    }

    fn end(mut self) -> String {
        if self.left_out > 0 {
            let note = format!("x-earwitness-left-out: {} bytes of this head\r\n", self.left_out);
            self.text.push_str(&note);
        }
        self.text
    }
}

fn value_text(value: &HeaderValue) -> String {
    if value.is_sensitive() { WITHHELD.to_owned() } else { text(value.as_bytes()) }
}

/// Bytes as text: UTF-8 where they are that, else each byte as the character of its number (Latin-1).
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const DIRECT: Sent = Sent { is_absolute: false, has_proxy_secret: false };

    #[test]
    fn a_request_as_it_goes_out() {
        let url = Url::parse("http://me:pw@a.example:8080/p?q=1#f").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("*/*"));
        let mut secret = HeaderValue::from_static("Bearer hidden");
        secret.set_sensitive(true);
        headers.insert("authorization", secret);
        assert_eq!(
            of_request(&Method::GET, &url, &headers, DIRECT),
            "GET /p?q=1 HTTP/1.1\r\naccept: */*\r\nauthorization: (withheld)\r\nhost: a.example:8080\r\n"
        );
        let by_proxy = Sent { is_absolute: true, has_proxy_secret: true };
        let head = of_request(&Method::POST, &url, &headers, by_proxy);
        assert!(head.starts_with("POST http://a.example:8080/p?q=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.ends_with("\r\nproxy-authorization: (withheld)\r\n"), "{head}");
        assert_eq!(without_credentials(&url), "http://a.example:8080/p?q=1");
    }

    #[test]
    fn an_answer_as_it_came() {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("x", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        let head = of_answer(StatusCode::OK, Some(b"Fine"), &headers, false);
        assert_eq!(head, "HTTP/1.1 200 Fine\r\nset-cookie: a=1\r\nx: café\r\n");
        let head = of_answer(StatusCode::OK, None, &headers, true);
        assert_eq!(head, "HTTP/1.1 200 OK\r\nset-cookie: (withheld)\r\nx: café\r\n");
    }

    proptest! {
        #[test]
        fn heads_are_bounded_and_every_line_is_one(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6000), 0..12),
            cut_to in 0_usize..9000,
        ) {
            let mut headers = HeaderMap::new();
            for value in values {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    headers.append("x", value);
                }
            }
            let head = of_answer(StatusCode::NOT_FOUND, None, &headers, false);
            let short = cut(&head, cut_to);
            for (head, bytes_max) in [(&head, HEAD_BYTES_MAX), (&short, cut_to)] {
                prop_assert!(head.len() <= bytes_max + 100);
                prop_assert!(head.is_empty() || head.ends_with("\r\n"));
            }
            prop_assert_eq!(cut(&short, short.len()), short.clone());
            let count = headers.len() + 1;
            prop_assert!(head.split("\r\n").count() <= count + 2);
        }
    }
}
