//! How the review desk is served.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Network;

/// How the review desk, its API and the scheduler are served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServeSettings {
    /// The address and port that are listened at. Default `127.0.0.1:8180`. Another address than loopback needs
    /// `tls_certificate` and `tls_key`, or `plain_http`.
    pub listen: String,
    /// Names by which people reach the desk, as they stand in the browser's address line (`desk.label.example`, with a port
    /// where it is another than 80 or 443). Requests for other names are refused; the address that is listened at, and
    /// `localhost`, are always known.
    pub hosts: Vec<String>,
    /// PEM file with the certificate chain of the desk, the desk's own first. Needed beside `tls_key`.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// Serve without TLS at an address that others can reach: only behind a proxy that speaks TLS with the browsers.
    /// Default false.
    pub plain_http: bool,
    /// Addresses (`192.0.2.7`) and networks (`10.0.0.0/8`, `2001:db8::/32`) of proxies in front of the desk. What they say in
    /// `X-Forwarded-For` is believed: their clients' addresses are counted in place of theirs. Default: none, and the header is
    /// ignored.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<Network>,
    /// The language of pages for browsers that ask for none that is known: `en`, `zh` or `ja`. Default `en`.
    pub language: String,
    /// How many requests a second one address may make; 0 for any number. Behind a proxy that `trusted_proxies` does not name,
    /// all browsers have its address. Default 100.
    pub requests_a_second: u32,
    /// The longest file that somebody may send to have it verified, in bytes. Default 1 GiB.
    pub upload_bytes_max: u64,
    /// How many sites are crawled at once by their schedules. Default 2.
    pub crawls_at_once: usize,
    /// How many seconds work in hand is waited for when the service is told to stop. Default 20.
    pub drain_s: u64,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8180".to_owned(),
            hosts: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            plain_http: false,
            trusted_proxies: Vec::new(),
            language: "en".to_owned(),
            requests_a_second: 100,
            upload_bytes_max: 1 << 30,
            crawls_at_once: 2,
            drain_s: 20,
        }
    }
}

impl ServeSettings {
    /// Whether all clients seem to have one address: that of a proxy in front, which is not named.
    #[must_use]
    pub const fn shares_addresses(&self) -> bool {
        self.plain_http && self.trusted_proxies.is_empty()
    }
}
