//! Any bytes, and valid archives with changed bytes: no panic, bounded output, an answer.

use proptest::prelude::*;

use super::*;

const ARCHIVES: [&str; 16] = [
    "info-zip.zip",
    "streamed.zip",
    "zip64-bzip2.zip",
    "7zip-deflate64.zip",
    "7zip-lzma.zip",
    "lzma2.7z",
    "lzma-apart.7z",
    "delta.7z",
    "bzip2.7z",
    "gnu.tar.gz",
    "pax.tar.bz2",
    "pax.tar.xz",
    "pax.tar.zst",
    "rar4-stored.rar",
    "rar5-stored.rar",
    "rar5.rar",
];

/// Small enough that a bomb made by chance ends at once.
fn limits() -> Limits {
    Limits {
        members: 200,
        inflated_bytes: 8 << 20,
        member_bytes: 2 << 20,
        header_bytes: 1 << 16,
        decoder_bytes: 8 << 20,
        ..Limits::default()
    }
}

fn assert_bounded(bytes: &[u8]) {
    let limits = limits();
    let Ok(told) = try_walk(bytes, "x", &limits, &Tools::default()) else { return };
    assert!(told.report.members <= limits.members);
    assert!(told.report.inflated_bytes <= limits.inflated_bytes + (1 << 16));
    // At most one line for each member, and a few for each archive.
    assert!(told.skipped.len() as u64 <= 2 * told.report.members + 4 * told.report.archives + 1);
    for (member, _) in &told.members {
        assert!(member.bytes <= limits.member_bytes);
        for level in &member.path.levels {
            assert!(level.name.len() <= 3 * 4096 && level.method.len() < 200);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_behind_any_signature(which in 0usize..9, tail in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let signatures: [&[u8]; 9] = [
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"7z\xbc\xaf\x27\x1c",
            b"\x1f\x8b\x08",
            b"BZh9\x31\x41\x59\x26\x53\x59",
            b"\xfd7zXZ\x00",
            b"\x28\xb5\x2f\xfd",
            b"Rar!\x1a\x07\x00",
            b"Rar!\x1a\x07\x01\x00",
        ];
        assert_bounded(&[signatures[which], &tail].concat());
    }

    #[test]
    fn any_list_of_a_7z(list in proptest::collection::vec(0u8..32, 0..300), first in prop_oneof![Just(1u8), Just(0x17)]) {
        let list = [vec![first], list].concat();
        assert_bounded(&make::seven_around(&[0; 64], &list));
    }

    #[test]
    fn any_headers_of_a_rar(kind in any::<u8>(), flags in any::<u16>(), fields in proptest::collection::vec(any::<u8>(), 0..100)) {
        assert_bounded(&make::rar4(&[make::rar4_block(kind, flags, &fields, &[0; 50])]));
        assert_bounded(&make::rar5(&[make::rar5_block(&fields, &[0; 50])]));
    }

    #[test]
    fn any_header_of_a_tar(kind in any::<u8>(), size in any::<u64>(), data in proptest::collection::vec(any::<u8>(), 0..1500)) {
        assert_bounded(&make::tar(&[make::tar_entry("a", kind, size, &data)]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn archives_with_changed_bytes(
        which in 0..ARCHIVES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in proptest::option::weighted(0.3, any::<prop::sample::Index>()),
        from_end in any::<bool>(),
    ) {
        let mut bytes = fixture(ARCHIVES[which]);
        for (at, byte) in changes {
            // Headers are at both ends.
            let reach = bytes.len().min(400);
            let at = at.index(reach);
            let at = if from_end { bytes.len() - 1 - at } else { at };
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        assert_bounded(&bytes);
    }

    #[test]
    fn archives_with_changed_bytes_anywhere(
        which in 0..ARCHIVES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = fixture(ARCHIVES[which]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        assert_bounded(&bytes);
    }
}
