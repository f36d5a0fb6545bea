//! Excerpts of suspect and recording in bundles, by the real binary: what they hold, what the configuration allows, and what
//! is told where there are none.

use std::fs;
use std::path::Path;

use earwitness::base::ANALYSIS_RATE_HZ;
use earwitness::evidence::{ExcerptOf, Excerpts, read_wav};
use predicates::str::contains;
use serde_json::Value;

use crate::evidence::{House, outcome};
use crate::support::earwitness;

/// What stored entries of a bundle hold: their names with their bytes, read from the local headers.
fn entries(bundle: &Path) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(bundle).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut entries) = (0, Vec::new());
    while bytes[at..].starts_with(b"PK\x03\x04") {
        let (length, name_length) = (word(at + 18), word(at + 26) & 0xffff);
        let name = std::str::from_utf8(&bytes[at + 30..][..name_length]).unwrap().to_owned();
        let content = at + 30 + name_length;
        entries.push((name, bytes[content..content + length].to_vec()));
        at = content + length;
    }
    entries
}

struct Opened(Vec<(String, Vec<u8>)>);

impl Opened {
    fn of(house: &House) -> Self {
        Self(entries(&house.export().0))
    }

    fn get(&self, name: &str) -> &[u8] {
        &self.0.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    fn excerpts(&self) -> Excerpts {
        serde_json::from_slice(self.get("earwitness/excerpts.json")).unwrap()
    }

    fn names(&self) -> Vec<&str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| name.starts_with("earwitness/excerpt-")).collect()
    }

    /// How many of the panels of the spectrograms show sound.
    fn panels_with_sound(&self) -> usize {
        let svg = std::str::from_utf8(self.get("earwitness/spectrograms-zh.svg")).unwrap();
        svg.matches("<image ").count()
    }
}

