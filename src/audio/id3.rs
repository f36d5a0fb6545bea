//! The text of the ID3v2 tags that stand before the audio.
//!
//! Only the few text frames that name a recording and its owner are read, and the front cover's digest, from the first
//! part of a tag: no chapter or compressed frame is opened, so a hostile tag costs bounded memory and time.

use std::borrow::Cow;

use super::sniff::id3_length;
use super::tags::{copyright, set};
use super::{Error, MediaTags, Source};
use crate::base::Cover;

/// Bytes of a tag that are looked at; writers put text before pictures or use small ones.
const TAG_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Tags in a row that are read.
const TAGS_MAX: usize = 8;

/// Frames of one tag that are looked at; real tags have some dozens.
const FRAMES_MAX: usize = 1024;

/// Bytes of a text frame that are decoded: much more than the characters that are kept.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Reads the tags between the start of `source` and `end`, where the audio starts. What is damaged is left out.
///
/// # Errors
/// [`Error::Io`] when reading fails.
pub(super) fn read(source: &mut Source, end: u64) -> Result<MediaTags, Error> {
    let mut tags = MediaTags::default();
    let mut at = 0;
    for _ in 0..TAGS_MAX {
        let Some(length) = id3_length(&source.read_at(at, 10)?).filter(|length| at + length <= end) else {
            break;
        };
        // The bound fits any usize.
        let bytes = source.read_at(at, length.min(TAG_BYTES_MAX) as usize)?;
        tags.fill(tag(&bytes));
        at += length;
    }
    Ok(tags)
}

/// Bytes at the end of a file in which tags of other kinds say that they are there: ID3v1 (128) and a footer before it.
const TAIL_BYTES: u64 = 1024;

/// Whether MPEG audio ends with tags that are not read here and could say more than ID3v1 can: APEv2, Lyrics3, ID3v2.
///
/// # Errors
/// [`Error::Io`] when reading fails.
pub(super) fn other_tags_follow(source: &mut Source) -> Result<bool, Error> {
    let Some(len) = source.len() else { return Ok(true) };
    let tail = source.read_at(len.saturating_sub(TAIL_BYTES), TAIL_BYTES as usize)?;
    let marks: [&[u8]; 4] = [b"APETAGEX", b"LYRICS200", b"LYRICSEND", b"3DI\x04"];
    Ok(marks.iter().any(|mark| tail.windows(mark.len()).any(|window| window == *mark)))
}

/// Reads one tag, header included (ID3v2.3 and 2.4; 2.2 has shorter names and is read too).
fn tag(bytes: &[u8]) -> MediaTags {
    let mut tags = MediaTags::default();
    let Some((header, body)) = bytes.split_first_chunk::<10>() else { return tags };
    let (major, flags) = (header[3], header[5]);
    if !(2..=4).contains(&major) {
        tags.is_partly_read = true;
        return tags;
    }
    let plain;
    let mut rest = body;
    // Up to 2.3 the whole tag is "unsynchronised", in 2.4 each frame says so itself.
    if flags & 0x80 != 0 && major < 4 {
        plain = synchronised(body);
        rest = &plain;
    }
    if flags & 0x40 != 0 {
        let Some(after) = after_extended_header(rest, major) else {
            tags.is_partly_read = true;
            return tags;
        };
        rest = after;
    }
    for _ in 0..FRAMES_MAX {
        let Some((frame, after)) = next_frame(rest, major) else { break };
        frame.take(&mut tags);
        rest = after;
    }
    // Padding is zeros (in 2.4 a footer may stand there); all else was not understood, or cut off.
    tags.is_partly_read |= !rest.starts_with(b"3DI") && rest.iter().any(|byte| *byte != 0);
    tags
}

fn after_extended_header(bytes: &[u8], major: u8) -> Option<&[u8]> {
    let size = bytes.first_chunk::<4>()?;
    match major {
        3 => bytes.get(4usize.checked_add(big_endian(size))?..),
        4 => bytes.get(syncsafe(size)?..),
        // 2.2 calls this bit "compressed" and says that such a tag is to be ignored.
        _ => None,
    }
}

/// A frame; its body is empty where it is not plain: compressed or encrypted.
struct Frame<'a> {
    name: &'a [u8],
    body: &'a [u8],
    unsynchronised: bool,
    is_closed: bool,
}

/// Returns the frame that `bytes` start with and what comes after it; padding or damage is the end.
fn next_frame(bytes: &[u8], major: u8) -> Option<(Frame<'_>, &[u8])> {
    if major == 2 {
        let (header, rest) = bytes.split_first_chunk::<6>()?;
        let name = bytes.get(..3).filter(|name| is_name(name))?;
        let (body, rest) = rest.split_at_checked(big_endian(&header[3..]))?;
        return Some((Frame { name, body, unsynchronised: false, is_closed: false }, rest));
    }
    let (header, rest) = bytes.split_first_chunk::<10>()?;
    let name = bytes.get(..4).filter(|name| is_name(name))?;
    let length = if major == 4 { length_v4(&header[4..8], rest) } else { big_endian(&header[4..8]) };
    let (body, rest) = rest.split_at_checked(length)?;
    let flags = header[9];
    // Flags of 2.3: compressed, encrypted, grouped; of 2.4: grouped, compressed, encrypted, unsynchronised, length.
    let (closed, skip, unsynchronised) = if major == 4 {
        (flags & 0x0c, usize::from(flags & 0x40 != 0) + 4 * usize::from(flags & 1), flags & 2 != 0)
    } else {
        (flags & 0xc0, usize::from(flags & 0x20 != 0), false)
    };
    let body = if closed == 0 { body.get(skip..).unwrap_or_default() } else { &[] };
    Some((Frame { name, body, unsynchronised, is_closed: closed != 0 }, rest))
}

fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The length of a frame of 2.4. Old iTunes wrote plain numbers there: where the proper reading does not end at
/// another frame, padding or the end, and the plain one does, that one holds.
fn length_v4(size: &[u8], rest: &[u8]) -> usize {
    let ends_well = |length: usize| match rest.get(length..) {
        Some([]) => true,
        Some(after) => {
            let name = &after[..after.len().min(4)];
            is_name(name) || name.iter().all(|byte| *byte == 0)
        }
        None => false,
    };
    let plain = big_endian(size);
    match syncsafe(size) {
        Some(length) if ends_well(length) || !ends_well(plain) => length,
        _ => plain,
    }
}

/// A big-endian number; one beyond any length counts as the greatest.
fn big_endian(bytes: &[u8]) -> usize {
    let number = bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Seven bits a byte ("synchsafe"; ID3v2.4 structure, 6.2).
fn syncsafe(bytes: &[u8]) -> Option<usize> {
    let plain = bytes.iter().all(|byte| byte & 0x80 == 0);
    plain.then(|| bytes.iter().fold(0, |sum, byte| sum << 7 | usize::from(*byte)))
}

/// Undoes "unsynchronisation": the zero after each 0xff is dropped.
fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut after_ff = false;
    for byte in bytes {
        if !(after_ff && *byte == 0) {
            plain.push(*byte);
        }
        after_ff = *byte == 0xff;
    }
    plain
}

impl Frame<'_> {
    fn take(&self, tags: &mut MediaTags) {
        tags.is_partly_read |= self.is_closed;
        let field = match self.name {
            b"TSRC" | b"TRC" => &mut tags.isrc,
            b"TIT2" | b"TT2" => &mut tags.title,
            b"TPE1" | b"TP1" => &mut tags.artist,
            b"TALB" | b"TAL" => &mut tags.album,
            b"TPUB" | b"TPB" => &mut tags.label,
            b"TPRO" => &mut tags.p_line,
            b"TCOP" | b"TCR" => copyright(tags, &self.text()),
            b"TOWN" => &mut tags.owner,
            b"WCOP" | b"WCP" => {
                set(&mut tags.rights_url, &latin_or_utf8(&self.plain(TEXT_BYTES_MAX)));
                return;
            }
            b"APIC" | b"PIC" => {
                self.take_picture(tags);
                return;
            }
            b"TDRC" | b"TDRL" | b"TYER" | b"TYE" => &mut tags.date,
            b"TXXX" | b"TXX" => {
                let text = self.text();
                let (name, value) = text.split_once('\0').unwrap_or_default();
                if ["UPC", "EAN", "BARCODE"].iter().any(|known| name.trim().eq_ignore_ascii_case(known)) {
                    // In UTF-16 the value starts with a mark of its own.
                    set(&mut tags.upc, value.trim_start_matches('\u{feff}'));
                }
                return;
            }
            _ => return,
        };
        set(field, &self.text());
    }

    /// The first `max` bytes of the body as they were before they were unsynchronised.
    fn plain(&self, max: usize) -> Cow<'_, [u8]> {
        let cut = &self.body[..self.body.len().min(max)];
        if self.unsynchronised { synchronised(cut).into() } else { cut.into() }
    }

    /// Keeps the digest of a front cover (of several the last), or else of the first picture of no stated kind.
    fn take_picture(&self, tags: &mut MediaTags) {
        const OTHER: u8 = 0;
        const FRONT: u8 = 3;
        let plain = self.plain(self.body.len());
        let Some((kind, data)) = picture(&plain, self.name.len() == 3) else { return };
        if kind == FRONT || (kind == OTHER && tags.cover.is_none()) {
            tags.cover = Cover::of(data).or(tags.cover);
        }
    }

    /// The text, by the encoding that its first byte names.
    fn text(&self) -> String {
        let bytes: &[u8] = &self.plain(TEXT_BYTES_MAX);
        match bytes {
            [0, latin @ ..] => latin_or_utf8(latin),
            [1, 0xfe, 0xff, text @ ..] | [2, text @ ..] => utf16(text, u16::from_be_bytes),
            [1, 0xff, 0xfe, text @ ..] | [1, text @ ..] => utf16(text, u16::from_le_bytes),
            [3, text @ ..] => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        }
    }
}

/// Kind and bytes of a picture: encoding, media type (of three letters in 2.2), kind, description, data.
fn picture(body: &[u8], is_old: bool) -> Option<(u8, &[u8])> {
    let (encoding, rest) = body.split_first()?;
    let rest = if is_old { rest.get(3..)? } else { after_nul(rest)? };
    let (kind, rest) = rest.split_first()?;
    let data = if matches!(encoding, 1 | 2) {
        let end = rest.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0])?;
        rest.get(2 * end + 2..)?
    } else {
        after_nul(rest)?
    };
    Some((*kind, data))
}

fn after_nul(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.get(end + 1..)
}

/// Latin-1; many writers put UTF-8 there, and Latin-1 text beyond ASCII is hardly ever valid UTF-8 by chance.
fn latin_or_utf8(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
#[path = "id3_tests.rs"]
mod tests;
