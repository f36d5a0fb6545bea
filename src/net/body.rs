//! Reading a body within its limits.

use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use url::Url;

use super::client::{Kind, Limits};
use super::error::{Deadline, Error, shown};
use super::walk::classify;
use crate::base::{Digest, Hasher};

/// A response's body, not yet read. Bytes are counted as they are handed out: after decompression.
pub struct Body {
    url: Url,
    response: reqwest::Response,
    /// Bytes that [`Body::peek`] has read and nobody has taken yet.
    ahead: Vec<u8>,
    received: u64,
    /// Time spent waiting for the server; the time our own side takes does not count against its rate.
    waited: Duration,
    ends_at: Instant,
    limits: Limits,
    kind: Kind,
    bytes_max: u64,
}

/// What [`Body::save`] has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Number of bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

impl Body {
    pub(super) fn new(
        url: Url,
        response: reqwest::Response,
        ends_at: Instant,
        limits: Limits,
        kind: Kind,
    ) -> Self {
        let (ahead, waited, bytes_max) = (Vec::new(), Duration::ZERO, limits.bytes_max(kind));
        Self { url, response, ahead, received: 0, waited, ends_at, limits, kind, bytes_max }
    }

    /// Returns at least the first `count` bytes, or all where there are fewer, and leaves them to be read again.
    ///
    /// # Errors
    /// [`Error`] when the body breaks off, comes too slowly or exceeds its cap before that.
    pub async fn peek(&mut self, count: usize) -> Result<&[u8], Error> {
        while self.ahead.len() < count {
            let Some(chunk) = self.pull().await? else { break };
            self.ahead.extend_from_slice(chunk.as_ref());
        }
        Ok(&self.ahead)
    }

    /// Takes the limits of another kind, for callers that learn only from the head what the body is.
    pub fn treat_as(&mut self, kind: Kind) {
        let earlier = self.limits.total_of(self.kind);
        self.ends_at = self.ends_at - earlier + self.limits.total_of(kind);
        self.bytes_max = self.limits.bytes_max(kind);
        self.kind = kind;
    }

    /// Lowers the cap by what came before: for objects that come in pieces and have one cap for all.
    pub const fn cap_left(&mut self, bytes_before: u64) {
        self.bytes_max = self.bytes_max.saturating_sub(bytes_before);
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// [`Error`] when it breaks off, comes too slowly or exceeds its cap.
    pub async fn collect(mut self) -> Result<Vec<u8>, Error> {
        self.check_size(self.ahead.len() as u64)?;
        self.check_announced()?;
        let mut bytes = std::mem::take(&mut self.ahead);
        while let Some(chunk) = self.pull().await? {
            bytes.extend_from_slice(chunk.as_ref());
        }
        Ok(bytes)
    }

    /// Reads the next piece, as it comes; `None` at the end.
    ///
    /// # Errors
    /// [`Error`] when the body breaks off, falls silent, comes too slowly or exceeds its cap.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        Ok(self.pull().await?.map(|chunk| chunk.as_ref().to_vec()))
    }

    /// Reads the first `count` bytes and drops the rest unread.
    ///
    /// # Errors
    /// [`Error`] when the body breaks off or comes too slowly before that.
    pub async fn collect_first(mut self, count: usize) -> Result<Vec<u8>, Error> {
        self.bytes_max = u64::MAX;
        self.peek(count).await?;
        let mut bytes = self.ahead;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Writes the whole body to `to`.
    ///
    /// # Errors
    /// [`Error`] when it breaks off, comes too slowly, exceeds its cap or cannot be written.
    pub async fn save(self, to: &mut (impl AsyncWrite + Unpin)) -> Result<Saved, Error> {
        let mut hasher = Hasher::new();
        let bytes = self.append(to, &mut hasher).await?;
        Ok(Saved { bytes, sha256: hasher.finish() })
    }

    /// Writes the whole body to `to`, adds it to `hasher` and returns its length: for objects that come in pieces.
    ///
    /// # Errors
    /// As [`Body::save`].
    pub async fn append(
        mut self,
        to: &mut (impl AsyncWrite + Unpin),
        hasher: &mut Hasher,
    ) -> Result<u64, Error> {
        self.check_size(self.ahead.len() as u64)?;
        self.check_announced()?;
        let write_error =
            |url: &Url, error: std::io::Error| Error::Write { url: shown(url), reason: error.to_string() };
        let ahead = std::mem::take(&mut self.ahead);
        hasher.update(&ahead);
        to.write_all(&ahead).await.map_err(|error| write_error(&self.url, error))?;
        while let Some(chunk) = self.pull().await? {
            hasher.update(chunk.as_ref());
            to.write_all(chunk.as_ref()).await.map_err(|error| write_error(&self.url, error))?;
        }
        to.flush().await.map_err(|error| write_error(&self.url, error))?;
        Ok(self.received)
    }

    /// A length that is announced and too long need not be fetched to be refused.
    fn check_announced(&self) -> Result<(), Error> {
        self.response.content_length().map_or(Ok(()), |length| self.check_size(length))
    }

    fn check_size(&self, bytes: u64) -> Result<(), Error> {
        if bytes <= self.bytes_max {
            return Ok(());
        }
        let setting = match self.kind {
            Kind::Media | Kind::Live => "fetch.media_bytes_max",
            Kind::Page | Kind::Playlist | Kind::Robots => "fetch.page_bytes_max",
            Kind::Sitemap => "the sitemap protocol",
        };
        Err(Error::TooLarge { url: shown(&self.url), bytes_max: self.limits.bytes_max(self.kind), setting })
    }

    /// Waits for the next piece, under all limits.
    async fn pull(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Error> {
        let began = Instant::now();
        let read_until = began + self.limits.read_timeout;
        let until = read_until.min(self.ends_at);
        let chunk = match tokio::time::timeout_at(until, self.response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return Err(classify(&error, &self.url, Some(self.received))),
            Err(_) if until == read_until => {
                return Err(self.timeout(Deadline::Read, self.limits.read_timeout));
            }
            Err(_) => return Err(self.timeout(Deadline::Total, self.limits.total_of(self.kind))),
        };
        self.waited += began.elapsed();
        if let Some(chunk) = &chunk {
            self.received = self.received.saturating_add(chunk.len() as u64);
            self.check_size(self.received)?;
            self.check_rate()?;
        }
        Ok(chunk)
    }

    fn timeout(&self, deadline: Deadline, after: Duration) -> Error {
        Error::Timeout { url: shown(&self.url), deadline, seconds: after.as_secs() }
    }

    fn check_rate(&self) -> Result<(), Error> {
        let floor = self.limits.rate_min_bytes_per_s;
        // A live stream may be silent in its own codec's way; that it falls silent altogether is seen elsewhere.
        if self.kind == Kind::Live || self.waited < self.limits.rate_grace {
            return Ok(());
        }
        let seconds = self.waited.as_secs();
        if self.received >= floor.saturating_mul(seconds) {
            return Ok(());
        }
        Err(Error::TooSlow { url: shown(&self.url), bytes: self.received, seconds, floor })
    }
}
