//! Reading a body within its limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use url::Url;

use super::error::{Deadline, Error, shown};
use super::inflate::{Inflater, Out};
use super::limits::Limits;
use super::meter::{Allowance, Meter};
use super::request::{Kind, Request};
use super::trace::BodyRecord;
use super::walk::classify;
use crate::base::{Digest, Hasher};

/// How many times more bytes a body may have than came. HTML packs to a tenth, lists of addresses to a fiftieth; a
/// gzip bomb reaches 1,032, the other codings more.
const RATIO_MAX: u64 = 200;
/// Bytes up to which the ratio does not matter: a page of blanks is short, and no bomb.
const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Bytes that are inflated at a time.
const INFLATE_BYTES: usize = 64 << 10;

/// A response's body, not yet read. What is handed out, its length and its digest are always without content codings;
/// the caps hold for that and for what comes over the wire.
pub struct Body {
    url: Url,
    response: reqwest::Response,
    inflater: Option<Inflater>,
    /// Bytes that [`Body::peek`] has read and nobody has taken yet.
    ahead: Vec<u8>,
    /// Bytes on the wire.
    wire: u64,
    /// Bytes after codings were taken off.
    received: u64,
    /// The length that the head gave a piece, which the body must keep to.
    expected: Option<u64>,
    meter: Option<Arc<Meter>>,
    allowances: Vec<Arc<Allowance>>,
    record: Option<BodyRecord>,
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
    /// Whether that is the body to its end; [`Body::save_first`] may stop before.
    pub is_whole: bool,
}

impl Body {
    pub(super) fn new(
        url: Url,
        response: reqwest::Response,
        ends_at: Instant,
        limits: Limits,
        request: &Request,
        record: Option<BodyRecord>,
    ) -> Self {
        Self {
            url,
            response,
            inflater: None,
            ahead: Vec::new(),
            wire: 0,
            received: 0,
            expected: None,
            meter: request.meter.clone(),
            allowances: request.allowances.clone(),
            record,
            waited: Duration::ZERO,
            ends_at,
            limits,
            kind: request.kind,
            bytes_max: limits.bytes_max(request.kind),
        }
    }

    /// Takes codings off what comes from now on.
    pub(super) fn inflate(&mut self, inflater: Option<Inflater>) {
        self.inflater = inflater;
    }

    /// Holds the body to the length that its head promised.
    pub(super) fn expect(&mut self, length: u64) -> Result<(), Error> {
        self.expected = Some(length);
        match self.response.content_length() {
            Some(announced) if announced != length => {
                let reason = format!("Content-Range says {length} bytes, Content-Length {announced}");
                Err(Error::Piece { url: shown(&self.url), reason })
            }
            _ => Ok(()),
        }
    }

