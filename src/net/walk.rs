//! One request with its redirects, hop by hop.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::body::Body;
use super::client::{Client, deepest};
use super::error::{Deadline, Error, shown};
use super::exchange::{Exchange, Truncated};
use super::heads::{self, Sent};
use super::inflate::{self, Inflater};
use super::lookup::Refused;
use super::opened::{Opened, header_text};
use super::range;
use super::request::Request;
use super::trace::BodyRecord;
use crate::base::{Digest, Timestamp};

/// The pause before a request whose connection failed is sent once more.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The longest address that a redirect is followed to; no server of ours or theirs takes longer ones.
const LOCATION_BYTES_MAX: usize = 8192;

/// One answer on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// What was asked for.
    pub url: String,
    /// The HTTP status that came back.
    pub status: u16,
    /// The address that answered, with its port.
    pub peer: Option<String>,
}

/// What one hop came to.
pub enum Step {
    /// A redirect; [`Walk::url`] is where it leads, and [`Walk::step`] goes there.
    Redirect,
    /// The final answer.
    Answer(Box<Opened>),
}

/// A request that was answered.
struct Answered {
    response: reqwest::Response,
    /// When the body must have ended.
    ends_at: Instant,
    /// When it was sent, and its head, where it is recorded.
    asked: Option<(Timestamp, String)>,
}

/// One request with its redirects.
pub struct Walk<'c> {
    client: &'c Client,
    request: Request,
    url: Url,
    visited: HashSet<Url>,
    hops: Vec<Hop>,
}

impl<'c> Walk<'c> {
    pub(super) fn new(client: &'c Client, request: Request) -> Self {
        let url = request.url.clone();
        Self { client, request, url, visited: HashSet::new(), hops: Vec::new() }
    }

    /// Returns what the next step asks for.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the answers so far.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// Asks for [`Walk::url`]; once more after a short pause where the connection failed before any answer.
    ///
    /// # Errors
    /// [`Error`] when the guard refuses the URL, no answer comes, or a redirect leads nowhere or in a loop.
    pub async fn step(&mut self) -> Result<Step, Error> {
        self.client.guard.check_url(&self.url)?;
        self.visited.insert(self.url.clone());
        let total = self.client.limits.total_of(self.request.kind);
        let Answered { response, ends_at, asked } = match self.send(total).await {
            Ok(answered) => answered,
            Err(error) if error.may_be_transient() => {
                tokio::time::sleep(RETRY_PAUSE).await;
                self.send(total).await?
            }
            Err(error) => return Err(error),
        };
        let status = response.status().as_u16();
        let peer = response.remote_addr().map(|address| address.to_string());
        self.hops.push(Hop { url: shown(&self.url), status, peer: peer.clone() });
        if let Some(site) = &self.client.site {
            site.keep_cookies(&self.url, response.headers());
        }
        if let (Some(trace), Some(asked)) = (&self.request.trace, asked) {
            trace.push(self.exchange(&response, peer.clone(), asked));
        }
        let follows = self.request.upload.is_none();
        if let Some(location) = redirect_target(&response).filter(|_| follows) {
            self.turn_to(&location)?;
            return Ok(Step::Redirect);
        }
        Ok(Step::Answer(Box::new(self.answer(response, peer, ends_at)?)))
    }

    /// Checks that the final answer is one to what was asked.
    fn answer(
        &self,
        response: reqwest::Response,
        peer: Option<String>,
        ends_at: Instant,
    ) -> Result<Opened, Error> {
        let (headers, final_url) = (response.headers().clone(), self.url.clone());
        let status = response.status().as_u16();
        let wrong_piece = |reason: String| Error::Piece { url: shown(&final_url), reason };
        let codings = match inflate::codings(&headers) {
            Err(reason) if (200..300).contains(&status) => {
                return Err(Error::Inflate { url: shown(&final_url), reason });
            }
            other => other.unwrap_or_default(),
        };
        let piece = match status {
            206 if !codings.is_empty() => {
                return Err(wrong_piece(
                    "it is a piece of a compressed file, which alone is of no use".to_owned(),
                ));
            }
            206 => Some(range::check(self.request.range, &headers).map_err(wrong_piece)?),
            _ => None,
        };
        let record =
            self.request.trace.clone().map(|trace| BodyRecord::new(trace, response.content_length()));
        let mut body =
            Body::new(final_url.clone(), response, ends_at, self.client.limits, &self.request, record);
        body.inflate(Inflater::new(&codings));
        if let Some(piece) = piece {
            body.expect(piece.len())?;
        }
        let was_conditional = self.request.is_conditional(&final_url);
        let hops = self.hops.clone();
        let opened = Opened { final_url, status, headers, peer, hops, body, piece, was_conditional, codings };
        if let (Some(version), 200 | 206) = (&self.request.version, status) {
            version
                .check(&opened.version())
                .map_err(|reason| Error::Changed { url: shown(&opened.final_url), reason })?;
        }
        Ok(opened)
    }

    /// What is recorded of an answer whose body is still to be read. That of a redirect never is.
    fn exchange(
        &self,
        response: &reqwest::Response,
        peer: Option<String>,
        (asked_at, request_head): (Timestamp, String),
    ) -> Exchange {
        let (client, url) = (self.client, &self.url);
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().map(AsRef::as_ref);
        let hides_cookies = client.site.as_ref().is_some_and(|site| site.is_own(url));
        let is_empty = response.content_length() == Some(0);
        Exchange {
            url: heads::without_credentials(url),
            asked_at,
            answered_at: client.seen.now(),
            http: http_name(response.version()).to_owned(),
            request_head,
            response_head: heads::of_answer(response.status(), reason, response.headers(), hides_cookies),
            status: response.status().as_u16(),
            peer,
            via_proxy: client.proxy.is_some(),
            dns: url.domain().and_then(|name| client.seen.answer(name)),
            tls: response.extensions().get::<reqwest::tls::TlsInfo>().map(|info| client.seen.tls(info)),
            body_sha256: is_empty.then(|| Digest::of(b"")),
            body_bytes: 0,
            truncated: (!is_empty).then_some(Truncated::Unspecified),
        }
    }

