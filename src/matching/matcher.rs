//! The whole way of a query: windows → candidates → verified spans → matches, the best first.

use std::collections::HashMap;
use std::rc::Rc;

use super::alteration::{Alteration, explain};
use super::grid::Grid;
use super::line::Line;
use super::lookup::{Hit, look_up};
use super::significance::{joint_surprise, log10_false_match, surprise};
use super::types::Match;
use super::verify::{Probe, QueryPeaks, Tally, backward_tally, fit, grid_of, probe, refine, tally};
use super::vote::candidates;
use crate::base::ChannelView;
use crate::fingerprint::{Density, Fingerprint, PITCH_STEPS_PER_OCTAVE, TIME_STEPS_PER_S};
use crate::index::{Index, RecordingIndex};

/// What is accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchOptions {
    /// Only matches whose `log10_false_match` is at most this are given.
    pub log10_false_match_max: f64,
}

impl Default for MatchOptions {
    fn default() -> Self {
        Self { log10_false_match_max: -6.0 }
    }
}

/// Length of a voting window and the distance from one to the next, in steps of time (10 s, 5 s).
const WINDOW: f64 = 10.0 * TIME_STEPS_PER_S;
const WINDOW_HOP: f64 = 5.0 * TIME_STEPS_PER_S;
/// How far a span is extended at a time.
const EXTENSION: f64 = 5.0 * TIME_STEPS_PER_S;
/// Candidates below this surprise are not followed.
const SURPRISE_MIN: f64 = 1.5;
/// A match needs this many peaks tested …
const TESTED_MIN: usize = 16;
/// … and found: fewer could be one bar of anything.
const FOUND_MIN: usize = 10;
/// A recording that explains the same peaks nearly as well is reported beside the best (the same master twice).
const RIVAL_SHARE: f64 = 0.8;

/// A match explains a window when at both ends this share of the window is all that it leaves out …
const EDGE_SHARE: f64 = 0.05;
/// … and this share of the peaks of either side is found on the other.
const EXPLAINED_SHARE: f64 = 0.75;

/// Recordings whose peaks are kept at a time: some 50 MB, more than a window has candidates.
const REFERENCES_MAX: usize = 512;

/// A stretch of the query on one line.
struct Found {
    recording: RecordingIndex,
    line: Line,
    span: (f64, f64),
    /// The recording's peaks, looked for in the query …
    tally: Tally,
    /// … and the query's in the recording.
    backward: Tally,
    alteration: Alteration,
    log10_false_match: f64,
}

impl Found {
    /// Whether it is sure, covers a window, and leaves hardly a peak of either side unexplained there.
    fn explains(&self, window: (f64, f64), limit: f64) -> bool {
        let edge = EDGE_SHARE * (window.1 - window.0);
        let covers = self.span.0 <= window.0 + edge && self.span.1 >= window.1 - edge;
        covers
            && self.log10_false_match <= limit
            && [&self.tally, &self.backward].iter().all(|tally| tally.share() >= EXPLAINED_SHARE)
    }
}

/// The hits of a window that moves through the query.
struct HitWindow {
    density: Density,
    hits: Vec<Hit>,
    /// Roots before this time (steps) were looked up.
    looked_up: u32,
}

impl HitWindow {
    fn new(density: Density) -> Self {
        Self { density, hits: Vec::new(), looked_up: 0 }
    }

    /// Forgets what lies before `start` (steps) and looks up what is missing before `until`.
    fn move_to(&mut self, start: f64, until: u32, query: &QueryPeaks<'_>, index: &Index) {
        self.hits.drain(..self.hits.partition_point(|hit| f64::from(hit.query_time) < start));
        let roots = self.looked_up.max(start as u32)..until;
        look_up(query.peaks, roots, self.density, index, &mut self.hits);
        self.looked_up = until;
    }
}

/// Finds all recordings of `index` in `query`, of which `view` tells the channels; the surest match first.
#[must_use]
pub fn find_matches(
    query: &Fingerprint,
    view: ChannelView,
    index: &Index,
    options: &MatchOptions,
) -> Vec<Match> {
    if index.is_empty() {
        return Vec::new();
    }
    let peaks = QueryPeaks::new(&query.peaks);
    let mut search = Search {
        grid: grid_of(&peaks, f64::from(query.duration)),
        query: peaks,
        duration: f64::from(query.duration),
        catalogue_s: index.duration_s(),
        limit: options.log10_false_match_max,
        index,
        references: HashMap::new(),
    };
    let found = search.all_windows();
    let kept = search.explain_away(found);
    kept.iter().filter_map(|found| to_match(found, view, index)).collect()
}

struct Search<'a> {
    query: QueryPeaks<'a>,
    /// Where the query's unused peaks are.
    grid: Grid,
    duration: f64,
    catalogue_s: f64,
    /// The greatest `log10_false_match` that is accepted.
    limit: f64,
    index: &'a Index,
    references: HashMap<RecordingIndex, Rc<Fingerprint>>,
}

