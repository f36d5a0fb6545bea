#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn at(url: &str) -> Url {
    Url::parse(url).unwrap()
}

fn html(page: &str) -> Discovered {
    discover(&at("http://a.example/dir/page"), Some("text/html"), page.as_bytes())
}

fn media(found: &Discovered) -> Vec<(String, String)> {
    found.media.iter().map(|link| (link.url.to_string(), link.via.clone())).collect()
}

#[test]
fn every_way_to_embed() {
    let found = html(
        r#"<html><head><title> A &amp; B </title>
        <meta property="og:audio" content="/og.mp3"><meta name=twitter:player:stream content="//cdn.example/tw.m4a">
        <link rel="alternate" type="application/rss+xml" href="/feed.xml">
        <script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"MusicRecording",
          "audio":{"@type":"AudioObject","contentUrl":"https://a.example/ld.mp3"}}]}</script></head>
        <body><audio src=one.mp3></audio><video data-src="two.mp4"></video>
        <audio><source src="three.ogg" type="audio/ogg"><source src="hls/index.m3u8" type="application/x-mpegURL"></audio>
        <picture><source src="not.webp" srcset="not.webp"></picture>
        <a href="four.flac?dl=1#t">four</a><a href="get.php?file=five.mp3&amp;k=1">five</a><a href=other.html>page</a>
        <div data-mp3="six.mp3" data-list='[{"src":"seven.mp3"}]'></div><iframe src="https://player.example/e/1"></iframe>
        <script>player.setup({"file":"https:\/\/a.example\/eight.mp3", 'image': 'x.jpg'}); // don't</script>
        <a href="javascript:play('x')">x</a><a href="mailto:a@b.example">m</a></body></html>"#,
    );
    assert_eq!(found.title.as_deref(), Some("A & B"));
    let wanted = [
        ("http://a.example/og.mp3", "og:audio"),
        ("http://cdn.example/tw.m4a", "twitter:player:stream"),
        ("http://a.example/feed.xml", "alternate"),
        ("https://a.example/ld.mp3", "json-ld"),
        ("http://a.example/dir/one.mp3", "audio"),
        ("http://a.example/dir/two.mp4", "video"),
        ("http://a.example/dir/three.ogg", "source"),
        ("http://a.example/dir/hls/index.m3u8", "source"),
        ("http://a.example/dir/four.flac?dl=1", "link"),
        ("http://a.example/dir/get.php?file=five.mp3&k=1", "link"),
        ("http://a.example/dir/six.mp3", "data-mp3"),
        ("http://a.example/dir/seven.mp3", "data-list"),
        ("https://player.example/e/1", "iframe"),
        ("https://a.example/eight.mp3", "script"),
    ];
    let mut given = media(&found);
    let mut wanted: Vec<_> = wanted.iter().map(|(url, via)| ((*url).to_owned(), (*via).to_owned())).collect();
    given.sort();
    wanted.sort();
    assert_eq!(given, wanted);
    assert_eq!(found.links, [at("http://a.example/dir/other.html")]);
}

#[test]
fn a_long_attribute_name_is_not_kept_with_every_link() {
    let list: String = (0..3).map(|n| format!("'{n}.mp3',")).collect();
    let found = html(&format!("<div data-{}=\"[{list}]\"></div>", "x".repeat(100_000)));
    assert_eq!(found.media.len(), 3);
    assert!(found.media.iter().all(|link| link.via.starts_with("data-xx") && link.via.len() <= 64));
}

#[test]
fn base_and_refresh() {
    let found = html(
        "<a href=1.mp3><base href='/x/y'><base href='/z/'><meta http-equiv=refresh content='0; URL=\"n.html\"'>",
    );
    assert_eq!(found.media[0].url, at("http://a.example/x/1.mp3"));
    let refresh = &found.media[1];
    assert_eq!((refresh.url.path(), refresh.kind), ("/x/n.html", MediaKind::Embed));
}

#[test]
fn feeds_and_xml_playlists() {
    let rss = r#"<?xml version="1.0"?><rss xmlns:media="m"><channel><title>Pod &amp; Cast</title><item><title>x</title>
        <link>https://a.example/ep?a=1&amp;b=2</link><enclosure url="/1.mp3?a=1&amp;b=2" type="audio/mpeg"/>
        <media:content url="cover.jpg" medium="image"/><media:content url="2.m4a"/></item></channel></rss>"#;
    let found = discover(&at("https://a.example/feed"), Some("application/rss+xml"), rss.as_bytes());
    assert_eq!(found.title.as_deref(), Some("Pod & Cast"));
    let urls: Vec<_> = found.media.iter().map(|link| link.url.as_str()).collect();
    assert_eq!(urls, ["https://a.example/1.mp3?a=1&b=2", "https://a.example/2.m4a"]);
    assert_eq!(found.links, [at("https://a.example/ep?a=1&b=2")]);
    let xspf = "<?xml version='1.0'?><playlist><trackList><track><location><![CDATA[http://a.example/3.ogg]]></location>\
                </track></trackList></playlist>";
    assert_eq!(
        discover(&at("http://a.example/"), None, xspf.as_bytes()).media[0].url,
        at("http://a.example/3.ogg")
    );
    let broken = "<?xml version='1.0'?><rss><enclosure url='/1.mp3'/><<<";
    let found = discover(&at("http://a.example/"), None, broken.as_bytes());
    assert_eq!((found.media.len(), found.problems.len()), (1, 1));
}

