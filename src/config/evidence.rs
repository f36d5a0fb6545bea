//! How evidence is secured.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Each audio excerpt of the suspect file in a bundle is at most so many seconds long; 0 for none, at most 120. The file
    /// itself is in the bundle in any case. Default 30.
    #[serde(deserialize_with = "excerpt_s")]
    #[schemars(range(max = 120))]
    pub excerpt_s: u32,
    /// Each audio excerpt of a recording of yours in a bundle is at most so many seconds long, and there are up to three; 0 for
    /// none, at most 120. It is your music that leaves the house with the bundle: the default, 10, is enough to compare by ear,
    /// and of no use to who wants the song. With less than 5, pictures show the sound of
    /// the recording in very short matches alone, else its peaks.
    #[serde(deserialize_with = "excerpt_s")]
    #[schemars(range(max = 120))]
    pub reference_excerpt_s: u32,
}

/// The longest excerpt, in seconds.
const EXCERPT_S_MAX: u32 = 120;

fn excerpt_s<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let seconds = u32::deserialize(deserializer)?;
    if seconds <= EXCERPT_S_MAX {
        Ok(seconds)
    } else {
        Err(serde::de::Error::custom(format!(
            "an excerpt has at most {EXCERPT_S_MAX} seconds, and not {seconds}"
        )))
    }
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self {
            timestamp_url: None,
            timestamp_roots: Vec::new(),
            timestamp_tries: 4,
            annex_recipients: Vec::new(),
            excerpt_s: 30,
            reference_excerpt_s: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_have_a_longest_length() {
        let read = |text: &str| toml::from_str::<EvidenceSettings>(text);
        assert!(
            read("excerpt_s = 0\nreference_excerpt_s = 120").is_ok_and(|settings| settings.excerpt_s == 0)
        );
        for wrong in ["excerpt_s = 121", "reference_excerpt_s = 3600", "excerpt_s = -1", "excerpt_s = 1.5"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
