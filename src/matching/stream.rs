//! Recordings in audio of any length, as it comes: stretches → matches → spans that are joined and given out when
//! they have ended. Memory is bounded by the length of a stretch.
//!
//! ```text
//!   audio      ────────────────────────────────────────────►
//!   stretches  [───────── 0 ─────────]
//!                             [───────── 1 ─────────]           each is matched as a file would be
//!                                       [───────── 2 ─────────]
//!   spans      [─A─┄┄┄┄┄┄┄┄┄┄A───]  [──B──┄┄┄┄┄B────┄┄┄┄          joined where they lie on one line
//! ```

use super::matcher::{Findings, MatchOptions};
use super::types::Match;
use super::views::{by_place, find_in_views, overlap};
use crate::base::ChannelView;
use crate::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S};
use crate::index::{Index, LookupReport};

/// Which stretches of the audio are matched, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretches {
    /// Audio that ends before this is matched at once, as a whole.
    pub whole_s: f64,
    /// Where the first stretch ends.
    pub first_s: f64,
    /// From the end of one stretch to the end of the next.
    pub hop_s: f64,
    /// The length of a stretch, but of those that reach back to the start.
    pub length_s: f64,
}

impl Stretches {
    /// For files, where only the sum of the work counts: up to ten minutes as a whole, then two minutes every 90 s.
    pub const FILE: Self = Self { whole_s: 600.0, first_s: 120.0, hop_s: 90.0, length_s: 120.0 };
    /// For pipes: a first answer early, then as for files.
    pub const PIPE: Self = Self { whole_s: 0.0, first_s: 15.0, hop_s: 90.0, length_s: 120.0 };
    /// For live streams, where the wait counts and time is plenty: the last minute every 15 s, the first after 10 s.
    pub const LIVE: Self = Self { whole_s: 0.0, first_s: 10.0, hop_s: 15.0, length_s: 60.0 };

    /// Stretches of one length from the start on, a quarter of it shared with the next.
    #[must_use]
    pub fn of_length(length_s: f64) -> Self {
        Self { whole_s: 0.0, first_s: length_s, hop_s: 0.75 * length_s, length_s }
    }
}

/// What became known of a span.
#[derive(Debug, Clone, PartialEq)]
pub enum SpanEvent {
    /// A recording began; its end is not yet known, and start and alteration may still be measured better.
    Began(Match),
    /// A span is over, or the audio is.
    Confirmed(Match),
}

/// Gap in the query, in seconds, over which two stretches' matches on one line are one span: what a whole file's
/// matcher steps over when it follows a line.
const JOIN_GAP_S: f64 = 6.0;
/// How far, in seconds, the line of one match may miss the start of the other.
const JOIN_MISS_S: f64 = 0.75;
/// How much time and frequency factors of one span may differ between stretches, as natural logarithm (2 %, 0.5
/// semitones).
const JOIN_LN_TIME: f64 = 0.02;
const JOIN_LN_FREQUENCY: f64 = 0.03;
/// A span has ended when a stretch reached this many seconds beyond it and did not find more of it.
const SETTLED_S: f64 = 12.0;
/// A match within this many seconds of a stretch's edge may be the rest of something that the neighbour saw whole.
const EDGE_S: f64 = 5.0;
/// A span shorter than this, in seconds, is not kept beside another span of the same recording.
const REST_MIN_S: f64 = 3.0;

/// One span in the making.
#[derive(Debug, Clone)]
struct Span {
    found: Match,
    /// Its end lies within a stretch that saw more after it.
    end_is_known: bool,
    /// Length of the match that its alteration was measured on: the longest so far.
    measured_s: f64,
    /// It was confirmed; kept until no stretch can find parts of it again.
    given: bool,
}

/// Takes the peaks of all views as they come; gives spans.
pub struct StreamMatcher {
    stretches: Stretches,
    options: MatchOptions,
    /// Peaks of each view of [`ChannelView::ALL`], from the start of the next stretch on.
    peaks: [Vec<Peak>; 4],
    complete_to: u32,
    /// The end of the next stretch and of the last one (steps).
    next_end: u32,
    last_end: Option<u32>,
    spans: Vec<Span>,
    lookup: LookupReport,
}

