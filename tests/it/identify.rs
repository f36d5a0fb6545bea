//! `earwitness identify --json` on music that was altered as copies out there are, on strangers, and on files that are
//! no music at all.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::music::{excerpt, interleave, music, played, sped_up, write_float_wav, write_wav};
use crate::support::earwitness;

const RATE_HZ: u32 = 22_050;
const SECONDS: f64 = 40.0;
/// How far a place in time may be off, in seconds.
const PLACE_S: f64 = 1.0;

/// A store with the recordings `one` and `two`, and the samples of both.
struct House {
    folder: tempfile::TempDir,
    one: Vec<f32>,
    two: Vec<f32>,
}

/// Seeds of music that no catalogue has.
const STRANGER: u64 = 77;
const OTHER_STRANGER: u64 = 78;

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (music(1, SECONDS, RATE_HZ), music(2, SECONDS, RATE_HZ));
        fs::create_dir(folder.path().join("catalogue")).unwrap();
        for (name, samples) in [("one", &one), ("two", &two)] {
            write_wav(&folder.path().join(format!("catalogue/{name}.wav")), samples, RATE_HZ, 1);
        }
        earwitness(folder.path()).args(["catalog", "add", "catalogue"]).assert().success();
        Self { folder, one, two }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn mono(&self, name: &str, samples: &[f32]) {
        write_wav(&self.path().join(name), samples, RATE_HZ, 1);
    }

    fn stereo(&self, name: &str, left: &[f32], right: &[f32]) {
        write_wav(&self.path().join(name), &interleave(&[left, right]), RATE_HZ, 2);
    }

    /// The answers to files, in their order; the exit code must be `code`.
    fn identify(&self, files: &[&str], code: i32) -> Vec<Value> {
        let output = earwitness(self.path()).args(["identify", "--json"]).args(files).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let queries: Vec<&str> = answers.iter().map(|answer| answer["query"].as_str().unwrap()).collect();
        assert_eq!(queries, files);
        answers
    }
}

fn matches(answer: &Value) -> &[Value] {
    answer["matches"].as_array().unwrap()
}

/// The only match, which must be of `recording`.
fn only<'a>(answer: &'a Value, recording: &str) -> &'a Value {
    let [one] = matches(answer) else { panic!("not one match: {answer:#}") };
    assert_eq!(one["recording_id"], recording, "{answer:#}");
    one
}

#[track_caller]
fn assert_near(one: &Value, field: &str, wanted: f64, tolerance: f64) {
    let value = one[field].as_f64().unwrap();
    assert!((value - wanted).abs() <= tolerance, "{field} is {value}, not {wanted} ± {tolerance}: {one:#}");
}

#[track_caller]
fn assert_span(one: &Value, query: [f64; 2], reference: [f64; 2]) {
    assert_near(one, "query_start_s", query[0], PLACE_S);
    assert_near(one, "query_end_s", query[1], PLACE_S);
    assert_near(one, "reference_start_s", reference[0], PLACE_S);
    assert_near(one, "reference_end_s", reference[1], PLACE_S);
}

