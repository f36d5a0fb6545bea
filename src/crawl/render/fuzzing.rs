//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::devtools::Link;

/// Reads the browser's messages to the end; gives how many there are and how many were skipped.
#[must_use]
pub fn messages(bytes: &[u8]) -> (u64, u64) {
    let mut link = Link::new(Vec::new(), bytes);
    let mut count = 0;
    loop {
        // Memory is never waited for.
        let next = pin!(link.next()).poll(&mut Context::from_waker(Waker::noop()));
        if !matches!(next, Poll::Ready(Ok(_))) {
            return (count, link.skipped);
        }
        count += 1;
    }
}
