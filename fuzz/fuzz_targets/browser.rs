//! What the browser says while a page is rendered: messages through its pipe, events, and what the script of ours says of
//! each frame. Input: the pipe's bytes, messages with a zero byte after each.
#![no_main]

use std::sync::LazyLock;

use earwitness::config::FetchSettings;
use earwitness::crawl::render::fuzzing::{hear, messages, proxy_origin};
use earwitness::net::Guard;
use earwitness_fuzz::count;
use libfuzzer_sys::fuzz_target;
use url::Url;

static FETCH: LazyLock<FetchSettings> = LazyLock::new(FetchSettings::default);
static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(&FETCH).unwrap());

fuzz_target!(|data: &[u8]| {
    let (taken, skipped) = messages(data);
    assert_eq!(taken + skipped, data.iter().filter(|byte| **byte == 0).count() as u64);
    let heard = hear(data);
    count("messages");
    assert!(heard.events <= taken);
    if heard.announced > 0 {
        count("messages, with requests");
    }
    assert_eq!(heard.answered, heard.announced, "each request is answered once");
    for url in &heard.passed {
        let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(GUARD.check_url(&url).is_ok(), "{url} was let through");
    }
    let origin = proxy_origin();
    assert!(heard.trusted.iter().all(|asked| *asked == origin), "{:?}", heard.trusted);
    assert!(heard.media.len() <= 500 && heard.refused <= 500 && heard.problems <= 50);
    if !heard.media.is_empty() {
        count("messages, with media");
    }
    for url in &heard.media {
        assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none(), "{url}");
    }
    assert!(heard.documents <= data.len() as u64 * 3);
});
