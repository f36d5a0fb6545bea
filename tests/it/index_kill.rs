//! The index under kill -9 while recordings are added, replaced, removed and merged: whenever the process ends, each
//! batch is there as it was or as it was to be, by checksums and by queries. `EARWITNESS_KILLS` sets how often.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use earwitness::base::RecordingId;
use earwitness::catalog::Recording;
use earwitness::fingerprint::{FORMAT_VERSION, Fingerprint, Peak, encode, reference_quads};
use earwitness::index::{CostLimit, Family, Index, Probes, Reach, kept};
use earwitness::scan::Library;
use earwitness::store::Store;

use crate::music::Random;
use crate::support::earwitness;

const KILLS: usize = 20;
/// Enough batches of an import that segments are merged while the last of them are added …
const RECORDINGS: usize = 3000;
/// … which take so many fingerprints each.
const BATCH: usize = 500;
/// Removed at a time: enough that segments are written anew without them.
const REMOVED: usize = 400;
const SEED: u64 = 20_261_124;

/// The version of each recording's fingerprint, `None` where it has none.
type State = Vec<Option<u32>>;

/// What a command does to the state.
#[derive(Debug, Clone, Copy)]
enum Change {
    Import(u32),
    Remove(usize),
}

#[test]
fn kills_leave_the_old_or_the_new_index() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for version in 0..2 {
        fs::write(dir.join(format!("{version}.jsonl")), lines(version)).unwrap();
    }
    let kills_wanted = std::env::var("EARWITNESS_KILLS").map_or(KILLS, |count| count.parse().unwrap());
    let mut random = Random(SEED);
    let mut state: State = vec![None; RECORDINGS];
    // Undisturbed first, to know how long it takes.
    let mut lengths = [Duration::ZERO; 2];
    for change in [Change::Import(0), Change::Remove(0), Change::Import(0)] {
        let (killed, length) = run(dir, change, None);
        assert!(!killed);
        lengths[usize::from(matches!(change, Change::Remove(_)))] = length;
        state = after(&state, change).pop().unwrap();
    }
    assert_holds(dir, &[state.clone()], "undisturbed");
    let (mut kills, mut midway, mut round) = (0, 0, 0);
    while kills < kills_wanted {
        let change = match round % 3 {
            1 => Change::Remove((random.unit() * (RECORDINGS - REMOVED) as f64) as usize),
            _ => Change::Import(1 - round / 3 % 2),
        };
        let length = lengths[usize::from(matches!(change, Change::Remove(_)))];
        let delay = length.mul_f64(1.1 * random.unit());
        let (killed, _) = run(dir, change, Some(delay));
        let context = format!("seed {SEED}, round {round}, {change:?} killed after {delay:?}");
        let possible = after(&state, change);
        let at = assert_holds(dir, &possible, &context);
        assert!(killed || at + 1 == possible.len(), "{context}: not done");
        midway += usize::from(killed && at > 0);
        state = possible[at].clone();
        kills += usize::from(killed);
        round += 1;
    }
    assert!(midway > 0, "seed {SEED}: no kill hit a command that had stored something");
    assert!(!run(dir, Change::Import(0), None).0);
    assert_holds(dir, &[vec![Some(0); RECORDINGS]], "completed");
    let checked = earwitness(dir).args(["--store", "store", "store", "check"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

fn id(number: usize) -> RecordingId {
    RecordingId::new(&format!("r{number:04}")).unwrap()
}

/// A fingerprint unlike that of any other number and version.
fn fingerprint(number: usize, version: u32) -> Fingerprint {
    let mut random = Random((number as u64) << 8 | u64::from(version));
    let mut peak = |n: u32| Peak {
        time: n * 40 + (random.unit() * 30.0) as u32,
        pitch: (random.unit() * 2112.0) as u16,
        strength: 20,
        salient: true,
    };
    Fingerprint { duration: 2100, peaks: (0..50).map(&mut peak).collect() }
}

/// An export of all recordings with the fingerprints of one version.
fn lines(version: u32) -> String {
    let mut text = String::new();
    for number in 0..RECORDINGS {
        let recording = Recording::new(id(number), format!("title {number}"));
        let line = serde_json::json!({ "kind": "recording", "key": id(number), "value": recording });
        writeln!(text, "{line}").unwrap();
    }
    for number in 0..RECORDINGS {
        let bytes = STANDARD.encode(encode(&fingerprint(number, version)));
        let value = serde_json::json!({ "format": FORMAT_VERSION, "bytes": bytes });
        let line = serde_json::json!({ "kind": "fingerprint", "key": id(number), "value": value });
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// All states that a change goes through, the present one first.
fn after(state: &State, change: Change) -> Vec<State> {
    let mut states = vec![state.clone()];
    match change {
        Change::Import(version) => {
            for batch in 0..RECORDINGS / BATCH {
                let mut next = states[batch].clone();
                next[batch * BATCH..(batch + 1) * BATCH].fill(Some(version));
                states.push(next);
            }
        }
        Change::Remove(first) => {
            let mut next = state.clone();
            next[first..first + REMOVED].fill(None);
            states.push(next);
        }
    }
    states
}

/// Runs the command of a change, killing it (SIGKILL) after `delay`; whether it was killed, and how long it ran.
fn run(dir: &Path, change: Change, delay: Option<Duration>) -> (bool, Duration) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"));
    command.args(["--quiet", "--store", "store"]).current_dir(dir).env_remove("EARWITNESS_CONFIG");
    match change {
        Change::Import(version) => command.args(["store", "import", &format!("{version}.jsonl")]),
        Change::Remove(first) => command
            .args(["catalog", "remove"])
            .args((first..first + REMOVED).map(|number| id(number).to_string())),
    };
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    if let Some(delay) = delay {
        let (_never, tick) = mpsc::channel::<()>();
        let _ = tick.recv_timeout(delay);
        child.kill().unwrap();
    }
    let code = child.wait().unwrap().code();
    // 3: some of what was to be removed was gone already.
    assert!(matches!(code, Some(0 | 3)) || (delay.is_some() && code.is_none()), "{change:?}: {code:?}");
    (code.is_none(), begun.elapsed())
}

/// Opens the store, and gives which of the states it is in.
fn assert_holds(dir: &Path, possible: &[State], context: &str) -> usize {
    let library = Library::open(Store::open(&dir.join("store")).unwrap()).unwrap();
    library.index().segments().for_each(|segment| segment.verify().unwrap());
    let version = |number: usize| {
        let held = library.fingerprint(&id(number))?;
        let is = |version: &u32| held == kept(&fingerprint(number, *version));
        Some((0..2).find(is).unwrap_or_else(|| panic!("{context}: {number} has a fingerprint of nobody")))
    };
    let state: State = (0..RECORDINGS).map(version).collect();
    let at = possible.iter().rposition(|other| *other == state);
    let at = at.unwrap_or_else(|| panic!("{context}: neither the old nor the new state"));
    let live = state.iter().flatten().count();
    assert_eq!((library.index().len(), library.indexed().len()), (live, live), "{context}");
    for number in (0..RECORDINGS).step_by(97) {
        assert_found(library.index(), number, state[number], context);
    }
    at
}

/// Asks for all quads of a recording in both versions: those of the held one lead to it, and nothing else does.
fn assert_found(index: &Index, number: usize, held: Option<u32>, context: &str) {
    let own = index.find(&id(number));
    assert_eq!(own.is_some(), held.is_some(), "{context}");
    for version in 0..2 {
        let quads = reference_quads(&fingerprint(number, version).peaks);
        assert!(quads.len() > 20);
        let mut probes = Probes::default();
        for quad in &quads {
            probes.quad(quad);
            probes.push(quad.key());
        }
        let mut found = vec![false; quads.len()];
        index.lookup(Family::Quads, &mut probes, Reach::AsItIs, CostLimit::NONE, |answer| {
            let near = answer.time.abs_diff(quads[answer.quad as usize].time) <= 16;
            found[answer.quad as usize] |= near && Some(answer.recording) == own;
        });
        let share = found.iter().filter(|found| **found).count();
        let expected = held == Some(version);
        assert_eq!(share == quads.len(), expected, "{context}: {share} of {} of {number}", quads.len());
    }
}
