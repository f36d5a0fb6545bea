//! `earwitness demo`, by the real binary: one run whose every line is looked at, and a second one after it.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use crate::support::earwitness;

/// Runs the demonstration in `dir/run` and gives its JSON lines.
fn demo(dir: &Path) -> Vec<Value> {
    let run = earwitness(dir).args(["--json", "demo", "--dir", "run"]).assert().success();
    let stdout = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn situation<'a>(lines: &'a [Value], file: &str) -> &'a Value {
    let of_file = |line: &&Value| line["file"].as_str().is_some_and(|path| path.ends_with(file));
    lines.iter().find(of_file).unwrap_or_else(|| panic!("no line about {file}"))
}

/// Recording, verdict and speed of each finding, in the order of recordings.
fn findings(line: &Value) -> Vec<(&str, &str, f64)> {
    let finding = |finding: &'_ Value| {
        let matches = finding["matches"].as_array().unwrap();
        assert_eq!(matches.len(), 1, "{finding}");
        assert!((matches[0]["tempo"].as_f64().unwrap() - 1.0).abs() < 0.01, "{finding}");
        assert!(matches[0]["pitch_semitones"].as_f64().unwrap().abs() < 0.2, "{finding}");
        matches[0]["speed"].as_f64().unwrap()
    };
    let all = line["findings"].as_array().unwrap().iter();
    all.map(|one| {
        (one["recording_id"].as_str().unwrap(), one["verdict"]["decision"].as_str().unwrap(), finding(one))
    })
    .collect()
}

fn assert_findings(lines: &[Value], file: &str, wanted: &[(&str, &str, f64)]) {
    let line = situation(lines, file);
    let found = findings(line);
    assert_eq!(found.len(), wanted.len(), "{line}");
    for ((id, verdict, speed), (wanted_id, wanted_verdict, wanted_speed)) in found.iter().zip(wanted) {
        assert_eq!((id, verdict), (wanted_id, wanted_verdict), "{line}");
        assert!((speed / wanted_speed - 1.0).abs() < 0.01, "{line}");
    }
    assert_eq!(line["as_expected"], true, "{line}");
    assert_eq!(line["error"], Value::Null, "{line}");
}

fn assert_verdicts(lines: &[Value]) {
    assert_eq!(lines.len(), 10, "nine situations and the folder");
    assert_findings(lines, "platform/stream/aoi-002.wav", &[("AOI-002", "LICENSED", 1.0)]);
    assert_findings(lines, "radio/audio/morning.wav", &[("AOI-003", "LICENSED", 1.0)]);
    assert_findings(lines, "radio/audio/evening.wav", &[("AOI-004", "UNLICENSED", 1.0)]);
    assert_findings(lines, "dj-nobody-city-lights.wav", &[("AOI-001", "UNLICENSED", 1.0)]);
    assert_findings(lines, "coffee-nightcore.wav", &[("AOI-003", "UNLICENSED", 1.25)]);
    let mix = [("AOI-002", "UNLICENSED", 1.0), ("AOI-004", "UNLICENSED", 1.0)];
    assert_findings(lines, "episode-12.wav", &mix);
    assert_findings(lines, "77-1.wav", &[("AOI-005", "UNDETERMINED", 1.0)]);
    assert_findings(lines, "my-first-song.wav", &[]);
    let broken = situation(lines, "new-song.wav");
    assert_eq!(broken["as_expected"], true, "{broken}");
    assert!(broken["error"].as_str().unwrap().contains("/dl/new-song.wav"), "{broken}");
    let page = situation(lines, "city-lights.wav");
    assert!(page["page_url"].as_str().unwrap().ends_with("/song/10441.html"), "{page}");
    assert!(page["page_title"].as_str().unwrap().starts_with("City Lights"), "{page}");
    let sub_licensed = situation(lines, "morning.wav")["findings"][0]["verdict"]["reasons"].to_string();
    for licence in ["OWN-AOI", "L-CN", "S-RADIO"] {
        assert!(sub_licensed.contains(licence), "{sub_licensed}");
    }
}

fn assert_notices(lines: &[Value]) {
    let notices = lines.last().unwrap()["notices"].as_array().unwrap();
    assert_eq!(notices.len(), 3, "one to each operator of unlicensed copies");
    let read = |kind: &str| -> String {
        notices.iter().map(|notice| fs::read_to_string(notice[kind].as_str().unwrap()).unwrap()).collect()
    };
    for text in [read("html"), read("json")] {
        for title in ["夜明けの駅", "青い自転車", "雨の喫茶店", "花火のあと"] {
            assert!(text.contains(title), "{title}");
        }
        assert!(!text.contains("祖母の子守唄"), "an undetermined case is no reason for a notice");
    }
    for file in ["evening.wav", "city-lights.wav", "nightcore.wav", "episode-12.wav"] {
        let urls: Vec<&str> = lines
            .iter()
            .filter_map(|line| line["query"].as_str())
            .filter(|url| url.ends_with(file))
            .collect();
        assert_eq!(urls.len(), 1, "{file}");
        assert!(read("json").contains(urls[0]), "{}", urls[0]);
        assert!(read("html").contains(file), "{file}");
    }
}

#[test]
fn every_verdict_is_right_and_the_folder_goes_on_working() {
    let dir = tempfile::tempdir().unwrap();
    let lines = demo(dir.path());
    assert_verdicts(&lines);
    assert_notices(&lines);

    let folder = dir.path().join("run");
    let config = lines.last().unwrap()["config"].as_str().unwrap();
    let ordinary = |args: &[&str]| {
        let mut command = earwitness(dir.path());
        command.env_remove("EARWITNESS_STORE").args(["--config", config]).args(args).assert()
    };
    let noticed = ordinary(&["--json", "cases", "list", "--state", "noticed"]).success();
    let noticed = String::from_utf8(noticed.get_output().stdout.clone()).unwrap();
    assert_eq!(noticed.lines().count(), 5);
    ordinary(&["cases", "list", "--state", "undetermined"]).success().stdout(contains("祖母の子守唄"));
    ordinary(&["catalog", "list"]).success().stdout(contains("雨の喫茶店"));
    let radio = situation(&lines, "morning.wav")["operator"].as_str().unwrap();
    let explain = ["licence", "explain", "AOI-003", "--territory", "CN", "--operator", radio];
    ordinary(&explain).success().stdout(contains("LICENSED").and(contains("S-RADIO")));
    let mix = folder.join("site/mixes/media/episode-12.wav");
    ordinary(&["identify", mix.to_str().unwrap()])
        .success()
        .stdout(contains("AOI-002").and(contains("AOI-004")));
    // The tables are templates: importing them again changes nothing.
    let licences = folder.join("licences.csv");
    ordinary(&["licence", "import", licences.to_str().unwrap()]).success().stdout(contains("3 unchanged"));

    // A second run begins afresh, and leaves alone what it did not make.
    fs::write(folder.join("my-notes.txt"), "mine").unwrap();
    let again = demo(dir.path());
    assert_verdicts(&again);
    assert_eq!(fs::read_to_string(folder.join("my-notes.txt")).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.join("notices")).unwrap().count(), 18);
}

#[test]
fn somebody_elses_folder_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("music");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("song.wav"), "mine").unwrap();
    earwitness(dir.path())
        .args(["demo", "--dir", "music"])
        .assert()
        .code(2)
        .stderr(contains("was not made by `earwitness demo`").and(contains("--dir")));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}
