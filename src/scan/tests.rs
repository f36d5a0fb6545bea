//! The library under changes, damage and leftovers, with fingerprints that nobody had to decode.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::inspect;
use super::library::{Entry, Library};
use crate::base::{Digest, RecordingId};
use crate::catalog::{Outcome, Recording, RecordingAudio};
use crate::fingerprint::{Fingerprint, Peak, reference_quads};
use crate::index::{CostLimit, Family, Probes, Reach, kept};
use crate::store::{Kinds, Store};

fn id(number: usize) -> RecordingId {
    RecordingId::new(&format!("r{number:03}")).unwrap()
}

/// A fingerprint that differs from that of any other seed.
fn fingerprint(seed: u32) -> Fingerprint {
    let peak = |n: u32| Peak {
        time: n * 40 + seed % 7,
        pitch: ((n * 131 + seed * 37) % 2000) as u16,
        strength: 20,
        salient: true,
    };
    kept(&Fingerprint { duration: 4000 + seed, peaks: (0..60).map(peak).collect() })
}

fn entry(number: usize, seed: u32) -> Entry {
    let audio = RecordingAudio {
        path: format!("r{number:03}.wav"),
        sha256: Digest::of(&seed.to_le_bytes()),
        duration_s: 12.0,
        tags: None,
    };
    let recording = Recording { audio: Some(audio), ..Recording::new(id(number), format!("title {number}")) };
    Entry { recording, title_given: true, fingerprint: fingerprint(seed) }
}

fn open(folder: &Path) -> Library {
    Library::open(Store::open(folder).unwrap()).unwrap()
}

fn held(library: &Library) -> BTreeMap<RecordingId, Fingerprint> {
    library.indexed().into_iter().map(|id| (id.clone(), library.fingerprint(&id).unwrap())).collect()
}

#[test]
fn merges_run_beside_changes_and_queries_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    let reader = library.reader();
    let mut expected = BTreeMap::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A reader that always asks for recording 0, which stays: it must be found in every snapshot.
        let asked = scope.spawn(|| {
            let (mut asked, mut last) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::Relaxed) || asked == 0 {
                let index = reader.snapshot();
                if index.is_empty() {
                    continue;
                }
                let found = index.find(&id(0)).and_then(|found| index.fingerprint(found));
                assert_eq!(found, Some(fingerprint(0)), "after {asked} queries");
                let mut probes = Probes::default();
                for quad in reference_quads(&fingerprint(0).peaks) {
                    probes.quad(&quad);
                    probes.push(quad.key());
                }
                let mut own = 0;
                let zero = index.find(&id(0)).unwrap();
                index.lookup(Family::Quads, &mut probes, Reach::AsItIs, CostLimit::NONE, |answer| {
                    own += u32::from(answer.recording == zero);
                });
                assert!(own > 0, "after {asked} queries");
                asked += 1;
                last = last.max(index.len());
            }
            (asked, last)
        });
        for batch in 0..60usize {
            // Batches of growing and shrinking size, so that segments of all sizes and merges come about.
            let numbers = (0..1 + 7 * (batch % 5)).map(|n| batch * 3 + n);
            library.add(numbers.clone().map(|number| entry(number, number as u32)).collect()).unwrap();
            expected.extend(numbers.map(|number| (id(number), fingerprint(number as u32))));
            if batch % 4 == 3 {
                let gone: Vec<RecordingId> = (1..batch).step_by(3).map(id).collect();
                library.remove(&gone).unwrap();
                expected.retain(|id, _| !gone.contains(id));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let (asked, last) = asked.join().unwrap();
        assert!(asked > 0 && last > 0);
    });
    assert_eq!(held(&library), expected);
    library.settle().unwrap();
    assert_eq!(held(&library), expected);
    let report = inspect::check(library.store()).unwrap();
    assert_eq!((report.problems, report.fingerprints), (Vec::new(), expected.len() as u64));
    drop(library);
    assert_eq!(held(&open(folder.path())), expected);
}

#[test]
fn files_stay_while_a_snapshot_uses_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    library.add(vec![entry(1, 1)]).unwrap();
    let snapshot = library.reader().snapshot();
    library.remove(&[id(1)]).unwrap();
    assert_eq!(segment_files(folder.path()), 1);
    assert_eq!(snapshot.fingerprint(snapshot.find(&id(1)).unwrap()), Some(fingerprint(1)));
    drop(snapshot);
    library.add(vec![entry(2, 2)]).unwrap();
    assert_eq!((segment_files(folder.path()), library.index().len()), (1, 1));
}

