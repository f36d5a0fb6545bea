//! The only door to the network. Here is a URL; gives its response within limits, or one clear error.
//!
//! - [`Client`]: made once from the settings; [`Client::fetch`] reads a page whole, [`Client::download`] streams
//!   media into a file, [`Client::open`] gives the head and leaves the [`Body`] to be read.
//! - [`Client::for_site`]: with one site's own headers, cookies, proxy and user agent.
//! - [`Request`]: what is wanted: the whole or a [`Range`] of one [`Version`], only what has changed since
//!   [`Validators`], within [`Allowance`]s, counted by a [`Meter`].
//!   With an [`Upload`] it is a POST.
//! - [`follow`], [`Live`]: streams that never end, over HTTP or as old SHOUTcast servers send them (ICY).
//! - [`Trace`]: records a request with its redirects as [`Exchange`]s, for the evidence.
//! - [`Walk`]: one request with its redirects, hop by hop, for callers that must look at each hop first.
//! - [`Guard`]: which addresses may be reached at all; [`Lookup`]: from names to addresses.
//! - [`GuardedProxy`]: the same rules for children with a network stack of their own.
//! - [`Error`]: what went wrong, always with the URL.
//!
//! Invariants: redirects are followed by hand and every hop passes the guard; a name is resolved once per
//! connection and the address that was checked is the address that is connected to; no body is read without a cap
//! on bytes (on the wire and after decompression), on time as a whole, between two bytes, and on the mean rate; what
//! belongs to one site is sent to its own hosts only, and its secrets are in no error, log or `Debug` output.

mod addresses;
mod archived;
mod body;
mod client;
mod cookies;
mod cookies_txt;
mod error;
mod exchange;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod heads;
mod icy;
mod inflate;
mod limits;
mod live;
mod lookup;
mod meter;
mod opened;
mod range;
mod request;
mod retry_after;
mod seen;
mod site;
mod suites;
mod tls;
mod trace;
mod validators;
mod proxy;
mod walk;

pub use body::{Body, Saved};
pub use client::Client;
pub use error::{Deadline, Error, shown};
pub use exchange::{DnsAnswer, Exchange, TlsSeen, Truncated};
pub use guard::Guard;
pub use live::{Followed, Live, Progress, follow};
pub use lookup::{LookedUp, Lookup};
pub use meter::{Allowance, Meter};
pub use opened::{MediaFetched, Opened, Response};
pub use proxy::{Asked, Budget, GuardedProxy, Log, Outcome, Policy, ProxyLimits};
pub use range::{ContentRange, Range};
pub use request::{Kind, Request, Upload};
pub use retry_after::retry_after;
pub use site::Scope;
pub use trace::{Recorded, Trace};
pub use validators::{Validators, Version};
pub use walk::{Hop, Step, Walk};
