//! The requests on the way to a media object as they went over the wire, for the evidence.
//!
//! What was recorded of a document is kept with it in the store, so that it is there when the document's media are found,
//! be it after a kill. Certificates and robots.txt, which many share, are kept once. Bodies are kept as files only of what
//! may become evidence (robots.txt, documents that lead to media, playlists, keys), and only until the run is over, unless
//! a case rests on them.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::engine::{Engine, Stop};
use super::frontier::Frontier;
use super::records::{JobRecord, JobState, hash, job_key};
use crate::base::lock;
use crate::net::{Exchange, Recorded, TlsSeen, Trace};
use crate::store::{self, Record, Store};

/// Exchanges that are recorded of one media object; a stream in more segments says that not all are there.
const EXCHANGES_MAX: usize = 4000;
/// Bytes of them. With certificates an exchange has some 8 KiB, most of them the certificates.
const EXCHANGES_BYTES_MAX: usize = 16 << 20;
/// A longer record gets shorter heads; the store takes up to 64 KiB.
const RECORD_BYTES_MAX: usize = 60 << 10;
/// To what the heads of such a record are cut: with both, their quotes escaped, and the address it is short enough.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// An exchange, with the number of what was recorded of the robots.txt by which it was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traced {
    pub(super) exchange: Exchange,
    pub(super) robots: Option<u64>,
}

impl Traced {
    /// About how many bytes it takes.
    fn bytes(&self) -> usize {
        let Exchange { url, request_head, response_head, tls, .. } = &self.exchange;
        let certificates = tls.iter().flat_map(|tls| &tls.certificates).map(String::len).sum::<usize>();
        url.len() + request_head.len() + response_head.len() + certificates + size_of::<Self>()
    }
}

/// A request of the run while it is recorded.
pub(super) struct Tracing {
    pub(super) trace: Arc<Trace>,
    /// By which robots.txt each hop was allowed.
    pub(super) robots: Vec<Option<u64>>,
}

impl Tracing {
    /// What was recorded, with the bytes of the body where they were wanted. The body must have been read or dropped.
    pub(super) fn take(&self) -> (Vec<Traced>, Option<Vec<u8>>) {
        let Recorded { exchanges, body } = self.trace.take();
        let robots = self.robots.iter().copied().chain(std::iter::repeat(None));
        let traced =
            exchanges.into_iter().zip(robots).map(|(exchange, robots)| Traced { exchange, robots }).collect();
        (traced, body)
    }
}

/// Exchanges in order, as many as may be recorded of one media object.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchanges {
    list: Vec<Traced>,
    bytes: usize,
    has_left_out: bool,
}

impl Exchanges {
    pub(super) fn add(&mut self, more: impl IntoIterator<Item = Traced>) {
        for traced in more {
            self.bytes = self.bytes.saturating_add(traced.bytes());
            if self.list.len() < EXCHANGES_MAX && self.bytes <= EXCHANGES_BYTES_MAX {
                self.list.push(traced);
            } else {
                self.has_left_out = true;
            }
        }
    }

    /// The exchanges themselves, and whether some found no room.
    pub(super) fn into_parts(self) -> (Vec<Exchange>, bool) {
        (self.list.into_iter().map(|traced| traced.exchange).collect(), self.has_left_out)
    }
}

impl From<Vec<Traced>> for Exchanges {
    fn from(list: Vec<Traced>) -> Self {
        let mut all = Self::default();
        all.add(list);
        all
    }
}

/// One exchange of a document or robots.txt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ExchangeRecord {
    key: String,
    /// Without what was seen of the encrypted connection.
    exchange: Exchange,
    /// The key of that.
    tls: Option<String>,
    robots: Option<u64>,
}

impl Record for ExchangeRecord {
    const KIND: &'static str = "crawl_exchange";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// What was seen of encrypted connections to one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TlsRecord {
    key: String,
    tls: TlsSeen,
}

impl Record for TlsRecord {
    const KIND: &'static str = "crawl_tls";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

impl Frontier<'_> {
    /// Keeps what was recorded of the document, or robots.txt, of this number, with the next batch.
    pub(super) fn keep_exchanges(&mut self, number: u64, all: Vec<Traced>) -> Result<(), store::Error> {
        for (place, Traced { mut exchange, robots }) in all.into_iter().enumerate() {
            let tls = exchange.tls.take().map(|tls| self.keep_tls(tls)).transpose()?;
            let key = format!("{}{place:02x}", self.exchanges_prefix(number));
            let mut record = ExchangeRecord { key, exchange, tls, robots };
            if serde_json::to_vec(&record).is_ok_and(|bytes| bytes.len() > RECORD_BYTES_MAX) {
                record.exchange.cut_heads(HEAD_BYTES_MAX);
            }
            self.keep(&record)?;
        }
        Ok(())
    }

    fn keep_tls(&mut self, tls: TlsSeen) -> Result<String, store::Error> {
        let TlsSeen { version, cipher, certificates } = &tls;
        let text = format!("{version:?} {cipher:?} {certificates:?}");
        let key = format!("{}/{}", self.prefix, hash(&text, 32));
        // Thousands of requests go over one connection.
        if self.store.get::<TlsRecord>(&key)?.is_none() {
            self.keep(&TlsRecord { key: key.clone(), tls })?;
        }
        Ok(key)
    }

    fn exchanges_prefix(&self, number: u64) -> String {
        format!("{}/{number:012x}/", self.prefix)
    }

