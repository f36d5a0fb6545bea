//! What one site is sent beyond what every site is sent: its headers and cookies, which no other site ever sees.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use url::Url;

use super::cookies::Jar;
use super::error::Error;
use crate::base::lock;
use crate::config::SiteFetchSettings;

/// Whether a URL belongs to the site: only then are its headers and cookies sent, and its cookies kept.
pub type Scope = Arc<dyn Fn(&Url) -> bool + Send + Sync>;

/// Headers that one site's settings may add.
const HEADERS_MAX: usize = 50;
/// Bytes of one such header's value; servers refuse heads that are much longer.
const VALUE_BYTES_MAX: usize = 8 << 10;

/// Headers that a setting must not touch, and why.
const REFUSED: &[(&str, &str)] = &[
    ("host", "it is made from the URL, and with another one the address guard would mean nothing"),
    ("content-length", "it says where the request ends"),
    ("transfer-encoding", "it says where the request ends"),
    ("connection", "it belongs to the connection"),
    ("keep-alive", "it belongs to the connection"),
    ("proxy-connection", "it belongs to the connection"),
    ("proxy-authorization", "write the proxy's user and password into its URL"),
    ("te", "it belongs to the connection"),
    ("trailer", "it belongs to the connection"),
    ("upgrade", "it belongs to the connection"),
    ("http2-settings", "it belongs to the connection"),
    ("expect", "requests have no body"),
    ("content-type", "requests have no body"),
    ("content-encoding", "requests have no body"),
    ("range", "the crawler asks for pieces itself"),
    ("if-range", "the crawler asks for pieces itself"),
    ("if-match", "the crawler asks for changes itself"),
    ("if-none-match", "the crawler asks for changes itself"),
    ("if-modified-since", "the crawler asks for changes itself"),
    ("if-unmodified-since", "the crawler asks for changes itself"),
    ("accept-encoding", "it decides what digests are of"),
    ("referer", "the crawler sends the page that leads to a URL"),
    ("icy-metadata", "the crawler asks for it where it can read the answer"),
    ("user-agent", "use the key user_agent"),
    ("set-cookie", "only servers send it"),
];

/// The checked form of [`SiteFetchSettings`].
pub(super) struct Site {
    headers: HeaderMap,
    /// None where the settings write the Cookie header themselves.
    jar: Option<Mutex<Jar>>,
    scope: Scope,
    pub(super) problems: Vec<String>,
}

impl Site {
    pub(super) fn new(settings: &SiteFetchSettings, scope: Scope) -> Result<Self, Error> {
        let headers = checked(&settings.headers)?;
        let mut problems = Vec::new();
        let jar = match &settings.cookies_file {
            Some(_) if headers.contains_key(COOKIE) => {
                return Err(wrong(
                    "`Cookie` cannot be written here beside cookies_file; leave one out".to_owned(),
                ));
            }
            Some(path) => Some(Jar::read(path, &mut problems)?),
            None if headers.contains_key(COOKIE) => None,
            None => Some(Jar::default()),
        };
        Ok(Self { headers, jar: jar.map(Mutex::new), scope, problems })
    }

    /// Adds the site's headers and cookies to a request for `url`, where that belongs to the site. Headers are left
    /// out where the way there led from an encrypted connection to one that is not.
    pub(super) fn add_to(&self, url: &Url, is_downgrade: bool, headers: &mut HeaderMap) {
        if !(self.scope)(url) {
            return;
        }
        if !is_downgrade {
            for (name, value) in &self.headers {
                headers.insert(name.clone(), value.clone());
            }
        }
        let cookies = self.jar.as_ref().and_then(|jar| lock(jar).header(url));
        if let Some(mut value) = cookies.and_then(|text| HeaderValue::from_bytes(text.as_bytes()).ok()) {
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
    }

    /// Whether the cookies that an answer of `url` sets are of the site's own session, which is nobody else's business.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        (self.scope)(url)
    }

    /// Keeps the cookies that the answer of `url` sets, where that belongs to the site.
    pub(super) fn keep_cookies(&self, url: &Url, headers: &HeaderMap) {
        let Some(jar) = &self.jar else { return };
        if headers.contains_key(SET_COOKIE) && (self.scope)(url) {
            let texts = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
            lock(jar).keep(url, texts);
        }
    }
}

