//! What must hold of everything that discovery finds, whatever the document.

use earwitness::crawl::discover::{Discovered, Hls, MediaLink};
use url::Url;

/// Checks the bounds and that only web addresses are found.
///
/// # Panics
/// When something does not hold.
pub fn check(found: &Discovered) {
    assert!(found.media.len() <= 1000 && found.links.len() <= 2000 && found.problems.len() <= 20);
    assert!(found.title.as_ref().is_none_or(|title| title.chars().count() <= 300));
    assert!(found.problems.iter().all(|problem| problem.len() <= 2000), "{:?}", found.problems);
    found.media.iter().for_each(check_media);
    found.links.iter().for_each(check_url);
    match &found.hls {
        Some(Hls::Master { chosen }) => check_url(chosen),
        Some(Hls::Media { segments, encrypted, .. }) => {
            assert!(!segments.is_empty() && segments.len() <= 7000);
            assert!(encrypted.as_ref().is_none_or(|method| method.chars().count() <= 40));
            segments.iter().for_each(|segment| check_url(&segment.url));
        }
        None => {}
    }
}

/// Checks a link to media.
///
/// # Panics
/// When something does not hold.
pub fn check_media(link: &MediaLink) {
    assert!(link.via.len() <= 200, "{} bytes say where a link was found", link.via.len());
    check_url(&link.url);
}

/// Checks that a URL is a web address without a fragment.
///
/// # Panics
/// When it is not.
pub fn check_url(url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none(), "{url}");
}
