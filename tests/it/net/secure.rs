//! TLS and HTTP/2.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Response, StatusCode};
use earwitness::config::FetchSettings;
use earwitness::net::{Client, Deadline, Error, Kind, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{error_of, settings};
use crate::servers::{Identity, Raw, fixed, identity, tls};

const H2: &[&[u8]] = &[b"h2"];

type Stream = tokio_rustls::server::TlsStream<TcpStream>;
type Answer = h2::server::SendResponse<Bytes>;

fn trusting(site: &Raw, identity: &Identity) -> Client {
    let roots = vec![identity.root.clone()];
    Client::new(&FetchSettings { extra_root_certificates: roots, ..settings(&[site.address]) }).unwrap()
}

fn request(site: &Raw) -> Request {
    Request::new(format!("https://{}/a", site.address).parse().unwrap(), Kind::Media)
}

/// Answers each request of each connection by `answer`.
async fn h2_server<F>(identity: &Identity, answer: F) -> Raw
where
    F: Fn(Answer) + Clone + Send + Sync + 'static,
{
    tls(identity, H2, move |stream: Stream| {
        let answer = answer.clone();
        async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            while let Some(Ok((_, respond))) = connection.accept().await {
                answer(respond);
            }
        }
    })
    .await
}

fn head(status: u16) -> Response<()> {
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(()).unwrap()
}

#[tokio::test]
async fn certificates_that_do_not_hold_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let good = identity(folder.path(), &["127.0.0.1"], 2100);
    let expired = identity(folder.path(), &["127.0.0.1"], 2001);
    let other = identity(folder.path(), &["other.example"], 2100);
    let deaf = |_: Stream| async {};
    for (own, trusted, message) in [
        (&expired, &expired, "it has expired"),
        (&other, &other, "it is for another name"),
        (&good, &expired, "it is signed by itself or by an authority that is not trusted here"),
    ] {
        let site = tls(own, H2, deaf).await;
        let error = error_of(trusting(&site, trusted).fetch(request(&site)).await);
        assert!(matches!(error, Error::Tls { .. }) && error.to_string().contains(message), "{error}");
        assert!(error.is_host_failure());
        assert_eq!(site.accepted(), 1, "a certificate does not get better by asking twice");
    }
    let plain = fixed("HTTP/1.1 400 This is no TLS\r\n\r\n").await;
    let error = error_of(trusting(&plain, &good).fetch(request(&plain)).await);
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_handshake_that_stalls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            open.push(stream);
        }
    });
    let url = format!("https://{address}/").parse().unwrap();
    let error = error_of(super::client(&[address]).fetch(Request::new(url, Kind::Page)).await);
    assert!(matches!(error, Error::Timeout { deadline: Deadline::Connect, .. }), "{error}");
}

#[tokio::test]
async fn http_2_uses_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let site = h2_server(&identity, |mut respond| {
        let mut body = respond.send_response(head(200), false).unwrap();
        body.send_data(Bytes::from_static(b"over two"), true).unwrap();
    })
    .await;
    let client = trusting(&site, &identity);
    for _ in 0..10 {
        let response = client.fetch(request(&site)).await.unwrap();
        assert_eq!((response.status, response.body.as_slice()), (200, &b"over two"[..]));
    }
    assert_eq!(site.accepted(), 1);
}

#[tokio::test]
async fn http_2_that_is_reset_torn_or_flooded() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let reset = h2_server(&identity, |mut respond| {
        let mut body = respond.send_response(head(200), false).unwrap();
        body.send_data(Bytes::from_static(b"half"), false).unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            body.send_reset(h2::Reason::INTERNAL_ERROR);
        });
    })
    .await;
    let error = error_of(trusting(&reset, &identity).fetch(request(&reset)).await);
    assert!(matches!(error, Error::Broken { bytes: 4, .. }), "{error}");

    let refused = h2_server(&identity, |mut respond| respond.send_reset(h2::Reason::PROTOCOL_ERROR)).await;
    let error = error_of(trusting(&refused, &identity).fetch(request(&refused)).await);
    assert!(matches!(error, Error::Broken { bytes: 0, .. }), "{error}");

    let flood = h2_server(&identity, |mut respond| {
        let mut answer = head(200);
        for number in 0..400 {
            let name: axum::http::HeaderName = format!("x-{number}").parse().unwrap();
            answer.headers_mut().insert(name, "y".repeat(1000).parse().unwrap());
        }
        let _ = respond.send_response(answer, true);
    })
    .await;
    let error = error_of(trusting(&flood, &identity).fetch(request(&flood)).await);
    assert!(matches!(error, Error::Broken { bytes: 0, .. }), "{error}");

    // Frames without bytes, for ever: always on time, never anything.
    let nothing = h2_server(&identity, |mut respond| {
        let mut body = respond.send_response(head(200), false).unwrap();
        tokio::spawn(async move {
            while body.send_data(Bytes::new(), false).is_ok() {
                tokio::task::yield_now().await;
            }
        });
    })
    .await;
    let error = error_of(trusting(&nothing, &identity).fetch(request(&nothing)).await);
    assert!(matches!(error, Error::Timeout { .. } | Error::Broken { .. }), "{error}");
}

#[tokio::test]
async fn http_2_that_says_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let turn = Arc::new(AtomicUsize::new(0));
    // The first connection is ended with the request unanswered; the next one answers and then says goodbye.
    let site = tls(&identity, H2, move |stream: Stream| {
        let number = turn.fetch_add(1, Ordering::SeqCst);
        async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                if number == 0 {
                    connection.abrupt_shutdown(h2::Reason::NO_ERROR);
                    continue;
                }
                let mut body = respond.send_response(head(200), false).unwrap();
                body.send_data(Bytes::from_static(b"bye"), true).unwrap();
                connection.graceful_shutdown();
            }
        }
    })
    .await;
    let client = trusting(&site, &identity);
    for _ in 0..3 {
        assert_eq!(client.fetch(request(&site)).await.unwrap().body, b"bye");
    }
    assert!(site.accepted() >= 3);
}

/// A HEADERS frame and CONTINUATION frames after it without end (RFC 9113, section 10.5.1).
#[tokio::test]
async fn http_2_continued_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(folder.path(), &["127.0.0.1"], 2100);
    let site = tls(&identity, H2, |mut stream: Stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let frame = |kind: u8, stream_id: u8, payload: &[u8]| {
            let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
            let head = [length[1], length[2], length[3], kind, 0, 0, 0, 0, stream_id];
            [&head[..], payload].concat()
        };
        // A literal header field of no index: `a` with 100 letters.
        let field = [&b"\x00\x01a\x64"[..], &[b'x'; 100]].concat();
        let _ = stream.write_all(&frame(4, 0, b"")).await;
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&frame(1, 1, b"\x88")).await;
        while stream.write_all(&frame(9, 1, &field.repeat(100))).await.is_ok() {}
    })
    .await;
    let error = error_of(trusting(&site, &identity).fetch(request(&site)).await);
    assert!(matches!(error, Error::Broken { bytes: 0, .. } | Error::Timeout { .. }), "{error}");
}
