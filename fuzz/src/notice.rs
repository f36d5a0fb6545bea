//! A notice with the same text in every place that outside text can come to.

use earwitness::base::Digest;
use earwitness::notice::{AnnexItem, AnnexMatch, Claim, NcacNotice, Party, Provider, Signature, Site};

/// Makes the notice.
#[must_use]
pub fn of(text: &str) -> NcacNotice {
    let text = || text.to_owned();
    let some = || Some(text());
    NcacNotice {
        form: "ncac-2007-1",
        title: "T",
        source: "S",
        language: "zh-CN",
        provider: Provider {
            name: text(),
            address: some(),
            post_code: some(),
            domain: text(),
            email: some(),
            telephone: some(),
            fax: some(),
        },
        right_holder: party(&text()),
        agent: Some(party(&text())),
        site: Site {
            domain: text(),
            icp_number: some(),
            ip_addresses: vec![text(), text()],
            telephone: some(),
            email: some(),
            fax: some(),
        },
        claim: Claim {
            infringing_content: vec![text()],
            addresses: vec![text()],
            facts: vec![text()],
            request: text(),
        },
        guarantee: "G",
        signature: Signature { name: text(), role: "R", date: text(), date_chinese: text() },
        enclosures: vec![text()],
        annex: vec![annex_item(&text())],
    }
}

fn party(text: &str) -> Party {
    let text = || text.to_owned();
    Party {
        name: text(),
        id_document_type: text(),
        id_document_number: text(),
        legal_representative: text(),
        address: text(),
        post_code: text(),
        contact_person: text(),
        telephone: text(),
        mobile: Some(text()),
        email: text(),
        fax: Some(text()),
    }
}

fn annex_item(text: &str) -> AnnexItem {
    let text = || text.to_owned();
    AnnexItem {
        number: 1,
        case_id: text(),
        recording_id: text(),
        title: text(),
        title_alt: vec![text()],
        artist: Some(text()),
        isrc: Some(text()),
        media_url: text(),
        page_url: Some(text()),
        page_title: Some(text()),
        captured_at: text(),
        captured: text(),
        last_seen: Some(text()),
        sha256: Digest::of(b""),
        ip_address: Some(text()),
        matches: vec![AnnexMatch {
            spans: text(),
            alteration: text(),
            probability: text(),
            log10_false_match: -7.0,
        }],
    }
}
