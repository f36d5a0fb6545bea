//! The network room and the crawl, against real servers on loopback.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use earwitness::base::{Digest, FixedClock, Timestamp};
use earwitness::config::{FetchSettings, SiteSettings};
use earwitness::crawl::render::Browser;
use earwitness::crawl::{
    Event, Failure, Found, Heard, Lanes, LeadFound, Plan, Run, Skip, SkipReason, Summary, crawl,
};
use earwitness::net::{Client, Kind, Request};
use earwitness::store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) const MP3: &[u8] = b"\xff\xfb\x90\x00 as much music as these tests need";

/// Everything a run told of.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) found: Vec<Found>,
    pub(crate) skipped: Vec<Skip>,
    pub(crate) failed: Vec<Failure>,
    pub(crate) leads: Vec<LeadFound>,
    pub(crate) pages: Vec<String>,
    pub(crate) problems: Vec<String>,
    pub(crate) summary: Summary,
}

impl Told {
    fn media_urls(&self) -> Vec<&str> {
        let mut urls: Vec<_> = self.found.iter().map(|found| found.sighting.media_url.as_str()).collect();
        urls.sort_unstable();
        urls
    }

    /// The message of the only failure.
    fn error(&self) -> String {
        let errors: Vec<_> = self.failed.iter().map(|failure| failure.error.to_string()).collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].lines().count(), 1, "{errors:?}");
        errors.into_iter().next().unwrap()
    }

    fn skip_of(&self, path: &str) -> &SkipReason {
        &self
            .skipped
            .iter()
            .find(|skip| skip.url.ends_with(path))
            .unwrap_or_else(|| panic!("{:?}", self.skipped))
            .reason
    }
}

/// Serves `router` on loopback for as long as the test's runtime lives.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Answers every connection's first request with `answer`, whatever it asks; `/robots.txt` is not found.
async fn serve_raw<F, A>(answer: A) -> SocketAddr
where
    A: Fn(TcpStream) -> F + Send + Sync + 'static,
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await?;
                if request[..length].starts_with(b"GET /robots.txt") {
                    return stream
                        .write_all(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        .await;
                }
                answer(stream).await
            });
        }
    });
    address
}

/// Settings that allow exactly the given servers and are impatient.
pub(crate) fn settings(allowed: &[SocketAddr]) -> FetchSettings {
    FetchSettings {
        private_allowed: allowed.iter().map(ToString::to_string).collect(),
        read_timeout_s: 5,
        rate_grace_s: 1,
        page_bytes_max: 1 << 20,
        media_bytes_max: 1 << 20,
        ..FetchSettings::default()
    }
}

pub(crate) async fn carry_out(plan: Plan, settings: &FetchSettings) -> Told {
    carry_out_with(plan, settings, None).await
}

/// As [`carry_out`], with a browser.
pub(crate) async fn carry_out_with(plan: Plan, settings: &FetchSettings, browser: Option<&Browser>) -> Told {
    let client = Client::new(settings).unwrap();
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let (events, mut receiver) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let lanes = Lanes::new();
    let run = Run {
        plan: &plan,
        client: &client,
        store: &store,
        clock: &clock,
        lanes: &lanes,
        browser,
        known_hosts: None,
        failure: None,
    };
    let running = crawl(run, events, &cancel);
    let mut told = Told::default();
    let listening = async {
        while let Some(event) = receiver.recv().await {
            match event {
                Event::Found(found, hearing) => {
                    told.found.push(*found);
                    hearing.heard(stranger());
                }
                // 128 kbit/s, whatever it is.
                Event::Probe(probe, hearing) => {
                    let media_s = std::fs::metadata(&probe.file).unwrap().len() as f64 / 16_000.0;
                    hearing.heard(Heard { media_s, ..stranger() });
                }
                Event::Skipped(skip) => told.skipped.push(skip),
                Event::Failed(failure) => told.failed.push(*failure),
                Event::Lead(found) => told.leads.push(found),
                Event::Page(page) => {
                    told.pages.push(page.url);
                    told.problems.extend(page.problems);
                }
            }
        }
    };
    let (summary, ()) = tokio::join!(Box::pin(running), listening);
    told.summary = summary.unwrap();
    told
}

/// What a listener says who knows nothing of what it heard.
fn stranger() -> Heard {
    Heard { recordings: Vec::new(), media_s: 10.0, error: None, is_whole: true }
}

async fn check(url: &str, settings: &FetchSettings) -> Told {
    carry_out(Plan::for_url(url).unwrap(), settings).await
}

