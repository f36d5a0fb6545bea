//! Rights information in files: what an owner's file says of itself, copies that say less or otherwise, and what becomes of
//! it, by the real binary against a site on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use earwitness::base::Digest;
use serde_json::Value;

use crate::support::earwitness;

const LICENCES: &str = "\
licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,exclusive,sublicensable,territories,start,end
OWN,,,Label,,all,,,Worldwide,,
";

const CLAIM: &str = r#"
[claim]
territory = "CN"
rights_information_distributed = DISTRIBUTED
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

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)).unwrap()
}

/// The music with an ID3v2.4 tag of frames before it; all lengths are below 128.
fn mp3(frames: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in frames {
        let length = u8::try_from(text.len() + 1).unwrap();
        body.extend([name.as_bytes(), &[0, 0, 0, length, 0, 0, 3], text.as_bytes()].concat());
    }
    let length = [(body.len() >> 7) as u8, (body.len() & 0x7f) as u8];
    let tag = if frames.is_empty() { Vec::new() } else { [b"ID3\x04\0\0\0\0", &length[..], &body].concat() };
    [tag, fixture("music.mp3")].concat()
}

const ISRC: (&str, &str) = ("TSRC", "JP-XX1-23-00001");
const P_LINE: (&str, &str) = ("TPRO", "2017 House");
const TITLE: (&str, &str) = ("TIT2", "夜に駆ける");
const COVER: (&str, &str) = ("APIC", "image/png\0\u{3}\0picture");

/// A store that knows one recording by a file with tags, and a site with copies of it.
struct House {
    folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
    address: SocketAddr,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let files = BTreeMap::from([
            // Written otherwise, and the same.
            ("/kept.mp3", mp3(&[("TSRC", "jpxx12300001"), TITLE, ("TCOP", "℗ 2017  HOUSE"), COVER])),
            ("/stripped.mp3", mp3(&[TITLE, COVER])),
            ("/altered.mp3", mp3(&[("TSRC", "QZABC1900001"), ("TIT2", "Yoru [FREE]"), P_LINE])),
            ("/bare.mp3", mp3(&[])),
            // A second kind of tags, which is not read, may say what the first does not.
            ("/ape.mp3", [mp3(&[TITLE]), b"APETAGEX".to_vec(), vec![0; 24]].concat()),
        ]);
        let site =
            Router::new().fallback(move |uri: Uri| {
                let found = files.get(uri.path()).cloned();
                async move {
                    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
                }
            });
        let address = runtime.block_on(crate::servers::serve(site));
        let house = Self { folder, _runtime: runtime, address };
        fs::write(house.path("one.mp3"), mp3(&[ISRC, P_LINE, TITLE, COVER])).unwrap();
        fs::write(house.path("licences.csv"), LICENCES).unwrap();
        house.settings(true);
        house.run(&["catalog", "add", "one.mp3"], 0);
        house.run(&["licence", "import", "licences.csv"], 0);
        house
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, is_distributed: bool) {
        let claim = CLAIM.replace("DISTRIBUTED", &is_distributed.to_string());
        let provider = format!("[providers.\"{}\"]\nname = \"某某网络科技有限公司\"\n", self.address);
        fs::write(self.path("earwitness.toml"), claim + &provider).unwrap();
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = earwitness(self.folder.path()).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}{said}");
        told + &said
    }

    /// Checks one of the site's files; gives the identifier of its case.
    #[track_caller]
    fn check(&self, file: &str) -> String {
        let url = format!("http://{}/{file}", self.address);
        let told = self.run(&["check", &url, "--allow-private", "--json", "--quiet"], 1);
        let checked: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        checked["findings"][0]["case_id"].as_str().unwrap().to_owned()
    }

    fn information(&self, case: &str) -> Value {
        let told = self.run(&["cases", "show", case, "--json"], 0);
        serde_json::from_str::<Value>(told.lines().next().unwrap()).unwrap()["rights_information"].take()
    }

    /// Exports the notices about cases; gives the one document as data and as a page.
    fn notice(&self, cases: &[&str], out: &str) -> (Value, String) {
        let mut arguments = vec!["notice", "export", "--form", "ncac", "--out", out];
        cases.iter().for_each(|case| arguments.extend(["--case", case]));
        self.run(&arguments, 0);
        let named = |ending: &str| {
            let mut files = fs::read_dir(self.path(out)).unwrap().map(|file| file.unwrap().path());
            fs::read_to_string(files.find(|path| path.extension().unwrap() == ending).unwrap()).unwrap()
        };
        (serde_json::from_str(&named("json")).unwrap(), named("html"))
    }
}