/// The samples of a mono WAV of the tests.
fn samples(path: &Path) -> Vec<i16> {
    let bytes = fs::read(path).unwrap();
    bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn excerpts_are_the_sound_of_both_where_they_match() {
    let house = House::new();
    let opened = Opened::of(&house);
    assert_eq!(opened.names(), ["earwitness/excerpt-reference-1.wav", "earwitness/excerpt-suspect-1.wav"]);
    let record = opened.excerpts();
    assert!(record.left_out.is_empty(), "{record:?}");
    for one in &record.excerpts {
        let (source, longest_s) = match one.of {
            ExcerptOf::Suspect => ("copy.wav", 30.0),
            ExcerptOf::Reference => ("catalogue/one.wav", 10.0),
        };
        let sound = read_wav(opened.get(&one.path)).unwrap();
        // The sources are at the analysis rate already: an excerpt is just what stands in them.
        let whole = samples(&house.path().join(source));
        let there = &whole[one.span.first_sample as usize..one.span.end_sample() as usize];
        let largest = sound.to_16_bit().zip(there).map(|(a, b)| (i32::from(a) - i32::from(*b)).abs()).max();
        assert!(largest.unwrap() <= 2, "{source}: differs by {largest:?}");
        assert_eq!(sound.samples.len(), there.len());
        assert!((5.0..=longest_s).contains(&sound.duration_s()), "{source}: {} s", sound.duration_s());
        assert!((one.alignment.reference_s_per_s - 1.25).abs() < 0.01, "{:?}", one.alignment);
        assert_eq!(one.recognised, (one.of == ExcerptOf::Reference).then_some(true));
    }
    // The recording's excerpt lies within the suspect's, by the line of the match.
    let of = |side| record.excerpts.iter().find(|one| one.of == side).unwrap();
    let (suspect, reference) = (of(ExcerptOf::Suspect), of(ExcerptOf::Reference));
    let line = suspect.alignment;
    let there = |at: f64| line.reference_start_s + (at - line.query_start_s) * line.reference_s_per_s;
    assert!(there(suspect.start_s) <= reference.start_s && there(suspect.end_s) >= reference.end_s);
    // A tenth of a second is under what an ear tells apart at a change of the note.
    assert!((there(0.0) - 4.0).abs() < 0.1, "second 0 of the copy is second 4 of the recording");
    assert_eq!(opened.panels_with_sound(), 2);

    let (bundle, _) = house.export();
    house.run(&["evidence", "factors", bundle.to_str().unwrap(), "--out", "factors.html"]).code(0);
    let page = fs::read_to_string(house.path().join("factors.html")).unwrap();
    assert!(page.contains("excerpt-suspect-1.wav") && !page.contains("excerpts.json"));
}

/// The reasons why excerpts of the recording are not there.
fn why(record: &Excerpts) -> String {
    let reasons = record.left_out.iter().filter(|left| left.of == ExcerptOf::Reference);
    reasons.map(|left| left.why.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_configuration_bounds_what_leaves_the_house() {
    let house = House::new();
    let configure = |text: &str| fs::write(house.path().join("earwitness.toml"), text).unwrap();
    let of = |record: &Excerpts, side| record.excerpts.iter().find(|one| one.of == side).cloned();

    configure("[evidence]\nexcerpt_s = 4\nreference_excerpt_s = 0\n");
    let opened = Opened::of(&house);
    assert_eq!(opened.names(), ["earwitness/excerpt-suspect-1.wav"]);
    let record = opened.excerpts();
    assert_eq!(of(&record, ExcerptOf::Suspect).unwrap().span.samples, 4 * ANALYSIS_RATE_HZ);
    assert!(why(&record).contains("evidence.reference_excerpt_s = 0"), "{record:?}");
    assert_eq!(opened.panels_with_sound(), 1, "the suspect's alone");

    // Three seconds are given, and are too few for a picture; nor are they recognised, which is told.
    configure("[evidence]\nexcerpt_s = 0\nreference_excerpt_s = 3\n");
    let opened = Opened::of(&house);
    assert_eq!(opened.names(), ["earwitness/excerpt-reference-1.wav"]);
    let reference = of(&opened.excerpts(), ExcerptOf::Reference).unwrap();
    assert_eq!((reference.span.samples, reference.recognised), (3 * ANALYSIS_RATE_HZ, Some(false)));
    assert_eq!(opened.panels_with_sound(), 1);
    let (bundle, _) = house.export();
    let output = earwitness(house.path())
        .args(["evidence", "verify", bundle.to_str().unwrap(), "--json"])
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), outcome(&output.stdout, "excerpts").as_str()),
        (Some(0), "not_checked")
    );

    configure("[evidence]\nreference_excerpt_s = 121\n");
    house
        .run(&["evidence", "export", "--out", "out"])
        .code(2)
        .stderr(contains("an excerpt has at most 120 seconds"));
}

#[test]
fn another_file_where_the_recording_was_is_not_given_away() {
    let house = House::new();
    let path = house.path().join("catalogue/one.wav");
    let mut other = fs::read(&path).unwrap();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    fs::write(&path, other).unwrap();
    let opened = Opened::of(&house);
    assert_eq!(opened.names(), ["earwitness/excerpt-suspect-1.wav"]);
    assert!(why(&opened.excerpts()).contains("its SHA-256 is another"), "{:?}", opened.excerpts());

    fs::remove_file(&path).unwrap();
    assert!(why(&Opened::of(&house).excerpts()).contains("no longer where the catalogue has it"));
    fs::create_dir(&path).unwrap();
    let opened = Opened::of(&house);
    assert!(why(&opened.excerpts()).contains("there is no file"), "{:?}", opened.excerpts());
    let (bundle, _) = house.export();
    let output = earwitness(house.path())
        .args(["evidence", "verify", bundle.to_str().unwrap(), "--json"])
        .output()
        .unwrap();
    assert_eq!((output.status.code(), outcome(&output.stdout, "excerpts").as_str()), (Some(0), "passed"));
    let lines = String::from_utf8(output.stdout).unwrap();
    let check = lines.lines().find(|line| line.contains("\"excerpts\"")).unwrap();
    let check: Value = serde_json::from_str(check).unwrap();
    assert!(check["detail"].as_str().unwrap().contains("1 of the suspect are what decoding gives there"));
}
