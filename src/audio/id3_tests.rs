#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

fn sync(number: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (number >> shift & 0x7f) as u8)
}

fn whole(major: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    [&[b'I', b'D', b'3', major, 0, flags][..], &sync(body.len()), body].concat()
}

fn frame(name: &str, size: [u8; 4], flags: u8, body: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &size, &[0, flags], body].concat()
}

fn v4(name: &str, body: &[u8]) -> Vec<u8> {
    frame(name, sync(body.len()), 0, body)
}

fn v3(name: &str, body: &[u8]) -> Vec<u8> {
    frame(name, (body.len() as u32).to_be_bytes(), 0, body)
}

fn utf16_le(text: &str) -> Vec<u8> {
    [1, 0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[test]
fn reads_every_encoding_and_version() {
    let japanese_be: Vec<u8> =
        std::iter::once(2).chain("夜想曲".encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let body = [
        v4("APIC", &[0xff; 300]),
        v4("APIC", b"\0image/png\0\x04back\0the back"),
        v4("APIC", b"\x01image/png\0\x03\xff\xfea\0\0\0the front"),
        v4("TCOP", "\x032017 Label".as_bytes()),
        v4("TCOP", "\x03℗ 2016 Label".as_bytes()),
        v4("TOWN", b"\0Owner"),
        v4("WCOP", b"https://label.example/rights"),
        v4("TSRC", b"\0JPXX12300001"),
        v4("TIT2", &utf16_le("夜に駆ける")),
        v4("TALB", &japanese_be),
        v4("TPE1", "\x03ヨアソビ\0other".as_bytes()),
        v4("TPUB", b"\0Caf\xe9"),
        v4("TDRC", b"\x032019-12-15"),
        v4("TXXX", b"\x03BARCODE\x004006381333931"),
        vec![0; 32],
    ];
    let tags = tag(&whole(4, 0, &body.concat()));
    let text = |text: &str| Some(text.to_owned());
    let expected = MediaTags {
        isrc: text("JPXX12300001"),
        title: text("夜に駆ける"),
        artist: text("ヨアソビ"),
        album: text("夜想曲"),
        label: text("Café"),
        upc: text("4006381333931"),
        date: text("2019-12-15"),
        p_line: text("℗ 2016 Label"),
        c_line: text("2017 Label"),
        owner: text("Owner"),
        rights_url: text("https://label.example/rights"),
        cover: Cover::of(b"the front"),
        ..MediaTags::default()
    };
    assert_eq!(tags, expected);

    let long = [b"\0".as_slice(), &[b'a'; 300]].concat();
    let old =
        tag(&whole(3, 0, &[v3("TALB", &long), v3("TIT2", b"\0night"), v3("TYER", b"\x001999")].concat()));
    assert_eq!((old.title.as_deref(), old.date.as_deref()), (Some("night"), Some("1999")));
    assert_eq!(old.album.map(|album| album.len()), Some(300));
    let oldest = tag(&whole(2, 0, b"TT2\0\0\x06\0nightTRC\0\0\x0d\0JPXX12300001"));
    assert_eq!((oldest.title.as_deref(), oldest.isrc.as_deref()), (Some("night"), Some("JPXX12300001")));
}

#[test]
fn undoes_unsynchronisation_and_skips_what_is_closed() {
    // A byte-order mark is what unsynchronisation breaks most often.
    let broken = |text: &str| {
        let bytes = utf16_le(text);
        [&bytes[..2], &[0], &bytes[2..]].concat()
    };
    let plain_size = (utf16_le("夜").len() as u32).to_be_bytes();
    let third = whole(3, 0x80, &frame("TIT2", plain_size, 0, &broken("夜")));
    assert_eq!(tag(&third).title.as_deref(), Some("夜"));
    let body = [&sync(5)[..], &broken("夜")].concat();
    let fourth = whole(4, 0x80, &frame("TIT2", sync(body.len()), 3, &body));
    assert_eq!(tag(&fourth).title.as_deref(), Some("夜"));
    let closed = [frame("TIT2", sync(4), 8, b"\0abc"), v4("TSRC", b"\0JPXX12300001")].concat();
    let tags = tag(&whole(4, 0, &closed));
    assert_eq!((tags.title, tags.isrc.is_some(), tags.is_partly_read), (None, true, true));
}

#[test]
fn what_is_cut_or_follows_is_told() {
    let whole_tag = whole(4, 0, &[v4("TIT2", b"\0night"), vec![0; 40]].concat());
    assert!(!tag(&whole_tag).is_partly_read);
    let cut = whole(4, 0, &[v4("TIT2", b"\0night"), v4("APIC", &[1; 300])[..100].to_vec()].concat());
    assert!(tag(&cut).is_partly_read && tag(&cut).title.is_some());
    assert!(tag(&whole(9, 0, b"")).is_partly_read);
    let follows = |tail: &[u8]| other_tags_follow(&mut Source::bytes([&[7; 2000], tail].concat())).unwrap();
    assert!(follows(&[b"APETAGEX".as_slice(), &[0; 24], b"TAG", &[b' '; 125]].concat()));
    assert!(!follows(&[b"TAG".as_slice(), &[b' '; 125]].concat()) && !follows(b""));
}

#[test]
fn a_picture_of_the_oldest_version_is_read() {
    let body = b"\0PNG\x03\0picture";
    let frame = [b"PIC\0\0".as_slice(), &[body.len() as u8], body].concat();
    assert_eq!(tag(&whole(2, 0, &frame)).cover, Cover::of(b"picture"));
    for cut in 0..body.len() {
        let _ = picture(&body[..cut], true);
    }
}

#[test]
fn understands_plain_sizes_in_the_newest_version() {
    let long = [b"\0".as_slice(), &[b'a'; 299]].concat();
    let tags = tag(&whole(4, 0, &[v3("TALB", &long), v3("TIT2", b"\0night")].concat()));
    assert_eq!((tags.title.as_deref(), tags.album.map(|album| album.len())), (Some("night"), Some(299)));
}

#[test]
fn reads_tags_in_a_row_up_to_the_audio_only() {
    let tags = [
        whole(4, 0, &v4("TIT2", b"\0one")),
        whole(3, 0, &[v3("TIT2", b"\0two"), v3("TPE1", b"\0band")].concat()),
    ];
    let end = tags.concat().len() as u64;
    let mut source = Source::bytes(tags.concat());
    let both = read(&mut source, end).unwrap();
    assert_eq!((both.title.as_deref(), both.artist.as_deref()), (Some("one"), Some("band")));
    assert!(read(&mut source, 0).unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        major in 0u8..6,
        flags in any::<u8>(),
        names in proptest::collection::vec(0usize..7, 0..8),
        bodies in proptest::collection::vec((any::<[u8; 6]>(), proptest::collection::vec(any::<u8>(), 0..40)), 8),
    ) {
        let mut body = Vec::new();
        for (name, (head, text)) in names.iter().zip(&bodies) {
            body.extend(["TIT2", "TSRC", "TXXX", "TT2", "\0\0", "APIC", "WCOP"][*name].as_bytes());
            body.extend(head);
            body.extend(text);
        }
        let _ = tag(&whole(major, flags, &body));
        let _ = tag(&body);
    }

    #[test]
    fn any_text_is_read_back(text in "[ -~あ-ん]{1,40}", utf16 in any::<bool>(), cut in any::<usize>()) {
        let coded = if utf16 { utf16_le(&text) } else { [&[3], text.as_bytes()].concat() };
        let bytes = whole(4, 0, &v4("TIT2", &coded));
        let trimmed = text.trim();
        prop_assert_eq!(tag(&bytes).title.unwrap_or_default(), trimmed);
        let _ = tag(&bytes[..cut % bytes.len()]);
    }
}