/// The plan for a site of the test's own machine, which needs no manners.
pub(crate) fn plan_for(site: SiteSettings) -> Plan {
    let site = SiteSettings { delay_ms: Some(0), delay_factor: Some(0.0), ..site };
    Plan::for_site("test", &site).unwrap()
}

async fn crawl_site(seed: &str, site: SiteSettings, settings: &FetchSettings) -> Told {
    carry_out(plan_for(SiteSettings { seeds: vec![seed.to_owned()], ..site }), settings).await
}

async fn mp3() -> Response {
    ([(header::CONTENT_TYPE, "audio/mpeg")], MP3).into_response()
}

fn page(html: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html.into()).into_response()
}

#[tokio::test]
async fn a_page_with_every_kind_of_embedding() {
    let html = r#"<!doctype html><title>Downloads</title><meta property="og:audio" content="/og.mp3">
        <audio src="/audio.mp3"></audio><video><source src="/source.mp4"></video><a href="/link.mp3">get</a>
        <script type="application/ld+json">{"@type":"AudioObject","contentUrl":"/ld.mp3"}</script>
        <script>p({file:"\/script.mp3"})</script><a href="/list.m3u">list</a><iframe src="/player"></iframe>
        <a href="/other">another page</a>"#;
    let router = Router::new()
        .route("/page", get(move || async move { page(html) }))
        .route("/player", get(|| async { page("<audio src=/player.mp3>") }))
        .route("/list.m3u", get(|| async { "#EXTM3U\n/listed.mp3\n" }))
        .route("/other", get(|| async { page("<audio src=/other.mp3>") }))
        .fallback(mp3);
    let site = serve(router).await;
    let told = check(&format!("http://{site}/page"), &settings(&[site])).await;
    let wanted: Vec<_> =
        ["audio.mp3", "ld.mp3", "link.mp3", "listed.mp3", "og.mp3", "player.mp3", "script.mp3", "source.mp4"]
            .map(|name| format!("http://{site}/{name}"))
            .to_vec();
    assert_eq!(told.media_urls(), wanted);
    assert_eq!((told.failed.len(), told.skipped.len()), (0, 0));
    for found in &told.found {
        assert_eq!(std::fs::read(&found.file).unwrap(), MP3);
        let sighting = &found.sighting;
        assert_eq!(sighting.sha256, Digest::of(MP3));
        assert_eq!(sighting.bytes, MP3.len() as u64);
        assert_eq!(sighting.domain, site.to_string());
        assert_eq!(sighting.peer.as_deref(), Some(site.to_string().as_str()));
        assert!(sighting.robots.as_ref().unwrap().allowed);
        assert_eq!(sighting.hops[0].via, "seed");
        assert!(!sighting.hops.is_empty() && sighting.hops.iter().all(|hop| hop.status == 200));
    }
    let of = |name: &str| {
        &told.found.iter().find(|found| found.sighting.media_url.ends_with(name)).unwrap().sighting
    };
    assert_eq!(of("/audio.mp3").page_title.as_deref(), Some("Downloads"));
    assert_eq!(of("/listed.mp3").page_url, Some(format!("http://{site}/page")));
    assert_eq!(of("/player.mp3").page_url, Some(format!("http://{site}/player")));
    assert_eq!(
        of("/player.mp3").hops.iter().map(|hop| hop.via.as_str()).collect::<Vec<_>>(),
        ["seed", "iframe", "audio"]
    );
}

#[tokio::test]
async fn media_and_playlists_given_directly() {
    let router = Router::new()
        .route("/bare.m3u", get(|| async { "/a.mp3\n# note\n/b.mp3\n" }))
        .route("/l.pls", get(|| async { "[playlist]\nFile1=/a.mp3\nFile2=b.mp3\n" }))
        .fallback(mp3);
    let site = serve(router).await;
    let told = check(&format!("http://{site}/play?id=1"), &settings(&[site])).await;
    assert_eq!(told.found.len(), 1);
    assert_eq!(told.found[0].sighting.page_url, None);
    assert_eq!(check(&format!("http://{site}/l.pls"), &settings(&[site])).await.found.len(), 2);
    assert_eq!(check(&format!("http://{site}/bare.m3u"), &settings(&[site])).await.found.len(), 2);
}

