//! Windows of the query → verified spans: each window is looked up, its candidates are verified, and those that hold are
//! followed as far as they go.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::follow::{alteration_of, extend};
use super::line::Line;
use super::lookup::{Depth, Hit, look_up};
use super::matcher::{Found, MatchOptions, POSTINGS_PER_S_MIN, Search};
use super::verify::{CANDIDATE_TOLERANCES, backward_tally, fit, refine, tally};
use super::vote::Voter;
use crate::fingerprint::{Density, Fingerprint, TIME_STEPS_PER_S, Tolerance};
use crate::index::{CostLimit, Family, Index, LookupReport, Reach, RecordingIndex};

/// Length of a voting window and the distance from one to the next, in steps of time (10 s, 5 s).
const WINDOW: f64 = 10.0 * TIME_STEPS_PER_S;
const WINDOW_HOP: f64 = 5.0 * TIME_STEPS_PER_S;
/// Candidates below this surprise are not followed.
const SURPRISE_MIN: f64 = 1.0;
/// A match needs this many peaks tested …
const TESTED_MIN: usize = 16;
/// … and found: fewer could be one bar of anything.
pub(super) const FOUND_MIN: usize = 10;

/// Hits of the deep quads of a step of query for each posting of the index, as measured on real music …
const DEEP_HITS: f64 = 0.4 / (10.0 * TIME_STEPS_PER_S);
/// … and how many of them are worth their time, which is some seconds for ten million: those of ten seconds of query among
/// two thousand recordings of four minutes.
const DEEP_HITS_MAX: f64 = 2.5e6;

/// Postings that the dense quads of a second of a long query would read, for each posting of the index.
const READ_PER_S: f64 = 0.002;
/// Where they would read more than so many times what they may, some roots are left out.
const WORTH_WEIGHING: f64 = 32.0;
/// In a query longer than this (45 s) one root of so many is looked up: what lasts is found in one of its windows, and then
/// followed as far as it goes.
const LONG: f64 = 45.0 * TIME_STEPS_PER_S;
const LONG_ONE_OF: f64 = 4.0;
/// In a window that a match of the window before explains, one root of so many is enough to see whether another recording
/// has the same audio.
const EXPLAINED_ONE_OF: u32 = 8;

/// Within half the tolerance there is about one hit of so many, as is reckoned from the number of cells.
const HALF_OF_HITS: f64 = 3.0;

/// A match explains a window when it leaves less than so much of it on each side (2.5 s), too little to tell another
/// recording from …
const UNCOVERED_MAX: f64 = 2.5 * TIME_STEPS_PER_S;
/// … but covers at least this share of it …
const COVERED_SHARE: f64 = 0.5;
/// … and this share of the peaks of either side is found on the other.
const EXPLAINED_SHARE: f64 = 0.75;
/// In a window that is explained, candidates with less than this part of the most votes are left alone: the same audio
/// under another id has about as many.
const RIVAL_VOTES: usize = 4;

/// Candidates of a window that are verified, which costs some fifty microseconds each …
const CANDIDATES_MAX: usize = 300;
/// … and in a long query, whose parts lie in two windows each.
const CANDIDATES_MAX_LONG: usize = 100;
/// Votes that a candidate needs where quads are looked for just as they are: those of three roots. A copy that is hardly
/// altered has dozens, and any other is found by the next level.
const EXACT_VOTES_MIN: usize = 5;

/// Windows that are walked one after the other, by one thread (50 s); the next know nothing of what these found, so that
/// the answer does not depend on the number of threads.
const STRETCH: usize = 9;
/// Recordings whose peaks are kept at a time: some 50 MB, more than a window has candidates.
const REFERENCES_MAX: usize = 512;

/// Peaks of recordings, kept for the candidates to come.
pub(super) struct References<'a> {
    index: &'a Index,
    read: HashMap<RecordingIndex, Rc<Fingerprint>>,
}

impl<'a> References<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        Self { index, read: HashMap::new() }
    }

    /// Nothing where the file is damaged.
    pub(super) fn get(&mut self, recording: RecordingIndex) -> Rc<Fingerprint> {
        if self.read.len() >= REFERENCES_MAX {
            self.read.clear();
        }
        let read = || Rc::new(self.index.fingerprint(recording).unwrap_or_default());
        self.read.entry(recording).or_insert_with(read).clone()
    }
}

impl Found {
    /// Whether it is sure, covers a window, and leaves hardly a peak of either side unexplained there.
    pub(super) fn explains(&self, window: Window, limit: f64) -> bool {
        let (before, after) = (self.span.0 - window.start, window.end - self.span.1);
        let uncovered = before.max(0.0) + after.max(0.0);
        self.log10_false_match <= limit
            && [&self.tally, &self.backward].iter().all(|tally| tally.share() >= EXPLAINED_SHARE)
            && before.max(after) <= UNCOVERED_MAX
            && uncovered <= (1.0 - COVERED_SHARE) * (window.end - window.start)
    }
}

