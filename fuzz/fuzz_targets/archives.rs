//! Archives: zip, 7z, tar, gzip, bzip2, xz, zstd and the headers of rar, one in the other, with the names in them.
//! Input: a file.
#![no_main]

use std::ops::ControlFlow;

use earwitness::base::Digest;
use earwitness::crawl::archive::{Limits, MemberPath, Outer, Tools, Visited, is_archive, walk};
use earwitness_fuzz::count;
use earwitness_fuzz::folder::{FOLDER, file_of};
use libfuzzer_sys::fuzz_target;

/// Small, so that an input costs no more than it can show.
const LIMITS: Limits = Limits {
    members: 200,
    nesting: 4,
    inflated_bytes: 8 << 20,
    member_bytes: 2 << 20,
    ratio: 1000,
    header_bytes: 1 << 20,
    decoder_bytes: 32 << 20,
};

fuzz_target!(|data: &[u8]| {
    let path = file_of("input", data);
    let tools = Tools::default();
    let outer = Outer {
        path: &path,
        name: "album.bin",
        sha256: Digest::of(data),
        work_dir: Some(&FOLDER),
        tools: &tools,
    };
    count(if is_archive(&data[..data.len().min(512)]) { "archive by its first bytes" } else { "other" });
    let (mut taken, mut skipped) = (0, 0);
    let walked = walk(&outer, &LIMITS, &|| false, &mut |visited| {
        match visited {
            Visited::Member(member) => {
                taken += 1;
                check_path(&member.path);
                assert!(member.bytes <= LIMITS.member_bytes);
                let bytes = std::fs::read(&member.file).unwrap();
                assert_eq!((bytes.len() as u64, Digest::of(&bytes)), (member.bytes, member.sha256));
            }
            Visited::Skipped(member) => {
                skipped += 1;
                check_path(&member.path);
                assert!(member.reason.to_string().len() <= 1000, "{}", member.reason);
            }
        }
        ControlFlow::Continue(())
    });
    let Ok(report) = walked else { return };
    count("archive");
    assert_eq!((report.taken, report.skipped), (taken, skipped));
    assert!(report.members <= LIMITS.members, "{report:?}");
    // What is inflated is counted piece by piece.
    assert!(report.inflated_bytes <= LIMITS.inflated_bytes + (1 << 20), "{report:?}");
    if report.archives > 1 {
        count("archive in an archive");
    }
    if taken > 0 {
        count("archive, members taken");
    }
});

fn check_path(path: &MemberPath) {
    assert!(path.levels.len() <= 16);
    assert!(path.levels.iter().all(|level| level.name.len() <= 3 * 4096), "a name is too long");
    let shown = path.to_string();
    assert!(!shown.contains(|c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}')), "{shown:?}");
}
