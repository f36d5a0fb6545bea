//! A hundred thousand cases, beside a thousand: how much slower, how much larger.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use earwitness::base::{RecordingId, Timestamp};
use earwitness::cases::{Case, State, find};
use earwitness::catalog::Recording;
use earwitness::store::{Batch, Store};
use serde_json::json;

use super::{Client, Desk};
use crate::evidence::House;

/// Clients at a time.
const CLIENTS: usize = 32;

fn fill(house: &House, count: usize) {
    let store = Store::open(&house.path().join("store")).unwrap();
    let case = find(&store, &house.case_id).unwrap();
    let begin = Timestamp::from_second(1_750_000_000).unwrap();
    let states = [
        State::Queued,
        State::Undetermined,
        State::Approved,
        State::Dismissed,
        State::Noticed,
        State::Removed,
    ];
    let mut batch = Batch::new();
    for number in 0..500u32 {
        let id = RecordingId::new(&format!("R{number:03}")).unwrap();
        batch.put(&Recording::new(id, format!("Title {number}"))).unwrap();
    }
    for number in 0..count {
        let mut one: Case = case.clone();
        one.case_id = format!("C-{number:010x}");
        one.recording_id = RecordingId::new(&format!("R{:03}", number % 500)).unwrap();
        one.domain = format!("site{}.example", number % 997);
        one.state = states[number % states.len()];
        one.created_at = begin.checked_add(jiff_seconds(number)).unwrap();
        one.matches[0].log10_false_match = -6.0 - (number % 4000) as f64 / 100.0;
        batch.put(&one).unwrap();
        if batch.len() >= 2000 {
            store.commit(std::mem::take(&mut batch)).unwrap();
        }
    }
    store.commit(batch).unwrap();
}

fn jiff_seconds(number: usize) -> std::time::Duration {
    Duration::from_secs(60 * number as u64)
}

/// Median and 95th percentile, in milliseconds, of what `CLIENTS` clients wait for `path`.
fn measure(desk: &Desk, token: &str, path: &str, each: usize) -> (f64, f64) {
    let asking: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (mut client, path) = (Client::bearer(&desk.address, token), path.to_owned());
            std::thread::spawn(move || {
                (0..each)
                    .map(|_| {
                        let began = Instant::now();
                        let answer = client.get(&path);
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        began.elapsed().as_secs_f64() * 1000.0
                    })
                    .collect::<Vec<f64>>()
            })
        })
        .collect();
    let mut all: Vec<f64> = asking.into_iter().flat_map(|one| one.join().unwrap()).collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[all.len() * 95 / 100])
}

/// Resident memory of the service, in MiB.
fn memory(desk: &Desk) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", desk.child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// `EARWITNESS_DESK_CASES` says how many cases; without it, a thousand and some fewer, so that the way is tested.
#[test]
fn a_page_of_many_cases_is_as_one_of_few() {
    let most: usize =
        std::env::var("EARWITNESS_DESK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2000);
    for count in [1000, most] {
        let house = House::new();
        fill(&house, count);
        // One address asks here as many would.
        std::fs::write(house.path().join("earwitness.toml"), "[serve]\nrequests_a_second = 0\n").unwrap();
        let began = Instant::now();
        let desk = Desk::serve(house.path());
        let started = began.elapsed();
        let mut admin = desk.set_up();
        let csrf = admin.csrf();
        let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
        let make = json!({"name": "scale", "role": "admin"}).to_string();
        let token = admin.send("POST", "/api/v1/tokens", &headers, make.as_bytes()).json();
        let token = token["text"].as_str().unwrap().to_owned();
        let first = admin.get("/api/v1/cases").json();
        assert_eq!(first["total"].as_u64(), Some(count as u64 + 1));
        // All pages, one after the other, hold each case once.
        let (mut seen, mut after) = (std::collections::BTreeSet::new(), String::new());
        if count <= 2000 {
            loop {
                let page = admin.get(&format!("/api/v1/cases?limit=500&sort=created&after={after}")).json();
                for item in page["items"].as_array().unwrap() {
                    assert!(seen.insert(item["case_id"].to_string()));
                }
                let Some(next) = page["next"].as_str() else { break };
                after = next.to_owned();
            }
            assert_eq!(seen.len(), count + 1);
        }
        println!("{count} cases: started in {:.1} s, {} MiB", started.as_secs_f64(), memory(&desk));
        for (what, path) in [
            ("first page", "/cases".to_owned()),
            ("filter", "/cases?operator=site7.example&state=approved".to_owned()),
            ("words", "/cases?q=title+7".to_owned()),
            ("case", format!("/cases/C-{:010x}", count / 2)),
        ] {
            let (median, high) = measure(&desk, &token, &path, 5);
            println!("{count} cases, {what}: p50 {median:.0} ms, p95 {high:.0} ms ({CLIENTS} clients)");
        }
        println!("{count} cases: {} MiB after", memory(&desk));
    }
}
