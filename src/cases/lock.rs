//! Counter-notices as they bind: by recording, address and provider, whichever case they came to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::file::same_provider;
use super::notification::Notification;
use crate::base::{Digest, RecordingId, Timestamp};
use crate::store::Record;

/// A provider as it is told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderId<'a> {
    /// The key of its settings.
    pub name: &'a str,
    /// Other keys under which the settings have the same provider: one with several domains is one.
    pub also: &'a [String],
}

impl ProviderId<'_> {
    /// Whether `name` is this provider's.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        same_provider(self.name, name) || self.also.iter().any(|also| same_provider(also, name))
    }
}

impl<'a> From<&'a str> for ProviderId<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, also: &[] }
    }
}

impl<'a> From<&'a String> for ProviderId<'a> {
    fn from(name: &'a String) -> Self {
        Self::from(name.as_str())
    }
}

/// A counter-notice about one recording at one address: its provider must not be notified again about that (Regulation
/// Art. 17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterLock {
    /// Which recording.
    pub recording_id: RecordingId,
    /// Which address.
    pub url: String,
    /// Which provider.
    pub provider: String,
    /// The case whose notice was countered.
    pub case_id: String,
    /// The number of that notice.
    pub number: u32,
    /// When the counter-notice arrived.
    pub at: Timestamp,
}

impl CounterLock {
    /// What the keys of all locks of a recording at an address begin with.
    pub(super) fn prefix(recording_id: &RecordingId, url: &str) -> String {
        let digest = Digest::of(format!("{recording_id}\u{0}{url}").as_bytes()).to_string();
        format!("{}/", digest.get(..32).unwrap_or_default())
    }

    /// The locks that a countered notice makes; none where it was not countered.
    pub(super) fn of(case: &Case, notification: &Notification) -> Vec<Self> {
        let Some(at) = notification.countered_at else { return Vec::new() };
        let lock = |url: &String| Self {
            recording_id: case.recording_id.clone(),
            url: url.clone(),
            provider: notification.provider.clone(),
            case_id: notification.case_id.clone(),
            number: notification.number,
            at,
        };
        // Also those that the notice named but does not list, and where the file went since: all is that one item.
        let seen = case.sightings.iter().map(|sighting| &sighting.media_url);
        let urls: BTreeSet<&String> = notification.urls.iter().chain(seen).collect();
        urls.into_iter().map(lock).collect()
    }
}

impl Record for CounterLock {
    const KIND: &'static str = "counter_lock";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        let provider = Digest::of(self.provider.trim().to_lowercase().as_bytes()).to_string();
        format!("{}{}", Self::prefix(&self.recording_id, &self.url), provider.get(..16).unwrap_or_default())
    }
}
