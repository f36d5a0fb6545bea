//! Bytes → records, strictly: what stands in the archive is what their digests say.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::head::HEAD_BYTES_MAX;
use crate::base::{Digest, Hasher, Timestamp};
use crate::evidence::section::Section;

/// The longest head of a record: its fields are short, but for an address.
const FIELDS_BYTES_MAX: u64 = 256 << 10;

/// The most records of a bundle: many times what a case has, and more than is put into one (see `room`).
const RECORDS_MAX: usize = 200_000;

/// The most bytes of addresses and types that are kept of all records together: each stands in `captures.json` too, which is
/// not longer.
const TEXTS_BYTES_MAX: usize = 256 << 20;

/// How long an identifier is: `<urn:uuid:`, 36 characters, `>`.
const ID_BYTES: usize = 47;

/// What is read first of a head; few are longer.
const FIRST_BYTES: u64 = 4 << 10;

/// One record.
#[derive(Clone)]
pub(in crate::evidence) struct Record<'a> {
    /// `response`, `request`, `metadata` …
    pub(in crate::evidence) kind: String,
    /// Its identifier.
    pub(in crate::evidence) id: String,
    /// What it is about; the three records of an exchange share it.
    pub(in crate::evidence) uri: Option<Arc<str>>,
    /// When it was captured.
    pub(in crate::evidence) date: Timestamp,
    /// Where it begins in the archive.
    pub(in crate::evidence) offset: u64,
    /// How long it is, with the empty lines behind it.
    pub(in crate::evidence) bytes: u64,
    /// What stands behind its head.
    pub(in crate::evidence) block: Section<'a>,
    /// What follows the head of HTTP; the whole block where there is none.
    pub(in crate::evidence) payload: Section<'a>,
    /// The payload's digest; of a revisit, that of the payload it refers to.
    pub(in crate::evidence) sha256: Digest,
    /// The HTTP status of an answer.
    pub(in crate::evidence) status: Option<u16>,
    /// The type that the server told, or the record's own.
    pub(in crate::evidence) mime: Option<String>,
}

/// Why bytes are no such archive.
#[derive(Debug, thiserror::Error)]
pub(in crate::evidence) enum WarcFault {
    /// They cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A record is not as it should be.
    #[error("the record at byte {offset}: {what}")]
    Form {
        /// Where the record begins, from the start of the archive.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads all records of an archive and checks their digests. In memory are their heads, one at a time, and what is told of
/// each, within bounds.
///
/// # Errors
/// [`WarcFault`] with the first record that is not as it should be.
pub(in crate::evidence) fn read<'a>(archive: &Section<'a>) -> Result<Vec<Record<'a>>, WarcFault> {
    let (mut records, mut ids) = (Vec::<Record<'a>>::new(), BTreeSet::new());
    let (mut offset, mut texts_bytes) = (0, 0);
    while offset < archive.bytes {
        let fault = |what: String| WarcFault::Form { offset, what };
        if records.len() >= RECORDS_MAX {
            return Err(fault(format!("there are more than {RECORDS_MAX}")));
        }
        let (mut record, concurrent_to) = read_one(archive, offset)?;
        if records.is_empty() != (record.kind == "warcinfo") {
            return Err(fault("the first record, and no other, is `warcinfo`".to_owned()));
        }
        if let Some(other) = concurrent_to.filter(|other| !ids.contains(other)) {
            let other = other.chars().take(ID_BYTES).collect::<String>();
            return Err(fault(format!("it belongs to {other}, which does not come before it")));
        }
        if !ids.insert(record.id.clone()) {
            return Err(fault(format!("its identifier {} comes twice", record.id)));
        }
        match records.last() {
            Some(last) if last.uri == record.uri => record.uri.clone_from(&last.uri),
            _ => texts_bytes += record.uri.as_ref().map_or(0, |uri| uri.len()),
        }
        texts_bytes += record.mime.as_ref().map_or(0, String::len);
        if texts_bytes > TEXTS_BYTES_MAX {
            return Err(fault(format!("addresses and types up to it have over {TEXTS_BYTES_MAX} bytes")));
        }
        offset += record.bytes;
        records.push(record);
    }
    if records.is_empty() {
        return Err(WarcFault::Form { offset, what: "there is none".to_owned() });
    }
    Ok(records)
}

/// Reads the fields of a record again.
///
/// # Errors
/// Why they cannot be read, which is none of the record's own faults.
pub(super) fn fields_of(archive: &Section<'_>, record: &Record<'_>) -> Result<Fields, String> {
    let window = archive.part(record.offset, FIELDS_BYTES_MAX);
    fields(&head_of(&window).map_err(|error| error.to_string())?.unwrap_or_default())
}

/// The fields of a record's head.
pub(super) struct Fields {
    pub(super) lines: Vec<(String, String)>,
    /// Length of the head with the empty line behind it.
    bytes: u64,
}

impl Fields {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("it has no {name}"))
    }
}

