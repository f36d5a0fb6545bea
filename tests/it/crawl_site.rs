//! A crawl of a whole site that the test makes and serves: everything planted is found, nobody is falsely accused, each URL
//! is asked for once; and the same after kills at random instants. `EARWITNESS_CRAWL_PAGES`, `…_MEDIA` and `…_KILLS` make it
//! larger than the suite's own, and print figures.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use earwitness::base::Digest;
use earwitness::cases::Case;
use earwitness::evidence::{Capture, captures};
use earwitness::store::{Hold, Store};

use crate::music::{Random, excerpt, music, sped_up, write_wav};
use crate::support::earwitness;

const RATE_HZ: u32 = 11_025;
const SEED: u64 = 20_261_125;
/// Hosts that the site is spread over.
const HOSTS: usize = 4;
const RECORDINGS: usize = 6;

/// How large the site is.
#[derive(Clone, Copy)]
struct Size {
    pages: usize,
    media: usize,
    kills: usize,
}

fn size() -> (Size, bool) {
    let number = |name: &str, default: usize| {
        std::env::var(format!("EARWITNESS_CRAWL_{name}")).map_or(default, |text| text.parse().unwrap())
    };
    let size = Size { pages: number("PAGES", 160), media: number("MEDIA", 16), kills: number("KILLS", 4) };
    (size, std::env::var_os("EARWITNESS_CRAWL_PAGES").is_some())
}

/// The site, and what it was asked for: URL with the first byte of the range, how often.
struct Site {
    hosts: Vec<std::net::SocketAddr>,
    size: Size,
    media: Vec<Vec<u8>>,
    asked: Mutex<HashMap<String, u32>>,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn host_of(&self, page: usize) -> std::net::SocketAddr {
        self.hosts[page % HOSTS]
    }

    fn page_url(&self, page: usize) -> String {
        format!("http://{}/page/{page}", self.host_of(page))
    }

    /// Media lie on pages that are spread evenly.
    fn media_url(&self, number: usize) -> String {
        format!("http://{}/media/{number}.wav", self.host_of(number * self.size.pages / self.size.media))
    }

    fn html(&self, page: usize) -> String {
        let mut random = Random(SEED + page as u64);
        let mut html = format!("<!doctype html><title>Page {page}</title>");
        // A tree that reaches every page, and ways across it.
        let mut links: Vec<usize> = (1..=3).map(|child| page * 3 + child).collect();
        links.extend((0..3).map(|_| (random.unit() * self.size.pages as f64) as usize));
        for link in links.into_iter().filter(|&link| link < self.size.pages) {
            html.push_str(&format!(
                "<a href=\"{}?utm_source=p{page}#top\">{link}</a>\n",
                self.page_url(link)
            ));
        }
        let first = (page * self.size.media).div_ceil(self.size.pages);
        let end = ((page + 1) * self.size.media).div_ceil(self.size.pages);
        for number in first..end {
            html.push_str(&format!("<audio src=\"{}\"></audio>\n", self.media_url(number)));
        }
        html
    }

