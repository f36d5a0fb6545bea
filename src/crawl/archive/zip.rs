//! Zip: the central directory, or where it is lost, the local headers one after another.

mod directory;

pub(super) use directory::has_directory;
use directory::{Entry, Found};

use std::cell::Cell;

use super::bytes::Bytes;
use super::decode::{Inflated, Method};
use super::names::{self, Guess};
use super::section::{Section, read_up_to};
use super::walker::{Flow, Place, Size, Walk};
use super::{Format, Level, SkipReason};

/// The length of a local header without name and extra field (APPNOTE.TXT 4.3.7).
const LOCAL_HEADER: usize = 30;

/// Members that overlap may together read the file once, and this much: small lies must not hide what is there.
const SHARED_BYTES_FREE: u64 = 1 << 16;

/// Where a member's bytes are.
#[derive(Debug, Clone, Copy)]
struct Stored {
    header_at: u64,
    data_at: u64,
    /// Whether other members claim some of the same bytes.
    overlaps: bool,
}

/// Goes through a zip.
pub(super) fn walk(walk: &mut Walk<'_>, place: &Place<'_>) -> Flow {
    let Found { mut entries, problem } = directory::read(walk, place)?;
    if let Some(reason) = problem {
        walk.trouble(place, reason)?;
    }
    let guess =
        names::guess(entries.iter().filter(|entry| !entry.is_utf8()).map(|entry| entry.name.as_slice()));
    entries.sort_by_key(|entry| entry.header_at);
    let stored = lay_out(place, &entries);
    // Bytes read for members that overlap. They are not refused outright: a false entry would hide the true ones.
    let shared = Cell::new(0);
    for (entry, stored) in entries.iter().zip(stored) {
        one(walk, place, entry, stored, guess, &shared)?;
    }
    Ok(())
}

/// Finds each member's bytes by its local header, and which of them are claimed twice. `None` where there is no local
/// header.
fn lay_out(place: &Place<'_>, entries: &[Entry]) -> Vec<Option<Stored>> {
    let mut all: Vec<Option<Stored>> = entries
        .iter()
        .map(|entry| {
            let data_at = data_of(place, entry.header_at)?;
            Some(Stored { header_at: entry.header_at, data_at, overlaps: false })
        })
        .collect();
    let ends: Vec<u64> = entries
        .iter()
        .zip(&all)
        .map(|(entry, stored)| {
            stored.map_or(entry.header_at, |stored| stored.data_at.saturating_add(entry.stored))
        })
        .collect();
    let (mut reach, mut reaching) = (0, None::<usize>);
    for number in 0..all.len() {
        let begins = entries[number].header_at;
        if begins < reach || reaching.is_some_and(|before| entries[before].header_at == begins) {
            for claimed in [Some(number), reaching].into_iter().flatten() {
                if let Some(stored) = &mut all[claimed] {
                    stored.overlaps = true;
                }
            }
        }
        if all[number].is_some() && ends[number] >= reach {
            (reach, reaching) = (ends[number], Some(number));
        }
    }
    all
}

/// Where the data of the local header at `header_at` begin.
fn data_of(place: &Place<'_>, header_at: u64) -> Option<u64> {
    let header = read_up_to(place.file, header_at, LOCAL_HEADER).ok()?;
    let mut fields = Bytes(&header);
    if fields.take(4)? != b"PK\x03\x04" {
        return None;
    }
    fields.take(22)?;
    let (name, extra) = (fields.u16()?, fields.u16()?);
    header_at.checked_add(LOCAL_HEADER as u64 + u64::from(name) + u64::from(extra))
}

fn one(
    walk: &mut Walk<'_>,
    place: &Place<'_>,
    entry: &Entry,
    stored: Option<Stored>,
    guess: Guess,
    shared: &Cell<u64>,
) -> Flow {
    if entry.is_folder() {
        return walk.count(place);
    }
    let method = entry.decoder();
    let name = match &entry.unicode_name {
        Some(name) => names::plain(name),
        None => names::decode(&entry.name, guess),
    };
    let level = Level {
        format: Format::Zip,
        index: entry.index,
        name: name.text,
        encoding: name.encoding,
        name_hex: name.hex,
        header_at: stored.map_or(entry.header_at, |stored| stored.header_at),
        data_at: stored.map_or(entry.header_at, |stored| stored.data_at),
        stored_bytes: Some(entry.stored),
        in_block_at: None,
        method: match &method {
            Some(method) => method.name().to_owned(),
            None => format!("method {}", entry.method),
        },
        crc32: entry.crc32,
    };
    let (stored, method) = match (stored, method) {
        _ if entry.is_encrypted() => return walk.skip(place, place.above, level, SkipReason::Encrypted),
        _ if entry.is_link() => return walk.skip(place, place.above, level, SkipReason::Link),
        (None, _) => {
            let what = format!("no member's header at byte {}", entry.header_at);
            return walk.skip(place, place.above, level, SkipReason::Damaged { what });
        }
        (_, None) => {
            let what = format!("zip's {}", level.method);
            return walk.skip(place, place.above, level, SkipReason::Unsupported { what });
        }
        (Some(stored), Some(method)) => (stored, method),
    };
    let length = entry.stored.min(place.length.saturating_sub(stored.data_at));
    let mut section = Section::new(place.file, stored.data_at, length);
    if stored.overlaps {
        if shared.get() >= place.length.saturating_add(SHARED_BYTES_FREE) {
            return walk.skip(place, place.above, level, SkipReason::Overlaps);
        }
        section = section.counted(shared);
    }
    let size = match entry.size {
        Some(size) => Size::Claimed(size),
        None if method == Method::Store => Size::Cut(entry.stored),
        None => Size::Unknown,
    };
    let mut stream = Inflated::new(&[method], section, length, walk.limits);
    walk.member(place, place.above, level, &mut stream, size).map(|_| ())
}
