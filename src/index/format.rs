//! The frame of a segment file. All numbers are little-endian.
//!
//! ```text
//! header    magic "EWSEGMNT" | format version u16 | fingerprint version u16 | recordings u32 | steps of time u64
//!           | families u32 | sections ids, table, order, peaks: length u64, CRC32 u32 each
//!           | per family: number u8 | bucket bits u8 | time parameter u8 | first duration u8 | durations u8 | 0 u24
//!                         | postings u64 | sections postings, directory: length u64, CRC32 u32 each
//!           | CRC32 of the header u32
//! ids       recording ids, UTF-8, one after the other
//! table     per recording: end of its id u32 | duration u32 | end of its peaks u64
//! order     the recordings' numbers u32, in order of their ids
//! peaks     per recording: bits, see `peaks`
//! postings  per family, per bucket: bits, see `postings`
//! directory per family, 2^bits + 1 times: where the bucket's postings begin u40
//! end       magic "EWSEGEND"
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::family::Family;
use super::postings::Shape;
use crate::fingerprint::FORMAT_VERSION;

pub(super) const MAGIC: &[u8; 8] = b"EWSEGMNT";
pub(super) const END_MAGIC: &[u8; 8] = b"EWSEGEND";
/// Version of the layout above.
pub(super) const SEGMENT_VERSION: u16 = 4;
pub(super) const TABLE_ENTRY_BYTES: usize = 16;
pub(super) const ORDER_ENTRY_BYTES: usize = 4;
pub(super) const DIRECTORY_ENTRY_BYTES: usize = 5;
/// The fewest bits of a posting: one each for its number and its time.
const POSTING_BITS_LEAST: u64 = 2;
const FAMILIES: usize = Family::ALL.len();
const FIXED_BYTES: usize = 28;
const SECTION_BYTES: usize = 12;
const FAMILY_BYTES: usize = 16 + 2 * SECTION_BYTES;
/// Length of the header.
pub(super) const HEADER_BYTES: usize = FIXED_BYTES + 4 * SECTION_BYTES + FAMILIES * FAMILY_BYTES + 4;

/// What can go wrong with segment files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("index segment {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("index segment {path} is damaged: {what}; `earwitness store check` says more")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Written by another version.
    #[error(
        "index segment {path} has segment version {segment} and fingerprint version {fingerprint}, this program reads \
         {SEGMENT_VERSION} and {FORMAT_VERSION}; index the audio again with `earwitness catalog add`"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its segment version.
        segment: u16,
        /// Its fingerprint version.
        fingerprint: u16,
    },
    /// More than a segment can hold.
    #[error("index segment {path}: {what}")]
    TooLarge {
        /// The file that was to be written.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
    },
    /// Whoever asked for a merge no longer wants it.
    #[error("the merge was stopped")]
    Stopped,
}

/// Length and checksum of one section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) length: u64,
    pub(super) checksum: u32,
}

/// What the header says of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FamilyHeader {
    pub(super) family: Family,
    pub(super) shape: Shape,
    pub(super) postings: u64,
    /// Postings and directory.
    pub(super) sections: [Section; 2],
}

/// The header of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) recordings: u32,
    /// Length of all recordings.
    pub(super) steps: u64,
    /// Ids, table, order, peaks.
    pub(super) sections: [Section; 4],
    pub(super) families: [FamilyHeader; FAMILIES],
}

impl Header {
    /// The header's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&SEGMENT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.recordings.to_le_bytes());
        bytes.extend_from_slice(&self.steps.to_le_bytes());
        bytes.extend_from_slice(&(FAMILIES as u32).to_le_bytes());
        put_sections(&mut bytes, &self.sections);
        for family in &self.families {
            let shape = &family.shape;
            let numbers = [
                family.family.number(),
                shape.bucket_bits,
                shape.time_parameter,
                shape.duration_first,
                shape.durations,
                0,
                0,
                0,
            ];
            bytes.extend_from_slice(&numbers);
            bytes.extend_from_slice(&family.postings.to_le_bytes());
            put_sections(&mut bytes, &family.sections);
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads and checks the header of a whole file's bytes.
    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.get(..8) != Some(MAGIC) || bytes.len() < 12 {
            return Err(damaged(path, "it does not begin as a segment does".to_owned()));
        }
        let version = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let (segment, fingerprint) = (version(8), version(10));
        if (segment, fingerprint) != (SEGMENT_VERSION, FORMAT_VERSION) {
            return Err(Error::Version { path: path.to_owned(), segment, fingerprint });
        }
        let header = bytes.get(..HEADER_BYTES).filter(|header| {
            crc32fast::hash(&header[..HEADER_BYTES - 4]) == u32_at(header, HEADER_BYTES - 4)
        });
        let header =
            header.ok_or_else(|| damaged(path, "the checksum of its header does not fit".to_owned()))?;
        Self::parse(header).ok_or_else(|| damaged(path, "its header says what cannot be".to_owned()))
    }

