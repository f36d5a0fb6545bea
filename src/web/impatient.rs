//! A connection that is given up when the other side reads nothing, or next to nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What the other side must read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// For how long a write may wait without a byte being taken; also the stretch over which bytes are counted.
    pub(super) stretch: Duration,
    /// The least number of bytes that are taken in a stretch.
    pub(super) bytes_min: u64,
}

/// Writes fail that have waited for a stretch without a byte being taken, or for a stretch altogether while too few were. Only
/// time in which a write waits counts: who has little to write is not slow. To be put around the bare connection: what lies over
/// it (TLS) may take bytes that go nowhere.
pub(super) struct Impatient<I> {
    io: I,
    pace: Pace,
    /// Since when a write waits, and what ends when it has waited for too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    /// For how long writes have waited in this stretch, this one not counted.
    waited: Duration,
    /// Bytes that were taken in this stretch.
    taken: u64,
}

impl<I> Impatient<I> {
    pub(super) const fn new(io: I, pace: Pace) -> Self {
        Self { io, pace, waiting: None, waited: Duration::ZERO, taken: 0 }
    }

    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                let waited = self.waiting.take().map_or(Duration::ZERO, |(since, _)| since.elapsed());
                self.waited = self.waited.saturating_add(waited);
                self.taken = self.taken.saturating_add(count as u64);
                if self.is_over_slowly() { Poll::Ready(Err(too_slow())) } else { written }
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => {
                let stretch = self.pace.stretch;
                let (_, stalled) = self.waiting.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(sleep_until(now + stretch)))
                });
                stalled.as_mut().poll(context).map(|()| Err(too_slow()))
            }
        }
    }

    /// Whether a stretch is over in which too little was taken; the next one then begins.
    const fn is_over_slowly(&mut self) -> bool {
        if self.waited.as_nanos() < self.pace.stretch.as_nanos() {
            return false;
        }
        let is_slow = self.taken < self.pace.bytes_min;
        (self.waited, self.taken) = (Duration::ZERO, 0);
        is_slow
    }
}

fn too_slow() -> io::Error {
    io::ErrorKind::TimedOut.into()
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

    fn pace(stretch_ms: u64, bytes_min: u64) -> Pace {
        Pace { stretch: Duration::from_millis(stretch_ms), bytes_min }
    }

    /// Writes `length` bytes to somebody who takes one each time after a while.
    fn write_to_trickle(pace: Pace, length: usize) -> io::Result<()> {
        run(async {
            let (ours, mut theirs) = duplex(1);
            let mut ours = Impatient::new(ours, pace);
            let bytes = vec![7; length];
            let reading = async {
                while theirs.read_u8().await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::select! { written = ours.write_all(&bytes) => written, () = reading => Ok(()) }
        })
    }

    #[test]
    fn who_reads_a_byte_now_and_then_is_given_up() {
        // Never without a byte for a stretch, unless this machine is very slow.
        let error = write_to_trickle(pace(200, 1 << 20), 400).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        write_to_trickle(pace(3_600_000, 1 << 20), 100).unwrap();
    }

    #[test]
    fn each_stretch_is_judged_by_what_was_taken_in_it() {
        let mut of = Impatient::new((), pace(1000, 100));
        let mut after = |waited_ms: u64, taken: u64| {
            of.waited += Duration::from_millis(waited_ms);
            of.taken += taken;
            of.is_over_slowly()
        };
        // Little is no matter while nothing waits for it.
        assert!(!after(0, 1) && !after(999, 0) && !after(1, 99));
        assert!(!after(500, 5000));
        assert!(!after(500, 0));
        assert!(after(1000, 99));
        assert!(!after(1000, 100));
    }

    #[test]
    fn who_reads_nothing_is_given_up() {
        run(async {
            let (ours, theirs) = duplex(1000);
            let mut ours = Impatient::new(ours, pace(20, 0));
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
            let mut ours = Impatient::new(ours, pace(3_600_000, 0));
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
