//! Who gets in, and who does what.

use std::net::TcpStream;

use serde_json::json;

use super::{Client, Desk, PASSWORD};
use crate::evidence::House;

/// Every route that somebody must be signed in for, with the role that it needs: told by the API's description for its own,
/// and by hand for the pages.
const PAGES: [(&str, &str, &str); 36] = [
    ("GET", "/overview", "viewer"),
    ("GET", "/cases", "viewer"),
    ("GET", "/cases/CASE", "viewer"),
    ("GET", "/cases/CASE/sounds", "viewer"),
    ("GET", "/cases/CASE/sound/suspect/1", "viewer"),
    ("GET", "/cases/CASE/picture/coverage", "viewer"),
    ("GET", "/crawls", "viewer"),
    ("GET", "/recordings", "viewer"),
    ("GET", "/recordings/one", "viewer"),
    ("GET", "/licences", "viewer"),
    ("GET", "/accounts", "viewer"),
    ("GET", "/api", "viewer"),
    ("GET", "/metrics", "viewer"),
    ("GET", "/verify", "viewer"),
    ("POST", "/verify", "viewer"),
    ("POST", "/tokens/create", "viewer"),
    ("POST", "/tokens/revoke", "viewer"),
    ("POST", "/account/password", "viewer"),
    ("POST", "/cases/decide", "reviewer"),
    ("POST", "/cases/undo", "reviewer"),
    ("GET", "/notices", "legal"),
    ("GET", "/notices/preview", "legal"),
    ("POST", "/notices", "legal"),
    ("GET", "/papers/x.pdf", "legal"),
    ("GET", "/bundles/x.wacz", "legal"),
    ("POST", "/cases/CASE/bundle", "legal"),
    ("POST", "/accounts/create", "admin"),
    ("POST", "/accounts/change", "admin"),
    ("POST", "/crawls/act", "admin"),
    ("GET", "/webhooks", "admin"),
    ("POST", "/webhooks/create", "admin"),
    ("POST", "/webhooks/act", "admin"),
    ("POST", "/crawls", "admin"),
    ("POST", "/crawls/none", "admin"),
    ("GET", "/crawls/none/remove", "admin"),
    ("POST", "/crawls/none/remove", "admin"),
];

const ROLES: [&str; 4] = ["viewer", "reviewer", "legal", "admin"];

fn rank(role: &str) -> usize {
    ROLES.iter().position(|known| *known == role).unwrap()
}

#[test]
fn each_role_gets_just_what_it_may() {
    let house = House::new();
    let desk = Desk::serve(house.path());
    let mut admin = desk.set_up();
    for role in ["viewer", "reviewer", "legal"] {
        let made = [("name", role), ("role", role), ("password", PASSWORD)];
        assert_eq!(admin.post_form("/accounts/create", &made).status, 303);
    }
    let description = admin.get("/api/v1/openapi.json").json();
    let mut routes: Vec<(String, String, String)> =
        PAGES.iter().map(|(method, path, role)| ((*method).into(), (*path).into(), (*role).into())).collect();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let needs = operation["description"].as_str().unwrap();
            let role = ROLES.iter().find(|role| needs.contains(&format!("`{role}`"))).unwrap();
            let path = path
                .replace("{case_id}", "CASE")
                .replace("{name}", "nobody")
                .replace("{site}", "none")
                .replace("{recording_id}", "one")
                .replace("{licence_id}", "none")
                .replace("{side}/{rank}", "suspect/1")
                .replace("{kind}", "coverage")
                .replace("{number}", "1")
                .replace("{token_id}", "0123456789")
                .replace("{webhook_id}", "W-0123456789");
            routes.push((method.to_uppercase(), path, (*role).to_owned()));
        }
    }
    assert!(routes.len() > PAGES.len() + 10);
    for role in ROLES {
        let name = if role == "admin" { "mika" } else { role };
        let mut client = desk.signed_in(name);
        let csrf = client.csrf();
        for (method, path, needed) in &routes {
            let path = path.replace("CASE", &house.case_id);
            // Nothing that a handler would do: the guard is asked first.
            let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "text/plain")];
            let answer = client.send(method, &path, &headers, b"");
            let is_refused = answer.status == 403;
            assert_eq!(is_refused, rank(role) < rank(needed), "{role} {method} {path}: {}", answer.status);
            assert_ne!(answer.status, 401, "{role} {method} {path}");
            assert_ne!(answer.status, 500, "{role} {method} {path}: {}", answer.text());
        }
    }
    // Nobody gets nothing of it.
    for (method, path, _) in &routes {
        let path = path.replace("CASE", &house.case_id);
        let answer = desk.client().send(method, &path, &[], b"");
        let is_page = !path.starts_with("/api/");
        let wanted = if is_page && method == "GET" { 303 } else { 401 };
        assert_eq!(answer.status, wanted, "{method} {path}");
    }
}

