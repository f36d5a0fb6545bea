//! `evidence export` under kill -9, at the instants at which its file appears in the folder and gets its name: whenever the
//! process ends, the store knows which bundle is the newest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::evidence::House;
use crate::support::earwitness;

const KILLS: usize = 10;

#[test]
fn a_kill_around_the_naming_of_a_bundle_leaves_the_store_knowing_the_newest() {
    let house = House::new();
    let out = house.path().join("out");
    house.export();
    let (mut named, mut unnamed) = (0, 0);
    for number in 0..KILLS {
        let before = bundles(&out);
        let first = before.last().unwrap().clone();
        let files = fs::read_dir(&out).unwrap().count();
        // At the name in every other round, before it in the others: at the temporary file, some time after it was begun.
        let is_time: &dyn Fn() -> bool = if number % 2 == 0 {
            &|| bundles(&out).len() > before.len()
        } else {
            &|| fs::read_dir(&out).unwrap().count() > files
        };
        export_until(house.path(), is_time);
        let after = bundles(&out);
        let newest = after.last().unwrap();
        let context = format!("kill {number}, {} bundles before, {} after", before.len(), after.len());
        assert_eq!(known(house.path(), newest), Some(0), "{context}");
        if after.len() > before.len() {
            assert_eq!(known(house.path(), &first), Some(1), "{context}");
            named += 1;
        } else {
            unnamed += 1;
        }
    }
    assert!(named > 0, "no kill came after a name ({unnamed} before)");
    // Each bundle is in the log once, killed or not.
    let log = earwitness(house.path()).args(["evidence", "log", "--json"]).output().unwrap();
    assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
    let log = String::from_utf8(log.stdout).unwrap();
    let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(entries.filter(|entry| entry["what"] == "bundle").count(), bundles(&out).len());
}

/// Runs `evidence export`, killing it (SIGKILL) when `is_time`.
fn export_until(dir: &Path, is_time: &dyn Fn() -> bool) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"))
        .args(["--quiet", "evidence", "export", "--out", "out"])
        .current_dir(dir)
        .env("EARWITNESS_STORE", dir.join("store"))
        .env_remove("EARWITNESS_CONFIG")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        if is_time() {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    }
}

/// The bundles of a folder, in the order in which they were named.
fn bundles(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "wacz")).collect();
    all.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    all
}

/// The exit code of `evidence verify --known`.
fn known(dir: &Path, bundle: &Path) -> Option<i32> {
    let mut command = earwitness(dir);
    command.args(["evidence", "verify", "--known", "--no-replay"]).arg(bundle);
    command.output().unwrap().status.code()
}