fn wrong(reason: String) -> Error {
    Error::Setting { key: "headers", reason }
}

/// Checks names and values; says what is wrong without the value, which may be a secret.
fn checked(settings: &BTreeMap<String, String>) -> Result<HeaderMap, Error> {
    if settings.len() > HEADERS_MAX {
        return Err(wrong(format!("more than {HEADERS_MAX} headers")));
    }
    let mut headers = HeaderMap::new();
    for (written, value) in settings {
        let name = HeaderName::from_bytes(written.as_bytes())
            .map_err(|_| wrong(format!("`{}` is no name of a header", written.escape_debug())))?;
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name.as_str()) {
            return Err(wrong(format!("`{written}` cannot be set: {why}")));
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(wrong(format!("the value of `{written}` has more than {VALUE_BYTES_MAX} bytes")));
        }
        // `to_str` leaves out what only the bytes of a value may hold.
        let mut value =
            HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok()).ok_or_else(|| {
                wrong(format!("the value of `{written}` holds characters no header may hold (ASCII only)"))
            })?;
        value.set_sensitive(true);
        if headers.insert(name, value).is_some() {
            return Err(wrong(format!("`{written}` is there twice")));
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn settings(headers: &[(&str, &str)]) -> SiteFetchSettings {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        SiteFetchSettings { headers, ..Default::default() }
    }

    fn error(settings: &SiteFetchSettings) -> String {
        Site::new(settings, Arc::new(|_| true)).err().unwrap().to_string()
    }

    #[test]
    fn headers_that_would_do_harm_are_refused_without_telling_their_values() {
        for name in
            ["Host", "HOST", "Content-Length", "Transfer-Encoding", "Connection", "Range", "Accept-Encoding"]
        {
            let error = error(&settings(&[(name, "hidden")]));
            assert!(error.contains(&format!("fetch.headers: `{name}` cannot be set")), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
        for (name, value) in [
            ("A b", "hidden"),
            ("", "hidden"),
            ("X", "hidden\r\nHost: elsewhere"),
            ("X", "hidden\u{0}"),
            ("X", "hidden é"),
            ("X\n", "hidden"),
            (":authority", "hidden"),
        ] {
            let error = error(&settings(&[(name, value)]));
            assert!(!error.contains("hidden") && error.lines().count() == 1, "{error}");
        }
        assert!(error(&settings(&[("X-A", "1"), ("x-a", "2")])).contains("twice"));
        assert!(error(&settings(&[("X", &"a".repeat(9000))])).contains("8192"));
        let both = SiteFetchSettings {
            cookies_file: Some("/nonexistent".into()),
            ..settings(&[("cookie", "hidden")])
        };
        assert!(error(&both).contains("cookies_file"));
    }

    #[test]
    fn only_the_site_gets_them() {
        let scope: Scope = Arc::new(|url| url.host_str() == Some("own.example"));
        let site = Site::new(&settings(&[("Authorization", "Bearer hidden")]), scope).unwrap();
        let sent = |url: &str, is_downgrade| {
            let mut headers = HeaderMap::new();
            site.add_to(&Url::parse(url).unwrap(), is_downgrade, &mut headers);
            assert!(!format!("{headers:?}").contains("hidden"));
            headers.len()
        };
        assert_eq!(sent("https://own.example/", false), 1);
        assert_eq!(sent("http://own.example/", true), 0);
        assert_eq!(sent("https://other.example/", false), 0);
    }

    proptest! {
        #[test]
        fn any_header_is_taken_or_refused(name in "\\PC{0,20}", value in "(?s).{0,40}") {
            if let Ok(site) = Site::new(&settings(&[(&name, &value)]), Arc::new(|_| true)) {
                for (name, value) in &site.headers {
                    prop_assert!(!REFUSED.iter().any(|(refused, _)| refused == name));
                    prop_assert!(value.as_bytes().iter().all(|byte| matches!(byte, b'\t' | 32..=126)));
                }
            }
        }
    }
}
