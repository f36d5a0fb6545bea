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

/// How far a crawl goes from its seeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    /// All hosts under the registrable domain of a seed.
    #[default]
    Domain,
    /// The host (and port) of a seed.
    Host,
    /// What begins with the path of a seed, up to its last `/`, on the same host.
    Path,
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
    /// Which pages belong to the site: those of the seeds' domain, host or path.
    pub scope: ScopeKind,
    /// Further domains that belong to the site, such as its mirrors.
    pub domains: Vec<String>,
    /// Where given, only pages whose URL one of these regular expressions finds are read (seeds always are).
    pub include: Vec<String>,
    /// Pages whose URL one of these regular expressions finds are not read.
    pub exclude: Vec<String>,
    /// How many links away from a seed pages are read. Default 3.
    pub depth_max: Option<u32>,
    /// Whether pages are rendered in the machine's Chromium, so that what their scripts make is found (see `[render]`).
    pub render: bool,
    /// Whether the order of a query's parameters means nothing on this site (`?a=1&b=2` is `?b=2&a=1`).
    pub sort_query: bool,
    /// How many requests one run may make. Default 1,000.
    pub requests_max: Option<u64>,
    /// How many bytes one run may take. Default: no limit.
    pub bytes_max: Option<u64>,
    /// How many seconds of audio one run may listen to. Default: no limit.
    pub media_s_max: Option<u64>,
    /// How many seconds one run may take by the clock, its pauses between resumptions not counted. Default: no limit.
    pub wall_s_max: Option<u64>,
    /// How many requests one run may make to one host. Default: no limit but the run's.
    pub host_requests_max: Option<u64>,
    /// How many bytes one run may take from one host. Default: no limit but the run's.
    pub host_bytes_max: Option<u64>,
    /// Milliseconds between the end of one answer and the next request to the same host. Default 1,000. A longer
    /// `Crawl-delay` of its robots.txt counts instead, up to 30 s.
    pub delay_ms: Option<u64>,
    /// The pause is at least this many times as long as the host took to answer last, up to 30 s. Default 2.
    pub delay_factor: Option<f64>,
    /// Seconds that are waited at most when a host asks to come again later (`Retry-After`). Default 3,600.
    pub retry_after_s_max: Option<u64>,
    /// Requests under way at once, each to another host. Default 8.
    pub at_once: Option<usize>,
    /// Requests under way at once to one host. Default 1.
    pub at_once_per_host: Option<u32>,
    /// Audio estimated to be longer than this many seconds is first listened to in windows (head, tail, and one every
    /// ten minutes), and fetched whole only where one of them holds a recording; 0 fetches all whole. Default 900.
    pub probe_over_s: Option<u64>,
    /// When `crawl run --due` crawls the site; without, only when it is named.
    pub schedule: Option<super::ScheduleSettings>,
    /// What is done with robots.txt.
    pub robots: RobotsPolicy,
    /// Why robots.txt is not obeyed; needed with `robots = "ignore"`.
    pub robots_reason: Option<String>,
    /// What this site is sent beyond what every site is sent.
    pub fetch: super::SiteFetchSettings,
}
