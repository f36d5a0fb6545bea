//! How one site is asked otherwise than the rest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one site is sent beyond what every site is sent: `[sites.NAME.fetch]`. It holds secrets, which its `Debug`
/// leaves out.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SiteFetchSettings {
    /// Headers that are sent to hosts of the site, and to no other, not even where the site redirects there.
    pub headers: BTreeMap<String, String>,
    /// A file of cookies as browsers' extensions and curl write it (Netscape's `cookies.txt`). Each goes where its
    /// line says, and only to hosts of the site.
    pub cookies_file: Option<PathBuf>,
    /// A proxy for this site's requests, in place of `fetch.proxy`.
    pub proxy: Option<String>,
    /// What the crawler calls itself at this site, in place of `fetch.user_agent`.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for SiteFetchSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteFetchSettings")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("cookies_file", &self.cookies_file)
            .field("proxy", &self.proxy.as_ref().map(|_| "…"))
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let settings = SiteFetchSettings {
            headers: BTreeMap::from([("Authorization".to_owned(), "Bearer hidden".to_owned())]),
            proxy: Some("http://me:hidden@proxy.example".to_owned()),
            ..Default::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("Authorization") && !shown.contains("hidden"), "{shown}");
    }
}