#[tokio::test]
async fn a_site_is_crawled_within_scope_depth_and_budget() {
    let elsewhere = serve(Router::new().fallback(|headers: HeaderMap| async move {
        // A hotlink guard: only whoever comes from a page gets the bytes.
        if headers.contains_key(header::REFERER) {
            mp3().await
        } else {
            StatusCode::FORBIDDEN.into_response()
        }
    }))
    .await;
    let router = Router::new().fallback(move |uri: Uri| async move {
        let n: u32 = uri.path().trim_start_matches('/').parse().unwrap_or(0);
        page(format!(
            "<a href='/{0}'>next</a><a href='/{0}#again'>same</a><a href='/'>home</a><a href='http://{elsewhere}/page'>out</a>\
             <audio src='http://{elsewhere}/{n}.mp3'></audio>",
            n + 1
        ))
    });
    let site = serve(router).await;
    let limits = settings(&[site, elsewhere]);
    let told = crawl_site(
        &format!("http://{site}/"),
        SiteSettings { depth_max: Some(2), ..Default::default() },
        &limits,
    )
    .await;
    assert_eq!(told.pages, ["", "1", "2"].map(|path| format!("http://{site}/{path}")));
    assert_eq!(told.found.len(), 3);
    assert!(told.found.iter().all(|found| found.sighting.domain == site.to_string()));
    assert_eq!(*told.skip_of("/page"), SkipReason::OutOfScope);
    assert_eq!(*told.skip_of("/3"), SkipReason::TooDeep { depth_max: 2 });
    let few = SiteSettings { requests_max: Some(3), depth_max: Some(9), ..Default::default() };
    let told = crawl_site(&format!("http://{site}/"), few, &limits).await;
    assert_eq!(told.summary.requests, 3);
    assert!(matches!(told.skipped.last().unwrap().reason, SkipReason::Budget { max: 3, .. }));
}

#[tokio::test]
async fn robots_txt_is_obeyed_and_recorded() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let log = Arc::clone(&log);
        async move {
            log.lock().unwrap().push(uri.path().to_owned());
            assert!(headers[header::USER_AGENT].to_str().unwrap().starts_with("earwitness/"));
            match uri.path() {
                "/robots.txt" => "User-agent: *\nDisallow: /\n\nUser-agent: EARWITNESS\nDisallow: /private\nDisallow: /*.ogg$".into_response(),
                "/" => page("<audio src=/private/1.mp3></audio><audio src=/2.ogg></audio><audio src=/3.mp3></audio><audio src=/turn.mp3>"),
                "/turn.mp3" => Redirect::temporary("/private/4.mp3").into_response(),
                _ => mp3().await,
            }
        }
    });
    let site = serve(router).await;
    let told = check(&format!("http://{site}/"), &settings(&[site])).await;
    assert_eq!(told.media_urls(), [format!("http://{site}/3.mp3")]);
    assert_eq!(told.found[0].sighting.robots.as_ref().unwrap().rule, "no rule for this URL");
    assert_eq!(*told.skip_of("/private/1.mp3"), SkipReason::Robots { rule: "Disallow: /private".to_owned() });
    assert_eq!(*told.skip_of("/turn.mp3"), SkipReason::Robots { rule: "Disallow: /private".to_owned() });
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(asked, ["/robots.txt", "/", "/3.mp3", "/turn.mp3"]);

    let ignoring = SiteSettings {
        robots: earwitness::config::RobotsPolicy::Ignore,
        robots_reason: Some("court order".to_owned()),
        ..Default::default()
    };
    let told = crawl_site(&format!("http://{site}/"), ignoring, &settings(&[site])).await;
    assert_eq!(told.found.len(), 4);
    let robots = told.found[0].sighting.robots.as_ref().unwrap();
    assert_eq!((robots.allowed, robots.overridden.as_deref()), (false, Some("court order")));
}

#[tokio::test]
async fn robots_txt_that_cannot_be_had() {
    for (status, allowed) in [(404, true), (403, true), (503, false), (500, false), (429, false)] {
        let status = StatusCode::from_u16(status).unwrap();
        let site =
            serve(Router::new().route("/robots.txt", get(move || async move { status })).fallback(mp3)).await;
        let told = check(&format!("http://{site}/a.mp3"), &settings(&[site])).await;
        assert_eq!((told.found.len(), told.skipped.len()), if allowed { (1, 0) } else { (0, 1) }, "{status}");
    }
    let redirecting = Router::new()
        .route("/robots.txt", get(|| async { Redirect::permanent("/1") }))
        .route("/1", get(|| async { Redirect::permanent("/2") }))
        .route("/2", get(|| async { "User-agent: *\nDisallow: /" }));
    let site = serve(redirecting.fallback(mp3)).await;
    assert_eq!(check(&format!("http://{site}/a.mp3"), &settings(&[site])).await.skipped.len(), 1);
}

