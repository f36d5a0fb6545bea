//! From names to addresses, past the guard.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::error::{Error, shown};
use super::guard::Guard;
use super::seen::Seen;

/// Addresses of one name that are kept; a hostile name server may send thousands.
const ADDRESSES_MAX: usize = 16;

/// What [`Lookup::lookup`] returns.
pub type LookedUp<'a> = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name. What it finds still has to pass the guard, and the connection is made to an
/// address of that very answer.
pub trait Lookup: Send + Sync {
    /// Finds the addresses of `name`, best first. The name is in ASCII (punycode) and may end with a dot.
    fn lookup<'a>(&'a self, name: &'a str) -> LookedUp<'a>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy)]
pub(super) struct System;

impl Lookup for System {
    fn lookup<'a>(&'a self, name: &'a str) -> LookedUp<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Why a name gave no address; travels through reqwest's error chain, to be told apart from failed connections.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// All addresses of the name are forbidden.
    #[error("address {0} is not public")]
    NotPublic(IpAddr),
    /// There is none.
    #[error("{0}")]
    NoAddress(String),
}

impl Refused {
    /// The error for a request for `url`.
    pub(super) fn of(&self, url: &Url) -> Error {
        let url = shown(url);
        match self {
            Self::NotPublic(address) => Error::NotPublic { url, address: address.to_string() },
            Self::NoAddress(reason) => Error::Resolve { url, reason: reason.clone() },
        }
    }
}

/// Looks `name` up and keeps what the guard allows.
pub(super) async fn resolve(lookup: &dyn Lookup, guard: &Guard, name: &str) -> Result<Vec<IpAddr>, Refused> {
    let found = lookup.lookup(name).await.map_err(|error| Refused::NoAddress(error.to_string()))?;
    let mut kept = guard.filter(name, found).map_err(Refused::NotPublic)?;
    kept.truncate(ADDRESSES_MAX);
    if kept.is_empty() {
        return Err(Refused::NoAddress("it has no address".to_owned()));
    }
    Ok(kept)
}

/// A lookup whose answers are remembered.
struct Watched<'l> {
    lookup: &'l dyn Lookup,
    seen: &'l Seen,
}

impl Lookup for Watched<'_> {
    fn lookup<'a>(&'a self, name: &'a str) -> LookedUp<'a> {
        Box::pin(async move {
            let found = self.lookup.lookup(name).await?;
            self.seen.resolved(name, &found);
            Ok(found)
        })
    }
}

/// The guarded lookup as reqwest wants it.
pub(super) struct GuardedResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) guard: Guard,
    pub(super) seen: Arc<Seen>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, guard, seen) = (Arc::clone(&self.lookup), self.guard.clone(), Arc::clone(&self.seen));
        Box::pin(async move {
            let lookup = Watched { lookup: &*lookup, seen: &seen };
            let kept = resolve(&lookup, &guard, name.as_str()).await?;
            // Port 0: reqwest puts in the URL's.
            Ok(Box::new(kept.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
