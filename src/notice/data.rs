//! What a notice says: the data behind every document, and the JSON file.

use serde::Serialize;

use super::form::Form;
use super::words::Lang;
use crate::base::Digest;

/// A complete notice, whatever its form. Text from outside is already [inert](super::inert).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Which kind of document.
    pub form: Form,
    /// The document's language, BCP 47.
    pub language: Lang,
    /// A reference that follows from form, cases, addresses and date: `EW-20261126-1A2B3C4D`.
    pub number: String,
    /// The notice's date, ISO 8601.
    pub date: String,
    /// The same in the forum's way.
    pub date_long: String,
    /// Whom the notice is addressed to, or who is complained of.
    pub provider: Provider,
    /// The authority that a complaint is addressed to.
    pub authority: Option<String>,
    /// The owner of the right.
    pub right_holder: Party,
    /// Who acts for it, if anybody.
    pub agent: Option<Party>,
    /// The sites that carry the content; more than one where they are of one provider.
    pub sites: Vec<Site>,
    /// What is asked of the provider, in the sender's own words, if there are any.
    pub request: Option<String>,
    /// What proves the right, one line each.
    pub proof: Vec<String>,
    /// Who signs.
    pub signature: Signature,
    /// Whether the sender's records alone say for every case that the use is not licensed; otherwise a person's
    /// judgement carries the claim, and the document must not say more.
    pub by_verdict: bool,
    /// Whether the sender considers fair use before it notifies.
    pub fair_use_considered: bool,
    /// The recordings, each once.
    pub works: Vec<Work>,
    /// The addresses, one entry each.
    pub annex: Vec<AnnexItem>,
    /// The number of addresses in the forum's way.
    pub annex_count: String,
    /// What rights information the files at the addresses lack or say otherwise, where the notice states that as a second
    /// ground; empty where it does not.
    pub rights_information: Vec<InformationChange>,
    /// The addresses that it is about, by their numbers in the annex.
    pub rights_information_addresses: Vec<usize>,
    /// Files that go with the notice, for example evidence bundles.
    pub attachments: Vec<Attachment>,
    /// Addresses of the same cases that the notice leaves out.
    pub left_out: Vec<LeftOut>,
    /// Whether counsel has confirmed the wording.
    pub confirmed: bool,
}

/// The provider that is addressed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provider {
    /// Full legal name.
    pub name: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Post code.
    pub post_code: Option<String>,
    /// Domain.
    pub domain: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone.
    pub telephone: Option<String>,
    /// Fax.
    pub fax: Option<String>,
    /// Who runs the site, where it is not the provider.
    pub operator: Option<String>,
    /// The operator's postal address.
    pub operator_address: Option<String>,
}

/// The right holder or its agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Party {
    /// Full legal name.
    pub name: Option<String>,
    /// Kind of identity document.
    pub id_document_type: Option<String>,
    /// Its number.
    pub id_document_number: Option<String>,
    /// Legal representative.
    pub legal_representative: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Post code.
    pub post_code: Option<String>,
    /// Contact person.
    pub contact_person: Option<String>,
    /// Fixed-line telephone.
    pub telephone: Option<String>,
    /// Mobile telephone.
    pub mobile: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Fax.
    pub fax: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// One site that carries the content.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Site {
    /// Domain.
    pub domain: String,
    /// ICP record or permit number.
    pub icp_number: Option<String>,
    /// IP addresses: as seen at capture, or as configured.
    pub ip_addresses: Vec<String>,
    /// Whether that is the configured one: those that were seen are the servers' of single files.
    #[serde(skip)]
    pub has_own_address: bool,
    /// Telephone.
    pub telephone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Fax.
    pub fax: Option<String>,
}

/// Who signs, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signature {
    /// The name under the notice.
    pub name: Option<String>,
    /// Whether the agent signs.
    pub by_agent: bool,
    /// ISO 8601.
    pub date: String,
    /// In the forum's way.
    pub date_long: String,
}

/// One recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Work {
    /// From 1.
    pub number: usize,
    /// The owner's identifier.
    pub recording_id: String,
    /// Title.
    pub title: String,
    /// Title in other scripts.
    pub title_alt: Vec<String>,
    /// Version.
    pub version: Option<String>,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Label.
    pub label: Option<String>,
    /// The ℗ line.
    pub p_line: Option<String>,
    /// ISRC.
    pub isrc: Option<String>,
    /// First making, `YYYY` or `YYYY-MM-DD`.
    pub first_made: Option<String>,
    /// First release, likewise.
    pub release_date: Option<String>,
    /// Number of the copyright registration.
    pub registration_no: Option<String>,
    /// Where it may lawfully be heard.
    pub authorised_url: Option<String>,
    /// Its addresses, by their numbers in the annex.
    pub addresses: Vec<usize>,
}

/// One address of one recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnnexItem {
    /// From 1.
    pub number: usize,
    /// The recording, by its number among the works.
    pub work: usize,
    /// The case.
    pub case_id: String,
    /// The owner's identifier of the recording.
    pub recording_id: String,
    /// Its title.
    pub title: String,
    /// Its title in other scripts.
    pub title_alt: Vec<String>,
    /// Its artist.
    pub artist: Option<String>,
    /// Its ISRC.
    pub isrc: Option<String>,
    /// Where the file is.
    pub media_url: String,
    /// The last part of that address.
    pub file_name: String,
    /// The page that leads to it.
    pub page_url: Option<String>,
    /// That page's title.
    pub page_title: Option<String>,
    /// When it was captured, RFC 3339 in UTC.
    pub captured_at: String,
    /// The same in words, in the forum's time and UTC.
    pub captured: String,
    /// When it was last seen there, RFC 3339 in UTC.
    pub last_seen_at: String,
    /// The same in words, if later than the capture.
    pub last_seen: Option<String>,
    /// How often it was seen there.
    pub times_seen: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// The file's bytes.
    pub bytes: u64,
    /// The address that served it.
    pub ip_address: Option<String>,
    /// The port that served it.
    pub port: Option<u16>,
    /// What of the recording is in the file.
    pub matches: Vec<AnnexMatch>,
}

/// One match, in words and in the figures behind them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnnexMatch {
    /// Which part of the file is which part of the recording.
    pub spans: String,
    /// How it was altered.
    pub alteration: String,
    /// How probable a false match is.
    pub probability: String,
    /// Start in the file, in seconds.
    pub query_start_s: f64,
    /// End in the file.
    pub query_end_s: f64,
    /// Start in the recording.
    pub reference_start_s: f64,
    /// End in the recording.
    pub reference_end_s: f64,
    /// Base-10 logarithm of the probability.
    pub log10_false_match: f64,
}

/// One piece of rights information that a file lacks or says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InformationChange {
    /// The address, by its number in the annex.
    pub address: usize,
    /// The case.
    pub case_id: String,
    /// The recording's title.
    pub title: String,
    /// Which piece, in words.
    pub field: String,
    /// Whether it was removed; otherwise it was altered.
    pub is_removed: bool,
    /// The same in words.
    pub outcome: String,
    /// What the owner's file says.
    pub reference: String,
    /// What the file at the address says.
    pub copy: Option<String>,
}

/// A file that goes with a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// What it is, in the notice's language; may be empty.
    pub about: String,
}

/// An address that a notice leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// The case.
    pub case_id: String,
    /// The address.
    pub url: String,
    /// Why.
    pub reason: String,
}
