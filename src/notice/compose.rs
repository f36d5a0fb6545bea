//! From cases to the data of a notice.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::complete::{self, Incomplete};
use super::data::{
    AnnexItem, AnnexMatch, Attachment, InformationChange, LeftOut, Notice, Party, Provider, Signature, Site,
    Work,
};
use super::form::{Document as _, Form};
use super::words::{self, Lang};
use crate::base::Digest;
use crate::base::{inert, without_credentials, without_user};
use crate::cases::{Case, CaseSighting, Comparison, Field, FieldCompared, FieldOutcome};
use crate::catalog::Recording;
use crate::config::{ClaimSettings, LocalClaimSettings, NoticeSettings, PartySettings, ProviderSettings};

/// The authority that complaints go to where none is configured.
const AUTHORITY: &str = "国家版权局";

/// How much a notice says of the pages on which files were seen. They tell more of who put a file there than of where it is, so
/// no more is said than is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PageDetail {
    /// Their titles and addresses.
    TitleAndAddress,
    /// Their addresses, by which a provider finds the file that a page shows.
    #[default]
    Address,
    /// Nothing: the address of the file alone says where it is.
    Nothing,
}

/// A case with the recording it is about.
#[derive(Debug, Clone, Copy)]
pub struct CaseItem<'a> {
    /// The case.
    pub case: &'a Case,
    /// Its recording.
    pub recording: &'a Recording,
    /// Which of its addresses the notice names; `None` for all.
    pub urls: Option<&'a [String]>,
    /// The tags of its file beside the recording's, where they are known.
    pub information: Option<&'a Comparison>,
}

/// What a notice is made of.
#[derive(Clone, Copy)]
pub struct NoticeInput<'a> {
    /// Which kind of document.
    pub form: Form,
    /// The cases, in the order in which they are listed; all of one provider, see [`group`](super::group()).
    pub items: &'a [CaseItem<'a>],
    /// The sender.
    pub claim: &'a ClaimSettings,
    /// What is configured for a domain.
    pub provider_of: &'a dyn Fn(&str) -> Option<&'a ProviderSettings>,
    /// How notices are written.
    pub settings: &'a NoticeSettings,
    /// The notice's date.
    pub date: Date,
    /// Files that go with it.
    pub attachments: &'a [Attachment],
    /// Addresses of these cases that are left out.
    pub left_out: &'a [LeftOut],
    /// What is said of the pages.
    pub pages: PageDetail,
}

/// Composes the notice to one provider.
///
/// # Errors
/// [`Incomplete`] names every mandatory field that neither configuration, catalogue nor cases give, and every case
/// that the form cannot take.
pub fn compose(input: &NoticeInput<'_>) -> Result<Notice, Incomplete> {
    let lang = input.form.lang();
    let local = Local::of(input.claim, lang);
    let right_holder = local.party(input.claim.right_holder.as_ref(), |local| &local.right_holder);
    let agent = input.claim.agent.as_ref().map(|agent| local.party(Some(agent), |local| &local.agent));
    let annex = annex(input, lang);
    let request = local.text(|local| &local.request).or_else(|| {
        // The words outside `en` and `ja` are Chinese.
        input.claim.request.as_ref().filter(|_| lang == Lang::Chinese).and_then(|text| optional(Some(text)))
    });
    let rights_information = information(input, lang);
    let mut rights_information_addresses: Vec<usize> =
        rights_information.iter().map(|one| one.address).collect();
    rights_information_addresses.dedup();
    let notice = Notice {
        form: input.form,
        language: lang,
        number: number(input, &annex),
        date: input.date.to_string(),
        date_long: words::date(lang, input.date),
        provider: provider(input),
        authority: input.form.is_complaint().then(|| authority(input.settings)),
        signature: signature(input, &local, &right_holder, agent.as_ref()),
        right_holder,
        agent,
        sites: sites(input),
        request,
        proof: local.proof(input.claim),
        by_verdict: input.items.iter().all(|item| item.case.is_unlicensed_by_verdict()),
        fair_use_considered: input.claim.fair_use_considered,
        works: works(input, &annex),
        annex_count: words::count(lang, annex.len()),
        annex,
        rights_information,
        rights_information_addresses,
        attachments: input.attachments.iter().map(harmless_attachment).collect(),
        left_out: input.left_out.iter().map(|one| harmless_left_out(one, input.pages)).collect(),
        confirmed: input.settings.confirmed.iter().any(|form| form == input.form.as_str()),
    };
    complete::check(&notice)?;
    Ok(notice)
}

/// Returns the authority that complaints go to.
#[must_use]
pub fn authority(settings: &NoticeSettings) -> String {
    optional(settings.authority.as_ref()).unwrap_or_else(|| AUTHORITY.to_owned())
}

