//! One record after another.

use std::io::{self, Write};

use crate::base::{Digest, Hasher, Timestamp};
use crate::evidence::section::Section;

/// What a record says of itself.
pub(super) struct RecordHead<'a> {
    pub(super) kind: &'static str,
    pub(super) uri: Option<&'a str>,
    pub(super) date: Timestamp,
    pub(super) content_type: &'static str,
    /// More fields, in their order; values are made harmless.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// A record's block: what was made for it, and the bytes that follow.
pub(super) struct Block<'a> {
    pub(super) head: Vec<u8>,
    pub(super) payload: Option<Section<'a>>,
}

/// Where a record can be referred to.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) id: String,
    /// Of the payload.
    pub(super) sha256: Digest,
}

/// Writes records.
pub(super) struct WarcWriter<'w> {
    out: &'w mut dyn Write,
    /// What the identifiers are made from, besides the records themselves: the same capture has the same ones.
    seed: String,
    count: u64,
}

impl<'w> WarcWriter<'w> {
    pub(super) fn new(out: &'w mut dyn Write, seed: &str) -> Self {
        Self { out, seed: seed.to_owned(), count: 0 }
    }

    /// Writes one record; its payload is read twice, as its digest stands before it.
    pub(super) fn put(&mut self, head: &RecordHead<'_>, block: &Block<'_>) -> io::Result<Written> {
        let (of_block, of_payload) = digests(block)?;
        let id = self.next_id(head);
        let mut text = format!(
            "WARC/1.1\r\nWARC-Type: {}\r\nWARC-Record-ID: {id}\r\nWARC-Date: {}\r\n",
            head.kind, head.date
        );
        let mut field = |name: &str, value: &str| text.push_str(&format!("{name}: {}\r\n", one_line(value)));
        if let Some(uri) = head.uri {
            field("WARC-Target-URI", &uri_text(uri));
        }
        for (name, value) in &head.fields {
            field(name, value);
        }
        field("WARC-Block-Digest", &format!("sha256:{of_block}"));
        if matches!(head.kind, "response" | "resource") {
            field("WARC-Payload-Digest", &format!("sha256:{of_payload}"));
        }
        field("Content-Type", head.content_type);
        let bytes = block.head.len() as u64 + block.payload.map_or(0, |payload| payload.bytes);
        field("Content-Length", &bytes.to_string());
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\r\n")?;
        self.out.write_all(&block.head)?;
        if let Some(payload) = &block.payload {
            payload.each(|piece| self.out.write_all(piece))?;
        }
        self.out.write_all(b"\r\n\r\n")?;
        Ok(Written { id, sha256: of_payload })
    }

    /// A name-based identifier (RFC 9562, version 8).
    fn next_id(&mut self, head: &RecordHead<'_>) -> String {
        self.count += 1;
        let uri = head.uri.unwrap_or_default();
        let name = format!("{}\n{}\n{}\n{}\n{uri}\n", self.seed, self.count, head.kind, head.date);
        let digest = Digest::of(name.as_bytes());
        let mut number =
            digest.as_bytes().iter().take(16).fold(0u128, |all, byte| all << 8 | u128::from(*byte));
        number = number & !(0xf << 76) | 8 << 76;
        number = number & !(0x3 << 62) | 2 << 62;
        let hex = format!("{number:032x}");
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
        format!(
            "<urn:uuid:{}-{}-{}-{}-{}>",
            part(0..8),
            part(8..12),
            part(12..16),
            part(16..20),
            part(20..32)
        )
    }
}

/// Of the whole block, and of the payload in it.
fn digests(block: &Block<'_>) -> io::Result<(Digest, Digest)> {
    let (mut of_block, mut of_payload) = (Hasher::new(), Hasher::new());
    of_block.update(&block.head);
    if let Some(payload) = &block.payload {
        payload.each(|piece| {
            of_block.update(piece);
            of_payload.update(piece);
            Ok(())
        })?;
    }
    Ok((of_block.finish(), of_payload.finish()))
}

/// Text from outside as the value of a field: nothing in it ends the line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// An address as the value of a field: without spaces, which readers take for its end.
pub(super) fn uri_text(uri: &str) -> String {
    let encode = |c: char| {
        if c.is_control() || c.is_whitespace() || matches!(c, '<' | '>') {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect()
        } else {
            c.to_string()
        }
    };
    uri.chars().map(encode).collect()
}
