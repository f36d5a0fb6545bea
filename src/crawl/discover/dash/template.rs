//! `SegmentTemplate`: addresses with numbers or times in them (ISO/IEC 23009-1, 5.3.9.4), and how many there are.

use super::manifest::Node;
use crate::crawl::discover::stream::SEGMENTS_MAX;

/// The widest zero padding, `%0…d`, that is obeyed; a 64-bit number has 20 digits.
const WIDTH_MAX: usize = 20;
/// The longest address that a template may give: it is multiplied by the number of segments.
const ADDRESS_BYTES_MAX: usize = 2048;

/// What the identifiers of a template stand for.
pub(super) struct Names<'n> {
    pub(super) representation: &'n str,
    pub(super) bandwidth: u64,
    pub(super) number: u64,
    pub(super) time: u64,
}

/// Fills in `$Number%05d$` and the like; `None` for an identifier that is not known, or a `$` without its pair.
pub(super) fn fill(template: &str, names: &Names<'_>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 16);
    let mut parts = template.split('$');
    out.push_str(parts.next()?);
    while let Some(identifier) = parts.next() {
        let (name, width) = match identifier.split_once('%') {
            Some((name, format)) => (name, width(format)?),
            None => (identifier, 1),
        };
        match name {
            "" if identifier.is_empty() => out.push('$'),
            "RepresentationID" => out.push_str(names.representation),
            "Bandwidth" => out.push_str(&format!("{:0width$}", names.bandwidth)),
            "Number" => out.push_str(&format!("{:0width$}", names.number)),
            "Time" => out.push_str(&format!("{:0width$}", names.time)),
            _ => return None,
        }
        out.push_str(parts.next()?);
        if out.len() > ADDRESS_BYTES_MAX {
            return None;
        }
    }
    Some(out)
}

/// The width of `05d`.
fn width(format: &str) -> Option<usize> {
    format.strip_suffix('d')?.parse().ok().filter(|width| *width <= WIDTH_MAX)
}

/// One segment of a template, in units of its timescale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) number: u64,
    pub(super) time: u64,
    pub(super) duration: u64,
}

/// The segments that a `SegmentTimeline` lists. `first_number` is the number of the first; `end` is the time at which
/// the period ends, if that is known: an open repetition (`r="-1"`) goes so far.
pub(super) fn timeline(timeline: &Node, first_number: u64, end: Option<u64>) -> Vec<Slot> {
    let entries: Vec<&Node> = timeline.all("S").take(SEGMENTS_MAX).collect();
    let mut slots = Vec::new();
    let (mut number, mut time) = (first_number, 0u64);
    for (at, entry) in entries.iter().enumerate() {
        let Some(duration) = entry.number("d").filter(|duration| *duration > 0) else { continue };
        time = entry.number("t").unwrap_or(time);
        number = entry.number("n").unwrap_or(number);
        let until = entries.get(at + 1).and_then(|next| next.number("t")).or(end);
        let count = match entry.get("r").and_then(|repeats| repeats.parse::<i64>().ok()) {
            None | Some(0) => 1,
            Some(repeats @ 1..) => repeats.unsigned_abs().saturating_add(1),
            Some(_) => until.map_or(1, |until| until.saturating_sub(time).div_ceil(duration)),
        };
        for _ in 0..count {
            if slots.len() >= SEGMENTS_MAX {
                return slots;
            }
            slots.push(Slot { number, time, duration });
            let (Some(next_number), Some(next_time)) = (number.checked_add(1), time.checked_add(duration))
            else {
                return slots;
            };
            (number, time) = (next_number, next_time);
        }
    }
    slots
}

/// The segments of equal length that fill a period of `period_s` seconds.
pub(super) fn even(duration: u64, timescale: u64, first_number: u64, start: u64, period_s: f64) -> Vec<Slot> {
    // A hair less than the quotient, lest rounding adds a segment that does not exist.
    let count = (period_s * timescale as f64 / duration as f64 - 1e-6).ceil().clamp(0.0, SEGMENTS_MAX as f64);
    let slot = |index: u64| {
        let number = first_number.checked_add(index)?;
        let time = duration.checked_mul(index)?.checked_add(start)?;
        Some(Slot { number, time, duration })
    };
    (0..count as u64).map_while(slot).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crawl::discover::dash::manifest;

    #[test]
    fn identifiers() {
        let names = Names { representation: "a/1", bandwidth: 64_000, number: 7, time: 90_000 };
        for (template, wanted) in [
            ("x.mp4", Some("x.mp4")),
            ("$RepresentationID$/$Number$.m4s", Some("a/1/7.m4s")),
            ("$Bandwidth$-$Number%05d$$Time%08d$", Some("64000-0000700090000")),
            ("cost$$$Number$", Some("cost$7")),
            ("$SubNumber$", None),
            ("$Number", None),
            ("$Number%5x$", None),
            ("$Number%0999999999d$", None),
        ] {
            assert_eq!(fill(template, &names).as_deref(), wanted, "{template}");
        }
    }

    fn slots(entries: &str, end: Option<u64>) -> Vec<(u64, u64)> {
        let (root, _) = manifest::read(&format!("<MPD>{entries}</MPD>"));
        timeline(&root.unwrap(), 5, end).iter().map(|slot| (slot.number, slot.time)).collect()
    }

    #[test]
    fn timelines() {
        assert_eq!(slots("<S t='10' d='4' r='1'/><S d='2'/>", None), [(5, 10), (6, 14), (7, 18)]);
        assert_eq!(slots("<S d='4' r='-1'/><S t='8' d='3'/>", None), [(5, 0), (6, 4), (7, 8)]);
        assert_eq!(slots("<S d='4' r='-1'/>", Some(9)), [(5, 0), (6, 4), (7, 8)]);
        assert_eq!(slots("<S d='4' r='-1'/>", None), [(5, 0)]);
        assert_eq!(slots("<S d='0' r='9'/><S d='x'/>", None), []);
        assert_eq!(slots("<S d='1' r='99999999999'/>", None).len(), SEGMENTS_MAX);
        assert_eq!(slots("<S t='18446744073709551615' d='1' r='5'/>", None).len(), 1);
    }

    #[test]
    fn even_segments() {
        let times = |period_s| even(2, 1, 1, 0, period_s).iter().map(|slot| slot.time).collect::<Vec<_>>();
        assert_eq!(times(6.0), [0, 2, 4]);
        assert_eq!(times(6.1), [0, 2, 4, 6]);
        assert_eq!(times(-1.0), [0; 0]);
        assert_eq!(times(f64::MAX).len(), SEGMENTS_MAX);
        assert!(even(1, 1, u64::MAX, 0, 9.0).len() <= 1);
    }
}
