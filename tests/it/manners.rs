//! Manners and their limits, as the servers see them: no host asked twice at once or too soon, "not now" kept, budgets kept,
//! hosts given up, and what robots.txt may cost.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use earwitness::base::{Clock, SystemClock};
use earwitness::config::{FetchSettings, SiteSettings};
use earwitness::crawl::{
    Event, Heard, HostRecord, JobRecord, JobState, Lanes, Plan, Run, SkipReason, crawl, job_key,
};
use earwitness::net::Client;
use earwitness::store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::crawl::{MP3, Told, carry_out, plan_for, settings};
use crate::servers::{raw, serve};

/// One request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    path: String,
    began: Instant,
    ended: Instant,
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// Pages of eight jobs; a little slow, so that requests at once would be seen.
async fn page(State(log): State<Log>, uri: Uri) -> Response {
    let began = Instant::now();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let path = uri.path().to_owned();
    let is_first = !log.lock().unwrap().iter().any(|seen| seen.path == path);
    let answer = match path.as_str() {
        "/robots.txt" => "User-agent: *\nDisallow: /none/".into_response(),
        "/3/busy" if is_first => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response()
        }
        _ => ([(header::CONTENT_TYPE, "text/html")], format!("<title>{path}</title><p>{path}</p>"))
            .into_response(),
    };
    log.lock().unwrap().push(Seen { path, began, ended: Instant::now() });
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_jobs_at_once_are_one_visitor_to_each_host() {
    const DELAY: Duration = Duration::from_millis(40);
    let logs: Vec<Log> = (0..2).map(|_| Log::default()).collect();
    let mut hosts = Vec::new();
    for log in &logs {
        hosts.push(serve(Router::new().fallback(page).with_state(Arc::clone(log))).await);
    }
    let limits = settings(&hosts);
    let client = Client::new(&limits).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let (lanes, cancel) = (Lanes::new(), CancellationToken::new());
    let plans: Vec<Plan> = (0..8)
        .map(|job| {
            let pages = ["a", "busy", "c"];
            let seeds = hosts
                .iter()
                .flat_map(|host| pages.map(|page| format!("http://{host}/{job}/{page}")))
                .collect();
            let site =
                SiteSettings { seeds, delay_ms: Some(40), delay_factor: Some(0.0), ..Default::default() };
            Plan::for_site(&format!("job {job}"), &site).unwrap()
        })
        .collect();
    let runs = plans.iter().map(|plan| {
        let (events, mut receiver) = mpsc::channel(8);
        let run = Run {
            plan,
            client: &client,
            store: &store,
            clock: &SystemClock,
            lanes: &lanes,
            browser: None,
            known_hosts: None,
            failure: None,
        };
        let cancel = &cancel;
        async move {
            let (summary, ()) = tokio::join!(Box::pin(crawl(run, events, cancel)), async {
                while receiver.recv().await.is_some() {}
            });
            summary.unwrap()
        }
    });
    for summary in futures_util::future::join_all(runs).await {
        assert_eq!((summary.pages, summary.failed), (6, 0), "{summary:?}");
    }
    for log in &logs {
        let mut seen = log.lock().unwrap().clone();
        seen.sort_by_key(|one| one.began);
        // Three pages of eight jobs, the one that was refused once more, and robots.txt for each job.
        assert_eq!(seen.len(), 3 * 8 + 1 + 8);
        for pair in seen.windows(2) {
            assert!(pair[1].began >= pair[0].ended, "two at once: {pair:?}");
            assert!(pair[1].began - pair[0].ended >= DELAY, "too soon: {pair:?}");
            let refused = seen.iter().find(|one| one.path == "/3/busy").unwrap();
            if pair[0].began == refused.began {
                assert!(pair[1].began - pair[0].ended >= Duration::from_secs(1), "Retry-After: {pair:?}");
            }
        }
    }
    let ledger: Vec<HostRecord> =
        store.scan::<HostRecord>(&format!("{}/", job_key("job 3"))).unwrap().map(Result::unwrap).collect();
    assert_eq!(ledger.len(), 2);
    for host in ledger {
        assert_eq!((host.requests, host.statuses[&200], host.statuses[&429]), (5, 4, 1));
        let robots = host.robots.unwrap();
        let text = store.blobs().path(&robots.sha256.unwrap());
        assert_eq!(std::fs::read_to_string(text).unwrap(), "User-agent: *\nDisallow: /none/");
    }
}

