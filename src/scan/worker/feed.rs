//! Bytes that come in time, from a pipe or the network, on their way into a worker.

use crate::base::lock;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Chunks under way between whoever reads and the worker: back-pressure beyond.
const CHUNKS: usize = 8;
/// Bytes of a chunk that is read from a pipe.
const CHUNK_BYTES: usize = 64 * 1024;
/// How often a feed that gets nothing looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes that are kept until the worker says that it can use them: what a prober may ask for and more.
const OPENING_BYTES_MAX: usize = 16 << 20;

/// The end that bytes are put into. Dropping it ends the stream.
#[derive(Clone)]
pub struct FeedSender {
    chunks: SyncSender<Vec<u8>>,
    stop: Arc<AtomicBool>,
}

impl FeedSender {
    /// Puts in a chunk; blocks while the worker is busy. Returns whether more is welcome.
    #[must_use]
    pub fn send(&self, chunk: Vec<u8>) -> bool {
        !self.stopped() && self.chunks.send(chunk).is_ok()
    }

    /// Ends the stream for the worker, whatever is still under way.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Returns a sender that can only stop: it does not keep the stream open.
    #[must_use]
    pub fn stopper(&self) -> Self {
        let (chunks, _) = mpsc::sync_channel(0);
        Self { chunks, stop: Arc::clone(&self.stop) }
    }

    /// Returns whether the stream was ended.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The end that a worker is fed from.
pub struct Feed {
    /// Shared by those who read in turn.
    chunks: Mutex<Receiver<Vec<u8>>>,
    stop: Arc<AtomicBool>,
}

impl Feed {
    /// Makes both ends.
    #[must_use]
    pub fn new() -> (FeedSender, Self) {
        let (sender, chunks) = mpsc::sync_channel(CHUNKS);
        let stop = Arc::new(AtomicBool::new(false));
        (FeedSender { chunks: sender, stop: Arc::clone(&stop) }, Self { chunks: Mutex::new(chunks), stop })
    }

    /// Reads `reader` on a thread of its own, which ends with the reader, or at the next bytes once nobody wants
    /// them: a read that waits cannot be broken off. The first value stops the feed.
    #[must_use]
    pub fn of_reader(mut reader: impl Read + Send + 'static) -> (FeedSender, Self) {
        let (sender, feed) = Self::new();
        let stopper = sender.stopper();
        std::thread::spawn(move || {
            let mut buffer = vec![0; CHUNK_BYTES];
            loop {
                match reader.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => break,
                    Ok(got) if !sender.send(buffer[..got].to_vec()) => break,
                    Ok(_) => {}
                }
            }
        });
        (stopper, feed)
    }

    /// The next chunk; `None` at the end, or when `done` says that no more is wanted.
    fn next(&self, done: &AtomicBool) -> Option<Vec<u8>> {
        loop {
            if self.stop.load(Ordering::Relaxed) || done.load(Ordering::Relaxed) {
                return None;
            }
            let chunks = lock(&self.chunks);
            match chunks.recv_timeout(LOOK) {
                Ok(chunk) => return Some(chunk),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Writes all chunks into `to` until there are no more, `to` is closed, or `done`; the first ones also into
    /// `opening`.
    pub(super) fn pump(&self, mut to: impl Write, opening: &Opening, done: &AtomicBool) {
        while let Some(chunk) = self.next(done) {
            opening.keep(&chunk);
            if to.write_all(&chunk).is_err() {
                return;
            }
        }
    }

    /// Writes what is left into `to`, at most `bytes_max`. Returns whether that was all.
    pub(super) fn drain(&self, to: &mut impl Write, bytes_max: u64) -> io::Result<bool> {
        let mut left = bytes_max;
        while let Some(chunk) = self.next(&AtomicBool::new(false)) {
            let Some(rest) = left.checked_sub(chunk.len() as u64) else { return Ok(false) };
            left = rest;
            to.write_all(&chunk)?;
        }
        Ok(true)
    }
}

/// The first bytes of a stream, kept until it is clear that the worker can read it as it comes.
pub(super) struct Opening(Mutex<Option<Vec<u8>>>);

impl Opening {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    fn keep(&self, chunk: &[u8]) {
        let mut kept = lock(&self.0);
        if let Some(bytes) = kept.as_mut() {
            if bytes.len() + chunk.len() > OPENING_BYTES_MAX {
                *kept = None;
            } else {
                bytes.extend_from_slice(chunk);
            }
        }
    }

    /// Takes the bytes; nothing is kept from here on. `None` where that was so already, or they were too many.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        lock(&self.0).take()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_come_through_and_the_first_are_kept() {
        let bytes: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        let (_stop, feed) = Feed::of_reader(io::Cursor::new(bytes.clone()));
        let (opening, mut out) = (Opening::new(), Vec::new());
        feed.pump(&mut out, &opening, &AtomicBool::new(false));
        assert_eq!(out, bytes);
        assert_eq!(opening.take(), Some(bytes));
        assert_eq!(opening.take(), None);
    }

    #[test]
    fn a_stopped_feed_ends_though_its_reader_waits() {
        let (sender, feed) = Feed::new();
        assert!(sender.send(vec![1, 2]));
        sender.stop();
        let mut out = Vec::new();
        feed.pump(&mut out, &Opening::new(), &AtomicBool::new(false));
        assert!(out.is_empty());
        assert!(!sender.send(vec![3]));
    }

    #[test]
    fn what_is_too_much_is_told() {
        let (sender, feed) = Feed::new();
        assert!(sender.send(vec![0; 100]));
        drop(sender);
        assert!(!feed.drain(&mut Vec::new(), 99).unwrap());
    }
}
