//! What other programs wrote is found, byte by byte, and can be found again by the offsets.

use std::io::Read as _;

use super::make;
use super::*;

/// All four members, of which one is no audio.
fn assert_whole(told: &Told, archive: &str) {
    let prefix = match archive.rsplit_once(".tar.") {
        Some((stem, _)) => format!("{stem}.tar!/"),
        None => String::new(),
    };
    let files = told.files();
    let of = |name: &str| files.get(&format!("{prefix}{name}")).copied();
    assert_eq!(of("01 tone.wav"), Some(&*fixture("tone.wav")), "{archive}: {:?}", told.reasons());
    assert_eq!(of("disc/02 chord.mp3"), Some(&*fixture("chord.mp3")), "{archive}: {:?}", told.reasons());
    assert!(told.members.iter().all(|(member, _)| member.damage.is_none()), "{archive}");
    assert_eq!(told.report.ended, Ended::Done, "{archive}");
}

#[test]
fn archives_of_other_programs() {
    for (archive, method) in [
        ("info-zip.zip", "deflate"),
        ("streamed.zip", "deflate"),
        ("zip64-bzip2.zip", "bzip2"),
        ("7zip-deflate64.zip", "deflate64"),
        ("7zip-lzma.zip", "lzma"),
        ("lzma2.7z", "lzma2+delta"),
        ("lzma-apart.7z", "lzma+delta"),
        ("delta.7z", "lzma2+delta"),
        ("bzip2.7z", "bzip2+delta"),
        ("gnu.tar.gz", "store"),
        ("pax.tar.bz2", "store"),
        ("pax.tar.xz", "store"),
        ("pax.tar.zst", "store"),
        ("bsd.tar.gz", "store"),
        ("rar4-stored.rar", "store"),
        ("rar5-stored.rar", "store"),
    ] {
        let told = try_walk(&fixture(archive), archive, &Limits::default(), &Tools::default()).unwrap();
        assert_whole(&told, archive);
        let tone =
            told.members.iter().find(|(member, _)| member.path.to_string().ends_with("01 tone.wav")).unwrap();
        assert_eq!(tone.0.path.levels.last().unwrap().method, method, "{archive}");
        if archive != "bsd.tar.gz" {
            let kinds: Vec<_> = told.members.iter().map(|(member, _)| member.kind).collect();
            assert!(kinds.contains(&Kind::CueSheet), "{archive}");
            let notes = told.reasons().into_iter().find(|(name, _)| name.ends_with("notes.txt"));
            assert_eq!(notes.unwrap().1, "not audio", "{archive}");
        }
    }
}

#[test]
fn a_single_stream_is_named_by_itself_or_by_its_file() {
    let told = walk_bytes(&fixture("tone.wav.gz"));
    assert_eq!(told.names(), ["01 tone.wav"]);
    let level = &told.members[0].0.path.levels[0];
    assert_eq!((level.format, level.header_at, level.data_at), (Format::Gzip, 0, 22));
    let plain = make::gzipped(&fixture("chord.mp3"));
    let told = try_walk(&plain, "song.mp3.gz", &Limits::default(), &Tools::default()).unwrap();
    assert_eq!(told.names(), ["song.mp3"]);
}

#[test]
fn tars_hold_long_names_links_and_sparse_files() {
    for archive in ["gnu.tar.gz", "pax.tar.xz"] {
        let told = try_walk(&fixture(archive), archive, &Limits::default(), &Tools::default()).unwrap();
        let long = format!("{}.mp3", "long-".repeat(40));
        assert!(told.names().iter().any(|name| name.ends_with(&long)), "{archive}: {:?}", told.names());
        let reasons = told.reasons();
        assert!(
            reasons.iter().any(|(name, why)| name.ends_with("/link") && why == "a link"),
            "{archive}: {reasons:?}"
        );
        let sparse = reasons
            .iter()
            .any(|(name, why)| name.ends_with("sparse.wav") && why == "a sparse file is not read");
        assert_eq!(sparse, archive == "gnu.tar.gz");
    }
}

