//! The situations that the graph is there for, one test each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::base::Timestamp;
use crate::catalog::Recording;

const HEADER: &str = "licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,right,exclusive,\
    sublicensable,territories,start,end,status,terminated_at,layer,licensee_accounts\n";

/// The founding story: a label, an exclusive licensee for mainland China, a sub-licensee.
const STORY: &str = "\
OWN,,,Avex,,all,communication_to_the_public,,,Worldwide,,,,,,
L1,OWN,Avex,NetEase,163.com,label:Avex Trax,making_available,yes,yes,CN,2017-02-01,2019-12-31,,,,
L2,L1,NetEase,Tencent,qq.com,label:Avex Trax,making_available,no,no,CN,2018-03-01,2019-06-30,,,,
";

pub(super) fn recording(id: &str, label: Option<&str>) -> Recording {
    let json = serde_json::json!({ "recording_id": id, "title": "Song", "label": label });
    serde_json::from_value(json).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn parse(rows: &str) -> Parsed {
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    parse_csv(format!("{HEADER}{rows}").as_bytes(), &zone, at("2026-01-01T00:00:00Z"))
}

fn graph(rows: &str) -> LicenceGraph {
    let parsed = parse(rows);
    assert_eq!(parsed.problems, [], "{rows}");
    LicenceGraph::new(parsed.rows.into_iter().map(|row| row.licence))
}

fn ask(graph: &LicenceGraph, operator: &str, territory: &str, instant: &str) -> Verdict {
    let recording = recording("R1", Some("AVEX  trax"));
    let question = Question {
        recording: &recording,
        operator: Some(operator),
        territory: Some(territory),
        at: at(instant),
        right: Right::MakingAvailable,
    };
    verdict(graph, &question)
}

#[track_caller]
fn expect(verdict: &Verdict, decision: Decision, reason: &str) {
    let told = verdict.reasons.join("\n");
    assert_eq!(verdict.decision, decision, "{told}");
    assert!(told.contains(reason), "no `{reason}` in:\n{told}");
}

#[test]
fn a_chain_of_valid_licences_is_licensed_and_told_from_the_owner_down() {
    let story = graph(STORY);
    let answer = ask(&story, "y.QQ.com", "CN", "2018-06-01T00:00:00Z");
    expect(&answer, Decision::Licensed, "subdomain");
    let order: Vec<bool> =
        ["OWN", "L1", "L2"].iter().zip(&answer.reasons).map(|(id, told)| told.contains(id)).collect();
    assert_eq!(order, [true; 3], "{:?}", answer.reasons);
    assert!(answer.steps.iter().all(|step| step.outcome == Outcome::Holds), "{:#?}", answer.steps);
}

#[test]
fn a_stranger_is_unlicensed_and_told_who_holds_the_right() {
    let answer = ask(&graph(STORY), "mp3.example", "CN", "2018-06-01T00:00:00Z");
    expect(&answer, Decision::Unlicensed, "no licence names mp3.example");
    expect(&answer, Decision::Unlicensed, "NetEase holds the right exclusively in CN");
}

#[test]
fn the_start_is_covered_the_day_after_a_plain_end_date_is_not() {
    let story = graph(STORY);
    // Dates without a zone are in UTC+8 here: 2017-02-01 begins at 16:00 UTC of the day before.
    expect(
        &ask(&story, "163.com", "CN", "2017-01-31T15:59:59.999Z"),
        Decision::Unlicensed,
        "not yet in force",
    );
    expect(&ask(&story, "163.com", "CN", "2017-01-31T16:00:00Z"), Decision::Licensed, "163.com");
    expect(&ask(&story, "163.com", "CN", "2019-12-31T15:59:59.999Z"), Decision::Licensed, "163.com");
    expect(
        &ask(&story, "163.com", "CN", "2019-12-31T16:00:00Z"),
        Decision::Unlicensed,
        "expired on 2019-12-31T16:00:00Z",
    );
}

#[test]
fn a_sub_licence_falls_with_its_parent() {
    let rows = STORY.replace("2019-06-30", "");
    expect(&ask(&graph(&rows), "qq.com", "CN", "2020-06-01T00:00:00Z"), Decision::Unlicensed, "licence L1");
    let told = conflicts(&graph(&rows));
    assert!(
        told.iter()
            .any(|one| one.kind == ConflictKind::WiderThanParent && one.text.contains("runs on after"))
    );
}

#[test]
fn each_failing_link_is_named() {
    let instant = "2018-06-01T00:00:00Z";
    for (from, to, reason) in [
        ("yes,yes,CN", "yes,no,CN", "may not be sub-licensed"),
        ("yes,yes,CN", "yes,yes,HK", "does not hold in CN"),
        ("2019-12-31,,,,", "2019-12-31,terminated,2018-05-01,,", "was terminated on"),
        (
            "label:Avex Trax,making_available,yes",
            "label:Avex Trax,sync,yes",
            "grants sync, not making_available",
        ),
        (
            "L1,OWN,Avex,NetEase,163.com,label:Avex Trax",
            "L1,OWN,Avex,NetEase,163.com,label:Other",
            "does not cover",
        ),
        ("2019-12-31,,,,", "2019-12-31,,,work,", "is about the work"),
    ] {
        let rows = STORY.replacen(from, to, 1);
        assert_ne!(rows, STORY, "{from}");
        expect(&ask(&graph(&rows), "qq.com", "CN", instant), Decision::Unlicensed, reason);
    }
}

#[test]
fn what_is_not_known_never_accuses() {
    let instant = "2018-06-01T00:00:00Z";
    let story = graph(STORY);
    let recording = recording("R1", Some("Avex Trax"));
    let open = Question {
        recording: &recording,
        operator: None,
        territory: None,
        at: at(instant),
        right: Right::MakingAvailable,
    };
    let answer = verdict(&story, &open);
    expect(&answer, Decision::Undetermined, "operator is not known");
    expect(&answer, Decision::Undetermined, "territory is not known");
    expect(&ask(&story, "mp3.example", "XX", instant), Decision::Undetermined, "`XX` is not a territory");

    for (from, to, operator, reason) in [
        // Nobody owns it on record.
        (STORY, "", "mp3.example", "no ownership record for recording R1"),
        // A draft, a suspension, a layer that the contract leaves open, a part of the right.
        ("2019-12-31,,,,", "2019-12-31,draft,,,", "163.com", "is a draft"),
        ("2019-12-31,,,,", "2019-12-31,suspended,,,", "163.com", "is suspended"),
        ("2019-12-31,,,,", "2019-12-31,,,unknown,", "163.com", "does not say whose right"),
        ("Trax,making_available,yes", "Trax,streaming,yes", "163.com", "a part of making_available"),
        // A parent that is not recorded, a licensor nobody knows, a licensor that is not the parent's holder.
        ("L2,L1,", "L2,L9,", "qq.com", "licence L9, which is not recorded"),
        ("L2,L1,NetEase", "L2,,Nobody", "qq.com", "no record leads from an owner to Nobody"),
        ("L2,L1,NetEase", "L2,L1,Xiami", "qq.com", "who is not its holder"),
        // The licence names a part of the site only, an account, or no site at all.
        ("163.com", "music.163.com", "163.com", "names only music.163.com"),
        ("2019-12-31,,,,", "2019-12-31,,,,video.example/7", "video.example", "account"),
        ("Tencent,qq.com", "Tencent,", "mp3.example", "names no operator"),
    ] {
        let rows = STORY.replacen(from, to, 1);
        assert_ne!(rows, STORY, "{from}");
        expect(&ask(&graph(&rows), operator, "CN", instant), Decision::Undetermined, reason);
    }
}

#[test]
fn two_exclusives_put_their_holders_in_doubt_and_nobody_else() {
    let rows = format!(
        "{STORY}L3,OWN,Avex,Xiami,xiami.com,all,making_available,yes,no,CN,2018-01-01,2018-12-31,,,,\n"
    );
    let both = graph(&rows);
    let instant = "2018-06-01T00:00:00Z";
    expect(
        &ask(&both, "163.com", "CN", instant),
        Decision::Undetermined,
        "Avex has granted the same exclusively to Xiami",
    );
    expect(&ask(&both, "xiami.com", "CN", instant), Decision::Undetermined, "exclusively to NetEase");
    expect(&ask(&both, "mp3.example", "CN", instant), Decision::Unlicensed, "mp3.example");
    expect(&ask(&both, "163.com", "CN", "2019-02-01T00:00:00Z"), Decision::Licensed, "163.com");
    assert!(conflicts(&both).iter().any(|one| one.kind == ConflictKind::TwoExclusives));
}

#[test]
fn two_owners_leave_every_answer_open() {
    let rows = format!("{STORY}OWN2,,,Rival,,recording:R1,communication_to_the_public,,,CN,,,,,,\n");
    let both = graph(&rows);
    expect(
        &ask(&both, "mp3.example", "CN", "2018-06-01T00:00:00Z"),
        Decision::Undetermined,
        "Rival claims to own",
    );
    expect(&ask(&both, "mp3.example", "JP", "2018-06-01T00:00:00Z"), Decision::Unlicensed, "mp3.example");
    assert!(conflicts(&both).iter().any(|one| one.kind == ConflictKind::TwoOwners));
    let shared = graph(
        &rows
            .replace(
                "recording:R1,communication_to_the_public,,",
                "recording:R1,communication_to_the_public,no,",
            )
            .replacen("all,communication_to_the_public,,", "all,communication_to_the_public,no,", 1),
    );
    expect(&ask(&shared, "mp3.example", "CN", "2018-06-01T00:00:00Z"), Decision::Unlicensed, "mp3.example");
}

#[test]
fn a_recording_whose_protection_may_be_over_accuses_nobody() {
    let mut old = recording("R1", Some("Avex Trax"));
    let story = graph(&STORY.replace("2019-12-31", ""));
    let question = |recording: &Recording, instant: &str| {
        let question = Question {
            recording,
            operator: Some("mp3.example"),
            territory: Some("CN"),
            at: at(instant),
            right: Right::MakingAvailable,
        };
        verdict(&story, &question)
    };
    old.first_made = Some("1968-05-01".to_owned());
    // Protected until the end of 2018 in China's time.
    expect(&question(&old, "2018-12-31T15:59:59Z"), Decision::Unlicensed, "mp3.example");
    expect(&question(&old, "2018-12-31T16:00:00Z"), Decision::Undetermined, "Art. 44");
    old.first_made = None;
    expect(&question(&old, "2030-01-01T00:00:00Z"), Decision::Unlicensed, "mp3.example");
}

#[test]
fn a_cycle_is_told_and_leaves_the_answer_open() {
    let rows =
        format!("{STORY}C1,C2,A,B,b.example,all,,,yes,CN,,,,,,\nC2,C1,B,A,a.example,all,,,yes,CN,,,,,,\n");
    let circle = graph(&rows);
    assert!(
        conflicts(&circle).iter().any(|one| one.kind == ConflictKind::Cycle && one.licence_ids.len() == 2)
    );
    expect(
        &ask(&circle, "b.example", "CN", "2018-06-01T00:00:00Z"),
        Decision::Undetermined,
        "no record leads",
    );
}

#[test]
fn gaps_and_missing_parents_are_told() {
    let rows = format!(
        "{STORY}L4,OWN,Avex,NetEase,163.com,label:Avex Trax,making_available,yes,yes,CN,2020-02-01,,,,,\n\
         L5,L77,Avex,NetEase,163.com,all,,,,JP,,,,,,\n"
    );
    let told = conflicts(&graph(&rows));
    assert!(
        told.iter().any(|one| one.kind == ConflictKind::Gap && one.licence_ids == ["L1", "L4"]),
        "{told:#?}"
    );
    assert!(told.iter().any(|one| one.kind == ConflictKind::MissingParent && one.text.contains("L77")));
    assert_eq!(conflicts(&graph(STORY)), []);
}

#[test]
fn the_graph_is_answered_as_it_was_known() {
    let mut licences: Vec<Licence> = graph(STORY).licences().cloned().collect();
    let mut ended = licences.iter().find(|licence| licence.licence_id == "L1").unwrap().clone();
    ended.version = 2;
    ended.recorded_at = at("2026-06-01T00:00:00Z");
    ended.status = Status::Terminated;
    ended.terminated_at = Some(at("2018-01-01T00:00:00Z"));
    licences.push(ended);
    let now = LicenceGraph::new(licences);
    expect(&ask(&now, "163.com", "CN", "2018-06-01T00:00:00Z"), Decision::Unlicensed, "terminated");
    let before = now.as_of(at("2026-05-01T00:00:00Z"));
    expect(&ask(&before, "163.com", "CN", "2018-06-01T00:00:00Z"), Decision::Licensed, "L1");
    assert_eq!(now.history("L1").count(), 2);
    assert!(now.as_of(at("2020-01-01T00:00:00Z")).is_empty());
}

#[test]
fn wrong_rows_are_named_with_line_and_column_and_good_ones_are_kept() {
    let rows = "\
OWN,,,Avex,,all,,,,Worldwide,,,,,,
B1,,Avex,X,x.example,all,,,,CN,2017-13-01,,,,,
B2,,Avex,X,x.example,all,,,,Narnia,,,,,,
B3,,Avex,X,x.example,all,,,,CN,2018-01-01,2017-01-01,,,,
B4,,Avex,,x.example,all,,,,CN,,,,,,
B5,,Avex,X,com.cn,isrc:NOPE,,maybe,,CN,,,gone,,,
OWN,,,Other,,all,,,,Worldwide,,,,,,
B6,,Avex,X,x.example,all,,,,CN,,,,,,,,extra
";
    let parsed = parse(rows);
    assert_eq!(parsed.rows.len(), 1);
    let told: Vec<String> = parsed.problems.iter().map(ToString::to_string).collect();
    for expected in [
        "line 3, column 11 (start): `2017-13-01` is not a date",
        "line 4, column 10 (territories): `Narnia` is not an ISO 3166-1 alpha-2 code",
        "line 5, column 12 (end): ends (",
        "line 6, column 4 (licensee): is empty",
        "line 7, column 5 (licensee_domains): `com.cn` is a public suffix",
        "line 7, column 6 (scope): `NOPE` is no ISRC",
        "line 7, column 8 (exclusive): `maybe` is neither yes nor no",
        "line 7, column 13 (status): `gone` is none of",
        "line 8, column 1 (licence_id): licence `OWN` is already on line 2",
        "line 9, column 1 (licence_id): the row has 18 cells",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "no `{expected}` in {told:#?}");
    }
}

