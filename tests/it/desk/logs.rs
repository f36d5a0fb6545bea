//! What a service writes on stderr, for those who collect logs.

use std::fs::{self, File};
use std::process::Stdio;

use serde_json::Value;

use super::Desk;

#[test]
fn each_line_is_an_object_and_each_request_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let desk =
        Desk::serve_into(folder.path(), &["--log-format", "json"], Stdio::from(File::create(&log).unwrap()));
    let mut client = desk.client();
    assert_eq!(client.get("/healthz").status, 200);
    assert_eq!(client.get("/cases/C-secret?q=words").status, 303);
    assert_eq!(desk.end(), 0);
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{text}");
    let of =
        |route: &str| lines.iter().find(|line| line["route"] == route).unwrap_or_else(|| panic!("{text}"));
    assert_eq!((&of("/healthz")["status"], &of("/healthz")["method"]), (&200.into(), &"GET".into()));
    assert_eq!(of("/cases/{case_id}")["status"], 303);
    // What was asked for may be about somebody.
    assert!(!text.contains("C-secret") && !text.contains("words"), "{text}");
}
