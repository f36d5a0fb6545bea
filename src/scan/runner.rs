//! Runs of sites and looks at cases' addresses, as command line and service both do them: which settings, which client,
//! which plan.

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::crawling::Together;
use super::library::Library;
use super::pipeline::{self, Pipeline, Told};
use super::worker::Decoder;
use crate::base::Clock;
use crate::config::{FetchSettings, MatchSettings, Settings, SiteSettings};
use crate::crawl::known_host::KnownHosts;
use crate::crawl::render::Browser;
use crate::crawl::{self, Plan, SiteRecord, Summary};
use crate::matching::MatchOptions;
use crate::net::{self, Budget, Client};
use crate::rights::LicenceGraph;
use crate::store::{self, Store};

/// Bytes that `yt-dlp` may move in one process of ours.
const KNOWN_HOSTS_BYTES_MAX: u64 = 4 << 30;

/// Why a site cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What was found cannot be checked or kept.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// The site's seeds or limits are wrong.
    #[error(transparent)]
    Plan(#[from] crawl::Error),
    /// No client can be made of the settings.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// This program cannot find itself, to decode.
    #[error("this program cannot find itself: {0}")]
    Program(#[from] std::io::Error),
}

/// What runs share, and how they are done.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// The store with the catalogue and its index.
    pub library: &'a Library,
    /// Everything that is configured.
    pub settings: &'a Settings,
    /// How is fetched; a call may allow more than the configuration.
    pub fetch: &'a FetchSettings,
    /// Who may use what.
    pub licences: &'a LicenceGraph,
    /// The territory where a site names none.
    pub territory: Option<&'a str>,
    /// Who runs the sites, where a call says so.
    pub operator: Option<&'a str>,
    /// Where "now" comes from.
    pub clock: &'a dyn Clock,
    /// Turns at hosts, ears, browser.
    pub together: &'a Together,
    /// Drives the network.
    pub runtime: &'a Handle,
    /// Ends runs early.
    pub cancel: &'a CancellationToken,
}

impl Runner<'_> {
    /// The pipeline for a site, or for what belongs to none.
    ///
    /// # Errors
    /// What the system says where this program cannot find itself.
    pub fn pipeline(&self, site: Option<&SiteSettings>) -> std::io::Result<Pipeline<'_>> {
        let of_site = |field: fn(&SiteSettings) -> &Option<String>| site.and_then(|site| field(site).clone());
        Ok(Pipeline {
            library: self.library,
            decoder: Decoder::of_this_program()?,
            options: match_options(self.settings),
            licences: self.licences.clone(),
            territory: of_site(|site| &site.territory).or_else(|| self.territory.map(str::to_owned)),
            operator: self.operator.map(str::to_owned).or_else(|| of_site(|site| &site.operator)),
            clock: self.clock,
        })
    }

    /// Which catalogue is listened for, and how surely: what was heard by another is listened to again.
    #[must_use]
    pub fn catalogue(&self) -> String {
        let MatchSettings { log10_false_match_max, postings_max } = self.settings.matching;
        let version = env!("CARGO_PKG_VERSION");
        format!("{} {version} {log10_false_match_max} {postings_max}", self.library.stamp())
    }

    /// The plan of a site's run.
    ///
    /// # Errors
    /// [`crawl::Error`] where its seeds or limits are wrong.
    pub fn plan(&self, name: &str, site: &SiteSettings, fresh: bool) -> Result<Plan, crawl::Error> {
        let mut plan = Plan::for_site(name, site)?;
        plan.fresh = fresh;
        plan.catalogue = Some(self.catalogue());
        plan.render_limits = (&self.settings.render).into();
        Ok(plan)
    }

    /// The client of a site, or of what belongs to none.
    ///
    /// # Errors
    /// [`net::Error`] where its settings are wrong.
    pub fn client(&self, plan: &Plan, site: Option<&SiteSettings>) -> Result<Client, net::Error> {
        match site {
            Some(site) => Client::for_site(self.fetch, &site.fetch, plan.scope()),
            None => Client::new(self.fetch),
        }
    }

    /// Carries out a plan; `tell` hears of everything, `warn` of what is wrong with the site's settings.
    ///
    /// Blocks: not to be called on a thread of the runtime.
    ///
    /// # Errors
    /// [`RunError`] when the store fails, or the site's settings are wrong.
    pub fn run(
        &self,
        plan: &Plan,
        site: Option<&SiteSettings>,
        tell: &mut (dyn FnMut(Told<'_>) + Send),
        warn: &mut dyn FnMut(&str),
    ) -> Result<Summary, RunError> {
        let client = self.client(plan, site)?;
        for problem in client.site_problems() {
            warn(&problem.to_string());
        }
        Ok(self.pipeline(site)?.crawl(plan, &client, self.together, self.runtime, self.cancel, tell)?)
    }
}

/// Which matches are accepted, and what a search may cost.
#[must_use]
pub fn match_options(settings: &Settings) -> MatchOptions {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let MatchSettings { log10_false_match_max, postings_max } = settings.matching;
    MatchOptions { log10_false_match_max, postings_max, threads, ..MatchOptions::default() }
}

/// What the runs of a process share: who renders pages, where a site wants that and the machine can; who knows other hosts.
/// `warn` hears what cannot be had.
///
/// # Errors
/// [`net::Error`] where the settings of the network are wrong.
pub fn together(
    settings: &Settings,
    fetch: &FetchSettings,
    runtime: &Handle,
    warn: &mut dyn FnMut(&str),
) -> Result<Together, net::Error> {
    let _inside = runtime.enter();
    let client = Client::new(fetch)?;
    let mut together = Together::default();
    if settings.sites.values().any(|site| site.render) {
        match Browser::find(&settings.render, &client) {
            Ok(browser) => together.browser = Some(browser),
            Err(error) => warn(&format!("pages are not rendered: {error}")),
        }
    }
    match KnownHosts::find(&settings.known_hosts, &client, Budget::new(KNOWN_HOSTS_BYTES_MAX)) {
        Ok(known_hosts) => together.known_hosts = known_hosts,
        Err(error) => warn(&format!("known hosts are not asked: {error}")),
    }
    Ok(together)
}

/// The sites of the configuration, and those that were added to the store; the configuration goes before.
///
/// # Errors
/// [`store::Error`] when the store fails.
pub fn sites(settings: &Settings, store: &Store) -> Result<Vec<(String, SiteSettings)>, store::Error> {
    let mut sites: Vec<(String, SiteSettings)> =
        settings.sites.iter().map(|(name, site)| (name.clone(), site.clone())).collect();
    for record in store.scan::<SiteRecord>("")? {
        let record = record?;
        if !settings.sites.contains_key(&record.name) {
            sites.push((record.name, record.settings));
        }
    }
    Ok(sites)
}
