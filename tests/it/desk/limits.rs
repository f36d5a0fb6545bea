//! What keeps strangers and broken clients from holding the desk up.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Client, Desk, PASSWORD};

/// Connections of one address that are served at once.
const CONNECTIONS: usize = 64;

fn connect(desk: &Desk) -> TcpStream {
    let stream = TcpStream::connect(&desk.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    stream
}

/// What is answered to a head alone, whose body never comes.
fn answer_to_head(desk: &Desk, head: &str) -> String {
    let mut stream = connect(desk);
    let host = &desk.address;
    stream.write_all(format!("{head}\r\nhost: {host}\r\norigin: http://{host}\r\n\r\n").as_bytes()).unwrap();
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..count]).lines().next().unwrap_or_default().to_owned()
}

fn cookie(client: &Client) -> String {
    format!("cookie: earwitness={}", client.cookies["earwitness"])
}

#[test]
fn who_may_not_is_refused_before_the_body_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut admin = desk.set_up();
    let made = [("name", "vera"), ("role", "viewer"), ("password", PASSWORD)];
    assert_eq!(admin.post_form("/accounts/create", &made).status, 303);
    let viewer = cookie(&desk.signed_in("vera"));
    let long = "content-length: 4000000\r\ncontent-type: application/zip";
    for (request, status) in [
        (format!("POST /cases/decide HTTP/1.1\r\n{long}"), "401"),
        (format!("POST /verify HTTP/1.1\r\n{long}"), "401"),
        (format!("POST /api/v1/bundles/verify HTTP/1.1\r\n{long}"), "401"),
        (format!("POST /api/v1/decisions HTTP/1.1\r\nauthorization: Bearer guess\r\n{long}"), "401"),
        (format!("POST /accounts/create HTTP/1.1\r\n{viewer}\r\n{long}"), "403"),
        (format!("POST /verify HTTP/1.1\r\n{viewer}\r\nsec-fetch-site: cross-site\r\n{long}"), "403"),
        // Not meant, which a file alone can say by a header only.
        (format!("POST /verify HTTP/1.1\r\n{viewer}\r\n{long}"), "403"),
        // At the door nobody needs more than a name and a password.
        (format!("POST /sign-in HTTP/1.1\r\n{long}"), "413"),
        (format!("POST /nothing HTTP/1.1\r\n{long}"), "413"),
        (format!("POST /tokens/create HTTP/1.1\r\n{viewer}\r\ncontent-length: 5000000"), "413"),
    ] {
        let told = answer_to_head(&desk, &request);
        assert!(told.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {told}");
    }
}

#[test]
fn one_address_does_not_take_all_connections() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut held: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(&desk)).collect();
    let mut beyond = connect(&desk);
    let mut bytes = Vec::new();
    // Closed without a word.
    let _ = beyond.read_to_end(&mut bytes);
    assert!(bytes.is_empty());
    // Those that are in are served, and the place of one that leaves is free again.
    held[0].write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    held[0].read_to_end(&mut bytes).unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
    let until = Instant::now() + Duration::from_secs(60);
    while desk.client().try_send("GET", "/healthz", &[], b"").is_err() {
        assert!(Instant::now() < until, "no place became free");
    }
}

#[test]
fn behind_a_proxy_all_connections_are_of_one_address() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("earwitness.toml"), "[serve]\nplain_http = true\n").unwrap();
    let log = folder.path().join("log");
    let desk = Desk::serve_into(folder.path(), &[], Stdio::from(File::create(&log).unwrap()));
    let _held: Vec<TcpStream> = (0..CONNECTIONS + 6).map(|_| connect(&desk)).collect();
    assert_eq!(desk.client().get("/healthz").status, 200);
    assert_eq!(desk.end(), 0);
    // Which is told, since one can then hold up all.
    let told = fs::read_to_string(&log).unwrap();
    assert!(told.contains("serve.trusted_proxies names no proxy"), "{told}");
}