#[track_caller]
fn assert_altered(one: &Value, speed: f64, tempo: f64, semitones: f64) {
    assert_near(one, "speed", speed, 0.005 * speed);
    assert_near(one, "tempo", tempo, 0.005 * tempo);
    assert_near(one, "pitch_semitones", semitones, 0.1);
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn answers_have_the_fields_of_the_contract() {
    let house = House::new();
    house.mono("excerpt.wav", &excerpt(&house.one, RATE_HZ, 12.0, 22.0));
    house.mono("stranger.wav", &music(STRANGER, 10.0, RATE_HZ));
    let answers = house.identify(&["excerpt.wav", "missing.wav", "stranger.wav"], 3);
    for answer in &answers {
        assert_eq!(keys(answer), ["duration_s", "error", "matches", "query", "warnings"]);
    }
    assert_near(&answers[0], "duration_s", 10.0, 0.01);
    assert_eq!(answers[0]["error"], Value::Null);
    let one = only(&answers[0], "one");
    assert_eq!(
        keys(one),
        [
            "channel",
            "log10_false_match",
            "matched_peaks",
            "pitch_semitones",
            "query_end_s",
            "query_start_s",
            "recording_id",
            "reference_end_s",
            "reference_start_s",
            "speed",
            "tempo"
        ]
    );
    assert_eq!(one["channel"], "mid");
    assert!(one["matched_peaks"].as_u64().unwrap() >= 5);
    assert!(one["log10_false_match"].as_f64().unwrap() <= -6.0);
    assert_span(one, [0.0, 10.0], [12.0, 22.0]);
    assert_altered(one, 1.0, 1.0, 0.0);
    assert!(answers[1]["error"].as_str().unwrap().contains("missing.wav"));
    assert_eq!(answers[1]["duration_s"], Value::Null);
    assert_eq!(answers[1]["matches"], Value::Array(Vec::new()));
    assert_eq!(answers[2]["matches"], Value::Array(Vec::new()));
}

#[test]
fn alterations_are_found_and_named() {
    let house = House::new();
    let part = excerpt(&house.one, RATE_HZ, 10.0, 25.0);
    house.mono("faster.wav", &sped_up(&part, 1.25));
    house.mono("slower.wav", &sped_up(&part, 0.8));
    house.mono("quiet.wav", &part.iter().map(|sample| sample * 0.0316).collect::<Vec<_>>());
    let quick = played(1, SECONDS, RATE_HZ, 1.15, 0.0);
    house.mono("quick.wav", &excerpt(&quick, RATE_HZ, 10.0 / 1.15, 25.0 / 1.15));
    let high = played(1, SECONDS, RATE_HZ, 1.0, 2.0);
    house.mono("high.wav", &excerpt(&high, RATE_HZ, 10.0, 25.0));
    let files = ["faster.wav", "slower.wav", "quiet.wav", "quick.wav", "high.wav"];
    let answers = house.identify(&files, 0);
    let wanted = [
        (12.0, [1.25, 1.0, 0.0]),
        (18.75, [0.8, 1.0, 0.0]),
        (15.0, [1.0, 1.0, 0.0]),
        (15.0 / 1.15, [1.0, 1.15, 0.0]),
        (15.0, [1.0, 1.0, 2.0]),
    ];
    for (answer, (length_s, [speed, tempo, semitones])) in answers.iter().zip(wanted) {
        let one = only(answer, "one");
        assert_altered(one, speed, tempo, semitones);
        assert_span(one, [0.0, length_s], [10.0, 25.0]);
    }
}

#[test]
fn channels_are_told_apart() {
    let house = House::new();
    let part = excerpt(&house.one, RATE_HZ, 10.0, 25.0);
    let silence = vec![0.0; part.len()];
    let inverted: Vec<f32> = part.iter().map(|sample| -sample).collect();
    house.stereo("inverted.wav", &part, &inverted);
    house.stereo("left.wav", &part, &silence);
    house.stereo("right.wav", &music(STRANGER, 15.0, RATE_HZ), &part);
    let six = interleave(&[&part, &part, &silence, &silence, &part, &part]);
    write_wav(&house.path().join("six.wav"), &six, RATE_HZ, 6);
    let answers = house.identify(&["inverted.wav", "left.wav", "right.wav", "six.wav"], 0);
    let channels = [&["side"][..], &["mid", "left"], &["right"], &["mid"]];
    for (answer, channels) in answers.iter().zip(channels) {
        let one = only(answer, "one");
        assert_span(one, [0.0, 15.0], [10.0, 25.0]);
        assert_altered(one, 1.0, 1.0, 0.0);
        assert!(channels.contains(&one["channel"].as_str().unwrap()), "{answer:#}");
    }
}

#[test]
fn several_recordings_in_one_file_are_all_found() {
    let house = House::new();
    let of_one = excerpt(&house.one, RATE_HZ, 5.0, 20.0);
    let of_two = excerpt(&house.two, RATE_HZ, 20.0, 35.0);
    house.mono("after.wav", &[of_one.as_slice(), &of_two].concat());
    let mixed: Vec<f32> = of_one.iter().zip(&of_two).map(|(a, b)| 0.5 * a + 0.5 * b).collect();
    house.mono("mixed.wav", &mixed);
    let before = music(STRANGER, 20.0, RATE_HZ);
    let after = music(OTHER_STRANGER, 25.0, RATE_HZ);
    house.mono("within.wav", &[before.as_slice(), &of_two, &after].concat());
    house.mono("stranger.wav", &[before.as_slice(), &after].concat());
    let answers = house.identify(&["after.wav", "mixed.wav", "within.wav", "stranger.wav"], 0);
    let [first, second] = matches(&answers[0]) else { panic!("{:#}", answers[0]) };
    assert_eq!((&first["recording_id"], &second["recording_id"]), (&"one".into(), &"two".into()));
    assert_span(first, [0.0, 15.0], [5.0, 20.0]);
    assert_span(second, [15.0, 30.0], [20.0, 35.0]);
    assert_eq!(matches(&answers[1]).len(), 2, "{:#}", answers[1]);
    for one in matches(&answers[1]) {
        let start_s = if one["recording_id"] == "one" { 5.0 } else { 20.0 };
        assert_span(one, [0.0, 15.0], [start_s, start_s + 15.0]);
    }
    assert_ne!(matches(&answers[1])[0]["recording_id"], matches(&answers[1])[1]["recording_id"]);
    assert_span(only(&answers[2], "two"), [20.0, 35.0], [20.0, 35.0]);
    assert_eq!(matches(&answers[3]), [] as [Value; 0]);
}

#[test]
fn odd_files_are_answered_one_by_one() {
    let house = House::new();
    let dir = house.path();
    let part = excerpt(&house.one, RATE_HZ, 10.0, 20.0);
    house.mono("good.wav", &part);
    house.mono("second.wav", &excerpt(&house.one, RATE_HZ, 10.0, 11.0));
    house.mono("silence.wav", &vec![0.0; 5 * RATE_HZ as usize]);
    fs::write(dir.join("empty.wav"), b"").unwrap();
    fs::write(dir.join("text.mp3"), "This is no music, whatever its name says.\n".repeat(50)).unwrap();
    let gone = vec![f32::NAN; 5 * RATE_HZ as usize];
    write_float_wav(&dir.join("nan.wav"), &gone, RATE_HZ, 1);
    write_float_wav(&dir.join("half.wav"), &[part.as_slice(), &gone].concat(), RATE_HZ, 1);
    let high = sped_up(&part, f64::from(RATE_HZ) / 192_000.0);
    write_wav(&dir.join("192k.wav"), &high, 192_000, 1);
    let files = [
        "good.wav",
        "empty.wav",
        "second.wav",
        "text.mp3",
        "nan.wav",
        "silence.wav",
        "half.wav",
        "missing.wav",
        "192k.wav",
    ];
    let answers = house.identify(&files, 3);
    for (answer, file) in answers.iter().zip(files) {
        let bad = ["empty.wav", "text.mp3", "missing.wav"].contains(&file);
        assert_eq!(answer["error"].as_str().is_some(), bad, "{answer:#}");
        assert!(answer["error"].as_str().is_none_or(|error| error.contains(file)), "{answer:#}");
        assert!(!bad || answer["duration_s"].is_null(), "{answer:#}");
    }
    // A second may be too little to be sure, but is never taken for something else.
    assert!(matches(&answers[2]).iter().all(|one| one["recording_id"] == "one"));
    for (answer, length_s) in [(&answers[0], 10.0), (&answers[6], 15.0), (&answers[8], 10.0)] {
        assert_near(answer, "duration_s", length_s, 0.02);
        assert_span(only(answer, "one"), [0.0, 10.0], [10.0, 20.0]);
    }
    for answer in [&answers[4], &answers[5]] {
        assert_eq!(matches(answer), [] as [Value; 0]);
    }
    let output = earwitness(dir).arg("identify").args(files).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 3, "{told}");
}
