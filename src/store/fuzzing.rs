//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use std::io::{BufRead, Cursor};

use super::journal::{Reader, Step, frame_header, header};
use super::transfer::{Line, decode_line, read_line};
use super::{Kinds, line};

/// Lays out a journal whose frames hold `payloads`.
#[must_use]
pub fn journal(generation: u64, payloads: &[&[u8]]) -> Vec<u8> {
    let mut bytes = header(generation).to_vec();
    for payload in payloads {
        bytes.extend_from_slice(&frame_header(payload));
        bytes.extend_from_slice(payload);
    }
    bytes
}

/// Walks a journal, whatever its header says; gives the whole frames' payloads and how many stretches are damaged.
///
/// # Panics
/// When a step does not go forward, or a payload is not where it is said to be.
#[must_use]
pub fn walk(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let _ = Reader::new(Cursor::new(bytes)).map(|reader| reader.generation());
    let Ok(mut reader) = Reader::ignoring_header(Cursor::new(bytes)) else { return Default::default() };
    let (mut payloads, mut damaged, mut at) = (Vec::new(), 0, 0);
    loop {
        match reader.step() {
            Ok(Step::Frame { payload, end }) => {
                assert!(end > at && end <= bytes.len() as u64);
                assert!(bytes[..end as usize].ends_with(&payload));
                at = end;
                payloads.push(payload);
            }
            Ok(Step::Damaged { offset, resumes, .. }) => {
                assert!(offset >= at && resumes > offset);
                at = resumes;
                damaged += 1;
            }
            Ok(Step::Torn { offset, .. }) => {
                assert!(offset >= at && offset < bytes.len() as u64);
                return (payloads, damaged + 1);
            }
            Ok(Step::End) => return (payloads, damaged),
            Err(error) => assert!(false, "memory cannot fail: {error}"),
        }
    }
}

/// One line of a journal or an export: kind, key, value.
pub type Operation = (String, String, Option<Vec<u8>>);

/// Reads one line.
#[must_use]
pub fn read_operation(bytes: &[u8]) -> Option<Operation> {
    let operation = line::decode(bytes).ok()?;
    Some((operation.kind, operation.key, operation.value))
}

/// Writes one line.
#[must_use]
pub fn write_operation(operation: &Operation) -> Vec<u8> {
    let mut bytes = Vec::new();
    line::encode(&operation.0, &operation.1, operation.2.as_deref(), &mut bytes);
    bytes
}

/// Reads and checks lines as an import does; gives how many are taken and how many are not.
pub fn import(mut input: &mut dyn BufRead, kinds: &Kinds, line_bytes_max: usize) -> (usize, usize) {
    let (mut taken, mut refused) = (0, 0);
    while let Ok(Some(line)) = read_line(&mut input, line_bytes_max) {
        let change = match line {
            Line::TooLong => Err(String::new()),
            Line::Whole(bytes) => decode_line(&bytes).and_then(|operation| kinds.check(operation)),
        };
        if change.is_ok() {
            taken += 1;
        } else {
            refused += 1;
        }
    }
    (taken, refused)
}
