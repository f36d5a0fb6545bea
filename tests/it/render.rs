//! Pages made by scripts, in the machine's real Chromium, against servers on loopback. Without Chromium these tests say so
//! and pass; `.ci/run` installs it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use earwitness::config::{FetchSettings, RenderSettings};
use earwitness::crawl::render::{Browser, Error, RenderLimits, Rendered};
use earwitness::net::{Client, Policy};
use tokio::net::{TcpListener, UdpSocket};
use url::Url;

/// Serves `router` on loopback for as long as the test's runtime lives.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A place that must not be reached: counts connections and datagrams at one port.
async fn victim() -> (SocketAddr, Arc<AtomicUsize>) {
    let (listener, datagrams) = loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(datagrams) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            break (listener, datagrams);
        }
    };
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let (seen, seen_too) = (Arc::clone(&count), Arc::clone(&count));
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    tokio::spawn(async move {
        while datagrams.recv_from(&mut [0; 2048]).await.is_ok() {
            seen_too.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, count)
}

/// The machine's Chromium under rules that allow exactly the given servers.
fn browser(allowed: &[SocketAddr], user_agent: &str) -> Option<Browser> {
    let fetch = FetchSettings {
        private_allowed: allowed.iter().map(ToString::to_string).collect(),
        user_agent: user_agent.to_owned(),
        connect_timeout_s: 5,
        ..FetchSettings::default()
    };
    match Browser::find(&RenderSettings::default(), &Client::new(&fetch).unwrap()) {
        Ok(browser) => Some(browser),
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            None
        }
    }
}

fn limits() -> RenderLimits {
    RenderLimits { time_max: Duration::from_secs(60), ..RenderLimits::from(&RenderSettings::default()) }
}

fn anything() -> Policy {
    Arc::new(|_, _| Ok(()))
}

fn page(html: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html.into()).into_response()
}

