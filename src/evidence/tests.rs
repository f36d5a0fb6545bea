//! Bundles from made-up captures on a real store, and what is done to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod doubted;
mod redacted;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::container::{Container, Part, write};
use super::manifest::{Listed, MANIFEST, SIGNATURE, TIMESTAMP};
use super::*;
use crate::base::{ChannelView, Digest, RecordingId, Timestamp};
use crate::crawl::Sighting;
use crate::matching::Match;
use crate::net::{DnsAnswer, Exchange, TlsSeen, Truncated};
use crate::store::Store;

mod excerpts;

const CASE: &str = "C-0123456789";
const TITLE: &str = "<b>免费\u{202E}\"; DROP by somebody";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Bytes that stand for media.
fn media() -> Vec<u8> {
    (0..4_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn exchange(store: &Store, url: &str, body: &[u8], second: u8) -> Exchange {
    let stored = store.blobs().put(body).unwrap();
    Exchange {
        url: url.to_owned(),
        asked_at: at(&format!("2026-03-01T10:00:{second:02}.25Z")),
        answered_at: at(&format!("2026-03-01T10:00:{second:02}.5Z")),
        http: "HTTP/1.1".to_owned(),
        request_head: "GET /a?token=SECRET HTTP/1.1\r\nhost: pirate.example\r\ncookie: (withheld)\r\n"
            .to_owned(),
        response_head: "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\
                        Set-Cookie: s=SECRET\r\n"
            .to_owned(),
        status: 200,
        peer: Some("203.0.113.7:443".to_owned()),
        via_proxy: false,
        dns: Some(DnsAnswer {
            name: "pirate.example".to_owned(),
            addresses: vec!["203.0.113.7".to_owned()],
            at: at("2026-03-01T09:59:59Z"),
        }),
        tls: Some(TlsSeen {
            version: Some("TLSv1.3".to_owned()),
            cipher: None,
            certificates: vec!["MIIB".to_owned()],
        }),
        body_sha256: Some(stored.digest),
        body_bytes: body.len() as u64,
        truncated: None,
    }
}

fn sighting(url: &str, sha256: Digest) -> Sighting {
    Sighting {
        media_url: url.to_owned(),
        page_url: Some("https://pirate.example/page".to_owned()),
        page_title: Some(TITLE.to_owned()),
        page_screenshot: None,
        hops: Vec::new(),
        captured_at: at("2026-03-01T10:00:09Z"),
        sha256,
        bytes: 4_000,
        content_type: Some("audio/mpeg".to_owned()),
        domain: "pirate.example".to_owned(),
        peer: None,
        robots: None,
        archive: None,
        warnings: Vec::new(),
    }
}

/// Captures with all that is awkward: the same bytes twice, a body that is not kept, HTTP/2, hostile heads.
fn captures(store: &Store) -> Vec<Capture> {
    let media = store.blobs().put(&media()).unwrap().digest;
    let page = exchange(store, "https://pirate.example/page", b"<html>page</html>", 1);
    let gone = Exchange {
        body_sha256: Some(Digest::of(b"nobody kept it")),
        body_bytes: 14,
        truncated: Some(Truncated::Time),
        http: "HTTP/2".to_owned(),
        response_head: "HTTP/2 404\r\ncontent-type: text/html; charset=utf-8\r\nx: a\n\rWARC/1.1\r\n\r\n"
            .to_owned(),
        status: 404,
        ..exchange(store, "https://pirate.example/robots.txt", b"", 0)
    };
    let file = exchange(store, "https://cdn.pirate.example/a.mp3?b=2&a=1", &self::media(), 2);
    let again = Exchange { asked_at: at("2026-03-02T10:00:00Z"), ..file.clone() };
    let url = "https://cdn.pirate.example/a.mp3?b=2&a=1";
    vec![
        Capture { sighting: sighting(url, media), exchanges: vec![gone, page, file] },
        Capture { sighting: sighting(url, media), exchanges: vec![again] },
    ]
}

fn a_match() -> Match {
    Match {
        recording_id: RecordingId::new("R1").unwrap(),
        query_start_s: 0.1,
        query_end_s: 30.0 / 7.0,
        reference_start_s: 60.0,
        reference_end_s: 97.5,
        speed: 1.25,
        tempo: 1.0,
        pitch_semitones: 0.0,
        channel: ChannelView::Mid,
        matched_peaks: 143,
        log10_false_match: -41.7 / 3.0,
    }
}

/// Stands for the engine: looks at the bytes, and finds the one match in them.
fn engine(rerun: &Rerun<'_>) -> Result<Replayed, String> {
    let bytes = rerun.media.read(1 << 20).map_err(|error| error.to_string())?;
    assert_eq!((bytes, rerun.reference), (media(), &b"reference"[..]));
    Ok(Replayed { matches: vec![a_match()], ..Replayed::default() })
}

struct House {
    folder: tempfile::TempDir,
    store: Store,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { folder, store }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn key(&self) -> SigningKey {
        signing_key(&self.store, at("2026-03-01T00:00:00Z")).unwrap()
    }

    /// A bundle in the making; `audio` is the digest of the recording's audio.
    fn draft(&self, made_at: Timestamp, audio: Option<Digest>) -> Draft<'_> {
        let captures = captures(&self.store);
        let draft = Draft::begin(&self.store, CASE, made_at, &captures, &Digest::of(&media())).unwrap();
        self.with_documents(draft, audio)
    }

    fn with_documents<'a>(&self, mut draft: Draft<'a>, audio: Option<Digest>) -> Draft<'a> {
        let (matches, verdict) = ([a_match()], serde_json::json!({"decision": "UNLICENSED"}));
        let case = serde_json::json!({
            "case_id": CASE, "sha256": Digest::of(&media()), "recording_id": "R1", "matches": matches, "verdict": verdict,
            "sightings": [{"page_title": TITLE, "media_url": "https://cdn.pirate.example/a.mp3?token=SECRET"}],
            "history": [{"actor": "Ann", "event": "approved", "note": "somebody wrote to me"}],
        });
        draft.add_json("case.json", &case).unwrap();
        draft.add_json("match.json", &matches).unwrap();
        draft.add_json("verdict.json", &verdict).unwrap();
        let recording = match audio {
            Some(sha256) => serde_json::json!({"recording_id": "R1", "audio": {"sha256": sha256}}),
            None => serde_json::json!({"recording_id": "R1"}),
        };
        draft.add_json("recording.json", &recording).unwrap();
        let test = serde_json::json!({"passed": true});
        let tests = serde_json::json!({"self_test": {"before": test, "after": test}});
        draft.add_json("environment.json", &tests).unwrap();
        draft.add_json("log.json", &log::excerpt(&self.store, CASE).unwrap()).unwrap();
        draft.add("reference.ewfp", b"reference".to_vec()).unwrap();
        let replay = ReplayRecord {
            format: REPLAY_FORMAT.to_owned(),
            program_version: "0".to_owned(),
            fingerprint_format: 2,
            media: draft.media().clone(),
            reference: ReferencePlace {
                path: "earwitness/reference.ewfp".to_owned(),
                sha256: Digest::of(b"reference"),
                recording_id: RecordingId::new("R1").unwrap(),
            },
            settings: ReplaySettings {
                catalogue_s: Exact(7e4),
                log10_false_match_max: Exact(-6.0),
                postings_max: 3_000_000,
                deep_s: Exact(15.0),
            },
            matches: vec![ExactMatch::from(&a_match())],
            agrees_with_case: true,
            remark: String::new(),
        };
        draft.add_json("replay.json", &replay).unwrap();
        draft
    }

    fn sealed(&self, made_at: &str) -> Sealed {
        self.draft(at(made_at), None).seal(&self.key(), None, &self.out()).unwrap()
    }

    fn bundle(&self) -> Vec<u8> {
        std::fs::read(self.sealed("2026-03-05T00:00:00Z").path).unwrap()
    }
}

