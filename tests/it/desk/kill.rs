//! Killed while it decides: what was answered is there, nothing is half there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use earwitness::cases::{Case, State, find, list};
use earwitness::evidence::log;
use earwitness::store::{Batch, Store};
use serde_json::json;

use super::{Client, Desk};
use crate::evidence::House;

/// Cases that are decided, in pairs: both of a pair or none.
const PAIRS: usize = 40;

fn id(pair: usize, half: usize) -> String {
    format!("C-{pair:08x}{half:02x}")
}

#[test]
fn what_was_answered_outlives_a_kill() {
    let house = House::new();
    {
        let store = Store::open(&house.path().join("store")).unwrap();
        let case = find(&store, &house.case_id).unwrap();
        let mut batch = Batch::new();
        for (pair, half) in (0..PAIRS).flat_map(|pair| [(pair, 0), (pair, 1)]) {
            batch.put(&Case { case_id: id(pair, half), ..case.clone() }).unwrap();
        }
        store.commit(batch).unwrap();
    }
    let desk = Desk::serve(house.path());
    let mut admin = desk.set_up();
    let csrf = admin.csrf();
    let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
    let make = json!({"name": "kill", "role": "admin"}).to_string();
    let token = admin.send("POST", "/api/v1/tokens", &headers, make.as_bytes()).json();
    let token = token["text"].as_str().unwrap().to_owned();
    drop(admin);
    desk.kill();
    for _ in 0..4 {
        let desk = Desk::serve(house.path());
        let answered: Arc<Mutex<BTreeMap<usize, &str>>> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let deciding: Vec<_> = (0..4)
            .map(|worker| {
                let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
                let mut client = Client::bearer(&desk.address, &token);
                std::thread::spawn(move || {
                    for round in 0.. {
                        for pair in (worker..PAIRS).step_by(4) {
                            if is_over.load(Ordering::Relaxed) {
                                return;
                            }
                            let (decision, state) = [("dismiss", "dismissed"), ("review", "review")][round % 2];
                            let body = json!({"cases": [id(pair, 0), id(pair, 1)], "decision": decision, "note": "kill"});
                            let kind = [("content-type", "application/json")];
                            let sent = client.try_send("POST", "/api/v1/decisions", &kind, body.to_string().as_bytes());
                            if sent.is_ok_and(|answer| answer.status == 200) {
                                answered.lock().unwrap().insert(pair, state);
                            }
                        }
                    }
                })
            })
            .collect();
        let (end, pause) = std::sync::mpsc::channel::<()>();
        let _ = pause.recv_timeout(Duration::from_millis(700));
        drop(end);
        desk.kill();
        is_over.store(true, Ordering::Relaxed);
        deciding.into_iter().for_each(|one| one.join().unwrap());
        let store = Store::open(&house.path().join("store")).unwrap();
        let answered = answered.lock().unwrap();
        assert!(answered.len() > 4, "too few were decided to tell anything");
        for pair in 0..PAIRS {
            let [one, other] = [0, 1].map(|half| find(&store, &id(pair, half)).unwrap());
            assert_eq!(
                (one.state, one.history.len()),
                (other.state, other.history.len()),
                "half of pair {pair}"
            );
            // The last answer, or one that was made and whose answer was lost.
            let decided = one.history.iter().filter(|entry| entry.note.as_deref() == Some("kill")).count();
            let is_there = answered.get(&pair).is_none_or(|state| {
                one.state.as_str() == *state
                    || (decided > 0 && matches!(one.state, State::Dismissed | State::Review))
            });
            assert!(is_there, "pair {pair} is {} and not {:?}", one.state, answered.get(&pair));
        }
        let decided = list(&store, None).unwrap().iter().flat_map(|case| case.history.clone()).count();
        assert!(decided >= 2 * answered.len());
        // Each is in the chain of the log, which is whole.
        assert!(log::check(&store).unwrap().number > 0);
    }
}