#[tokio::test]
async fn redirects_are_followed_recorded_and_bounded() {
    let forbidden = serve(Router::new().fallback(mp3)).await;
    let router = Router::new().fallback(move |uri: Uri| async move {
        let to = |target: &str| (StatusCode::FOUND, [(header::LOCATION, target.to_owned())]).into_response();
        match uri.path() {
            "/ok.mp3" => to("sub/next.mp3"),
            "/sub/next.mp3" => to("/end.mp3"),
            "/loop.mp3" => to("/pool.mp3"),
            "/pool.mp3" => to("/loop.mp3"),
            "/metadata.mp3" => to("http://169.254.169.254/latest/meta-data/"),
            "/loopback.mp3" => to(&format!("http://{forbidden}/x.mp3")),
            "/mapped.mp3" => to("http://[::ffff:127.0.0.1]/x.mp3"),
            "/file.mp3" => to("file:///etc/passwd"),
            "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
            "/end.mp3" => mp3().await,
            path => to(&format!("{path}x")),
        }
    });
    let site = serve(router).await;
    let limits = settings(&[site]);
    let told = check(&format!("http://{site}/ok.mp3"), &limits).await;
    let sighting = &told.found[0].sighting;
    assert_eq!(sighting.media_url, format!("http://{site}/end.mp3"));
    let hops: Vec<_> =
        sighting.hops.iter().map(|hop| (hop.url.as_str(), hop.status, hop.via.as_str())).collect();
    let (first, second, third) = (
        format!("http://{site}/ok.mp3"),
        format!("http://{site}/sub/next.mp3"),
        format!("http://{site}/end.mp3"),
    );
    assert_eq!(hops, [(first.as_str(), 302, "seed"), (&second, 302, "redirect"), (&third, 200, "redirect")]);
    for (path, message) in [
        ("loop.mp3", "redirects in a loop"),
        ("metadata.mp3", "address 169.254.169.254 of http://169.254.169.254/latest/meta-data/ is not public"),
        ("loopback.mp3", "address 127.0.0.1 of http://127.0.0.1"),
        ("mapped.mp3", "is not public; use --allow-private"),
        ("file.mp3", "file:///etc/passwd"),
        ("a.mp3", "more than 10 redirects"),
    ] {
        let told = check(&format!("http://{site}/{path}"), &limits).await;
        assert!(told.error().contains(message), "{path}: {}", told.error());
    }
}

#[tokio::test]
async fn the_guard_refuses_every_spelling_before_connecting() {
    let hits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "localhost",
        "0.0.0.0",
    ] {
        let told = check(&format!("http://{host}:{port}/a.mp3"), &FetchSettings::default()).await;
        assert!(told.error().contains("is not public; use --allow-private"), "{}", told.error());
        assert!(told.error().contains(&format!(":{port}/a.mp3")), "{}", told.error());
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);
    let site = serve(Router::new().fallback(mp3)).await;
    let open = FetchSettings { allow_private: true, ..FetchSettings::default() };
    let named = FetchSettings { private_allowed: vec!["localhost".to_owned()], ..FetchSettings::default() };
    for limits in [open, named] {
        let told = check(&format!("http://localhost:{}/a.mp3", site.port()), &limits).await;
        assert_eq!(told.found.len(), 1, "{:?}", told.failed);
    }
}

#[tokio::test]
async fn failures_are_one_clear_error_each_and_the_rest_goes_on() {
    let html = "<audio src=/500.mp3></audio><audio src=/404.mp3></audio><audio src=/good.mp3></audio><audio src=/empty.mp3></audio>\
                <audio src=/text.mp3></audio><audio src=/image.mp3></audio><audio src=/page.mp3></audio>";
    let router = Router::new().fallback(move |uri: Uri| async move {
        match uri.path() {
            "/" => page(html),
            "/500.mp3" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            "/404.mp3" | "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
            "/empty.mp3" => ([(header::CONTENT_TYPE, "audio/mpeg")], "").into_response(),
            "/text.mp3" => "no music here".into_response(),
            "/image.mp3" => ([(header::CONTENT_TYPE, "image/png")], "\u{89}PNG").into_response(),
            "/page.mp3" => page("<p>log in first <a href=/page.mp3>again</a></p>"),
            _ => mp3().await,
        }
    });
    let site = serve(router).await;
    let told = check(&format!("http://{site}/"), &settings(&[site])).await;
    // Nothing and text are handed on: whether bytes are audio is for the decoder to say.
    assert_eq!(
        told.media_urls(),
        ["empty.mp3", "good.mp3", "text.mp3"].map(|name| format!("http://{site}/{name}"))
    );
    let mut errors: Vec<_> = told.failed.iter().map(|failure| failure.error.to_string()).collect();
    errors.sort();
    assert_eq!(
        errors,
        [
            format!("http://{site}/404.mp3: the server answered 404"),
            format!("http://{site}/500.mp3: the server answered 500")
        ]
    );
    assert!(matches!(told.skip_of("/image.mp3"), SkipReason::NotAudio { .. }));
    assert_eq!(told.pages, [format!("http://{site}/"), format!("http://{site}/page.mp3")]);
}

