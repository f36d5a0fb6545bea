//! The parser of robots.txt, RFC 9309.
//!
//! Groups that name our agent are merged; only where there is none do the groups for `*` count. The longest matching
//! rule decides, `Allow` on a tie. `*` stands for any text, `$` at the end of a rule for the end of the URL. Rules and
//! URLs are compared after percent-encoding both alike (section 2.2.2). A line that cannot be read is skipped.
//! `Crawl-delay` and `Sitemap` are no part of the RFC's rules but are read, since site owners rely on them.

use std::time::Duration;

/// What is read of a file: the RFC asks for at least 500 KiB; the rest is dropped.
pub(in crate::crawl) const BYTES_MAX: usize = 500 << 10;
/// Sitemaps that are kept of one file.
const SITEMAPS_MAX: usize = 100;

/// The rules of one robots.txt for one agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Robots {
    rules: Vec<Rule>,
    /// Seconds between two requests that the file asks for, if it does.
    pub crawl_delay: Option<Duration>,
    /// The sitemaps that the file names, as written.
    pub sitemaps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    allow: bool,
    /// As written, for the record.
    text: String,
    /// Percent-encoded as URLs are.
    pattern: Vec<u8>,
}

/// The rules of the groups being collected: those that name us, and those for everybody.
#[derive(Default)]
struct Groups {
    ours: Collected,
    everybody: Collected,
    in_ours: bool,
    in_everybody: bool,
    /// Whether the last line that counts named an agent: then a further one joins the same group.
    naming_agents: bool,
}

#[derive(Default)]
struct Collected {
    seen: bool,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

impl Robots {
    /// Reads `bytes` on behalf of `agent`, our product token (letters, `_` and `-`).
    #[must_use]
    pub fn parse(bytes: &[u8], agent: &str) -> Self {
        let bytes = &bytes[..bytes.len().min(BYTES_MAX)];
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut groups = Groups::default();
        let mut sitemaps = Vec::new();
        for line in bytes.split(|&byte| byte == b'\n' || byte == b'\r') {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
            let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            match name.to_ascii_lowercase().as_slice() {
                b"user-agent" => groups.name_agent(value, agent),
                b"allow" => groups.add_rule(true, value),
                b"disallow" => groups.add_rule(false, value),
                b"crawl-delay" => groups.set_delay(value),
                b"sitemap" if sitemaps.len() < SITEMAPS_MAX => {
                    sitemaps.push(String::from_utf8_lossy(value).into_owned());
                }
                _ => {}
            }
        }
        let chosen = if groups.ours.seen { groups.ours } else { groups.everybody };
        Self { rules: chosen.rules, crawl_delay: chosen.crawl_delay, sitemaps }
    }

    /// Returns whether `path_and_query` may be fetched, and the rule that says so, if one does.
    #[must_use]
    pub fn decide(&self, path_and_query: &str) -> (bool, Option<String>) {
        let path = encode(path_and_query.as_bytes());
        if path == b"/robots.txt" {
            return (true, None);
        }
        let mut best: Option<&Rule> = None;
        for rule in &self.rules {
            let better = best.is_none_or(|best| {
                rule.pattern.len() > best.pattern.len()
                    || (rule.pattern.len() == best.pattern.len() && rule.allow && !best.allow)
            });
            if better && matches(&rule.pattern, &path) {
                best = Some(rule);
            }
        }
        let text = |rule: &Rule| format!("{}: {}", if rule.allow { "Allow" } else { "Disallow" }, rule.text);
        best.map_or((true, None), |rule| (rule.allow, Some(text(rule))))
    }
}

#[cfg(fuzzing)]
impl Robots {
    /// Writes the rules as a file for `agent` that must say the same.
    #[doc(hidden)]
    #[must_use]
    pub fn rewritten(&self, agent: &str) -> Vec<u8> {
        let mut bytes = format!("User-agent: {agent}\n").into_bytes();
        for rule in &self.rules {
            bytes.extend_from_slice(if rule.allow { b"Allow: " } else { b"Disallow: " });
            bytes.extend_from_slice(&rule.pattern);
            bytes.push(b'\n');
        }
        bytes
    }
}

impl Groups {
    fn name_agent(&mut self, value: &[u8], agent: &str) {
        if !self.naming_agents {
            (self.in_ours, self.in_everybody) = (false, false);
        }
        self.naming_agents = true;
        let is_token = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_' || *byte == b'-';
        let token_len = value.iter().position(|byte| !is_token(byte)).unwrap_or(value.len());
        if value.first() == Some(&b'*') && value.get(1).is_none_or(u8::is_ascii_whitespace) {
            self.in_everybody = true;
            self.everybody.seen = true;
        } else if token_len > 0 && value[..token_len].eq_ignore_ascii_case(agent.as_bytes()) {
            self.in_ours = true;
            self.ours.seen = true;
        }
    }

