//! The client: settings in, responses out.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, RANGE, REFERER};
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use url::Url;

use super::body::Body;
use super::error::Error;
use super::guard::{Guard, GuardedResolver};
use super::walk::{Hop, Step, Walk};
use crate::base::Digest;
use crate::config::FetchSettings;

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
    /// First byte and number of bytes, where only a piece is wanted.
    pub range: Option<(u64, u64)>,
}

impl Request {
    /// Asks for the whole of `url`, without a referer.
    #[must_use]
    pub const fn new(url: Url, kind: Kind) -> Self {
        Self { url, referer: None, kind, range: None }
    }
}

/// The head of a final answer with its body still to be read.
pub struct Opened {
    /// Where the answer came from, after redirects.
    pub final_url: Url,
    /// The HTTP status; not a redirect, but not necessarily a success.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The address that answered, with its port; the proxy's where there is one.
    pub peer: Option<String>,
    /// Every answer on the way, this one last.
    pub hops: Vec<Hop>,
    /// The body.
    pub body: Body,
}

impl Opened {
    /// Returns the Content-Type as sent, as far as it is text.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        header_text(&self.headers, "content-type")
    }
}

/// A whole response.
pub struct Response {
    /// Where it came from, after redirects.
    pub final_url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The address that answered, with its port; the proxy's where there is one.
    pub peer: Option<String>,
    /// Every answer on the way, this one last.
    pub hops: Vec<Hop>,
    /// The body.
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

/// The settings in the form that the reading loops need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) page_bytes_max: u64,
    pub(super) media_bytes_max: u64,
    pub(super) redirects_max: u32,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) page_timeout: Duration,
    pub(super) media_timeout: Duration,
    pub(super) robots_timeout: Duration,
    pub(super) rate_min_bytes_per_s: u64,
    pub(super) rate_grace: Duration,
}

/// A clock setting as a duration; ten years stand for "never" and keep the arithmetic of instants in range.
fn seconds(value: u64) -> Duration {
    Duration::from_secs(value.min(315_360_000))
}

/// The longest sitemap, by <https://www.sitemaps.org/protocol.html>.
const SITEMAP_BYTES_MAX: u64 = 50 << 20;
/// RFC 9309 asks that at least five redirects of a robots.txt be followed.
const ROBOTS_REDIRECTS_MIN: u32 = 5;

impl Limits {
    fn new(settings: &FetchSettings) -> Self {
        Self {
            page_bytes_max: settings.page_bytes_max,
            media_bytes_max: settings.media_bytes_max,
            redirects_max: settings.redirects_max,
            connect_timeout: seconds(settings.connect_timeout_s),
            read_timeout: seconds(settings.read_timeout_s),
            page_timeout: seconds(settings.page_timeout_s),
            media_timeout: seconds(settings.total_timeout_s),
            robots_timeout: seconds(settings.robots_timeout_s),
            rate_min_bytes_per_s: settings.rate_min_bytes_per_s,
            rate_grace: seconds(settings.rate_grace_s),
        }
    }

    pub(super) const fn bytes_max(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Media => self.media_bytes_max,
            Kind::Live => u64::MAX,
            Kind::Page | Kind::Playlist | Kind::Robots => self.page_bytes_max,
            Kind::Sitemap => SITEMAP_BYTES_MAX,
        }
    }

    pub(super) fn total_of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Media => self.media_timeout,
            Kind::Live => seconds(u64::MAX),
            Kind::Page | Kind::Playlist | Kind::Sitemap => self.page_timeout,
            Kind::Robots => self.robots_timeout,
        }
    }

    pub(super) const fn redirects(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Robots if self.redirects_max < ROBOTS_REDIRECTS_MIN => ROBOTS_REDIRECTS_MIN,
            _ => self.redirects_max,
        }
    }
}

/// Fetches within the limits of one set of settings. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) guard: Arc<Guard>,
    pub(super) limits: Limits,
    pub(super) has_proxy: bool,
    pub(super) user_agent: HeaderValue,
}

