//! `earwitness notice export` by the real binary: what a batch emits, what it refuses, and the words with which it does.

use std::fs;
use std::path::Path;

use earwitness::base::{ChannelView, Digest, RecordingId, Timestamp};
use earwitness::cases::{self, Alive, Case, CaseInput, Liveness, State, queue};
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
signature = "A. Person"
proof = ["certificate 1"]
authorised_url = "https://label.example/{isrc}"
[claim.right_holder]
name = "Label"
id_document_type = "licence"
id_document_number = "1"
legal_representative = "B. Person"
address = "1 Road"
post_code = "1"
contact_person = "C. Person"
telephone = "+81-3-0000-0000"
email = "rights@label.example"
country = "JP"
[providers."pirate.example"]
name = "Host Ltd"
address = "2 Road"
email = "abuse@host.example"
[providers."mirror.example"]
name = " host  LTD"
address = "2 Road"
email = "abuse@host.example"
[providers."other.example"]
name = "Other Ltd"
address = "3 Road"
email = "abuse@other.example"
"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Finding {
    recording: serde_json::Value,
    domain: &'static str,
    decision: Decision,
}

fn finding(id: &str, domain: &'static str, decision: Decision) -> Finding {
    let recording = serde_json::json!({
        "recording_id": id, "title": "東京の夜", "isrc": "JPAB01700001", "first_made": "2017", "release_date": "2017-03-01",
    });
    Finding { recording, domain, decision }
}

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

/// Files the findings; returns the cases' identifiers.
fn seed(dir: &Path, settings: &str, findings: &[Finding]) -> Vec<String> {
    fs::write(dir.join("earwitness.toml"), settings).unwrap();
    let store = open(dir);
    findings
        .iter()
        .map(|finding| {
            let recording: Recording = serde_json::from_value(finding.recording.clone()).unwrap();
            store.put(&recording).unwrap();
            let seen = sighting(finding.domain, recording.recording_id.as_str());
            let verdict = Verdict {
                decision: finding.decision,
                recording_id: recording.recording_id.clone(),
                operator: Some(finding.domain.to_owned()),
                territory: Some("CN".to_owned()),
                at: seen.captured_at,
                reasons: vec!["because".to_owned()],
                steps: Vec::new(),
            };
            let matches = [found(&recording.recording_id)];
            let input = CaseInput {
                sighting: &seen,
                matches: &matches,
                verdict: &verdict,
                recording: &recording,
                information: None,
            };
            let queued = queue(&store, at("2026-03-01T12:00:00Z"), input).unwrap();
            queued.case_id().unwrap().to_owned()
        })
        .collect()
}

fn sighting(domain: &str, file: &str) -> Sighting {
    Sighting {
        media_url: format!("https://{domain}/{file}.mp3"),
        page_url: Some(format!("https://{domain}/page")),
        page_title: Some("uploaded by somebody".to_owned()),
        page_screenshot: None,
        hops: Vec::new(),
        captured_at: at("2026-03-01T10:00:00Z"),
        sha256: Digest::of(file.as_bytes()),
        bytes: 9,
        content_type: Some("audio/mpeg".to_owned()),
        domain: domain.to_owned(),
        peer: Some("203.0.113.7:443".to_owned()),
        robots: None,
        archive: None,
        warnings: Vec::new(),
    }
}

fn found(recording_id: &RecordingId) -> Match {
    Match {
        recording_id: recording_id.clone(),
        query_start_s: 0.0,
        query_end_s: 30.0,
        reference_start_s: 60.0,
        reference_end_s: 90.0,
        speed: 1.0,
        tempo: 1.0,
        pitch_semitones: 0.0,
        channel: ChannelView::Mid,
        matched_peaks: 143,
        log10_false_match: -41.7,
    }
}

fn approve(dir: &Path, ids: &[String]) {
    for id in ids {
        earwitness(dir).args(["cases", "approve", id, "--note", "heard it"]).assert().code(0);
    }
}

fn export(dir: &Path, form: &str) -> assert_cmd::Command {
    let mut command = earwitness(dir);
    command.args(["notice", "export", "--form", form, "--out", "out", "--date", "2026-03-05"]);
    command
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("out")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join("out").join(name)).unwrap()
}

