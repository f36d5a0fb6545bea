//! Recording one request with its redirects, for the evidence: heads, the connection, and what came of the body.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::error::Error;
use super::exchange::{Exchange, Truncated};
use crate::base::{Digest, Hasher, lock};

/// Bytes of a body that are kept until somebody says how much of it is wanted: more than is looked at to tell what a body
/// is, so that whoever then wants it has missed nothing.
const UNDECIDED_BYTES_MAX: u64 = 1 << 20;

/// Records the exchanges of one request, one for each hop. What is recorded of the last one is whole once its
/// [`super::Body`] has been read or dropped.
#[derive(Debug)]
pub struct Trace {
    state: Mutex<State>,
    body_bytes_max: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    exchanges: Vec<Exchange>,
    body: Option<Vec<u8>>,
}

/// What was recorded of one request.
#[derive(Debug, Default)]
pub struct Recorded {
    /// One exchange for each hop, in order.
    pub exchanges: Vec<Exchange>,
    /// The bytes of the last one's body as they came, content codings still on: all that the exchange's digest is of.
    /// `None` where they were not wanted, or more than may be kept.
    pub body: Option<Vec<u8>>,
}

impl Default for Trace {
    fn default() -> Self {
        let body_bytes_max = AtomicU64::new(UNDECIDED_BYTES_MAX);
        Self { state: Mutex::default(), body_bytes_max }
    }
}

impl Trace {
    /// Starts a recording.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Says how many bytes of the body are wanted, whose digest and number are recorded in any case: 0 for one that is
    /// kept elsewhere. Of a body that turns out to be longer nothing is kept. To be called before more than the first
    /// MiB has been read.
    pub fn want_body(&self, bytes_max: u64) {
        self.body_bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    /// Returns what was recorded, and forgets it.
    #[must_use]
    pub fn take(&self) -> Recorded {
        let State { exchanges, body } = std::mem::take(&mut *self.lock());
        Recorded { exchanges, body }
    }

    pub(super) fn push(&self, exchange: Exchange) {
        self.lock().exchanges.push(exchange);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What is in there is whole whenever the lock is free.
        lock(&self.state)
    }
}

/// What comes of one body, entered into its trace when this is dropped.
pub(super) struct BodyRecord {
    trace: Arc<Trace>,
    /// The length that the head announces, where it does.
    announced: Option<u64>,
    hasher: Hasher,
    bytes: u64,
    kept: Option<Vec<u8>>,
    is_asked: bool,
    has_ended: bool,
    broken_by: Option<Truncated>,
}

impl BodyRecord {
    pub(super) fn new(trace: Arc<Trace>, announced: Option<u64>) -> Self {
        Self {
            trace,
            announced,
            hasher: Hasher::new(),
            bytes: 0,
            kept: Some(Vec::new()),
            is_asked: false,
            has_ended: false,
            broken_by: None,
        }
    }

    /// Somebody waits for bytes.
    pub(super) const fn asks(&mut self) {
        self.is_asked = true;
    }

    /// Bytes came over the wire.
    pub(super) fn comes(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        let fits = self.bytes <= self.trace.body_bytes_max.load(Ordering::Relaxed);
        match &mut self.kept {
            Some(kept) if fits => kept.extend_from_slice(bytes),
            kept => *kept = None,
        }
    }

    /// The body has ended.
    pub(super) const fn ends(&mut self) {
        self.has_ended = true;
    }

    /// The body was given up.
    pub(super) const fn breaks(&mut self, error: &Error) {
        self.broken_by = Some(match error {
            Error::TooLarge { .. } | Error::Budget { .. } => Truncated::Length,
            Error::Timeout { .. } | Error::TooSlow { .. } => Truncated::Time,
            Error::Broken { .. } => Truncated::Disconnect,
            _ => Truncated::Unspecified,
        });
    }

    fn truncated(&self) -> Option<Truncated> {
        if self.has_ended || self.announced == Some(self.bytes) {
            return None;
        }
        Some(self.broken_by.unwrap_or(Truncated::Unspecified))
    }
}

impl Drop for BodyRecord {
    fn drop(&mut self) {
        let truncated = self.truncated();
        let is_known = self.is_asked || truncated.is_none();
        let sha256: Option<Digest> = is_known.then(|| std::mem::take(&mut self.hasher).finish());
        let wanted = self.trace.body_bytes_max.load(Ordering::Relaxed) > 0;
        let mut state = self.trace.lock();
        state.body = self.kept.take().filter(|_| wanted && is_known);
        if let Some(exchange) = state.exchanges.last_mut() {
            (exchange.body_sha256, exchange.body_bytes) = (sha256, self.bytes);
            exchange.truncated = truncated;
        }
    }
}