/// An address as a notice names it: whole but for user and password, since a parameter such as `token` or `pwd` may be what
/// finds the file, at a net disk say; without such parameters where that was asked for.
fn location(address: &str, pages: PageDetail) -> String {
    match pages {
        PageDetail::Nothing => inert(&without_credentials(address)),
        PageDetail::Address | PageDetail::TitleAndAddress => inert(&without_user(address)),
    }
}

/// Returns text without outer white space and without what could steer; `None` where nothing is left.
fn optional(text: Option<&String>) -> Option<String> {
    text.map(|text| inert(text.trim())).filter(|text| !text.is_empty())
}

fn harmless_attachment(one: &Attachment) -> Attachment {
    Attachment { name: inert(&one.name), sha256: one.sha256, about: inert(&one.about) }
}

fn harmless_left_out(one: &LeftOut, pages: PageDetail) -> LeftOut {
    LeftOut {
        case_id: inert(&one.case_id),
        url: location(&one.url, pages),
        reason: location(&one.reason, pages),
    }
}

/// What one language says instead.
struct Local<'a>(Option<&'a LocalClaimSettings>);

impl<'a> Local<'a> {
    fn of(claim: &'a ClaimSettings, lang: Lang) -> Self {
        Self(match lang {
            Lang::Chinese => None,
            Lang::Japanese => Some(&claim.ja),
            Lang::AmericanEnglish | Lang::English => Some(&claim.en),
        })
    }

    fn text(&self, field: fn(&LocalClaimSettings) -> &Option<String>) -> Option<String> {
        self.0.and_then(|local| optional(field(local).as_ref()))
    }

    fn proof(&self, claim: &ClaimSettings) -> Vec<String> {
        let own = self.0.map(|local| &local.proof).filter(|proof| !proof.is_empty());
        own.unwrap_or(&claim.proof).iter().filter_map(|line| optional(Some(line))).collect()
    }

    fn party(
        &self,
        general: Option<&PartySettings>,
        own: fn(&LocalClaimSettings) -> &PartySettings,
    ) -> Party {
        let none = PartySettings::default();
        let (general, own) = (general.unwrap_or(&none), self.0.map_or(&none, own));
        let text = |field: fn(&PartySettings) -> &Option<String>| {
            optional(field(own).as_ref()).or_else(|| optional(field(general).as_ref()))
        };
        Party {
            name: text(|party| &party.name),
            id_document_type: text(|party| &party.id_document_type),
            id_document_number: text(|party| &party.id_document_number),
            legal_representative: text(|party| &party.legal_representative),
            address: text(|party| &party.address),
            post_code: text(|party| &party.post_code),
            contact_person: text(|party| &party.contact_person),
            telephone: text(|party| &party.telephone),
            mobile: text(|party| &party.mobile),
            email: text(|party| &party.email),
            fax: text(|party| &party.fax),
            country: text(|party| &party.country),
        }
    }
}

/// The domains of the cases, each once, in order.
fn domains<'a>(input: &NoticeInput<'a>) -> Vec<&'a str> {
    let mut domains: Vec<&str> = Vec::new();
    for item in input.items {
        if !domains.iter().any(|known| known.eq_ignore_ascii_case(&item.case.domain)) {
            domains.push(&item.case.domain);
        }
    }
    domains
}

fn provider(input: &NoticeInput<'_>) -> Provider {
    let none = ProviderSettings::default();
    let domain = domains(input).first().copied().unwrap_or_default();
    let settings = (input.provider_of)(domain).unwrap_or(&none);
    Provider {
        name: optional(settings.name.as_ref()),
        address: optional(settings.address.as_ref()),
        post_code: optional(settings.post_code.as_ref()),
        domain: optional(settings.domain.as_ref()).unwrap_or_else(|| inert(domain)),
        email: optional(settings.email.as_ref()),
        telephone: optional(settings.telephone.as_ref()),
        fax: optional(settings.fax.as_ref()),
        operator: optional(settings.operator.as_ref()),
        operator_address: optional(settings.operator_address.as_ref()),
    }
}

fn sites(input: &NoticeInput<'_>) -> Vec<Site> {
    let none = ProviderSettings::default();
    domains(input)
        .into_iter()
        .map(|domain| {
            let settings = (input.provider_of)(domain).unwrap_or(&none);
            Site {
                domain: inert(domain),
                icp_number: optional(settings.icp_number.as_ref()),
                has_own_address: optional(settings.ip_address.as_ref()).is_some(),
                ip_addresses: match optional(settings.ip_address.as_ref()) {
                    Some(address) => vec![address],
                    None => seen_addresses(input, domain),
                },
                telephone: optional(settings.site_telephone.as_ref()),
                email: optional(settings.site_email.as_ref()),
                fax: optional(settings.site_fax.as_ref()),
            }
        })
        .collect()
}