    fn exchanges_of(&self, number: u64) -> Result<Vec<Traced>, store::Error> {
        let mut all = Vec::new();
        for record in self.store.scan::<ExchangeRecord>(&self.exchanges_prefix(number))? {
            let ExchangeRecord { mut exchange, tls, robots, .. } = record?;
            if let Some(key) = tls {
                exchange.tls = self.store.get::<TlsRecord>(&key)?.map(|record| record.tls);
            }
            all.push(Traced { exchange, robots });
        }
        Ok(all)
    }

    /// Returns the exchanges that led to what the document `from` led to, the seed's first, and then its own: each behind
    /// those of the robots.txt by which it was allowed, every robots.txt once.
    pub(super) fn exchanges_to(
        &mut self,
        from: Option<u64>,
        own: Exchanges,
    ) -> Result<Exchanges, store::Error> {
        let mut way = Vec::new();
        for number in self.numbers_to(from)? {
            way.extend(self.exchanges_of(number)?);
        }
        let (mut all, mut told) = (Exchanges::default(), HashSet::new());
        for traced in way.into_iter().chain(own.list) {
            if let Some(robots) = traced.robots.filter(|&robots| told.insert(robots)) {
                all.add(self.exchanges_of(robots)?);
            }
            all.add([traced]);
        }
        all.has_left_out |= own.has_left_out;
        Ok(all)
    }
}

impl Engine<'_> {
    /// Keeps a body that may become evidence until the run is over. One without bytes needs no file.
    pub(super) fn hold_body(&self, body: Option<Vec<u8>>) -> Result<(), Stop> {
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            self.store.hold(&job_key(&self.plan.name), &body)?;
        }
        Ok(())
    }

    /// Keeps what was recorded of a robots.txt, and returns its number; `None` where nothing was answered.
    pub(super) fn keep_robots_exchanges(&self, trace: &Arc<Trace>) -> Result<Option<u64>, Stop> {
        let (all, body) = Tracing { trace: Arc::clone(trace), robots: Vec::new() }.take();
        if all.is_empty() {
            return Ok(None);
        }
        self.hold_body(body)?;
        let mut frontier = lock(&self.frontier);
        let number = frontier.number();
        frontier.keep_exchanges(number, all)?;
        Ok(Some(number))
    }
}

/// Removes the bodies that runs have kept which are over, where no case rests on them.
pub(super) fn release_bodies(store: &Store) -> Result<(), store::Error> {
    let is_over = |job: &str| Ok(store.get::<JobRecord>(job)?.is_none_or(|job| job.state == JobState::Done));
    let removed = store.release(is_over)?;
    if removed > 0 {
        tracing::debug!("{removed} bodies removed on which no case rests");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::Timestamp;

    fn traced(url: &str, head: &str, robots: Option<u64>) -> Traced {
        let at = Timestamp::UNIX_EPOCH;
        let certificates = vec!["QUJD".to_owned()];
        let exchange = Exchange {
            url: url.to_owned(),
            asked_at: at,
            answered_at: at,
            http: "HTTP/1.1".to_owned(),
            request_head: "GET / HTTP/1.1\r\n".to_owned(),
            response_head: head.to_owned(),
            status: 200,
            peer: None,
            via_proxy: false,
            dns: None,
            tls: Some(TlsSeen { version: None, cipher: None, certificates }),
            body_sha256: None,
            body_bytes: 0,
            truncated: None,
        };
        Traced { exchange, robots }
    }

    #[test]
    fn what_is_kept_comes_back_with_its_robots_in_front_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (mut frontier, _) = Frontier::open(&store, "a", false, true, Timestamp::UNIX_EPOCH).unwrap();
        let robots = frontier.number();
        frontier.keep_exchanges(robots, vec![traced("robots", "", None)]).unwrap();
        let own = vec![traced("one", "", Some(robots)), traced("two", "", Some(robots))];
        // A head of quotes is twice as long in a record.
        let head = format!("HTTP/1.1 200 OK\r\n{}", format!("x: {}\r\n", "\"".repeat(990)).repeat(33));
        let number = frontier.number();
        frontier.keep_exchanges(number, vec![traced("long", &head, None)]).unwrap();
        frontier.commit().unwrap();
        let (all, has_left_out) = frontier.exchanges_to(None, own.into()).unwrap().into_parts();
        let urls: Vec<_> = all.iter().map(|exchange| exchange.url.as_str()).collect();
        assert_eq!((urls, has_left_out), (vec!["robots", "one", "two"], false));
        assert_eq!(all[0].tls.as_ref().unwrap().certificates, ["QUJD"]);
        assert_eq!(store.count::<TlsRecord>().unwrap(), 1);
        let long = frontier.exchanges_of(number).unwrap();
        let head = &long[0].exchange.response_head;
        assert!(head.len() < 9000 && head.contains("\r\nx-earwitness-left-out: "), "{}", head.len());
    }

    #[test]
    fn of_very_many_only_so_many_are_recorded() {
        let mut all = Exchanges::default();
        all.add((0..=EXCHANGES_MAX).map(|_| traced("a", "", None)));
        let (list, has_left_out) = all.into_parts();
        assert_eq!((list.len(), has_left_out), (EXCHANGES_MAX, true));
        let mut all = Exchanges::default();
        all.add((0..20).map(|_| traced("a", &"x".repeat(1 << 20), None)));
        let (list, has_left_out) = all.into_parts();
        assert_eq!((list.len(), has_left_out), (15, true));
    }
}
