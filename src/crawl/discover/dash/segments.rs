//! The pieces of one representation: `SegmentTemplate`, `SegmentList`, or one whole resource.

use url::Url;

use super::Span;
use super::choice::Chosen;
use super::manifest::Node;
use super::template::{Names, Slot, even, fill, timeline};
use crate::crawl::discover::sink::Sink;
use crate::crawl::discover::stream::{LIVE_SEGMENTS_MAX, SEGMENTS_MAX, Segment};

/// The elements that say where segments are, from the outermost to the innermost: what is further in counts first.
struct Levels<'n>(Vec<&'n Node>);

impl<'n> Levels<'n> {
    fn get(&self, attribute: &str) -> Option<&'n str> {
        self.0.iter().rev().find_map(|node| node.get(attribute))
    }

    fn number(&self, attribute: &str) -> Option<u64> {
        self.get(attribute)?.parse().ok()
    }

    fn child(&self, name: &str) -> Option<&'n Node> {
        self.0.iter().rev().find_map(|node| node.first(name))
    }

    /// The list of segments of the innermost level that has one.
    fn segment_urls(&self) -> impl Iterator<Item = &'n Node> + use<'n> {
        let node = self.0.iter().rev().copied().find(|node| node.first("SegmentURL").is_some());
        node.into_iter().flat_map(|node| node.all("SegmentURL"))
    }

    fn timescale(&self) -> u64 {
        self.number("timescale").filter(|scale| *scale > 0).unwrap_or(1)
    }
}

/// Lists at most `room` segments of what was chosen.
pub(super) fn list(
    span: &Span<'_>,
    chosen: &Chosen<'_>,
    base: &Url,
    room: usize,
    sink: &mut Sink,
) -> Vec<Segment> {
    let owners = [span.node, chosen.set, chosen.representation];
    let levels = |name| Levels(owners.iter().filter_map(|owner| owner.first(name)).collect());
    // The innermost element that says how decides.
    let way = owners.iter().rev().find_map(|owner| {
        ["SegmentTemplate", "SegmentList", "SegmentBase"].into_iter().find(|name| owner.first(name).is_some())
    });
    let mut segments = match way {
        Some("SegmentTemplate") => by_template(&levels("SegmentTemplate"), span, chosen, base, sink),
        Some("SegmentList") => by_list(&levels("SegmentList"), base, sink),
        _ => sink.not_itself(base.clone()).map(|url| piece(url, None)).into_iter().collect(),
    };
    segments.truncate(room);
    segments
}

fn piece(url: Url, range: Option<(u64, u64)>) -> Segment {
    let (key, number, duration_s, is_init, discontinuity) = (None, 0, None, false, false);
    Segment { url, range, key, number, duration_s, is_init, discontinuity }
}

fn by_template(
    levels: &Levels<'_>,
    span: &Span<'_>,
    chosen: &Chosen<'_>,
    base: &Url,
    sink: &mut Sink,
) -> Vec<Segment> {
    let representation = chosen.representation.get("id").unwrap_or_default();
    let bandwidth = chosen.representation.number("bandwidth").unwrap_or(0);
    let slots = slots(levels, span, sink);
    let names = |slot: &Slot| Names { representation, bandwidth, number: slot.number, time: slot.time };
    let Some(first) = slots.first() else { return Vec::new() };
    let mut segments = Vec::new();
    let init = levels.get("initialization").and_then(|template| fill(template, &names(first)));
    match init {
        Some(address) => {
            let url = sink.resolve_from(base, &address).and_then(|url| sink.not_itself(url));
            segments.extend(url.map(|url| init_segment(url, None, first.number)));
        }
        None => segments.extend(initialization(levels, base, first.number, sink)),
    }
    let Some(media) = levels.get("media") else {
        // A template without `media` has one segment: the base address.
        segments.extend(sink.not_itself(base.clone()).map(|url| piece(url, None)));
        return segments;
    };
    let timescale = levels.timescale() as f64;
    for slot in &slots {
        let Some(address) = fill(media, &names(slot)) else {
            sink.problem("the manifest names its segments in an unknown way".to_owned());
            break;
        };
        if let Some(url) = sink.resolve_from(base, &address).and_then(|url| sink.not_itself(url)) {
            let duration_s = Some(slot.duration as f64 / timescale);
            segments.push(Segment { number: slot.number, duration_s, ..piece(url, None) });
        }
    }
    segments
}

