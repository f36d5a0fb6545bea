//! Documents of every form from fixed cases: their text pinned by golden files, and what programs that are not ours make of
//! them. `EARWITNESS_REGENERATE=1 cargo test --test it notices` writes the golden files anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use earwitness::base::{ChannelView, Digest, MediaTags, RecordingId, Timestamp};
use earwitness::cases::{Case, CaseSighting, Comparison, CopyHeard, HistoryEntry, Match, State, compare};
use earwitness::catalog::Recording;
use earwitness::config::{NoticeSettings, ProviderSettings, Settings};
use earwitness::notice::{
    AcnsRetraction, Attachment, CaseItem, Form, Format, LeftOut, Notice, NoticeFile, NoticeInput, PageDetail,
    Templates, acns_retraction, compose, files,
};
use earwitness::rights::{Decision, Verdict};

use crate::support::assert_committed;

const SETTINGS: &str = r#"
[claim]
signature = "李静"
proof = ["著作权登记证书 国作登字-2017-I-00012345", "录音制品专有许可合同（2017年1月1日）"]
authorised_url = "https://label.example/r/{recording_id}"
fair_use_considered = true
rights_information_distributed = true
[claim.right_holder]
name = "日本唱片株式会社"
id_document_type = "登记事项证明书"
id_document_number = "0100-01-000001"
legal_representative = "山田太郎"
address = "日本国东京都港区三丁目1番"
post_code = "106-0032"
contact_person = "王小明"
telephone = "+81-3-0000-0000"
email = "rights@label.example"
country = "JP"
[claim.agent]
name = "北京某某知识产权代理有限公司"
id_document_type = "营业执照"
id_document_number = "91110000MA00000000"
legal_representative = "赵强"
address = "北京市朝阳区某路 1 号"
post_code = "100020"
contact_person = "李静"
telephone = "+86-10-0000-0000"
mobile = "+86-138-0000-0000"
email = "notice@agent.example"
country = "CN"
[claim.en]
signature = "Jing Li"
proof = ["Certificate of registration 2017-I-00012345"]
[claim.en.right_holder]
name = "Nihon Records Inc."
legal_representative = "Taro Yamada"
address = "3-1 Minato, Tokyo 106-0032, Japan"
contact_person = "Xiaoming Wang"
[claim.en.agent]
name = "Some IP Agency Co., Ltd."
address = "1 Some Road, Chaoyang, Beijing, China"
contact_person = "Jing Li"
[claim.ja]
signature = "弁護士　佐藤花子"
proof = ["著作権登録証 2017-I-00012345"]
[claim.ja.right_holder]
name = "日本レコード株式会社"
address = "東京都港区三丁目1番"
contact_person = "王小明"
[claim.ja.agent]
name = "佐藤法律事務所　弁護士　佐藤花子"
address = "東京都千代田区一丁目1番1号"
contact_person = "佐藤花子"
telephone = "03-0000-0001"
email = "sato@law.example"
[providers."pirate.example"]
name = "某某网络科技有限公司"
address = "浙江省杭州市某区某路 2 号"
email = "abuse@host.example"
icp_number = "京ICP备00000000号-1"
operator = "某某音乐网工作室"
operator_address = "四川省成都市某路 3 号"
[providers."mirror.example"]
name = "某某网络科技有限公司"
address = "浙江省杭州市某区某路 2 号"
email = "abuse@host.example"
icp_number = "京ICP备00000000号-2"
ip_address = "203.0.113.9"
operator = "某某音乐网工作室"
operator_address = "四川省成都市某路 3 号"
"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Recordings whose metadata is in the scripts that notices meet.
fn recordings() -> Vec<Recording> {
    let json = serde_json::json!([
        {"recording_id": "R1", "title": "夜明けの駅", "title_alt": ["黎明车站", "黎明車站", "Station at Dawn"], "artist": "三日月楽団",
         "isrc": "JPAB01700001", "p_line": "℗ 2017 Nihon Records", "label": "Nihon Records", "first_made": "2017-02-14",
         "release_date": "2017-03-01", "album": "駅 ～ Stations ～", "registration_no": "国作登字-2017-I-00012345"},
        {"recording_id": "R2", "title": "Là-bas où l’été dort (Ångström Łódź mix) – 여름밤 🎵", "artist": "Zoë & Señor Ñandú",
         "first_made": "2019", "release_date": "2019-05-05", "p_line": "℗ 2019 Nihon Records"},
    ]);
    serde_json::from_value(json).unwrap()
}

