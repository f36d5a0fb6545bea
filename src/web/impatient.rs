//! A connection that is given up when the other side reads nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Writes fail that have waited for `most` without a byte being taken. To be put around the bare connection: what lies over it
/// (TLS) may take bytes that go nowhere.
pub(super) struct Impatient<I> {
    io: I,
    most: Duration,
    /// Ends when a write has waited for too long; none while nothing waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<I> Impatient<I> {
    pub(super) const fn new(io: I, most: Duration) -> Self {
        Self { io, most, stalled: None }
    }

    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let most = self.most;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(most)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Impatient<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Impatient<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, pieces);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
    }

    #[test]
    fn who_reads_nothing_is_given_up() {
        run(async {
            let (ours, theirs) = duplex(1000);
            let mut ours = Impatient::new(ours, Duration::from_millis(20));
            // What fits in between is taken, the rest by nobody.
            let error = ours.write_all(&[7; 5000]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            drop(theirs);
        });
    }

    #[test]
    fn who_reads_slowly_gets_everything() {
        run(async {
            let (ours, mut theirs) = duplex(100);
            let mut ours = Impatient::new(ours, Duration::from_secs(3600));
            let writing = async {
                ours.write_all(&[7; 5000]).await.unwrap();
                ours.shutdown().await.unwrap();
            };
            let reading = async {
                let mut bytes = Vec::new();
                theirs.read_to_end(&mut bytes).await.unwrap();
                bytes
            };
            let ((), bytes) = tokio::join!(writing, reading);
            assert_eq!(bytes, [7; 5000]);
        });
    }
}
