//! What was recorded when a case's file was seen.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::log::{Log, NewEntry};
use super::room::Room;
use crate::base::{Digest, Timestamp};
use crate::crawl::Sighting;
use crate::net::Exchange;
use crate::store::{Batch, Pin, Record, Store};

/// Captures that are kept of one case: as many as it lists addresses. Each is a file with all requests on the way.
const CAPTURES_MAX: usize = 200;
/// The longest capture that is read. A crawl records up to 16 MiB of heads and certificates, which JSON may double.
const CAPTURE_BYTES_MAX: u64 = 64 << 20;

/// One sighting of a case's file, with every request and answer on the way to it: the hosts' robots.txt, the page with
/// what it was redirected from, manifests and keys of streams, and the media itself. The bodies are blobs of the store, by
/// their digests, but for those that are the media's own bytes or pieces of them (see `docs/crawl.md`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// The sighting.
    pub sighting: Sighting,
    /// The requests and answers, in the order in which they were made.
    pub exchanges: Vec<Exchange>,
}

/// That a capture is kept: one for each address of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// The case.
    pub case_id: String,
    /// Where the file was seen.
    pub media_url: String,
    /// When.
    pub captured_at: Timestamp,
    /// SHA-256 of the [`Capture`] as JSON, under which the store keeps it.
    pub capture_sha256: Digest,
}

impl CaptureRecord {
    fn key_of(case_id: &str, media_url: &str) -> String {
        let hash = Digest::of(media_url.as_bytes()).to_string();
        format!("{case_id}/{}", hash.get(..24).unwrap_or_default())
    }

    fn error(&self, reason: String) -> Error {
        let (case_id, media_url) = (self.case_id.clone(), self.media_url.clone());
        Error::Capture { case_id, media_url, sha256: self.capture_sha256, reason }
    }
}

impl Record for CaptureRecord {
    const KIND: &'static str = "capture";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        Self::key_of(&self.case_id, &self.media_url)
    }
}

/// Keeps a capture of a case, unless there is one of the same address, or there are very many. What refers to it, and
/// what keeps the bodies that it rests on, comes into the batch, to be committed with the case; it is entered in the log.
/// Returns whether it was new.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn keep_capture(
    store: &Store,
    case_id: &str,
    capture: &Capture,
    now: Timestamp,
    (log, batch): (&mut Log, &mut Batch),
) -> Result<bool, Error> {
    let Capture { sighting, .. } = capture;
    let key = CaptureRecord::key_of(case_id, &sighting.media_url);
    if store.get::<CaptureRecord>(&key)?.is_some() || records(store, case_id)?.len() >= CAPTURES_MAX {
        return Ok(false);
    }
    let mut record = CaptureRecord {
        case_id: case_id.to_owned(),
        media_url: sighting.media_url.clone(),
        captured_at: sighting.captured_at,
        capture_sha256: Digest::of(b""),
    };
    let json = serde_json::to_vec(capture).map_err(|error| record.error(error.to_string()))?;
    record.capture_sha256 = store.blobs().put(&json)?.digest;
    for sha256 in bodies_of(capture) {
        if store.blobs().contains(&sha256) {
            batch.put(&Pin { sha256 })?;
        }
    }
    batch.put(&record)?;
    let entry = NewEntry {
        at: now,
        what: "capture",
        subject: case_id,
        actor: "earwitness",
        sha256: Some(record.capture_sha256),
        note: &record.media_url,
    };
    log.add(batch, &entry)?;
    Ok(true)
}

/// The digests of all that a capture rests on.
fn bodies_of(capture: &Capture) -> BTreeSet<Digest> {
    let bodies = capture.exchanges.iter().filter_map(|exchange| exchange.body_sha256);
    bodies.chain([capture.sighting.sha256]).chain(capture.sighting.page_screenshot).collect()
}

/// Returns the captures of a case, the oldest first, as many as a bundle holds: the first and the last before others, then
/// those with most in them. [`left_out`] tells which are not among them.
///
/// # Errors
/// [`Error`] when the store fails, or a capture is missing, damaged or no capture.
pub fn captures(store: &Store, case_id: &str) -> Result<Vec<Capture>, Error> {
    let mut records = records(store, case_id)?;
    records.sort_by(|a, b| (a.captured_at, &a.media_url).cmp(&(b.captured_at, &b.media_url)));
    let mut room = Room::of_a_bundle(store);
    let mut kept: Vec<(usize, Capture)> = Vec::new();
    for at in by_importance(store, &records) {
        let Some(record) = records.get(at) else { continue };
        let capture = read(store, record)?;
        if room.takes(&capture) {
            kept.push((at, capture));
        }
    }
    kept.sort_unstable_by_key(|(at, _)| *at);
    Ok(kept.into_iter().map(|(_, capture)| capture).collect())
}

/// Returns the captures of a case that are not among `kept`.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn left_out(store: &Store, case_id: &str, kept: &[Capture]) -> Result<Vec<CaptureRecord>, Error> {
    let mut records = records(store, case_id)?;
    records.retain(|record| {
        let is_same = |sighting: &Sighting| {
            sighting.media_url == record.media_url && sighting.captured_at == record.captured_at
        };
        !kept.iter().any(|capture| is_same(&capture.sighting))
    });
    Ok(records)
}

/// The places of records in the order in which room is given to them.
fn by_importance(store: &Store, records: &[CaptureRecord]) -> Vec<usize> {
    let bytes = |record: &CaptureRecord| {
        std::fs::metadata(store.blobs().path(&record.capture_sha256)).map_or(0, |file| file.len())
    };
    let last = records.len().saturating_sub(1);
    let mut places: Vec<usize> = (0..records.len()).collect();
    places.sort_by_cached_key(|&at| {
        let is_end = at == 0 || at == last;
        (!is_end, std::cmp::Reverse(records.get(at).filter(|_| !is_end).map_or(0, bytes)), at)
    });
    places
}

