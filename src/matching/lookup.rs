//! Query quads → hits: every place of the catalogue that holds a like quad.

use std::ops::Range;

use crate::fingerprint::{Density, Peak, Quad, Tolerance, query_quads};
use crate::index::{CostLimit, Family, Index, LookupReport, Probes, Reach, RecordingIndex};

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

/// What is looked up of a stretch of query, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    /// How many quads the query is cut into.
    pub(super) density: Density,
    /// How far from each quad is looked.
    pub(super) tolerance: Tolerance,
    /// Alterations beyond this are left out.
    pub(super) reach: Reach,
    /// Of so many roots one is looked up.
    pub(super) one_of: u32,
}

impl Depth {
    /// Whether a quad's root is looked up: by its time, so that it does not matter where a stretch begins.
    fn takes(self, quad: &Quad) -> bool {
        quad.time.wrapping_mul(0x9E37_79B1) >> 16 & (self.one_of.max(1).next_power_of_two() - 1) == 0
    }
}

/// Looks up the quads whose roots lie in a stretch of the query (steps), and appends their hits in order of query
/// time. Tells what that came to.
pub(super) fn look_up(
    peaks: &[Peak],
    roots: Range<u32>,
    depth: Depth,
    index: &Index,
    limit: CostLimit,
    hits: &mut Vec<Hit>,
) -> LookupReport {
    let first = hits.len();
    let mut quads = query_quads(peaks, roots, depth.density);
    quads.retain(|quad| depth.takes(quad));
    let mut probes = Probes::default();
    for quad in &quads {
        probes.quad(quad);
        quad.probes(depth.tolerance, |key| probes.push(key));
    }
    let report = index.lookup(Family::Quads, &mut probes, depth.reach, limit, |answer| {
        let Some(quad) = quads.get(answer.quad as usize) else { return };
        hits.push(Hit {
            recording: answer.recording,
            query_time: quad.time as f32,
            reference_time: answer.time as f32,
            ln_rate: answer.ln_rate,
            rate: answer.rate,
            shift: answer.shift,
        });
    });
    // Times are whole and not negative, so their bits are in their order.
    hits[first..].sort_unstable_by_key(|hit| {
        let times = u64::from(hit.query_time.to_bits()) << 32 | u64::from(hit.reference_time.to_bits());
        (times, hit.recording, hit.ln_rate.to_bits(), hit.shift.to_bits())
    });
    report
}