/// The hits of a window that moves through the query.
struct HitWindow {
    depth: Depth,
    /// Postings that may be visited for each step of the query.
    postings_per_step: f64,
    hits: Vec<Hit>,
    /// Roots before this time (steps) were looked up.
    looked_up: u32,
    report: LookupReport,
}

impl HitWindow {
    fn new(depth: Depth, postings_per_step: f64) -> Self {
        Self { depth, postings_per_step, hits: Vec::new(), looked_up: 0, report: LookupReport::default() }
    }

    /// Forgets what lies before the window and looks up what is missing of it. The last window of a query also has what
    /// lies on or beyond its end.
    fn move_to(&mut self, window: Window, one_of: u32, search: &Search<'_>) {
        self.hits.drain(..self.hits.partition_point(|hit| f64::from(hit.query_time) < window.start));
        let until = if window.last { u32::MAX } else { window.end as u32 };
        let from = self.looked_up.max(window.start as u32);
        let steps = (window.end - f64::from(from)).max(1.0);
        // A float beyond all whole numbers becomes the greatest: no limit.
        let limit = CostLimit { postings_max: (steps * self.postings_per_step) as u64 };
        let depth = Depth { one_of: one_of.max(self.depth.one_of), ..self.depth };
        let report = look_up(search.query.peaks, from..until, depth, search.index, limit, &mut self.hits);
        self.report = self.report.and(report);
        self.looked_up = until;
    }
}

/// A stretch of the query whose hits are counted together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) start: f64,
    pub(super) end: f64,
    last: bool,
}

/// The windows of a query, in steps: each overlaps half of the next.
pub(super) fn windows(duration: f64) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut start = 0.0;
    loop {
        let last = start + WINDOW + WINDOW_HOP / 2.0 >= duration;
        windows.push(Window { start, end: if last { duration } else { start + WINDOW }, last });
        if last {
            return windows;
        }
        start += WINDOW_HOP;
    }
}

/// Verified spans of all windows, and what looking them up came to.
pub(super) fn all_windows(
    search: &Search<'_>,
    windows: &[Window],
    options: &MatchOptions,
) -> (Vec<Found>, LookupReport) {
    if windows.is_empty() {
        return (Vec::new(), LookupReport::default());
    }
    let stretches: Vec<&[Window]> = windows.chunks(STRETCH).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, stretch)) = take_next(&next, &stretches) {
            done.push((at, Walk::new(search, options).all(stretch)));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let threads = options.threads.clamp(1, stretches.len());
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(result) => done.extend(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    let mut all = (Vec::new(), LookupReport::default());
    for (_, (found, report)) in done {
        all.0.extend(found);
        all.1 = all.1.and(report);
    }
    all
}

fn take_next<T: Copy>(next: &AtomicUsize, all: &[T]) -> Option<(usize, T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    all.get(at).map(|one| (at, *one))
}

/// Whether a query is worth the deepest search.
fn is_short(search: &Search<'_>, options: &MatchOptions) -> bool {
    search.duration <= options.deep_s * TIME_STEPS_PER_S
}

/// The deepest lookup that a query and the size of the catalogue allow.
fn deepest(search: &Search<'_>, options: &MatchOptions) -> Depth {
    let short = is_short(search, options);
    let hits = search.duration * DEEP_HITS * search.index.postings(Family::Quads) as f64;
    let (density, tolerance) = match short {
        true if hits <= DEEP_HITS_MAX => (Density::Deep, Tolerance::Full),
        true if hits <= DEEP_HITS_MAX * HALF_OF_HITS => (Density::Deep, Tolerance::Half),
        _ => (Density::Dense, Tolerance::Half),
    };
    // Where the limit leaves hardly a key, most of the time would go into finding out which.
    let per_s = READ_PER_S * search.index.postings(Family::Quads) as f64;
    let too_many = per_s / (POSTINGS_PER_S_MIN as f64 * WORTH_WEIGHING);
    let one_of = match short {
        true => 1.0,
        false if search.duration > LONG => too_many.max(LONG_ONE_OF),
        false => too_many,
    };
    Depth { density, tolerance, reach: Reach::TwoFactors, one_of: (one_of as u32).clamp(1, 64) }
}

/// One way of looking a window up.
struct Level {
    hits: HitWindow,
    /// Candidates with fewer votes are left to the next level.
    votes_min: usize,
}

/// The way of one thread through its windows.
struct Walk<'a> {
    search: &'a Search<'a>,
    /// The cheapest first; a window that one explains is not looked up by the next.
    levels: Vec<Level>,
    references: References<'a>,
    voter: Voter,
    candidates_max: usize,
    found: Vec<Found>,
}

