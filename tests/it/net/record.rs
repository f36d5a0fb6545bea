//! What is recorded of requests, compared with what servers saw and sent.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use earwitness::base::{Digest, FixedClock, Timestamp};
use earwitness::config::{FetchSettings, SiteFetchSettings};
use earwitness::net::{Client, Exchange, Kind, Recorded, Request, Trace, Truncated};
use tokio::io::AsyncWriteExt as _;

use super::{Names, client, settings};
use crate::servers::{Identity, Raw, fixed, identity, raw, read_head_of, tls_of, tls_with};

/// Heads of requests as a server saw them.
type Heads = Arc<Mutex<Vec<String>>>;

/// Answers each request by what `answers` has for its path, and notes its head.
async fn answering(heads: &Heads, answers: &'static [(&'static str, &'static [u8])]) -> Raw {
    let heads = Arc::clone(heads);
    raw(move |head, mut stream| {
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        heads.lock().unwrap().push(head);
        async move {
            let (_, answer) = answers.iter().find(|(end, _)| target.ends_with(end)).unwrap();
            stream.write_all(answer).await
        }
    })
    .await
}

fn traced(url: &str, kind: Kind) -> (Request, Arc<Trace>) {
    let trace = Trace::new();
    let mut request = Request::new(url.parse().unwrap(), kind);
    request.trace = Some(Arc::clone(&trace));
    (request, trace)
}

