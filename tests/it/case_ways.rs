//! What comes after a notice, by the real binary: clocks, counter-notices, live addresses against a real site.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use earwitness::base::Timestamp;
use earwitness::cases::{Case, Form, Forum, NoticeWritten, find, list, record_notice};
use earwitness::store::Store;
use jiff::SignedDuration;
use serde_json::Value;

use crate::music::{music, sped_up, write_wav};
use crate::support::earwitness;

const RATE_HZ: u32 = 11_025;

/// What a path answers.
#[derive(Clone)]
enum Answer {
    Audio(Vec<u8>),
    Page(String),
    Status(StatusCode),
}

/// A site whose content changes.
struct Site {
    _runtime: tokio::runtime::Runtime,
    content: Arc<Mutex<BTreeMap<String, Answer>>>,
    root: String,
}

impl Site {
    fn new() -> Self {
        let content: Arc<Mutex<BTreeMap<String, Answer>>> = Arc::default();
        let served = Arc::clone(&content);
        let router = Router::new().fallback(move |uri: Uri| {
            let answer = served.lock().unwrap().get(uri.path()).cloned();
            async move {
                match answer {
                    Some(Answer::Audio(bytes)) => {
                        ([(header::CONTENT_TYPE, "audio/wav")], bytes).into_response()
                    }
                    Some(Answer::Page(text)) => axum::response::Html(text).into_response(),
                    Some(Answer::Status(status)) => status.into_response(),
                    None => StatusCode::NOT_FOUND.into_response(),
                }
            }
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { _runtime: runtime, content, root }
    }

    fn put(&self, path: &str, answer: Answer) {
        self.content.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn remove(&self, path: &str) {
        self.content.lock().unwrap().remove(path);
    }
}

fn wav(folder: &Path, samples: &[f32]) -> Answer {
    let path = folder.join("made.wav");
    write_wav(&path, samples, RATE_HZ, 1);
    Answer::Audio(fs::read(path).unwrap())
}

fn run(folder: &Path, args: &[&str], code: i32) -> Output {
    let output = earwitness(folder).args(args).output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn lines(output: &Output) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Opens the test's store; a child that is just being started may hold the lock for an instant.
fn open(folder: &Path) -> Store {
    for _ in 0..2_000 {
        if let Ok(store) = Store::open(&folder.join("store")) {
            return store;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    panic!("the store stays locked");
}

fn only_case(folder: &Path) -> Case {
    let mut cases = list(&open(folder), None).unwrap();
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

/// Records a notice as `notice export` does, so many hours ago.
fn notify(folder: &Path, case: &Case, form: Form, forum: Forum, provider: &str, hours: i64) -> Timestamp {
    let at = Timestamp::now() - SignedDuration::from_hours(hours);
    let notice = NoticeWritten {
        notice_id: "N-1".to_owned(),
        form,
        forum,
        provider: provider.to_owned(),
        urls: case.sightings.iter().map(|sighting| sighting.media_url.clone()).collect(),
        also: Vec::new(),
        actor: "Ann".to_owned(),
        note: "n.pdf".to_owned(),
    };
    record_notice(&open(folder), &[(case.case_id.clone(), notice)], at).unwrap();
    at
}

/// A folder whose catalogue has one recording, and a site that shows a copy of it on a page.
struct House {
    folder: tempfile::TempDir,
    site: Site,
    samples: Vec<f32>,
    case_id: String,
}

impl House {
    fn new() -> Self {
        let (folder, site) = (tempfile::tempdir().unwrap(), Site::new());
        let samples = music(1, 20.0, RATE_HZ);
        fs::create_dir(folder.path().join("catalogue")).unwrap();
        write_wav(&folder.path().join("catalogue/one.wav"), &samples, RATE_HZ, 1);
        run(folder.path(), &["catalog", "add", "catalogue"], 0);
        site.put("/a.wav", wav(folder.path(), &samples));
        site.put("/page", Answer::Page("<title>Song</title><audio src=\"/a.wav\"></audio>".to_owned()));
        let page = format!("{}/page", site.root);
        earwitness(folder.path())
            .args(["check", &page, "--allow-private", "--territory", "CN"])
            .output()
            .unwrap();
        let case_id = only_case(folder.path()).case_id;
        run(folder.path(), &["cases", "approve", &case_id, "--note", "heard it", "--by", "Ann"], 0);
        Self { folder, site, samples, case_id }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn case(&self) -> Case {
        find(&open(self.path()), &self.case_id).unwrap()
    }

    fn recheck(&self, code: i32) -> Value {
        let args = ["cases", "recheck", &self.case_id, "--allow-private", "--json"];
        lines(&run(self.path(), &args, code)).remove(0)
    }
}

#[test]
fn what_an_address_serves_moves_its_case() {
    let house = House::new();
    let root = &house.site.root;
    // The same bytes.
    let told = house.recheck(0);
    let live = |told: &Value, at: usize| told["liveness"][at]["alive"].as_str().unwrap().to_owned();
    assert_eq!((told["state"].as_str(), live(&told, 0)), (Some("approved"), "yes".to_owned()));
    assert_eq!(told["liveness"][0]["status"], 200);
    assert_eq!(told["liveness"][0]["sha256"], house.case().sha256.to_string());
    // Others, in which the recording is.
    house.site.put("/a.wav", wav(house.path(), &sped_up(&house.samples, 1.1)));
    let told = house.recheck(0);
    assert_eq!(live(&told, 0), "yes");
    assert!(told["liveness"][0]["note"].as_str().unwrap().contains("the recording was heard"), "{told}");
    // A server that fails tells nothing.
    house.site.put("/a.wav", Answer::Status(StatusCode::INTERNAL_SERVER_ERROR));
    house.site.put("/page", Answer::Status(StatusCode::FORBIDDEN));
    let told = house.recheck(3);
    assert_eq!((live(&told, 0), told["state"].as_str()), ("unclear".to_owned(), Some("approved")));
    // A new address on the same page: the old one is gone, the case is not.
    house.site.remove("/a.wav");
    house.site.put("/signed.wav", wav(house.path(), &house.samples));
    house.site.put("/page", Answer::Page("<audio src=\"/signed.wav\"></audio>".to_owned()));
    let told = house.recheck(0);
    assert_eq!((live(&told, 0), told["state"].as_str()), ("gone".to_owned(), Some("approved")), "{told}");
    let urls: Vec<String> = house.case().sightings.iter().map(|one| one.media_url.clone()).collect();
    assert_eq!(urls, [format!("{root}/a.wav"), format!("{root}/signed.wav")]);
    // A stranger's piece in its place, and everything is gone.
    house.site.put("/signed.wav", wav(house.path(), &music(7, 20.0, RATE_HZ)));
    let told = house.recheck(0);
    assert_eq!(
        (told["state"].as_str(), told["moved"].as_str()),
        (Some("removed"), Some("removed")),
        "{told}"
    );
    // It comes again: a case of its own, which names the old one.
    house.site.put("/a.wav", wav(house.path(), &house.samples));
    let url = format!("{root}/a.wav");
    earwitness(house.path()).args(["check", &url, "--allow-private", "--territory", "CN"]).output().unwrap();
    let cases = list(&open(house.path()), None).unwrap();
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[1].reupload_of.as_deref(), Some(house.case_id.as_str()));
    let shown = text(&run(house.path(), &["cases", "show", &cases[1].case_id], 0));
    assert!(shown.contains(&format!("after case {}", house.case_id)), "{shown}");
    let worst = &lines(&run(house.path(), &["cases", "offenders", "--json"], 0))[0]["operators"][0];
    assert_eq!((worst["upheld"].as_u64(), worst["suspected"].as_u64()), (Some(1), Some(1)), "{worst}");
    assert_eq!(worst["cases"][0], house.case_id.as_str());
    run(house.path(), &["cases", "offenders"], 0);
}

#[test]
fn clocks_run_from_sending_and_end_in_ignored() {
    let house = House::new();
    let provider = house.case().domain;
    notify(house.path(), &house.case(), Form::Ncac, Forum::CnSector, &provider, 72);
    let due = |code| lines(&run(house.path(), &["cases", "due", "--json"], code));
    let told = due(0);
    assert_eq!((told.len(), told[0]["kind"].as_str()), (1, Some("send")), "{told:?}");
    let sent = (Timestamp::now() - SignedDuration::from_hours(48)).to_string();
    run(house.path(), &["cases", "receive", &house.case_id, "--sent", "--at", &sent, "--by", "Ann"], 0);
    let told = due(0);
    assert_eq!((told[0]["kind"].as_str(), told[0]["is_overdue"].as_bool()), (Some("recheck"), Some(true)));
    let args = ["cases", "recheck", "--due", "--allow-private", "--json"];
    let told = lines(&run(house.path(), &args, 0));
    assert_eq!((told[0]["state"].as_str(), told[0]["moved"].as_str()), (Some("ignored"), Some("ignored")));
    assert!(due(0).is_empty());
    // Once more, now to be seen in words.
    run(house.path(), &["cases", "due"], 0);
    let shown = text(&run(house.path(), &["cases", "show", &house.case_id], 0));
    for words in
        ["Notices", "ncac to", "under cn-sector: ignored", "stopped until", "24 hours", "the same bytes"]
    {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    let shown = &lines(&run(house.path(), &["cases", "show", &house.case_id, "--json"], 0))[0];
    assert_eq!(shown["case_id"], house.case_id.as_str());
    assert_eq!(shown["notifications"][0]["clocks"][0]["is_open"], false);
}

#[test]
fn a_counter_notice_locks_and_a_retraction_is_told() {
    let house = House::new();
    let (id, provider) = (house.case_id.as_str(), house.case().domain);
    notify(house.path(), &house.case(), Form::Dmca, Forum::Us, &provider, 2);
    let say = |args: &[&str], code| run(house.path(), &[&["cases"], args].concat(), code);
    let error = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = say(&["receive", id, "--counter-notice"], 2);
    assert!(error(&refused).contains("is written, so it cannot be countered"), "{}", error(&refused));
    say(&["receive", id, "--sent", "--removed"], 2);
    say(&["receive", id], 2);
    say(&["receive", id, "--sent", "--at", "2026-13-01T00:00Z"], 2);
    say(&["receive", id, "--sent"], 0);
    let refused = say(&["receive", id, "--removed", "--provider", "nobody.example"], 2);
    assert!(error(&refused).contains("no notice to `nobody.example`"), "{}", error(&refused));
    let countered = say(&["receive", id, "--counter-notice", "--note", "a licence of 2015\u{202e}"], 0);
    assert!(text(&countered).contains("countered"));
    let told = lines(&say(&["due", "--within", "60", "--json"], 0));
    let kinds: Vec<&str> = told.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["answer", "restore"]);
    let shown = text(&say(&["show", id], 0));
    assert!(shown.contains("must not be notified about it again") && !shown.contains('\u{202e}'), "{shown}");
    say(&["escalate", id, "--reason", " "], 2);
    assert!(text(&say(&["escalate", id, "--reason", "district court, no. 1"], 0)).contains("escalated"));
    // It was licensed after all.
    let refused = say(&["dismiss", id, "--reason", "licensed"], 2);
    assert!(error(&refused).contains("cannot be dismissed"));
    say(&["retract", id, "--reason", "licensed since 2015", "--out", "letters"], 0);
    let letter = fs::read_to_string(house.path().join(format!("letters/retraction-{id}-1.txt"))).unwrap();
    assert!(
        letter.starts_with("Retraction of a notice") && letter.contains("licensed since 2015"),
        "{letter}"
    );
    assert_eq!(lines(&say(&["due", "--json"], 0))[0]["kind"], "tell-retraction");
    say(&["receive", id, "--retraction-sent"], 0);
    assert!(lines(&say(&["due", "--json"], 0)).is_empty());
    say(&["close", id, "--reason", "done"], 2);
    // All of it comes through an export of the store, and back.
    run(house.path(), &["store", "export", "all.jsonl"], 0);
    let other = tempfile::tempdir().unwrap();
    fs::copy(house.path().join("all.jsonl"), other.path().join("all.jsonl")).unwrap();
    run(other.path(), &["store", "import", "all.jsonl"], 0);
    let shown = |folder| lines(&run(folder, &["cases", "show", id, "--json"], 0)).remove(0);
    let (there, here) = (shown(other.path()), shown(house.path()));
    for part in ["state", "history", "notifications", "liveness"] {
        assert_eq!(there[part], here[part], "{part}");
    }
}

#[test]
fn a_newer_calendar_counts_and_a_wrong_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |text: &str| fs::write(folder.path().join("earwitness.toml"), text).unwrap();
    settings("[notice]\ncalendars = \"calendars\"\n");
    let told = |code| String::from_utf8(run(folder.path(), &["cases", "due"], code).stderr).unwrap();
    assert!(told(2).contains("holds none of cn.toml"));
    fs::create_dir(folder.path().join("calendars")).unwrap();
    let file = |year: &str| {
        let text = format!(
            "name = \"China\"\nzone = \"CST-8\"\nweekend = [\"saturday\", \"sunday\"]\n[[year]]\nyear = {year}\n\
             source = \"a test\"\nholidays = [\"2027-01-01\"]\n"
        );
        fs::write(folder.path().join("calendars/cn.toml"), text).unwrap();
    };
    file("2026");
    assert!(told(2).contains("calendar cn.toml: 2027-01-01 stands under the year 2026"));
    file("2027");
    told(0);
}
