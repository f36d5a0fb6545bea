//! The whole way of a query: windows → candidates → verified spans → matches, the best first.

use super::alteration::Alteration;
use super::grid::Grid;
use super::line::Line;
use super::significance::{joint_surprise, log10_false_match};
use super::types::Match;
use super::verify::{QueryPeaks, Tally, backward_tally, explained, grid_of, grid_of_peaks, tally};
use super::windows::{FOUND_MIN, References, Window, all_windows, windows};
use crate::base::ChannelView;
use crate::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S};
use crate::index::{Index, LookupReport, RecordingIndex};

/// What is accepted, and what it may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchOptions {
    /// Only matches whose `log10_false_match` is at most this are given.
    pub log10_false_match_max: f64,
    /// About so many postings of the index may be read for one query at each level of the search, or
    /// [`POSTINGS_PER_S_MIN`] for each of its seconds where that is more; beyond, the most frequent keys are left out,
    /// which tell the least. An excerpt looked for among some thousand recordings does not come near it.
    pub postings_max: u64,
    /// A query up to this many seconds long is searched the most deeply, at some three times the cost, where the catalogue
    /// is not too large for that: there is little of it, and it is all that there is.
    pub deep_s: f64,
    /// How many threads may share the windows of a long query. The answer is the same for any number.
    pub threads: usize,
    /// Seconds of audio that significance is reckoned against; `None`: those of the index. A match that is made again with
    /// one recording alone is as sure as it was against the whole catalogue.
    pub catalogue_s: Option<f64>,
}

/// See [`MatchOptions::postings_max`].
pub const POSTINGS_PER_S_MIN: u64 = 30_000;

impl Default for MatchOptions {
    fn default() -> Self {
        Self {
            log10_false_match_max: -6.0,
            postings_max: 3_000_000,
            deep_s: 15.0,
            threads: 1,
            catalogue_s: None,
        }
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

/// Spans with more than this share of the shorter in common lie in the same stretch.
const SAME_STRETCH: f64 = 0.3;
/// A window is searched again where a match has left this share of its lasting peaks.
const LEFT_SHARE: f64 = 0.35;
/// How often a query is searched at most, which is how many recordings may play at once.
const ROUNDS_MAX: usize = 3;

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
///
/// What a match explains is taken away, and where much is left of a stretch, that is searched once more: below a voice or
/// another piece lies what could not be told from it before.
#[must_use]
pub fn find_matches(
    query: &Fingerprint,
    view: ChannelView,
    index: &Index,
    options: &MatchOptions,
) -> Findings {
    find_unexplained(query, view, &[], index, options).0
}

/// A part of a query: first and last time, in steps.
pub(super) type Stretch = (f64, f64);

/// The same in what lies without the stretches that are `explained` already, in order of their starts; also gives those
/// that were explained now.
pub(super) fn find_unexplained(
    query: &Fingerprint,
    view: ChannelView,
    explained_before: &[Stretch],
    index: &Index,
    options: &MatchOptions,
) -> (Findings, Vec<Stretch>) {
    if index.is_empty() {
        return (Findings::default(), Vec::new());
    }
    let duration = f64::from(query.duration);
    let mut windows = windows(duration);
    windows.retain(|window| !covers(explained_before, (window.start, window.end)));
    let mut told = Vec::new();
    let mut left = query.peaks.clone();
    let mut explained: Vec<Peak> = Vec::new();
    let mut findings = Findings::default();
    for _ in 0..ROUNDS_MAX {
        let mut search = Search::new(&left, &explained, duration, index, options);
        let (found, lookup) = all_windows(&search, &windows, options);
        findings.lookup = findings.lookup.and(lookup);
        told.extend(search.explained_by(&found, &windows));
        let kept = search.explain_away(found);
        windows = search.left_over(&windows, &kept);
        let before = findings.matches.len();
        findings.matches.extend(kept.iter().filter_map(|found| to_match(found, view, index)));
        drop_told_before(&mut findings.matches, before);
        if windows.is_empty() {
            break;
        }
        let used = std::mem::take(&mut search.query.used);
        let (taken, rest): (Vec<_>, Vec<_>) = left.iter().zip(used).partition(|(_, used)| *used);
        explained.extend(taken.into_iter().map(|(peak, _)| *peak));
        left = rest.into_iter().map(|(peak, _)| *peak).collect();
    }
    findings.matches.sort_by(|a, b| {
        a.log10_false_match.total_cmp(&b.log10_false_match).then_with(|| a.recording_id.cmp(&b.recording_id))
    });
    (findings, told)
}

/// Whether `stretches`, in order of their starts, cover all of one.
fn covers(stretches: &[Stretch], (start, end): Stretch) -> bool {
    let reached = stretches
        .iter()
        .fold(start, |reached, &(from, to)| if from <= reached { reached.max(to) } else { reached });
    reached >= end && !stretches.is_empty()
}

/// Of the matches from `first` on, removes those of recordings that an earlier match names in the same stretch.
fn drop_told_before(matches: &mut Vec<Match>, first: usize) {
    let later = matches.split_off(first);
    let span = |one: &Match| (one.query_start_s, one.query_end_s);
    let new = |one: &Match| {
        let same = matches.iter().filter(|other| other.recording_id == one.recording_id);
        !same.into_iter().any(|other| overlap(span(one), span(other)) > SAME_STRETCH)
    };
    let later: Vec<Match> = later.into_iter().filter(new).collect();
    matches.extend(later);
}

/// A query and what it is looked for in.
pub(super) struct Search<'a> {
    pub(super) query: QueryPeaks<'a>,
    /// Where the query's unused peaks are.
    pub(super) grid: Grid,
    /// Where those are that matches of earlier rounds have explained.
    pub(super) explained: Option<Grid>,
    /// Of the query, in steps.
    pub(super) duration: f64,
    pub(super) catalogue_s: f64,
    /// The greatest `log10_false_match` that is accepted.
    pub(super) limit: f64,
    pub(super) index: &'a Index,
}

impl<'a> Search<'a> {
    fn new(
        left: &'a [Peak],
        explained: &[Peak],
        duration: f64,
        index: &'a Index,
        options: &MatchOptions,
    ) -> Self {
        let query = QueryPeaks::new(left);
        Self {
            grid: grid_of(&query, duration),
            explained: (!explained.is_empty()).then(|| grid_of_peaks(explained.iter(), duration)),
            query,
            duration,
            catalogue_s: options.catalogue_s.unwrap_or_else(|| index.duration_s()),
            limit: options.log10_false_match_max,
            index,
        }
    }

