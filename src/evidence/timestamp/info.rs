//! What a time-stamp says (RFC 3161, section 2.4.2): `TSTInfo`.

use der::asn1::ObjectIdentifier;
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Decode as _, ErrorKind, Tag, TagNumber};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_tsp::Accuracy;

use super::error::Error;
use super::parts::{Part, context};
use crate::base::{Digest, Timestamp};

/// The longest serial number, in bytes: 160 bits must be accepted, and a sign.
const SERIAL_BYTES_MAX: usize = 64;

/// The content of a token.
#[derive(Debug, Clone)]
pub(super) struct Info<'a> {
    pub(super) policy: ObjectIdentifier,
    imprint_algorithm: ObjectIdentifier,
    imprint: &'a [u8],
    /// Two's complement, as it stands.
    pub(super) serial: &'a [u8],
    pub(super) at: Timestamp,
    /// How far the instant may be off, in microseconds to either side.
    pub(super) accuracy_us: Option<u64>,
    pub(super) nonce: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse(bytes).map_err(Error::malformed("time-stamp information"))
    }

    fn parse(bytes: &'a [u8]) -> der::Result<Self> {
        let mut parts = Part::only(bytes)?.tagged(Tag::Sequence)?.parts()?;
        if u8::from_der(parts.tagged(Tag::Integer)?.whole)? != 1 {
            return Err(Tag::Integer.value_error());
        }
        let policy = ObjectIdentifier::from_der(parts.tagged(Tag::ObjectIdentifier)?.whole)?;
        let mut imprint = parts.tagged(Tag::Sequence)?.parts()?;
        let algorithm = AlgorithmIdentifierOwned::from_der(imprint.tagged(Tag::Sequence)?.whole)?;
        let imprinted = imprint.tagged(Tag::OctetString)?.value;
        imprint.end()?;
        let serial = parts.tagged(Tag::Integer)?.value;
        if serial.is_empty() || serial.len() > SERIAL_BYTES_MAX {
            return Err(Tag::Integer.length_error());
        }
        let at = instant(parts.tagged(Tag::GeneralizedTime)?.value)
            .ok_or_else(|| der::Error::from(ErrorKind::DateTime))?;
        let accuracy = match parts.optional(Tag::Sequence)? {
            None => None,
            Some(part) => Some(microseconds(&Accuracy::from_der(part.whole)?)),
        };
        parts.optional(Tag::Boolean)?;
        let nonce = parts.optional(Tag::Integer)?.map(|part| part.value);
        parts.optional(context(TagNumber::N0))?;
        parts.optional(context(TagNumber::N1))?;
        parts.end()?;
        Ok(Self {
            policy,
            imprint_algorithm: algorithm.oid,
            imprint: imprinted,
            serial,
            at,
            accuracy_us: accuracy,
            nonce,
        })
    }

    /// Checks that the token is of `digest`.
    pub(super) fn check_imprint(&self, digest: &Digest) -> Result<(), Error> {
        if self.imprint_algorithm == ID_SHA_256 && self.imprint == digest.as_bytes() {
            return Ok(());
        }
        let mut found = hex(self.imprint);
        found.truncate(128);
        if self.imprint_algorithm != ID_SHA_256 {
            found = format!("{found} by the algorithm {}", self.imprint_algorithm);
        }
        Err(Error::Imprint { found, expected: digest.to_string() })
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How far off an instant may be.
fn microseconds(accuracy: &Accuracy) -> u64 {
    let small = |part: Option<i16>| part.map_or(0, |part| u64::try_from(part).unwrap_or(0));
    let seconds = accuracy.seconds.unwrap_or(0);
    seconds
        .saturating_mul(1_000_000)
        .saturating_add(small(accuracy.millis) * 1000)
        .saturating_add(small(accuracy.micros))
}

/// Reads `YYYYMMDDhhmmss[.f…]Z`. X.509 has no fractions of a second there, RFC 3161 does.
fn instant(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = match text.split_once('.') {
        None => (text, None),
        Some((whole, fraction)) => (whole, Some(fraction)),
    };
    if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |from: usize| whole.get(from..from + 2)?.parse::<i8>().ok();
    let year = whole.get(..4)?.parse::<i16>().ok()?;
    let nanoseconds = fraction.map_or(Some(0), nanoseconds)?;
    let at = DateTime::new(year, two(4)?, two(6)?, two(8)?, two(10)?, two(12)?, nanoseconds).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A fraction of a second; digits after the ninth are left out.
fn nanoseconds(digits: &str) -> Option<i32> {
    if digits.is_empty() || digits.len() > 40 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").get(..9)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_with_and_without_fractions() {
        let read = |text: &str| instant(text.as_bytes()).map(|at| at.to_string());
        assert_eq!(read("20231107112626Z").as_deref(), Some("2023-11-07T11:26:26Z"));
        assert_eq!(read("20231107112626.5Z").as_deref(), Some("2023-11-07T11:26:26.5Z"));
        assert_eq!(read("20231107112626.1234567891Z").as_deref(), Some("2023-11-07T11:26:26.123456789Z"));
        for wrong in [
            "20231107112626",
            "20231307112626Z",
            "20231107112660Z",
            "2023110711262Z",
            "20231107112626.Z",
            "+0231107112626Z",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