#[tokio::test]
async fn bodies_without_end_and_pages_of_50_mb() {
    let endless = |kind: &'static str| {
        serve_raw(move |mut stream| async move {
            stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n").as_bytes()).await?;
            loop {
                stream.write_all(&[b'\xff'; 4096]).await?;
            }
        })
    };
    for kind in ["audio/mpeg", "text/html"] {
        let site = endless(kind).await;
        let told = check(&format!("http://{site}/x"), &settings(&[site])).await;
        assert!(told.error().contains("longer than the limit of 1048576 bytes"), "{}", told.error());
    }
    let large = Router::new().route("/", get(|| async { page(" ".repeat(50 << 20)) }));
    let site = serve(large).await;
    let told = check(&format!("http://{site}/"), &settings(&[site])).await;
    assert_eq!(
        told.error(),
        format!("http://{site}/: longer than the limit of 1048576 bytes (fetch.page_bytes_max)")
    );
}

/// A gzip stream of `blocks` times 258 × 8 zeros: one literal, then copies of it, in fixed Huffman codes.
fn bomb(blocks: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false];
    bits.extend([false, false, true, true, false, false, false, false]);
    let copy = [true, true, false, false, false, true, false, true, false, false, false, false, false];
    for _ in 0..blocks * 8 {
        bits.extend(copy);
    }
    bits.extend([false; 7]);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(
        bits.chunks(8).map(|byte| byte.iter().enumerate().map(|(at, &bit)| u8::from(bit) << at).sum::<u8>()),
    );
    bytes
}

#[tokio::test]
async fn decompressed_bytes_are_what_counts() {
    let router = Router::new().fallback(|uri: Uri, headers: HeaderMap| async move {
        if uri.path() == "/robots.txt" {
            return StatusCode::NOT_FOUND.into_response();
        }
        let accepted = headers[header::ACCEPT_ENCODING].to_str().unwrap().to_owned();
        assert_eq!(accepted == "identity", uri.path().ends_with(".mp3"), "{accepted}");
        ([(header::CONTENT_TYPE, "text/html"), (header::CONTENT_ENCODING, "gzip")], bomb(32 << 10))
            .into_response()
    });
    let site = serve(router).await;
    for path in ["", "x.mp3"] {
        let told = check(&format!("http://{site}/{path}"), &settings(&[site])).await;
        assert!(told.error().contains("longer than the limit of 1048576 bytes"), "{}", told.error());
    }
}

#[tokio::test]
async fn slow_broken_and_silent_servers() {
    let slow = serve_raw(|mut stream| async move {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 100000\r\n\r\n")
            .await?;
        loop {
            stream.write_all(b"\xff").await?;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    let told = check(&format!("http://{slow}/a.mp3"), &settings(&[slow])).await;
    assert!(
        told.error().contains(&format!("http://{slow}/a.mp3: the body comes too slowly")),
        "{}",
        told.error()
    );

    let broken = serve_raw(|mut stream| async move {
        stream
            .write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 9999\r\n\r\nID3 and no more",
            )
            .await
    })
    .await;
    let told = check(&format!("http://{broken}/a.mp3"), &settings(&[broken])).await;
    assert!(told.error().contains("broken off after 15 bytes"), "{}", told.error());

    let silent = serve_raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
        Ok(())
    })
    .await;
    let impatient = FetchSettings { read_timeout_s: 1, connect_timeout_s: 1, ..settings(&[silent]) };
    let told = check(&format!("http://{silent}/a.mp3"), &impatient).await;
    assert!(
        told.error().contains(&format!("http://{silent}/a.mp3: no byte came within")),
        "{}",
        told.error()
    );

    let rubbish =
        serve_raw(|mut stream| async move { stream.write_all(b"220 smtp.example ready\r\n").await }).await;
    let told = check(&format!("http://{rubbish}/a.mp3"), &settings(&[rubbish])).await;
    assert!(told.error().contains(&format!("http://{rubbish}/a.mp3: broken off")), "{}", told.error());

    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let told = check(&format!("http://{gone}/a.mp3"), &settings(&[gone])).await;
    assert!(
        told.error().contains(&format!("http://{gone}/a.mp3: cannot connect (Connection refused")),
        "{}",
        told.error()
    );
}

