//! What one site is sent, and no other.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use earwitness::config::{FetchSettings, SiteFetchSettings};
use earwitness::net::{Client, Kind, Request, Scope};

use super::{Names, settings};
use crate::servers::{fixed, serve};

/// Requests as a server saw them: host and path, and the headers that matter here.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// A server of several names. `/to/HOST/PATH` redirects to that host; `/set` sets cookies; all else is empty.
async fn several_hosts(seen: Seen) -> std::net::SocketAddr {
    serve(Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let seen = Arc::clone(&seen);
        async move {
            let host = headers[header::HOST].to_str().unwrap().to_owned();
            let (name, port) = host.split_once(':').unwrap();
            let of = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
            let told = [of("authorization"), of("cookie"), of("user-agent")].join(" | ");
            seen.lock().unwrap().push((format!("{name}{}", uri.path()), told));
            answer(&uri, port)
        }
    }))
    .await
}

fn answer(uri: &Uri, port: &str) -> Response {
    if let Some((host, path)) = uri.path().strip_prefix("/to/").and_then(|rest| rest.split_once('/')) {
        let location = format!("http://{host}:{port}/{path}");
        return (
            StatusCode::FOUND,
            [(header::LOCATION, location), (header::SET_COOKIE, "hop=1; Path=/".to_owned())],
        )
            .into_response();
    }
    if uri.path() == "/set" {
        let mut headers = HeaderMap::new();
        for cookie in [
            "run=2; Path=/",
            "wide=3; Domain=own.example; Path=/",
            "evil=4; Domain=other.example; Path=/",
            "suffix=5; Domain=example; Path=/",
            "gone=6; Max-Age=0",
        ] {
            headers.append(header::SET_COOKIE, cookie.parse().unwrap());
        }
        return headers.into_response();
    }
    StatusCode::OK.into_response()
}

fn names() -> Arc<Names> {
    Names::new(&[
        ("own.example", &[&["127.0.0.1"]]),
        ("www.own.example", &[&["127.0.0.1"]]),
        ("other.example", &[&["127.0.0.1"]]),
    ])
}

fn own() -> Scope {
    Arc::new(|url| url.host_str().is_some_and(|host| host == "own.example" || host.ends_with(".own.example")))
}

fn open_to_loopback() -> FetchSettings {
    FetchSettings { private_allowed: vec!["127.0.0.1".to_owned()], ..settings(&[]) }
}

async fn get(client: &Client, url: String) {
    client.fetch(Request::new(url.parse().unwrap(), Kind::Page)).await.unwrap();
}

#[tokio::test]
async fn headers_and_cookies_stay_with_the_site() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cookies.txt");
    let lines = "# Netscape HTTP Cookie File\n\
        .own.example\tTRUE\t/\tFALSE\t0\tlogin\tletmein\n\
        .own.example\tTRUE\t/\tTRUE\t0\tsafe\tonly-encrypted\n\
        other.example\tFALSE\t/\tFALSE\t0\tforeign\tletmein\n\
        own.example FALSE / hidden-value\n\
        own.example\tFALSE\t/\tFALSE\t1000\told\tletmein\n\
        .com\tTRUE\t/\tFALSE\t0\tall\tletmein\n";
    std::fs::write(&file, lines).unwrap();
    let site = SiteFetchSettings {
        headers: [("Authorization".to_owned(), "Bearer hidden".to_owned())].into(),
        cookies_file: Some(file.clone()),
        user_agent: Some("special/1 (+https://contact.example)".to_owned()),
        proxy: None,
    };
    let seen = Seen::default();
    let port = several_hosts(Arc::clone(&seen)).await.port();
    let everyone = Client::with_resolver(&open_to_loopback(), names()).unwrap();
    let client = everyone.with_site(&open_to_loopback(), &site, own()).unwrap();

    let problems = client.site_problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, line) in problems.iter().zip(["line 5", "line 6", "line 7"]) {
        assert!(problem.starts_with(&format!("{}, {line}: ", file.display())), "{problem}");
        assert!(!problem.contains("letmein") && !problem.contains("hidden"), "{problem}");
    }

    get(&client, format!("http://own.example:{port}/to/other.example/there")).await;
    get(&client, format!("http://other.example:{port}/to/www.own.example/back")).await;
    get(&client, format!("http://own.example:{port}/set")).await;
    get(&client, format!("http://own.example:{port}/after")).await;
    get(&client, format!("http://www.own.example:{port}/after")).await;
    get(&client.clone(), format!("http://other.example:{port}/after")).await;
    get(&everyone, format!("http://own.example:{port}/stranger")).await;
    let ua = "special/1 (+https://contact.example)";
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let expected = [
        ("own.example/to/other.example/there", "Bearer hidden | login=letmein"),
        ("other.example/there", "- | -"),
        ("other.example/to/www.own.example/back", "- | -"),
        ("www.own.example/back", "Bearer hidden | login=letmein"),
        ("own.example/set", "Bearer hidden | hop=1; login=letmein"),
        ("own.example/after", "Bearer hidden | hop=1; login=letmein; run=2; wide=3"),
        ("www.own.example/after", "Bearer hidden | login=letmein; wide=3"),
        ("other.example/after", "- | -"),
    ];
    for ((path, told), (expected_path, expected)) in seen.iter().zip(expected) {
        assert_eq!((path.as_str(), told.as_str()), (expected_path, format!("{expected} | {ua}").as_str()));
    }
    let (path, told) = &seen[8];
    assert_eq!(path, "own.example/stranger");
    assert!(told.starts_with("- | - | earwitness/"), "{told}");
}

