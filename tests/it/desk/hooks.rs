//! Webhooks: the real binary, and receivers on loopback that answer well, badly, or not at all.

mod receiver;

use std::fs;
use std::path::Path;

use earwitness::base::Timestamp;
use earwitness::evidence::log::{LogEntry, entries_after};
use earwitness::store::Store;
use serde_json::{Value, json};

use super::api::desk_and_program;
use super::{Client, Desk};
use crate::evidence::House;
use receiver::{Got, Receiver};

/// A house whose configuration lets loopback be reached.
fn house() -> House {
    let house = House::new();
    fs::write(house.path().join("earwitness.toml"), "[fetch]\nprivate_allowed = [\"127.0.0.0/8\"]\n")
        .unwrap();
    house
}

/// Makes a webhook; gives its identifier and its secret.
fn make(client: &mut Client, url: &str, events: &[&str]) -> (String, String) {
    let made = client.send_json("POST", "/api/v1/webhooks", &json!({"url": url, "events": events}));
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["webhook_id"]), text(&made["secret"]))
}

/// Moves the case to and fro, so often.
fn decide(client: &mut Client, case_id: &str, times: usize) {
    for time in 0..times {
        let decision = if time % 2 == 0 { "dismiss" } else { "review" };
        let body = json!({"cases": [case_id], "decision": decision, "note": "https://pirate.example/page"});
        let answer = client.send_json("POST", "/api/v1/decisions", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

fn standing(client: &mut Client, id: &str) -> Value {
    let list = client.get("/api/v1/webhooks").json();
    list["items"].as_array().unwrap().iter().find(|one| one["webhook_id"] == id).unwrap().clone()
}

/// Asks until a webhook stands as it should.
fn until(client: &mut Client, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let (_never, pause) = std::sync::mpsc::channel::<()>();
    for _ in 0..600 {
        let one = standing(client, id);
        if holds(&one) {
            return one;
        }
        let _ = pause.recv_timeout(std::time::Duration::from_millis(100));
    }
    panic!("not {what}: {}", standing(client, id));
}

/// What the operation log says of the case from an entry on.
fn told_of_case(house: &Path, case_id: &str, after: u64) -> Vec<LogEntry> {
    let store = Store::open(&house.join("store")).unwrap();
    let entries = entries_after(&store, after, 10_000).unwrap();
    entries.into_iter().filter(|entry| entry.subject == case_id).collect()
}

fn first_number(id: &str, got: &Got) -> u64 {
    got.header("webhook-id").strip_prefix(&format!("{id}-")).unwrap().parse().unwrap()
}

#[test]
fn events_are_signed_in_order_and_say_nothing_of_pages() {
    let house = house();
    let (desk, mut client) = desk_and_program(&house);
    let receiver = Receiver::answering(|_| "204 No Content");
    let url = receiver.url("/hooks/path-secret?key=query-secret");
    let (id, secret) = make(&mut client, &url, &["dismissed"]);
    assert!(secret.starts_with("whsec_"));
    decide(&mut client, &house.case_id, 6);
    let got = receiver.wait(3);
    let begun = first_number(&id, &got[0]);
    for message in &got {
        assert_eq!(message.request_line, "POST /hooks/path-secret?key=query-secret HTTP/1.1");
        assert_eq!(message.header("content-type"), "application/json");
        assert!(message.header("user-agent").starts_with("earwitness/"));
        assert!(message.is_signed_with(&secret), "{message:?}");
        assert!(!message.is_signed_with("whsec_AAAA"));
        let body = message.json();
        assert_eq!(body["id"], message.header("webhook-id"));
        assert_eq!((&body["type"], &body["data"]["event"]), (&json!("case.dismissed"), &json!("dismissed")));
        assert_eq!(body["data"]["case_id"], house.case_id.as_str());
        assert_eq!(body["data"]["recording_id"], "one");
        assert!(body["data"]["operator"].as_str().unwrap().starts_with("127.0.0.1:"), "{body}");
        assert_eq!((&body["data"]["territory"], &body["data"]["actor"]), (&json!("CN"), &json!("mika")));
        assert_eq!(body["data"]["verdict"], "UNDETERMINED");
        assert_eq!(body["data"]["path"], format!("/cases/{}", house.case_id));
        assert!(body["at"].as_str().unwrap().ends_with('Z'));
        // Neither the page's title nor an address, nor what a person wrote.
        let text = body.to_string();
        assert!(!text.contains("music") && !text.contains("://") && !text.contains("a.wav"), "{text}");
    }
    // A new secret signs what comes then, and so does the old one until the receiver has learnt the new one.
    let renew = |client: &mut Client, query: &str| {
        let answer = client.send("POST", &format!("/api/v1/webhooks/{id}/secret{query}"), &[], b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = answer.json();
        (told["secret"].as_str().unwrap().to_owned(), told["webhook"]["former_secret_until"].is_string())
    };
    let (second, is_former_told) = renew(&mut client, "");
    assert!(is_former_told);
    decide(&mut client, &house.case_id, 2);
    let got = receiver.wait(4);
    assert!(got[3].is_signed_with(&second) && got[3].is_signed_with(&secret));
    until(&mut client, &id, "taken", |one| one["standing"]["waiting"] == 0);
    for (query, status) in [("?overlap_h=73", 422), ("?overlap_h=-1", 400), ("?overlap_h=soon", 400)] {
        let answer = client.send("POST", &format!("/api/v1/webhooks/{id}/secret{query}"), &[], b"");
        assert_eq!(answer.status, status, "{query}");
    }
    let (renewed, is_former_told) = renew(&mut client, "?overlap_h=0");
    assert!(!is_former_told);
    decide(&mut client, &house.case_id, 1);
    let got = receiver.wait(5);
    assert!(got[4].is_signed_with(&renewed));
    assert!(!got[4].is_signed_with(&second) && !got[4].is_signed_with(&secret));
    let shown = until(&mut client, &id, "taken", |one| one["standing"]["waiting"] == 0);
    assert_eq!((&shown["standing"]["status"], &shown["standing"]["failures"]), (&json!(204), &json!(0)));
    let metrics = client.get("/metrics").text();
    assert!(metrics.contains("earwitness_webhooks_delivered_total 5"), "{metrics}");
    // Secrets are told once.
    let page = desk.signed_in("mika").get("/webhooks").text();
    let list = client.get("/api/v1/webhooks").text();
    assert!(page.contains(&id) && list.contains(&id));
    assert_eq!(desk.end(), 0);
    let log = house.run(&["evidence", "log"]).get_output().stdout.clone();
    let backup = house.path().join("backup.jsonl");
    house.run(&["store", "export", backup.to_str().unwrap()]).code(0);
    let backup = fs::read_to_string(backup).unwrap();
    for text in [page, list, String::from_utf8(log).unwrap(), metrics, backup.clone()] {
        assert!([&secret, &second, &renewed].into_iter().all(|one| !text.contains(one)));
    }
    // Nor does the log hold what lets somebody in at the receiver.
    assert!(!backup.contains("path-secret") && !backup.contains("query-secret"));
    let wanted: Vec<u64> = told_of_case(house.path(), &house.case_id, begun - 1)
        .iter()
        .filter(|entry| entry.what == "dismissed")
        .map(|entry| entry.number)
        .collect();
    assert_eq!(got.iter().map(|one| first_number(&id, one)).collect::<Vec<_>>(), wanted);
}

#[test]
fn what_fails_is_tried_again_and_overtaken_by_nothing() {
    let house = house();
    let (_desk, mut client) = desk_and_program(&house);
    // Nobody listens at first.
    let place = Receiver::reserve();
    let (id, _) = make(&mut client, &format!("http://{place}/"), &[]);
    decide(&mut client, &house.case_id, 3);
    let failing = until(&mut client, &id, "failing", |one| one["standing"]["failures"] == 1);
    let error = failing["standing"]["error"].as_str().unwrap();
    assert!(error.contains("cannot connect"), "{error}");
    // Then somebody who fails, who redirects, and who takes it.
    let receiver = Receiver::at(place, |number| match number {
        0 => "500 Internal Server Error",
        1 => "307 Temporary Redirect\r\nlocation: /elsewhere",
        _ => "200 OK",
    });
    let resume = |client: &mut Client, failures: u64| {
        until(client, &id, "failing", |one| one["standing"]["failures"] == failures);
        // Whoever resumes does not wait.
        for is_paused in [true, false] {
            let path = format!("/api/v1/webhooks/{id}");
            assert_eq!(client.send_json("PATCH", &path, &json!({"is_paused": is_paused})).status, 200);
        }
    };
    // By itself after a refused connection; after the others as a person has it go on.
    receiver.wait(1);
    resume(&mut client, 2);
    receiver.wait(2);
    resume(&mut client, 1);
    let got = receiver.wait(5);
    let numbers: Vec<u64> = got.iter().map(|one| first_number(&id, one)).collect();
    assert!(numbers[0] == numbers[1] && numbers[1] == numbers[2], "{numbers:?}");
    assert!(numbers[2] < numbers[3] && numbers[3] < numbers[4], "{numbers:?}");
    assert!(got.iter().all(|one| one.request_line.starts_with("POST / ")), "a redirect was followed");
    let metrics = client.get("/metrics").text();
    assert!(metrics.contains("earwitness_webhooks_failed_total 3"), "{metrics}");
}

#[test]
fn a_kill_loses_no_event() {
    let house = house();
    let (desk, mut client) = desk_and_program(&house);
    let token = client.headers[0].1.strip_prefix("Bearer ").unwrap().to_owned();
    // Every fourth connection is closed without an answer.
    let receiver = Receiver::answering(|number| if number % 4 == 3 { "" } else { "200 OK" });
    let (id, _) = make(&mut client, &receiver.url("/"), &[]);
    let begun = standing(&mut client, &id)["standing"]["number"].as_u64().unwrap();
    let mut desk = desk;
    for round in 1..=3 {
        decide(&mut client, &house.case_id, 6);
        receiver.wait(round);
        desk.kill();
        desk = Desk::serve(house.path());
        client = Client::bearer(&desk.address, &token);
    }
    until(&mut client, &id, "through", |one| one["standing"]["waiting"] == 0);
    assert_eq!(desk.end(), 0);
    let wanted: Vec<u64> =
        told_of_case(house.path(), &house.case_id, begun).iter().map(|entry| entry.number).collect();
    assert_eq!(wanted.len(), 18);
    let mut numbers: Vec<u64> = receiver.wait(1).iter().map(|one| first_number(&id, one)).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    numbers.dedup();
    assert_eq!(numbers, wanted);
}

#[test]
fn a_receiver_that_hangs_holds_up_nobody() {
    let house = house();
    let (desk, mut client) = desk_and_program(&house);
    let hanging: Vec<Receiver> = (0..5).map(|_| Receiver::hanging()).collect();
    for one in &hanging {
        make(&mut client, &one.url("/"), &[]);
    }
    let receiver = Receiver::answering(|_| "200 OK");
    decide(&mut client, &house.case_id, 2);
    hanging.iter().for_each(|one| drop(one.wait(1)));
    let (id, _) = make(&mut client, &receiver.url("/"), &[]);
    decide(&mut client, &house.case_id, 4);
    receiver.wait(4);
    until(&mut client, &id, "through", |one| one["standing"]["waiting"] == 0);
    for one in &hanging {
        let mut ids: Vec<String> =
            one.wait(1).iter().map(|got| got.header("webhook-id").to_owned()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "what was not taken was passed");
    }
    assert_eq!(desk.end(), 0);
}

#[test]
fn whoever_is_gone_is_let_alone_until_a_person_resumes() {
    let house = house();
    let (desk, mut client) = desk_and_program(&house);
    let receiver = Receiver::answering(|number| match number {
        0 => "503 Busy\r\nretry-after: 7200",
        1 => "410 Gone",
        _ => "200 OK",
    });
    let (id, _) = make(&mut client, &receiver.url("/"), &[]);
    decide(&mut client, &house.case_id, 2);
    // Two hours, which the receiver asks for, where by itself it would be seconds; a person has it go on before.
    let busy = until(&mut client, &id, "busy", |one| one["standing"]["status"] == 503);
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let (tried, next) = (time(&busy["standing"]["tried_at"]), time(&busy["standing"]["next_try"]));
    assert_eq!(next.duration_since(tried).as_secs(), 7200);
    let webhook = format!("/api/v1/webhooks/{id}");
    for is_paused in [true, false] {
        assert_eq!(client.send_json("PATCH", &webhook, &json!({"is_paused": is_paused})).status, 200);
    }
    let paused = until(&mut client, &id, "paused", |one| one["is_paused"] == true);
    assert_eq!(paused["paused"]["by"], "earwitness");
    assert!(paused["paused"]["why"].as_str().unwrap().contains("410"));
    let mut admin = desk.signed_in("mika");
    assert!(admin.get("/webhooks").text().contains("410: it is gone for good"));
    assert_eq!(receiver.wait(2).len(), 2);
    let form = [("webhook_id", id.as_str()), ("what", "resume")];
    assert_eq!(admin.post_form("/webhooks/act", &form).status, 303);
    let got = receiver.wait(4);
    assert_eq!(first_number(&id, &got[0]), first_number(&id, &got[1]));
    assert_eq!(first_number(&id, &got[1]), first_number(&id, &got[2]));
    assert_eq!(desk.end(), 0);
    let log = house.run(&["evidence", "log"]).get_output().stdout.clone();
    let log = String::from_utf8(log).unwrap();
    assert!(log.contains("410: it is gone for good") && log.contains("resumed"), "{log}");
}

#[test]
fn private_places_are_refused_unless_the_configuration_names_them() {
    let house = House::new();
    let config = house.path().join("earwitness.toml");
    let receiver = Receiver::answering(|_| "200 OK");
    fs::write(&config, format!("[fetch]\nprivate_allowed = [\"{}\"]\n", receiver.address)).unwrap();
    let (desk, mut client) = desk_and_program(&house);
    let token = client.headers[0].1.strip_prefix("Bearer ").unwrap().to_owned();
    let (id, _) = make(&mut client, &receiver.url("/"), &[]);
    let mut admin = desk.signed_in("mika");
    for (url, said) in [
        ("http://127.0.0.1:81/", "not public"),
        ("https://localhost/", "not public"),
        ("https://[::ffff:10.0.0.1]/", "not public"),
        ("http://hooks.example/", "https://"),
        ("file:///etc/passwd", "http"),
    ] {
        for (method, path) in
            [("POST", "/api/v1/webhooks".to_owned()), ("PATCH", format!("/api/v1/webhooks/{id}"))]
        {
            let answer = client.send_json(method, &path, &json!({"url": url}));
            assert_eq!(answer.status, 422, "{url}: {}", answer.text());
            assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{url}: {}", answer.text());
        }
        let page = admin.post_form("/webhooks/create", &[("url", url)]);
        assert!(page.status == 422 && page.text().contains("role=\"alert\""), "{}", page.text());
    }
    let answer = client.send_json(
        "POST",
        "/api/v1/webhooks",
        &json!({"url": "https://a.example/", "events": ["burnt"]}),
    );
    assert!(answer.status == 422 && answer.text().contains("burnt"), "{}", answer.text());
    assert_eq!(client.send_json("PATCH", "/api/v1/webhooks/W-0", &json!({"is_paused": true})).status, 404);
    assert_eq!(desk.end(), 0);
    // What was allowed when it was made is asked again at each try.
    fs::remove_file(&config).unwrap();
    let desk = Desk::serve(house.path());
    let mut client = Client::bearer(&desk.address, &token);
    decide(&mut client, &house.case_id, 1);
    let failing = until(&mut client, &id, "refused", |one| one["standing"]["failures"] == 1);
    assert!(failing["standing"]["error"].as_str().unwrap().contains("not public"), "{failing}");
    assert_eq!(receiver.count(), 0);
}

#[test]
fn a_test_tells_the_answer_and_the_page_does_what_the_api_does() {
    let house = house();
    let (desk, mut client) = desk_and_program(&house);
    let receiver = Receiver::answering(|number| if number == 0 { "202 Accepted" } else { "403 Forbidden" });
    let mut admin = desk.signed_in("mika");
    let form = [("url", receiver.url("/")), ("event", "approved".into()), ("event", "removed".into())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let made = admin.post_form("/webhooks/create", &form);
    assert_eq!(made.status, 201, "{}", made.text());
    let page = made.text();
    let secret = page.split("<code id=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    let one = client.get("/api/v1/webhooks").json()["items"][0].clone();
    assert_eq!(one["events"], json!(["approved", "removed"]));
    let id = one["webhook_id"].as_str().unwrap().to_owned();
    let tested = client.send_json("POST", &format!("/api/v1/webhooks/{id}/test"), &json!({})).json();
    assert_eq!(tested, json!({"is_taken": true, "status": 202, "error": null}));
    let got = receiver.wait(1);
    assert!(got[0].is_signed_with(secret), "{:?}", got[0]);
    assert_eq!((&got[0].json()["type"], &got[0].json()["data"]), (&json!("ping"), &json!({})));
    let act = |admin: &mut Client, what: &str| {
        admin.post_form("/webhooks/act", &[("webhook_id", id.as_str()), ("what", what)])
    };
    let page = act(&mut admin, "test");
    assert!(page.status == 200 && page.text().contains("was not taken: 403"), "{}", page.text());
    assert_eq!(act(&mut admin, "pause").status, 303);
    assert_eq!(standing(&mut client, &id)["is_paused"], true);
    let page = act(&mut admin, "secret").text();
    assert!(page.contains("<code id=\"secret\">whsec_") && !page.contains(secret));
    assert_eq!(act(&mut admin, "burn").status, 400);
    assert_eq!(act(&mut admin, "remove").status, 303);
    assert_eq!(act(&mut admin, "remove").status, 404);
    assert_eq!(client.get("/api/v1/webhooks").json()["items"], json!([]));
    let (other, _) = make(&mut client, &receiver.url("/"), &[]);
    let removed = client.send("DELETE", &format!("/api/v1/webhooks/{other}"), &[], b"");
    assert_eq!((removed.status, &removed.json()["webhook_id"]), (200, &json!(other)));
    // Nobody listening is an answer too.
    let (dead, _) = make(&mut client, &format!("http://{}/deep-secret", Receiver::reserve()), &[]);
    let tested = client.send_json("POST", &format!("/api/v1/webhooks/{dead}/test"), &json!({})).json();
    let error = tested["error"].as_str().unwrap();
    assert!(error.contains("cannot connect") && !error.contains("deep-secret"), "{error}");
}

/// The lines of Python that `docs/desk.md` gives to receivers do what they say.
#[test]
fn the_documents_verifier_verifies() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/desk.md")).unwrap();
    let code = text.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let house = house();
    let (_desk, mut client) = desk_and_program(&house);
    let receiver = Receiver::answering(|_| "200 OK");
    let (id, secret) = make(&mut client, &receiver.url("/"), &[]);
    client.send_json("POST", &format!("/api/v1/webhooks/{id}/test"), &json!({}));
    let got = receiver.wait(1).remove(0);
    let input =
        json!({"secret": secret, "headers": got.headers, "body": String::from_utf8(got.body).unwrap()});
    let ask = "import json, sys\ntold = json.load(sys.stdin)\n\
               body = told['body'].encode()\n\
               right = verify(told['secret'], told['headers'], body)\n\
               wrong = verify(told['secret'], told['headers'], body + b' ')\nprint(right, wrong)\n";
    let mut command = assert_cmd::Command::new("python3");
    let output = command.args(["-c", &format!("{code}\n{ask}")]).write_stdin(input.to_string()).output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: python3 is missing, the verifier of docs/desk.md was NOT run");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.trim(), "True False", "{}", String::from_utf8_lossy(&output.stderr));
}
