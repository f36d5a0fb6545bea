#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use super::testing::{Cached, Kept};
use super::*;

/// The offset behind each frame that [`fill`] writes.
type Ends = Vec<u64>;

/// Commits six batches, each of several records, some overwritten and deleted later.
fn fill(path: &Path) -> Ends {
    let store = Store::open(path).unwrap();
    let ends = (0..6)
        .map(|n| {
            let mut batch = Batch::new();
            batch.put(&Kept::new("every", &n.to_string())).unwrap();
            batch.put(&Kept::new(&format!("n{n}"), "夜に駆ける 🎵")).unwrap();
            batch.put(&Cached::new(&format!("c{n}"), "cached")).unwrap();
            if n > 1 {
                batch.delete::<Kept>(&format!("n{}", n - 2));
            }
            store.commit(batch).unwrap();
            store.stats().unwrap().journal_bytes
        })
        .collect();
    drop(store);
    ends
}

/// Returns everything that is journalled, as lines.
fn kept(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines().filter(|line| line.contains(r#""kind":"kept""#)).map(|line| line.to_owned() + "\n").collect()
}

fn all(path: &Path) -> String {
    let mut out = Vec::new();
    Store::open(path).unwrap().export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Returns what is kept after the first `batches` of [`fill`].
fn expected(batches: usize) -> Vec<String> {
    let mut keys: Vec<String> = (batches.saturating_sub(2)..batches).map(|n| format!("n{n}")).collect();
    if batches > 0 {
        keys.insert(0, "every".to_owned());
    }
    keys
}

fn keys(store: &Store) -> Vec<String> {
    store.scan::<Kept>("").unwrap().map(|kept| kept.unwrap().id).collect()
}

fn error_of(path: &Path) -> Error {
    Store::open(path).err().expect("the store must not open")
}

fn flip(path: &Path, offset: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset as usize] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_journal_cut_at_any_byte_gives_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let full = folder.path().join("full");
    let ends = fill(&full);
    let bytes = fs::read(full.join("journal")).unwrap();
    let interesting =
        |cut: &usize| cut.is_multiple_of(37) || ends.iter().any(|end| end.abs_diff(*cut as u64) < 2);
    for cut in (32..=bytes.len()).filter(interesting) {
        let path = folder.path().join("cut");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("journal"), &bytes[..cut]).unwrap();
        let store = Store::open(&path).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
        assert_eq!(keys(&store), expected(whole), "cut at {cut}");
        // It goes on from there.
        store.put(&Kept::new("z", "after")).unwrap();
        drop(store);
        assert!(all(&path).contains("after"));
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn trees_that_are_gone_come_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = kept(&Store::open(folder.path()).unwrap());
    fs::remove_dir_all(folder.path().join("trees")).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(kept(&store), before);
    assert!(store.check().unwrap().problems.is_empty());
}

#[test]
fn damaged_trees_are_made_anew() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 7] = [
        ("db", |bytes| bytes.fill(0)),
        ("db", |bytes| bytes.fill(0xa5)),
        ("db", |bytes| bytes.truncate(bytes.len() / 2)),
        ("db", |bytes| bytes[20..2000].fill(0x5a)),
        ("db", Vec::clear),
        ("snap.", |bytes| bytes.fill(0xa5)),
        ("conf", |bytes| *bytes = b"segment_size: 512\nuse_compression: false\nversion: 0.34\n".to_vec()),
    ];
    let mut set_aside = 0;
    for (number, (name, damage)) in damages.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let before = kept(&Store::open(folder.path()).unwrap());
        let file = fs::read_dir(folder.path().join("trees"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(name));
        // The engine does not always leave a snapshot.
        let Some(file) = file else { continue };
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let store = Store::open(folder.path()).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_eq!(kept(&store), before, "{number}");
        set_aside += u32::from(folder.path().join("trees.broken").is_dir());
    }
    assert!(set_aside > 2, "the damages are too mild to test this");
}

#[test]
fn a_half_made_snapshot_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = all(folder.path());
    let half = folder.path().join("trees/snap.00000000000000FF.generating");
    fs::write(&half, "").unwrap();
    assert_eq!(all(folder.path()), before);
    assert!(!half.exists());
    assert!(!folder.path().join("trees.broken").exists());
}

#[test]
fn damage_in_the_middle_is_named_and_nothing_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let ends = fill(folder.path());
    let journal = folder.path().join("journal");
    flip(&journal, ends[2] + 20);
    let before = fs::read(&journal).unwrap();
    match error_of(folder.path()) {
        Error::Damaged { offset, what, .. } => {
            assert_eq!(offset, ends[2]);
            assert!(what.contains(&ends[3].to_string()), "{what}");
        }
        other => panic!("{other}"),
    }
    assert_eq!(fs::read(&journal).unwrap(), before);
}

