//! The states of a case and what moves it from one to another.
//!
//! A case is about a file; what one provider does about one notice is a [`super::Notification`]'s standing. A case stands
//! where its notices have brought it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Unlicensed by verdict; waits for a person.
    Queued,
    /// The verdict was UNDETERMINED; waits for a person who knows more.
    Undetermined,
    /// A person looks into it.
    Review,
    /// A person holds it for an infringement; may be notified.
    Approved,
    /// A person holds it for none, or not worth pursuing.
    Dismissed,
    /// A notice about it was written.
    Noticed,
    /// A provider passed a notice on to whoever put the file there.
    Forwarded,
    /// The media is gone.
    Removed,
    /// Whoever put the file there says that it may be: that provider must not be notified again about it (Regulation
    /// Art. 17); what is left is a complaint or a suit.
    Countered,
    /// The media was still there when a provider's time was over.
    Ignored,
    /// It is with an authority or a court.
    Escalated,
    /// Nothing more will be done.
    Closed,
    /// What was claimed was wrong; the notices are taken back.
    Retracted,
}

/// What happens to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The case was opened, or a newer verdict made it a plain suspicion.
    Queued,
    /// The case was opened in doubt, or a newer verdict put it in doubt.
    Undetermined,
    /// The same file was seen at another address.
    Joined,
    /// A newer verdict that leaves the state as it is.
    Verdict,
    /// A person began to look into it.
    Review,
    /// A person asked for licence data, without which it cannot be decided; the note says what is to be found out.
    Asked,
    /// A person approved it.
    Approved,
    /// A person dismissed it; the note is the reason.
    Dismissed,
    /// A decision was taken back, before anything followed from it ([`super::Case::undo`]).
    Undone,
    /// A notice about it was written; the note names the files.
    Noticed,
    /// A written notice was sent.
    Sent,
    /// A person said whether notices state that rights information was removed or altered.
    Information,
    /// The addresses were fetched to see what they serve now.
    Rechecked,
    /// A provider passed a notice on.
    Forwarded,
    /// The media was found to be gone, or a provider said so.
    Removed,
    /// A counter-notice arrived.
    Countered,
    /// The media was still there after a provider's time.
    Ignored,
    /// A complaint or a suit was filed.
    Escalated,
    /// A person closed it; the note is the reason.
    Closed,
    /// What was claimed was taken back; the note is the reason.
    Retracted,
}

