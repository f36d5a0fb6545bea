//! Whose signature it is, whether it holds, and whether the chain of certificates leads to a trusted root.

use std::time::Duration;

use der::Decode as _;
use der::oid::db::rfc5280;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier};

use super::algorithms;
use super::error::Error;
use super::signed::{Signed, SignerId};
use crate::base::Timestamp;

/// `id-kp-timeStamping` (1.3.6.1.5.5.7.3.8) as the bytes of its value.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// The signer's certificate: its bytes, and taken apart.
pub(super) struct SignerCertificate<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) parsed: Certificate,
}

/// Finds the certificate that the signature names.
pub(super) fn signer_certificate<'a>(signed: &Signed<'a>) -> Result<SignerCertificate<'a>, Error> {
    let mut unreadable = None;
    for &bytes in &signed.certificates {
        match Certificate::from_der(bytes) {
            Ok(parsed) if is_named(&parsed, &signed.signer.id) => {
                return Ok(SignerCertificate { bytes, parsed });
            }
            Ok(_) => {}
            Err(error) => unreadable = Some(error),
        }
    }
    match unreadable {
        Some(error) => Err(Error::malformed("certificate in the token")(error)),
        None => Err(Error::NoCertificate),
    }
}

fn is_named(certificate: &Certificate, id: &SignerId<'_>) -> bool {
    let body = &certificate.tbs_certificate;
    match id {
        SignerId::IssuerAndSerial(id) => body.issuer == id.issuer && body.serial_number == id.serial_number,
        SignerId::KeyId(id) => {
            let own = body.get::<SubjectKeyIdentifier>().ok().flatten();
            own.is_some_and(|(_, own)| own.0.as_bytes() == *id)
        }
    }
}

/// Checks that the certificate is for time-stamps and nothing else, and says so critically (RFC 3161, section 2.3).
pub(super) fn check_usage(certificate: &Certificate) -> Result<(), Error> {
    let usage = certificate.tbs_certificate.get::<ExtendedKeyUsage>();
    match usage.map_err(Error::malformed("extended key usage of the signer's certificate"))? {
        None => Err(Error::Usage("it has no extended key usage")),
        Some((_, usage)) if usage.0 != [rfc5280::ID_KP_TIME_STAMPING] => {
            Err(Error::Usage("its extended key usage is another than timeStamping alone"))
        }
        Some((false, _)) => Err(Error::Usage("its extended key usage is not marked as critical")),
        Some((true, _)) => Ok(()),
    }
}

/// Checks the signature with the key of the certificate.
pub(super) fn check_signature(signed: &Signed<'_>, certificate: &[u8]) -> Result<(), Error> {
    let der = CertificateDer::from(certificate);
    let own = EndEntityCert::try_from(&der).map_err(|error| chain_error(&error, 0, ""))?;
    let signer = &signed.signer;
    let candidates = algorithms::of_signature(&signer.algorithm, &signer.digest_algorithm)?;
    let mut last = None;
    for candidate in candidates {
        match own.verify_signature(candidate, &signer.signed_bytes, signer.signature) {
            Ok(()) => return Ok(()),
            // One number stands for several curves and key types: the key says which it is.
            Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(webpki::Error::InvalidSignatureForPublicKey) => {
            Err(Error::Signature("it does not fit the signer's key".to_owned()))
        }
        Some(error) => Err(Error::Signature(error.to_string())),
        None => Err(Error::Signature("its algorithm does not fit the signer's key".to_owned())),
    }
}

/// Checks that a chain leads from the certificate to one of `roots`, and that all of it held at `at`.
pub(super) fn check_chain(
    signed: &Signed<'_>,
    own: &SignerCertificate<'_>,
    roots: &[Vec<u8>],
    at: Timestamp,
) -> Result<(), Error> {
    let signer = own.parsed.tbs_certificate.subject.to_string();
    let wrong = |error: &webpki::Error| chain_error(error, roots.len(), &signer);
    let roots: Vec<CertificateDer<'_>> =
        roots.iter().map(|root| CertificateDer::from(root.as_slice())).collect();
    let anchors: Vec<TrustAnchor<'_>> = roots
        .iter()
        .map(anchor_from_trusted_cert)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(&error))?;
    if anchors.is_empty() {
        return Err(Error::NoRoots);
    }
    let others: Vec<CertificateDer<'_>> = signed
        .certificates
        .iter()
        .filter(|&&bytes| bytes != own.bytes)
        .map(|&bytes| CertificateDer::from(bytes))
        .collect();
    let der = CertificateDer::from(own.bytes);
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // Issuers mostly have no extended key usage; the signer's own is checked more strictly above.
    let usage = KeyUsage::required_if_present(TIME_STAMPING);
    EndEntityCert::try_from(&der)
        .and_then(|own| {
            let known = webpki::ALL_VERIFICATION_ALGS;
            own.verify_for_usage(known, &anchors, &others, time, usage, None, None).map(|_| ())
        })
        .map_err(|error| wrong(&error))
}

/// What the library says of a chain, in words for a person.
fn chain_error(error: &webpki::Error, roots: usize, signer: &str) -> Error {
    let date = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).map_or_else(|_| "an unknown date".to_owned(), |at| at.to_string())
    };
    match error {
        webpki::Error::CertExpired { time, not_after } => {
            Error::Expired { at: date(time), ended: date(not_after) }
        }
        webpki::Error::CertNotValidYet { time, not_before } => {
            Error::NotYetValid { at: date(time), began: date(not_before) }
        }
        webpki::Error::UnknownIssuer => Error::Untrusted { roots, signer: crate::base::inert(signer) },
        webpki::Error::RequiredEkuNotFoundContext(_) => {
            Error::Usage("one of its issuers may issue for other purposes only")
        }
        webpki::Error::InvalidSignatureForPublicKey => {
            Error::Chain("a certificate is not signed by the authority that it names".to_owned())
        }
        other => Error::Chain(other.to_string()),
    }
}
