//! Captures → records.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};

use super::head;
use super::writer::{Block, RecordHead, WarcWriter, Written, one_line, uri_text};
use crate::base::{Digest, Timestamp};
use crate::evidence::capture::Capture;
use crate::evidence::section::Section;
use crate::net::{Exchange, Truncated};

/// What the media of a case is called where no single answer holds it.
pub(super) fn media_uri(sha256: &Digest) -> String {
    format!("urn:sha256:{sha256}")
}

/// Writes all records of a case.
///
/// `body` opens kept bytes by their digest. Where `withholds` is set, no body is written but the media's own: what stands for one is a
/// `revisit` with its digest, of bytes that are elsewhere. A body that is not kept is told by an empty one with `WARC-Truncated:
/// unspecified`; its digest stands in `earwitness/captures.json`.
///
/// # Errors
/// What the system says.
pub(in crate::evidence) fn write_captures(
    out: &mut dyn Write,
    (case_id, made_at): (&str, Timestamp),
    captures: &[Capture],
    media: (&Digest, &File),
    body: &dyn Fn(&Digest) -> io::Result<Option<File>>,
    withholds: bool,
) -> io::Result<()> {
    let own = withholds.then_some(*media.0);
    let mut records = Records { writer: WarcWriter::new(out, case_id), known: Known::new(), body, own };
    records.info(case_id, made_at)?;
    for exchange in captures.iter().flat_map(|capture| &capture.exchanges) {
        records.exchange(exchange)?;
    }
    if !records.known.contains_key(media.0) {
        let seen_at = captures.first().map_or(made_at, |capture| capture.sighting.captured_at);
        records.resource(media, seen_at)?;
    }
    Ok(())
}

/// Whole bodies that stand in the archive already: the record, its address, its date.
pub(super) type Known = BTreeMap<Digest, (String, String, Timestamp)>;

struct Records<'a> {
    writer: WarcWriter<'a>,
    known: Known,
    body: &'a dyn Fn(&Digest) -> io::Result<Option<File>>,
    /// The only body that is written, where others are withheld.
    own: Option<Digest>,
}

