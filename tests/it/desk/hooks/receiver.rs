//! A receiver of webhooks on loopback, which answers as it is told to and keeps what it got.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use earwitness::base::Digest;
use serde_json::Value;

/// A message as it came.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) request_line: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// HMAC by its definition (RFC 2104), of nothing that the program signs with.
    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let head = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp"));
        let padded =
            |pad: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ pad).collect() };
        let inner = sha256(&[padded(0x36), head.into_bytes(), self.body.clone()].concat());
        let mac = sha256(&[padded(0x5c), inner].concat());
        let own = format!("v1,{}", STANDARD.encode(mac));
        self.header("webhook-signature").split(' ').any(|one| one == own)
    }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    let digits = Digest::of(bytes).to_string();
    (0..32).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

type Kept = Arc<(Mutex<Vec<Got>>, Condvar)>;

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    got: Kept,
}

impl Receiver {
    /// One that answers the first, second … message with this status line and headers; with nothing where that is empty.
    pub(super) fn answering(answer: impl Fn(usize) -> &'static str + Send + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), answer)
    }

    /// As [`Receiver::answering`], at an address.
    pub(super) fn at(address: SocketAddr, answer: impl Fn(usize) -> &'static str + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        Self::begin(listener, move |number, mut stream| {
            let status = answer(number);
            if !status.is_empty() {
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
            }
        })
    }

    /// One that takes messages and never answers.
    pub(super) fn hanging() -> Self {
        let kept = Mutex::new(Vec::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::begin(listener, move |_, stream| kept.lock().unwrap().push(stream))
    }

    /// An address where nobody listens, for now.
    pub(super) fn reserve() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    fn begin(listener: TcpListener, answer: impl Fn(usize, TcpStream) + Send + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let got: Kept = Arc::default();
        let kept = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A sender that was killed leaves half a message behind.
                let Some(message) = read(&stream) else { continue };
                let (all, changed) = &*kept;
                let mut all = all.lock().unwrap();
                all.push(message);
                let number = all.len() - 1;
                drop(all);
                answer(number, stream);
                changed.notify_all();
            }
        });
        Self { address, got }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn count(&self) -> usize {
        self.got.0.lock().unwrap().len()
    }

    /// Waits for so many messages; gives all there are then.
    pub(super) fn wait(&self, count: usize) -> Vec<Got> {
        let (all, changed) = &*self.got;
        let all = all.lock().unwrap();
        let most = Duration::from_secs(120);
        let (all, waited) = changed.wait_timeout_while(all, most, |all| all.len() < count).unwrap();
        assert!(!waited.timed_out(), "only {} of {count} messages came", all.len());
        all.clone()
    }
}

fn read(stream: &TcpStream) -> Option<Got> {
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut reader = BufReader::new(stream.take(1 << 20));
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        line.ends_with('\n').then(|| line.trim_end().to_owned())
    };
    let request_line = line()?;
    let mut headers = BTreeMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got { request_line, headers, body })
}
