//! What can be wrong with a time-stamp.

use crate::net;

/// Why there is no time-stamp, or why one is not believed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The authority could not be asked.
    #[error("the time-stamp authority cannot be asked: {0}")]
    Network(#[from] net::Error),
    /// The system gives no random numbers, without which an old answer could be played again.
    #[error("no random number for the time-stamp request")]
    Random,
    /// The authority answered with something else than a time-stamp.
    #[error("{url}: the answer is `{content_type}`, not a time-stamp (application/timestamp-reply)")]
    ContentType {
        /// The authority's address.
        url: String,
        /// What it sent.
        content_type: String,
    },
    /// The bytes are not what RFC 3161 and RFC 5652 ask for.
    #[error("the {what} cannot be read: {reason}")]
    Malformed {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The authority refuses.
    #[error("the time-stamp authority refuses: {0}")]
    Refused(String),
    /// The answer says that a token was granted, and holds none.
    #[error("the time-stamp authority says granted, and sends no token")]
    NoToken,
    /// The token is of other bytes.
    #[error("the token is of another digest: {found}, not {expected} (SHA-256)")]
    Imprint {
        /// What it is of, with the algorithm where that is not SHA-256.
        found: String,
        /// What it should be of.
        expected: String,
    },
    /// The token does not answer the request that was sent.
    #[error("the token answers another request: its nonce is not the one that was sent")]
    Nonce,
    /// The token has not exactly one signature.
    #[error("the token has {0} signatures, not one")]
    Signers(usize),
    /// The certificate of the signature is not there.
    #[error("the token holds no certificate of its signer")]
    NoCertificate,
    /// A signed attribute is missing or there more than once.
    #[error("the token has {count} signed attributes `{name}`, not one")]
    Attribute {
        /// The attribute.
        name: &'static str,
        /// How often it is there.
        count: usize,
    },
    /// What is signed is not a time-stamp.
    #[error("what is signed is not a time-stamp, but of the type {0}")]
    SignedType(String),
    /// The signed digest is not that of the token's content.
    #[error("the token's content is not what was signed: its digest differs")]
    ContentDigest,
    /// The signature names another certificate than the one it is to be verified with (RFC 5816).
    #[error("the signature is bound to another certificate than the signer's: {0}")]
    SigningCertificate(String),
    /// The algorithm is not known here.
    #[error(
        "the algorithm {oid}{name} is not supported here (RSA, ECDSA on P-256 and P-384, Ed25519, with SHA-2, are)"
    )]
    Algorithm {
        /// Its number.
        oid: String,
        /// Its name with a blank before it, where it is known.
        name: &'static str,
    },
    /// The signature does not hold.
    #[error("the signature of the token is wrong: {0}")]
    Signature(String),
    /// The certificate is not one for time-stamps alone (RFC 3161, section 2.3).
    #[error("the signer's certificate is not one for time-stamps: {0}")]
    Usage(&'static str),
    /// The certificate, or one of its issuers, had expired at the token's instant.
    #[error("a certificate had expired at the token's instant {at} (it ended at {ended})")]
    Expired {
        /// The token's instant.
        at: String,
        /// The certificate's end.
        ended: String,
    },
    /// The certificate, or one of its issuers, was not valid yet at the token's instant.
    #[error("a certificate was not valid yet at the token's instant {at} (it began at {began})")]
    NotYetValid {
        /// The token's instant.
        at: String,
        /// The certificate's beginning.
        began: String,
    },
    /// No chain leads to a trusted root.
    #[error("the signer's certificate leads to none of the {roots} roots that are trusted ({signer})")]
    Untrusted {
        /// How many roots were given.
        roots: usize,
        /// Who signed, by the certificate.
        signer: String,
    },
    /// A chain that is wrong in another way.
    #[error("the signer's chain of certificates is wrong: {0}")]
    Chain(String),
    /// There is no root to verify against.
    #[error("no root certificate of the time-stamp authority is given (evidence.timestamp_roots)")]
    NoRoots,
    /// A root cannot be read.
    #[error("{path}: {reason}")]
    Root {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// What a decoder said of a part.
    pub(super) fn malformed(what: &'static str) -> impl Fn(der::Error) -> Self {
        move |error| Self::Malformed { what, reason: error.to_string() }
    }

    /// Whether the same request may succeed a little later.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Network(net::Error::Status { status, .. }) => {
                matches!(*status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
            }
            Self::Network(net::Error::Timeout { .. } | net::Error::Broken { .. }) => true,
            Self::Network(error) => error.may_be_transient(),
            _ => false,
        }
    }
}
