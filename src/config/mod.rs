//! Settings: here is a file, the environment and the flags; gives checked [`Settings`]. Precedence: flag, then
//! environment, then file, then default.

mod cases;
mod evidence;
mod fetch;
mod hint;
mod notice;
mod site_fetch;
mod render;
mod schedule;
mod serve;
mod sites;
mod storage;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use cases::{ClaimSettings, LocalClaimSettings, PartySettings, ProviderSettings};
pub use evidence::EvidenceSettings;
pub use fetch::FetchSettings;
pub use notice::NoticeSettings;
pub use render::{KnownHostSettings, RenderSettings};
pub use schedule::{CatchUp, ScheduleSettings};
pub use serve::ServeSettings;
pub use site_fetch::SiteFetchSettings;
pub use sites::{RobotsPolicy, ScopeKind, SiteSettings};
pub use storage::StorageSettings;

/// The file's name where `--config` is not given; looked for in the current folder.
pub const FILE_NAME: &str = "earwitness.toml";

/// The store's folder where nothing else is said.
pub const DEFAULT_STORE: &str = "fingerprints/store";

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The folder of the store. Default: `fingerprints/store`.
    pub store: Option<PathBuf>,
    /// How the store treats the disk.
    pub storage: StorageSettings,
    /// How matches are accepted.
    pub matching: MatchSettings,
    /// How pages and media are fetched.
    pub fetch: FetchSettings,
    /// How pages that are made by scripts are rendered.
    pub render: RenderSettings,
    /// Whether and how `yt-dlp` is asked for the media of hosts that it knows.
    pub known_hosts: KnownHostSettings,
    /// The sites that `crawl run` visits, by name.
    pub sites: std::collections::BTreeMap<String, SiteSettings>,
    /// How evidence is secured.
    pub evidence: EvidenceSettings,
    /// What is claimed in cases and notices, and who sends them.
    pub claim: ClaimSettings,
    /// How notices are written, and what must hold before one is.
    pub notice: NoticeSettings,
    /// Who receives notices, by registrable domain: `[providers."example.com"]`.
    pub providers: std::collections::BTreeMap<String, ProviderSettings>,
    /// How the review desk, its API and the scheduler are served.
    pub serve: ServeSettings,
}

/// How matches are accepted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MatchSettings {
    /// Only matches whose `log10_false_match` is at most this are reported. Default −6.
    pub log10_false_match_max: f64,
    /// About so many entries of the index may be looked at for one query, or 30,000 for each of its seconds where that is
    /// more. Beyond, the most frequent are left out, and a warning says so. Only a catalogue of very many recordings comes
    /// near it. Default 3,000,000.
    pub postings_max: u64,
}

impl Default for MatchSettings {
    fn default() -> Self {
        Self { log10_false_match_max: -6.0, postings_max: 3_000_000 }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be; the message holds line, column and the keys that are known.
    #[error("configuration {path}: {source}{}", hint::line(.source))]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: Box<toml::de::Error>,
    },
}

impl Settings {
    /// Reads the settings from `path`, or from [`FILE_NAME`] in the current folder if that exists and `path` is
    /// `None`; without either, the defaults.
    ///
    /// # Errors
    /// [`Error`] when a named file cannot be read, or a file holds an unknown key or a wrong value.
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        let path = match path {
            Some(path) => path.to_owned(),
            None if Path::new(FILE_NAME).is_file() => PathBuf::from(FILE_NAME),
            None => return Ok(Self::default()),
        };
        let text =
            std::fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        Self::parse(&text, &path)
    }

    /// Reads the settings from the text of a file; `path` is named in the error.
    ///
    /// # Errors
    /// [`Error::Parse`] for an unknown key, a wrong value, or what is no TOML.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        toml::from_str(text)
            .map_err(|source| Error::Parse { path: path.to_owned(), source: Box::new(source) })
    }
}

/// Returns the JSON Schema of the file, for editors; `docs/earwitness.schema.json` is its copy.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Settings)
}
