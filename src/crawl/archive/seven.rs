//! 7z: the list of files at its end, then its blocks, each inflated once from its beginning.

mod header;

use header::{Block, Folder, Header, MAGIC};

use super::bytes::Bytes;
use super::decode::Inflated;
use super::names;
use super::section::{Section, read_up_to};
use super::walker::{Flow, Place, Size, Walk};
use super::{Format, Level, SkipReason};

/// The length of the header that a 7z begins with.
const START: u64 = 32;

/// Where the list of files is.
struct Start {
    list_at: u64,
    list_bytes: u64,
    list_crc: u32,
}

/// Returns whether a 7z begins at `at`: its first header has the right checksum.
pub(super) fn is_here(place: &Place<'_>, at: u64) -> bool {
    read_start(place, at).is_some()
}

fn read_start(place: &Place<'_>, at: u64) -> Option<Start> {
    let bytes = read_up_to(place.file, at, 32).ok()?;
    let mut fields = Bytes(&bytes);
    if fields.take(MAGIC.len())? != MAGIC {
        return None;
    }
    fields.take(2)?;
    let crc = fields.u32()?;
    if crc32fast::hash(fields.0) != crc {
        return None;
    }
    let (offset, list_bytes, list_crc) = (fields.u64()?, fields.u64()?, fields.u32()?);
    Some(Start { list_at: at.checked_add(START)?.checked_add(offset)?, list_bytes, list_crc })
}

fn damaged(what: &str) -> SkipReason {
    SkipReason::Damaged { what: what.to_owned() }
}

/// Goes through the 7z that begins at `at`.
pub(super) fn walk(walk: &mut Walk<'_>, place: &Place<'_>, at: u64) -> Flow {
    let Some(start) = read_start(place, at) else {
        return walk.trouble(place, damaged("its first header is broken"));
    };
    let header = match read_list(walk, place, at, &start)? {
        Ok(header) => header,
        Err(reason) => return walk.trouble(place, reason),
    };
    let mut files = header.files.iter().enumerate();
    for folder in &header.folders {
        let mut block = BlockReading::open(walk, place, at, folder)?;
        for part in &folder.parts {
            // Files without bytes stand between the others.
            let file = loop {
                match files.next() {
                    Some((_, file)) if !file.has_bytes => walk.count(place)?,
                    found => break found,
                }
            };
            let Some((index, file)) = file else {
                return walk.trouble(place, damaged("its blocks hold more files than its list"));
            };
            let name = names::plain(&file.name);
            let level = Level {
                format: Format::SevenZip,
                index: index as u64,
                name: name.text,
                encoding: "UTF-16LE".to_owned(),
                name_hex: None,
                header_at: start.list_at,
                data_at: block.data_at,
                stored_bytes: Some(block.stored),
                in_block_at: Some(block.given),
                method: folder.block.name(),
                crc32: part.crc32,
            };
            block.member(walk, place, level, part.bytes, file.is_link)?;
        }
    }
    for (_, file) in files {
        match file.has_bytes {
            false => walk.count(place)?,
            true => return walk.trouble(place, damaged("its list holds more files than its blocks")),
        }
    }
    Ok(())
}

/// Lists may be compressed, and that again; no program does so more than once.
const LISTS_MAX: usize = 4;

