//! The guarded proxy: a forward HTTP proxy on loopback, for children whose network must keep our rules.
//!
//! A browser or a resolver of media pages brings a network stack of its own, which knows nothing of the guard. Told to
//! use this proxy, each of its connections is judged here as our own are: the URL with its port, the caller's
//! [`Policy`], the addresses of the name; and the connection goes to an address that was judged, so that a name that
//! changes its address gains nothing. Bytes are counted against the run's bound and a [`Budget`] that runs share.
//!
//! - [`GuardedProxy::start`]: opens the port; all ends when the value is dropped.
//! - [`GuardedProxy::take_log`]: what was asked for, and what was refused and why.
//!
//! The port is open to everybody on this machine, so each request must carry a credential of 256 random bits
//! ([`GuardedProxy::user`], [`GuardedProxy::password`]). Who can read the child's environment or memory (the same
//! user, the superuser) can use it for as long as the child runs, within the same rules.
//!
//! The way of one request, in the order of the files: `service` (is it allowed) → `reach` (connect) → `meter` (count).

mod log;
mod meter;
mod reach;
mod service;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::{Host, Url};

pub use self::log::{Asked, Log, Outcome};
pub use self::meter::Budget;
use self::service::Shared;
use super::client::Client;
use super::error::Error;

/// What the caller says to a host and port before anything is resolved: nothing, or why not.
pub type Policy = Arc<dyn Fn(&Host<String>, u16) -> Result<(), String> + Send + Sync>;

/// The bounds of one proxy.
#[derive(Debug, Clone, Copy)]
pub struct ProxyLimits {
    /// Connections at a time; more of them wait. A browser opens up to 32 to one proxy.
    pub connections_max: usize,
    /// Requests and tunnels in all.
    pub requests_max: u64,
    /// Bytes in all, both ways.
    pub bytes_max: u64,
    /// Time after which everything is closed.
    pub time_max: Duration,
}

/// Bytes of a request's head; browsers keep theirs under 16 KiB.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Time for a head to come, so that a silent stranger does not hold a connection.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// A proxy that is running; it ends, with all of its connections, when this is dropped.
pub struct GuardedProxy {
    address: SocketAddr,
    password: String,
    mark: String,
    shared: Arc<Shared>,
    _ends: DropGuard,
}

/// The user's name in the credential; the secret is the password.
const USER: &str = "earwitness";

impl GuardedProxy {
    /// Opens the proxy on a free port of loopback. `total` is shared with other runs; `policy` is asked about each
    /// target beside the client's guard.
    ///
    /// # Errors
    /// [`Error::Setting`] where `fetch.proxy` is set: a proxy behind this one would resolve the names, and nothing that
    /// is promised here would hold. Also when no port or no random number is to be had.
    pub async fn start(
        client: &Client,
        limits: ProxyLimits,
        total: Budget,
        policy: Policy,
    ) -> Result<Self, Error> {
        if client.proxy.is_some() {
            return Err(Error::Setting {
                key: "proxy",
                reason: "pages cannot be rendered, nor known hosts asked, through another proxy, since it would resolve \
                         the names unseen; leave it out to use `render` or `known_hosts`"
                    .to_owned(),
            });
        }
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| cannot_open(&error))?;
        let address = listener.local_addr().map_err(|error| cannot_open(&error))?;
        let (password, mark) = (random_word()?, random_word()?);
        let ends = CancellationToken::new();
        let credential = (USER, password.as_str());
        let shared =
            Arc::new(Shared::new(client.clone(), limits, total, policy, credential, &mark, ends.clone()));
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, password, mark, shared, _ends: ends.drop_guard() })
    }

    /// Returns where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the name in the credential.
    #[must_use]
    pub const fn user(&self) -> &'static str {
        USER
    }

    /// Returns the secret in the credential. Not for command lines, which everybody on the machine can read.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Returns the proxy's URL with its credential, for a child's environment.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{USER}:{}@{}", self.password, self.address)
    }

    /// Returns whether a response's headers say that this proxy made it to refuse a plain request; no server can claim
    /// so, since the word is secret.
    #[must_use]
    pub fn is_refusal(&self, header_name: &str, value: &str) -> bool {
        header_name.eq_ignore_ascii_case(service::MARK_HEADER) && value == self.mark
    }

    /// Returns how many bytes went through so far, both ways.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.limits.bytes_max.saturating_sub(self.shared.run.left())
    }

    /// Takes what was asked so far; later calls give what came after.
    #[must_use]
    pub fn take_log(&self) -> Log {
        self.shared.take_log()
    }
}

impl std::fmt::Debug for GuardedProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedProxy").field("address", &self.address).finish_non_exhaustive()
    }
}

fn cannot_open(error: &std::io::Error) -> Error {
    Error::Connect { url: "http://127.0.0.1/".to_owned(), reason: format!("no port for the proxy: {error}") }
}

/// 256 random bits in hexadecimal digits.
fn random_word() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).map_err(|_| Error::Connect {
        url: "http://127.0.0.1/".to_owned(),
        reason: "the system gives no random numbers for the proxy's password".to_owned(),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Takes connections until the time is over or the proxy is dropped.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.limits.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    let taking = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => shared.spawn(serve(stream, Arc::clone(&shared), place.into())),
                // Out of descriptors, mostly: a moment later some are free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let bounded = tokio::time::timeout(shared.limits.time_max, taking);
    let _ = shared.ends.run_until_cancelled(bounded).await;
    shared.ends.cancel();
}

/// A place among the connections, held until the last task of the connection has ended.
type Place = Arc<tokio::sync::OwnedSemaphorePermit>;

async fn serve(stream: TcpStream, shared: Arc<Shared>, place: Place) {
    let service = hyper::service::service_fn(move |request| {
        service::answer(Arc::clone(&shared), request, Arc::clone(&place))
    });
    // How a connection ends is the child's affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// Returns the URL by which a target is judged and named: of a tunnel the port is all that is known.
pub(super) fn tunnel_url(authority: &str) -> Option<Url> {
    let url = Url::parse(&format!("https://{authority}/")).ok()?;
    let has_credential = !url.username().is_empty() || url.password().is_some();
    // `url` leaves out a port that is the scheme's own, so it is looked for in the text.
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    (has_port && !has_credential && url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        .then_some(url)
}
