//! One media object seen at one URL at one instant.

use serde::{Deserialize, Serialize};

use super::archive::MemberPath;
use crate::base::{Digest, Timestamp};

/// One step on the way to a media object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// What was asked for.
    pub url: String,
    /// The HTTP status that came back.
    pub status: u16,
    /// The address that answered, with its port.
    pub peer: Option<String>,
    /// How we learned of this URL: `seed`, `link`, `audio`, `source`, `og:audio`, `json-ld`, `playlist`, `redirect` …
    pub via: String,
    /// When it was fetched.
    pub at: Timestamp,
}

/// What robots.txt said of a URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobotsDecision {
    /// Whether the URL may be fetched by it.
    pub allowed: bool,
    /// The rule that decided, or why there was none (`no robots.txt (404)`, `robots.txt unreachable (503)` …).
    pub rule: String,
    /// Set where the site's policy is not to obey: the recorded reason.
    pub overridden: Option<String>,
}

/// Where in an archive a media object was: enough to take its bytes out again from the archive's alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InArchive {
    /// SHA-256 of the archive.
    pub sha256: Digest,
    /// Number of its bytes.
    pub bytes: u64,
    /// Formats, names and offsets on the way inside.
    pub path: MemberPath,
}

/// One media object seen at one URL at one instant, with the way we came to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Where the bytes came from, after redirects.
    pub media_url: String,
    /// The page that led there, if any.
    pub page_url: Option<String>,
    /// That page's title, as text.
    pub page_title: Option<String>,
    /// SHA-256 of that page's picture, where it was rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_screenshot: Option<Digest>,
    /// Every request on the way, the seed first.
    pub hops: Vec<Hop>,
    /// When the media bytes were fetched.
    pub captured_at: Timestamp,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// Number of bytes.
    pub bytes: u64,
    /// The server's Content-Type, as sent.
    pub content_type: Option<String>,
    /// The operator's key in licences: the registrable domain of the page (who shows the media answers for it,
    /// wherever the bytes lie), or of the media URL where there is no page. See [`crate::crawl::domain_of`].
    pub domain: String,
    /// The address that served the bytes, with its port.
    pub peer: Option<String>,
    /// What robots.txt said.
    pub robots: Option<RobotsDecision>,
    /// Where in an archive it was; the media URL then has the way inside as its fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<InArchive>,
    /// What is not quite right with the bytes, for example segments of a stream that could not be fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
