//! There is one archive for a set of entries, and nothing else is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::format::is_name;
use super::reader::{Container, Entry};
use super::{Part, write};
use crate::evidence::section::Section;

fn archive(entries: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let parts = entries.iter().rev();
    let parts = parts.map(|(name, bytes)| Part { name: name.clone(), content: Section::of(bytes) }).collect();
    let mut out = Vec::new();
    write(parts, &mut out).unwrap();
    out
}

fn entries() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let name = "[a-z][a-z0-9-]{0,6}(/[a-z0-9][a-z0-9._-]{0,9}){0,2}";
    prop::collection::btree_map(name, prop::collection::vec(any::<u8>(), 0..80), 0..6)
}

fn read_back(bytes: &Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let container = Container::read(bytes).unwrap();
    let read = |entry: &Entry<'_>| (entry.name.clone(), entry.content.read(1 << 20).unwrap());
    container.entries().iter().map(read).collect()
}

proptest! {
    #[test]
    fn entries_come_back(entries in entries()) {
        let bytes = archive(&entries);
        prop_assert_eq!(read_back(&bytes), entries);
    }

    #[test]
    fn no_byte_can_be_other(entries in entries(), at in any::<prop::sample::Index>(), change in 1u8..) {
        let mut bytes = archive(&entries);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(Container::read(&bytes).is_err());
    }

    #[test]
    fn no_byte_can_be_added_or_missing(entries in entries(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = archive(&entries);
        let at = at.index(bytes.len());
        let mut longer = bytes.clone();
        longer.insert(at, byte);
        prop_assert!(Container::read(&longer).is_err());
        let mut shorter = bytes.clone();
        shorter.remove(at);
        prop_assert!(Container::read(&shorter).is_err());
        prop_assert!(Container::read(&bytes[..at].to_vec()).is_err());
    }

    /// Whatever is read is the archive of what it gives.
    #[test]
    fn what_is_read_is_what_is_written(
        entries in entries(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
    ) {
        let mut bytes = archive(&entries);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if Container::read(&bytes).is_ok() {
            prop_assert_eq!(archive(&read_back(&bytes)), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), plain in any::<bool>()) {
        if plain && bytes.len() > 4 {
            bytes[..4].copy_from_slice(b"PK\x03\x04");
        }
        prop_assert!(Container::read(&bytes).is_err());
    }
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    for name in ["", "/a", "../a", "a/../b", "a//b", "a/", ".a", "A", "a b", "a\\b", "é"] {
        assert!(!is_name(name), "{name}");
    }
    let content = Vec::new();
    let parts = vec![Part { name: "../a".to_owned(), content: Section::of(&content) }];
    assert!(write(parts, &mut Vec::new()).unwrap_err().to_string().contains("`../a`"));
}

#[test]
fn one_name_comes_once() {
    let content = Vec::new();
    let part = || Part { name: "a".to_owned(), content: Section::of(&content) };
    assert!(write(vec![part(), part()], &mut Vec::new()).unwrap_err().to_string().contains("twice"));
}
