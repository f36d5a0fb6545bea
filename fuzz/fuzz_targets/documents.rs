//! Feeds, playlists (XSPF, ASX, SMIL, WPL, M3U, PLS, HLS), DASH manifests, cue sheets, JSON, and sitemaps, packed or not. Input: a byte that selects
//! the kind, the document.
#![no_main]

use std::io::Write as _;

use earwitness::crawl::discover::discover;
use earwitness::crawl::fuzzing::sitemap;
use earwitness_fuzz::{count, found, selected};
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|data: &[u8]| {
    let Some((selector, document)) = selected(data) else { return };
    let (name, kind) = match selector % 10 {
        0 => ("XML", Some("application/xml")),
        1 => ("M3U", Some("audio/x-mpegurl")),
        2 => ("HLS", Some("application/vnd.apple.mpegurl")),
        3 => ("PLS", Some("audio/x-scpls")),
        4 => ("JSON", Some("application/json")),
        5 => ("undeclared", None),
        6 => return read_sitemap(document),
        8 => ("DASH", Some("application/dash+xml")),
        9 => ("cue sheet", Some("application/x-cue")),
        _ => return read_sitemap(&packed(document)),
    };
    let url = Url::parse("https://music.example/lists/1?id=1").unwrap();
    let found = discover(&url, kind, document);
    count(name);
    found::check(&found);
});

fn read_sitemap(bytes: &[u8]) {
    let url = Url::parse("https://music.example/sitemap.xml").unwrap();
    let (pages, media, sitemaps, problems) = sitemap(&url, bytes);
    count(if bytes.starts_with(&[0x1f, 0x8b]) { "sitemap, packed" } else { "sitemap" });
    assert!(pages.len() + media.len() + sitemaps.len() <= 50_000 && problems.len() <= 20);
    assert!(problems.iter().all(|problem| problem.len() <= 2000), "{problems:?}");
    pages.iter().chain(&sitemaps).for_each(found::check_url);
    media.iter().for_each(found::check_media);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