impl State {
    /// All states, in the order of a case's life.
    pub const ALL: [Self; 13] = [
        Self::Queued,
        Self::Undetermined,
        Self::Review,
        Self::Approved,
        Self::Dismissed,
        Self::Noticed,
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
            Self::Queued => "queued",
            Self::Undetermined => "undetermined",
            Self::Review => "review",
            Self::Approved => "approved",
            Self::Dismissed => "dismissed",
            Self::Noticed => "noticed",
            Self::Forwarded => "forwarded",
            Self::Removed => "removed",
            Self::Countered => "countered",
            Self::Ignored => "ignored",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
            Self::Retracted => "retracted",
        }
    }

    /// Whether it still waits for a person's decision.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Undetermined | Self::Review)
    }

    /// Whether a person holds it for an infringement, whatever came of it since.
    #[must_use]
    pub const fn is_upheld(self) -> bool {
        !self.is_open() && !matches!(self, Self::Dismissed | Self::Retracted)
    }

    /// Whether nothing moves it any more by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Retracted)
    }

    /// Returns the state after `event`, or `None` where the event cannot happen in this state.
    ///
    /// A notice that went out cannot be undone by a decision: from `noticed` a case only moves on. Whoever is wrong takes
    /// it back, which is told to the provider.
    #[must_use]
    pub const fn after(self, event: Event) -> Option<Self> {
        use Event as E;
        match (self, event) {
            (state, E::Joined | E::Verdict | E::Rechecked | E::Information) => Some(state),
            (state, E::Asked) if state.is_open() => Some(state),
            (Self::Queued | Self::Undetermined, E::Queued) => Some(Self::Queued),
            (Self::Queued | Self::Undetermined, E::Undetermined) => Some(Self::Undetermined),
            (Self::Queued | Self::Undetermined | Self::Dismissed, E::Review) => Some(Self::Review),
            (Self::Queued | Self::Undetermined | Self::Review | Self::Dismissed, E::Approved) => {
                Some(Self::Approved)
            }
            (Self::Queued | Self::Undetermined | Self::Review | Self::Approved, E::Dismissed) => {
                Some(Self::Dismissed)
            }
            (Self::Approved | Self::Noticed | Self::Ignored, E::Noticed) => Some(Self::Noticed),
            // Another provider is notified; how it stands with the first is what counts.
            (state @ (Self::Forwarded | Self::Countered | Self::Escalated), E::Noticed) => Some(state),
            (
                state @ (Self::Noticed | Self::Forwarded | Self::Countered | Self::Ignored | Self::Escalated),
                E::Sent,
            ) => Some(state),
            (Self::Noticed | Self::Forwarded | Self::Ignored, E::Forwarded) => Some(Self::Forwarded),
            (
                Self::Approved
                | Self::Noticed
                | Self::Forwarded
                | Self::Countered
                | Self::Ignored
                | Self::Escalated,
                E::Removed,
            ) => Some(Self::Removed),
            (
                Self::Noticed
                | Self::Forwarded
                | Self::Removed
                | Self::Countered
                | Self::Ignored
                | Self::Escalated
                // It may arrive after we thought that all was done, and binds us all the same.
                | Self::Closed,
                E::Countered,
            ) => Some(Self::Countered),
            (Self::Noticed | Self::Forwarded, E::Ignored) => Some(Self::Ignored),
            (
                Self::Approved
                | Self::Noticed
                | Self::Forwarded
                | Self::Countered
                | Self::Ignored
                | Self::Escalated,
                E::Escalated,
            ) => Some(Self::Escalated),
            (
                Self::Noticed
                | Self::Forwarded
                | Self::Removed
                | Self::Countered
                | Self::Ignored
                | Self::Escalated,
                E::Closed,
            ) => Some(Self::Closed),
            (
                Self::Noticed
                | Self::Forwarded
                | Self::Removed
                | Self::Countered
                | Self::Ignored
                | Self::Escalated
                | Self::Closed,
                E::Retracted,
            ) => Some(Self::Retracted),
            _ => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text.trim().to_lowercase()).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{}` is none of {known}", text.chars().take(40).collect::<String>())
        })
    }
}

impl Event {
    /// All events.
    pub const ALL: [Self; 20] = [
        Self::Queued,
        Self::Undetermined,
        Self::Joined,
        Self::Verdict,
        Self::Review,
        Self::Asked,
        Self::Approved,
        Self::Dismissed,
        Self::Undone,
        Self::Noticed,
        Self::Sent,
        Self::Information,
        Self::Rechecked,
        Self::Forwarded,
        Self::Removed,
        Self::Countered,
        Self::Ignored,
        Self::Escalated,
        Self::Closed,
        Self::Retracted,
    ];

    /// Returns the word used in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Undetermined => "undetermined",
            Self::Joined => "joined",
            Self::Verdict => "verdict",
            Self::Review => "review",
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Dismissed => "dismissed",
            Self::Undone => "undone",
            Self::Noticed => "noticed",
            Self::Sent => "sent",
            Self::Information => "information",
            Self::Rechecked => "rechecked",
            Self::Forwarded => "forwarded",
            Self::Removed => "removed",
            Self::Countered => "countered",
            Self::Ignored => "ignored",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
            Self::Retracted => "retracted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_notice_is_not_undone_by_a_decision() {
        let sent = [State::Noticed, State::Forwarded, State::Countered, State::Ignored, State::Escalated];
        for state in sent {
            for event in
                [Event::Queued, Event::Undetermined, Event::Review, Event::Approved, Event::Dismissed]
            {
                assert_eq!(state.after(event), None, "{state} {event:?}");
            }
            assert_eq!(state.after(Event::Retracted), Some(State::Retracted));
        }
        assert_eq!(State::Noticed.after(Event::Noticed), Some(State::Noticed));
    }

    #[test]
    fn nothing_is_notified_that_was_not_approved() {
        let never = State::ALL.into_iter().filter(|state| {
            state.is_open() || state.is_final() || matches!(state, State::Dismissed | State::Removed)
        });
        for state in never {
            assert_eq!(state.after(Event::Noticed), None, "{state}");
            assert_eq!(state.after(Event::Escalated), None, "{state}");
        }
    }

    #[test]
    fn what_has_ended_stays_so() {
        for event in Event::ALL {
            let stays = State::Retracted.after(event).is_none_or(|state| state == State::Retracted);
            assert!(stays, "{event:?}");
            let closed = State::Closed.after(event);
            let is_counter_notice = event == Event::Countered && closed == Some(State::Countered);
            assert!(is_counter_notice || closed.is_none_or(State::is_final), "{event:?}");
        }
    }

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("open".parse::<State>().is_err());
        for event in Event::ALL {
            assert_eq!(serde_json::to_value(event).ok(), Some(event.as_str().into()));
        }
    }
}
