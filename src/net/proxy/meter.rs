//! Counting: a connection whose bytes are taken from the run's bound and from the shared budget, and that ends when
//! either is used up or nothing moves for too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// A number of bytes that several runs may use up together. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicU64>);

impl Budget {
    /// Makes a budget of so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    /// Returns how many bytes are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes `bytes` out; false where fewer were left, and then none is.
    #[must_use]
    pub fn take(&self, bytes: u64) -> bool {
        let before = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
        before.is_ok_and(|before| before >= bytes)
    }
}

/// A connection to the outside, counted.
pub(super) struct Metered {
    stream: TcpStream,
    /// The run's bytes and those of all runs.
    budgets: [Budget; 2],
    idle_max: Duration,
    idle: Pin<Box<Sleep>>,
}

impl Metered {
    pub(super) fn new(stream: TcpStream, budgets: [Budget; 2], idle_max: Duration) -> Self {
        Self { stream, budgets, idle_max, idle: Box::pin(tokio::time::sleep(idle_max)) }
    }

    /// Counts bytes that moved.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        let until = Instant::now() + self.idle_max;
        self.idle.as_mut().reset(until);
        // Both are charged, whatever the first says.
        let within = self.budgets.each_ref().map(|budget| budget.take(bytes as u64));
        if within == [true, true] {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::QuotaExceeded, "the bytes allowed are used up"))
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            result?;
            let got = buffer.filled().len() - before;
            return Poll::Ready(self.count(got));
        }
        ready!(self.idle.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.count(sent)?;
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
