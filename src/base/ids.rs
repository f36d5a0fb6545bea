//! Identifiers that travel between rooms.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The owner's own identifier of a recording: 1 to 128 bytes of text without control characters or outer space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordingId(String);

/// Why a text is not a [`RecordingId`].
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// Nothing but white space.
    #[error("a recording_id is empty")]
    Empty,
    /// Longer than [`RecordingId::MAX_BYTES`].
    #[error("recording_id `{0}…` is longer than 128 bytes")]
    TooLong(String),
    /// Holds a control character.
    #[error("recording_id `{0}` holds a control character")]
    Control(String),
}

impl RecordingId {
    /// The longest identifier, in bytes: enough for every scheme in use, small enough for a store key.
    pub const MAX_BYTES: usize = 128;

    /// Checks and wraps an identifier; white space around it is dropped.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, too long or holds control characters.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(IdError::TooLong(text.chars().take(24).collect()));
        }
        if text.chars().any(char::is_control) {
            return Err(IdError::Control(text.escape_debug().to_string()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RecordingId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl TryFrom<String> for RecordingId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(&text)
    }
}

impl From<RecordingId> for String {
    fn from(id: RecordingId) -> Self {
        id.0
    }
}
