//! Pictures that a judge understands: here are two fingerprints, a match and, where it may be shown, the sound; gives SVG.
//!
//! - [`spectrograms()`]: a passage of both, one above the other, with the peaks that were found in both joined.
//! - [`time_map()`]: where in the file is which place of the recording; the slope is the speed.
//! - [`coverage()`]: how much of the file is the recording, and how much of the recording is in the file.
//! - [`richest()`]: which passage of a match says most of it.
//! - [`Language`]: of the captions.
//!
//! Pure, and the same input gives the same bytes. A picture has no script and no outside resource; text from outside is
//! made harmless, escaped and shortened to its place. The letters are those of the machine that shows it.

mod axis;
mod coverage;
mod lines;
mod passage;
mod raster;
mod spectrograms;
mod svg;
#[cfg(test)]
mod tests;
mod time_map;
mod words;

use crate::base::Pcm;
use crate::fingerprint::{Fingerprint, Peak};
use crate::matching::Match;

pub use coverage::coverage;
pub use passage::{Passage, richest};
pub use spectrograms::spectrograms;
pub use time_map::time_map;
pub use words::Language;

/// One of the two files that are compared.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What it is called: a file's address, a recording's title and artist. Text from outside.
    pub title: &'a str,
    /// Its peaks.
    pub fingerprint: &'a Fingerprint,
    /// Its sound about the passage that is shown; without it, the picture shows the peaks alone.
    pub sound: Option<Sound<'a>>,
}

/// A span of a file's sound.
#[derive(Clone, Copy)]
pub struct Sound<'a> {
    /// The sound, in the channel view that was matched.
    pub pcm: &'a Pcm,
    /// Where in the file it begins, in seconds.
    pub start_s: f64,
}

/// What is compared.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// The file that was found.
    pub suspect: Side<'a>,
    /// The recording.
    pub reference: Side<'a>,
    /// The stretch of the one that is a stretch of the other.
    pub found: &'a Match,
    /// The passage that [`spectrograms()`] shows.
    pub passage: Passage,
    /// The peaks that both have, the suspect's first ([`crate::matching::matched_pairs`]).
    pub pairs: &'a [(Peak, Peak)],
}
