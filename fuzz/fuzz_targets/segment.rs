//! Index segments: opened, read, asked and merged, damaged as they may be. Input: a file; marks, versions and the
//! header's checksum are put right, or nothing would get past them.
#![no_main]

use std::sync::atomic::AtomicBool;

use earwitness::fingerprint::{Peak, Tolerance, encode, reference_quads};
use earwitness::index::{
    CostLimit, Family, Index, Manifest, Probes, Reach, Removed, Segment, SegmentEntry, Source, fuzzing,
    merge_into,
};
use earwitness_fuzz::count;
use earwitness_fuzz::folder::{FOLDER, file_of};
use libfuzzer_sys::fuzz_target;

const NAME: &str = "input.seg";

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    fuzzing::seal(&mut bytes);
    let path = file_of(NAME, &bytes);
    count("segment");
    let Ok(segment) = Segment::open(&path) else { return };
    count("segment, opened");
    let _ = segment.verify();
    read(&segment);
    ask(&segment);
    merge(&segment);
});

fn read(segment: &Segment) {
    for local in 0..segment.len().min(64) {
        let id = segment.id(local).expect("opening has checked the table");
        let _ = segment.find(&id);
        if let Some(fingerprint) = segment.fingerprint(local) {
            let _ = encode(&fingerprint);
        }
    }
}

fn ask(segment: &Segment) {
    let manifest =
        Manifest { generation: 1, segments: vec![SegmentEntry::new(NAME.to_owned(), segment.len() as u32)] };
    let Ok(index) = Index::open(&FOLDER, &manifest) else { return };
    let peak = |n: u32| Peak { time: n * 97, pitch: (n * 211 % 2000) as u16, strength: 60, salient: true };
    let peaks: Vec<Peak> = segment.fingerprint(0).map_or_else(Vec::new, |kept| kept.peaks);
    let peaks: Vec<Peak> = peaks.into_iter().take(60).chain((0..24).map(peak)).collect();
    let mut peaks = peaks;
    peaks.sort();
    let mut probes = Probes::default();
    for quad in reference_quads(&peaks).iter().take(200) {
        probes.quad(quad);
        quad.probes(Tolerance::Full, |key| probes.push(key));
    }
    count("segment, asked");
    for limit in [CostLimit::NONE, CostLimit { postings_max: 1000 }] {
        for reach in [Reach::AsItIs, Reach::TwoFactors] {
            let mut told = 0;
            let report = index.lookup(Family::Quads, &mut probes, reach, limit, |answer| {
                assert!(answer.rate.is_finite() && answer.shift.is_finite());
                told += 1;
            });
            assert_eq!(report.told, told);
        }
    }
}

fn merge(segment: &Segment) {
    let (none, stop) = (Removed::default(), AtomicBool::new(false));
    let path = FOLDER.join("merged.seg");
    let sources = [Source { segment, without: &none }, Source { segment, without: &none }];
    if merge_into(&path, &sources, &stop).is_ok() {
        count("segment, merged");
        Segment::open(&path).and_then(|merged| merged.verify()).expect("what we write is whole");
    }
}
