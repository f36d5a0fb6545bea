//! Algorithms by their numbers: those of digests and of signatures.

use der::asn1::ObjectIdentifier;
use der::oid::db::{rfc5912, rfc8410};
use der::{Decode as _, Encode as _, Tag, TagNumber};
use rustls::pki_types::SignatureVerificationAlgorithm;
use webpki::ring;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::error::Error;
use super::parts::{Part, context};

/// `SM2 with SM3`, which Chinese authorities may use, and SM3 alone.
const SM2_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.501");
const SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.401");

/// Hashes `bytes` by a named algorithm.
pub(super) fn hash(algorithm: &ObjectIdentifier, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    use ::ring::digest;
    let algorithm = match *algorithm {
        rfc5912::ID_SHA_256 => &digest::SHA256,
        rfc5912::ID_SHA_384 => &digest::SHA384,
        rfc5912::ID_SHA_512 => &digest::SHA512,
        other => return Err(unsupported(other)),
    };
    Ok(digest::digest(algorithm, bytes).as_ref().to_vec())
}

/// SHA-1, which the older `signingCertificate` attribute is made with. It only says which of the token's certificates is
/// meant; that one is signed with SHA-2 by its issuer, and the attribute by its own key.
pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    ::ring::digest::digest(&::ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

fn unsupported(oid: ObjectIdentifier) -> Error {
    let name = match oid {
        SM2_SM3 => " SM2 with SM3",
        SM3 => " SM3",
        rfc5912::ID_SHA_1 | rfc5912::SHA_1_WITH_RSA_ENCRYPTION => " SHA-1",
        rfc5912::ECDSA_WITH_SHA_512 => " ECDSA with SHA-512",
        _ => "",
    };
    Error::Algorithm { oid: oid.to_string(), name }
}

/// How a signature is made, the digest apart.
#[derive(Clone, Copy)]
enum Family {
    Pkcs1,
    Pss,
    Ecdsa,
}

/// What a signature's algorithm may mean; the key says which of them it is. The digest must be that of the attributes,
/// or it would be no use to hash these by a strong one.
pub(super) fn of_signature(
    signature: &AlgorithmIdentifierOwned,
    digest: &AlgorithmIdentifierOwned,
) -> Result<Vec<&'static dyn SignatureVerificationAlgorithm>, Error> {
    let (family, own) = match signature.oid {
        rfc5912::RSA_ENCRYPTION => (Family::Pkcs1, digest.oid),
        rfc5912::SHA_256_WITH_RSA_ENCRYPTION => (Family::Pkcs1, rfc5912::ID_SHA_256),
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION => (Family::Pkcs1, rfc5912::ID_SHA_384),
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION => (Family::Pkcs1, rfc5912::ID_SHA_512),
        rfc5912::ECDSA_WITH_SHA_256 => (Family::Ecdsa, rfc5912::ID_SHA_256),
        rfc5912::ECDSA_WITH_SHA_384 => (Family::Ecdsa, rfc5912::ID_SHA_384),
        rfc5912::ID_RSASSA_PSS => {
            let own = pss_digest(signature).map_err(Error::malformed("parameters of the signature"))?;
            (Family::Pss, own)
        }
        rfc8410::ID_ED_25519 => return Ok(vec![ring::ED25519]),
        other => return Err(unsupported(other)),
    };
    if own != digest.oid {
        let reason = format!("it is made with the digest {own}, the attributes with {}", digest.oid);
        return Err(Error::Signature(reason));
    }
    let found: Vec<&'static dyn SignatureVerificationAlgorithm> = match (family, own) {
        (Family::Pkcs1, rfc5912::ID_SHA_256) => vec![ring::RSA_PKCS1_2048_8192_SHA256],
        (Family::Pkcs1, rfc5912::ID_SHA_384) => vec![ring::RSA_PKCS1_2048_8192_SHA384],
        (Family::Pkcs1, rfc5912::ID_SHA_512) => vec![ring::RSA_PKCS1_2048_8192_SHA512],
        (Family::Pss, rfc5912::ID_SHA_256) => vec![ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        (Family::Pss, rfc5912::ID_SHA_384) => vec![ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        (Family::Pss, rfc5912::ID_SHA_512) => vec![ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        (Family::Ecdsa, rfc5912::ID_SHA_256) => vec![ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256],
        (Family::Ecdsa, rfc5912::ID_SHA_384) => vec![ring::ECDSA_P384_SHA384, ring::ECDSA_P256_SHA384],
        (_, other) => return Err(unsupported(other)),
    };
    Ok(found)
}

/// The digest in `RSASSA-PSS-params` (RFC 4055); SHA-1 where none is named.
fn pss_digest(signature: &AlgorithmIdentifierOwned) -> der::Result<ObjectIdentifier> {
    let Some(parameters) = &signature.parameters else { return Ok(rfc5912::ID_SHA_1) };
    let bytes = parameters.to_der()?;
    let mut parts = Part::only(&bytes)?.tagged(Tag::Sequence)?.parts()?;
    match parts.optional(context(TagNumber::N0))? {
        None => Ok(rfc5912::ID_SHA_1),
        Some(digest) => AlgorithmIdentifierOwned::from_der(digest.value).map(|digest| digest.oid),
    }
}
