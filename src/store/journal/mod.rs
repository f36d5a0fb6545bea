//! The journal: what must not be lost, appended, checksummed and fsynced before anything else is touched.
//!
//! `format` lays out the bytes, `writer` appends, `reader` walks and finds its way again after damage, `compact`
//! rewrites what is still live.

mod compact;
mod format;
mod reader;
mod writer;
#[cfg(test)]
mod tests;

pub(super) use compact::compact;
pub(super) use format::HEADER_BYTES;
#[cfg(fuzzing)]
pub(super) use format::{frame_header, header};
pub(super) use reader::{HeaderError, Reader, Step};
pub(super) use writer::{Journal, create, frames_of};
