//! From [`crate::base::Pcm`] to a [`Fingerprint`]: spectrogram → peaks → codec. Pure.

mod placeholder;
mod types;

pub use placeholder::{Analyzer, Error, decode, encode};
pub use types::{Fingerprint, Peak};