/// The lines of a head, in no order.
fn lines(head: &str) -> Vec<&str> {
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines[1..].sort_unstable();
    lines
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[tokio::test]
async fn heads_are_those_that_went_over_the_wire() {
    let heads = Heads::default();
    let site = answering(
        &heads,
        &[
            ("/a?q=1", b"HTTP/1.1 302 Elsewhere Now\r\nLocation: /b\r\nContent-Length: 3\r\nX-Name: caf\xe9\r\n\r\nabc"),
            ("/b", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"),
        ],
    )
    .await;
    let names = Names::new(&[("own.example", &[&["127.0.0.1"]])]);
    let allowed = FetchSettings { private_allowed: vec!["own.example".to_owned()], ..settings(&[]) };
    let client = Client::with_clock(&allowed, names, Arc::new(FixedClock(at(7)))).unwrap();
    let url = format!("http://me:hidden@own.example:{}/a?q=1#part", site.address.port());
    let (mut request, trace) = traced(&url, Kind::Page);
    request.referer = Some("http://own.example/from".parse().unwrap());
    let response = client.fetch(request).await.unwrap();
    assert_eq!(response.body, b"hello");
    let Recorded { exchanges, body } = trace.take();
    let [redirect, page] = &exchanges[..] else { panic!("{exchanges:?}") };
    assert_eq!(body.as_deref(), Some(&b"hello"[..]));
    let sent = heads.lock().unwrap().clone();
    assert!(sent[0].contains("authorization: Basic bWU6aGlkZGVu\r\n"), "{}", sent[0]);
    for (exchange, sent) in exchanges.iter().zip(&sent) {
        let sent = sent.replace("Basic bWU6aGlkZGVu", "(withheld)");
        assert_eq!(lines(&exchange.request_head), lines(&sent));
        assert!(exchange.request_head.ends_with("\r\n") && !exchange.request_head.ends_with("\r\n\r\n"));
        assert_eq!((exchange.asked_at, exchange.answered_at), (at(7), at(7)));
        assert_eq!(exchange.peer.as_deref(), Some(site.address.to_string().as_str()));
        let dns = exchange.dns.as_ref().unwrap();
        assert_eq!(
            (dns.name.as_str(), &*dns.addresses, dns.at),
            ("own.example", &["127.0.0.1".to_owned()][..], at(7))
        );
        assert_eq!((exchange.http.as_str(), exchange.via_proxy, &exchange.tls), ("HTTP/1.1", false, &None));
    }
    let port = site.address.port();
    assert_eq!(redirect.url, format!("http://own.example:{port}/a?q=1"));
    assert_eq!(
        redirect.response_head,
        "HTTP/1.1 302 Elsewhere Now\r\nlocation: /b\r\ncontent-length: 3\r\nx-name: café\r\n"
    );
    // A redirect's body is not read.
    assert_eq!(
        (redirect.status, redirect.body_sha256, redirect.truncated),
        (302, None, Some(Truncated::Unspecified))
    );
    assert_eq!((page.status, page.body_sha256, page.body_bytes), (200, Some(Digest::of(b"hello")), 5));
    assert_eq!(page.truncated, None);
    assert!(trace.take().exchanges.is_empty());
}

#[tokio::test]
async fn secrets_of_a_site_are_withheld_and_only_there() {
    let heads = Heads::default();
    let site = answering(
        &heads,
        &[("/", b"HTTP/1.1 200 OK\r\nSet-Cookie: session=hidden2; Path=/\r\nContent-Length: 0\r\n\r\n")],
    )
    .await;
    let headers = [("Authorization", "Bearer hidden"), ("X-Key", "hidden")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let own = SiteFetchSettings { headers, ..Default::default() };
    let url = site.url("");
    let client = Client::for_site(&settings(&[site.address]), &own, Arc::new(|_| true)).unwrap();
    let mut all = Vec::new();
    for _ in 0..2 {
        let (request, trace) = traced(url.as_str(), Kind::Page);
        client.fetch(request).await.unwrap();
        all.extend(trace.take().exchanges);
    }
    let sent = heads.lock().unwrap().clone();
    assert!(
        sent[1].contains("cookie: session=hidden2\r\n") && sent[1].contains("x-key: hidden\r\n"),
        "{}",
        sent[1]
    );
    let json = serde_json::to_string(&all).unwrap();
    assert!(!json.contains("hidden"), "{json}");
    for line in ["authorization: (withheld)", "x-key: (withheld)", "cookie: (withheld)"] {
        assert!(all[1].request_head.contains(&format!("{line}\r\n")), "{}", all[1].request_head);
    }
    assert!(all[1].response_head.contains("set-cookie: (withheld)\r\n"), "{}", all[1].response_head);
    assert_eq!((all[0].body_sha256, all[0].truncated), (Some(Digest::of(b"")), None));
    // To whom the site's secrets do not go, nothing is withheld.
    let client = Client::for_site(&settings(&[site.address]), &own, Arc::new(|_| false)).unwrap();
    let (request, trace) = traced(url.as_str(), Kind::Page);
    client.fetch(request).await.unwrap();
    let exchange = trace.take().exchanges.remove(0);
    assert!(!exchange.request_head.contains("withheld"), "{}", exchange.request_head);
    assert!(exchange.response_head.contains("set-cookie: session=hidden2; Path=/\r\n"));
}

#[tokio::test]
async fn the_digest_is_of_the_bytes_as_they_came() {
    let text = b"all the songs, all the songs ".repeat(2000);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&text).unwrap();
    let packed = packer.finish().unwrap();
    let whole =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len());
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
        packed.len()
    );
    for answer in
        [[whole.as_bytes(), &packed].concat(), [chunked.as_bytes(), &packed, b"\r\n0\r\n\r\n"].concat()]
    {
        let site = fixed(answer).await;
        let (request, trace) = traced(site.url("a").as_str(), Kind::Page);
        assert_eq!(client(&[site.address]).fetch(request).await.unwrap().body, text);
        let Recorded { exchanges, body } = trace.take();
        assert_eq!(body.as_deref(), Some(&packed[..]));
        let [exchange] = &exchanges[..] else { panic!("{exchanges:?}") };
        assert_eq!(exchange.body_sha256, Some(Digest::of(&packed)));
        assert_eq!((exchange.body_bytes, exchange.truncated), (packed.len() as u64, None));
    }
}

#[tokio::test]
async fn bodies_are_kept_as_far_as_they_are_wanted() {
    let body = vec![b'x'; 100_000];
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let site = fixed([head.as_bytes(), &body].concat()).await;
    for (wanted, is_kept) in [(0, false), (99_999, false), (100_000, true)] {
        let (request, trace) = traced(site.url("a").as_str(), Kind::Media);
        let mut opened = client(&[site.address]).open(request).await.unwrap();
        opened.body.peek(100).await.unwrap();
        trace.want_body(wanted);
        opened.body.save(&mut tokio::io::sink()).await.unwrap();
        let Recorded { exchanges, body: kept } = trace.take();
        assert_eq!(kept.is_some_and(|kept| kept == body), is_kept, "{wanted}");
        assert_eq!((exchanges[0].body_sha256, exchanges[0].truncated), (Some(Digest::of(&body)), None));
    }
}

/// Reads a body whole, and gives what was recorded of it.
async fn whole(site: &Raw, kind: Kind) -> Exchange {
    let (request, trace) = traced(site.url("a").as_str(), kind);
    let _ = client(&[site.address]).fetch(request).await;
    trace.take().exchanges.remove(0)
}

