//! The "notice requesting deletion or de-linking of infringing network content" in the model form of NCAC
//! Announcement No. 1 of 2007 (guidance only), with every field of the form.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;

use super::chinese;
use super::form::{AnnexItem, AnnexMatch, Claim, NcacNotice, Party, Provider, Signature, Site};
use crate::base::inert;
use crate::cases::{Case, CaseSighting};
use crate::catalog::Recording;
use crate::config::{ClaimSettings, PartySettings, ProviderSettings};

const TITLE: &str = "要求删除或断开链接侵权网络内容的通知";
const SOURCE: &str = "参照国家版权局公告2007年第1号公布的示范格式制作（示范格式仅供参考使用，非强制性文本）";
const GUARANTEE: &str = "通知人保证本通知内容的真实性，并对此承担法律责任。";
const REQUEST: &str = "请贵方在收到本通知后，依照《信息网络传播权保护条例》第十五条和《中华人民共和国民法典》第一千一百九十五条，\
    立即删除附表所列侵权内容，或断开与该等内容的链接，并将本通知转送提供该等内容的服务对象；请将处理结果书面告知通知人。";

const NO_LICENCE: &str =
    "授权核查：通知人已按取证时间、地域和权利种类核对其授权记录，未发现该网站获得上述录音制品的有效授权。";
const JUDGED_BY_PERSON: &str =
    "授权核查：通知人已核对其授权记录，并经人工审核，认定该网站未获得上述录音制品的授权。";

/// Mandatory fields that nothing gives, by their key in the configuration, in the order of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Vec<String>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the notice lacks mandatory fields; set in the configuration: {}", self.0.join(", "))
    }
}

impl std::error::Error for Missing {}

/// A case with the recording it is about.
#[derive(Debug, Clone, Copy)]
pub struct CaseItem<'a> {
    /// The case.
    pub case: &'a Case,
    /// Its recording.
    pub recording: &'a Recording,
}

/// What a notice is made of.
#[derive(Debug, Clone, Copy)]
pub struct NcacInput<'a> {
    /// The domain of the provider's site; all cases are of this one.
    pub domain: &'a str,
    /// The cases, in the order in which they are listed.
    pub items: &'a [CaseItem<'a>],
    /// The sender.
    pub claim: &'a ClaimSettings,
    /// The receiver.
    pub provider: Option<&'a ProviderSettings>,
    /// The notice's date.
    pub date: Date,
}

/// Composes the notice to one provider.
///
/// # Errors
/// [`Missing`] names every mandatory field that neither the configuration nor the cases give.
pub fn compose_ncac(input: &NcacInput<'_>) -> Result<NcacNotice, Missing> {
    let mut missing = Vec::new();
    let provider = provider(input, &mut missing);
    let right_holder = party(input.claim.right_holder.as_ref(), "claim.right_holder", &mut missing);
    let agent = input.claim.agent.as_ref().map(|agent| party(Some(agent), "claim.agent", &mut missing));
    let site = site(input, &mut missing);
    let annex = annex(input);
    if annex.is_empty() {
        missing.push("cases (no sighting has an address)".to_owned());
    }
    let signature = signature(input, &right_holder, agent.as_ref());
    if !missing.is_empty() {
        return Err(Missing(missing));
    }
    Ok(NcacNotice {
        form: "ncac-2007-1",
        title: TITLE,
        source: SOURCE,
        language: "zh-CN",
        provider,
        enclosures: enclosures(input.claim, &right_holder, agent.as_ref()),
        right_holder,
        agent,
        site,
        claim: claim(input, &annex),
        guarantee: GUARANTEE,
        signature,
        annex,
    })
}

fn optional(text: Option<&String>) -> Option<String> {
    text.map(|text| inert(text.trim())).filter(|text| !text.is_empty())
}

fn needed(text: Option<&String>, key: String, missing: &mut Vec<String>) -> String {
    optional(text).unwrap_or_else(|| {
        missing.push(key);
        String::new()
    })
}

