//! What one run may do.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use url::Url;

use super::event::Error;
use super::pace::Manners;
use super::render::RenderLimits;
use super::scope::Scope;
use crate::config::{RenderSettings, RobotsPolicy, SiteSettings};
use crate::net;

/// What one run may do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The run's name: the site's, or the URL that it begins at.
    pub name: String,
    /// Where it begins.
    pub seeds: Vec<Url>,
    /// Whether links to pages are followed, and the sitemaps that robots.txt names are read; otherwise only what the
    /// seeds themselves show is fetched.
    pub follow_links: bool,
    /// How many links away from a seed pages are read.
    pub depth_max: u32,
    /// What the run may spend.
    pub budget: Budget,
    /// The least pause between an answer of a host and the next request to it; a longer `Crawl-delay` of the host's
    /// robots.txt counts instead, up to 30 s.
    pub delay: Duration,
    /// The pause is at least this many times what the host took to answer, up to 30 s.
    pub delay_factor: f64,
    /// The longest `Retry-After` that is waited for.
    pub patience: Duration,
    /// Requests under way at once, each to another host.
    pub at_once: usize,
    /// Requests under way at once to one host.
    pub at_once_per_host: u32,
    /// What is done with robots.txt.
    pub robots: RobotsPolicy,
    /// Why robots.txt is not obeyed.
    pub robots_reason: Option<String>,
    /// Where media files are kept until they are looked at; the system's folder for temporary files if `None`.
    pub work_dir: Option<PathBuf>,
    /// Whether the order of a query's parameters means nothing.
    pub sort_query: bool,
    /// Media estimated to be longer are listened to in windows first; `None`: all is fetched whole.
    pub probe_over: Option<Duration>,
    /// Which catalogue is listened for: what was a stranger to it is not fetched again while it has not changed; `None`
    /// fetches all anew.
    pub catalogue: Option<String>,
    /// Whether an old run of this name is forgotten instead of gone on with.
    pub fresh: bool,
    /// Whether all that was kept of the run is removed when it ends: for single checks.
    pub transient: bool,
    /// Cancelled beside what ends the run where it is to go on by itself: the service ends, the disk is nearly full.
    pub pause: CancellationToken,
    /// Whether pages are rendered, so that what their scripts make is found.
    pub render: bool,
    /// The bounds of one rendered page.
    pub render_limits: RenderLimits,
    pub(super) scope: Scope,
}

/// What a run may spend; `u64::MAX` stands for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests; a stream in segments and a robots.txt count as none of their own.
    pub requests_max: u64,
    /// Bytes of bodies.
    pub bytes_max: u64,
    /// Seconds of audio.
    pub media_s_max: u64,
    /// Seconds by the clock.
    pub wall_s_max: u64,
    /// Requests to one host, all counted.
    pub host_requests_max: u64,
    /// Bytes from one host.
    pub host_bytes_max: u64,
}

const DEPTH_MAX: u32 = 3;
const REQUESTS_MAX: u64 = 1000;
const DELAY_MS: u64 = 1000;
const DELAY_FACTOR: f64 = 2.0;
const PATIENCE_S: u64 = 3600;
/// A person waits for the answer.
const CHECK_PATIENCE: Duration = Duration::from_secs(120);
const AT_ONCE: usize = 8;
/// No setting asks for more requests under way at once.
const AT_ONCE_MAX: u32 = 1000;
/// No setting waits longer: instants beyond could not be reckoned with.
const WAIT_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
const PROBE_OVER_S: u64 = 900;

impl Plan {
    /// Makes the plan for a configured site.
    ///
    /// # Errors
    /// [`Error`] when it has no seeds, one of them is no web address, robots.txt is ignored without a reason, or a
    /// setting cannot be used.
    pub fn for_site(name: &str, site: &SiteSettings) -> Result<Self, Error> {
        let reason = site.robots_reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        if site.robots == RobotsPolicy::Ignore && reason.is_none() {
            return Err(Error::NoRobotsReason { site: name.to_owned() });
        }
        if site.seeds.is_empty() {
            return Err(Error::NoSeeds { site: name.to_owned() });
        }
        let factor = site.delay_factor.unwrap_or(DELAY_FACTOR);
        if !(0.0..=1000.0).contains(&factor) {
            let reason = format!("{factor} is not between 0 and 1,000");
            return Err(Error::Setting { site: name.to_owned(), key: "delay_factor", reason });
        }
        let seeds: Vec<Url> = site.seeds.iter().map(|seed| parse_seed(seed)).collect::<Result<_, _>>()?;
        Ok(Self {
            name: name.to_owned(),
            scope: Scope::new(name, site, &seeds)?,
            seeds,
            follow_links: true,
            depth_max: site.depth_max.unwrap_or(DEPTH_MAX),
            budget: Budget {
                requests_max: site.requests_max.unwrap_or(REQUESTS_MAX),
                bytes_max: site.bytes_max.unwrap_or(u64::MAX),
                media_s_max: site.media_s_max.unwrap_or(u64::MAX),
                wall_s_max: site.wall_s_max.unwrap_or(u64::MAX),
                host_requests_max: site.host_requests_max.unwrap_or(u64::MAX),
                host_bytes_max: site.host_bytes_max.unwrap_or(u64::MAX),
            },
            delay: Duration::from_millis(site.delay_ms.unwrap_or(DELAY_MS)).min(WAIT_MAX),
            delay_factor: factor,
            patience: Duration::from_secs(site.retry_after_s_max.unwrap_or(PATIENCE_S)).min(WAIT_MAX),
            at_once: site.at_once.unwrap_or(AT_ONCE).clamp(1, AT_ONCE_MAX as usize),
            at_once_per_host: site.at_once_per_host.unwrap_or(1).clamp(1, AT_ONCE_MAX),
            robots: site.robots.clone(),
            robots_reason: reason.map(str::to_owned),
            work_dir: None,
            sort_query: site.sort_query,
            render: site.render,
            render_limits: RenderLimits::from(&RenderSettings::default()),
            probe_over: Some(site.probe_over_s.unwrap_or(PROBE_OVER_S))
                .filter(|&seconds| seconds > 0)
                .map(Duration::from_secs),
            catalogue: None,
            fresh: false,
            transient: false,
            pause: CancellationToken::new(),
        })
    }