    fn add_rule(&mut self, allow: bool, value: &[u8]) {
        self.naming_agents = false;
        if value.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(value).into_owned();
        let rule = Rule { allow, text, pattern: encode(value) };
        for group in self.current() {
            group.rules.push(rule.clone());
        }
    }

    fn set_delay(&mut self, value: &[u8]) {
        let seconds = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
        let Some(delay) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) else {
            return;
        };
        for group in self.current() {
            group.crawl_delay.get_or_insert(delay);
        }
    }

    fn current(&mut self) -> impl Iterator<Item = &mut Collected> {
        let ours = self.in_ours.then_some(&mut self.ours);
        ours.into_iter().chain(self.in_everybody.then_some(&mut self.everybody))
    }
}

/// Brings a rule or a path to one spelling: what need not be percent-encoded is decoded, hexadecimal digits are upper
/// case, and bytes outside printable ASCII are encoded.
fn encode(text: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    let push_encoded = |out: &mut Vec<u8>, byte: u8| {
        out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    };
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let hex = |byte: u8| (byte as char).to_digit(16);
        if let (b'%', [high, low, after @ ..]) = (*byte, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            let decoded = (high * 16 + low) as u8;
            if decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded) {
                out.push(decoded);
            } else {
                push_encoded(&mut out, decoded);
            }
            rest = after;
        } else if byte.is_ascii_graphic() {
            out.push(*byte);
        } else {
            push_encoded(&mut out, *byte);
        }
    }
    out
}

