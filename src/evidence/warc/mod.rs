//! The web archive in a bundle: WARC 1.1 (ISO 28500:2017), uncompressed.
//!
//! - [`write_captures`]: captures → records: `warcinfo`; for each exchange `response` (or `revisit`, where the same bytes
//!   came before), `request` and `metadata` with the DNS answer and the encrypted connection; `resource` for media that no
//!   single answer holds.
//! - [`read`]: bytes → [`Record`]s, each with its digests checked.
//! - [`compare`]: whether records and captures say the same.
//! - [`index`], [`pages`]: the records' index (CDXJ) and the list of pages, as WACZ wants them.

mod captures;
mod compare;
mod head;
mod index;
mod reader;
mod writer;
#[cfg(test)]
mod tests;

pub(super) use captures::write_captures;
pub(super) use compare::compare;
pub(super) use index::{Page, index, pages, pages_of};
pub(super) use reader::Record;
pub(super) use reader::read;
