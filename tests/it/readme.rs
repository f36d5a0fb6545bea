//! The README: its commands are commands, its tables and settings are read as they stand, its example comes out.

use std::fs;
use std::path::Path;

use earwitness::base::Timestamp;
use earwitness::{catalog, cli, config, rights};
use serde_json::Value;

use crate::golden::synthetic;
use crate::support::earwitness;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// Returns the fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Returns the command lines for the program itself, as words; `cargo run … --` counts as the program.
fn command_lines() -> Vec<Vec<String>> {
    let text = blocks("sh").concat();
    let inline = readme();
    let inline = inline.split('`').skip(1).step_by(2).filter(|code| code.starts_with("earwitness "));
    text.lines()
        .chain(inline)
        .map(|line| line.split(" #").next().unwrap().trim().replace("cargo run --release --", "earwitness"))
        .filter(|line| line.starts_with("earwitness "))
        .map(|line| words(&line))
        .collect()
}

/// Splits a command line as a shell does, double quotes minded.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_line_is_understood() {
    let lines = command_lines();
    assert!(lines.len() > 12, "{lines:?}");
    for line in lines {
        if let Err(error) = cli::check_arguments(line.clone()) {
            panic!("{}: {error}", line.join(" "));
        }
    }
}

#[test]
fn a_wrong_command_line_is_not_understood() {
    assert!(cli::check_arguments(words("earwitness catalogue add x")).is_err());
    assert!(cli::check_arguments(words("earwitness check")).is_err());
    assert!(cli::check_arguments(words("earwitness check --help")).is_ok());
}

#[test]
fn the_settings_are_read_and_show_every_section() {
    let [text] = &blocks("toml")[..] else { panic!("one block of settings") };
    config::Settings::parse(text, Path::new("README.md")).unwrap();
    let shown: toml::Table = text.parse().unwrap();
    let schema = serde_json::to_value(config::schema()).unwrap();
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(shown.contains_key(key), "the README does not show `{key}`");
    }
}

#[test]
fn the_tables_are_read_without_a_complaint() {
    let [recordings, licences] = &blocks("csv")[..] else { panic!("two tables") };
    let table = catalog::import::parse(recordings.as_bytes(), &catalog::import::Options::default());
    assert_eq!((table.rows.len(), table.problems.len()), (1, 0), "{:?}", table.problems);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let parsed = rights::parse_csv(licences.as_bytes(), &jiff::tz::TimeZone::UTC, now);
    assert_eq!((parsed.rows.len(), parsed.problems.len()), (3, 0), "{:?}", parsed.problems);
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let dir = tempfile::tempdir().unwrap();
    let help = earwitness(dir.path()).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for (code, meaning) in
        [(0, "done, nothing unlicensed found"), (2, "wrong usage or configuration"), (4, "could not run")]
    {
        assert!(help.contains(&format!("{code} {meaning}")), "{help}");
        assert!(readme().contains(&format!("| {code} | {meaning}")), "{code}");
    }
}

/// Writes mono samples as a WAV file of 16 bits.
fn write_wav(path: &Path, samples: &[f32]) {
    let rate = earwitness::base::ANALYSIS_RATE_HZ;
    let data: Vec<u8> =
        samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&rate.to_le_bytes());
    bytes.extend_from_slice(&(rate * 2).to_le_bytes());
    bytes.extend_from_slice(b"\x02\0\x10\0data");
    bytes.extend_from_slice(&(data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&data);
    fs::write(path, bytes).unwrap();
}

/// Runs the example on files of its own as far as it needs no network.
#[test]
fn the_example_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    let [recordings, licences] = &blocks("csv")[..] else { panic!("two tables") };
    fs::write(dir.path().join("recordings.csv"), recordings).unwrap();
    fs::write(dir.path().join("licences.csv"), licences).unwrap();
    let [settings] = &blocks("toml")[..] else { panic!("one block of settings") };
    // The store of the test is given by the environment.
    fs::write(dir.path().join("earwitness.toml"), settings).unwrap();
    fs::create_dir(dir.path().join("masters")).unwrap();
    let song = synthetic(7, 20);
    write_wav(&dir.path().join("masters/sakura.wav"), &song);
    write_wav(&dir.path().join("suspect.mp3"), &song[4 * 11_025..16 * 11_025]);

    let mut answers = Vec::new();
    for line in command_lines() {
        let offline = match line[1].as_str() {
            "catalog" | "licence" => true,
            "identify" => !line.contains(&"--follow".to_owned()),
            "check" => !line[2].contains("://"),
            "cases" => line[2] == "list",
            _ => false,
        };
        if !offline || line.contains(&"--help".to_owned()) || line.contains(&"add".to_owned()) {
            continue;
        }
        let output = earwitness(dir.path()).args(&line[1..]).args(["--json", "-q"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected = i32::from(line[1] == "check");
        assert_eq!(output.status.code(), Some(expected), "{}: {told}", line.join(" "));
        answers.push((line[1].clone(), String::from_utf8(output.stdout).unwrap()));
    }
    let of = |command: &str| &answers.iter().rev().find(|(name, _)| name == command).unwrap().1;
    assert!(of("licence").contains("LICENSED"), "{}", of("licence"));
    assert!(of("check").contains("UNLICENSED"), "{}", of("check"));

    let answer: Value = serde_json::from_str(of("identify").trim()).unwrap();
    let shown: Value = serde_json::from_str(&blocks("json")[0]).unwrap();
    assert_eq!(keys(&answer), keys(&shown));
    assert_eq!(keys(&answer["matches"][0]), keys(&shown["matches"][0]), "{answer}");
    assert_eq!(answer["matches"][0]["recording_id"], "SAKURA-01");
    let start = answer["matches"][0]["reference_start_s"].as_f64().unwrap();
    assert!((3.5..6.0).contains(&start), "{answer}");
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}
