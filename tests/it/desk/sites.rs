//! Sites made, crawled, halted, changed and removed, by a program and by forms.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};

use super::api::served;
use super::{Client, Desk};
use crate::support::earwitness;

/// One site that is described in the file, with a secret.
const FILE: &str = r#"
[fetch]
allow_private = true
[sites.listed]
seeds = ["https://me:hidden@listed.example/"]
[sites.listed.fetch]
headers = { Authorization = "Bearer hidden" }
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("earwitness.toml"), FILE).unwrap();
    folder
}

/// A site of a page that leads to twelve, one of which robots.txt forbids.
fn serve_site() -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let links: String = (0..12).map(|number| format!("<a href=\"/page/{number}\">{number}</a>")).collect();
    let router = Router::new()
        .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /page/7" }))
        .route("/", get(move || async move { Html(links) }))
        .route("/page/{number}", get(|| async { Html("<title>quiet</title>") }));
    let address = runtime.block_on(crate::servers::serve(router));
    (runtime, address)
}

/// The site once something holds of it.
fn wait(client: &mut Client, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + Duration::from_secs(90);
    let (_end, pause) = std::sync::mpsc::channel::<()>();
    loop {
        let site = client.get(&format!("/api/v1/sites/{name}")).json();
        if holds(&site["site"]) {
            return site;
        }
        assert!(Instant::now() < until, "{what}: {site}");
        let _ = pause.recv_timeout(Duration::from_millis(100));
    }
}

fn log_of(folder: &Path) -> String {
    let log = earwitness(folder).args(["evidence", "log", "--json"]).output().unwrap();
    String::from_utf8_lossy(&log.stdout).into_owned()
}

#[test]
fn a_site_is_made_crawled_halted_changed_and_removed() {
    let (folder, (_runtime, address)) = (folder(), serve_site());
    let (desk, mut client) = served(folder.path());
    let new = json!({"name": "loop", "settings": {"seeds": [format!("http://{address}/")], "delay_ms": 1}});
    let body = serde_json::to_vec(&new).unwrap();
    let headers = [("content-type", "application/json"), ("idempotency-key", "make-1")];
    let made = client.send("POST", "/api/v1/sites", &headers, &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let again = client.send("POST", "/api/v1/sites", &headers, &body);
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.json(), made.json());
    assert_eq!(client.send_json("POST", "/api/v1/sites", &new).status, 409);
    let list = client.get("/api/v1/sites");
    assert!(!list.text().contains("hidden"), "{}", list.text());
    let list = list.json();
    let told = |at: usize| (list["items"][at]["name"].clone(), list["items"][at]["origin"].clone());
    assert_eq!(told(0), (json!("listed"), json!("configuration")));
    assert_eq!(told(1), (json!("loop"), json!("store")));
    assert_eq!(list["items"][0]["has_secrets"], true);
    let begun = client.send("POST", "/api/v1/sites/loop/runs", &[("idempotency-key", "run-1")], b"");
    assert_eq!(begun.status, 202, "{}", begun.text());
    let done = wait(&mut client, "loop", "the run", |site| {
        site["last_run"]["state"] == "done" && site["is_running"] == false
    });
    assert_eq!(
        (&done["site"]["last_run"]["pages"], &done["site"]["next_run_at"]),
        (&json!(12), &Value::Null)
    );
    let skips = done["skips"].as_array().unwrap();
    assert!(skips.iter().any(|skip| skip["reason"].as_str().unwrap().contains("robots.txt")), "{done}");
    // Sent again it is not crawled again, and nothing is there to be stopped.
    let again = client.send("POST", "/api/v1/sites/loop/runs", &[("idempotency-key", "run-1")], b"");
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(client.send("DELETE", "/api/v1/sites/loop/runs", &[], b"").status, 409);
    for (site, other) in [("loop", Value::Null), ("*", json!("mika"))] {
        let path = format!("/api/v1/sites/{site}/pause");
        assert_eq!(client.send("PUT", &path, &[], b"").json()["paused"]["by"], "mika");
        assert_eq!(client.get("/api/v1/sites").json()["all_paused"]["by"], other);
        let on = client.send("DELETE", &path, &[], b"").json();
        assert_eq!(on, json!({"site": site, "paused": null}));
    }
    let slower = json!({"settings": {
        "seeds": [format!("http://{address}/")], "delay_ms": 5000,
        "schedule": {"cron": "0 0 1 1 *", "time_zone": "Asia/Tokyo"}
    }});
    let changed = client.send_json("PUT", "/api/v1/sites/loop", &slower);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(changed.json()["next_run_at"].as_str().unwrap().ends_with("-12-31T15:00:00Z"));
    // A run that takes its time: nothing is removed under it, and it ends when it is told to.
    assert_eq!(client.send("POST", "/api/v1/sites/loop/runs", &[], b"").status, 202);
    let running =
        wait(&mut client, "loop", "the second run", |site| site["is_running"] == true)["site"].clone();
    assert_eq!(running["is_due"], false, "{running}");
    assert!(running["next_run_at"].as_str().unwrap().ends_with("-12-31T15:00:00Z"), "{running}");
    assert_eq!(client.send("DELETE", "/api/v1/sites/loop", &[], b"").status, 409);
    assert_eq!(client.send("POST", "/api/v1/sites/loop/runs", &[], b"").status, 409);
    assert_eq!(client.send("DELETE", "/api/v1/sites/loop/runs", &[], b"").status, 202);
    wait(&mut client, "loop", "its end", |site| site["is_running"] == false);
    assert_eq!(client.send("DELETE", "/api/v1/sites/loop", &[], b"").json(), json!({"name": "loop"}));
    assert_eq!(client.get("/api/v1/sites/loop").status, 404);
    assert_eq!(client.send("DELETE", "/api/v1/sites/loop", &[], b"").status, 404);
    assert_eq!(desk.end(), 0);
    let log = log_of(folder.path());
    for note in ["made", "begin", "pause", "resume", "changed", "stop", "removed"] {
        assert!(log.contains(&format!("\"note\":\"{note}\"")), "{note}: {log}");
    }
}

