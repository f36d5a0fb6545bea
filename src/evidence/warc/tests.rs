//! Archives that were touched, and bytes that are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;

use proptest::prelude::*;

use super::writer::{Block, RecordHead, WarcWriter, one_line, uri_text};
use super::{head, read};
use crate::base::Timestamp;
use crate::evidence::section::Section;

fn archive(uri: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = WarcWriter::new(&mut out, "C-1");
    let date = Timestamp::UNIX_EPOCH;
    let info =
        RecordHead { kind: "warcinfo", uri: None, date, content_type: "text/plain", fields: Vec::new() };
    writer.put(&info, &Block { head: b"x".to_vec(), payload: None }).unwrap();
    let response = RecordHead { kind: "response", uri: Some(uri), ..info };
    let block = Block {
        head: head::response("HTTP/1.1 200 OK\r\nContent-Type: Audio/MPEG; x\r\n", 200),
        payload: Some(Section::of(payload)),
    };
    let written = writer.put(&response, &block).unwrap();
    let request =
        RecordHead { kind: "request", fields: vec![("WARC-Concurrent-To", written.id)], ..response };
    writer.put(&request, &Block { head: head::request("GET / HTTP/1.1\r\n"), payload: None }).unwrap();
    out.flush().unwrap();
    out
}

fn count(bytes: &[u8]) -> Result<usize, String> {
    let section = Section::of(bytes);
    read(&section).map(|records| records.len()).map_err(|fault| fault.to_string())
}

#[test]
fn records_come_back_with_what_they_say() {
    let payload = b"media\r\n\r\nmore".to_vec();
    let bytes = archive("http://a.example/x y\r\nWARC-Type: z", &payload);
    let section = Section::of(&bytes);
    let records = read(&section).unwrap();
    let response = &records[1];
    assert_eq!(response.uri.as_deref(), Some("http://a.example/x%20y%0D%0AWARC-Type:%20z"));
    assert_eq!((response.status, response.mime.as_deref()), (Some(200), Some("audio/mpeg")));
    assert_eq!(response.payload.read(100).unwrap(), payload);
    assert_eq!(records.iter().map(|record| record.bytes).sum::<u64>(), bytes.len() as u64);
}

#[test]
fn heads_are_made_readable() {
    let head = head::response("HTTP/2 404\r\nTransfer-Encoding: chunked\r\nx: a\n\nb\r\n\r\nc: d\r\n", 404);
    assert_eq!(
        String::from_utf8(head).unwrap(),
        "HTTP/1.1 404\r\nx-orig-Transfer-Encoding: chunked\r\nx: a  b\r\nc: d\r\n\r\n"
    );
    assert_eq!(head::response("", 503), b"HTTP/1.1 503\r\n\r\n");
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_block_is_seen(payload in prop::collection::vec(any::<u8>(), 1..60), at in any::<prop::sample::Index>(), change in 1u8..) {
        let mut bytes = archive("http://a.example/", &payload);
        prop_assert_eq!(count(&bytes), Ok(3));
        let place = bytes.windows(payload.len()).rposition(|part| part == payload).unwrap() + at.index(payload.len());
        bytes[place] ^= change;
        prop_assert!(count(&bytes).is_err());
    }

    #[test]
    fn arbitrary_and_mutated_bytes_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>(),
    ) {
        prop_assert!(count(&bytes).is_err());
        prop_assert!(count(&[b"WARC/1.1\r\n", &bytes[..]].concat()).is_err());
        let mut mutated = archive("http://a.example/", &bytes);
        for (at, value) in changes {
            let at = at.index(mutated.len());
            mutated[at] = value;
        }
        let _ = count(&mutated);
        mutated.truncate(cut.index(mutated.len()));
        let _ = count(&mutated);
    }

    #[test]
    fn no_text_ends_a_line(text in any::<String>()) {
        prop_assert!(!one_line(&text).contains(['\r', '\n']));
        prop_assert!(!uri_text(&text).chars().any(|c| c.is_control() || c.is_whitespace()));
    }
}
