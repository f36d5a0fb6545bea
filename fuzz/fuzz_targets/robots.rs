//! robots.txt. Input: the path and query that is asked for, a line feed, the file.
#![no_main]

use earwitness::crawl::robots::Robots;
use earwitness_fuzz::count;
use libfuzzer_sys::fuzz_target;

const AGENT: &str = "earwitness";

fuzz_target!(|data: &[u8]| {
    let (path, file) = data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len()));
    let path = String::from_utf8_lossy(path);
    let robots = Robots::parse(file, AGENT);
    let (allowed, rule) = robots.decide(&path);
    count("robots");
    assert_eq!(robots.decide(&path), (allowed, rule.clone()));
    assert!(allowed || rule.is_some(), "nothing is forbidden without a rule");
    assert!(robots.sitemaps.len() <= 100);

    let rewritten = robots.rewritten(AGENT);
    let again = Robots::parse(&rewritten, AGENT);
    assert_eq!(again.decide(&path).0, allowed, "the same rules, written again");
    assert_eq!(again.rewritten(AGENT), rewritten);
    one_rule_as_defined(&rewritten, &path);
});

/// Compares the first rule, alone, with the definition of a match.
fn one_rule_as_defined(rewritten: &[u8], path: &str) {
    let Some(pattern) = rewritten.split(|byte| *byte == b'\n').nth(1) else { return };
    let Some(pattern) = pattern.strip_prefix(b"Disallow: ") else { return };
    let Some(path) = spelled(path) else { return };
    // The definition takes as many steps as the path's length to the power of the number of stars.
    let stars = pattern.iter().filter(|byte| **byte == b'*').count();
    if pattern.is_empty() || pattern.len() > 12 || stars > 3 || path.len() > 24 || path == b"/robots.txt" {
        return;
    }
    count("robots: one rule against the definition");
    let file = [b"User-agent: *\nDisallow: ", pattern].concat();
    let shown = String::from_utf8_lossy(&path);
    let allowed = Robots::parse(&file, AGENT).decide(&shown).0;
    assert_eq!(allowed, !matches(pattern, &path), "{} for {shown}", String::from_utf8_lossy(pattern));
}

/// A path in the one spelling that is compared, got by making a rule of it.
fn spelled(path: &str) -> Option<Vec<u8>> {
    if path.is_empty() || path.trim() != path || path.contains(['#', '\r', '\n']) {
        return None;
    }
    let file = format!("User-agent: *\nAllow: {path}");
    let rewritten = Robots::parse(file.as_bytes(), AGENT).rewritten(AGENT);
    let rule = rewritten.split(|byte| *byte == b'\n').nth(1)?;
    rule.strip_prefix(b"Allow: ").map(<[u8]>::to_vec)
}

/// The definition of a match (RFC 9309, 2.2.3), by trying everything.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => true,
        [b'$'] => path.is_empty(),
        [b'*', rest @ ..] => (0..=path.len()).any(|at| matches(rest, &path[at..])),
        [byte, rest @ ..] => path.first() == Some(byte) && matches(rest, &path[1..]),
    }
}
