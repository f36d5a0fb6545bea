//! Notices to try templates with: one with everything that can be in one, one with no more than must be.

use super::data::{
    AnnexItem, AnnexMatch, Attachment, InformationChange, LeftOut, Notice, Party, Provider, Signature, Site,
    Work,
};
use super::form::{Document as _, Form};
use super::words;
use crate::base::Digest;
use crate::cases::Field;

/// The date of samples.
pub(super) const DATE: &str = "2026-11-26";

/// Makes a sample; `full` has every optional field.
pub(super) fn notice(form: Form, full: bool) -> Notice {
    let perhaps = |text: &str| full.then(|| text.to_owned());
    let annex: Vec<AnnexItem> = (1..=if full { 3 } else { 1 }).map(|number| item(number, full)).collect();
    let date_long = words::date(form.lang(), jiff::civil::date(2026, 11, 26));
    Notice {
        form,
        language: form.lang(),
        number: "EW-20261126-00000000".to_owned(),
        date: DATE.to_owned(),
        date_long: date_long.clone(),
        provider: provider(full),
        authority: form.is_complaint().then(|| "国家版权局".to_owned()),
        right_holder: party("Label"),
        agent: full.then(|| party("Agent")),
        sites: (1..=if full { 2 } else { 1 }).map(|n| site(n, full)).collect(),
        request: perhaps("Remove it."),
        proof: vec!["Certificate 1".to_owned(); usize::from(full) * 2],
        signature: Signature {
            name: Some("A. Person".to_owned()),
            by_agent: full,
            date: DATE.to_owned(),
            date_long,
        },
        by_verdict: full,
        fair_use_considered: full,
        works: (1..=if full { 2 } else { 1 }).map(|number| work(number, full)).collect(),
        annex_count: annex.len().to_string(),
        annex,
        rights_information: if full { information(form) } else { Vec::new() },
        rights_information_addresses: if full { vec![1, 3] } else { Vec::new() },
        attachments: vec![
            Attachment {
                name: "C-0123456789.wacz".to_owned(),
                sha256: Digest::of(b"bundle"),
                about: String::new(),
            };
            usize::from(full)
        ],
        left_out: vec![
            LeftOut {
                case_id: "C-0123456789".to_owned(),
                url: "https://pirate.example/gone.mp3".to_owned(),
                reason: "404".to_owned(),
            };
            usize::from(full)
        ],
        confirmed: false,
    }
}

fn information(form: Form) -> Vec<InformationChange> {
    let change = |address, field, copy: Option<&str>| InformationChange {
        address,
        case_id: "C-0123456789".to_owned(),
        title: "東京の夜".to_owned(),
        field: words::information_field(form.lang(), field).to_owned(),
        is_removed: copy.is_none(),
        outcome: words::information_outcome(form.lang(), copy.is_none()).to_owned(),
        reference: "℗ 2017 Label".to_owned(),
        copy: copy.map(str::to_owned),
    };
    vec![change(1, Field::Isrc, Some("XX")), change(1, Field::PLine, None), change(3, Field::PLine, None)]
}

fn provider(full: bool) -> Provider {
    let perhaps = |text: &str| full.then(|| text.to_owned());
    Provider {
        name: Some("Provider Ltd".to_owned()),
        address: Some("1 Road".to_owned()),
        post_code: perhaps("100000"),
        domain: "pirate.example".to_owned(),
        email: Some("abuse@pirate.example".to_owned()),
        telephone: perhaps("1"),
        fax: perhaps("2"),
        operator: perhaps("Operator Ltd"),
        operator_address: perhaps("2 Road"),
    }
}

fn party(name: &str) -> Party {
    let text = |text: &str| Some(text.to_owned());
    Party {
        name: text(name),
        id_document_type: text("licence"),
        id_document_number: text("0"),
        legal_representative: text("B. Person"),
        address: text("3 Road"),
        post_code: text("100001"),
        contact_person: text("C. Person"),
        telephone: text("3"),
        mobile: text("4"),
        email: text("rights@label.example"),
        fax: text("5"),
        country: text("JP"),
    }
}

