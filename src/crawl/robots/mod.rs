//! robots.txt: the parser of RFC 9309 ([`Robots`]) and the gate that fetches, remembers and records ([`Gate`]).

mod gate;
mod parse;

pub use gate::{Gate, Unreachable};
pub use parse::Robots;
