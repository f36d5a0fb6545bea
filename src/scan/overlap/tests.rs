//! Overlaps of fingerprints that nobody had to decode.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use super::*;
use crate::catalog::Recording;
use crate::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S};
use crate::scan::library::Entry;
use crate::store::{Kinds, Record as _, Store};

fn id(text: &str) -> RecordingId {
    RecordingId::new(text).unwrap()
}

/// Peaks that differ for each seed, 16 a second, for some seconds.
fn piece(seed: u64, seconds: u32) -> Vec<Peak> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let step = TIME_STEPS_PER_S / 16.0;
    let peak = |n: u32| Peak {
        time: (f64::from(n) * step) as u32 + next(12) as u32,
        pitch: next(2000) as u16,
        strength: 20 + next(20) as u8,
        salient: true,
    };
    (0..seconds * 16).map(peak).collect()
}

/// One piece after the other: (seed, seconds) each.
fn music(pieces: &[(u64, u32)]) -> Fingerprint {
    let (mut peaks, mut start) = (Vec::new(), 0);
    for &(seed, seconds) in pieces {
        peaks.extend(piece(seed, seconds).into_iter().map(|peak| Peak { time: peak.time + start, ..peak }));
        start += (f64::from(seconds) * TIME_STEPS_PER_S) as u32;
    }
    peaks.sort();
    Fingerprint { duration: start, peaks }
}

fn open(folder: &Path) -> Library {
    Library::open(Store::open(folder).unwrap()).unwrap()
}

fn add(library: &mut Library, name: &str, pieces: &[(u64, u32)]) {
    let recording = Recording::new(id(name), name.to_owned());
    library.add(vec![Entry { recording, title_given: true, fingerprint: music(pieces) }]).unwrap();
}

fn searched(library: &Library, names: &[&str], depth: Depth) -> usize {
    let ids: Vec<RecordingId> = names.iter().map(|name| id(name)).collect();
    search(library, &ids, depth, &MatchOptions::default(), &mut |_, _, _| true).unwrap()
}

/// What is kept, as `recording with kind`.
fn kept(library: &Library, of: Option<&str>) -> Vec<String> {
    let of = of.map(id);
    let words = |one: Overlap| format!("{} {} {}", one.recording_id, one.with, one.kind.as_str());
    list(library.store(), of.as_ref()).unwrap().into_iter().map(words).collect()
}

#[test]
fn duplicates_parts_and_passages_are_told_apart_and_repeats_of_oneself_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    add(&mut library, "a", &[(1, 60)]);
    add(&mut library, "b", &[(1, 60)]);
    add(&mut library, "c", &[(1, 60), (2, 90)]);
    add(&mut library, "d", &[(3, 40), (2, 40), (4, 40)]);
    add(&mut library, "looped", &[(5, 20), (5, 20), (5, 20)]);
    assert_eq!(searched(&library, &["a", "b", "c", "d", "looped", "nobody"], Depth::Whole), 4);
    assert_eq!(kept(&library, None), ["a b duplicate", "a c contained", "b c contained", "c d shared"]);
    assert_eq!(kept(&library, Some("b")), ["b a duplicate", "b c contained"]);
    let [passage] = list(library.store(), Some(&id("d"))).unwrap().try_into().unwrap();
    assert!((passage.start_s - 40.0).abs() < 2.0 && (passage.end_s - 80.0).abs() < 2.0, "{passage:?}");
    assert!((passage.with_start_s - 60.0).abs() < 2.0 && (passage.with_end_s - 100.0).abs() < 2.0);
    assert!(passage.log10_false_match < -6.0);
}

#[test]
fn samples_find_what_is_long_enough_and_a_stop_keeps_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    add(&mut library, "old", &[(1, 50), (2, 50)]);
    add(&mut library, "new", &[(6, 31), (2, 45), (7, 60)]);
    assert_eq!(searched(&library, &["new"], Depth::Sampled), 1);
    assert_eq!(kept(&library, None), ["new old shared"]);
    let ids = [id("new"), id("old")];
    let mut told = Vec::new();
    let options = MatchOptions::default();
    search(&library, &ids, Depth::Sampled, &options, &mut |done, total, _| {
        told.push((done, total));
        false
    })
    .unwrap();
    assert_eq!(told, [(1, 2)]);
    assert_eq!(kept(&library, None), ["new old shared"]);
}

#[test]
fn other_audio_or_removal_forgets_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    add(&mut library, "a", &[(1, 40)]);
    add(&mut library, "ab", &[(1, 40)]);
    add(&mut library, "b", &[(1, 40)]);
    assert_eq!(searched(&library, &["a", "ab", "b"], Depth::Whole), 3);
    add(&mut library, "b", &[(9, 40)]);
    assert_eq!(kept(&library, None), ["a ab duplicate"]);
    assert_eq!(searched(&library, &["b"], Depth::Whole), 0);
    library.remove(&[id("a")]).unwrap();
    assert!(kept(&library, None).is_empty() && kept(&library, Some("ab")).is_empty());
}

#[test]
fn turning_twice_changes_nothing_and_lines_are_checked() {
    let one = Overlap {
        recording_id: id("a"),
        with: id("b"),
        number: 3,
        kind: OverlapKind::Shared,
        start_s: 1.0,
        end_s: 11.0,
        with_start_s: 20.0,
        with_end_s: 32.0,
        speed: 0.5,
        tempo: 1.0,
        pitch_semitones: 2.0,
        log10_false_match: -20.0,
    };
    assert_eq!(one.turned().turned(), one);
    assert_eq!(one.turned().key(), "b\u{1f}a\u{1f}003");
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.put(&one).unwrap();
    let mut text = Vec::new();
    store.export(&mut text).unwrap();
    let other = Store::open(&folder.path().join("other")).unwrap();
    let report = other.import(&mut text.as_slice(), &Kinds::new().with::<Overlap>()).unwrap();
    assert_eq!((report.written, report.failed), (1, 0));
    assert_eq!(list(&other, Some(&id("a"))).unwrap(), [one]);
}
