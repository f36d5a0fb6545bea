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
    let list: String = (0..3).map(|n| format!("'{n}.ncm',")).collect();
    let found = html(&format!("<div data-{}=\"[{list}]\"></div>", "x".repeat(100_000)));
    assert_eq!((found.media.len(), found.leads.len()), (3, 3));
    let ways = found.media.iter().map(|link| &link.via).chain(found.leads.iter().map(|lead| &lead.via));
    assert!(ways.into_iter().all(|via| via.starts_with("data-xx") && via.len() <= 40));
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
    let asx = "<asx version='3'><entryref href='/more.asx'/><entry><ref href='/4.wma'/></entry></asx>";
    assert_eq!(discover(&at("http://a.example/"), None, asx.as_bytes()).media.len(), 2);
    let podcast =
        "<rss><podcast:alternateEnclosure><podcast:source uri='/5.opus'/></podcast:alternateEnclosure></rss>";
    assert_eq!(discover(&at("http://a.example/"), None, podcast.as_bytes()).media.len(), 1);
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
    let late = format!("#EXTM3U\n# {}\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n1.ts\n", "x".repeat(600));
    assert!(discover(&at("http://a.example/"), None, late.as_bytes()).stream.is_some());
    let wpl = "<?wpl version='1.0'?><smil><body><seq><media src='..\\1.mp3'/></seq></body></smil>";
    assert_eq!(
        discover(&at("http://a.example/l/x.wpl"), None, wpl.as_bytes()).media[0].url,
        at("http://a.example/1.mp3")
    );
    let pls =
        "[playlist]\nFile1=http://a.example/1.mp3\nTitle1=File=no.mp3\nfile2=2.ogg\nNumberOfEntries=2\n";
    assert_eq!(discover(&at("http://a.example/x.pls"), None, pls.as_bytes()).media.len(), 2);
}

/// A page in each encoding of East Asia, said by the header, by the page, by a mark, or by nothing but its bytes.
#[test]
fn east_asian_pages() {
    for (label, title, word, sent) in [
        ("gb18030", "未经许可的音乐下载网站", "歌", "%B8%E8"),
        ("gbk", "未经许可的音乐下载网站", "歌", "%B8%E8"),
        ("big5", "未經許可的音樂下載網站", "歌", "%BAq"),
        ("shift_jis", "無断転載された楽曲のダウンロードページです", "歌", "%89%CC"),
        ("euc-jp", "無断転載された楽曲のダウンロードページです", "歌", "%B2%CE"),
        ("euc-kr", "무단으로 게시된 음악을 내려받는 곳입니다", "가", "%B0%A1"),
        ("utf-8", "未经许可的音乐下载网站", "歌", "%E6%AD%8C"),
    ] {
        let body = format!(
            "<title>{title}</title><a href='/{word}.html?q={word}&amp;x=1#{word}'>{title}</a><audio src='/{word}.mp3?k={word}'>"
        );
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let encode = |text: &str| encoding.encode(text).0.into_owned();
        let path = if word == "歌" { "%E6%AD%8C" } else { "%EA%B0%80" };
        let check = |content_type: &str, page: &[u8], how: &str| {
            let found = discover(&at("http://a.example/"), Some(content_type), page);
            assert_eq!(found.title.as_deref(), Some(title), "{label} by {how}");
            assert_eq!(
                found.links,
                [at(&format!("http://a.example/{path}.html?q={sent}&x=1"))],
                "{label} by {how}"
            );
            assert_eq!(
                found.media[0].url,
                at(&format!("http://a.example/{path}.mp3?k={sent}")),
                "{label} by {how}"
            );
        };
        check(&format!("text/html; charset=\"{label}\""), &encode(&body), "header");
        check("text/html", &encode(&format!("<meta charset={label}>{body}")), "meta");
        let http_equiv = format!(
            "<script charset src=x></script><meta http-equiv=Content-Type content='text/html; charset={label}'>"
        );
        check("text/html", &encode(&(http_equiv + &body)), "http-equiv");
        check("text/html", &encode(&body), "guess");
    }
    let marked = "\u{feff}<title>歌</title>".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert_eq!(discover(&at("http://a.example/"), Some("text/html"), &marked).title.as_deref(), Some("歌"));
    // What an encoding lacks is sent as browsers send it.
    let page = discover(
        &at("http://a.example/"),
        Some("text/html; charset=big5"),
        b"<a href='/?q=&#x1f3b5;&amp;r=a'>",
    );
    assert_eq!(page.links, [at("http://a.example/?q=%26%23127925%3B&r=a")]);
}

