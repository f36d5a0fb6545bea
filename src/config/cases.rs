//! What is claimed, who sends notices, and who receives them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What cases claim by default, and the parties named in notices.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimSettings {
    /// The territory asked where none is given, ISO 3166-1 alpha-2.
    pub territory: Option<String>,
    /// The right holder.
    pub right_holder: Option<PartySettings>,
    /// The agent that acts for the right holder, if any. Where it is set, all that a notice needs of it is needed.
    pub agent: Option<PartySettings>,
    /// Whose name stands under notices. Default: the agent's name, else the right holder's.
    pub signature: Option<String>,
    /// What is asked of the provider, in Chinese. Default: immediate deletion of the content, disconnection of links to
    /// it, and forwarding of the notice to the user.
    pub request: Option<String>,
    /// What proves the right, one line each, for example the number of a registration certificate or a contract;
    /// listed as enclosures of notices.
    pub proof: Vec<String>,
    /// Where the recordings may lawfully be heard, as an example for forms that ask for one; `{isrc}`, `{upc}` and
    /// `{recording_id}` are filled in.
    pub authorised_url: Option<String>,
    /// Whether whoever approves cases considers fair use and other limitations before; only then do American notices
    /// say so.
    pub fair_use_considered: bool,
    /// Whether every file of these recordings that is lawfully distributed, by whomever, carries the rights information (ISRC,
    /// ℗ line, owner, …) that the catalogue's own file carries, unchanged. Only then do notices state that a copy's was
    /// removed or altered; `docs/cases.md` tells when. Default false.
    pub rights_information_distributed: bool,
    /// The parties' names and the same texts as English documents give them.
    pub en: LocalClaimSettings,
    /// The same for Japanese documents.
    pub ja: LocalClaimSettings,
}

/// What documents in one language say instead. What is left out is taken from `[claim]` itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocalClaimSettings {
    /// Whose name stands under notices.
    pub signature: Option<String>,
    /// What is asked of the provider. Default: as the form's law has it.
    pub request: Option<String>,
    /// What proves the right, one line each.
    pub proof: Vec<String>,
    /// The right holder; only what is written differently.
    pub right_holder: PartySettings,
    /// The agent; only what is written differently.
    pub agent: PartySettings,
}

/// A party of a notice: the fields of the NCAC model form.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartySettings {
    /// Full legal name.
    pub name: Option<String>,
    /// Kind of identity document, for example a business licence.
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
    /// Mobile telephone; optional.
    pub mobile: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Fax number; optional.
    pub fax: Option<String>,
    /// Country, ISO 3166-1 alpha-2; asked by Google's form and told to Lumen.
    pub country: Option<String>,
}

/// A provider that notices go to, and what is known of the site: `[providers."example.com"]`, by registrable domain.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Full legal name of the provider of storage, search or link service; IP-WHOIS and the site's imprint tell it.
    pub name: Option<String>,
    /// Under which law it is notified, where that does not follow from the form: `cn`, `cn-sector` (one of the NCAC's sector
    /// notices gives it 24 hours), `cn-ecommerce`, `us`, `eu` or `jp`.
    pub forum: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
    /// Its post code.
    pub post_code: Option<String>,
    /// Its own domain, where it is another than the site's.
    pub domain: Option<String>,
    /// Where it takes notices by e-mail.
    pub email: Option<String>,
    /// Its telephone.
    pub telephone: Option<String>,
    /// Its fax.
    pub fax: Option<String>,
    /// The site's ICP record or permit number.
    pub icp_number: Option<String>,
    /// The site's IP address, where the address that was seen at capture is not the one to be named.
    pub ip_address: Option<String>,
    /// The site's telephone.
    pub site_telephone: Option<String>,
    /// The site's e-mail.
    pub site_email: Option<String>,
    /// The site's fax.
    pub site_fax: Option<String>,
    /// Who runs the site, where that is another than the provider: the respondent of administrative complaints. The
    /// site's ICP record names it.
    pub operator: Option<String>,
    /// The operator's postal address.
    pub operator_address: Option<String>,
}
