//! The archive → its entries, strictly.

use std::io;

use super::format::{
    BYTES_MAX, ENTRIES_MAX, Fields, LOCAL_BYTES, LOCAL_MAGIC, NAME_BYTES_MAX, ending, is_name,
};
use crate::base::Digest;
use crate::evidence::section::{ReadAt, Section};

/// An archive that is what its entries make it.
pub(in crate::evidence) struct Container<'a> {
    entries: Vec<Entry<'a>>,
    sha256: Digest,
}

/// One entry.
#[derive(Clone)]
pub(in crate::evidence) struct Entry<'a> {
    /// Its name.
    pub(in crate::evidence) name: String,
    /// Its bytes.
    pub(in crate::evidence) content: Section<'a>,
    /// Their digest.
    pub(in crate::evidence) sha256: Digest,
}

/// Why bytes are not such an archive.
#[derive(Debug, thiserror::Error)]
pub(in crate::evidence) enum Fault {
    /// They cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// They are not what the program writes.
    #[error("byte {offset}: {what}")]
    Form {
        /// Where, from the start of the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
}

fn fault(offset: u64, what: impl Into<String>) -> Fault {
    Fault::Form { offset, what: what.into() }
}

impl<'a> Container<'a> {
    /// Reads an archive from its first byte to its last and digests its entries. In memory are their names alone.
    ///
    /// # Errors
    /// [`Fault`] with the place of the first byte that is not as the program writes it.
    pub(in crate::evidence) fn read(source: &'a dyn ReadAt) -> Result<Self, Fault> {
        let whole = Section::all(source)?;
        if whole.bytes > BYTES_MAX {
            return Err(fault(
                BYTES_MAX,
                format!("the file has {} bytes, more than a bundle can", whole.bytes),
            ));
        }
        let (mut entries, mut fields) = (Vec::<Entry<'a>>::new(), Vec::new());
        let mut offset = 0;
        while let Some((entry, of_entry)) = next_entry(&whole, offset)? {
            if entries.len() >= ENTRIES_MAX {
                return Err(fault(offset, format!("more than {ENTRIES_MAX} entries")));
            }
            if entries.last().is_some_and(|last| last.name >= entry.name) {
                return Err(fault(offset, format!("the entry `{}` is out of order", entry.name)));
            }
            offset = entry.content.offset + entry.content.bytes;
            entries.push(entry);
            fields.push(of_entry);
        }
        // Fits: the file is not longer than that.
        check_ending(&whole, offset, &ending(&fields, offset as u32))?;
        Ok(Self { entries, sha256: whole.sums()?.sha256 })
    }

    /// The entries, in order of their names.
    #[must_use]
    pub(in crate::evidence) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The digest of the whole file.
    #[must_use]
    pub(in crate::evidence) fn sha256(&self) -> Digest {
        self.sha256
    }

    /// Finds an entry.
    #[must_use]
    pub(in crate::evidence) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        let at = self.entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
        self.entries.get(at)
    }
}

/// The entry at `offset`; none where the directory begins there, or what stands in its place.
fn next_entry<'a>(whole: &Section<'a>, offset: u64) -> Result<Option<(Entry<'a>, Fields)>, Fault> {
    let head = whole.part(offset, LOCAL_BYTES as u64).read(LOCAL_BYTES as u64)?;
    if !head.starts_with(&LOCAL_MAGIC) || head.len() < LOCAL_BYTES {
        return Ok(None);
    }
    let u32_at = |at: usize| {
        let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    };
    let (crc32, bytes, name_bytes) = (u32_at(14), u32_at(18), u32_at(26) & 0xffff);
    let name = whole.part(offset + LOCAL_BYTES as u64, u64::from(name_bytes)).read(u64::from(u16::MAX))?;
    let name = String::from_utf8(name).ok().filter(|name| is_name(name));
    let Some(name) = name else {
        let what = format!("no name that an entry can have (of up to {NAME_BYTES_MAX} plain letters)");
        return Err(fault(offset + LOCAL_BYTES as u64, what));
    };
    let fields = Fields { name, crc32, bytes, offset: offset as u32 };
    let expected = fields.local();
    let found = whole.part(offset, expected.len() as u64).read(expected.len() as u64)?;
    if let Some(at) = first_difference(&expected, &found) {
        let what = format!("the header of `{}` is not as the program writes it", fields.name);
        return Err(fault(offset + at as u64, what));
    }
    let content = whole.part(offset + expected.len() as u64, u64::from(bytes));
    if content.bytes != u64::from(bytes) {
        return Err(fault(content.offset, format!("the file ends within `{}`", fields.name)));
    }
    let sums = content.sums()?;
    if sums.crc32 != crc32 {
        let what = format!("the checksum of `{}` does not fit its bytes", fields.name);
        return Err(fault(content.offset, what));
    }
    Ok(Some((Entry { name: fields.name.clone(), content, sha256: sums.sha256 }, fields)))
}

/// Compares what follows the entries with what must.
fn check_ending(whole: &Section<'_>, offset: u64, expected: &[u8]) -> Result<(), Fault> {
    let found = whole.part(offset, expected.len() as u64).read(expected.len() as u64)?;
    if let Some(at) = first_difference(expected, &found) {
        return Err(fault(offset + at as u64, "the directory is not that of the entries"));
    }
    let end = offset + expected.len() as u64;
    if end != whole.bytes {
        return Err(fault(end, format!("{} bytes too many at the end", whole.bytes - end)));
    }
    Ok(())
}

fn first_difference(expected: &[u8], found: &[u8]) -> Option<usize> {
    let differs = expected.iter().zip(found).position(|(a, b)| a != b);
    differs.or_else(|| (expected.len() != found.len()).then_some(found.len().min(expected.len())))
}
