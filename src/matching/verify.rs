//! Candidates → verified spans: the recording's salient peaks are projected into the query and looked for there.

use super::line::Line;
use crate::fingerprint::{BINS, PITCH_STEPS_PER_BIN, Peak, TIME_STEPS_PER_S};

/// How near a found peak must be in the end, in steps of time (29 ms) …
const TIME_TOLERANCE: f64 = 10.0;
/// … and of pitch (a quarter of a semitone).
const PITCH_TOLERANCE: f64 = 8.0;
/// Tolerances of the successive fits, as multiples of the last.
const FIT_TOLERANCES: [f64; 4] = [4.0, 2.0, 1.5, 1.0];
/// Wrong places for a first look: seconds and semitones. Semitones are whole because music's own grid makes those
/// coincide.
const FEW_WRONG_PLACES: [(f64, f64); 16] = [
    (0.23, 0.0),
    (-0.31, 0.0),
    (0.47, 0.0),
    (-0.61, 0.0),
    (0.79, 0.0),
    (-0.97, 0.0),
    (1.31, 0.0),
    (-1.49, 0.0),
    (0.17, 5.0),
    (-0.37, -5.0),
    (0.67, 7.0),
    (-0.83, -7.0),
    (0.0, 2.0),
    (0.0, -3.0),
    (0.0, 4.0),
    (0.0, -1.0),
];
/// Offsets in time tried on each side for the second look, and the distance from one to the next in seconds: to
/// 2.6 s, which holds a bar of most music, in steps that fall on every beat within the tolerance now and then.
const WRONG_OFFSETS: usize = 60;
const WRONG_OFFSET_STEP_S: f64 = 0.0411;
const WRONG_OFFSET_FIRST_S: f64 = 0.12;
/// Of the shares found at the wrong offsets, this one from the top …
const HIGH_RANK: usize = 4;
/// … speaks, times this, for what coincides on the beat: with rhythm alone two pieces of one tempo agree at
/// every beat, so that the true place must be better than the best of the wrong ones, not than their mean.
const HIGH_WEIGHT: f64 = 0.7;
/// Semitones to steps of pitch.
const STEPS_PER_SEMITONE: f64 = 32.0;

/// One peak of the recording, where it should be in the query, and whether it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    /// Query time at which it is expected, in steps.
    pub(super) time: f64,
    /// Index of the query's peak that was found, if any.
    pub(super) found: Option<usize>,
}

/// How many peaks of a span were looked for and found, and how many chance finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tally {
    pub(super) tested: usize,
    pub(super) found: usize,
    /// Share that is found at wrong places.
    pub(super) chance: f64,
}

/// The query's peaks, searchable by time.
pub(super) struct QueryPeaks<'a> {
    pub(super) peaks: &'a [Peak],
    /// Peaks that a better match has explained already.
    pub(super) used: Vec<bool>,
}

impl<'a> QueryPeaks<'a> {
    pub(super) fn new(peaks: &'a [Peak]) -> Self {
        Self { peaks, used: vec![false; peaks.len()] }
    }

    /// The unused peak nearest in time within the tolerances (steps).
    fn nearest(&self, time: f64, pitch: f64, time_tolerance: f64, pitch_tolerance: f64) -> Option<usize> {
        let first = self.peaks.partition_point(|peak| f64::from(peak.time) < time - time_tolerance);
        let mut best: Option<(f64, usize)> = None;
        for (index, peak) in self.peaks.iter().enumerate().skip(first) {
            let distance = (f64::from(peak.time) - time).abs();
            if f64::from(peak.time) > time + time_tolerance {
                break;
            }
            let off_pitch = (f64::from(peak.pitch) - pitch).abs();
            if off_pitch <= pitch_tolerance && !self.used[index] {
                let cost = distance / time_tolerance + off_pitch / pitch_tolerance;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, index));
                }
            }
        }
        best.map(|(_, index)| index)
    }
}

/// The recording's salient peaks that `line` projects into the span (query steps) and into the query's band.
fn projected<'r>(
    reference: &'r [Peak],
    line: &Line,
    span: (f64, f64),
) -> impl Iterator<Item = (f64, f64, &'r Peak)> {
    let (from, to) = (line.reference(span.0), line.reference(span.1));
    let first = reference.partition_point(|peak| f64::from(peak.time) < from);
    let top = f64::from(BINS as u16 * PITCH_STEPS_PER_BIN);
    let line = *line;
    reference[first..]
        .iter()
        .take_while(move |peak| f64::from(peak.time) <= to)
        .filter(|peak| peak.salient)
        .map(move |peak| (line.query(f64::from(peak.time)), f64::from(peak.pitch) - line.shift, peak))
        .filter(move |&(_, pitch, _)| (0.0..top).contains(&pitch))
}