#[tokio::test]
async fn a_connection_that_fails_is_tried_once_more() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Answers the second request only; hangs up on the others without a word.
    let site = serve_raw(move |mut stream| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move {
            if number == 1 {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nID3")
                    .await?;
            }
            Ok(())
        }
    })
    .await;
    let told = check(&format!("http://{site}/a.mp3"), &settings(&[site])).await;
    assert_eq!((told.found.len(), told.failed.len()), (1, 0), "{:?}", told.failed);
    assert_eq!((asked.load(Ordering::SeqCst), told.found[0].sighting.hops.len()), (2, 1));
    let told = check(&format!("http://{site}/a.mp3"), &settings(&[site])).await;
    assert!(told.error().contains("broken off after 0 bytes"), "{}", told.error());
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn not_now_is_tried_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = Router::new().fallback(move |uri: Uri| {
        let count = Arc::clone(&count);
        async move {
            let later = |after: &'static str| {
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, after)]).into_response()
            };
            match uri.path() {
                "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
                "/a.mp3" if count.fetch_add(1, Ordering::SeqCst) < 2 => later("0"),
                "/never.mp3" => later("0"),
                "/tomorrow.mp3" => later("86400"),
                _ => mp3().await,
            }
        }
    });
    let site = serve(router).await;
    let limits = settings(&[site]);
    assert_eq!(check(&format!("http://{site}/a.mp3"), &limits).await.found.len(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let told = check(&format!("http://{site}/never.mp3"), &limits).await;
    assert_eq!(
        (told.summary.requests, told.error()),
        (4, format!("http://{site}/never.mp3: the server answered 429"))
    );
    assert_eq!(check(&format!("http://{site}/tomorrow.mp3"), &limits).await.summary.requests, 1);
}

#[tokio::test]
async fn streams_are_joined_and_encrypted_ones_reported() {
    let router = Router::new().fallback(|uri: Uri, headers: HeaderMap| async move {
        match uri.path() {
            "/" => page("<audio src=/m.m3u8></audio><audio src=/secret.m3u8></audio><audio src=/torn.m3u8></audio>"),
            "/m.m3u8" => "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/i.m3u8\n".into_response(),
            "/low/i.m3u8" => "#EXTM3U\n#EXT-X-MAP:URI=\"init\"\n#EXTINF:1,\n1.m4s\n#EXTINF:1,\n#EXT-X-BYTERANGE:4@2\n2.m4s\n#EXT-X-ENDLIST\n".into_response(),
            "/secret.m3u8" => "#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXTINF:1,\n1.ts\n".into_response(),
            "/torn.m3u8" => "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/one\n#EXTINF:1,\n/missing\n#EXTINF:1,\n/two\n".into_response(),
            "/low/2.m4s" => {
                assert_eq!(headers[header::RANGE], "bytes=2-5");
                (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, "bytes 2-5/9")], "part").into_response()
            }
            "/missing" | "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
            path => path.to_owned().into_response(),
        }
    });
    let site = serve(router).await;
    let told = check(&format!("http://{site}/"), &settings(&[site])).await;
    let bytes_of = |name: &str| {
        let found = told.found.iter().find(|found| found.sighting.media_url.ends_with(name)).unwrap();
        (String::from_utf8(std::fs::read(&found.file).unwrap()).unwrap(), found.sighting.warnings.len())
    };
    assert_eq!(bytes_of("/low/i.m3u8"), ("/low/init/low/1.m4spart".to_owned(), 0));
    assert_eq!(bytes_of("/torn.m3u8"), ("/one".to_owned(), 2));
    assert_eq!(*told.skip_of("/secret.m3u8"), SkipReason::Encrypted { method: "SAMPLE-AES".to_owned() });
    let joined = told.found.iter().find(|found| found.sighting.media_url.ends_with("/low/i.m3u8")).unwrap();
    assert_eq!(joined.sighting.sha256, Digest::of(b"/low/init/low/1.m4spart"));
    assert_eq!(joined.sighting.page_url, Some(format!("http://{site}/")));
}

