//! The sites that are crawled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done with a site's robots.txt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RobotsPolicy {
    /// Obey it (RFC 9309).
    #[default]
    Obey,
    /// Fetch and record it, but go on; needs a reason, which is kept as evidence.
    Ignore,
}

/// One site.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SiteSettings {
    /// Where the crawl begins.
    pub seeds: Vec<String>,
    /// Who runs the site, by the name used in licences; the site's registrable domain where not given.
    pub operator: Option<String>,
    /// The territory whose licences are asked, ISO 3166-1 alpha-2.
    pub territory: Option<String>,
    /// How many links away from a seed pages are read. Default 3.
    pub depth_max: Option<u32>,
    /// How many requests one run may make. Default 1,000.
    pub requests_max: Option<u64>,
    /// Milliseconds between two requests to one host. Default 1,000.
    pub delay_ms: Option<u64>,
    /// What is done with robots.txt.
    pub robots: RobotsPolicy,
    /// Why robots.txt is not obeyed; needed with `robots = "ignore"`.
    pub robots_reason: Option<String>,
    /// What this site is sent beyond what every site is sent.
    pub fetch: super::SiteFetchSettings,
}
