//! Finding recordings in a fingerprint: lookup → voting → dense verification → significance. Here is a
//! fingerprint and an index, gives [`Match`]es. Pure.
//!
//! - [`find_matches`]: the one entry; [`find_in_views`]: the same for all views of one piece of audio.
//! - [`StreamMatcher`]: the same for audio of any length as it comes, span by span.
//! - [`MatchOptions`]: what is accepted, and what it may cost; [`Findings`]: what came of it.
//! - [`matched_pairs`]: the single peaks that a match rests on, for pictures.
//! - [`Match`]: a stretch of the query that holds a stretch of a recording, and how the copy was altered.

mod alteration;
mod follow;
mod grid;
mod line;
mod lookup;
mod matcher;
mod pairs;
mod significance;
mod stream;
mod types;
mod verify;
mod views;
mod vote;
mod windows;

pub use matcher::{Findings, MatchOptions, POSTINGS_PER_S_MIN, find_matches};
pub use pairs::matched_pairs;
pub use stream::{SpanEvent, StreamMatcher, Stretches};
pub use types::Match;
pub use views::{find_in_views, one_per_place, overlap};

#[cfg(test)]
mod tests;
