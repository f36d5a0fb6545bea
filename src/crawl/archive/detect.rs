//! Which archive this is, by its first bytes.

use super::Format;
use super::tar::is_tar_header;

/// Bytes that are looked at: one block of a tar.
pub(super) const HEAD_BYTES: usize = 512;

/// Returns whether a file that begins so is an archive that [`walk`](super::walk) can be tried on. A program may be an
/// archive that unpacks itself, which only its other end tells; `walk` says where it is none.
#[must_use]
pub fn is_archive(head: &[u8]) -> bool {
    format_of(head).is_some() || may_unpack_itself(head)
}

/// Decides by the first 512 bytes.
pub(super) fn format_of(head: &[u8]) -> Option<Format> {
    let starts: &[(&[u8], Format)] = &[
        (b"PK\x03\x04", Format::Zip),
        (b"PK\x05\x06", Format::Zip),
        (b"PK\x07\x08PK\x03\x04", Format::Zip),
        (b"PK00PK\x03\x04", Format::Zip),
        (b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
        (b"\x1f\x8b\x08", Format::Gzip),
        (b"\xfd7zXZ\x00", Format::Xz),
        (b"\x28\xb5\x2f\xfd", Format::Zstd),
        (b"Rar!\x1a\x07\x00", Format::Rar4),
        (b"Rar!\x1a\x07\x01\x00", Format::Rar5),
    ];
    if let Some((_, format)) = starts.iter().find(|(start, _)| head.starts_with(start)) {
        return Some(*format);
    }
    if let [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] = head {
        // The magic numbers of a block and of the end: π and its root.
        let is_stream =
            block.starts_with(b"\x31\x41\x59\x26\x53\x59") || block.starts_with(b"\x17\x72\x45\x38\x50\x90");
        return is_stream.then_some(Format::Bzip2);
    }
    // A frame that zstd skips, in front of the others.
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] = head {
        return Some(Format::Zstd);
    }
    is_tar_header(head).then_some(Format::Tar)
}

/// Programs of Windows and Linux, and scripts: an archive may follow.
pub(super) fn may_unpack_itself(head: &[u8]) -> bool {
    head.starts_with(b"MZ") || head.starts_with(b"\x7fELF") || head.starts_with(b"#!/")
}
