//! The matcher on made-up peaks: what is done to them is known exactly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::{Match, MatchOptions, find_in_views, find_matches};
use crate::base::{ChannelView, RecordingId};
use crate::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S};
use crate::index::{Index, Manifest, SegmentEntry, write_segment};

/// A small generator of numbers, so that a test's music is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % below
    }
}

/// Peaks without any pattern: about 26 a second, 10 of them salient.
fn music(seed: u64, seconds: u32) -> Fingerprint {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let duration = (f64::from(seconds) * TIME_STEPS_PER_S) as u32;
    let mut peaks: Vec<Peak> = (0..seconds * 26)
        .map(|_| Peak {
            time: dice.roll(duration),
            pitch: dice.roll(2112) as u16,
            strength: 10 + dice.roll(60) as u8,
            salient: dice.roll(26) < 10,
        })
        .collect();
    peaks.sort_unstable();
    Fingerprint { duration, peaks }
}

/// What is done to a copy.
#[derive(Clone, Copy)]
struct Copying {
    /// Recording seconds in a second of the copy.
    rate: f64,
    /// Steps of pitch added.
    shift: i32,
    /// Of a hundred peaks, how many are lost.
    lost: u32,
    /// Where the copy begins and how long it is, in seconds of the recording.
    from: f64,
    length: f64,
}

fn copy(original: &Fingerprint, how: Copying, seed: u64) -> Fingerprint {
    let mut dice = Dice(seed | 1);
    let duration = (how.length / how.rate * TIME_STEPS_PER_S) as u32;
    let mut peaks = Vec::new();
    for peak in &original.peaks {
        let time =
            (f64::from(peak.time) - how.from * TIME_STEPS_PER_S) / how.rate + f64::from(dice.roll(5)) - 2.0;
        let pitch = i32::from(peak.pitch) + how.shift + dice.roll(5) as i32 - 2;
        if time >= 0.0
            && time < f64::from(duration)
            && (0..2112).contains(&pitch)
            && dice.roll(100) >= how.lost
        {
            peaks.push(Peak { time: time as u32, pitch: pitch as u16, ..*peak });
        }
    }
    peaks.sort_unstable();
    Fingerprint { duration, peaks }
}

/// Places `second` after `first`, with a pause of silence between.
fn joined(first: Fingerprint, second: &Fingerprint, pause_s: f64) -> Fingerprint {
    let offset = first.duration + (pause_s * TIME_STEPS_PER_S) as u32;
    let moved = second.peaks.iter().map(|peak| Peak { time: peak.time + offset, ..*peak });
    let peaks = first.peaks.into_iter().chain(moved).collect();
    Fingerprint { duration: offset + second.duration, peaks }
}

/// Both at once.
fn mixed(first: &Fingerprint, second: &Fingerprint) -> Fingerprint {
    let mut peaks: Vec<Peak> = first.peaks.iter().chain(&second.peaks).copied().collect();
    peaks.sort_unstable();
    Fingerprint { duration: first.duration.max(second.duration), peaks }
}

struct Catalogue {
    _folder: tempfile::TempDir,
    index: Index,
}

/// An index of pieces 0 to `count`, a minute each, in two segments.
fn catalogue(count: u64) -> Catalogue {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> =
        (0..count).map(|n| (RecordingId::new(&format!("piece-{n}")).unwrap(), music(n, 60))).collect();
    let mut segments = Vec::new();
    for (at, part) in all.chunks((count as usize).div_ceil(2)).enumerate() {
        let file = format!("{at}.seg");
        write_segment(&folder.path().join(&file), part).unwrap();
        segments.push(SegmentEntry::new(file, part.len() as u32));
    }
    let index = Index::open(folder.path(), &Manifest { generation: 1, segments }).unwrap();
    Catalogue { _folder: folder, index }
}

fn find(query: &Fingerprint, catalogue: &Catalogue) -> Vec<Match> {
    find_matches(query, ChannelView::Mid, &catalogue.index, &MatchOptions::default()).matches
}

const PLAIN: Copying = Copying { rate: 1.0, shift: 0, lost: 20, from: 20.0, length: 15.0 };

