//! The whole chain by the real binary against a real site on loopback: page → copy → verdict → case → notice.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use earwitness::base::{Digest, Timestamp};
use earwitness::evidence::captures;
use earwitness::store::Store;
use serde_json::Value;

use crate::music::{Random, excerpt, music, sped_up, write_wav};
use crate::support::earwitness;

const RATE_HZ: u32 = 11_025;

/// What the notices' form asks for; the provider is the site.
const CLAIM: &str = r#"
[claim]
territory = "CN"
proof = ["著作权登记证书 国作登字-2017-I-00012345"]
[claim.right_holder]
name = "日本唱片株式会社"
id_document_type = "登记事项证明书"
id_document_number = "0100-01-000001"
legal_representative = "山田太郎"
address = "东京都港区三丁目1番"
post_code = "106-0032"
contact_person = "王小明"
telephone = "+81-3-0000-0000"
email = "rights@label.example"
"#;

const LICENCES: &str = "\
licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,exclusive,sublicensable,territories,start,end
OWN,,,Label,,all,,,Worldwide,,
L1,OWN,Label,Music Inc.,music.example,all,no,no,CN,2017-01-01,
";

/// A site on loopback, for as long as this lives.
struct Site {
    _runtime: tokio::runtime::Runtime,
    address: SocketAddr,
}

