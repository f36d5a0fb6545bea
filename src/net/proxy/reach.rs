//! Connecting to a target: judged as URL, its addresses judged, and connected to one of those.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;
use url::{Host, Url};

use super::super::client::Client;
use super::super::error::{Deadline, Error, shown};

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// How names become addresses; another one in tests, which then change their mind.
pub(super) type Lookup = Arc<dyn Fn(String, u16) -> Looking + Send + Sync>;
pub(super) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The system's resolver.
pub(super) fn system() -> Lookup {
    Arc::new(|name, port| Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) }))
}

/// Connects to the host of `url`, which the guard's [`check_url`](super::super::Guard::check_url) has passed.
pub(super) async fn connect(client: &Client, lookup: &Lookup, url: &Url) -> Result<TcpStream, Error> {
    let port = url.port_or_known_default().unwrap_or(0);
    let addresses = match url.host() {
        // Literal addresses were judged with the URL.
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => resolve(client, lookup, url, (name, port)).await?,
        None => Vec::new(),
    };
    let time_max = client.limits.connect_timeout;
    let mut last = Error::Resolve { url: shown(url), reason: "it has no address".to_owned() };
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        match tokio::time::timeout(time_max, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Error::Connect { url: shown(url), reason: error.to_string() },
            Err(_) => last = too_late(client, url),
        }
    }
    Err(last)
}

/// Resolves a name once and keeps what the guard allows.
async fn resolve(
    client: &Client,
    lookup: &Lookup,
    url: &Url,
    (name, port): (&str, u16),
) -> Result<Vec<SocketAddr>, Error> {
    let time_max = client.limits.connect_timeout;
    let found = match tokio::time::timeout(time_max, lookup(name.to_owned(), port)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(Error::Resolve { url: shown(url), reason: error.to_string() }),
        Err(_) => return Err(too_late(client, url)),
    };
    client
        .guard
        .filter(name, found)
        .map_err(|refused| Error::NotPublic { url: shown(url), address: refused.0.to_string() })
}

fn too_late(client: &Client, url: &Url) -> Error {
    let seconds = client.limits.connect_timeout.as_secs();
    Error::Timeout { url: shown(url), deadline: Deadline::Connect, seconds }
}