fn sighting(url: &str, title: &str, captured_at: &str) -> CaseSighting {
    CaseSighting {
        media_url: url.to_owned(),
        page_url: Some("https://pirate.example/page?id=1&from=hot".to_owned()),
        page_title: Some(title.to_owned()),
        captured_at: at(captured_at),
        last_seen: at("2026-11-25T06:30:00Z"),
        times_seen: 3,
        sha256: Digest::of(b"the bytes"),
        bytes: 4_321_000,
        content_type: Some("audio/mpeg".to_owned()),
        peer: Some("203.0.113.7:443".to_owned()),
    }
}

fn cases_match() -> Match {
    Match {
        recording_id: RecordingId::new("R1").unwrap(),
        query_start_s: 0.0,
        query_end_s: 180.0,
        reference_start_s: 12.5,
        reference_end_s: 237.5,
        speed: 1.25,
        tempo: 1.0,
        pitch_semitones: -1.0,
        channel: ChannelView::Mid,
        matched_peaks: 1_143,
        log10_false_match: -41.7,
    }
}

fn case(recording_id: &str, domain: &str, decision: Decision, sightings: Vec<CaseSighting>) -> Case {
    let recording_id = RecordingId::new(recording_id).unwrap();
    let found = Match { recording_id: recording_id.clone(), ..cases_match() };
    Case {
        case_id: Case::id_of(&recording_id, domain, Digest::of(b"the bytes")),
        verdict: Verdict {
            decision,
            recording_id: recording_id.clone(),
            operator: Some(domain.to_owned()),
            territory: Some("CN".to_owned()),
            at: at("2026-11-20T10:00:00Z"),
            reasons: vec!["because".to_owned()],
            steps: Vec::new(),
        },
        recording_id,
        domain: domain.to_owned(),
        territory: Some("CN".to_owned()),
        sha256: Digest::of(b"the bytes"),
        state: State::Approved,
        sightings,
        sightings_unlisted: 0,
        matches: vec![found],
        created_at: at("2026-11-20T10:00:00Z"),
        reupload_of: None,
        gone_at: None,
        states_information: None,
        history: Vec::<HistoryEntry>::new(),
    }
}

/// The tags of the first case's file: one altered, one removed, one as they should be, and a longer title.
fn information() -> Comparison {
    let own = serde_json::json!({
        "scheme": "id3", "isrc": "JP-AB0-17-00001", "p_line": "℗ 2017 Nihon Records", "label": "日本レコード", "title": "夜明けの駅",
    });
    let copied = serde_json::json!({
        "scheme": "id3", "isrc": "QZABC1900001", "label": "日本レコード", "title": "夜明けの駅 \u{202E}3pm",
    });
    let [own, copied]: [MediaTags; 2] = [own, copied].map(|json| serde_json::from_value(json).unwrap());
    let whole = Match { speed: 1.0, pitch_semitones: 0.0, ..cases_match() };
    let copy = CopyHeard {
        tags: &copied,
        duration_s: 180.0,
        matches: &[whole],
        has_others: false,
        names_another: false,
    };
    compare(&own, &copy)
}

