//! The recordings that are looked for: identifiers, titles, importers. Here is a CSV or a folder of audio, gives
//! [`Recording`]s.

mod recording;

pub use recording::{Recording, RecordingAudio};
