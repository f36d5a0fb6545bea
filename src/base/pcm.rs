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

    /// Returns the view of a word, as [`Self::as_str`] gives it.
    #[must_use]
    pub fn by_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == word)
    }

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

    /// Returns the sound of 16-bit samples.
    #[must_use]
    pub fn from_16_bit(samples: impl IntoIterator<Item = i16>) -> Self {
        Self { samples: samples.into_iter().map(|sample| f32::from(sample) / FULL_SCALE).collect() }
    }

    /// Gives the samples as [`sample_16_bit`] writes them; those of [`Self::from_16_bit`] come back as they were.
    pub fn to_16_bit(&self) -> impl Iterator<Item = i16> {
        self.samples.iter().copied().map(sample_16_bit)
    }
}

/// What a sample of 1 is as a 16-bit number.
const FULL_SCALE: f32 = 32_768.0;

/// Rounds a sample to 16 bits. What is too loud is clipped, what is no number is silence.
#[must_use]
pub fn sample_16_bit(sample: f32) -> i16 {
    // The cast is to the nearest end of the range, and of what is no number to 0.
    (sample * FULL_SCALE).round() as i16
}

/// A span of one channel view of one audio track of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioSpan {
    /// Which of the file's audio tracks; 0 is the default one.
    pub track: usize,
    /// The view.
    pub view: ChannelView,
    /// Samples before it, at [`ANALYSIS_RATE_HZ`].
    pub first_sample: u64,
    /// How many samples it has.
    pub samples: u32,
}

impl AudioSpan {
    /// The longest span that is cut out of a file, in samples: two minutes.
    pub const SAMPLES_MAX: u32 = 120 * ANALYSIS_RATE_HZ;

    /// Returns the span between two instants, in seconds; no longer than [`Self::SAMPLES_MAX`], empty where the figures
    /// make no sense.
    #[must_use]
    pub fn between(track: usize, view: ChannelView, from_s: f64, to_s: f64) -> Self {
        // What is no number, or too large, is put to an end of the range by the casts.
        let place = |seconds: f64| (seconds * f64::from(ANALYSIS_RATE_HZ)).round() as u64;
        let first_sample = place(from_s);
        let samples = place(to_s).saturating_sub(first_sample).min(u64::from(Self::SAMPLES_MAX));
        Self { track, view, first_sample, samples: samples as u32 }
    }

    /// The sample after its last one.
    #[must_use]
    pub const fn end_sample(&self) -> u64 {
        self.first_sample.saturating_add(self.samples as u64)
    }

    /// Where it begins, in seconds.
    #[must_use]
    pub fn start_s(&self) -> f64 {
        self.first_sample as f64 / f64::from(ANALYSIS_RATE_HZ)
    }

    /// Where it ends, in seconds.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.end_sample() as f64 / f64::from(ANALYSIS_RATE_HZ)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sixteen_bits_come_back(samples in proptest::collection::vec(any::<i16>(), 0..50)) {
            let pcm = Pcm::from_16_bit(samples.iter().copied());
            prop_assert!(pcm.samples.iter().all(|sample| (-1.0..1.0).contains(sample)));
            prop_assert_eq!(pcm.to_16_bit().collect::<Vec<_>>(), samples);
        }

        #[test]
        fn a_span_of_any_figures_is_bounded(from_s in any::<f64>(), to_s in any::<f64>()) {
            let span = AudioSpan::between(0, ChannelView::Mid, from_s, to_s);
            prop_assert!(span.samples <= AudioSpan::SAMPLES_MAX && span.end_sample() >= span.first_sample);
        }
    }

    #[test]
    fn what_does_not_fit_is_clipped() {
        let clipped = [1.5, -1.5, 1.0, f32::INFINITY, f32::NAN, 0.5].map(sample_16_bit);
        assert_eq!(clipped, [32_767, -32_768, 32_767, 32_767, 0, 16_384]);
    }
}
