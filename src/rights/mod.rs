//! The licence graph: here is a recording, an operator, a place and an instant; gives a [`Verdict`] with its proof
//! trace. Pure.

mod verdict;

pub use verdict::{Decision, Verdict};
