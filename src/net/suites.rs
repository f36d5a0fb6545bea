//! Which cipher suite a connection agreed on, which neither the HTTP library nor a verifier of certificates is told.
//!
//! Each suite that is offered is wrapped in one that does the same and notes itself. The TLS library works on one record
//! after another in one call, on one thread, so that a note on the thread leads from the suite to the certificate:
//!
//! - TLS 1.3: the server's signature arrives encrypted, and is verified in the call that decrypted the end of it. The suite
//!   that decrypted last is that of the connection: [`decrypted_last`].
//! - TLS 1.2: the signature arrives in the clear, and the keys are made right after it was verified, in the same call. Whoever
//!   verified it leaves word by [`await_keys`], and is told when the keys are made.
//!
//! A connection that goes on with an older one's keys shows no certificate and would be told by no such note, so that
//! [`super::tls`] offers to go on with none.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

use super::seen::Seen;
use crate::base::Digest;

thread_local! {
    static DECRYPTED: Cell<Option<CipherSuite>> = const { Cell::new(None) };
    static AWAITING: RefCell<Option<(Arc<Seen>, Digest)>> = const { RefCell::new(None) };
}

/// The suites of *ring* that note themselves, made once: the TLS library wants them for ever.
static SUITES: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    rustls::crypto::ring::default_provider().cipher_suites.into_iter().map(noting).collect()
});

/// The cryptography of all connections.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider { cipher_suites: SUITES.clone(), ..rustls::crypto::ring::default_provider() }
}

/// The suite of TLS 1.3 that this thread decrypted the last record with.
pub(super) fn decrypted_last() -> Option<CipherSuite> {
    DECRYPTED.try_with(Cell::take).ok().flatten()
}

/// The server's signature holds (TLS 1.2): the keys that this thread makes next are those of a connection to the owner of the
/// certificate with this digest.
pub(super) fn await_keys(seen: &Arc<Seen>, certificate: Digest) {
    // The note fails only while the thread ends, when no connection is made any more.
    let _ = AWAITING.try_with(|awaiting| awaiting.replace(Some((Arc::clone(seen), certificate))));
}

/// The suite's name as IANA has it; the library writes `TLS13_` where that has `TLS_`.
pub(super) fn name(suite: CipherSuite) -> Option<String> {
    let name = suite.as_str()?;
    Some(name.strip_prefix("TLS13_").map_or_else(|| name.to_owned(), |rest| format!("TLS_{rest}")))
}

fn noting(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls12(inner) => {
            let aead_alg = Box::leak(Box::new(Noting { inner: inner.aead_alg, suite: inner.common.suite }));
            let own = Tls12CipherSuite {
                common: same(&inner.common),
                prf_provider: inner.prf_provider,
                kx: inner.kx,
                sign: inner.sign,
                aead_alg,
            };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(own)))
        }
        SupportedCipherSuite::Tls13(inner) => {
            let aead_alg = Box::leak(Box::new(Noting { inner: inner.aead_alg, suite: inner.common.suite }));
            let own = Tls13CipherSuite {
                common: same(&inner.common),
                hkdf_provider: inner.hkdf_provider,
                aead_alg,
                quic: inner.quic,
            };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(own)))
        }
    }
}

const fn same(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: common.confidentiality_limit,
    }
}

/// An algorithm that notes when it is used, and with which suite.
struct Noting<A: ?Sized + 'static> {
    inner: &'static A,
    suite: CipherSuite,
}

impl Tls12AeadAlgorithm for Noting<dyn Tls12AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.inner.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        let awaiting = AWAITING.try_with(RefCell::take).ok().flatten();
        if let Some((seen, certificate)) = awaiting {
            seen.agreed(certificate, TLS_1_2, self.suite);
        }
        self.inner.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.inner.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv, explicit)
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

impl Tls13AeadAlgorithm for Noting<dyn Tls13AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.inner.encrypter(key, iv)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(NotingDecrypter { inner: self.inner.decrypter(key, iv), suite: self.suite })
    }

    fn key_len(&self) -> usize {
        self.inner.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

/// Decrypts the records of one connection, and notes its suite at each.
struct NotingDecrypter {
    inner: Box<dyn MessageDecrypter>,
    suite: CipherSuite,
}

impl MessageDecrypter for NotingDecrypter {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let _ = DECRYPTED.try_with(|decrypted| decrypted.set(Some(self.suite)));
        self.inner.decrypt(message, number)
    }
}

/// The versions by the names that are recorded.
pub(super) const TLS_1_2: &str = "TLSv1.2";
pub(super) const TLS_1_3: &str = "TLSv1.3";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_suites_are_those_of_the_usual_provider_under_their_registered_names() {
        let usual = rustls::crypto::ring::default_provider();
        let own = provider();
        assert_eq!(own.cipher_suites, usual.cipher_suites);
        let names: Vec<String> = own.cipher_suites.iter().map(|suite| name(suite.suite()).unwrap()).collect();
        for known in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ] {
            assert!(names.iter().any(|name| name == known), "{known} in {names:?}");
        }
    }
}
