//! Notices, bundles and documents, by a program.

use serde_json::{Value, json};

use super::api::served;
use super::browser::house_with_parties;
use crate::evidence::House;

#[test]
fn what_is_missing_for_a_notice_is_told() {
    let house = House::new();
    let (_desk, mut client) = served(house.path());
    let body = json!({"cases": [house.case_id], "decision": "approve", "note": "we never licensed it"});
    assert_eq!(client.send_json("POST", "/api/v1/decisions", &body).status, 200);
    let wanted = json!({"form": "dmca", "cases": [house.case_id]});
    let preview = client.send_json("POST", "/api/v1/notices/preview", &wanted).json();
    assert_eq!(preview["documents"], json!([]));
    let missing = preview["missing"].as_array().unwrap();
    assert!(missing.iter().any(|key| key.as_str().unwrap().starts_with("claim.")), "{preview}");
    // Written it is not, and why is told as a problem.
    let refused = client.send_json("POST", "/api/v1/notices", &wanted);
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("claim."), "{}", refused.text());
    for (body, status) in [
        (json!({"form": "letter"}), 400),
        (json!({"form": "dmca", "cases": ["C-0000000000"]}), 404),
        (json!({"form": "dmca", "cases": vec!["x"; 501]}), 422),
    ] {
        assert_eq!(client.send_json("POST", "/api/v1/notices/preview", &body).status, status, "{body}");
    }
    assert_eq!(client.get("/api/v1/documents").json(), json!({"items": [], "next": null}));
}

#[test]
fn notices_and_bundles_are_made_taken_and_verified() {
    let house = house_with_parties();
    let (desk, mut client) = served(house.path());
    let id = house.case_id.as_str();
    let body = json!({"cases": [id], "decision": "approve", "note": "we never licensed it"});
    assert_eq!(client.send_json("POST", "/api/v1/decisions", &body).status, 200);
    // The bundle first: by name it would stand before the notices, by time behind them.
    let key = [("idempotency-key", "bundle-1")];
    let bundle = client.send("POST", &format!("/api/v1/cases/{id}/bundles"), &key, b"");
    assert_eq!(bundle.status, 201, "{}", bundle.text());
    let again = client.send("POST", &format!("/api/v1/cases/{id}/bundles"), &key, b"");
    assert_eq!((again.status, again.json()), (201, bundle.json()));
    let bundle = bundle.json();
    let name = bundle["name"].as_str().unwrap();
    let report = client.get(&format!("/api/v1/bundles/{name}/verification")).json();
    assert_eq!((&report["passed"], &report["root"]), (&json!(true), &bundle["root"]), "{report}");
    assert!(report["checks"].as_array().unwrap().iter().any(|check| check["outcome"] == "passed"));
    let wanted = json!({"form": "dmca", "cases": [id]});
    let preview = client.send_json("POST", "/api/v1/notices/preview", &wanted).json();
    assert_eq!((&preview["documents"][0]["format"], &preview["missing"]), (&json!("json"), &json!([])));
    assert!(preview["documents"][0]["data"].is_object(), "{preview}");
    let page = json!({"form": "dmca", "cases": [id], "shown": "html"});
    let page = client.send_json("POST", "/api/v1/notices/preview", &page).json();
    assert!(page["documents"][0]["text"].as_str().unwrap().to_lowercase().starts_with("<!doctype html"));
    let headers = [("content-type", "application/json"), ("idempotency-key", "notice-1")];
    let body = serde_json::to_vec(&wanted).unwrap();
    let written = client.send("POST", "/api/v1/notices", &headers, &body);
    assert_eq!(written.status, 200, "{}", written.text());
    let again = client.send("POST", "/api/v1/notices", &headers, &body);
    assert_eq!((again.header("idempotent-replayed"), again.json()), ("true", written.json()));
    let written = written.json();
    assert_eq!((&written["documents"][0]["cases"], &written["left_out"]), (&json!([id]), &json!([])));
    assert_eq!(client.get(&format!("/api/v1/cases/{id}")).json()["case"]["state"], "noticed");
    let files = written["documents"][0]["files"].as_array().unwrap();
    let pdf = files.iter().find(|file| file["format"] == "pdf").unwrap()["name"].as_str().unwrap();
    let taken = client.get(&format!("/api/v1/documents/{pdf}"));
    assert_eq!((taken.status, taken.header("content-type")), (200, "application/pdf"));
    assert!(taken.body.starts_with(b"%PDF-"));
    let (mut listed, mut after): (Vec<Value>, _) = (Vec::new(), String::new());
    loop {
        let part = client.get(&format!("/api/v1/documents?limit=2{after}")).json();
        listed.extend(part["items"].as_array().unwrap().iter().cloned());
        let Some(next) = part["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(listed.len(), files.len() + 1, "{listed:?}");
    assert_eq!((&listed[0]["kind"], &listed[0]["form"]), (&json!("notice"), &json!("dmca")));
    assert_eq!(listed.last().unwrap()["name"], name);
    assert!(listed.windows(2).all(|two| two[0]["made_at"].as_str() >= two[1]["made_at"].as_str()));
    for missing in [
        "/api/v1/documents/none.pdf",
        "/api/v1/bundles/none.wacz/verification",
        "/api/v1/documents/..%2fstore.json",
    ] {
        assert_eq!(client.get(missing).status, 404, "{missing}");
    }
    assert_eq!(client.get("/api/v1/documents?after=x").status, 400);
    assert_eq!(desk.end(), 0);
}
