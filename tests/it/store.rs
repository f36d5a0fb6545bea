//! The store under the real program: backup and restore, kills, locks, full disks, damage.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use earwitness::base::RecordingId;
use earwitness::catalog::Recording;
use earwitness::store::{Batch, Store};
use predicates::prelude::*;

use crate::music::{excerpt, music, write_wav};
use crate::support::earwitness;

/// How many lines an import commits together.
const LINES_PER_BATCH: usize = 500;

fn lines(count: usize, round: usize) -> String {
    (0..count)
        .map(|n| {
            format!(
                "{{\"kind\":\"recording\",\"key\":\"r{n:06}\",\"value\":{{\"recording_id\":\"r{n:06}\",\
                 \"title\":\"夜に駆ける {n}\",\"version\":\"{round}\"}}}}\n"
            )
        })
        .collect()
}

fn put(folder: &Path, ids: &[&str]) {
    let store = Store::open(folder).unwrap();
    let mut batch = Batch::new();
    for id in ids {
        batch.put(&Recording::new(RecordingId::new(id).unwrap(), format!("title of {id}"))).unwrap();
    }
    store.commit(batch).unwrap();
}

#[test]
fn export_and_import_give_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("store"), &["a", "b", "日本"]);
    earwitness(folder.path()).args(["store", "export", "backup.jsonl"]).assert().success();
    let backup = fs::read_to_string(folder.path().join("backup.jsonl")).unwrap();
    assert_eq!(backup.lines().count(), 3);
    let restored = |command: &mut assert_cmd::Command| {
        command.env("EARWITNESS_STORE", folder.path().join("restored"));
    };
    let mut import = earwitness(folder.path());
    restored(&mut import);
    import
        .args(["store", "import", "backup.jsonl", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains(r#""written":3,"failed":0"#));
    let mut export = earwitness(folder.path());
    restored(&mut export);
    export.args(["store", "export", "-"]).assert().success().stdout(backup);
}

#[test]
fn bad_lines_of_an_import_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}nonsense\n{}", lines(1, 0), r#"{"kind":"what","key":"a","value":1}"#);
    fs::write(folder.path().join("in.jsonl"), text).unwrap();
    earwitness(folder.path()).args(["store", "import", "in.jsonl"]).assert().code(3).stderr(
        predicate::str::contains("in.jsonl:2: ").and(predicate::str::contains("in.jsonl:3: unknown kind")),
    );
    earwitness(folder.path()).args(["store", "import", "missing.jsonl"]).assert().code(2);
    earwitness(folder.path())
        .args(["store", "stats", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains(r#""kind":"recording","journalled":true,"records":1"#));
    earwitness(folder.path())
        .args(["store", "stats"])
        .assert()
        .success()
        .stdout(predicate::str::contains("journal"));
    earwitness(folder.path())
        .args(["store", "check"])
        .assert()
        .success()
        .stdout(predicate::str::contains("whole"));
}

/// Each round writes all records anew with its number; it is killed when the journal has grown by some amount. Then
/// records of the round must stand before those of the rounds before, and change over only between batches.
#[test]
fn a_kill_at_any_instant_leaves_whole_batches() {
    const RECORDS: usize = 6000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    put(&path, &[]);
    let mut versions = vec![String::new(); RECORDS];
    // Some kills hit the opening, some the writing, the last none at all.
    let growths = [0u64, 1, 60_000, 200_000, 350_000, 90_000, 0, 500_000, 140_000, 280_000, 7_000, u64::MAX];
    for (round, growth) in growths.into_iter().enumerate() {
        let input = folder.path().join("in.jsonl");
        fs::write(&input, lines(RECORDS, round)).unwrap();
        kill_after_growth(&path, &input, growth);
        let store = Store::open(&path).unwrap();
        assert!(store.check().unwrap().problems.is_empty(), "round {round}");
        let mut now = vec![String::new(); RECORDS];
        for recording in store.scan::<Recording>("").unwrap() {
            let recording = recording.unwrap();
            let number: usize = recording.recording_id.as_str()[1..].parse().unwrap();
            now[number] = recording.version.unwrap();
        }
        let own = round.to_string();
        let done = now.iter().take_while(|version| **version == own).count();
        assert!(done % LINES_PER_BATCH == 0, "round {round} wrote {done} records");
        assert_eq!(now[done..], versions[done..], "round {round} wrote {done} records");
        versions = now;
    }
    assert!(versions.iter().all(|version| *version == (growths.len() - 1).to_string()));
}

/// Runs an import and kills it (SIGKILL) once the journal has grown by `growth` bytes, or lets it end.
fn kill_after_growth(store: &Path, input: &Path, growth: u64) {
    let journal = store.join("journal");
    let length = || fs::metadata(&journal).map_or(0, |metadata| metadata.len());
    let before = length();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"))
        .args(["--quiet", "--store"])
        .arg(store)
        .args(["store", "import"])
        .arg(input)
        .env_remove("EARWITNESS_CONFIG")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (_never, tick) = mpsc::channel::<()>();
    while child.try_wait().unwrap().is_none() {
        if length().saturating_sub(before) >= growth {
            child.kill().unwrap();
        }
        let _ = tick.recv_timeout(Duration::from_micros(300));
    }
    let status = child.wait().unwrap();
    assert!(status.success() || status.code().is_none(), "{status}");
}

#[test]
fn a_locked_store_says_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let _store = Store::open(&folder.path().join("store")).unwrap();
    earwitness(folder.path())
        .args(["store", "stats"])
        .assert()
        .code(4)
        .stderr(predicate::str::contains(format!("in use by another process (pid {})", std::process::id())));
    earwitness(folder.path()).args(["store", "rebuild"]).assert().code(4);
}

#[test]
fn a_full_disk_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), lines(1, 0)).unwrap();
    let floor = i64::MAX;
    fs::write(folder.path().join("earwitness.toml"), format!("[storage]\nkeep_free_bytes = {floor}\n"))
        .unwrap();
    earwitness(folder.path())
        .args(["store", "import", "in.jsonl"])
        .assert()
        .code(4)
        .stderr(predicate::str::contains("bytes are free").and(predicate::str::contains("make space")));
}