    /// Checks name and settings of a site that is to be kept in a store.
    ///
    /// # Errors
    /// [`Error::SiteName`], and as [`Plan::for_site`].
    pub fn check_site(name: &str, site: &SiteSettings) -> Result<(), Error> {
        let is_name = (1..=200).contains(&name.len())
            && !name.contains("://")
            && name != "*"
            // Forms are read without it: another site, or all, would be meant.
            && name == name.trim()
            && !name.chars().any(char::is_control);
        if !is_name {
            return Err(Error::SiteName);
        }
        Self::for_site(name, site).map(|_| ())
    }

    /// Makes the plan for one URL: the media there, or the media that the page there shows; no further page.
    ///
    /// # Errors
    /// [`Error::Seed`] when it is no web address.
    pub fn for_url(url: &str) -> Result<Self, Error> {
        let seed = parse_seed(url)?;
        Ok(Self {
            name: format!("check {url}"),
            scope: Scope::of_url(&seed),
            seeds: vec![seed],
            follow_links: false,
            depth_max: 0,
            budget: Budget {
                requests_max: REQUESTS_MAX,
                bytes_max: u64::MAX,
                media_s_max: u64::MAX,
                wall_s_max: u64::MAX,
                host_requests_max: u64::MAX,
                host_bytes_max: u64::MAX,
            },
            // One page at a person's bidding: like a browser, without a pause. A Crawl-delay is still kept.
            delay: Duration::ZERO,
            delay_factor: 0.0,
            patience: CHECK_PATIENCE,
            at_once: AT_ONCE,
            at_once_per_host: 1,
            robots: RobotsPolicy::Obey,
            robots_reason: None,
            work_dir: None,
            sort_query: false,
            render: false,
            render_limits: RenderLimits::from(&RenderSettings::default()),
            // Whoever asks for one file wants all of it to be looked at.
            probe_over: None,
            catalogue: None,
            fresh: true,
            transient: true,
            pause: CancellationToken::new(),
        })
    }

    /// Whether a URL belongs to the site, for whoever sends the site's own headers and cookies.
    #[must_use]
    pub fn scope(&self) -> net::Scope {
        let scope = self.scope.clone();
        std::sync::Arc::new(move |url| scope.is_own(url))
    }

    pub(super) const fn manners(&self) -> Manners {
        Manners {
            delay: self.delay,
            delay_factor: self.delay_factor,
            patience: self.patience,
            at_once: self.at_once_per_host,
        }
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
    fn names_are_checked() {
        let site = SiteSettings { seeds: vec!["https://a.example/".to_owned()], ..SiteSettings::default() };
        for name in ["", "*", "* ", " *", "a\u{a0}", "https://a.example/", "a\nb", &"x".repeat(201)] {
            assert!(matches!(Plan::check_site(name, &site), Err(Error::SiteName)), "{name:?}");
        }
        assert!(Plan::check_site("夜のサイト", &site).is_ok());
    }

    #[test]
    fn no_setting_reaches_beyond_what_can_be_reckoned_with() {
        let site = SiteSettings {
            seeds: vec!["https://a.example/".to_owned()],
            delay_ms: Some(u64::MAX),
            retry_after_s_max: Some(u64::MAX),
            at_once: Some(usize::MAX),
            at_once_per_host: Some(u32::MAX),
            ..SiteSettings::default()
        };
        let plan = Plan::for_site("a", &site);
        assert!(plan.is_ok_and(|plan| {
            let _ = std::time::Instant::now() + plan.delay + plan.patience;
            plan.at_once == 1000 && plan.at_once_per_host == 1000
        }));
    }

    #[test]
    fn sites_are_checked() {
        let site = |seed: &str| SiteSettings { seeds: vec![seed.to_owned()], ..SiteSettings::default() };
        assert!(Plan::for_site("a", &site("https://a.example/")).is_ok());
        assert!(matches!(Plan::for_site("a", &SiteSettings::default()), Err(Error::NoSeeds { .. })));
        for seed in ["a.example", "ftp://a.example/", "localhost:80/x", "https://", ""] {
            assert!(matches!(Plan::for_site("a", &site(seed)), Err(Error::Seed { .. })), "{seed}");
        }
        let ignoring = SiteSettings { robots: RobotsPolicy::Ignore, ..site("https://a.example/") };
        assert!(matches!(Plan::for_site("a", &ignoring), Err(Error::NoRobotsReason { .. })));
    }
}
