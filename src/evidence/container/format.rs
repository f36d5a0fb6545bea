//! The fields of the archive (PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).

/// The largest archive: offsets and sizes are 32 bits wide, and larger ones would need ZIP64.
pub(super) const BYTES_MAX: u64 = u32::MAX as u64;

/// The most entries: many times what a case has, and few enough to be listed in memory.
pub(super) const ENTRIES_MAX: usize = 10_000;

/// The longest name of an entry, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 200;

pub(super) const LOCAL_BYTES: usize = 30;
pub(super) const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_MAGIC: [u8; 4] = *b"PK\x01\x02";
const END_MAGIC: [u8; 4] = *b"PK\x05\x06";

/// Stored entries need version 1.0 to be extracted; they were made on Unix, which gives them their permissions.
const VERSION_NEEDED: u16 = 10;
const VERSION_MADE_BY: u16 = 3 << 8 | 10;
/// A file that its owner may write and everybody read.
const UNIX_MODE: u32 = 0o100_644 << 16;
/// 1 January 1980, the first day that the format knows: the time of day is in the documents, which are signed.
const DATE: u16 = 1 << 5 | 1;

/// What the archive says of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) name: String,
    pub(super) crc32: u32,
    pub(super) bytes: u32,
    /// Where its local header begins.
    pub(super) offset: u32,
}

/// Whether a name can stand in a bundle: ASCII, relative, of plain letters, so that every system unpacks it alike.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b'_');
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    name.len() <= NAME_BYTES_MAX && name.split('/').all(part)
}

impl Fields {
    /// The part that both headers share: version to extract … length of the extra field.
    fn shared(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(26);
        let mut put16 = |value: u16| bytes.extend_from_slice(&value.to_le_bytes());
        // Flags and method: plain and stored. Time: midnight.
        [VERSION_NEEDED, 0, 0, 0, DATE].into_iter().for_each(&mut put16);
        for value in [self.crc32, self.bytes, self.bytes] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }

    /// The header before the entry's bytes, with its name.
    pub(super) fn local(&self) -> Vec<u8> {
        [&LOCAL_MAGIC[..], &self.shared(), self.name.as_bytes()].concat()
    }

    /// The entry in the directory at the end.
    fn central(&self) -> Vec<u8> {
        let mut bytes = CENTRAL_MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION_MADE_BY.to_le_bytes());
        bytes.extend_from_slice(&self.shared());
        // No comment, first disk, binary.
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&UNIX_MODE.to_le_bytes());
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        bytes
    }
}

/// All that follows the last entry's bytes, which end at `offset`.
pub(super) fn ending(entries: &[Fields], offset: u32) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(Fields::central).collect();
    let length = bytes.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    bytes.extend_from_slice(&END_MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&offset.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}