#[test]
fn rebuilding_takes_from_the_trees_what_the_journal_lost() {
    let folder = tempfile::tempdir().unwrap();
    let ends = fill(folder.path());
    let before = all(folder.path());
    flip(&folder.path().join("journal"), ends[2] + 20);
    let report = Store::rebuild(folder.path(), Options::default()).unwrap();
    assert_eq!(report.gaps, [Gap { offset: ends[2], bytes: ends[3] - ends[2] }]);
    assert!(report.recovered_from_trees);
    assert_eq!(report.set_aside, [folder.path().join("journal.damaged")]);
    assert_eq!(all(folder.path()), before);
    assert!(Store::open(folder.path()).unwrap().check().unwrap().problems.is_empty());
    let again = Store::rebuild(folder.path(), Options::default()).unwrap();
    assert_eq!((again.gaps.len(), again.set_aside.len()), (0, 0));
    assert_eq!(all(folder.path()), before);
}

#[test]
fn rebuilding_without_trees_keeps_every_whole_batch() {
    let folder = tempfile::tempdir().unwrap();
    let ends = fill(folder.path());
    // The fifth batch wrote n4, and nothing later writes it again.
    flip(&folder.path().join("journal"), ends[3] + 20);
    fs::remove_dir_all(folder.path().join("trees")).unwrap();
    assert!(matches!(error_of(folder.path()), Error::Damaged { .. }));
    let report = Store::rebuild(folder.path(), Options::default()).unwrap();
    assert!(!report.recovered_from_trees && report.gaps.len() == 1);
    let store = Store::open(folder.path()).unwrap();
    // Its delete of n2 is lost as well.
    assert_eq!(keys(&store), ["every", "n2", "n5"]);
}

#[test]
fn a_damaged_header_can_be_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = all(folder.path());
    flip(&folder.path().join("journal"), 3);
    assert!(matches!(error_of(folder.path()), Error::Damaged { offset: 0, .. }));
    Store::rebuild(folder.path(), Options::default()).unwrap();
    assert_eq!(all(folder.path()), before);
}

#[test]
fn what_was_written_once_is_not_taken_for_a_torn_end() {
    let folder = tempfile::tempdir().unwrap();
    let ends = fill(folder.path());
    let before = all(folder.path());
    let journal = folder.path().join("journal");
    flip(&journal, ends[4] + 20);
    assert!(matches!(error_of(folder.path()), Error::Damaged { offset, .. } if offset == ends[4]));
    // Nor is a journal that was cut by somebody, or is gone.
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..ends[3] as usize]).unwrap();
    assert!(matches!(error_of(folder.path()), Error::Damaged { offset, .. } if offset == ends[3]));
    fs::remove_file(&journal).unwrap();
    assert!(matches!(error_of(folder.path()), Error::Damaged { .. }));
    assert!(Store::rebuild(folder.path(), Options::default()).unwrap().recovered_from_trees);
    assert_eq!(all(folder.path()), before);
}

#[test]
fn rewriting_changes_nothing_that_can_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = all(folder.path());
    let store = Store::open(folder.path()).unwrap();
    let size = store.stats().unwrap().journal_bytes;
    store.compact().unwrap();
    assert!(store.stats().unwrap().journal_bytes < size);
    store.put(&Kept::new("z", "after")).unwrap();
    assert!(store.check().unwrap().problems.is_empty());
    drop(store);
    let after = all(folder.path());
    assert_eq!(
        after.replace("{\"kind\":\"kept\",\"key\":\"z\",\"value\":{\"id\":\"z\",\"text\":\"after\"}}\n", ""),
        before
    );
}

#[test]
fn a_kill_while_rewriting_is_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = all(folder.path());
    // The journal is new, the mark in the trees still of the old one.
    journal::compact(&folder.path().join("journal")).unwrap();
    // What other steps leave behind.
    fs::write(folder.path().join("journal.new"), "half").unwrap();
    fs::create_dir(folder.path().join("trees.new")).unwrap();
    fs::rename(folder.path().join("trees"), folder.path().join("trees.old")).unwrap();
    assert_eq!(all(folder.path()), before);
    assert!(!folder.path().join("trees.old").exists() && !folder.path().join("journal.new").exists());
    assert!(Store::open(folder.path()).unwrap().check().unwrap().problems.is_empty());
}

