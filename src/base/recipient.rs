//! Who may open what is sealed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The public key of somebody who may open a sealed annex: an X25519 recipient of the `age` format
/// (<https://age-encryption.org/v1>), as `age-keygen` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(String);

/// What is wrong with a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// It is the other half of the key.
    #[error(
        "that is a secret key, which stays where it is; `age-keygen -y FILE` prints its public key (`age1…`)"
    )]
    Secret,
    /// It is none.
    #[error(
        "`{text}` is no public key of age ({why}); `age-keygen -o FILE` makes a key and prints its public part (`age1…`)"
    )]
    NotAKey {
        /// What was given, shortened.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Recipient {
    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let text = text.trim();
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            return Err(RecipientError::Secret);
        }
        let not = |why| RecipientError::NotAKey { text: text.chars().take(80).collect(), why };
        let key = age::x25519::Recipient::from_str(text).map_err(not)?;
        Ok(Self(key.to_string()))
    }
}

impl TryFrom<String> for Recipient {
    type Error = RecipientError;

    fn try_from(text: String) -> Result<Self, RecipientError> {
        text.parse()
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_keys_are_taken() {
        let key = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
        assert_eq!(format!(" {key}\n").parse::<Recipient>().map(String::from), Ok(key.to_owned()));
        let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        assert_eq!(secret.parse::<Recipient>(), Err(RecipientError::Secret));
        for wrong in ["", "age1", "ssh-ed25519 AAAA", &key.replace("7pa", "7pb")] {
            assert!(matches!(wrong.parse::<Recipient>(), Err(RecipientError::NotAKey { .. })), "{wrong}");
        }
    }
}