#[test]
fn alterations_are_measured_and_named() {
    let catalogue = catalogue(6);
    let octave = |factor: f64| (factor.log2() * 384.0).round() as i32;
    for (rate, shift, speed, tempo, pitch) in [
        (1.0, 0, 1.0, 1.0, 0.0),
        (1.25, octave(1.25), 1.25, 1.0, 0.0),
        (0.8, octave(0.8), 0.8, 1.0, 0.0),
        (1.2, 0, 1.0, 1.2, 0.0),
        (1.0, 4 * 32, 1.0, 1.0, 4.0),
        (0.9, -2 * 32, 1.0, 0.9, -2.0),
    ] {
        let found = find(&copy(&music(3, 60), Copying { rate, shift, ..PLAIN }, 7), &catalogue);
        assert_eq!(found.len(), 1, "rate {rate}, shift {shift}: {found:?}");
        let one = &found[0];
        assert_eq!(one.recording_id.as_str(), "piece-3");
        assert!((one.speed - speed).abs() < 0.004, "{one:?}");
        assert!((one.tempo - tempo).abs() < 0.004, "{one:?}");
        assert!((one.pitch_semitones - pitch).abs() < 0.1, "{one:?}");
        assert!((one.reference_start_s - 20.0 - one.query_start_s * rate).abs() < 0.1, "{one:?}");
        assert!(one.query_end_s - one.query_start_s > 0.85 * 15.0 / rate, "{one:?}");
    }
}

#[test]
fn strangers_and_emptiness_match_nothing() {
    let catalogue = catalogue(6);
    for seed in 100..110 {
        assert_eq!(find(&music(seed, 30), &catalogue), Vec::new());
    }
    assert_eq!(find(&Fingerprint::default(), &catalogue), Vec::new());
    let empty = Catalogue { _folder: tempfile::tempdir().unwrap(), index: Index::default() };
    assert_eq!(find(&music(1, 10), &empty), Vec::new());
}

#[test]
fn several_recordings_are_found_with_their_spans() {
    let catalogue = catalogue(6);
    let first = copy(&music(1, 60), PLAIN, 1);
    let second = copy(&music(4, 60), Copying { rate: 1.1, ..PLAIN }, 2);
    let found = find(&joined(first, &second, 8.0), &catalogue);
    let spans: Vec<(&str, f64, f64)> =
        found.iter().map(|one| (one.recording_id.as_str(), one.query_start_s, one.query_end_s)).collect();
    assert_eq!(spans.len(), 2, "{spans:?}");
    for (id, start, end) in [("piece-1", 0.0, 15.0), ("piece-4", 23.0, 23.0 + 15.0 / 1.1)] {
        let near = |span: &&(&str, f64, f64)| {
            span.0 == id && (span.1 - start).abs() < 1.0 && (span.2 - end).abs() < 1.0
        };
        assert!(spans.iter().any(|span| near(&span)), "{id} in {spans:?}");
    }
}

#[test]
fn both_recordings_of_a_mix_are_found() {
    let catalogue = catalogue(6);
    let mix = mixed(&copy(&music(0, 60), PLAIN, 3), &copy(&music(5, 60), Copying { from: 5.0, ..PLAIN }, 4));
    let mut ids: Vec<String> =
        find(&mix, &catalogue).iter().map(|one| one.recording_id.to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["piece-0", "piece-5"]);
}

#[test]
fn one_below_three_louder_ones_is_found() {
    let catalogue = catalogue(6);
    let mut found = 0;
    for seed in 0..12 {
        let how = Copying { lost: 40, length: 10.0, ..PLAIN };
        let below = copy(&music(2, 60), Copying { from: 5.0 + 3.0 * seed as f64, ..how }, seed);
        let louder = |piece: u64, from: f64| copy(&music(piece, 60), Copying { lost: 4, from, ..how }, seed);
        let above = mixed(&louder(1, 20.0), &mixed(&louder(3, 7.0), &louder(4, 31.0)));
        let names: Vec<String> = find(&mixed(&above, &below), &catalogue)
            .into_iter()
            .map(|one| one.recording_id.as_str().to_owned())
            .collect();
        for name in ["piece-1", "piece-3", "piece-4"] {
            assert!(names.iter().any(|other| other == name), "{names:?}");
        }
        found += usize::from(names.iter().any(|name| name == "piece-2"));
        assert!(names.iter().all(|name| name != "piece-0" && name != "piece-5"), "{names:?}");
    }
    assert!(found >= 10, "{found}");
}

