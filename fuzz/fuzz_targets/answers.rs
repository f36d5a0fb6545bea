//! What servers and helpers say beside documents: Content-Range, content codings, cookies (of a file and set), what
//! yt-dlp answers, what a child asks the guarded proxy for. Input: a byte that selects the parser, its text or bytes.
#![no_main]

use std::sync::LazyLock;

use earwitness::crawl::discover::decrypt;
use earwitness::crawl::known_host::fuzzing::answer;
use earwitness::net::{ContentRange, fuzzing as net};
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;
use url::Url;

static PAGE: LazyLock<Url> = LazyLock::new(|| Url::parse("https://www.music.example/a/b").unwrap());

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    match selector % 8 {
        0 => content_range(&String::from_utf8_lossy(bytes)),
        1 | 2 | 3 => codings(bytes),
        4 => cookies(&String::from_utf8_lossy(bytes)),
        5 => known_host(bytes),
        6 => tunnel(&String::from_utf8_lossy(bytes)),
        _ => decrypted(bytes),
    }
});

fn content_range(text: &str) {
    count("Content-Range");
    let Some(range) = ContentRange::parse(text) else { return };
    count("Content-Range, taken");
    assert!(range.first <= range.last && range.len() > 0);
    assert!(range.total.is_none_or(|total| range.last < total));
    let total = range.total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    let written = format!("bytes {}-{}/{total}", range.first, range.last);
    assert_eq!(ContentRange::parse(&written), Some(range));
}

/// Input: the codings, a line feed, how the bytes are cut and how much room there is, the bytes.
fn codings(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (codings, rest) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 1..]);
    let [piece, room, packed @ ..] = rest else { return };
    count("content codings");
    const BYTES_MAX: usize = 4 << 20;
    let whole = net::inflate(&codings, [packed].into_iter(), 1 << 16, BYTES_MAX);
    let pieces = packed.chunks(usize::from(*piece).max(1));
    let piecewise = net::inflate(&codings, pieces, usize::from(*room) * 16, 1 << 16);
    if let (Ok(whole), Ok(piecewise)) = (&whole, &piecewise) {
        count("content codings, taken off");
        assert_eq!(whole[..whole.len().min(1 << 16)], piecewise[..], "{codings}: however the bytes are cut");
    }
}

/// Input: lines that are set, an empty line, the file.
fn cookies(text: &str) {
    count("cookies");
    let (set, file) = text.split_once("\n\n").unwrap_or(("", text));
    // No other text comes out of a header.
    let visible = |line: &&str| line.bytes().all(|byte| matches!(byte, b'\t' | 32..=126));
    let (_, header) = net::cookies(file, &PAGE, set.lines().filter(visible));
    let Some(header) = header else { return };
    count("cookies, some sent");
    assert!(header.len() <= 17 << 10, "{} bytes", header.len());
    assert!(!header.contains(['\r', '\n', '\0']), "{header:?}");
}

fn known_host(bytes: &[u8]) {
    count("known host");
    let (complaints, said) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let Some((media, pages, problems)) = answer(said, &String::from_utf8_lossy(complaints), &PAGE) else {
        return;
    };
    count("known host, taken");
    for one in &media {
        let urls = [Some(&one.url), one.referer.as_ref(), Some(&one.page)];
        assert!(urls.into_iter().flatten().chain(&pages).all(|url| matches!(url.scheme(), "http" | "https")));
        assert!(one.title.as_ref().is_none_or(|title| title.chars().count() <= 1000));
        assert!(one.duration_s.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0), "{one:?}");
        assert!(one.format.len() <= 2000);
    }
    assert!(problems.iter().all(|problem| problem.len() <= 4000));
}

fn tunnel(authority: &str) {
    count("tunnel");
    let Some(url) = net::tunnel(authority) else { return };
    count("tunnel, taken");
    assert!(url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none());
    // What is judged and connected to is what was asked for, and only that.
    let (_, port) = authority.rsplit_once(':').unwrap();
    assert_eq!(url.port_or_known_default(), port.parse().ok(), "{authority}");
    assert!((url.path(), url.query(), url.fragment()) == ("/", None, None), "{authority}");
    let again = format!("{}:{port}", url.host_str().unwrap());
    assert_eq!(net::tunnel(&again).as_ref(), Some(&url), "{authority}");
}

fn decrypted(bytes: &[u8]) {
    count("decrypted segment");
    let Some((iv, rest)) = bytes.split_first_chunk::<16>() else { return };
    let Some((key, segment)) = rest.split_first_chunk::<16>() else { return };
    if let Ok(plain) = decrypt(segment.to_vec(), key, iv) {
        assert!(plain.len() < segment.len());
    }
}
