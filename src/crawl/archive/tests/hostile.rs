//! Bombs, lies, loops and damage: what is told, and that what was good is kept.

use super::make;
use super::*;

const MIB: u64 = 1 << 20;

fn damaged(reason: &SkipReason) -> &str {
    match reason {
        SkipReason::Damaged { what } => what,
        other => panic!("{other}"),
    }
}

/// A WAV that goes on as zeros.
fn silence(length: usize) -> Vec<u8> {
    let mut bytes = fixture("tone.wav")[..44].to_vec();
    bytes.resize(length, 0);
    bytes
}

#[test]
fn gzip_bomb() {
    let bomb = make::gzipped(&silence(64 << 20));
    let told = walk_bytes(&bomb);
    assert_eq!(*told.only_reason(), SkipReason::Bomb { ratio_max: 1000 });
    assert!(told.report.inflated_bytes < 66 * MIB);
    let limits = Limits { ratio: 100, ..Limits::default() };
    assert!(walk_within(&bomb, &limits).report.inflated_bytes < 8 * MIB);
    // As a tar, whose members come before it is known.
    let tar =
        make::tar(&[make::tar_file("good.wav", &wav(3000)), make::tar_file("zeros.bin", &vec![0; 8 << 20])]);
    let told = walk_within(&make::gzipped(&tar), &limits);
    assert_eq!(told.members.len(), 1);
    assert!(told.skipped.iter().any(|skipped| skipped.reason == SkipReason::Bomb { ratio_max: 100 }));
}

#[test]
fn bombs_of_other_streams() {
    let limits = Limits { ratio: 100, ..Limits::default() };
    let zeros = silence(16 << 20);
    let told = walk_within(&zstd::encode_all(&zeros[..], 3).unwrap(), &limits);
    assert_eq!(*told.only_reason(), SkipReason::Bomb { ratio_max: 100 });
    let zip = make::zip(&[make::deflate("bomb.wav", &zeros), make::stored("good.wav", &wav(3000))]);
    let told = walk_within(&zip, &limits);
    assert_eq!(*told.only_reason(), SkipReason::Bomb { ratio_max: 100 });
    assert_eq!(told.names(), ["good.wav"]);
}

#[test]
fn a_bomb_of_many_layers() {
    // Like 42.zip: sixteen archives in each, five deep, and a bomb at the bottom. Equal ones are gone into once; here
    // each is made different, so that only the limits hold.
    fn layer(depth: u32, salt: u32, bomb: &make::Entry) -> Vec<u8> {
        if depth == 0 {
            return make::zip(&[make::Entry { name: format!("{salt}.wav").into(), ..bomb.clone() }]);
        }
        let one = |n| make::deflate(format!("lib {n}.zip"), &layer(depth - 1, salt * 4 + n, bomb));
        make::zip(&(0..4).map(one).collect::<Vec<_>>())
    }
    let bomb = layer(4, 1, &make::deflate("", &silence(8 << 20)));
    let told = walk_bytes(&bomb);
    assert!(told.members.is_empty());
    assert!(told.skipped.iter().all(|skipped| skipped.reason == SkipReason::TooDeep { nesting_max: 4 }));
    assert_eq!(told.report.ended, Ended::Done);
    let limits = Limits { nesting: 5, inflated_bytes: 20 * MIB, ratio: 10_000, ..Limits::default() };
    let told = walk_within(&bomb, &limits);
    assert_eq!(told.report.ended, Ended::InflatedBytes);
    assert!(told.report.inflated_bytes < 21 * MIB);
    assert_eq!(told.skipped.last().unwrap().reason, SkipReason::OverBudget { bytes_max: 20 * MIB });
    // What came before is kept.
    assert_eq!(told.members.len(), 2);
}

#[test]
fn equal_archives_are_gone_into_once() {
    let inner = make::zip(&[make::deflate("a.wav", &wav(2000))]);
    let told = walk_bytes(&make::zip(&[make::stored("1.zip", &inner), make::stored("2.zip", &inner)]));
    assert_eq!(told.names(), ["1.zip!/a.wav"]);
    assert_eq!(told.reasons(), [("2.zip".to_owned(), "the same archive was gone through before".to_owned())]);
}

