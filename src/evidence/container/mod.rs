//! The file around a bundle: a ZIP archive (WACZ asks for one) of which every byte follows from the entries.
//!
//! - [`write`]: parts → the archive's bytes.
//! - [`Container::read`]: the archive → its parts, or where it is not what [`write`] would have made of them.
//!
//! Entries are stored as they are, in the order of their names, with fixed fields (no time of day, no comment, no extra
//! fields), and nothing stands before, between or behind them. So there is one archive for a set of entries, and any
//! byte that is changed, added or missing is seen. Readers that we did not write open it as any other ZIP file.

mod format;
mod reader;
mod writer;
#[cfg(test)]
mod tests;

pub(super) use reader::Container;
#[cfg(test)]
pub(super) use reader::Entry;
pub(super) use writer::{Part, write};
