//! What is claimed, and who sends notices.

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
    /// The agent that acts for the right holder, if any.
    pub agent: Option<PartySettings>,
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
    /// E-mail address.
    pub email: Option<String>,
    /// Fax number.
    pub fax: Option<String>,
}
