//! The client: settings in, responses out.

use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::AsyncWrite;
use url::Url;

use super::error::Error;
use super::guard::Guard;
use super::limits::{Limits, seconds};
use super::lookup::{GuardedResolver, Lookup, System};
use super::opened::{MediaFetched, Opened, Response};
use super::request::Request;
use super::seen::Seen;
use super::site::{Scope, Site};
use super::tls;
use super::walk::{Step, Walk};
use crate::base::{Clock, SystemClock};
use crate::config::{FetchSettings, SiteFetchSettings};

/// Fetches within the limits of one set of settings. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) guard: Arc<Guard>,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) limits: Limits,
    pub(super) proxy: Option<Proxied>,
    pub(super) seen: Arc<Seen>,
    clock: Arc<dyn Clock>,
    pub(super) user_agent: HeaderValue,
    pub(super) site: Option<Arc<Site>>,
}

/// What of the proxy shows in the requests themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proxied {
    /// It is spoken to in HTTP, so that what is not encrypted is asked for by its whole URL.
    pub(super) is_http: bool,
    /// It is given a user and password.
    pub(super) has_secret: bool,
}

/// More response headers than this many bytes are refused (HTTP/2; hyper itself limits HTTP/1).
const HEADER_BYTES_MAX: u32 = 256 << 10;

impl Client {
    /// Makes a client that resolves names as the system does.
    ///
    /// # Errors
    /// [`Error::Setting`] when a setting cannot be used: a certificate file, the proxy, the user agent, an entry of
    /// `private_allowed`.
    pub fn new(settings: &FetchSettings) -> Result<Self, Error> {
        Self::with_resolver(settings, Arc::new(System))
    }

    /// Makes a client that resolves names by `lookup`. What it finds passes the same guard.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_resolver(settings: &FetchSettings, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        Self::with_clock(settings, lookup, Arc::new(SystemClock))
    }

    /// As [`Client::with_resolver`], with the clock that tells when exchanges were made.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_clock(
        settings: &FetchSettings,
        lookup: Arc<dyn Lookup>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        // Fails only where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(Guard::new(settings)?);
        let seen = Arc::new(Seen::new(Arc::clone(&clock)));
        let (http, proxy) = connections(settings, &guard, &lookup, &seen)?;
        let user_agent = user_agent(&settings.user_agent)?;
        let limits = Limits::new(settings);
        Ok(Self { http, guard, lookup, limits, proxy, seen, clock, user_agent, site: None })
    }

    /// Makes a client for one site: with its headers, cookies, proxy and user agent. Headers and cookies go to URLs
    /// for which `scope` holds and to no others, whatever redirects there.
    ///
    /// # Errors
    /// As [`Client::new`], and [`Error::Setting`] for a header that must not be set or a file of cookies that cannot
    /// be read. Lines of that file that are of no use are no error: see [`Client::site_problems`].
    pub fn for_site(settings: &FetchSettings, site: &SiteFetchSettings, scope: Scope) -> Result<Self, Error> {
        Self::new(settings)?.with_site(settings, site, scope)
    }

    /// Makes a client for one site from one for all, whose `settings` these are: shares its connections, unless the
    /// site has a proxy of its own. Cookies are shared among the clones of what comes out, not with anybody else.
    ///
    /// # Errors
    /// As [`Client::for_site`].
    pub fn with_site(
        &self,
        settings: &FetchSettings,
        site: &SiteFetchSettings,
        scope: Scope,
    ) -> Result<Self, Error> {
        let mut client = self.clone();
        if let Some(name) = &site.user_agent {
            client.user_agent = user_agent(name)?;
        }
        if site.proxy.is_some() {
            let settings = FetchSettings { proxy: site.proxy.clone(), ..settings.clone() };
            client.seen = Arc::new(Seen::new(Arc::clone(&self.clock)));
            (client.http, client.proxy) = connections(&settings, &self.guard, &self.lookup, &client.seen)?;
        }
        client.site = Some(Arc::new(Site::new(site, scope)?));
        Ok(client)
    }

    /// Returns what was wrong with lines of the site's file of cookies, each with file and line; bounded in number.
    #[must_use]
    pub fn site_problems(&self) -> &[String] {
        self.site.as_ref().map_or(&[], |site| &site.problems)
    }

    /// Returns the longest media file that is read, in bytes.
    #[must_use]
    pub const fn media_bytes_max(&self) -> u64 {
        self.limits.media_bytes_max
    }

    /// Returns the longest page that is read, in bytes.
    #[must_use]
    pub const fn page_bytes_max(&self) -> u64 {
        self.limits.page_bytes_max
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
        let Opened { final_url, status, headers, peer, hops, body, .. } = self.open(request).await?;
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
    pub(super) fn hop_request(
        &self,
        request: &Request,
        url: &Url,
        is_downgrade: bool,
    ) -> reqwest::RequestBuilder {
        let mut headers = request.headers(url);
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(site) = &self.site {
            site.add_to(url, is_downgrade, &mut headers);
        }
        match &request.upload {
            None => self.http.get(url.clone()),
            Some(upload) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(upload.content_type));
                self.http.post(url.clone()).body(upload.body.clone())
            }
        }
        .headers(headers)
    }
}