/// Markup in attributes and templates, and what only scripts would load.
#[test]
fn quoted_markup_and_lazy_attributes() {
    let found = html(
        r#"<iframe srcdoc="<base href='/b/'><audio src=1.mp3></audio><script>'no.mp3'</script>"></iframe>
        <div data-html="&lt;video data-src=&quot;2.mp4&quot;&gt;&lt;/video&gt;"></div>
        <template><audio src=/3.mp3></audio></template><noscript><audio src=/4.mp3></audio></noscript>
        <script type="text/x-template"><audio src="/5.mp3"></audio></script>
        <object><param name=flashvars value="file=%2F6.mp3&amp;image=/x.png"><param name=movie value="/p.swf?mp3=/7.mp3"></object>
        <embed src="/player.swf" flashvars="mp3=/8.mp3|/9.mp3&amp;volume=1"><bgsound src=/10.mp3>
        <amp-audio src=/11.mp3></amp-audio><a href="javascript:play('/12.mp3')">x</a><a download="x.mp3" href="/get?13">x</a>
        <div data-audio-url="/get/14" data-src="/15.png" data-page="/16"></div><li mp3="/17.mp3"></li><option value="/18.mp3">
        <audio data-src="aHR0cDovL2EuZXhhbXBsZS9nZXQvMTk="></audio><iframe src="/p?u=http%3A%2F%2Fa.example%2F20.mp3"></iframe>
        <span itemprop=contentUrl content="/get/21"></span><link itemprop=contentUrl href=/get/22><p>/no.mp3 http://a.example/no.mp3</p>
        <p title=no.mp3 data-title="no one.mp3"></p>"#,
    );
    let paths: std::collections::BTreeSet<_> = found
        .media
        .iter()
        .filter(|link| link.kind == MediaKind::Media)
        .map(|link| link.url.as_str().trim_start_matches("http://a.example").to_owned())
        .collect();
    let wanted = [
        "/b/1.mp3",
        "/dir/2.mp4",
        "/3.mp3",
        "/4.mp3",
        "/5.mp3",
        "/6.mp3",
        "/7.mp3",
        "/8.mp3",
        "/9.mp3",
        "/10.mp3",
        "/11.mp3",
        "/12.mp3",
        "/get?13",
        "/get/14",
        "/17.mp3",
        "/18.mp3",
        "/get/19",
        "/20.mp3",
        "/get/21",
        "/get/22",
    ];
    assert_eq!(paths, wanted.map(str::to_owned).into());
    let big = format!(
        "<div data-a=\"<audio src='/1.mp3'>{}\"></div><i data-b=\"<audio src='/2.mp3'>\">",
        "x".repeat(300 << 10)
    );
    assert!(media(&html(&big)).iter().any(|(url, _)| url.ends_with("/2.mp3")));
}

