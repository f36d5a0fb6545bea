//! A request's body, once it is known who asks: bounded in bytes and in time. Who may upload a file has it put into a temporary
//! one, at a rate that must not be too low.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{StatusCode, header};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout};

use super::ask::Ask;
use super::fault::Fault;

/// The longest body of somebody who is signed in, in bytes …
const BODY_BYTES_MAX: u64 = 4 << 20;
/// … and of anybody else: a name and a password.
const STRANGER_BYTES_MAX: u64 = 64 << 10;
/// For how long a body may take to arrive, and a pause of an upload may last.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// An upload that is longer may take as long as it would at this rate: a slow line of 256 kbit/s.
const BYTES_A_SECOND_MIN: u64 = 32 << 10;
/// What somebody who is signed in still sends after a refusal is read and thrown away for so long: browsers show no answer
/// before they have sent everything, or the connection is closed in good order.
const LINGER: Duration = Duration::from_secs(10);

/// A body as it comes.
pub(super) struct Incoming {
    stream: BodyDataStream,
    began: Instant,
    /// Bytes that came so far, and how many may come.
    bytes: u64,
    bytes_max: u64,
    is_upload: bool,
}

impl Incoming {
    /// Looks at what the head says of the body, of which nothing is read yet.
    ///
    /// # Errors
    /// [`Fault`] where it will be too long.
    pub(super) fn new(ask: &Ask, body: Body, bytes_max: u64, is_upload: bool) -> Result<Self, Fault> {
        let said = ask.header(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        let incoming =
            Self { stream: body.into_data_stream(), began: Instant::now(), bytes: 0, bytes_max, is_upload };
        if said.is_some_and(|bytes| bytes > bytes_max) {
            incoming.give_up(ask);
            return Err(too_long(bytes_max));
        }
        Ok(incoming)
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`Fault`] where there are too many, they come too slowly, or the connection is broken.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let allowed = if self.is_upload { time_for(self.bytes) } else { BODY_WAIT };
        let left = allowed.saturating_sub(self.began.elapsed()).min(BODY_WAIT);
        match timeout(left, self.stream.next()).await {
            Err(_) => Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) => Err(Fault::bad_request("the body is cut off")),
            Ok(Some(Ok(bytes))) => {
                self.bytes = self.bytes.saturating_add(bytes.len() as u64);
                if self.bytes > self.bytes_max { Err(too_long(self.bytes_max)) } else { Ok(Some(bytes)) }
            }
        }
    }

    /// Lets a client that is known send the rest for a moment, so that it reads why nothing came of it.
    pub(super) fn give_up(self, ask: &Ask) {
        if ask.visitor.is_none() {
            return;
        }
        let mut stream = self.stream;
        tokio::spawn(async move {
            let _ = timeout(LINGER, async { while let Some(Ok(_)) = stream.next().await {} }).await;
        });
    }
}

/// Reads a body that is handed over whole.
///
/// # Errors
/// [`Fault`] where it is too long, too slow or cut off.
pub(super) async fn read(ask: &mut Ask, body: Body) -> Result<(), Fault> {
    let most = if ask.visitor.is_some() { BODY_BYTES_MAX } else { STRANGER_BYTES_MAX };
    let mut incoming = Incoming::new(ask, body, most, false)?;
    let mut whole = Vec::new();
    loop {
        match incoming.next().await {
            Ok(Some(bytes)) => whole.extend_from_slice(&bytes),
            Ok(None) => break,
            Err(fault) => {
                incoming.give_up(ask);
                return Err(fault);
            }
        }
    }
    ask.body = whole;
    Ok(())
}

fn too_long(bytes_max: u64) -> Fault {
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {bytes_max} bytes"))
}

/// For how long an upload may have taken of which so many bytes have come.
fn time_for(bytes: u64) -> Duration {
    BODY_WAIT.saturating_add(Duration::from_secs(bytes / BYTES_A_SECOND_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_may_take_as_long_as_on_a_slow_line() {
        assert_eq!(time_for(0), BODY_WAIT);
        assert_eq!(time_for(32 << 20), BODY_WAIT + Duration::from_secs(1024));
        assert!(time_for(u64::MAX) > time_for(1 << 40));
    }
}
