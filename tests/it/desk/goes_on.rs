//! A run that ended with the service goes on with its next start; one that a person stopped does not.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Uri;
use axum::response::{Html, IntoResponse as _};
use earwitness::base::Timestamp;
use serde_json::Value;

use super::Desk;
use crate::support::earwitness;

/// Waits until `is_so`.
fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// When the site is due, told by the command line while no service runs.
fn due_at(folder: &std::path::Path) -> Timestamp {
    let output = earwitness(folder).args(["crawl", "list", "--json"]).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    told["due_at"].as_str().unwrap().parse().unwrap()
}

/// A site of many pages, the addresses of which that were asked for, and what it lives in.
type Slow = (tokio::runtime::Runtime, std::net::SocketAddr, Arc<Mutex<Vec<String>>>);

fn slow_site() -> Slow {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let pages = {
        let asked = Arc::clone(&asked);
        Router::new().fallback(move |uri: Uri| async move {
            if uri.path() == "/robots.txt" {
                return axum::http::StatusCode::NOT_FOUND.into_response();
            }
            asked.lock().unwrap().push(uri.path().to_owned());
            let links: Vec<String> = (0..200).map(|n| format!("<a href=/page{n}>{n}</a>")).collect();
            Html(links.concat()).into_response()
        })
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = runtime.block_on(crate::servers::serve(pages));
    (runtime, address, asked)
}

#[test]
fn a_run_that_a_person_began_goes_on_after_a_kill_without_a_schedule() {
    let (_runtime, address, asked) = slow_site();
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "[fetch]\nallow_private = true\n[sites.slow]\nseeds = [\"http://{address}/\"]\ndelay_ms = 300\n"
    );
    fs::write(folder.path().join("earwitness.toml"), settings).unwrap();
    let count = || asked.lock().unwrap().len();
    let desk = Desk::serve(folder.path());
    let mut admin = desk.set_up();
    assert_eq!(admin.post_form("/crawls/act", &[("site", "slow"), ("what", "begin")]).status, 303);
    wait("it does not begin", || count() > 2);
    desk.kill();
    let before = count();
    let _desk = Desk::serve(folder.path());
    wait("it does not go on", || count() > before + 1);
}

#[test]
fn a_run_that_ended_with_the_service_goes_on_by_itself() {
    let (_runtime, address, asked) = slow_site();
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "[fetch]\nallow_private = true\n[sites.slow]\nseeds = [\"http://{address}/\"]\ndelay_ms = 300\n\
         schedule = {{ cron = \"0 0 1 1 *\", time_zone = \"UTC\" }}\n"
    );
    fs::write(folder.path().join("earwitness.toml"), settings).unwrap();
    let count = || asked.lock().unwrap().len();
    let desk = Desk::serve(folder.path());
    let mut admin = desk.set_up();
    wait("the first run does not begin", || count() > 2);
    assert_eq!(desk.end(), 0);
    assert!(due_at(folder.path()) <= Timestamp::now(), "it does not go on");
    let before = count();
    let desk = Desk::serve(folder.path());
    admin.address.clone_from(&desk.address);
    admin.headers = desk.client().headers;
    wait("the run does not go on", || count() > before + 1);
    // Where it was: no page is asked for anew but what was in hand.
    let seen: std::collections::BTreeSet<String> = asked.lock().unwrap().iter().cloned().collect();
    assert!(count() <= seen.len() + 1, "{:?}", asked.lock().unwrap());
    // A person stops it, and it stays stopped over a restart.
    assert_eq!(admin.post_form("/crawls/act", &[("site", "slow"), ("what", "stop")]).status, 303);
    wait("it is not stopped", || {
        admin.post_form("/crawls/act", &[("site", "slow"), ("what", "stop")]).status == 409
    });
    assert_eq!(desk.end(), 0);
    assert!(due_at(folder.path()) > Timestamp::now(), "it goes on although somebody stopped it");
}
