//! An analysis → the recordings in it, over all channel views and audio tracks.

use super::worker::Analysis;
use crate::index::Index;
use crate::matching::{Match, MatchOptions, find_matches};

/// What was found in one piece of audio.
#[derive(Debug, Clone, PartialEq)]
pub struct Identified {
    /// The matches, in order of their place in the query; each recording once in each place.
    pub matches: Vec<Match>,
}

/// Finds the recordings of `index` in an analysed file.
#[must_use]
pub fn identify(analysis: &Analysis, index: &Index, options: &MatchOptions) -> Identified {
    let mut all: Vec<Match> = Vec::new();
    for (view, fingerprint) in &analysis.fingerprints {
        all.extend(find_matches(fingerprint, *view, index, options));
    }
    all.sort_by(|a, b| a.log10_false_match.total_cmp(&b.log10_false_match));
    let mut matches: Vec<Match> = Vec::new();
    for one in all {
        // Another view of the same sound: the surest view speaks for all.
        if !matches.iter().any(|other| other.recording_id == one.recording_id && overlap(other, &one) > 0.3) {
            matches.push(one);
        }
    }
    matches.sort_by(|a, b| {
        a.query_start_s.total_cmp(&b.query_start_s).then(a.log10_false_match.total_cmp(&b.log10_false_match))
    });
    Identified { matches }
}

/// Audio shorter than this holds too few peaks to tell any recording from another.
const TELLING_S: f64 = 3.0;

/// Says so where a file gave too little audio to be told from others.
#[must_use]
pub fn too_short(duration_s: f64) -> Option<String> {
    (duration_s < TELLING_S).then(|| {
        format!("only {duration_s:.1} s of audio could be read; no recording can be told from less than {TELLING_S:.0} s")
    })
}

/// Share of the shorter of two query spans that both have in common.
pub(super) fn overlap(a: &Match, b: &Match) -> f64 {
    let common = a.query_end_s.min(b.query_end_s) - a.query_start_s.max(b.query_start_s);
    let shorter = (a.query_end_s - a.query_start_s).min(b.query_end_s - b.query_start_s);
    (common / shorter.max(0.001)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_that_is_too_short_is_told() {
        assert!(too_short(1.0).is_some_and(|warning| warning.contains("only 1.0 s")));
        assert_eq!(too_short(TELLING_S), None);
    }
}