impl Site {
    fn new(router: Router) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { _runtime: runtime, address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Media files by their paths; everything else is not found.
fn media(files: &[(&str, &[u8])]) -> Router {
    let files: BTreeMap<String, Bytes> =
        files.iter().map(|(path, bytes)| ((*path).to_owned(), Bytes::copy_from_slice(bytes))).collect();
    Router::new().fallback(move |uri: Uri| {
        let found = files.get(uri.path()).cloned();
        async move {
            match found {
                Some(bytes) => ([(header::CONTENT_TYPE, "audio/wav")], bytes).into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
    })
}

fn html(text: &'static str) -> axum::routing::MethodRouter {
    get(move || async move { axum::response::Html(text) })
}

/// A folder with a store that knows the recordings `one` and `two`, and their samples.
struct House {
    folder: tempfile::TempDir,
    one: Vec<f32>,
    two: Vec<f32>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (music(1, 20.0, RATE_HZ), music(2, 20.0, RATE_HZ));
        fs::create_dir(folder.path().join("catalogue")).unwrap();
        for (name, samples) in [("one", &one), ("two", &two)] {
            write_wav(&folder.path().join(format!("catalogue/{name}.wav")), samples, RATE_HZ, 1);
        }
        let house = Self { folder, one, two };
        assert_code(&house.run(&["catalog", "add", "catalogue"]), 0);
        house
    }

    fn with_licences() -> Self {
        let house = Self::new();
        fs::write(house.path().join("licences.csv"), LICENCES).unwrap();
        assert_code(&house.run(&["licence", "import", "licences.csv"]), 0);
        house
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn settings(&self, text: &str) {
        fs::write(self.path().join("earwitness.toml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        earwitness(self.path()).args(arguments).output().unwrap()
    }

    /// The bytes of a WAV file of samples.
    fn wav(&self, samples: &[f32]) -> Vec<u8> {
        let path = self.path().join("made.wav");
        write_wav(&path, samples, RATE_HZ, 1);
        fs::read(path).unwrap()
    }

    /// A copy of `one`, a quarter faster.
    fn copy(&self) -> Vec<u8> {
        self.wav(&sped_up(&excerpt(&self.one, RATE_HZ, 4.0, 18.0), 1.25))
    }

    fn cases(&self) -> Vec<Value> {
        json_lines(&self.run(&["cases", "list", "--json"]))
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), stderr(output));
    assert_eq!(output.status.code(), Some(code), "stdout: {out}\nstderr: {err}");
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn errors(output: &Output) -> Vec<String> {
    stderr(output).lines().filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
}

/// A case without what tells one run from another: its identifier, state and addresses.
fn essence(case: &Value) -> (String, String, String, Vec<String>) {
    let text = |field: &str| case[field].as_str().unwrap().to_owned();
    let sightings = case["sightings"].as_array().unwrap().iter();
    let mut urls: Vec<String> = sightings.map(|one| one["media_url"].as_str().unwrap().to_owned()).collect();
    urls.sort();
    (text("case_id"), text("recording_id"), text("state"), urls)
}

fn essences(cases: &[Value]) -> Vec<(String, String, String, Vec<String>)> {
    let mut all: Vec<_> = cases.iter().map(essence).collect();
    all.sort();
    all
}

/// The case has one capture: robots.txt, page and media, with what came.
fn assert_recorded(house: &House, case_id: &str, site: &Site) {
    let store = Store::open(&house.path().join("store")).unwrap();
    let [capture] = captures(&store, case_id).unwrap().try_into().unwrap();
    let told: Vec<_> = capture.exchanges.iter().map(|one| (one.url.clone(), one.status)).collect();
    let wanted = [("/robots.txt", 404), ("/page", 200), ("/copy.wav", 200)];
    assert_eq!(told, wanted.map(|(path, status)| (site.url(path), status)));
    for exchange in &capture.exchanges {
        let sha256 = exchange.body_sha256.unwrap();
        assert_eq!(exchange.truncated, None);
        if exchange.body_bytes > 0 {
            let bytes = fs::read(store.blobs().path(&sha256)).unwrap();
            assert_eq!((Digest::of(&bytes), bytes.len() as u64), (sha256, exchange.body_bytes));
        }
    }
    assert_eq!(capture.exchanges[2].body_sha256, Some(capture.sighting.sha256));
}

#[test]
fn from_a_page_to_a_notice() {
    let house = House::with_licences();
    let page = html("<!doctype html><title>好听的歌</title><audio src=/copy.wav></audio>");
    let site = Site::new(media(&[("/copy.wav", &house.copy())]).route("/page", page));
    house.settings(&format!("{CLAIM}[providers.\"{}\"]\nname = \"某某网络科技有限公司\"\n", site.address));
    let url = site.url("/page");
    let check = || house.run(&["check", &url, "--allow-private", "--territory", "CN", "--json"]);
    let output = check();
    assert_code(&output, 1);
    let [checked] = json_lines(&output).try_into().unwrap();
    let finding = &checked["findings"][0];
    assert_eq!(checked["page_title"], "好听的歌");
    assert_eq!(
        (&finding["recording_id"], &finding["verdict"]["decision"]),
        (&"one".into(), &"UNLICENSED".into())
    );
    assert_eq!(finding["case_is_new"], true);
    let speed = finding["matches"][0]["speed"].as_f64().unwrap();
    assert!((speed - 1.25).abs() < 0.01, "{finding:#}");

    let [case] = house.cases().try_into().unwrap();
    let id = case["case_id"].as_str().unwrap();
    assert_eq!(finding["case_id"], id);
    assert_eq!(
        essence(&case),
        (id.to_owned(), "one".to_owned(), "queued".to_owned(), vec![site.url("/copy.wav")])
    );
    assert_recorded(&house, id, &site);
    // Once more: the same case, seen again.
    let again = check();
    assert_code(&again, 1);
    assert_eq!(json_lines(&again)[0]["findings"][0]["case_is_new"], false);
    assert_eq!(essences(&house.cases()), [essence(&case)]);
    assert_recorded(&house, id, &site);

    assert_code(&house.run(&["cases", "approve", id, "--by", "Reviewer"]), 0);
    assert_code(&house.run(&["notice", "export", "--form", "ncac", "--out", "out"]), 0);
    let mut written: Vec<_> =
        fs::read_dir(house.path().join("out")).unwrap().map(|file| file.unwrap().path()).collect();
    written.sort();
    let endings: Vec<_> = written.iter().map(|path| path.extension().unwrap().to_str().unwrap()).collect();
    assert_eq!(endings, ["csv", "docx", "html", "json", "pdf", "xlsx"]);
    assert!(fs::read_to_string(&written[2]).unwrap().contains(&site.url("/copy.wav")));
    let notice: Value = serde_json::from_slice(&fs::read(&written[3]).unwrap()).unwrap();
    assert_eq!(notice["annex"][0]["media_url"], site.url("/copy.wav"));
    assert_eq!(essence(&house.cases()[0]).2, "noticed");
    assert_code(&house.run(&["store", "check"]), 0);

    // A backup holds the cases too.
    assert_code(&house.run(&["store", "export", "backup.jsonl"]), 0);
    assert_code(&house.run(&["--store", "restored", "store", "import", "backup.jsonl"]), 0);
    assert_eq!(json_lines(&house.run(&["--store", "restored", "cases", "list", "--json"])), house.cases());
}

#[test]
fn private_addresses_are_refused_until_allowed() {
    let house = House::with_licences();
    let page = html("<audio src=/copy.wav></audio>");
    let site = Site::new(media(&[("/copy.wav", &house.copy())]).route("/page", page));
    let output = house.run(&["check", &site.url("/page"), "--territory", "CN"]);
    assert_code(&output, 3);
    let [error] = errors(&output).try_into().unwrap();
    assert!(error.contains("127.0.0.1") && error.contains("--allow-private"), "{error}");
    assert!(house.cases().is_empty());
}

#[test]
fn verdicts_decide_over_exit_code_and_case() {
    let house = House::with_licences();
    let page = html("<audio src=/copy.wav></audio>");
    let site = Site::new(media(&[("/copy.wav", &house.copy())]).route("/page", page));
    let url = site.url("/page");
    let licensed = house.run(&[
        "check",
        &url,
        "--allow-private",
        "--territory",
        "CN",
        "--operator",
        "music.example",
        "--json",
    ]);
    assert_code(&licensed, 0);
    assert_eq!(json_lines(&licensed)[0]["findings"][0]["verdict"]["decision"], "LICENSED");
    assert!(house.cases().is_empty());
    // The same licence says nothing of Japan.
    let abroad =
        house.run(&["check", &url, "--allow-private", "--territory", "JP", "--operator", "music.example"]);
    assert_code(&abroad, 1);

    let nobody_knows = House::new();
    let output = nobody_knows.run(&["check", &url, "--allow-private", "--territory", "CN", "--json"]);
    assert_code(&output, 0);
    assert_eq!(json_lines(&output)[0]["findings"][0]["verdict"]["decision"], "UNDETERMINED");
    let [case] = nobody_knows.cases().try_into().unwrap();
    assert_eq!(case["state"], "undetermined");
}

#[test]
fn the_same_bytes_at_two_addresses_are_one_case() {
    let house = House::with_licences();
    let copy = house.copy();
    let site = Site::new(
        media(&[("/a.wav", &copy), ("/b.wav", &copy)])
            .route("/", html("<a href=/first>1</a> <a href=/second>2</a>"))
            .route("/first", html("<audio src=/a.wav></audio>"))
            .route("/second", html("<audio src=/b.wav></audio>")),
    );
    house.settings(&format!(
        "[sites.pirate]\nseeds = [\"{}\"]\nterritory = \"CN\"\ndelay_ms = 0\n",
        site.url("/")
    ));
    assert_code(&house.run(&["crawl", "run", "pirate", "--allow-private"]), 1);
    let cases = house.cases();
    let [case] = cases.as_slice() else { panic!("{cases:#?}") };
    assert_eq!(essence(case).3, [site.url("/a.wav"), site.url("/b.wav")]);
    let blobs = |output: &Output| json_lines(output)[0]["blobs"].as_u64();
    // The media once, and what was recorded on the ways to it.
    let kept = blobs(&house.run(&["store", "stats", "--json"]));
    // Again, by another command, and again: nothing new.
    assert_code(
        &house.run(&[
            "check",
            &site.url("/first"),
            &site.url("/second"),
            "--allow-private",
            "--territory",
            "CN",
        ]),
        1,
    );
    assert_code(&house.run(&["crawl", "run", "pirate", "--allow-private"]), 1);
    assert_eq!(essences(&house.cases()), essences(&cases));
    assert_eq!(blobs(&house.run(&["store", "stats", "--json"])), kept);
}

#[test]
fn sites_are_crawled_when_they_are_due() {
    let house = House::new();
    let site = Site::new(media(&[]).route("/", html("<p>nothing here")));
    let settings = |name: &str, cron: &str| {
        format!(
            "[sites.{name}]\nseeds = [\"{}\"]\ndelay_ms = 0\nschedule = {{ cron = \"{cron}\", time_zone = \"Asia/Tokyo\" }}\n",
            site.url("/")
        )
    };
    // Neither comes again while this runs; the second is left alone when the first is named.
    house.settings(&(settings("yearly", "0 0 1 1 *") + &settings("leap", "0 0 29 2 *")));
    let due = |house: &House| -> Vec<bool> {
        let listed = json_lines(&house.run(&["crawl", "list", "--json"]));
        let now = Timestamp::now();
        listed
            .iter()
            .map(|line| line["due_at"].as_str().unwrap().parse::<Timestamp>().unwrap() <= now)
            .collect()
    };
    assert_eq!(due(&house), [true, true], "never crawled");
    let run = |arguments: &[&str]| {
        let all = [&["crawl", "run", "--due", "--allow-private"], arguments].concat();
        let output = house.run(&all);
        assert_code(&output, 0);
        stderr(&output)
    };
    run(&["yearly"]);
    assert_eq!(due(&house), [true, false], "sorted by name");
    run(&[]);
    assert_eq!(due(&house), [false, false]);
    assert!(run(&[]).contains("no site is due"));
    assert_code(&house.run(&["crawl", "add", "daily", &site.url("/"), "--schedule", "0 0 30 2 *"]), 2);
    assert_code(&house.run(&["crawl", "add", "plain", &site.url("/")]), 0);
    assert_code(&house.run(&["crawl", "run", "--due", "plain"]), 2);
    house.settings("[sites.a]\nseeds = []\nschedule = { cron = \"99 * * * *\" }\n");
    let output = house.run(&["crawl", "list"]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("line 3") && stderr(&output).contains("no cron text"),
        "{}",
        stderr(&output)
    );
}

/// A body that never ends.
fn endless() -> Response {
    let chunk = Bytes::from(vec![0; 1 << 16]);
    let body = futures_util::stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
    ([(header::CONTENT_TYPE, "audio/mpeg")], Body::from_stream(body)).into_response()
}

#[test]
fn traps_beside_a_good_page_are_named_and_the_rest_goes_on() {
    let house = House::with_licences();
    let index = html(
        "<a href=/loop-a>loop</a><a href=/broken>broken</a><a href=/huge>huge</a><audio src=/endless.mp3></audio>\
         <a href=/good>good</a>",
    );
    let site = Site::new(
        media(&[("/copy.wav", &house.copy())])
            .route("/", index)
            .route("/loop-a", get(|| async { Redirect::temporary("/loop-b") }))
            .route("/loop-b", get(|| async { Redirect::temporary("/loop-a") }))
            .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .route("/huge", get(|| async { axum::response::Html(" ".repeat(50 << 20)) }))
            .route("/endless.mp3", get(|| async { endless() }))
            .route("/good", html("<audio src=/copy.wav></audio>")),
    );
    let operators = [("pirate", "pirate.example", 1), ("partner", "music.example", 3)];
    let mut settings = "[fetch]\nmedia_bytes_max = 3000000\n".to_owned();
    for (name, operator, _) in operators {
        let seed = site.url("/");
        settings += &format!(
            "[sites.{name}]\nseeds = [\"{seed}\"]\noperator = \"{operator}\"\nterritory = \"CN\"\ndelay_ms = 0\n"
        );
    }
    house.settings(&settings);
    for (name, _, code) in operators {
        let output = house.run(&["crawl", "run", name, "--allow-private", "--json"]);
        assert_code(&output, code);
        let told = errors(&output);
        for path in ["/loop-a", "/broken", "/huge", "/endless.mp3"] {
            let of_path: Vec<_> = told.iter().filter(|error| error.contains(path)).collect();
            assert_eq!(of_path.len(), 1, "{path}: {told:#?}");
        }
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told.iter().any(|error| error.contains("redirects in a loop")), "{told:#?}");
        assert!(told.iter().any(|error| error.contains("500")), "{told:#?}");
        assert!(told.iter().any(|error| error.contains("fetch.media_bytes_max")), "{told:#?}");
        assert!(told.iter().any(|error| error.contains("fetch.page_bytes_max")), "{told:#?}");
        let checked = json_lines(&output);
        assert_eq!(checked.len(), 1, "{checked:#?}");
        assert_eq!(checked[0]["findings"][0]["recording_id"], "one");
    }
    // Given one by one they fail the same, and do not keep `check` from the others.
    let urls = ["/loop-a", "/broken", "/huge", "/endless.mp3", "/good"].map(|path| site.url(path));
    let arguments =
        ["check", "--allow-private", "--territory", "CN", "--operator", "music.example", "--json"];
    let output = house.run(&arguments.into_iter().chain(urls.iter().map(String::as_str)).collect::<Vec<_>>());
    assert_code(&output, 3);
    assert_eq!(errors(&output).len(), 4, "{}", stderr(&output));
    assert_eq!(json_lines(&output).len(), 1);
}

#[test]
fn a_crawl_killed_anywhere_is_completed_by_another() {
    let house = House::with_licences();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut page = String::new();
    for number in 0..6 {
        let from = if number % 2 == 0 { &house.one } else { &house.two };
        let start_s = f64::from(number);
        files.push((format!("/{number}.wav"), house.wav(&excerpt(from, RATE_HZ, start_s, start_s + 10.0))));
        page += &format!("<audio src=/{number}.wav></audio>");
    }
    let served: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let site = Site::new(media(&served).route("/", html(page.leak())));
    house.settings(&format!(
        "[sites.pirate]\nseeds = [\"{}\"]\nterritory = \"CN\"\ndelay_ms = 0\n",
        site.url("/")
    ));
    assert_code(&house.run(&["store", "export", "before.jsonl"]), 0);
    let begun = Instant::now();
    assert_code(&house.run(&["crawl", "run", "pirate", "--allow-private"]), 1);
    let whole_run = begun.elapsed();
    let wanted = essences(&house.cases());
    assert_eq!(wanted.len(), 6);

    assert_code(&house.run(&["--store", "killed", "store", "import", "before.jsonl"]), 0);
    let killed = |arguments: &[&str]| house.run(&[&["--store", "killed"], arguments].concat());
    let mut random = Random(20_261_123);
    for round in 0..8 {
        let delay = whole_run.mul_f64(random.unit());
        kill_crawl(house.path(), delay);
        let cases = killed(&["cases", "list", "--json"]);
        assert_code(&cases, 0);
        let now = essences(&json_lines(&cases));
        assert!(now.iter().all(|case| wanted.contains(case)), "round {round} after {delay:?}: {now:#?}");
        assert_code(&killed(&["store", "check"]), 0);
    }
    assert_code(&killed(&["crawl", "run", "pirate", "--allow-private"]), 1);
    assert_eq!(essences(&json_lines(&killed(&["cases", "list", "--json"]))), wanted);
    assert_code(&killed(&["store", "check"]), 0);
}

/// Runs the crawl on the store `killed` and kills it (SIGKILL) after `delay`.
fn kill_crawl(dir: &Path, delay: Duration) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"))
        .args(["--quiet", "--store", "killed", "crawl", "run", "pirate", "--allow-private"])
        .current_dir(dir)
        .env_remove("EARWITNESS_CONFIG")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (_never, tick) = mpsc::channel::<()>();
    let _ = tick.recv_timeout(delay);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_mp3_that_is_cut_off_is_matched_as_far_as_it_goes() {
    let house = House::with_licences();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio/music.mp3");
    assert_code(&house.run(&["catalog", "add", whole.to_str().unwrap()]), 0);
    let bytes = fs::read(whole).unwrap();
    let cut = &bytes[..bytes.len() * 2 / 3];
    let site = Site::new(media(&[("/cut.mp3", cut)]).route("/page", html("<audio src=/cut.mp3></audio>")));
    let arguments = ["check", &site.url("/page"), "--allow-private", "--territory", "CN"];
    let output = house.run(&[&arguments[..], &["--json"]].concat());
    assert_code(&output, 1);
    let [checked] = json_lines(&output).try_into().unwrap();
    assert_eq!(checked["error"], Value::Null);
    assert_eq!(checked["findings"][0]["recording_id"], "music");
    let one = &checked["findings"][0]["matches"][0];
    for field in ["query_end_s", "reference_end_s"] {
        let end_s = one[field].as_f64().unwrap();
        assert!((7.0..8.2).contains(&end_s), "{field}: {one:#}");
    }
    let said = "cut off: the header promises 12.";
    assert!(checked["media"]["warnings"].to_string().contains(said), "{checked:#}");
    let shown = String::from_utf8(house.run(&arguments).stdout).unwrap();
    assert!(shown.contains(&format!("warning: {said}")), "{shown}");
}
