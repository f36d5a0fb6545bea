//! Zip's central directory (APPNOTE.TXT 6.3.10), with 64-bit sizes and behind a prefix; and what to do without one.

use super::super::SkipReason;
use super::super::bytes::Bytes;
use super::super::decode::Method;
use super::super::section::read_up_to;
use super::super::walker::{Flow, Place, Walk};
use super::LOCAL_HEADER;

/// One member, as the directory has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) index: u64,
    pub(super) name: Vec<u8>,
    /// The name as UTF-8 that Info-ZIP's extra field 0x7075 gives.
    pub(super) unicode_name: Option<String>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// `None` where only a data descriptor would tell, whose place is unknown.
    pub(super) crc32: Option<u32>,
    pub(super) stored: u64,
    pub(super) size: Option<u64>,
    pub(super) header_at: u64,
    /// Unix file type and permissions; 0 where another system wrote it.
    pub(super) mode: u32,
}

impl Entry {
    pub(super) fn is_utf8(&self) -> bool {
        self.flags & 0x800 != 0
    }

    pub(super) fn is_encrypted(&self) -> bool {
        // Also where the directory itself is (bit 13), and where AES stands in for the method.
        self.flags & 0x2001 != 0 || self.method == 99
    }

    pub(super) fn is_link(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/") && self.size.is_none_or(|size| size == 0)
    }

    /// The decoder for its method; `None` for those that no music comes in.
    pub(super) fn decoder(&self) -> Option<Method> {
        Some(match self.method {
            0 => Method::Store,
            8 => Method::Deflate,
            9 => Method::Deflate64,
            12 => Method::Bzip2,
            // Bit 1 says that an end mark follows, so the size need not be known.
            14 => Method::ZipLzma { size: self.size.filter(|_| self.flags & 2 == 0) },
            20 | 93 => Method::Zstd,
            95 => Method::Xz,
            _ => return None,
        })
    }
}

/// Members, and what is wrong with the archive as a whole.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    pub(super) problem: Option<SkipReason>,
}

/// The end record without comment, and the longest comment.
const END: usize = 22;
const COMMENT_MAX: usize = 0xffff;

/// What the end record says.
struct End {
    at: u64,
    entries: u64,
    length: u64,
    offset: u64,
    is_split: bool,
}

/// Returns whether the file ends as a zip does.
pub(in crate::crawl::archive) fn has_directory(place: &Place<'_>) -> bool {
    find_end(place).is_some_and(|end| directory_at(place, &end).is_some())
}

/// Reads the list of members.
pub(super) fn read(walk: &Walk<'_>, place: &Place<'_>) -> Flow<Found> {
    let limits = walk.limits;
    let damaged = |what: &str| Some(SkipReason::Damaged { what: what.to_owned() });
    let none = |problem| Ok(Found { entries: Vec::new(), problem });
    let Some(end) = find_end(place) else {
        let problem = damaged("the directory at its end is missing; members were looked for");
        return Ok(Found { entries: scan(walk, place)?, problem });
    };
    if end.length > limits.header_bytes {
        return none(Some(SkipReason::TooLarge { bytes_max: limits.header_bytes }));
    }
    if end.is_split {
        return none(Some(SkipReason::OtherVolume));
    }
    let Some((at, shift)) = directory_at(place, &end) else {
        if end.entries == 0 {
            return none(None);
        }
        let problem = damaged("its directory is not where it should be; members were looked for");
        return Ok(Found { entries: scan(walk, place)?, problem });
    };
    let Ok(bytes) = read_up_to(place.file, at, usize::try_from(end.length).unwrap_or(usize::MAX)) else {
        return none(damaged("its directory cannot be read"));
    };
    let (mut left, mut entries) = (Bytes(&bytes), Vec::new());
    // One more than may be looked at, so that the walk tells that there are more.
    while !left.0.is_empty() && (entries.len() as u64) <= limits.members {
        let Some(mut entry) = central(&mut left, entries.len() as u64) else {
            return Ok(Found { entries, problem: damaged("its directory is broken") });
        };
        entry.header_at = entry.header_at.saturating_add(shift);
        entries.push(entry);
    }
    Ok(Found { entries, problem: None })
}