/// Whether `pattern` matches the beginning of `path` (all of it where the pattern ends in `$`). Each piece between
/// stars is taken at its first place, so no pattern costs more than its length times the path's.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (pattern, to_end) = match pattern {
        [head @ .., b'$'] => (head, true),
        _ => (pattern, false),
    };
    let mut pieces = pattern.split(|&byte| byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return !to_end || rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if to_end && pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let found =
            if piece.is_empty() { Some(0) } else { rest.windows(piece.len()).position(|at| at == piece) };
        let Some(at) = found else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn allowed(robots: &str, path: &str) -> bool {
        Robots::parse(robots.as_bytes(), "earwitness").decide(path).0
    }

    #[test]
    fn groups_are_merged_and_ours_come_first() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: EarWitness/2.0\nDisallow: /a\n\nuser-agent: other\n\
                    User-agent: earwitness\nDisallow: /b\n";
        assert!(!allowed(text, "/a"));
        assert!(!allowed(text, "/b"));
        assert!(allowed(text, "/c"));
        assert!(!allowed("User-agent: *\nDisallow: /\n", "/c"));
        assert!(!allowed("User-agent: earwitness\n\nUser-agent: *\nDisallow: /", "/c"));
        assert!(allowed("User-agent: earwitness\nDisallow:\nUser-agent: *\nDisallow: /", "/c"));
        assert!(allowed("User-agent: earwitnessbot\nDisallow: /", "/c"));
        assert!(allowed("Disallow: /", "/c"), "a rule outside any group");
    }

    #[test]
    fn other_records_do_not_end_a_group() {
        let text =
            "User-agent: earwitness\nSitemap: http://a.example/s\nNoise: x\nUser-agent: other\nDisallow: /a";
        assert!(!allowed(text, "/a"));
    }

    #[test]
    fn longest_match_and_ties() {
        let text =
            "User-agent: *\nDisallow: /p\nAllow: /p/open\nDisallow: /*.mp3$\nAllow: /same\nDisallow: /same";
        assert!(!allowed(text, "/p/x"));
        assert!(allowed(text, "/p/open/x"));
        assert!(!allowed(text, "/a/b.mp3"));
        assert!(allowed(text, "/a/b.mp3?x"));
        assert!(allowed(text, "/same"));
        assert!(allowed("User-agent: *\nDisallow: /\n", "/robots.txt"));
    }

    #[test]
    fn spelling_line_ends_bom_comments() {
        assert!(!allowed("\u{feff}User-agent: *\rDisallow: /a # no\r\n", "/a"));
        assert!(!allowed("USER-AGENT : *\n disallow :  /a ", "/a"));
        assert!(!allowed("User-agent: *\nDisallow: /音", "/%E9%9F%B3"));
        assert!(!allowed("User-agent: *\nDisallow: /%e9%9f%b3", "/音"));
        assert!(!allowed("User-agent: *\nDisallow: /%7ejoe", "/~joe/x"));
        assert!(allowed("User-agent: *\nDisallow: /a%2fb", "/a/b"));
        assert!(!allowed("User-agent: *\nDisallow: /a%2fb", "/a%2Fb"));
    }

    #[test]
    fn delay_and_sitemaps() {
        let text = "Sitemap: https://a.example/s.xml\nUser-agent: *\nCrawl-delay: 2.5\nDisallow: /x\nCrawl-delay: -1\n";
        let robots = Robots::parse(text.as_bytes(), "earwitness");
        assert_eq!(robots.crawl_delay, Some(Duration::from_millis(2500)));
        assert_eq!(robots.sitemaps, ["https://a.example/s.xml"]);
        assert_eq!(robots.decide("/x/y"), (false, Some("Disallow: /x".to_owned())));
    }

    fn line() -> impl Strategy<Value = String> {
        // Grammar that both parsers read alike: the oracle also accepts typing errors in keys, treats
        // `/index.html` specially, does not decode what is encoded needlessly, and lets other records such as
        // `Sitemap` end a group's list of agents, which RFC 9309 section 2.2.4 forbids. It also loses matches after a
        // star in the middle (`/*b*a$` for `/baa`), so wildcards have a naive matcher of their own for oracle below.
        let agent =
            prop_oneof![Just("*"), Just("earwitness"), Just("Earwitness/1.0"), Just("other"), Just("ear")];
        let pattern = "[/ab$%é]{0,8}|/%E3%81|/a%2[fF]b|/[ab]{0,3}\\*";
        prop_oneof![
            2 => agent.prop_map(|agent| format!("User-agent: {agent}")),
            3 => pattern.prop_map(|pattern| format!("Disallow: {pattern}")),
            2 => pattern.prop_map(|pattern| format!("allow:{pattern} # why")),
            1 => Just(String::new()),
        ]
    }

    /// The definition of a match, by trying everything.
    fn matches_naively(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|at| matches_naively(rest, &path[at..])),
            [byte, rest @ ..] => path.first() == Some(byte) && matches_naively(rest, &path[1..]),
        }
    }

    proptest! {
        #[test]
        fn wildcards_match_as_defined(pattern in "/[ab*$]{0,7}", path in "/[ab]{0,9}") {
            let (pattern, path) = (pattern.as_bytes(), path.as_bytes());
            prop_assert_eq!(matches(pattern, path), matches_naively(pattern, path));
        }

        #[test]
        fn agrees_with_the_oracle(
            lines in proptest::collection::vec(line(), 0..14),
            end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
            path in "/[/ab$]{0,8}(%E3%81|%2Fb)?",
        ) {
            let text = lines.join(end);
            let url = format!("http://a.example{path}");
            let oracle = robotstxt::DefaultMatcher::default().one_agent_allowed_by_robots(&text, "earwitness", &url);
            prop_assert_eq!(allowed(&text, &path), oracle, "{:?} for {}", text, path);
        }

        #[test]
        fn never_panics(bytes: Vec<u8>, path in "\\PC{0,40}") {
            let _ = Robots::parse(&bytes, "earwitness").decide(&path);
        }

        #[test]
        fn encoding_is_idempotent(bytes: Vec<u8>) {
            let once = encode(&bytes);
            prop_assert_eq!(encode(&once), once);
        }
    }
}