#[tokio::test]
async fn a_flood_of_cookies_changes_little() {
    let router = Router::new().fallback(|uri: Uri, headers: HeaderMap| async move {
        let mut answer = HeaderMap::new();
        for number in 0..80 {
            let cookie = format!("{}{number}={}", uri.path().trim_start_matches('/'), "x".repeat(3000));
            answer.append(header::SET_COOKIE, cookie.parse().unwrap());
        }
        let length = headers.get(header::COOKIE).map_or(0, axum::http::HeaderValue::len);
        (answer, length.to_string())
    });
    let site = serve(router).await;
    let settings = settings(&[site]);
    let client = Client::for_site(&settings, &SiteFetchSettings::default(), Arc::new(|_| true)).unwrap();
    let mut longest = 0;
    for turn in 0..20 {
        let url = format!("http://{site}/{turn}").parse().unwrap();
        let response = client.fetch(Request::new(url, Kind::Page)).await.unwrap();
        longest = longest.max(String::from_utf8(response.body).unwrap().parse::<usize>().unwrap());
    }
    assert!((1..=16 << 10).contains(&longest), "{longest}");
}

#[tokio::test]
async fn a_site_s_own_proxy() {
    let proxy = fixed("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nID3").await;
    let site = SiteFetchSettings {
        proxy: Some(format!("http://me:hidden@{}", proxy.address)),
        ..SiteFetchSettings::default()
    };
    let everyone = Client::with_resolver(&settings(&[]), Names::new(&[])).unwrap();
    let client = everyone.with_site(&settings(&[]), &site, own()).unwrap();
    get(&client, "http://own.example/".to_owned()).await;
    assert_eq!(proxy.accepted(), 1);
    let url: url::Url = "http://own.example/".parse().unwrap();
    assert!(everyone.fetch(Request::new(url, Kind::Page)).await.is_err());
    // What names the machine itself is not for a proxy either.
    for url in ["http://localhost/", "http://127.0.0.1/", "http://a.localhost/"] {
        let error = client.fetch(Request::new(url.parse().unwrap(), Kind::Page)).await.err().unwrap();
        assert!(error.to_string().contains("is not public"), "{error}");
    }
    let gone = SiteFetchSettings { proxy: Some("http://me:hidden@127.0.0.1:9".to_owned()), ..site };
    let client = everyone.with_site(&settings(&[]), &gone, own()).unwrap();
    let url = "http://own.example/".parse().unwrap();
    let error = client.fetch(Request::new(url, Kind::Page)).await.err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
}

#[test]
fn the_configuration_takes_it() {
    let text = "[sites.forum.fetch]\nuser_agent = \"x\"\ncookies_file = \"c.txt\"\nproxy = \"socks5://127.0.0.1:9050\"\n\
                [sites.forum.fetch.headers]\nAuthorization = \"Bearer hidden\"\n";
    let settings =
        earwitness::config::Settings::parse(text, std::path::Path::new("earwitness.toml")).unwrap();
    assert_eq!(settings.sites["forum"].fetch.headers["Authorization"], "Bearer hidden");
    assert!(!format!("{settings:?}").contains("hidden"));
}
