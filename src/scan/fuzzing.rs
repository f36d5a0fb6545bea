//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use super::transfer;
use crate::store::OtherLine;

/// Reads the value of an exported fingerprint; gives the bytes of the fingerprint.
#[must_use]
pub fn exported_fingerprint(key: &str, value: &[u8]) -> Option<Vec<u8>> {
    let line = OtherLine { number: 1, key: key.to_owned(), value: value.to_vec() };
    let (_, fingerprint) = transfer::decode(&line).ok()?;
    Some(crate::fingerprint::encode(&fingerprint))
}