#[test]
fn a_site_that_cannot_be_is_told_by_the_setting() {
    let folder = folder();
    let (_desk, mut client) = served(folder.path());
    let seeds = json!(["https://music.example/"]);
    for (name, settings, said) in [
        ("a", json!({"seeds": ["music.example"]}), "seeds: "),
        ("a", json!({"seeds": []}), "seeds: "),
        ("a", json!({"seeds": "https://music.example/"}), "seeds: invalid type"),
        ("a", json!({"seeds": ["https://me:secret@music.example/"]}), "seeds: "),
        ("a", json!({"seeds": seeds, "schedule": {"cron": "61 * * * *"}}), "schedule: `61 * * * *`"),
        (
            "a",
            json!({"seeds": seeds, "schedule": {"cron": "@daily", "time_zone": "Asia/Tokio"}}),
            "schedule: ",
        ),
        ("a", json!({"seeds": seeds, "depth_max": -1}), "depth_max: "),
        ("a", json!({"seeds": seeds, "delay_factor": -2}), "delay_factor: "),
        ("a", json!({"seeds": seeds, "exclude": ["("]}), "exclude: "),
        ("a", json!({"seeds": seeds, "robots": "ignore"}), "robots_reason: "),
        ("a", json!({"seeds": seeds, "colour": "red"}), "colour: unknown field"),
        ("a", json!({"seeds": seeds, "fetch": {"headers": {"Cookie": "x"}}}), "fetch.headers: "),
        ("a", json!({"seeds": seeds, "fetch": {"cookies_file": "/etc/passwd"}}), "fetch.cookies_file: "),
        ("a", json!({"seeds": seeds, "fetch": {"proxy": "http://proxy.example"}}), "fetch.proxy: "),
        ("a", json!({"seeds": seeds, "fetch": {"user_agent": "a\nb"}}), "fetch.user_agent: "),
        (
            "a",
            json!({"seeds": vec![format!("https://music.example/{}", "x".repeat(1000)); 40]}),
            "settings: ",
        ),
        ("", json!({"seeds": seeds}), "name: "),
        ("*", json!({"seeds": seeds}), "name: "),
        ("..", json!({"seeds": seeds}), "name: "),
        ("https://music.example/", json!({"seeds": seeds}), "name: "),
    ] {
        let answer = client.send_json("POST", "/api/v1/sites", &json!({"name": name, "settings": settings}));
        let problem = answer.json();
        assert_eq!(answer.status, 422, "{settings}: {problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(said), "{settings}: {problem}");
    }
    // What the file describes is changed there, and is not made a second time.
    let body = json!({"settings": {"seeds": seeds}});
    for answer in [
        client.send_json("PUT", "/api/v1/sites/listed", &body),
        client.send("DELETE", "/api/v1/sites/listed", &[], b""),
    ] {
        assert_eq!(answer.status, 409, "{}", answer.text());
        assert!(answer.text().contains("earwitness.toml"), "{}", answer.text());
    }
    let listed = json!({"name": "listed", "settings": {"seeds": seeds}});
    assert_eq!(client.send_json("POST", "/api/v1/sites", &listed).status, 409);
    assert_eq!(client.send_json("PUT", "/api/v1/sites/none", &body).status, 404);
    for (method, path, status) in [
        ("POST", "/api/v1/sites/none/runs", 404),
        ("PUT", "/api/v1/sites/none/pause", 404),
        ("POST", "/api/v1/sites/*/runs", 422),
        ("DELETE", "/api/v1/sites/*/runs", 422),
    ] {
        assert_eq!(client.send(method, path, &[], b"").status, status, "{method} {path}");
    }
    assert_eq!(client.get("/api/v1/sites").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn forms_keep_what_was_typed_and_make_sites() {
    let folder = folder();
    let desk = Desk::serve(folder.path());
    let mut admin = desk.set_up();
    let typed =
        [("name", "夜 music"), ("seeds", "https://a.example/\nhttps://b.example/"), ("territory", "jp")];
    let wrong = admin.post_form("/crawls", &[&typed[..], &[("cron", "61 * * * *")]].concat());
    assert_eq!(wrong.status, 422);
    for text in
        ["cron: `61 * * * *`", "value=\"61 * * * *\"", "value=\"夜 music\"", "https://b.example/</textarea>"]
    {
        assert!(wrong.text().contains(text), "{text}: {}", wrong.text());
    }
    let made = admin.post_form("/crawls", &typed);
    assert_eq!(made.status, 303, "{}", made.text());
    let address = made.header("location").to_owned();
    assert_eq!(address, "/crawls/%E5%A4%9C%20music");
    let taken = admin.post_form("/crawls", &typed);
    assert_eq!(taken.status, 409);
    assert!(taken.text().contains("name: there is a site"), "{}", taken.text());
    let settings = |admin: &mut Client| {
        let list = admin.get("/api/v1/sites").json();
        let own = list["items"].as_array().unwrap().iter().find(|site| site["name"] == "夜 music").cloned();
        own.map(|site| site["settings"].clone())
    };
    let first = settings(&mut admin).unwrap();
    assert_eq!((&first["territory"], first["seeds"].as_array().unwrap().len()), (&json!("JP"), 2));
    let changed = admin.post_form(&address, &[("seeds", "https://a.example/"), ("requests_max", "7")]);
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert_eq!(settings(&mut admin).unwrap()["requests_max"], 7);
    let wrong = admin.post_form(&address, &[("seeds", "nowhere")]);
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("nowhere</textarea>"), "{}", wrong.text());
    // What the file describes has no form.
    let listed = admin.get("/crawls/listed").text();
    assert!(!listed.contains("<textarea") && !listed.contains("me:hidden"), "{listed}");
    assert_eq!(admin.post_form("/crawls/listed", &[("seeds", "https://a.example/")]).status, 409);
    assert_eq!(admin.get(&format!("{address}/remove")).status, 200);
    assert_eq!(admin.post_form(&format!("{address}/remove"), &[]).status, 303);
    assert_eq!(settings(&mut admin), None);
    assert_eq!(admin.get(&address).status, 404);
}