fn find_end(place: &Place<'_>) -> Option<End> {
    let length = place.length.min((END + COMMENT_MAX) as u64);
    let from = place.length - length;
    let tail = read_up_to(place.file, from, usize::try_from(length).ok()?).ok()?;
    let starts = tail.windows(4).enumerate().rev().filter(|(_, window)| *window == b"PK\x05\x06");
    starts.into_iter().find_map(|(at, _)| {
        let mut fields = Bytes(tail.get(at + 4..)?);
        let (disk, first_disk) = (fields.u16()?, fields.u16()?);
        let (_, entries) = (fields.u16()?, fields.u16()?);
        let (length, offset, comment) = (fields.u32()?, fields.u32()?, fields.u16()?);
        if usize::from(comment) > fields.0.len() {
            return None;
        }
        let end = End {
            at: from + at as u64,
            entries: entries.into(),
            length: length.into(),
            offset: offset.into(),
            is_split: disk != first_disk && disk != u16::MAX,
        };
        let is_full = entries == u16::MAX || length == u32::MAX || offset == u32::MAX;
        Some(if is_full { find_end64(place, end.at).unwrap_or(end) } else { end })
    })
}

/// The 64-bit end record, by its locator before the end record at `end_at`.
fn find_end64(place: &Place<'_>, end_at: u64) -> Option<End> {
    let locator_at = end_at.checked_sub(20)?;
    let locator = read_up_to(place.file, locator_at, 20).ok()?;
    let mut fields = Bytes(&locator);
    if fields.take(4)? != b"PK\x06\x07" {
        return None;
    }
    fields.u32()?;
    // Behind a prefix the offset is short by its length; the record then stands right before the locator.
    let stated = fields.u64()?;
    [Some(stated), locator_at.checked_sub(56)].into_iter().flatten().find_map(|at| {
        let record = read_up_to(place.file, at, 56).ok()?;
        let mut fields = Bytes(&record);
        if fields.take(4)? != b"PK\x06\x06" {
            return None;
        }
        fields.take(12)?;
        let (disk, first_disk) = (fields.u32()?, fields.u32()?);
        let (_, entries, length, offset) = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        Some(End { at, entries, length, offset, is_split: disk != first_disk })
    })
}

/// Where the directory begins, and by how much all offsets are short since something stands before the zip.
fn directory_at(place: &Place<'_>, end: &End) -> Option<(u64, u64)> {
    let begins = |at: u64| read_up_to(place.file, at, 4).is_ok_and(|bytes| bytes == b"PK\x01\x02");
    // The directory ends where the end record begins; the offset in the record is the second choice.
    let shift = end.at.checked_sub(end.length).and_then(|at| at.checked_sub(end.offset));
    if let Some(shift) = shift
        && begins(end.offset + shift)
    {
        return Some((end.offset + shift, shift));
    }
    begins(end.offset).then_some((end.offset, 0))
}

/// One header of the central directory (4.3.12).
fn central(left: &mut Bytes<'_>, index: u64) -> Option<Entry> {
    if left.take(4)? != b"PK\x01\x02" {
        return None;
    }
    let (made_by, _) = (left.u16()?, left.u16()?);
    let (flags, method) = (left.u16()?, left.u16()?);
    left.u32()?;
    let (crc32, stored, size) = (left.u32()?, left.u32()?, left.u32()?);
    let (name, extra, comment) = (left.u16()?, left.u16()?, left.u16()?);
    left.u32()?;
    let (attributes, header_at) = (left.u32()?, left.u32()?);
    let name = left.take(name.into())?.to_vec();
    let extra = left.take(extra.into())?;
    left.take(comment.into())?;
    let mut entry = Entry {
        index,
        name,
        unicode_name: None,
        flags,
        method,
        crc32: Some(crc32),
        stored: stored.into(),
        size: Some(size.into()),
        header_at: header_at.into(),
        // Upper byte 3: Unix; 19: Darwin.
        mode: if matches!(made_by >> 8, 3 | 19) { attributes >> 16 } else { 0 },
    };
    extras(&mut entry, extra);
    Some(entry)
}

