//! Content codings, true and false, and byte budgets.

use std::io::Write as _;
use std::sync::Arc;

use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliEncoder, EncodeV2, ZstdEncoder};
use earwitness::base::Digest;
use earwitness::config::FetchSettings;
use earwitness::net::{Allowance, Client, Error, Kind, Meter, Request};
use flate2::Compression;

use super::{client, error_of, open, settings};
use crate::servers::{Raw, fixed};

const NAMES: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

fn run(mut encoder: impl EncodeV2, bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; bytes.len() + 4096];
    let mut output = WriteBuffer::new_initialized(&mut packed);
    let mut input = PartialBuffer::new(bytes);
    while !input.unwritten().is_empty() {
        encoder.encode(&mut input, &mut output).unwrap();
    }
    while !encoder.finish(&mut output).unwrap() {}
    output.written().to_vec()
}

fn pack(coding: &str, bytes: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        }
        "deflate" => {
            let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        }
        "br" => run(BrotliEncoder::new(Default::default()), bytes),
        "zstd" => run(ZstdEncoder::new(1), bytes),
        _ => bytes.to_vec(),
    }
}

/// Serves `body` as if it had the given codings, whatever the request accepts.
async fn coded(codings: &str, body: &[u8]) -> Raw {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: {codings}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    fixed([head.as_bytes(), body].concat()).await
}

#[tokio::test]
async fn what_is_packed_comes_out_and_the_digest_is_of_that() {
    let text = b"all the songs, all the songs ".repeat(2000);
    for coding in NAMES {
        let packed = pack(coding, &text);
        let site = coded(coding, &packed).await;
        let client = client(&[site.address]);
        for kind in [Kind::Page, Kind::Media] {
            let meter = Arc::new(Meter::default());
            let request = Request { meter: Some(Arc::clone(&meter)), ..Request::new(site.url(""), kind) };
            let opened = client.open(request).await.unwrap();
            assert_eq!(
                (opened.codings(), &opened.headers["content-encoding"]),
                (vec![coding], &coding.parse().unwrap())
            );
            let mut bytes = Vec::new();
            let saved = opened.body.save(&mut bytes).await.unwrap();
            assert_eq!((saved.sha256, saved.bytes), (Digest::of(&text), text.len() as u64), "{coding}");
            assert!(bytes == text);
            assert_eq!((meter.wire(), meter.inflated()), (packed.len() as u64, text.len() as u64));
        }
        let over = pack("gzip", &packed);
        let site = coded(&format!("{coding}, gzip"), &over).await;
        let opened = open(&super::client(&[site.address]), &site.url(""), Kind::Page).await;
        assert_eq!(opened.codings(), [coding, "gzip"]);
        assert!(opened.body.collect().await.unwrap() == text, "{coding} under gzip");
    }
}

#[tokio::test]
async fn bombs_of_every_kind() {
    let zeros = vec![0; 24 << 20];
    let roomy = |site: &Raw| FetchSettings {
        page_bytes_max: 1 << 30,
        media_bytes_max: 1 << 30,
        page_timeout_s: 60,
        ..settings(&[site.address])
    };
    for coding in NAMES {
        let packed = pack(coding, &zeros);
        let site = coded(coding, &packed).await;
        let error =
            error_of(open(&client(&[site.address]), &site.url(""), Kind::Page).await.body.collect().await);
        assert!(matches!(error, Error::TooLarge { .. }), "{coding}: {error}");
        let client = Client::new(&roomy(&site)).unwrap();
        let error = error_of(open(&client, &site.url(""), Kind::Page).await.body.collect().await);
        assert!(error.to_string().contains("more than 200 times as many"), "{coding}: {error}");
        let twice = pack("gzip", &packed);
        let site = coded(&format!("{coding}, gzip"), &twice).await;
        let client = Client::new(&roomy(&site)).unwrap();
        let error = error_of(open(&client, &site.url(""), Kind::Page).await.body.collect().await);
        assert!(error.to_string().contains("more than 200 times as many"), "{coding}: {error}");
    }
}

