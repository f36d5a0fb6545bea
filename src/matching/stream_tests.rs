//! Stretches against the whole, on made-up peaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::base::RecordingId;
use crate::index::{Manifest, SegmentEntry, write_segment};
use crate::matching::{find_matches, one_per_place};

/// Peaks without any pattern: about 26 a second, 10 of them salient.
fn music(seed: u64, length_s: u32) -> Vec<Peak> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut roll = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as u32) % below
    };
    let mut peaks: Vec<Peak> = (0..length_s * 26)
        .map(|_| Peak {
            time: roll(steps(f64::from(length_s))),
            pitch: roll(2112) as u16,
            strength: 10 + roll(60) as u8,
            salient: roll(26) < 10,
        })
        .collect();
    peaks.sort_unstable();
    peaks
}

/// A stretch of a recording, from and to seconds of it, at a second of the query.
struct Part {
    seed: u64,
    from_s: f64,
    to_s: f64,
    at_s: f64,
}

const fn part(seed: u64, from_s: f64, to_s: f64, at_s: f64) -> Part {
    Part { seed, from_s, to_s, at_s }
}

fn mixed(parts: &[Part]) -> Vec<Peak> {
    let mut peaks = Vec::new();
    for part in parts {
        let (from, to, at) = (steps(part.from_s), steps(part.to_s), steps(part.at_s));
        let inside = music(part.seed, 200).into_iter().filter(|peak| (from..to).contains(&peak.time));
        peaks.extend(inside.map(|peak| Peak { time: peak.time - from + at, ..peak }));
    }
    peaks.sort_unstable();
    peaks
}

/// An index of the recordings of `seeds`, 200 s each, in a folder that must live as long.
fn index(seeds: &[u64]) -> (tempfile::TempDir, Index) {
    let folder = tempfile::tempdir().unwrap();
    let entries: Vec<(RecordingId, Fingerprint)> = seeds
        .iter()
        .map(|seed| {
            let id = RecordingId::new(&format!("r{seed}")).unwrap();
            (id, Fingerprint { duration: steps(200.0), peaks: music(*seed, 200) })
        })
        .collect();
    write_segment(&folder.path().join("one.seg"), &entries).unwrap();
    let entry = SegmentEntry::new("one.seg".to_owned(), seeds.len() as u32);
    let index = Index::open(folder.path(), &Manifest { generation: 1, segments: vec![entry] }).unwrap();
    (folder, index)
}

/// Feeds `peaks` second by second; gives the confirmed spans, when (s) each was, and the most peaks held at a time.
fn streamed(
    peaks: &[Peak],
    length_s: f64,
    stretches: Stretches,
    index: &Index,
) -> (Vec<(f64, Match)>, usize) {
    let mut matcher = StreamMatcher::new(stretches, MatchOptions::default());
    let (mut confirmed, mut held, mut from) = (Vec::new(), 0, 0);
    let mut take = |events: Vec<SpanEvent>, at_s: f64| {
        for event in events {
            if let SpanEvent::Confirmed(found) = event {
                confirmed.push((at_s, found));
            }
        }
    };
    for second in 1..=length_s as u32 {
        let to = peaks.partition_point(|peak| peak.time < steps(f64::from(second)));
        matcher.push(ChannelView::Mid, &peaks[from..to]);
        from = to;
        take(matcher.advance(steps(f64::from(second)), index), f64::from(second));
        held = held.max(matcher.peaks[0].len());
    }
    take(matcher.finish(steps(length_s), index), length_s);
    (confirmed, held)
}

#[track_caller]
fn assert_spans(found: &[(f64, Match)], parts: &[Part]) {
    let told: Vec<String> = found
        .iter()
        .map(|(at, m)| format!("{} {:.1}-{:.1} at {at}", m.recording_id, m.query_start_s, m.query_end_s))
        .collect();
    assert_eq!(found.len(), parts.len(), "{told:?}");
    for ((_, one), part) in found.iter().zip(parts) {
        assert_eq!(one.recording_id.to_string(), format!("r{}", part.seed), "{told:?}");
        let near = |a: f64, b: f64| (a - b).abs() < 1.0;
        assert!(near(one.query_start_s, part.at_s), "{told:?}");
        assert!(near(one.query_end_s, part.at_s + part.to_s - part.from_s), "{told:?}");
        assert!(near(one.reference_start_s, part.from_s) && near(one.reference_end_s, part.to_s), "{one:?}");
    }
}

