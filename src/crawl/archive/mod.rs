//! Archives: here is a file; gives each piece of audio or video in it, with the way to its bytes.
//!
//! - [`walk`]: goes through an archive, and archives within it, and shows every member to a visitor.
//! - [`Member`]: one that is audio or video by its first bytes (or a playlist, or a cue sheet), its bytes in a file.
//! - [`MemberPath`]: where it stands: for each level the format, the member's name, and the offsets of its header and
//!   data, so that “track 7 in a.rar” can be shown again from the archive's bytes alone.
//! - [`Skipped`]: one that was not taken, with the reason.
//! - [`Limits`]: what a hostile archive may cost.
//!
//! Zip, 7z, tar, gzip, bzip2, xz and zstd are read here; of rar the headers and stored members are, and what is
//! compressed goes through a program of the system ([`Tools`]). The containers are read by hand, since the offsets are
//! the evidence, and since every size in them is a claim that must be doubted; only the decoders come from crates.
//! Nothing is ever written under a member's name.
//!
//! The way of one archive, in the order of the files: `detect` (what it is) → `zip`, `seven`, `tar`, `packed` or `rar`
//! (its members) → `decode` (their bytes) → `walker` (what they are, and into a file) → back to `detect` for an archive
//! in the archive.

mod bytes;
mod decode;
mod detect;
mod event;
mod limits;
mod member_path;
mod names;
mod packed;
mod program;
mod rar;
mod section;
mod seven;
mod tar;
mod walker;
mod zip;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

pub use detect::is_archive;
pub use event::{Ended, Error, Kind, Member, Report, SkipReason, Skipped, Visited};
pub use limits::Limits;
pub use member_path::{Format, Level, MemberPath};
pub use program::{Tool, Tools};
pub use walker::Outer;

/// Goes through the archive `outer`, shows `visit` each member, and says how it went. Blocks: call it on a thread that
/// may. `cancelled` is asked for each header, and for each 64 KiB that come out of a decoder.
///
/// Damage is no error: what can be read is shown, the rest is told as [`Skipped`].
///
/// # Errors
///
/// Where the archive cannot be opened, is none, or where no bytes can be put into the work folder.
pub fn walk(
    outer: &Outer<'_>,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
    visit: &mut dyn FnMut(Visited) -> ControlFlow<()>,
) -> Result<Report, Error> {
    walker::walk(outer, limits, cancelled, visit)
}
