//! Backups that are taken while people decide, and what is made of them.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use earwitness::store::Store;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;

use super::deciding::{Answered, Deciding, assert_holds, decided, fill, token, wait_until};
use super::{Client, Desk};
use crate::evidence::House;
use crate::support::earwitness;

fn restored(house: &House, backup: &str, to: &str) -> assert_cmd::assert::Assert {
    earwitness(house.path()).args(["--store", to, "store", "restore", backup]).assert()
}

#[test]
fn a_backup_under_load_is_a_whole_store() {
    let house = House::new();
    fill(&house);
    let desk = Desk::serve(house.path());
    let token = token(&desk);
    let bundle = Client::bearer(&desk.address, &token).send(
        "POST",
        &format!("/cases/{}/bundle", house.case_id),
        &[],
        b"",
    );
    assert_eq!(bundle.status, 303, "{}", bundle.text());
    let deciding = Deciding::begin(&desk.address, &token);
    let mut taken = Vec::new();
    for number in 0..3 {
        wait_until("decisions", || deciding.answered().len() >= 8 * (number + 1));
        let name = format!("backup-{number}");
        let before = deciding.answered();
        let report = house.run(&["store", "backup", &name, "--json"]).code(0).get_output().stdout.clone();
        let report: Value = serde_json::from_slice(&report).unwrap();
        assert!(report["blobs"].as_u64().unwrap() > 0 && report["problems"].as_array().unwrap().is_empty());
        taken.push((name, before));
    }
    // Not over a backup that is there.
    house.run(&["store", "backup", "backup-0"]).code(4).stderr(contains("there already"));
    let answered = deciding.stop();
    assert!(answered.values().sum::<usize>() > taken[2].1.values().sum(), "nothing was decided meanwhile");
    assert_eq!(desk.end(), 0);
    for (name, before) in &taken {
        let to = format!("again-{name}");
        restored(&house, name, &to).code(0).stdout(contains("restored into"));
        let store = house.path().join(&to);
        let now = decided(&store);
        assert_holds(&now, before, &Answered::new());
        let all = decided(&house.path().join("store"));
        assert!(now.iter().all(|(pair, count)| *count <= all[pair]), "more than was ever decided");
        earwitness(house.path())
            .args(["--store", &to, "store", "check"])
            .assert()
            .code(0)
            .stdout(contains("whole"));
        restored(&house, name, &to).code(4).stderr(contains("a store already"));
    }
    // What was signed before is signed by the same key after.
    let key = |store: &str| {
        let shown =
            earwitness(house.path()).args(["--store", store, "evidence", "key", "show"]).output().unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        String::from_utf8(shown.stdout).unwrap()
    };
    assert_eq!(key("again-backup-2"), key("store"));
    assert_eq!(key("store").matches("BEGIN").count(), key("again-backup-0").matches("BEGIN").count());
    goes_on(&house, "again-backup-2", &token);
}

/// A restored store is served, its token is known, the case's sound and the bundle that was made are there.
fn goes_on(house: &House, store: &str, token: &str) {
    let desk = Desk::serve_with(house.path(), &["--store", store]);
    let mut client = Client::bearer(&desk.address, token);
    let case = client.get(&format!("/api/v1/cases/{}", house.case_id));
    assert_eq!(case.status, 200, "{}", case.text());
    let sounds = client.get(&format!("/cases/{}/sounds", house.case_id)).json();
    assert!(!sounds["pairs"].as_array().unwrap().is_empty());
    let bundles: Vec<_> = std::fs::read_dir(house.path().join(store).join("papers")).unwrap().collect();
    assert_eq!(bundles.len(), 1);
    // Sessions of browsers are left out.
    assert_eq!(desk.end(), 0);
    let store = Store::open(&house.path().join(store)).unwrap();
    assert_eq!(store.count::<earwitness::web::access::Session>().unwrap(), 0);
}

#[test]
fn a_store_that_nobody_serves_is_backed_up_alike_and_a_wrong_use_is_told() {
    let house = House::new();
    house.run(&["store", "backup", "b"]).code(0).stdout(contains("backed up into").and(contains("files")));
    restored(&house, "none", "n").code(4).stderr(contains("none/backup.jsonl"));
    assert!(!house.path().join("n").exists());
    restored(&house, "b", "store").code(4).stderr(contains("a store already"));
    // A kept file that was changed is told, and taken only where that is wanted.
    let blobs = house.path().join("b/blobs");
    let folder = std::fs::read_dir(blobs).unwrap().next().unwrap().unwrap().path();
    let blob = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&blob, b"other").unwrap();
    let name = blob.file_name().unwrap().to_str().unwrap();
    restored(&house, "b", "n").code(4).stderr(contains(name));
    earwitness(house.path())
        .args(["--store", "n", "cases", "list"])
        .assert()
        .code(4)
        .stderr(contains("cut off"));
    let args = ["--store", "n", "store", "restore", "b", "--take-damaged"];
    earwitness(house.path()).args(args).assert().code(3).stderr(contains(name));
    earwitness(house.path())
        .args(["--store", "n", "cases", "list"])
        .assert()
        .code(0)
        .stdout(contains(&house.case_id));
    // Of a journal that is damaged in its middle, what is whole is taken.
    let journal = house.path().join("b/journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&journal, bytes).unwrap();
    restored(&house, "b", "m").code(4).stderr(contains("journal"));
    let args = ["--store", "m", "store", "restore", "b", "--take-damaged"];
    earwitness(house.path()).args(args).assert().code(3).stderr(contains("are lost"));
    earwitness(house.path()).args(["--store", "m", "store", "stats"]).assert().code(0);
    // What is somebody else's is left alone, and no store is made to be backed up.
    std::fs::create_dir_all(house.path().join("theirs/blobs/sha256")).unwrap();
    restored(&house, "b", "theirs").code(4).stderr(contains("something else"));
    assert!(house.path().join("theirs/blobs/sha256").exists());
    earwitness(house.path())
        .args(["--store", "typo", "store", "backup", "c"])
        .assert()
        .code(2)
        .stderr(contains("no store"));
    assert!(!house.path().join("typo").exists() && !house.path().join("c").exists());
    let read_only = "/proc/backup";
    house.run(&["store", "backup", read_only]).code(4).stderr(contains("/proc/backup"));
}

#[test]
fn the_service_answers_orders_that_it_understands() {
    let house = House::new();
    let desk = Desk::serve(house.path());
    // It is made beside the port, perhaps a moment later.
    wait_until("the socket", || house.path().join("store/control").exists());
    let ask = |order: &[u8]| {
        let mut stream = UnixStream::connect(house.path().join("store/control")).unwrap();
        // It may end the connection where the order is too long.
        let _ = stream.write_all(order);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert!(ask(b"{\"back_up\":{\"folder\":\"relative\"}}\n").contains("absolute"));
    assert!(ask(b"{\"format\":\"everything\"}\n").contains("not understood"));
    ask(&vec![b'x'; 200 << 10]);
    // Whoever goes away leaves nothing half done.
    let folder = house.path().join("unwanted");
    let mut stream = UnixStream::connect(house.path().join("store/control")).unwrap();
    let order = serde_json::json!({"back_up": {"folder": folder}}).to_string();
    stream.write_all(format!("{order}\n").as_bytes()).unwrap();
    drop(stream);
    assert!(ask(b"{}\n").contains("not understood"));
    assert_eq!(desk.end(), 0);
    assert!(!Path::new(&house.path().join("unwanted.partial")).exists());
    assert!(!house.path().join("store/control").exists());
}
