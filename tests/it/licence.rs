//! `earwitness licence`: import, list, explain, by the real binary.

use std::fs;
use std::path::Path;

use earwitness::catalog::Recording;
use earwitness::store::Store;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::earwitness;

const HEADER: &str = "licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,exclusive,sublicensable,territories,start,end\n";

const STORY: &str = "\
OWN,,,Avex,,all,,,Worldwide,,
L1,OWN,Avex,NetEase,163.com,all,yes,yes,CN,2017-02-01,2019-12-31
L2,L1,NetEase,Tencent,qq.com,all,no,no,CN,2018-03-01,2019-06-30
";

/// Puts one recording into the store that the binary will open.
fn seed(dir: &Path) {
    let recording: Recording =
        serde_json::from_value(serde_json::json!({ "recording_id": "R1", "title": "东京之夜" })).unwrap();
    Store::open(&dir.join("store")).unwrap().put(&recording).unwrap();
}

fn table(dir: &Path, rows: &str) -> std::path::PathBuf {
    let path = dir.join("licences.csv");
    fs::write(&path, format!("{HEADER}{rows}")).unwrap();
    path
}

#[test]
fn a_table_is_imported_once_and_explained_for_people_and_machines() {
    let dir = tempfile::tempdir().unwrap();
    seed(dir.path());
    let csv = table(dir.path(), STORY);
    let import = |extra: &[&str]| {
        let mut command = earwitness(dir.path());
        command.args(["licence", "import"]).arg(&csv).args(extra);
        command
    };
    import(&["--dry-run"]).assert().code(0).stdout(contains("3 new").and(contains("nothing recorded")));
    import(&[]).assert().code(0).stdout(contains("3 new, 0 changed, 0 unchanged, 0 rejected, 0 conflicts"));
    import(&[]).assert().code(0).stdout(contains("0 new, 0 changed, 3 unchanged"));

    let explain = |operator: &str, at: &str| {
        let mut command = earwitness(dir.path());
        command.args(["licence", "explain", "R1", "--territory", "CN", "--operator", operator, "--at", at]);
        command
    };
    explain("y.qq.com", "2018-06-01T00:00:00Z")
        .assert()
        .code(0)
        .stdout(contains("LICENSED  R1").and(contains("✓ yes")).and(contains("[L2] NetEase → Tencent")));
    explain("qq.com", "2019-07-01T00:00:00Z").assert().code(0).stdout(
        contains("UNLICENSED").and(contains("✗ no")).and(contains("expired on 2019-07-01T00:00:00Z")),
    );
    explain("mp3.example", "2018-06-01")
        .assert()
        .stdout(contains("NetEase holds the right exclusively in CN"));

    let output = explain("mp3.example", "2018-06-01").arg("--json").output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["decision"], "UNLICENSED");
    assert_eq!(answer["operator"], "mp3.example");
    assert!(!answer["steps"].as_array().unwrap().is_empty());

    let mut unknown = earwitness(dir.path());
    unknown.args(["licence", "explain", "R1"]).assert().stdout(contains("UNDETERMINED"));
    let mut missing = earwitness(dir.path());
    missing
        .args(["licence", "explain", "R9"])
        .assert()
        .code(2)
        .stderr(contains("there is no recording `R9`"));
}

#[test]
fn changed_terms_are_a_new_version_and_the_old_ones_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let import = |rows: &str| {
        let csv = table(dir.path(), rows);
        earwitness(dir.path()).args(["licence", "import"]).arg(csv).assert()
    };
    import(STORY).code(0);
    import(&STORY.replace("2019-12-31", "2020-12-31"))
        .code(0)
        .stdout(contains("0 new, 1 changed, 2 unchanged"));
    let list = |args: &[&str]| {
        let output = earwitness(dir.path()).args(["--json", "licence", "list"]).args(args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    assert_eq!(list(&[]).len(), 3);
    let history = list(&["--history", "--licensee", "163.com"]);
    let ends: Vec<&str> = history.iter().map(|version| version["end"].as_str().unwrap()).collect();
    assert_eq!(ends, ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]);
    assert_eq!(list(&["--territory", "JP"]).len(), 1);
    assert_eq!(list(&["--at", "2018-06-01"]).len(), 3);
    assert_eq!(list(&["--known-at", "2001-01-01"]).len(), 0);
}

#[test]
fn wrong_rows_are_named_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let csv = table(
        dir.path(),
        "OWN,,,Avex,,all,,,Worldwide,,\n\
         L1,OWN,Avex,NetEase,163.com,all,yes,yes,CN,2017-02-31,\n\
         L2,OWN,Avex,,163.com,all,yes,yes,Atlantis,2019-01-01,2018-01-01\n",
    );
    earwitness(dir.path())
        .args(["licence", "import"])
        .arg(&csv)
        .assert()
        .code(3)
        .stdout(contains("1 new, 0 changed, 0 unchanged, 2 rejected"))
        .stderr(
            contains("line 3, column 10 (start): `2017-02-31` is not a date")
                .and(contains("line 4, column 4 (licensee): is empty"))
                .and(contains("line 4, column 9 (territories): `Atlantis`"))
                .and(contains("line 4, column 11 (end): ends (")),
        );
}

#[test]
fn conflicts_are_told_with_their_lines_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let rows = format!(
        "{STORY}L3,OWN,Avex,Xiami,xiami.com,all,yes,no,CN,2018-01-01,2018-12-31\n\
         L4,L3,Xiami,Kugou,kugou.com,all,no,no,CN HK,2018-01-01,2018-12-31\n"
    );
    let csv = table(dir.path(), &rows);
    earwitness(dir.path())
        .args(["licence", "import"])
        .arg(&csv)
        .assert()
        .code(0)
        .stdout(contains("5 new"))
        .stderr(
            contains("L1 (line 3), L3 (line 5): NetEase and Xiami both hold exclusively")
                .and(contains(
                    "L4 (line 6), L3 (line 5): gives more than licence L3 has: it may not be sub-licensed",
                ))
                .and(contains("territories CN HK beyond CN")),
        );
}

#[test]
fn wrong_usage_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    let csv = table(dir.path(), STORY);
    earwitness(dir.path())
        .args(["licence", "import", "nowhere.csv"])
        .assert()
        .code(2)
        .stderr(contains("nowhere.csv"));
    earwitness(dir.path())
        .args(["licence", "import", "--time-zone", "Mars/Base"])
        .arg(&csv)
        .assert()
        .code(2)
        .stderr(contains("+08:00"));
    earwitness(dir.path()).args(["licence", "import", "--time-zone", "+08:00"]).arg(&csv).assert().code(0);
    earwitness(dir.path())
        .args(["licence", "list", "--territory", "UK"])
        .assert()
        .code(2)
        .stderr(contains("GB"));
}