impl Search<'_> {
    /// Verified spans of all windows. A window is looked up by its few sparse quads first; the many dense ones follow
    /// where those did not explain all of it. Hits are looked up hop by hop and forgotten when their window has passed,
    /// so that a long query needs no more memory than a short one.
    fn all_windows(&mut self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let (mut sparse, mut dense) = (HitWindow::new(Density::Sparse), HitWindow::new(Density::Dense));
        let mut start = 0.0;
        loop {
            let last = start + WINDOW + WINDOW_HOP / 2.0 >= self.duration;
            let end = if last { self.duration } else { start + WINDOW };
            let until = if last { u32::MAX } else { end as u32 };
            for hits in [&mut sparse, &mut dense] {
                hits.move_to(start, until, &self.query, self.index);
                self.window(&hits.hits, (start, end), &mut found);
                if found.iter().any(|one| one.explains((start, end), self.limit)) {
                    break;
                }
            }
            if last {
                return found;
            }
            start += WINDOW_HOP;
        }
    }

    /// The peaks of a recording, kept for the candidates to come.
    fn reference(&mut self, recording: RecordingIndex) -> Rc<Fingerprint> {
        if self.references.len() >= REFERENCES_MAX {
            self.references.clear();
        }
        let index = self.index;
        let read = || Rc::new(index.fingerprint(recording).unwrap_or_default());
        self.references.entry(recording).or_insert_with(read).clone()
    }

    fn window(&mut self, hits: &[Hit], window: (f64, f64), found: &mut Vec<Found>) {
        let middle = f64::midpoint(window.0, window.1);
        for candidate in candidates(hits, middle as f32) {
            let covered = |known: &Found| {
                known.recording == candidate.recording
                    && (known.span.0..=known.span.1).contains(&middle)
                    && known.line.is_near(&candidate.line, middle)
            };
            if !found.iter().any(covered) {
                found.extend(self.verify(candidate.recording, candidate.line, window));
            }
        }
    }

    /// Fits a candidate, and follows it as far as it goes.
    fn verify(&mut self, recording: RecordingIndex, line: Line, window: (f64, f64)) -> Option<Found> {
        let reference = self.reference(recording);
        let line = refine(&self.grid, &reference.peaks, &line, window);
        let first = tally(&self.grid, &reference.peaks, &line, window);
        if surprise(&first) < SURPRISE_MIN {
            return None;
        }
        let line = fit(&self.query, &reference.peaks, line, window);
        let (line, span) = extend(&self.query, &reference.peaks, line, window, &first, self.duration)?;
        let tally = tally(&self.grid, &reference.peaks, &line, span);
        let enough = tally.tested >= TESTED_MIN && tally.found >= FOUND_MIN;
        enough.then(|| {
            let alteration = alteration_of(&line);
            let backward = backward_tally(&self.query, &reference.peaks, &line, span);
            let joint = joint_surprise(&tally, &backward);
            let log10_false_match = log10_false_match(joint, &alteration, self.duration, self.catalogue_s);
            Found { recording, line, span, tally, backward, alteration, log10_false_match }
        })
    }

    /// Keeps the surest matches: what a surer one has explained does not count for another, unless that explains the
    /// same nearly as well.
    fn explain_away(&mut self, mut found: Vec<Found>) -> Vec<Found> {
        let limit = self.limit;
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
            if !kept.iter().filter(overlaps).any(rival) && !self.stands_alone(&one) {
                continue;
            }
            let reference = self.reference(one.recording);
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
    fn stands_alone(&mut self, one: &Found) -> bool {
        let reference = self.reference(one.recording);
        let left = tally(&self.grid, &reference.peaks, &one.line, one.span);
        let backward = backward_tally(&self.query, &reference.peaks, &one.line, one.span);
        let joint = joint_surprise(&left, &backward);
        left.found >= FOUND_MIN
            && log10_false_match(joint, &one.alteration, self.duration, self.catalogue_s) <= self.limit
    }
}

/// Share of the shorter span that both have in common.
fn overlap(a: (f64, f64), b: (f64, f64)) -> f64 {
    let common = a.1.min(b.1) - a.0.max(b.0);
    common / (a.1 - a.0).min(b.1 - b.0).max(1.0)
}

/// Follows a line to both sides until the recording is no longer there; gives the line fitted to all of it.
fn extend(
    query: &QueryPeaks<'_>,
    reference: &[crate::fingerprint::Peak],
    line: Line,
    window: (f64, f64),
    tally: &Tally,
    duration: f64,
) -> Option<(Line, (f64, f64))> {
    let share = tally.share();
    let mut line = line;
    let mut span = best_stretch(&probe(query, reference, &line, window), share, tally.chance)?;
    // Each round but the last grows the span, so the query's length bounds their number.
    let rounds = (2.0 * duration / EXTENSION) as usize + 4;
    for _ in 0..rounds {
        let wider = ((span.0 - EXTENSION).max(0.0), (span.1 + EXTENSION).min(duration));
        let refined = fit(query, reference, line, span);
        let next = best_stretch(&probe(query, reference, &refined, wider), share, tally.chance)?;
        let grown = next.0 < span.0 - 1.0 || next.1 > span.1 + 1.0;
        (line, span) = (refined, next);
        if !grown {
            break;
        }
    }
    Some((line, span))
}

/// The stretch of probes with the greatest log-likelihood ratio of "the recording is here" over "it is not".
fn best_stretch(probes: &[Probe], share: f64, chance: f64) -> Option<(f64, f64)> {
    let chance = chance.clamp(0.02, 0.9);
    // Parts of a span are worse than its mean; half of the mean still speaks for it.
    let present = (0.6 * share).max(1.5 * chance).min(0.95);
    let (gain, loss) = ((present / chance).ln(), ((1.0 - present) / (1.0 - chance)).ln());
    let (mut sum, mut start) = (0.0f64, 0usize);
    let mut best: Option<(f64, usize, usize)> = None;
    for (index, probe) in probes.iter().enumerate() {
        if sum <= 0.0 {
            (sum, start) = (0.0, index);
        }
        sum += if probe.found.is_some() { gain } else { loss };
        if best.is_none_or(|(most, ..)| sum > most) {
            best = Some((sum, start, index));
        }
    }
    best.map(|(_, first, last)| (probes[first].time, probes[last].time))
}

fn alteration_of(line: &Line) -> Alteration {
    explain(line.rate, (-line.shift / f64::from(PITCH_STEPS_PER_OCTAVE)).exp2())
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