#[test]
fn the_first_account_is_made_at_this_machine_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let form = b"name=mika&password=correct+horse+battery";
    let kind = ("content-type", "application/x-www-form-urlencoded");
    // Through a proxy on this machine, and under a name that leads here from elsewhere.
    let answer = desk.client().send("POST", "/set-up", &[kind, ("x-forwarded-for", "203.0.113.7")], form);
    assert_eq!(answer.status, 403, "{}", answer.text());
    let answer = desk.client().send("POST", "/set-up", &[kind, ("host", "rebound.example")], form);
    assert_eq!(answer.status, 421, "{}", answer.text());
    assert_eq!(desk.client().get("/").header("location"), "/set-up");
    let weak = desk.client().post_form("/set-up", &[("name", "mika"), ("password", "short")]);
    assert_eq!(weak.status, 422);
    let mut client = desk.set_up();
    assert_eq!(client.get("/overview").status, 200);
    let again = desk.client().post_form("/set-up", &[("name", "eve"), ("password", PASSWORD)]);
    assert_eq!(again.status, 404);
}

#[test]
fn another_site_makes_nobody_write() {
    let house = House::new();
    let desk = Desk::serve(house.path());
    let client = desk.set_up();
    let decide = format!("case={}&decision=review", house.case_id);
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let csrf = client.clone().csrf();
    let with_token = format!("{decide}&csrf={csrf}");
    let send = |headers: &[(&str, &str)], body: &str, origin: Option<&str>| {
        let mut client = client.clone();
        client.headers = origin.map(|origin| ("origin".to_owned(), origin.to_owned())).into_iter().collect();
        client.send("POST", "/cases/decide", &[&[kind], headers].concat(), body.as_bytes()).status
    };
    let own = format!("http://{}", desk.address);
    for (headers, body, origin) in [
        // Without the form's token, with a wrong one, with the right one from another site, and from nowhere.
        (vec![], decide.as_str(), Some(own.as_str())),
        (vec![], &format!("{decide}&csrf=guess"), Some(own.as_str())),
        (vec![], &with_token, Some("https://evil.example")),
        (vec![], &with_token, Some("null")),
        (vec![("sec-fetch-site", "cross-site")], &with_token, Some(own.as_str())),
        (vec![("sec-fetch-site", "same-site")], &with_token, None),
        (vec![], &with_token, None),
    ] {
        assert_eq!(send(&headers, body, origin), 403, "{headers:?} {body} {origin:?}");
    }
    assert_eq!(send(&[("sec-fetch-site", "same-origin")], &with_token, Some(&own)), 303);
}

#[test]
fn sessions_are_new_at_each_sign_in_and_end_at_sign_out() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut client = desk.set_up();
    let first = client.cookies["earwitness"].clone();
    // A cookie that somebody else has put there is not taken over.
    let mut fixed = desk.client();
    fixed.cookies.insert("earwitness".to_owned(), "chosen-by-eve".to_owned());
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", "mika"), ("password", PASSWORD)])
        .finish();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = fixed.send("POST", "/sign-in", &kind, body.as_bytes());
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_ne!(fixed.cookies["earwitness"], "chosen-by-eve");
    assert_ne!(fixed.cookies["earwitness"], first);
    let told = answer.cookies.join("\n");
    assert!(told.contains("HttpOnly") && told.contains("SameSite=Lax"), "{told}");
    // Signing in again ends the session that the browser had.
    let mut old = client.clone();
    let answer = client.post_form("/sign-in", &[("name", "mika"), ("password", PASSWORD)]);
    assert_eq!(answer.status, 303);
    assert_eq!(old.get("/overview").status, 303);
    let mut copied = client.clone();
    assert_eq!(client.post_form("/sign-out", &[]).status, 303);
    assert_eq!(copied.get("/overview").status, 303);
}

