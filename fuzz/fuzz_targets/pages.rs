//! Web pages: HTML with its JSON-LD, scripts and attributes, in any encoding. Input: a byte that selects the
//! Content-Type, the page.
#![no_main]

use earwitness::crawl::discover::discover;
use earwitness_fuzz::{count, found, selected};
use libfuzzer_sys::fuzz_target;
use url::Url;

const TYPES: [&str; 8] = [
    "text/html",
    "text/html; charset=utf-8",
    "text/html; charset=gbk",
    "text/html; charset=shift_jis",
    "text/html; charset=utf-16le",
    "text/html; charset=iso-2022-jp",
    "application/xhtml+xml",
    "application/json",
];

fuzz_target!(|data: &[u8]| {
    let Some((selector, page)) = selected(data) else { return };
    let url = Url::parse("https://music.example/new/page.html?id=1").unwrap();
    let kind = TYPES.get(usize::from(selector) % (TYPES.len() + 1)).copied();
    let found = discover(&url, kind, page);
    count("pages");
    found::check(&found);
});