fn check_all(bytes: &Vec<u8>) -> Report {
    verify(bytes, &Demands { replay: Some(&engine), ..Demands::default() })
}

fn outcome(report: &Report, name: &str) -> Outcome {
    report.checks.iter().find(|check| check.name == name).unwrap().outcome
}

/// The names of the checks that failed.
fn failed(report: &Report) -> Vec<&'static str> {
    let failed = report.checks.iter().filter(|check| check.outcome == Outcome::Failed);
    failed.map(|check| check.name).collect()
}

/// Takes a bundle apart.
fn apart(bytes: &Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let container = Container::read(bytes).unwrap();
    let entry = |entry: &container::Entry<'_>| (entry.name.clone(), entry.content.read(1 << 24).unwrap());
    container.entries().iter().map(entry).collect()
}

/// Puts it together again, as somebody would who knows the format.
fn together(entries: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let parts = entries.iter();
    let parts = parts.map(|(name, bytes)| Part { name: name.clone(), content: Section::of(bytes) });
    let mut out = Vec::new();
    write(parts.collect(), &mut out).unwrap();
    out
}

#[test]
fn a_bundle_passes_every_check_and_is_the_same_each_time() {
    let house = House::new();
    let bytes = house.bundle();
    let report = check_all(&bytes);
    assert!(report.passed(), "{report:#?}");
    let unchecked: Vec<_> =
        report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked).collect();
    assert_eq!(
        unchecked.iter().map(|check| check.name).collect::<Vec<_>>(),
        ["expected root", "time-stamp", "excerpts"]
    );
    assert_eq!(report.case_id.as_deref(), Some(CASE));
    // The log has an entry more by then: without it the same bytes.
    let mut entries = apart(&bytes);
    let mut again = apart(&house.bundle());
    for changed in ["earwitness/log.json", MANIFEST, SIGNATURE, "datapackage.json", "datapackage-digest.json"]
    {
        entries.remove(changed);
        again.remove(changed);
    }
    assert_eq!(entries, again);
    let names: Vec<_> =
        std::fs::read_dir(house.out()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_thousand_flipped_bytes_are_each_seen() {
    let bytes = House::new().bundle();
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..1000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut changed = bytes.clone();
        let place = (random >> 33) as usize % bytes.len();
        changed[place] ^= 1 << (random >> 20 & 7);
        let report = check_all(&changed);
        assert_eq!(failed(&report), ["container"], "byte {place}");
    }
}

