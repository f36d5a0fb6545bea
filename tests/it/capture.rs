//! What is recorded of the way to a media object, and which bodies are kept how long.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use earwitness::base::{Digest, FixedClock, Timestamp};
use earwitness::config::{FetchSettings, SiteSettings};
use earwitness::crawl::{Event, Found, Heard, JobState, Lanes, Plan, Run, crawl, jobs};
use earwitness::evidence::log::Log;
use earwitness::evidence::{Capture, captures, keep_capture};
use earwitness::net::{Client, Exchange, LookedUp, Lookup, Truncated};
use earwitness::store::{Batch, Hold, Store};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::crawl::{MP3, plan_for, settings};
use crate::servers::{raw, serve};

/// Finds no name: the tests' servers have addresses.
struct NoNames;

impl Lookup for NoNames {
    fn lookup<'a>(&'a self, _: &'a str) -> LookedUp<'a> {
        Box::pin(async { Err(std::io::Error::other("no such name")) })
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// One run over a store, at an instant of its own; `listen` gets what is found.
async fn run(
    store: &Store,
    plan: &Plan,
    fetch: &FetchSettings,
    now: i64,
    mut listen: impl FnMut(&Store, Found),
) {
    let clock = FixedClock(at(now));
    let client = Client::with_clock(fetch, Arc::new(NoNames), Arc::new(clock)).unwrap();
    let (lanes, cancel) = (Lanes::new(), CancellationToken::new());
    let run = Run {
        plan,
        client: &client,
        store,
        clock: &clock,
        lanes: &lanes,
        browser: None,
        known_hosts: None,
        failure: None,
    };
    let (events, mut receiver) = mpsc::channel(1);
    let listening = async {
        while let Some(event) = receiver.recv().await {
            match event {
                Event::Found(found, hearing) => {
                    listen(store, *found);
                    hearing.heard(Heard {
                        recordings: Vec::new(),
                        media_s: 1.0,
                        error: None,
                        is_whole: true,
                    });
                }
                Event::Failed(failure) => panic!("{}", failure.error),
                _ => {}
            }
        }
    };
    let (summary, ()) = tokio::join!(Box::pin(crawl(run, events, &cancel)), listening);
    summary.unwrap();
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("store")).unwrap()
}

fn site_at(seed: &str) -> Plan {
    plan_for(SiteSettings { seeds: vec![seed.to_owned()], ..Default::default() })
}

fn html(text: &str) -> Response {
    ([(header::CONTENT_TYPE, "text/html")], text.to_owned()).into_response()
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// The addresses of exchanges, without the host.
fn paths(exchanges: &[Exchange]) -> Vec<String> {
    exchanges.iter().map(|one| one.url.parse::<url::Url>().unwrap().path().to_owned()).collect()
}

/// Keeps a found file as a case's, as the pipeline does.
fn keep(store: &Store, case_id: &str, found: Found) {
    let capture = Capture { sighting: found.sighting, exchanges: found.exchanges };
    let (mut log, mut batch) = (Log::open(store).unwrap(), Batch::new());
    let now = earwitness::base::Timestamp::UNIX_EPOCH;
    assert!(keep_capture(store, case_id, &capture, now, (&mut log, &mut batch)).unwrap());
    store.commit(batch).unwrap();
}

fn is_held(store: &Store, body: &[u8]) -> bool {
    store.blobs().contains(&Digest::of(body))
}

const ROBOTS: &str = "User-agent: *\nDisallow: /private\n";
const FRONT: &str =
    "<title>all</title><a href=/more>more</a><a href=/idle>idle</a><a href=/empty>nothing</a>";
const MORE: &str = "<title>more</title><audio src=/b.mp3></audio>";
const IDLE: &str = "<title>idle</title><audio src=/idle.mp3></audio>";
const EMPTY: &str = "<title>nothing</title>";

/// Pages of which one is packed.
fn music_site(uri: &Uri) -> Response {
    match uri.path() {
        "/robots.txt" => ROBOTS.into_response(),
        "/" => html(FRONT),
        "/more" => {
            let kind = [(header::CONTENT_TYPE, "text/html"), (header::CONTENT_ENCODING, "gzip")];
            (kind, gzip(MORE)).into_response()
        }
        "/idle" => html(IDLE),
        "/empty" => html(EMPTY),
        path => ([(header::CONTENT_TYPE, "audio/mpeg")], [MP3, path.as_bytes()].concat()).into_response(),
    }
}

#[tokio::test]
async fn the_whole_way_is_recorded_and_only_bodies_that_a_case_needs_stay() {
    let site = serve(Router::new().fallback(|uri: Uri| async move { music_site(&uri) })).await;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut ways = Vec::new();
    let plan = site_at(&format!("http://{site}/"));
    run(&store, &plan, &settings(&[site]), 1, |store, found| {
        ways.push((paths(&found.exchanges), found.exchanges.clone()));
        // While the run goes on there is what may become evidence, and nothing else.
        assert!(!is_held(store, EMPTY.as_bytes()) && !is_held(store, FRONT.as_bytes()));
        if found.sighting.media_url.ends_with("/b.mp3") {
            assert!(is_held(store, &gzip(MORE)));
            keep(store, "C-1", found);
        } else {
            assert!(is_held(store, IDLE.as_bytes()));
        }
    })
    .await;
    ways.sort_by(|a, b| a.0.cmp(&b.0));
    let [(idle, _), (more, exchanges)] = &ways[..] else { panic!("{ways:?}") };
    assert_eq!(idle[..], ["/robots.txt", "/", "/idle", "/idle.mp3"]);
    assert_eq!(more[..], ["/robots.txt", "/", "/more", "/b.mp3"]);
    let media = [MP3, b"/b.mp3"].concat();
    let bodies = [ROBOTS.as_bytes(), FRONT.as_bytes(), &gzip(MORE), &media];
    for (exchange, body) in exchanges.iter().zip(bodies) {
        assert_eq!((exchange.body_sha256, exchange.body_bytes), (Some(Digest::of(body)), body.len() as u64));
        assert_eq!((exchange.status, exchange.truncated, exchange.asked_at), (200, None, at(1)));
        assert_eq!(exchange.peer.as_deref(), Some(site.to_string().as_str()));
    }
    assert!(exchanges[2].request_head.contains(&format!("referer: http://{site}/\r\n")));
    assert!(exchanges[2].response_head.contains("content-encoding: gzip\r\n"));
    assert!(is_held(&store, ROBOTS.as_bytes()) && is_held(&store, &gzip(MORE)));
    assert!(!is_held(&store, IDLE.as_bytes()));
    assert_eq!(store.count::<Hold>().unwrap(), 0);
    let [capture] = &captures(&store, "C-1").unwrap()[..] else { panic!("one capture") };
    assert_eq!(capture.exchanges, *exchanges);
    assert_eq!(capture.sighting.sha256, Digest::of(&media));
}

#[tokio::test]
async fn redirects_to_other_hosts_come_behind_their_robots() {
    let far = serve(Router::new().fallback(|uri: Uri| async move { music_site(&uri) })).await;
    let near = serve(Router::new().fallback(move |uri: Uri| async move {
        match uri.path() {
            "/" => html("<audio src=/go></audio>"),
            "/go" => Redirect::temporary(&format!("http://{far}/far.mp3?key=1")).into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }))
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut all = Vec::new();
    let plan = Plan::for_url(&format!("http://{near}/")).unwrap();
    run(&store, &plan, &settings(&[near, far]), 1, |_, found| all.push(found.exchanges)).await;
    let [exchanges] = &all[..] else { panic!("{all:?}") };
    let told: Vec<_> = exchanges.iter().map(|one| (one.url.as_str(), one.status)).collect();
    let url = |host: SocketAddr, path: &str| format!("http://{host}{path}");
    let wanted = [
        (url(near, "/robots.txt"), 404),
        (url(near, "/"), 200),
        (url(near, "/go"), 307),
        (url(far, "/robots.txt"), 200),
        (url(far, "/far.mp3?key=1"), 200),
    ];
    assert_eq!(told, wanted.each_ref().map(|(url, status)| (url.as_str(), *status)));
    assert!(exchanges[2].response_head.contains(&format!("location: http://{far}/far.mp3?key=1\r\n")));
    // Of a single check nothing stays on which no case rests.
    assert!(!is_held(&store, ROBOTS.as_bytes()));
    assert_eq!((store.count::<Hold>().unwrap(), jobs(&store).unwrap().len()), (0, 0));
}

#[tokio::test]
async fn streams_are_recorded_with_their_manifest_key_and_segments() {
    const MANIFEST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-KEY:METHOD=AES-128,URI=\"key\",\
        IV=0x0000000000000000000000000000002a\n#EXTINF:6,\ns.bin\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:6,\nplain\n\
        #EXTINF:6,\ntorn\n#EXT-X-ENDLIST\n";
    let segment = format!("{}/src/crawl/discover/testdata/segment.aes", env!("CARGO_MANIFEST_DIR"));
    let segment = Arc::new(std::fs::read(segment).unwrap());
    let served = Arc::clone(&segment);
    let site = raw(move |head, mut stream| {
        let segment = Arc::clone(&served);
        async move {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let (length, body): (usize, Vec<u8>) = match path.as_str() {
                "/robots.txt" => (0, Vec::new()),
                "/m.m3u8" => (MANIFEST.len(), MANIFEST.into()),
                "/key" => (16, (0_u8..16).collect()),
                "/s.bin" => (segment.len(), segment.to_vec()),
                "/torn" => (100, b"torn off".to_vec()),
                _ => (5, b"plain".to_vec()),
            };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(&[head.as_bytes(), &body].concat()).await
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut all = Vec::new();
    let plan = Plan::for_url(site.url("m.m3u8").as_str()).unwrap();
    run(&store, &plan, &settings(&[site.address]), 1, |store, found| {
        let bytes = std::fs::read(&found.file).unwrap();
        assert_eq!((found.sighting.sha256, found.sighting.bytes), (Digest::of(&bytes), bytes.len() as u64));
        assert!(bytes.ends_with(b"plaintorn off"));
        assert!(found.sighting.warnings.iter().any(|text| text.starts_with("only 2 of 3 segments")));
        // What does not lie in the media file as it came is kept apart.
        let key: Vec<u8> = (0_u8..16).collect();
        for body in [MANIFEST.as_bytes(), &key, &segment] {
            assert!(is_held(store, body));
        }
        assert!(!is_held(store, b"plain"));
        all.push(found.exchanges);
    })
    .await;
    let [exchanges] = &all[..] else { panic!("{all:?}") };
    assert_eq!(paths(exchanges), ["/robots.txt", "/m.m3u8", "/key", "/s.bin", "/plain", "/torn"]);
    let torn = &exchanges[5];
    assert_eq!(
        (torn.truncated, torn.body_sha256),
        (Some(Truncated::Disconnect), Some(Digest::of(b"torn off")))
    );
    assert!(exchanges[..5].iter().all(|exchange| exchange.truncated.is_none()));
}

#[tokio::test]
async fn a_page_read_before_a_kill_is_recorded_with_media_after_it() {
    let (asked, gone) = (Arc::new(Notify::new()), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let (tells, answers) = (Arc::clone(&asked), Arc::clone(&gone));
    let site = serve(Router::new().fallback(move |uri: Uri| {
        let (tells, answers) = (Arc::clone(&tells), Arc::clone(&answers));
        async move {
            if uri.path() == "/b.mp3" && !answers.load(std::sync::atomic::Ordering::SeqCst) {
                tells.notify_one();
                std::future::pending::<()>().await;
            }
            music_site(&uri)
        }
    }))
    .await;
    let folder = tempfile::tempdir().unwrap();
    let plan = site_at(&format!("http://{site}/more"));
    let limits = settings(&[site]);
    {
        let store = open(folder.path());
        tokio::select! {
            () = run(&store, &plan, &limits, 1, |_, _| panic!("nothing is served")) => panic!("it ended"),
            () = asked.notified() => {}
        }
        assert_eq!(jobs(&store).unwrap()[0].state, JobState::Running);
    }
    gone.store(true, std::sync::atomic::Ordering::SeqCst);
    let store = open(folder.path());
    let mut all = Vec::new();
    run(&store, &plan, &limits, 2, |store, found| {
        assert!(is_held(store, &gzip(MORE)));
        all.push(found.exchanges);
    })
    .await;
    let [exchanges] = &all[..] else { panic!("{all:?}") };
    // The robots.txt that allowed the page, and the one that allowed the media.
    assert_eq!(paths(exchanges), ["/robots.txt", "/more", "/robots.txt", "/b.mp3"]);
    let times: Vec<_> = exchanges.iter().map(|exchange| exchange.asked_at).collect();
    assert_eq!(times, [at(1), at(1), at(2), at(2)]);
    assert!(!is_held(&store, &gzip(MORE)), "no case rests on it, and the run is over");
}

#[tokio::test]
async fn pieces_and_coded_media_are_recorded_as_they_came() {
    // Longer than the first piece that is asked for.
    let long = Arc::new([MP3, &[0_u8; 400_000]].concat());
    let served = Arc::clone(&long);
    let site = serve(Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let long = Arc::clone(&served);
        async move {
            let range =
                headers.get(header::RANGE).and_then(|value| value.to_str().ok()?.strip_prefix("bytes="));
            let range = range.and_then(|text| text.split_once('-'));
            match (uri.path(), range) {
                ("/", _) => html("<audio src=/long.mp3></audio><audio src=/coded.mp3></audio>"),
                ("/robots.txt", _) => StatusCode::NOT_FOUND.into_response(),
                ("/long.mp3", Some((first, last))) => {
                    let first: usize = first.parse().unwrap();
                    let last = last.parse().unwrap_or(usize::MAX).min(long.len() - 1);
                    let range = format!("bytes {first}-{last}/{}", long.len());
                    let piece = long[first..=last].to_vec();
                    (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, range)], piece).into_response()
                }
                _ => ([(header::CONTENT_ENCODING, "gzip")], gzip("ID3 packed")).into_response(),
            }
        }
    }))
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut all = Vec::new();
    let limits = FetchSettings { media_bytes_max: 1 << 20, ..settings(&[site]) };
    run(&store, &site_at(&format!("http://{site}/")), &limits, 1, |store, found| {
        let sha256 = found.sighting.sha256;
        assert_eq!(is_held(store, &gzip("ID3 packed")), found.sighting.media_url.ends_with("coded.mp3"));
        all.push((paths(&found.exchanges).split_off(2), found.exchanges[2..].to_vec(), sha256));
    })
    .await;
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let [(coded, coded_exchanges, coded_sha256), (pieces, piece_exchanges, sha256)] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(coded[..], ["/coded.mp3"]);
    assert_eq!(*coded_sha256, Digest::of(b"ID3 packed"));
    assert_eq!(coded_exchanges[0].body_sha256, Some(Digest::of(&gzip("ID3 packed"))));
    assert_eq!(pieces[..], ["/long.mp3", "/long.mp3"]);
    assert_eq!(*sha256, Digest::of(&long));
    let mut from = 0;
    for piece in piece_exchanges {
        let end = from + usize::try_from(piece.body_bytes).unwrap();
        assert_eq!((piece.status, piece.truncated), (206, None));
        assert_eq!(piece.body_sha256, Some(Digest::of(&long[from..end])));
        from = end;
    }
    assert_eq!(from, long.len());
}
