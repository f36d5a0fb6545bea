//! `earwitness cases` and `earwitness notice`, by the real binary on a store seeded by the library.

use std::fs;
use std::path::Path;

use earwitness::base::{ChannelView, Digest, RecordingId, Timestamp};
use earwitness::cases::{Case, CaseInput, Queued, State, queue};
use earwitness::catalog::Recording;
use earwitness::crawl::Sighting;
use earwitness::matching::Match;
use earwitness::rights::{Decision, Verdict};
use earwitness::store::Store;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::earwitness;

const SETTINGS: &str = r#"
[notice]
# The findings are of a past day.
live_within_h = 1000000
[claim]
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
[providers."pirate.example"]
name = "某某网络科技有限公司"
icp_number = "京ICP备00000000号"
"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn recording() -> Recording {
    let json = serde_json::json!({
        "recording_id": "R1", "title": "东京之夜", "title_alt": ["東京の夜"], "artist": "Hikari", "isrc": "JPAB01700001",
    });
    serde_json::from_value(json).unwrap()
}

fn sighting(url: &str, page_title: &str, captured_at: &str) -> Sighting {
    Sighting {
        media_url: url.to_owned(),
        page_url: Some("https://pirate.example/page".to_owned()),
        page_title: Some(page_title.to_owned()),
        hops: Vec::new(),
        captured_at: at(captured_at),
        sha256: Digest::of(b"the bytes"),
        bytes: 9,
        content_type: Some("audio/mpeg".to_owned()),
        domain: "pirate.example".to_owned(),
        peer: Some("203.0.113.7:443".to_owned()),
        page_screenshot: None,
        robots: None,
        archive: None,
        warnings: Vec::new(),
    }
}

fn found() -> Match {
    Match {
        recording_id: RecordingId::new("R1").unwrap(),
        query_start_s: 0.0,
        query_end_s: 30.0,
        reference_start_s: 60.0,
        reference_end_s: 97.5,
        speed: 1.25,
        tempo: 1.0,
        pitch_semitones: 0.0,
        channel: ChannelView::Mid,
        matched_peaks: 143,
        log10_false_match: -41.7,
    }
}

fn verdict(decision: Decision, instant: &str) -> Verdict {
    Verdict {
        decision,
        recording_id: RecordingId::new("R1").unwrap(),
        operator: Some("pirate.example".to_owned()),
        territory: Some("CN".to_owned()),
        at: at(instant),
        reasons: vec!["because".to_owned()],
        steps: Vec::new(),
    }
}

