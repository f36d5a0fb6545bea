//! `catalog add` under kill -9: whenever the process ends, the store holds whole recordings, in their order, and the
//! next run completes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use earwitness::base::RecordingId;
use earwitness::fingerprint::encode;
use earwitness::scan::Library;
use earwitness::store::Store;

use crate::music::{Random, excerpt, music, write_wav};
use crate::support::earwitness;

const FILES: usize = 50;
const KILLS: usize = 50;
const RATE_HZ: u32 = 11_025;
const SEED: u64 = 20_261_123;

/// What a store holds: the recordings as `catalog list --json` prints them, and the bytes of each fingerprint.
#[derive(Debug, PartialEq)]
struct Held {
    recordings: Vec<String>,
    fingerprints: BTreeMap<RecordingId, Vec<u8>>,
}

#[test]
fn fifty_kills_during_catalog_add_lose_no_whole_recording() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    make_files(dir);
    let (_, first_run) = add(dir, "undisturbed", None);
    let wanted = held(dir, "undisturbed");
    assert_eq!(wanted.recordings.len(), FILES);
    let answers = identify(dir, "undisturbed");

    let mut random = Random(SEED);
    let (mut kills, mut stores, mut done, mut midway) = (0, 0, 0, 0);
    while kills < KILLS {
        let store = format!("store-{stores}");
        // Spread over what is left of the work, the opening of the store included.
        let left = 0.1 + (FILES - done) as f64 / FILES as f64;
        let delay = first_run.mul_f64(left * random.unit());
        let (killed, _) = add(dir, &store, Some(delay));
        let context = format!("seed {SEED}, kill {kills} after {delay:?}, {store}");
        kills += usize::from(killed);
        let now = held(dir, &store);
        let count = now.recordings.len();
        assert_eq!(now.recordings, wanted.recordings[..count], "{context}");
        let prefix: BTreeMap<_, _> = wanted.fingerprints.clone().into_iter().take(count).collect();
        assert!(now.fingerprints == prefix, "{context}: other fingerprints than of the first {count}");
        assert!(count >= done, "{context}: {count} recordings, {done} before");
        midway += usize::from(killed && count > done);
        done = count;
        if !killed {
            assert_eq!(done, FILES, "{context}");
            stores += 1;
            done = 0;
        } else if kills % 10 == 0 {
            assert_store_is_whole(dir, &store, &context);
        }
    }
    assert!(midway > 0, "seed {SEED}: no kill hit a run that had stored something");
    let last = format!("store-{stores}");
    assert!(!add(dir, &last, None).0);
    assert!(held(dir, &last) == wanted, "seed {SEED}: completed after kills, but not to the same state");
    assert_eq!(identify(dir, &last), answers);
    assert_store_is_whole(dir, &last, "completed");
    let again = earwitness(dir).args(["--store", &last, "catalog", "add", "music"]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("0 added, 0 updated, 50 unchanged, 0 failed"));
}

fn make_files(dir: &Path) {
    fs::create_dir(dir.join("music")).unwrap();
    for number in 0..FILES {
        let length_s = 5.0 + (number % 10) as f64 / 10.0;
        let samples = music(number as u64, length_s, RATE_HZ);
        write_wav(&dir.join(format!("music/track-{number:02}.wav")), &samples, RATE_HZ, 1);
        if number % 12 == 0 {
            let part = excerpt(&samples, RATE_HZ, 1.0, 4.8);
            write_wav(&dir.join(format!("query-{number:02}.wav")), &part, RATE_HZ, 1);
        }
    }
}

/// Runs `catalog add`, killing it (SIGKILL) after `delay`; whether it was killed, and how long it ran.
fn add(dir: &Path, store: &str, delay: Option<Duration>) -> (bool, Duration) {
    let begun = Instant::now();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"))
        .args(["--quiet", "--store", store, "catalog", "add", "music"])
        .current_dir(dir)
        .env_remove("EARWITNESS_CONFIG")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    if let Some(delay) = delay {
        let (_never, tick) = mpsc::channel::<()>();
        let _ = tick.recv_timeout(delay);
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(status.success() || (delay.is_some() && status.code().is_none()), "{status}");
    (!status.success(), begun.elapsed())
}

/// Opens the store, as a command and as a library.
fn held(dir: &Path, store: &str) -> Held {
    let list = earwitness(dir).args(["--store", store, "catalog", "list", "--json"]).output().unwrap();
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let recordings = String::from_utf8(list.stdout).unwrap().lines().map(str::to_owned).collect();
    let library = Library::open(Store::open(&dir.join(store)).unwrap()).unwrap();
    library.index().segments().for_each(|segment| segment.verify().unwrap());
    let bytes = |id: &RecordingId| encode(&library.fingerprint(id).unwrap());
    let fingerprints = library.indexed().into_iter().map(|id| (id.clone(), bytes(&id))).collect();
    Held { recordings, fingerprints }
}

/// The answers to excerpts of every twelfth file.
fn identify(dir: &Path, store: &str) -> String {
    let queries = (0..FILES).step_by(12).map(|number| format!("query-{number:02}.wav"));
    let output =
        earwitness(dir).args(["--store", store, "identify", "--json"]).args(queries).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    for (line, number) in answers.lines().zip((0..FILES).step_by(12)) {
        assert!(line.contains(&format!(r#""recording_id":"track-{number:02}""#)), "{line}");
    }
    answers
}

fn assert_store_is_whole(dir: &Path, store: &str, context: &str) {
    let output = earwitness(dir).args(["--store", store, "store", "check"]).output().unwrap();
    assert!(output.status.success(), "{context}: {}", String::from_utf8_lossy(&output.stderr));
}
