//! Mono audio at the one rate that the analysis works at.

use serde::{Deserialize, Serialize};

/// The analysis rate in Hz. The fingerprint uses nothing above 5.5 kHz, which every codec and the telephone's
/// wide band keep; a quarter of 44.1 kHz makes the commonest resampling a ratio of whole numbers.
pub const ANALYSIS_RATE_HZ: u32 = 11_025;

/// Which combination of a file's channels a [`Pcm`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelView {
    /// (left + right) / 2, or the only channel: what almost every file is analysed as.
    Mid,
    /// (left − right) / 2: finds copies with one channel's phase inverted, whose mid cancels.
    Side,
    /// The left channel alone.
    Left,
    /// The right channel alone.
    Right,
}

impl ChannelView {
    /// All views, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Mid, Self::Side, Self::Left, Self::Right];

    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mid => "mid",
            Self::Side => "side",
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// A stretch of mono audio at [`ANALYSIS_RATE_HZ`]; samples are finite, nominally in −1..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct Pcm {
    /// The samples.
    pub samples: Vec<f32>,
}

impl Pcm {
    /// Returns the length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(ANALYSIS_RATE_HZ)
    }
}
