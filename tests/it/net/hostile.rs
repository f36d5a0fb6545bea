//! Slow, endless and broken answers.

use std::time::Duration;

use earwitness::config::FetchSettings;
use earwitness::net::{Client, Deadline, Error, Kind, Request};
use tokio::io::AsyncWriteExt as _;

use super::{client, error_of, open, settings};
use crate::servers::{Raw, fixed, raw, read_head};

async fn fetch(site: &Raw) -> Error {
    error_of(client(&[site.address]).fetch(Request::new(site.url("a"), Kind::Page)).await)
}

/// Sends `begin` once and then `again` for ever, with pauses between.
async fn drip(begin: &'static [u8], again: &'static [u8], pause_ms: u64) -> Raw {
    raw(move |_, mut stream| async move {
        stream.write_all(begin).await?;
        loop {
            stream.write_all(again).await?;
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    })
    .await
}

#[tokio::test]
async fn heads_that_do_not_end() {
    let slow = drip(b"HTTP/1.1 200 OK\r\nx: ", b"y", 100).await;
    let more = drip(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", 50).await;
    let early = drip(b"", b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n", 50).await;
    for site in [slow, more, early] {
        let error = fetch(&site).await;
        assert!(matches!(error, Error::Timeout { deadline: Deadline::Read, .. }), "{error}");
        assert_eq!(site.accepted(), 1, "who keeps us waiting is not asked again");
    }
    let many = drip(b"HTTP/1.1 200 OK\r\n", b"a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n", 0).await;
    let long = drip(b"HTTP/1.1 200 OK\r\na: ", &[b'x'; 4096], 0).await;
    let lines = drip(b"", &[b'x'; 4096], 0).await;
    for site in [many, long, lines] {
        let error = fetch(&site).await;
        assert!(matches!(error, Error::Broken { bytes: 0, .. }), "{error}");
    }
    // As fast as they come, answers that are none do not hold us either.
    let hints = drip(b"", b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n", 0).await;
    let error = fetch(&hints).await;
    assert!(matches!(error, Error::Timeout { .. } | Error::Broken { bytes: 0, .. }), "{error}");
}

#[tokio::test]
async fn bodies_that_do_not_end() {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = drip(CHUNKED, b"8\r\nabcdefgh\r\n", 0).await;
    assert!(matches!(fetch(&chunks).await, Error::TooLarge { .. }));
    let slow = drip(CHUNKED, b"1\r\na\r\n", 200).await;
    let error = fetch(&slow).await;
    assert!(matches!(error, Error::Timeout { deadline: Deadline::Total, .. }), "{error}");
    for (begin, again) in [
        (&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;"[..], &b"name=value;"[..]),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1;ext=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"trailer: x\r\n"),
    ] {
        let error = fetch(&drip(begin, again, 0).await).await;
        let is_bounded =
            matches!(error, Error::Broken { .. } | Error::TooLarge { .. } | Error::Timeout { .. });
        assert!(is_bounded, "{error}");
    }
}

#[tokio::test]
async fn bodies_that_break_off() {
    let half = fixed("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let chunk = fixed("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
    for site in [half, chunk] {
        let error = fetch(&site).await;
        assert!(matches!(error, Error::Broken { bytes: 4, .. }), "{error}");
    }
    let nonsense = fixed("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhalf\r\n").await;
    assert!(matches!(fetch(&nonsense).await, Error::Broken { bytes: 0, .. }));
    let reset = raw(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.set_zero_linger()
    })
    .await;
    let error = fetch(&reset).await;
    assert!(matches!(&error, Error::Broken { bytes: 4, reason, .. } if reason.contains("reset")), "{error}");
    let reset = raw(|_, stream| async move { stream.set_zero_linger() }).await;
    assert!(matches!(fetch(&reset).await, Error::Broken { bytes: 0, .. } | Error::Connect { .. }));
    assert_eq!(reset.accepted(), 2, "a connection that fails is tried once more");
    // Two lengths are an attack on whoever stands between.
    let two = fixed("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 4\r\n\r\nhalf").await;
    assert!(matches!(fetch(&two).await, Error::Broken { bytes: 0, .. }));
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let site = raw(|_, mut stream| async move {
        loop {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
            read_head(&mut stream).await?;
        }
    })
    .await;
    let client = client(&[site.address]);
    for _ in 0..20 {
        let response = client.fetch(Request::new(site.url("a"), Kind::Page)).await.unwrap();
        assert_eq!(response.body, b"ok");
    }
    assert_eq!(site.accepted(), 1);
}

#[tokio::test]
async fn a_body_that_is_left_does_not_come_further() {
    let (sender, mut sent) = tokio::sync::mpsc::unbounded_channel();
    let site = raw(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            let mut bytes = 0_u64;
            while stream.write_all(&[0; 8192]).await.is_ok() {
                bytes += 8192;
            }
            let _ = sender.send(bytes);
            Ok(())
        }
    })
    .await;
    let roomy = FetchSettings { media_bytes_max: 1 << 40, ..settings(&[site.address]) };
    let opened = open(&Client::new(&roomy).unwrap(), &site.url("a"), Kind::Media).await;
    assert_eq!(opened.body.collect_first(10).await.unwrap().len(), 10);
    // What was under way fills buffers of the system on both sides, and no more.
    let bytes = sent.recv().await.unwrap();
    assert!(bytes < 64 << 20, "{bytes}");
}
