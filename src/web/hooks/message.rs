//! What is sent: an entry of the operation log, with what the case says beside it.

use serde::Serialize;

use super::webhook::event_of;
use crate::base::Timestamp;
use crate::cases::{Case, Event};
use crate::evidence::log::LogEntry;

/// A message, ready to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The same at each try: by it a receiver knows what it has already.
    pub(super) id: String,
    /// JSON.
    pub(super) body: Vec<u8>,
}

/// What every message is.
#[derive(Serialize)]
struct Envelope<'a, T> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    at: Timestamp,
    data: T,
}

/// What is told of a case: nothing that a site wrote, and no address of its.
#[derive(Serialize)]
struct Told<'a> {
    case_id: &'a str,
    recording_id: &'a str,
    operator: &'a str,
    territory: Option<&'a str>,
    verdict: &'static str,
    state: &'static str,
    event: &'static str,
    actor: &'a str,
    path: String,
}

/// Data of a message that says nothing.
#[derive(Serialize)]
struct Nothing {}

/// The case's event that an entry tells of. Cases enter each event under its word, with their identifier as the subject
/// (`cases`); no other entry's `what` is such a word.
pub(super) fn event_told(entry: &LogEntry) -> Option<Event> {
    if !entry.subject.starts_with("C-") {
        return None;
    }
    event_of(&entry.what)
}

/// Tells of an entry. State and verdict are the case's as it stands now: the entry does not hold them.
pub(super) fn of_entry(webhook_id: &str, entry: &LogEntry, event: Event, case: &Case) -> Message {
    let told = Told {
        case_id: &case.case_id,
        recording_id: case.recording_id.as_str(),
        operator: &case.domain,
        territory: case.territory.as_deref(),
        verdict: case.verdict.decision.as_str(),
        state: case.state.as_str(),
        event: event.as_str(),
        actor: &entry.actor,
        path: format!("/cases/{}", case.case_id),
    };
    message(format!("{webhook_id}-{}", entry.number), &format!("case.{}", event.as_str()), entry.at, told)
}

/// A message that only tries whether it arrives.
pub(super) fn ping(webhook_id: &str, now: Timestamp) -> Message {
    message(format!("{webhook_id}-ping-{}", now.as_millisecond()), "ping", now, Nothing {})
}

fn message(id: String, kind: &str, at: Timestamp, data: impl Serialize) -> Message {
    // Texts and an instant: they can be encoded.
    let body = serde_json::to_vec(&Envelope { id: &id, kind, at, data }).unwrap_or_default();
    Message { id, body }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn entry(what: &str, subject: &str) -> LogEntry {
        let text = |text: &str| text.to_owned();
        let (what, subject) = (text(what), text(subject));
        LogEntry {
            number: 9,
            at: Timestamp::UNIX_EPOCH,
            what,
            subject,
            actor: text("mika"),
            sha256: None,
            note: text("https://pirate.example/page"),
            salt: String::new(),
        }
    }

    #[test]
    fn only_events_of_cases_are_told() {
        for event in Event::ALL {
            assert_eq!(event_told(&entry(event.as_str(), "C-0123456789")), Some(event));
            assert_eq!(event_told(&entry(event.as_str(), "webhook W-1")), None);
        }
        for other in
            ["capture", "bundle", "export", "key", "crawl", "sign-in", "lock", "account", "token", "webhook"]
        {
            assert_eq!(event_told(&entry(other, "C-0123456789")), None, "{other}");
        }
    }

    #[test]
    fn a_ping_says_nothing_but_that() {
        let ping = ping("W-1", Timestamp::UNIX_EPOCH);
        let told: serde_json::Value = serde_json::from_slice(&ping.body).unwrap();
        let wanted =
            serde_json::json!({"id": "W-1-ping-0", "type": "ping", "at": "1970-01-01T00:00:00Z", "data": {}});
        assert_eq!(told, wanted);
    }

    proptest! {
        #[test]
        fn no_entry_makes_trouble(what in ".{0,20}", subject in ".{0,20}") {
            let told = event_told(&entry(&what, &subject));
            prop_assert!(told.is_none() || subject.starts_with("C-"));
        }
    }
}
