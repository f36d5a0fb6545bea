//! The chain: whole when nothing was touched, broken by any touch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn entry<'a>(subject: &'a str, note: &'a str) -> NewEntry<'a> {
    let at = Timestamp::UNIX_EPOCH;
    NewEntry { at, what: "case", subject, actor: "Ann", sha256: Some(Digest::of(note.as_bytes())), note }
}

#[test]
fn an_excerpt_proves_its_entries_and_hides_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for n in 0..30 {
        let (subject, note) = if n % 7 == 3 { ("C-1", "ours") } else { ("C-12", "secret") };
        assert_eq!(append(&store, &entry(subject, note)).unwrap(), n + 1);
    }
    assert_eq!(check(&store).unwrap().number, 30);
    let excerpt = excerpt(&store, "C-1").unwrap();
    let walked = excerpt.walk().unwrap();
    assert_eq!(walked.iter().map(|entry| entry.number).collect::<Vec<_>>(), [4, 11, 18, 25]);
    assert!(!serde_json::to_string(&excerpt).unwrap().contains("secret"));
    assert_eq!(excerpt.runs.len(), 1);
    assert!(super::excerpt(&store, "C-2").unwrap().runs.is_empty());
}

#[test]
fn what_an_entry_says_cannot_be_guessed_from_its_digest() {
    let stores = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let lines = stores.map(|folder| {
        let store = Store::open(folder.path()).unwrap();
        append(&store, &entry("C-1", "guessable")).unwrap();
        store.get::<LogRecord>(&key_of(1)).unwrap().unwrap().entry
    });
    assert_ne!(Digest::of(lines[0].as_bytes()), Digest::of(lines[1].as_bytes()));
    let salts = lines.map(|line| serde_json::from_str::<LogEntry>(&line).unwrap().salt);
    assert!(salts.iter().all(|salt| salt.len() == 32), "{salts:?}");
}

#[test]
fn entries_from_before_there_were_salts_stay_valid() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let line = r#"{"number":1,"at":"1970-01-01T00:00:00Z","what":"case","subject":"C-1","actor":"Ann"}"#;
    let link = link(&first_link(), 1, &Digest::of(line.as_bytes()));
    store.put(&LogRecord { number: 1, entry: line.to_owned(), link }).unwrap();
    store.put(&LogMention { subject: "C-1".to_owned(), number: 1 }).unwrap();
    store.put(&LogHead { number: 1, link }).unwrap();
    append(&store, &entry("C-1", "new")).unwrap();
    assert_eq!(check(&store).unwrap().number, 2);
    let walked = excerpt(&store, "C-1").unwrap().walk().unwrap();
    assert_eq!((walked[0].salt.as_str(), walked[1].salt.len()), ("", 32));
}

#[test]
fn entries_are_read_from_a_number_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(entries_after(&store, 0, 10).unwrap().is_empty());
    for n in 0..12 {
        append(&store, &entry("C-1", &n.to_string())).unwrap();
    }
    let numbers = |after, most| -> Vec<u64> {
        entries_after(&store, after, most).unwrap().iter().map(|entry| entry.number).collect()
    };
    assert_eq!(numbers(0, 3), [1, 2, 3]);
    assert_eq!(numbers(8, 100), [9, 10, 11, 12]);
    assert!(numbers(12, 5).is_empty() && numbers(u64::MAX, 5).is_empty());
    let mut batch = Batch::new();
    batch.delete::<LogRecord>(&key_of(5));
    store.commit(batch).unwrap();
    assert_eq!(numbers(0, 4), [1, 2, 3, 4]);
    assert!(matches!(entries_after(&store, 2, 4), Err(Error::Log { number: 5, .. })));
}

#[test]
fn several_entries_of_one_batch_are_a_chain_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut log = Log::open(&store).unwrap();
    let mut batch = Batch::new();
    for note in ["a", "b", "c"] {
        log.add(&mut batch, &entry("C-1", note)).unwrap();
    }
    store.commit(batch).unwrap();
    drop(log);
    assert_eq!(check(&store).unwrap(), head(&store).unwrap());
    assert_eq!(excerpt(&store, "C-1").unwrap().walk().unwrap().len(), 3);
}

#[test]
fn a_changed_or_removed_record_is_found_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for note in ["a", "b", "c"] {
        append(&store, &entry("C-1", note)).unwrap();
    }
    let second: LogRecord = store.get(&key_of(2)).unwrap().unwrap();
    store.put(&LogRecord { entry: second.entry.replace("\"b\"", "\"x\""), ..second.clone() }).unwrap();
    assert!(matches!(check(&store), Err(Error::Log { number: 2, .. })));
    store.put(&second).unwrap();
    check(&store).unwrap();
    let mut batch = Batch::new();
    batch.delete::<LogRecord>(&key_of(3));
    store.commit(batch).unwrap();
    assert!(matches!(check(&store), Err(Error::Log { number: 3, .. })));
}

#[test]
fn very_long_words_are_shortened() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    append(&store, &entry(&"s".repeat(600), &"夜".repeat(100_000))).unwrap();
    assert_eq!(check(&store).unwrap().number, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_item_of_an_excerpt_can_be_other(at in any::<prop::sample::Index>(), kind in 0..4u8) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for n in 0..8 {
            append(&store, &entry(if n % 3 == 0 { "C-1" } else { "C-2" }, "note")).unwrap();
        }
        let mut excerpt = excerpt(&store, "C-1").unwrap();
        let run = &mut excerpt.runs[0];
        let at = at.index(run.items.len());
        match kind {
            0 => drop(run.items.remove(at)),
            1 => run.items.insert(at, run.items[at].clone()),
            2 => run.items[at] = Item::Sha256(Digest::of(b"another")),
            _ => {
                let Item::Entry(line) = &mut run.items[0] else { panic!("the first is ours") };
                *line = line.replace("Ann", "Bob");
            }
        }
        prop_assert!(excerpt.walk().is_err());
    }
}
