#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::crawl::discover::sink::{GUESSES_MAX, MEDIA_MAX};

/// What a script on `https://a.example/p/` leads to.
fn found(script: &str) -> Vec<String> {
    let mut sink = Sink::new(&Url::parse("https://a.example/p/").unwrap());
    scan(script, "script", &mut sink);
    let urls = sink.finish().media.into_iter().map(|link| link.url.to_string());
    urls.map(|url| url.replace("https://a.example", "")).collect()
}

fn packed(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn quoted_addresses() {
    for (script, wanted) in [
        (r#"{"a":"https:\/\/b.example\/x.mp3?k=1\u0026s=2"}"#, "https://b.example/x.mp3?k=1&s=2"),
        (r"x = '\x2Flive\x2findex.m3u8'", "/live/index.m3u8"),
        (
            r#"JSON.parse("{\"u\":\"https:\\/\\/b.example\\/\\u6b4c.mp3\"}")"#,
            "https://b.example/%E6%AD%8C.mp3",
        ),
        ("u = \"https%3A%2F%2Fb.example%2Fmy%20song.mp3\"", "https://b.example/my%20song.mp3"),
        ("f('/player?u=https%3A%2F%2Fb.example%2Fx.mp3&t=1')", "https://b.example/x.mp3"),
        ("url: '/music/My Song (Remix).mp3'", "/music/My%20Song%20(Remix).mp3"),
        (
            "var flashvars = { video_url: 'https://b.example/get_file/1/x.mp4/' }",
            "https://b.example/get_file/1/x.mp4/",
        ),
        ("don't `a.mp3`", "/p/a.mp3"),
    ] {
        assert_eq!(found(script), [wanted], "{script}");
    }
    for none in [
        ".mp3",
        "*.mp3",
        "a b.mp3",
        "x.css",
        "if(x){y.mp3}",
        "mp3",
        "// see b.mp3",
        "https://player.au",
        "function/0/https://b.example/x.mp4",
        "audio/mpeg",
    ] {
        assert_eq!(found(&format!("x('{none}')")), [""; 0], "{none}");
    }
}

#[test]
fn base64() {
    let (web, bare) = (packed("https://b.example/get/1"), packed("/music/long-enough/song.mp3"));
    assert_eq!(found(&format!("atob('{}')", packed("/m/song.mp3"))), ["/m/song.mp3"]);
    assert_eq!(found(&format!("p({{url: window.atob(\"{web}\")}})")), ["https://b.example/get/1"]);
    assert_eq!(found(&format!("x = '{web}'")), ["https://b.example/get/1"]);
    assert_eq!(found(&format!("x = '{}'", bare.trim_end_matches('='))), ["/music/long-enough/song.mp3"]);
    let twice = packed("https%3A%2F%2Fb.example%2Fx.m3u8");
    assert_eq!(found(&format!("{{\"encrypt\":2,\"url\":\"{twice}\"}}")), ["https://b.example/x.m3u8"]);
    for none in [packed("https://b.example/x.png"), packed("just a text of no use at all"), "A".repeat(40)] {
        assert_eq!(found(&format!("atob('{none}')")), [""; 0], "{none}");
    }
}

#[test]
fn settings_of_players() {
    for (script, wanted) in [
        (
            "jwplayer('x').setup({sources: [{file: \"/get/1\", label: 'a'}, {\"file\" : \"/get/2\"}]})",
            vec!["/get/1", "/get/2"],
        ),
        ("player.src({src: '/hls/7', type: 'application/x-mpegURL'})", vec!["/hls/7"]),
        (
            "player.src('/hls/8'); hls.loadSource(\"/hls/9\"); new Audio('/audio/1')",
            vec!["/hls/9", "/hls/8", "/audio/1"],
        ),
        ("audio.src = '/stream?id=1'", vec!["/stream?id=1"]),
        ("new Howl({src: ['/song/1', '/song/2'], html5: true})", vec!["/song/1", "/song/2"]),
        (
            "new APlayer({audio: [{name: 'n', artist: 'x', url: '/api/song?id=3', cover: '/c.jpg', lrc: '/l.lrc'}]})",
            vec!["/api/song?id=3"],
        ),
        (
            r#"{\"audio_url\":\"https:\/\/b.example\/t\/1\",\"image\":\"https:\/\/b.example\/t\/2\"}"#,
            vec!["https://b.example/t/1"],
        ),
        ("{'data-url': 'get.php?id=4'}", vec!["/p/get.php?id=4"]),
    ] {
        assert_eq!(found(script), wanted, "{script}");
    }
}

#[test]
fn what_is_no_media_is_left_alone() {
    for script in [
        "{url: '/page', title: 'x'}",
        "img.src = '/pixel?id=1'; script.src = 'https://t.example/tag'",
        "'<img src=\"/p/1\">'",
        "if (file == '/get/1') {}",
        "{file: '/cover.jpg', src: '/style.css', audio_url: '/', url: 'https://b.example', stream: 'mono'}",
        "{file: '/song.html'}",
    ] {
        assert_eq!(found(script), [""; 0], "{script}");
    }
    let many: String = (0..1000).map(|n| format!("{{file:'/get/{n}'}},")).collect();
    assert_eq!(found(&many).len(), GUESSES_MAX);
    let many: String = (0..5000).map(|n| format!("'{n}.mp3',")).collect();
    assert_eq!(found(&many).len(), MEDIA_MAX);
}

proptest! {
    #[test]
    fn any_script_is_read(script in "(['\"`\\\\:,=(\\[ ]|url|file|atob|src|artist|/a|http://|\\.mp3|aHR0cDovL2EvYi5tcDM|%3A%2F%2F|é|\\PC){0,80}") {
        prop_assert!(found(&script).len() <= script.len());
    }
}
