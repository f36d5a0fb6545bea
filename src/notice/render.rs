//! Notices as pages to print.

use std::fmt::Write as _;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind, Output, UndefinedBehavior};

use super::form::NcacNotice;

/// A document could not be written: a mistake in its template.
#[derive(Debug, thiserror::Error)]
#[error("the notice cannot be rendered: {0}")]
pub struct Error(#[from] minijinja::Error);

/// Renders a notice as one HTML page: Chinese, A4, without any outside resource. Same notice, same bytes.
///
/// # Errors
/// [`Error`] when the built-in template is wrong.
pub fn render_ncac(notice: &NcacNotice) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, _, value| write_escaped(out, value));
    // The name's ending makes the engine treat what macros return as markup, and nothing else.
    environment.add_template("ncac.html", include_str!("templates/ncac.html"))?;
    Ok(environment.get_template("ncac.html")?.render(Serde(notice))?)
}

/// Escapes everything that is filled in. The engine's own escaping also turns `/` into `&#x2f;`, which is right but
/// makes addresses in a notice's source unreadable and impossible to search for.
fn write_escaped(out: &mut Output<'_>, value: &Value) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let text = value.to_string();
    if value.is_safe() {
        return Ok(out.write_str(&text)?);
    }
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&#39;")?,
            other => out.write_char(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::super::form::*;
    use super::*;
    use crate::base::Digest;

    fn notice(text: &str) -> NcacNotice {
        let text = || text.to_owned();
        let party = Party {
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
        };
        let contact = Some(text());
        NcacNotice {
            form: "ncac-2007-1",
            title: "T",
            source: "S",
            language: "zh-CN",
            provider: Provider {
                name: text(),
                address: contact.clone(),
                post_code: contact.clone(),
                domain: text(),
                email: contact.clone(),
                telephone: contact.clone(),
                fax: contact.clone(),
            },
            right_holder: party.clone(),
            agent: Some(party),
            site: Site {
                domain: text(),
                icp_number: contact.clone(),
                ip_addresses: vec![text(), text()],
                telephone: contact.clone(),
                email: contact.clone(),
                fax: contact,
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
            annex: vec![AnnexItem {
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
            }],
        }
    }

    /// The tags of a page, in order.
    fn tags(html: &str) -> Vec<&str> {
        html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
    }

    #[test]
    fn the_same_notice_is_the_same_page() {
        assert_eq!(render_ncac(&notice("x")).unwrap(), render_ncac(&notice("x")).unwrap());
    }

    proptest! {
        #[test]
        fn no_text_adds_or_removes_markup(text in "[<>\"'&/a{}%=!-]{1,20}") {
            let plain = render_ncac(&notice("x")).unwrap();
            let hostile = render_ncac(&notice(&text)).unwrap();
            prop_assert_eq!(tags(&hostile), tags(&plain));
            prop_assert_eq!(hostile.matches('"').count(), plain.matches('"').count());
        }
    }
}
