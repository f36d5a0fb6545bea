//! What a match says.

use serde::{Deserialize, Serialize};

use crate::base::{ChannelView, RecordingId};

/// A stretch of a query that holds a stretch of a recording, and how the copy was altered.
///
/// Frequency factor = `speed` × 2^(`pitch_semitones` / 12); time factor = `speed` × `tempo`. Where only two numbers
/// can be known the simplest explanation is given: pure speed, then pure tempo, then pure pitch, then tempo + pitch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Which recording.
    pub recording_id: RecordingId,
    /// Seconds from the start of the query.
    pub query_start_s: f64,
    /// Seconds from the start of the query.
    pub query_end_s: f64,
    /// Seconds from the start of the recording, at `query_start_s`.
    pub reference_start_s: f64,
    /// Seconds from the start of the recording, at `query_end_s`.
    pub reference_end_s: f64,
    /// Factor of time and frequency together; 1.25 plays 25 % faster and higher.
    pub speed: f64,
    /// Factor of time alone.
    pub tempo: f64,
    /// Semitones of frequency alone.
    pub pitch_semitones: f64,
    /// Which channels of the query hold it.
    pub channel: ChannelView,
    /// How many of the query's peaks were found in the recording.
    pub matched_peaks: u32,
    /// Base-10 logarithm of the probability that audio holding nothing of the catalogue reaches this score
    /// against the whole catalogue.
    pub log10_false_match: f64,
}
