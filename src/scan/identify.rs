//! An analysis, or a stream → the recordings in it, over all channel views and audio tracks.

use super::worker::{Analysis, Error, Listened};
use crate::audio::MediaInfo;
use crate::base::ChannelView;
use crate::fingerprint::TIME_STEPS_PER_S;
use crate::index::{Index, LookupReport};
use crate::matching::{
    Match, MatchOptions, SpanEvent, StreamMatcher, Stretches, find_in_views, one_per_place,
};

pub(super) use crate::matching::overlap;

/// What was found in one piece of audio.
#[derive(Debug, Clone, PartialEq)]
pub struct Identified {
    /// The matches, in order of their place in the query; each recording once in each place.
    pub matches: Vec<Match>,
    /// What was looked up, and what was left out for its cost.
    pub lookup: LookupReport,
}

/// Finds the recordings of `index` in an analysed file.
#[must_use]
pub fn identify(analysis: &Analysis, index: &Index, options: &MatchOptions) -> Identified {
    let (mut all, mut lookup) = (Vec::new(), LookupReport::default());
    let same_track = |_: &(ChannelView, _), next: &(ChannelView, _)| next.0 != ChannelView::Mid;
    for track in analysis.fingerprints.chunk_by(same_track) {
        let views = track.iter().map(|(view, fingerprint)| (*view, fingerprint));
        let found = find_in_views(views, index, options);
        all.extend(found.matches);
        lookup = lookup.and(found.lookup);
    }
    Identified { matches: one_per_place(all), lookup }
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

/// Says so where part of the index was not asked, for its cost.
#[must_use]
pub(super) fn cut_short(lookup: LookupReport) -> Option<String> {
    let LookupReport { visited, skipped_postings, .. } = lookup;
    (skipped_postings > 0).then(|| {
        let share = 100.0 * skipped_postings as f64 / (visited + skipped_postings) as f64;
        format!(
            "the search was cut short: the most frequent {share:.1} % of the index entries in question were left out, so \
             that a strongly altered copy may be missed; raise `matching.postings_max` to look at more"
        )
    })
}

/// Spans of one input that are remembered for its summary; beyond, they are told and forgotten.
const SPANS_MAX: usize = 10_000;

/// Something new about a stream, while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanTold {
    /// What.
    pub event: SpanEvent,
    /// How many seconds of audio had been heard by then.
    pub heard_s: f64,
}

/// Finds recordings in audio of any length while it is decoded, in memory that does not grow with it.
pub struct StreamIdentifier<'a> {
    index: &'a Index,
    options: MatchOptions,
    stretches: Stretches,
    matcher: Option<StreamMatcher>,
    complete_to: u32,
    /// Confirmed spans of all tracks so far.
    confirmed: Vec<Match>,
    forgotten: u64,
    longest_s: f64,
    lookup: LookupReport,
}

/// What a stream came to.
#[derive(Debug)]
pub struct StreamSummary {
    /// How much audio was heard, in seconds; none where nothing was.
    pub duration_s: Option<f64>,
    /// The confirmed spans, in order of their place; each recording once in each place.
    pub matches: Vec<Match>,
    /// What a reviewer should know.
    pub warnings: Vec<String>,
    /// Why it ended early or gave nothing.
    pub error: Option<Error>,
}

impl<'a> StreamIdentifier<'a> {
    /// Starts at the beginning of some audio.
    #[must_use]
    pub fn new(index: &'a Index, options: MatchOptions, stretches: Stretches) -> Self {
        Self {
            index,
            options,
            stretches,
            matcher: None,
            complete_to: 0,
            confirmed: Vec::new(),
            forgotten: 0,
            longest_s: 0.0,
            lookup: LookupReport::default(),
        }
    }

    /// Takes what was heard; tells what became known thereby.
    pub fn hear(&mut self, heard: Listened, tell: &mut dyn FnMut(SpanTold)) {
        match heard {
            Listened::Peaks(tick) => {
                let (stretches, options) = (self.stretches, self.options);
                let matcher = self.matcher.get_or_insert_with(|| StreamMatcher::new(stretches, options));
                tick.views.iter().for_each(|(view, peaks)| matcher.push(*view, peaks));
                self.complete_to = tick.complete_to;
                let events = matcher.advance(tick.complete_to, self.index);
                self.take(events, tell);
            }
            Listened::TrackEnd(steps) => self.end_track(steps, tell),
        }
    }

    /// Ends the stream, as its worker says it did, and sums up; tells what was still open.
    pub fn finish(
        mut self,
        ended: Result<MediaInfo, Error>,
        tell: &mut dyn FnMut(SpanTold),
    ) -> StreamSummary {
        // Where it broke off, what had been heard counts.
        self.end_track(self.complete_to, tell);
        let (info, error) = match ended {
            Ok(info) => (Some(info), None),
            Err(error) => (None, Some(error)),
        };
        let heard_s = (self.longest_s > 0.0).then_some(self.longest_s);
        let duration_s = info.as_ref().map(|info| info.duration_s).or(heard_s);
        let mut warnings = info.map(|info| info.warnings).unwrap_or_default();
        warnings.extend(duration_s.filter(|_| error.is_none()).and_then(too_short));
        warnings.extend(cut_short(self.lookup));
        if self.forgotten > 0 {
            let forgotten = self.forgotten;
            warnings.push(format!("{forgotten} more spans were told on the way and are not listed again"));
        }
        StreamSummary { duration_s, matches: one_per_place(self.confirmed), warnings, error }
    }

    fn end_track(&mut self, steps: u32, tell: &mut dyn FnMut(SpanTold)) {
        if let Some(mut matcher) = self.matcher.take() {
            let events = matcher.finish(steps, self.index);
            self.lookup = self.lookup.and(matcher.lookup());
            self.take(events, tell);
        }
        self.longest_s = self.longest_s.max(f64::from(steps) / TIME_STEPS_PER_S);
        self.complete_to = 0;
    }

    fn take(&mut self, events: Vec<SpanEvent>, tell: &mut dyn FnMut(SpanTold)) {
        let heard_s = f64::from(self.complete_to) / TIME_STEPS_PER_S;
        for event in events {
            let (SpanEvent::Began(found) | SpanEvent::Confirmed(found)) = &event;
            // Another track of the same file mostly holds the same sound.
            let known =
                |other: &Match| other.recording_id == found.recording_id && overlap(other, found) > 0.3;
            if self.confirmed.iter().any(known) {
                continue;
            }
            if matches!(event, SpanEvent::Confirmed(_)) {
                if self.confirmed.len() < SPANS_MAX {
                    self.confirmed.push(found.clone());
                } else {
                    self.forgotten += 1;
                }
            }
            tell(SpanTold { event, heard_s });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_that_is_too_short_is_told() {
        assert!(too_short(1.0).is_some_and(|warning| warning.contains("only 1.0 s")));
        assert_eq!(too_short(TELLING_S), None);
    }

    #[test]
    fn a_search_that_was_cut_short_is_told() {
        let whole = LookupReport { visited: 300, ..LookupReport::default() };
        assert_eq!(cut_short(whole), None);
        let cut = LookupReport { skipped_probes: 2, skipped_postings: 100, ..whole };
        assert!(cut_short(cut).is_some_and(|warning| warning.contains("25.0 %")));
    }
}