#[test]
fn guessing_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    desk.set_up();
    let mut guess = desk.client();
    let statuses: Vec<u16> = (0..8)
        .map(|number| {
            guess.post_form("/sign-in", &[("name", "mika"), ("password", &format!("guess {number}"))]).status
        })
        .collect();
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[5..], [429; 3]);
    // Also with the right password, and whatever the name is: nobody learns which names there are.
    assert_eq!(guess.post_form("/sign-in", &[("name", "mika"), ("password", PASSWORD)]).status, 429);
    let nobody = guess.post_form("/sign-in", &[("name", "nobody"), ("password", PASSWORD)]);
    assert_eq!(nobody.status, 401);
    assert!(nobody.text().contains("name or password is wrong"));
}

#[test]
fn paths_and_identifiers_lead_nowhere_else() {
    let house = House::new();
    let desk = Desk::serve(house.path());
    let mut admin = desk.set_up();
    for path in [
        "/papers/..%2f..%2fstore.json",
        "/papers/../store.json",
        "/papers/%2e%2e%2fevidence-key.pem",
        "/bundles/..%2fx.wacz",
        "/assets/..%2f..%2fCargo.toml",
        "/cases/C-0000000000",
        "/cases/%00",
        "/cases/CASE/sound/suspect/..%2f1",
        "/cases/CASE/sound/..%2fsuspect/1",
        "/cases/CASE/picture/..%2fcoverage",
        "/cases/CASE/page/999999999999999999999",
        "/recordings/..%2f..",
        "/licences/none",
        "/crawls/none",
    ] {
        let answer = admin.get(&path.replace("CASE", &house.case_id));
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(!answer.text().contains("PRIVATE KEY"));
    }
    // A token of one person is not another's to see or to end.
    let made = [("name", "jun"), ("role", "legal"), ("password", PASSWORD)];
    assert_eq!(admin.post_form("/accounts/create", &made).status, 303);
    let csrf = admin.csrf();
    let make = json!({"name": "nightly", "role": "viewer"});
    let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
    let token = admin.send("POST", "/api/v1/tokens", &headers, make.to_string().as_bytes()).json();
    let id = token["token"]["token_id"].as_str().unwrap().to_owned();
    let mut jun = desk.signed_in("jun");
    assert_eq!(jun.get("/api/v1/tokens").json()["items"].as_array().unwrap().len(), 0);
    let csrf = jun.csrf();
    let answer = jun.send("DELETE", &format!("/api/v1/tokens/{id}"), &[("x-csrf-token", &csrf)], b"");
    assert_eq!(answer.status, 404);
    let mut program = Client::bearer(&desk.address, token["text"].as_str().unwrap());
    assert_eq!(program.get("/api/v1/me").json()["role"], "viewer");
    assert_eq!(program.get("/api/v1/accounts").status, 403);
}

#[test]
fn every_answer_says_how_it_is_to_be_treated() {
    let house = House::new();
    let desk = Desk::serve(house.path());
    let mut client = desk.set_up();
    let case = house.case_id.clone();
    for path in
        ["/cases", "/sign-in", "/nothing", "/api/v1/cases", "/api/v1/nothing", &format!("/cases/{case}")]
    {
        let answer = client.get(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-eval"), "{path}: {policy}");
        assert!(
            !answer.header("content-type").starts_with("text/html") || !policy.contains("unsafe-inline"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
    let sound = client.get(&format!("/cases/{case}/sound/suspect/1"));
    assert_eq!((sound.status, sound.header("content-type")), (200, "audio/wav"));
    assert!(sound.header("content-security-policy").contains("sandbox"));
    assert_eq!(&sound.body[..4], b"RIFF");
    let part = client.send("GET", &format!("/cases/{case}/sound/suspect/1"), &[("range", "bytes=8-11")], b"");
    assert_eq!((part.status, part.body.as_slice()), (206, b"WAVE".as_slice()));
    let picture = client.get(&format!("/cases/{case}/picture/spectrograms"));
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
}

#[test]
fn a_slow_or_broken_client_holds_nobody_up() {
    use std::io::{Read as _, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut slow: Vec<TcpStream> = Vec::new();
    for begin in [
        "",
        "GET / HTTP/1.1\r\nhost: ",
        "POST /sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999\r\n\r\nx",
    ] {
        let mut stream = TcpStream::connect(&desk.address).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        slow.push(stream);
    }
    for odd in ["\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}"] {
        let mut stream = TcpStream::connect(&desk.address).unwrap();
        stream.write_all(odd.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let large = vec![b'x'; 5 << 20];
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = desk.client().try_send("POST", "/sign-in", &kind, &large);
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 413));
    assert_eq!(desk.client().get("/healthz").text(), "ok\n");
}
