//! DASH manifests (ISO/IEC 23009-1): of each period the audio, as the segments that make it up.
//!
//! `manifest` reads the XML, `choice` takes a representation, `segments` lists its pieces. External references
//! (`xlink:href`) are not followed.

mod choice;
mod manifest;
mod segments;
mod template;

use manifest::Node;
use url::Url;

use super::sink::Sink;
use super::stream::{LIVE_SEGMENTS_MAX, SEGMENTS_MAX, Segment, Stream, newest};

/// Periods of one manifest; adverts make some dozens.
const PERIODS_MAX: usize = 200;
/// The longest base address: it is repeated in that of each segment.
const BASE_BYTES_MAX: usize = 2048;

/// Reads `text` as a manifest; `None` where it names no segments.
pub(super) fn parse(text: &str, sink: &mut Sink) -> Option<Stream> {
    let (root, problem) = manifest::read(text);
    problem.into_iter().for_each(|problem| sink.problem(problem));
    let root = root?;
    let is_live = root.get("type") == Some("dynamic");
    let base = based(&root, sink.base().clone(), sink);
    let mut joined = Joined::default();
    for (at, span) in periods(&root, is_live).into_iter().enumerate() {
        let before = joined.segments.len();
        period(&span, &base, &mut joined, sink);
        if at > 0
            && let Some(first) = joined.segments.get_mut(before)
        {
            first.discontinuity = true;
        }
    }
    if joined.segments.len() >= SEGMENTS_MAX {
        sink.problem(format!("only the stream's first {SEGMENTS_MAX} segments were taken"));
    }
    if is_live && joined.segments.len() > LIVE_SEGMENTS_MAX {
        sink.problem(format!("only the newest {LIVE_SEGMENTS_MAX} segments of the live stream were taken"));
        newest(&mut joined.segments);
    }
    let Joined { segments, encrypted } = joined;
    let target_s =
        root.get("minimumUpdatePeriod").or_else(|| root.get("maxSegmentDuration")).and_then(seconds);
    let has_media = segments.iter().any(|segment| !segment.is_init);
    has_media.then_some(Stream::Segments { segments, encrypted, ended: !is_live, target_s })
}

/// The segments of the periods so far.
#[derive(Default)]
struct Joined {
    segments: Vec<Segment>,
    encrypted: Option<String>,
}

/// One period and its time, in seconds.
struct Span<'n> {
    node: &'n Node,
    duration_s: Option<f64>,
    /// How much of it has gone by when the manifest was made, where it is live.
    elapsed_s: Option<f64>,
}

/// The periods with their lengths: as written, up to the next one's start, or to the end of the presentation.
fn periods(root: &Node, is_live: bool) -> Vec<Span<'_>> {
    let total_s = root.get("mediaPresentationDuration").and_then(seconds);
    let age_s = is_live.then(|| age_s(root)).flatten();
    let nodes: Vec<&Node> = root.all("Period").take(PERIODS_MAX).collect();
    let mut spans = Vec::new();
    let mut start_s = 0.0;
    for (at, node) in nodes.iter().enumerate() {
        start_s = node.get("start").and_then(seconds).unwrap_or(start_s);
        let next_s = nodes.get(at + 1).and_then(|next| next.get("start")).and_then(seconds);
        let end_s = next_s.or(total_s).map(|end_s| end_s - start_s);
        let duration_s = node.get("duration").and_then(seconds).or(end_s);
        let elapsed_s = age_s.map(|age_s| (age_s - start_s).min(duration_s.unwrap_or(f64::MAX)));
        spans.push(Span { node, duration_s, elapsed_s });
        start_s += duration_s.unwrap_or(0.0);
    }
    spans
}

/// How long a live stream had been on when its manifest was made: reading is pure, so the time of day is not known.
fn age_s(root: &Node) -> Option<f64> {
    let instant = |name| root.get(name)?.parse::<jiff::Timestamp>().ok();
    let age = instant("publishTime")?.duration_since(instant("availabilityStartTime")?);
    Some(age.as_secs_f64()).filter(|age_s| *age_s > 0.0)
}

/// Adds one period's segments.
fn period(span: &Span<'_>, base: &Url, joined: &mut Joined, sink: &mut Sink) {
    if span.node.get("href").is_some() {
        sink.problem("a period of the manifest lies elsewhere and was not read".to_owned());
    }
    let Some(chosen) = choice::choose(span.node) else { return };
    let base = based(span.node, base.clone(), sink);
    let base = based(chosen.set, base, sink);
    let base = based(chosen.representation, base, sink);
    let room = SEGMENTS_MAX.saturating_sub(joined.segments.len());
    let mut segments = segments::list(span, &chosen, &base, room, sink);
    // What the period before ended with may prepare this one too.
    let last_init = joined.segments.iter().rev().find(|segment| segment.is_init);
    if let (Some(first), Some(last)) = (segments.first(), last_init)
        && first.is_init
        && (&first.url, first.range) == (&last.url, last.range)
    {
        segments.remove(0);
    }
    if joined.encrypted.is_none() && !segments.is_empty() {
        joined.encrypted = choice::protection(&chosen);
    }
    joined.segments.append(&mut segments);
}

/// The base address inside `node`: the first of its `BaseURL`s, relative to that outside.
fn based(node: &Node, outer: Url, sink: &Sink) -> Url {
    let inner = node.first("BaseURL").map(Node::text).and_then(|text| sink.resolve_from(&outer, text));
    inner.filter(|url| url.as_str().len() <= BASE_BYTES_MAX).unwrap_or(outer)
}

/// A duration such as `PT1H2M3.5S`, in seconds; years and months, which have no length, count as none.
fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim().strip_prefix('P')?;
    let (mut total_s, mut in_time) = (0.0, false);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            (rest, in_time) = (after, true);
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_s = match (&rest.as_bytes()[end], in_time) {
            (b'W', false) => 604_800.0,
            (b'D', false) => 86_400.0,
            (b'H', true) => 3600.0,
            (b'M', true) => 60.0,
            (b'S', true) => 1.0,
            _ => return None,
        };
        total_s += number * unit_s;
        rest = &rest[end + 1..];
    }
    Some(total_s).filter(|seconds: &f64| seconds.is_finite())
}

#[cfg(test)]
mod tests;