fn site(n: usize, full: bool) -> Site {
    let perhaps = |text: &str| full.then(|| text.to_owned());
    Site {
        domain: format!("pirate{n}.example"),
        icp_number: perhaps("京ICP备00000000号"),
        ip_addresses: vec!["203.0.113.7".to_owned()],
        has_own_address: true,
        telephone: perhaps("6"),
        email: perhaps("site@pirate.example"),
        fax: perhaps("7"),
    }
}

fn work(number: usize, full: bool) -> Work {
    let perhaps = |text: &str| full.then(|| text.to_owned());
    Work {
        number,
        recording_id: format!("R{number}"),
        title: "東京の夜".to_owned(),
        title_alt: vec!["东京之夜".to_owned(); usize::from(full) * 2],
        version: perhaps("live"),
        artist: perhaps("Hikari"),
        album: perhaps("Album"),
        label: perhaps("Label"),
        p_line: perhaps("℗ 2017 Label"),
        isrc: perhaps("JPAB01700001"),
        first_made: perhaps("2016"),
        release_date: Some("2017-03-01".to_owned()),
        registration_no: perhaps("1"),
        authorised_url: Some("https://label.example/r".to_owned()),
        addresses: vec![number],
    }
}

fn item(number: usize, full: bool) -> AnnexItem {
    let perhaps = |text: &str| full.then(|| text.to_owned());
    AnnexItem {
        number,
        work: if number == 1 { 1 } else { 2 },
        case_id: "C-0123456789".to_owned(),
        recording_id: "R1".to_owned(),
        title: "東京の夜".to_owned(),
        title_alt: vec!["东京之夜".to_owned(); usize::from(full)],
        artist: perhaps("Hikari"),
        isrc: perhaps("JPAB01700001"),
        media_url: format!("https://pirate.example/{number}.mp3"),
        file_name: format!("{number}.mp3"),
        page_url: perhaps("https://pirate.example/page"),
        page_title: perhaps("Page"),
        captured_at: "2026-03-01T10:00:00Z".to_owned(),
        captured: "2026-03-01 10:00:00".to_owned(),
        last_seen_at: "2026-03-02T10:00:00Z".to_owned(),
        last_seen: perhaps("2026-03-02 10:00:00"),
        times_seen: if full { 2 } else { 1 },
        sha256: Digest::of(b"media"),
        bytes: 5,
        ip_address: perhaps("203.0.113.7"),
        port: full.then_some(443),
        matches: vec![
            AnnexMatch {
                spans: "0:00.0 – 0:30.0".to_owned(),
                alteration: "none".to_owned(),
                probability: "one in a million".to_owned(),
                query_start_s: 0.0,
                query_end_s: 30.0,
                reference_start_s: 60.0,
                reference_end_s: 90.0,
                log10_false_match: -41.7,
            };
            usize::from(full) + 1
        ],
    }
}

/// A notice in which every text from a site or a catalogue is `text`.
#[cfg(any(test, fuzzing))]
pub(super) fn filled(form: Form, text: &str) -> Notice {
    let mut notice = notice(form, true);
    let text = crate::base::inert(text);
    for work in &mut notice.works {
        work.title.clone_from(&text);
        work.title_alt = vec![text.clone()];
        for field in [&mut work.artist, &mut work.album, &mut work.label, &mut work.p_line, &mut work.version]
        {
            *field = Some(text.clone());
        }
    }
    for item in &mut notice.annex {
        item.title.clone_from(&text);
        item.artist = Some(text.clone());
        item.page_title = Some(text.clone());
        item.media_url = format!("https://pirate.example/{text}");
        item.file_name.clone_from(&text);
    }
    for change in &mut notice.rights_information {
        change.title.clone_from(&text);
        change.reference.clone_from(&text);
        change.copy = Some(text.clone());
    }
    notice.provider.name = Some(text);
    notice
}
