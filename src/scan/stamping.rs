//! The time-stamp authority that is configured, and what its tokens say of this machine's clock.

use std::cell::RefCell;

use url::Url;

use crate::base::{Clock, Digest, chain};
use crate::config::Settings;
use crate::evidence::timestamp::{Patience, obtain, read_roots};
use crate::evidence::{self, ClockReading, keep_reading};
use crate::net::{self, Client};
use crate::store::Store;

/// Why there is no authority, although one is configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error("{0}")]
    Setting(String),
    /// The network's settings are wrong.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The system gives no runtime.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// The configured time-stamp authority.
pub struct Authority<'c> {
    client: Client,
    url: Url,
    roots: Vec<Vec<u8>>,
    patience: Patience,
    runtime: tokio::runtime::Runtime,
    clock: &'c dyn Clock,
    /// What its tokens say of this machine's clock.
    readings: RefCell<Vec<ClockReading>>,
}

impl<'c> Authority<'c> {
    /// Makes ready to ask it; none where none is configured.
    ///
    /// # Errors
    /// [`Error`] that names the setting that is wrong.
    pub fn configured(settings: &Settings, clock: &'c dyn Clock) -> Result<Option<Self>, Error> {
        let evidence = &settings.evidence;
        let Some(url) = &evidence.timestamp_url else { return Ok(None) };
        let url =
            Url::parse(url).map_err(|error| Error::Setting(format!("evidence.timestamp_url: {error}")))?;
        let roots = read_roots(&evidence.timestamp_roots)
            .map_err(|error| Error::Setting(format!("evidence.timestamp_roots: {error}")))?;
        if roots.is_empty() {
            return Err(Error::Setting(
                "evidence.timestamp_url needs evidence.timestamp_roots beside it".to_owned(),
            ));
        }
        let patience = Patience { tries: evidence.timestamp_tries, ..Patience::default() };
        let client = Client::new(&settings.fetch)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Some(Self { client, url, roots, patience, runtime, clock, readings: RefCell::default() }))
    }

    /// Asks for a token over a digest; gives its DER bytes. Blocks: not for a thread of a runtime.
    ///
    /// # Errors
    /// Why there is none, in a line.
    pub fn stamp(&self, digest: &Digest) -> Result<Vec<u8>, String> {
        let asked_at = self.clock.now();
        let asked = obtain(&self.client, &self.url, digest, &self.roots, self.patience);
        let token = self.runtime.block_on(asked).map_err(|error| chain(&error))?;
        self.readings.borrow_mut().push(ClockReading {
            asked_at,
            answered_at: self.clock.now(),
            said_at: token.stamped.at,
            accuracy_us: token.stamped.accuracy_us,
            authority: token.stamped.authority,
        });
        Ok(token.response)
    }

    /// Keeps what was learnt of the clock, for the bundles that are made next.
    ///
    /// # Errors
    /// [`evidence::Error`] when the store fails.
    pub fn keep_readings(&self, store: &Store) -> Result<(), evidence::Error> {
        self.readings.take().iter().try_for_each(|reading| keep_reading(store, reading))
    }
}
