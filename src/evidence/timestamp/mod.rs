//! Time-stamps of a third party (RFC 3161): here is a digest; gives a token that proves when it existed, and here is a
//! token; gives what it says, or what is wrong with it.
//!
//! - [`request()`]: the bytes that ask for a time-stamp; [`obtain()`]: asks an authority and verifies what comes.
//! - [`verify()`]: verifies a token offline, against the roots that the caller trusts; [`Stamped`]: what it says.
//! - [`claimed()`]: what a token claims for a digest, where nobody is trusted yet.
//! - [`read_roots`]: such roots from PEM files.
//!
//! A token proves that bytes existed unaltered since its instant, not that they are true. Signatures are RSA of 2,048 bits
//! and more (PKCS #1, and PSS with a salt as long as the digest), ECDSA on P-256 and P-384, and Ed25519, with SHA-2; the
//! Chinese SM2 and SM3 are not verified here, and the error says so. Whether a certificate was revoked is not asked: that
//! would need a network.

mod algorithms;
mod chain;
mod error;
mod ess;
mod info;
mod obtain;
mod parts;
mod request;
mod response;
mod roots;
mod signed;
#[cfg(test)]
mod tests;
mod verify;

pub use error::Error;
pub use obtain::{Patience, Token, obtain};
pub use request::{NONCE_BYTES, request};
pub use roots::read_roots;
pub use verify::{Claim, Stamped, TOKEN_BYTES_MAX, claimed, told, verify};
