//! Which cases go into one notice: those of one provider.

use std::collections::BTreeMap;

use super::form::{Document as _, Form};
use crate::cases::Case;
use crate::config::ProviderSettings;

/// The most addresses in one notice. A provider with more gets several: a document of thousands of rows is read by nobody
/// and takes hundreds of megabytes to lay out.
pub const ADDRESSES_MAX: usize = 1_000;

/// Groups cases by who is addressed: for complaints who runs the site, for all else the provider. Sites whose configured
/// names and addresses are the same are of one; without a name, sites under one ICP record are; without that, each
/// host is for itself. The groups are in the order of their first domain, and none has more than [`ADDRESSES_MAX`]
/// addresses unless a single case does.
///
/// `provider_of` returns what is configured for a domain.
#[must_use]
pub fn group<'a>(
    form: Form,
    cases: Vec<Case>,
    provider_of: &dyn Fn(&str) -> Option<&'a ProviderSettings>,
) -> Vec<Vec<Case>> {
    let mut by_domain: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases {
        by_domain.entry(case.domain.to_lowercase()).or_default().push(case);
    }
    let mut keys: Vec<String> = Vec::new();
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for (domain, cases) in by_domain {
        let key = key(form, &domain, provider_of(&domain));
        match keys.iter().zip(&mut groups).find(|(known, _)| **known == key) {
            Some((_, group)) => group.extend(cases),
            None => {
                keys.push(key);
                groups.push(cases);
            }
        }
    }
    groups.into_iter().flat_map(split).collect()
}

/// Returns the other sites of the provider of `domain`, by the keys of the settings: those with the same name and address, or the
/// same ICP record. What binds us towards one of them binds us towards all.
#[must_use]
pub fn also_known(domain: &str, providers: &BTreeMap<String, ProviderSettings>) -> Vec<String> {
    let own = providers.iter().find(|(name, _)| same_site(name, domain)).map(|(_, settings)| settings);
    let Some(own) = own.and_then(record_of) else { return Vec::new() };
    let same = |settings: &ProviderSettings| record_of(settings).is_some_and(|record| record == own);
    let others = providers.iter().filter(|(name, settings)| !same_site(name, domain) && same(settings));
    others.map(|(name, _)| name.clone()).collect()
}

/// Whether two names of a site are one: case and a last dot do not count.
fn same_site(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('.').eq_ignore_ascii_case(other.trim().trim_end_matches('.'))
}

/// Splits what one provider gets into notices of a bearable length.
fn split(cases: Vec<Case>) -> Vec<Vec<Case>> {
    let mut parts: Vec<Vec<Case>> = Vec::new();
    let mut addresses = 0;
    for case in cases {
        addresses += case.sightings.len();
        match parts.last_mut() {
            Some(part) if addresses <= ADDRESSES_MAX => part.push(case),
            _ => {
                addresses = case.sightings.len();
                parts.push(vec![case]);
            }
        }
    }
    parts
}

fn key(form: Form, domain: &str, settings: Option<&ProviderSettings>) -> String {
    let host = || format!("host\u{0}{domain}");
    let Some(settings) = settings else { return host() };
    if !form.is_complaint() {
        return record_of(settings).unwrap_or_else(host);
    }
    let operator = (settings.operator.as_deref(), settings.operator_address.as_deref());
    named(operator).or_else(|| record_of(settings)).unwrap_or_else(host)
}

/// Who a provider is, by its name and address, else by its ICP record; `None` where the settings do not say.
fn record_of(settings: &ProviderSettings) -> Option<String> {
    let by_name = named((settings.name.as_deref(), settings.address.as_deref()));
    by_name.or_else(|| {
        let record = icp_record(settings.icp_number.as_deref());
        (!record.is_empty()).then(|| format!("icp\u{0}{record}"))
    })
}

fn named((name, address): (Option<&str>, Option<&str>)) -> Option<String> {
    let name = plain(name);
    (!name.is_empty()).then(|| format!("name\u{0}{name}\u{0}{}", plain(address)))
}

/// A name or address for comparison: case and white space do not count.
fn plain(text: Option<&str>) -> String {
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The holder's part of an ICP number: `京ICP备12345678号-3` is the third site under `京ICP备12345678号`.
fn icp_record(number: Option<&str>) -> String {
    let number: String = plain(number).split_whitespace().collect();
    match number.rsplit_once('-') {
        Some((record, site)) if !site.is_empty() && site.bytes().all(|digit| digit.is_ascii_digit()) => {
            record.to_owned()
        }
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str, address: &str, icp: &str) -> ProviderSettings {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ProviderSettings {
            name: text(name),
            address: text(address),
            icp_number: text(icp),
            ..Default::default()
        }
    }

    fn same(a: &ProviderSettings, b: &ProviderSettings) -> bool {
        key(Form::Ncac, "a.example", Some(a)) == key(Form::Ncac, "b.example", Some(b))
    }

    #[test]
    fn one_provider_is_known_by_name_and_address_else_by_icp_record() {
        assert!(same(&provider("A Ltd", "1 Road", ""), &provider(" a  ltd", "1 road ", "X")));
        assert!(!same(&provider("A Ltd", "1 Road", ""), &provider("A Ltd", "2 Road", "")));
        assert!(same(&provider("", "", "京ICP备12345678号-1"), &provider("", "", "京ICP备12345678号-22")));
        assert!(!same(&provider("", "", "京ICP备12345678号"), &provider("", "", "京ICP备12345679号")));
        assert!(!same(&provider("", "", ""), &provider("", "", "")));
    }

    #[test]
    fn the_sites_of_one_provider_are_known() {
        let providers: BTreeMap<String, ProviderSettings> = [
            ("a.example", provider("A Ltd", "1 Road", "")),
            ("b.example", provider(" a LTD", "1 Road", "")),
            ("c.example", provider("C Ltd", "", "")),
            ("d.example", provider("", "", "")),
            ("e.example", provider("", "", "")),
        ]
        .map(|(name, settings)| (name.to_owned(), settings))
        .into();
        assert_eq!(also_known("A.example", &providers), ["b.example"]);
        for alone in ["c.example", "d.example", "z.example"] {
            assert_eq!(also_known(alone, &providers), Vec::<String>::new(), "{alone}");
        }
    }

    #[test]
    fn complaints_go_by_who_runs_the_site() {
        let host = |operator: &str| ProviderSettings {
            operator: Some(operator.to_owned()),
            ..provider("Big Cloud", "", "")
        };
        let keys = |form| [host("A"), host("B")].map(|settings| key(form, "x.example", Some(&settings)));
        let [a, b] = keys(Form::Complaint);
        assert_ne!(a, b);
        let [a, b] = keys(Form::Ncac);
        assert_eq!(a, b);
    }
}
