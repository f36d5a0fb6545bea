//! What every command is given: checked settings and the global options.

use std::path::PathBuf;

use super::args::{Color, Global};
use crate::base::{Clock, SystemClock};
use crate::config::{DEFAULT_STORE, Settings};
use crate::matching::MatchOptions;
use crate::scan::match_options;
use crate::store::{Options, Store};

/// How the process ends; the contract that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing unlicensed found.
    Done = 0,
    /// At least one UNLICENSED, or a failed verification.
    Unlicensed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Done, but some inputs failed.
    SomeFailed = 3,
    /// Could not run: store locked or damaged, no space.
    CouldNotRun = 4,
}

/// Settings, options and clock of this process.
pub struct Context {
    /// The checked settings.
    pub settings: Settings,
    /// The file that they were asked of, where one was named.
    pub settings_file: Option<PathBuf>,
    /// The folder of the store.
    pub store_path: PathBuf,
    /// Whether stdout is JSON Lines.
    pub json: bool,
    /// Whether stderr is only errors.
    pub quiet: bool,
    /// Whether tables are coloured; `None` asks the terminal.
    pub color: Option<bool>,
    /// Where "now" comes from.
    pub clock: Box<dyn Clock>,
}

impl Context {
    pub(super) fn new(global: &Global) -> anyhow::Result<Self> {
        let settings = Settings::load(global.config.as_deref())?;
        let store_path =
            global.store.clone().or_else(|| settings.store.clone()).unwrap_or_else(|| DEFAULT_STORE.into());
        let color = match global.color {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        };
        Ok(Self {
            settings,
            settings_file: global.config.clone(),
            store_path,
            json: global.json,
            quiet: global.quiet,
            color,
            clock: Box::new(SystemClock),
        })
    }

    /// Which matches are accepted, and what a search may cost.
    #[must_use]
    pub fn match_options(&self) -> MatchOptions {
        match_options(&self.settings)
    }

    /// Opens the store.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_store(&self) -> Result<Store, crate::store::Error> {
        Store::open_with(&self.store_path, self.store_options())
    }

    /// Returns how the store is opened.
    #[must_use]
    pub fn store_options(&self) -> Options {
        Options { keep_free_bytes: self.settings.storage.keep_free_bytes, ..Options::default() }
    }
}