async fn crawl_one(seed: String, site: SiteSettings, limits: &FetchSettings) -> Told {
    carry_out(plan_for(SiteSettings { seeds: vec![seed], ..site }), limits).await
}

/// A page with so many links, and nothing behind them.
fn links(count: usize) -> Response {
    let html: String = (0..count).map(|n| format!("<a href=/{n}>{n}</a>")).collect();
    ([(header::CONTENT_TYPE, "text/html")], html).into_response()
}

#[tokio::test]
async fn a_storm_of_429_ends_with_the_host_given_up() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let site = serve(Router::new().fallback(move |uri: Uri| {
        *count.lock().unwrap() += usize::from(uri.path() != "/robots.txt");
        async move {
            match uri.path() {
                "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
                "/" => links(50),
                _ => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response(),
            }
        }
    }))
    .await;
    let told = crawl_one(format!("http://{site}/"), SiteSettings::default(), &settings(&[site])).await;
    assert_eq!(*asked.lock().unwrap(), 1 + 6);
    let reasons: Vec<_> = told.skipped.iter().map(|skip| &skip.reason).collect();
    assert!(matches!(reasons[..], [SkipReason::HostGivenUp { waiting: 48.., .. }]), "{reasons:?}");
}

#[tokio::test]
async fn a_retry_after_beyond_all_patience_is_not_waited_for_in_either_form() {
    for retry_after in ["86400", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let site = serve(Router::new().fallback(move |uri: Uri| async move {
            match uri.path() {
                "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
                "/" => links(3),
                _ => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, retry_after)]).into_response(),
            }
        }))
        .await;
        let told = crawl_one(format!("http://{site}/"), SiteSettings::default(), &settings(&[site])).await;
        assert_eq!(
            (told.failed.len(), told.skipped.len(), told.summary.requests),
            (1, 1, 2),
            "{:?}",
            told.skipped
        );
        assert!(matches!(told.skipped[0].reason, SkipReason::HostGivenUp { waiting: 2, .. }));
    }
}

#[tokio::test]
async fn a_short_retry_after_as_a_date_is_kept() {
    let refused_at = Arc::new(Mutex::new(None::<(Instant, jiff::Timestamp)>));
    let at = Arc::clone(&refused_at);
    let site = serve(Router::new().fallback(move |uri: Uri| {
        let at = Arc::clone(&at);
        async move {
            let mut refused_at = at.lock().unwrap();
            match (uri.path(), *refused_at) {
                ("/robots.txt", _) => StatusCode::NOT_FOUND.into_response(),
                (_, None) => {
                    let until = SystemClock.now() + jiff::SignedDuration::from_secs(3);
                    *refused_at = Some((Instant::now(), until));
                    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
                        .timestamp_to_rfc9110_string(&until)
                        .unwrap();
                    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, date)]).into_response()
                }
                (_, Some((_, until))) => {
                    // Dates are whole seconds.
                    assert!(SystemClock.now().as_second() >= until.as_second(), "came back too soon");
                    ([(header::CONTENT_TYPE, "audio/mpeg")], MP3).into_response()
                }
            }
        }
    }))
    .await;
    let plan = plan_for(SiteSettings { seeds: vec![format!("http://{site}/a.mp3")], ..Default::default() });
    let (found, failed) = carry_out_now(&plan, &settings(&[site])).await;
    assert_eq!((found, failed), (1, 0));
}

/// Carries a plan out by the clock of the machine; how much was found and failed.
async fn carry_out_now(plan: &Plan, limits: &FetchSettings) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let (client, lanes, cancel) = (Client::new(limits).unwrap(), Lanes::new(), CancellationToken::new());
    let clock = SystemClock;
    let run = Run {
        plan,
        client: &client,
        store: &store,
        clock: &clock,
        lanes: &lanes,
        browser: None,
        known_hosts: None,
        failure: None,
    };
    let (events, mut receiver) = mpsc::channel(8);
    let listening = async {
        let (mut found, mut failed) = (0, 0);
        while let Some(event) = receiver.recv().await {
            match event {
                Event::Found(_, hearing) => {
                    found += 1;
                    hearing.heard(Heard {
                        recordings: Vec::new(),
                        media_s: 1.0,
                        error: None,
                        is_whole: true,
                    });
                }
                Event::Failed(_) => failed += 1,
                _ => {}
            }
        }
        (found, failed)
    };
    let (summary, counts) = tokio::join!(Box::pin(crawl(run, events, &cancel)), listening);
    assert!(!summary.unwrap().cancelled);
    counts
}