#[tokio::test]
async fn bodies_that_are_not_whole_say_why() {
    let torn = fixed("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this").await;
    let exchange = whole(&torn, Kind::Media).await;
    assert_eq!((exchange.truncated, exchange.body_bytes), (Some(Truncated::Disconnect), 9));
    assert_eq!(exchange.body_sha256, Some(Digest::of(b"only this")));

    let long = fixed("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n").await;
    let exchange = whole(&long, Kind::Media).await;
    assert_eq!((exchange.truncated, exchange.body_sha256), (Some(Truncated::Length), None));

    let endless = raw(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
        Ok(())
    })
    .await;
    let exchange = whole(&endless, Kind::Page).await;
    assert_eq!(exchange.truncated, Some(Truncated::Length));
    assert_eq!(exchange.body_sha256, Some(Digest::of(&vec![b'x'; exchange.body_bytes as usize])));

    let silent = raw(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nonly").await?;
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        Ok(())
    })
    .await;
    let exchange = whole(&silent, Kind::Page).await;
    assert_eq!((exchange.truncated, exchange.body_bytes), (Some(Truncated::Time), 4));

    // Nobody wanted more.
    let site =
        fixed([&b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n"[..], &[7; 5_000_000]].concat()).await;
    let (request, trace) = traced(site.url("a").as_str(), Kind::Media);
    let opened = client(&[site.address]).open(request).await.unwrap();
    assert_eq!(opened.body.collect_first(10).await.unwrap(), [7; 10]);
    let exchange = trace.take().exchanges.remove(0);
    assert_eq!(exchange.truncated, Some(Truncated::Unspecified));
    assert_eq!(exchange.body_sha256, Some(Digest::of(&vec![7; exchange.body_bytes as usize])));
}

fn trusting(site: &Raw, identity: &Identity) -> Client {
    let roots = vec![identity.root.clone()];
    let limits = FetchSettings { connect_timeout_s: 8, read_timeout_s: 8, ..settings(&[site.address]) };
    Client::new(&FetchSettings { extra_root_certificates: roots, ..limits }).unwrap()
}

#[tokio::test]
async fn the_whole_chain_and_the_version_of_tls_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let chain: Vec<_> =
        identity.chain.iter().map(|der| base64::engine::general_purpose::STANDARD.encode(der)).collect();
    assert_eq!(chain.len(), 2);
    for (version, name) in [(&rustls::version::TLS12, "TLSv1.2"), (&rustls::version::TLS13, "TLSv1.3")] {
        let site = tls_of(&identity, &[version], &[b"http/1.1"], |mut stream| async move {
            while read_head_of(&mut stream).await.is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        })
        .await;
        let client = trusting(&site, &identity);
        // The second request goes over the first one's connection, for which no certificate is shown again.
        for _ in 0..2 {
            let (request, trace) = traced(&format!("https://{}/a", site.address), Kind::Page);
            assert_eq!(client.fetch(request).await.unwrap().body, b"ok");
            let exchange = trace.take().exchanges.remove(0);
            let seen = exchange.tls.unwrap();
            assert_eq!((seen.version.as_deref(), seen.cipher.is_some()), (Some(name), true));
            assert_eq!(seen.certificates, chain);
            assert_eq!(exchange.dns, None, "an address needs no resolver");
        }
        assert_eq!(site.accepted(), 1);
    }
}

/// A server that takes one suite alone, and answers with the one that it agreed on.
async fn telling_its_suite(identity: &Identity, suite: rustls::SupportedCipherSuite) -> Raw {
    let provider = rustls::crypto::CryptoProvider {
        cipher_suites: vec![suite],
        ..rustls::crypto::ring::default_provider()
    };
    tls_with(identity, provider, &[suite.version()], &[b"http/1.1"], |mut stream| async move {
        let agreed = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        let agreed = agreed.as_str().unwrap().replace("TLS13_", "TLS_");
        while read_head_of(&mut stream).await.is_ok() {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", agreed.len());
            let _ = stream.write_all([head.as_bytes(), agreed.as_bytes()].concat().as_slice()).await;
        }
    })
    .await
}

