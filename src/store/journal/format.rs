//! The journal's bytes. All numbers are little-endian.
//!
//! ```text
//! header   8  magic "EWJOURN\n"
//!          4  version, 1
//!          4  zero
//!          8  generation: 1 for a new journal, one more after each rewriting
//!          4  zero
//!          4  CRC-32 (IEEE) of the 28 bytes before
//! frame    4  marker FF 45 57 F1: not UTF-8, so that no payload can hold it
//!          4  length of the payload in bytes, 1 to 2^26
//!          4  CRC-32 (IEEE) of the length field and the payload
//!          n  payload: one batch, as JSON Lines {"kind":…,"key":…,"value":…}; a null value deletes
//! ```
//!
//! One frame is one batch, so a batch is there whole or not at all. Frames follow each other up to the file's end.

/// The header's length in bytes.
pub(in crate::store) const HEADER_BYTES: u64 = 32;

/// The frame header's length in bytes.
pub(in crate::store) const FRAME_HEADER_BYTES: usize = 12;

/// The longest payload, in bytes; a longer length is damage and is never read.
pub(super) const PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// What each frame begins with.
pub(super) const MARKER: [u8; 4] = [0xff, b'E', b'W', 0xf1];

/// The newest version of the format.
pub(super) const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"EWJOURN\n";

/// Lays out the header.
pub(in crate::store) fn header(generation: u64) -> [u8; HEADER_BYTES as usize] {
    let mut bytes = [0; HEADER_BYTES as usize];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&generation.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What is wrong with a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    Magic,
    Checksum,
    Newer(u32),
}

/// Reads the header; gives the generation.
pub(super) fn read_header(bytes: &[u8; HEADER_BYTES as usize]) -> Result<u64, BadHeader> {
    if bytes[..8] != MAGIC {
        return Err(BadHeader::Magic);
    }
    if crc32fast::hash(&bytes[..28]) != u32_at(bytes, 28) {
        return Err(BadHeader::Checksum);
    }
    match u32_at(bytes, 8) {
        VERSION => Ok(u64::from(u32_at(bytes, 16)) | u64::from(u32_at(bytes, 20)) << 32),
        version => Err(BadHeader::Newer(version)),
    }
}

/// Lays out the header of a frame; the payload is at most [`PAYLOAD_BYTES_MAX`] long.
pub(in crate::store) fn frame_header(payload: &[u8]) -> [u8; FRAME_HEADER_BYTES] {
    let length = (payload.len() as u32).to_le_bytes();
    let mut bytes = [0; FRAME_HEADER_BYTES];
    bytes[..4].copy_from_slice(&MARKER);
    bytes[4..8].copy_from_slice(&length);
    bytes[8..].copy_from_slice(&checksum(&length, payload).to_le_bytes());
    bytes
}

/// Reads the header of a frame; gives the payload's length and checksum.
pub(super) fn read_frame_header(bytes: &[u8; FRAME_HEADER_BYTES]) -> Result<(usize, u32), &'static str> {
    if bytes[..4] != MARKER {
        return Err("no frame begins here");
    }
    let length = u32_at(bytes, 4) as usize;
    if length == 0 || length > PAYLOAD_BYTES_MAX {
        return Err("a frame of impossible length");
    }
    Ok((length, u32_at(bytes, 8)))
}

/// Returns whether a payload is the one that its frame header was made for.
pub(super) fn payload_is_whole(payload: &[u8], crc: u32) -> bool {
    checksum(&(payload.len() as u32).to_le_bytes(), payload) == crc
}

fn checksum(length: &[u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(payload);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&header(7)), "45574a4f55524e0a0100000000000000070000000000000000000000f03d2f90");
        assert_eq!(read_header(&header(7)), Ok(7));
        assert_eq!(hex(&frame_header(b"{}\n")), "ff4557f103000000f7ac648e");
    }

    #[test]
    fn header_errors() {
        let mut bytes = header(1);
        bytes[0] ^= 1;
        assert_eq!(read_header(&bytes), Err(BadHeader::Magic));
        let mut bytes = header(1);
        bytes[17] ^= 1;
        assert_eq!(read_header(&bytes), Err(BadHeader::Checksum));
        let mut bytes = header(1);
        bytes[8] = 2;
        let crc = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(read_header(&bytes), Err(BadHeader::Newer(2)));
    }
}
