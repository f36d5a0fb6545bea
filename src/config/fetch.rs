//! How pages and media are fetched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits and manners of every request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FetchSettings {
    /// What the crawler calls itself; name a contact here.
    pub user_agent: String,
    /// Whether addresses that are not public may be fetched (loopback, private, link-local …).
    pub allow_private: bool,
    /// The longest page that is read, in bytes.
    pub page_bytes_max: u64,
    /// The longest media file that is read, in bytes.
    pub media_bytes_max: u64,
    /// The longest chain of redirects that is followed.
    pub redirects_max: u32,
    /// Seconds until a connection must stand.
    pub connect_timeout_s: u64,
    /// Seconds without a byte after which a response is given up.
    pub read_timeout_s: u64,
    /// Seconds after which a response is given up, however steadily it comes.
    pub total_timeout_s: u64,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("earwitness/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_private: false,
            page_bytes_max: 8 << 20,
            media_bytes_max: 2 << 30,
            redirects_max: 10,
            connect_timeout_s: 15,
            read_timeout_s: 30,
            total_timeout_s: 1800,
        }
    }
}