#[test]
fn every_form_is_written_from_the_same_cases() {
    let dir = tempfile::tempdir().unwrap();
    let ids = seed(dir.path(), SETTINGS, &[finding("R1", "pirate.example", Decision::Unlicensed)]);
    approve(dir.path(), &ids);
    let state = |dir: &Path| open(dir).get::<Case>(&ids[0]).unwrap().unwrap().state;
    // A complaint tells the provider nothing.
    export(dir.path(), "complaint").assert().code(0);
    assert_eq!(state(dir.path()), State::Approved);
    // A report is about what was sent, and nothing was yet.
    export(dir.path(), "lumen").assert().code(3).stderr(contains("no notice about it was sent yet"));
    for form in ["ncac", "dmca", "dsa", "japan", "acns", "google"] {
        export(dir.path(), form).args(["--case", &ids[0]]).assert().code(0);
        assert_eq!(state(dir.path()), State::Noticed, "{form}");
    }
    let names = names(dir.path());
    assert_eq!(names.len(), 5 * 6 + 2 + 2, "{names:?}");
    let text = read(dir.path(), "2026-03-05-pirate.example-google.txt");
    assert_eq!(
        text,
        "# Sound recording \"東京の夜\", ISRC JPAB01700001\n# https://label.example/JPAB01700001\nhttps://pirate.example/R1.mp3\n"
    );
}

#[test]
fn sites_of_one_provider_share_a_notice() {
    let dir = tempfile::tempdir().unwrap();
    let domains = ["pirate.example", "mirror.example", "other.example"];
    let findings = domains.map(|domain| finding("R1", domain, Decision::Unlicensed));
    let ids = seed(dir.path(), SETTINGS, &findings);
    approve(dir.path(), &ids);
    export(dir.path(), "dsa").args(["--format", "html,json"]).assert().code(0);
    let stems = ["2026-03-05-mirror.example-dsa", "2026-03-05-other.example-dsa"];
    let expected: Vec<String> =
        stems.iter().flat_map(|stem| ["html", "json"].map(|ending| format!("{stem}.{ending}"))).collect();
    assert_eq!(names(dir.path()), expected);
    let shared = read(dir.path(), &expected[0]);
    for domain in ["pirate.example", "mirror.example"] {
        assert!(shared.contains(&format!("https://{domain}/R1.mp3")), "{domain}");
    }
    assert!(!shared.contains("other.example"));
}

#[test]
fn a_batch_with_gaps_says_what_is_emitted_and_what_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut no_isrc = finding("R2", "pirate.example", Decision::Unlicensed);
    no_isrc.recording["isrc"] = serde_json::Value::Null;
    let findings = [finding("R1", "pirate.example", Decision::Undetermined), no_isrc];
    let ids = seed(dir.path(), &SETTINGS.replace("telephone", "fax"), &findings);
    approve(dir.path(), &ids);
    // No landline: mandatory in China's form, in the USA and in Japan, not in the EU.
    for form in ["ncac", "complaint", "dmca", "japan"] {
        export(dir.path(), form).assert().code(2).stderr(
            contains(format!("the {form} document is not written"))
                .and(contains("claim.right_holder.telephone")),
        );
    }
    // No ISRC: nothing asks for one, but Google's list asks for an address that is made of it.
    export(dir.path(), "google").assert().code(2).stderr(contains("claim.authorised_url"));
    assert!(!dir.path().join("out").exists(), "nothing is written where anything is missing");
    // One of the files is gone by now, and one case has nothing left to be named.
    let store = open(dir.path());
    cases::edit(&store, &ids[1..], &mut |file| {
        let gone = Liveness {
            case_id: file.case.case_id.clone(),
            url: "https://pirate.example/R2.mp3".to_owned(),
            at: at("2026-03-04T10:00:00Z"),
            status: Some(404),
            sha256: None,
            alive: Alive::Gone,
            note: "not found".to_owned(),
        };
        file.look(vec![gone], at("2026-03-04T10:00:00Z"), "earwitness");
        Ok(())
    })
    .unwrap();
    drop(store);
    // What was approved without a sure verdict claims no more than a person's judgement.
    export(dir.path(), "dsa").assert().code(3).stderr(
        contains("https://pirate.example/R2.mp3 is left out: gone since 2026-03-04T10:00:00Z at the latest (status 404)")
            .and(contains("wrong accusations to be expected in this batch by chance")),
    );
    let html = read(dir.path(), "2026-03-05-pirate.example-dsa.html");
    assert!(html.contains("a person who reviewed each case found that the operator holds no licence"));
    assert!(!html.contains("as of the time of capture, and no licence"));
    assert!(
        html.contains("https://pirate.example/R1.mp3") && !html.contains("https://pirate.example/R2.mp3")
    );
}

