//! One request with its redirects, hop by hop.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::client::{Client, Opened, Request, deepest, header_text};
use super::error::{Deadline, Error, shown};
use super::guard::{NoAddress, NotPublic};

/// The pause before a request whose connection failed is sent once more.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

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
        let (response, ends_at) = match self.send(total).await {
            Ok(response) => response,
            Err(error) if error.may_be_transient() => {
                tokio::time::sleep(RETRY_PAUSE).await;
                self.send(total).await?
            }
            Err(error) => return Err(error),
        };
        let status = response.status().as_u16();
        let peer = response.remote_addr().map(|address| address.to_string());
        self.hops.push(Hop { url: shown(&self.url), status, peer: peer.clone() });
        if let Some(location) = redirect_target(&response) {
            self.turn_to(&location)?;
            return Ok(Step::Redirect);
        }
        let headers = response.headers().clone();
        let final_url = self.url.clone();
        let body = self.client.body(final_url.clone(), response, self.request.kind, ends_at);
        let hops = self.hops.clone();
        Ok(Step::Answer(Box::new(Opened { final_url, status, headers, peer, hops, body })))
    }

    /// Sends the request and waits for the head of its answer; also gives when the body must have ended.
    async fn send(&self, total: Duration) -> Result<(reqwest::Response, Instant), Error> {
        let limits = &self.client.limits;
        let ends_at = Instant::now() + total;
        let head_timeout = total.min(limits.connect_timeout + limits.read_timeout);
        let sending = self.client.hop_request(&self.request, &self.url).send();
        match tokio::time::timeout(head_timeout, sending).await {
            Ok(Ok(response)) => Ok((response, ends_at)),
            Ok(Err(error)) => Err(self.send_error(&error)),
            Err(_) => {
                let (url, seconds) = (shown(&self.url), head_timeout.as_secs());
                Err(Error::Timeout { url, deadline: Deadline::Read, seconds })
            }
        }
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
        if let Some(NotPublic(address)) = current.downcast_ref() {
            return Error::NotPublic { url, address: address.to_string() };
        }
        if let Some(NoAddress(reason)) = current.downcast_ref() {
            return Error::Resolve { url, reason: reason.clone() };
        }
        if let Some(tls) = current.downcast_ref::<rustls::Error>()
            && received.is_none()
        {
            return Error::Tls { url, reason: tls.to_string() };
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
