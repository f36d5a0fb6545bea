//! Bodies as they were recorded, with the content codings taken off again.

use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};

use super::Exchange;
use super::inflate::{Inflater, Out, codings};

/// Bytes that are made at a time.
const STEP_BYTES: usize = 16 << 10;

impl Exchange {
    /// A header of the answer; of several of one name the first.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<&str> {
        let lines = self.response_head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut named = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim())
    }

    /// Takes the content codings off the bytes of the body, up to `most` bytes; what is broken ends there.
    #[must_use]
    pub fn plain_body(&self, body: Vec<u8>, most: usize) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        if let Some(value) =
            self.response_header("content-encoding").and_then(|text| HeaderValue::from_str(text).ok())
        {
            headers.insert(CONTENT_ENCODING, value);
        }
        let Some(mut inflater) = codings(&headers).ok().and_then(|codings| Inflater::new(&codings)) else {
            let mut body = body;
            body.truncate(most);
            return body;
        };
        inflater.feed(body);
        let (mut plain, mut piece, mut is_fed) = (Vec::new(), vec![0; STEP_BYTES], true);
        while plain.len() < most {
            match inflater.step(&mut piece) {
                Ok(Out::Bytes(count)) => plain.extend(piece.iter().take(count.min(most - plain.len()))),
                Ok(Out::Hungry) if is_fed => {
                    inflater.end();
                    is_fed = false;
                }
                Ok(Out::Hungry | Out::End) | Err(_) => break,
            }
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use super::*;
    use crate::base::Timestamp;

    fn exchange(head: &str) -> Exchange {
        Exchange {
            url: "http://a.example/".to_owned(),
            asked_at: Timestamp::UNIX_EPOCH,
            answered_at: Timestamp::UNIX_EPOCH,
            http: "HTTP/1.1".to_owned(),
            request_head: String::new(),
            response_head: format!("HTTP/1.1 200 OK\r\n{head}"),
            status: 200,
            peer: None,
            via_proxy: false,
            dns: None,
            tls: None,
            body_sha256: None,
            body_bytes: 0,
            truncated: None,
        }
    }

    #[test]
    fn codings_are_taken_off_as_far_as_they_go() {
        let text = b"free music ".repeat(10_000);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(&text).unwrap();
        let packed = packed.finish().unwrap();
        let gzipped = exchange("Content-Type: text/html\r\ncontent-encoding: gzip\r\n");
        assert_eq!(gzipped.response_header("CONTENT-TYPE"), Some("text/html"));
        assert_eq!(gzipped.plain_body(packed.clone(), usize::MAX), text);
        assert_eq!(gzipped.plain_body(packed.clone(), 1000), text[..1000]);
        let half = gzipped.plain_body(packed[..packed.len() / 2].to_vec(), usize::MAX);
        assert!(text.starts_with(&half) && half.len() < text.len());
        assert_eq!(exchange("").plain_body(text.clone(), 4), b"free");
        assert!(gzipped.plain_body(b"no gzip at all".to_vec(), 100).is_empty());
    }
}