#[test]
fn results_are_capped() {
    let page: String = (0..5000).map(|n| format!("<a href={n}.mp3><a href={n}.html>")).collect();
    let found = html(&page);
    assert_eq!((found.media.len(), found.links.len()), (sink::MEDIA_MAX, sink::LINKS_MAX));
    let page: String = "<a href=x>".repeat(150_000) + "<a href=y>";
    let found = html(&page);
    assert_eq!(found.links.len(), 1, "a link that is repeated for ever is not resolved for ever");
    assert!(found.problems.iter().any(|problem| problem.contains("only the first")), "{:?}", found.problems);
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
        "<i data-a='<a href=x>'>",
        "<i data-a='&lt;i",
        "<script>\"url\":\"/a/b\",",
        "<script>'%2f%2f",
        "<script>'\\u",
        "<script>'http%3a%2f%2f",
        "<script>aHR0cDovL2EvYi5tcDM",
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

const VALID: [&str; 6] = [
    "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1f\n#EXT-X-MAP:URI=\"i\",BYTERANGE=\"9@0\"\n#EXTINF:6,\n#EXT-X-BYTERANGE:5@9\n1.m4s\n#EXT-X-DISCONTINUITY\n#EXTINF:6,\n2.m4s\n#EXT-X-ENDLIST\n",
    "<?xml version='1.0'?><MPD type='static' mediaPresentationDuration='PT1H'><Period><AdaptationSet mimeType='audio/mp4'><ContentProtection value='cenc'/><SegmentTemplate timescale='10' startNumber='1' media='$RepresentationID$/$Number%05d$-$Time$' initialization='i'><SegmentTimeline><S t='0' d='20' r='-1'/></SegmentTimeline></SegmentTemplate><Representation id='a' bandwidth='64000'><BaseURL>b/</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "REM X\nTITLE \"T\"\nFILE \"a b.flac\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"One\"\n",
    "<html><title>T</title><a href='magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a'>m</a> https://pan.baidu.com/s/1abc 提取码：ab12 <script>x({file:'\\x2fa\\u{6b4c}.mp3',url:atob('aHR0cDovL2EvYi5tcDM=')})</script><iframe srcdoc=\"<audio src=1.mp3>\"></iframe>",
    "<?xml version='1.0'?><rss><channel><title>T</title><item><enclosure url='/1.mp3?a=1&amp;b=2'/><link><![CDATA[/ep]]></link></item></channel></rss>",
    "[playlist]\nFile1=http://a.example/1.mp3\nTitle1=x\nNumberOfEntries=1\n",
];

proptest! {
    #[test]
    fn any_bytes_give_capped_web_addresses(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        start in prop_oneof![
            Just(""), Just("#EXTM3U\n"), Just("#EXTM3U\n#EXT-X-KEY:"), Just("FILE x WAVE\nTITLE "), Just("<MPD><Period>"), Just("[playlist]\nFile1="), Just("<?xml?><rss>"),
            Just("<html><audio src="), Just("<script>\""), Just("<script type=application/ld+json>{\"contentUrl\":"),
        ],
        content_type in proptest::option::of("(text/html|application/json|audio/x-mpegurl)(; charset=[a-z0-9-]{0,9})?"),
    ) {
        let mut document = start.as_bytes().to_vec();
        document.extend_from_slice(&bytes);
        let found = discover(&at("http://a.example/x/y"), content_type.as_deref(), &document);
        prop_assert!(found.media.len() <= sink::MEDIA_MAX && found.links.len() <= sink::LINKS_MAX);
        prop_assert!(found.leads.len() <= sink::LEADS_MAX && found.problems.len() <= sink::PROBLEMS_MAX);
        for url in found.links.iter().chain(found.media.iter().map(|link| &link.url)) {
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.has_host());
        }
    }

    /// Valid documents of each kind with a piece cut out, doubled, or overwritten.
    #[test]
    fn torn_documents_are_read(which in 0..VALID.len(), at in 0usize..2000, length in 0usize..60, repeats in 0usize..4, noise: Vec<u8>) {
        let mut document = VALID[which].as_bytes().to_vec();
        let start = at % document.len();
        let end = (start + length).min(document.len());
        let piece = [document[start..end].repeat(repeats), noise].concat();
        document.splice(start..end, piece);
        let found = discover(&Url::parse("http://a.example/x/y").unwrap(), None, &document);
        prop_assert!(found.media.len() <= sink::MEDIA_MAX && found.leads.len() <= sink::LEADS_MAX);
        if let Some(Stream::Segments { segments, .. }) = found.stream {
            prop_assert!(segments.len() <= stream::SEGMENTS_MAX);
        }
    }

    #[test]
    fn any_markup_is_read(page in "(<(a|audio|source|meta|script|base|iframe|title|/script)|[ =\"'/>a-z:.?&;#-]|href=|src=|\\.mp3){0,80}") {
        let _ = html(&page);
    }
}
