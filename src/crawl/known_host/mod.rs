//! Known hosts: here is a URL; where `yt-dlp` is on the machine and may be asked, and knows the host, gives the URLs of
//! its media. The media itself is fetched by us.
//!
//! - [`KnownHosts::find`]: looks for `yt-dlp`, where the settings allow it.
//! - [`KnownHosts::resolve`]: one URL → [`Resolved`], or [`Error::Unknown`] where no extractor of its own knows it: the
//!   generic one, which guesses at any page, is left out, since discovery is the crawl's own work.
//!
//! `yt-dlp` runs as a child in a group of its own, without configuration, plug-ins, cache, cookies, helpers for
//! scripts or programs of ours in its environment, with bounds on memory, CPU time, files, output and time. It takes its proxy from its
//! environment, which other users cannot read: a [`GuardedProxy`], so that its requests keep the
//! crawl's rules. It is a program of the operator's own choice and is trusted to use the proxy: nothing but its limits
//! and its good will keep it from the network.
//!
//! In the order of the files: `child` (asked) → `answer` (read).

mod answer;
mod child;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use self::answer::{Answer, read};
pub use self::answer::{KnownMedia, MediaKind};
use crate::config::KnownHostSettings;
use crate::net::{self, Budget, Client, GuardedProxy, Policy, ProxyLimits, shown};

/// Children at a time: each is a Python of 100 MB.
const CHILDREN_MAX: usize = 2;
/// Connections of a child at a time.
const CONNECTIONS_MAX: usize = 16;

/// Why a URL could not be resolved. Each message names the URL, or the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may be asked, but is not there.
    #[error(
        "known hosts cannot be asked: {looked_for}; install yt-dlp (pip install yt-dlp), name it in \
         known_hosts.program, or set known_hosts.allow = false"
    )]
    Missing {
        /// What was looked for.
        looked_for: String,
    },
    /// It does not start.
    #[error("{program} does not start ({reason})", program = .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The guard said no, or the proxy could not be opened.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The caller's policy forbids the host.
    #[error("{url}: not asked about: {reason}")]
    Refused {
        /// The URL.
        url: String,
        /// Which rule forbids it.
        reason: String,
    },
    /// It knows no such host: to be crawled as any other.
    #[error("{url}: yt-dlp knows no such host")]
    Unknown {
        /// The URL.
        url: String,
    },
    /// It knows the host, but gives nothing.
    #[error("{url}: yt-dlp says: {reason}")]
    Failed {
        /// The URL.
        url: String,
        /// What it said, in one line.
        reason: String,
    },
    /// The time is over.
    #[error("{url}: yt-dlp gave no answer within {seconds} s (known_hosts.timeout_s)")]
    Timeout {
        /// The URL.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// The answer is too long or makes no sense.
    #[error("{url}: yt-dlp's answer cannot be used ({reason})")]
    Answer {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a known host has at a URL.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The extractor that knew it.
    pub extractor: String,
    /// The media, the best that is only audio, else the smallest with audio, one of each entry.
    pub media: Vec<KnownMedia>,
    /// Pages that a playlist or channel lists without their media; to be resolved one by one, at the crawl's pace.
    pub pages: Vec<Url>,
    /// What it was not let reach, and why.
    pub refused: Vec<(String, String)>,
    /// What was left out, and why.
    pub problems: Vec<String>,
    /// Bytes that it moved, both ways.
    pub bytes: u64,
}

/// The machine's `yt-dlp`. Cheap to clone; clones share the bound on children at a time.
#[derive(Clone)]
pub struct KnownHosts {
    program: PathBuf,
    settings: KnownHostSettings,
    client: Client,
    total: Budget,
    places: Arc<Semaphore>,
}

impl KnownHosts {
    /// Looks for `yt-dlp`; `None` where the settings do not allow it. What it moves counts against `total`.
    ///
    /// # Errors
    /// [`Error::Missing`] where it is allowed but not there; the crawl can go on without.
    pub fn find(settings: &KnownHostSettings, client: &Client, total: Budget) -> Result<Option<Self>, Error> {
        if !settings.allow {
            return Ok(None);
        }
        let program = find(settings, std::env::var_os("PATH").as_deref())?;
        let (settings, client) = (settings.clone(), client.clone());
        Ok(Some(Self { program, settings, client, total, places: Arc::new(Semaphore::new(CHILDREN_MAX)) }))
    }

    /// Returns the program that is used.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Asks about one URL. `policy` is asked about each host and port that the child wants to reach.
    ///
    /// # Errors
    /// [`Error`], one line; [`Error::Unknown`] is no failure but the usual answer.
    pub async fn resolve(&self, url: &Url, policy: Policy) -> Result<Resolved, Error> {
        self.client.check(url)?;
        let host = url.host().map(|host| host.to_owned());
        if let Some(Err(reason)) = host.map(|host| policy(&host, url.port_or_known_default().unwrap_or(0))) {
            return Err(Error::Refused { url: shown(url), reason });
        }
        let _place = self.places.acquire().await;
        let time_max = Duration::from_secs(self.settings.timeout_s.clamp(1, 3600));
        let bounds = ProxyLimits {
            connections_max: CONNECTIONS_MAX,
            requests_max: self.settings.requests_max,
            bytes_max: self.settings.bytes_max,
            time_max: time_max + Duration::from_secs(5),
        };
        let proxy = GuardedProxy::start(&self.client, bounds, self.total.clone(), policy).await?;
        let said = child::ask(&self.program, &self.settings, &proxy, url, time_max).await?;
        let Answer { extractor, media, pages, problems } = read(&said, url, &self.settings)?;
        let log = proxy.take_log();
        let refused = log.refused().map(|(target, why)| (target.to_owned(), why.to_owned())).collect();
        Ok(Resolved { extractor, media, pages, refused, problems, bytes: proxy.bytes() })
    }
}

fn find(settings: &KnownHostSettings, path: Option<&OsStr>) -> Result<PathBuf, Error> {
    if let Some(program) = &settings.program {
        if program.is_file() {
            return Ok(program.clone());
        }
        let looked_for = format!("{} (known_hosts.program) is not there", program.display());
        return Err(Error::Missing { looked_for });
    }
    path.into_iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join("yt-dlp"))
        .find(|program| program.is_absolute() && program.is_file())
        .ok_or_else(|| Error::Missing { looked_for: "yt-dlp is not on the PATH".to_owned() })
}
