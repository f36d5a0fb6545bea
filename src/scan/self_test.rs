//! The program's own test: a signal that is made here, and must always give the same figures. Run before and after a bundle
//! is made, it shows that the machine and the program worked as they should (Civil Evidence Rules, Art. 93 (2), (3)).

use std::path::Path;

use serde::Serialize;

use super::replay::index_of;
use crate::base::{ANALYSIS_RATE_HZ, ChannelView, Digest, RecordingId};
use crate::evidence::Exact;
use crate::fingerprint::{analyze, encode};
use crate::matching::{Match, MatchOptions, find_matches};

/// Seconds of the signal, and where in it the query is taken from.
const LENGTH_S: u32 = 24;
const QUERY_S: (u32, u32) = (6, 18);

/// What the fingerprint of the signal is, on any machine.
const FINGERPRINT_SHA256: &str = "262146bba33c178b7febc07c33b501845c48db5f488d60cf7d4b84f8a157eee8";
/// Peaks of the query that are found, and how sure that is.
const MATCHED_PEAKS: u32 = 145;
const LOG10_FALSE_MATCH: f64 = -84.038_845_834_628_46;

/// Logarithms may differ by a last bit from one machine's library to another's.
const TOLERANCE: f64 = 1e-6;

/// What came of the test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SelfTest {
    /// Whether all figures are what they must be.
    pub passed: bool,
    /// SHA-256 of the signal's fingerprint.
    pub fingerprint_sha256: Digest,
    /// Where the query was found in the signal, in seconds; none where it was not.
    pub found_at_s: Option<Exact>,
    /// Peaks of the query that were found.
    pub matched_peaks: u32,
    /// See [`Match::log10_false_match`].
    pub log10_false_match: Exact,
    /// Why it could not be carried out, where it could not.
    pub error: Option<String>,
}

/// Runs the test. It takes less than a second.
#[must_use]
pub fn self_test() -> SelfTest {
    let signal = signal();
    let fingerprint = analyze(&signal).for_reference();
    let fingerprint_sha256 = Digest::of(&encode(&fingerprint));
    let searched = tempfile::tempdir()
        .map_err(|error| error.to_string())
        .and_then(|folder| search(folder.path(), &signal, fingerprint));
    let (found, error) = match searched {
        Ok(found) => (found, None),
        Err(error) => (None, Some(error)),
    };
    let found_at_s = found.as_ref().map(|found| found.reference_start_s - found.query_start_s);
    let matched_peaks = found.as_ref().map_or(0, |found| found.matched_peaks);
    let log10_false_match = found.as_ref().map_or(0.0, |found| found.log10_false_match);
    let in_place = found_at_s.is_some_and(|at| (at - f64::from(QUERY_S.0)).abs() < 0.05);
    let passed = fingerprint_sha256.to_string() == FINGERPRINT_SHA256
        && in_place
        && matched_peaks == MATCHED_PEAKS
        && (log10_false_match - LOG10_FALSE_MATCH).abs() < TOLERANCE;
    let found_at_s = found_at_s.map(Exact);
    SelfTest {
        passed,
        fingerprint_sha256,
        found_at_s,
        matched_peaks,
        log10_false_match: Exact(log10_false_match),
        error,
    }
}

/// Looks the query up among the signal alone.
fn search(
    folder: &Path,
    signal: &[f32],
    fingerprint: crate::fingerprint::Fingerprint,
) -> Result<Option<Match>, String> {
    let id = RecordingId::new("self-test").map_err(|error| error.to_string())?;
    let index = index_of(folder, id, fingerprint)?;
    let at = |second: u32| (second * ANALYSIS_RATE_HZ) as usize;
    let query = analyze(signal.get(at(QUERY_S.0)..at(QUERY_S.1)).unwrap_or_default());
    let findings = find_matches(&query, ChannelView::Mid, &index, &MatchOptions::default());
    Ok(findings.matches.into_iter().next())
}

/// Three voices of saw-tooth notes that die away. Whole numbers, products and sums alone: the same bits on any machine.
fn signal() -> Vec<f32> {
    let mut samples = vec![0f32; (LENGTH_S * ANALYSIS_RATE_HZ) as usize];
    for voice in 0..3u32 {
        let mut random = 0x9E37_79B9u32.wrapping_mul(voice + 1);
        let (mut phase, mut step, mut loudness, mut left) = (0u32, 0u32, 0f32, 0u32);
        for sample in &mut samples {
            if left == 0 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // 130 Hz to 520 Hz, and each voice half as high again as the one before.
                step = (50_000_000 + (random >> 8) % 150_000_000) / 2 * (2 + voice);
                left = ANALYSIS_RATE_HZ / 8 + (random >> 4) % (ANALYSIS_RATE_HZ / 2);
                loudness = 0.3;
            }
            // The upper 16 bits of the phase as a number from −1 to 1: exact in 32-bit floats.
            *sample += loudness * ((phase >> 16) as f32 / 32_768.0 - 1.0);
            phase = phase.wrapping_add(step);
            loudness *= 0.9997;
            left -= 1;
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_and_gives_the_same_each_time() {
        let first = self_test();
        assert!(first.passed, "{first:?}");
        assert_eq!(first, self_test());
    }
}