/// More response headers than this many bytes are refused (HTTP/2; hyper itself limits HTTP/1).
const HEADER_BYTES_MAX: u32 = 256 << 10;

impl Client {
    /// Makes a client.
    ///
    /// # Errors
    /// [`Error::Setting`] when a setting cannot be used: a certificate file, the proxy, the user agent, an entry of
    /// `private_allowed`.
    pub fn new(settings: &FetchSettings) -> Result<Self, Error> {
        // Fails only where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(Guard::new(settings)?);
        let certificates = read_certificates(settings)?;
        let http = match builder(settings, &guard)?.tls_certs_merge(certificates.clone()).build() {
            Ok(http) => http,
            // A machine without any root certificate: plain HTTP must still work; HTTPS then fails by its own
            // clear error, or trusts the configured roots alone.
            Err(_) => builder(settings, &guard)?
                .tls_certs_only(certificates)
                .build()
                .map_err(|error| Error::Setting { key: "user_agent", reason: deepest(&error) })?,
        };
        let (has_proxy, user_agent) = (settings.proxy.is_some(), user_agent(settings)?);
        Ok(Self { http, guard, limits: Limits::new(settings), has_proxy, user_agent })
    }

    /// Returns what the client calls itself.
    #[must_use]
    pub fn user_agent(&self) -> &str {
        self.user_agent.to_str().unwrap_or_default()
    }

    /// Checks what the guard can tell of a URL without resolving its host.
    ///
    /// # Errors
    /// As [`Guard::check_url`].
    pub fn check(&self, url: &Url) -> Result<(), Error> {
        self.guard.check_url(url)
    }

    /// Begins a request that the caller leads from hop to hop.
    #[must_use]
    pub fn walk(&self, request: Request) -> Walk<'_> {
        Walk::new(self, request)
    }

    /// Follows redirects to the final answer and leaves its body to be read.
    ///
    /// # Errors
    /// [`Error`] when no final answer comes; a status that is no success is not an error here.
    pub async fn open(&self, request: Request) -> Result<Opened, Error> {
        let mut walk = self.walk(request);
        loop {
            if let Step::Answer(opened) = walk.step().await? {
                return Ok(*opened);
            }
        }
    }

    /// Reads a page (or playlist, or whatever is not media) whole.
    ///
    /// # Errors
    /// [`Error`] when no final answer comes or its body breaks a limit.
    pub async fn fetch(&self, request: Request) -> Result<Response, Error> {
        let Opened { final_url, status, headers, peer, hops, body } = self.open(request).await?;
        let body = body.collect().await?;
        Ok(Response { final_url, status, headers, peer, hops, body })
    }

    /// Streams media into `to`.
    ///
    /// # Errors
    /// [`Error`] when no answer comes, it is no success, or its body breaks a limit.
    pub async fn download(
        &self,
        request: Request,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<MediaFetched, Error> {
        let opened = self.open(request).await?.successful()?;
        let content_type = opened.content_type();
        let Opened { final_url, peer, hops, body, .. } = opened;
        let saved = body.save(to).await?;
        Ok(MediaFetched { final_url, bytes: saved.bytes, sha256: saved.sha256, content_type, peer, hops })
    }

    /// The request as it goes out for one hop.
    pub(super) fn hop_request(&self, request: &Request, url: &Url) -> reqwest::RequestBuilder {
        let mut headers = HeaderMap::new();
        let accept = match request.kind {
            Kind::Page => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Kind::Media | Kind::Live | Kind::Playlist | Kind::Robots | Kind::Sitemap => "*/*",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if matches!(request.kind, Kind::Media | Kind::Live) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if request.kind == Kind::Live {
            // Some servers put titles into the stream unasked; asked, all say where.
            headers.insert("icy-metadata", HeaderValue::from_static("1"));
        }
        if let Some((first, count)) = request.range {
            let last = first.saturating_add(count.max(1) - 1);
            if let Ok(value) = HeaderValue::from_str(&format!("bytes={first}-{last}")) {
                headers.insert(RANGE, value);
            }
        }
        let referer = request.referer.as_ref().and_then(|page| referer(page, url));
        if let Some(value) = referer.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(REFERER, value);
        }
        self.http.get(url.clone()).headers(headers)
    }

    pub(super) fn body(&self, url: Url, response: reqwest::Response, kind: Kind, ends_at: Instant) -> Body {
        Body::new(url, response, ends_at, self.limits, kind)
    }
}

