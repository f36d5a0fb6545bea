//! Cookies of one site: those of a file and those that the site sets during a run, within bounds. Which goes where is
//! decided by RFC 6265's rules; a domain under which strangers register names (a public suffix) gets none.

use std::path::Path;

use cookie_store::{CookieStore, RawCookie};
use url::{Host, Url};

use super::cookies_txt;
use super::error::Error;

/// Bytes of one cookie with its attributes: what RFC 6265, section 6.1, asks for at least.
const COOKIE_BYTES_MAX: usize = 4096;
/// Cookies that the hosts of one registrable domain may set; RFC 6265 asks for fifty at least.
const PER_DOMAIN_MAX: usize = 50;
/// Bytes of names and values that they may take together.
const DOMAIN_BYTES_MAX: usize = 16 << 10;
/// Cookies in all, with those of the file.
const TOTAL_MAX: usize = 1000;
/// Set-Cookie lines of one answer that are looked at.
const PER_ANSWER_MAX: usize = 100;
/// Bytes of the Cookie header that is sent; most servers refuse longer ones.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// What is wrong with a cookie for a whole public suffix.
const PUBLIC_SUFFIX: &str = "its domain is one under which anybody may register names";

/// The cookies of one site.
#[derive(Default)]
pub(super) struct Jar {
    store: CookieStore,
}

impl Jar {
    /// Reads a Netscape file. Lines that cannot be used go to `problems`, each with file and line, without values.
    ///
    /// # Errors
    /// [`Error::Setting`] when the file cannot be read or is much too long.
    pub(super) fn read(path: &Path, problems: &mut Vec<String>) -> Result<Self, Error> {
        let text = cookies_txt::read(path)?;
        let mut jar = Self::default();
        for (line, parsed) in cookies_txt::parse(&text) {
            let outcome = parsed.map_err(str::to_owned).and_then(|given| jar.add(&given));
            if let Err(reason) = outcome {
                cookies_txt::tell(problems, path, line, &reason);
            }
        }
        Ok(jar)
    }

    /// Adds a cookie of the file.
    pub(super) fn add(&mut self, given: &cookies_txt::Given) -> Result<(), String> {
        if given.is_for_subdomains && is_public_suffix(given.url.host_str().unwrap_or_default()) {
            return Err(PUBLIC_SUFFIX.to_owned());
        }
        if self.store.iter_any().count() >= TOTAL_MAX {
            return Err(format!("more than {TOTAL_MAX} cookies"));
        }
        self.insert(&given.url, &given.set_cookie)
    }

    fn insert(&mut self, url: &Url, set_cookie: &str) -> Result<(), String> {
        if set_cookie.len() > COOKIE_BYTES_MAX {
            return Err(format!("longer than {COOKIE_BYTES_MAX} bytes"));
        }
        // Neither error holds the text.
        let mut cookie = RawCookie::parse(set_cookie.to_owned()).map_err(|error| error.to_string())?;
        if let Some(domain) = cookie.domain().map(str::to_ascii_lowercase)
            && is_public_suffix(&domain)
        {
            if url.host_str() != Some(domain.as_str()) {
                return Err(PUBLIC_SUFFIX.to_owned());
            }
            cookie.unset_domain();
        }
        self.store.insert_raw(&cookie, url).map(drop).map_err(|error| error.to_string())
    }