fn records(store: &Store, case_id: &str) -> Result<Vec<CaptureRecord>, Error> {
    let records = store.scan::<CaptureRecord>(&format!("{case_id}/"))?.take(CAPTURES_MAX);
    Ok(records.collect::<Result<_, _>>()?)
}

fn read(store: &Store, record: &CaptureRecord) -> Result<Capture, Error> {
    let path = store.blobs().path(&record.capture_sha256);
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(CAPTURE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| record.error(format!("{} cannot be read ({error})", path.display())))?;
    if bytes.len() as u64 > CAPTURE_BYTES_MAX {
        return Err(record.error(format!("it has more than {CAPTURE_BYTES_MAX} bytes")));
    }
    if Digest::of(&bytes) != record.capture_sha256 {
        return Err(record.error(format!("{} does not hold what its name says", path.display())));
    }
    serde_json::from_slice(&bytes).map_err(|error| record.error(format!("it is no capture ({error})")))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in crate::evidence) fn capture(media_url: &str, body: Digest) -> Capture {
        let at = Timestamp::UNIX_EPOCH;
        Capture {
            sighting: Sighting {
                media_url: media_url.to_owned(),
                page_url: None,
                page_title: Some("\u{202e}title".to_owned()),
                page_screenshot: None,
                hops: Vec::new(),
                captured_at: at,
                sha256: Digest::of(b"media"),
                bytes: 5,
                content_type: None,
                domain: "a.example".to_owned(),
                peer: None,
                robots: None,
                archive: None,
                warnings: Vec::new(),
            },
            exchanges: vec![Exchange {
                url: media_url.to_owned(),
                asked_at: at,
                answered_at: at,
                http: "HTTP/1.1".to_owned(),
                request_head: "GET / HTTP/1.1\r\n".to_owned(),
                response_head: "HTTP/1.1 200 OK\r\nx: \"é\"\r\n".to_owned(),
                status: 200,
                peer: None,
                via_proxy: false,
                dns: None,
                tls: None,
                body_sha256: Some(body),
                body_bytes: 4,
                truncated: None,
            }],
        }
    }

    fn keep(store: &Store, case_id: &str, capture: &Capture) -> bool {
        let (mut log, mut batch) = (Log::open(store).unwrap(), Batch::new());
        let now = Timestamp::UNIX_EPOCH;
        let is_new = keep_capture(store, case_id, capture, now, (&mut log, &mut batch)).unwrap();
        store.commit(batch).unwrap();
        is_new
    }

    #[test]
    fn captures_come_back_and_keep_what_they_rest_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let body = store.hold("job", b"page").unwrap().digest;
        let idle = store.hold("job", b"idle").unwrap().digest;
        let (one, two) = (capture("http://a.example/1", body), capture("http://a.example/2", body));
        assert!(keep(&store, "C-1", &two) && keep(&store, "C-1", &one));
        assert!(!keep(&store, "C-1", &one), "one for each address");
        assert!(keep(&store, "C-10", &one));
        store.release(|_| Ok(true)).unwrap();
        assert!(store.blobs().contains(&body) && !store.blobs().contains(&idle));
        assert_eq!(captures(&store, "C-1").unwrap(), [one.clone(), two]);
        assert_eq!(captures(&store, "C-10").unwrap(), [one]);
        assert_eq!(captures(&store, "C-2").unwrap(), []);
    }

    #[test]
    fn room_goes_to_the_first_the_last_and_the_largest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let of = |second: i64, exchanges: usize| {
            let url = format!("http://a.example/{second}");
            let mut one = capture(&url, Digest::of(b"page"));
            one.sighting.captured_at = Timestamp::from_second(second).unwrap();
            one.exchanges = std::iter::repeat_with(|| one.exchanges[0].clone()).take(exchanges).collect();
            one
        };
        let all = [of(1, 1), of(2, 3), of(3, 29_999), of(4, 30_001), of(5, 1)];
        for one in &all {
            assert!(keep(&store, "C-1", one));
        }
        let kept = captures(&store, "C-1").unwrap();
        let seconds: Vec<_> = kept.iter().map(|one| one.sighting.captured_at.as_second()).collect();
        // 1 + 1 + 30,001 + 3 of 60,000; another 29,999 find no room.
        assert_eq!(seconds, [1, 2, 4, 5]);
        let left = left_out(&store, "C-1", &kept).unwrap();
        assert_eq!(
            left.iter().map(|record| record.media_url.as_str()).collect::<Vec<_>>(),
            ["http://a.example/3"]
        );
        assert!(left_out(&store, "C-1", &all).unwrap().is_empty());
    }

    #[test]
    fn damaged_captures_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(keep(&store, "C-1", &capture("http://a.example/1", Digest::of(b"page"))));
        let record = records(&store, "C-1").unwrap().remove(0);
        let path = store.blobs().path(&record.capture_sha256);
        for damage in [&b"{}"[..], b""] {
            std::fs::write(&path, damage).unwrap();
            let error = captures(&store, "C-1").unwrap_err().to_string();
            assert!(
                error.starts_with("case C-1: the capture ") && error.contains("its name says"),
                "{error}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        let error = captures(&store, "C-1").unwrap_err().to_string();
        assert!(error.contains("http://a.example/1") && error.contains("cannot be read"), "{error}");
    }
}