/// Opens the test's store. A process that another test is just starting inherits the lock for an instant, between
/// fork and exec, so the first try may fail.
fn open(dir: &Path) -> Store {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        match Store::open(&dir.join("store")) {
            Ok(store) => return store,
            Err(error) if std::time::Instant::now() > deadline => panic!("{error}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

/// Files one finding, keeping the store open no longer than that.
fn file(dir: &Path, sighting: &Sighting, decision: Decision) -> Queued {
    let store = open(dir);
    let recording = recording();
    store.put(&recording).unwrap();
    let verdict = verdict(decision, &sighting.captured_at.to_string());
    let input = CaseInput {
        sighting,
        matches: &[found()],
        verdict: &verdict,
        recording: &recording,
        information: None,
    };
    queue(&store, at("2026-03-01T12:00:00Z"), input).unwrap()
}

fn case(dir: &Path, id: &str) -> Case {
    open(dir).get(id).unwrap().unwrap()
}

fn settings(dir: &Path, text: &str) {
    fs::write(dir.join("earwitness.toml"), text).unwrap();
}

#[test]
fn findings_are_joined_into_cases() {
    let dir = tempfile::tempdir().unwrap();
    let first = sighting("https://pirate.example/a.mp3", "A", "2026-03-01T10:00:00Z");
    let Queued::New(id) = file(dir.path(), &first, Decision::Unlicensed) else { panic!("not new") };
    assert_eq!(file(dir.path(), &first, Decision::Unlicensed), Queued::Seen(id.clone()));
    let once = case(dir.path(), &id);
    assert_eq!((once.sightings.len(), once.sightings[0].times_seen, once.history.len()), (1, 1, 1));

    let later = sighting("https://pirate.example/a.mp3", "A", "2026-03-02T10:00:00Z");
    assert_eq!(file(dir.path(), &later, Decision::Unlicensed), Queued::Seen(id.clone()));
    let other = sighting("https://cdn.pirate.example/b.mp3", "B", "2026-03-02T11:00:00Z");
    assert_eq!(file(dir.path(), &other, Decision::Unlicensed), Queued::Joined(id.clone()));
    let joined = case(dir.path(), &id);
    assert_eq!(joined.sightings.iter().map(|sighting| sighting.times_seen).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(joined.sightings[0].last_seen, at("2026-03-02T10:00:00Z"));

    let elsewhere = Sighting { domain: "other.example".to_owned(), ..first.clone() };
    assert!(
        matches!(file(dir.path(), &elsewhere, Decision::Undetermined), Queued::New(other) if other != id)
    );
    let licensed = Sighting { domain: "163.com".to_owned(), ..first };
    assert_eq!(file(dir.path(), &licensed, Decision::Licensed), Queued::Licensed);
}

#[test]
fn a_newer_verdict_moves_only_what_nobody_has_decided() {
    let dir = tempfile::tempdir().unwrap();
    let early = sighting("https://pirate.example/a.mp3", "A", "2026-03-01T10:00:00Z");
    let Queued::New(id) = file(dir.path(), &early, Decision::Undetermined) else { panic!("not new") };
    assert_eq!(case(dir.path(), &id).state, State::Undetermined);
    let later = sighting("https://pirate.example/a.mp3", "A", "2026-03-02T10:00:00Z");
    file(dir.path(), &later, Decision::Unlicensed);
    assert_eq!(case(dir.path(), &id).state, State::Queued);
    earwitness(dir.path()).args(["cases", "approve", &id]).assert().code(0);
    let latest = sighting("https://pirate.example/a.mp3", "A", "2026-03-03T10:00:00Z");
    file(dir.path(), &latest, Decision::Undetermined);
    let decided = case(dir.path(), &id);
    assert_eq!((decided.state, decided.verdict.decision), (State::Approved, Decision::Undetermined));
    assert_eq!(decided.history.len(), 4);
}

#[test]
fn licence_data_is_asked_for_until_a_newer_verdict_or_a_decision() {
    let dir = tempfile::tempdir().unwrap();
    let early = sighting("https://pirate.example/a.mp3", "A", "2026-03-01T10:00:00Z");
    let Queued::New(id) = file(dir.path(), &early, Decision::Undetermined) else { panic!("not new") };
    let run = |args: &[&str]| earwitness(dir.path()).args(args).assert();
    run(&["cases", "ask", &id, "--by", "Ann"]).code(0).stdout(contains("undetermined"));
    let asked = case(dir.path(), &id);
    // What the verdict lacks is the question, where nobody says more.
    assert_eq!(asked.asked().unwrap().note.as_ref(), asked.verdict.reasons.first());
    run(&["cases", "ask", &id, "--by", "Bob", "--note", "who has Macao?"]).code(0);
    let asked = case(dir.path(), &id);
    assert_eq!(asked.asked().unwrap().note.as_deref(), Some("who has Macao?"));
    // Looking into it answers nothing; a newer verdict does.
    run(&["cases", "review", &id]).code(0);
    assert!(case(dir.path(), &id).asked().is_some());
    let later = sighting("https://pirate.example/a.mp3", "A", "2026-03-02T10:00:00Z");
    file(dir.path(), &later, Decision::Unlicensed);
    assert_eq!(case(dir.path(), &id).asked(), None);
    run(&["cases", "ask", &id, "--note", "who has Macao?"]).code(0);
    let length = case(dir.path(), &id).history.len();
    run(&["cases", "ask", &id, "--note", "who has Macao?"]).code(0);
    assert_eq!(case(dir.path(), &id).history.len(), length, "asked once");
    // A decision that is taken back has settled nothing.
    run(&["cases", "dismiss", &id, "--reason", "by mistake"]).code(0);
    let mut dismissed = case(dir.path(), &id);
    assert_eq!(dismissed.asked(), None);
    let (decided_at, _) = dismissed.last_decision().unwrap();
    dismissed.undo(decided_at, decided_at, "Ann").unwrap();
    assert_eq!(dismissed.asked().unwrap().note.as_deref(), Some("who has Macao?"));
    run(&["cases", "approve", &id]).code(0);
    assert_eq!(case(dir.path(), &id).asked(), None);
    run(&["cases", "ask", &id]).code(2).stderr(contains("is approved").and(contains("asked")));
}

#[test]
fn cases_are_listed_shown_and_decided() {
    let dir = tempfile::tempdir().unwrap();
    let hostile = "free\u{202E}3pm\u{1B}[2J";
    let seen = sighting("https://pirate.example/a.mp3", hostile, "2026-03-01T10:00:00Z");
    let Queued::New(id) = file(dir.path(), &seen, Decision::Undetermined) else { panic!("not new") };
    let run = |args: &[&str]| earwitness(dir.path()).args(args).assert();
    run(&["cases", "list"])
        .code(0)
        .stdout(contains(&id).and(contains("东京之夜")).and(contains("undetermined")));
    run(&["cases", "list", "--state", "approved"]).code(0).stdout("");
    let prefix = &id[..5].to_uppercase();
    run(&["cases", "show", prefix]).code(0).stdout(
        contains("https://pirate.example/a.mp3")
            .and(contains("speed 1.250"))
            .and(contains("free⟨U+202E⟩3pm⟨U+001B⟩[2J"))
            .and(contains("undetermined by earwitness")),
    );
    run(&["cases", "approve", &id]).code(2).stderr(contains("--note"));
    run(&["cases", "dismiss", &id, "--reason", "our own promo", "--by", "Ann"])
        .code(0)
        .stdout(contains("dismissed"));
    run(&["cases", "dismiss", &id, "--reason", "again"]).code(0);
    run(&["cases", "approve", &id, "--note", "not ours after all", "--by", "Bob"]).code(0);
    let decided = case(dir.path(), &id);
    let actors: Vec<&str> = decided.history.iter().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(actors, ["earwitness", "Ann", "Bob"]);
    run(&["cases", "show", "C-zzz"]).code(2).stderr(contains("there is no case"));
    let output = earwitness(dir.path()).args(["cases", "list", "--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["case_id"], id.as_str());
    assert_eq!(json["history"][1]["note"], "our own promo");
}

#[test]
fn a_notice_holds_every_field_and_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    settings(dir.path(), SETTINGS);
    let title = "<script>alert(1)</script>\u{202E}";
    let seen = sighting("https://pirate.example/a.mp3?x=\"><b>", title, "2026-03-01T18:30:00Z");
    let Queued::New(id) = file(dir.path(), &seen, Decision::Unlicensed) else { panic!("not new") };
    let export = |extra: &[&str]| {
        let mut command = earwitness(dir.path());
        command
            .args(["notice", "export", "--form", "ncac", "--out", "out", "--date", "2026-03-05"])
            .args(extra);
        command
    };
    export(&[]).assert().code(0).stderr(contains("no approved cases"));
    export(&["--case", &id]).assert().code(2).stderr(contains("is queued").and(contains("cases approve")));
    earwitness(dir.path()).args(["cases", "approve", &id, "--by", "Ann"]).assert().code(0);
    export(&[]).assert().code(0).stdout(contains("2026-03-05-pirate.example-ncac.html"));

    let html = fs::read_to_string(dir.path().join("out/2026-03-05-pirate.example-ncac.html")).unwrap();
    for field in [
        "lang=\"zh-CN\"",
        "@page",
        "要求删除或断开链接侵权网络内容的通知",
        "2007年第1号",
        "仅供参考",
        "网络服务提供者",
        "某某网络科技有限公司",
        "权利人",
        "日本唱片株式会社",
        "登记事项证明书，号码：0100-01-000001",
        "山田太郎",
        "东京都港区三丁目1番",
        "106-0032",
        "王小明",
        "+81-3-0000-0000",
        "rights@label.example",
        "代理人",
        "涉嫌侵权网站",
        "pirate.example",
        "京ICP备00000000号",
        "203.0.113.7",
        "侵权内容",
        "网络地址",
        "侵权事实及证明材料",
        "通知要求",
        "保证本通知内容的真实性",
        "签字（盖章）",
        "2026年3月5日",
        "东京之夜",
        "東京の夜",
        "Hikari",
        "JPAB01700001",
        "https://pirate.example/page",
        "2026-03-02 02:30:00（北京时间，UTC+8）",
        "2026-03-01 18:30:00（UTC）",
        &Digest::of(b"the bytes").to_string(),
        "涉案音频 0:00.0 至 0:30.0，对应权利人录音 1:00.0 至 1:37.5",
        "1.250 倍",
        "误匹配概率不高于",
        "国作登字-2017-I-00012345",
    ] {
        assert!(html.contains(field), "no `{field}` in the notice");
    }
    for active in ["<script", "<b>", "\u{202E}", "http-equiv=\"refresh\"", " src=", "url("] {
        assert!(!html.contains(active), "`{active}` is active in the notice");
    }
    let json: serde_json::Value = serde_json::from_str(
        &fs::read_to_string(dir.path().join("out/2026-03-05-pirate.example-ncac.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(json["provider"]["name"], "某某网络科技有限公司");
    assert_eq!(json["annex"][0]["media_url"], "https://pirate.example/a.mp3?x=\"><b>");
    assert_eq!(json["agent"], serde_json::Value::Null);

    let noticed = case(dir.path(), &id);
    assert_eq!(noticed.state, State::Noticed);
    let note = noticed.history.last().unwrap().note.clone().unwrap();
    assert!(note.contains(&Digest::of(html.as_bytes()).to_string()), "{note}");
    // Again: the same bytes under the same name, recorded again.
    export(&["--case", &id]).assert().code(0);
    assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 6);
    assert_eq!(case(dir.path(), &id).history.len(), noticed.history.len() + 1);
    // With other details: never over the first one.
    settings(dir.path(), &SETTINGS.replace("王小明", "李大力"));
    export(&["--case", &id]).assert().code(0).stdout(contains("2026-03-05-pirate.example-ncac-2.html"));
}

#[test]
fn a_notice_that_lacks_fields_names_them_all_and_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    settings(
        dir.path(),
        "[notice]\nlive_within_h = 1000000\n[claim.agent]\nname = \"代理公司\"\n[claim.right_holder]\nname = \"  \"\n",
    );
    let mut seen = sighting("https://pirate.example/a.mp3", "A", "2026-03-01T10:00:00Z");
    seen.peer = None;
    let Queued::New(id) = file(dir.path(), &seen, Decision::Unlicensed) else { panic!("not new") };
    earwitness(dir.path()).args(["cases", "approve", &id]).assert().code(0);
    let output = earwitness(dir.path())
        .args(["notice", "export", "--form", "ncac", "--out", "out"])
        .assert()
        .code(2)
        .get_output()
        .clone();
    let told = String::from_utf8(output.stderr).unwrap();
    let fields = [
        "name",
        "id_document_type",
        "id_document_number",
        "legal_representative",
        "address",
        "post_code",
        "contact_person",
        "telephone",
        "email",
    ];
    for field in fields {
        assert!(told.contains(&format!("claim.right_holder.{field}")), "{field}: {told}");
        assert_eq!(told.contains(&format!("claim.agent.{field}")), field != "name", "{field}: {told}");
    }
    assert!(told.contains("providers.\"pirate.example\".name"), "{told}");
    assert!(told.contains("providers.\"pirate.example\".ip_address"), "{told}");
    assert!(!dir.path().join("out").exists());
    assert_eq!(case(dir.path(), &id).state, State::Approved);
}

#[test]
fn a_beginning_that_fits_several_cases_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let recording = recording();
    let verdict = verdict(Decision::Unlicensed, "2026-03-01T10:00:00Z");
    // Seventeen cases: two of them must share their first digit.
    for n in 0..17 {
        let mut seen = sighting("https://pirate.example/a.mp3", "A", "2026-03-01T10:00:00Z");
        seen.domain = format!("pirate{n}.example");
        let input = CaseInput {
            sighting: &seen,
            matches: &[found()],
            verdict: &verdict,
            recording: &recording,
            information: None,
        };
        queue(&store, at("2026-03-01T12:00:00Z"), input).unwrap();
    }
    let refused = "0123456789abcdef".chars().filter(|digit| {
        matches!(
            earwitness::cases::find(&store, &digit.to_string()),
            Err(earwitness::cases::Error::Ambiguous { .. })
        )
    });
    assert!(refused.count() > 0);
    assert_eq!(earwitness::cases::list(&store, Some(State::Queued)).unwrap().len(), 17);
}
