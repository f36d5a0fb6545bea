//! What pages load: one style sheet, one script, one sign, in the program itself. Their names hold their digests, so that a browser
//! may keep them for ever.

use std::sync::LazyLock;

use super::fault::Fault;
use super::reply::Reply;
use crate::base::Digest;

/// A file that pages load.
pub(super) struct Asset {
    /// Its name under `/assets/`.
    pub(super) name: String,
    content_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let digest: String = Digest::of(bytes).to_string().chars().take(12).collect();
        Self { name: format!("{stem}-{digest}.{ending}"), content_type, bytes }
    }
}

/// The style of all pages.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("desk", "css", "text/css; charset=utf-8", include_bytes!("assets/desk.css")));
/// The keys, players and live figures of all pages.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("desk", "js", "text/javascript; charset=utf-8", include_bytes!("assets/desk.js"))
});

/// The sign of the desk, for the browser's tabs.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("desk", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

/// Gives the file of a name.
pub(super) fn get(name: &str) -> Result<Reply, Fault> {
    let known = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.name == name);
    known
        .map(|asset| Reply::asset(asset.content_type, asset.bytes))
        .ok_or_else(|| Fault::not_found("there is no such file"))
}