#[test]
fn a_connection_that_nobody_uses_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut stream = connect(&desk);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    // An end, and not the wait of this test.
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"ok\n"), "{}", String::from_utf8_lossy(&bytes));
}

fn try_password(desk: &Desk, from: &str, password: &str) -> u16 {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", "mika"), ("password", password)])
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", from)];
    desk.client().send("POST", "/sign-in", &headers, body.as_bytes()).status
}

#[test]
fn a_stranger_elsewhere_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    desk.set_up();
    // Without a proxy that is trusted, what the header says counts for nothing.
    for number in 0..6 {
        let status = try_password(&desk, &format!("203.0.113.{number}"), "a wrong guess of eve");
        assert_eq!(status, if number < 5 { 401 } else { 429 });
    }
    assert_eq!(desk.end(), 0);
    fs::write(folder.path().join("earwitness.toml"), "[serve]\ntrusted_proxies = [\"127.0.0.0/8\"]\n")
        .unwrap();
    let desk = Desk::serve(folder.path());
    for number in 0..6 {
        let forged = format!("198.51.100.{number}, 203.0.113.7");
        let status = try_password(&desk, &forged, "a wrong guess of eve");
        assert_eq!(status, if number < 5 { 401 } else { 429 });
    }
    assert_eq!(try_password(&desk, "203.0.113.7", PASSWORD), 429);
    assert_eq!(try_password(&desk, "198.51.100.1, 192.0.2.8", PASSWORD), 303);
    // The first account is no proxy's to make, whatever it says.
    let empty = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("earwitness.toml"), empty.path().join("earwitness.toml")).unwrap();
    let desk = Desk::serve(empty.path());
    for header in [("x-forwarded-for", "127.0.0.1"), ("x-nothing", "")] {
        let form = [header, ("content-type", "application/x-www-form-urlencoded")];
        let body = b"name=mika&password=correct+horse+battery";
        assert_eq!(desk.client().send("POST", "/set-up", &form, body).status, 403, "{header:?}");
    }
}

#[test]
fn live_figures_end_with_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut client = desk.set_up();
    let mut stream = connect(&desk);
    let (host, cookie) = (&desk.address, cookie(&client));
    let request =
        format!("GET /crawls/events HTTP/1.1\r\nhost: {host}\r\n{cookie}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains("data: []") {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&told));
        told.extend(&piece[..count]);
    }
    assert_eq!(client.post_form("/sign-out", &[]).status, 303);
    // An end in good order, long before that of the stream itself.
    stream.read_to_end(&mut told).unwrap();
    assert!(told.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&told));
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::serve(folder.path());
    let mut client = desk.set_up();
    let (csrf, cookie) = (client.csrf(), cookie(&client));
    let (host, half) = (desk.address.clone(), vec![b'P'; 300_000]);
    let head = format!(
        "POST /api/v1/bundles/verify HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n{cookie}\r\nx-csrf-token: {csrf}\r\n\
         content-type: application/zip\r\ncontent-length: 600000\r\n\r\n"
    );
    let send = || {
        let mut stream = connect(&desk);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&half).unwrap();
        stream
    };
    let files = || match fs::read_dir(folder.path().join("store/uploads")) {
        Ok(files) => files.count(),
        Err(_) => 0,
    };
    let mut stream = send();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!((desk.client().get("/healthz").status, files()), (200, 0));
    // Killed in the midst of one; and what an older kind of file system might have left is swept.
    let _under_way = send();
    assert_eq!(desk.client().get("/healthz").status, 200);
    desk.kill();
    assert_eq!(files(), 0);
    fs::create_dir_all(folder.path().join("store/uploads")).unwrap();
    fs::write(folder.path().join("store/uploads/.tmpleft"), b"PK").unwrap();
    let _desk = Desk::serve(folder.path());
    assert_eq!(files(), 0);
}
