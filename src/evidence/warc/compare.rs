//! Records and captures say the same, word for word.
//!
//! Nothing is left to be told by one of them alone: of each captured exchange the three records are made again, all but their
//! bodies, and compared.

use std::collections::BTreeSet;

use super::captures::{
    Known, REQUEST, RESPONSE, WARC_FIELDS, address, media_uri, metadata, protocol, refers_to, stands_for,
    truncated,
};
use super::head;
use super::reader::{Record, fields_of};
use super::writer::{one_line, uri_text};
use crate::base::Digest;
use crate::evidence::capture::Capture;
use crate::evidence::section::Section;
use crate::net::{Exchange, Truncated};

/// Fields that every record has, and that are compared by what they mean.
const OWN_FIELDS: [&str; 7] = [
    "WARC-Type",
    "WARC-Record-ID",
    "WARC-Date",
    "WARC-Target-URI",
    "WARC-Block-Digest",
    "Content-Type",
    "Content-Length",
];

/// Compares the records of an archive with the captures that it was made from; gives the number of their exchanges. Bodies in
/// `withheld` are not in the archive.
///
/// # Errors
/// The first record that is not what the captures say.
pub(in crate::evidence) fn compare(
    archive: &Section<'_>,
    records: &[Record<'_>],
    captures: &[Capture],
    withheld: &BTreeSet<Digest>,
) -> Result<usize, String> {
    let mut comparison = Comparison { archive, known: Known::new(), withheld };
    // The first is about the archive itself.
    let mut records = records.iter().skip(1);
    let mut count = 0;
    for exchange in captures.iter().flat_map(|capture| &capture.exchanges) {
        let (Some(answer), Some(request), Some(metadata)) = (records.next(), records.next(), records.next())
        else {
            return Err(format!("it ends before the exchange with {}", exchange.url.escape_debug()));
        };
        comparison.answer(answer, exchange)?;
        comparison.request(request, answer, exchange)?;
        comparison.metadata(metadata, answer, exchange)?;
        count += 1;
    }
    // Media that no single answer holds stands behind them.
    let media = captures.first().map(|capture| capture.sighting.sha256);
    let is_media = |record: &Record<'_>| {
        record.kind == "resource"
            && record.uri.as_deref() == Some(media_uri(&record.sha256).as_str())
            && media.is_none_or(|media| media == record.sha256)
    };
    match records.find(|record| !is_media(record)) {
        Some(other) => Err(format!("the record at byte {} is that of no captured exchange", other.offset)),
        None => Ok(count),
    }
}

struct Comparison<'a> {
    archive: &'a Section<'a>,
    /// Bodies that stood in an answer before.
    known: Known,
    /// Bodies that are said to be left out of the archive.
    withheld: &'a BTreeSet<Digest>,
}

impl Comparison<'_> {
    fn answer(&mut self, record: &Record<'_>, exchange: &Exchange) -> Result<(), String> {
        let body = exchange.body_sha256.filter(|_| exchange.body_bytes > 0);
        let withheld = body.filter(|sha256| self.withheld.contains(sha256));
        let earlier: Option<Vec<_>> = match withheld {
            Some(sha256) => Some(stands_for(exchange, &sha256).into()),
            None => refers_to(&self.known, exchange).map(Into::into),
        };
        let kind = if earlier.is_some() { "revisit" } else { "response" };
        same(record, "kind", record.kind == kind)?;
        let is_left_out = earlier.is_none() && exchange.body_bytes > 0 && record.payload.bytes == 0;
        let whole = body.filter(|_| !is_left_out);
        same(record, "body", whole.is_none_or(|sha256| sha256 == record.sha256))?;
        same(record, "status", record.status == Some(exchange.status))?;
        let head = head::response(&exchange.response_head, exchange.status);
        let block = record.block.part(0, head.len() as u64);
        same(record, "head", record.block.bytes == head.len() as u64 + record.payload.bytes)?;
        same(record, "head", holds(&block, &head))?;
        let mut fields: Vec<(&'static str, String)> = address(exchange).into_iter().collect();
        fields.extend(protocol(exchange));
        fields.extend(earlier.into_iter().flatten());
        let cut = exchange.truncated.or(is_left_out.then_some(Truncated::Unspecified));
        fields.extend(truncated(cut));
        self.fields(record, exchange, RESPONSE, &fields)?;
        if record.kind == "response" && record.payload.bytes > 0 {
            let place = (record.id.clone(), exchange.url.clone(), exchange.asked_at);
            self.known.insert(record.sha256, place);
        }
        Ok(())
    }

    fn request(&self, record: &Record<'_>, answer: &Record<'_>, exchange: &Exchange) -> Result<(), String> {
        same(record, "kind", record.kind == "request")?;
        same(record, "head", holds(&record.block, &head::request(&exchange.request_head)))?;
        let concurrent = ("WARC-Concurrent-To", answer.id.clone());
        let fields: Vec<_> = [Some(concurrent), address(exchange)].into_iter().flatten().collect();
        self.fields(record, exchange, REQUEST, &fields)
    }

    fn metadata(&self, record: &Record<'_>, answer: &Record<'_>, exchange: &Exchange) -> Result<(), String> {
        same(record, "kind", record.kind == "metadata")?;
        same(record, "connection", holds(&record.block, metadata(exchange).as_bytes()))?;
        self.fields(record, exchange, WARC_FIELDS, &[("WARC-Concurrent-To", answer.id.clone())])
    }

    /// The fields of a record's head are those that are written for the exchange, and no others.
    fn fields(
        &self,
        record: &Record<'_>,
        exchange: &Exchange,
        content_type: &str,
        wanted: &[(&'static str, String)],
    ) -> Result<(), String> {
        same(record, "instant", record.date == exchange.asked_at)?;
        same(record, "address", record.uri.as_deref() == Some(uri_text(&exchange.url).as_str()))?;
        let found = fields_of(self.archive, record)?;
        same(record, "Content-Type", found.get("Content-Type") == Some(content_type))?;
        // A revisit's names what it refers to; that of an answer has been checked with its bytes.
        let is_own = |name: &str| {
            OWN_FIELDS.contains(&name) || (name == "WARC-Payload-Digest" && record.kind == "response")
        };
        let mut found = found.lines.iter().filter(|(name, _)| !is_own(name));
        let all = wanted.iter().all(|(name, value)| {
            found.next().is_some_and(|(own, told)| own == name && *told == one_line(value))
        });
        same(record, "fields", all && found.next().is_none())
    }
}

fn holds(block: &Section<'_>, wanted: &[u8]) -> bool {
    block.bytes == wanted.len() as u64 && block.read(block.bytes).is_ok_and(|bytes| bytes == wanted)
}

fn same(record: &Record<'_>, what: &str, is_same: bool) -> Result<(), String> {
    if is_same {
        return Ok(());
    }
    Err(format!(
        "the record at byte {} is not that of the captured exchange: its {what} differs",
        record.offset
    ))
}
