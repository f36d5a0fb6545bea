//! Leads in the source of a document: share links and peer-to-peer links in text, attributes and scripts, each with
//! the extraction code that stands near it. The text is gone through once per marker.

use url::Url;

use super::netdisk::MARKERS;
use super::{LeadKind, links, netdisk};
use crate::crawl::discover::sink::{LEADS_MAX, Sink};
use crate::crawl::discover::xml::{cut, unescape};

/// Source bytes behind and before a link in which its code is looked for.
const BEHIND_BYTES: usize = 600;
const BEFORE_BYTES: usize = 200;
/// Visible characters in which the code is looked for: it stands in the same line or the next.
const NEAR_CHARS_MAX: usize = 60;
/// Places that are looked at; a page of more is made to be slow.
const PLACES_MAX: usize = 4 * LEADS_MAX;
/// The longest name before a marker in a host.
const HOST_BYTES_MAX: usize = 64;
/// The longest link in a text.
const LINK_BYTES_MAX: usize = 4000;

/// The beginnings of peer-to-peer links.
const SCHEMES: &[&str] = &["magnet:?", "ed2k://", "thunder://"];

/// Adds the leads in `source`, which may be markup.
pub(in crate::crawl::discover) fn scan(source: &str, sink: &mut Sink) {
    // Lower-casing ASCII moves no offset.
    let lower = source.to_ascii_lowercase();
    for scheme in SCHEMES {
        for (at, _) in lower.match_indices(scheme).take(PLACES_MAX) {
            peer_link(&source[at..], sink);
        }
    }
    let mut places: Vec<usize> = MARKERS
        .iter()
        .flat_map(|marker| lower.match_indices(marker).take(PLACES_MAX).map(|(at, _)| at))
        .collect();
    places.sort_unstable();
    places.truncate(PLACES_MAX);
    let shares: Vec<Share> = places.into_iter().filter_map(|at| share_at(source, at)).collect();
    let code_of = codes(source, &shares);
    for (share, code) in shares.into_iter().zip(code_of) {
        let mut lead = share.lead;
        lead.via = "text".to_owned();
        lead.code = lead.code.or(code);
        sink.lead(lead);
    }
}

/// The code that stands near each share. Pages give it behind the link, as a rule; a page whose first link has one
/// before it and whose last has none behind it gives them before the links.
fn codes(source: &str, shares: &[Share]) -> Vec<Option<String>> {
    let behind: Vec<_> = (0..shares.len()).map(|at| code_behind(source, shares, at)).collect();
    let before_first = (!shares.is_empty()).then(|| code_before(source, shares, 0)).flatten();
    if before_first.is_some() && behind.last().is_some_and(Option::is_none) {
        return (0..shares.len()).map(|at| code_before(source, shares, at)).collect();
    }
    behind
}

fn code_behind(source: &str, shares: &[Share], at: usize) -> Option<String> {
    let share = &shares[at];
    let next = shares.get(at + 1).map_or(source.len(), |next| next.start).max(share.end);
    let seen = visible(cut(&source[share.end..next], BEHIND_BYTES), share.is_in_tag);
    let near: String = seen.chars().take(NEAR_CHARS_MAX).collect();
    super::code::first(&near).map(str::to_owned)
}

fn code_before(source: &str, shares: &[Share], at: usize) -> Option<String> {
    let share = &shares[at];
    let end_of_last = at.checked_sub(1).map_or(0, |last| shares[last].end).min(share.start);
    let start = boundary(source, end_of_last.max(share.start.saturating_sub(BEFORE_BYTES)));
    let seen = visible(&source[start.min(share.start)..share.start], false);
    let skipped = seen.chars().count().saturating_sub(NEAR_CHARS_MAX);
    let near: String = seen.chars().skip(skipped).collect();
    super::code::last(&near).map(str::to_owned)
}

/// A share link in the source.
struct Share {
    lead: super::Lead,
    start: usize,
    end: usize,
    /// Whether it stands in an attribute's quotes.
    is_in_tag: bool,
}

fn share_at(source: &str, marker: usize) -> Option<Share> {
    // The host may have a name before it: `wwx.lanzou…`, `www.`.
    let window = boundary(source, marker.saturating_sub(HOST_BYTES_MAX)).min(marker);
    let before = &source[window..marker];
    let host = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    let start = window + host.len();
    let link = link_at(&source[start..]);
    let end = start + link.len();
    let plain = unescape(link);
    let plain = plain.replace("\\/", "/");
    let url = Url::parse(&format!("https://{plain}")).ok()?;
    let lead = netdisk::share(&url)?;
    let is_in_tag = source[end..].starts_with(['"', '\'']);
    Some(Share { lead, start, end, is_in_tag })
}

/// The link at the start of `text`: up to what cannot be part of one, a character of the sentence around it included.
fn link_at(text: &str) -> &str {
    let text = cut(text, LINK_BYTES_MAX);
    let is_end = |c: char| {
        !c.is_ascii_graphic() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '{' | '}' | '(' | ')' | '[' | ']')
    };
    let link = &text[..text.find(is_end).unwrap_or(text.len())];
    link.trim_end_matches(['.', ',', ';', '\\'])
}

/// `magnet:`, `ed2k:` or `thunder:` at the start of `text`.
fn peer_link(text: &str, sink: &mut Sink) {
    let link = if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ed2k")) {
        // The name in it may hold blanks and any script; the fields tell where it ends.
        cut(text.split(['"', '<', '\n']).next().unwrap_or_default(), LINK_BYTES_MAX)
    } else {
        link_at(text)
    };
    let plain = unescape(link);
    if let Some(mut lead) = links::of_address(&plain, sink.base()) {
        lead.via = "text".to_owned();
        debug_assert!(matches!(lead.kind, LeadKind::Magnet | LeadKind::Ed2k | LeadKind::Thunder));
        sink.lead(lead);
    }
}

/// What of a piece of markup is seen: without tags. `is_in_tag`: the piece may begin inside of one.
fn visible(markup: &str, is_in_tag: bool) -> String {
    let mut out = String::new();
    let tag_end = markup.find('>').filter(|end| is_in_tag && !markup[..*end].contains('<'));
    let mut rest = tag_end.map_or(markup, |end| &markup[end + 1..]);
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        out.push(' ');
        rest = rest[start..].find('>').map_or("", |end| &rest[start + end + 1..]);
    }
    out.push_str(rest);
    unescape(&out).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first boundary of a character from `at` on.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
