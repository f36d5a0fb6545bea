//! Connecting to a target: judged as URL, its addresses judged, and connected to one of those.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use url::{Host, Url};

use super::super::client::Client;
use super::super::error::{Deadline, Error, shown};
use super::super::lookup;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Connects to the host of `url`, which the guard's [`check_url`](super::super::Guard::check_url) has passed.
pub(super) async fn connect(client: &Client, url: &Url) -> Result<TcpStream, Error> {
    let port = url.port_or_known_default().unwrap_or(0);
    let addresses = match url.host() {
        // Literal addresses were judged with the URL.
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => resolve(client, url, (name, port)).await?,
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
async fn resolve(client: &Client, url: &Url, (name, port): (&str, u16)) -> Result<Vec<SocketAddr>, Error> {
    let resolving = lookup::resolve(&*client.lookup, &client.guard, name);
    match tokio::time::timeout(client.limits.connect_timeout, resolving).await {
        Ok(Ok(found)) => Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect()),
        Ok(Err(refused)) => Err(refused.of(url)),
        Err(_) => Err(too_late(client, url)),
    }
}

fn too_late(client: &Client, url: &Url) -> Error {
    let seconds = client.limits.connect_timeout.as_secs();
    Error::Timeout { url: shown(url), deadline: Deadline::Connect, seconds }
}