impl StreamMatcher {
    /// Starts at the beginning of some audio.
    #[must_use]
    pub fn new(stretches: Stretches, options: MatchOptions) -> Self {
        Self {
            stretches,
            options,
            peaks: Default::default(),
            complete_to: 0,
            next_end: steps(stretches.first_s),
            last_end: None,
            spans: Vec::new(),
            lookup: LookupReport::default(),
        }
    }

    /// What was looked up so far, and what was left out for its cost.
    #[must_use]
    pub const fn lookup(&self) -> LookupReport {
        self.lookup
    }

    /// Takes peaks of a view, in order of time, none before those that it was given already.
    pub fn push(&mut self, view: ChannelView, peaks: &[Peak]) {
        let slots = ChannelView::ALL.into_iter().zip(&mut self.peaks);
        slots.filter(|(of, _)| *of == view).for_each(|(_, slot)| slot.extend_from_slice(peaks));
    }

    /// Learns that all peaks before `complete_to` (steps) have been given, and matches the stretches that are
    /// complete thereby.
    #[must_use]
    pub fn advance(&mut self, complete_to: u32, index: &Index) -> Vec<SpanEvent> {
        self.complete_to = self.complete_to.max(complete_to);
        let mut events = Vec::new();
        while self.complete_to >= self.next_end.max(steps(self.stretches.whole_s)) {
            self.stretch(self.next_start(), self.next_end, false, index, &mut events);
            self.last_end = Some(self.next_end);
            // At least a second: no choice of stretches makes this loop stand still.
            let next = self.next_end.saturating_add(steps(self.stretches.hop_s.max(1.0)));
            if next == self.next_end {
                break;
            }
            self.next_end = next;
            self.forget();
        }
        events
    }

    /// Ends the audio, which was `duration` steps long, and gives what is left.
    #[must_use]
    pub fn finish(&mut self, duration: u32, index: &Index) -> Vec<SpanEvent> {
        let mut events = Vec::new();
        match self.last_end {
            None => events.extend(self.found(0, duration, true, index).into_iter().map(SpanEvent::Confirmed)),
            Some(end) if duration > end => {
                let start = self.next_start().min(end);
                self.stretch(start, duration, true, index, &mut events);
            }
            Some(_) => self.settle(None, &mut events),
        }
        events
    }

    fn next_start(&self) -> u32 {
        self.next_end.saturating_sub(steps(self.stretches.length_s))
    }

    /// Matches one stretch and takes in what it holds.
    fn stretch(&mut self, start: u32, end: u32, last: bool, index: &Index, events: &mut Vec<SpanEvent>) {
        let bounds = (seconds(start), seconds(end));
        for one in self.found(start, end, last, index) {
            if last || !self.is_left_to_neighbour(&one, bounds) {
                self.take_in(one, bounds, events);
            }
        }
        self.settle((!last).then_some(bounds.1), events);
    }

    /// The matches of one stretch, over all views.
    fn found(&mut self, start: u32, end: u32, last: bool, index: &Index) -> Vec<Match> {
        let cut = |(view, peaks): (ChannelView, &Vec<Peak>)| (view, cut(peaks, start, end, last));
        let views: Vec<(ChannelView, Fingerprint)> =
            ChannelView::ALL.into_iter().zip(&self.peaks).map(cut).collect();
        let heard = views.iter().filter(|(_, of_stretch)| !of_stretch.peaks.is_empty());
        let heard = heard.map(|(view, of_stretch)| (*view, of_stretch));
        let Findings { matches: mut found, lookup } = find_in_views(heard, index, &self.options);
        self.lookup = self.lookup.and(lookup);
        found.iter_mut().for_each(|one| shift(one, seconds(start)));
        found
    }