/// A certificate for 127.0.0.1 signed by nobody but itself, its PEM file, and a server with HTTP/2 and HTTP/1.1.
async fn serve_tls(folder: &std::path::Path, protocols: &[&[u8]]) -> (SocketAddr, PathBuf) {
    let signed =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let pem = folder.join("root.pem");
    std::fs::File::create(&pem).unwrap().write_all(signed.cert.pem().as_bytes()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service =
                    hyper::service::service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                        let version = format!("ID3 {:?}", request.version());
                        Ok::<_, std::convert::Infallible>(Response::new(Body::from(version)))
                    });
                let executor = hyper_util::rt::TokioExecutor::new();
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper_util::server::conn::auto::Builder::new(executor)
                    .serve_connection(io, service)
                    .await;
            });
        }
    });
    (address, pem)
}

#[tokio::test]
async fn tls_with_both_versions_of_http() {
    let folder = tempfile::tempdir().unwrap();
    for (protocols, version) in
        [(&[b"h2".as_slice(), b"http/1.1"][..], "HTTP/2.0"), (&[b"http/1.1".as_slice()][..], "HTTP/1.1")]
    {
        let (site, root) = serve_tls(folder.path(), protocols).await;
        let trusting = FetchSettings { extra_root_certificates: vec![root], ..settings(&[site]) };
        let client = Client::new(&trusting).unwrap();
        let url: url::Url = format!("https://{site}/a").parse().unwrap();
        let mut bytes = Vec::new();
        let fetched = client.download(Request::new(url.clone(), Kind::Media), &mut bytes).await.unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), format!("ID3 {version}"));
        assert_eq!((fetched.sha256, fetched.peer), (Digest::of(&bytes), Some(site.to_string())));

        let told = check(url.as_str(), &settings(&[site])).await;
        assert!(
            told.error()
                .contains(&format!("https://{site}/a: no secure connection (invalid peer certificate")),
            "{}",
            told.error()
        );
    }
}

