//! The recordings that are looked for: identifiers, titles, importers. Here is a CSV or a folder of audio, gives
//! [`Recording`]s.
//!
//! - [`Recording`]: one sound recording.
//! - [`identifiers`]: ISRC, ISWC, UPC/EAN, checked and in one spelling.
//! - [`import`]: tables of recordings.
//! - [`recording_from_file`]: a recording from an audio file's name and tags.
//! - [`Catalog`]: the recordings in a store.

mod recording;
pub mod identifiers;
pub mod import;
mod tags;
mod keep;

pub use keep::{Catalog, CatalogStats, Outcome};
pub use recording::{Recording, RecordingAudio, TAG_CHARS_MAX};
pub use tags::recording_from_file;
