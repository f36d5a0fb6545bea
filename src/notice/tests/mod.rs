//! Documents as a whole: every form in every format, hostile text, templates of one's own, what is missing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod hostile;
mod own_templates;

use super::form::Document as _;
use super::sample;
use super::*;

fn built_in() -> Templates {
    Templates::load(None).unwrap()
}

#[test]
fn every_form_is_written_in_every_format_and_again_with_the_same_bytes() {
    let templates = built_in();
    for &form in Form::ALL {
        for full in [true, false] {
            let notice = sample::notice(form, full);
            let once = files(&notice, &templates, form.formats()).unwrap();
            let formats: Vec<Format> = once.iter().map(|file| file.format).collect();
            for format in form.formats() {
                assert!(formats.contains(format), "{form}: {format:?}");
            }
            assert!(once.iter().all(|file| !file.bytes.is_empty()), "{form}");
            assert_eq!(once, files(&notice, &templates, form.formats()).unwrap(), "{form}");
        }
    }
}

#[test]
fn what_counsel_is_to_confirm_is_told_until_it_is() {
    let templates = built_in();
    for form in [Form::Ncac, Form::Complaint, Form::Dmca, Form::Dsa, Form::Japan] {
        let mut notice = sample::notice(form, true);
        let (heading, _) = words::draft(notice.language);
        assert!(templates.document(&notice).unwrap().plain_text().contains(heading), "{form}");
        notice.confirmed = true;
        assert!(!templates.document(&notice).unwrap().plain_text().contains(heading), "{form}");
    }
}

#[test]
fn the_statement_of_an_open_verdict_claims_less() {
    let templates = built_in();
    for &form in Form::ALL {
        let mut notice = sample::notice(form, true);
        let sure = templates.document(&notice).unwrap().plain_text();
        notice.by_verdict = false;
        assert_ne!(templates.document(&notice).unwrap().plain_text(), sure, "{form}");
    }
}

#[test]
fn the_second_ground_is_told_with_both_values_and_only_where_it_is_stated() {
    let templates = built_in();
    for form in [Form::Ncac, Form::Complaint, Form::Dmca, Form::Dsa, Form::Japan] {
        let mut notice = sample::notice(form, true);
        notice.confirmed = true;
        for (change, value) in notice.rights_information.iter_mut().zip(["QZABC1900001", "", ""]) {
            change.reference = "℗ 2017 Their line".to_owned();
            change.copy = Some(value.to_owned()).filter(|value| !value.is_empty());
        }
        let with = templates.document(&notice).unwrap().plain_text();
        assert_eq!(with.matches("℗ 2017 Their line").count(), 3, "{form}: {with}");
        assert!(with.contains("QZABC1900001"), "{form}: {with}");
        notice.rights_information.clear();
        notice.rights_information_addresses.clear();
        let without = templates.document(&notice).unwrap().plain_text();
        for word in ["权利管理电子信息", "権利管理情報", "rights-management", "1202", "Their line"]
        {
            assert!(!without.contains(word), "{form}: {word}");
        }
    }
}

#[test]
fn lumen_is_public_and_gets_no_address() {
    let notice = sample::notice(Form::Lumen, true);
    let files = files(&notice, &built_in(), &[Format::Json]).unwrap();
    let text = String::from_utf8(files[0].bytes.clone()).unwrap();
    for private in ["rights@label.example", "3 Road", "C. Person"] {
        assert!(!text.contains(private), "{private}");
    }
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json["notice"]["works_attributes"][0]["infringing_urls_attributes"][0]["url"],
        "https://pirate.example/1.mp3"
    );
}

#[test]
fn google_lists_stay_within_a_megabyte_and_lose_nothing() {
    let mut notice = sample::notice(Form::Google, true);
    let item = notice.annex[0].clone();
    let address = |n: usize| format!("https://pirate.example/{n:05}/{}.mp3", "a".repeat(1_000));
    notice.annex =
        (1..=2_500).map(|number| AnnexItem { number, media_url: address(number), ..item.clone() }).collect();
    let files = files(&notice, &built_in(), &[Format::Txt]).unwrap();
    assert_eq!(files.len(), 3);
    let mut urls = 0;
    for file in &files {
        assert!(file.bytes.len() <= 1_000_000);
        let text = std::str::from_utf8(&file.bytes).unwrap();
        assert!(text.starts_with("# Sound recording"), "a list that goes on names its work again");
        urls += text.lines().filter(|line| line.starts_with("https://pirate.example/")).count();
    }
    assert_eq!(urls, 2_500);
}

#[test]
fn acns_tells_each_server_and_recording_apart() {
    let mut notice = sample::notice(Form::Acns, true);
    notice.annex[1].ip_address = Some("2001:db8::1".to_owned());
    let files = files(&notice, &built_in(), &[Format::Xml]).unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(files.iter().map(|file| file.suffix.as_str()).collect::<Vec<_>>(), ["", ".2", ".3"]);
}
