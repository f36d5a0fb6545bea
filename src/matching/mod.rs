//! Finding recordings in a fingerprint: lookup → voting → dense verification → significance. Here is a
//! fingerprint and an index, gives [`Match`]es. Pure.

mod types;

pub use types::Match;
