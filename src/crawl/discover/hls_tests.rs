#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::crawl::discover::{Discovered, discover};

fn at(url: &str) -> Url {
    Url::parse(url).unwrap()
}

fn read(text: &str) -> Discovered {
    discover(&at("http://a.example/s/i.m3u8"), Some("application/vnd.apple.mpegurl"), text.as_bytes())
}

fn segments(text: &str) -> (Vec<Segment>, Option<String>, bool) {
    match read(text).stream {
        Some(Stream::Segments { segments, encrypted, ended, .. }) => (segments, encrypted, ended),
        other => panic!("{other:?}"),
    }
}

fn chosen(text: &str) -> Option<String> {
    match read(text).stream? {
        Stream::Choice { chosen } => Some(chosen.path().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_best_choice() {
    let variants = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"mp4a.40.2,avc1\"\nhigh.m3u8\n\
                    #EXT-X-STREAM-INF:BANDWIDTH=64000\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=100\nabsurd.m3u8\n";
    assert_eq!(chosen(variants).as_deref(), Some("/s/low.m3u8"));
    let audio = format!(
        "{variants}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a,b\",URI=\"one.m3u8\"\n#EXT-X-MEDIA:TYPE=AUDIO,DEFAULT=YES,URI=\"aud.m3u8\"\n"
    );
    assert_eq!(chosen(&audio).as_deref(), Some("/s/aud.m3u8"));
    assert_eq!(
        chosen("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nonly.m3u8\n").as_deref(),
        Some("/s/only.m3u8")
    );
}

#[test]
fn a_playlist_that_names_itself_does_not_loop() {
    let itself = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000\ni.m3u8#x\n#EXT-X-STREAM-INF:BANDWIDTH=90000\nother.m3u8\n";
    assert_eq!(chosen(itself).as_deref(), Some("/s/other.m3u8"));
    assert_eq!(read(itself).problems.len(), 1);
    let found = read("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000\n/s/i.m3u8\n");
    assert_eq!((found.stream, found.problems.len()), (None, 1));
    let nested =
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\ni.m3u8\n#EXTINF:6,\n1.ts\n#EXTINF:6,\nnext.m3u8\n";
    let found = read(nested);
    assert_eq!(segments(nested).0.len(), 1);
    assert_eq!((found.problems.len(), found.media.len()), (1, 1));
}

#[test]
fn ranges_and_initialisation() {
    let (segments, encrypted, ended) = segments(
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:40\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"10@0\"\n\
         #EXTINF:6,\n#EXT-X-BYTERANGE:5@10\nall.mp4\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"10@0\"\n#EXTINF:5.5,x\n\
         #EXT-X-BYTERANGE:7\nall.mp4\n#EXT-X-DISCONTINUITY\n#EXTINF:6,\n#EXT-X-BYTERANGE:9@18446744073709551615\nall.mp4\n#EXT-X-ENDLIST\n",
    );
    let ranges: Vec<_> = segments.iter().map(|segment| segment.range).collect();
    assert_eq!(ranges, [Some((0, 10)), Some((10, 5)), Some((15, 7)), None]);
    let numbers: Vec<_> =
        segments.iter().map(|segment| (segment.number, segment.is_init, segment.discontinuity)).collect();
    assert_eq!(numbers, [(40, true, false), (40, false, false), (41, false, false), (42, false, true)]);
    assert_eq!(segments[2].duration_s, Some(5.5));
    assert_eq!((encrypted, ended), (None, true));
}

#[test]
fn keys_that_are_served() {
    let (segments, encrypted, _) = segments(
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:258\n#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n#EXTINF:6,\n1.ts\n#EXT-X-GAP\n#EXTINF:6,\n2.ts\n\
         #EXTINF:6,\n3.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"https://k.example/2\",IV=0X1F,KEYFORMAT=\"identity\"\n\
         #EXT-X-MAP:URI=\"m\"\n#EXTINF:6,\n4.ts\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:6,\n5.ts\n",
    );
    let keys: Vec<_> = segments
        .iter()
        .map(|segment| segment.key.as_ref().map(|key| (key.url.as_str(), u128::from_be_bytes(key.iv))))
        .collect();
    let (first, second) = ("http://a.example/s/k1", "https://k.example/2");
    assert_eq!(keys, [Some((first, 258)), Some((first, 260)), Some((second, 31)), Some((second, 31)), None]);
    assert_eq!(encrypted, None);
    assert_eq!(read("#EXTM3U\n#EXT-X-GAP\n#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n").problems.len(), 1);
}

#[test]
fn keys_that_are_not() {
    for (key, wanted) in [
        ("METHOD=SAMPLE-AES,URI=\"k\"", "SAMPLE-AES"),
        ("URI=\"k\"", "unknown"),
        ("METHOD=AES-128", "AES-128"),
        ("METHOD=AES-128,URI=\"skd://x\"", "AES-128"),
        ("METHOD=AES-128,URI=\"data:;base64,AAAA\"", "AES-128"),
        ("METHOD=AES-128,URI=\"k\",IV=0xzz", "AES-128"),
        ("METHOD=AES-128,URI=\"k\",KEYFORMAT=\"com.a\"", "AES-128, com.a"),
    ] {
        let (_, encrypted, _) = segments(&format!("#EXTM3U\n#EXT-X-KEY:{key}\n#EXTINF:6,\n1.ts\n"));
        assert_eq!(encrypted.as_deref(), Some(wanted), "{key}");
    }
    // One key that can be had is enough; a key without segments under it hides nothing.
    let (segments, encrypted, _) = segments(
        "#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXT-X-KEY:METHOD=NONE\n\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"com.a\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:6,\n1.ts\n",
    );
    assert_eq!((segments[0].key.is_some(), encrypted), (true, None));
}

#[test]
fn live_and_endless_playlists_are_bounded() {
    let list = |count: usize| (0..count).map(|n| format!("#EXTINF:6,\n{n}.m4s\n")).collect::<String>();
    let window = format!("#EXTM3U\n#EXT-X-MAP:URI=\"init\"\n{}", list(1000));
    let (live, _, ended) = segments(&window);
    assert_eq!((live.len(), ended), (LIVE_SEGMENTS_MAX, false));
    assert_eq!((live[0].url.path(), live[1].url.path()), ("/s/init", "/s/401.m4s"));
    assert_eq!(read(&window).problems.len(), 1);
    let (event, ..) = segments(&format!("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n{}", list(1000)));
    assert_eq!(event.len(), 1000);
    let (whole, _, ended) =
        segments(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n{}#EXT-X-ENDLIST\n", list(9000)));
    assert_eq!((whole.len(), ended), (SEGMENTS_MAX, true));
}

proptest! {
    #[test]
    fn any_lines_are_read(
        lines in prop::collection::vec(
            prop_oneof![
                "#EXT-X-(KEY|MAP|MEDIA|STREAM-INF):(METHOD=(AES-128|NONE|[A-Z]{0,3}),?)?(URI=\"[a-z:/.0-9]{0,6}\"?,?)?(IV=0x[0-9a-g]{0,40})?(BYTERANGE=\"[0-9@]{0,22}\")?",
                "#EXT-X-(GAP|DISCONTINUITY|ENDLIST|BYTERANGE:[0-9@]{0,25}|MEDIA-SEQUENCE:[0-9]{0,21}|PLAYLIST-TYPE:VOD)",
                "#EXTINF:[0-9.e-]{0,9},", "[a-z0-9:/?#.]{1,9}", "\\PC{0,30}",
            ],
            0..60,
        ),
    ) {
        let found = read(&format!("#EXTM3U\n{}", lines.join("\n")));
        if let Some(Stream::Segments { segments, .. }) = found.stream {
            prop_assert!(!segments.is_empty() && segments.len() <= 2 * lines.len());
            for segment in segments {
                prop_assert!(segment.range.is_none_or(|(first, count)| count > 0 && first.checked_add(count).is_some()));
                prop_assert!(segment.url.as_str() != "http://a.example/s/i.m3u8");
            }
        }
    }
}
