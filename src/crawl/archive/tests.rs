#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Archives made by other programs (`tests/fixtures/archives`), and hostile ones made by hand.

mod formats;
mod hostile;
mod make;
mod properties;
mod rars;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::*;
use crate::base::Digest;

/// What a walk told.
#[derive(Debug, Default)]
struct Told {
    report: Report,
    members: Vec<(Member, Vec<u8>)>,
    skipped: Vec<Skipped>,
}

impl Told {
    /// Names of members with their bytes.
    fn files(&self) -> BTreeMap<String, &[u8]> {
        self.members.iter().map(|(member, bytes)| (member.path.to_string(), bytes.as_slice())).collect()
    }

    fn names(&self) -> Vec<String> {
        self.members.iter().map(|(member, _)| member.path.to_string()).collect()
    }

    /// Names of skipped members with the reason as text.
    fn reasons(&self) -> Vec<(String, String)> {
        self.skipped.iter().map(|skipped| (skipped.path.to_string(), skipped.reason.to_string())).collect()
    }

    fn only_reason(&self) -> &SkipReason {
        assert_eq!(self.skipped.len(), 1, "{:?}", self.reasons());
        &self.skipped[0].reason
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn try_walk(bytes: &[u8], name: &str, limits: &Limits, tools: &Tools) -> Result<Told, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outer");
    std::fs::write(&path, bytes).unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let outer = Outer { path: &path, name, sha256: Digest::of(bytes), work_dir: Some(&work), tools };
    let mut told = Told::default();
    let report = walk(&outer, limits, &|| false, &mut |visited| {
        match visited {
            Visited::Member(member) => {
                let bytes = std::fs::read(&member.file).unwrap();
                assert_eq!((bytes.len() as u64, Digest::of(&bytes)), (member.bytes, member.sha256));
                told.members.push((*member, bytes));
            }
            Visited::Skipped(skipped) => told.skipped.push(*skipped),
        }
        ControlFlow::Continue(())
    });
    told.report = report?;
    assert_eq!(told.report.taken, told.members.len() as u64);
    assert_eq!(told.report.skipped, told.skipped.len() as u64);
    // Nothing is left behind, and nothing was written elsewhere.
    for (member, _) in &told.members {
        assert!(member.file.starts_with(&work));
    }
    let kept = std::fs::read_dir(&work).unwrap().count();
    assert_eq!(kept, told.members.len());
    Ok(told)
}

fn walk_bytes(bytes: &[u8]) -> Told {
    walk_within(bytes, &Limits::default())
}

fn walk_within(bytes: &[u8], limits: &Limits) -> Told {
    try_walk(bytes, "outer.bin", limits, &Tools::default()).unwrap()
}

/// A WAV of `length` bytes that does not compress to nothing.
fn wav(length: usize) -> Vec<u8> {
    let mut bytes = fixture("tone.wav")[..44].to_vec();
    let mut state = 1u32;
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    bytes
}