#[test]
fn an_entry_that_is_changed_and_packed_again_is_seen() {
    let entries = apart(&House::new().bundle());
    for name in entries.keys() {
        let mut changed = entries.clone();
        let bytes = changed.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let failed = failed(&check_all(&together(&changed)));
        let expected = match name.as_str() {
            "datapackage.json" | "datapackage-digest.json" => "data package",
            MANIFEST | SIGNATURE => "signature",
            _ => "merkle root",
        };
        assert!(failed.contains(&expected) && !failed.contains(&"container"), "{name}: {failed:?}");
    }
}

#[test]
fn entries_that_are_added_missing_or_in_another_order_are_seen() {
    let bytes = House::new().bundle();
    let entries = apart(&bytes);
    for name in entries.keys() {
        let mut fewer = entries.clone();
        fewer.remove(name);
        assert!(!check_all(&together(&fewer)).passed(), "without {name}");
    }
    for name in ["earwitness/more.json", "archive/more.warc", "more.txt", "aaa"] {
        let mut more = entries.clone();
        more.insert(name.to_owned(), b"{}".to_vec());
        assert!(failed(&check_all(&together(&more))).contains(&"entries"), "with {name}");
    }
    // A token that is no part of what was signed, yet is listed by WACZ's own lists.
    let mut stamped = entries;
    stamped.insert(TIMESTAMP.to_owned(), b"token".to_vec());
    assert_eq!(failed(&check_all(&together(&stamped))), ["time-stamp", "data package"]);
    // The first two entries change places, and the directory with them.
    let container = Container::read(&bytes).unwrap();
    let header = |n: usize| 30 + container.entries()[n].name.len();
    let length = |n: usize| header(n) + container.entries()[n].content.bytes as usize;
    let (first, second) = (length(0), length(1));
    let swapped = [&bytes[first..first + second], &bytes[..first], &bytes[first + second..]].concat();
    assert_eq!(failed(&check_all(&swapped)), ["container"]);
}