#[test]
fn trees_are_copied_when_they_have_grown() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = all(folder.path());
    let layout = files::Layout::new(folder.path());
    let trees = trees::Trees::open(&layout.trees()).unwrap();
    let mark = trees.mark().unwrap();
    let trees = opening::rewrite_trees(&layout, trees).unwrap();
    assert_eq!(trees.mark().unwrap(), mark);
    drop(trees);
    assert_eq!(all(folder.path()), before);
}

#[test]
fn after_the_machine_went_down_the_journal_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = all(folder.path());
    // The trees lost a record that the journal has.
    let layout = files::Layout::new(folder.path());
    let trees = trees::Trees::open(&layout.trees()).unwrap();
    trees.tree("kept", true).unwrap().remove("every").unwrap();
    drop(trees);
    let store = Store::open(folder.path()).unwrap();
    let problems = store.check().unwrap().problems;
    assert_eq!(problems, ["kept `every` is in the journal but not in its tree"]);
    drop(store);
    assert_ne!(all(folder.path()), before);
    fs::write(folder.path().join("lock"), r#"{"pid":1,"boot":"another"}"#).unwrap();
    assert_eq!(all(folder.path()), before);
}

#[test]
fn live_bytes_follow_puts_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let store = Store::open(folder.path()).unwrap();
    let mark = store.trees().mark().unwrap();
    let stats = store.stats().unwrap();
    let bytes = |journalled| -> u64 {
        stats.kinds.iter().filter(|kind| kind.journalled == journalled).map(|kind| kind.bytes).sum()
    };
    assert_eq!((mark.live_journalled, mark.live_other), (bytes(true), bytes(false)));
}

#[test]
fn threads_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..25 {
                    store.put(&Kept::new(&format!("{thread}-{n}"), "x")).unwrap();
                    store.put(&Cached::new(&format!("{thread}-{n}"), "x")).unwrap();
                }
            });
        }
    });
    assert_eq!((store.count::<Kept>().unwrap(), store.count::<Cached>().unwrap()), (100, 100));
    assert!(store.check().unwrap().problems.is_empty());
}

#[test]
fn blobs_are_named_by_their_bytes() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let blobs = store.blobs();
    let mut writer = blobs.writer().unwrap();
    writer.write_all(b"ab").unwrap();
    writer.write_all(b"c").unwrap();
    let stored = writer.finish().unwrap();
    assert_eq!(stored.digest, crate::base::Digest::of(b"abc"));
    assert_eq!((stored.bytes, stored.new), (3, true));
    assert!(stored.path.ends_with(format!("blobs/ba/{}", stored.digest)));
    assert_eq!(fs::read(blobs.path(&stored.digest)).unwrap(), b"abc");
    assert!(!blobs.put(b"abc").unwrap().new);
    let mut given_up = blobs.writer().unwrap();
    given_up.write_all(b"nothing").unwrap();
    drop(given_up);
    assert_eq!(fs::read_dir(folder.path().join("blobs/tmp")).unwrap().count(), 0);
    assert_eq!((store.stats().unwrap().blobs, store.check().unwrap().problems.len()), (1, 0));
    fs::write(&stored.path, "changed").unwrap();
    let report = store.check().unwrap();
    assert_eq!((report.blobs, report.problems.len()), (1, 1));
}

#[test]
fn large_values_stay_out_of_the_engines_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for round in 0..3 {
        let text = round.to_string().repeat(VALUE_BYTES_MAX - 100);
        for n in 0..60 {
            store.put(&Cached::new(&format!("{n:03}"), &text)).unwrap();
        }
    }
    drop(store);
    assert!(Store::open(folder.path()).unwrap().get::<Cached>("059").unwrap().is_some());
    assert_eq!(fs::read_dir(folder.path().join("trees/blobs")).unwrap().count(), 0);
}

#[test]
fn a_journal_is_rewritten_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let text = "x".repeat(VALUE_BYTES_MAX - 100);
    // Three records, written anew again and again: ten megabytes and more, of which little is live.
    for n in 0..170 {
        store.put(&Kept::new(&format!("k{}", n % 3), &format!("{n}{text}"))).unwrap();
    }
    assert!(store.stats().unwrap().journal_bytes < 4 << 20);
    assert!(store.check().unwrap().problems.is_empty());
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert!(store.get::<Kept>("k1").unwrap().unwrap().text.starts_with("169x"));
}

#[test]
fn the_golden_store_opens() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fingerprints/golden/journal-v1");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden, folder.path().join("journal")).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(keys(&store), ["b"]);
    assert_eq!(store.get::<Kept>("b").unwrap().unwrap().text, "夜に駆ける");
}