    /// The windows that one of the matches explains.
    fn explained_by(&self, found: &[Found], windows: &[Window]) -> Vec<Stretch> {
        let explains = |window: &&Window| found.iter().any(|one| one.explains(**window, self.limit));
        windows.iter().filter(explains).map(|window| (window.start, window.end)).collect()
    }

    /// The windows of which a match has explained a part and left much.
    fn left_over(&self, windows: &[Window], kept: &[Found]) -> Vec<Window> {
        let worth = |window: &&Window| {
            let (start, end) = (window.start, window.end);
            if !kept.iter().any(|one| overlap(one.span, (start, end)) > SAME_STRETCH) {
                return false;
            }
            let peaks = self.query.peaks.iter().zip(&self.query.used);
            // Of a recording only lasting peaks are kept: no match explains the others.
            let telling = |peak: &Peak| peak.is_lasting() && (start..end).contains(&f64::from(peak.time));
            let within = peaks.filter(|(peak, _)| telling(peak));
            let (all, left) =
                within.fold((0, 0), |(all, left), (_, used)| (all + 1, left + usize::from(!used)));
            left as f64 >= LEFT_SHARE * f64::from(all)
        };
        windows.iter().filter(worth).copied().collect()
    }

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
            let overlaps = |other: &&Found| overlap(one.span, other.span) > SAME_STRETCH;
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
            for peak in explained(&self.query, &reference.peaks, &one.line, one.span) {
                self.query.used[peak] = true;
            }
            self.grid = grid_of(&self.query, self.duration);
            kept.push(one);
        }
        kept
    }

    /// Whether a match is accepted on the peaks alone that no surer match has explained.
    fn stands_alone(&self, one: &Found, reference: &Fingerprint) -> bool {
        let left = tally(&self.grid, self.explained.as_ref(), &reference.peaks, &one.line, one.span);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::RecordingId;

    #[test]
    fn a_later_round_tells_only_what_is_new() {
        let one = |id: &str, from: f64, to: f64| Match {
            recording_id: RecordingId::new(id).unwrap(),
            query_start_s: from,
            query_end_s: to,
            reference_start_s: 0.0,
            reference_end_s: to - from,
            speed: 1.0,
            tempo: 1.0,
            pitch_semitones: 0.0,
            channel: ChannelView::Mid,
            matched_peaks: 40,
            log10_false_match: -9.0,
        };
        let mut matches = vec![one("a", 0.0, 10.0), one("b", 20.0, 30.0)];
        let later = [one("a", 2.0, 9.0), one("a", 20.0, 28.0), one("c", 0.0, 10.0), one("b", 0.0, 10.0)];
        matches.extend(later.clone());
        drop_told_before(&mut matches, 2);
        assert_eq!(matches[2..], later[1..]);
    }
}