#[test]
fn a_member_is_found_again_by_its_offsets() {
    let cut = |bytes: &[u8], at: u64, length: u64| bytes[at as usize..(at + length) as usize].to_vec();
    for archive in
        ["info-zip.zip", "streamed.zip", "lzma2.7z", "gnu.tar.gz", "rar4-stored.rar", "rar5-stored.rar"]
    {
        let outer = fixture(archive);
        let told = walk_bytes(&outer);
        let (member, bytes) =
            told.members.iter().find(|(m, _)| m.path.to_string().ends_with("chord.mp3")).unwrap();
        // What a stranger does who has the archive and the path, as JSON.
        let path: MemberPath = serde_json::from_str(&serde_json::to_string(&member.path).unwrap()).unwrap();
        assert_eq!(path, member.path);
        let mut container = outer;
        for level in &path.levels {
            let data = cut(&container, level.data_at, level.stored_bytes.unwrap());
            let mut again = Vec::new();
            match level.method.as_str() {
                "store" => again = data,
                "deflate" | "gzip" => {
                    flate2::read::DeflateDecoder::new(&data[..]).read_to_end(&mut again).unwrap();
                }
                "lzma2" => {
                    let mut decoder = lzma_rust2::Lzma2Reader::new(&data[..], 1 << 20, None);
                    decoder.read_to_end(&mut again).unwrap();
                }
                other => panic!("{other}"),
            }
            if let Some(at) = level.in_block_at {
                again = cut(&again, at, bytes.len() as u64);
            }
            if let Some(crc32) = level.crc32 {
                assert_eq!(crc32fast::hash(&again), crc32);
            }
            container = again;
        }
        assert_eq!(&container, bytes, "{archive}");
    }
}

#[test]
fn what_needs_a_password_is_told() {
    for archive in ["encrypted.zip", "encrypted.7z"] {
        let told = walk_bytes(&fixture(archive));
        let reasons: Vec<_> = told.skipped.iter().map(|skipped| &skipped.reason).collect();
        assert_eq!(reasons, [&SkipReason::Encrypted; 2], "{archive}");
        assert!(told.reasons().iter().any(|(name, _)| name == "01 tone.wav"));
    }
    let told = walk_bytes(&fixture("encrypted-list.7z"));
    assert_eq!((told.only_reason(), told.skipped[0].path.levels.len()), (&SkipReason::Encrypted, 0));
}

#[test]
fn other_methods_of_zip() {
    let tone = fixture("tone.wav");
    let zstd = make::Entry {
        method: 93,
        stored: zstd::encode_all(&tone[..], 3).unwrap(),
        ..make::stored("a.wav", &tone)
    };
    let implode = make::Entry { method: 6, ..make::stored("b.wav", &tone) };
    let aes = make::Entry { method: 99, flags: 1, ..make::stored("c.wav", &tone) };
    let told = walk_bytes(&make::zip(&[zstd, implode, aes]));
    assert_eq!(told.names(), ["a.wav"]);
    assert_eq!(
        told.reasons(),
        [
            ("b.wav".to_owned(), "zip's method 6 is not read".to_owned()),
            ("c.wav".to_owned(), "encrypted".to_owned())
        ]
    );
}

#[test]
fn archives_that_unpack_themselves() {
    let program = [b"MZ".to_vec(), vec![0x90; 5000]].concat();
    for archive in ["info-zip.zip", "zip64-bzip2.zip", "lzma2.7z", "rar4-stored.rar", "rar5-stored.rar"] {
        let bytes = [program.clone(), fixture(archive)].concat();
        let told = walk_bytes(&bytes);
        assert_whole(&told, archive);
        let level = &told.members[0].0.path.levels[0];
        let at = usize::try_from(level.header_at).unwrap();
        let magic: &[u8] = match level.format {
            Format::Zip => b"PK\x03\x04",
            _ => &[],
        };
        assert!(at > 5000 && bytes[at..].starts_with(magic), "{archive}: {at}");
        // And as a member of another archive.
        let outer = make::zip(&[make::deflate("setup.exe", &bytes), make::deflate("game.exe", &program)]);
        let told = walk_bytes(&outer);
        assert!(told.names().contains(&"setup.exe!/01 tone.wav".to_owned()), "{archive}");
        assert!(told.reasons().contains(&("game.exe".to_owned(), "not audio".to_owned())), "{archive}");
    }
    let error = try_walk(&program, "a.exe", &Limits::default(), &Tools::default()).unwrap_err();
    assert!(matches!(error, Error::NotAnArchive { .. }), "{error}");
    assert!(try_walk(b"", "empty", &Limits::default(), &Tools::default()).is_err());
}

