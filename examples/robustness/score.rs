//! Whether an answer is right.

use earwitness::fingerprint::{Fingerprint, PITCH_STEPS_PER_BIN, Peak, TIME_STEPS_PER_S};
use earwitness::matching::Match;

use crate::corpus::Track;

/// A place is right within this many seconds.
const PLACE_S: f64 = 1.0;
/// Share of its peaks that a stretch must have in common with another to be the same sound, a repeat.
const REPEAT_SHARE: f64 = 0.6;
/// Peaks are in common within these many seconds, and one bin.
const REPEAT_S: f64 = 0.05;

/// What an excerpt is.
pub(crate) struct Truth<'a> {
    pub(crate) track: &'a Track,
    /// Where in the track the excerpt's start is, in seconds.
    pub(crate) start_s: f64,
    /// Factors of time and frequency.
    pub(crate) factors: (f64, f64),
}

/// How far the answer is right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Answer {
    /// The right recording was named …
    pub(crate) track: bool,
    /// … at the right place, or at one that sounds the same.
    pub(crate) place: bool,
    /// How far off the place is, in seconds; unknown at a repeat.
    pub(crate) place_error_s: Option<f64>,
    /// How far off time factor (in percent) and pitch (in semitones) are.
    pub(crate) time_error_percent: Option<f64>,
    pub(crate) pitch_error_semitones: Option<f64>,
}

/// Judges the matches of an excerpt.
pub(crate) fn judge(matches: &[Match], truth: &Truth<'_>) -> Answer {
    let of_track = || matches.iter().filter(|one| one.recording_id == truth.track.id);
    let best = of_track().min_by(|a, b| error_s(a, truth).total_cmp(&error_s(b, truth)));
    let Some(best) = best else { return Answer::default() };
    let error = error_s(best, truth);
    let exact = error <= PLACE_S;
    let place = exact || of_track().any(|one| is_repeat(one, truth));
    let (time, frequency) = factors(best);
    Answer {
        track: true,
        place,
        place_error_s: exact.then_some(error),
        time_error_percent: place.then(|| 100.0 * (time / truth.factors.0 - 1.0).abs()),
        pitch_error_semitones: place.then(|| 12.0 * (frequency / truth.factors.1).log2().abs()),
    }
}

/// Factors of time and frequency that a match reports.
fn factors(one: &Match) -> (f64, f64) {
    (one.speed * one.tempo, one.speed * (one.pitch_semitones / 12.0).exp2())
}

/// How far the middle of a match is from where it should be in the recording.
fn error_s(one: &Match, truth: &Truth<'_>) -> f64 {
    let middle = f64::midpoint(one.query_start_s, one.query_end_s);
    let found = f64::midpoint(one.reference_start_s, one.reference_end_s);
    (found - (truth.start_s + truth.factors.0 * middle)).abs()
}

/// Whether the recording sounds the same where the match says and where it should say.
fn is_repeat(one: &Match, truth: &Truth<'_>) -> bool {
    let length_s = one.reference_end_s - one.reference_start_s;
    let true_s = truth.start_s + truth.factors.0 * one.query_start_s;
    sounds_alike(&truth.track.fingerprint, true_s, one.reference_start_s, length_s)
}

/// Whether most peaks of one stretch of a recording are in another, at one distance of time.
pub(crate) fn sounds_alike(fingerprint: &Fingerprint, one_s: f64, other_s: f64, length_s: f64) -> bool {
    let peaks = &fingerprint.peaks;
    let steps = |seconds: f64| (seconds * TIME_STEPS_PER_S) as i64;
    let (shift, reach) = (steps(other_s - one_s), steps(REPEAT_S));
    let (start, end) = (steps(one_s), steps(one_s + length_s));
    let inside = peaks.iter().filter(|peak| (start..end).contains(&i64::from(peak.time)));
    let (mut all, mut common) = (0, 0);
    for peak in inside {
        let at = i64::from(peak.time) + shift;
        let first = peaks.partition_point(|other| i64::from(other.time) < at - reach);
        let near = peaks[first..].iter().take_while(|other| i64::from(other.time) <= at + reach);
        all += 1;
        common += i32::from(near.into_iter().any(|other| is_same_pitch(peak, other)));
    }
    all > 0 && f64::from(common) >= REPEAT_SHARE * f64::from(all)
}

fn is_same_pitch(one: &Peak, other: &Peak) -> bool {
    one.pitch.abs_diff(other.pitch) <= PITCH_STEPS_PER_BIN
}