    /// Keeps what an answer of `url` sets, as far as it is allowed to and there is room.
    pub(super) fn keep<'t>(&mut self, url: &Url, set_cookies: impl Iterator<Item = &'t str>) {
        for text in set_cookies.take(PER_ANSWER_MAX) {
            if self.has_room(url, text) {
                // A cookie that breaks the rules is dropped without a word, as everywhere.
                let _ = self.insert(url, text);
            }
        }
    }

    /// Whether the domain of `url` may set one more. A jar that is full takes no more, and deletes what is asked.
    fn has_room(&mut self, url: &Url, text: &str) -> bool {
        if text.len() > COOKIE_BYTES_MAX {
            return false;
        }
        self.forget_expired();
        let domain = registrable(url.host_str().unwrap_or_default());
        let (mut total, mut count, mut bytes) = (0, 0, text.len());
        for cookie in self.store.iter_any() {
            total += 1;
            if cookie.domain.as_cow().is_some_and(|of| registrable(&of) == domain) {
                count += 1;
                bytes += cookie.name().len() + cookie.value().len();
            }
        }
        // The name that is there already may change, unless it grows beyond what is allowed.
        let name = text.split(['=', ';']).next().unwrap_or_default().trim();
        let is_known =
            self.store.iter_any().any(|cookie| cookie.name() == name && cookie.domain.matches(url));
        is_known && bytes <= 2 * DOMAIN_BYTES_MAX
            || total < TOTAL_MAX && count < PER_DOMAIN_MAX && bytes <= DOMAIN_BYTES_MAX
    }

    fn forget_expired(&mut self) {
        let expired: Vec<_> = self
            .store
            .iter_any()
            .filter(|cookie| cookie.is_expired())
            .filter_map(|cookie| {
                let domain = cookie.domain.as_cow()?.into_owned();
                Some((domain, cookie.path.to_string(), cookie.name().to_owned()))
            })
            .collect();
        for (domain, path, name) in expired {
            self.store.remove(&domain, &path, &name);
        }
    }

    /// The Cookie header for `url`, longest path first (RFC 6265, section 5.4); `None` without cookies.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let mut cookies = self.store.matches(url);
        cookies.sort_by(|a, b| (b.path.len(), a.name()).cmp(&(a.path.len(), b.name())));
        let mut header = String::new();
        for cookie in cookies {
            let (name, value) = (cookie.name(), cookie.value());
            if header.len() + name.len() + value.len() + 3 > HEADER_BYTES_MAX {
                continue;
            }
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(name);
            header.push('=');
            header.push_str(value);
        }
        (!header.is_empty()).then_some(header)
    }
}

/// Whether anybody may register names below `domain`: it is in the list of public suffixes, or a single word.
fn is_public_suffix(domain: &str) -> bool {
    if Host::parse(domain).is_ok_and(|host| !matches!(host, Host::Domain(_))) {
        return false;
    }
    !domain.contains('.') || psl::suffix_str(domain) == Some(domain)
}

