//! Rar: with the programs that are here, and without any.

use super::make;
use super::*;

/// The programs of this machine, of which CI installs two.
fn tools() -> Tools {
    let tools = Tools::find(&std::env::var_os("PATH").unwrap_or_default());
    let names: Vec<&str> = tools.rar.iter().map(Tool::name).collect();
    assert!(
        names.contains(&"unar") && names.contains(&"bsdtar"),
        "these tests need unar and bsdtar (Debian: apt-get install unar libarchive-tools); there is {names:?}"
    );
    tools
}

#[test]
fn compressed_members_come_through_a_program() {
    let tools = tools();
    for archive in ["rar4.rar", "rar4-solid.rar", "rar5.rar", "rar5-solid.rar"] {
        let told = try_walk(&fixture(archive), archive, &Limits::default(), &tools).unwrap();
        let files = told.files();
        assert_eq!(
            files.get("01 tone.wav").copied(),
            Some(&*fixture("tone.wav")),
            "{archive}: {:?}",
            told.reasons()
        );
        assert_eq!(files.get("disc/02 chord.mp3").copied(), Some(&*fixture("chord.mp3")), "{archive}");
        assert!(told.members.iter().all(|(member, _)| member.damage.is_none()), "{archive}");
        let tone = told.members.iter().find(|(member, _)| member.path.to_string() == "01 tone.wav");
        let level = &tone.unwrap().0.path.levels[0];
        assert!(level.method.starts_with("rar-m") && level.crc32.is_some(), "{archive}: {level:?}");
    }
}

#[test]
fn without_a_program_it_is_said_what_to_install() {
    let told = walk_bytes(&fixture("rar5.rar"));
    // What did not get smaller is stored.
    assert_eq!(told.names(), ["album.cue"]);
    let reasons = told.reasons();
    let tone = reasons.iter().find(|(name, _)| name == "01 tone.wav").unwrap();
    assert!(tone.1.contains("install one of unar, bsdtar"), "{reasons:?}");
    assert_eq!(Tools::find("relative:/nonexistent".as_ref()), Tools::default());
    assert_eq!(Tool::at("/usr/bin/rm".as_ref()), None);
}

#[test]
fn stored_members_need_no_program() {
    let tone = wav(3000);
    for bytes in [
        make::rar4(&[
            make::rar4_file("曲.wav".as_bytes(), 0, 0x30, &tone),
            make::rar4_file(b"notes", 0, 0x30, b"text"),
        ]),
        make::rar5(&[
            make::rar5_file("曲.wav", 0, 0, &[], &tone),
            make::rar5_file("notes", 0, 0, &[], b"text"),
        ]),
    ] {
        let told = walk_bytes(&bytes);
        assert_eq!((told.names(), &told.members[0].1), (vec!["曲.wav".to_owned()], &tone));
        let level = &told.members[0].0.path.levels[0];
        let at = level.data_at as usize;
        assert_eq!(bytes[at..at + 3000], tone);
        assert_eq!(told.reasons(), [("notes".to_owned(), "not audio".to_owned())]);
    }
}

#[test]
fn what_is_encrypted_split_linked_or_too_hungry_is_told() {
    let tone = wav(3000);
    let told = walk_bytes(&make::rar4(&[
        make::rar4_file(b"locked.wav", 4, 0x30, &tone),
        make::rar4_file(b"begins.wav", 2, 0x30, &tone),
        make::rar4_file(b"folder", 0xe0, 0x30, b""),
    ]));
    let wanted = [("locked.wav", "encrypted"), ("begins.wav", "goes on in another volume")];
    assert_eq!(told.reasons(), wanted.map(|(name, why)| (name.to_owned(), why.to_owned())));
    assert_eq!(told.report.members, 3);
    let told = walk_bytes(&make::rar5(&[
        make::rar5_file("locked.wav", 0, 0, &[2, 1, 0], &tone),
        make::rar5_file("link.wav", 0, 0, &[2, 5, 1], &tone),
        make::rar5_file("hungry.wav", 3, 15, &[], &tone),
    ]));
    let whys: Vec<_> = told.reasons().into_iter().map(|(_, why)| why).collect();
    assert_eq!(whys, ["encrypted", "a link", "needs a dictionary of 4294967296 bytes, more than 134217728"]);
    let whole = [b"Rar!\x1a\x07\0".to_vec(), make::rar4_block(0x73, 0x80, &[0; 6], &[])].concat();
    assert_eq!(*walk_bytes(&whole).only_reason(), SkipReason::Encrypted);
    let whole = [b"Rar!\x1a\x07\x01\0".to_vec(), make::rar5_block(&[4, 0, 0, 0, 0], &[])].concat();
    assert_eq!(*walk_bytes(&whole).only_reason(), SkipReason::Encrypted);
}

#[test]
fn damage_in_a_rar_keeps_what_came_before() {
    let tone = wav(3000);
    let (a, b) = (make::rar5_file("a.wav", 0, 0, &[], &tone), make::rar5_file("b.wav", 0, 0, &[], &tone));
    let mut bytes = make::rar5(&[a.clone(), b]);
    let at = 8 + make::rar5_block(&[1, 0, 0], &[]).len() + a.len();
    bytes[at + 6] ^= 1;
    let told = walk_bytes(&bytes);
    assert_eq!(told.names(), ["a.wav"]);
    assert_eq!(
        told.only_reason().to_string(),
        format!("damaged: its header at byte {at} is broken; the rest is lost")
    );
}

#[test]
fn programs_that_fail_say_so() {
    // Compressed by nothing that exists.
    let bytes = make::rar5(&[make::rar5_file("a.wav", 3, 0, &[], &wav(3000))]);
    let told = try_walk(&bytes, "a.rar", &Limits::default(), &tools()).unwrap();
    let told_all =
        format!("{:?} {:?}", told.reasons(), told.members.iter().map(|(m, _)| &m.damage).collect::<Vec<_>>());
    assert!(
        told_all.contains("nothing came for it out of") || told_all.contains("bytes are there"),
        "{told_all}"
    );
}

#[cfg(unix)]
#[test]
fn a_program_can_neither_write_nor_go_on_for_ever() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    // A script in the place of the program: it tries to write beside the archive, and then never ends.
    let script = folder.path().join("unar");
    let mark = folder.path().join("mark");
    let text = format!("#!/bin/sh\necho x > '{}'\nwhile :; do echo yyyyyyyyyyyyyyyy; done\n", mark.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tools = Tools { rar: vec![Tool::at(&script).unwrap()] };
    let bytes = make::rar5(&[
        make::rar5_file("a.wav", 3, 0, &[], &wav(30_000)),
        make::rar5_file("b.wav", 3, 0, &[], &wav(9000)),
    ]);
    let told = try_walk(&bytes, "a.rar", &Limits::default(), &tools).unwrap();
    assert_eq!(told.reasons().len(), 2, "{:?}", told.reasons());
    assert!(!mark.exists() || std::fs::read(&mark).unwrap().is_empty());
}
