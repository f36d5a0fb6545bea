//! Visiting a site again: what has not changed is not fetched again, unless another catalogue is listened for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use earwitness::base::{FixedClock, Timestamp};
use earwitness::config::SiteSettings;
use earwitness::crawl::{Event, Heard, Lanes, Run, Summary, crawl};
use earwitness::net::Client;
use earwitness::store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::crawl::{MP3, plan_for, settings};
use crate::servers::serve;

type Log = Arc<Mutex<BTreeMap<(String, u16), u32>>>;

/// Pages and media with ETags; that of `/fickle.mp3` is another one each time.
fn answer(uri: &Uri, headers: &HeaderMap, count: u32) -> Response {
    let etag = match uri.path() {
        "/fickle.mp3" => format!("\"{count}\""),
        path => format!("\"of {path}\""),
    };
    if headers.get(header::IF_NONE_MATCH).is_some_and(|asked| asked.to_str().unwrap() == etag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let html = |text: &str| {
        ([(header::CONTENT_TYPE, "text/html"), (header::ETAG, &*etag)], text.to_owned()).into_response()
    };
    match uri.path() {
        "/" => html("<title>all</title><a href=/more>more</a><audio src=/one.mp3></audio>"),
        "/more" => html("<audio src=/fickle.mp3></audio><audio src=/known.mp3></audio>"),
        "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
        path => {
            let body = [MP3, path.as_bytes()].concat();
            ([(header::CONTENT_TYPE, "audio/mpeg"), (header::ETAG, &*etag)], body).into_response()
        }
    }
}

/// One run over the site; `/known.mp3` holds a recording.
async fn run(store: &Store, site: std::net::SocketAddr, catalogue: &str) -> (Summary, Vec<String>) {
    let client = Client::new(&settings(&[site])).unwrap();
    let mut plan = plan_for(SiteSettings { seeds: vec![format!("http://{site}/")], ..Default::default() });
    plan.catalogue = Some(catalogue.to_owned());
    let (clock, lanes, cancel) = (FixedClock(Timestamp::UNIX_EPOCH), Lanes::new(), CancellationToken::new());
    let run = Run {
        plan: &plan,
        client: &client,
        store,
        clock: &clock,
        lanes: &lanes,
        browser: None,
        known_hosts: None,
        failure: None,
    };
    let (events, mut receiver) = mpsc::channel(8);
    let listening = async {
        let mut found = Vec::new();
        while let Some(event) = receiver.recv().await {
            match event {
                Event::Found(media, hearing) => {
                    let path = media.sighting.media_url.rsplit('/').next().unwrap().to_owned();
                    let recordings =
                        if path == "known.mp3" { vec!["R1".parse().unwrap()] } else { Vec::new() };
                    found.push(path);
                    hearing.heard(Heard { recordings, media_s: 10.0, error: None, is_whole: true });
                }
                Event::Failed(failure) => panic!("{}", failure.error),
                _ => {}
            }
        }
        found.sort();
        found
    };
    let (summary, found) = tokio::join!(Box::pin(crawl(run, events, &cancel)), listening);
    (summary.unwrap(), found)
}

#[tokio::test]
async fn what_has_not_changed_is_not_fetched_again() {
    let log = Log::default();
    let (seen, asked) = (Arc::clone(&log), std::sync::atomic::AtomicU32::new(0));
    let asked = Arc::new(asked);
    let site = serve(Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let mut log = seen.lock().unwrap();
        let count = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let response = answer(&uri, &headers, count);
        *log.entry((uri.path().to_owned(), response.status().as_u16())).or_default() += 1;
        async move { response }
    }))
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let (first, found) = run(&store, site, "one").await;
    assert_eq!((first.pages, first.unchanged), (2, 0));
    assert_eq!(found, ["fickle.mp3", "known.mp3", "one.mp3"]);
    log.lock().unwrap().clear();

    let (second, found) = run(&store, site, "one").await;
    // Both pages and the stranger are the same; what changes is fetched, and what holds a recording always.
    assert_eq!((second.pages, second.unchanged), (2, 3));
    assert_eq!(found, ["fickle.mp3", "known.mp3"]);
    let count =
        |path: &str, status: u16| log.lock().unwrap().get(&(path.to_owned(), status)).copied().unwrap_or(0);
    assert_eq!((count("/", 304), count("/more", 304), count("/one.mp3", 304)), (1, 1, 1));
    assert_eq!((count("/", 200), count("/more", 200), count("/one.mp3", 200)), (0, 0, 0));

    let (third, found) = run(&store, site, "two").await;
    assert_eq!(third.unchanged, 2, "another catalogue: strangers are listened to again");
    assert_eq!(found, ["fickle.mp3", "known.mp3", "one.mp3"]);
}