#[test]
fn damage_is_named_and_can_be_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    put(&path, &["a"]);
    put(&path, &["b"]);
    earwitness(folder.path()).args(["store", "export", "before.jsonl"]).assert().success();
    let journal = path.join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[50] ^= 1;
    fs::write(&journal, bytes).unwrap();
    for command in ["stats", "check"] {
        earwitness(folder.path()).args(["store", command]).assert().code(4).stderr(
            predicate::str::contains("damaged at byte 32").and(predicate::str::contains("store rebuild")),
        );
    }
    earwitness(folder.path())
        .args(["store", "rebuild"])
        .assert()
        .success()
        .stderr(predicate::str::contains("recovered from the old trees"));
    let before = fs::read_to_string(folder.path().join("before.jsonl")).unwrap();
    earwitness(folder.path()).args(["store", "export", "-"]).assert().success().stdout(before);
}

#[test]
fn folders_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    earwitness(folder.path())
        .args(["--store", ".", "store", "stats"])
        .assert()
        .code(4)
        .stderr(predicate::str::contains("not a store"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

const RATE_HZ: u32 = 11_025;

/// Makes three recordings with a query of each, and adds them to the store of the folder.
fn add_music(dir: &Path) {
    fs::create_dir(dir.join("music")).unwrap();
    for number in 0..3 {
        let samples = music(number, 12.0, RATE_HZ);
        write_wav(&dir.join(format!("music/r{number}.wav")), &samples, RATE_HZ, 1);
        let part = excerpt(&samples, RATE_HZ, 3.0, 10.0);
        write_wav(&dir.join(format!("query{number}.wav")), &part, RATE_HZ, 1);
    }
    earwitness(dir).args(["catalog", "add", "music"]).assert().success();
}

fn in_store(dir: &Path, store: &str, arguments: &[&str]) -> assert_cmd::assert::Assert {
    earwitness(dir).args(["--store", store]).args(arguments).assert()
}

fn answers(dir: &Path, store: &str) -> String {
    let arguments = ["identify", "--json", "query0.wav", "query1.wav", "query2.wav"];
    let output = in_store(dir, store, &arguments).success().get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_backup_brings_back_catalogue_licences_and_index() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    add_music(dir);
    let licences = "licence_id,licensor,licensee,scope,territories\nOWN,,Label,all,Worldwide\n";
    fs::write(dir.join("licences.csv"), licences).unwrap();
    in_store(dir, "store", &["licence", "import", "licences.csv"]).success();
    in_store(dir, "store", &["store", "export", "backup.jsonl"])
        .success()
        .stderr(predicate::str::contains("4 records and 3 fingerprints"));
    let backup = fs::read_to_string(dir.join("backup.jsonl")).unwrap();
    assert!(!backup.contains("index_manifest"), "{backup}");
    for _ in 0..2 {
        in_store(dir, "restored", &["store", "import", "backup.jsonl", "--json"])
            .success()
            .stdout("{\"written\":4,\"failed\":0,\"problems\":[],\"fingerprints\":3}\n");
    }
    let before = answers(dir, "store");
    assert_eq!(before.matches("\"recording_id\"").count(), 3, "{before}");
    assert_eq!(answers(dir, "restored"), before);
    in_store(dir, "restored", &["store", "export", "-"]).success().stdout(backup);
    in_store(dir, "restored", &["store", "check", "--json"])
        .success()
        .stdout("{\"records\":5,\"blobs\":0,\"segments\":1,\"fingerprints\":3,\"problems\":[]}\n");
    in_store(dir, "restored", &["store", "stats", "--json"])
        .success()
        .stdout(predicate::str::contains(r#""index":{"segments":1,"recordings":3,"bytes":"#));
    in_store(dir, "restored", &["store", "stats"])
        .success()
        .stdout(predicate::str::contains("3 recordings in 1 segments"));
    // What is there already is known by its bytes.
    in_store(dir, "restored", &["catalog", "add", "music"])
        .success()
        .stderr(predicate::str::contains("0 added, 0 updated, 3 unchanged"));
}

#[test]
fn bad_fingerprints_of_an_import_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let line = |key: &str, value: &str| {
        format!("{{\"kind\":\"fingerprint\",\"key\":\"{key}\",\"value\":{value}}}\n")
    };
    let text = lines(1, 0)
        + &line("r000000", r#"{"format":2,"bytes":"%"}"#)
        + &line("r000000", r#"{"format":2,"bytes":"AAAA"}"#)
        + &line("r000000", r#"{"format":9,"bytes":""}"#)
        + &line("", r#"{"format":2,"bytes":""}"#)
        + &line("r000000", "null")
        + &line("r000000", r#"{"format":2}"#);
    fs::write(folder.path().join("in.jsonl"), text).unwrap();
    let mut assert = in_store(folder.path(), "store", &["store", "import", "in.jsonl"]).code(3);
    for said in [
        "in.jsonl:2: fingerprint `r000000`: Invalid",
        "in.jsonl:3: fingerprint `r000000`: not a fingerprint",
        "in.jsonl:4: fingerprint `r000000`: fingerprint has format version 9",
        "in.jsonl:5: fingerprint ``: a recording_id is empty",
        "in.jsonl:6: ",
        "in.jsonl:7: fingerprint `r000000`: missing field `bytes`",
        "1 records and 0 fingerprints written, 6 lines failed",
    ] {
        assert = assert.stderr(predicate::str::contains(said));
    }
}

#[test]
fn a_damaged_index_is_named_and_repaired_from_a_backup_or_the_audio() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    add_music(dir);
    in_store(dir, "store", &["store", "export", "backup.jsonl"]).success();
    let before = answers(dir, "store");
    for repair in [["store", "import", "backup.jsonl"], ["catalog", "add", "music"]] {
        let segment = fs::read_dir(dir.join("store/index")).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&segment).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&segment, bytes).unwrap();
        // Looking changes nothing, however often.
        for _ in 0..2 {
            in_store(dir, "store", &["store", "check"]).code(4).stderr(
                predicate::str::contains("is damaged: the checksum of its")
                    .and(predicate::str::contains("audio without a fingerprint: `r0`, `r1`, `r2`")),
            );
            in_store(dir, "store", &["store", "export", "-"])
                .code(3)
                .stdout(predicate::str::contains("\"fingerprint\"").not())
                .stderr(predicate::str::contains("its fingerprints are left out"));
        }
        in_store(dir, "store", &repair);
        in_store(dir, "store", &["store", "check"]).success();
        assert_eq!(answers(dir, "store"), before);
    }
    let segment = fs::read_dir(dir.join("store/index")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(segment).unwrap();
    in_store(dir, "store", &["store", "check"]).code(4).stderr(predicate::str::contains("index segment"));
    in_store(dir, "store", &["store", "stats"]).success();
    in_store(dir, "store", &["store", "import", "backup.jsonl"]).success();
    in_store(dir, "store", &["store", "check"]).success();
}
