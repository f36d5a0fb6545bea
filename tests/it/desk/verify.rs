//! Bundles of others, verified by the desk.

use std::fs;

use serde_json::{Value, json};

use super::{Answer, Client, Desk, PASSWORD};
use crate::evidence::House;
use crate::support::earwitness;

const ZIP: (&str, &str) = ("content-type", "application/zip");

/// A form with a file, as browsers send it.
fn form(fields: &[(&str, &str)], file: Option<&[u8]>, after: &[(&str, &str)]) -> Vec<u8> {
    let field = |(name, value): &(&str, &str)| {
        format!("--line\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
    };
    let mut body: Vec<u8> = fields.iter().flat_map(field).collect();
    if let Some(bytes) = file {
        body.extend(b"--line\r\nContent-Disposition: form-data; name=\"bundle\"; filename=\"<b>.wacz\"\r\n");
        body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
        body.extend([bytes, b"\r\n"].concat());
    }
    body.extend(after.iter().flat_map(field));
    body.extend(b"--line--\r\n");
    body
}

fn send_form(client: &mut Client, body: &[u8]) -> Answer {
    client.send("POST", "/verify", &[("content-type", "multipart/form-data; boundary=line")], body)
}

/// A client with a token of a role.
fn program(desk: &Desk, admin: &mut Client, role: &str) -> Client {
    let csrf = admin.csrf();
    let headers = [("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
    let make = json!({"name": "test", "role": role}).to_string();
    let made = admin.send("POST", "/api/v1/tokens", &headers, make.as_bytes());
    Client::bearer(&desk.address, made.json()["text"].as_str().unwrap())
}

/// What the command line says of a file: its checks by name and outcome.
fn told_by_command(house: &House, name: &str) -> Vec<(String, String)> {
    let output = earwitness(house.path()).args(["evidence", "verify", "--json", name]).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    checks(&lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>())
}

fn checks(of: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    of.iter().map(|check| (text(&check["name"]), text(&check["outcome"]))).collect()
}

#[test]
fn a_program_learns_what_the_command_line_says() {
    let house = House::new();
    let (bundle, root) = house.export();
    let good = fs::read(&bundle).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(house.path().join("flipped.wacz"), &flipped).unwrap();
    fs::write(house.path().join("none.wacz"), b"no bundle at all").unwrap();
    let desk = Desk::serve(house.path());
    let mut admin = desk.set_up();
    let mut viewer = program(&desk, &mut admin, "viewer");
    let path = "/api/v1/bundles/verify";
    for (name, bytes, passed) in [
        (bundle.to_str().unwrap(), good.as_slice(), true),
        ("flipped.wacz", &flipped, false),
        ("none.wacz", b"no bundle at all", false),
    ] {
        let answer = viewer.send("POST", path, &[ZIP], bytes);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let report = answer.json();
        assert_eq!(report["passed"], passed, "{report:#}");
        let told = checks(report["checks"].as_array().unwrap());
        assert_eq!(told, told_by_command(&house, name));
        assert_eq!(told.iter().any(|(_, outcome)| outcome == "failed"), !passed);
    }
    // Held against more than it says itself.
    let outcome = |report: &Value| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "expected root").unwrap()["outcome"].clone()
    };
    let other = "0".repeat(64);
    for (query, wanted) in [
        (format!("root={root}"), "passed"),
        (format!("root={other}"), "failed"),
        ("known=yes".to_owned(), "passed"),
        (String::new(), "not_checked"),
    ] {
        let report = viewer.send("POST", &format!("{path}?{query}"), &[ZIP], &good).json();
        assert_eq!(outcome(&report), wanted, "{query}");
    }
    for query in ["root=short", "key=none", &format!("known=yes&root={root}")] {
        assert_eq!(viewer.send("POST", &format!("{path}?{query}"), &[ZIP], &good).status, 422, "{query}");
    }
    assert_eq!(viewer.send("POST", path, &[ZIP], b"").status, 400);
    assert_eq!(viewer.send("POST", path, &[("content-type", "text/plain")], &good).status, 415);
    assert_eq!(desk.client().send("POST", path, &[ZIP], b"x").status, 401);
    let described = viewer.get("/api/v1/openapi.json").json();
    let content = &described["paths"][path]["post"]["requestBody"]["content"];
    assert!(content["application/zip"].is_object(), "{content}");
}

#[test]
fn a_form_with_a_file_needs_to_be_ours() {
    let house = House::new();
    let (bundle, root) = house.export();
    let good = fs::read(bundle).unwrap();
    let desk = Desk::serve(house.path());
    let mut admin = desk.set_up();
    let made = [("name", "vera"), ("role", "viewer"), ("password", PASSWORD)];
    assert_eq!(admin.post_form("/accounts/create", &made).status, 303);
    let mut viewer = desk.signed_in("vera");
    let csrf = viewer.csrf();
    let token = [("csrf", csrf.as_str())];
    let answer = send_form(&mut viewer, &form(&[token[0], ("root", &root)], Some(&good), &[]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let page = answer.text();
    assert!(page.contains("data-passed=\"true\"") && page.contains(&root), "{page}");
    // The name of the file is a stranger's word too.
    assert!(page.contains("&#60;b&#62;.wacz") && !page.contains("<b>.wacz"), "{page}");
    let page = send_form(&mut viewer, &form(&token, Some(b"PK\x03\x04"), &[])).text();
    assert!(page.contains("data-passed=\"false\""), "{page}");
    for (body, status) in [
        (form(&[], Some(&good), &[]), 403),
        (form(&[("csrf", "guess")], Some(&good), &[]), 403),
        // A token behind the file comes too late.
        (form(&[], Some(&good), &token), 403),
        (form(&token, None, &[]), 400),
        (form(&token, Some(b""), &[]), 400),
        (form(&[token[0], ("root", &"x".repeat(20_000))], Some(&good), &[]), 400),
        (form(&token, Some(&good), &[])[..2000].to_vec(), 400),
        (b"PK".to_vec(), 400),
    ] {
        let answer = send_form(&mut viewer, &body);
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("earwitness.toml"), "[serve]\nupload_bytes_max = 100000\n").unwrap();
    let desk = Desk::serve(folder.path());
    let mut admin = desk.set_up();
    let csrf = admin.csrf();
    let mut program = program(&desk, &mut admin, "viewer");
    // Told before, and found out while it comes.
    for length in [2_000_000, 100_001] {
        let answer = program.send("POST", "/api/v1/bundles/verify", &[ZIP], &vec![0; length]);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (413, "application/problem+json"),
            "{length}"
        );
        let answer = send_form(&mut admin, &form(&[("csrf", &csrf)], Some(&vec![0; length]), &[]));
        assert_eq!(answer.status, 413, "{length}");
        assert!(answer.text().contains("413"), "{}", answer.text());
    }
    let answer = program.send("POST", "/api/v1/bundles/verify", &[ZIP], &[0; 100_000]);
    assert_eq!((answer.status, answer.json()["passed"].clone()), (200, false.into()));
    // Nor where the disk has no room beside what the store needs.
    drop(desk);
    fs::write(folder.path().join("earwitness.toml"), "[serve]\nupload_bytes_max = 9000000000000000000\n")
        .unwrap();
    let desk = Desk::serve(folder.path());
    let mut admin = desk.signed_in("mika");
    let csrf = admin.csrf();
    let head = [ZIP, ("x-csrf-token", csrf.as_str()), ("content-length", "8000000000000000000")];
    // The client tells a length of its own beside; the first one counts for neither, so by hand.
    let mut stream = std::net::TcpStream::connect(&desk.address).unwrap();
    let host = &desk.address;
    let mut request = format!(
        "POST /api/v1/bundles/verify HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: earwitness={}\r\n",
        admin.cookies["earwitness"]
    );
    for (name, value) in head {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    std::io::Write::write_all(&mut stream, format!("{request}\r\n").as_bytes()).unwrap();
    let mut told = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 507");
}
