//! The law's ways, on a simulated clock.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ends;
mod information;
mod machine;
mod ways;

use jiff::SignedDuration;

use super::*;
use crate::base::{ChannelView, Digest, RecordingId, Timestamp};
use crate::catalog::Recording;
use crate::crawl::Sighting;
use crate::rights::{Decision, Verdict};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) const URL: &str = "https://pirate.example/a.mp3";
pub(super) const PROVIDER: &str = "pirate.example";

pub(super) fn found(log10_false_match: f64) -> Match {
    Match {
        recording_id: RecordingId::new("R1").unwrap(),
        query_start_s: 0.0,
        query_end_s: 30.0,
        reference_start_s: 60.0,
        reference_end_s: 90.0,
        speed: 1.0,
        tempo: 1.0,
        pitch_semitones: 0.0,
        channel: ChannelView::Mid,
        matched_peaks: 143,
        log10_false_match,
    }
}

pub(super) fn verdict(decision: Decision, instant: Timestamp) -> Verdict {
    Verdict {
        decision,
        recording_id: RecordingId::new("R1").unwrap(),
        operator: Some(PROVIDER.to_owned()),
        territory: Some("CN".to_owned()),
        at: instant,
        reasons: vec!["because".to_owned()],
        steps: Vec::new(),
    }
}

pub(super) fn sighting(url: &str, domain: &str, bytes: &[u8], captured_at: Timestamp) -> Sighting {
    Sighting {
        media_url: url.to_owned(),
        page_url: None,
        page_title: None,
        hops: Vec::new(),
        captured_at,
        sha256: Digest::of(bytes),
        bytes: bytes.len() as u64,
        content_type: None,
        domain: domain.to_owned(),
        peer: None,
        page_screenshot: None,
        robots: None,
        archive: None,
        warnings: Vec::new(),
    }
}

pub(super) fn recording() -> Recording {
    Recording::new(RecordingId::new("R1").unwrap(), "東京の夜".to_owned())
}

/// Files a finding in a store.
pub(super) fn file_finding(store: &crate::store::Store, sighting: &Sighting, log10: f64) -> Queued {
    let verdict = verdict(Decision::Unlicensed, sighting.captured_at);
    let input = CaseInput {
        sighting,
        matches: &[found(log10)],
        verdict: &verdict,
        recording: &recording(),
        information: None,
    };
    queue(store, sighting.captured_at, input).unwrap()
}

/// A case as a crawl at `now` would open it, at two addresses, approved.
pub(super) fn approved(now: Timestamp) -> CaseFile {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(&folder.path().join("store")).unwrap();
    let first = sighting(URL, PROVIDER, b"bytes", now);
    let second = sighting("https://cdn.pirate.example/b.mp3", PROVIDER, b"bytes", now);
    file_finding(&store, &first, -40.0);
    let id = file_finding(&store, &second, -40.0).case_id().unwrap().to_owned();
    let mut case = find(&store, &id).unwrap();
    decide(&mut case, now, &Decided { event: Event::Approved, actor: "Ann".to_owned(), note: None }).unwrap();
    CaseFile::new(case)
}

pub(super) fn notice(form: Form, forum: Forum, provider: &str, urls: &[&str]) -> NoticeWritten {
    NoticeWritten {
        notice_id: "N-1".to_owned(),
        form,
        forum,
        provider: provider.to_owned(),
        urls: urls.iter().map(|&url| url.to_owned()).collect(),
        also: Vec::new(),
        actor: "Ann".to_owned(),
        note: "n.pdf".to_owned(),
    }
}

pub(super) fn received(event: Event, at: Timestamp) -> Received {
    Received { event, at, received_by_provider: None, actor: "Ann".to_owned(), note: None }
}

pub(super) fn looked(file: &CaseFile, url: &str, at: Timestamp, alive: Alive) -> Liveness {
    Liveness {
        case_id: file.case.case_id.clone(),
        url: url.to_owned(),
        at,
        status: Some(if alive == Alive::Gone { 404 } else { 200 }),
        sha256: None,
        alive,
        note: alive.as_str().to_owned(),
    }
}

pub(super) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}