    /// Returns at least the first `count` bytes, or all where there are fewer, and leaves them to be read again.
    ///
    /// # Errors
    /// [`Error`] when the body breaks off, comes too slowly or exceeds its cap before that.
    pub async fn peek(&mut self, count: usize) -> Result<&[u8], Error> {
        while self.ahead.len() < count {
            let Some(chunk) = self.pull().await? else { break };
            self.ahead.extend_from_slice(&chunk);
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
        self.check_begun()?;
        let mut bytes = std::mem::take(&mut self.ahead);
        while let Some(chunk) = self.pull().await? {
            bytes.extend_from_slice(&chunk);
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
        self.pull().await
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
        Ok(Saved { bytes, sha256: hasher.finish(), is_whole: true })
    }

    /// Writes the first `count` bytes to `to`, or all where there are fewer, and drops the rest unread, which ends the
    /// transfer. For the whole that comes in answer to a range, however long it is.
    ///
    /// # Errors
    /// [`Error`] when it breaks off or comes too slowly before that, or cannot be written.
    pub async fn save_first(
        mut self,
        count: u64,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Saved, Error> {
        self.bytes_max = u64::MAX;
        let (mut hasher, mut bytes, mut is_whole) = (Hasher::new(), 0_u64, false);
        while bytes < count {
            let Some(mut chunk) = self.chunk().await? else {
                is_whole = true;
                break;
            };
            let wanted = usize::try_from(count - bytes).unwrap_or(usize::MAX);
            chunk.truncate(wanted);
            bytes += chunk.len() as u64;
            hasher.update(&chunk);
            to.write_all(&chunk).await.map_err(|error| self.write_error(&error))?;
        }
        to.flush().await.map_err(|error| self.write_error(&error))?;
        Ok(Saved { bytes, sha256: hasher.finish(), is_whole })
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
        self.check_begun()?;
        let ahead = std::mem::take(&mut self.ahead);
        hasher.update(&ahead);
        to.write_all(&ahead).await.map_err(|error| self.write_error(&error))?;
        while let Some(chunk) = self.pull().await? {
            hasher.update(&chunk);
            to.write_all(&chunk).await.map_err(|error| self.write_error(&error))?;
        }
        to.flush().await.map_err(|error| self.write_error(&error))?;
        Ok(self.received)
    }

    fn write_error(&self, error: &std::io::Error) -> Error {
        Error::Write { url: shown(&self.url), reason: error.to_string() }
    }

    /// Checks what is known before more is read: a length that is announced and too long need not be fetched to be
    /// refused.
    fn check_begun(&mut self) -> Result<(), Error> {
        let announced = self.response.content_length().unwrap_or(0);
        let checked = self.check_size(announced.max(self.ahead.len() as u64));
        self.noted(checked)
    }

    /// Enters into the record why the body breaks off.
    fn noted<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if let (Err(error), Some(record)) = (&result, &mut self.record) {
            record.breaks(error);
        }
        result
    }

    fn check_size(&self, bytes: u64) -> Result<(), Error> {
        if bytes <= self.bytes_max {
            return Ok(());
        }
        let setting = match self.kind {
            Kind::Media | Kind::Live => "fetch.media_bytes_max",
            Kind::Page | Kind::Playlist | Kind::Robots => "fetch.page_bytes_max",
            Kind::Sitemap => "the sitemap protocol",
            Kind::Stamp => "what a time-stamp may have",
            Kind::Receipt => "what a receipt may have",
        };
        Err(Error::TooLarge { url: shown(&self.url), bytes_max: self.limits.bytes_max(self.kind), setting })
    }

    /// Waits for the next piece without codings, under all limits.
    async fn pull(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let pulled = self.pull_plain().await;
        self.noted(pulled)
    }

    async fn pull_plain(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let piece = loop {
            let Some(inflater) = &mut self.inflater else { break self.pull_wire().await? };
            let mut out = vec![0; INFLATE_BYTES];
            match inflater.step(&mut out).map_err(|reason| self.inflate_error(reason))? {
                Out::Bytes(count) => {
                    out.truncate(count);
                    break Some(out);
                }
                Out::End => break None,
                Out::Hungry => {}
            }
            let wire = self.pull_wire().await?;
            match (&mut self.inflater, wire) {
                (Some(inflater), Some(bytes)) => inflater.feed(bytes),
                (Some(inflater), None) => inflater.end(),
                (None, _) => {}
            }
        };
        if let Some(piece) = &piece {
            self.count(piece.len() as u64)?;
        }
        Ok(piece)
    }

    /// Counts what is handed out.
    fn count(&mut self, bytes: u64) -> Result<(), Error> {
        self.received = self.received.saturating_add(bytes);
        if let Some(meter) = &self.meter {
            meter.count_inflated(bytes);
        }
        self.check_size(self.received)?;
        if self.received > RATIO_FREE_BYTES && self.received / RATIO_MAX > self.wire {
            let (wire, received) = (self.wire, self.received);
            return Err(self.inflate_error(format!(
                "{wire} bytes have made {received} so far, more than {RATIO_MAX} times as many: a trap"
            )));
        }
        Ok(())
    }

    fn inflate_error(&self, reason: String) -> Error {
        Error::Inflate { url: shown(&self.url), reason }
    }

    /// Waits for the next piece as it comes, under the limits of the wire; `None` at the end.
    async fn pull_wire(&mut self) -> Result<Option<Vec<u8>>, Error> {
        // Later on, that nothing is left shows only when more comes: the body may just have ended.
        if self.wire == 0 {
            self.check_budgets()?;
        }
        if let Some(record) = &mut self.record {
            record.asks();
        }
        let began = Instant::now();
        let read_until = began + self.limits.read_timeout;
        let until = read_until.min(self.ends_at);
        // A server that is never late, with frames of no bytes for ever, must still come to an end.
        if began >= self.ends_at {
            return Err(self.timeout(Deadline::Total, self.limits.total_of(self.kind)));
        }
        let chunk = match tokio::time::timeout_at(until, self.response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return Err(classify(&error, &self.url, Some(self.wire))),
            Err(_) if until == read_until => {
                return Err(self.timeout(Deadline::Read, self.limits.read_timeout));
            }
            Err(_) => return Err(self.timeout(Deadline::Total, self.limits.total_of(self.kind))),
        };
        self.waited += began.elapsed();
        let Some(chunk) = chunk else {
            self.check_whole()?;
            if let Some(record) = &mut self.record {
                record.ends();
            }
            return Ok(None);
        };
        let bytes = chunk.len() as u64;
        if let Some(record) = &mut self.record {
            record.comes(&chunk);
        }
        self.wire = self.wire.saturating_add(bytes);
        if let Some(meter) = &self.meter {
            meter.count_wire(bytes);
        }
        let mut is_enough = true;
        for allowance in &self.allowances {
            is_enough &= allowance.take(bytes);
        }
        if !is_enough {
            self.check_budgets()?;
        }
        self.check_size(self.wire)?;
        self.check_rate()?;
        if self.expected.is_some_and(|expected| self.wire > expected) {
            return Err(self.wrong_length("more"));
        }
        Ok(Some(chunk.into()))
    }

    /// Ends the body where a budget is used up.
    fn check_budgets(&self) -> Result<(), Error> {
        match self.allowances.iter().find(|allowance| allowance.left() == 0) {
            None => Ok(()),
            Some(empty) => {
                let (url, whose) = (shown(&self.url), empty.whose().to_owned());
                Err(Error::Budget { url, whose, bytes: self.wire })
            }
        }
    }

    fn check_whole(&self) -> Result<(), Error> {
        match self.expected {
            Some(expected) if self.wire < expected => Err(self.wrong_length("fewer")),
            _ => Ok(()),
        }
    }

    fn wrong_length(&self, than: &str) -> Error {
        let expected = self.expected.unwrap_or(0);
        let reason = format!("{than} bytes came than the {expected} that its Content-Range says");
        Error::Piece { url: shown(&self.url), reason }
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
        if self.wire >= floor.saturating_mul(seconds) {
            return Ok(());
        }
        Err(Error::TooSlow { url: shown(&self.url), bytes: self.wire, seconds, floor })
    }
}