fn segment_files(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("index")).unwrap().count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is added, replaced and removed in whatever order: the library holds what a plain map holds, also when
    /// it is opened again, and leaves no file behind.
    #[test]
    fn holds_what_a_map_holds(changes in prop::collection::vec(
        (prop::collection::vec((0usize..30, any::<u16>()), 0..12), prop::collection::vec(0usize..30, 0..4)), 1..8,
    )) {
        let folder = tempfile::tempdir().unwrap();
        let mut library = open(folder.path());
        let mut model = BTreeMap::new();
        for (added, removed) in changes {
            let entries = added.iter().map(|&(number, seed)| entry(number, u32::from(seed))).collect();
            library.add(entries).unwrap();
            model.extend(added.iter().map(|&(number, seed)| (id(number), fingerprint(u32::from(seed)))));
            let removed: Vec<RecordingId> = removed.into_iter().map(id).collect();
            library.remove(&removed).unwrap();
            model.retain(|id, _| !removed.contains(id));
            prop_assert_eq!(held(&library), model.clone());
            prop_assert_eq!(library.index().len(), model.len());
            library.settle().unwrap();
            prop_assert_eq!(held(&library), model.clone());
            let report = inspect::check(library.store()).unwrap();
            prop_assert_eq!((report.problems, report.fingerprints), (Vec::new(), model.len() as u64));
            prop_assert_eq!(segment_files(folder.path()) as u64, report.segments);
        }
        drop(library);
        prop_assert_eq!(held(&open(folder.path())), model);
    }
}

#[test]
fn tells_new_from_refreshed() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    assert_eq!(library.add(vec![entry(1, 1), entry(2, 2)]).unwrap(), [Outcome::Added, Outcome::Added]);
    assert_eq!(library.add(vec![entry(1, 9)]).unwrap(), [Outcome::Updated]);
    assert_eq!(library.fingerprint(&id(1)), Some(fingerprint(9)));
    assert_eq!(library.remove(&[id(1), id(1), id(7)]).unwrap(), [id(1)]);
    assert!(!library.holds(&id(1)) && library.holds(&id(2)));
}

#[test]
fn leftovers_of_a_killed_process_are_removed_and_others_files_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    library.add(vec![entry(1, 1)]).unwrap();
    drop(library);
    let index = folder.path().join("index");
    for name in ["0000000099.seg", ".segment-abc", "notes.txt"] {
        std::fs::write(index.join(name), "left").unwrap();
    }
    assert_eq!(held(&open(folder.path())).len(), 1);
    assert_eq!(segment_files(folder.path()), 2);
    assert!(index.join("notes.txt").exists());
}

#[test]
fn a_missing_segment_stops_opening_but_not_repair() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    library.add((0..20).map(|number| entry(number, number as u32)).collect()).unwrap();
    library.add(vec![entry(20, 20)]).unwrap();
    drop(library);
    let index = folder.path().join("index");
    let first = std::fs::read_dir(&index).unwrap().map(|file| file.unwrap().path()).min().unwrap();
    std::fs::remove_file(&first).unwrap();
    let error = Library::open(Store::open(folder.path()).unwrap()).err().unwrap().to_string();
    assert!(error.contains(first.to_str().unwrap()), "{error}");
    for _ in 0..2 {
        let (library, problems) = Library::open_for_repair(Store::open(folder.path()).unwrap()).unwrap();
        assert_eq!((problems.len(), library.indexed()), (1, vec![id(20)]));
    }
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(inspect::stats(&store).unwrap().recordings, 21);
    let report = inspect::check(&store).unwrap();
    assert_eq!(report.problems.len(), 2, "{report:?}");
    assert!(report.problems[1].contains("`r004` and 15 more"), "{report:?}");
    let (mut library, _) = Library::open_for_repair(store).unwrap();
    library.add((0..20).map(|number| entry(number, number as u32)).collect()).unwrap();
    drop(library);
    assert_eq!(held(&open(folder.path())).len(), 21);
}

#[test]
fn an_export_is_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(&folder.path().join("one"));
    library.add((0..40).map(|number| entry(number, number as u32)).collect()).unwrap();
    library.remove(&[id(3)]).unwrap();
    let mut text = Vec::new();
    let exported = super::transfer::export(&library, &mut text, &[]).unwrap();
    assert_eq!((exported.records, exported.fingerprints), (39, 39));
    let mut other = open(&folder.path().join("two"));
    let kinds = Kinds::new().with::<Recording>();
    let imported = super::transfer::import(&mut other, &mut text.as_slice(), &kinds).unwrap();
    assert_eq!((imported.lines.written, imported.lines.failed, imported.fingerprints), (39, 0, 39));
    assert_eq!(held(&other), held(&library));
    // Without the catalogue's records there is nothing that a fingerprint could be of.
    let only: Vec<u8> = text
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| line.starts_with(br#"{"kind":"fingerprint""#))
        .flatten()
        .copied()
        .collect();
    let mut third = open(&folder.path().join("three"));
    let imported = super::transfer::import(&mut third, &mut only.as_slice(), &kinds).unwrap();
    assert_eq!((imported.lines.failed, imported.fingerprints), (39, 0));
    assert!(imported.lines.problems[0].message.contains("no such recording"));
    assert!(third.index().is_empty());
}
