//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use url::Url;

use super::address;
use super::discover::{MediaLink, sitemap as maps};

/// What a sitemap lists: pages, media, further sitemaps, problems.
pub type Listed = (Vec<Url>, Vec<MediaLink>, Vec<Url>, Vec<String>);

/// Reads a sitemap.
#[must_use]
pub fn sitemap(url: &Url, bytes: &[u8]) -> Listed {
    let map = maps::read(url, bytes);
    (map.pages, map.media, map.sitemaps, map.problems)
}

/// Why a URL looks like a trap.
#[must_use]
pub fn trap(url: &Url) -> Option<&'static str> {
    address::trap(url)
}

/// Scheme, host and port of a URL.
#[must_use]
pub fn authority(url: &Url) -> String {
    address::authority(url)
}

/// How many shapes a URL has in common with others.
#[must_use]
pub fn shapes(url: &Url) -> usize {
    super::shapes::of(url).len()
}
