//! A webhook as it is kept.

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use url::Url;

use super::standing::Why;
use super::{Error, Secret};
use crate::base::Timestamp;
use crate::cases::Event;
use crate::config::FetchSettings;
use crate::net::Guard;
use crate::store::Record;

/// The most webhooks: each has a delivery under way at most.
pub(super) const WEBHOOKS_MAX: usize = 20;
/// For how many hours the secret before signs too, where nobody says for how long.
pub(in crate::web) const OVERLAP_H: u8 = 24;
/// For how many hours it may, after a new one was made.
pub(super) const OVERLAP_H_MAX: u8 = 72;
/// The longest address of a receiver, in bytes.
const URL_BYTES_MAX: usize = 2000;
/// Random bytes of an identifier.
const ID_BYTES: usize = 5;

/// A program that is told of events of cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::web) struct Webhook {
    /// `W-` and ten hexadecimal digits.
    pub(in crate::web) webhook_id: String,
    /// Where messages are sent.
    pub(in crate::web) url: String,
    /// Of which events; of all where there are none.
    pub(in crate::web) events: Vec<Event>,
    /// What messages are signed with.
    pub(in crate::web) secret: Secret,
    /// The secret before that, while messages are signed with it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::web) former: Option<Former>,
    /// Why nothing is sent now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::web) paused: Option<Paused>,
    /// When it was made.
    pub(in crate::web) created_at: Timestamp,
    /// Who made it.
    pub(in crate::web) created_by: String,
}

/// That nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::web) struct Paused {
    /// Since when.
    pub(in crate::web) at: Timestamp,
    /// Who paused it: a person's name, or `earwitness`.
    pub(in crate::web) by: String,
    /// Why, where it was no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::web) why: Option<Why>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::web) struct Former {
    /// What it was.
    pub(in crate::web) secret: Secret,
    /// Until when messages are signed with it too.
    pub(in crate::web) until: Timestamp,
}

impl Record for Webhook {
    const KIND: &'static str = "webhook";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.webhook_id.clone()
    }
}

impl Webhook {
    /// Whether it is told of this event.
    pub(super) fn wants(&self, event: Event) -> bool {
        self.events.is_empty() || self.events.contains(&event)
    }

    /// Until when messages are signed with the secret before this one too; `None` where they are not.
    pub(in crate::web) fn former_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.former.as_ref().map(|former| former.until).filter(|until| *until > now)
    }

    /// Signs a message with each secret that holds at `now`, the newest first; `None` where that is damaged.
    pub(super) fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> Option<String> {
        let mut signed = self.secret.sign(id, now.as_second(), body)?;
        let former = self.former.as_ref().filter(|former| former.until > now);
        if let Some(also) = former.and_then(|former| former.secret.sign(id, now.as_second(), body)) {
            signed.push(' ');
            signed.push_str(&also);
        }
        Some(signed)
    }

    /// What the operation log calls it.
    pub(super) fn subject(&self) -> String {
        format!("webhook {}", self.webhook_id)
    }

    /// Where it sends to, as far as logs may tell: paths and queries often hold what lets somebody in.
    pub(super) fn origin(&self) -> String {
        origin_of(&self.url)
    }

    /// The events in words.
    pub(super) fn events_text(&self) -> String {
        if self.events.is_empty() {
            return "all".to_owned();
        }
        self.events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Scheme, host and port of an address.
pub(super) fn origin_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "?".to_owned(), |url| url.origin().ascii_serialization())
}

/// Makes an identifier.
pub(super) fn new_id() -> Result<String, Error> {
    let mut bytes = [0; ID_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("W-{digits}"))
}

/// Checks the address of a receiver: https, or http to a place outside the public network that the settings let be reached.
///
/// # Errors
/// [`Error::Url`], and [`Error::Network`] where the guard refuses it.
pub(super) fn checked_url(text: &str, fetch: &FetchSettings) -> Result<String, Error> {
    let wrong = |what: &str| Err(Error::Url(what.to_owned()));
    let text = text.trim();
    if text.len() > URL_BYTES_MAX {
        return Err(Error::Url(format!("an address has at most {URL_BYTES_MAX} bytes")));
    }
    let Ok(mut url) = Url::parse(text) else { return wrong("that is no address; write https://…") };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("leave user and password out: the signature says who sends");
    }
    let guard = Guard::new(fetch)?;
    guard.check_url(&url)?;
    if url.scheme() != "https" && !guard.is_private_place(&url) {
        return wrong("write https://…: what is sent by http to the public network can be read on the way");
    }
    url.set_fragment(None);
    Ok(url.into())
}

/// Reads the words of events; each once, in the order of a case's life.
///
/// # Errors
/// [`Error::Event`] that names the word that is none.
pub(super) fn checked_events<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    for word in words {
        let event = event_of(word).ok_or_else(|| Error::Event(word.chars().take(40).collect()))?;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    events.sort_unstable();
    Ok(events)
}

/// The event that a word names.
pub(super) fn event_of(word: &str) -> Option<Event> {
    Event::ALL.into_iter().find(|event| event.as_str() == word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(url: &str, private_allowed: &[&str]) -> Result<String, String> {
        let private_allowed = private_allowed.iter().map(|&place| place.to_owned()).collect();
        let fetch = FetchSettings { private_allowed, ..FetchSettings::default() };
        checked_url(url, &fetch).map_err(|error| error.to_string())
    }

    #[test]
    fn receivers_are_reached_by_https_or_in_named_private_places() {
        assert_eq!(check(" https://hooks.example/a?b#c ", &[]).unwrap(), "https://hooks.example/a?b");
        assert!(check("http://127.0.0.1:81/", &["127.0.0.1:81"]).is_ok());
        assert!(check("http://nas.lan/", &["nas.lan"]).is_ok());
        for (url, said) in [
            ("http://hooks.example/", "https://"),
            ("https://127.0.0.1/", "not public"),
            ("https://10.0.0.1/", "not public"),
            ("https://localhost/", "not public"),
            ("http://[::1]/", "not public"),
            ("https://169.254.169.254/", "not public"),
            ("https://me:secret@hooks.example/", "user and password"),
            ("ftp://hooks.example/", "http"),
            ("https://hooks.example:25/", "port 25"),
            ("hooks.example", "no address"),
            ("javascript:alert(1)", "http"),
            ("", "no address"),
        ] {
            let told = check(url, &["nas.lan"]).unwrap_err();
            assert!(told.contains(said) && !told.contains("secret"), "{url}: {told}");
        }
        assert!(check(&format!("https://a.example/{}", "x".repeat(2000)), &[]).is_err());
    }

    #[test]
    fn events_are_read_by_their_words() {
        let read = checked_events(["dismissed", "approved", "approved"]).unwrap();
        assert_eq!(read, [Event::Approved, Event::Dismissed]);
        assert!(checked_events([]).unwrap().is_empty());
        let told = checked_events(["approved", "burnt"]).unwrap_err().to_string();
        assert!(told.contains("`burnt`") && told.contains("queued, undetermined"), "{told}");
    }
}
