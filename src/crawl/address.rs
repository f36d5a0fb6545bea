//! What two URLs have in common: the key that tells pages apart, the domain that an operator is known by, scope.
//!
//! The key of a URL is the URL after the URL standard's own normalisation (lower-case scheme and host, punycode, no
//! default port, dot segments resolved), without fragment, credentials, session ids and the query parameters that
//! only track visitors ([`TRACKING`]); the order of the rest is kept, since it can matter.

use url::{Host, Url};

/// Query parameters that say who came from where and change nothing of the page; `utm_` is a prefix.
const TRACKING: &[&str] = &[
    "utm_",
    "gclid",
    "gclsrc",
    "dclid",
    "fbclid",
    "yclid",
    "msclkid",
    "mc_cid",
    "mc_eid",
    "igshid",
    "igsh",
    "twclid",
    "ttclid",
    "_ga",
    "_gl",
    "_openstat",
    "spm",
    "scm",
    "vd_source",
    "share_source",
    "phpsessid",
    "jsessionid",
    "aspsessionid",
    "sessionid",
];

/// Longer URLs are traps or data, not pages.
const URL_CHARS_MAX: usize = 2000;
/// Deeper paths are traps (Heritrix stops at the same number).
const SEGMENTS_MAX: usize = 20;
/// A path segment that comes more often than this is a loop of relative links.
const SEGMENT_REPEATS_MAX: usize = 3;

/// One address within another is a redirector's or a player's; more are echoes.
const NESTED_URLS_MAX: usize = 1;
/// Layers of percent-encoding that are looked through.
const ENCODINGS_MAX: usize = 5;

/// Returns the text under which `url` is remembered as visited.
#[must_use]
pub fn key(url: &Url) -> String {
    let mut key = url.clone();
    key.set_fragment(None);
    // Fail only for URLs without a host, which have no credentials.
    let _ = key.set_password(None);
    let _ = key.set_username("");
    if let Some(query) = url.query() {
        let kept: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect();
        if kept.is_empty() {
            key.set_query(None);
        } else {
            key.set_query(Some(&kept.join("&")));
        }
    }
    let path = url.path();
    let lower = path.to_ascii_lowercase();
    // What has no hierarchy (`data:`, `mailto:`) has no sessions either, and a cut there may end in a space, which is lost.
    if let Some(at) = lower.find(";jsessionid=").filter(|_| !url.cannot_be_a_base()) {
        key.set_path(&path[..at]);
    }
    key.into()
}

/// As [`key`], for a site where the order of a query's parameters means nothing.
#[must_use]
pub(super) fn site_key(url: &Url, sort_query: bool) -> String {
    let key = key(url);
    if !sort_query {
        return key;
    }
    let Some((start, query)) = key.split_once('?') else { return key };
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    format!("{start}?{}", pairs.join("&"))
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    TRACKING.iter().any(|known| {
        if known.ends_with('_') && known.len() > 3 { name.starts_with(known) } else { name == *known }
    })
}

/// Returns why `url` looks like a trap that generates pages without end, if it does.
#[must_use]
pub(super) fn trap(url: &Url) -> Option<&'static str> {
    if url.as_str().len() > URL_CHARS_MAX {
        return Some("the URL is longer than 2,000 characters");
    }
    let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.len() > SEGMENTS_MAX {
        return Some("the path has more than 20 segments");
    }
    let repeats = |segment: &&str| segments.iter().filter(|other| *other == segment).count();
    if segments.iter().any(|segment| repeats(segment) > SEGMENT_REPEATS_MAX) {
        return Some("the path repeats itself");
    }
    (nested_urls(url) > NESTED_URLS_MAX).then_some("the URL carries URLs within URLs")
}

