//! Headers of rar 5 (technote.txt of WinRAR 5 and later); pure.

use super::super::bytes::Bytes;
use super::{Entry, SkipReason, Step};

const FILE: u64 = 2;
const ENCRYPTION: u64 = 4;
const END: u64 = 5;

/// Reads the block that begins with `bytes`, at `at`.
pub(super) fn step(bytes: &[u8], at: u64) -> Option<Step> {
    let mut fields = Bytes(bytes);
    let crc = fields.u32()?;
    let checked = fields.0;
    let length = usize::try_from(number(&mut fields)?).ok()?;
    let size_bytes = checked.len() - fields.0.len();
    let checked = checked.get(..size_bytes.checked_add(length)?)?;
    if crc32fast::hash(checked) != crc {
        return None;
    }
    let data_at = at + 4 + checked.len() as u64;
    let mut fields = Bytes(&checked[size_bytes..]);
    let (kind, flags) = (number(&mut fields)?, number(&mut fields)?);
    let extra = if flags & 1 != 0 { usize::try_from(number(&mut fields)?).ok()? } else { 0 };
    let data = if flags & 2 != 0 { number(&mut fields)? } else { 0 };
    match kind {
        ENCRYPTION => Some(Step::Stop(SkipReason::Encrypted)),
        END => Some(Step::End),
        FILE => {
            let (fields, extra) = fields.0.split_at_checked(fields.0.len().checked_sub(extra)?)?;
            let entry = Entry {
                header_at: at,
                data_at,
                stored: data,
                is_split: flags & 0x18 != 0,
                ..Entry::default()
            };
            member(&mut Bytes(fields), &mut Bytes(extra), entry).map(Step::Member)
        }
        _ => Some(Step::Until(data_at.saturating_add(data))),
    }
}

fn member(fields: &mut Bytes<'_>, extra: &mut Bytes<'_>, mut entry: Entry) -> Option<Entry> {
    let (flags, size, _) = (number(fields)?, number(fields)?, number(fields)?);
    if flags & 2 != 0 {
        fields.u32()?;
    }
    entry.crc32 = if flags & 4 != 0 { Some(fields.u32()?) } else { None };
    let (compression, _, name_length) = (number(fields)?, number(fields)?, number(fields)?);
    entry.name = fields.take(usize::try_from(name_length).ok()?)?.to_vec();
    entry.is_folder = flags & 1 != 0;
    entry.size = (flags & 8 == 0).then_some(size);
    entry.method = ((compression >> 7) & 7) as u8;
    // Version 0 has four bits for the dictionary, version 1 five, and 1/32 steps above each power of two.
    let power = (compression >> 10) & if compression & 0x3f == 0 { 15 } else { 31 };
    let steps = if compression & 0x3f == 0 { 0 } else { (compression >> 15) & 31 };
    let base = (128u64 << 10) << power;
    entry.dictionary = base + base / 32 * steps;
    // Records of the extra area: its length, its kind, and the rest.
    while let Some(length) = number(extra) {
        let Some(record) = usize::try_from(length).ok().and_then(|length| extra.take(length)) else { break };
        match number(&mut Bytes(record)) {
            Some(1) => entry.is_encrypted = true,
            Some(5) => entry.is_link = true,
            _ => {}
        }
    }
    Some(entry)
}

/// Rar's numbers: seven bits a byte, the lowest first, the eighth says that more follow.
fn number(left: &mut Bytes<'_>) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..10 {
        let byte = left.u8()?;
        value |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(&mut Bytes(&[0x7f])), Some(127));
        assert_eq!(number(&mut Bytes(&[0x80, 0x01])), Some(128));
        assert_eq!(number(&mut Bytes(&[0xff; 12])), None);
        assert_eq!(number(&mut Bytes(&[0x80])), None);
    }
}