fn provider(input: &NcacInput<'_>, missing: &mut Vec<String>) -> Provider {
    let none = ProviderSettings::default();
    let settings = input.provider.unwrap_or(&none);
    Provider {
        name: needed(settings.name.as_ref(), provider_key(input.domain, "name"), missing),
        address: optional(settings.address.as_ref()),
        post_code: optional(settings.post_code.as_ref()),
        domain: optional(settings.domain.as_ref()).unwrap_or_else(|| inert(input.domain)),
        email: optional(settings.email.as_ref()),
        telephone: optional(settings.telephone.as_ref()),
        fax: optional(settings.fax.as_ref()),
    }
}

fn provider_key(domain: &str, field: &str) -> String {
    format!("providers.\"{}\".{field}", inert(domain))
}

fn party(settings: Option<&PartySettings>, key: &str, missing: &mut Vec<String>) -> Party {
    let none = PartySettings::default();
    let settings = settings.unwrap_or(&none);
    let mut need =
        |text: &Option<String>, field: &str| needed(text.as_ref(), format!("{key}.{field}"), missing);
    Party {
        name: need(&settings.name, "name"),
        id_document_type: need(&settings.id_document_type, "id_document_type"),
        id_document_number: need(&settings.id_document_number, "id_document_number"),
        legal_representative: need(&settings.legal_representative, "legal_representative"),
        address: need(&settings.address, "address"),
        post_code: need(&settings.post_code, "post_code"),
        contact_person: need(&settings.contact_person, "contact_person"),
        telephone: need(&settings.telephone, "telephone"),
        email: need(&settings.email, "email"),
        mobile: optional(settings.mobile.as_ref()),
        fax: optional(settings.fax.as_ref()),
    }
}

fn site(input: &NcacInput<'_>, missing: &mut Vec<String>) -> Site {
    let none = ProviderSettings::default();
    let settings = input.provider.unwrap_or(&none);
    let ip_addresses = match optional(settings.ip_address.as_ref()) {
        Some(address) => vec![address],
        None => {
            let seen: BTreeSet<String> =
                sightings(input).filter_map(|(_, sighting)| peer(sighting)).collect();
            seen.into_iter().collect()
        }
    };
    if ip_addresses.is_empty() {
        missing.push(provider_key(input.domain, "ip_address"));
    }
    Site {
        domain: inert(input.domain),
        icp_number: optional(settings.icp_number.as_ref()),
        ip_addresses,
        telephone: optional(settings.site_telephone.as_ref()),
        email: optional(settings.site_email.as_ref()),
        fax: optional(settings.site_fax.as_ref()),
    }
}

fn sightings<'a>(input: &NcacInput<'a>) -> impl Iterator<Item = (CaseItem<'a>, &'a CaseSighting)> {
    input.items.iter().flat_map(|&item| item.case.sightings.iter().map(move |sighting| (item, sighting)))
}

/// The address that served a sighting, without the port.
fn peer(sighting: &CaseSighting) -> Option<String> {
    let peer = sighting.peer.as_deref()?;
    let address = peer.parse::<std::net::SocketAddr>().map(|socket| socket.ip().to_string());
    Some(address.unwrap_or_else(|_| inert(peer)))
}

fn annex(input: &NcacInput<'_>) -> Vec<AnnexItem> {
    sightings(input)
        .enumerate()
        .map(|(n, (CaseItem { case, recording }, sighting))| AnnexItem {
            number: n + 1,
            case_id: case.case_id.clone(),
            recording_id: inert(recording.recording_id.as_str()),
            title: inert(&recording.title),
            title_alt: recording.title_alt.iter().map(|title| inert(title)).collect(),
            artist: optional(recording.artist.as_ref()),
            isrc: optional(recording.isrc.as_ref()),
            media_url: inert(&sighting.media_url),
            page_url: optional(sighting.page_url.as_ref()),
            page_title: optional(sighting.page_title.as_ref()),
            captured_at: sighting.captured_at.to_string(),
            captured: chinese::instant(sighting.captured_at),
            last_seen: (sighting.last_seen > sighting.captured_at)
                .then(|| chinese::instant(sighting.last_seen)),
            sha256: sighting.sha256,
            ip_address: peer(sighting),
            matches: case
                .matches
                .iter()
                .map(|found| AnnexMatch {
                    spans: chinese::spans(found),
                    alteration: chinese::alteration(found),
                    probability: chinese::probability(found.log10_false_match),
                    log10_false_match: found.log10_false_match,
                })
                .collect(),
        })
        .collect()
}

