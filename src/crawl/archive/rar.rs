//! Rar: headers and stored members are read here, compressed ones by a program of the system.
//!
//! The program writes all members to its standard output, one after another in the archive's order; the sizes in the
//! headers tell where each ends, and its checksum whether that was right. So no name goes onto a command line and none
//! becomes a file's.

mod v4;
mod v5;

use std::collections::VecDeque;
use std::io::{Cursor, Read as _};

use super::decode::{Inflated, Method};
use super::names::{self, Name};
use super::program::{PROGRAMS, Running, Tool};
use super::section::{Section, read_up_to};
use super::walker::{Flow, Place, Size, Walk};
use super::{Format, Level, SkipReason};

/// One header of a member.
#[derive(Debug, Clone, Default)]
struct Entry {
    name: Vec<u8>,
    header_at: u64,
    data_at: u64,
    stored: u64,
    /// `None` where the archive does not say.
    size: Option<u64>,
    crc32: Option<u32>,
    /// 0: stored.
    method: u8,
    dictionary: u64,
    is_folder: bool,
    is_link: bool,
    is_encrypted: bool,
    is_split: bool,
}

/// All headers, and what is wrong with the archive.
#[derive(Debug, Default)]
struct Found {
    entries: Vec<Entry>,
    problem: Option<SkipReason>,
}

/// What one block of the archive is.
enum Step {
    /// A member; the next block is after its data.
    Member(Entry),
    /// Something else, which reaches to this byte.
    Until(u64),
    End,
    /// Nothing behind it can be read.
    Stop(SkipReason),
}

/// Reads the block that begins with some bytes, at some offset.
type ReadStep = fn(&[u8], u64) -> Option<Step>;

fn damaged(what: String) -> SkipReason {
    SkipReason::Damaged { what }
}

/// Goes through the rar that begins at `at`.
pub(super) fn walk(walk: &mut Walk<'_>, place: &Place<'_>, format: Format, at: u64) -> Flow {
    let Found { entries, problem } = read(walk, place, format, at)?;
    if let Some(reason) = problem {
        walk.trouble(place, reason)?;
    }
    let mut compressed = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if entry.is_folder {
            walk.count(place)?;
            continue;
        }
        let level = level_of(entry, format, index as u64);
        match skip_reason(walk, entry) {
            Some(reason) => walk.skip(place, place.above, level, reason)?,
            None if entry.method == 0 => stored(walk, place, entry, level)?,
            None => compressed.push(level),
        }
    }
    if compressed.is_empty() { Ok(()) } else { by_program(walk, place, &entries, compressed) }
}

fn skip_reason(walk: &Walk<'_>, entry: &Entry) -> Option<SkipReason> {
    let bytes_max = walk.limits.decoder_bytes;
    if entry.is_link {
        Some(SkipReason::Link)
    } else if entry.is_encrypted {
        Some(SkipReason::Encrypted)
    } else if entry.is_split {
        Some(SkipReason::OtherVolume)
    } else if entry.dictionary > bytes_max && entry.method != 0 {
        Some(SkipReason::NeedsMemory { bytes: entry.dictionary, bytes_max })
    } else if entry.size.is_none() && entry.method != 0 {
        Some(SkipReason::Unsupported { what: "a member of unknown size".to_owned() })
    } else {
        None
    }
}

fn level_of(entry: &Entry, format: Format, index: u64) -> Level {
    let Name { text, encoding, hex } = match format {
        Format::Rar4 => v4::decode_name(&entry.name),
        _ => names::decode(&entry.name, names::guess([entry.name.as_slice()].into_iter())),
    };
    Level {
        format,
        index,
        name: text,
        encoding,
        name_hex: hex,
        header_at: entry.header_at,
        data_at: entry.data_at,
        stored_bytes: Some(entry.stored),
        in_block_at: None,
        method: match entry.method {
            0 => "store".to_owned(),
            method => format!("rar-m{method}"),
        },
        crc32: entry.crc32,
    }
}

fn stored(walk: &mut Walk<'_>, place: &Place<'_>, entry: &Entry, level: Level) -> Flow {
    let section = Section::new(place.file, entry.data_at, entry.stored);
    let mut stream = Inflated::new(&[Method::Store], section, entry.stored, walk.limits);
    let size = entry.size.map_or(Size::Unknown, Size::Claimed);
    walk.member(place, place.above, level, &mut stream, size).map(|_| ())
}