#[test]
fn names_do_not_count_and_bytes_do() {
    let told = walk_bytes(&make::zip(&[
        make::deflate("cover.jpg", &fixture("chord.mp3")),
        make::stored("song.mp3", b"<!DOCTYPE html><title>no</title>"),
        make::stored("empty.mp3", b""),
        make::stored("mix.m3u", b"01 tone.wav\n"),
        make::stored("mix.cue", b"\x46ILE x"),
        make::stored("noise.m3u", b"\0\x01\x02"),
    ]));
    let kinds: Vec<_> =
        told.members.iter().map(|(member, _)| (member.path.to_string(), member.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("cover.jpg".to_owned(), Kind::Media),
            ("mix.m3u".to_owned(), Kind::Playlist),
            ("mix.cue".to_owned(), Kind::CueSheet)
        ]
    );
    let skipped: Vec<_> = told.reasons().into_iter().map(|(name, _)| name).collect();
    assert_eq!(skipped, ["song.mp3", "empty.mp3", "noise.m3u"]);
}

#[test]
fn names_are_read_in_the_encoding_of_the_archive_and_shown_without_harm() {
    let tone = fixture("tone.wav");
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let told = walk_bytes(&make::zip(&[
        make::stored(gb("月亮代表我的心.wav"), &tone),
        make::stored(gb("邓丽君/茉莉花.wav"), &tone),
        make::Entry { flags: 0x800, ..make::stored("夜に駆ける.wav", &tone) },
        make::stored("../../etc/passwd", &tone),
        make::stored("/abs\x1b[2J.wav", &tone),
    ]));
    assert_eq!(
        told.names(),
        [
            "月亮代表我的心.wav",
            "邓丽君/茉莉花.wav",
            "夜に駆ける.wav",
            "../../etc/passwd",
            "/abs\\u{1b}[2J.wav"
        ]
    );
    let level = &told.members[1].0.path.levels[0];
    assert_eq!((level.encoding.as_str(), level.index), ("gb18030", 1));
    assert!(level.name_hex.as_ref().unwrap().starts_with("b5cb"));
}

#[test]
fn nested_archives_keep_the_whole_way() {
    let inner = make::zip(&[make::deflate("07.wav", &fixture("tone.wav"))]);
    let told = walk_bytes(&make::tar(&[make::tar_file("disc1.zip", &inner)]));
    assert_eq!(told.names(), ["disc1.zip!/07.wav"]);
    let levels = &told.members[0].0.path.levels;
    assert_eq!((levels[0].format, levels[0].data_at), (Format::Tar, 512));
    assert_eq!((levels[1].format, levels[1].header_at, levels[1].data_at), (Format::Zip, 0, 36));
    assert_eq!((told.report.archives, told.report.members), (2, 2));
}

#[test]
fn the_visitor_and_the_caller_can_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, fixture("info-zip.zip")).unwrap();
    let tools = Tools::default();
    let outer = Outer {
        path: &path,
        name: "a.zip",
        sha256: Digest::of(b""),
        work_dir: Some(folder.path()),
        tools: &tools,
    };
    let mut seen = 0;
    let report = walk(&outer, &Limits::default(), &|| false, &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((report.unwrap().ended, seen), (Ended::Stopped, 1));
    let report = walk(&outer, &Limits::default(), &|| true, &mut |_| ControlFlow::Continue(()));
    assert_eq!(report.unwrap().ended, Ended::Cancelled);
}
