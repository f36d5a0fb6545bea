//! robots.txt: the parser of RFC 9309 ([`Robots`]), and the gate that remembers what hosts say and decides by it.

mod gate;
mod parse;

pub(super) use gate::{Gate, Known};
pub(super) use parse::BYTES_MAX;
pub use parse::Robots;
