//! One notice about one case to one provider, and what became of it.

use serde::{Deserialize, Serialize};

use super::calendar::{Calendars, Ends};
use super::state::Event;
use super::terms::{Form, Forum, Owes, Purpose, Starts, Term};
use crate::base::Timestamp;
use crate::store::Record;

/// The most events that a notification keeps; a store's records must stay small.
const EVENTS_MAX: usize = 100;

/// About how many bytes of addresses a notification lists; more are counted.
const URLS_BYTES_MAX: usize = 32 << 10;

/// How it stands with one notice at one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is written; nobody has said that it was sent.
    Written,
    /// It was sent: the provider's time runs.
    Sent,
    /// The provider passed it on to whoever put the file there.
    Forwarded,
    /// The provider took the file down.
    Removed,
    /// A counter-notice arrived.
    Countered,
    /// The file was still there when the provider's time was over.
    Ignored,
    /// The matter is with an authority or a court.
    Escalated,
    /// Nothing more will be done.
    Closed,
    /// It was taken back.
    Retracted,
}

impl Standing {
    /// All of them, in the order of a notice's life.
    pub const ALL: [Self; 9] = [
        Self::Written,
        Self::Sent,
        Self::Forwarded,
        Self::Removed,
        Self::Countered,
        Self::Ignored,
        Self::Escalated,
        Self::Closed,
        Self::Retracted,
    ];

    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Sent => "sent",
            Self::Forwarded => "forwarded",
            Self::Removed => "removed",
            Self::Countered => "countered",
            Self::Ignored => "ignored",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
            Self::Retracted => "retracted",
        }
    }

    /// Whether something is still expected of the provider or of us.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        !matches!(self, Self::Removed | Self::Closed | Self::Retracted)
    }

    /// Returns how it stands after `event`, or `None` where the event cannot happen.
    #[must_use]
    pub const fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Written, Event::Sent) => Some(Self::Sent),
            (Self::Sent | Self::Ignored, Event::Forwarded) => Some(Self::Forwarded),
            (
                Self::Written
                | Self::Sent
                | Self::Forwarded
                | Self::Countered
                | Self::Ignored
                | Self::Escalated,
                Event::Removed,
            ) => Some(Self::Removed),
            (
                Self::Sent | Self::Forwarded | Self::Removed | Self::Ignored | Self::Escalated | Self::Closed,
                Event::Countered,
            ) => Some(Self::Countered),
            (Self::Sent | Self::Forwarded, Event::Ignored) => Some(Self::Ignored),
            (
                Self::Sent | Self::Forwarded | Self::Countered | Self::Ignored | Self::Escalated,
                Event::Escalated,
            ) => Some(Self::Escalated),
            (Self::Closed | Self::Retracted, Event::Closed)
            | (Self::Retracted, _)
            | (Self::Written, Event::Escalated) => None,
            (_, Event::Closed) => Some(Self::Closed),
            (_, Event::Retracted) => Some(Self::Retracted),
            _ => None,
        }
    }
}

/// Something that happened to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationEvent {
    /// What.
    pub event: Event,
    /// When it happened, as far as known.
    pub at: Timestamp,
    /// When it was entered here.
    pub recorded_at: Timestamp,
    /// Who entered it.
    pub actor: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One notice about one case to one provider: the unit that the law's clocks and locks are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Which case.
    pub case_id: String,
    /// Which of the case's notices, from 1 on.
    pub number: u32,
    /// The notice, which may be about several cases: its document's own name or number.
    pub notice_id: String,
    /// Its form.
    pub form: Form,
    /// Under which law it was sent.
    pub forum: Forum,
    /// What it asks for.
    pub purpose: Purpose,
    /// To whom: the key of the provider's settings.
    pub provider: String,
    /// The addresses that it names.
    pub urls: Vec<String>,
    /// How many more it names than are listed here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub urls_unlisted: u64,
    /// When it was written.
    pub written_at: Timestamp,
    /// How it stands.
    pub standing: Standing,
    /// When it was sent, once somebody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When the first counter-notice arrived. Never cleared: from then on the provider must not be notified again about this
    /// item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countered_at: Option<Timestamp>,
    /// When that counter-notice reached the provider, where it told us: its own time runs from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_countered_at: Option<Timestamp>,
    /// When a complaint or suit was filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Timestamp>,
    /// When the provider was told that it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retraction_sent_at: Option<Timestamp>,
    /// What happened to it, oldest first; of very many the first and the last.
    pub events: Vec<NotificationEvent>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Record for Notification {
    const KIND: &'static str = "notification";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        format!("{}{:06}", prefix(&self.case_id), self.number)
    }
}

/// What the keys of a case's notifications begin with.
pub(super) fn prefix(case_id: &str) -> String {
    format!("{case_id}/")
}

/// A clock that runs, or ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// The law's period.
    pub term: Term,
    /// When it began.
    pub began: Timestamp,
    /// When it ends.
    pub ends: Ends,
    /// Whether what it waits for has not happened yet.
    pub is_open: bool,
}

