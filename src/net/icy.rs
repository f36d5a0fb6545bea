//! ICY, SHOUTcast's dialect of HTTP: titles amid the audio, and servers that answer `ICY 200 OK`, which no HTTP
//! library takes for an answer. The reader for those is as small as can be: one request, one bounded head, the body
//! as it comes. Every address it connects to has passed the guard.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::client::Client;
use super::error::{Deadline, Error, shown};
use super::live::Live;
use super::lookup;
use super::opened::header_text;

/// Bytes of a head; real ones have under one thousand.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 16 * 1024;
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// The longest distance between two titles that is believed; real ones are 8,192 to 64,000 bytes.
const DISTANCE_MAX: usize = 16 << 20;

/// The titles that stand amid the audio: after every so many bytes of it one byte that says how long (in 16 bytes)
/// the title after it is.
#[derive(Debug)]
pub(super) struct Metadata {
    distance: usize,
    next: Next,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy)]
enum Next {
    Audio(usize),
    Length,
    Title(usize),
}

impl Metadata {
    /// For a stream whose `icy-metaint` is `text`; `None` where that makes no sense.
    pub(super) fn every(text: &str) -> Option<Self> {
        let distance = text.trim().parse().ok().filter(|distance| (1..=DISTANCE_MAX).contains(distance))?;
        Some(Self { distance, next: Next::Audio(distance) })
    }

    /// Returns the audio in the next bytes of the stream.
    pub(super) fn strip(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut audio = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            let taken = match self.next {
                Next::Audio(left) => {
                    let taken = left.min(rest.len());
                    audio.extend_from_slice(&rest[..taken]);
                    self.next = if taken == left { Next::Length } else { Next::Audio(left - taken) };
                    taken
                }
                Next::Length => {
                    self.next = self.title(16 * usize::from(first));
                    1
                }
                Next::Title(left) => {
                    let taken = left.min(rest.len());
                    self.next = self.title(left - taken);
                    taken
                }
            };
            rest = &rest[taken..];
        }
        audio
    }

    const fn title(&self, left: usize) -> Next {
        if left == 0 { Next::Audio(self.distance) } else { Next::Title(left) }
    }
}

/// The body of an ICY answer: bytes until the connection ends.
pub(super) struct IcyBody {
    url: Url,
    stream: TcpStream,
    /// Bytes that came with the head.
    ahead: Vec<u8>,
    received: u64,
    read_timeout: Duration,
}

impl IcyBody {
    /// Waits for more bytes; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        let mut buffer = vec![0; CHUNK_BYTES];
        let got = match tokio::time::timeout(self.read_timeout, self.stream.read(&mut buffer)).await {
            Ok(Ok(got)) => got,
            Ok(Err(error)) => return Err(broken(&self.url, self.received, &error.to_string())),
            Err(_) => return Err(timeout(&self.url, Deadline::Read, self.read_timeout)),
        };
        self.received += got as u64;
        buffer.truncate(got);
        Ok((got > 0).then_some(buffer))
    }
}

/// Opens an ICY stream. Redirects are not followed: who sends them speaks HTTP.
pub(super) async fn open(client: &Client, url: &Url) -> Result<Live, Error> {
    client.guard.check_url(url)?;
    let mut stream = connect(client, url).await?;
    let read_timeout = client.limits.read_timeout;
    let (head, ahead) = match tokio::time::timeout(read_timeout, exchange(client, url, &mut stream)).await {
        Ok(result) => result?,
        Err(_) => return Err(timeout(url, Deadline::Read, read_timeout)),
    };
    let Head { status, headers } = read_head(&head).ok_or_else(|| broken(url, 0, "no ICY or HTTP answer"))?;
    if !(200..300).contains(&status) {
        return Err(Error::Status { url: shown(url), status, retry_after: None });
    }
    let header = |name: &str| header_text(&headers, name);
    let metadata = header("icy-metaint").and_then(|text| Metadata::every(&text));
    let content_type = header("content-type");
    let body = IcyBody { url: url.clone(), stream, ahead, received: 0, read_timeout };
    Ok(Live::icy(body, metadata, url.clone(), content_type))
}

/// Connects to an address of the URL's host that the guard allows.
async fn connect(client: &Client, url: &Url) -> Result<TcpStream, Error> {
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = match url.host() {
        // Literal addresses were judged with the URL.
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => resolve(client, url, name, port).await?,
        None => Vec::new(),
    };
    let connect_timeout = client.limits.connect_timeout;
    let mut last = Error::Resolve { url: shown(url), reason: "it has no address".to_owned() };
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        match tokio::time::timeout(connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Error::Connect { url: shown(url), reason: error.to_string() },
            Err(_) => last = timeout(url, Deadline::Connect, connect_timeout),
        }
    }
    Err(last)
}

