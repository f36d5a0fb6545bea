//! The configuration file: its schema, and what is said of mistakes.

use std::fs;

use earwitness::config;

use crate::support::{assert_committed, earwitness};

#[test]
fn the_schema_in_the_documentation_is_the_program_s() {
    let text = serde_json::to_string_pretty(&config::schema()).unwrap() + "\n";
    assert_committed("docs/earwitness.schema.json", text.as_bytes());
}

#[test]
fn the_schema_knows_every_key_and_allows_no_other() {
    let schema = serde_json::to_value(config::schema()).unwrap();
    let settings = serde_json::to_value(config::Settings::default()).unwrap();
    let known = schema["properties"].as_object().unwrap();
    for key in settings.as_object().unwrap().keys() {
        assert!(known[key]["description"].is_string(), "{key} is described");
    }
    assert_eq!(schema["additionalProperties"], false);
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions.iter().filter(|(_, one)| one["type"] == "object") {
        assert_eq!(definition["additionalProperties"], false, "{name}");
    }
}

#[test]
fn an_unknown_key_is_named_with_file_line_and_what_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("earwitness.toml");
    let cases = [
        (
            "[fetch]\nuser_agnet = \"x\"\n",
            vec!["line 2, column 1", "`user_agnet`", "did you mean `user_agent`?"],
        ),
        ("[sites.a]\nseed = []\n", vec!["line 2, column 1", "`seed`", "did you mean `seeds`?"]),
        ("\n\n[stroage]\n", vec!["line 3", "`stroage`", "did you mean `storage`?"]),
        ("[sites.a]\nrobots = \"never\"\n", vec!["line 2", "`never`", "`obey`"]),
        ("[matching]\nlog10_false_match_max = \"low\"\n", vec!["line 2", "invalid type"]),
        ("store = [\n", vec!["line 1"]),
    ];
    for (text, expected) in cases {
        fs::write(&file, text).unwrap();
        let output = earwitness(dir.path()).args(["catalog", "stats"]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}: {told}");
        for expected in ["earwitness.toml"].into_iter().chain(expected) {
            assert!(told.contains(expected), "no `{expected}` in {told}");
        }
    }
}

#[test]
fn a_named_file_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let output =
        earwitness(dir.path()).args(["--config", "nowhere.toml", "catalog", "stats"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("nowhere.toml"));
}