#[test]
fn a_forger_who_signs_anew_is_told_by_the_key() {
    let house = House::new();
    let mut entries = apart(&house.bundle());
    let path = "earwitness/recording.json";
    entries.insert(path.to_owned(), b"{\"recording_id\": \"R1\", \"title\": \"another\"}".to_vec());
    let old = Manifest::parse(&entries[MANIFEST]).unwrap();
    let others = entries.iter().filter(|(name, _)| !manifest::UNLISTED.contains(&name.as_str()));
    let listed = others.map(|(name, bytes)| listed(name, bytes));
    let new = Manifest::new(&old.case_id, old.made_at, listed.collect());
    let new = document(&new, MANIFEST).unwrap();
    let forger = House::new().key();
    entries.insert(SIGNATURE.to_owned(), document(&Signature::of(&new, &forger), SIGNATURE).unwrap());
    entries.insert(MANIFEST.to_owned(), new);
    entries.extend(lists_of(&entries));
    let forged = together(&entries);
    assert!(check_all(&forged).passed());
    let own = house.key().public();
    let demands = Demands { key: Some(&own), replay: Some(&engine), ..Demands::default() };
    assert_eq!(failed(&verify(&forged, &demands)), ["signature"]);
}

/// WACZ's lists, which whoever packs it makes, over the other entries.
fn lists_of(entries: &BTreeMap<String, Vec<u8>>) -> [(String, Vec<u8>); 2] {
    let manifest = Manifest::parse(&entries[MANIFEST]).unwrap();
    let captures: Vec<Capture> = serde_json::from_slice(&entries["earwitness/captures.json"]).unwrap();
    let others = entries.iter().filter(|(name, _)| !LISTS.contains(&name.as_str()));
    let listed: Vec<Listed> = others.map(|(name, bytes)| listed(name, bytes)).collect();
    let pages = warc::pages_of(&captures);
    let package = manifest::datapackage(&manifest, &listed, pages.first()).unwrap();
    let digest = manifest::datapackage_digest(&package).unwrap();
    LISTS.map(str::to_owned).into_iter().zip([package, digest]).collect::<Vec<_>>().try_into().unwrap()
}

const LISTS: [&str; 2] = ["datapackage.json", "datapackage-digest.json"];

fn listed(name: &str, bytes: &[u8]) -> Listed {
    Listed { path: name.to_owned(), bytes: bytes.len() as u64, sha256: Digest::of(bytes) }
}

/// Lists and signs entries anew, as the holder of the key could: only what they say of each other can still be wrong.
fn resigned(mut entries: BTreeMap<String, Vec<u8>>, key: &SigningKey) -> Vec<u8> {
    let old = Manifest::parse(&entries[MANIFEST]).unwrap();
    let others = entries.iter().filter(|(name, _)| !manifest::UNLISTED.contains(&name.as_str()));
    let all = others.map(|(name, bytes)| listed(name, bytes)).collect();
    let new = document(&Manifest::new(&old.case_id, old.made_at, all), MANIFEST).unwrap();
    entries.insert(SIGNATURE.to_owned(), document(&Signature::of(&new, key), SIGNATURE).unwrap());
    entries.insert(MANIFEST.to_owned(), new);
    let lists = lists_of(&entries);
    entries.extend(lists);
    together(&entries)
}

#[test]
fn an_older_bundle_of_the_case_is_told_by_the_root() {
    let house = House::new();
    let old = house.sealed("2026-03-05T00:00:00Z");
    let new = house.sealed("2026-03-06T00:00:00Z");
    assert_ne!((old.root, &old.path), (new.root, &new.path));
    let newest = newest_bundle(&house.store, CASE).unwrap().unwrap();
    assert_eq!((newest.root, newest.bundle_sha256), (new.root, new.sha256));
    let demands = Demands { root: Some(&newest.root), replay: Some(&engine), ..Demands::default() };
    assert!(verify(&File::open(&new.path).unwrap(), &demands).passed());
    let report = verify(&File::open(&old.path).unwrap(), &demands);
    assert_eq!(failed(&report), ["expected root"]);
}

#[test]
fn a_replay_that_differs_by_a_last_bit_fails() {
    let bytes = House::new().bundle();
    let other = |_: &Rerun<'_>| {
        let mut one = a_match();
        one.log10_false_match = f64::from_bits(one.log10_false_match.to_bits() + 1);
        Ok(Replayed { matches: vec![one], ..Replayed::default() })
    };
    let broken = |_: &Rerun<'_>| Err("no decoder".to_owned());
    for run in [&other as &Replay<'_>, &broken] {
        assert_eq!(failed(&verify(&bytes, &Demands { replay: Some(run), ..Demands::default() })), ["replay"]);
    }
    assert_eq!(outcome(&verify(&bytes, &Demands::default()), "replay"), Outcome::NotChecked);
}