    /// Sends the request and waits for the head of its answer.
    async fn send(&self, total: Duration) -> Result<Answered, Error> {
        let limits = &self.client.limits;
        let ends_at = Instant::now() + total;
        let head_timeout = total.min(limits.connect_timeout + limits.read_timeout);
        let request = self.client.hop_request(&self.request, &self.url, self.is_downgrade());
        let request = request.build().map_err(|error| self.send_error(&error))?;
        let asked =
            self.request.trace.as_ref().map(|_| (self.client.seen.now(), self.request_head(&request)));
        match tokio::time::timeout(head_timeout, self.client.http.execute(request)).await {
            Ok(Ok(response)) => Ok(Answered { response, ends_at, asked }),
            Ok(Err(error)) => Err(self.send_error(&error)),
            Err(_) => {
                let (url, seconds) = (shown(&self.url), head_timeout.as_secs());
                Err(Error::Timeout { url, deadline: Deadline::Read, seconds })
            }
        }
    }

    fn request_head(&self, request: &reqwest::Request) -> String {
        let plain = self.client.proxy.filter(|proxy| proxy.is_http && request.url().scheme() == "http");
        let has_proxy_secret = plain.is_some_and(|proxy| proxy.has_secret);
        let sent = Sent { is_absolute: plain.is_some(), has_proxy_secret };
        heads::of_request(request.method(), request.url(), request.headers(), sent)
    }

    /// Whether the way led from an encrypted connection to one that is not.
    fn is_downgrade(&self) -> bool {
        self.url.scheme() == "http" && self.visited.iter().any(|url| url.scheme() == "https")
    }

    fn send_error(&self, error: &reqwest::Error) -> Error {
        if error.is_connect() && error.is_timeout() {
            let seconds = self.client.limits.connect_timeout.as_secs();
            return Error::Timeout { url: shown(&self.url), deadline: Deadline::Connect, seconds };
        }
        classify(error, &self.url, None)
    }

    fn turn_to(&mut self, location: &str) -> Result<(), Error> {
        let mut next = match self.url.join(location.trim()) {
            Ok(next) if next.has_host() => next,
            _ => {
                let location = location.chars().take(200).collect();
                return Err(Error::BadRedirect { url: shown(&self.url), location });
            }
        };
        if next.origin() != self.url.origin() {
            // Credentials belong to the origin they were given for. Fails only where there are none.
            let _ = next.set_password(None);
            let _ = next.set_username("");
        }
        next.set_fragment(None);
        if next.as_str().len() > LOCATION_BYTES_MAX {
            let location = location.chars().take(200).collect();
            return Err(Error::BadRedirect { url: shown(&self.url), location });
        }
        let first = || shown(&self.request.url);
        if self.visited.contains(&next) {
            return Err(Error::RedirectLoop { url: first(), again: shown(&next) });
        }
        let redirects_max = self.client.limits.redirects(self.request.kind);
        if self.hops.len() > redirects_max as usize {
            return Err(Error::TooManyRedirects { url: first(), redirects_max });
        }
        self.url = next;
        Ok(())
    }
}

const fn http_name(version: reqwest::Version) -> &'static str {
    match version {
        reqwest::Version::HTTP_09 => "HTTP/0.9",
        reqwest::Version::HTTP_10 => "HTTP/1.0",
        reqwest::Version::HTTP_2 => "HTTP/2",
        reqwest::Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

fn redirect_target(response: &reqwest::Response) -> Option<String> {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| header_text(response.headers(), "location"))
        .flatten()
}

/// Turns reqwest's error into ours: the chain holds what the guard, the resolver or the TLS library said.
pub(super) fn classify(error: &reqwest::Error, at: &Url, received: Option<u64>) -> Error {
    let url = shown(at);
    let mut link: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(current) = link {
        if let Some(refused) = current.downcast_ref::<Refused>() {
            return refused.of(at);
        }
        if let Some(tls) = current.downcast_ref::<rustls::Error>()
            && received.is_none()
        {
            return Error::Tls { url, reason: tls_reason(tls) };
        }
        // `io::Error` skips the error it wraps when asked for its source.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        link = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    let reason = deepest(error);
    if error.is_connect() {
        return Error::Connect { url, reason };
    }
    Error::Broken { url, bytes: received.unwrap_or(0), reason }
}

/// What the TLS library says, and, where it is the certificate, what that means.
fn tls_reason(error: &rustls::Error) -> String {
    use rustls::CertificateError as Fault;
    let rustls::Error::InvalidCertificate(fault) = error else { return error.to_string() };
    let meaning = match fault {
        Fault::Expired | Fault::ExpiredContext { .. } => "it has expired",
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "it is not valid yet",
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => "it is for another name",
        Fault::UnknownIssuer => "it is signed by itself or by an authority that is not trusted here",
        Fault::BadSignature => "it is not signed by the authority that it names",
        Fault::Revoked => "it has been revoked",
        _ => return error.to_string(),
    };
    format!("{error}: {meaning}")
}