fn outcomes(information: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fields = information["fields"].as_array().unwrap();
    fields.iter().map(|one| (text(&one["field"]), text(&one["outcome"]))).collect()
}

fn told(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(field, outcome)| ((*field).to_owned(), (*outcome).to_owned())).collect()
}

#[test]
fn copies_are_compared_with_the_owner_s_file_and_only_sure_differences_are_stated() {
    let house = House::new();
    let fields = |outcome: [&str; 4]| {
        let names = ["cover", "isrc", "p_line", "title"];
        told(&names.into_iter().zip(outcome).collect::<Vec<_>>())
    };
    let expected = [
        ("kept.mp3", fields(["kept"; 4]), "none", false),
        ("stripped.mp3", fields(["kept", "removed", "removed", "kept"]), "strong", true),
        ("altered.mp3", fields(["removed", "altered", "kept", "altered"]), "strong", true),
        ("bare.mp3", fields(["removed"; 4]), "weak", false),
        ("ape.mp3", fields(["unknown", "unknown", "unknown", "kept"]), "none", false),
    ];
    let mut cases = BTreeMap::new();
    for (file, fields, sign, is_stated) in expected {
        let case = house.check(file);
        let information = house.information(&case);
        assert_eq!(outcomes(&information), fields, "{file}: {information:#}");
        assert_eq!(information["sign"], sign, "{file}: {information:#}");
        assert_eq!(information["is_stated"], is_stated, "{file}: {information:#}");
        cases.insert(file, case);
    }
    let altered = house.information(&cases["altered.mp3"]);
    let isrc = &altered["fields"][0];
    assert_eq!((&isrc["reference"], &isrc["copy"]), (&"JP-XX1-23-00001".into(), &"QZABC1900001".into()));
    let shown = house.run(&["cases", "show", &cases["stripped.mp3"]], 0);
    assert!(shown.contains("2017 House") && shown.contains("notices state it"), "{shown}");
    let check = house.run(&["check", &format!("http://{}/altered.mp3", house.address), "--allow-private"], 1);
    assert!(check.contains("isrc altered (the owner's file says “JP-XX1-23-00001”"), "{check}");

    // Without the owner's word on its distributed files nothing is stated.
    house.settings(false);
    for case in cases.values() {
        assert_eq!(house.information(case)["is_stated"], false);
    }
    let shown = house.run(&["cases", "show", &cases["stripped.mp3"]], 0);
    assert!(shown.contains("rights_information_distributed"), "{shown}");
}

#[test]
fn a_person_decides_what_the_signs_do_not_and_the_notice_says_no_more() {
    let house = House::new();
    let [kept, stripped, altered, bare] =
        ["kept.mp3", "stripped.mp3", "altered.mp3", "bare.mp3"].map(|file| house.check(file));
    let cases = [&kept, &stripped, &altered, &bare].map(String::as_str);
    house.run(&["cases", "approve", cases[0], cases[1]], 0);
    house.run(&["cases", "approve", cases[2], "--rights-information", "no", "--by", "Ann"], 0);
    let refused = house.run(&["cases", "approve", cases[0], "--rights-information", "yes"], 2);
    assert!(refused.contains("its file's tags show no such thing"), "{refused}");
    house.run(&["cases", "approve", cases[3], "--rights-information", "yes", "--by", "Ann"], 0);
    let shown = house.run(&["cases", "show", cases[3]], 0);
    assert!(shown.contains("information by Ann: rights information: stated"), "{shown}");

    let (notice, page) = house.notice(&cases, "out");
    let annex: BTreeMap<u64, &str> = notice["annex"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["number"].as_u64().unwrap(), item["case_id"].as_str().unwrap()))
        .collect();
    let addresses = notice["rights_information_addresses"].as_array().unwrap();
    let mut stated: Vec<&str> = addresses.iter().map(|one| annex[&one.as_u64().unwrap()]).collect();
    let mut wanted = [cases[1], cases[3]];
    stated.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(stated, wanted);
    let changes = notice["rights_information"].as_array().unwrap();
    assert_eq!(changes.len(), 4, "ISRC and ℗ line of each, no title and no cover: {changes:#?}");
    assert!(changes.iter().all(|one| one["is_removed"] == true));
    assert!(page.contains("附表三：权利管理电子信息比对") && page.contains("JP-XX1-23-00001"));

    // The same cases without the owner's word: the first ground alone.
    house.settings(false);
    let (notice, page) = house.notice(&cases, "plain");
    assert_eq!(notice["rights_information"], Value::Array(Vec::new()));
    assert!(!page.contains("权利管理电子信息"));
}