async fn resolve(client: &Client, url: &Url, name: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let connect_timeout = client.limits.connect_timeout;
    let lookup = lookup::resolve(&*client.lookup, &client.guard, name);
    match tokio::time::timeout(connect_timeout, lookup).await {
        Ok(Ok(found)) => Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect()),
        Ok(Err(refused)) => Err(refused.of(url)),
        Err(_) => Err(timeout(url, Deadline::Connect, connect_timeout)),
    }
}

/// Sends the request and reads the head; also gives what came after it.
async fn exchange(client: &Client, url: &Url, stream: &mut TcpStream) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let failed = |error: std::io::Error| broken(url, 0, &error.to_string());
    stream.write_all(&request(client, url)).await.map_err(failed)?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        if let Some(at) = end_of_head(&head) {
            let ahead = head.split_off(at);
            return Ok((head, ahead));
        }
        if head.len() > HEAD_BYTES_MAX {
            return Err(broken(url, 0, "its head does not end"));
        }
        let got = stream.read(&mut buffer).await.map_err(failed)?;
        if got == 0 {
            return Err(broken(url, 0, "closed before an answer"));
        }
        head.extend_from_slice(&buffer[..got]);
    }
}

/// HTTP/1.0: the answer then has no chunks. A URL holds no line breaks, nor does the user agent.
fn request(client: &Client, url: &Url) -> Vec<u8> {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let (path, host) = (url.path(), url.host_str().unwrap_or_default());
    let mut bytes = format!("GET {path}{query} HTTP/1.0\r\nHost: {host}{port}\r\nUser-Agent: ").into_bytes();
    bytes.extend_from_slice(client.user_agent.as_bytes());
    bytes.extend_from_slice(b"\r\nAccept: */*\r\nIcy-MetaData: 1\r\nConnection: close\r\n\r\n");
    bytes
}

/// The offset after the empty line, with or without carriage returns.
pub(super) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let after = |mark: &[u8]| bytes.windows(mark.len()).position(|at| at == mark).map(|at| at + mark.len());
    match (after(b"\r\n\r\n"), after(b"\n\n")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
}

/// Reads `ICY 200 OK` or `HTTP/1.x 200 …` and the headers; what is no header is left out.
pub(super) fn read_head(bytes: &[u8]) -> Option<Head> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut words = lines.next()?.split_ascii_whitespace();
    let protocol = words.next()?;
    if protocol != "ICY" && !protocol.starts_with("HTTP/1.") {
        return None;
    }
    let status = words.next()?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines.take(100) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) = (
            reqwest::header::HeaderName::from_bytes(name.trim().as_bytes()),
            reqwest::header::HeaderValue::from_str(value.trim()),
        ) {
            headers.insert(name, value);
        }
    }
    Some(Head { status, headers })
}

fn broken(url: &Url, bytes: u64, reason: &str) -> Error {
    Error::Broken { url: shown(url), bytes, reason: reason.to_owned() }
}

fn timeout(url: &Url, deadline: Deadline, after: Duration) -> Error {
    Error::Timeout { url: shown(url), deadline, seconds: after.as_secs() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn titles_are_taken_out_however_the_bytes_are_cut(
            audio in proptest::collection::vec(any::<u8>(), 0..2000),
            distance in 1usize..300,
            titles in proptest::collection::vec(0u8..4, 1..8),
            piece in 1usize..700,
        ) {
            let mut stream = Vec::new();
            for (number, part) in audio.chunks(distance).enumerate() {
                stream.extend_from_slice(part);
                if part.len() == distance {
                    let length = titles[number % titles.len()];
                    stream.push(length);
                    stream.extend(vec![b't'; 16 * usize::from(length)]);
                }
            }
            let mut metadata = Metadata::every(&distance.to_string()).unwrap();
            let stripped: Vec<u8> = stream.chunks(piece).flat_map(|bytes| metadata.strip(bytes)).collect();
            prop_assert_eq!(stripped, audio);
        }

        #[test]
        fn heads_of_any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_head(&bytes);
            prop_assert!(end_of_head(&bytes).is_none_or(|at| at <= bytes.len()));
        }
    }

    #[test]
    fn distances_that_make_no_sense_are_not_believed() {
        for text in ["0", "-1", "", "x", "99999999999999999999", "17000000"] {
            assert!(Metadata::every(text).is_none(), "{text}");
        }
    }

    #[test]
    fn old_heads_are_read() {
        let head = b"ICY 200 OK\r\nicy-name:A radio\r\nicy-metaint:8192\r\nbad line\r\n\r\n";
        assert_eq!(end_of_head(head), Some(head.len()));
        let read = read_head(head).unwrap();
        assert_eq!((read.status, &read.headers["icy-metaint"]), (200, &"8192".parse().unwrap()));
        assert_eq!(read_head(b"ICY 401 Service Unavailable\n\n").unwrap().status, 401);
        assert!(read_head(b"RTSP/1.0 200 OK\r\n\r\n").is_none());
        assert_eq!(end_of_head(b"ICY 200 OK\n\nabc"), Some(12));
    }
}