#[test]
fn a_time_stamp_is_asked_for_attached_and_judged() {
    let house = House::new();
    let asked = std::cell::Cell::new(None);
    let stamp = |imprint: &Digest| {
        asked.set(Some(*imprint));
        Ok(b"token".to_vec())
    };
    let sealed =
        house.draft(at("2026-03-05T00:00:00Z"), None).seal(&house.key(), Some(&stamp), &house.out()).unwrap();
    let bytes = std::fs::read(&sealed.path).unwrap();
    assert_eq!(asked.get(), Some(timestamp_imprint(&bytes).unwrap()));
    let judge = |token: &[u8], imprint: &Digest| {
        let fits = token == b"token" && Some(*imprint) == asked.get();
        if fits { Ok("at noon".to_owned()) } else { Err("another".to_owned()) }
    };
    let demands = Demands { stamp: Some(&judge), replay: Some(&engine), ..Demands::default() };
    assert!(verify(&bytes, &demands).passed());
    let unreachable = |_: &Digest| Err("unreachable".to_owned());
    let later = house
        .draft(at("2026-03-06T00:00:00Z"), None)
        .seal(&house.key(), Some(&unreachable), &house.out())
        .unwrap();
    assert_eq!(later.timestamp_error.as_deref(), Some("unreachable"));
    assert_eq!(failed(&verify(&File::open(&later.path).unwrap(), &demands)), ["time-stamp"]);
    let sha256 = attach_timestamp(&later.path, b"other").unwrap();
    let report = verify(&File::open(&later.path).unwrap(), &demands);
    assert_eq!(
        (failed(&report), report.sha256, report.root),
        (vec!["time-stamp"], Some(sha256), Some(later.root))
    );
}

#[test]
fn what_the_store_lost_is_named() {
    let house = House::new();
    let captures = captures(&house.store);
    let path = house.store.blobs().path(&Digest::of(&media()));
    std::fs::write(&path, b"other").unwrap();
    let begin = || {
        let draft =
            Draft::begin(&house.store, CASE, at("2026-03-05T00:00:00Z"), &captures, &Digest::of(&media()));
        draft.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(begin().contains("are damaged"), "{}", begin());
    std::fs::remove_file(&path).unwrap();
    assert!(begin().contains("no longer has the bytes"), "{}", begin());
}

#[test]
fn media_that_no_answer_holds_is_a_record_of_its_own() {
    let house = House::new();
    let mut captures = captures(&house.store);
    captures
        .iter_mut()
        .for_each(|capture| capture.exchanges.retain(|exchange| !exchange.url.contains("cdn")));
    let made_at = at("2026-03-05T00:00:00Z");
    let draft = Draft::begin(&house.store, CASE, made_at, &captures, &Digest::of(&media())).unwrap();
    assert_eq!(draft.media_bytes().unwrap().read(1 << 20).unwrap(), media());
}

#[test]
fn names_that_are_taken_or_odd_are_refused() {
    let house = House::new();
    let mut draft = house.draft(at("2026-03-05T00:00:00Z"), None);
    for name in ["case.json", "manifest.json", "timestamp.tsr"] {
        assert!(draft.add(name, Vec::new()).is_err(), "{name}");
    }
    draft.add("../x", Vec::new()).unwrap();
    assert!(draft.seal(&house.key(), None, Path::new(&house.out())).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Documents of any content, in a container that holds: each check says something, none panics.
    #[test]
    fn arbitrary_documents_do_not_panic(
        which in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(), value in any::<u8>(), whole in any::<bool>(),
    ) {
        thread_local! {
            static ENTRIES: BTreeMap<String, Vec<u8>> = apart(&House::new().bundle());
        }
        let mut entries = ENTRIES.with(Clone::clone);
        let name = entries.keys().nth(which.index(entries.len())).unwrap().clone();
        let content = entries.get_mut(&name).unwrap();
        let unchanged = content.clone();
        if whole {
            *content = bytes;
        } else {
            let place = at.index(content.len());
            content[place] = value;
        }
        prop_assume!(*content != unchanged);
        let run = |_: &Rerun<'_>| Ok(Replayed { matches: vec![a_match()], ..Replayed::default() });
        let report = verify(&together(&entries), &Demands { replay: Some(&run), ..Demands::default() });
        prop_assert!(!report.passed(), "{name}");
    }
}
