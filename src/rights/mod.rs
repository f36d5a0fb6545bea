//! The licence graph: here is a recording, an operator, a place and an instant; gives a [`Verdict`] with its proof
//! trace. Pure.
//!
//! - [`Licence`]: one version of one grant; without a licensor, a statement of ownership.
//! - [`LicenceGraph`]: all of them, now or [as they were known](LicenceGraph::as_of) at an instant.
//! - [`verdict`]: answers a [`Question`].
//! - [`conflicts`]: what in a graph contradicts itself.
//! - [`parse_csv`]: a `licences.csv` → licences and the problems of its rows.

mod territory;
mod operator;
mod terms;
mod licence;
mod graph;
mod verdict;
mod condition;
mod walk;
mod answer;
mod scope_index;
mod conflict;
mod row;
mod import;

pub use answer::verdict;
pub use conflict::{Conflict, ConflictKind, conflicts};
pub use graph::LicenceGraph;
pub use import::{Parsed, Problem, Row, Severity, parse_csv};
pub use licence::{Licence, Operators, Scope};
pub use operator::{fold_name, normalise_operator, parse_domain};
pub use terms::{Layer, Right, Status};
pub use territory::{Territories, Territory, TerritoryError};
pub use verdict::{Decision, Outcome, Question, Step, Verdict};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod oracle_tests;