#[test]
fn recordings_out_of_protection_and_old_findings_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = finding("R1", "pirate.example", Decision::Unlicensed);
    old.recording["first_made"] = "1970".into();
    old.recording["release_date"] = "1950-01-01".into();
    let ids = seed(dir.path(), SETTINGS, &[old]);
    approve(dir.path(), &ids);
    let refused = [
        ("ncac", "recording R1 is of 1970: its protection in China ended with 2020"),
        ("dsa", "its protection in the European Union ended before the term was made longer"),
        ("japan", "its protection in Japan ended before the term was made longer"),
    ];
    for (form, why) in refused {
        export(dir.path(), form).assert().code(2).stderr(contains(why));
    }
    let mut late = earwitness(dir.path());
    late.args(["notice", "export", "--form", "complaint", "--out", "out", "--date", "2028-03-02"]);
    late.assert().code(2).stderr(contains("more than two years ago"));
}

#[test]
fn the_uploader_is_left_out_and_no_key_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let ids = seed(dir.path(), SETTINGS, &[finding("R1", "pirate.example", Decision::Unlicensed)]);
    let mut case = cases::find(&open(dir.path()), &ids[0]).unwrap();
    case.sightings[0].media_url =
        "https://somebody:secret@pirate.example/R1.mp3?id=7&token=shared".to_owned();
    cases::save(&open(dir.path()), [&case]).unwrap();
    approve(dir.path(), &ids);
    // Title of the page, its address.
    for (suffix, flags, says) in [
        ("", &[][..], [false, true]),
        ("-2", &["--page-titles"], [true, true]),
        ("-3", &["--redact"], [false, false]),
    ] {
        let formats = ["--format", "html,json,csv", "--case", &ids[0]];
        export(dir.path(), "dsa").args(formats).args(flags).assert().code(0);
        for ending in ["html", "json", "csv"] {
            let text = read(dir.path(), &format!("2026-03-05-pirate.example-dsa{suffix}.{ending}"));
            let found =
                ["uploaded by somebody", "https://pirate.example/page"].map(|words| text.contains(words));
            assert_eq!(found, says, "{flags:?} {ending}");
            let plain = text.replace("&amp;", "&").replace("<wbr>", "");
            let token = if flags.contains(&"--redact") { "withheld" } else { "shared" };
            assert!(plain.contains(&format!("https://pirate.example/R1.mp3?id=7&token={token}")), "{ending}");
            assert!(!text.contains("secret"), "{ending}");
        }
    }
}

#[test]
fn templates_are_written_changed_and_checked_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let own = "[notice]\ntemplates = \"own\"\nconfirmed = [\"dsa\"]\n";
    let settings = SETTINGS.replace("[notice]\n", own);
    let ids = seed(dir.path(), &settings, &[finding("R1", "pirate.example", Decision::Unlicensed)]);
    approve(dir.path(), &ids);
    earwitness(dir.path())
        .args(["notice", "templates", "--out", "own"])
        .assert()
        .code(0)
        .stdout(contains("dsa.toml"));
    earwitness(dir.path())
        .args(["notice", "templates", "--out", "own"])
        .assert()
        .code(3)
        .stderr(contains("is left as it is"));
    let wording = dir.path().join("own/dsa.toml");
    let text = fs::read_to_string(&wording).unwrap();
    fs::write(&wording, text.replace("Notice of Illegal Content", "Our Own Title")).unwrap();
    export(dir.path(), "dsa").args(["--format", "html"]).assert().code(0);
    let html = read(dir.path(), "2026-03-05-pirate.example-dsa.html");
    assert!(html.contains("Our Own Title") && !html.contains("to be confirmed by counsel"));
    fs::write(&wording, text.replace("provider.name", "provider.nmae")).unwrap();
    // A mistake in any template is told, whichever form is asked for.
    export(dir.path(), "ncac")
        .assert()
        .code(2)
        .stderr(contains("template dsa.toml: section 1, block 2").and(contains("undefined")));
}

#[test]
fn a_format_that_a_document_lacks_is_a_mistake() {
    let dir = tempfile::tempdir().unwrap();
    seed(dir.path(), SETTINGS, &[]);
    export(dir.path(), "lumen")
        .args(["--format", "pdf"])
        .assert()
        .code(2)
        .stderr(contains("it does as json"));
}
