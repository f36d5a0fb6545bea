//! The signed message around a time-stamp (RFC 5652): `SignedData` with one `SignerInfo`.

use cms::cert::IssuerAndSerialNumber;
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Tag, TagNumber};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::error::Error;
use super::parts::{Part, context};

/// `id-signedData`.
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// `id-ct-TSTInfo`.
pub(super) const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Certificates that one token may hold; chains have two to four.
const CERTIFICATES_MAX: usize = 32;
/// Signed attributes that one token may hold.
const ATTRIBUTES_MAX: usize = 64;

/// A token taken apart, nothing of it verified yet.
pub(super) struct Signed<'a> {
    /// The `TSTInfo` that is signed.
    pub(super) content: &'a [u8],
    /// The certificates in DER, as they stand.
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) signer: Signer<'a>,
}

/// Who signed, by what the token says.
pub(super) enum SignerId<'a> {
    IssuerAndSerial(Box<IssuerAndSerialNumber>),
    KeyId(&'a [u8]),
}

/// The one signature.
pub(super) struct Signer<'a> {
    pub(super) id: SignerId<'a>,
    pub(super) digest_algorithm: AlgorithmIdentifierOwned,
    attributes: Vec<Attribute<'a>>,
    /// What the signature is of: the attributes with the tag of a set.
    pub(super) signed_bytes: Vec<u8>,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: &'a [u8],
}

struct Attribute<'a> {
    kind: ObjectIdentifier,
    values: Vec<Part<'a>>,
}

impl<'a> Signed<'a> {
    pub(super) fn read(token: &'a [u8]) -> Result<Self, Error> {
        let wrong = Error::malformed("time-stamp token");
        let (data, kind) = unwrap(token).map_err(&wrong)?;
        if kind != SIGNED_DATA {
            return Err(Error::SignedType(kind.to_string()));
        }
        let mut parts = data.tagged(Tag::Sequence).and_then(|data| data.parts()).map_err(&wrong)?;
        let mut head = || {
            parts.tagged(Tag::Integer)?;
            parts.tagged(Tag::Set)?;
            let content = parts.tagged(Tag::Sequence)?;
            let certificates = parts.optional(context(TagNumber::N0))?;
            parts.optional(context(TagNumber::N1))?;
            let signers = parts.tagged(Tag::Set)?.parts()?.rest(ATTRIBUTES_MAX)?;
            der::Result::Ok((content, certificates, signers))
        };
        let (content, certificates, signers) = head().map_err(&wrong)?;
        parts.end().map_err(&wrong)?;
        let (content, kind) = unwrap(content.whole).map_err(&wrong)?;
        if kind != TST_INFO {
            return Err(Error::SignedType(kind.to_string()));
        }
        let content = content.tagged(Tag::OctetString).map_err(&wrong)?.value;
        let certificates = match certificates {
            None => Vec::new(),
            Some(set) => set.parts().and_then(|parts| parts.rest(CERTIFICATES_MAX)).map_err(&wrong)?,
        };
        // Attribute certificates and other kinds have tags of their own; they are of no use here.
        let plain = certificates.into_iter().filter(|part| part.tag == Tag::Sequence);
        let certificates = plain.map(|part| part.whole).collect();
        let [signer] = signers.as_slice() else { return Err(Error::Signers(signers.len())) };
        Ok(Self { content, certificates, signer: Signer::read(*signer).map_err(&wrong)? })
    }
}

impl<'a> Signer<'a> {
    fn read(part: Part<'a>) -> der::Result<Self> {
        let mut parts = part.tagged(Tag::Sequence)?.parts()?;
        parts.tagged(Tag::Integer)?;
        let id = signer_id(parts.next()?)?;
        let digest_algorithm = AlgorithmIdentifierOwned::from_der(parts.tagged(Tag::Sequence)?.whole)?;
        let attributes = parts.tagged(context(TagNumber::N0))?;
        let algorithm = AlgorithmIdentifierOwned::from_der(parts.tagged(Tag::Sequence)?.whole)?;
        let signature = parts.tagged(Tag::OctetString)?.value;
        parts.optional(context(TagNumber::N1))?;
        parts.end()?;
        let listed = attributes.parts()?.rest(ATTRIBUTES_MAX)?;
        Ok(Self {
            id,
            digest_algorithm,
            attributes: listed.into_iter().map(Attribute::read).collect::<der::Result<_>>()?,
            signed_bytes: as_set(attributes.whole),
            algorithm,
            signature,
        })
    }

    /// Returns the one value of the one signed attribute of this kind, if it is there.
    pub(super) fn attribute(
        &self,
        kind: &ObjectIdentifier,
        name: &'static str,
    ) -> Result<Option<Part<'a>>, Error> {
        let values: Vec<Part<'a>> = self
            .attributes
            .iter()
            .filter(|attribute| attribute.kind == *kind)
            .flat_map(|attribute| attribute.values.iter().copied())
            .collect();
        match values.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            more => Err(Error::Attribute { name, count: more.len() }),
        }
    }

    /// The same where it must be there.
    pub(super) fn required(&self, kind: &ObjectIdentifier, name: &'static str) -> Result<Part<'a>, Error> {
        self.attribute(kind, name)?.ok_or(Error::Attribute { name, count: 0 })
    }
}

impl<'a> Attribute<'a> {
    fn read(part: Part<'a>) -> der::Result<Self> {
        let mut parts = part.tagged(Tag::Sequence)?.parts()?;
        let kind = ObjectIdentifier::from_der(parts.tagged(Tag::ObjectIdentifier)?.whole)?;
        let values = parts.tagged(Tag::Set)?.parts()?.rest(ATTRIBUTES_MAX)?;
        parts.end()?;
        Ok(Self { kind, values })
    }
}

/// Takes a type and its explicitly tagged content apart: `ContentInfo` and `EncapsulatedContentInfo`.
fn unwrap(bytes: &[u8]) -> der::Result<(Part<'_>, ObjectIdentifier)> {
    let mut parts = Part::only(bytes)?.tagged(Tag::Sequence)?.parts()?;
    let kind = ObjectIdentifier::from_der(parts.tagged(Tag::ObjectIdentifier)?.whole)?;
    let content = parts.tagged(context(TagNumber::N0))?;
    parts.end()?;
    Ok((Part::only(content.value)?, kind))
}

fn signer_id(part: Part<'_>) -> der::Result<SignerId<'_>> {
    // `[0] IMPLICIT OCTET STRING` is not constructed.
    let key_id = Tag::ContextSpecific { constructed: false, number: TagNumber::N0 };
    if part.tag == key_id {
        return Ok(SignerId::KeyId(part.value));
    }
    IssuerAndSerialNumber::from_der(part.whole).map(|id| SignerId::IssuerAndSerial(Box::new(id)))
}

/// What is signed are the attributes as a `SET OF`, not with the tag that they stand under (RFC 5652, section 5.4).
fn as_set(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    if let Some(tag) = bytes.first_mut() {
        *tag = 0x31;
    }
    bytes
}
