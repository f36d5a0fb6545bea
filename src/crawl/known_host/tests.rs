//! The parser on the shapes of answers that `yt-dlp` gives, and on nonsense.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};
use url::Url;

use super::answer::{Answer, read};
use super::child::Said;
use super::*;

fn asked() -> Url {
    Url::parse("https://host.example/track/1").unwrap()
}

fn read_json(value: &Value) -> Result<Answer, Error> {
    let said = Said { answer: value.to_string().into_bytes(), complaints: String::new() };
    read(&said, &asked(), &KnownHostSettings::default())
}

fn video(formats: &Value) -> Value {
    json!({
        "_type": "video", "id": "1", "title": "A song", "duration": 61.5, "extractor": "host",
        "webpage_url": "https://host.example/track/1", "formats": formats,
    })
}

#[test]
fn the_best_audio_is_chosen_else_the_smallest_with_audio() {
    let format = |name: &str, vcodec: &str, acodec: &str, abr: f64, size: u64| {
        json!({
            "format_id": name, "url": format!("https://cdn.example/{name}"), "protocol": "https",
            "vcodec": vcodec, "acodec": acodec, "abr": abr, "filesize": size,
        })
    };
    let (low, high) = (format("low", "none", "opus", 64.0, 10), format("high", "none", "mp4a", 128.0, 20));
    let (small, large) =
        (format("small", "avc1", "mp4a", 96.0, 100), format("large", "avc1", "mp4a", 256.0, 999));
    let silent = format("silent", "avc1", "none", 0.0, 1);
    let chosen = |formats: Value| read_json(&video(&formats)).unwrap().media.remove(0);
    let best = chosen(json!([low, large, high, small, silent]));
    assert_eq!((best.format.as_str(), best.is_audio_only), ("high", true));
    assert_eq!(best.title.as_deref(), Some("A song"));
    assert_eq!(best.duration_s, Some(61.5));
    let best = chosen(json!([large, silent, small]));
    assert_eq!((best.format.as_str(), best.is_audio_only), ("small", false));
    let error = read_json(&video(&json!([silent]))).unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error}");
}

#[test]
fn protocols_headers_and_protection() {
    let formats = json!([
        { "format_id": "drm", "url": "https://cdn.example/drm", "protocol": "https", "vcodec": "none", "abr": 999, "has_drm": true },
        { "format_id": "rtmp", "url": "rtmp://cdn.example/x", "protocol": "rtmp", "vcodec": "none", "abr": 900 },
        { "format_id": "file", "url": "file:///etc/passwd", "protocol": "https", "vcodec": "none", "abr": 800 },
        { "format_id": "dash", "url": "https://cdn.example/base/", "manifest_url": "https://cdn.example/m.mpd",
          "protocol": "http_dash_segments", "vcodec": "none", "abr": 128,
          "http_headers": { "Referer": "https://host.example/", "Cookie": "secret", "User-Agent": "x" } },
        { "format_id": "hls", "url": "https://cdn.example/m.m3u8", "protocol": "m3u8_native", "vcodec": "none", "abr": 64 },
    ]);
    let media = read_json(&video(&formats)).unwrap().media.remove(0);
    assert_eq!((media.format.as_str(), media.kind), ("dash", MediaKind::Dash));
    assert_eq!(media.url.as_str(), "https://cdn.example/m.mpd");
    assert_eq!(media.referer.unwrap().as_str(), "https://host.example/");
    // An entry with one format only has its fields itself.
    let single = json!({ "title": "x", "url": "https://cdn.example/a.mp3", "ext": "mp3", "vcodec": "none" });
    let media = read_json(&single).unwrap().media.remove(0);
    assert_eq!((media.kind, media.page), (MediaKind::File, asked()));
}

#[test]
fn lists_give_pages_and_media() {
    let entries: Vec<Value> = (0..200)
        .map(|n| json!({ "_type": "url", "url": format!("https://host.example/track/{}", n + 2), "ie_key": "Host" }))
        .collect();
    let answer =
        read_json(&json!({ "_type": "playlist", "extractor": "host:set", "entries": entries })).unwrap();
    assert_eq!((answer.extractor.as_str(), answer.pages.len(), answer.media.len()), ("host:set", 50, 0));
    assert_eq!(answer.problems.len(), 1);
    let whole = video(&json!([{ "url": "https://cdn.example/1.mp3" }]));
    let answer = read_json(&json!({ "_type": "playlist", "entries": [whole, null, 7, "x"] })).unwrap();
    assert_eq!(answer.media.len(), 1);
}

#[test]
fn complaints_are_told() {
    let said = |answer: &str, complaints: &str| {
        let said = Said { answer: answer.as_bytes().to_vec(), complaints: complaints.to_owned() };
        read(&said, &asked(), &KnownHostSettings::default()).unwrap_err()
    };
    let error = said("null\n", "ERROR: No suitable extractor found for URL https://host.example/track/1\n");
    assert!(matches!(error, Error::Unknown { .. }), "{error}");
    let error = said("null\n", "WARNING: x\nERROR: [Host] 1: This track is\u{7} private\n");
    assert!(
        matches!(&error, Error::Failed { reason, .. } if reason == "[Host] 1: This track is private"),
        "{error}"
    );
    assert!(matches!(said("", ""), Error::Failed { .. }));
    assert!(matches!(said("{\"a\": ", ""), Error::Answer { .. }));
    assert!(matches!(said(&"[".repeat(100_000), ""), Error::Answer { .. }));
}

#[test]
fn only_what_is_allowed_is_looked_for() {
    let client = Client::new(&crate::config::FetchSettings::default()).unwrap();
    let none = KnownHosts::find(&KnownHostSettings::default(), &client, Budget::new(1)).unwrap();
    assert!(none.is_none());
    let settings =
        KnownHostSettings { allow: true, program: Some("/nonexistent/yt-dlp".into()), ..Default::default() };
    let Err(error) = KnownHosts::find(&settings, &client, Budget::new(1)) else { panic!("found") };
    assert!(error.to_string().contains("known_hosts.program"), "{error}");
}

proptest::proptest! {
    #[test]
    fn any_answer_is_read_without_panic(answer: Vec<u8>, complaints: String) {
        let said = Said { answer, complaints };
        let _ = read(&said, &asked(), &KnownHostSettings::default());
    }

    #[test]
    fn mutated_answers_are_read_without_panic(at in 0_usize..400, put: u8, cut in 0_usize..600) {
        let mut answer = json!({ "_type": "playlist", "entries": [
            video(&json!([{ "url": "https://cdn.example/1.mp3", "abr": 1e300, "filesize": -5, "protocol": "https" },
                { "url": "https://cdn.example/2.mp3", "abr": "x", "http_headers": { "Referer": 7 } }])),
            { "_type": "url", "url": "https://host.example/2" },
        ] }).to_string().into_bytes();
        if let Some(byte) = answer.get_mut(at) {
            *byte = put;
        }
        answer.truncate(cut);
        let said = Said { answer, complaints: String::new() };
        if let Ok(answer) = read(&said, &asked(), &KnownHostSettings::default()) {
            proptest::prop_assert!(answer.media.len() + answer.pages.len() <= 50);
        }
    }
}
