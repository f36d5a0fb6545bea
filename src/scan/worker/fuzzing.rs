//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use super::frames::{Frame, FrameReader, FrameWriter};

/// Reads a worker's frames up to the first that is refused, and writes those that were taken again.
#[must_use]
pub fn frames(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut reader = FrameReader::new(bytes);
    let mut rewritten = Vec::new();
    let mut writer = FrameWriter::new(&mut rewritten);
    let mut count = 0;
    while let Ok(Some(frame)) = reader.next() {
        count += 1;
        let is_end = matches!(frame, Frame::End(_));
        if writer.write(&frame).is_err() || is_end {
            break;
        }
    }
    (rewritten, count)
}

/// Gives every frame the checksum that it would be refused without, after the magic.
pub fn seal(bytes: &mut [u8]) {
    const HEADER_BYTES: usize = 9;
    if let Some(magic) = bytes.first_chunk_mut::<4>() {
        *magic = *b"EWS1";
    }
    let mut at = 4;
    while let Some(&[kind, a, b, c, d, ..]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<HEADER_BYTES>) {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let start = at + HEADER_BYTES;
        let Some(body) = bytes.get(start..start.saturating_add(length)) else { return };
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&[kind]);
        hasher.update(body);
        bytes[at + 5..start].copy_from_slice(&hasher.finalize().to_le_bytes());
        at = start + length;
    }
}
