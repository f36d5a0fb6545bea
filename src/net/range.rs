//! Pieces of a file: what is asked for, and whether the answer is that (RFC 9110, section 14).

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap};

/// Which piece of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// So many bytes from an offset on.
    Piece {
        /// The offset of the first byte.
        first: u64,
        /// How many bytes; at least one is asked for.
        count: u64,
    },
    /// The last so many bytes; at least one is asked for.
    Last(u64),
}

impl From<(u64, u64)> for Range {
    /// First byte and number of bytes.
    fn from((first, count): (u64, u64)) -> Self {
        Self::Piece { first, count }
    }
}

impl Range {
    pub(super) fn header(self) -> String {
        match self {
            Self::Piece { first, count } => {
                format!("bytes={first}-{}", first.saturating_add(count.max(1) - 1))
            }
            Self::Last(count) => format!("bytes=-{}", count.max(1)),
        }
    }

    /// Whether a piece is what was asked for. It may be shorter: files end, and servers may send less.
    fn is_answered_by(self, piece: &ContentRange) -> bool {
        match self {
            Self::Piece { first, count } => {
                piece.first == first && piece.last <= first.saturating_add(count.max(1) - 1)
            }
            Self::Last(count) => {
                piece.len() <= count.max(1) && piece.total.is_none_or(|total| piece.last == total - 1)
            }
        }
    }
}

/// The piece that an answer holds, by its `Content-Range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The offset of the first byte.
    pub first: u64,
    /// The offset of the last byte; not before the first.
    pub last: u64,
    /// The length of the whole file, where the server says it; more than the last offset.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 0-99/1000` or `bytes 0-99/*`; `None` for what is no such text or makes no sense.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (piece, total) = after_unit(text)?.split_once('/')?;
        let (first, last) = piece.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = if total.trim() == "*" { None } else { Some(number(total)?) };
        // The length of the piece must be a number, too.
        let makes_sense = first <= last && last < u64::MAX && total.is_none_or(|total| last < total);
        makes_sense.then_some(Self { first, last, total })
    }

    /// Returns the number of bytes of the piece; never zero.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Reads the length of the file from the `Content-Range` of a refusal (status 416): `bytes */1000`.
pub(super) fn total_of_refusal(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (piece, total) = after_unit(text)?.split_once('/')?;
    if piece.trim() != "*" { None } else { number(total) }
}

fn after_unit(text: &str) -> Option<&str> {
    let (unit, rest) = text.trim().split_once([' ', '\t'])?;
    unit.eq_ignore_ascii_case("bytes").then_some(rest)
}

/// Digits only: `parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Checks the head of an answer with status 206 and returns the piece that it holds, or what is wrong with it.
pub(super) fn check(asked: Option<Range>, headers: &HeaderMap) -> Result<ContentRange, String> {
    let Some(asked) = asked else {
        return Err("a piece came, but the whole was asked for".to_owned());
    };
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
    if content_type.is_some_and(|text| text.trim_ascii_start().starts_with(b"multipart/byteranges")) {
        return Err("several pieces came (multipart/byteranges), but one was asked for".to_owned());
    }
    let mut values = headers.get_all(CONTENT_RANGE).iter();
    let piece = match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(text)), None) => ContentRange::parse(text),
        (None, _) => return Err("a piece came, but no Content-Range says which".to_owned()),
        _ => None,
    };
    let piece = piece.ok_or_else(|| "its Content-Range makes no sense".to_owned())?;
    if !asked.is_answered_by(&piece) {
        let ContentRange { first, last, .. } = piece;
        return Err(format!("bytes {first} to {last} came, but {} was asked for", asked.header()));
    }
    Ok(piece)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn headers(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_RANGE, text.parse().unwrap())])
    }

    #[test]
    fn content_ranges_are_read_or_refused() {
        let read = |text| ContentRange::parse(text).map(|range| (range.first, range.last, range.total));
        assert_eq!(read("bytes 0-99/1000"), Some((0, 99, Some(1000))));
        assert_eq!(read(" Bytes 5-5/* "), Some((5, 5, None)));
        for text in [
            "",
            "bytes",
            "bytes 0-99",
            "bytes 99-0/1000",
            "bytes 0-99/99",
            "bytes 0-/100",
            "bytes -5/100",
            "bytes +0-9/10",
            "bytes */1000",
            "items 0-99/1000",
            "bytes 0-99999999999999999999/*",
            "bytes 0-18446744073709551615/*",
            "bytes 0-1,3-4/9",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(total_of_refusal(&headers("bytes */1000")), Some(1000));
        assert_eq!(total_of_refusal(&headers("bytes 0-1/1000")), None);
    }

    #[test]
    fn an_answer_must_be_the_piece_that_was_asked_for() {
        let check = |range, text: &str| super::check(Some(range), &headers(text)).is_ok();
        let piece = Range::from((10, 5));
        assert_eq!((piece.header(), Range::Last(7).header()), ("bytes=10-14".into(), "bytes=-7".into()));
        assert_eq!(Range::from((u64::MAX, 9)).header(), format!("bytes={0}-{0}", u64::MAX));
        assert!(check(piece, "bytes 10-14/100") && check(piece, "bytes 10-12/13"));
        assert!(!check(piece, "bytes 11-14/100") && !check(piece, "bytes 10-15/100"));
        assert!(check(Range::Last(7), "bytes 93-99/100") && check(Range::Last(7), "bytes 0-2/3"));
        assert!(!check(Range::Last(7), "bytes 0-6/100") && !check(Range::Last(7), "bytes 92-99/100"));
        assert!(super::check(None, &headers("bytes 0-1/2")).is_err());
        assert!(super::check(Some(piece), &HeaderMap::new()).is_err());
        let mut twice = headers("bytes 10-14/100");
        twice.append(CONTENT_RANGE, "bytes 10-14/100".parse().unwrap());
        assert!(super::check(Some(piece), &twice).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(bytes )?[-0-9/* a-z]{0,60}|\\PC{0,40}") {
            if let Some(range) = ContentRange::parse(&text) {
                prop_assert!(range.len() >= 1);
                prop_assert!(range.total.is_none_or(|total| total > range.last));
            }
        }

        #[test]
        fn what_is_written_is_read(first in 0..u64::MAX / 2, more: u32, rest in proptest::option::of(0u32..9)) {
            let last = first + u64::from(more);
            let total = rest.map(|rest| last + 1 + u64::from(rest));
            let written = total.map_or("*".to_owned(), |total| total.to_string());
            let read = ContentRange::parse(&format!("bytes {first}-{last}/{written}"));
            prop_assert_eq!(read, Some(ContentRange { first, last, total }));
        }
    }
}