/// What the server says of the suite, and what is recorded.
async fn suites(client: &Client, site: &Raw) -> (String, Option<String>) {
    let (request, trace) = traced(&format!("https://{}/a", site.address), Kind::Page);
    let told = String::from_utf8(client.fetch(request).await.unwrap().body).unwrap();
    (told, trace.take().exchanges.remove(0).tls.unwrap().cipher)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_cipher_suite_is_the_one_that_the_server_agreed_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut sites = Vec::new();
    for (year, suite) in (2100..).zip(rustls::crypto::ring::default_provider().cipher_suites) {
        // The key of the server is of the kind ECDSA.
        if suite.usable_for_signature_algorithm(rustls::SignatureAlgorithm::ECDSA) {
            let identity = identity(folder.path(), &["127.0.0.1"], year);
            sites.push((telling_its_suite(&identity, suite).await, identity));
        }
    }
    assert_eq!(sites.len(), 6, "three of each version");
    let limits = FetchSettings { connect_timeout_s: 8, read_timeout_s: 8, ..FetchSettings::default() };
    let allowed = sites.iter().map(|(site, _)| site.address.to_string()).collect();
    let roots = sites.iter().map(|(_, identity)| identity.root.clone()).collect();
    let limits = FetchSettings { private_allowed: allowed, extra_root_certificates: roots, ..limits };
    let client = Client::new(&limits).unwrap();
    // All at once, so that handshakes take turns on the same threads, and once more over the connections that are open.
    for _ in 0..3 {
        let told = futures_util::future::join_all(sites.iter().map(|(site, _)| suites(&client, site))).await;
        for (by_server, recorded) in told {
            assert_eq!(recorded, Some(by_server));
        }
    }
}

#[tokio::test]
async fn of_two_suites_behind_one_certificate_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let [one, other, ..] = rustls::crypto::ring::ALL_CIPHER_SUITES else { panic!("there are several") };
    let (one, other) = (telling_its_suite(&identity, *one).await, telling_its_suite(&identity, *other).await);
    let limits = settings(&[one.address, other.address]);
    let roots = vec![identity.root.clone()];
    let client = Client::new(&FetchSettings {
        connect_timeout_s: 8,
        read_timeout_s: 8,
        extra_root_certificates: roots,
        ..limits
    })
    .unwrap();
    let (told, recorded) = suites(&client, &one).await;
    assert_eq!(recorded, Some(told));
    for site in [&other, &one] {
        assert_eq!(suites(&client, site).await.1, None);
    }
}

#[tokio::test]
async fn http_2_is_recorded_in_the_form_of_http_1() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let site = tls_of(&identity, rustls::ALL_VERSIONS, &[b"h2"], |stream| async move {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let head = axum::http::Response::builder().header("X-A", "1").body(()).unwrap();
            let mut body = respond.send_response(head, false).unwrap();
            body.send_data(axum::body::Bytes::from_static(b"two"), true).unwrap();
        }
    })
    .await;
    let (request, trace) = traced(&format!("https://{}/a?b", site.address), Kind::Page);
    trusting(&site, &identity).fetch(request).await.unwrap();
    let exchange = trace.take().exchanges.remove(0);
    assert_eq!(exchange.http, "HTTP/2");
    assert!(exchange.request_head.starts_with("GET /a?b HTTP/1.1\r\n"), "{}", exchange.request_head);
    assert!(exchange.request_head.contains(&format!("\r\nhost: {}\r\n", site.address)));
    assert_eq!(exchange.response_head, "HTTP/1.1 200 OK\r\nx-a: 1\r\n");
    assert_eq!((exchange.body_sha256, exchange.truncated), (Some(Digest::of(b"two")), None));
}

#[tokio::test]
async fn through_a_proxy() {
    let heads = Heads::default();
    let proxy = answering(&heads, &[("/a", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")]).await;
    let through = format!("http://me:hidden@{}", proxy.address);
    let client = Client::new(&FetchSettings { proxy: Some(through), ..settings(&[]) }).unwrap();
    let (request, trace) = traced("http://site.example/a", Kind::Page);
    client.fetch(request).await.unwrap();
    let exchange = trace.take().exchanges.remove(0);
    let sent = heads.lock().unwrap().remove(0).replace("Basic bWU6aGlkZGVu", "(withheld)");
    assert!(sent.starts_with("GET http://site.example/a HTTP/1.1\r\n"), "{sent}");
    assert_eq!(lines(&exchange.request_head), lines(&sent));
    assert!(exchange.via_proxy && exchange.dns.is_none());
    assert_eq!(exchange.peer, Some(proxy.address.to_string()));
}
