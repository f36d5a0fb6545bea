//! URLs and operators' names, and the small parts of answers: Content-Type and first bytes, Retry-After, ICY heads
//! and titles. Input: a byte that selects the parser, its text or bytes.
#![no_main]

use std::sync::LazyLock;

use earwitness::base::Timestamp;
use earwitness::config::FetchSettings;
use earwitness::crawl::discover::extension_kind;
use earwitness::crawl::{Plan, domain_of, fuzzing as crawl, key, sniff};
use earwitness::net::{Guard, fuzzing as net, shown};
use earwitness::rights::{normalise_operator, parse_domain};
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

static FETCH: LazyLock<FetchSettings> = LazyLock::new(FetchSettings::default);
static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(&FETCH).unwrap());

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    let text = String::from_utf8_lossy(bytes);
    match selector % 8 {
        0 | 1 => address(&text),
        2 => operator(&text),
        3 => sniffed(bytes),
        4 => {
            count("Retry-After");
            let _ = earwitness::net::retry_after(&text, Timestamp::UNIX_EPOCH);
        }
        5 => icy_head(bytes),
        6 => icy_titles(bytes),
        _ => {
            count("seed");
            if let Ok(plan) = Plan::for_url(&text) {
                assert!(
                    plan.seeds
                        .iter()
                        .all(|seed| matches!(seed.scheme(), "http" | "https") && seed.has_host())
                );
            }
        }
    }
});

fn address(text: &str) {
    let base = Url::parse("http://a.example/b/c?d").unwrap();
    let Ok(url) = base.join(text) else { return };
    count("URL");
    let key = self::key(&url);
    let again = Url::parse(&key).unwrap_or_else(|error| panic!("{key}: {error}"));
    assert_eq!(self::key(&again), key, "a key is its own key");
    assert!(again.fragment().is_none());
    if url.has_host() {
        assert!(again.username().is_empty() && again.password().is_none(), "{key}");
    }
    let domain = domain_of(&url);
    assert_eq!(domain_of(&again), domain);
    let _ = (crawl::trap(&url), crawl::authority(&url), extension_kind(url.path()), shown(&url));
    assert!(crawl::shapes(&url) <= 3);
    let inner = match url.host() {
        Some(Host::Ipv4(address)) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        Some(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || mapped.is_some_and(|v4| v4.is_loopback() || v4.is_private())
        }
        _ => false,
    };
    let is_let_through = GUARD.check_url(&url).is_ok();
    assert!(!(inner && is_let_through), "{url}");
    assert!(!is_let_through || matches!(url.scheme(), "http" | "https"), "{url}");
}

fn operator(text: &str) {
    count("operator");
    let once = normalise_operator(text);
    assert_eq!(normalise_operator(&once), once, "{text:?}");
    if let Ok(domain) = parse_domain(text) {
        assert_eq!(parse_domain(&domain).as_ref(), Ok(&domain), "{text:?}");
        assert_eq!(normalise_operator(text), domain);
    }
}

fn sniffed(bytes: &[u8]) {
    count("sniff");
    let (kind, body) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let kind = String::from_utf8_lossy(kind);
    let _ = sniff(Some(&kind), body);
    let content = sniff(None, body);
    assert_eq!(sniff(None, &body[..body.len().min(512)]), content, "only the first bytes count");
}

fn icy_head(bytes: &[u8]) {
    count("ICY head");
    let (end, head) = net::icy_head(bytes);
    assert!(end.is_none_or(|end| end <= bytes.len()));
    if let Some((_, kind, distance)) = head {
        assert!(kind.is_none_or(|kind| kind.len() <= bytes.len() * 3));
        let _ = distance.map(|distance| net::without_titles(&distance, [bytes].into_iter()));
    }
}

fn icy_titles(bytes: &[u8]) {
    let [distance, piece, stream @ ..] = bytes else { return };
    count("ICY titles");
    let distance = distance.to_string();
    let whole = net::without_titles(&distance, [stream].into_iter());
    let piecewise = net::without_titles(&distance, stream.chunks(usize::from(*piece).max(1)));
    assert_eq!(whole, piecewise, "however the bytes are cut");
    assert!(whole.is_none_or(|audio| audio.len() <= stream.len()));
}
