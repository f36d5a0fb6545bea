//! How evidence is secured.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Recipient;

/// How evidence is secured.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceSettings {
    /// The address of the time-stamp authority (RFC 3161 over HTTP) that stamps bundles, for example
    /// `https://tsa.example/tsr`. Default: none, and bundles have no time-stamp.
    pub timestamp_url: Option<String>,
    /// PEM files with the root certificates that its tokens are verified against. Needed beside `timestamp_url`.
    pub timestamp_roots: Vec<PathBuf>,
    /// How often it is asked at most, with growing pauses, before a bundle goes without a time-stamp. Default 4.
    pub timestamp_tries: u32,
    /// Public keys of `age` (`age1…`, as `age-keygen` prints them) of those who may open the sealed annex of redacted bundles:
    /// one's own, counsel's. Needed by `evidence export --redact`. Default: none.
    #[schemars(with = "Vec<String>")]
    pub annex_recipients: Vec<Recipient>,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self {
            timestamp_url: None,
            timestamp_roots: Vec::new(),
            timestamp_tries: 4,
            annex_recipients: Vec::new(),
        }
    }
}