fn read_list(
    walk: &mut Walk<'_>,
    place: &Place<'_>,
    at: u64,
    start: &Start,
) -> Flow<Result<Header, SkipReason>> {
    let most = walk.limits.header_bytes;
    if start.list_bytes > most {
        return Ok(Err(SkipReason::TooLarge { bytes_max: most }));
    }
    if start.list_bytes == 0 {
        return Ok(Ok(Header::default()));
    }
    let length = usize::try_from(start.list_bytes).unwrap_or(usize::MAX);
    let Ok(mut bytes) = read_up_to(place.file, start.list_at, length) else {
        return Ok(Err(damaged("its list of files cannot be read")));
    };
    if bytes.len() < length {
        return Ok(Err(damaged("it is cut off; the list of files at its end is missing")));
    }
    if crc32fast::hash(&bytes) != start.list_crc {
        return Ok(Err(damaged("its list of files does not have the right checksum")));
    }
    for _ in 0..LISTS_MAX {
        match bytes.split_first() {
            Some((1, list)) => return Ok(header::parse(list)),
            Some((0x17, packed)) => {
                let folder = match header::parse_packed(packed) {
                    Ok(folder) => folder,
                    Err(reason) => return Ok(Err(reason)),
                };
                bytes = match inflate_list(walk, place, at, &folder)? {
                    Ok(bytes) => bytes,
                    Err(reason) => return Ok(Err(reason)),
                };
            }
            _ => break,
        }
    }
    Ok(Err(damaged("its list of files is broken")))
}

fn inflate_list(
    walk: &mut Walk<'_>,
    place: &Place<'_>,
    at: u64,
    folder: &Folder,
) -> Flow<Result<Vec<u8>, SkipReason>> {
    let most = walk.limits.header_bytes;
    let Some(size) = usize::try_from(folder.unpacked).ok().filter(|_| folder.unpacked <= most) else {
        return Ok(Err(SkipReason::TooLarge { bytes_max: most }));
    };
    let methods = match &folder.block {
        Block::Methods(methods) => methods,
        other => return Ok(Err(other.reason())),
    };
    let data_at = at.saturating_add(START).saturating_add(folder.packed_at);
    let section = Section::new(place.file, data_at, folder.packed);
    let mut stream = Inflated::new(methods, section, folder.packed, walk.limits);
    let (bytes, broken) = walk.read_whole(&mut stream, size)?;
    Ok(match broken {
        Some(reason) => Err(reason),
        None if bytes.len() < size => Err(damaged("its list of files is cut off")),
        None if folder.crc32.is_some_and(|crc| crc != crc32fast::hash(&bytes)) => {
            Err(damaged("its list of files does not have the right checksum"))
        }
        None => Ok(bytes),
    })
}

/// One block while it is gone through.
struct BlockReading<'a> {
    stream: Inflated<'a>,
    data_at: u64,
    stored: u64,
    /// Where the next member begins in the inflated bytes.
    given: u64,
    /// Inflated bytes that were read.
    read: u64,
    /// Why the rest cannot be read.
    broken: Option<SkipReason>,
}

impl<'a> BlockReading<'a> {
    fn open(walk: &Walk<'_>, place: &Place<'a>, at: u64, folder: &Folder) -> Flow<BlockReading<'a>> {
        walk.check()?;
        let data_at = at.saturating_add(START).saturating_add(folder.packed_at);
        let stored = folder.packed;
        let (methods, broken): (&[_], _) = match &folder.block {
            Block::Methods(methods) => (methods, None),
            other => (&[], Some(other.reason())),
        };
        let section = Section::new(place.file, data_at, stored);
        let stream = Inflated::new(methods, section, stored, walk.limits);
        Ok(Self { stream, data_at, stored, given: 0, read: 0, broken })
    }

    /// Looks at the next member, of `bytes` bytes.
    fn member(
        &mut self,
        walk: &mut Walk<'_>,
        place: &Place<'_>,
        level: Level,
        bytes: u64,
        is_link: bool,
    ) -> Flow {
        let begins = self.given;
        self.given = self.given.saturating_add(bytes);
        if is_link {
            return walk.skip(place, place.above, level, SkipReason::Link);
        }
        if self.broken.is_none() {
            // What was not read of the members before.
            match walk.discard(&mut self.stream, begins - self.read)? {
                Ok(skipped) => self.read += skipped,
                Err(reason) => self.broken = Some(reason),
            }
        }
        if self.broken.is_none() && self.read < begins {
            self.broken = Some(damaged("its block ends before it"));
        }
        if let Some(reason) = &self.broken {
            return walk.skip(place, place.above, level, reason.clone());
        }
        self.read += walk.member(place, place.above, level, &mut self.stream, Size::Cut(bytes))?;
        Ok(())
    }
}
