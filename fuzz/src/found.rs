//! What must hold of everything that discovery finds, whatever the document.

use earwitness::crawl::discover::{Discovered, MediaLink, Segment, Stream};
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
    assert!(found.leads.len() <= 500);
    for lead in &found.leads {
        assert!(!lead.target.is_empty() && lead.target.len() <= 30_000, "{} bytes", lead.target.len());
        assert!(lead.via.len() <= 200 && lead.code.as_ref().is_none_or(|code| code.len() <= 100), "{lead:?}");
    }
    match &found.stream {
        Some(Stream::Choice { chosen }) => check_url(chosen),
        Some(Stream::Segments { segments, encrypted, target_s, .. }) => {
            assert!(segments.len() <= 7000, "{} segments", segments.len());
            assert!(encrypted.as_ref().is_none_or(|method| method.len() <= 400), "{encrypted:?}");
            assert!(target_s.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0), "{target_s:?}");
            segments.iter().for_each(check_segment);
        }
        None => {}
    }
}

fn check_segment(segment: &Segment) {
    check_url(&segment.url);
    segment.key.iter().for_each(|key| check_url(&key.url));
    assert!(segment.duration_s.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0), "{segment:?}");
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
