//! The only door to the network. Here is a URL; gives its response within limits, or one clear error.
//!
//! - [`Client`]: made once from the settings; [`Client::fetch`] reads a page whole, [`Client::download`] streams
//!   media into a file, [`Client::open`] gives the head and leaves the [`Body`] to be read.
//! - [`follow`], [`Live`]: streams that never end, over HTTP or as old SHOUTcast servers send them (ICY).
//! - [`Walk`]: one request with its redirects, hop by hop, for callers that must look at each hop first.
//! - [`Guard`]: which addresses may be reached at all.
//! - [`Error`]: what went wrong, always with the URL.
//!
//! Invariants: redirects are followed by hand and every hop passes the guard; a name is resolved once per
//! connection and the address that was checked is the address that is connected to; no body is read without a cap
//! on bytes (counted after decompression), on time as a whole, between two bytes, and on the mean rate.

mod addresses;
mod body;
mod client;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod icy;
mod live;
mod walk;

pub use body::{Body, Saved};
pub use client::{Client, Kind, MediaFetched, Opened, Request, Response};
pub use error::{Deadline, Error, shown};
pub use guard::Guard;
pub use live::{Followed, Live, Progress, follow};
pub use walk::{Hop, Step, Walk};