fn seen_addresses(input: &NoticeInput<'_>, domain: &str) -> Vec<String> {
    let of_site = listed(input).filter(|(_, item, _)| item.case.domain.eq_ignore_ascii_case(domain));
    let seen: BTreeSet<String> = of_site.filter_map(|(_, _, sighting)| peer(sighting).0).collect();
    seen.into_iter().collect()
}

/// The sightings that the notice names, with their items and these items' places.
fn listed<'a>(input: &NoticeInput<'a>) -> impl Iterator<Item = (usize, CaseItem<'a>, &'a CaseSighting)> {
    input.items.iter().enumerate().flat_map(|(place, &item)| {
        let named =
            move |sighting: &&CaseSighting| item.urls.is_none_or(|urls| urls.contains(&sighting.media_url));
        item.case.sightings.iter().filter(named).map(move |sighting| (place, item, sighting))
    })
}

/// The address and the port that served a sighting.
fn peer(sighting: &CaseSighting) -> (Option<String>, Option<u16>) {
    let Some(peer) = sighting.peer.as_deref() else { return (None, None) };
    match peer.parse::<std::net::SocketAddr>() {
        Ok(socket) => (Some(socket.ip().to_string()), Some(socket.port())),
        Err(_) => (Some(inert(peer)), None),
    }
}

/// The number of each item's recording among the works, from 1, and the recordings in that order.
fn numbered<'a>(input: &NoticeInput<'a>) -> (Vec<usize>, Vec<&'a Recording>) {
    let mut recordings: Vec<&Recording> = Vec::new();
    let numbers = input.items.iter().map(|item| {
        let known = recordings.iter().position(|known| known.recording_id == item.recording.recording_id);
        known.unwrap_or_else(|| {
            recordings.push(item.recording);
            recordings.len() - 1
        }) + 1
    });
    let numbers = numbers.collect();
    (numbers, recordings)
}

fn works(input: &NoticeInput<'_>, annex: &[AnnexItem]) -> Vec<Work> {
    let (_, recordings) = numbered(input);
    recordings
        .into_iter()
        .enumerate()
        .map(|(n, recording)| Work {
            number: n + 1,
            recording_id: inert(recording.recording_id.as_str()),
            title: inert(&recording.title),
            title_alt: recording.title_alt.iter().map(|title| inert(title)).collect(),
            version: optional(recording.version.as_ref()),
            artist: optional(recording.artist.as_ref()),
            album: optional(recording.album.as_ref()),
            label: optional(recording.label.as_ref()),
            p_line: optional(recording.p_line.as_ref()),
            isrc: optional(recording.isrc.as_ref()),
            first_made: optional(recording.first_made.as_ref()),
            release_date: optional(recording.release_date.as_ref()),
            registration_no: optional(recording.registration_no.as_ref()),
            authorised_url: authorised_url(input.claim, recording),
            addresses: annex.iter().filter(|item| item.work == n + 1).map(|item| item.number).collect(),
        })
        // A recording all of whose addresses are left out is not claimed.
        .filter(|work| !work.addresses.is_empty())
        .collect()
}

/// Fills the recording's identifiers into the configured address; `None` where it asks for one that is not known.
fn authorised_url(claim: &ClaimSettings, recording: &Recording) -> Option<String> {
    let mut url = optional(claim.authorised_url.as_ref())?;
    let known = [
        ("{isrc}", recording.isrc.as_deref()),
        ("{upc}", recording.upc.as_deref()),
        ("{recording_id}", Some(recording.recording_id.as_str())),
    ];
    for (place, value) in known {
        if url.contains(place) {
            let value = percent_encoding::utf8_percent_encode(value?, percent_encoding::NON_ALPHANUMERIC);
            url = url.replace(place, &value.to_string());
        }
    }
    Some(url)
}