impl<'a> Walk<'a> {
    fn new(search: &'a Search<'a>, options: &MatchOptions) -> Self {
        let per_s = POSTINGS_PER_S_MIN as f64 / TIME_STEPS_PER_S;
        let per_step = (options.postings_max as f64 / search.duration.max(1.0)).max(per_s);
        let level = |depth, postings_per_step, votes_min| Level {
            hits: HitWindow::new(depth, postings_per_step),
            votes_min,
        };
        let sparse = Density::Sparse;
        let exact = Depth { density: sparse, tolerance: Tolerance::Own, reach: Reach::AsItIs, one_of: 1 };
        let all = deepest(search, options);
        // Of the few quads a half is left out where of the many most are.
        let one_of = all.one_of.min(2);
        let one_factor =
            Depth { density: sparse, tolerance: Tolerance::Half, reach: Reach::OneFactor, one_of };
        Self {
            search,
            levels: vec![
                level(exact, f64::INFINITY, EXACT_VOTES_MIN),
                level(one_factor, per_step, 1),
                level(all, per_step, 1),
            ],
            references: References::new(search.index),
            voter: Voter::default(),
            candidates_max: if is_short(search, options) { CANDIDATES_MAX } else { CANDIDATES_MAX_LONG },
            found: Vec::new(),
        }
    }

    /// A window is looked up level by level, until one explains all of it. Hits are looked up hop by hop and forgotten
    /// when their window has passed, so that a long query needs no more memory than a short one.
    fn all(mut self, windows: &[Window]) -> (Vec<Found>, LookupReport) {
        let mut levels = std::mem::take(&mut self.levels);
        for &window in windows {
            let one_of = if self.explaining(window).is_some() { EXPLAINED_ONE_OF } else { 1 };
            for (reach, level) in (0..).zip(&mut levels) {
                level.hits.move_to(window, one_of, self.search);
                self.window(&level.hits.hits, window, level.votes_min);
                // Another recording with the same audio is altered in the same way, which this level must reach.
                if self.explaining(window).is_some_and(|one| one.alteration.free_factors() <= reach) {
                    break;
                }
            }
        }
        let report = levels.iter().fold(LookupReport::default(), |sum, level| sum.and(level.hits.report));
        (self.found, report)
    }

    /// What explains a window, if anything does.
    fn explaining(&self, window: Window) -> Option<&Found> {
        self.found.iter().find(|one| one.explains(window, self.search.limit))
    }

    fn window(&mut self, hits: &[Hit], window: Window, votes_min: usize) {
        let middle = f64::midpoint(window.start, window.end);
        let candidates = self.voter.candidates(hits, middle as f32, votes_min, self.candidates_max);
        let votes_max = candidates.first().map_or(0, |candidate| candidate.votes);
        for candidate in candidates {
            let explaining = self.explaining(window).map(|one| one.recording);
            if explaining.is_some() && candidate.votes < votes_max / RIVAL_VOTES {
                break;
            }
            // Where a recording repeats itself, it lies on other lines as well; it is told once.
            if explaining == Some(candidate.recording) {
                continue;
            }
            let covered = |known: &Found| {
                known.recording == candidate.recording
                    && (known.span.0..=known.span.1).contains(&middle)
                    && known.line.is_near(&candidate.line, middle)
            };
            if !self.found.iter().any(covered) {
                let found = self.verify(candidate.recording, candidate.line, (window.start, window.end));
                self.found.extend(found);
            }
        }
    }

    /// Fits a candidate, and follows it as far as it goes.
    fn verify(&mut self, recording: RecordingIndex, line: Line, window: (f64, f64)) -> Option<Found> {
        let search = self.search;
        let reference = self.references.get(recording);
        let line = refine(&search.grid, &reference.peaks, &line, window);
        let first = tally(&search.grid, search.explained.as_ref(), &reference.peaks, &line, window);
        if first.surprise < SURPRISE_MIN {
            return None;
        }
        let line = fit(&search.query, &reference.peaks, line, window, CANDIDATE_TOLERANCES);
        let (line, span) = extend(&search.query, &reference.peaks, line, window, &first, search.duration)?;
        let tally = tally(&search.grid, search.explained.as_ref(), &reference.peaks, &line, span);
        let enough = tally.tested >= TESTED_MIN && tally.found >= FOUND_MIN;
        enough.then(|| {
            let alteration = alteration_of(&line);
            let backward = backward_tally(&search.query, &reference.peaks, &line, span);
            let log10_false_match = search.log10_false_match(&tally, &backward, &alteration);
            Found { recording, line, span, tally, backward, alteration, log10_false_match }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_query_and_the_last_is_not_a_stub() {
        for seconds in [0.0, 3.0, 10.0, 12.4, 12.5, 12.6, 15.0, 17.6, 61.0, 3600.0] {
            let duration = seconds * TIME_STEPS_PER_S;
            let windows = windows(duration);
            assert!(
                windows.windows(2).all(|pair| pair[1].start == pair[0].start + WINDOW_HOP && !pair[0].last)
            );
            let last = windows[windows.len() - 1];
            assert!(last.last && last.end == duration);
            assert!(windows.len() == 1 || last.end - last.start >= WINDOW - WINDOW_HOP / 2.0);
        }
    }
}
