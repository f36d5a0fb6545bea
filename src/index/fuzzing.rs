//! Doors for the fuzz targets to what nobody else needs to reach.

use super::format::{END_MAGIC, HEADER_BYTES, MAGIC, SEGMENT_VERSION};
use crate::fingerprint::FORMAT_VERSION;

/// Gives a segment's bytes the marks, versions and checksum that they would be refused without.
pub fn seal(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().max(HEADER_BYTES + END_MAGIC.len()), 0);
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..10].copy_from_slice(&SEGMENT_VERSION.to_le_bytes());
    bytes[10..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..HEADER_BYTES - 4]);
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    let end = bytes.len() - END_MAGIC.len();
    bytes[end..].copy_from_slice(END_MAGIC);
}