impl Notification {
    /// Lists addresses as far as they fit.
    pub(super) fn list(urls: &[String]) -> (Vec<String>, u64) {
        let mut bytes = 0;
        let fits = |url: &&String| {
            bytes += url.len() + 4;
            bytes <= URLS_BYTES_MAX
        };
        let listed: Vec<String> = urls.iter().take_while(fits).cloned().collect();
        let unlisted = urls.len().saturating_sub(listed.len());
        (listed, unlisted as u64)
    }

    /// Whether it binds us: a counter-notice to it arrived, so that its provider must not be notified again about its item.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.countered_at.is_some()
    }

    /// Whether it was taken back and the provider does not know yet.
    #[must_use]
    pub fn owes_retraction(&self) -> bool {
        self.standing == Standing::Retracted && self.sent_at.is_some() && self.retraction_sent_at.is_none()
    }

    /// Returns all clocks that it has set running, by the law's order.
    #[must_use]
    pub fn clocks(&self, calendars: &Calendars) -> Vec<Running> {
        if self.purpose != Purpose::Takedown {
            return Vec::new();
        }
        let running = |term: &Term| {
            let began = match term.starts {
                Starts::Sent => self.sent_at?,
                Starts::Countered => self.counter_began(term.owes)?,
            };
            let ends = term.ends(self.forum, began, calendars);
            Some(Running { term: *term, began, ends, is_open: self.is_waiting_for(term) })
        };
        self.forum.terms().iter().filter_map(running).collect()
    }

    /// When a period after the counter-notice began. The law counts from its arrival, ours or the provider's: what we must do we
    /// count from the earlier, what the provider may do from the later.
    fn counter_began(&self, owes: Owes) -> Option<Timestamp> {
        let ours = self.countered_at?;
        let theirs = self.provider_countered_at.unwrap_or(ours);
        Some(match owes {
            Owes::Us => ours.min(theirs),
            Owes::Provider => ours.max(theirs),
        })
    }

    fn is_waiting_for(&self, term: &Term) -> bool {
        match term.starts {
            Starts::Sent => matches!(self.standing, Standing::Sent | Standing::Forwarded),
            // Until a complaint or suit is filed, or shown where it was filed before.
            Starts::Countered => self.standing == Standing::Countered,
        }
    }

    /// Returns when the provider's time to act is over, once the notice was sent.
    #[must_use]
    pub fn provider_ends(&self, calendars: &Calendars) -> Option<Ends> {
        self.clocks(calendars).iter().find(|running| running.term.starts == Starts::Sent).map(|one| one.ends)
    }

    /// How it stands after `event`. That a notice was sent may be said late, when it has ended meanwhile: it then stays ended.
    fn stands_after(&self, event: Event) -> Option<Standing> {
        let is_late = event == Event::Sent && self.sent_at.is_none() && self.standing != Standing::Written;
        if is_late { Some(self.standing) } else { self.standing.after(event) }
    }

    /// Enters an event; `None`, and nothing changed, where it cannot happen.
    pub(super) fn enter(&mut self, entry: NotificationEvent) -> Option<()> {
        self.standing = self.stands_after(entry.event)?;
        match entry.event {
            Event::Sent => self.sent_at = Some(entry.at),
            Event::Countered => _ = self.countered_at.get_or_insert(entry.at),
            Event::Escalated => _ = self.escalated_at.get_or_insert(entry.at),
            _ => {}
        }
        if self.events.len() >= EVENTS_MAX {
            self.events.remove(EVENTS_MAX / 2);
        }
        self.events.push(entry);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standings_and_states_name_the_same_things() {
        for standing in Standing::ALL {
            assert_eq!(serde_json::to_value(standing).ok(), Some(standing.as_str().into()));
            for event in Event::ALL {
                if let Some(after) = standing.after(event) {
                    assert!(after.as_str() == event.as_str(), "{standing:?} {event:?}");
                }
            }
        }
    }

    #[test]
    fn an_unsent_notice_cannot_be_ignored_or_countered() {
        for event in [Event::Ignored, Event::Countered, Event::Forwarded, Event::Escalated] {
            assert_eq!(Standing::Written.after(event), None, "{event:?}");
        }
        assert_eq!(Standing::Retracted.after(Event::Closed), None);
        assert_eq!(Standing::Closed.after(Event::Retracted), Some(Standing::Retracted));
        assert_eq!(Standing::Closed.after(Event::Countered), Some(Standing::Countered));
    }

    #[test]
    fn very_many_addresses_are_counted() {
        let urls: Vec<String> =
            (0..1000).map(|n| format!("https://a.example/{n}/{}", "x".repeat(80))).collect();
        let (listed, unlisted) = Notification::list(&urls);
        assert!(listed.len() > 100 && unlisted > 100);
        assert_eq!(listed.len() as u64 + unlisted, 1000);
    }
}