/// The extra fields that matter: 64-bit sizes (4.5.3), which stand for those that are all ones, and the Unicode name.
fn extras(entry: &mut Entry, extra: &[u8]) {
    let mut fields = Bytes(extra);
    while let (Some(kind), Some(length)) = (fields.u16(), fields.u16()) {
        let Some(mut field) = fields.take(length.into()).map(Bytes) else { return };
        match kind {
            1 => {
                let full = u64::from(u32::MAX);
                if entry.size == Some(full) {
                    entry.size = field.u64().or(entry.size);
                }
                if entry.stored == full {
                    entry.stored = field.u64().unwrap_or(full);
                }
                if entry.header_at == full {
                    entry.header_at = field.u64().unwrap_or(full);
                }
            }
            0x7075 => {
                let of_this_name = field.u8() == Some(1) && field.u32() == Some(crc32fast::hash(&entry.name));
                if of_this_name && let Ok(name) = std::str::from_utf8(field.0) {
                    entry.unicode_name = Some(name.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// The search for headers reads the file in pieces of this size.
const SCAN_BYTES: usize = 1 << 16;

/// Finds members without a directory: by their local headers. Where a header leaves the sizes to a data descriptor,
/// the member reaches to the next header.
fn scan(walk: &Walk<'_>, place: &Place<'_>) -> Flow<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    // Where the data of the last member begin, while its end is not known.
    let mut open_from: Option<u64> = None;
    let mut at = 0;
    while (entries.len() as u64) <= walk.limits.members {
        let found = next_header(walk, place, at)?;
        if let (Some(from), Some(open)) = (open_from.take(), entries.last_mut()) {
            open.stored = found.unwrap_or(place.length).saturating_sub(from);
        }
        let Some(header_at) = found else { break };
        // Fails only where the file ends within the header.
        let Some((mut entry, data_at)) = local(place, header_at) else { break };
        entry.index = entries.len() as u64;
        if entry.size.is_some() {
            at = data_at.saturating_add(entry.stored);
        } else {
            open_from = Some(data_at);
            at = data_at;
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn next_header(walk: &Walk<'_>, place: &Place<'_>, from: u64) -> Flow<Option<u64>> {
    let mut at = from;
    // Where one member ends the next begins, in most archives.
    let mut length = 4;
    while at < place.length {
        walk.check()?;
        let Ok(piece) = read_up_to(place.file, at, length) else { return Ok(None) };
        if let Some(found) = piece.windows(4).position(|window| window == b"PK\x03\x04") {
            return Ok(Some(at + found as u64));
        }
        if piece.len() < length {
            return Ok(None);
        }
        // A signature may lie across two pieces.
        at += length as u64 - 3;
        length = SCAN_BYTES;
    }
    Ok(None)
}

/// A local header (4.3.7) and where its data begin.
fn local(place: &Place<'_>, header_at: u64) -> Option<(Entry, u64)> {
    let bytes = read_up_to(place.file, header_at, LOCAL_HEADER + 2 * COMMENT_MAX).ok()?;
    let mut left = Bytes(&bytes);
    left.take(6)?;
    let (flags, method) = (left.u16()?, left.u16()?);
    left.u32()?;
    let (crc32, stored, size) = (left.u32()?, left.u32()?, left.u32()?);
    let (name, extra) = (left.u16()?, left.u16()?);
    let name = left.take(name.into())?.to_vec();
    let extra = left.take(extra.into())?;
    let is_open = flags & 8 != 0 && stored == 0;
    let mut entry = Entry {
        name,
        flags,
        method,
        crc32: (!is_open).then_some(crc32),
        stored: stored.into(),
        size: (!is_open).then_some(size.into()),
        header_at,
        ..Entry::default()
    };
    extras(&mut entry, extra);
    let data_at = header_at + (bytes.len() - left.0.len()) as u64;
    Some((entry, data_at))
}
