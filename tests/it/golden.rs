//! Golden vectors of the fingerprint and segment formats, and what damage to a segment file does.
//!
//! `EARWITNESS_REGENERATE=1 cargo test --test it golden` writes them anew, after a change that is meant.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use earwitness::base::{ANALYSIS_RATE_HZ, ChannelView, RecordingId};
use earwitness::fingerprint::{self, Fingerprint, analyze};
use earwitness::index::{
    Error, Index, Manifest, Removed, Segment, SegmentEntry, Source, kept, merge_into, write_segment,
};
use earwitness::matching::{MatchOptions, find_matches};
use proptest::prelude::*;

use crate::support::assert_committed;

const HEADER_BYTES: usize = 120;
const END_BYTES: usize = 8;
const SECTIONS: usize = 6;

/// Phase added per sample for the twelve semitones from 220 Hz up; a turn is 2³².
const SEMITONES: [u32; 12] = [
    85_704_563,
    90_800_821,
    96_200_119,
    101_920_476,
    107_980_983,
    114_401_866,
    121_204_555,
    128_411_753,
    136_047_513,
    144_137_319,
    152_708_170,
    161_788_671,
];

struct Voice {
    /// Samples from one note to the next.
    note_samples: usize,
    octave: u32,
    phase: u32,
    step: u32,
}

/// Music-like samples made of whole numbers alone, so that every machine makes the same: three voices of decaying
/// triangle tones, chosen at random, and a little noise. `fingerprints/FORMAT.md` tells it in words.
pub(crate) fn synthetic(seed: u32, seconds: usize) -> Vec<f32> {
    let mut random = seed;
    let mut draw = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 16
    };
    let voice = |note_samples, octave| Voice { note_samples, octave, phase: 0, step: 0 };
    let mut voices = [voice(5_512, 0), voice(2_756, 1), voice(1_837, 2)];
    let mut sample = |n: usize| {
        let mut sum = i64::from(draw()) - 32_768;
        for voice in &mut voices {
            let age = n % voice.note_samples;
            if age == 0 {
                voice.step = SEMITONES[draw() as usize % SEMITONES.len()] << voice.octave;
            }
            voice.phase = voice.phase.wrapping_add(voice.step);
            let triangle = (i64::from(voice.phase >> 15) - 65_536).abs() - 32_768;
            let left = (voice.note_samples - age) as i64;
            sum += triangle * left * 80 / voice.note_samples as i64;
        }
        sum as f32 / 8_388_608.0
    };
    (0..seconds * ANALYSIS_RATE_HZ as usize).map(&mut sample).collect()
}

/// A fuller texture, still of whole numbers and quarters of them: three of those signals at once, of which the second runs
/// half as fast again and the third half as fast, in and out of hearing.
pub(crate) fn texture(seconds: usize) -> Vec<f32> {
    let signals = [3, 4, 5].map(|seed| synthetic(seed, seconds));
    let length = signals[0].len();
    let swell = |n: usize, period: usize| (n % period).abs_diff(period / 2) as f32 / period as f32;
    (0..length)
        .map(|n| {
            let fast = signals[1][n * 3 / 2 % length] * swell(n, 65_536);
            let slow = signals[2][n / 2] * swell(n, 32_768);
            signals[0][n] * 0.25 + fast * 0.5 + slow * 0.5
        })
        .collect()
}

fn pieces() -> Vec<(RecordingId, Fingerprint)> {
    [("GOLDEN-1", 1), ("金-2", 2)]
        .map(|(id, seed)| (RecordingId::new(id).unwrap(), analyze(&synthetic(seed, 6))))
        .to_vec()
}

/// The bytes of a segment of [`pieces`].
fn segment_bytes() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.seg");
    write_segment(&path, &pieces()).unwrap();
    fs::read(path).unwrap()
}

fn open(dir: &Path, bytes: &[u8]) -> Result<Segment, Error> {
    let path = dir.join("damaged.seg");
    fs::write(&path, bytes).unwrap();
    Segment::open(&path)
}

/// Does with a segment file all that the program does; nothing may panic.
fn exercise(dir: &Path, bytes: &[u8]) -> Result<(), Error> {
    let segment = open(dir, bytes)?;
    let whole = segment.verify();
    for local in 0..=segment.len() {
        assert_eq!(segment.fingerprint(local).is_some(), local < segment.len());
    }
    let recordings = segment.len() as u32;
    let entry = || SegmentEntry::new("damaged.seg".to_owned(), recordings);
    // Twice, so that what one file says leads into the other.
    let manifest = Manifest { generation: 1, segments: vec![entry(), entry()] };
    let index = Index::open(dir, &manifest)?;
    for (_, query) in pieces() {
        let matches = find_matches(&query, ChannelView::Mid, &index, &MatchOptions::default()).matches;
        assert!(whole.is_err() || matches.is_empty() == index.is_empty(), "{matches:?}");
    }
    segment.ids().for_each(|id| assert!(whole.is_err() || segment.find(&id).is_some(), "{id}"));
    let none = Removed::default();
    let source = Source { segment: &segment, without: &none };
    let merged = merge_into(&dir.join("merged.seg"), &[source, source], &AtomicBool::new(false));
    assert!(whole.is_err() || merged.is_ok(), "{merged:?}");
    whole
}

