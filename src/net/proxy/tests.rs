//! The proxy against raw sockets: what a child could send, and what strangers could.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::FetchSettings;
use crate::net::{LookedUp, Lookup};

const LIMITS: ProxyLimits = ProxyLimits {
    connections_max: 8,
    requests_max: 100,
    bytes_max: 1 << 20,
    time_max: Duration::from_secs(60),
};

/// A server that answers every connection with `answer`, and keeps what was sent to it.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(at: &str, answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, answer) = (Arc::clone(&kept), answer.clone());
                tokio::spawn(async move {
                    let mut buffer = vec![0; 8192];
                    let got = stream.read(&mut buffer).await.unwrap_or(0);
                    kept.lock().unwrap().push(String::from_utf8_lossy(&buffer[..got]).into_owned());
                    let _ = stream.write_all(&answer).await;
                });
            }
        });
        Self { address, seen }
    }

    async fn hello() -> Self {
        Self::start(
            "127.0.0.1:0",
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-earwitness-refused: x\r\n\r\nhello".to_vec(),
        )
        .await
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn client(allowed: &[&str]) -> Client {
    let private_allowed = allowed.iter().map(|&place| place.to_owned()).collect();
    Client::new(&FetchSettings { private_allowed, connect_timeout_s: 5, ..FetchSettings::default() }).unwrap()
}

fn anything() -> Policy {
    Arc::new(|_, _| Ok(()))
}

async fn proxy(allowed: &[&str], limits: ProxyLimits) -> GuardedProxy {
    GuardedProxy::start(&client(allowed), limits, Budget::new(u64::MAX), anything()).await.unwrap()
}

/// Sends a head (with the proxy's credential where it says `AUTH`) and returns all that comes back.
async fn send(proxy: &GuardedProxy, head: &str) -> String {
    let pair =
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", proxy.user(), proxy.password()));
    let head = head.replace("AUTH", &format!("Proxy-Authorization: Basic {pair}\r\nConnection: close"));
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an end").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn passes_plain_requests_on_without_what_is_ours() {
    let server = Server::hello().await;
    let place = server.address.to_string();
    let proxy = proxy(&[&place], LIMITS).await;
    let answer = send(
        &proxy,
        &format!(
            "GET http://{place}/a?b=c HTTP/1.1\r\nHost: other.example\r\nX-Mine: 1\r\nAUTH, x-mine\r\n\r\n"
        ),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(!answer.contains("refused"), "a server cannot speak as the proxy: {answer}");
    let seen = server.seen().concat().to_ascii_lowercase();
    assert!(seen.starts_with("get /a?b=c http/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {place}\r\n")) && !seen.contains("other.example"), "{seen}");
    assert!(!seen.contains("proxy-") && !seen.contains("x-mine"), "{seen}");
    let log = proxy.take_log();
    assert_eq!(
        log.asked,
        [Asked { target: format!("http://{place}/a?b=c"), outcome: Outcome::Passed }],
        "{log:?}"
    );
    assert!(proxy.bytes() > 5);
}

#[tokio::test]
async fn tunnels_to_what_is_allowed() {
    let server = Server::hello().await;
    let place = server.address.to_string();
    let proxy = proxy(&[&place], LIMITS).await;
    let answer = send(&proxy, &format!("CONNECT {place} HTTP/1.1\r\nAUTH\r\n\r\nsecret talk")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(server.seen(), ["secret talk"]);
}

#[tokio::test]
async fn strangers_get_nothing() {
    let server = Server::hello().await;
    let place = server.address.to_string();
    let proxy = proxy(&[&place], LIMITS).await;
    for head in [
        format!("GET http://{place}/ HTTP/1.1\r\nConnection: close\r\n\r\n"),
        format!("CONNECT {place} HTTP/1.1\r\nConnection: close\r\n\r\n"),
        format!("GET http://{place}/ HTTP/1.1\r\nConnection: close\r\nProxy-Authorization: Basic\r\n\r\n"),
        format!(
            "GET http://{place}/ HTTP/1.1\r\nConnection: close\r\nProxy-Authorization: Basic ZWFyd2l0bmVzczp4\r\n\r\n"
        ),
        format!("GET http://{place}/ HTTP/1.1\r\nConnection: close\r\nAuthorization: Basic AAAA\r\n\r\n"),
    ] {
        let answer = send(&proxy, &head).await;
        assert!(answer.starts_with("HTTP/1.1 407"), "{head}: {answer}");
    }
    assert!(server.seen().is_empty());
    assert!(proxy.take_log().asked.is_empty());
}

#[tokio::test]
async fn what_is_not_public_is_refused() {
    let victim = Server::hello().await;
    let proxy = proxy(&[], LIMITS).await;
    let port = victim.address.port();
    let mut targets = vec!["169.254.169.254:80".to_owned(), "metadata.localhost:80".to_owned()];
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0.0.0.0",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "LOCALHOST.",
        "10.0.0.1",
        "192.168.0.1",
        "[fd00::1]",
    ] {
        targets.push(format!("{host}:{port}"));
    }
    for target in &targets {
        for head in [
            format!("CONNECT {target} HTTP/1.1\r\nAUTH\r\n\r\n"),
            format!("GET http://{target}/ HTTP/1.1\r\nAUTH\r\n\r\n"),
        ] {
            let answer = send(&proxy, &head).await;
            // A name that does not resolve here is no success either.
            let refused = answer.starts_with("HTTP/1.1 403") && answer.contains("x-earwitness-refused");
            assert!(refused || answer.starts_with("HTTP/1.1 502"), "{head}: {answer}");
            let is_odd_name = target.contains("metadata") || target.starts_with("LOCALHOST.");
            assert!(refused || is_odd_name, "{head}: {answer}");
        }
    }
    assert!(victim.seen().is_empty());
    assert!(proxy.take_log().refused().count() >= 2 * targets.len() - 4);
}

#[tokio::test]
async fn ports_of_other_services_and_wrong_forms_are_refused() {
    let proxy = proxy(&[], LIMITS).await;
    for (head, status) in [
        ("CONNECT example.com:25 HTTP/1.1\r\nAUTH\r\n\r\n", "403"),
        ("GET http://example.com:6379/ HTTP/1.1\r\nAUTH\r\n\r\n", "403"),
        ("CONNECT example.com HTTP/1.1\r\nAUTH\r\n\r\n", "400"),
        ("CONNECT example.com:0 HTTP/1.1\r\nAUTH\r\n\r\n", "403"),
        ("CONNECT me:pw@example.com:443 HTTP/1.1\r\nAUTH\r\n\r\n", "400"),
        ("GET /etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nAUTH\r\n\r\n", "400"),
        ("GET https://example.com/ HTTP/1.1\r\nAUTH\r\n\r\n", "400"),
        ("GET ftp://example.com/ HTTP/1.1\r\nAUTH\r\n\r\n", "400"),
        ("\0\0\0\0", ""),
        ("GET http://example.com/ HTTP/1.1\r\nno colon\r\n\r\n", "400"),
    ] {
        let answer = send(&proxy, head).await;
        let expected =
            if status.is_empty() { "HTTP/1.1 400".to_owned() } else { format!("HTTP/1.1 {status}") };
        assert!(answer.starts_with(&expected), "{head}: {answer}");
    }
    let long =
        format!("GET http://example.com/ HTTP/1.1\r\nX: {}\r\nAUTH\r\n\r\n", "x".repeat(8 * HEAD_BYTES_MAX));
    let answer = send(&proxy, &long).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{}", answer.len());
}

#[tokio::test]
async fn the_caller_s_policy_is_asked() {
    let server = Server::hello().await;
    let place = server.address.to_string();
    let policy: Policy = Arc::new(|host, port| Err(format!("{host} at {port} is a third party")));
    let proxy = GuardedProxy::start(&client(&[&place]), LIMITS, Budget::new(1 << 20), policy).await.unwrap();
    let answer = send(&proxy, &format!("CONNECT {place} HTTP/1.1\r\nAUTH\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("third party"), "{answer}");
    let log = proxy.take_log();
    assert_eq!(log.refused().next().unwrap().0, format!("https://{place}/"));
    assert!(server.seen().is_empty());
}

/// A resolver that gives another address from the second time on.
struct Fickle(Arc<AtomicUsize>);

impl Lookup for Fickle {
    fn lookup<'a>(&'a self, _name: &'a str) -> LookedUp<'a> {
        let last = if self.0.fetch_add(1, Ordering::SeqCst) == 0 { 2 } else { 1 };
        Box::pin(async move { Ok(vec![IpAddr::from([127, 0, 0, last])]) })
    }
}

/// A name whose address is allowed when it is first asked for, and another one afterwards.
#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let good =
        Server::start("127.0.0.2:0", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood".to_vec()).await;
    let port = good.address.port();
    let victim = Server::start(&format!("127.0.0.1:{port}"), b"HTTP/1.1 200 OK\r\n\r\nsecret".to_vec()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let settings = FetchSettings { private_allowed: vec!["127.0.0.2/32".to_owned()], ..Default::default() };
    let client = Client::with_resolver(&settings, Arc::new(Fickle(count))).unwrap();
    let proxy = GuardedProxy::start(&client, LIMITS, Budget::new(1 << 20), anything()).await.unwrap();
    let request = format!("GET http://rebind.example:{port}/ HTTP/1.1\r\nAUTH\r\n\r\n");
    let first = send(&proxy, &request).await;
    assert!(first.ends_with("good"), "{first}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "resolved once: checked and connected to alike");
    let second = send(&proxy, &request).await;
    assert!(second.starts_with("HTTP/1.1 403") && second.contains("127.0.0.1"), "{second}");
    assert_eq!((good.seen().len(), victim.seen().len()), (1, 0));
}

#[tokio::test]
async fn bytes_are_bounded_for_the_run_and_for_all_runs() {
    let endless = Server::start("127.0.0.1:0", {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(4 << 20, b'x');
        answer
    })
    .await;
    let place = endless.address.to_string();
    let request = format!("GET http://{place}/ HTTP/1.1\r\nAUTH\r\n\r\n");
    let run = proxy(&[&place], ProxyLimits { bytes_max: 100_000, ..LIMITS }).await;
    let got = send(&run, &request).await;
    assert!(got.len() <= 101_000, "{}", got.len());
    let refused = send(&run, &request).await;
    assert!(refused.contains("used up"), "{refused}");
    let total = Budget::new(150_000);
    for left_before in [150_000_usize, 50_000] {
        let limits = ProxyLimits { bytes_max: 100_000, ..LIMITS };
        let one = GuardedProxy::start(&client(&[&place]), limits, total.clone(), anything()).await.unwrap();
        let got = send(&one, &format!("CONNECT {place} HTTP/1.1\r\nAUTH\r\n\r\nx")).await;
        assert!(got.len() <= left_before.min(100_000) + 1000, "{}", got.len());
    }
    assert_eq!(total.left(), 0);
}

#[tokio::test]
async fn requests_and_time_are_bounded() {
    let server = Server::hello().await;
    let place = server.address.to_string();
    let proxy = proxy(&[&place], ProxyLimits { requests_max: 1, ..LIMITS }).await;
    let request = format!("GET http://{place}/ HTTP/1.1\r\nAUTH\r\n\r\n");
    assert!(send(&proxy, &request).await.ends_with("hello"));
    assert!(send(&proxy, &request).await.contains("more than 1 requests"));
    let address = proxy.address();
    drop(proxy);
    let mut is_closed = false;
    for _ in 0..100 {
        is_closed = TcpStream::connect(address).await.is_err();
        if is_closed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_closed, "nothing listens once it is dropped");
}

#[tokio::test]
async fn a_proxy_behind_this_one_is_refused_clearly() {
    let settings =
        FetchSettings { proxy: Some("http://proxy.example:3128".to_owned()), ..Default::default() };
    let client = Client::new(&settings).unwrap();
    let error = GuardedProxy::start(&client, LIMITS, Budget::new(1), anything()).await.unwrap_err();
    assert!(error.to_string().starts_with("fetch.proxy: "), "{error}");
}

proptest::proptest! {
    #[test]
    fn any_authority_is_judged_without_panic(authority in ".{0,60}") {
        if let Some(url) = tunnel_url(&authority) {
            proptest::prop_assert!(url.has_host() && url.username().is_empty());
        }
    }
}
