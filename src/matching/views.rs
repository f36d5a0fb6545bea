//! The views of one piece of audio → its matches: what the middle channel explains is not looked for in the others.

use super::matcher::{Findings, MatchOptions, Stretch, find_unexplained};
use super::types::Match;
use crate::base::ChannelView;
use crate::fingerprint::Fingerprint;
use crate::index::Index;

/// Matches of one recording that have more than this share of the shorter in common are at the same place.
const SAME_PLACE: f64 = 0.3;

/// Finds all recordings of `index` in the views of one piece of audio, all of one length, mid first; in order of place, each
/// recording once in each place, in the view in which it is surest.
///
/// Where the match of an earlier view leaves hardly a peak unexplained, on either side, the later views are not looked at:
/// they are parts of the same sound. Most stereo music has stretches whose sides are unlike each other; with a copy on one
/// side and other music on the other, the middle holds both, and no match explains it.
#[must_use]
pub fn find_in_views<'f>(
    views: impl IntoIterator<Item = (ChannelView, &'f Fingerprint)>,
    index: &Index,
    options: &MatchOptions,
) -> Findings {
    let mut findings = Findings::default();
    let mut explained: Vec<Stretch> = Vec::new();
    for (view, fingerprint) in views {
        let (found, more) = find_unexplained(fingerprint, view, &explained, index, options);
        findings.matches.extend(found.matches);
        findings.lookup = findings.lookup.and(found.lookup);
        explained.extend(more);
        explained.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    findings.matches = one_per_place(findings.matches);
    findings
}

/// Of matches of one recording at one place in several views, keeps the surest; in order of place, then of
/// significance.
#[must_use]
pub fn one_per_place(mut all: Vec<Match>) -> Vec<Match> {
    all.sort_by(|a, b| a.log10_false_match.total_cmp(&b.log10_false_match));
    let mut kept: Vec<Match> = Vec::new();
    for one in all {
        let same =
            |other: &Match| other.recording_id == one.recording_id && overlap(other, &one) > SAME_PLACE;
        if !kept.iter().any(same) {
            kept.push(one);
        }
    }
    kept.sort_by(by_place);
    kept
}

/// In order of place, then of significance.
pub(super) fn by_place(a: &Match, b: &Match) -> std::cmp::Ordering {
    a.query_start_s.total_cmp(&b.query_start_s).then(a.log10_false_match.total_cmp(&b.log10_false_match))
}

/// Share of the shorter of two query spans that both have in common.
#[must_use]
pub fn overlap(a: &Match, b: &Match) -> f64 {
    let common = a.query_end_s.min(b.query_end_s) - a.query_start_s.max(b.query_start_s);
    let shorter = (a.query_end_s - a.query_start_s).min(b.query_end_s - b.query_start_s);
    (common / shorter.max(0.001)).max(0.0)
}