#[test]
fn a_long_query_gives_one_span_for_one_copy() {
    let catalogue = catalogue(4);
    let whole = copy(&music(2, 60), Copying { from: 0.0, length: 60.0, ..PLAIN }, 5);
    let found = find(&joined(music(200, 120), &joined(whole, &music(201, 90), 0.0), 0.0), &catalogue);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        (found[0].query_start_s - 120.0).abs() < 1.0 && (found[0].query_end_s - 180.0).abs() < 1.0,
        "{found:?}"
    );
}

#[test]
fn a_removed_recording_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let id = RecordingId::new("gone").unwrap();
    write_segment(&folder.path().join("0.seg"), &[(id.clone(), music(3, 60))]).unwrap();
    let mut manifest = Manifest::default();
    manifest.segments.push(SegmentEntry::new("0.seg".into(), 1));
    let query = copy(&music(3, 60), PLAIN, 6);
    let open = |manifest: &Manifest| Index::open(folder.path(), manifest).unwrap();
    let options = MatchOptions::default();
    assert_eq!(find_matches(&query, ChannelView::Mid, &open(&manifest), &options).matches.len(), 1);
    manifest.segments[0].without.insert(0);
    assert_eq!(manifest.live(), 0);
    assert_eq!(find_matches(&query, ChannelView::Mid, &open(&manifest), &options).matches, Vec::new());
}

#[test]
fn only_what_the_middle_leaves_unexplained_is_looked_for_in_other_views() {
    let options = MatchOptions::default();
    let copy_of_3 = copy(&music(3, 60), Copying { lost: 0, length: 30.0, ..PLAIN }, 1);
    let other = music(77, 30);
    let catalogue = catalogue(6);
    let index = &catalogue.index;
    let mid_alone = find_matches(&copy_of_3, ChannelView::Mid, index, &options);
    let explained =
        [(ChannelView::Mid, &copy_of_3), (ChannelView::Left, &copy_of_3), (ChannelView::Right, &other)];
    assert_eq!(find_in_views(explained, index, &options), mid_alone);

    // The middle is that of a copy of 15 s and other music, which only the left channel is free of.
    let half = copy(&music(3, 60), Copying { lost: 0, ..PLAIN }, 1);
    let mid = joined(half.clone(), &music(78, 15), 0.0);
    let left = joined(half, &copy(&music(4, 60), PLAIN, 2), 0.0);
    let found = find_in_views([(ChannelView::Mid, &mid), (ChannelView::Left, &left)], index, &options);
    let told =
        |id: &str| found.matches.iter().filter(|one| one.recording_id.as_str() == id).collect::<Vec<_>>();
    assert_eq!((found.matches.len(), told("piece-3").len()), (2, 1));
    assert_eq!(told("piece-4")[0].channel, ChannelView::Left);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_peaks_give_finite_answers(
        peaks in prop::collection::vec((0u32..6000, 0u16..2112, 0u8..128, any::<bool>()), 0..400),
        duration in 0u32..8000,
    ) {
        thread_local! { static CATALOGUE: Catalogue = catalogue(2); }
        let mut peaks: Vec<Peak> =
            peaks.into_iter().map(|(time, pitch, strength, salient)| Peak { time, pitch, strength, salient }).collect();
        peaks.sort_unstable();
        let query = Fingerprint { duration, peaks };
        let loose = MatchOptions { log10_false_match_max: 100.0, ..MatchOptions::default() };
        let found = CATALOGUE.with(|catalogue| find_matches(&query, ChannelView::Mid, &catalogue.index, &loose).matches);
        for one in found {
            let numbers = [one.query_start_s, one.query_end_s, one.reference_start_s, one.reference_end_s];
            prop_assert!(numbers.iter().all(|n| n.is_finite() && *n >= 0.0), "{:?}", one);
            prop_assert!(one.query_start_s <= one.query_end_s && one.log10_false_match.is_finite());
        }
    }
}