    /// Whether a match is weak, at the edge of its stretch, and wholly within a neighbour that sees more around it:
    /// then that one decides.
    fn is_left_to_neighbour(&self, one: &Match, (start_s, end_s): (f64, f64)) -> bool {
        let weak = one.log10_false_match > 2.0 * self.options.log10_false_match_max;
        let next_start_s = end_s + self.stretches.hop_s - self.stretches.length_s;
        let in_next = one.query_end_s > end_s - EDGE_S && one.query_start_s > next_start_s.max(0.0);
        let in_last = one.query_start_s < start_s + EDGE_S
            && self.last_end.is_some_and(|last| start_s > 0.0 && one.query_end_s < seconds(last) - EDGE_S);
        weak && (in_next || in_last) && !self.spans.iter().any(|span| continues(&span.found, one))
    }

    /// Joins a match to its span, or opens one.
    fn take_in(&mut self, mut one: Match, bounds: (f64, f64), events: &mut Vec<SpanEvent>) {
        if let Some(at) = self.spans.iter().position(|span| continues(&span.found, &one)) {
            if !self.spans[at].given {
                self.spans[at].extend(&one, bounds);
                self.swallow(at);
                return;
            }
            if one.query_end_s <= self.spans[at].found.query_end_s + JOIN_GAP_S {
                return;
            }
        }
        // Elsewhere in the same recording at the same time: music that repeats itself lies on several lines, and
        // stretches may choose differently. What was found first stands as far as it goes.
        for span in &self.spans {
            let other = &span.found;
            let runs_in = (other.query_start_s..other.query_end_s).contains(&one.query_start_s);
            if other.recording_id == one.recording_id && (runs_in || overlap(other, &one) > 0.3) {
                start_later(&mut one, other.query_end_s);
            }
        }
        if one.query_end_s - one.query_start_s < REST_MIN_S.min(self.stretches.length_s) {
            return;
        }
        events.push(SpanEvent::Began(one.clone()));
        let end_is_known = one.query_end_s < bounds.1 - EDGE_S;
        let measured_s = one.query_end_s - one.query_start_s;
        self.spans.push(Span { found: one, end_is_known, measured_s, given: false });
    }

    /// Drops open spans that the one at `at` has grown over.
    fn swallow(&mut self, at: usize) {
        let grown = self.spans[at].found.clone();
        let mut index = 0;
        self.spans.retain(|span| {
            let is_other = index != at;
            index += 1;
            let inside = continues(&grown, &span.found) && overlap(&grown, &span.found) > 0.3;
            !is_other || span.given || !inside
        });
    }

    /// Gives out what has ended for an audio that is known up to `known_s`, or everything.
    fn settle(&mut self, known_s: Option<f64>, events: &mut Vec<SpanEvent>) {
        let has_ended = |span: &Span| known_s.is_none_or(|known| span.found.query_end_s + SETTLED_S <= known);
        let mut ended: Vec<&mut Span> =
            self.spans.iter_mut().filter(|span| !span.given && has_ended(span)).collect();
        ended.sort_by(|a, b| by_place(&a.found, &b.found));
        for span in ended {
            span.given = true;
            events.push(SpanEvent::Confirmed(span.found.clone()));
        }
    }

    /// Drops peaks and spans that no later stretch will see.
    fn forget(&mut self) {
        let start = self.next_start();
        for peaks in &mut self.peaks {
            let count = peaks.partition_point(|peak| peak.time < start);
            peaks.drain(..count);
        }
        let start_s = seconds(start);
        self.spans.retain(|span| !span.given || span.found.query_end_s + JOIN_GAP_S > start_s);
    }
}

/// The peaks of a stretch with times from its start. The last one also has what lies on or beyond its end, as a
/// whole file's fingerprint has.
fn cut(peaks: &[Peak], start: u32, end: u32, last: bool) -> Fingerprint {
    let from = peaks.partition_point(|peak| peak.time < start);
    let to = if last { peaks.len() } else { peaks.partition_point(|peak| peak.time < end) };
    let moved =
        peaks.get(from..to).unwrap_or(&[]).iter().map(|peak| Peak { time: peak.time - start, ..*peak });
    Fingerprint { duration: end - start, peaks: moved.collect() }
}

