//! The states of a case and what moves it from one to another.

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
    /// A person holds it for an infringement; may be notified.
    Approved,
    /// A person holds it for none, or not worth pursuing.
    Dismissed,
    /// A notice about it was written.
    Noticed,
    /// The media is gone.
    Removed,
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
    /// A person approved it.
    Approved,
    /// A person dismissed it; the note is the reason.
    Dismissed,
    /// A notice about it was written; the note names the files.
    Noticed,
    /// The media was found to be gone.
    Removed,
}

impl State {
    /// All states, in the order of a case's life.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Undetermined, Self::Approved, Self::Dismissed, Self::Noticed, Self::Removed];

    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Undetermined => "undetermined",
            Self::Approved => "approved",
            Self::Dismissed => "dismissed",
            Self::Noticed => "noticed",
            Self::Removed => "removed",
        }
    }

    /// Whether it still waits for a person's decision.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Undetermined)
    }

    /// Returns the state after `event`, or `None` where the event cannot happen in this state.
    ///
    /// A notice that went out cannot be taken back by a decision: from `noticed` a case only moves on.
    #[must_use]
    pub const fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (state, Event::Joined | Event::Verdict) => Some(state),
            (Self::Queued | Self::Undetermined, Event::Queued) => Some(Self::Queued),
            (Self::Queued | Self::Undetermined, Event::Undetermined) => Some(Self::Undetermined),
            (Self::Queued | Self::Undetermined | Self::Dismissed, Event::Approved) => Some(Self::Approved),
            (Self::Queued | Self::Undetermined | Self::Approved, Event::Dismissed) => Some(Self::Dismissed),
            (Self::Approved | Self::Noticed, Event::Noticed) => Some(Self::Noticed),
            (Self::Approved | Self::Noticed, Event::Removed) => Some(Self::Removed),
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
    /// Returns the word used in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Undetermined => "undetermined",
            Self::Joined => "joined",
            Self::Verdict => "verdict",
            Self::Approved => "approved",
            Self::Dismissed => "dismissed",
            Self::Noticed => "noticed",
            Self::Removed => "removed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_notice_is_not_undone_by_a_decision() {
        for event in [Event::Queued, Event::Undetermined, Event::Approved, Event::Dismissed] {
            assert_eq!(State::Noticed.after(event), None, "{event:?}");
        }
        assert_eq!(State::Noticed.after(Event::Noticed), Some(State::Noticed));
    }

    #[test]
    fn nothing_is_notified_that_was_not_approved() {
        for state in [State::Queued, State::Undetermined, State::Dismissed, State::Removed] {
            assert_eq!(state.after(Event::Noticed), None, "{state}");
        }
    }

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("open".parse::<State>().is_err());
    }
}