/// The record at `offset`, and the one that it says it belongs to.
fn read_one<'a>(archive: &Section<'a>, offset: u64) -> Result<(Record<'a>, Option<String>), WarcFault> {
    let fault = |what: String| WarcFault::Form { offset, what };
    let head = head_of(&archive.part(offset, FIELDS_BYTES_MAX))?;
    let head = head.ok_or_else(|| fault("its head does not end".to_owned()))?;
    let fields = fields(&head).map_err(fault)?;
    let told = Told::of(&fields).map_err(fault)?;
    let block = archive.part(offset + fields.bytes, told.length);
    let end = archive.part(offset + fields.bytes + block.bytes, 4).read(4)?;
    if block.bytes != told.length || end != b"\r\n\r\n" {
        return Err(fault("it is not followed by two empty lines".to_owned()));
    }
    let is_http = matches!(told.kind.as_str(), "response" | "revisit" | "request");
    let (http, head_bytes) = if is_http {
        http_head(&block)?.ok_or_else(|| fault("its block has no head of HTTP".to_owned()))?
    } else {
        (Http::default(), 0)
    };
    let payload = block.part(head_bytes, block.bytes);
    let (of_block, of_payload) = digests(&block, head_bytes)?;
    if told.block != of_block {
        return Err(fault("its block does not fit its digest".to_owned()));
    }
    let is_revisit = told.kind == "revisit";
    if is_revisit && payload.bytes > 0 {
        return Err(fault("a revisit has no payload of its own".to_owned()));
    }
    if !is_revisit && told.payload.is_some_and(|told| told != of_payload) {
        return Err(fault("its payload does not fit its digest".to_owned()));
    }
    if told.payload.is_none() && matches!(told.kind.as_str(), "response" | "revisit" | "resource") {
        return Err(fault("it has no WARC-Payload-Digest".to_owned()));
    }
    let record = Record {
        offset,
        bytes: fields.bytes + block.bytes + 4,
        block,
        payload,
        sha256: told.payload.unwrap_or(of_payload),
        status: http.status,
        mime: http.mime.or(told.mime.filter(|_| !is_http)),
        kind: told.kind,
        id: told.id,
        uri: told.uri.map(Arc::from),
        date: told.date,
    };
    Ok((record, fields.get("WARC-Concurrent-To").map(str::to_owned)))
}

/// What a record's fields say.
struct Told {
    kind: String,
    id: String,
    date: Timestamp,
    uri: Option<String>,
    length: u64,
    block: Digest,
    payload: Option<Digest>,
    mime: Option<String>,
}

