//! The question (RFC 3161, section 2.4.1).

use der::asn1::{Int, OctetString};
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Any, Encode as _};
use x509_cert::spki::AlgorithmIdentifier;
use x509_tsp::{MessageImprint, TimeStampReq, TspVersion};

use super::error::Error;
use crate::base::Digest;

/// Length of a nonce in bytes.
pub const NONCE_BYTES: usize = 8;

/// Returns the DER bytes of a request for a time-stamp of `digest`, with the signer's certificate asked for. The nonce
/// is a random number that the answer must hold; its first two bits are made 0 and 1, so that it
/// is positive and 8 bytes long.
///
/// # Errors
/// [`Error::Malformed`] where it cannot be written, which the types leave no way to.
pub fn request(digest: &Digest, nonce: [u8; NONCE_BYTES]) -> Result<Vec<u8>, Error> {
    let write = || {
        let hash_algorithm = AlgorithmIdentifier { oid: ID_SHA_256, parameters: Some(Any::null()) };
        let hashed_message = OctetString::new(digest.as_bytes().as_slice())?;
        TimeStampReq {
            version: TspVersion::V1,
            message_imprint: MessageImprint { hash_algorithm, hashed_message },
            req_policy: None,
            nonce: Some(Int::new(&normal(nonce))?),
            cert_req: true,
            extensions: None,
        }
        .to_der()
    };
    write().map_err(Error::malformed("time-stamp request"))
}

/// The nonce as it is sent: positive and in its shortest form, whatever the bits are.
pub(super) const fn normal(mut nonce: [u8; NONCE_BYTES]) -> [u8; NONCE_BYTES] {
    nonce[0] = nonce[0] & 0x3f | 0x40;
    nonce
}