#[test]
fn tables_are_read_in_the_encodings_of_china_and_japan() {
    let text = "licensee;licence_id;licensor;territories;licensee_domains\n网易云音乐有限公司;许可一;日本唱片公司;CN;163.com\n";
    let (gb, _, _) = encoding_rs::GB18030.encode(text);
    let japanese =
        "licensee,licence_id,licensor,territories\n株式会社エイベックスのレコード,ライセンス一,,Worldwide\n";
    let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(japanese);
    let marked = format!("\u{FEFF}{japanese}");
    let now = at("2026-01-01T00:00:00Z");
    let first = |bytes: &[u8]| {
        parse_csv(bytes, &TimeZone::UTC, now).rows.first().map(|row| row.licence.licensee.clone())
    };
    assert_eq!(first(&gb).as_deref(), Some("网易云音乐有限公司"));
    assert_eq!(first(&sjis).as_deref(), Some("株式会社エイベックスのレコード"));
    assert_eq!(first(marked.as_bytes()).as_deref(), Some("株式会社エイベックスのレコード"));
}

#[test]
fn a_table_without_its_columns_says_which() {
    let parsed = parse_csv(b"a,b\n1,2\n", &TimeZone::UTC, at("2026-01-01T00:00:00Z"));
    assert!(
        parsed
            .problems
            .iter()
            .any(|one| one.message.contains("lacks licence_id, licensor, licensee, territories"))
    );
    assert!(!parse_csv(b"", &TimeZone::UTC, at("2026-01-01T00:00:00Z")).problems.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_csv(&bytes, &TimeZone::UTC, at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn no_cells_make_the_reader_fail(cells in proptest::collection::vec("[-a-zA-Z0-9:|. ,/+\"é中]{0,14}", 0..40)) {
        let rows: Vec<String> = cells.chunks(16).map(|row| row.join(",")).collect();
        let parsed = parse(&rows.join("\n"));
        for row in &parsed.rows {
            let json = serde_json::to_string(&row.licence).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Licence>(&json).unwrap(), &row.licence);
        }
        let graph = LicenceGraph::new(parsed.rows.into_iter().map(|row| row.licence));
        let _ = conflicts(&graph);
        let _ = ask(&graph, "x.example", "CN", "2018-06-01T00:00:00Z");
    }
}