fn user_agent(name: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(name).map_err(|_| Error::Setting {
        key: "user_agent",
        reason: "holds characters no header may hold".to_owned(),
    })
}

/// What opens and keeps connections, and what is to be known of the proxy between.
fn connections(
    settings: &FetchSettings,
    guard: &Guard,
    lookup: &Arc<dyn Lookup>,
    seen: &Arc<Seen>,
) -> Result<(reqwest::Client, Option<Proxied>), Error> {
    let wrong = |reason: String| Error::Setting { key: "extra_root_certificates", reason };
    let tls = tls::config(&read_certificates(settings)?, seen).map_err(|error| wrong(error.to_string()))?;
    let mut guard = guard.clone();
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .tls_info(true)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(seconds(settings.connect_timeout_s))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .pool_max_idle_per_host(4)
        .no_proxy();
    let (builder, proxied) = match &settings.proxy {
        None => (builder, None),
        Some(text) => {
            let url = proxy_url(text)?;
            // The operator of this machine chose the proxy; it is mostly a private address.
            guard.allow_name(url.host_str().unwrap_or_default());
            let proxied = Proxied {
                is_http: matches!(url.scheme(), "http" | "https"),
                has_secret: !url.username().is_empty() || url.password().is_some(),
            };
            let proxy = reqwest::Proxy::all(url)
                .map_err(|error| Error::Setting { key: "proxy", reason: deepest(&error) })?;
            (builder.proxy(proxy), Some(proxied))
        }
    };
    let resolver = GuardedResolver { lookup: Arc::clone(lookup), guard, seen: Arc::clone(seen) };
    let http = builder.dns_resolver(Arc::new(resolver)).build().map_err(|error| wrong(deepest(&error)))?;
    Ok((http, proxied))
}

/// Reads the URL of a proxy. Errors do not repeat it, since it may hold a password.
fn proxy_url(text: &str) -> Result<Url, Error> {
    let wrong = |reason: String| Error::Setting { key: "proxy", reason };
    let url = Url::parse(text).map_err(|error| wrong(format!("not a URL ({error})")))?;
    match url.scheme() {
        "http" | "https" | "socks5" | "socks5h" if url.has_host() => Ok(url),
        scheme => Err(wrong(format!("`{scheme}` is no kind of proxy; use http, https, socks5 or socks5h"))),
    }
}

fn read_certificates(settings: &FetchSettings) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut certificates = Vec::new();
    for path in &settings.extra_root_certificates {
        let wrong = |reason: String| Error::Setting {
            key: "extra_root_certificates",
            reason: format!("{}: {reason}", path.display()),
        };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let mut found = found.map_err(|error| wrong(error.to_string()))?;
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
    fn wrong_settings_are_named() {
        let settings = FetchSettings { proxy: Some("not a url".to_owned()), ..Default::default() };
        assert!(matches!(Client::new(&settings), Err(Error::Setting { key: "proxy", .. })));
        for proxy in ["http://me:hidden@[bad", "ftp://me:hidden@proxy.example", "me:hidden@proxy.example:80"]
        {
            let settings = FetchSettings { proxy: Some(proxy.to_owned()), ..Default::default() };
            let error = Client::new(&settings).err().unwrap().to_string();
            assert!(error.starts_with("fetch.proxy: ") && !error.contains("hidden"), "{error}");
        }
        let missing = vec![std::path::PathBuf::from("/nonexistent/root.pem")];
        let settings = FetchSettings { extra_root_certificates: missing, ..Default::default() };
        assert!(matches!(Client::new(&settings), Err(Error::Setting { key: "extra_root_certificates", .. })));
    }
}
