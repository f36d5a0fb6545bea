//! The service as a whole: what it listens at, by which certificate, and how it ends.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::control;
use super::server;
use crate::config::ServeSettings;

/// Why the service cannot begin, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none, or belongs to others.
    #[error("cannot listen at {listen}: {source}")]
    Listen {
        /// What was to be listened at.
        listen: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others could read passwords on the way.
    #[error(
        "{listen} can be reached by others, and passwords must not go there unencrypted: set serve.tls_certificate and \
         serve.tls_key, or serve.plain_http behind a proxy that speaks TLS, or listen at 127.0.0.1"
    )]
    Plain {
        /// What was to be listened at.
        listen: String,
    },
    /// Certificate or key cannot be used.
    #[error("{path}: {what}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The connections cannot be served any more.
    #[error("the service cannot go on: {0}")]
    Serve(#[source] std::io::Error),
}

/// A service that listens, and does not answer yet.
pub struct Service {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
    drain: Duration,
}

impl Service {
    /// Binds the address, and reads certificate and key.
    ///
    /// # Errors
    /// [`Error`] where that cannot be done, or passwords would go unencrypted where others can read them.
    pub async fn bind(settings: &ServeSettings) -> Result<Self, Error> {
        let failed = |source| Error::Listen { listen: settings.listen.clone(), source };
        let tls = acceptor(settings)?;
        let addresses: Vec<SocketAddr> = settings.listen.to_socket_addrs().map_err(failed)?.collect();
        let is_open = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
        if is_open && tls.is_none() && !settings.plain_http {
            return Err(Error::Plain { listen: settings.listen.clone() });
        }
        let listener = TcpListener::bind(addresses.as_slice()).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, tls, address, drain: Duration::from_secs(settings.drain_s) })
    }

    /// The address that is listened at.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The names under which it is always known: the address, and this machine's where it listens there.
    #[must_use]
    pub fn own_hosts(&self) -> Vec<String> {
        let own = match self.address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        let here = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let mut hosts = vec![own];
        if self.address.ip().to_canonical().is_loopback() || self.address.ip().is_unspecified() {
            hosts.extend(here);
        }
        hosts
    }

    /// Answers requests until `stop`, then finishes what is in hand in a bounded time.
    ///
    /// # Errors
    /// [`Error::Serve`] where the system accepts no connections any more.
    pub async fn run(self, app: Arc<App>, stop: CancellationToken) -> Result<(), Error> {
        let control = tokio::spawn(control::listen(Arc::clone(&app)));
        let served = server::serve(app, self.listener, self.tls, stop.clone(), self.drain).await;
        stop.cancel();
        // It ends at once, and takes its socket away.
        let _ = tokio::time::timeout(self.drain, control).await;
        served.map_err(Error::Serve)
    }
}

fn acceptor(settings: &ServeSettings) -> Result<Option<TlsAcceptor>, Error> {
    let (certificate, key) = match (&settings.tls_certificate, &settings.tls_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(path), None) | (None, Some(path)) => {
            return Err(wrong(path, &"serve.tls_certificate and serve.tls_key go together"));
        }
    };
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"it holds no certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificate, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| wrong(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn wrong(path: &Path, what: &dyn std::fmt::Display) -> Error {
    Error::Tls { path: path.to_owned(), what: what.to_string() }
}
