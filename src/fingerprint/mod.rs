//! From [`crate::base::Pcm`] to a [`Fingerprint`]: spectrogram → peaks → codec. Pure.

mod types;

pub use types::{Fingerprint, Peak};
