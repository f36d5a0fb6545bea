//! Live streams: HTTP responses that never end, and the older ICY (SHOUTcast) ones, read chunk by chunk, their
//! metadata taken out, begun again when they break off.

use std::time::Duration;

use url::Url;

use super::body::Body;
use super::client::Client;
use super::error::{Error, shown};
use super::icy::{self, IcyBody, Metadata};
use super::opened::header_text;
use super::request::{Kind, Request};

/// Pauses before a stream is asked for again, in seconds; the last one again and again.
const PAUSES_S: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// A live stream that is open.
pub struct Live {
    from: From,
    metadata: Option<Metadata>,
    /// Where it came from, after redirects.
    pub final_url: Url,
    /// The Content-Type, as sent.
    pub content_type: Option<String>,
    /// The response said how long it is: a file, which ends when it has ended.
    pub has_length: bool,
}

enum From {
    Http(Box<Body>),
    Icy(IcyBody),
}

impl Client {
    /// Opens a live stream: as any media, but without an end, and with ICY metadata asked for, so that a server that
    /// cannot do without says where it stands. Servers that answer `ICY 200 OK` are read by a reader of our own,
    /// behind the same guard; these are not sent a site's headers and cookies.
    ///
    /// # Errors
    /// [`Error`] when no answer comes or it is no success.
    pub async fn open_live(&self, url: &Url) -> Result<Live, Error> {
        let opened = match self.open(Request::new(url.clone(), Kind::Live)).await {
            Err(Error::Broken { bytes: 0, .. }) if url.scheme() == "http" && self.proxy.is_none() => {
                return icy::open(self, url).await;
            }
            other => other?.successful()?,
        };
        let metadata = header_text(&opened.headers, "icy-metaint").and_then(|text| Metadata::every(&text));
        let has_length = opened.headers.contains_key("content-length") && metadata.is_none();
        Ok(Live {
            metadata,
            content_type: opened.content_type(),
            final_url: opened.final_url,
            has_length,
            from: From::Http(Box::new(opened.body)),
        })
    }
}

impl Live {
    pub(super) const fn icy(
        body: IcyBody,
        metadata: Option<Metadata>,
        url: Url,
        content_type: Option<String>,
    ) -> Self {
        Self { from: From::Icy(body), metadata, final_url: url, content_type, has_length: false }
    }

    /// Waits for more audio, at most for the time that a response may be silent; `None` at the end.
    ///
    /// # Errors
    /// [`Error`] when the stream breaks off or falls silent.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let chunk = match &mut self.from {
                From::Http(body) => body.chunk().await?,
                From::Icy(body) => body.chunk().await?,
            };
            let Some(chunk) = chunk else { return Ok(None) };
            let audio = match &mut self.metadata {
                Some(metadata) => metadata.strip(&chunk),
                None => chunk,
            };
            if !audio.is_empty() {
                return Ok(Some(audio));
            }
        }
    }
}

/// Why following a stream came to an end.
#[derive(Debug)]
pub enum Followed {
    /// The receiver wanted no more.
    Enough,
    /// It said how long it is, and that was all.
    Whole,
    /// It broke off, and was not to be had again.
    Lost(Error),
    /// It ended, and was to be had again no more than asked for.
    Ended,
}

/// What is told while a stream is followed.
#[derive(Debug)]
pub enum Progress<'a> {
    /// It is open.
    Opened(&'a Live),
    /// It broke off (`None`: it ended); it is asked for again after so many seconds.
    Again(Option<&'a Error>, u64),
}

/// Follows a live stream: hands each chunk of audio to `give`, which returns whether more is wanted, and opens it
/// again, up to `retries` times in a row without audio, when it breaks off. `give` may block for as long as the
/// receiver is busy, so this wants a thread of its own.
///
/// # Errors
/// [`Error`] when the stream cannot be opened at all.
pub async fn follow(
    client: &Client,
    url: &Url,
    retries: u32,
    tell: &mut (dyn FnMut(Progress<'_>) -> bool + Send),
    give: &mut (dyn FnMut(Vec<u8>) -> bool + Send),
) -> Result<Followed, Error> {
    let mut failures = 0;
    let mut has_begun = false;
    loop {
        let trouble = match client.open_live(url).await {
            Ok(mut live) => {
                if !tell(Progress::Opened(&live)) {
                    return Ok(Followed::Enough);
                }
                let (heard, result) = pass_on(&mut live, give).await;
                has_begun |= heard;
                failures = if heard { 0 } else { failures };
                match result {
                    Ok(true) => return Ok(Followed::Enough),
                    Ok(false) if live.has_length => return Ok(Followed::Whole),
                    Ok(false) => None,
                    Err(error) => Some(error),
                }
            }
            Err(error) if !has_begun => return Err(error),
            Err(error) => Some(error),
        };
        if failures >= retries || trouble.as_ref().is_some_and(is_final) {
            return Ok(trouble.map_or(Followed::Ended, Followed::Lost));
        }
        let pause_s = PAUSES_S[(failures as usize).min(PAUSES_S.len() - 1)];
        failures += 1;
        if !tell(Progress::Again(trouble.as_ref(), pause_s)) {
            return Ok(Followed::Enough);
        }
        tokio::time::sleep(Duration::from_secs(pause_s)).await;
    }
}

/// Passes chunks on to the end: whether any came, and whether the receiver has had enough.
async fn pass_on(
    live: &mut Live,
    give: &mut (dyn FnMut(Vec<u8>) -> bool + Send),
) -> (bool, Result<bool, Error>) {
    let mut heard = false;
    loop {
        match live.chunk().await {
            Ok(Some(chunk)) => {
                heard = true;
                if !give(chunk) {
                    return (heard, Ok(true));
                }
            }
            Ok(None) => return (heard, Ok(false)),
            Err(error) => return (heard, Err(error)),
        }
    }
}

/// Whether asking again is of no use.
fn is_final(error: &Error) -> bool {
    match error {
        Error::NotPublic { .. } | Error::Url { .. } | Error::Setting { .. } | Error::BadRedirect { .. } => {
            true
        }
        Error::Status { status, .. } => (400..500).contains(status) && !matches!(status, 408 | 425 | 429),
        _ => false,
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("url", &shown(&self.final_url)).finish_non_exhaustive()
    }
}
