//! Asking an authority over HTTP (RFC 3161, section 3.4).

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::Error;
use super::request::{NONCE_BYTES, request};
use super::verify::{Stamped, verify_answer};
use crate::base::Digest;
use crate::net::{self, Client, Kind, Request, Upload};

/// How often an authority is asked, and with which pauses.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How often it is asked at most; 0 counts as 1.
    pub tries: u32,
    /// The first pause; each further one is twice as long, up to a minute. A pause that the authority asks for
    /// (`Retry-After`) is kept where it is longer, up to a minute likewise.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { tries: 4, pause: Duration::from_secs(2) }
    }
}

const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A time-stamp as it came, verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The response in DER: what is kept as `.tsr`, and what `openssl ts -verify -in` takes.
    pub response: Vec<u8>,
    /// What it says.
    pub stamped: Stamped,
}

/// Asks the authority at `url` for a time-stamp of `digest`, and verifies what comes against `roots` (certificates in
/// DER), with its nonce. Asks again, with another nonce, where connection or server failed in a way that may pass.
///
/// # Errors
/// [`Error`] of the last try: [`Error::NoRoots`] before any, [`Error::Network`] where no answer came, and what
/// [`super::verify()`] finds wrong with one.
pub async fn obtain(
    client: &Client,
    url: &Url,
    digest: &Digest,
    roots: &[Vec<u8>],
    patience: Patience,
) -> Result<Token, Error> {
    if roots.is_empty() {
        return Err(Error::NoRoots);
    }
    let mut pause = patience.pause;
    let mut left = patience.tries.max(1);
    loop {
        left -= 1;
        match once(client, url, digest, roots).await {
            Err(error) if left > 0 && error.may_pass() => {
                tokio::time::sleep(pause.max(asked_for(&error)).min(PAUSE_MAX)).await;
                pause = pause.saturating_mul(2);
            }
            other => return other,
        }
    }
}

/// The pause that a server asks for, where it says it in seconds.
fn asked_for(error: &Error) -> Duration {
    let Error::Network(net::Error::Status { retry_after: Some(text), .. }) = error else {
        return Duration::ZERO;
    };
    text.trim().parse().map_or(Duration::ZERO, Duration::from_secs)
}

async fn once(client: &Client, url: &Url, digest: &Digest, roots: &[Vec<u8>]) -> Result<Token, Error> {
    let mut nonce = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut nonce).map_err(|_| Error::Random)?;
    let (content_type, body) = ("application/timestamp-query", request(digest, nonce)?);
    let upload = Upload { content_type, body, headers: Vec::new() };
    let mut asked = Request::new(url.clone(), Kind::Stamp);
    asked.upload = Some(upload.into());
    let opened = client.open(asked).await?.successful()?;
    let content_type = opened.content_type().unwrap_or_default();
    let response = opened.body.collect().await?;
    match verify_answer(&response, digest, Some(nonce), roots) {
        Ok(stamped) => Ok(Token { response, stamped }),
        // Some authorities say the wrong type of a good token; a page that says it is a page explains more than its bytes.
        Err(Error::Malformed { .. }) if !is_stamp(&content_type) => {
            let content_type = crate::base::inert(&content_type.chars().take(100).collect::<String>());
            Err(Error::ContentType { url: net::shown(url), content_type })
        }
        Err(error) => Err(error),
    }
}

fn is_stamp(content_type: &str) -> bool {
    content_type.trim().to_ascii_lowercase().starts_with("application/timestamp-reply")
}
