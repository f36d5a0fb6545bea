//! Parts → the archive's bytes.

use std::io::{self, Write};

use super::format::{BYTES_MAX, ENTRIES_MAX, Fields, ending, is_name};
use crate::evidence::section::Section;

/// One entry to be written.
pub(in crate::evidence) struct Part<'a> {
    pub(in crate::evidence) name: String,
    pub(in crate::evidence) content: Section<'a>,
}

/// Writes the archive of `parts`, in whatever order they are given. Each content is read twice: its checksum stands before
/// it.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a name that cannot be written or comes twice, [`io::ErrorKind::FileTooLarge`] beyond
/// [`BYTES_MAX`], or what the system says.
pub(in crate::evidence) fn write(mut parts: Vec<Part<'_>>, out: &mut dyn Write) -> io::Result<()> {
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    check(&parts)?;
    let mut entries: Vec<Fields> = Vec::with_capacity(parts.len());
    let mut offset: u64 = 0;
    for Part { name, content } in parts {
        let fields = Fields {
            name,
            crc32: content.sums()?.crc32,
            bytes: fitting(content.bytes)?,
            offset: fitting(offset)?,
        };
        let header = fields.local();
        out.write_all(&header)?;
        content.each(|piece| out.write_all(piece))?;
        offset += header.len() as u64 + content.bytes;
        entries.push(fields);
    }
    let ending = ending(&entries, fitting(offset)?);
    fitting(offset + ending.len() as u64)?;
    out.write_all(&ending)
}

fn check(parts: &[Part<'_>]) -> io::Result<()> {
    let invalid = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if parts.len() > ENTRIES_MAX {
        return invalid(format!("{} entries are over the limit of {ENTRIES_MAX}", parts.len()));
    }
    if let Some(part) = parts.iter().find(|part| !is_name(&part.name)) {
        return invalid(format!("`{}` is no name for an entry of a bundle", part.name));
    }
    let twice = parts.windows(2).find(|pair| matches!(pair, [a, b] if a.name == b.name));
    twice.map_or(Ok(()), |pair| invalid(format!("the entry `{}` comes twice", pair[0].name)))
}

fn fitting(bytes: u64) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| {
        let text = format!("a bundle holds at most {BYTES_MAX} bytes, this one would have more");
        io::Error::new(io::ErrorKind::FileTooLarge, text)
    })
}
