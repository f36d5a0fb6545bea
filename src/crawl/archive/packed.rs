//! One compressed stream: a single member, or a tar.

use std::io::{Cursor, Read};

use super::decode::{Inflated, Method};
use super::detect::HEAD_BYTES;
use super::names::{self, Name};
use super::section::{Section, read_up_to};
use super::tar::{self, is_tar_header};
use super::walker::{Flow, Place, Size, Walk, peek};
use super::{Format, Level};

/// Goes through what the stream holds.
pub(super) fn walk(walk: &mut Walk<'_>, place: &Place<'_>, format: Format) -> Flow {
    let method = match format {
        Format::Bzip2 => Method::Bzip2,
        Format::Xz => Method::Xz,
        Format::Zstd => Method::Zstd,
        _ => Method::Gzip,
    };
    let (data_at, own_name) = match format {
        Format::Gzip => gzip_header(place),
        _ => (0, None),
    };
    let name = own_name.unwrap_or_else(|| names::plain(without_ending(place.name)));
    let level = Level {
        format,
        index: 0,
        name: name.text,
        encoding: name.encoding,
        name_hex: name.hex,
        header_at: 0,
        data_at,
        stored_bytes: Some(place.length.saturating_sub(data_at)),
        in_block_at: None,
        method: method.name().to_owned(),
        crc32: None,
    };
    let section = Section::new(place.file, 0, place.length);
    let mut stream = Inflated::new(&[method], section, place.length, walk.limits);
    let (first, _) = peek(&mut stream, HEAD_BYTES);
    let is_tar = is_tar_header(&first);
    // What went wrong while peeking goes wrong again: a stream's first error stays.
    let mut whole = Cursor::new(first).chain(stream);
    if is_tar {
        let mut above = place.above.to_vec();
        above.push(level);
        return tar::walk_stream(walk, place, &above, &mut whole);
    }
    walk.member(place, place.above, level, &mut whole, Size::Unknown).map(|_| ())
}

/// `song.mp3.gz` holds `song.mp3`, `album.tgz` holds `album.tar`.
fn without_ending(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 5 => stem,
        _ => name,
    }
}

/// The most of a gzip's header that is read for its name. RFC 1952 sets no limit.
const GZIP_HEADER_BYTES: usize = 1 << 16;

/// Where a gzip's data begin, and the name in its header (RFC 1952, 2.3); offset 0 where the header is broken.
fn gzip_header(place: &Place<'_>) -> (u64, Option<Name>) {
    let Ok(bytes) = read_up_to(place.file, 0, GZIP_HEADER_BYTES) else { return (0, None) };
    parse_gzip_header(&bytes).map_or((0, None), |(at, name)| (at as u64, name))
}

fn parse_gzip_header(bytes: &[u8]) -> Option<(usize, Option<Name>)> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    }
    let mut name = None;
    if flags & NAME != 0 {
        let text = until_zero(bytes.get(at..)?)?;
        at += text.len() + 1;
        let decoded = names::decode(text, names::guess([text].into_iter()));
        name = (!text.is_empty()).then_some(decoded);
    }
    if flags & COMMENT != 0 {
        at += until_zero(bytes.get(at..)?)?.len() + 1;
    }
    if flags & CRC != 0 {
        at += 2;
    }
    Some((at, name))
}

fn until_zero(bytes: &[u8]) -> Option<&[u8]> {
    bytes.iter().position(|byte| *byte == 0).map(|end| &bytes[..end])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    #[test]
    fn gzip_headers() {
        let header = b"\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x02\0abs\xc3\xa9\0comment\0xxDATA";
        let (at, name) = parse_gzip_header(header).expect("a whole header");
        assert_eq!((at, name.expect("a name").text.as_str()), (header.len() - 4, "sé"));
        for cut in 0..header.len() - 6 {
            let _ = parse_gzip_header(&header[..cut]);
        }
        assert_eq!(parse_gzip_header(b"\x1f\x8b\x08\x04\0\0\0\0\0\x03\xff"), None);
    }
}
