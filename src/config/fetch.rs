//! How pages and media are fetched.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits and manners of every request. `Debug` leaves the proxy out, whose URL may hold a password.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FetchSettings {
    /// What the crawler calls itself; name a contact here. The part before the first `/` or space is the name that
    /// robots.txt is searched for.
    pub user_agent: String,
    /// Whether addresses that are not public may be fetched (loopback, private, link-local …).
    pub allow_private: bool,
    /// Places that may be fetched although they are not public: a host name (`nas.lan`), an address (`10.0.0.7`) or
    /// a block (`10.1.0.0/16`), a name or an address also with a port (`127.0.0.1:8080`: that port only).
    pub private_allowed: Vec<String>,
    /// The longest page that is read, in bytes after decompression.
    pub page_bytes_max: u64,
    /// The longest media file that is read, in bytes.
    pub media_bytes_max: u64,
    /// The longest chain of redirects that is followed.
    pub redirects_max: u32,
    /// Seconds until a connection must stand.
    pub connect_timeout_s: u64,
    /// Seconds without a byte after which a response is given up.
    pub read_timeout_s: u64,
    /// Seconds after which a media response is given up, however steadily it comes.
    pub total_timeout_s: u64,
    /// Seconds after which a page or a playlist is given up.
    pub page_timeout_s: u64,
    /// Seconds after which a robots.txt is given up.
    pub robots_timeout_s: u64,
    /// Bytes per second that a body must reach on average once `rate_grace_s` have passed; 0 asks for nothing.
    pub rate_min_bytes_per_s: u64,
    /// Seconds for which a body may be slower than `rate_min_bytes_per_s`.
    pub rate_grace_s: u64,
    /// PEM files of certificate authorities that are trusted besides those of the system.
    pub extra_root_certificates: Vec<PathBuf>,
    /// A proxy (`http://`, `https://`, `socks5://`) for all requests. It resolves the names, so private addresses
    /// behind names are then for the proxy to refuse. The environment's proxies are never used.
    pub proxy: Option<String>,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("earwitness/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_private: false,
            private_allowed: Vec::new(),
            page_bytes_max: 8 << 20,
            media_bytes_max: 2 << 30,
            redirects_max: 10,
            connect_timeout_s: 15,
            read_timeout_s: 30,
            total_timeout_s: 1800,
            page_timeout_s: 120,
            robots_timeout_s: 20,
            // A quarter of the slowest music stream in use (32 kbit/s): slower than this is a trap or of no use.
            rate_min_bytes_per_s: 1000,
            rate_grace_s: 30,
            extra_root_certificates: Vec::new(),
            proxy: None,
        }
    }
}

impl std::fmt::Debug for FetchSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FetchSettings")
            .field("user_agent", &self.user_agent)
            .field("allow_private", &self.allow_private)
            .field("private_allowed", &self.private_allowed)
            .field("page_bytes_max", &self.page_bytes_max)
            .field("media_bytes_max", &self.media_bytes_max)
            .field("redirects_max", &self.redirects_max)
            .field("connect_timeout_s", &self.connect_timeout_s)
            .field("read_timeout_s", &self.read_timeout_s)
            .field("total_timeout_s", &self.total_timeout_s)
            .field("page_timeout_s", &self.page_timeout_s)
            .field("robots_timeout_s", &self.robots_timeout_s)
            .field("rate_min_bytes_per_s", &self.rate_min_bytes_per_s)
            .field("rate_grace_s", &self.rate_grace_s)
            .field("extra_root_certificates", &self.extra_root_certificates)
            .field("proxy", &self.proxy.as_ref().map(|_| "…"))
            .finish()
    }
}
