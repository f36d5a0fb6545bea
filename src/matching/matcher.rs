//! The whole way of a query: windows → candidates → verified spans → matches, the best first.

use super::alteration::Alteration;
use super::grid::Grid;
use super::line::Line;
use super::significance::{joint_surprise, log10_false_match};
use super::types::Match;
use super::verify::{QueryPeaks, Tally, backward_tally, grid_of, probe, tally};
use super::windows::{FOUND_MIN, References, all_windows};
use crate::base::ChannelView;
use crate::fingerprint::{Fingerprint, TIME_STEPS_PER_S};
use crate::index::{Index, LookupReport, RecordingIndex};

/// What is accepted, and what it may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchOptions {
    /// Only matches whose `log10_false_match` is at most this are given.
    pub log10_false_match_max: f64,
    /// About so many postings of the index may be visited for one query, or [`POSTINGS_PER_S_MIN`] for each of its
    /// seconds where that is more; beyond, the most frequent keys are left out, which tell the least. An excerpt
    /// looked for among some thousand recordings does not come near it.
    pub postings_max: u64,
    /// A query up to this many seconds long is searched the most deeply, at some three times the cost, where the catalogue
    /// is not too large for that: there is little of it, and it is all that there is.
    pub deep_s: f64,
    /// How many threads may share the windows of a long query. The answer is the same for any number.
    pub threads: usize,
}

/// See [`MatchOptions::postings_max`].
pub const POSTINGS_PER_S_MIN: u64 = 30_000;

impl Default for MatchOptions {
    fn default() -> Self {
        Self { log10_false_match_max: -6.0, postings_max: 3_000_000, deep_s: 15.0, threads: 1 }
    }
}

/// What a query holds, and whether all of the index was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The surest first.
    pub matches: Vec<Match>,
    /// What was looked up, and what was left out for its cost.
    pub lookup: LookupReport,
}

/// A recording that explains the same peaks nearly as well is reported beside the best (the same master twice).
const RIVAL_SHARE: f64 = 0.8;

/// A stretch of the query on one line.
pub(super) struct Found {
    pub(super) recording: RecordingIndex,
    pub(super) line: Line,
    pub(super) span: (f64, f64),
    /// The recording's peaks, looked for in the query …
    pub(super) tally: Tally,
    /// … and the query's in the recording.
    pub(super) backward: Tally,
    pub(super) alteration: Alteration,
    pub(super) log10_false_match: f64,
}

/// Finds all recordings of `index` in `query`, of which `view` tells the channels; the surest match first.
#[must_use]
pub fn find_matches(
    query: &Fingerprint,
    view: ChannelView,
    index: &Index,
    options: &MatchOptions,
) -> Findings {
    if index.is_empty() {
        return Findings::default();
    }
    let peaks = QueryPeaks::new(&query.peaks);
    let mut search = Search {
        grid: grid_of(&peaks, f64::from(query.duration)),
        query: peaks,
        duration: f64::from(query.duration),
        catalogue_s: index.duration_s(),
        limit: options.log10_false_match_max,
        index,
    };
    let (found, lookup) = all_windows(&search, options);
    let kept = search.explain_away(found);
    Findings { matches: kept.iter().filter_map(|found| to_match(found, view, index)).collect(), lookup }
}

/// A query and what it is looked for in.
pub(super) struct Search<'a> {
    pub(super) query: QueryPeaks<'a>,
    /// Where the query's unused peaks are.
    pub(super) grid: Grid,
    /// Of the query, in steps.
    pub(super) duration: f64,
    pub(super) catalogue_s: f64,
    /// The greatest `log10_false_match` that is accepted.
    pub(super) limit: f64,
    pub(super) index: &'a Index,
}

impl Search<'_> {
    /// What a span is worth, from both its tallies.
    pub(super) fn log10_false_match(
        &self,
        forward: &Tally,
        backward: &Tally,
        alteration: &Alteration,
    ) -> f64 {
        let joint = joint_surprise(forward, backward);
        log10_false_match(joint, alteration, self.duration, self.catalogue_s)
    }

    /// Keeps the surest matches: what a surer one has explained does not count for another, unless that explains the
    /// same nearly as well.
    fn explain_away(&mut self, mut found: Vec<Found>) -> Vec<Found> {
        let limit = self.limit;
        let mut references = References::new(self.index);
        found.retain(|one| one.log10_false_match <= limit);
        found.sort_by(|a, b| {
            a.log10_false_match.total_cmp(&b.log10_false_match).then(a.recording.cmp(&b.recording))
        });
        let mut kept: Vec<Found> = Vec::new();
        for one in found {
            let overlaps = |other: &&Found| overlap(one.span, other.span) > 0.3;
            if kept.iter().filter(overlaps).any(|other| other.recording == one.recording) {
                continue;
            }
            let rival = |other: &Found| {
                one.log10_false_match - limit <= RIVAL_SHARE * (other.log10_false_match - limit)
            };
            if !kept.iter().filter(overlaps).any(rival)
                && !self.stands_alone(&one, &references.get(one.recording))
            {
                continue;
            }
            let reference = references.get(one.recording);
            for probe in probe(&self.query, &reference.peaks, &one.line, one.span) {
                if let Some(peak) = probe.found {
                    self.query.used[peak] = true;
                }
            }
            self.grid = grid_of(&self.query, self.duration);
            kept.push(one);
        }
        kept
    }

    /// Whether a match is accepted on the peaks alone that no surer match has explained.
    fn stands_alone(&self, one: &Found, reference: &Fingerprint) -> bool {
        let left = tally(&self.grid, &reference.peaks, &one.line, one.span);
        let backward = backward_tally(&self.query, &reference.peaks, &one.line, one.span);
        left.found >= FOUND_MIN && self.log10_false_match(&left, &backward, &one.alteration) <= self.limit
    }
}

/// Share of the shorter span that both have in common.
fn overlap(a: (f64, f64), b: (f64, f64)) -> f64 {
    let common = a.1.min(b.1) - a.0.max(b.0);
    common / (a.1 - a.0).min(b.1 - b.0).max(1.0)
}

fn to_match(found: &Found, view: ChannelView, index: &Index) -> Option<Match> {
    let seconds = |steps: f64| steps / TIME_STEPS_PER_S;
    Some(Match {
        recording_id: index.id(found.recording)?,
        query_start_s: seconds(found.span.0).max(0.0),
        query_end_s: seconds(found.span.1),
        reference_start_s: seconds(found.line.reference(found.span.0)).max(0.0),
        reference_end_s: seconds(found.line.reference(found.span.1)),
        speed: found.alteration.speed,
        tempo: found.alteration.tempo,
        pitch_semitones: found.alteration.pitch_semitones,
        channel: view,
        matched_peaks: found.tally.found as u32,
        log10_false_match: found.log10_false_match,
    })
}