#[tokio::test]
async fn a_host_that_never_answers_is_given_up() {
    // Connections are accepted and closed at once.
    let site = raw(|head, mut stream| async move {
        use tokio::io::AsyncWriteExt as _;
        if head.starts_with("GET /robots.txt") {
            return stream.write_all(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
        if head.starts_with("GET / ") {
            let html: String = (0..20).map(|n| format!("<a href=/{n}>{n}</a>")).collect();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{html}", html.len());
            return stream.write_all(answer.as_bytes()).await;
        }
        // Silence.
        tokio::time::sleep(Duration::from_secs(600)).await;
        Ok(())
    })
    .await;
    let limits = FetchSettings { connect_timeout_s: 0, read_timeout_s: 1, ..settings(&[site.address]) };
    let limits = FetchSettings { connect_timeout_s: 1, ..limits };
    let plan = plan_for(SiteSettings {
        seeds: vec![format!("http://{}/", site.address)],
        wall_s_max: Some(4),
        ..Default::default()
    });
    let told = carry_out(plan, &limits).await;
    // The budget of time ends it before five failures with their pauses would.
    assert!(told.failed.len() < 5 && !told.failed.is_empty(), "{}", told.failed.len());
    let last = told.skipped.last().unwrap();
    assert!(
        matches!(&last.reason, SkipReason::Budget { budget, max: 4, .. } if budget == "seconds"),
        "{last:?}"
    );
}

#[tokio::test]
async fn budgets_of_bytes_and_of_one_host_hold_and_what_is_left_can_be_gone_on_with() {
    let router = Router::new().fallback(|uri: Uri| async move {
        match uri.path() {
            "/robots.txt" => StatusCode::NOT_FOUND.into_response(),
            "/" => links(30),
            path => ([(header::CONTENT_TYPE, "text/html")], format!("<p>{path}</p>{}", "x".repeat(10_000)))
                .into_response(),
        }
    });
    let site = serve(router).await;
    let seed = || vec![format!("http://{site}/")];
    let few = SiteSettings { seeds: seed(), host_requests_max: Some(6), ..Default::default() };
    let told = carry_out(plan_for(few), &settings(&[site])).await;
    // One of the six was for robots.txt.
    assert_eq!(told.pages.len(), 5);
    let is_budget = |reason: &SkipReason| matches!(reason, SkipReason::Budget { budget, waiting: 26, .. } if budget == "requests to one host");
    assert_eq!(told.skipped.iter().filter(|skip| is_budget(&skip.reason)).count(), 1, "{:?}", told.skipped);

    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let client = Client::new(&settings(&[site])).unwrap();
    let mut pages = 0;
    for (bytes_max, state) in [(50_000, JobState::Stopped), (u64::MAX, JobState::Done)] {
        let plan = plan_for(SiteSettings { seeds: seed(), bytes_max: Some(bytes_max), ..Default::default() });
        let (lanes, cancel, clock) = (Lanes::new(), CancellationToken::new(), SystemClock);
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
        let (events, mut receiver) = mpsc::channel(8);
        let (summary, ()) = tokio::join!(Box::pin(crawl(run, events, &cancel)), async {
            while let Some(event) = receiver.recv().await {
                pages += usize::from(matches!(event, Event::Page(_)));
            }
        });
        // A body that would take more ends in the middle.
        assert!(summary.unwrap().bytes <= bytes_max.saturating_add(20_000));
        let job = store.get::<JobRecord>(&job_key("test")).unwrap().unwrap();
        assert_eq!(job.state, state, "{job:?}");
        assert!(bytes_max == u64::MAX || pages < 10);
    }
    assert!(pages >= 30, "{pages}");
}

#[tokio::test]
async fn what_robots_txt_may_cost() {
    // Redirects in a circle, a file without end, another one that never begins, a server error: each on a host of its own.
    let circle = serve(
        Router::new()
            .route(
                "/robots.txt",
                axum::routing::get(|| async { axum::response::Redirect::permanent("/robots.txt") }),
            )
            .fallback(audio),
    )
    .await;
    let endless = serve(
        Router::new()
            .route(
                "/robots.txt",
                axum::routing::get(|| async {
                    let chunks = futures_util::stream::iter(
                        std::iter::repeat_n("Disallow: /none\n".repeat(1000), 100_000)
                            .map(Ok::<_, std::io::Error>),
                    );
                    axum::body::Body::from_stream(chunks)
                }),
            )
            .fallback(audio),
    )
    .await;
    let silent = raw(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(600)).await;
        drop(stream);
        Ok(())
    })
    .await;
    let error = serve(
        Router::new()
            .route("/robots.txt", axum::routing::get(|| async { StatusCode::BAD_GATEWAY }))
            .fallback(audio),
    )
    .await;
    let limits = FetchSettings { robots_timeout_s: 1, ..settings(&[circle, endless, silent.address, error]) };
    let seeds = [circle, endless, silent.address, error].map(|host| format!("http://{host}/a.mp3")).to_vec();
    let told = carry_out(plan_for(SiteSettings { seeds, ..Default::default() }), &limits).await;
    let mut found: Vec<_> = told.found.iter().map(|found| found.sighting.media_url.clone()).collect();
    found.sort();
    let mut wanted = [circle, endless].map(|host| format!("http://{host}/a.mp3")).to_vec();
    wanted.sort();
    assert_eq!(found, wanted);
    for host in [silent.address, error] {
        let skip = told.skipped.iter().find(|skip| skip.url.contains(&host.to_string())).unwrap();
        assert!(
            matches!(&skip.reason, SkipReason::Robots { rule } if rule.contains("unreachable")),
            "{skip:?}"
        );
    }
}

