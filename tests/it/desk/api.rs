//! The API, by a program with a token.

use std::path::Path;

use serde_json::{Value, json};

use super::{Client, Desk};
use crate::evidence::House;

/// A service on a store with one undetermined case, and a client with an admin's token.
pub(super) fn desk_and_program(house: &House) -> (Desk, Client) {
    served(house.path())
}

/// A service on the store in a folder, and a client with an admin's token.
pub(super) fn served(folder: &Path) -> (Desk, Client) {
    let desk = Desk::serve(folder);
    let admin = desk.set_up();
    let client = program(&desk, admin);
    (desk, client)
}

/// A client with a token of its own, of a signed-in admin's.
pub(super) fn program(desk: &Desk, mut admin: Client) -> Client {
    let csrf = admin.csrf();
    let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
    let make = json!({"name": "test", "role": "admin"}).to_string();
    let made = admin.send("POST", "/api/v1/tokens", &headers, make.as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    Client::bearer(&desk.address, made.json()["text"].as_str().unwrap())
}

fn decide(
    client: &mut Client,
    case: &str,
    decision: &str,
    note: Option<&str>,
    key: Option<&str>,
) -> super::Answer {
    let body = json!({"cases": [case], "decision": decision, "note": note}).to_string();
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    client.send("POST", "/api/v1/decisions", &headers, body.as_bytes())
}

#[test]
fn decisions_are_made_once_and_undone() {
    let house = House::new();
    let (desk, mut client) = desk_and_program(&house);
    let id = house.case_id.as_str();
    let list = client.get("/api/v1/cases?state=undetermined").json();
    assert_eq!((list["total"].as_u64(), list["items"][0]["case_id"].as_str()), (Some(1), Some(id)));
    assert_eq!(client.get("/api/v1/cases?state=approved").json()["total"], 0);
    // An undetermined case is approved by whoever says why.
    let refused = decide(&mut client, id, "approve", None, None);
    assert_eq!((refused.status, refused.header("content-type")), (409, "application/problem+json"));
    assert!(refused.json()["detail"].as_str().unwrap().contains(id));
    let first = decide(&mut client, id, "approve", Some("we never licensed it"), Some("k-1"));
    assert_eq!(first.status, 200, "{}", first.text());
    let again = decide(&mut client, id, "approve", Some("we never licensed it"), Some("k-1"));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json(), first.json());
    let other = decide(&mut client, id, "dismiss", Some("no"), Some("k-1"));
    assert_eq!(other.status, 422);
    let shown = client.get(&format!("/api/v1/cases/{id}")).json();
    assert_eq!(shown["case"]["state"], "approved");
    let approved = |shown: &Value| {
        let history = shown["case"]["history"].as_array().unwrap();
        history.iter().filter(|entry| entry["event"] == "approved").count()
    };
    assert_eq!(approved(&shown), 1);
    let undo = json!({"cases": [id], "decided_at": first.json()["decided_at"]});
    let undone = client.send_json("POST", "/api/v1/decisions/undo", &undo);
    assert_eq!(undone.json()["cases"][0]["state"], "undetermined", "{}", undone.text());
    assert_eq!(client.send_json("POST", "/api/v1/decisions/undo", &undo).status, 409);
    // All or none.
    let both = json!({"cases": [id, "C-0000000000"], "decision": "review"});
    assert_eq!(client.send_json("POST", "/api/v1/decisions", &both).status, 404);
    assert_eq!(client.get(&format!("/api/v1/cases/{id}")).json()["case"]["state"], "undetermined");
    assert_eq!(desk.end(), 0);
    // What was done stands in the chain of the log.
    house.run(&["evidence", "log"]).code(0).stdout(predicates::str::contains("undone"));
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let house = House::new();
    let (_desk, mut client) = desk_and_program(&house);
    for (path, status, said) in [
        ("/api/v1/cases?state=open", 400, "state"),
        ("/api/v1/cases?sort=colour", 400, "sort"),
        ("/api/v1/cases?limit=0", 400, "limit"),
        ("/api/v1/cases?after=x", 400, "cursor"),
        ("/api/v1/cases?due_before=tomorrow", 400, "due_before"),
        ("/api/v1/cases/none", 404, "case"),
        ("/api/v1/none", 404, "nothing at"),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(said), "{path}: {problem}");
    }
    let mut stranger = Client::bearer(&client.address, "earwitness_0123456789_guess");
    let answer = stranger.get("/api/v1/cases");
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"));
    let answer = client.send("POST", "/api/v1/decisions", &[("content-type", "text/plain")], b"{}");
    assert_eq!(answer.status, 415);
    let answer = client.send_json("POST", "/api/v1/decisions", &json!({"cases": [], "decision": "review"}));
    assert_eq!(answer.status, 422);
    let answer = client.send_json("POST", "/api/v1/decisions", &json!({"cases": ["x"], "decision": "burn"}));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("burn"), "{}", answer.text());
}
