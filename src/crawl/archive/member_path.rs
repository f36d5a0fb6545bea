//! Where a member stands in its archive.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::shown;

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Zip, also with 64-bit sizes or behind a program that unpacks it (APPNOTE.TXT 6.3.10).
    Zip,
    /// 7z (7zFormat.txt of the LZMA SDK).
    #[serde(rename = "7z")]
    SevenZip,
    /// Tar: ustar, pax, GNU, and the old form (POSIX.1-2017, `pax`).
    Tar,
    /// One gzip stream (RFC 1952).
    Gzip,
    /// One bzip2 stream.
    Bzip2,
    /// One xz stream.
    Xz,
    /// One zstd stream (RFC 8878).
    Zstd,
    /// Rar of versions 1.5 to 4.
    Rar4,
    /// Rar of version 5 and later.
    Rar5,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "zip",
            Self::SevenZip => "7z",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Rar4 => "rar4",
            Self::Rar5 => "rar5",
        })
    }
}

/// One step into an archive. Offsets are in bytes from the start of the container: the file of the level above, or for
/// a tar inside a compressed stream, the stream's inflated bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The container's format.
    pub format: Format,
    /// The place among the container's entries, from 0: in the order of zip's central directory, of 7z's list of
    /// files, else of the headers. Folders count.
    pub index: u64,
    /// The member's name, as text.
    pub name: String,
    /// The encoding that the name was read in.
    pub encoding: String,
    /// The name's bytes in hexadecimal digits, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_hex: Option<String>,
    /// Where the member's header begins. In a 7z this is where the archive's one header begins.
    pub header_at: u64,
    /// Where its stored bytes begin; those of the block, where `in_block_at` is given.
    pub data_at: u64,
    /// How many bytes are stored, or those of the block; `None` where the archive does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<u64>,
    /// Where the member begins in the inflated bytes of a block that it shares with others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_block_at: Option<u64>,
    /// How it is compressed, for example `store`, `deflate`, `lzma2`.
    pub method: String,
    /// The CRC-32 of the member's bytes that the archive states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
}

/// The way from an archive's bytes to a member's: one [`Level`] for each container, the outermost first. Empty for the
/// archive itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberPath {
    /// The levels.
    pub levels: Vec<Level>,
}

impl MemberPath {
    pub(super) fn of(above: &[Level], level: Level) -> Self {
        let mut levels = above.to_vec();
        levels.push(level);
        Self { levels }
    }
}

/// The names, for people: `disc1.zip!/07.flac`. Control characters are escaped; it is no path of a file system.
impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, level) in self.levels.iter().enumerate() {
            f.write_str(if depth == 0 { "" } else { "!/" })?;
            f.write_str(&shown(&level.name))?;
        }
        Ok(())
    }
}
