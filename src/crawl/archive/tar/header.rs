//! One header block of a tar, and pax attributes; pure.

use std::str;

/// Tars are made of blocks of this size.
pub(super) const BLOCK: usize = 512;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Special,
    Sparse,
    LongName,
    LongLink,
    Pax,
    Global,
    Other,
}

impl Kind {
    /// Whether the size in the header is that of bytes that follow.
    pub(super) fn has_data(self) -> bool {
        !matches!(self, Self::Folder | Self::Link | Self::Special)
    }
}

/// One header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    /// Whether the map of a sparse file goes on in the next block.
    pub(super) is_extended: bool,
}

/// Returns whether these bytes begin with a tar header: its checksum fits.
pub(in crate::crawl::archive) fn is_tar_header(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>().is_some_and(|block| block[0] != 0 && checksum_fits(block))
}

/// Reads a header; `None` where its checksum does not fit.
pub(super) fn parse(block: &[u8]) -> Option<Header> {
    let block = block.first_chunk::<BLOCK>().filter(|block| checksum_fits(block))?;
    let is_ustar = block[257..].starts_with(b"ustar");
    // GNU's form has other fields where ustar has the prefix.
    let has_prefix = block[257..].starts_with(b"ustar\0");
    let mut name = Vec::new();
    if has_prefix && block[345] != 0 {
        name.extend_from_slice(until_zero(&block[345..500]));
        name.push(b'/');
    }
    name.extend_from_slice(until_zero(&block[..100]));
    let kind = match block[156] {
        // The old form has folders as files whose name ends in a slash.
        b'\0' | b'0' if !is_ustar && name.ends_with(b"/") => Kind::Folder,
        b'\0' | b'0' | b'7' => Kind::File,
        b'1' | b'2' => Kind::Link,
        b'3' | b'4' | b'6' => Kind::Special,
        b'5' => Kind::Folder,
        b'L' => Kind::LongName,
        b'K' => Kind::LongLink,
        b'S' => Kind::Sparse,
        b'x' | b'X' => Kind::Pax,
        b'g' => Kind::Global,
        _ => Kind::Other,
    };
    let size = number(&block[124..136])?;
    Some(Header { kind, name, size, is_extended: block[482] != 0 })
}

fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let Some(stated) = number(&block[148..156]) else { return false };
    let as_spaces = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { b' ' } else { *byte };
    let unsigned: u64 = block.iter().enumerate().map(|pair| u64::from(as_spaces(pair))).sum();
    // Old programs summed signed bytes.
    let signed: i64 = block.iter().enumerate().map(|pair| i64::from(as_spaces(pair).cast_signed())).sum();
    stated == unsigned || i64::try_from(stated) == Ok(signed)
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number in octal digits, or GNU's: the first bit set, then big-endian.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let mut value = u64::from(first & 0x7f);
        for byte in rest {
            value = value.checked_mul(256)?.checked_add(u64::from(*byte))?;
        }
        return Some(value);
    }
    let text = str::from_utf8(until_zero(field)).ok()?.trim_matches(' ');
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// What pax attributes say of the next member, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) is_sparse: bool,
}

impl Pax {
    /// Reads records of the form `25 path=a name\n`, whose number counts all of their bytes. Stops at the first that is
    /// broken.
    pub(super) fn parse(mut bytes: &[u8]) -> Self {
        let mut pax = Self::default();
        while let Some((key, value, rest)) = record(bytes) {
            match key {
                b"path" | b"GNU.sparse.name" => pax.path = Some(value.to_vec()),
                b"size" => pax.size = str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
                _ => {}
            }
            pax.is_sparse |= key.starts_with(b"GNU.sparse.");
            bytes = rest;
        }
        pax
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let text = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..equals], &text[equals + 1..], &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"     17 \0   "), Some(15));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x01\0\0\0\0"), Some(1 << 32));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"89"), None);
    }

    #[test]
    fn pax_records() {
        let pax = Pax::parse(b"19 path=ab/\xe6\x9b\xb2.mp3\n13 size=1234\n22 GNU.sparse.major=1\n");
        assert_eq!(pax.path.as_deref(), Some("ab/曲.mp3".as_bytes()));
        assert_eq!((pax.size, pax.is_sparse), (Some(1234), true));
        for broken in [&b"9999999999999999999999 path=a\n"[..], b"3 a", b"0 path=a\n", b"5 path=a\n", b""] {
            assert_eq!(Pax::parse(broken), Pax::default());
        }
    }
}
