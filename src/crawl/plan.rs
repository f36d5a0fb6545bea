//! What one run may do.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::event::Error;
use crate::config::{FetchSettings, RobotsPolicy, SiteSettings};

/// What one run may do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where it begins.
    pub seeds: Vec<Url>,
    /// Whether links to pages are followed, and the sitemaps that robots.txt names are read; otherwise only what the seeds themselves show is fetched.
    pub follow_links: bool,
    /// How many links away from a seed pages are read.
    pub depth_max: u32,
    /// How many requests may be made; a stream in segments and a robots.txt count as none of their own.
    pub requests_max: u64,
    /// The pause between two requests to one host; a longer `Crawl-delay` of the host's robots.txt counts instead,
    /// up to 30 s.
    pub delay: Duration,
    /// What is done with robots.txt.
    pub robots: RobotsPolicy,
    /// Why robots.txt is not obeyed.
    pub robots_reason: Option<String>,
    /// What the crawler calls itself; the same as the client's.
    pub user_agent: String,
    /// Where media files are kept until they are looked at; the system's folder for temporary files if `None`.
    pub work_dir: Option<PathBuf>,
}

const DEPTH_MAX: u32 = 3;
const REQUESTS_MAX: u64 = 1000;
const DELAY_MS: u64 = 1000;

impl Plan {
    /// Makes the plan for a configured site.
    ///
    /// # Errors
    /// [`Error`] when it has no seeds, one of them is no web address, or robots.txt is ignored without a reason.
    pub fn for_site(name: &str, site: &SiteSettings, fetch: &FetchSettings) -> Result<Self, Error> {
        let reason = site.robots_reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        if site.robots == RobotsPolicy::Ignore && reason.is_none() {
            return Err(Error::NoRobotsReason { site: name.to_owned() });
        }
        if site.seeds.is_empty() {
            return Err(Error::NoSeeds { site: name.to_owned() });
        }
        Ok(Self {
            seeds: site.seeds.iter().map(|seed| parse_seed(seed)).collect::<Result<_, _>>()?,
            follow_links: true,
            depth_max: site.depth_max.unwrap_or(DEPTH_MAX),
            requests_max: site.requests_max.unwrap_or(REQUESTS_MAX),
            delay: Duration::from_millis(site.delay_ms.unwrap_or(DELAY_MS)),
            robots: site.robots.clone(),
            robots_reason: reason.map(str::to_owned),
            user_agent: fetch.user_agent.clone(),
            work_dir: None,
        })
    }

    /// Makes the plan for one URL: the media there, or the media that the page there shows; no further page.
    ///
    /// # Errors
    /// [`Error::Seed`] when it is no web address.
    pub fn for_url(url: &str, fetch: &FetchSettings) -> Result<Self, Error> {
        Ok(Self {
            seeds: vec![parse_seed(url)?],
            follow_links: false,
            depth_max: 0,
            requests_max: REQUESTS_MAX,
            // One page at a person's bidding: like a browser, without a pause. A Crawl-delay is still kept.
            delay: Duration::ZERO,
            robots: RobotsPolicy::Obey,
            robots_reason: None,
            user_agent: fetch.user_agent.clone(),
            work_dir: None,
        })
    }
}

fn parse_seed(seed: &str) -> Result<Url, Error> {
    let wrong = |reason: String| Error::Seed { seed: seed.chars().take(200).collect(), reason };
    let mut url = Url::parse(seed.trim()).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("only http and https are fetched, not {}", url.scheme())));
    }
    if !url.has_host() {
        return Err(wrong("it names no host".to_owned()));
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_checked() {
        let fetch = FetchSettings::default();
        let site = |seed: &str| SiteSettings { seeds: vec![seed.to_owned()], ..SiteSettings::default() };
        assert!(Plan::for_site("a", &site("https://a.example/"), &fetch).is_ok());
        assert!(matches!(Plan::for_site("a", &SiteSettings::default(), &fetch), Err(Error::NoSeeds { .. })));
        for seed in ["a.example", "ftp://a.example/", "localhost:80/x", "https://", ""] {
            assert!(matches!(Plan::for_site("a", &site(seed), &fetch), Err(Error::Seed { .. })), "{seed}");
        }
        let ignoring = SiteSettings { robots: RobotsPolicy::Ignore, ..site("https://a.example/") };
        assert!(matches!(Plan::for_site("a", &ignoring, &fetch), Err(Error::NoRobotsReason { .. })));
    }
}
