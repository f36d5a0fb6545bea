//! Doors for the fuzz targets to parsers that nobody else needs to reach, and what must hold of each whatever it is given.
//! The tests of this room run the same on a bundle that was changed here and there.

use std::collections::BTreeSet;

use super::container::{Container, Part, write};
use super::log::Excerpt;
use super::section::Section;
use super::timestamp::{claimed, verify as verify_token};
use super::{Demands, Outcome, Replayed, Rerun, verify, warc};
use crate::base::{Digest, MediaTags};

/// A bundle that holds, to start from.
pub const GOLDEN: &[u8] = include_bytes!("golden/bundle.wacz");

/// Where it is in the repository.
#[cfg(test)]
pub(super) const GOLDEN_PATH: &str = "src/evidence/golden/bundle.wacz";

/// The root of the token in `timestamp/golden`.
const ROOT: &[u8] = include_bytes!("timestamp/golden/root.der");

/// No entry of the golden bundle is longer, in bytes.
const ENTRY_BYTES_MAX: u64 = 1 << 20;

/// Verifies bytes as a bundle. What is taken for a container is, byte for byte, what its entries make; what passes all checks
/// has every one of them.
pub fn bundle(bytes: &[u8]) {
    let bytes = bytes.to_vec();
    let replay = |_: &Rerun<'_>| Ok(Replayed { matches: Vec::new(), tags: MediaTags::default() });
    let report = verify(&bytes, &Demands { replay: Some(&replay), ..Demands::default() });
    assert_eq!(report.checks.len(), 15);
    assert!(report.checks.iter().all(|check| !check.detail.is_empty()));
    let Ok(container) = Container::read(&bytes) else {
        assert!(!report.passed());
        return;
    };
    assert_eq!(report.sha256, Some(Digest::of(&bytes)));
    let entries = container.entries().iter();
    let parts = entries.map(|entry| Part { name: entry.name.clone(), content: entry.content }).collect();
    let mut again = Vec::new();
    assert!(write(parts, &mut again).is_ok() && again == bytes);
}

/// Entry number `which` of the golden bundle, counted round: its name and its bytes.
#[must_use]
pub fn entry(which: u8) -> Option<(String, Vec<u8>)> {
    let golden = GOLDEN.to_vec();
    let container = Container::read(&golden).ok()?;
    let entries = container.entries();
    let entry = entries.get(usize::from(which) % entries.len())?;
    Some((entry.name.clone(), entry.content.read(ENTRY_BYTES_MAX).ok()?))
}

/// Puts `content` in place of entry number `which` of the golden bundle, in a container that holds, and verifies that: it
/// passes only where nothing is other.
pub fn document(which: u8, content: &[u8]) {
    let golden = GOLDEN.to_vec();
    let (Ok(container), Some((name, old))) = (Container::read(&golden), entry(which)) else { return };
    let content_of = |own: &str, kept| if own == name { Section::of(content) } else { kept };
    let parts = container.entries().iter();
    let parts = parts
        .map(|entry| Part { name: entry.name.clone(), content: content_of(&entry.name, entry.content) })
        .collect();
    let mut changed = Vec::new();
    assert!(write(parts, &mut changed).is_ok());
    let report = verify(&changed, &Demands::default());
    let container = report.checks.first().map(|check| check.outcome);
    assert_eq!(container, Some(Outcome::Passed));
    assert_eq!(report.passed(), old == content, "{name}: {report:?}");
    if name.ends_with("log.json") {
        log(content);
    }
}

/// Walks an excerpt of the operation log: what is taken counts up.
pub fn log(bytes: &[u8]) {
    let Ok(excerpt) = serde_json::from_slice::<Excerpt>(bytes) else { return };
    let Ok(entries) = excerpt.walk() else { return };
    assert!(entries.windows(2).all(|pair| matches!(pair, [a, b] if a.number < b.number)));
}

/// Reads a web archive: its records are all of it, one behind the other, and all answers are in its index.
pub fn archive(bytes: &[u8]) {
    let section = Section::of(bytes);
    let Ok(records) = warc::read(&section) else { return };
    let ends = records.iter().map(|record| record.offset + record.bytes);
    let begins = records.iter().map(|record| record.offset).skip(1).chain([bytes.len() as u64]);
    assert!(ends.eq(begins));
    let named = |record: &&warc::Record<'_>| {
        matches!(record.kind.as_str(), "response" | "revisit" | "resource") && record.uri.is_some()
    };
    assert_eq!(warc::index(&records).lines().count(), records.iter().filter(named).count());
    // Captures of nothing are held against it.
    assert!(
        warc::compare(&section, &records, &[], &BTreeSet::new()).is_ok_and(|count| count == 0)
            || records.len() > 1
    );
}

/// Reads a time-stamp token or the answer around one: what is verified claims the same without roots.
pub fn token(bytes: &[u8]) {
    let digest = Digest::of(b"abc");
    let claim = claimed(bytes, &digest);
    if let Ok(stamped) = verify_token(bytes, &digest, &[ROOT.to_vec()]) {
        assert!(claim.is_ok_and(|claim| (claim.at, claim.accuracy_us) == (stamped.at, stamped.accuracy_us)));
    }
}
