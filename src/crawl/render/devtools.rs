//! The DevTools protocol over two pipes: JSON messages, each ended by a zero byte.
//!
//! The pipe, not the usual socket: no port is opened that others on the machine could drive the browser by, and the
//! browser ends by itself when this process dies, since its pipe then closes.

use std::io;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest message that is taken; longer ones are skipped. The longest that is asked for is a picture of 8 MiB in
/// base64, or a document; but what a page does can make longer ones, a `data:` address for example.
const MESSAGE_BYTES_MAX: usize = 48 << 20;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// One message of the browser.
#[derive(Debug)]
pub(super) enum Message {
    /// The answer to a command.
    Answer { id: u64, result: Result<Value, String> },
    /// Something happened, in the session of one target or in the browser (empty).
    Event { session: String, method: String, params: Value },
}

/// The pipes.
pub(super) struct Link<W, R> {
    to: W,
    from: R,
    buffer: Vec<u8>,
    /// Bytes of `buffer` without a zero.
    scanned: usize,
    /// The message that is coming is too long.
    skips: bool,
    last_id: u64,
    /// Messages that were too long or made no sense.
    pub(super) skipped: u64,
}

impl<W: AsyncWrite + Unpin, R: AsyncRead + Unpin> Link<W, R> {
    pub(super) const fn new(to: W, from: R) -> Self {
        Self { to, from, buffer: Vec::new(), scanned: 0, skips: false, last_id: 0, skipped: 0 }
    }

    /// Sends a command; returns the number that its answer will carry.
    pub(super) async fn send(&mut self, session: &str, method: &str, params: &Value) -> io::Result<u64> {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if !session.is_empty() {
            command["sessionId"] = session.into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await?;
        self.to.flush().await?;
        Ok(self.last_id)
    }

    /// Waits for the next message; may be given up and called again. An error at the end.
    pub(super) async fn next(&mut self) -> io::Result<Message> {
        loop {
            while let Some(length) = self.buffer[self.scanned..].iter().position(|&byte| byte == 0) {
                let end = self.scanned + length;
                let message = if self.skips { None } else { parse(&self.buffer[..end]) };
                self.buffer.drain(..=end);
                self.scanned = 0;
                self.skips = false;
                match message {
                    Some(message) => return Ok(message),
                    None => self.skipped += 1,
                }
            }
            self.scanned = self.buffer.len();
            if self.scanned > MESSAGE_BYTES_MAX {
                self.skips = true;
            }
            if self.skips {
                self.buffer.clear();
                self.scanned = 0;
            }
            self.buffer.reserve(CHUNK_BYTES);
            if (&mut self.from).take(CHUNK_BYTES as u64).read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Reads one message; `serde_json` bounds how deep it may be nested.
fn parse(bytes: &[u8]) -> Option<Message> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(id) = value.get("id").and_then(Value::as_u64) {
        let result = match value.get_mut("error") {
            Some(error) => Err(error["message"].as_str().unwrap_or("an error").chars().take(300).collect()),
            None => Ok(value["result"].take()),
        };
        return Some(Message::Answer { id, result });
    }
    let method = value.get("method")?.as_str()?.to_owned();
    let session = value.get("sessionId").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Message::Event { session, method, params: value["params"].take() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    async fn all(bytes: &[u8]) -> (Vec<Message>, u64) {
        let mut link = Link::new(tokio::io::sink(), bytes);
        let mut messages = Vec::new();
        while let Ok(message) = link.next().await {
            messages.push(message);
        }
        (messages, link.skipped)
    }

    #[tokio::test]
    async fn answers_events_and_nonsense() {
        let bytes = b"{\"id\":3,\"result\":{\"a\":1}}\0{]\0{\"method\":\"Page.x\",\"sessionId\":\"s\",\"params\":{}}\0\
            {\"id\":4,\"error\":{\"message\":\"no\"}}\0{\"id\"";
        let (messages, skipped) = all(bytes).await;
        assert_eq!(skipped, 1);
        let [Message::Answer { id: 3, .. }, Message::Event { session, method, .. }, last] = &messages[..]
        else {
            panic!("{messages:?}")
        };
        assert_eq!((session.as_str(), method.as_str()), ("s", "Page.x"));
        assert!(matches!(last, Message::Answer { id: 4, result: Err(why) } if why == "no"), "{last:?}");
    }

    #[tokio::test]
    async fn a_message_that_is_too_long_is_skipped_not_kept() {
        let mut bytes = vec![b'x'; MESSAGE_BYTES_MAX + (1 << 20)];
        bytes.extend_from_slice(b"\0{\"id\":1,\"result\":{}}\0");
        let (messages, skipped) = all(&bytes).await;
        assert_eq!((messages.len(), skipped), (1, 1));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>, at in 0_usize..40, put: u8) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(all(&bytes));
            let mut valid = b"{\"id\":3,\"result\":{\"a\":1}}\0{\"method\":\"a\"}\0".to_vec();
            valid[at] = put;
            let _ = runtime.block_on(all(&valid));
        }
    }
}