fn read(walk: &mut Walk<'_>, place: &Place<'_>, format: Format, at: u64) -> Flow<Found> {
    let (signature, step) = match format {
        Format::Rar4 => (7, v4::step as ReadStep),
        _ => (8, v5::step as ReadStep),
    };
    let mut found = Found::default();
    let mut next = at.saturating_add(signature);
    let mut blocks = 0;
    // Blocks that are no members are few; both are bounded together.
    while next < place.length && blocks <= walk.limits.members.saturating_mul(2) {
        walk.check()?;
        blocks += 1;
        let step = match read_up_to(place.file, next, FIRST_BYTES) {
            Ok(bytes) => step(&bytes, next),
            Err(error) => Some(Step::Stop(super::decode::reason_of(&error))),
        };
        let until = match step {
            None => {
                found.problem =
                    Some(damaged(format!("its header at byte {next} is broken; the rest is lost")));
                break;
            }
            Some(Step::Stop(reason)) => {
                found.problem = Some(reason);
                break;
            }
            Some(Step::End) => break,
            Some(Step::Until(until)) => until,
            Some(Step::Member(entry)) => {
                let until = entry.data_at.saturating_add(entry.stored);
                found.entries.push(entry);
                until
            }
        };
        // Each header is at least 7 bytes; nothing goes back.
        if until <= next {
            found.problem = Some(damaged(format!("its header at byte {next} points backwards")));
            break;
        }
        next = until;
    }
    if next > place.length && found.problem.is_none() {
        found.problem = Some(damaged("the archive is cut off".to_owned()));
    }
    Ok(found)
}

/// Bytes that are read for one header. Those of rar 4 have at most 64 KiB by their format; those of rar 5 could have
/// 2 MiB, of which a name and a few small records are written.
const FIRST_BYTES: usize = 1 << 16;

/// Lets the programs unpack, one after another until all of the members `levels` have come.
fn by_program(walk: &mut Walk<'_>, place: &Place<'_>, entries: &[Entry], levels: Vec<Level>) -> Flow {
    let tools = walk.tools.for_rar(levels.first().is_some_and(|level| level.format == Format::Rar5));
    let mut left = VecDeque::from(levels);
    for tool in &tools {
        if left.is_empty() {
            break;
        }
        match Running::start(tool, place.path, walk.limits.decoder_bytes) {
            // The ratio is that of the whole archive: a solid one has its bytes where they come first.
            Ok(running) => {
                let mut output = Inflated::outside(running, place.length, walk.limits);
                cut(walk, place, entries, &mut left, &mut output)?;
            }
            Err(error) => walk.trouble(place, damaged(format!("{} does not start: {error}", tool.name())))?,
        }
    }
    let names: Vec<&str> = tools.iter().map(Tool::name).collect();
    let reason = match tools.is_empty() {
        true => SkipReason::NeedsProgram { programs: PROGRAMS },
        false => damaged(format!("nothing came for it out of {}", names.join(", "))),
    };
    left.into_iter().try_for_each(|level| walk.skip(place, place.above, level, reason.clone()))
}

/// Cuts what a program gives into members, and takes those that are `left`, as far as it comes.
fn cut(
    walk: &mut Walk<'_>,
    place: &Place<'_>,
    entries: &[Entry],
    left: &mut VecDeque<Level>,
    output: &mut Inflated<'_>,
) -> Flow {
    for (index, entry) in entries.iter().enumerate() {
        // Nothing is written for a folder and for what needs a password.
        let Some(size) = entry.size.filter(|_| !entry.is_folder && !entry.is_link && !entry.is_encrypted)
        else {
            continue;
        };
        let mut read = 0;
        if left.front().is_some_and(|level| level.index == index as u64) {
            // A program that gives up leaves the member to the next.
            let (first, broken) = walk.read_whole(output, usize::from(size > 0))?;
            if size > 0 && first.is_empty() {
                return broken.map_or(Ok(()), |reason| walk.trouble(place, reason));
            }
            let Some(level) = left.pop_front() else { return Ok(()) };
            let mut whole = Cursor::new(first).chain(&mut *output);
            read = walk.member(place, place.above, level, &mut whole, Size::Cut(size))?;
        }
        if left.is_empty() {
            return Ok(());
        }
        if let Err(reason) = walk.discard(output, size.saturating_sub(read))? {
            return walk.trouble(place, reason);
        }
    }
    Ok(())
}
