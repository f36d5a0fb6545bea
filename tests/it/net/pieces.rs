//! Conditional requests and pieces of files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse as _;
use earwitness::base::Digest;
use earwitness::net::{ContentRange, Error, Kind, Range, Request, Version};
use tokio::io::AsyncWriteExt as _;

use super::{client, error_of, open};
use crate::servers::{fixed, raw, serve};

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        async move {
            let etag = match uri.path() {
                "/same" => "W/\"same\"".to_owned(),
                "/changing" => format!("\"{turn}\""),
                "/moved" => return (StatusCode::FOUND, [(header::LOCATION, "/same")]).into_response(),
                "/unasked" => return StatusCode::NOT_MODIFIED.into_response(),
                _ => return "nothing known".into_response(),
            };
            if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
                return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
            }
            (
                [(header::ETAG, etag), (header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT".to_owned())],
                "text",
            )
                .into_response()
        }
    });
    let site = serve(router).await;
    let client = client(&[site]);
    let url = |path: &str| -> url::Url { format!("http://{site}{path}").parse().unwrap() };

    let first = open(&client, &url("/same"), Kind::Page).await;
    let known = first.validators().unwrap();
    assert_eq!(known.etag.as_deref(), Some("W/\"same\""));
    assert_eq!(known.last_modified.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let ask = |path: &str| Request { validators: Some(known.clone()), ..Request::new(url(path), Kind::Page) };
    let again = client.open(ask("/same")).await.unwrap();
    assert!(again.is_not_modified());
    assert!(matches!(error_of(again.successful()), Error::NotModified { .. }));
    // Led there by a redirect, it is still the same place; and another place is asked without conditions.
    assert!(client.open(ask("/moved")).await.unwrap().is_not_modified());
    let other = client.open(ask("/changing")).await.unwrap();
    assert_eq!((other.status, other.is_not_modified()), (200, false));

    let mut known = other.validators();
    for _ in 0..3 {
        let request = Request { validators: known, ..Request::new(url("/changing"), Kind::Page) };
        let opened = client.open(request).await.unwrap();
        assert_eq!((opened.status, opened.is_not_modified()), (200, false));
        known = opened.validators();
        assert_eq!(opened.body.collect().await.unwrap(), b"text");
    }

    let unasked = open(&client, &url("/unasked"), Kind::Page).await;
    assert!(!unasked.is_not_modified());
    assert!(matches!(error_of(unasked.successful()), Error::Status { status: 304, .. }));
    assert_eq!(open(&client, &url("/none"), Kind::Page).await.validators(), None);
}

/// A file that is served in pieces; its ETag changes after so many requests.
async fn in_pieces(file: &'static [u8], changes_after: usize) -> std::net::SocketAddr {
    let asked = Arc::new(AtomicUsize::new(0));
    serve(Router::new().fallback(move |headers: HeaderMap| {
        let turn = asked.fetch_add(1, Ordering::SeqCst);
        async move {
            let etag = if turn < changes_after { "\"one\"" } else { "\"two\"" };
            let total = file.len();
            let is_same = headers.get(header::IF_RANGE).is_none_or(|known| known == etag);
            let range = headers.get(header::RANGE).filter(|_| is_same);
            let Some(range) = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")) else {
                return ([(header::ETAG, etag)], file).into_response();
            };
            let (first, last) = range.split_once('-').unwrap();
            let (first, last) = match first.parse::<usize>() {
                Ok(first) => (first, last.parse::<usize>().unwrap().min(total - 1)),
                Err(_) => (total.saturating_sub(last.parse().unwrap()), total - 1),
            };
            if first >= total {
                let range = format!("bytes */{total}");
                return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response();
            }
            let range = format!("bytes {first}-{last}/{total}");
            let headers = [(header::CONTENT_RANGE, range), (header::ETAG, etag.to_owned())];
            (StatusCode::PARTIAL_CONTENT, headers, &file[first..=last]).into_response()
        }
    }))
    .await
}

const FILE: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn piece(site: std::net::SocketAddr, range: Range, version: Option<Version>) -> Request {
    let url = format!("http://{site}/a.mp3").parse().unwrap();
    Request { range: Some(range), version, ..Request::new(url, Kind::Media) }
}

#[tokio::test]
async fn head_middle_and_tail_of_one_version() {
    let site = in_pieces(FILE, usize::MAX).await;
    let client = client(&[site]);
    let head = client.open(piece(site, Range::from((0, 4)), None)).await.unwrap();
    assert_eq!(head.content_range(), Some(ContentRange { first: 0, last: 3, total: Some(36) }));
    let version = head.version();
    assert_eq!(head.body.collect().await.unwrap(), b"0123");
    for (range, bytes) in [
        (Range::from((10, 3)), &b"abc"[..]),
        (Range::from((34, 100)), b"yz"),
        (Range::Last(5), b"vwxyz"),
        (Range::Last(1000), FILE),
    ] {
        let opened = client.open(piece(site, range, Some(version.clone()))).await.unwrap();
        assert_eq!((opened.status, opened.total()), (206, Some(36)));
        assert_eq!(opened.body.collect().await.unwrap(), bytes);
    }
    let beyond = client.open(piece(site, Range::from((36, 1)), Some(version))).await.unwrap();
    assert_eq!((beyond.status, beyond.total(), beyond.content_range()), (416, Some(36), None));
    assert!(matches!(error_of(beyond.successful()), Error::Status { status: 416, .. }));

    let site = in_pieces(FILE, 1).await;
    let client = super::client(&[site]);
    let version = client.open(piece(site, Range::from((0, 4)), None)).await.unwrap().version();
    let error = error_of(client.open(piece(site, Range::Last(5), Some(version))).await);
    assert!(
        error.to_string().contains("changed between two requests (its ETag was \"one\" and is now \"two\")"),
        "{error}"
    );
}

