//! Headers of rar 1.5 to 4 (technote.txt of WinRAR 4); pure.

use super::super::bytes::Bytes;
use super::super::names::{self, Name};
use super::{Entry, SkipReason, Step};

const MAIN: u8 = 0x73;
const FILE: u8 = 0x74;
const END: u8 = 0x7b;

/// Reads the block that begins with `bytes`, at `at`.
pub(super) fn step(bytes: &[u8], at: u64) -> Option<Step> {
    let mut fields = Bytes(bytes);
    let (crc, kind, flags, length) = (fields.u16()?, fields.u8()?, fields.u16()?, fields.u16()?);
    let header = bytes.get(..length.into()).filter(|header| header.len() >= 7)?;
    if kind == END {
        return Some(Step::End);
    }
    // The low half of the CRC-32 of the header after it. Comments of old kinds are checked otherwise.
    if matches!(kind, MAIN | FILE) && crc32fast::hash(&header[2..]) & 0xffff != u32::from(crc) {
        return None;
    }
    let mut fields = Bytes(&header[7..]);
    let data_at = at + u64::from(length);
    match kind {
        // Headers that are themselves encrypted.
        MAIN if flags & 0x80 != 0 => Some(Step::Stop(SkipReason::Encrypted)),
        FILE => member(&mut fields, flags, at, data_at).map(Step::Member),
        _ => {
            let added = if flags & 0x8000 != 0 { u64::from(fields.u32()?) } else { 0 };
            Some(Step::Until(data_at + added))
        }
    }
}

fn member(fields: &mut Bytes<'_>, flags: u16, at: u64, data_at: u64) -> Option<Entry> {
    let (stored, size, system, crc32) = (fields.u32()?, fields.u32()?, fields.u8()?, fields.u32()?);
    fields.u32()?;
    let (_, method, name_length, attributes) = (fields.u8()?, fields.u8()?, fields.u16()?, fields.u32()?);
    let (stored_high, size_high) = if flags & 0x100 != 0 { (fields.u32()?, fields.u32()?) } else { (0, 0) };
    let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    let name = fields.take(name_length.into())?.to_vec();
    let window = (flags >> 5) & 7;
    // Unix (3) has links whose data is the target.
    let is_link = system == 3 && attributes & 0o170_000 == 0o120_000;
    Some(Entry {
        name,
        header_at: at,
        data_at,
        stored: wide(stored_high, stored),
        size: (size != u32::MAX || flags & 0x100 != 0).then_some(wide(size_high, size)),
        crc32: Some(crc32),
        method: method.wrapping_sub(0x30),
        dictionary: 64 << 10 << window,
        is_folder: window == 7,
        is_link,
        is_encrypted: flags & 4 != 0,
        is_split: flags & 3 != 0,
    })
}

/// Reads a name: bytes of some code page, or after a zero byte how to make UTF-16 of them.
pub(super) fn decode_name(bytes: &[u8]) -> Name {
    let parted = bytes.iter().position(|byte| *byte == 0).map(|zero| (&bytes[..zero], &bytes[zero + 1..]));
    let Some((narrow, packed)) = parted else {
        return names::decode(bytes, names::guess([bytes].into_iter()));
    };
    let units = unpack_name(narrow, packed);
    let name = names::plain(&String::from_utf16_lossy(&units));
    Name { encoding: "UTF-16LE".to_owned(), ..name }
}

/// Two bits of a flag byte for each step: a byte, a byte with the common high byte, two bytes, or a run out of the
/// narrow name. Ends with the packed bytes.
fn unpack_name(narrow: &[u8], packed: &[u8]) -> Vec<u16> {
    let mut units = Vec::new();
    let mut left = Bytes(packed);
    let Some(high) = left.u8().map(|byte| u16::from(byte) << 8) else { return units };
    let (mut flags, mut bits) = (0u8, 0);
    // A run gives at most 129 for two bytes, and no name has more than 64 KiB.
    loop {
        if bits == 0 {
            let Some(byte) = left.u8() else { break };
            (flags, bits) = (byte, 8);
        }
        bits -= 2;
        let done = match (flags >> bits) & 3 {
            0 => left.u8().map(|byte| units.push(byte.into())),
            1 => left.u8().map(|byte| units.push(u16::from(byte) | high)),
            2 => left.u16().map(|unit| units.push(unit)),
            _ => left.u8().and_then(|length| {
                let correction = if length & 0x80 != 0 { Some(left.u8()?) } else { None };
                for _ in 0..(length & 0x7f) + 2 {
                    let byte = narrow.get(units.len()).copied().unwrap_or(b'?');
                    units.push(match correction {
                        Some(add) => u16::from(byte.wrapping_add(add)) | high,
                        None => byte.into(),
                    });
                }
                Some(())
            }),
        };
        if done.is_none() {
            break;
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        // High byte 4e; step: two bytes, common high byte, a byte, a run of 4.
        let packed =
            [b"?abcdef\0\x4e".as_slice(), &[0b10_01_00_11], &[0x08, 0x67], &[0x00], b"-", &[2]].concat();
        assert_eq!(decode_name(&packed).text, "\u{6708}\u{4e00}-cdef");
        assert_eq!(decode_name(b"plain.mp3").text, "plain.mp3");
        assert_eq!(decode_name(b"a\0").text, "");
    }
}