#[tokio::test]
async fn stopping_and_deaf_listeners() {
    let site = serve(
        Router::new()
            .route("/", get(|| async { page("<audio src=/1.mp3></audio><audio src=/2.mp3></audio>") }))
            .fallback(mp3),
    )
    .await;
    let limits = settings(&[site]);
    let (client, clock) = (Client::new(&limits).unwrap(), FixedClock(Timestamp::UNIX_EPOCH));
    let plan = Plan::for_url(&format!("http://{site}/")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let lanes = Lanes::new();
    let run = Run {
        plan: &plan,
        client: &client,
        store: &store,
        clock: &clock,
        lanes: &lanes,
        browser: None,
        known_hosts: None,
        failure: None,
    };

    let cancel = CancellationToken::new();
    cancel.cancel();
    let (events, _receiver) = mpsc::channel(1);
    assert!(Box::pin(crawl(run, events, &cancel)).await.unwrap().cancelled);

    let (events, receiver) = mpsc::channel(1);
    drop(receiver);
    let summary = Box::pin(crawl(run, events, &CancellationToken::new())).await.unwrap();
    assert_eq!((summary.found, summary.cancelled), (0, false));

    // While the listener takes nothing, no more is fetched than the channel holds.
    let (events, mut receiver) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let stop = async {
        assert!(matches!(receiver.recv().await, Some(Event::Page(_))));
        let Some(Event::Found(found, _)) = receiver.recv().await else { panic!("no media") };
        let path = found.file.to_path_buf();
        assert!(path.exists());
        drop(found);
        assert!(!path.exists());
        cancel.cancel();
    };
    let (summary, ()) = tokio::join!(Box::pin(crawl(run, events, &cancel)), stop);
    assert!(summary.unwrap().found <= 2);
}

#[tokio::test]
async fn sitemaps_of_robots_txt_are_further_seeds() {
    let router = Router::new().fallback(|uri: Uri, headers: HeaderMap| async move {
        let host = headers[header::HOST].to_str().unwrap().to_owned();
        match uri.path() {
            "/robots.txt" => format!(
                "User-agent: *\nDisallow: /secret\nSitemap: http://{host}/index.xml\nSitemap: /gone.xml\nSitemap: /secret.xml"
            )
            .into_response(),
            "/index.xml" => {
                "<sitemapindex><sitemap><loc>/songs.xml.gz</loc></sitemap><sitemap><loc>/nested.xml</loc></sitemap></sitemapindex>"
                    .into_response()
            }
            "/nested.xml" => "<sitemapindex><sitemap><loc>/never.xml</loc></sitemap></sitemapindex>".into_response(),
            "/songs.xml.gz" => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                let urls = ["/orphan", "/direct.mp3", "/secret/page", "https://elsewhere.example/", "/cover.jpg"];
                let urls: String = urls.iter().map(|url| format!("<url><loc>{url}</loc></url>")).collect();
                packer.write_all(format!("<urlset>{urls}</urlset>").as_bytes()).unwrap();
                ([(header::CONTENT_TYPE, "application/x-gzip")], packer.finish().unwrap()).into_response()
            }
            "/" => page("<p>nothing linked here</p>"),
            "/orphan" => page("<audio src=/orphan.mp3></audio>"),
            path if path.ends_with(".mp3") => mp3().await,
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    });
    let site = serve(router).await;
    let seed = format!("http://{site}/");
    let told = crawl_site(&seed, SiteSettings::default(), &settings(&[site])).await;
    assert_eq!(told.media_urls(), ["direct", "orphan"].map(|name| format!("{seed}{name}.mp3")));
    assert_eq!(told.failed.len(), 0, "{:?}", told.failed);
    assert!(matches!(told.skip_of("/gone.xml"), SkipReason::NoSitemap { .. }));
    for path in ["/secret.xml", "/secret/page"] {
        assert!(matches!(told.skip_of(path), SkipReason::Robots { .. }));
    }
    let mut problems: Vec<_> = told.problems.iter().map(String::as_str).collect();
    problems.sort_unstable();
    assert_eq!(
        problems,
        [
            "1 of its addresses are sitemaps of an index in an index",
            "2 of its addresses lead out of the site or to no page"
        ]
    );
    let orphan =
        &told.found.iter().find(|found| found.sighting.media_url.ends_with("/orphan.mp3")).unwrap().sighting;
    let vias: Vec<_> = orphan.hops.iter().map(|hop| hop.via.as_str()).collect();
    assert_eq!(vias, ["sitemap", "sitemap", "sitemap", "audio"]);
    assert_eq!(orphan.page_url, Some(format!("{seed}orphan")));
    // One page is one page.
    assert_eq!(check(&seed, &settings(&[site])).await.pages, [seed]);
}

#[tokio::test]
async fn frames_refreshes_and_other_files_of_a_site() {
    let elsewhere = serve(Router::new().fallback(|| async { page("<audio src=/there.mp3>") })).await;
    let router = Router::new().fallback(move |uri: Uri| async move {
        match uri.path() {
            "/" => page("<meta http-equiv=refresh content='0;url=/start'><a href=cover.jpg>cover</a><a href=/out>out</a>"),
            "/start" => page("<frameset><frame src=/menu></frameset>"),
            "/menu" => page("<a href=/song>song</a>"),
            "/song" => page("<audio src=/song.mp3>"),
            "/out" => Redirect::temporary(&format!("http://{elsewhere}/")).into_response(),
            "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
            _ => mp3().await,
        }
    });
    let site = serve(router).await;
    let limits = settings(&[site, elsewhere]);
    let told = crawl_site(&format!("http://{site}/"), SiteSettings::default(), &limits).await;
    assert_eq!(told.media_urls(), [format!("http://{site}/song.mp3")]);
    assert_eq!(*told.skip_of("/out"), SkipReason::RedirectsOut { to: format!("http://{elsewhere}/") });
    assert_eq!(*told.skip_of("/cover.jpg"), SkipReason::NotAudio { content_type: "named .jpg".to_owned() });
    // One URL given by a person may be a short link to anywhere.
    let told = check(&format!("http://{site}/out"), &limits).await;
    assert_eq!(told.pages[0], format!("http://{elsewhere}/"));
}

#[tokio::test]
async fn a_proxy_is_used_only_where_it_is_configured() {
    let proxy = serve_raw(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 3\r\n\r\nID3").await
    })
    .await;
    let limits = FetchSettings { proxy: Some(format!("http://{proxy}")), ..FetchSettings::default() };
    let told = check("http://music.example/a.mp3", &limits).await;
    assert_eq!(told.found.len(), 1, "{:?}", told.failed);
    let told = check("http://127.0.0.1/a.mp3", &limits).await;
    assert!(told.error().contains("is not public"), "{}", told.error());
}
