//! Which certificate a signature is bound to (RFC 2634, section 5.4, and RFC 5035): without it, another certificate
//! for the same key could be put in its place.

use der::asn1::ObjectIdentifier;
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Decode as _, Tag};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::algorithms::{hash, sha1};
use super::error::Error;
use super::parts::Part;
use super::signed::Signer;

/// `id-aa-signingCertificate`, whose digest is SHA-1.
const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
/// `id-aa-signingCertificateV2`.
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const NAME: &str = "signingCertificate";

/// Checks that the signature is bound to `certificate`; where both attributes are there, both must be.
pub(super) fn check(signer: &Signer<'_>, certificate: &[u8]) -> Result<(), Error> {
    let old = signer.attribute(&SIGNING_CERTIFICATE, NAME)?;
    let new = signer.attribute(&SIGNING_CERTIFICATE_V2, "signingCertificateV2")?;
    if old.is_none() && new.is_none() {
        return Err(Error::Attribute { name: NAME, count: 0 });
    }
    for (attribute, is_second) in [(old, false), (new, true)] {
        let Some(attribute) = attribute else { continue };
        let bound = Bound::read(attribute, is_second).map_err(Error::malformed(NAME))?;
        if bound.digest_of(certificate)? != bound.digest {
            return Err(Error::SigningCertificate("the digests differ".to_owned()));
        }
        if let Some(serial) = bound.serial
            && serial_of(certificate).map_err(Error::malformed("signer's certificate"))? != serial
        {
            return Err(Error::SigningCertificate("the serial numbers differ".to_owned()));
        }
    }
    Ok(())
}

/// The first `ESSCertID`, which is the signer's.
struct Bound<'a> {
    /// `None` is SHA-1.
    algorithm: Option<ObjectIdentifier>,
    digest: &'a [u8],
    serial: Option<&'a [u8]>,
}

impl<'a> Bound<'a> {
    fn read(attribute: Part<'a>, is_second: bool) -> der::Result<Self> {
        let mut certificates = attribute.tagged(Tag::Sequence)?.parts()?.tagged(Tag::Sequence)?.parts()?;
        let mut parts = certificates.tagged(Tag::Sequence)?.parts()?;
        let algorithm = match parts.optional(Tag::Sequence)? {
            Some(algorithm) if is_second => Some(AlgorithmIdentifierOwned::from_der(algorithm.whole)?.oid),
            Some(_) => return Err(Tag::Sequence.unexpected_error(Some(Tag::OctetString))),
            None if is_second => Some(ID_SHA_256),
            None => None,
        };
        let digest = parts.tagged(Tag::OctetString)?.value;
        let serial = match parts.optional(Tag::Sequence)? {
            None => None,
            Some(both) => {
                let mut both = both.parts()?;
                both.tagged(Tag::Sequence)?;
                Some(both.tagged(Tag::Integer)?.value)
            }
        };
        parts.end()?;
        Ok(Self { algorithm, digest, serial })
    }

    fn digest_of(&self, certificate: &[u8]) -> Result<Vec<u8>, Error> {
        self.algorithm.map_or_else(|| Ok(sha1(certificate)), |algorithm| hash(&algorithm, certificate))
    }
}

/// The serial number in a certificate: the first integer of its `TBSCertificate`, after the version.
fn serial_of(certificate: &[u8]) -> der::Result<&[u8]> {
    let mut parts =
        Part::only(certificate)?.tagged(Tag::Sequence)?.parts()?.tagged(Tag::Sequence)?.parts()?;
    parts.optional(super::parts::context(der::TagNumber::N0))?;
    Ok(parts.tagged(Tag::Integer)?.value)
}
