//! A site of tricks: one server, a page for each, crawled in one run; what of each is found, skipped or fails, and why.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use earwitness::config::{FetchSettings, SiteSettings};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::crawl::{MP3, Told, carry_out, plan_for, settings};

/// What the server has at one path.
#[derive(Clone, Default)]
struct Doc {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Whether it serves ranges.
    ranges: Ranges,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Ranges {
    /// The whole, whatever is asked for.
    #[default]
    No,
    Yes,
    /// Pieces of another place than asked for.
    Lying,
    /// Pieces, of a file that says to be another one each time.
    Changing,
}

/// What is wanted of one trick.
enum Wanted {
    /// The media object at this path is handed over.
    Found(String),
    /// What is at this path is passed over, and the reason says so.
    Skipped(String, &'static str),
    /// What is at this path fails, and the error says so.
    Failed(String, &'static str),
    /// A lead to this.
    Lead(&'static str, Option<&'static str>),
    /// Nothing under the trick's own path is handed over, but what is named beside.
    NothingElse,
}

#[derive(Default)]
struct Site {
    docs: HashMap<String, Doc>,
    tricks: Vec<(&'static str, Vec<Wanted>)>,
}

/// Says what is at a path of the trick.
struct Trick<'s> {
    site: &'s mut Site,
    name: &'static str,
    wanted: Vec<Wanted>,
}

impl Site {
    /// Begins a trick with the page that everybody sees first.
    fn trick(&mut self, name: &'static str, html: impl Into<Vec<u8>>) -> Trick<'_> {
        assert!(!self.tricks.iter().any(|(known, _)| *known == name), "{name} twice");
        let mut trick = Trick { site: self, name, wanted: Vec::new() };
        trick.put("", "text/html; charset=utf-8", html);
        trick
    }
}

impl Trick<'_> {
    fn path(&self, rest: &str) -> String {
        if rest.starts_with('/') { rest.to_owned() } else { format!("/{}/{rest}", self.name) }
    }

    fn put(&mut self, rest: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        let headers = vec![("content-type", content_type.to_owned())];
        let doc = Doc { status: 200, headers, body: body.into(), ranges: Ranges::No };
        self.site.docs.insert(self.path(rest), doc);
    }

    fn doc(mut self, rest: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.put(rest, content_type, body);
        self
    }

    fn raw(self, rest: &str, doc: Doc) -> Self {
        self.site.docs.insert(self.path(rest), doc);
        self
    }

    fn redirect(self, rest: &str, to: &str) -> Self {
        let headers = vec![("location", to.to_owned())];
        self.raw(rest, Doc { status: 302, headers, ..Doc::default() })
    }

    fn found(mut self, rest: &str) -> Self {
        let path = self.path(rest);
        self.wanted.push(Wanted::Found(path));
        self
    }

    fn skipped(mut self, rest: &str, why: &'static str) -> Self {
        let path = self.path(rest);
        self.wanted.push(Wanted::Skipped(path, why));
        self
    }

    fn failed(mut self, rest: &str, why: &'static str) -> Self {
        let path = self.path(rest);
        self.wanted.push(Wanted::Failed(path, why));
        self
    }

    fn lead(mut self, target: &'static str, code: Option<&'static str>) -> Self {
        self.wanted.push(Wanted::Lead(target, code));
        self
    }

    fn only(mut self) {
        self.wanted.push(Wanted::NothingElse);
        self.end();
    }

    fn end(self) {
        self.site.tricks.push((self.name, self.wanted));
    }
}

fn answer(site: &Site, uri: &Uri, headers: &HeaderMap) -> Response {
    let path = uri.path_and_query().map_or("/", |all| all.as_str());
    let doc = site.docs.get(path).or_else(|| site.docs.get(uri.path()));
    let Some(doc) = doc else {
        // Whatever is named like audio is; all else is not there.
        let is_audio = uri.path().ends_with(".mp3") && !uri.path().contains("missing");
        let (status, body) =
            if is_audio { (200, distinct(uri.path())) } else { (404, b"no such page".to_vec()) };
        return Response::builder()
            .status(status)
            .header("content-type", "audio/mpeg")
            .body(Body::from(body))
            .unwrap();
    };
    let mut response = Response::builder().status(doc.status);
    for (name, value) in &doc.headers {
        response = response.header(*name, value);
    }
    let asked = headers.get("range").and_then(|value| {
        let (first, last) = value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
    });
    let Some((first, last)) = asked.filter(|_| doc.ranges != Ranges::No) else {
        return response.body(Body::from(doc.body.clone())).unwrap();
    };
    let total = doc.body.len();
    let last = last.min(total - 1);
    let shown = if doc.ranges == Ranges::Lying { first + 7 } else { first };
    if doc.ranges == Ranges::Changing {
        response = response.header("etag", format!("\"{first}\""));
    }
    response
        .status(206)
        .header("content-range", format!("bytes {shown}-{last}/{total}"))
        .body(Body::from(doc.body[first..=last].to_vec()))
        .unwrap()
}

/// Bytes that are taken for MPEG audio, other ones for each path.
fn distinct(path: &str) -> Vec<u8> {
    [MP3, path.as_bytes()].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn discover_data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/src/crawl/discover/testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn html_tricks(site: &mut Site) {
    site.trick("audio", "<audio src=a.mp3></audio>").found("a.mp3").only();
    site.trick("source", "<video><source src=a.mp3 type='audio/mpeg'><source src='b.mp3?x=1'></video>")
        .found("a.mp3")
        .found("b.mp3?x=1")
        .only();
    site.trick("lazy", "<audio data-src=a.mp3></audio><video data-lazy-src=b.mp3></video>")
        .found("a.mp3")
        .found("b.mp3")
        .only();
    site.trick("amp", "<amp-audio src=a.mp3></amp-audio>").found("a.mp3").only();
    site.trick(
        "open-graph",
        "<meta property=og:audio content=a.mp3><meta property='og:video:secure_url' content=b.mp3>",
    )
    .found("a.mp3")
    .found("b.mp3")
    .only();
    site.trick("twitter-stream", "<meta name='twitter:player:stream' content=a.mp3>").found("a.mp3").only();
    site.trick("twitter-player", "<meta name='twitter:player' content=player>")
        .doc("player", "text/html", "<audio src=a.mp3>")
        .found("a.mp3")
        .only();
    site.trick("json-ld", r#"<script type="application/ld+json">{"@graph":[{"@type":"AudioObject","contentUrl":"a.mp3"}]}</script>"#)
        .found("a.mp3")
        .only();
    site.trick("microdata", "<meta itemprop=contentUrl content=a.mp3>").found("a.mp3").only();
    site.trick("base", "<base href='/elsewhere/'><audio src=base.mp3>").found("/elsewhere/base.mp3").end();
    site.trick("refresh", "<meta http-equiv=refresh content=\"0; url='a.mp3'\">").found("a.mp3").only();
    site.trick("refresh-page", "<meta http-equiv=refresh content='0;url=next'>")
        .doc("next", "text/html", "<audio src=a.mp3>")
        .found("a.mp3")
        .only();
    site.trick("iframe", "<iframe data-src=player></iframe>")
        .doc("player", "text/html", "<script>p({file:'a.mp3'})</script>")
        .found("a.mp3")
        .only();
    site.trick("srcdoc", "<iframe srcdoc=\"&lt;audio src='a.mp3'&gt;\"></iframe>").found("a.mp3").only();
    site.trick("object", "<object data=a.mp3 type=audio/mpeg></object><embed src=b.mp3>")
        .found("a.mp3")
        .found("b.mp3")
        .only();
    site.trick("noscript", "<noscript><audio src=a.mp3></audio></noscript>").found("a.mp3").only();
    site.trick("template", "<template><audio src=a.mp3></audio></template>").found("a.mp3").only();
    site.trick("typed-link", "<a href=get/1 type=audio/mpeg>song</a>")
        .doc("get/1", "application/octet-stream", distinct("typed"))
        .found("get/1")
        .only();
    site.trick("query-link", "<a href='get.php?file=song.mp3'>song</a>")
        .doc("get.php?file=song.mp3", "application/octet-stream", distinct("query"))
        .found("get.php?file=song.mp3")
        .only();
    site.trick("harmless-schemes", "<a href='javascript:play()'>x</a><audio src='data:audio/mpeg;base64,AAAA'></audio><a href='mailto:a@b.example'>m</a>")
        .only();
    site.trick("deep-markup", format!("{}<audio src=a.mp3></audio>", "<div>".repeat(20_000)))
        .found("a.mp3")
        .only();
    site.trick("many-attributes", format!("<a {}><audio src=a.mp3></audio>", "x='1' ".repeat(20_000)))
        .found("a.mp3")
        .only();
}

fn script_tricks(site: &mut Site) {
    site.trick("script", "<script>var p = {url: \"a.mp3\"};</script>").found("a.mp3").only();
    site.trick(
        "script-escaped",
        r#"<script>p("\/script-escaped\/a.mp3", '\u002fscript-escaped\x2fb.mp3')</script>"#,
    )
    .found("a.mp3")
    .found("b.mp3")
    .only();
    site.trick(
        "script-percent",
        "<script>play(decodeURIComponent('http%3A%2F%2FHOST%2Fscript-percent%2Fa.mp3'))</script>",
    )
    .found("a.mp3")
    .only();
    // "/script-base64/a.mp3"
    site.trick("script-base64", "<script>play(atob(\"L3NjcmlwdC1iYXNlNjQvYS5tcDM=\"))</script>")
        .found("a.mp3")
        .only();
    site.trick(
        "jwplayer",
        "<script>jwplayer('p').setup({playlist:[{sources:[{file:'a.mp3'},{file:'b.m3u8'}]}]})</script>",
    )
    .doc(
        "b.m3u8",
        "application/vnd.apple.mpegurl",
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\ns.mp3\n#EXT-X-ENDLIST\n",
    )
    .found("a.mp3")
    .found("b.m3u8")
    .only();
}

fn list_tricks(site: &mut Site) {
    site.trick("rss", "<link rel=alternate type=application/rss+xml href=feed>")
        .doc("feed", "application/rss+xml", "<?xml version='1.0'?><rss><channel><item><enclosure url='a.mp3' type='audio/mpeg'/></item></channel></rss>")
        .found("a.mp3")
        .only();
    site.trick("atom", "<link rel=alternate type=application/atom+xml href=feed>")
        .doc(
            "feed",
            "application/atom+xml",
            "<feed><entry><link rel='enclosure' href='a.mp3'/></entry></feed>",
        )
        .found("a.mp3")
        .only();
    site.trick("m3u", "<a href=l.m3u>l</a>")
        .doc("l.m3u", "audio/x-mpegurl", "#EXTM3U\n#EXTINF:1,x\na.mp3\n")
        .found("a.mp3")
        .only();
    site.trick("bare-m3u", "<a href=l.m3u>l</a>")
        .doc("l.m3u", "text/plain", "a.mp3\r\nb.mp3\r\n")
        .found("a.mp3")
        .found("b.mp3")
        .only();
    site.trick("pls", "<a href=l.pls>l</a>")
        .doc("l.pls", "audio/x-scpls", "[playlist]\nFile1=a.mp3\n")
        .found("a.mp3")
        .only();
    site.trick("xspf", "<a href=l.xspf>l</a>")
        .doc("l.xspf", "application/xspf+xml", "<?xml version='1.0'?><playlist><trackList><track><location>a.mp3</location></track></trackList></playlist>")
        .found("a.mp3")
        .only();
    site.trick("asx", "<a href=l.asx>l</a>")
        .doc("l.asx", "video/x-ms-asf", "<asx version='3'><entry><ref href='a.mp3'/></entry></asx>")
        .found("a.mp3")
        .only();
    site.trick("cue", "<a href=l.cue>l</a>")
        .doc(
            "l.cue",
            "text/plain",
            "PERFORMER \"x\"\nFILE \"a.mp3\" MP3\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n",
        )
        .found("a.mp3")
        .only();
    site.trick("own-playlist", "<a href=l.m3u>l</a>")
        .doc("l.m3u", "audio/x-mpegurl", "#EXTM3U\nl.m3u\nl.m3u?utm_source=x\na.mp3\n")
        .found("a.mp3")
        .only();
    site.trick("nested-playlists", "<a href=0.m3u>l</a>")
        .doc("0.m3u", "audio/x-mpegurl", "#EXTM3U\n1.m3u\n")
        .doc("1.m3u", "audio/x-mpegurl", "#EXTM3U\n2.m3u\n")
        .doc("2.m3u", "audio/x-mpegurl", "#EXTM3U\n3.m3u\n")
        .doc("3.m3u", "audio/x-mpegurl", "#EXTM3U\n4.m3u\n")
        .doc("4.m3u", "audio/x-mpegurl", "#EXTM3U\n5.m3u\n")
        .skipped("5.m3u", "nested too deeply")
        .only();
}

fn stream_tricks(site: &mut Site) {
    const HLS: &str = "application/vnd.apple.mpegurl";
    site.trick("hls", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nhigh.m3u8\n")
        .doc("low.m3u8", HLS, "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n0.mp3\n#EXT-X-DISCONTINUITY\n#EXTINF:6,\n1.mp3\n#EXT-X-ENDLIST\n")
        .found("low.m3u8")
        .only();
    let keyed = |method: &str, key: &str| {
        format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-KEY:METHOD={method},URI=\"{key}\",IV=0x0000000000000000000000000000002a\n\
                 #EXTINF:6,\ns.bin\n#EXT-X-ENDLIST\n"
        )
    };
    site.trick("hls-aes", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, keyed("AES-128", "key"))
        .doc("key", "application/octet-stream", (0_u8..16).collect::<Vec<u8>>())
        .doc("s.bin", "video/mp2t", discover_data("segment.aes"))
        .found("m.m3u8")
        .only();
    site.trick("hls-key-refused", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, keyed("AES-128", "nokey"))
        .skipped("m.m3u8", "encrypted")
        .only();
    site.trick("hls-wrong-key", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, keyed("AES-128", "key"))
        .doc("key", "text/html", "<p>please log in</p>")
        .doc("s.bin", "video/mp2t", discover_data("segment.aes"))
        .failed("m.m3u8", "instead of 16")
        .only();
    site.trick("hls-sample-aes", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, keyed("SAMPLE-AES", "key"))
        .skipped("m.m3u8", "encrypted")
        .only();
    site.trick("hls-itself", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nm.m3u8\n")
        .only();
    let file = Doc { status: 200, body: distinct("ranges"), ranges: Ranges::Yes, ..Doc::default() };
    site.trick("hls-byte-range", "<audio src=m.m3u8>")
        .doc("m.m3u8", HLS, "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-BYTERANGE:10@0\n#EXTINF:6,\nall.bin\n#EXT-X-BYTERANGE:10\n#EXTINF:6,\nall.bin\n#EXT-X-ENDLIST\n")
        .raw("all.bin", file)
        .found("m.m3u8")
        .only();
    site.trick("dash", "<audio src=m.mpd>")
        .doc(
            "m.mpd",
            "application/dash+xml",
            "<?xml version='1.0'?><MPD type='static' mediaPresentationDuration='PT12S'><Period><AdaptationSet mimeType='audio/mp4'>\
             <SegmentTemplate media='s$Number$.mp3' initialization='i.mp3' duration='6' timescale='1' startNumber='1'/>\
             <Representation id='a' bandwidth='64000'/></AdaptationSet></Period></MPD>",
        )
        .found("m.mpd")
        .only();
    site.trick("dash-protected", "<audio src=m.mpd>")
        .doc(
            "m.mpd",
            "application/dash+xml",
            "<?xml version='1.0'?><MPD type='static' mediaPresentationDuration='PT12S'><Period><AdaptationSet mimeType='audio/mp4'>\
             <ContentProtection schemeIdUri='urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed'/>\
             <SegmentTemplate media='s$Number$.mp3' duration='6' timescale='1'/>\
             <Representation id='a' bandwidth='64000'/></AdaptationSet></Period></MPD>",
        )
        .skipped("m.mpd", "encrypted")
        .only();
}

fn archive_tricks(site: &mut Site) {
    for (name, file, members) in [
        ("zip", "info-zip.zip", &["01%20tone.wav", "disc/02%20chord.mp3"][..]),
        ("seven-zip", "lzma2.7z", &["01%20tone.wav", "disc/02%20chord.mp3"]),
        ("tar-gz", "gnu.tar.gz", &[]),
        ("rar4-stored", "rar4-stored.rar", &["01%20tone.wav", "disc/02%20chord.mp3"]),
        ("rar5-stored", "rar5-stored.rar", &["01%20tone.wav", "disc/02%20chord.mp3"]),
        ("rar5-packed", "rar5.rar", &["01%20tone.wav", "disc/02%20chord.mp3"]),
    ] {
        let mut trick = site.trick(name, format!("<a href={file}>all</a>")).doc(
            file,
            "application/octet-stream",
            fixture(file),
        );
        for member in members {
            trick = trick.found(&format!("{file}#{member}"));
        }
        trick.skipped(&format!("{file}#"), "not audio").end();
    }
    site.trick("zip-encrypted", "<a href=encrypted.zip>all</a>")
        .doc("encrypted.zip", "application/zip", fixture("encrypted.zip"))
        .skipped("encrypted.zip#", "encrypted")
        .only();
    let mut nested = distinct("layers");
    for _ in 0..42 {
        nested = gzip(&nested);
    }
    site.trick("forty-two-layers", "<a href=l.gz>all</a>")
        .doc("l.gz", "application/gzip", nested)
        .skipped("l.gz", "deeper than")
        .only();
    site.trick("gzip-bomb-file", "<a href=l.gz>all</a>")
        .doc("l.gz", "application/gzip", gzip(&[MP3, &vec![0; 64 << 20]].concat()))
        .skipped("l.gz", "inflates to more than")
        .only();
    site.trick("torn-zip", "<a href=t.zip>all</a>")
        .doc("t.zip", "application/zip", fixture("info-zip.zip")[..2000].to_vec())
        .skipped("t.zip", "in an archive")
        .end();
    let headers = vec![("content-type", "text/html".to_owned()), ("content-encoding", "gzip".to_owned())];
    let bomb = Doc { status: 200, headers, body: gzip(&vec![b' '; 64 << 20]), ranges: Ranges::No };
    site.trick("gzip-bomb-page", "<a href=bomb>x</a>")
        .raw("bomb", bomb)
        .failed("bomb", "longer than the limit")
        .only();
}

fn disguise_tricks(site: &mut Site) {
    site.trick("html-named-mp3", "<audio src=page.mp3>")
        .doc("page.mp3", "audio/mpeg", "<!doctype html><title>404</title><audio src=behind.mp3>")
        .found("behind.mp3")
        .only();
    site.trick("mp3-named-html", "<a href=song.html>song</a>")
        .doc("song.html", "text/html", distinct("as html"))
        .found("song.html")
        .only();
    site.trick("mp3-as-text", "<audio src=a.bin>")
        .doc("a.bin", "text/plain", distinct("as text"))
        .found("a.bin")
        .only();
    let bare = Doc { status: 200, body: distinct("bare"), ..Doc::default() };
    site.trick("no-content-type", "<audio src=a.bin>").raw("a.bin", bare).found("a.bin").only();
    site.trick("picture", "<meta property=og:video content=p.jpg>")
        .doc("p.jpg", "image/jpeg", b"\xff\xd8\xff\xe0rest".to_vec())
        .skipped("p.jpg", "neither audio nor a page")
        .only();
    site.trick("missing", "<audio src=missing.mp3>").failed("missing.mp3", "answered 404").only();
    site.trick("too-large", "<audio src=big.bin>")
        .doc("big.bin", "audio/mpeg", [MP3, &vec![0; 3 << 20]].concat())
        .failed("big.bin", "longer than the limit")
        .only();
    let body = [MP3, &vec![7; 400 << 10]].concat();
    for (name, ranges) in [
        ("ranges", Ranges::Yes),
        ("no-ranges", Ranges::No),
        ("lying-ranges", Ranges::Lying),
        ("changing-etag", Ranges::Changing),
    ] {
        let mut own = body.clone();
        own.extend_from_slice(name.as_bytes());
        let headers = vec![("content-type", "audio/mpeg".to_owned())];
        let trick = site
            .trick(name, "<audio src=a.bin>")
            .raw("a.bin", Doc { status: 200, headers, body: own, ranges });
        // A server that is not to be trusted with pieces is asked for the whole.
        trick.found("a.bin").only();
    }
}

fn address_tricks(site: &mut Site) {
    for (name, target) in [
        ("metadata", "http://169.254.169.254/latest/meta-data/a.mp3"),
        ("mapped", "http://[::ffff:127.0.0.1]/a.mp3"),
        ("decimal", "http://2130706433/a.mp3"),
        ("octal", "http://0177.0.0.1/a.mp3"),
        ("private", "http://192.168.0.1/a.mp3"),
        ("nat64", "http://[64:ff9b::7f00:1]/a.mp3"),
        ("sixtofour", "http://[2002:7f00:1::]/a.mp3"),
        ("localhost", "http://localhost/a.mp3"),
        ("odd-port", "http://93.184.215.14:6379/a.mp3"),
    ] {
        let why = if name == "odd-port" { "port" } else { "not public" };
        let trick = site.trick(name, format!("<audio src='{target}'></audio><audio src=turn.mp3></audio>"));
        trick.redirect("turn.mp3", target).failed("turn.mp3", why).only();
    }
    site.trick("file-scheme", "<audio src='file:///etc/passwd'></audio><audio src=turn.mp3>")
        .redirect("turn.mp3", "file:///etc/passwd")
        .failed("turn.mp3", "no address of a page")
        .only();
    site.trick("redirect-loop", "<audio src=a.mp3>")
        .redirect("a.mp3", "b.mp3")
        .redirect("b.mp3", "a.mp3")
        .failed("a.mp3", "redirects in a loop")
        .only();
    let mut chain = site.trick("redirect-chain", "<audio src=0.mp3>");
    for step in 0..12 {
        chain = chain.redirect(&format!("{step}.mp3"), &format!("{}.mp3", step + 1));
    }
    chain.failed("0.mp3", "more than 10 redirects").only();
    site.trick("leads-out", "<a href=out>x</a>")
        .redirect("out", "http://198.18.0.1/")
        .skipped("out", "redirects to another site")
        .only();
    site.trick("credentials", "<a href='http://me:secret@HOST/credentials/in'>x</a>")
        .doc("in", "text/html", "<audio src=a.mp3>")
        .found("a.mp3")
        .only();
    site.trick("robots", "<audio src=/forbidden/a.mp3></audio>")
        .skipped("/forbidden/a.mp3", "robots.txt forbids it")
        .only();
}

fn trap_tricks(site: &mut Site) {
    let mut deep = site.trick("echo-path", "<a href=x/>on</a><audio src=a.mp3>");
    let mut path = String::new();
    for _ in 0..8 {
        path.push_str("x/");
        deep = deep.doc(&path, "text/html", format!("<title>{path}</title><a href=x/>on</a>"));
    }
    deep.found("a.mp3").skipped("x/x/x/x/", "path repeats itself").end();
    site.trick(
        "echo-query",
        "<a href='/echo-query/go?to=http%3A%2F%2FHOST%2Fecho-query%2Fgo%3Fto%3Dhttp%253A%252F%252Fx'>on</a>",
    )
    .skipped("go?to=http%3A%2F%2FHOST%2Fecho-query%2Fgo%3Fto%3Dhttp%253A%252F%252Fx", "URLs within URLs")
    .only();
    site.trick("long-url", format!("<a href=/{}>x</a>", "y".repeat(2100)))
        .skipped(&format!("/{}", "y".repeat(2100)), "longer than 2,000")
        .only();
    site.trick(
        "many-segments",
        format!("<a href={}>x</a>", (0..25).map(|n| format!("s{n}/")).collect::<String>()),
    )
    .skipped(&(0..25).map(|n| format!("s{n}/")).collect::<String>(), "more than 20 segments")
    .only();
    let days: String = (0..900).fold(String::new(), |mut html, day| {
        let _ = write!(
            html,
            "<a href='/calendar/{}/{:02}/{:02}'>d</a>",
            2026 + day / 360,
            day / 30 % 12 + 1,
            day % 30 + 1
        );
        html
    });
    site.trick("calendar", days).skipped("/calendar/2028/05/30", "pages of a calendar").end();
    let filters: String = (0..600).fold(String::new(), |mut html, n| {
        let _ = write!(html, "<a href='list?a={n}&b=1&c=2&d=3'>f</a>");
        html
    });
    site.trick("filters", filters)
        .skipped("list?a=599&b=1&c=2&d=3", "combinations of a page's filters")
        .end();
    site.trick("session-ids", "<a href='p?phpsessid=1'>a</a><a href='p?phpsessid=2'>b</a><a href='p;jsessionid=3'>c</a><a href='p?utm_source=z'>d</a>")
        .doc("p", "text/html", "<audio src=a.mp3>")
        .doc("p?phpsessid=2", "text/html", "<audio src=twice.mp3>")
        .doc("p;jsessionid=3", "text/html", "<audio src=thrice.mp3>")
        .found("a.mp3")
        .only();
    site.trick("same-content", "<a href=one>1</a><a href=two>2</a>")
        .doc("one", "text/html", "<title>same</title><a href=/same-content/three>on</a>")
        .doc("two", "text/html", "<title>same</title><a href=/same-content/three>on</a>")
        .skipped("two", "same content")
        .end();
    let mut far = site.trick("too-deep", "<a href=1>on</a>");
    for step in 1..13 {
        far = far.doc(
            &step.to_string(),
            "text/html",
            format!("<title>{step}</title><a href={}>on</a>", step + 1),
        );
    }
    far.skipped("11", "links away from the seeds").only();
}

fn lead_tricks(site: &mut Site) {
    site.trick("magnet", "<a href='magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a&dn=x'>m</a>")
        .lead("magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a", None)
        .only();
    site.trick("netdisk", "<p>https://pan.baidu.com/s/1AbCdEfGhIjKlMnOpQrStUv 提取码: x9y2</p>")
        .lead("https://pan.baidu.com/s/1AbCdEfGhIjKlMnOpQrStUv", Some("x9y2"))
        .only();
    site.trick("encrypted-platform-file", "<a href=song.ncm>x</a>")
        .doc("song.ncm", "application/octet-stream", b"CTENFDAM\x01\x70rest".to_vec())
        .found("song.ncm")
        .only();
}

fn encoding_tricks(site: &mut Site) {
    for (name, label, encoding) in [
        ("gb18030", "gb18030", encoding_rs::GB18030),
        ("big5", "big5", encoding_rs::BIG5),
        ("shift-jis", "shift_jis", encoding_rs::SHIFT_JIS),
        ("euc-kr", "euc-kr", encoding_rs::EUC_KR),
    ] {
        let text = if name == "euc-kr" { "음악" } else { "音楽" };
        let html = format!("<meta charset={label}><title>{text}</title><audio src=a.mp3>");
        let (bytes, _, _) = encoding.encode(&html);
        let mut trick = site.trick(name, Vec::new());
        trick.put("", "text/html", bytes.into_owned());
        trick.found("a.mp3").only();
    }
}

/// Puts the server's own name where the pages want it.
fn name_host(site: &mut Site, host: &str) {
    for doc in site.docs.values_mut() {
        if let Ok(text) = std::str::from_utf8(&doc.body)
            && text.contains("HOST")
        {
            doc.body = text.replace("HOST", host).into_bytes();
        }
    }
    for (_, wanted) in &mut site.tricks {
        for one in wanted {
            if let Wanted::Found(path) | Wanted::Skipped(path, _) | Wanted::Failed(path, _) = one {
                *path = path.replace("HOST", host);
            }
        }
    }
}

#[tokio::test]
async fn each_trick_of_a_hostile_site_ends_as_it_should() {
    let mut site = Site::default();
    html_tricks(&mut site);
    script_tricks(&mut site);
    list_tricks(&mut site);
    stream_tricks(&mut site);
    archive_tricks(&mut site);
    disguise_tricks(&mut site);
    address_tricks(&mut site);
    trap_tricks(&mut site);
    lead_tricks(&mut site);
    encoding_tricks(&mut site);
    assert!(site.tricks.len() >= 60, "{}", site.tricks.len());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    name_host(&mut site, &address.to_string());
    let robots = "User-agent: *\nDisallow: /forbidden/\n";
    let headers = vec![("content-type", "text/plain".to_owned())];
    site.docs.insert(
        "/robots.txt".to_owned(),
        Doc { status: 200, headers, body: robots.into(), ..Doc::default() },
    );
    let site = Arc::new(site);
    let served = Arc::clone(&site);
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let site = Arc::clone(&served);
        async move { answer(&site, &uri, &headers) }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });

    let seeds = site.tricks.iter().map(|(name, _)| format!("http://{address}/{name}/")).collect();
    let settings = FetchSettings {
        media_bytes_max: 2 << 20,
        page_bytes_max: 2 << 20,
        // No trick is one of time, and the machine may be busy.
        read_timeout_s: 60,
        connect_timeout_s: 60,
        ..settings(&[address])
    };
    let plan = plan_for(SiteSettings {
        seeds,
        requests_max: Some(100_000),
        depth_max: Some(10),
        ..Default::default()
    });
    let told = carry_out(plan, &settings).await;
    let mut wrong = Vec::new();
    for (name, wanted) in &site.tricks {
        for one in wanted {
            if let Some(text) = contradiction(name, one, wanted, &told, &address.to_string()) {
                wrong.push(format!("{name}: {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} tricks: \n{}", wrong.len(), site.tricks.len(), wrong.join("\n"));
}

/// What of a trick did not come as it should.
fn contradiction(name: &str, one: &Wanted, all: &[Wanted], told: &Told, host: &str) -> Option<String> {
    let url = |path: &str| format!("http://{host}{path}");
    let found: Vec<&str> = told.found.iter().map(|found| found.sighting.media_url.as_str()).collect();
    let own = |text: &&&str| text.starts_with(&url(&format!("/{name}/")));
    match one {
        Wanted::Found(path) => {
            let count = found.iter().filter(|text| **text == url(path)).count();
            let near: Vec<_> = found.iter().filter(own).collect();
            let errors: Vec<_> = told
                .failed
                .iter()
                .filter(|one| one.url.contains(name))
                .map(|one| one.error.to_string())
                .collect();
            let skips: Vec<_> = told.skipped.iter().filter(|one| one.url.contains(name)).collect();
            (count != 1).then(|| {
                format!("{path} found {count} times; found {near:?}, failed {errors:?}, skipped {skips:?}")
            })
        }
        Wanted::Skipped(path, why) => {
            let of_it: Vec<String> = told
                .skipped
                .iter()
                .filter(|skip| skip.url.starts_with(&url(path)))
                .map(|skip| skip.reason.to_string())
                .collect();
            let near: Vec<_> =
                told.skipped.iter().filter(|skip| skip.url.contains(name)).map(|skip| &skip.url).collect();
            (!of_it.iter().any(|text| text.contains(why)))
                .then(|| format!("{path} skipped because of {of_it:?}, not {why:?}; near {near:?}"))
        }
        Wanted::Failed(path, why) => {
            let of_it: Vec<String> = told
                .failed
                .iter()
                .filter(|one| one.url == url(path))
                .map(|one| one.error.to_string())
                .collect();
            let is_right = of_it.len() == 1 && of_it[0].contains(why) && of_it[0].lines().count() == 1;
            (!is_right).then(|| format!("{path} failed with {of_it:?}, not {why:?}"))
        }
        Wanted::Lead(target, code) => {
            let leads: Vec<_> =
                told.leads.iter().map(|found| (&*found.lead.target, found.lead.code.as_deref())).collect();
            (!leads.contains(&(*target, *code))).then(|| format!("no lead to {target}: {leads:?}"))
        }
        Wanted::NothingElse => {
            let named: Vec<String> = all
                .iter()
                .filter_map(|one| if let Wanted::Found(path) = one { Some(url(path)) } else { None })
                .collect();
            let more: Vec<_> =
                found.iter().filter(own).filter(|text| !named.iter().any(|url| url == **text)).collect();
            (!more.is_empty()).then(|| format!("also found {more:?}"))
        }
    }
}