/// The domain that somebody registered and that may share one bound; the host itself where there is none.
fn registrable(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn sent(jar: &Jar, at: &str) -> String {
        jar.header(&url(at)).unwrap_or_default()
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let mut jar = Jar::default();
        let set = [
            "a=1",
            "b=2; Domain=example.com",
            "c=3; Secure",
            "d=4; Path=/down",
            "e=5; Domain=.example.com; Max-Age=0",
            "f=6; Domain=com",
            "g=7; Domain=other.com",
            "h=8; Domain=le.com",
        ];
        jar.keep(&url("https://www.example.com/x/y"), set.into_iter());
        // Without a path, a cookie is for the folder that set it.
        assert_eq!(sent(&jar, "https://www.example.com/x/z"), "a=1; b=2; c=3");
        assert_eq!(sent(&jar, "http://www.example.com/x/z"), "a=1; b=2");
        assert_eq!(sent(&jar, "http://www.example.com/down/1"), "d=4");
        assert_eq!(sent(&jar, "https://cdn.example.com/x/"), "b=2");
        assert_eq!(sent(&jar, "https://cdn.example.com/"), "");
        jar.keep(&url("https://www.example.com/"), ["b=9; Domain=example.com"].into_iter());
        assert_eq!(sent(&jar, "https://cdn.example.com/"), "b=9");
        for elsewhere in
            ["https://other.com/", "https://evilexample.com/", "https://com/", "https://example.com.evil/"]
        {
            assert_eq!(sent(&jar, elsewhere), "", "{elsewhere}");
        }
        jar.keep(&url("https://www.example.com/"), ["b=; Domain=example.com; Max-Age=0"].into_iter());
        assert_eq!(sent(&jar, "https://cdn.example.com/"), "");
    }

    #[test]
    fn public_suffixes_get_none() {
        let mut jar = Jar::default();
        for (at, domain) in [
            ("https://me.github.io/", "github.io"),
            ("https://shop.co.uk/", "co.uk"),
            ("https://a.test/", "test"),
            ("https://a.com.cn/", ".com.cn"),
        ] {
            jar.keep(&url(at), [format!("s=1; Domain={domain}").as_str()].into_iter());
            assert_eq!(jar.store.iter_any().count(), 0, "{domain}");
        }
        // A suffix that is itself a host keeps its own cookie to itself.
        jar.keep(&url("https://github.io/"), ["s=1; Domain=github.io"].into_iter());
        assert_eq!(sent(&jar, "https://github.io/"), "s=1");
        assert_eq!(sent(&jar, "https://me.github.io/"), "");
        jar.keep(&url("http://127.0.0.1/"), ["t=1; Domain=127.0.0.1"].into_iter());
        assert_eq!(sent(&jar, "http://127.0.0.1/"), "t=1");
        assert_eq!(sent(&jar, "http://1.127.0.0.1.example/"), "");
    }

    #[test]
    fn floods_end_at_the_bounds() {
        let mut jar = Jar::default();
        for number in 0..3000 {
            let host = url(&format!("https://h{number}.example.com/"));
            jar.keep(&host, [format!("n{number}={}", "v".repeat(200)).as_str()].into_iter());
        }
        assert_eq!(jar.store.iter_any().count(), PER_DOMAIN_MAX);
        for number in 0..3000 {
            let host = url(&format!("https://flood{number}.com/"));
            jar.keep(&host, ["a=b", "c=d"].into_iter());
        }
        assert_eq!(jar.store.iter_any().count(), TOTAL_MAX);
        let mut jar = Jar::default();
        let at = url("https://example.com/");
        let long: Vec<_> = (0..50).map(|number| format!("n{number}={}", "v".repeat(3000))).collect();
        jar.keep(&at, long.iter().map(String::as_str));
        assert!(jar.header(&at).unwrap().len() <= HEADER_BYTES_MAX);
        jar.keep(&at, [format!("huge={}", "v".repeat(5000)).as_str()].into_iter());
        assert!(!jar.header(&at).unwrap().contains("huge"));
        // What is there may still change, and go, and make room.
        jar.keep(&at, ["n0=new"].into_iter());
        assert!(jar.header(&at).unwrap().contains("n0=new"));
        for number in 0..50 {
            jar.keep(&at, [format!("n{number}=; Max-Age=0").as_str()].into_iter());
        }
        jar.keep(&at, ["fresh=1"].into_iter());
        assert_eq!(jar.header(&at).unwrap(), "fresh=1");
    }

    proptest! {
        #[test]
        fn any_set_cookie_is_survived_and_stays_at_home(
            texts in proptest::collection::vec("[ -~]{0,80}|(a|b)=[a-z]{0,5}(; ?(domain|path|max-age|expires)=[-a-z0-9./ :]{0,20}){0,3}", 0..20),
        ) {
            let mut jar = Jar::default();
            jar.keep(&url("https://www.example.com/a/b"), texts.iter().map(String::as_str));
            prop_assert!(jar.store.iter_any().count() <= texts.len());
            for elsewhere in ["https://example.org/a/b", "https://notexample.com/", "https://com/"] {
                prop_assert_eq!(jar.header(&url(elsewhere)), None);
            }
            for at in ["https://www.example.com/a/b", "http://example.com/"] {
                prop_assert!(jar.header(&url(at)).is_none_or(|text| !text.contains(['\r', '\n'])));
            }
        }
    }
}
