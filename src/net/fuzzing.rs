//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use super::client::header_text;
use super::icy::{Metadata, end_of_head, read_head};

/// What an ICY head says: its status, `content-type` and `icy-metaint`.
pub type IcyHead = (u16, Option<String>, Option<String>);

/// Reads the head of an ICY answer; also gives where it ends.
#[must_use]
pub fn icy_head(bytes: &[u8]) -> (Option<usize>, Option<IcyHead>) {
    let head = read_head(bytes).map(|head| {
        let text = |name| header_text(&head.headers, name);
        (head.status, text("content-type"), text("icy-metaint"))
    });
    (end_of_head(bytes), head)
}

/// Takes the titles out of a stream that comes in pieces; `None` where the distance makes no sense.
pub fn without_titles<'a>(distance: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut metadata = Metadata::every(distance)?;
    Some(pieces.flat_map(|piece| metadata.strip(piece)).collect())
}