impl Opened {
    /// Returns itself where the status is a success.
    ///
    /// # Errors
    /// [`Error::Status`] otherwise.
    pub fn successful(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let retry_after = header_text(&self.headers, "retry-after");
        Err(Error::Status { url: super::error::shown(&self.final_url), status: self.status, retry_after })
    }
}

/// What a browser sends by its default policy, `strict-origin-when-cross-origin`: the page within one origin, the
/// origin to others, nothing from a secure page to an insecure place.
fn referer(page: &Url, target: &Url) -> Option<String> {
    if page.origin() == target.origin() {
        let mut page = page.clone();
        page.set_fragment(None);
        return Some(super::error::shown(&page));
    }
    if page.scheme() == "https" && target.scheme() != "https" {
        return None;
    }
    Some(format!("{}/", page.origin().ascii_serialization()))
}

/// Returns a header's value as far as it is text.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn user_agent(settings: &FetchSettings) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(&settings.user_agent).map_err(|_| Error::Setting {
        key: "user_agent",
        reason: "holds characters no header may hold".to_owned(),
    })
}

fn builder(settings: &FetchSettings, guard: &Arc<Guard>) -> Result<reqwest::ClientBuilder, Error> {
    let user_agent = user_agent(settings)?;
    let mut resolver_guard = Guard::clone(guard);
    let builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(seconds(settings.connect_timeout_s))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .pool_max_idle_per_host(4)
        .no_proxy();
    let builder = match &settings.proxy {
        None => builder,
        Some(proxy) => {
            let wrong = |reason: String| Error::Setting { key: "proxy", reason };
            let url = Url::parse(proxy).map_err(|error| wrong(format!("`{proxy}` is no URL ({error})")))?;
            // The operator of this machine chose the proxy; it is mostly a private address.
            resolver_guard.allow_name(url.host_str().unwrap_or_default());
            builder.proxy(reqwest::Proxy::all(url).map_err(|error| wrong(deepest(&error)))?)
        }
    };
    Ok(builder.dns_resolver(Arc::new(GuardedResolver(Arc::new(resolver_guard)))))
}

fn read_certificates(settings: &FetchSettings) -> Result<Vec<reqwest::Certificate>, Error> {
    let mut certificates = Vec::new();
    for path in &settings.extra_root_certificates {
        let wrong = |reason: String| Error::Setting {
            key: "extra_root_certificates",
            reason: format!("{}: {reason}", path.display()),
        };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let mut found =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(deepest(&error)))?;
        if found.is_empty() {
            return Err(wrong("holds no PEM certificate".to_owned()));
        }
        certificates.append(&mut found);
    }
    Ok(certificates)
}

/// Returns the innermost message of an error chain: what the system said, without the layers' "error sending request".
pub(super) fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
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

    #[test]
    fn wrong_settings_are_named() {
        let settings = FetchSettings { proxy: Some("not a url".to_owned()), ..Default::default() };
        assert!(matches!(Client::new(&settings), Err(Error::Setting { key: "proxy", .. })));
        let missing = vec![std::path::PathBuf::from("/nonexistent/root.pem")];
        let settings = FetchSettings { extra_root_certificates: missing, ..Default::default() };
        assert!(matches!(Client::new(&settings), Err(Error::Setting { key: "extra_root_certificates", .. })));
    }
}
