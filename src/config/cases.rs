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
    /// What is asked of the provider, in the language of its notices. Default: immediate deletion of the content,
    /// disconnection of links to it, and forwarding of the notice to the user.
    pub request: Option<String>,
    /// What proves the right, one line each, for example the number of a registration certificate or a contract;
    /// listed as enclosures of notices.
    pub proof: Vec<String>,
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
}

/// A provider that notices go to, and what is known of the site: `[providers."example.com"]`, by registrable domain.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Full legal name of the provider of storage, search or link service; IP-WHOIS and the site's imprint tell it.
    pub name: Option<String>,
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
}
