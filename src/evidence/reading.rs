//! Documents of a bundle from anybody's hand, read within bounds: a byte of JSON can take thirty times its room in memory.

use std::io::{self, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bundle::{CAPTURES, DOCUMENT_BYTES_MAX};
use super::section::Section;

/// How much a document may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// Its length.
    pub(super) bytes: u64,
    /// Its values, lists and objects counted as one each: what its room in memory grows with, beside the length.
    pub(super) values: u64,
}

/// For what grows with how often a file was seen, and for the log.
const LARGE: Measure = Measure { bytes: DOCUMENT_BYTES_MAX, values: 4_000_000 };

/// For all others. A record of the store has at most 64 KiB, and a manifest 10,000 entries.
const USUAL: Measure = Measure { bytes: 16 << 20, values: 500_000 };

const LOG: &str = "earwitness/log.json";

fn limit_of(name: &str) -> Measure {
    if [CAPTURES, LOG].contains(&name) { LARGE } else { USUAL }
}

/// Reads a document of JSON. How deep its lists may lie in each other, the parser bounds (128).
///
/// # Errors
/// What is wrong with it, in a line that begins with its name.
pub(super) fn json<T: DeserializeOwned>(content: &Section<'_>, name: &str) -> Result<T, String> {
    let bytes = text(content, name)?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))
}

/// Reads the bytes of such a document, where they are not too many, nor what they would become.
///
/// # Errors
/// As [`json`].
pub(super) fn text(content: &Section<'_>, name: &str) -> Result<Vec<u8>, String> {
    let limit = limit_of(name);
    let mut counter = Counter::default();
    let over = |what: String| format!("{name}: more than {what}, which no bundle of this program has");
    if content.bytes > limit.bytes {
        return Err(over(format!("{} bytes", limit.bytes)));
    }
    content.each(|piece| counter.write_all(piece)).map_err(|error| format!("{name}: {error}"))?;
    if counter.measure().values > limit.values {
        return Err(over(format!("{} values", limit.values)));
    }
    content.read(limit.bytes).map_err(|error| format!("{name}: {error}"))
}

/// Measures what [`super::manifest::document`] makes of a value, without making it.
///
/// # Errors
/// What the value's own serialisation says.
pub(super) fn measure<T: Serialize>(value: &T) -> serde_json::Result<Measure> {
    let mut counter = Counter::default();
    serde_json::to_writer_pretty(&mut counter, value)?;
    Ok(counter.measure())
}

/// Counts the values of JSON as it passes, well-formed or not: each comma and each opening bracket outside of strings stands
/// for one.
#[derive(Default)]
struct Counter {
    bytes: u64,
    values: u64,
    in_string: bool,
    escaped: bool,
}

impl Counter {
    const fn measure(&self) -> Measure {
        Measure { bytes: self.bytes, values: self.values + 1 }
    }

    const fn take(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b',' | b'[' | b'{' => self.values += 1,
            _ => {}
        }
    }
}

impl Write for Counter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        piece.iter().for_each(|&byte| self.take(byte));
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// As many as there are in memory, lists and objects with them.
    fn count(value: &Value) -> u64 {
        let within = match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(items) => items.values().map(count).sum(),
            _ => 0,
        };
        1 + within
    }

    #[test]
    fn what_would_not_fit_into_memory_is_refused_before_it_is_parsed() {
        let read = |text: &str, name: &str| json::<Value>(&Section::of(text.as_bytes()), name);
        let many = format!("[{}0]", "0,".repeat(500_000));
        assert!(read(&many, "earwitness/case.json").unwrap_err().contains("more than 500000 values"));
        assert!(read(&many, CAPTURES).is_ok());
        let long = format!("\"{}\"", "x".repeat(16 << 20));
        assert!(read(&long, "earwitness/case.json").unwrap_err().contains("more than 16777216 bytes"));
        let deep = "[".repeat(100_000);
        assert!(read(&deep, "earwitness/case.json").unwrap_err().contains("recursion"));
        // What stands in a string is text.
        assert!(read(&format!("\"{}\"", "[,{\\\"".repeat(600_000)), "earwitness/case.json").is_ok());
    }

    proptest! {
        #[test]
        fn no_document_has_more_values_than_are_counted(
            texts in prop::collection::vec(any::<String>(), 0..20), numbers in prop::collection::vec(any::<i32>(), 0..20),
        ) {
            let value = json!({"a": texts, "b": {"c": numbers, "d": {}}, "e": []});
            let measured = measure(&value).unwrap();
            prop_assert_eq!(measured.bytes, serde_json::to_vec_pretty(&value).unwrap().len() as u64);
            prop_assert!(count(&value) <= measured.values);
        }
    }
}