#[test]
fn a_bundle_holds_both_files_tags_and_they_are_read_anew() {
    let house = House::new();
    let case = house.check("stripped.mp3");
    house.run(&["evidence", "export", "--out", "bundles", "--case", &case], 0);
    let bundle = house.path("bundles").join(format!("{case}.wacz"));
    let told = house.run(&["evidence", "verify", bundle.to_str().unwrap()], 0);
    assert!(told.contains("its tags as recorded"), "{told}");
    // Entries are stored as they are.
    let bytes = fs::read(bundle).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let begins =
        text.find("\"format\":\"earwitness-tags/1\"").or_else(|| text.find("earwitness-tags/1")).unwrap();
    let tags = text.get(begins..).unwrap();
    assert!(tags.contains("JP-XX1-23-00001") && tags.contains("removed"));
}

#[test]
fn a_recording_that_was_added_before_tags_were_kept_gets_them_when_it_is_added_again() {
    let house = House::new();
    let show = || -> Value {
        serde_json::from_str(
            house.run(&["catalog", "show", "JPXX12300001", "--json"], 0).lines().next().unwrap(),
        )
        .unwrap()
    };
    assert_eq!(show()["audio"]["tags"]["p_line"], "2017 House");
    {
        let store = earwitness::store::Store::open(&house.path("store")).unwrap();
        let mut old: earwitness::catalog::Recording = store.get("JPXX12300001").unwrap().unwrap();
        old.audio.as_mut().unwrap().tags = None;
        store.put(&old).unwrap();
    }
    let case = house.check("stripped.mp3");
    assert_eq!(house.information(&case), Value::Null);
    house.run(&["catalog", "add", "one.mp3"], 0);
    assert_eq!(show()["audio"]["tags"]["p_line"], "2017 House");
    house.check("stripped.mp3");
    assert_eq!(house.information(&case)["sign"], "strong");
}

/// Files that another program wrote: every kind of tags that is read, with a picture.
#[test]
fn tags_and_covers_of_ffmpeg_s_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let ffmpeg = |arguments: &[&str]| {
        let made = Command::new("ffmpeg")
            .current_dir(folder.path())
            .args(["-nostdin", "-loglevel", "error"])
            .args(arguments)
            .output();
        made.is_ok_and(|output| {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            true
        })
    };
    fs::write(path("music.mp3"), fixture("music.mp3")).unwrap();
    if !ffmpeg(&["-f", "lavfi", "-i", "color=red:size=16x16", "-frames:v", "1", "cover.png"]) {
        eprintln!("SKIPPED: ffmpeg is not on the PATH (apt-get install ffmpeg)");
        return;
    }
    let cover = Digest::of(&fs::read(path("cover.png")).unwrap()).to_string();
    for (file, codec, isrc) in [
        ("one.mp3", "copy", Some("TSRC")),
        ("two.flac", "flac", Some("ISRC")),
        // ffmpeg writes no ISRC into MP4.
        ("three.m4a", "aac", None),
    ] {
        let isrc = isrc.map(|key| format!("{key}=JPXX12300001"));
        let mut arguments = vec!["-i", "music.mp3", "-i", "cover.png", "-map", "0:a", "-map", "1:v"];
        arguments.extend(["-c:a", codec, "-c:v", "copy", "-disposition:v", "attached_pic"]);
        // The kind of the picture, which MP3 and FLAC keep.
        arguments.extend(["-metadata:s:v", "comment=Cover (front)"]);
        arguments.extend(["-metadata", "copyright=℗ 2017 House", "-metadata", "title=夜に駆ける"]);
        arguments.extend(isrc.iter().flat_map(|isrc| ["-metadata", isrc]));
        arguments.push(file);
        assert!(ffmpeg(&arguments));
        let id = isrc.map_or("three", |_| "JPXX12300001");
        earwitness(folder.path()).args(["catalog", "add", file]).assert().success();
        let shown = earwitness(folder.path()).args(["catalog", "show", id, "--json"]).output().unwrap();
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        let tags = &shown["audio"]["tags"];
        assert_eq!(tags["p_line"], "℗ 2017 House", "{file}: {shown:#}");
        assert_eq!(tags["title"], "夜に駆ける", "{file}: {shown:#}");
        assert_eq!(tags["cover"]["sha256"], cover.as_str(), "{file}: {shown:#}");
        assert_eq!(tags["is_partly_read"], Value::Null, "{file}: {shown:#}");
        assert!(tags["scheme"].is_string(), "{file}: {shown:#}");
    }
}
