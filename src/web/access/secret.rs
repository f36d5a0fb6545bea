//! Secrets that browsers and programs show: random, and kept only as digests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;

use super::Error;
use crate::base::Digest;

/// Random bytes of a secret.
const BYTES: usize = 32;

/// Makes a secret of 256 random bits, 43 characters of the URL-safe alphabet of RFC 4648, section 5.
///
/// # Errors
/// [`Error::Random`] when the system has no random numbers.
pub(super) fn new_secret() -> Result<String, Error> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of a secret. A fast digest is enough: nobody guesses 256 bits.
pub(super) fn digest_of(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Compares two texts in a time that does not tell where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
