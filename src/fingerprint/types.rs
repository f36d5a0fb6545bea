//! What a fingerprint is.

/// One spectral peak of the log-frequency spectrogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peak {
    /// Time in units of 1/8 hop.
    pub time: u32,
    /// Log frequency in units of 1/8 bin.
    pub pitch: u16,
    /// Prominence, larger is stronger.
    pub strength: u8,
}

/// The peaks of one piece of audio, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Length of the audio in hops.
    pub hops: u32,
    /// The peaks.
    pub peaks: Vec<Peak>,
}