/// The numbers and times of a template's segments.
fn slots(levels: &Levels<'_>, span: &Span<'_>, sink: &mut Sink) -> Vec<Slot> {
    let timescale = levels.timescale();
    let first_number = levels.number("startNumber").unwrap_or(1);
    let offset = levels.number("presentationTimeOffset").unwrap_or(0);
    let mut slots = if let Some(list) = levels.child("SegmentTimeline") {
        // What has not been broadcast yet is not there, though the period goes on.
        let length_s = span.elapsed_s.or(span.duration_s).filter(|seconds| *seconds > 0.0);
        let end = length_s.map(|length_s| offset.saturating_add((length_s * timescale as f64) as u64));
        timeline(list, first_number, end)
    } else if let Some(duration) = levels.number("duration").filter(|duration| *duration > 0) {
        match (span.elapsed_s, span.duration_s) {
            (Some(elapsed_s), _) => aired(duration, timescale, first_number, elapsed_s),
            (None, Some(period_s)) => even(duration, timescale, first_number, offset, period_s),
            (None, None) => {
                sink.problem("how long the stream is, its manifest does not say; it was not read".to_owned());
                Vec::new()
            }
        }
    } else {
        vec![Slot { number: first_number, time: offset, duration: 0 }]
    };
    if let Some(last) = levels.number("endNumber") {
        slots.retain(|slot| slot.number <= last);
    }
    slots
}

/// The newest segments of equal length that were whole when a live stream had been on for `elapsed_s` seconds.
fn aired(duration: u64, timescale: u64, first_number: u64, elapsed_s: f64) -> Vec<Slot> {
    let whole = (elapsed_s * timescale as f64 / duration as f64).floor().max(0.0) as u64;
    let first = whole.saturating_sub(LIVE_SEGMENTS_MAX as u64);
    let slot = |index: u64| {
        Some(Slot { number: first_number.checked_add(index)?, time: index.checked_mul(duration)?, duration })
    };
    (first..whole).map_while(slot).collect()
}

fn by_list(levels: &Levels<'_>, base: &Url, sink: &mut Sink) -> Vec<Segment> {
    let first_number = levels.number("startNumber").unwrap_or(1);
    let duration_s = levels.number("duration").map(|duration| duration as f64 / levels.timescale() as f64);
    let mut segments: Vec<Segment> = initialization(levels, base, first_number, sink).into_iter().collect();
    for (at, entry) in levels.segment_urls().take(SEGMENTS_MAX).enumerate() {
        let url = match entry.get("media") {
            Some(media) => sink.resolve_from(base, media),
            None => Some(base.clone()),
        };
        let number = first_number.saturating_add(at as u64);
        let range = entry.get("mediaRange").and_then(byte_range);
        if let Some(url) = url.and_then(|url| sink.not_itself(url)) {
            segments.push(Segment { number, duration_s, ..piece(url, range) });
        }
    }
    segments
}

/// `<Initialization sourceURL= range=>`.
fn initialization(levels: &Levels<'_>, base: &Url, number: u64, sink: &mut Sink) -> Option<Segment> {
    let node = levels.child("Initialization")?;
    let url = match node.get("sourceURL") {
        Some(address) => sink.resolve_from(base, address)?,
        None => base.clone(),
    };
    Some(init_segment(sink.not_itself(url)?, node.get("range").and_then(byte_range), number))
}

fn init_segment(url: Url, range: Option<(u64, u64)>, number: u64) -> Segment {
    Segment { number, is_init: true, ..piece(url, range) }
}

/// `first-last`, both included, as first byte and number of bytes.
fn byte_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    Some((first, last.checked_sub(first)?.checked_add(1)?))
}