fn claim(input: &NcacInput<'_>, annex: &[AnnexItem]) -> Claim {
    let mut told = BTreeSet::new();
    let mut infringing_content = Vec::new();
    for item in annex {
        if !told.insert(&item.recording_id) {
            continue;
        }
        let artist = item.artist.as_ref().map(|artist| format!("，表演者：{artist}")).unwrap_or_default();
        let isrc = item.isrc.as_ref().map(|isrc| format!("，ISRC：{isrc}")).unwrap_or_default();
        infringing_content.push(format!("录音制品《{}》{artist}{isrc}", item.title));
    }
    let mut addresses: Vec<String> = Vec::new();
    for item in annex {
        if !addresses.contains(&item.media_url) {
            addresses.push(item.media_url.clone());
        }
    }
    let request = optional(input.claim.request.as_ref()).unwrap_or_else(|| REQUEST.to_owned());
    Claim { infringing_content, addresses, facts: facts(input, annex), request }
}

fn facts(input: &NcacInput<'_>, annex: &[AnnexItem]) -> Vec<String> {
    let domain = inert(input.domain);
    let mut facts = vec![format!(
        "权利人对附表所列录音制品享有录音制作者权，包括信息网络传播权（《中华人民共和国著作权法》第四十四条）。{domain} \
         未经权利人许可，通过信息网络向公众提供该等录音制品，计 {} 部，网络地址 {} 处。",
        annex.iter().map(|item| &item.recording_id).collect::<BTreeSet<_>>().len(),
        annex.len()
    )];
    facts.push(
        "初步证明材料：附表载明每一地址的取证时间、所取得文件的 SHA-256 校验值，以及经音频指纹比对认定的对应片段、\
         处理方式和误匹配概率。权属证明见所附材料。"
            .to_owned(),
    );
    // A case that a person approved against an open verdict must not claim more than was established.
    let unlicensed = |item: &CaseItem<'_>| item.case.is_unlicensed_by_verdict();
    facts.push(if input.items.iter().all(unlicensed) { NO_LICENCE } else { JUDGED_BY_PERSON }.to_owned());
    facts
}

fn signature(input: &NcacInput<'_>, right_holder: &Party, agent: Option<&Party>) -> Signature {
    let (role, name) = match agent {
        Some(agent) => ("代理人", &agent.name),
        None => ("权利人", &right_holder.name),
    };
    let date = input.date;
    Signature {
        name: optional(input.claim.signature.as_ref()).unwrap_or_else(|| name.clone()),
        role,
        date: date.to_string(),
        date_chinese: format!("{}年{}月{}日", date.year(), date.month(), date.day()),
    }
}

fn enclosures(claim: &ClaimSettings, right_holder: &Party, agent: Option<&Party>) -> Vec<String> {
    let mut enclosures = vec![format!("权利人身份证明（{}）复印件", right_holder.id_document_type)];
    if let Some(agent) = agent {
        enclosures.push(format!("代理人身份证明（{}）复印件", agent.id_document_type));
        // The form's instructions: each notice needs an authorisation of its own.
        enclosures.push("针对本通知的授权委托书".to_owned());
    }
    enclosures.extend(claim.proof.iter().map(|proof| format!("权属证明：{}", inert(proof.trim()))));
    enclosures
}