const SET: [Part; 4] = [
    part(1, 10.0, 150.0, 5.0),
    part(2, 0.0, 100.0, 142.0),
    part(3, 50.0, 90.0, 250.0),
    part(1, 150.0, 190.0, 300.0),
];

#[test]
fn stretches_of_all_kinds_give_the_spans_of_the_whole() {
    let (_folder, index) = index(&[1, 2, 3, 4]);
    let peaks = mixed(&SET);
    for stretches in [Stretches::FILE, Stretches::PIPE, Stretches::LIVE, Stretches::of_length(40.0)] {
        let (found, _) = streamed(&peaks, 345.0, stretches, &index);
        assert_spans(&found, &SET);
    }
}

#[test]
fn a_short_file_is_matched_as_a_whole() {
    let (_folder, index) = index(&[1, 2, 3]);
    let peaks = mixed(&SET);
    let whole = Fingerprint { duration: steps(345.0), peaks: peaks.clone() };
    let whole =
        one_per_place(find_matches(&whole, ChannelView::Mid, &index, &MatchOptions::default()).matches);
    let (found, _) = streamed(&peaks, 345.0, Stretches::FILE, &index);
    assert_eq!(found.into_iter().map(|(_, one)| one).collect::<Vec<_>>(), whole);
}

#[test]
fn spans_are_given_out_soon_after_they_end() {
    let (_folder, index) = index(&[1, 2, 3]);
    let (found, _) = streamed(&mixed(&SET), 345.0, Stretches::LIVE, &index);
    for (at_s, one) in &found {
        assert!(at_s - one.query_end_s <= SETTLED_S + 16.0, "{:.1} s ends, told at {at_s}", one.query_end_s);
    }
}

#[test]
fn a_live_stream_tells_what_begins() {
    let (_folder, index) = index(&[1, 2]);
    let peaks = mixed(&[part(2, 20.0, 120.0, 0.0)]);
    let mut matcher = StreamMatcher::new(Stretches::LIVE, MatchOptions::default());
    matcher.push(ChannelView::Mid, &peaks);
    let events = matcher.advance(steps(10.0), &index);
    assert!(
        matches!(&events[..], [SpanEvent::Began(one)] if one.recording_id.to_string() == "r2"),
        "{events:?}"
    );
    // Told once.
    assert_eq!(matcher.advance(steps(90.0), &index), []);
}

#[test]
fn music_that_repeats_itself_is_told_once_at_a_time() {
    // The same 50 s again and again: every line that is a whole number of them off is as good.
    let tune: Vec<Peak> = music(5, 50);
    let again = |times: u32| -> Vec<Peak> {
        let at = |n: u32| tune.iter().map(move |peak| Peak { time: peak.time + n * steps(50.0), ..*peak });
        (0..times).flat_map(at).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let id = RecordingId::new("loop").unwrap();
    let entries = [(id, Fingerprint { duration: steps(250.0), peaks: again(5) })];
    write_segment(&folder.path().join("one.seg"), &entries).unwrap();
    let entry = SegmentEntry::new("one.seg".to_owned(), 1);
    let index = Index::open(folder.path(), &Manifest { generation: 1, segments: vec![entry] }).unwrap();
    let (found, _) = streamed(&again(5), 250.0, Stretches::of_length(80.0), &index);
    let spans: Vec<(f64, f64)> = found.iter().map(|(_, one)| (one.query_start_s, one.query_end_s)).collect();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 0.01), "{spans:?}");
    let told_s: f64 = spans.iter().map(|(start, end)| end - start).sum();
    assert!(told_s > 230.0, "{spans:?}");
}

#[test]
fn what_is_held_does_not_grow() {
    let (_folder, index) = index(&[1]);
    let long = music(99, 900);
    let stretches = Stretches { whole_s: 0.0, ..Stretches::FILE };
    let (found, held) = streamed(&long, 900.0, stretches, &index);
    assert_eq!(found, []);
    assert!(held <= 26 * 130, "{held} peaks held");
}

#[test]
fn odd_stretches_end() {
    let (_folder, index) = index(&[1]);
    let peaks = mixed(&[part(1, 0.0, 60.0, 0.0)]);
    for bad in [0.0, f64::NAN, -5.0] {
        let (found, _) = streamed(&peaks, 60.0, Stretches::of_length(bad), &index);
        assert!(found.len() <= 60);
    }
    let mut matcher = StreamMatcher::new(Stretches::FILE, MatchOptions::default());
    assert_eq!(matcher.finish(0, &index), []);
}