impl Told {
    fn of(fields: &Fields) -> Result<Self, String> {
        let kind = fields.need("WARC-Type")?.to_owned();
        let known = ["warcinfo", "response", "revisit", "request", "metadata", "resource"];
        if !known.contains(&kind.as_str()) {
            return Err(format!("its type `{}` is none that is written here", kind.escape_debug()));
        }
        let id = fields.need("WARC-Record-ID")?.to_owned();
        if id.len() != ID_BYTES || !id.starts_with("<urn:uuid:") || !id.ends_with('>') {
            return Err("its identifier is no UUID".to_owned());
        }
        let number = fields.need("Content-Length")?;
        Ok(Self {
            id,
            date: fields.need("WARC-Date")?.parse().map_err(|_| "its date is none".to_owned())?,
            uri: fields.get("WARC-Target-URI").map(str::to_owned),
            length: number.parse().map_err(|_| "its length is no number".to_owned())?,
            block: digest(fields.need("WARC-Block-Digest")?)?,
            payload: fields.get("WARC-Payload-Digest").map(digest).transpose()?,
            mime: fields.get("Content-Type").map(str::to_owned),
            kind,
        })
    }
}

fn digest(text: &str) -> Result<Digest, String> {
    let hex = text.strip_prefix("sha256:").ok_or("a digest is not of the kind sha256")?;
    hex.parse().map_err(|_| "a digest is not 64 hexadecimal digits".to_owned())
}

/// What stands at the start of a section up to the first empty line and with it; none where there is no such line. It is read
/// in growing pieces, so that many short records do not cost as much as long ones.
fn head_of(section: &Section<'_>) -> io::Result<Option<Vec<u8>>> {
    let mut wanted = FIRST_BYTES;
    loop {
        let mut head = section.part(0, wanted).read(wanted)?;
        if let Some(end) = find_empty_line(&head) {
            head.truncate(end + 4);
            return Ok(Some(head));
        }
        if wanted >= section.bytes {
            return Ok(None);
        }
        wanted = wanted.saturating_mul(8);
    }
}

fn fields(head: &[u8]) -> Result<Fields, String> {
    let end = find_empty_line(head).ok_or("its head does not end")?;
    let text =
        head.get(..end).and_then(|text| std::str::from_utf8(text).ok()).ok_or("its head is no UTF-8")?;
    let mut lines = text.split("\r\n");
    if lines.next() != Some("WARC/1.1") {
        return Err("it does not begin with WARC/1.1".to_owned());
    }
    let pair = |line: &str| {
        let (name, value) =
            line.split_once(": ").ok_or_else(|| "a line of its head is no field".to_owned())?;
        Ok((name.to_owned(), value.to_owned()))
    };
    let lines = lines.map(pair).collect::<Result<Vec<_>, String>>()?;
    Ok(Fields { lines, bytes: end as u64 + 4 })
}

/// Where an empty line begins: behind the line before it.
fn find_empty_line(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n")
}

/// What the head of an answer tells.
#[derive(Default)]
struct Http {
    status: Option<u16>,
    mime: Option<String>,
}

/// The head of HTTP at the start of a block, and its length.
fn http_head(block: &Section<'_>) -> io::Result<Option<(Http, u64)>> {
    let Some(head) = head_of(&block.part(0, HEAD_BYTES_MAX as u64))? else { return Ok(None) };
    let text = String::from_utf8_lossy(head.strip_suffix(b"\r\n\r\n").unwrap_or(&head)).into_owned();
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    let mut values = lines.filter_map(|line| line.split_once(':'));
    let mime = values.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let mime = mime.map(|(_, value)| value.split(';').next().unwrap_or_default().trim().to_lowercase());
    Ok(Some((Http { status, mime: mime.filter(|mime| !mime.is_empty()) }, head.len() as u64)))
}

/// Of the whole block, and of what follows its first `head_bytes`.
fn digests(block: &Section<'_>, head_bytes: u64) -> io::Result<(Digest, Digest)> {
    let (mut of_block, mut of_payload) = (Hasher::new(), Hasher::new());
    let head = block.part(0, head_bytes);
    head.each(|piece| {
        of_block.update(piece);
        Ok(())
    })?;
    block.part(head_bytes, block.bytes).each(|piece| {
        of_block.update(piece);
        of_payload.update(piece);
        Ok(())
    })?;
    Ok((of_block.finish(), of_payload.finish()))
}