/// How many addresses stand in the path and query of `url`, however often they are percent-encoded: a page that echoes
/// its own address in its links makes more of them with each step.
fn nested_urls(url: &Url) -> usize {
    let mut text = url[url::Position::BeforePath..].to_ascii_lowercase();
    // Each round undoes one layer of encoding of the percent sign itself.
    for _ in 0..ENCODINGS_MAX {
        if !text.contains("%25") {
            break;
        }
        text = text.replace("%25", "%");
    }
    text.matches("://").count() + text.matches("%3a%2f%2f").count()
}

/// Returns the operator's key in licences for the host of `url`: the registrable domain of a name
/// (`www.music.example.co.jp` → `example.co.jp`), the whole name where it has none (`localhost`), the address where
/// the host is one; names without a registrable domain and addresses keep a port that is written out
/// (`127.0.0.1:8080`), since there the port is all that tells two sites apart.
#[must_use]
pub fn domain_of(url: &Url) -> String {
    let with_port = |host: String| match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    match url.host() {
        None => String::new(),
        Some(Host::Ipv4(address)) => with_port(address.to_string()),
        Some(Host::Ipv6(address)) => with_port(format!("[{address}]")),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            match psl::domain_str(&name) {
                Some(domain) => domain.to_owned(),
                None => with_port(name),
            }
        }
    }
}

/// Returns the name of the queue that `url` waits in: the registrable domain, host and port where there is none.
#[must_use]
pub(super) fn lane_of(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) if psl::domain_str(name).is_some() => domain_of(url),
        _ => format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0)),
    }
}

/// Returns scheme, host and port: what has one robots.txt.
#[must_use]
pub(super) fn authority(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn keys() {
        for (given, wanted) in [
            ("HTTP://Bücher.example:80/a/../b?q=1#f", "http://xn--bcher-kva.example/b?q=1"),
            ("http://a.example/x?utm_source=b&z=2&a=1&fbclid=9", "http://a.example/x?z=2&a=1"),
            ("http://a.example/x?utm_source=b", "http://a.example/x"),
            ("http://me:pw@a.example/x", "http://a.example/x"),
            ("http://a.example/x;jsessionid=12AB?p=1", "http://a.example/x?p=1"),
            ("http://a.example/x?_gap=1&_ga=2", "http://a.example/x?_gap=1"),
            ("data:r ;jsessionid=Y.2", "data:r ;jsessionid=Y.2"),
        ] {
            assert_eq!(key(&url(given)), wanted);
        }
    }

    #[test]
    fn domains() {
        for (given, wanted) in [
            ("http://www.music.example.co.jp/", "example.co.jp"),
            ("https://cdn.a.github.io:444/", "a.github.io"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://93.184.215.14/", "93.184.215.14"),
            ("http://[::1]:81/", "[::1]:81"),
            ("http://localhost:3000/", "localhost:3000"),
            ("http://shop.example.com./", "example.com"),
        ] {
            assert_eq!(domain_of(&url(given)), wanted);
        }
    }

    #[test]
    fn traps() {
        assert!(trap(&url("http://a.example/a/b/a/b/a/b/a/b/")).is_some());
        assert!(trap(&url(&format!("http://a.example/{}", "x".repeat(2100)))).is_some());
        assert!(trap(&url("http://a.example/music/2024/01/01/song.html")).is_none());
        assert!(trap(&url("http://a.example/go?to=http%3A%2F%2Fb.example%2F")).is_none());
        assert!(
            trap(&url(
                "http://a.example/go?to=http%3A%2F%2Fa.example%2Fgo%3Fto%3Dhttp%253A%252F%252Fb.example"
            ))
            .is_some()
        );
    }

    proptest::proptest! {
        #[test]
        fn a_key_is_its_own_key(text in "http://[a-z]{1,8}\\.example/[ -~]{0,60}") {
            if let Ok(url) = Url::parse(&text) {
                let once = key(&url);
                let twice = key(&Url::parse(&once).unwrap());
                proptest::prop_assert_eq!(once, twice);
            }
        }
    }
}
