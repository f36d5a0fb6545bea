//! What a webhook signs with, and the signature (<https://www.standardwebhooks.com>).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::Error;

/// What a secret's text begins with, so that receivers' libraries and scanners for leaked secrets know it.
const PREFIX: &str = "whsec_";
/// Random bytes of a secret; the specification asks for 24 to 64.
const BYTES: usize = 32;

/// The secret that a webhook and its receiver share. It is kept as it is, since each message is signed with it; `Debug` leaves
/// it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::web) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Makes one of 256 random bits.
    ///
    /// # Errors
    /// [`Error::Random`] when the system has no random numbers.
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
        Ok(Self(format!("{PREFIX}{}", STANDARD.encode(bytes))))
    }

    /// Returns the text that the receiver is given, once.
    pub(in crate::web) fn text(&self) -> &str {
        &self.0
    }

    /// Signs a message; `None` where the secret as it is kept is none.
    pub(super) fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> Option<String> {
        let bytes = STANDARD.decode(self.0.strip_prefix(PREFIX)?).ok().filter(|bytes| !bytes.is_empty())?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        context.update(format!("{id}.{timestamp_s}.").as_bytes());
        context.update(body);
        Some(format!("v1,{}", STANDARD.encode(context.sign())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_are_signed_as_the_specification_does() {
        // The example of the specification's own libraries.
        let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let body = br#"{"test": 2432232314}"#;
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_random_and_shown_by_nothing() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.text().len(), PREFIX.len() + 44);
        assert!(!format!("{one:?}").contains(one.text().get(6..20).unwrap()));
        for damaged in ["", "whsec_", "whsec_?", "abc"] {
            assert_eq!(Secret(damaged.to_owned()).sign("a", 0, b""), None, "{damaged}");
        }
    }
}
