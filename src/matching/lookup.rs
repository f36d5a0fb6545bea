//! Query quads → hits: every place of the catalogue that holds a like quad.

use std::ops::Range;

use crate::fingerprint::{Density, Peak, query_quads};
use crate::index::{CostLimit, Family, Index, LookupReport, Probes, RecordingIndex};

/// A quad of the query met by a quad of a recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) recording: RecordingIndex,
    /// Time of the query's root, in steps.
    pub(super) query_time: f32,
    /// Time of the recording's root, in steps.
    pub(super) reference_time: f32,
    /// Natural logarithm of the recording's duration over the query's: the time factor of the copy.
    pub(super) ln_rate: f32,
    /// The time factor itself.
    pub(super) rate: f32,
    /// Pitch of the recording's root over the query's, in steps of 1/384 octave.
    pub(super) shift: f32,
}

/// The widest time factor that is followed, either way.
const LN_RATE_MAX: f32 = 0.80;
/// The widest shift of pitch that is followed, in steps: 16 semitones.
const SHIFT_MAX: f32 = 512.0;

/// Looks up the quads whose roots lie in a stretch of the query (steps), and appends their hits in order of query
/// time. Tells what that came to.
pub(super) fn look_up(
    peaks: &[Peak],
    roots: Range<u32>,
    density: Density,
    index: &Index,
    limit: CostLimit,
    hits: &mut Vec<Hit>,
) -> LookupReport {
    let first = hits.len();
    let quads = query_quads(peaks, roots, density);
    let mut probes = Probes::default();
    for (tag, quad) in quads.iter().enumerate() {
        quad.probes(|key| probes.push(key, tag as u32));
    }
    let report = index.lookup(Family::Quads, &mut probes, limit, |tag, posting| {
        let Some(quad) = quads.get(tag as usize) else { return };
        let rate = f32::from(posting.duration) / f32::from(quad.duration);
        let ln_rate = rate.ln();
        let shift = f32::from(posting.pitch) - f32::from(quad.pitch);
        if ln_rate.abs() <= LN_RATE_MAX && shift.abs() <= SHIFT_MAX {
            hits.push(Hit {
                recording: posting.recording,
                query_time: quad.time as f32,
                reference_time: posting.time as f32,
                ln_rate,
                rate,
                shift,
            });
        }
    });
    // Times are whole and not negative, so their bits are in their order.
    hits[first..].sort_unstable_by_key(|hit| {
        let times = u64::from(hit.query_time.to_bits()) << 32 | u64::from(hit.reference_time.to_bits());
        (times, hit.recording, hit.ln_rate.to_bits(), hit.shift.to_bits())
    });
    report
}