/// Corrects the header's checksum, so that what it promises is believed.
fn reseal_header(bytes: &mut [u8]) {
    let checksum = crc32fast::hash(&bytes[..HEADER_BYTES - 4]);
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn the_signal_is_what_the_specification_says() {
    let samples = synthetic(1, 1);
    let whole: Vec<i32> = samples.iter().map(|sample| (sample * 8_388_608.0) as i32).collect();
    assert!(samples.iter().all(|sample| sample.abs() < 1.0));
    assert_eq!(&whole[..4], &[5_515_368, 3_170_515, 860_860, -1_441_273]);
}

#[test]
fn a_fingerprint_is_what_it_was() {
    let [(_, first), _] = &pieces()[..] else { panic!("two pieces") };
    assert!(first.peaks.len() > 60, "{} peaks", first.peaks.len());
    let bytes = fingerprint::encode(first);
    assert_eq!(fingerprint::decode(&bytes).unwrap(), *first);
    assert_committed("fingerprints/golden/fingerprint-v2.bin", &bytes);
}

#[test]
fn a_fingerprint_of_a_fuller_texture_is_what_it_was() {
    let fingerprint = analyze(&texture(40));
    assert!(fingerprint.peaks.len() > 600, "{} peaks", fingerprint.peaks.len());
    assert_committed("fingerprints/golden/texture-v2.bin", &fingerprint::encode(&fingerprint));
}

#[test]
fn a_segment_is_what_it_was() {
    assert_committed("fingerprints/golden/segment-v4.seg", &segment_bytes());
}

#[test]
fn the_committed_segment_holds_the_pieces() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fingerprints/golden/segment-v4.seg");
    let segment = Segment::open(&golden).unwrap();
    segment.verify().unwrap();
    for (local, (id, fingerprint)) in pieces().iter().enumerate() {
        assert_eq!(segment.id(local).as_ref(), Some(id));
        assert_eq!(segment.find(id), Some(local));
        assert_eq!(segment.fingerprint(local), Some(kept(fingerprint)));
    }
    exercise(tempfile::tempdir().unwrap().path(), &fs::read(golden).unwrap()).unwrap();
}

#[test]
fn an_empty_segment_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.seg");
    write_segment(&path, &[]).unwrap();
    exercise(dir.path(), &fs::read(&path).unwrap()).unwrap();
    assert!(Segment::open(&path).unwrap().is_empty());
}

#[test]
fn another_version_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = segment_bytes();
    bytes[8] = 99;
    reseal_header(&mut bytes);
    let told = open(dir.path(), &bytes).err().unwrap().to_string();
    assert!(told.contains("segment version 99") && told.contains("catalog add"), "{told}");
}

#[test]
fn more_postings_than_there_is_room_for_and_another_length_are_refused_at_opening() {
    let dir = tempfile::tempdir().unwrap();
    for field in [16usize..24, 84..92] {
        let mut bytes = segment_bytes();
        bytes[field].fill(0xf7);
        reseal_header(&mut bytes);
        assert!(matches!(open(dir.path(), &bytes), Err(Error::Damaged { .. })));
    }
}

#[test]
fn every_cut_and_every_added_byte_is_seen_at_opening() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = segment_bytes();
    for length in (0..bytes.len()).step_by(97).chain([HEADER_BYTES, bytes.len() - 1]) {
        let error = open(dir.path(), &bytes[..length]).err().unwrap();
        assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
        assert!(error.to_string().contains("damaged.seg"), "{error}");
    }
    assert!(open(dir.path(), &[&bytes[..], b"x"].concat()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_changed_byte_is_seen_by_verify(at in any::<prop::sample::Index>(), change in 1u8..) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = segment_bytes_once().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let seen = open(dir.path(), &bytes).and_then(|segment| segment.verify());
        prop_assert!(seen.is_err(), "byte {at} of {}", bytes.len());
    }

    #[test]
    fn arbitrary_bytes_are_no_segment(mut bytes in prop::collection::vec(any::<u8>(), 0..300), sealed: bool) {
        let dir = tempfile::tempdir().unwrap();
        if sealed && bytes.len() >= HEADER_BYTES {
            bytes[..12].copy_from_slice(&segment_bytes_once()[..12]);
            reseal_header(&mut bytes);
        }
        prop_assert!(open(dir.path(), &bytes).is_err());
    }

    #[test]
    fn a_header_that_lies_is_refused(field in prop::sample::select(vec![
        12usize..16, 16..24, 24..28, 28..36, 40..48, 52..60, 64..72, 76..84, 84..92, 92..100, 104..112,
    ]),
                                     value: u64) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = segment_bytes_once().to_vec();
        let width = field.len();
        bytes[field].copy_from_slice(&value.to_le_bytes()[..width]);
        reseal_header(&mut bytes);
        prop_assume!(bytes != segment_bytes_once());
        prop_assert!(exercise(dir.path(), &bytes).is_err(), "{value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_that_no_one_verified_does_not_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
        section in 0..SECTIONS,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = segment_bytes_once().to_vec();
        let section = sections(&bytes)[section].clone();
        for (at, value) in changes {
            bytes[section.start + at.index(section.len())] = value;
        }
        prop_assume!(bytes != segment_bytes_once());
        prop_assert!(exercise(dir.path(), &bytes).is_err());
    }
}

#[test]
fn postings_of_recordings_that_are_not_there_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = segment_bytes_once().to_vec();
    let postings = sections(&bytes)[4].clone();
    bytes[postings].fill(0xff);
    let error = exercise(dir.path(), &bytes).unwrap_err();
    assert!(error.to_string().contains("postings"), "{error}");
}

/// The same bytes for every case.
fn segment_bytes_once() -> &'static [u8] {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(segment_bytes)
}

/// Where ids, table, order, peaks, postings and directory are, read as `fingerprints/FORMAT.md` says.
fn sections(bytes: &[u8]) -> [Range<usize>; SECTIONS] {
    let length = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let mut end = HEADER_BYTES;
    let sections = [28, 40, 52, 64, 92, 104].map(|at| {
        end += length(at);
        end - length(at)..end
    });
    assert_eq!(end + END_BYTES, bytes.len());
    sections
}