#[test]
fn an_archive_that_holds_itself() {
    // A true quine takes a page of arithmetic; to the walk it is an archive with the digest of one that it stands in.
    let inner = make::zip(&[make::stored("again.zip", b"PK\x05\x06"), make::stored("a.wav", &wav(2000))]);
    let bytes = make::zip(&[make::stored("droste.zip", &inner)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("droste.zip");
    std::fs::write(&path, &bytes).unwrap();
    let tools = Tools::default();
    let sha256 = Digest::of(&inner);
    let outer =
        Outer { path: &path, name: "droste.zip", sha256, work_dir: Some(folder.path()), tools: &tools };
    let mut reasons = Vec::new();
    walk(&outer, &Limits::default(), &|| false, &mut |visited| {
        if let Visited::Skipped(skipped) = visited {
            reasons.push(skipped.reason);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(reasons, [SkipReason::HoldsItself]);
}

#[test]
fn a_bomb_of_overlapping_members() {
    // Each member has the right checksum and size, and all share one kernel.
    let bomb = make::overlapping_zip(200, &silence(4 << 20));
    let told = walk_bytes(&bomb);
    // The first bytes of all but the last are a header of zip, so they are taken for archives and read.
    assert!(
        told.skipped.iter().any(|skipped| skipped.reason == SkipReason::Overlaps),
        "{:?}",
        told.reasons()
    );
    // Of 800 MiB that it claims.
    assert!(told.report.inflated_bytes < 48 * MIB, "{}", told.report.inflated_bytes);
    // The same bytes under two names are read twice at most.
    let tone = make::stored("a.wav", &wav(200_000));
    let (local, size) = (make::local_header(&tone), tone.stored.len() as u32);
    let directory: Vec<u8> = (0..50).flat_map(|_| make::central_header(&tone, 0, size)).collect();
    let body = [local, tone.stored].concat();
    let bytes = [body.clone(), directory.clone(), make::end_record(50, directory.len(), body.len())].concat();
    let told = walk_bytes(&bytes);
    assert_eq!(told.members.len() + told.skipped.len(), 50);
    assert!((1..=2).contains(&told.members.len()), "{}", told.members.len());
    assert!(told.skipped.iter().all(|skipped| skipped.reason == SkipReason::Overlaps));
}

#[test]
fn a_lie_about_one_member_does_not_hide_the_others() {
    // The first says that it reaches over all others.
    let entries = [
        make::stored("liar.bin", b"no audio"),
        make::stored("a.wav", &wav(2000)),
        make::stored("b.wav", &wav(3000)),
    ];
    let mut zip = make::zip(&entries);
    let at = zip.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    zip[at + 20..at + 24].copy_from_slice(&100_000u32.to_le_bytes());
    let told = walk_bytes(&zip);
    assert_eq!(told.names(), ["a.wav", "b.wav"]);
    assert!(told.members.iter().all(|(member, _)| member.damage.is_none()));
}

#[test]
fn sizes_and_checksums_that_lie() {
    let tone = wav(5000);
    let entry = make::deflate("a.wav", &tone);
    let cases = [
        (
            make::Entry { crc32: 7, ..entry.clone() },
            "its bytes do not have the checksum 00000007 that the archive states",
        ),
        (make::Entry { size: 100, ..entry.clone() }, "5000 bytes are there, the archive says 100"),
        (make::Entry { size: 9000, ..entry.clone() }, "5000 bytes are there, the archive says 9000"),
    ];
    for (entry, damage) in cases {
        let told = walk_bytes(&make::zip(&[entry, make::stored("b.wav", &tone)]));
        assert_eq!(told.names(), ["a.wav", "b.wav"]);
        assert_eq!(told.members[0].0.damage.as_deref(), Some(damage));
        assert_eq!((&told.members[0].1, &told.members[1].0.damage), (&tone, &None));
    }
    let limits = Limits { member_bytes: 4000, ..Limits::default() };
    // Told before a byte is read, and found out where the header says less.
    let told = walk_within(&make::zip(&[entry.clone(), make::Entry { size: 100, ..entry }]), &limits);
    assert_eq!(told.skipped.len(), 2);
    assert!(told.skipped.iter().all(|skipped| skipped.reason == SkipReason::TooLarge { bytes_max: 4000 }));
}

#[test]
fn limits_on_members() {
    let many: Vec<_> = (0..20).map(|number| make::stored(format!("{number}.wav"), &wav(100))).collect();
    let limits = Limits { members: 5, ..Limits::default() };
    let tar = make::tar(&(0..20).map(|n| make::tar_file(&format!("{n}.wav"), &wav(100))).collect::<Vec<_>>());
    for bytes in [make::zip(&many), tar] {
        let told = walk_within(&bytes, &limits);
        assert_eq!((told.members.len(), told.report.ended), (5, Ended::Members));
        assert_eq!(*told.only_reason(), SkipReason::TooManyMembers { members_max: 5 });
    }
}

#[test]
fn links_and_devices_are_not_followed() {
    let link = make::Entry { mode: 0o120_777, ..make::stored("link.wav", b"/etc/passwd") };
    let told = walk_bytes(&make::zip(&[link]));
    assert_eq!(*told.only_reason(), SkipReason::Link);
    let told = walk_bytes(&make::tar(&[
        make::tar_entry("hard", b'1', 0, b""),
        make::tar_entry("soft", b'2', 0, b""),
        make::tar_entry("device", b'3', 0, b""),
        make::tar_entry("pipe", b'6', 0, b""),
        make::tar_file("a.wav", &wav(600)),
    ]));
    let reasons: Vec<_> = told.reasons().into_iter().map(|(_, why)| why).collect();
    assert_eq!(reasons, ["a link", "a link", "no regular file", "no regular file"]);
    assert_eq!(told.names(), ["a.wav"]);
}

#[test]
fn tars_that_claim_too_much() {
    let good = make::tar_file("good.wav", &wav(700));
    for (size, why) in [
        (u64::MAX - 1, "larger than 4294967296 bytes"),
        (1 << 40, "larger than 4294967296 bytes"),
        (1 << 30, "not audio"),
    ] {
        let told = walk_bytes(&make::tar(&[good.clone(), make::tar_entry("huge.bin", b'0', size, b"xx")]));
        assert_eq!(told.names(), ["good.wav"], "{size}");
        let reasons = told.reasons();
        if size == u64::MAX - 1 {
            assert_eq!(reasons[0].1, format!("damaged: the header at byte 1536 says {size} bytes"));
        } else {
            assert_eq!(reasons[0], ("huge.bin".to_owned(), why.to_owned()));
            assert_eq!(reasons[1].1, "damaged: the archive is cut off");
        }
    }
    // A long name of 1 GiB, and attributes that are said to be as long.
    for kind in [b'L', b'x'] {
        let told = walk_bytes(&make::tar(&[good.clone(), make::tar_entry("name", kind, 1 << 30, b"x")]));
        assert_eq!(told.names(), ["good.wav"]);
        assert!(damaged(told.only_reason()).contains("says 1073741824 bytes"));
    }
    // Sizes from pax attributes go before the header's.
    let told = walk_bytes(&make::tar(&[
        make::tar_entry("x", b'x', 20, b"20 size=99999999999\n"),
        make::tar_file("a.wav", &wav(600)),
    ]));
    assert_eq!(told.reasons()[0], ("a.wav".to_owned(), "larger than 4294967296 bytes".to_owned()));
}

#[test]
fn damage_in_a_tar_costs_what_is_damaged() {
    let parts: Vec<_> = (0..3).map(|n| make::tar_file(&format!("{n}.wav"), &wav(600))).collect();
    let mut tar = make::tar(&parts);
    tar[parts[0].len()] ^= 0xff;
    let told = walk_bytes(&tar);
    assert_eq!(told.names(), ["0.wav", "2.wav"]);
    assert_eq!(damaged(told.only_reason()), "no tar header at byte 1536; looking for the next");
    tar.truncate(3 * 1536 - 700);
    let told = walk_bytes(&tar);
    assert_eq!(
        told.members.last().unwrap().0.damage.as_deref(),
        Some("324 bytes are there, the archive says 600")
    );
}

#[test]
fn cut_off_archives_give_what_is_there() {
    for archive in [
        "info-zip.zip",
        "streamed.zip",
        "zip64-bzip2.zip",
        "7zip-lzma.zip",
        "gnu.tar.gz",
        "rar4-stored.rar",
        "rar5-stored.rar",
    ] {
        let whole = fixture(archive);
        let mut found = 0;
        for cut in [whole.len() - 8, whole.len() * 9 / 10] {
            let told = walk_bytes(&whole[..cut]);
            found = told.members.len();
            assert!(
                told.names().iter().any(|name| name.ends_with("01 tone.wav")),
                "{archive} {cut}: {:?}",
                told.reasons()
            );
        }
        assert!(found >= 1);
    }
    let told = walk_bytes(&fixture("lzma2.7z")[..2000]);
    assert_eq!(damaged(told.only_reason()), "it is cut off; the list of files at its end is missing");
    let whole = make::zip(&[make::deflate("a.wav", &wav(5000)), make::deflate("b.wav", &wav(90_000))]);
    let told = walk_bytes(&whole[..50_000]);
    assert_eq!(told.names(), ["a.wav", "b.wav"]);
    assert_eq!(told.members[0].0.damage, None);
    assert!(told.members[1].0.damage.is_some() && told.members[1].0.bytes > 30_000);
    assert!(damaged(told.only_reason()).starts_with("the directory at its end is missing"));
}

#[test]
fn dictionaries_are_refused_before_they_are_made() {
    let limits = Limits { decoder_bytes: 1 << 20, ..Limits::default() };
    let huge = 0xffff_ffffu32.to_le_bytes();
    let lzma = make::seven(&[3, 1, 1], &[&[0x5d][..], &huge].concat(), &[0; 100], 1000, &["a.wav"]);
    let lzma2 = make::seven(&[0x21], &[40], &[1, 0, 0, 0], 1000, &["a.wav"]);
    let zip = make::Entry {
        method: 14,
        stored: [&[9, 20, 5, 0, 0x5d][..], &huge, &[0; 50]].concat(),
        ..make::stored("a.wav", &wav(99))
    };
    for bytes in [lzma, lzma2, make::zip(&[zip])] {
        let told = walk_within(&bytes, &Limits::default());
        let reason = SkipReason::NeedsMemory { bytes: u32::MAX.into(), bytes_max: 128 << 20 };
        assert_eq!(*told.only_reason(), reason);
        assert_eq!(told.skipped[0].path.to_string(), "a.wav");
    }
    // Of xz and zstd the decoder refuses.
    for archive in ["pax.tar.xz", "pax.tar.zst"] {
        let limits = Limits { decoder_bytes: 1 << 11, ..limits.clone() };
        let told = walk_within(&fixture(archive), &limits);
        assert!(told.members.is_empty(), "{archive}");
        assert!(
            matches!(told.only_reason(), SkipReason::Damaged { .. } | SkipReason::NotAudio),
            "{archive}: {:?}",
            told.reasons()
        );
    }
}

#[test]
fn lists_of_7z_that_claim_too_much() {
    let limits = Limits { header_bytes: 1000, ..Limits::default() };
    let long = make::seven_around(b"", &[1; 2000]);
    assert_eq!(*walk_within(&long, &limits).only_reason(), SkipReason::TooLarge { bytes_max: 1000 });
    // A packed list that inflates to a terabyte, one that says so in its block, and endless counts.
    let packed = [0x17, 6, 0, 1, 9, 4, 0, 7, 11, 1, 0, 1, 1, 0, 12, 0xfe, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    let told = walk_bytes(&make::seven_around(b"xxxx", &packed));
    assert!(matches!(told.only_reason(), SkipReason::TooLarge { .. } | SkipReason::Damaged { .. }));
    for list in [
        &[1, 4, 6, 0, 0xff, 255, 255, 255, 255, 255, 255, 255, 255][..],
        &[1, 5, 0xff, 255, 255, 255, 255, 255, 255, 255, 255],
        &[1, 2, 1, 0xff, 1, 1, 1, 1, 1, 1, 1, 1],
    ] {
        assert_eq!(
            damaged(walk_bytes(&make::seven_around(b"", list)).only_reason()),
            "its list of files is broken"
        );
    }
    let mut wrong = fixture("lzma2.7z");
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    assert!(damaged(walk_bytes(&wrong).only_reason()).contains("checksum"));
}

#[test]
fn damage_in_a_solid_block_keeps_what_came_before() {
    let (good, rest) = (wav(4000), wav(3000));
    let whole = [good.clone(), rest].concat();
    // Sizes of parts are not written by the maker; one file that is cut short shows the same.
    let bytes = make::seven(&[0], &[0], &whole[..5000], 7000, &["a.wav"]);
    let told = walk_bytes(&bytes);
    assert_eq!(told.members[0].1, &whole[..5000]);
    assert_eq!(told.members[0].0.damage.as_deref(), Some("5000 bytes are there, the archive says 7000"));
    // A flipped byte in the packed data of a fixture.
    let mut bytes = fixture("lzma-apart.7z");
    bytes[60] ^= 0x55;
    let told = walk_bytes(&bytes);
    assert!(told.files().contains_key("disc/02 chord.mp3"), "{:?}", told.reasons());
}