fn typed(kind: &'static str, body: &'static [u8]) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Processes whose command line holds `word`.
fn processes_with(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

const PLAYER: &str = r#"<!DOCTYPE html><title>Built by script</title>
<style>body { background: linear-gradient(45deg, red, yellow 30%, blue 70%, green); height: 900px }</style>
<h1>Listen</h1><div id=host></div><form><input name=nextSibling><input name=attributes></form>
<button class="btn-play" onclick="fetch('/late/track.m4a')">▶</button>
<iframe src="http://FRAME/frame"></iframe>
<script>
  const audio = document.createElement("audio");
  audio.src = "/media/song.mp3?sig=" + ["a", "b"].join("");
  document.body.append(audio);
  host.attachShadow({ mode: "closed" }).innerHTML = '<a href="/in-shadow.mp3">hidden</a>';
  fetch("/api/list").then((answer) => answer.json()).then((list) => fetch(list.stream));
  document.cookie = "seen=1";
</script>"#;

const ATTACKS: &str = r#"<!DOCTYPE html><title>Attacks</title><body><script>
  const tries = (what) => { try { what() } catch (error) { console.log(error) } };
  const victim = "127.0.0.1:VICTIM";
  tries(() => fetch("http://169.254.169.254/latest/meta-data/", { mode: "no-cors" }));
  tries(() => fetch(`http://${victim}/fetch`, { mode: "no-cors" }));
  tries(() => fetch(`http://localhost:VICTIM/by-name`, { mode: "no-cors" }));
  tries(() => fetch(`http://[::ffff:127.0.0.1]:VICTIM/mapped`, { mode: "no-cors" }));
  tries(() => fetch(`https://localhost:VICTIM/tunnel`, { mode: "no-cors" }));
  tries(() => fetch("/redirect", { mode: "no-cors" }));
  tries(() => { new Image().src = `http://${victim}/image` });
  tries(() => { new WebSocket(`ws://${victim}/socket`) });
  tries(() => { new WebSocket(`ws://localhost:VICTIM/socket-by-name`) });
  tries(() => navigator.sendBeacon(`http://${victim}/beacon`, "x"));
  tries(() => { new RTCPeerConnection({ iceServers: [{ urls: `stun:${victim}` }] }).createDataChannel("x") });
  const work = `fetch("http://${victim}/worker", { mode: "no-cors" }).catch(() => {});
    try { new WebTransport("https://${victim}/") } catch {}
    fetch(self.origin + "/from-worker.mp3").catch(() => {})`;
  tries(() => new Worker(URL.createObjectURL(new Blob([work]))));
  tries(() => navigator.serviceWorker.register("/worker.js"));
  tries(() => window.open(`http://${victim}/popup`));
  for (const [rel, href] of [["dns-prefetch", "//localhost"], ["preconnect", `http://${victim}`],
      ["prefetch", `http://${victim}/prefetch`], ["prerender", `http://${victim}/prerender`]]) {
    const link = Object.assign(document.createElement("link"), { rel, href });
    document.head.append(link);
  }
  const frame = document.createElement("iframe");
  frame.src = `http://${victim}/iframe`;
  document.body.append(frame);
  const file = document.createElement("iframe");
  file.src = "file:///etc/passwd";
  document.body.append(file);
  tries(() => Object.assign(document.createElement("a"), { href: "/album.zip", download: "" }).click());
  alert("hello");
</script>"#;

async fn site(frame: SocketAddr, victim: SocketAddr) -> SocketAddr {
    let player = PLAYER.replace("FRAME", &frame.to_string());
    let attacks = ATTACKS.replace("VICTIM", &victim.port().to_string());
    let mp3 = || async { typed("audio/mpeg", b"\xff\xfb\x90\x00 as much music as these tests need") };
    serve(
        Router::new()
            .route("/player", get(move || async move { page(player) }))
            .route("/attacks", get(move || async move { page(attacks) }))
            .route("/media/song.mp3", get(mp3))
            .route("/late/track.m4a", get(|| async { typed("audio/mp4", b"late") }))
            .route("/from-worker.mp3", get(mp3))
            .route("/api/list", get(|| async { typed("application/json", br#"{"stream": "/live?id=7"}"#) }))
            .route("/live", get(|| async { typed("application/vnd.apple.mpegurl", b"#EXTM3U\n") }))
            .route("/album.zip", get(|| async { typed("application/zip", b"PK") }))
            .route("/worker.js", get(|| async { typed("text/javascript", b"") }))
            .route("/redirect", get(move || async move { Redirect::to(&format!("http://{victim}/hop")) })),
    )
    .await
}

fn media(rendered: &Rendered) -> Vec<String> {
    let described = |(url, kind): &(Url, Option<String>)| {
        format!("{} {}", &url[url::Position::BeforePath..], kind.as_deref().unwrap_or("?"))
    };
    rendered.media.iter().map(described).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_built_by_script_is_found() {
    let agents = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&agents);
    let frame = serve(Router::new().route(
        "/frame",
        get(move |headers: HeaderMap| async move {
            kept.lock().unwrap().push(headers["user-agent"].to_str().unwrap().to_owned());
            assert!(!headers.contains_key("proxy-authorization"));
            page("<title>Frame</title><p>of another site</p><video src='/clip.mp4'></video>")
        }),
    ))
    .await;
    let (victim, touched) = victim().await;
    let site = site(frame, victim).await;
    let Some(browser) = browser(&[site, frame], "earwitness-test-player/1.0 (+https://example.com)") else {
        return;
    };
    let url = Url::parse(&format!("http://{site}/player")).unwrap();
    let rendered = browser.render(&url, &limits(), anything()).await.unwrap();
    let found = media(&rendered);
    for expected in [
        "/media/song.mp3?sig=ab audio/mpeg",
        "/live?id=7 application/vnd.apple.mpegurl",
        "/late/track.m4a audio/mp4",
    ] {
        assert!(found.iter().any(|one| one == expected), "{expected} in {rendered:?}");
    }
    assert!(found.iter().any(|one| one.starts_with("/clip.mp4")), "{found:?}");
    assert_eq!((rendered.title.as_str(), &rendered.final_url), ("Built by script", &url));
    for part in
        ["<audio src=\"/media/song.mp3?sig=ab\">", "href=\"/in-shadow.mp3\"", "<h1>Listen</h1>", "</html>"]
    {
        assert!(rendered.html.contains(part), "{part} in {}", rendered.html);
    }
    assert_eq!(rendered.frames.len(), 1, "{:?}", rendered.frames);
    assert!(rendered.frames[0].html.contains("of another site"));
    assert_eq!(*agents.lock().unwrap(), ["earwitness-test-player/1.0 (+https://example.com)"]);
    assert!(rendered.requests >= 5 && rendered.bytes > 1000, "{rendered:?}");
    assert!(rendered.refused.is_empty(), "{:?}", rendered.refused);
    let colours = picture(&rendered.screenshot_png);
    assert!(colours > 100, "the picture shows something: {colours}");
    assert_eq!(touched.load(Ordering::SeqCst), 0);
    assert_eq!(processes_with("earwitness-test-player"), 0, "nothing is left running");
}

/// Checks a PNG of the window's size; returns how many different bytes its rows hold.
fn picture(png: &[u8]) -> usize {
    use std::io::Read as _;
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (1280, 1024));
    let (mut at, mut packed) = (8, Vec::new());
    while at + 8 <= png.len() {
        let length = size(at) as usize;
        if &png[at + 4..at + 8] == b"IDAT" {
            packed.extend_from_slice(&png[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    let mut rows = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..]).take(16 << 20).read_to_end(&mut rows).unwrap();
    rows.into_iter().collect::<std::collections::BTreeSet<u8>>().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_reaches_out_is_stopped() {
    let (victim, touched) = victim().await;
    let site = site(victim, victim).await;
    let Some(browser) = browser(&[site], "earwitness-test-attacks/1.0") else { return };
    let url = Url::parse(&format!("http://{site}/attacks")).unwrap();
    let rendered = browser.render(&url, &limits(), anything()).await.unwrap();
    assert_eq!(touched.load(Ordering::SeqCst), 0, "{rendered:?}");
    for target in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://{victim}/fetch"),
        format!("http://localhost:{}/by-name", victim.port()),
        format!("http://[::ffff:7f00:1]:{}/mapped", victim.port()),
        format!("https://localhost:{}/", victim.port()),
        format!("http://{victim}/hop"),
        format!("http://{victim}/image"),
        format!("http://{victim}/worker"),
        format!("http://{victim}/iframe"),
        format!("http://{victim}/popup"),
        format!("https://{victim}/"),
    ] {
        let told = rendered.refused.iter().any(|(refused, _)| refused.starts_with(&target));
        assert!(told, "{target} in {:#?}", rendered.refused);
    }
    let found = media(&rendered);
    assert!(found.iter().any(|one| one.starts_with("/album.zip")), "a download is worth a look: {found:?}");
    assert!(found.iter().any(|one| one.starts_with("/from-worker.mp3")), "{found:?}");
    assert!(rendered.problems.iter().any(|problem| problem.contains("dialog")), "{:?}", rendered.problems);
    assert!(rendered.problems.iter().any(|problem| problem.contains("download")), "{:?}", rendered.problems);
    assert!(!format!("{rendered:?}").contains("root:x:0"), "no file was read");
}

/// One browser for each, since each breaks its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_break_the_browser_are_clear_errors() {
    let site = serve(
        Router::new()
            .route("/loop", get(|| async { page("<p>before</p><script>while (true) {}</script>") }))
            .route(
                "/loop-with-media",
                get(|| async { page("<audio src=/x.mp3></audio><script>onload = () => { while (true) {} }</script>") }),
            )
            .route("/x.mp3", get(|| async { typed("audio/mpeg", b"\xff\xfb\x90\x00") }))
            .route("/alerts", get(|| async { page("<script>while (true) alert(1)</script>") }))
            .route("/redirects", get(|| async { Redirect::to("/redirects") }))
            .route(
                "/wanders",
                get(|| async { page("<script>location.href = '/wanders?' + Math.random()</script>") }),
            )
            .route(
                "/giant",
                get(|| async {
                    page(
                        "<script>const row = '<b>' + 'x'.repeat(1000) + '</b>';
                         onload = () => { document.body.innerHTML = row.repeat(4000) }</script>",
                    )
                }),
            )
            .route(
                "/nested",
                get(|| async {
                    page(
                        "<body><script>let inner = document;
                         for (let depth = 0; depth < 80; depth += 1) {
                             const frame = inner.createElement('iframe');
                             inner.body.append(frame);
                             inner = frame.contentDocument;
                         }</script>",
                    )
                }),
            )
            .route(
                "/hoard",
                get(|| async {
                    page("<script>const all = []; while (true) if (all.length < 100) all.push(new Uint8Array(32 << 20).fill(7));</script>")
                }),
            )
            .route(
                "/file",
                get(|| async {
                    ([(header::CONTENT_DISPOSITION, "attachment; filename=x.zip")], typed("application/zip", b"PK"))
                        .into_response()
                }),
            ),
    )
    .await;
    let (victim, touched) = victim().await;
    let Some(browser) = browser(&[site], "earwitness-test-errors/1.0") else { return };
    let limits = RenderLimits {
        time_max: Duration::from_secs(18),
        document_bytes_max: 1 << 20,
        memory_bytes_max: 900 << 20,
        screenshot: false,
        ..limits()
    };
    let render = async |url: String| {
        let url = Url::parse(&url).unwrap();
        let result = browser.render(&url, &limits, anything()).await;
        if let Err(error) = &result {
            let told = error.to_string();
            assert!(told.contains(url.as_str()) && told.lines().count() == 1, "{told}");
        }
        result
    };
    let at = |path: &str| format!("http://{site}{path}");

    let stopped = render(at("/loop")).await.unwrap();
    assert!(stopped.html.contains("before"), "{stopped:?}");
    assert!(stopped.problems.iter().any(|problem| problem.contains("did not end")), "{stopped:?}");
    let stopped = render(at("/loop-with-media")).await.unwrap();
    assert_eq!(media(&stopped), ["/x.mp3 audio/mpeg"]);
    let alerts = render(at("/alerts")).await;
    assert!(matches!(alerts, Err(Error::Dialogs { .. })), "{alerts:?}");
    let redirects = render(at("/redirects")).await;
    assert!(
        matches!(&redirects, Err(Error::Load { reason, .. }) if reason.contains("REDIRECTS")),
        "{redirects:?}"
    );
    let wanders = render(at("/wanders")).await;
    assert!(matches!(wanders, Err(Error::Wanders { .. })), "{wanders:?}");
    let giant = render(at("/giant")).await.unwrap();
    assert!(giant.html.len() as u64 <= limits.document_bytes_max, "{}", giant.html.len());
    assert!(
        giant.problems.iter().any(|problem| problem.contains("document_bytes_max")),
        "{:?}",
        giant.problems
    );
    let nested = render(at("/nested")).await.unwrap();
    assert_eq!(nested.frames.len(), 15, "{nested:?}");
    let hoard = render(at("/hoard")).await;
    assert!(matches!(hoard, Err(Error::Memory { .. } | Error::Crashed { .. })), "{hoard:?}");
    let file = render(at("/file")).await;
    assert!(matches!(file, Err(Error::Download { .. })), "{file:?}");
    let refused = render(format!("http://localhost:{}/", victim.port())).await;
    assert!(refused.as_ref().is_err_and(|error| error.to_string().contains("not public")), "{refused:?}");
    let refused = render(format!("https://localhost:{}/", victim.port())).await;
    assert!(refused.as_ref().is_err_and(|error| error.to_string().contains("not public")), "{refused:?}");
    // These never reach a browser.
    assert!(matches!(render(format!("http://{victim}/")).await, Err(Error::Net(_))));
    assert!(matches!(render("http://169.254.169.254/".to_owned()).await, Err(Error::Net(_))));
    let third: Policy = Arc::new(|host, _| Err(format!("{host} is a third party")));
    let refused = browser.render(&Url::parse(&at("/loop")).unwrap(), &limits, third).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert_eq!(touched.load(Ordering::SeqCst), 0);

    // Given up in the middle: the processes are gone all the same.
    let url = Url::parse(&at("/loop")).unwrap();
    let given_up =
        tokio::time::timeout(Duration::from_secs(2), browser.render(&url, &limits, anything())).await;
    assert!(given_up.is_err());
    for _ in 0..200 {
        if processes_with("earwitness-test-errors") == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} processes are left", processes_with("earwitness-test-errors"));
}