async fn audio(headers: HeaderMap) -> Response {
    assert!(headers.contains_key(header::USER_AGENT));
    ([(header::CONTENT_TYPE, "audio/mpeg")], MP3).into_response()
}

/// Two hundred strangers of an hour each cost seconds of each.
#[tokio::test]
async fn long_strangers_cost_a_small_part_of_their_bytes() {
    const FILES: u64 = 200;
    const BYTES: u64 = 57_600_000;
    let taken = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = Arc::clone(&taken);
    let site = serve(Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let count = Arc::clone(&count);
        async move {
            if uri.path() == "/" {
                let html: String = (0..FILES).map(|n| format!("<audio src=/{n}.mp3></audio>")).collect();
                return ([(header::CONTENT_TYPE, "text/html")], html).into_response();
            }
            if uri.path() == "/robots.txt" {
                return StatusCode::NOT_FOUND.into_response();
            }
            let range = headers
                .get(header::RANGE)
                .and_then(|value| value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
            let (first, last) =
                range.map_or((0, BYTES - 1), |(first, last)| (first.parse().unwrap(), last.parse().unwrap()));
            let last: u64 = std::cmp::min(last, BYTES - 1);
            let length = last - first + 1;
            count.fetch_add(length, std::sync::atomic::Ordering::Relaxed);
            let mut body = vec![0_u8; usize::try_from(length).unwrap()];
            body[..4].copy_from_slice(&MP3[..4]);
            let content_range = format!("bytes {first}-{last}/{BYTES}");
            (
                StatusCode::PARTIAL_CONTENT,
                [(header::CONTENT_TYPE, "audio/mpeg".to_owned()), (header::CONTENT_RANGE, content_range)],
                body,
            )
                .into_response()
        }
    }))
    .await;
    let limits = FetchSettings { media_bytes_max: 1 << 30, ..settings(&[site]) };
    let told = carry_out(
        plan_for(SiteSettings { seeds: vec![format!("http://{site}/")], ..Default::default() }),
        &limits,
    )
    .await;
    assert_eq!(
        (told.summary.probed, told.summary.found, told.failed.len()),
        (FILES, 0, 0),
        "{:?}",
        told.failed.first()
    );
    let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
    assert!(taken < FILES * BYTES / 20, "{taken} of {}", FILES * BYTES);
    assert!(told.summary.bytes <= taken + 100_000);
}