impl Records<'_> {
    fn info(&mut self, case_id: &str, date: Timestamp) -> io::Result<()> {
        let text = format!(
            "software: earwitness {}\r\nformat: WARC File Format 1.1\r\n\
             conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
             isPartOf: {case_id}\r\n",
            env!("CARGO_PKG_VERSION")
        );
        let head =
            RecordHead { kind: "warcinfo", uri: None, date, content_type: WARC_FIELDS, fields: Vec::new() };
        self.writer.put(&head, &Block { head: text.into_bytes(), payload: None })?;
        Ok(())
    }

    fn exchange(&mut self, exchange: &Exchange) -> io::Result<()> {
        let response = self.response(exchange)?;
        let concurrent = ("WARC-Concurrent-To", response.id);
        let head = RecordHead {
            kind: "request",
            uri: Some(&exchange.url),
            date: exchange.asked_at,
            content_type: REQUEST,
            fields: [Some(concurrent.clone()), address(exchange)].into_iter().flatten().collect(),
        };
        self.writer.put(&head, &Block { head: head::request(&exchange.request_head), payload: None })?;
        let head =
            RecordHead { kind: "metadata", content_type: WARC_FIELDS, fields: vec![concurrent], ..head };
        self.writer.put(&head, &Block { head: metadata(exchange).into_bytes(), payload: None })?;
        Ok(())
    }

    fn response(&mut self, exchange: &Exchange) -> io::Result<Written> {
        let head = head::response(&exchange.response_head, exchange.status);
        let mut fields: Vec<(&'static str, String)> = address(exchange).into_iter().collect();
        fields.extend(protocol(exchange));
        let mut record = RecordHead {
            kind: "response",
            uri: Some(&exchange.url),
            date: exchange.asked_at,
            content_type: RESPONSE,
            fields,
        };
        if let Some(revisit) = refers_to(&self.known, exchange) {
            record.kind = "revisit";
            record.fields.extend(revisit);
            record.fields.extend(truncated(exchange.truncated));
            return self.writer.put(&record, &Block { head, payload: None });
        }
        let file = match &exchange.body_sha256 {
            Some(sha256) if exchange.body_bytes > 0 => (self.body)(sha256)?,
            _ => None,
        };
        let withheld = exchange.body_sha256.filter(|sha256| self.own.is_some_and(|own| own != *sha256));
        if let Some(sha256) = withheld.filter(|_| file.is_some()) {
            record.kind = "revisit";
            record.fields.extend(stands_for(exchange, &sha256));
            record.fields.extend(truncated(exchange.truncated));
            return self.writer.put(&record, &Block { head, payload: None });
        }
        let left_out = file.is_none() && exchange.body_bytes > 0;
        record.fields.extend(truncated(exchange.truncated.or(left_out.then_some(Truncated::Unspecified))));
        let payload = file.as_ref().map(|file| Section::all(file)).transpose()?;
        let written = self.writer.put(&record, &Block { head, payload })?;
        if payload.is_some() {
            if exchange.body_sha256 != Some(written.sha256) {
                let what = format!(
                    "the store's bytes of {} are damaged (they have SHA-256 {})",
                    exchange.url, written.sha256
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            let place = (written.id.clone(), exchange.url.clone(), exchange.asked_at);
            self.known.insert(written.sha256, place);
        }
        Ok(written)
    }

    /// The media where it came in pieces, packed, or before exchanges were recorded.
    fn resource(&mut self, (sha256, file): (&Digest, &File), date: Timestamp) -> io::Result<()> {
        let uri = media_uri(sha256);
        let content_type = "application/octet-stream";
        let head = RecordHead { kind: "resource", uri: Some(&uri), date, content_type, fields: Vec::new() };
        self.writer.put(&head, &Block { head: Vec::new(), payload: Some(Section::all(file)?) })?;
        Ok(())
    }
}

pub(super) const RESPONSE: &str = "application/http; msgtype=response";
pub(super) const REQUEST: &str = "application/http; msgtype=request";
pub(super) const WARC_FIELDS: &str = "application/warc-fields";
const IDENTICAL_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";

/// The fields of a revisit, where the same bytes stand in an earlier record.
pub(super) fn refers_to(known: &Known, exchange: &Exchange) -> Option<[(&'static str, String); 5]> {
    let sha256 = exchange.body_sha256.filter(|_| exchange.body_bytes > 0)?;
    let (id, uri, date) = known.get(&sha256)?;
    Some([
        ("WARC-Profile", IDENTICAL_PAYLOAD.to_owned()),
        ("WARC-Refers-To", id.clone()),
        ("WARC-Refers-To-Target-URI", uri_text(uri)),
        ("WARC-Refers-To-Date", date.to_string()),
        ("WARC-Payload-Digest", format!("sha256:{sha256}")),
    ])
}

/// The fields of a revisit that stands for a body which is withheld.
pub(super) fn stands_for(exchange: &Exchange, body: &Digest) -> [(&'static str, String); 4] {
    [
        ("WARC-Profile", IDENTICAL_PAYLOAD.to_owned()),
        ("WARC-Refers-To-Target-URI", uri_text(&exchange.url)),
        ("WARC-Refers-To-Date", exchange.asked_at.to_string()),
        ("WARC-Payload-Digest", format!("sha256:{body}")),
    ]
}

/// The address that was contacted for it; a proxy's is not the site's.
pub(super) fn address(exchange: &Exchange) -> Option<(&'static str, String)> {
    let peer = exchange.peer.as_deref().filter(|_| !exchange.via_proxy)?;
    let address = peer.parse::<std::net::SocketAddr>().ok()?.ip();
    Some(("WARC-IP-Address", address.to_string()))
}

/// What was spoken, in the words of the extension that other archivers write (`WARC-Protocol`, `WARC-Cipher-Suite`).
pub(super) fn protocol(exchange: &Exchange) -> Vec<(&'static str, String)> {
    let http = match exchange.http.as_str() {
        "HTTP/2" | "HTTP/2.0" => "h2",
        "HTTP/3" | "HTTP/3.0" => "h3",
        "HTTP/1.0" => "http/1.0",
        _ => "http/1.1",
    };
    let mut fields = vec![("WARC-Protocol", http.to_owned())];
    if let Some(tls) = &exchange.tls {
        let version = tls.version.as_deref().and_then(|version| version.strip_prefix("TLSv"));
        fields.extend(version.map(|version| ("WARC-Protocol", format!("tls/{version}"))));
        fields.extend(tls.cipher.clone().map(|cipher| ("WARC-Cipher-Suite", cipher)));
    }
    fields
}

pub(super) fn truncated(why: Option<Truncated>) -> Option<(&'static str, String)> {
    let word = match why? {
        Truncated::Length => "length",
        Truncated::Time => "time",
        Truncated::Disconnect => "disconnect",
        Truncated::Unspecified => "unspecified",
    };
    Some(("WARC-Truncated", word.to_owned()))
}

/// What else is known of an exchange, one field a line.
pub(super) fn metadata(exchange: &Exchange) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| text.push_str(&format!("{name}: {}\r\n", one_line(value)));
    field("askedAt", &exchange.asked_at.to_string());
    field("answeredAt", &exchange.answered_at.to_string());
    field("httpVersion", &exchange.http);
    if let Some(peer) = &exchange.peer {
        field(if exchange.via_proxy { "proxyAddress" } else { "peerAddress" }, peer);
    }
    if let Some(dns) = &exchange.dns {
        field("dnsName", &dns.name);
        field("dnsAt", &dns.at.to_string());
        dns.addresses.iter().for_each(|address| field("dnsAddress", address));
    }
    if let Some(tls) = &exchange.tls {
        field("tlsVersion", tls.version.as_deref().unwrap_or("unknown"));
        field("tlsCipher", tls.cipher.as_deref().unwrap_or("unknown"));
        tls.certificates.iter().for_each(|certificate| field("tlsCertificate", certificate));
    }
    if let Some(sha256) = &exchange.body_sha256 {
        field("bodySha256", &sha256.to_string());
        field("bodyBytes", &exchange.body_bytes.to_string());
    }
    text
}
