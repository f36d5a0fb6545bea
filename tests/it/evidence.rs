//! `earwitness evidence` by the real binary: bundles of a case that a site on loopback led to, verified by ourselves and by
//! programs that are not ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use earwitness::base::{Digest, Timestamp};
use earwitness::crawl::Sighting;
use earwitness::evidence::{Capture, Draft, signing_key};
use earwitness::net::Exchange;
use earwitness::store::Store;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use crate::music::{excerpt, music, sped_up, write_wav};
use crate::support::earwitness;

const RATE_HZ: u32 = 11_025;

/// A folder with a store, whose catalogue knows one recording, and a case of a copy of it.
pub(crate) struct House {
    folder: tempfile::TempDir,
    pub(crate) case_id: String,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let one = music(1, 20.0, RATE_HZ);
        fs::create_dir(folder.path().join("catalogue")).unwrap();
        write_wav(&folder.path().join("catalogue/one.wav"), &one, RATE_HZ, 1);
        let run = |args: &[&str]| earwitness(folder.path()).args(args).assert();
        run(&["catalog", "add", "catalogue"]).code(0);
        let copy = folder.path().join("copy.wav");
        write_wav(&copy, &sped_up(&excerpt(&one, RATE_HZ, 4.0, 18.0), 1.25), RATE_HZ, 1);
        let bytes = fs::read(copy).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let page = Html("<title>Free \u{202E}music</title><audio src=a.wav></audio>");
        let router = Router::new()
            .route("/page", get(move || async move { page }))
            .route("/a.wav", get(move || async move { ([(header::CONTENT_TYPE, "audio/wav")], bytes) }));
        let address = runtime.block_on(crate::servers::serve(router));
        let url = format!("http://{address}/page");
        // Without licences the case is in doubt, which is a case all the same.
        let _ = run(&["check", &url, "--allow-private", "--territory", "CN"]);
        let listed = earwitness(folder.path()).args(["cases", "list", "--json"]).output().unwrap();
        let case: Value = serde_json::from_slice(&listed.stdout).unwrap();
        let case_id = case["case_id"].as_str().unwrap().to_owned();
        Self { folder, case_id }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        earwitness(self.path()).args(args).assert()
    }

    /// Exports the case; gives the bundle's path and root.
    pub(crate) fn export(&self) -> (PathBuf, String) {
        let output =
            earwitness(self.path()).args(["evidence", "export", "--out", "out", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sealed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(sealed["case_id"], self.case_id.as_str());
        (self.path().join(sealed["path"].as_str().unwrap()), sealed["root"].as_str().unwrap().to_owned())
    }
}

/// The result of one check of `evidence verify --json`.
pub(crate) fn outcome(stdout: &[u8], name: &str) -> String {
    let lines = String::from_utf8_lossy(stdout).into_owned();
    let mut checks = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    checks.find(|check| check["name"] == name).unwrap()["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn a_case_becomes_a_bundle_that_verifies_anywhere() {
    let house = House::new();
    let (bundle, root) = house.export();
    // On another machine: no store, no settings, nothing but the file.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(&bundle, elsewhere.path().join("b.wacz")).unwrap();
    let verify = |args: &[&str]| {
        earwitness(elsewhere.path()).args(["evidence", "verify", "b.wacz"]).args(args).output().unwrap()
    };
    let output = verify(&["--json", "--root", &root]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    for name in [
        "container",
        "entries",
        "digests",
        "merkle root",
        "signature",
        "expected root",
        "web archive",
        "replay",
        "excerpts",
    ] {
        assert_eq!(outcome(&output.stdout, name), "passed", "{name}");
    }
    assert!(!elsewhere.path().join("store").exists());
    // The site's answers said what its clock showed, which is this machine's.
    let environment =
        Command::new("unzip").arg("-p").arg(&bundle).arg("earwitness/environment.json").output();
    if let Ok(environment) = environment {
        let environment: Value = serde_json::from_slice(&environment.stdout).unwrap();
        let told = &environment["clock_offset"]["servers"];
        assert!(
            told["source"].as_str().unwrap().starts_with("estimated from 1 server's Date headers"),
            "{told}"
        );
        assert!(told["ahead_s"].as_str().unwrap().parse::<f64>().unwrap().abs() < 2.0, "{told}");
        assert_eq!(environment["clock_offset"]["time_stamp"], Value::Null);
    }
    let table = String::from_utf8(verify(&[]).stdout).unwrap();
    assert!(table.contains("to the last bit") && table.contains("no check failed"), "{table}");

    // The key of the house verifies, another does not.
    let pem = earwitness(house.path()).args(["evidence", "key", "show"]).output().unwrap().stdout;
    fs::write(elsewhere.path().join("key.pem"), &pem).unwrap();
    assert_eq!(outcome(&verify(&["--json", "--key", "key.pem"]).stdout, "signature"), "passed");
    house.run(&["evidence", "key", "rotate"]).code(0);
    let other = earwitness(house.path()).args(["evidence", "key", "show"]).output().unwrap().stdout;
    fs::write(elsewhere.path().join("other.pem"), &other).unwrap();
    let output = verify(&["--json", "--key", "other.pem"]);
    assert_eq!((output.status.code(), outcome(&output.stdout, "signature").as_str()), (Some(1), "failed"));
    house
        .run(&["evidence", "key", "show", "--all"])
        .code(0)
        .stdout(contains(String::from_utf8(pem).unwrap().trim()));

    // A newer bundle makes this one the older.
    house.run(&["evidence", "verify", bundle.to_str().unwrap(), "--known"]).code(0);
    let (newer, _) = house.export();
    assert_ne!(newer, bundle);
    house
        .run(&["evidence", "verify", bundle.to_str().unwrap(), "--known", "--no-replay"])
        .code(1)
        .stdout(contains("expected root").and(contains("FAILED")));
    house.run(&["evidence", "verify", newer.to_str().unwrap(), "--known", "--no-replay"]).code(0);

    // One bit.
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(elsewhere.path().join("b.wacz"), &bytes).unwrap();
    let output = verify(&["--json"]);
    assert_eq!((output.status.code(), outcome(&output.stdout, "container").as_str()), (Some(1), "failed"));
    house.run(&["evidence", "verify", "nothing.wacz"]).code(3);
}

#[test]
fn decisions_and_bundles_are_in_the_log() {
    let house = House::new();
    house.run(&["cases", "approve", &house.case_id, "--by", "Ann", "--note", "heard it"]).code(0);
    house.export();
    house
        .run(&["evidence", "log", "--case", &house.case_id])
        .code(0)
        .stdout(contains("by Ann: heard it").and(contains("bundle made")))
        .stderr(contains("one unbroken chain"));
    house.run(&["store", "check"]).code(0);
}

/// By the words of docs/evidence.md: unzip, sha256sum, openssl.
#[test]
fn a_bundle_is_verified_by_hand() {
    let tool = |name: &str, flag: &str| Command::new(name).arg(flag).output().is_ok();
    if !tool("openssl", "version") || !tool("unzip", "-v") || !tool("python3", "--version") {
        eprintln!("SKIPPED: openssl, unzip or python3 is missing");
        return;
    }
    let house = House::new();
    let (bundle, _) = house.export();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evidence.md")).unwrap();
    let script = text.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let pem = earwitness(house.path()).args(["evidence", "key", "show"]).output().unwrap().stdout;
    fs::write(house.path().join("key.pem"), pem).unwrap();
    fs::copy(bundle, house.path().join("bundle.wacz")).unwrap();
    let by_hand = || {
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(house.path())
            .output()
            .unwrap()
    };
    let output = by_hand();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        told.contains("Signature Verified Successfully") && told.contains("archive/data.warc: OK"),
        "{told}"
    );
    assert!(told.contains("Merkle root OK"), "{told}");
    fs::write(
        house.path().join("key.pem"),
        earwitness(house.path()).args(["evidence", "key", "rotate"]).output().unwrap().stdout,
    )
    .unwrap();
    assert!(!by_hand().status.success());
}

/// The Python with warcio that `.ci/run` has put into the build folder.
fn warcio() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/warcio/bin/python");
    if !python.is_file() {
        eprintln!("SKIPPED: warcio is not in target/tools (`.ci/run` puts it there)");
        return None;
    }
    Some(python)
}

const READ_ALL: &str = r#"
import io, json, sys, zipfile
from warcio.archiveiterator import ArchiveIterator
bundle = zipfile.ZipFile(sys.argv[1])
assert bundle.testzip() is None
for line in bundle.read('pages/pages.jsonl').splitlines(): json.loads(line)
warc = bundle.read('archive/data.warc')
seen = {}
for line in bundle.read('indexes/index.cdxj').decode().splitlines():
    place = json.loads(line.split(' ', 2)[2])
    part = warc[int(place['offset']):][:int(place['length'])]
    record = next(iter(ArchiveIterator(io.BytesIO(part))))
    assert record.rec_headers['WARC-Target-URI'] == place['url'], place
    seen[place['url']] = record.content_stream().read() if record.rec_type != 'revisit' else None
kinds, checked = [], 0
for record in ArchiveIterator(io.BytesIO(warc), check_digests='raise'):
    record.content_stream().read()
    kinds.append(record.rec_type)
    if record.digest_checker.passed: checked += 1
print(json.dumps({'kinds': kinds, 'checked': checked, 'page': seen['http://a.example/page'].decode()}))
"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_reader_that_is_not_ours_reads_every_record() {
    let Some(python) = warcio() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let now: Timestamp = "2026-03-01T10:00:00.125Z".parse().unwrap();
    let exchange = |url: &str, status: &str, headers: &str, body: &[u8]| Exchange {
        url: url.to_owned(),
        asked_at: now,
        answered_at: now,
        http: "HTTP/2".to_owned(),
        request_head: format!("GET {} HTTP/1.1\r\nhost: a.example\r\n", &url[16..]),
        response_head: format!("HTTP/1.1 {status}\r\n{headers}"),
        status: status[..3].parse().unwrap(),
        peer: Some("[2001:db8::7]:443".to_owned()),
        via_proxy: false,
        dns: None,
        tls: None,
        body_sha256: Some(store.blobs().put(body).unwrap().digest),
        body_bytes: body.len() as u64,
        truncated: None,
    };
    let media = b"not really media, but bytes".repeat(4000);
    let page = b"<audio src=a.mp3>";
    let exchanges = vec![
        exchange("http://a.example/robots.txt", "404 Not Found", "", b""),
        exchange("http://a.example/", "301 Moved Permanently", "Location: /page\r\n", b""),
        exchange(
            "http://a.example/page",
            "200 OK",
            "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            &gzip(page),
        ),
        exchange("http://a.example/a.mp3", "200 OK", "Content-Type: audio/mpeg\r\n", &media),
        exchange("http://a.example/b.mp3", "200 OK", "Content-Type: audio/mpeg\r\n", &media),
    ];
    let sighting: Sighting = serde_json::from_value(serde_json::json!({
        "media_url": "http://a.example/a.mp3", "page_url": "http://a.example/page", "page_title": "夜\u{0}\"", "hops": [],
        "captured_at": now, "sha256": Digest::of(&media), "bytes": media.len(), "content_type": null,
        "domain": "a.example", "peer": null, "robots": null,
    })).unwrap();
    let captures = [Capture { sighting, exchanges }];
    let draft = Draft::begin(&store, "C-0123456789", now, &captures, &Digest::of(&media)).unwrap();
    let sealed = draft.seal(&signing_key(&store, now).unwrap(), None, &folder.path().join("out")).unwrap();
    let output = Command::new(python).args(["-c", READ_ALL]).arg(&sealed.path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |kind: &str| told["kinds"].as_array().unwrap().iter().filter(|other| *other == kind).count();
    assert_eq!(
        (of("warcinfo"), of("response"), of("revisit"), of("request"), of("metadata")),
        (1, 4, 1, 5, 5)
    );
    // All but the revisit, whose digest is of what it refers to.
    assert_eq!(told["checked"], 15);
    assert_eq!(told["page"], std::str::from_utf8(page).unwrap());
}

/// Makes a key as `age-keygen` does: the public key, and the text of the file.
fn age_key() -> (String, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    (identity.to_public().to_string(), format!("# key\n{}\n", identity.to_string().expose_secret()))
}

#[test]
fn a_redacted_bundle_is_given_away_and_opened_by_whom_it_is_sealed_for() {
    let house = House::new();
    let path = house.path();
    // Nobody could open it: nothing is written.
    house
        .run(&["evidence", "export", "--redact", "--out", "out"])
        .code(2)
        .stderr(contains("evidence.annex_recipients").and(contains("age-keygen")));
    assert!(!path.join("out").exists());
    house.run(&["evidence", "export", "--redact", "--recipient", "age1x", "--out", "out"]).code(2);
    let (public, secret) = age_key();
    fs::write(path.join("key.txt"), secret).unwrap();
    let settings = fs::read_to_string(path.join("earwitness.toml")).unwrap_or_default();
    fs::write(path.join("wrong.toml"), "[evidence]\nannex_recipients = [\n  \"age1nonsense\",\n]\n").unwrap();
    house
        .run(&["--config", "wrong.toml", "evidence", "export", "--redact", "--out", "out"])
        .code(2)
        // The parser tells the line of the list; which of its keys is wrong, the message.
        .stderr(contains("line 2").and(contains("`age1nonsense` is no public key of age")));
    let configured = format!("{settings}\n[evidence]\nannex_recipients = [\"{public}\"]\n");
    fs::write(path.join("earwitness.toml"), configured).unwrap();
    house.run(&["evidence", "export", "--redact", "--out", "out"]).code(0).stdout(contains("-redacted.wacz"));
    let bundle = format!("out/{}-redacted.wacz", house.case_id);
    let bytes = fs::read(path.join(&bundle)).unwrap();
    for secret in ["Free ", "<audio"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    assert_eq!(fs::read_dir(path.join("out")).unwrap().count(), 1, "the whole bundle is inside alone");
    let output =
        earwitness(path).args(["evidence", "verify", &bundle, "--known", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    for name in ["annex", "web archive", "documents", "replay", "expected root"] {
        assert_eq!(outcome(&output.stdout, name), "passed", "{name}");
    }
    let open =
        |key: &str, out: &str| house.run(&["evidence", "open", &bundle, "--identity", key, "--out", out]);
    open("key.txt", "whole.wacz").code(0).stdout(contains("as told"));
    open("key.txt", "whole.wacz").code(2).stderr(contains("is there already"));
    house
        .run(&["evidence", "verify", "whole.wacz", "--known"])
        .code(0)
        .stdout(contains("nothing is withheld"));
    fs::write(path.join("other.txt"), age_key().1).unwrap();
    open("other.txt", "none.wacz")
        .code(1)
        .stderr(contains("does not open it").and(contains(public.as_str())));
    assert!(!path.join("none.wacz").exists());
    // The same by hand, where the machine has the tools.
    let Ok(inside) =
        Command::new("unzip").current_dir(path).args(["-p", &bundle, "earwitness/annex.age"]).output()
    else {
        return;
    };
    fs::write(path.join("annex.age"), inside.stdout).unwrap();
    if let Ok(opened) =
        Command::new("age").current_dir(path).args(["-d", "-i", "key.txt", "annex.age"]).output()
    {
        assert_eq!(opened.stdout, fs::read(path.join("whole.wacz")).unwrap());
    }
}
