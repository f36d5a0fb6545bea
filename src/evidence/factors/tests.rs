#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::ArtefactKind::{self, *};
use super::*;

const KINDS: [ArtefactKind; 19] = [
    Requests,
    Connections,
    Media,
    Screenshot,
    Match,
    ReferenceFingerprint,
    Replay,
    Licences,
    Recording,
    Case,
    Environment,
    SelfTest,
    Configuration,
    Log,
    Manifest,
    Signature,
    Timestamp,
    Pictures,
    Excerpts,
];

fn all() -> Vec<Artefact> {
    KINDS.iter().map(|&kind| Artefact { kind, path: Some(format!("earwitness/{kind:?}.json")) }).collect()
}

fn states(report: &FactorsReport) -> Vec<Vec<State>> {
    let of = |section: &Section| section.factors.iter().map(|factor| factor.state).collect();
    report.sections.iter().map(of).collect()
}

#[test]
fn every_factor_of_the_law_is_there() {
    let report = factors(&all());
    let counts: Vec<usize> = report.sections.iter().map(|section| section.factors.len()).collect();
    // Art. 11 para. 1 nos. 1 to 6 and para. 2; Art. 93 nos. 1 to 7; Art. 94 nos. 1 to 5 and para. 2.
    assert_eq!(counts, [6, 1, 7, 6]);
    let numbers = ["（一）", "（二）", "（三）", "（四）", "（五）", "（六）", "（七）"];
    for section in [&report.sections[0], &report.sections[2]] {
        for (factor, number) in section.factors.iter().zip(numbers) {
            assert!(factor.place.zh.contains(number), "{}", factor.place.zh);
        }
    }
    for factor in report.sections.iter().flat_map(|section| &section.factors) {
        assert!(!factor.text.zh.is_empty() && factor.text.en.is_ascii(), "{}", factor.text.en);
        assert!(
            !factor.answers.is_empty() || factor.remark.is_some(),
            "{}: neither answer nor word",
            factor.place.en
        );
    }
}

#[test]
fn what_is_missing_is_told() {
    let full = states(&factors(&all()));
    assert!(full.iter().flatten().all(|state| matches!(state, State::Present | State::Outside)), "{full:?}");
    let none = states(&factors(&[]));
    assert!(none.iter().flatten().all(|state| matches!(state, State::Missing | State::Outside)), "{none:?}");
    let mut without_stamp = all();
    for artefact in &mut without_stamp {
        if artefact.kind == Timestamp {
            artefact.path = None;
        }
    }
    let report = factors(&without_stamp);
    assert_eq!(report.sections[1].factors[0].state, State::Partly);
    let stamp =
        report.sections[1].factors[0].answers.iter().find(|answer| answer.artefact == Timestamp).unwrap();
    assert!(stamp.paths.is_empty());
}

#[test]
fn only_what_the_law_names_is_not_marked_as_inferred() {
    let report = factors(&all());
    for (number, section) in report.sections.iter().enumerate() {
        for answer in section.factors.iter().flat_map(|factor| &factor.answers) {
            assert_eq!(answer.basis == Basis::Named, number == 1, "{answer:?}");
        }
    }
    let text = report.sections[1].factors[0].text.zh;
    for word in ["电子签名", "可信时间戳", "哈希值校验"] {
        assert!(text.contains(word), "the law names {word}");
    }
}

#[test]
fn the_page_says_draft_in_both_languages_and_names_the_parts() {
    let page = render_factors(&factors(&all()), "case 12").unwrap();
    assert_eq!(page, render_factors(&factors(&all()), "case 12").unwrap());
    for expected in [
        "草稿，待律师确认",
        "Draft, to be confirmed by counsel",
        "推断 inferred",
        "法条所列 named by the law",
        "Timestamp.json",
    ] {
        assert!(page.contains(expected), "no {expected}");
    }
    assert!(!page.contains("缺少 <span"));
    assert!(render_factors(&factors(&[]), "").unwrap().contains("缺少 <span"));
}

#[test]
fn the_data_has_words_for_machines() {
    let json = serde_json::to_value(factors(&all())).unwrap();
    let factor = &json["sections"][1]["factors"][0];
    assert_eq!(
        (factor["state"].as_str(), factor["answers"][1]["artefact"].as_str()),
        (Some("present"), Some("timestamp"))
    );
    assert_eq!(factor["answers"][1]["basis"].as_str(), Some("named"));
}

/// The tags of a page, in order.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
}

proptest! {
    #[test]
    fn no_text_adds_or_removes_markup(text in "[<>\"'&/a{}%=!\u{202e}\n-]{1,20}") {
        let on = |text: &str| {
            let mut artefacts = all();
            artefacts[0].path = Some(text.to_owned());
            render_factors(&factors(&artefacts), text).unwrap()
        };
        let hostile = on(&text);
        let plain = on("x");
        prop_assert_eq!(tags(&hostile), tags(&plain));
        prop_assert!(!hostile.contains('\u{202e}'), "a direction is left");
    }
}