    fn answer(&self, host: &str, uri: &Uri, headers: &HeaderMap) -> Response {
        let range = headers.get(header::RANGE).map(|value| value.to_str().unwrap().to_owned());
        let first =
            range.as_deref().and_then(|text| text.strip_prefix("bytes=")?.split('-').next()?.parse().ok());
        let asked = format!("http://{host}{} from {}", uri.path(), first.unwrap_or(0_usize));
        *self.asked.lock().unwrap().entry(asked).or_default() += 1;
        let segments: Vec<&str> = uri.path().split('/').collect();
        match segments[..] {
            ["", "page", number] => {
                ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.html(number.parse().unwrap()))
                    .into_response()
            }
            ["", "media", name] => {
                let number: usize = name.trim_end_matches(".wav").parse().unwrap();
                ranged(&self.media[number], range.as_deref())
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn forget_requests(&self) -> HashMap<String, u32> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Serves bytes, or the range of them that is asked for.
fn ranged(bytes: &[u8], range: Option<&str>) -> Response {
    let total = bytes.len();
    let asked = range.and_then(|text| {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let last = last.parse().unwrap_or(total - 1).min(total - 1);
        Some((first.parse::<usize>().ok()?, last))
    });
    let wav = (header::CONTENT_TYPE, "audio/wav".to_owned());
    match asked {
        None => ([wav], Body::from(bytes.to_vec())).into_response(),
        Some((first, last)) => {
            let part = bytes[first..=last].to_vec();
            let range = (header::CONTENT_RANGE, format!("bytes {first}-{last}/{total}"));
            (StatusCode::PARTIAL_CONTENT, [wav, range], Body::from(part)).into_response()
        }
    }
}

/// Every eighth file is a copy, altered in turn; the others are music of nobody's.
fn is_copy(number: usize) -> bool {
    number % 8 == 3
}

fn make_media(dir: &Path, number: usize, originals: &[Vec<f32>]) -> Vec<u8> {
    let samples = if is_copy(number) {
        let original = &originals[number / 8 % RECORDINGS];
        let start_s = (number % 5) as f64 * 2.0;
        let part = excerpt(original, RATE_HZ, start_s, start_s + 14.0);
        sped_up(&part, [1.0, 1.1, 0.92][number / 8 % 3])
    } else {
        music(10_000 + number as u64, 12.5, RATE_HZ)
    };
    let path = dir.join("media.wav");
    write_wav(&path, &samples, RATE_HZ, 1);
    fs::read(path).unwrap()
}

/// Makes the catalogue in `dir` and serves the site.
fn make(dir: &Path, size: Size) -> Arc<Site> {
    let originals: Vec<Vec<f32>> =
        (0..RECORDINGS).map(|number| music(number as u64, 30.0, RATE_HZ)).collect();
    fs::create_dir(dir.join("masters")).unwrap();
    for (number, original) in originals.iter().enumerate() {
        write_wav(&dir.join(format!("masters/REC-{number}.wav")), original, RATE_HZ, 1);
    }
    fs::write(
        dir.join("licences.csv"),
        "licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,exclusive,sublicensable,territories,start,end\n\
         OWN-1,,,Example Records KK,,all,,,Worldwide,,\n",
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listeners: Vec<_> =
        (0..HOSTS).map(|_| runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap()).collect();
    let hosts: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let media = (0..size.media).map(|number| make_media(dir, number, &originals)).collect();
    let site = Arc::new(Site { hosts: hosts.clone(), size, media, asked: Mutex::default(), runtime });
    for (listener, host) in listeners.into_iter().zip(&hosts) {
        let (served, host) = (Arc::downgrade(&site), host.to_string());
        let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
            let (site, host) = (served.upgrade(), host.clone());
            async move {
                site.map_or_else(
                    || StatusCode::GONE.into_response(),
                    |site| site.answer(&host, &uri, &headers),
                )
            }
        });
        site.runtime.spawn(async move { axum::serve(listener, router).await });
    }
    configure(dir, &site);
    site
}

fn configure(dir: &Path, site: &Site) {
    let seeds: Vec<String> = (0..HOSTS.min(site.size.pages)).map(|page| site.page_url(page)).collect();
    let allowed: Vec<String> = site.hosts.iter().map(ToString::to_string).collect();
    let text = format!(
        "[fetch]\nprivate_allowed = {allowed:?}\n\n[sites.big]\nseeds = {seeds:?}\nterritory = \"CN\"\noperator = \"big.example\"\n\
         delay_ms = 0\ndelay_factor = 0\ndepth_max = 100\nrequests_max = 10_000_000\n"
    );
    fs::write(dir.join("earwitness.toml"), text).unwrap();
}

fn prepare(dir: &Path, store: &str) {
    for arguments in [["catalog", "add", "masters"], ["licence", "import", "licences.csv"]] {
        let output = earwitness(dir).args(["--store", store]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What a run of the program came to.
struct Ran {
    killed: bool,
    took: Duration,
    /// The most memory that the process had, in KiB.
    peak_kib: u64,
    lines: Vec<serde_json::Value>,
    told: String,
}

/// Runs `crawl run big`, killing it (SIGKILL) after `delay`.
fn crawl(dir: &Path, store: &str, delay: Option<Duration>) -> Ran {
    let begun = Instant::now();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"))
        .args(["--store", store, "crawl", "run", "big", "--json"])
        .current_dir(dir)
        .env_remove("EARWITNESS_CONFIG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reading = std::thread::spawn(move || {
        BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
    });
    let telling = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap_or_default());
    let (_never, tick) = std::sync::mpsc::channel::<()>();
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(memory_kib(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if delay.is_some_and(|delay| begun.elapsed() >= delay) {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        let _ = tick.recv_timeout(Duration::from_millis(5));
    };
    let (lines, told) = (reading.join().unwrap(), telling.join().unwrap());
    assert!(matches!(status.code(), Some(0 | 1) | None), "{status}: {told}");
    Ran { killed: status.code().is_none(), took: begun.elapsed(), peak_kib, lines, told }
}

fn memory_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn json_lines(dir: &Path, store: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = earwitness(dir).args(["--store", store, "--json"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a store holds of the crawl, without times: each sighting with its digest and recordings, each case with its
/// file and addresses.
#[derive(Debug, PartialEq)]
struct Held {
    sightings: BTreeMap<String, (String, String)>,
    cases: BTreeMap<String, (String, BTreeSet<String>)>,
}

fn held(dir: &Path, store: &str) -> Held {
    let lines = json_lines(dir, store, &["crawl", "status", "--sightings"]);
    let sightings = lines.iter().filter(|line| line.get("media_url").is_some()).map(|line| {
        let digest = line["sha256"].as_str().unwrap_or_default().to_owned();
        (line["media_url"].as_str().unwrap().to_owned(), (digest, line["heard"]["recordings"].to_string()))
    });
    let cases = json_lines(dir, store, &["cases", "list"]).into_iter().map(|case| {
        let urls = case["sightings"].as_array().unwrap().iter();
        let urls = urls.map(|sighting| sighting["media_url"].as_str().unwrap().to_owned()).collect();
        let what = format!("{} {} {}", case["recording_id"], case["domain"], case["sha256"]);
        (case["case_id"].as_str().unwrap().to_owned(), (what, urls))
    });
    Held { sightings: sightings.collect(), cases: cases.collect() }
}

/// Each case has what was recorded at each of its addresses: the page with its bytes, behind its host's robots.txt, and the
/// pieces of the file. Nothing is held any more once the run is over.
fn assert_recorded(dir: &Path, store: &str) {
    let store = Store::open(&dir.join(store)).unwrap();
    for case in store.scan::<Case>("").unwrap() {
        let case = case.unwrap();
        let captures = captures(&store, &case.case_id).unwrap();
        let recorded: BTreeSet<&str> = captures.iter().map(|one| one.sighting.media_url.as_str()).collect();
        let seen: BTreeSet<&str> = case.sightings.iter().map(|one| one.media_url.as_str()).collect();
        assert_eq!(recorded, seen);
        captures.iter().for_each(|capture| assert_whole(&store, capture));
    }
    assert_eq!(store.count::<Hold>().unwrap(), 0);
}

fn assert_whole(store: &Store, capture: &Capture) {
    let Capture { sighting, exchanges } = capture;
    let page_url = sighting.page_url.as_deref().unwrap();
    let page = exchanges.iter().position(|exchange| exchange.url == page_url).unwrap();
    let html = fs::read(store.blobs().path(&exchanges[page].body_sha256.unwrap())).unwrap();
    assert!(String::from_utf8(html).unwrap().contains(&sighting.media_url));
    for (number, exchange) in exchanges.iter().enumerate() {
        let url: url::Url = exchange.url.parse().unwrap();
        let robots = url.join("/robots.txt").unwrap();
        assert!(exchanges[..=number].iter().any(|before| before.url == robots.as_str()), "{url}");
    }
    let media = fs::read(store.blobs().path(&sighting.sha256)).unwrap();
    let mut from = 0;
    for piece in exchanges.iter().filter(|exchange| exchange.url == sighting.media_url) {
        let end = from + usize::try_from(piece.body_bytes).unwrap();
        assert_eq!(piece.body_sha256, Some(Digest::of(&media[from..end])));
        from = end;
    }
    assert_eq!(from, media.len());
}

#[test]
fn every_planted_copy_is_found_and_each_url_asked_for_once_whatever_is_killed() {
    let (size, prints) = size();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let site = make(dir, size);
    prepare(dir, "undisturbed");
    let ran = crawl(dir, "undisturbed", None);
    assert!(!ran.killed);
    let asked = site.forget_requests();
    let more_than_once: Vec<_> = asked.iter().filter(|(_, count)| **count > 1).collect();
    assert!(more_than_once.is_empty(), "{more_than_once:?}");
    for page in 0..size.pages {
        let wanted = format!("{} from 0", site.page_url(page));
        assert!(asked.contains_key(&wanted), "{wanted}: {}", ran.told);
    }
    let unlicensed: BTreeSet<String> = ran
        .lines
        .iter()
        .filter(|line| {
            let mut findings = line["findings"].as_array().into_iter().flatten();
            findings.any(|finding| finding["verdict"]["decision"] == "UNLICENSED")
        })
        .map(|line| line["query"].as_str().unwrap().to_owned())
        .collect();
    let undetermined: Vec<_> =
        ran.lines.iter().filter(|line| line.to_string().contains("UNDETERMINED")).collect();
    let planted: BTreeSet<String> =
        (0..size.media).filter(|&number| is_copy(number)).map(|number| site.media_url(number)).collect();
    assert_eq!(unlicensed, planted);
    let wanted = held(dir, "undisturbed");
    assert_recorded(dir, "undisturbed");
    assert_eq!(wanted.sightings.len(), size.media);
    // What is too little to accuse by is a case for people all the same.
    // The same bytes at several addresses are one case.
    let files: BTreeSet<&[u8]> =
        (0..size.media).filter(|&number| is_copy(number)).map(|number| &*site.media[number]).collect();
    assert_eq!(wanted.cases.len(), files.len() + undetermined.len());
    if prints {
        let seconds = ran.took.as_secs_f64();
        eprintln!(
            "{} pages, {} media in {seconds:.1} s: {:.0} pages a second, {:.0} s of audio a second, peak {} MiB\n{}",
            size.pages,
            size.media,
            size.pages as f64 / seconds,
            size.media as f64 * 12.5 / seconds,
            ran.peak_kib >> 10,
            ran.told,
        );
    }
    kill_and_compare(dir, &site, ran.took, &wanted, prints);
}

fn kill_and_compare(dir: &Path, site: &Site, first_run: Duration, wanted: &Held, prints: bool) {
    let mut random = Random(SEED);
    let (mut kills, mut stores, mut resumed) = (0, 0, 0);
    prepare(dir, "killed-0");
    while kills < site.size.kills {
        let store = format!("killed-{stores}");
        // Many kills come close together, so that they hit one store again and again.
        let spread = (3.0 / site.size.kills as f64).min(0.6);
        let delay = first_run.mul_f64(0.03 + spread * random.unit());
        let ran = crawl(dir, &store, Some(delay));
        kills += usize::from(ran.killed);
        resumed += usize::from(ran.killed);
        if !ran.killed {
            // Done in spite of all kills; the next ones hit a store of their own.
            assert_eq!(held(dir, &store), *wanted, "seed {SEED}, {store}: {}", ran.told);
            assert_recorded(dir, &store);
            stores += 1;
            prepare(dir, &format!("killed-{stores}"));
        }
    }
    let store = format!("killed-{stores}");
    let ran = crawl(dir, &store, None);
    assert!(!ran.killed && resumed > 0);
    assert_eq!(held(dir, &store), *wanted, "seed {SEED}, {store}: {}", ran.told);
    assert_recorded(dir, &store);
    if prints {
        let asked = site.forget_requests();
        // Each store asks for everything once.
        let again: u32 = asked.values().map(|count| count.saturating_sub(stores + 1)).sum();
        eprintln!("{kills} kills over {} stores; {again} requests were made again", stores + 1);
    }
}

/// Ten minutes of a stranger, and ten minutes at whose end a recording is: the first is heard in windows only, the second
/// is fetched whole, and the copy found where it is.
#[test]
fn long_files_are_heard_in_windows_and_fetched_where_something_is_heard() {
    const LONG_S: usize = 600;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let site = make(dir, Size { pages: 4, media: 4, kills: 0 });
    let minute = music(77_777, 60.0, RATE_HZ);
    let mut stranger: Vec<f32> = minute.iter().copied().cycle().take(LONG_S * RATE_HZ as usize).collect();
    let bytes = |samples: &[f32]| {
        let path = dir.join("long.wav");
        write_wav(&path, samples, RATE_HZ, 1);
        fs::read(path).unwrap()
    };
    let long_stranger = bytes(&stranger);
    let copy = music(2, 30.0, RATE_HZ);
    let start = stranger.len() - copy.len();
    stranger[start..].copy_from_slice(&copy);
    let files = [long_stranger, bytes(&stranger)];
    let sizes = files.each_ref().map(Vec::len);
    let taken = Arc::new([const { std::sync::atomic::AtomicUsize::new(0) }; 2]);
    let counts = Arc::clone(&taken);
    let listener = site.runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let host = listener.local_addr().unwrap();
    let files = Arc::new(files);
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let (files, counts) = (Arc::clone(&files), Arc::clone(&counts));
        async move {
            let Some(number) = ["/0.wav", "/1.wav"].iter().position(|path| *path == uri.path()) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
            let response = ranged(&files[number], range);
            let length = axum::body::HttpBody::size_hint(response.body()).exact().unwrap();
            let length = usize::try_from(length).unwrap();
            counts[number].fetch_add(length, std::sync::atomic::Ordering::Relaxed);
            response
        }
    });
    site.runtime.spawn(async move { axum::serve(listener, router).await });
    let text = format!(
        "[fetch]\nprivate_allowed = [\"{host}\"]\n\n[sites.big]\nseeds = [\"http://{host}/0.wav\", \"http://{host}/1.wav\"]\n\
         territory = \"CN\"\noperator = \"big.example\"\ndelay_ms = 0\ndelay_factor = 0\nprobe_over_s = 120\n"
    );
    fs::write(dir.join("earwitness.toml"), text).unwrap();
    prepare(dir, "long");
    let ran = crawl(dir, "long", None);
    let taken = [0, 1].map(|number| taken[number].load(std::sync::atomic::Ordering::Relaxed));
    assert!(taken[0] < sizes[0] / 5, "{taken:?} of {sizes:?}: {}", ran.told);
    assert!(
        taken[1] >= sizes[1] && taken[1] < sizes[1] + sizes[1] / 5,
        "{taken:?} of {sizes:?}: {}",
        ran.told
    );
    assert_eq!(ran.lines.len(), 1, "{}", ran.told);
    let found = &ran.lines[0]["findings"][0];
    assert_eq!(
        (&found["recording_id"], &found["verdict"]["decision"]),
        (&"REC-2".into(), &"UNLICENSED".into())
    );
    let start_s = found["matches"][0]["query_start_s"].as_f64().unwrap();
    assert!((start_s - 570.0).abs() < 2.0, "{start_s}");
    let lines = json_lines(dir, "long", &["crawl", "status", "--sightings"]);
    let probed: Vec<_> = lines.iter().filter(|line| line["windows"].is_array()).collect();
    assert_eq!(probed.len(), 1, "{lines:?}");
    assert!(probed[0]["media_url"].as_str().unwrap().ends_with("/0.wav") && probed[0]["sha256"].is_null());
}

/// A site whose sitemaps list very many pages: they wait in the store, not in memory, and a run that is gone on with
/// takes them up again. `EARWITNESS_CRAWL_FRONTIER` says how many.
#[test]
fn very_many_urls_wait_in_the_store() {
    const IN_ONE: usize = 50_000;
    let wanted: usize =
        std::env::var("EARWITNESS_CRAWL_FRONTIER").map_or(12_000, |text| text.parse().unwrap());
    let prints = std::env::var_os("EARWITNESS_CRAWL_FRONTIER").is_some();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let host = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(HashMap::<String, u32>::new()));
    let seen = Arc::clone(&asked);
    let router = Router::new().fallback(move |uri: Uri| {
        let seen = Arc::clone(&seen);
        async move {
            let path = uri.path().to_owned();
            if path == "/robots.txt" {
                let maps = wanted.div_ceil(IN_ONE);
                return (0..maps)
                    .map(|map| format!("Sitemap: http://{host}/map/{map}.xml\n"))
                    .collect::<String>()
                    .into_response();
            }
            if let Some(map) = path.strip_prefix("/map/").and_then(|name| name.strip_suffix(".xml")) {
                let first = map.parse::<usize>().unwrap() * IN_ONE;
                let urls = (first..wanted.min(first + IN_ONE))
                    .map(|page| format!("<url><loc>http://{host}/p/{page}</loc></url>"));
                let xml = format!("<?xml version='1.0'?><urlset>{}</urlset>", urls.collect::<String>());
                return ([(header::CONTENT_TYPE, "application/xml")], xml).into_response();
            }
            *seen.lock().unwrap().entry(path.clone()).or_default() += 1;
            ([(header::CONTENT_TYPE, "text/html")], format!("<title>{path}</title>")).into_response()
        }
    });
    runtime.spawn(async move { axum::serve(listener, router).await });
    let configure = |requests_max: usize| {
        let text = format!(
            "[fetch]\nprivate_allowed = [\"{host}\"]\n\n[sites.big]\nseeds = [\"http://{host}/\"]\nterritory = \"CN\"\n\
             delay_ms = 0\ndelay_factor = 0\nrequests_max = {requests_max}\n"
        );
        fs::write(dir.join("earwitness.toml"), text).unwrap();
    };
    for (round, requests_max) in [400, 800].into_iter().enumerate() {
        configure(requests_max);
        let ran = crawl(dir, "many", None);
        let status = json_lines(dir, "many", &["crawl", "status"]).remove(0);
        let (waiting, requests) =
            (status["waiting"].as_u64().unwrap(), status["job"]["summary"]["requests"].as_u64().unwrap());
        let maps = wanted.div_ceil(IN_ONE);
        assert_eq!(requests as usize, requests_max, "{status}");
        // The seed itself is on no list.
        assert_eq!(waiting as usize, wanted + 1 + maps - requests_max, "{status}");
        assert_eq!(status["job"]["state"], "stopped");
        if prints {
            let size = |path: &Path| {
                fs::read_dir(path).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
            };
            eprintln!(
                "round {round}: {waiting} URLs wait after {requests} requests, {:.1} s, peak {} MiB, trees {} MiB",
                ran.took.as_secs_f64(),
                ran.peak_kib >> 10,
                size(&dir.join("many/trees")) >> 20,
            );
        }
        // Half a gigabyte, whatever the number: a million must not need more.
        assert!(ran.peak_kib < 512 << 10, "{} KiB", ran.peak_kib);
    }
    assert!(asked.lock().unwrap().values().all(|&count| count == 1));
}
