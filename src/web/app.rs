//! What every request is answered from.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use super::access::Throttle;
use super::desk::Desk;
use super::hooks::Hooks;
use super::metrics::Metrics;
use super::permits::Permits;
use super::runs::Runs;
use super::showing::Showing;
use super::upload;

use crate::base::{Clock, Timestamp};
use crate::cases::Calendars;
use crate::config::{self, Settings};
use crate::scan::Library;
use crate::store::Store;

/// What every request is answered from: the store with its catalogue, the settings, and what is kept in memory.
pub struct App {
    pub(super) library: Library,
    settings: RwLock<Arc<Settings>>,
    /// Where the settings come from, for reading them again.
    settings_file: Option<PathBuf>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) throttle: Throttle,
    pub(super) desk: Desk,
    pub(super) metrics: Metrics,
    pub(super) hooks: Hooks,
    pub(super) runs: Runs,
    pub(super) showing: Showing,
    pub(super) permits: Permits,
    /// Held by whoever writes notices.
    pub(super) writing: Mutex<()>,
    /// Cancelled when the service ends.
    pub(super) stop: CancellationToken,
    /// Whether browsers speak TLS with us, directly or with a proxy in front.
    pub(super) is_secure: bool,
    /// Names under which requests may come, without ports, lower case.
    pub(super) hosts: Vec<String>,
}

impl App {
    /// Makes what requests are answered from of an open library; `hosts` are names beside the configured ones.
    ///
    /// # Errors
    /// [`crate::store::Error`] when the cases cannot be read.
    pub fn new(
        (library, calendars): (Library, Calendars),
        settings: Settings,
        settings_file: Option<PathBuf>,
        clock: Arc<dyn Clock>,
        hosts: Vec<String>,
        stop: CancellationToken,
    ) -> Result<Self, crate::store::Error> {
        let serve = &settings.serve;
        let is_secure = serve.tls_certificate.is_some() || serve.plain_http;
        let named = serve.hosts.iter().map(|name| without_port(name).to_lowercase());
        let hosts = hosts.into_iter().chain(named).collect();
        upload::sweep(library.store().path());
        let desk = Desk::open(library.store(), calendars)?;
        Ok(Self {
            library,
            settings: RwLock::new(Arc::new(settings)),
            settings_file,
            clock,
            throttle: Throttle::default(),
            desk,
            metrics: Metrics::new(),
            hooks: Hooks::default(),
            runs: Runs::default(),
            showing: Showing::default(),
            permits: Permits::default(),
            writing: Mutex::new(()),
            stop,
            is_secure,
            hosts,
        })
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.library.store()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name of the file that the settings come from.
    pub(super) fn settings_file(&self) -> String {
        let file = self.settings_file.as_deref().unwrap_or(std::path::Path::new(config::FILE_NAME));
        file.display().to_string()
    }

    /// Reads the settings again. What is bound at the start stays: address, names, TLS, calendars, the browser.
    ///
    /// # Errors
    /// [`config::Error`] where the file is wrong; the old settings then stay.
    pub fn reload(&self) -> Result<(), config::Error> {
        let settings = Settings::load(self.settings_file.as_deref())?;
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        Ok(())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the session's cookie is called: the prefix makes browsers refuse it from another host or over plain HTTP.
    pub(super) const fn cookie_name(&self) -> &'static str {
        if self.is_secure { "__Host-earwitness" } else { "earwitness" }
    }
}

/// A host without its port.
pub(super) fn without_port(host: &str) -> &str {
    if let Some(end) = host.strip_prefix('[').and_then(|rest| rest.find(']')) {
        return host.get(..end + 2).unwrap_or(host);
    }
    host.rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_its_port() {
        for (host, name) in [
            ("desk.example:8180", "desk.example"),
            ("desk.example", "desk.example"),
            ("[::1]:8180", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
