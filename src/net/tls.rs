//! TLS as the system judges it, with a look at the certificates that passed and the cipher suites that were agreed on.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::seen::Seen;
use super::suites;
use crate::base::Digest;

/// Makes the configuration of all connections: the roots of the system and `extra` ones are trusted, or the extra ones
/// alone where the system has none; chains that hold are remembered in `seen`, with the cipher suites.
pub(super) fn config(extra: &[CertificateDer<'static>], seen: &Arc<Seen>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(suites::provider());
    let verifier = Remembering { usual: verifier(extra, &provider)?, seen: Arc::clone(seen) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Each connection shows its certificate and is verified anew: what is recorded of it was seen on it.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn verifier(
    extra: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let of_system =
        rustls_platform_verifier::Verifier::new_with_extra_roots(extra.to_vec(), Arc::clone(provider));
    if let Ok(verifier) = of_system {
        return Ok(Arc::new(verifier));
    }
    // A machine without any root certificate: plain HTTP must still work; HTTPS then fails by its own clear error, or
    // trusts the configured roots alone.
    let mut roots = RootCertStore::empty();
    for certificate in extra {
        roots.add(certificate.clone())?;
    }
    if roots.is_empty() {
        return Ok(Arc::new(NoRoots(Arc::clone(provider))));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|error| Error::General(error.to_string()))
}

/// Judges as the usual verifier does, and remembers the chains that it found good.
#[derive(Debug)]
struct Remembering {
    usual: Arc<dyn ServerCertVerifier>,
    seen: Arc<Seen>,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        self.seen.verified(end_entity, intermediates);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.usual.verify_tls12_signature(message, cert, dss)?;
        suites::await_keys(&self.seen, Digest::of(cert));
        Ok(verified)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.usual.verify_tls13_signature(message, cert, dss)?;
        if let Some(suite) = suites::decrypted_last() {
            self.seen.agreed(Digest::of(cert), suites::TLS_1_3, suite);
        }
        Ok(verified)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.usual.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.usual.root_hint_subjects()
    }
}

/// Trusts nobody.
#[derive(Debug)]
struct NoRoots(Arc<CryptoProvider>);

impl ServerCertVerifier for NoRoots {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whoever_has_no_roots_trusts_nobody() {
        let verifier = NoRoots(Arc::new(rustls::crypto::ring::default_provider()));
        let certificate = CertificateDer::from(vec![0; 10]);
        let name = ServerName::try_from("a.example").unwrap();
        let judged = verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now());
        assert_eq!(judged.err(), Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
        assert!(!verifier.supported_verify_schemes().is_empty());
    }
}