fn annex(input: &NoticeInput<'_>, lang: Lang) -> Vec<AnnexItem> {
    let (numbers, _) = numbered(input);
    listed(input)
        .enumerate()
        .map(|(n, (place, CaseItem { case, recording, .. }, sighting))| {
            let (ip_address, port) = peer(sighting);
            let media_url = location(&sighting.media_url, input.pages);
            AnnexItem {
                number: n + 1,
                work: numbers.get(place).copied().unwrap_or_default(),
                case_id: inert(&case.case_id),
                recording_id: inert(recording.recording_id.as_str()),
                title: inert(&recording.title),
                title_alt: recording.title_alt.iter().map(|title| inert(title)).collect(),
                artist: optional(recording.artist.as_ref()),
                isrc: optional(recording.isrc.as_ref()),
                file_name: file_name(&media_url),
                media_url,
                page_url: optional(sighting.page_url.as_ref().map(|url| without_user(url)).as_ref())
                    .filter(|_| input.pages != PageDetail::Nothing),
                page_title: optional(sighting.page_title.as_ref())
                    .filter(|_| input.pages == PageDetail::TitleAndAddress),
                captured_at: sighting.captured_at.to_string(),
                captured: words::instant(lang, sighting.captured_at),
                last_seen_at: sighting.last_seen.to_string(),
                last_seen: (sighting.last_seen > sighting.captured_at)
                    .then(|| words::instant(lang, sighting.last_seen)),
                times_seen: sighting.times_seen,
                sha256: sighting.sha256,
                bytes: sighting.bytes,
                ip_address,
                port,
                matches: case.matches.iter().map(|found| annex_match(lang, found)).collect(),
            }
        })
        .collect()
}

/// What the notice states of rights information: only where the law of the form knows such a ground, and where
/// [`Case::claims_information`] allows it.
fn information(input: &NoticeInput<'_>, lang: Lang) -> Vec<InformationChange> {
    if matches!(input.form, Form::Acns | Form::Lumen | Form::Google) {
        return Vec::new();
    }
    let is_distributed = input.claim.rights_information_distributed;
    let mut changes = Vec::new();
    for (address, (_, item, _)) in (1..).zip(listed(input)) {
        let CaseItem { case, recording, information, .. } = item;
        let claimed = information.filter(|comparison| case.claims_information(comparison, is_distributed));
        let tags = recording.audio.as_ref().and_then(|audio| audio.tags.as_ref());
        let stated =
            claimed.into_iter().flat_map(|found| found.stated(case.states_information == Some(true)));
        // What the catalogue's file no longer says is no longer the owner's word.
        let stated = stated.filter(|one| tags.is_none_or(|tags| one.is_still_said(tags)));
        let said = |one: &FieldCompared, text: &Option<String>| {
            let text = optional(text.as_ref())?;
            Some(if one.field == Field::RightsUrl { location(&text, input.pages) } else { text })
        };
        changes.extend(stated.map(|one| InformationChange {
            address,
            case_id: inert(&case.case_id),
            title: inert(&recording.title),
            field: words::information_field(lang, one.field).to_owned(),
            is_removed: one.outcome == FieldOutcome::Removed,
            outcome: words::information_outcome(lang, one.outcome == FieldOutcome::Removed).to_owned(),
            reference: said(one, &one.reference).unwrap_or_default(),
            copy: said(one, &one.copy),
        }));
    }
    changes
}

fn annex_match(lang: Lang, found: &crate::cases::Match) -> AnnexMatch {
    AnnexMatch {
        spans: words::spans(lang, found),
        alteration: words::alteration(lang, found),
        probability: words::probability(lang, found.log10_false_match),
        query_start_s: found.query_start_s,
        query_end_s: found.query_end_s,
        reference_start_s: found.reference_start_s,
        reference_end_s: found.reference_end_s,
        log10_false_match: found.log10_false_match,
    }
}

/// The last part of an address's path.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { path.to_owned() } else { name.to_owned() }
}

fn signature(
    input: &NoticeInput<'_>,
    local: &Local<'_>,
    right_holder: &Party,
    agent: Option<&Party>,
) -> Signature {
    let own = local.text(|local| &local.signature).or_else(|| optional(input.claim.signature.as_ref()));
    // An American notice is signed by a person who was asked to; a company's name is not made into a signature.
    let name = if input.form == Form::Dmca {
        own
    } else {
        own.or_else(|| agent.unwrap_or(right_holder).name.clone())
    };
    Signature {
        name,
        by_agent: agent.is_some(),
        date: input.date.to_string(),
        date_long: words::date(input.form.lang(), input.date),
    }
}

/// A reference that is the same for the same notice.
fn number(input: &NoticeInput<'_>, annex: &[AnnexItem]) -> String {
    let mut key = format!("{}\u{0}{}", input.form, input.date);
    for item in annex {
        key.push_str(&format!("\u{0}{}\u{0}{}", item.case_id, item.media_url));
    }
    let digest = Digest::of(key.as_bytes()).to_string().to_uppercase();
    format!("EW-{}-{}", input.date.strftime("%Y%m%d"), digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_the_last_part_of_the_path() {
        let names = ["https://a.example/x/y.mp3?z=/1#w", "https://a.example/x/", "https://a.example", "x"]
            .map(file_name);
        assert_eq!(names, ["y.mp3", "a.example/x/", "a.example", "x"]);
    }
}