fn cases() -> Vec<Case> {
    let long = format!(
        "https://cdn.pirate.example/{}/%E6%9B%B2.mp3?token={}",
        "a1b2c3d4".repeat(12),
        "x".repeat(120)
    );
    vec![
        case(
            "R1",
            "pirate.example",
            Decision::Unlicensed,
            vec![
                sighting(
                    "https://pirate.example/music/夜明け 1.mp3",
                    "夜明けの駅 🎧 免费下载 | 海盗音乐网",
                    "2026-11-20T18:30:00Z",
                ),
                sighting(&long, "<b>free</b> mp3 \u{202E}3pm", "2026-11-21T00:00:00Z"),
            ],
        ),
        case(
            "R2",
            "mirror.example",
            Decision::Unlicensed,
            vec![sighting(
                "https://mirror.example/d/2.flac",
                "Là-bas (여름밤) — download",
                "2026-11-22T09:15:30Z",
            )],
        ),
    ]
}

fn settings() -> Settings {
    Settings::parse(SETTINGS, Path::new("earwitness.toml")).unwrap()
}

pub(crate) fn notice(form: Form) -> Notice {
    let (settings, cases, recordings) = (settings(), cases(), recordings());
    let information = [Some(information()), None];
    let items: Vec<CaseItem<'_>> = cases
        .iter()
        .zip(&recordings)
        .zip(&information)
        .map(|((case, recording), information)| CaseItem {
            case,
            recording,
            urls: None,
            information: information.as_ref(),
        })
        .collect();
    let attachments = [Attachment {
        name: "C-0000000001.wacz".to_owned(),
        sha256: Digest::of(b"bundle"),
        about: String::new(),
    }];
    let left_out = [LeftOut {
        case_id: "C-0000000001".to_owned(),
        url: "https://pirate.example/gone.mp3".to_owned(),
        reason: "404".to_owned(),
    }];
    compose(&NoticeInput {
        form,
        items: &items,
        claim: &settings.claim,
        provider_of: &|domain: &str| -> Option<&ProviderSettings> { settings.providers.get(domain) },
        settings: &NoticeSettings::default(),
        date: jiff::civil::date(2026, 11, 26),
        attachments: &attachments,
        left_out: &left_out,
        pages: PageDetail::TitleAndAddress,
    })
    .unwrap()
}

fn written(form: Form, formats: &[Format]) -> Vec<NoticeFile> {
    files(&notice(form), &Templates::load(None).unwrap(), formats).unwrap()
}

/// A program of the machine, or `None` with a loud word.
fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: {name} is not on the PATH (apt-get install {package})");
    }
    found
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_text_of_every_document_is_pinned() {
    for &form in Form::ALL {
        let text = [Format::Html, Format::Json, Format::Csv, Format::Xml, Format::Txt];
        for file in written(form, &text) {
            let path = format!("tests/fixtures/notices/{form}{}.{}", file.suffix, file.format.as_str());
            assert_committed(&path, &file.bytes);
        }
    }
}

#[test]
fn acns_messages_are_valid_by_the_schema() {
    let Some(xmllint) = program("xmllint", "libxml2-utils") else { return };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/schemas/acns-2.0-infringement.xsd");
    let dir = tempfile::tempdir().unwrap();
    let messages = written(Form::Acns, &[Format::Xml]);
    assert_eq!(messages.len(), 2);
    for message in messages {
        let path = dir.path().join("message.xml");
        std::fs::write(&path, &message.bytes).unwrap();
        run(Command::new(&xmllint).arg("--noout").arg("--nonet").arg("--schema").arg(&schema).arg(&path));
        // The schema does not wave everything through.
        let text = String::from_utf8(message.bytes).unwrap();
        std::fs::write(&path, text.replace("<IP_Address>203", "<IP_Address>x203")).unwrap();
        let refused =
            Command::new(&xmllint).arg("--noout").arg("--schema").arg(&schema).arg(&path).output().unwrap();
        assert!(!refused.status.success());
    }
}