/// Looks for every projected peak.
pub(super) fn probe(query: &QueryPeaks<'_>, reference: &[Peak], line: &Line, span: (f64, f64)) -> Vec<Probe> {
    projected(reference, line, span)
        .map(|(time, pitch, _)| Probe {
            time,
            found: query.nearest(time, pitch, TIME_TOLERANCE, PITCH_TOLERANCE),
        })
        .collect()
}

/// Fits the line to the peaks found, with shrinking tolerance.
pub(super) fn fit(query: &QueryPeaks<'_>, reference: &[Peak], line: Line, span: (f64, f64)) -> Line {
    let mut line = line;
    for factor in FIT_TOLERANCES {
        let mut pairs = Vec::new();
        let mut shift = 0.0;
        for (time, pitch, peak) in projected(reference, &line, span) {
            if let Some(index) = query.nearest(time, pitch, factor * TIME_TOLERANCE, factor * PITCH_TOLERANCE)
            {
                let found = &query.peaks[index];
                pairs.push((f64::from(found.time), f64::from(peak.time)));
                shift += f64::from(peak.pitch) - f64::from(found.pitch);
            }
        }
        if pairs.len() < 4 {
            return line;
        }
        line.shift = shift / pairs.len() as f64;
        line = line.through(&pairs, 0.02);
    }
    line
}

/// Counts the peaks found in a span, with a first estimate of what chance finds: the mean over a few wrong places.
pub(super) fn rough_tally(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: &Line,
    span: (f64, f64),
) -> Tally {
    let (mut tested, mut found) = (0usize, 0usize);
    for (seconds, semitones) in FEW_WRONG_PLACES {
        let (some_tested, some_found) = shifted(query, reference, line, span, seconds, semitones);
        tested += some_tested;
        found += some_found;
    }
    counted(query, reference, line, span, smoothed(found, tested))
}

/// Counts the peaks found in a span, with what chance finds: the mean over many wrong offsets, or, where that is
/// more, most of what the best of them find.
pub(super) fn tally(query: &QueryPeaks<'_>, reference: &[Peak], line: &Line, span: (f64, f64)) -> Tally {
    let (mut tested, mut found) = (0usize, 0usize);
    let mut shares = Vec::with_capacity(2 * WRONG_OFFSETS);
    for offset in 0..WRONG_OFFSETS {
        let seconds = WRONG_OFFSET_FIRST_S + offset as f64 * WRONG_OFFSET_STEP_S;
        for seconds in [seconds, -seconds] {
            let (some_tested, some_found) = shifted(query, reference, line, span, seconds, 0.0);
            tested += some_tested;
            found += some_found;
            if some_tested >= 5 {
                shares.push(some_found as f64 / some_tested as f64);
            }
        }
    }
    shares.sort_unstable_by(|a, b| b.total_cmp(a));
    let high = shares.get(HIGH_RANK - 1).copied().unwrap_or(1.0);
    counted(query, reference, line, span, smoothed(found, tested).max(HIGH_WEIGHT * high))
}

/// Counts the other way: the query's salient peaks, looked for among all of the recording's. Where the copy is
/// clean both ways agree; what only shares a rhythm leaves most of the query unexplained.
pub(super) fn backward_tally(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: &Line,
    span: (f64, f64),
) -> Tally {
    let unused: Vec<Peak> =
        query.peaks.iter().zip(&query.used).filter(|(_, used)| !**used).map(|(peak, _)| *peak).collect();
    let span = (line.reference(span.0), line.reference(span.1));
    tally(&QueryPeaks::new(reference), &unused, &line.inverse(), span)
}

/// One more found and two more tested: a chance of nothing is never certain.
fn smoothed(found: usize, tested: usize) -> f64 {
    (found as f64 + 1.0) / (tested as f64 + 2.0)
}

fn counted(query: &QueryPeaks<'_>, reference: &[Peak], line: &Line, span: (f64, f64), chance: f64) -> Tally {
    let probes = probe(query, reference, line, span);
    let found = probes.iter().filter(|probe| probe.found.is_some()).count();
    Tally { tested: probes.len(), found, chance }
}

/// How many of the projected peaks are tested and found when all are moved by a wrong offset and interval.
fn shifted(
    query: &QueryPeaks<'_>,
    reference: &[Peak],
    line: &Line,
    span: (f64, f64),
    seconds: f64,
    semitones: f64,
) -> (usize, usize) {
    let (mut tested, mut found) = (0, 0);
    for (time, pitch, _) in projected(reference, line, span) {
        let (time, pitch) = (time + seconds * TIME_STEPS_PER_S, pitch + semitones * STEPS_PER_SEMITONE);
        if time >= span.0 && time <= span.1 {
            tested += 1;
            found += usize::from(query.nearest(time, pitch, TIME_TOLERANCE, PITCH_TOLERANCE).is_some());
        }
    }
    (tested, found)
}