#[tokio::test]
async fn versions_that_differ_without_an_etag() {
    let answers = ["100", "100", "101"];
    let turn = AtomicUsize::new(0);
    let site = raw(move |_, mut stream| {
        let total = answers[turn.fetch_add(1, Ordering::SeqCst).min(2)];
        async move {
            let head =
                format!("HTTP/1.1 206 P\r\nconnection: close\r\ncontent-range: bytes 0-1/{total}\r\n\r\nab");
            stream.write_all(head.as_bytes()).await
        }
    })
    .await;
    let client = client(&[site.address]);
    let ask = |version| client.open(piece(site.address, Range::from((0, 2)), version));
    let version = ask(None).await.unwrap().version();
    assert!(ask(Some(version.clone())).await.is_ok());
    let error = error_of(ask(Some(version)).await);
    assert!(
        matches!(&error, Error::Changed { reason, .. } if reason.contains("had 100 bytes and now has 101")),
        "{error}"
    );
}

#[tokio::test]
async fn the_whole_in_answer_to_a_piece_is_left_after_what_was_wanted() {
    let endless = raw(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\n\r\n").await?;
        loop {
            stream.write_all(&[7; 1000]).await?;
        }
    })
    .await;
    let client = client(&[endless.address]);
    let ask = || client.open(piece(endless.address, Range::from((0, 1500)), None));
    let opened = ask().await.unwrap();
    assert_eq!((opened.status, opened.content_range(), opened.total()), (200, None, None));
    let mut bytes = Vec::new();
    let saved = opened.body.save_first(1500, &mut bytes).await.unwrap();
    assert_eq!((bytes, saved.bytes, saved.is_whole), (vec![7; 1500], 1500, false));
    assert_eq!(saved.sha256, Digest::of(&[7; 1500]));

    let short = fixed("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc").await;
    let client = super::client(&[short.address]);
    let opened = client.open(piece(short.address, Range::from((0, 1500)), None)).await.unwrap();
    let mut bytes = Vec::new();
    let saved = opened.body.save_first(1500, &mut bytes).await.unwrap();
    assert_eq!((bytes.as_slice(), saved.bytes, saved.is_whole), (&b"abc"[..], 3, true));
}

#[tokio::test]
async fn pieces_that_are_not_what_they_say() {
    let chunked = "transfer-encoding: chunked";
    for (head, body, message) in [
        ("", "ab", "no Content-Range"),
        ("content-range: bytes 5-6/9", "ab", "bytes 5 to 6 came, but bytes=0-3 was asked for"),
        ("content-range: bytes 0-8/9", "ab", "bytes 0 to 8 came"),
        ("content-range: bytes 3-0/9", "ab", "makes no sense"),
        ("content-range: bytes 0-3/2", "abcd", "makes no sense"),
        ("content-range: bytes 0-3/4\r\ncontent-range: bytes 0-3/9", "abcd", "makes no sense"),
        ("content-range: lines 0-3/9", "abcd", "makes no sense"),
        ("content-type: Multipart/ByteRanges; boundary=x", "--x", "multipart/byteranges"),
        ("content-range: bytes 0-3/9\r\ncontent-encoding: gzip", "abcd", "a piece of a compressed file"),
        ("content-range: bytes 0-3/9\r\ncontent-length: 2", "ab", "says 4 bytes, Content-Length 2"),
        ("content-range: bytes 0-3/9\r\nconnection: close", "ab", "fewer bytes came than the 4"),
        ("content-range: bytes 0-3/9\r\nconnection: close", "abcdef", "more bytes came than the 4"),
        (
            &format!("content-range: bytes 0-3/9\r\n{chunked}"),
            "5\r\nabcde\r\n0\r\n\r\n",
            "more bytes came than",
        ),
        (
            &format!("content-range: bytes 0-3/9\r\n{chunked}"),
            "2\r\nab\r\n0\r\n\r\n",
            "fewer bytes came than",
        ),
    ] {
        let site =
            fixed(format!("HTTP/1.1 206 P\r\n{head}\r\n\r\n{body}").replace("\r\n\r\n\r\n", "\r\n\r\n"))
                .await;
        let client = client(&[site.address]);
        let result = match client.open(piece(site.address, Range::from((0, 4)), None)).await {
            Ok(opened) => opened.body.collect().await,
            Err(error) => Err(error),
        };
        let error = error_of(result);
        assert!(
            matches!(error, Error::Piece { .. }) && error.to_string().contains(message),
            "{head}: {error}"
        );
    }
    let unasked = fixed("HTTP/1.1 206 P\r\ncontent-range: bytes 0-1/9\r\n\r\nab").await;
    let request = Request::new(unasked.url(""), Kind::Media);
    let error = error_of(client(&[unasked.address]).open(request).await);
    assert!(error.to_string().contains("the whole was asked for"), "{error}");
}