#[tokio::test]
async fn codings_that_lie() {
    let text = b"<p>plain text, never packed</p>".repeat(20);
    for coding in NAMES {
        let site = coded(coding, &text).await;
        let error =
            error_of(open(&client(&[site.address]), &site.url(""), Kind::Page).await.body.collect().await);
        assert!(matches!(error, Error::Inflate { .. }), "{coding}: {error}");

        let packed = pack(coding, &text);
        let site = coded(coding, &packed[..packed.len() - 3]).await;
        let error =
            error_of(open(&client(&[site.address]), &site.url(""), Kind::Page).await.body.collect().await);
        assert!(error.to_string().contains("end in the middle"), "{coding}: {error}");

        let site = coded(coding, &[&packed[..], b"\0 and garbage"].concat()).await;
        let bytes =
            open(&client(&[site.address]), &site.url(""), Kind::Page).await.body.collect().await.unwrap();
        assert!(bytes == text, "{coding}");

        let site = coded(coding, b"").await;
        assert_eq!(
            open(&client(&[site.address]), &site.url(""), Kind::Page).await.body.collect().await.unwrap(),
            b""
        );
    }
    for unknown in ["utf-8", "identity", "none", "aws-chunked, gzip"] {
        let site = coded(unknown, &text).await;
        let opened = open(&client(&[site.address]), &site.url(""), Kind::Page).await;
        assert_eq!(opened.codings(), [""; 0]);
        assert!(opened.body.collect().await.unwrap() == text, "{unknown}");
    }
    let site = coded("gzip, gzip, gzip", b"x").await;
    let error = error_of(client(&[site.address]).open(Request::new(site.url(""), Kind::Page)).await);
    assert!(matches!(error, Error::Inflate { .. }), "{error}");
    let site =
        fixed("HTTP/1.1 404 No\r\ncontent-encoding: gzip, gzip, gzip\r\ncontent-length: 1\r\n\r\nx").await;
    assert_eq!(open(&client(&[site.address]), &site.url(""), Kind::Page).await.status, 404);
}

#[tokio::test]
async fn budgets_stop_a_body_in_the_middle() {
    let body = [b'x'; 100_000];
    let site = coded("identity", &body).await;
    let client = client(&[site.address]);
    let allowance = |bytes| Arc::new(Allowance::new("the byte budget of this test".to_owned(), bytes));
    let ask = |allowances: &[&Arc<Allowance>]| Request {
        allowances: allowances.iter().map(|&allowance| Arc::clone(allowance)).collect(),
        ..Request::new(site.url(""), Kind::Media)
    };
    let exact = allowance(100_000);
    let opened = client.open(ask(&[&exact])).await.unwrap();
    assert_eq!(opened.body.collect().await.unwrap().len(), 100_000);
    assert_eq!(exact.left(), 0);
    // Used up: nothing more is read, and the error says whose it is.
    let error = error_of(client.open(ask(&[&exact])).await.unwrap().body.collect().await);
    let expected = format!(
        "http://{}/: the byte budget of this test is used up; stopped after 0 bytes of the body",
        site.address
    );
    assert_eq!(error.to_string(), expected);

    let (job, host) = (allowance(150_000), allowance(1 << 40));
    let first = client.open(ask(&[&host, &job])).await.unwrap();
    assert!(first.body.collect().await.is_ok());
    let second = client.open(ask(&[&host, &job])).await.unwrap();
    assert!(matches!(error_of(second.body.collect().await), Error::Budget { .. }));
    assert_eq!(job.left(), 0);
    assert!((1 << 40) - host.left() >= 150_000, "what came is counted by all");
    let peeked = client.open(ask(&[&allowance(10)])).await.unwrap();
    assert!(matches!(error_of({ peeked }.body.peek(100_000).await), Error::Budget { .. }));
}
