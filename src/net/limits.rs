//! The settings in the form that the reading loops need.

use std::time::Duration;

use super::request::Kind;
use crate::config::FetchSettings;

/// Caps and clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) page_bytes_max: u64,
    pub(super) media_bytes_max: u64,
    pub(super) redirects_max: u32,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) page_timeout: Duration,
    pub(super) media_timeout: Duration,
    pub(super) robots_timeout: Duration,
    pub(super) rate_min_bytes_per_s: u64,
    pub(super) rate_grace: Duration,
}

/// A clock setting as a duration; ten years stand for "never" and keep the arithmetic of instants in range.
pub(super) fn seconds(value: u64) -> Duration {
    Duration::from_secs(value.min(315_360_000))
}

/// The longest sitemap, by <https://www.sitemaps.org/protocol.html>.
const SITEMAP_BYTES_MAX: u64 = 50 << 20;
/// The longest answer of a time-stamp authority that is read: known ones have 2 to 8 KiB.
const STAMP_BYTES_MAX: u64 = 64 << 10;
/// The longest receipt that is read: nobody looks at more than its status.
const RECEIPT_BYTES_MAX: u64 = 64 << 10;
/// For how long a receipt is waited for, by the recommendation of <https://www.standardwebhooks.com> (15 to 30 s).
const RECEIPT_WAIT: Duration = Duration::from_secs(15);
/// RFC 9309 asks that at least five redirects of a robots.txt be followed.
const ROBOTS_REDIRECTS_MIN: u32 = 5;

impl Limits {
    pub(super) fn new(settings: &FetchSettings) -> Self {
        Self {
            page_bytes_max: settings.page_bytes_max,
            media_bytes_max: settings.media_bytes_max,
            redirects_max: settings.redirects_max,
            connect_timeout: seconds(settings.connect_timeout_s),
            read_timeout: seconds(settings.read_timeout_s),
            page_timeout: seconds(settings.page_timeout_s),
            media_timeout: seconds(settings.total_timeout_s),
            robots_timeout: seconds(settings.robots_timeout_s),
            rate_min_bytes_per_s: settings.rate_min_bytes_per_s,
            rate_grace: seconds(settings.rate_grace_s),
        }
    }

    pub(super) const fn bytes_max(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Media => self.media_bytes_max,
            Kind::Live => u64::MAX,
            Kind::Page | Kind::Playlist | Kind::Robots => self.page_bytes_max,
            Kind::Sitemap => SITEMAP_BYTES_MAX,
            Kind::Stamp => STAMP_BYTES_MAX,
            Kind::Receipt => RECEIPT_BYTES_MAX,
        }
    }

    pub(super) fn total_of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Media => self.media_timeout,
            Kind::Live => seconds(u64::MAX),
            Kind::Page | Kind::Playlist | Kind::Sitemap | Kind::Stamp => self.page_timeout,
            Kind::Robots => self.robots_timeout,
            Kind::Receipt => RECEIPT_WAIT,
        }
    }

    pub(super) const fn redirects(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Robots if self.redirects_max < ROBOTS_REDIRECTS_MIN => ROBOTS_REDIRECTS_MIN,
            _ => self.redirects_max,
        }
    }
}
