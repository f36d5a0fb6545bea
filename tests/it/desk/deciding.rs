//! Several programs that decide pairs of cases without a pause, and what must be true of the store whatever happens to it
//! meanwhile: both of a pair or none, and all that was answered.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use earwitness::cases::{Case, Event, find};
use earwitness::evidence::log;
use earwitness::store::{Batch, Store};
use serde_json::json;

use super::{Client, Desk};
use crate::evidence::House;

/// Cases that are decided, in pairs: both of a pair or none.
pub(super) const PAIRS: usize = 40;
const PROGRAMS: usize = 4;

pub(super) fn id(pair: usize, half: usize) -> String {
    format!("C-{pair:08x}{half:02x}")
}

/// Puts the pairs beside the house's own case.
pub(super) fn fill(house: &House) {
    let store = Store::open(&house.path().join("store")).unwrap();
    let case = find(&store, &house.case_id).unwrap();
    let mut batch = Batch::new();
    for (pair, half) in (0..PAIRS).flat_map(|pair| [(pair, 0), (pair, 1)]) {
        batch.put(&Case { case_id: id(pair, half), ..case.clone() }).unwrap();
    }
    store.commit(batch).unwrap();
}

/// Waits until something is so, a minute at most.
pub(super) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "not within a minute: {what}");
        std::thread::yield_now();
    }
}

/// Makes the first account and gives a token of it.
pub(super) fn token(desk: &Desk) -> String {
    let mut admin = desk.set_up();
    let csrf = admin.csrf();
    let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
    let make = json!({"name": "deciding", "role": "admin"}).to_string();
    let token = admin.send("POST", "/api/v1/tokens", &headers, make.as_bytes()).json();
    token["text"].as_str().unwrap().to_owned()
}

/// How many decisions of each pair were answered.
pub(super) type Answered = BTreeMap<usize, usize>;

/// Programs that decide until they are told to stop, or are no longer answered.
pub(super) struct Deciding {
    answered: Arc<Mutex<Answered>>,
    is_over: Arc<AtomicBool>,
    programs: Vec<JoinHandle<()>>,
}

impl Deciding {
    pub(super) fn begin(address: &str, token: &str) -> Self {
        let answered: Arc<Mutex<Answered>> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let programs = (0..PROGRAMS).map(|program| {
            let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
            let mut client = Client::bearer(address, token);
            std::thread::spawn(move || {
                for round in 0.. {
                    for pair in (program..PAIRS).step_by(PROGRAMS) {
                        if is_over.load(Ordering::Relaxed) {
                            return;
                        }
                        if decide(&mut client, pair, ["dismiss", "review"][round % 2]) {
                            *answered.lock().unwrap().entry(pair).or_default() += 1;
                        }
                    }
                }
            })
        });
        let programs = programs.collect();
        Self { answered, is_over, programs }
    }

    /// What was answered so far.
    pub(super) fn answered(&self) -> Answered {
        self.answered.lock().unwrap().clone()
    }

    /// Stops, and gives what was answered in all.
    pub(super) fn stop(self) -> Answered {
        self.is_over.store(true, Ordering::Relaxed);
        self.programs.into_iter().for_each(|program| program.join().unwrap());
        self.answered.lock().unwrap().clone()
    }
}

fn decide(client: &mut Client, pair: usize, decision: &str) -> bool {
    let body = json!({"cases": [id(pair, 0), id(pair, 1)], "decision": decision, "note": "test"}).to_string();
    let kind = [("content-type", "application/json")];
    let sent = client.try_send("POST", "/api/v1/decisions", &kind, body.as_bytes());
    // One that stood so already was not decided now.
    sent.is_ok_and(|answer| answer.status == 200 && answer.json()["cases"].as_array().unwrap().len() == 2)
}

/// How many decisions about each pair a store holds, once both of each pair are found to have the same.
pub(super) fn decided(store: &Path) -> Answered {
    let store = Store::open(store).unwrap();
    // Each is in the chain of the log, which is whole.
    let head = log::check(&store).unwrap();
    let mut decided = Answered::new();
    for pair in 0..PAIRS {
        let [one, other] = [0, 1].map(|half| find(&store, &id(pair, half)).unwrap());
        let events = |case: &Case| case.history.iter().map(|entry| entry.event).collect::<Vec<Event>>();
        assert_eq!((one.state, events(&one)), (other.state, events(&other)), "half of pair {pair}");
        let by_us = one.history.iter().filter(|entry| entry.note.as_deref() == Some("test")).count();
        decided.insert(pair, by_us);
    }
    assert!(head.number as usize >= 2 * decided.values().sum::<usize>());
    decided
}

/// Every decision of `answered` is in `decided`.
pub(super) fn assert_holds(decided: &Answered, answered: &Answered, before: &Answered) {
    for (pair, count) in answered {
        let there = decided[pair] - before.get(pair).copied().unwrap_or(0);
        assert!(there >= *count, "pair {pair}: {count} were answered, {there} are there");
    }
}