    fn parse(header: &[u8]) -> Option<Self> {
        let recordings = u32_at(header, 12);
        if u32_at(header, 24) as usize != FAMILIES {
            return None;
        }
        let sections = [0, 1, 2, 3].map(|at| section(header, FIXED_BYTES + at * SECTION_BYTES));
        let family = |family: Family| {
            let at = FIXED_BYTES + 4 * SECTION_BYTES + family.place() * FAMILY_BYTES;
            let shape = Shape {
                recordings,
                bucket_bits: header[at + 1],
                time_parameter: header[at + 2],
                duration_first: header[at + 3],
                durations: header[at + 4],
            };
            let right = header[at] == family.number() && shape.is_right();
            let sections = [section(header, at + 16), section(header, at + 16 + SECTION_BYTES)];
            right.then(|| FamilyHeader { family, shape, postings: u64_at(header, at + 8), sections })
        };
        let [quads] = Family::ALL.map(family);
        let header = Self { recordings, steps: u64_at(header, 16), sections, families: [quads?] };
        header.lengths_fit().then_some(header)
    }

    /// Whether the sections whose length follows from a number have it, and postings have room for what is promised.
    fn lengths_fit(&self) -> bool {
        let each = |bytes: usize| u64::from(self.recordings) * bytes as u64;
        let directory = |family: &FamilyHeader| {
            (family.shape.buckets() as u64 + 1) * DIRECTORY_ENTRY_BYTES as u64 == family.sections[1].length
        };
        let room = |family: &FamilyHeader| {
            family.postings <= family.sections[0].length.saturating_mul(8 / POSTING_BITS_LEAST)
        };
        self.sections[1].length == each(TABLE_ENTRY_BYTES)
            && self.sections[2].length == each(ORDER_ENTRY_BYTES)
            && self.families.iter().all(|family| directory(family) && room(family))
    }

    /// All sections in the order of the file, with their names.
    fn all_sections(&self) -> impl Iterator<Item = (&'static str, Section)> {
        let common = ["ids", "table", "order", "peaks"].into_iter().zip(self.sections);
        common.chain(
            self.families
                .iter()
                .flat_map(|family| ["postings", "directory"].into_iter().zip(family.sections)),
        )
    }

    /// Where the sections lie in a file of so many bytes, with their names and checksums; `None` where the file is not
    /// as long as the header says.
    pub(super) fn places(&self, file_bytes: usize) -> Option<Vec<(&'static str, Range<usize>, u32)>> {
        let mut end = HEADER_BYTES;
        let mut places = Vec::with_capacity(4 + 2 * FAMILIES);
        for (name, section) in self.all_sections() {
            let start = end;
            end = end.checked_add(usize::try_from(section.length).ok()?)?;
            places.push((name, start..end, section.checksum));
        }
        (end.checked_add(END_MAGIC.len())? == file_bytes).then_some(places)
    }
}

fn put_sections(bytes: &mut Vec<u8>, sections: &[Section]) {
    for section in sections {
        bytes.extend_from_slice(&section.length.to_le_bytes());
        bytes.extend_from_slice(&section.checksum.to_le_bytes());
    }
}

fn section(bytes: &[u8], at: usize) -> Section {
    Section { length: u64_at(bytes, at), checksum: u32_at(bytes, at + 8) }
}

pub(super) fn damaged(path: &Path, what: String) -> Error {
    Error::Damaged { path: path.to_owned(), what }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u64::from_le_bytes)
}
