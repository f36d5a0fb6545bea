//! What was recorded when a case's file was seen.

use serde::{Deserialize, Serialize};

use crate::crawl::Sighting;
use crate::net::Exchange;

/// One sighting of a case's file, with every request and answer on the way to it: the hosts' robots.txt, the page with
/// what it was redirected from, manifests and keys of streams, and the media itself. The bodies are blobs of the store, by
/// their digests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// The sighting.
    pub sighting: Sighting,
    /// The requests and answers, in the order in which they were made.
    pub exchanges: Vec<Exchange>,
}
