//! From names to addresses: the guard against names that change.

use std::sync::Arc;

use earwitness::config::FetchSettings;
use earwitness::net::{Client, Deadline, Error, Kind, LookedUp, Lookup, Request};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::{Names, error_of, open, settings};
use crate::servers::{raw_at, serve};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nID3";

/// 127.0.0.2 stands for a public address: it is allowed, and 127.0.0.1 is not.
fn half_open() -> FetchSettings {
    FetchSettings { private_allowed: vec!["127.0.0.2".to_owned()], ..settings(&[]) }
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let public = raw_at(listener, |_, mut stream| async move { stream.write_all(OK).await });
    let private = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let private = raw_at(private, |_, mut stream| async move { stream.write_all(OK).await });
    let names = Names::new(&[
        ("rebind.example", &[&["127.0.0.2"], &["127.0.0.1"]]),
        ("both.example", &[&["127.0.0.1", "10.0.0.1", "127.0.0.2"]]),
    ]);
    let client = Client::with_resolver(&half_open(), Arc::<Names>::clone(&names)).unwrap();
    let url = format!("http://rebind.example:{port}/a.mp3").parse().unwrap();
    let opened = open(&client, &url, Kind::Media).await;
    assert_eq!(opened.hops[0].peer.as_deref(), Some(format!("127.0.0.2:{port}").as_str()));
    assert_eq!(opened.body.collect().await.unwrap(), b"ID3");
    assert_eq!(names.asked(), ["rebind.example"], "asked once, and connected to that answer");
    let error = error_of(client.open(Request::new(url, Kind::Media)).await);
    assert!(matches!(&error, Error::NotPublic { address, .. } if address == "127.0.0.1"), "{error}");
    assert_eq!((public.accepted(), private.accepted()), (1, 0));

    let url = format!("http://both.example:{port}/").parse().unwrap();
    for turn in 2..5 {
        let opened = open(&client, &url, Kind::Page).await;
        assert_eq!(opened.peer, Some(format!("127.0.0.2:{port}")));
        assert_eq!((public.accepted(), private.accepted()), (turn, 0));
    }
}

#[tokio::test]
async fn the_second_look_for_an_old_stream_is_guarded_too() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let icy = |_, mut stream: tokio::net::TcpStream| async move {
        stream.write_all(b"ICY 200 OK\r\ncontent-type: audio/mpeg\r\n\r\nmusic").await
    };
    let public = raw_at(listener, icy);
    let private = raw_at(TcpListener::bind(("127.0.0.1", port)).await.unwrap(), icy);
    // HTTP is tried twice before the older protocol is.
    let names = Names::new(&[("radio.example", &[&["127.0.0.2"], &["127.0.0.2"], &["127.0.0.1"]])]);
    let client = Client::with_resolver(&half_open(), names).unwrap();
    let url = format!("http://radio.example:{port}/").parse().unwrap();
    assert!(matches!(error_of(client.open_live(&url).await), Error::NotPublic { .. }));
    assert_eq!((public.accepted(), private.accepted()), (2, 0));
}

#[tokio::test]
async fn several_names_on_one_machine() {
    let site = serve(axum::Router::new().fallback(|headers: axum::http::HeaderMap| async move {
        headers["host"].to_str().unwrap().to_owned()
    }))
    .await;
    let names = Names::new(&[("one.example", &[&["127.0.0.1"]]), ("two.example", &[&["127.0.0.1"]])]);
    let allowed = ["one.example", "two.example"].map(|name| format!("{name}:{}", site.port()));
    let settings = FetchSettings { private_allowed: allowed.to_vec(), ..settings(&[]) };
    let client = Client::with_resolver(&settings, names).unwrap();
    for host in allowed {
        let url = format!("http://{host}/").parse().unwrap();
        let response = client.fetch(Request::new(url, Kind::Page)).await.unwrap();
        assert_eq!(response.body, host.as_bytes());
        assert_eq!(response.hops[0].peer, Some(site.to_string()));
    }
}

/// Never answers.
struct Silent;

impl Lookup for Silent {
    fn lookup<'a>(&'a self, _name: &'a str) -> LookedUp<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn names_without_a_usable_address() {
    let names = Names::new(&[
        ("none.example", &[&[]]),
        ("metadata.example", &[&["169.254.169.254"]]),
        ("v6.example", &[&["::1", "fd00::1", "64:ff9b::7f00:1", "::ffff:10.0.0.1", "2002:7f00:1::1"]]),
        ("thousands.example", &[&["10.0.0.1"; 5000]]),
    ]);
    let client = Client::with_resolver(&settings(&[]), Arc::<Names>::clone(&names)).unwrap();
    for (name, message) in [
        ("missing.example", "the host name cannot be resolved (no such name)"),
        ("none.example", "the host name cannot be resolved (it has no address)"),
        ("metadata.example", "address 169.254.169.254 of http://metadata.example/ is not public"),
        ("v6.example", "address ::1 of http://v6.example/ is not public"),
        ("thousands.example", "is not public"),
        ("x.localhost", "address x.localhost of http://x.localhost/ is not public"),
    ] {
        let url = format!("http://{name}/").parse().unwrap();
        let error = error_of(client.open(Request::new(url, Kind::Page)).await).to_string();
        assert!(error.contains(message), "{name}: {error}");
    }
    assert!(!names.asked().contains(&"x.localhost".to_owned()));

    let client = Client::with_resolver(&settings(&[]), Arc::new(Silent)).unwrap();
    let url = "http://slow.example/".parse().unwrap();
    let error = error_of(client.open(Request::new(url, Kind::Page)).await);
    assert!(matches!(error, Error::Timeout { deadline: Deadline::Connect, .. }), "{error}");
}