/// Whether `one` is more of what `span` is: the same recording, altered alike, on the same line.
fn continues(span: &Match, one: &Match) -> bool {
    let near = |a: f64, b: f64, play: f64| (a - b).abs() <= play;
    span.recording_id == one.recording_id
        && one.query_start_s <= span.query_end_s + JOIN_GAP_S
        && span.query_start_s <= one.query_end_s + JOIN_GAP_S
        && near(ln_time(span), ln_time(one), JOIN_LN_TIME)
        && near(ln_frequency(span), ln_frequency(one), JOIN_LN_FREQUENCY)
        && near(reference_at(span, one.query_start_s), one.reference_start_s, JOIN_MISS_S)
}

fn ln_time(one: &Match) -> f64 {
    (one.speed * one.tempo).ln()
}

fn ln_frequency(one: &Match) -> f64 {
    one.speed.ln() + one.pitch_semitones / 12.0 * std::f64::consts::LN_2
}

/// Where the recording would be at a query time, by a match's line.
fn reference_at(one: &Match, query_s: f64) -> f64 {
    let length_s = one.query_end_s - one.query_start_s;
    let rate = if length_s > 0.0 { (one.reference_end_s - one.reference_start_s) / length_s } else { 1.0 };
    one.reference_start_s + rate * (query_s - one.query_start_s)
}

impl Span {
    /// Makes it reach as far as another match of it, in a stretch with these bounds. The surest stretch speaks for
    /// all: what several say together would be surer still.
    fn extend(&mut self, one: &Match, (start_s, end_s): (f64, f64)) {
        let span = &mut self.found;
        let length_s = one.query_end_s - one.query_start_s;
        count(span, one);
        if length_s > self.measured_s {
            self.measured_s = length_s;
            (span.speed, span.tempo, span.pitch_semitones) = (one.speed, one.tempo, one.pitch_semitones);
        }
        // A stretch that sees what is around a span's end places it better than one that ends there.
        let sees_start = start_s <= 0.0 || one.query_start_s > start_s + EDGE_S;
        let is_near = (one.query_start_s - span.query_start_s).abs() < JOIN_GAP_S;
        if one.query_start_s < span.query_start_s || (sees_start && is_near) {
            (span.query_start_s, span.reference_start_s) = (one.query_start_s, one.reference_start_s);
        }
        let sees_end = one.query_end_s < end_s - EDGE_S;
        let goes_on = one.query_end_s > span.query_end_s + EDGE_S;
        let is_better = !self.end_is_known && (sees_end || one.query_end_s > span.query_end_s);
        if goes_on || is_better {
            (span.query_end_s, span.reference_end_s) = (one.query_end_s, one.reference_end_s);
            self.end_is_known = sees_end;
        }
    }
}

/// Adds the peaks of another match of a span, each once, and takes over its significance where that is better.
fn count(span: &mut Match, one: &Match) {
    let new = (one.query_end_s - one.query_start_s).max(0.001);
    let common = (span.query_end_s.min(one.query_end_s) - span.query_start_s.max(one.query_start_s)).max(0.0);
    let fresh = ((new - common) / new).clamp(0.0, 1.0);
    span.matched_peaks = span.matched_peaks.saturating_add((f64::from(one.matched_peaks) * fresh) as u32);
    if one.log10_false_match < span.log10_false_match {
        (span.log10_false_match, span.channel) = (one.log10_false_match, one.channel);
    }
}

/// Cuts off what lies before a query time.
fn start_later(one: &mut Match, query_s: f64) {
    if query_s > one.query_start_s {
        one.reference_start_s = reference_at(one, query_s.min(one.query_end_s));
        one.query_start_s = query_s.min(one.query_end_s);
    }
}

fn shift(one: &mut Match, by_s: f64) {
    one.query_start_s += by_s;
    one.query_end_s += by_s;
}

fn steps(seconds: f64) -> u32 {
    // Saturates: beyond 144 days there is no time.
    (seconds * TIME_STEPS_PER_S) as u32
}

fn seconds(steps: u32) -> f64 {
    f64::from(steps) / TIME_STEPS_PER_S
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