#[test]
fn acns_messages_take_back_what_they_said() {
    let retraction = AcnsRetraction {
        notice_id: "EW-20260301-1A2B3C4D",
        sent_at: "2026-03-02T10:00:00Z".parse().unwrap(),
        reason: "licensed \"since\" 2025",
        letter: "We withdraw the notice.",
    };
    let messages = acns_retraction(&notice(Form::Acns), &retraction);
    assert_eq!(messages.len(), 2);
    for message in &messages {
        for wanted in [
            "<Status>CLOSED</Status>",
            "<Notice ID=\"EW-20260301-1A2B3C4D\" TimeStamp=\"2026-03-02T10:00:00Z\"/>",
            "<Type Retraction=\"true\" Comments=\"licensed &quot;since&quot; 2025\">INFRINGEMENT</Type>",
            "<TextNotice>We withdraw the notice.</TextNotice>",
        ] {
            assert!(message.contains(wanted), "{wanted} in {message}");
        }
    }
    assert!(messages[0].contains("<ID>EW-20260301-1A2B3C4D-R1</ID>"));
    let Some(xmllint) = program("xmllint", "libxml2-utils") else { return };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/schemas/acns-2.0-infringement.xsd");
    let dir = tempfile::tempdir().unwrap();
    for message in messages {
        let path = dir.path().join("message.xml");
        std::fs::write(&path, message).unwrap();
        run(Command::new(&xmllint).arg("--noout").arg("--nonet").arg("--schema").arg(&schema).arg(&path));
    }
}

#[test]
fn pdf_pages_hold_their_text_inside_the_margins_and_all_their_fonts() {
    let (Some(pdftotext), Some(pdffonts)) =
        (program("pdftotext", "poppler-utils"), program("pdffonts", "poppler-utils"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let expected: [(Form, &[&str]); 5] = [
        (
            Form::Ncac,
            &["授权委托书", "夜明けの駅", "黎明车站", "黎明車站", "여름밤", "[U+1F3B5]", "2026年11月26日"],
        ),
        (Form::Complaint, &["国家版权局", "某某音乐网工作室", "夜明けの駅"]),
        (Form::Dmca, &["/s/ Jing Li", "November 26, 2026", "Ångström Łódź", "perjury"]),
        (Form::Dsa, &["26 November 2026", "bona fide"]),
        (Form::Japan, &["御中", "2026年11月26日", "レコード製作者の送信可能化権", "여름밤"]),
    ];
    for (form, texts) in expected {
        let path = dir.path().join("notice.pdf");
        std::fs::write(&path, &written(form, &[Format::Pdf])[0].bytes).unwrap();
        let text = run(Command::new(&pdftotext).arg("-raw").arg(&path).arg("-"));
        // Between Chinese and Latin letters stands a little room, which the reader takes for a blank.
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        for expected in texts {
            assert!(letters(&text).contains(&letters(expected)), "{form}: no `{expected}` in\n{text}");
        }
        assert!(!text.contains('\u{202E}') && text.contains("U+202E"), "{form}");
        let fonts = run(Command::new(&pdffonts).arg(&path));
        for font in fonts.lines().skip(2) {
            let columns: Vec<&str> = font.split_whitespace().rev().collect();
            // … emb sub uni object ID, from the right
            assert_eq!(columns[4], "yes", "{form}: not embedded: {font}");
        }
        assert_inside(form, &run(Command::new(&pdftotext).arg("-bbox").arg(&path).arg("-")));
    }
}

/// Every word is on its page, not nearer to the edge than the footer is.
fn assert_inside(form: Form, boxes: &str) {
    let number = |line: &str, key: &str| -> f64 {
        line.split(&format!("{key}=\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap()
            .parse()
            .unwrap()
    };
    let (mut width, mut height, mut words) = (0.0, 0.0, 0);
    for line in boxes.lines().map(str::trim) {
        if line.starts_with("<page ") {
            (width, height) = (number(line, "width"), number(line, "height"));
        } else if line.starts_with("<word ") {
            words += 1;
            let (left, right) = (number(line, "xMin"), number(line, "xMax"));
            let (top, bottom) = (number(line, "yMin"), number(line, "yMax"));
            assert!(
                left > 28.0 && right < width - 28.0 && top > 28.0 && bottom < height - 10.0,
                "{form}: {line}"
            );
        }
    }
    assert!(words > 100, "{form}: {words} words");
}