#[test]
fn plain_playlists() {
    let m3u = "#EXTM3U\r\n#EXTINF:3,A\r\n1.mp3\r\n\r\nhttps://b.example/2\r\n";
    let found = discover(&at("http://a.example/l/x.m3u"), None, m3u.as_bytes());
    let urls: Vec<_> = found.media.iter().map(|link| link.url.as_str()).collect();
    assert_eq!(urls, ["http://a.example/l/1.mp3", "https://b.example/2"]);
    let pls =
        "[playlist]\nFile1=http://a.example/1.mp3\nTitle1=File=no.mp3\nfile2=2.ogg\nNumberOfEntries=2\n";
    assert_eq!(discover(&at("http://a.example/x.pls"), None, pls.as_bytes()).media.len(), 2);
}

#[test]
fn hls_playlists() {
    let hls = |text: &str| discover(&at("http://a.example/s/i.m3u8"), None, text.as_bytes()).hls;
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900,CODECS=\"mp4a.40.2,avc1\"\nhigh.m3u8\n\
                  #EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n";
    assert_eq!(hls(master), Some(Hls::Master { chosen: at("http://a.example/s/low.m3u8") }));
    let audio =
        format!("{master}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a,b\",NAME=\"x\",DEFAULT=YES,URI=\"aud.m3u8\"\n");
    assert_eq!(hls(&audio), Some(Hls::Master { chosen: at("http://a.example/s/aud.m3u8") }));
    let media = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"10@0\"\n#EXTINF:6,\n\
                 #EXT-X-BYTERANGE:5@10\nall.mp4\n#EXTINF:6,\n#EXT-X-BYTERANGE:7\nall.mp4\n#EXT-X-ENDLIST\n";
    let Some(Hls::Media { segments, encrypted: None, ended: true }) = hls(media) else { panic!("not read") };
    let ranges: Vec<_> = segments.iter().map(|segment| segment.range).collect();
    assert_eq!(ranges, [Some((0, 10)), Some((10, 5)), Some((15, 7))]);
    let key = "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:6,\n1.ts\n";
    let Some(Hls::Media { encrypted: Some(method), ended: false, .. }) = hls(key) else { panic!("not read") };
    assert_eq!(method, "AES-128");
}

#[test]
fn results_are_capped() {
    let page: String = (0..5000).map(|n| format!("<a href={n}.mp3><a href={n}.html>")).collect();
    let found = html(&page);
    assert_eq!((found.media.len(), found.links.len()), (sink::MEDIA_MAX, sink::LINKS_MAX));
}

/// Deep nesting, endless attributes, quotes without end: each could cost the square of the page's length, or the stack.
#[test]
fn hostile_pages_are_read() {
    let mut pages: Vec<String> = [
        "<div>",
        "<b>",
        "<a>",
        "<a href=x>",
        "<a ",
        "<a b=\"",
        "<!--",
        "<script>'",
        "</",
        "</p>",
        "&amp",
        "<p><b><i>",
        "<svg><![CDATA[",
        "<table>",
        "<table><td><a>",
        "<li><b>",
        "<select>",
        "<frameset>",
        "<template>",
        "<form>",
        "<object><a>",
        "<math><mi>",
        "<svg><foreignObject>",
        "\0",
        "<h1>",
        "<button>",
        "<title></title>",
    ]
    .map(|piece| piece.repeat((1 << 20) / piece.len()))
    .into();
    let numbered = |count: u32, piece: fn(u32) -> String| (0..count).map(piece).collect::<String>();
    pages.push(format!("<div{}>", numbered(400_000, |n| format!(" a{n}=1"))));
    pages.push(format!("</div{}>", numbered(400_000, |n| format!("/a{n}"))));
    pages.push(numbered(200_000, |n| format!("<body a{n}=1>")));
    pages.push(numbered(500, |n| format!("<b a{n}>")) + &"<p>x".repeat(1 << 18));
    pages.push(numbered(500, |n| format!("<a a{n}><td>")) + &"<p>x".repeat(1 << 18));
    pages.push(numbered(200_000, |n| format!("<font a{n} b c d e>")));
    pages.push(format!("<script type=application/ld+json>{}</script>", "[".repeat(1 << 20)));
    for page in pages {
        // A thread of its own, for its stack has the default size.
        let start: String = page.chars().take(40).collect();
        assert!(std::thread::spawn(move || html(&page)).join().is_ok(), "{start}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_capped_web_addresses(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        start in prop_oneof![
            Just(""), Just("#EXTM3U\n"), Just("#EXTM3U\n#EXT-X-KEY:"), Just("[playlist]\nFile1="), Just("<?xml?><rss>"),
            Just("<html><audio src="), Just("<script>\""), Just("<script type=application/ld+json>{\"contentUrl\":"),
        ],
        content_type in proptest::option::of("(text/html|application/json|audio/x-mpegurl)(; charset=[a-z0-9-]{0,9})?"),
    ) {
        let mut document = start.as_bytes().to_vec();
        document.extend_from_slice(&bytes);
        let found = discover(&at("http://a.example/x/y"), content_type.as_deref(), &document);
        prop_assert!(found.media.len() <= sink::MEDIA_MAX && found.links.len() <= sink::LINKS_MAX);
        for url in found.links.iter().chain(found.media.iter().map(|link| &link.url)) {
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.has_host());
        }
    }

    #[test]
    fn any_markup_is_read(page in "(<(a|audio|source|meta|script|base|iframe|title|/script)|[ =\"'/>a-z:.?&;#-]|href=|src=|\\.mp3){0,80}") {
        let _ = html(&page);
    }
}
