//! A token, verified offline.

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Tag};
use serde::{Deserialize, Serialize};

use super::algorithms::hash;
use super::chain::{check_chain, check_signature, check_usage, signer_certificate};
use super::error::Error;
use super::ess;
use super::info::{Info, hex};
use super::request::{NONCE_BYTES, normal};
use super::response::open;
use super::signed::{Signed, TST_INFO};
use crate::base::{Digest, Timestamp, chain};

/// The longest response that is read, in bytes: those of known authorities have 2 to 8 KiB.
pub const TOKEN_BYTES_MAX: usize = 64 << 10;

/// `id-contentType`.
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
/// `id-messageDigest`.
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// What a verified time-stamp says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped {
    /// When the authority saw the digest.
    pub at: Timestamp,
    /// How far that may be off to either side, in microseconds, where the authority says it.
    pub accuracy_us: Option<u64>,
    /// Who signed: the subject of the certificate (RFC 4514). Text from outside.
    pub authority: String,
    /// The token's serial number, in hexadecimal.
    pub serial: String,
    /// The policy under which it was issued, as a number with dots.
    pub policy: String,
    /// Whether the authority said that it granted something else than what was asked for (`grantedWithMods`). What it
    /// granted is verified all the same.
    pub is_modified: bool,
}

/// As [`verify`], in a line: what a token says, or why it says nothing.
///
/// # Errors
/// Why it says nothing, in words.
pub fn told(token: &[u8], digest: &Digest, roots: &[Vec<u8>]) -> Result<String, String> {
    let stamped = verify(token, digest, roots).map_err(|error| chain(&error))?;
    Ok(format!("stamped at {} by {}", stamped.at, stamped.authority))
}

/// Verifies `token` (a response, `.tsr`, or a token alone) for `digest` against `roots` (certificates in DER): what it
/// is of, the signed attributes, the certificate that the signature is bound to and its purpose, the signature, and
/// the chain at the token's instant. The nonce is [`super::obtain()`]'s to compare, who knows it.
///
/// # Errors
/// [`Error`] names the first of these that does not hold.
pub fn verify(token: &[u8], digest: &Digest, roots: &[Vec<u8>]) -> Result<Stamped, Error> {
    verify_answer(token, digest, None, roots)
}

/// What a token claims that nobody vouches for yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The instant.
    pub at: Timestamp,
    /// See [`Stamped::accuracy_us`].
    pub accuracy_us: Option<u64>,
}

/// Reads `token` (a response, `.tsr`, or a token alone) and checks that it is of `digest`. Neither signature nor signer are
/// looked at: anybody could have made it.
///
/// # Errors
/// [`Error::Malformed`] and the like where it is no token, [`Error::Imprint`] where it is one of something else.
pub fn claimed(token: &[u8], digest: &Digest) -> Result<Claim, Error> {
    check_length(token)?;
    let signed = Signed::read(open(token)?.token)?;
    let info = Info::read(signed.content)?;
    info.check_imprint(digest)?;
    Ok(Claim { at: info.at, accuracy_us: info.accuracy_us })
}

fn check_length(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() <= TOKEN_BYTES_MAX {
        return Ok(());
    }
    let reason = format!("longer than {TOKEN_BYTES_MAX} bytes");
    Err(Error::Malformed { what: "time-stamp response", reason })
}

/// As [`verify`], of the answer to a request with this nonce.
pub(super) fn verify_answer(
    bytes: &[u8],
    digest: &Digest,
    nonce: Option<[u8; NONCE_BYTES]>,
    roots: &[Vec<u8>],
) -> Result<Stamped, Error> {
    check_length(bytes)?;
    let granted = open(bytes)?;
    let signed = Signed::read(granted.token)?;
    let info = Info::read(signed.content)?;
    info.check_imprint(digest)?;
    if nonce.is_some_and(|nonce| info.nonce != Some(normal(nonce).as_slice())) {
        return Err(Error::Nonce);
    }
    check_attributes(&signed)?;
    let own = signer_certificate(&signed)?;
    ess::check(&signed.signer, own.bytes)?;
    check_usage(&own.parsed)?;
    check_signature(&signed, own.bytes)?;
    check_chain(&signed, &own, roots, info.at)?;
    Ok(Stamped {
        at: info.at,
        accuracy_us: info.accuracy_us,
        authority: own.parsed.tbs_certificate.subject.to_string(),
        serial: hex(info.serial),
        policy: info.policy.to_string(),
        is_modified: granted.is_modified,
    })
}

/// Checks that the signed attributes are of this content (RFC 5652, section 5.6).
fn check_attributes(signed: &Signed<'_>) -> Result<(), Error> {
    let signer = &signed.signer;
    let kind = signer.required(&CONTENT_TYPE, "contentType")?;
    let kind = ObjectIdentifier::from_der(kind.whole).map_err(Error::malformed("contentType"))?;
    if kind != TST_INFO {
        return Err(Error::SignedType(kind.to_string()));
    }
    let stated = signer.required(&MESSAGE_DIGEST, "messageDigest")?;
    let stated = stated.tagged(Tag::OctetString).map_err(Error::malformed("messageDigest"))?;
    if hash(&signer.digest_algorithm.oid, signed.content)? != stated.value {
        return Err(Error::ContentDigest);
    }
    Ok(())
}
