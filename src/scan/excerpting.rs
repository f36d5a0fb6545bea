//! The excerpts of a bundle: the same passage of the file and of the recording, cut out of both.

use std::fs::File;
use std::path::Path;

use super::bundling::Extra;
use super::passages::Shown;
use super::replay::{MEDIA, index_of, reference, spooled};
use super::worker::{Analysis, Decoder, digest_of, open};
use crate::base::{ANALYSIS_RATE_HZ, AudioSpan, ChannelView, Digest, Pcm, RecordingId};
use crate::catalog::{Recording, RecordingAudio};
use crate::config::EvidenceSettings;
use crate::evidence::{
    Alignment, EXCERPTS_FORMAT, Excerpt, ExcerptOf, Excerpts, LeftOut, Listener, Section, wav,
};
use crate::fingerprint::analyze;
use crate::matching::{Match, MatchOptions, find_matches};

/// Seconds of the file before and after the match that an excerpt of it may hold: what was there before the music began.
const CONTEXT_S: f64 = 2.0;

/// From less, no recording is told.
const TELLING_S: f64 = 5.0;

/// How far from the recording's own speed a piece of it may be found.
const SPEED_TOLERANCE: f64 = 0.02;

/// A span with its sound.
pub(super) struct Heard {
    pub(super) span: AudioSpan,
    pub(super) sound: Pcm,
}

/// What was cut out of both sides.
pub(super) struct CutOut {
    /// What is told of it.
    pub(super) record: Excerpts,
    /// The files.
    pub(super) files: Vec<Extra>,
    /// The passage of the surest match as it is in the file, for the pictures.
    pub(super) suspect: Option<Heard>,
    /// What may be heard of the recording there.
    pub(super) reference: Option<Heard>,
}

impl CutOut {
    pub(super) fn new() -> Self {
        let record = Excerpts {
            format: EXCERPTS_FORMAT.to_owned(),
            rate_hz: ANALYSIS_RATE_HZ,
            excerpts: Vec::new(),
            left_out: Vec::new(),
        };
        Self { record, files: Vec::new(), suspect: None, reference: None }
    }

    fn leave_out(&mut self, of: ExcerptOf, match_number: Option<usize>, why: String) {
        self.record.left_out.push(LeftOut { of, match_number, why });
    }

    fn add(
        &mut self,
        of: ExcerptOf,
        shown: &Shown<'_>,
        source_sha256: Digest,
        heard: &Heard,
        recognised: Option<bool>,
    ) {
        let name = format!("excerpt-{}-{}.wav", of.as_str(), shown.rank);
        let bytes = wav(&heard.sound);
        self.record.excerpts.push(Excerpt {
            path: format!("earwitness/{name}"),
            sha256: Digest::of(&bytes),
            of,
            match_number: shown.number,
            source_sha256,
            span: heard.span,
            start_s: heard.span.start_s(),
            end_s: heard.span.end_s(),
            alignment: Alignment::from(shown.found),
            recognised,
        });
        self.files.push((name, bytes));
    }

    /// Cuts the passages that are shown out of the suspect file.
    pub(super) fn suspect(
        &mut self,
        decoder: &Decoder,
        (media, analysis): (&File, &Analysis),
        shown: &[Shown<'_>],
        settings: &EvidenceSettings,
    ) {
        const OF: ExcerptOf = ExcerptOf::Suspect;
        // A track that gave nothing is not among the fingerprints, and those after it are counted wrongly.
        let is_certain = |one: &&Shown<'_>| one.track == 0 || !has_lost_tracks(analysis);
        let (certain, lost): (Vec<_>, Vec<_>) = shown.iter().partition(is_certain);
        for one in lost {
            self.leave_out(OF, Some(one.number), "the audio track that it is in is not certain".to_owned());
        }
        if settings.excerpt_s == 0 {
            self.leave_out(OF, None, not_configured("excerpt_s"));
        }
        let (files, drawn) = (certain.iter().filter(|_| settings.excerpt_s > 0), certain.first());
        let of_files = files.map(|one| around(one, f64::from(settings.excerpt_s)));
        let of_picture = drawn.map(|one| span(one, one.passage.suspect));
        let spans: Vec<AudioSpan> = of_files.chain(of_picture).collect();
        let mut cut = match heard(decoder, media, MEDIA, &spans) {
            Ok(cut) => cut,
            Err(why) => return self.leave_out(OF, None, why),
        };
        self.suspect = cut.pop().filter(|heard| !heard.sound.samples.is_empty());
        for (one, heard) in certain.iter().zip(&cut) {
            if heard.sound.samples.is_empty() {
                self.leave_out(OF, Some(one.number), "the file has no sound there".to_owned());
            } else {
                self.add(OF, one, analysis.digest, heard, None);
            }
        }
    }

    /// Cuts the same passages out of the recording, as far as the configuration allows.
    pub(super) fn reference(
        &mut self,
        decoder: &Decoder,
        (recording, encoded): (&Recording, &[u8]),
        shown: &[Shown<'_>],
        settings: &EvidenceSettings,
    ) {
        const OF: ExcerptOf = ExcerptOf::Reference;
        if settings.reference_excerpt_s == 0 {
            return self.leave_out(OF, None, not_configured("reference_excerpt_s"));
        }
        let cut = opened(recording.audio.as_ref()).and_then(|(file, sha256)| {
            let longest_s = f64::from(settings.reference_excerpt_s);
            // The fingerprint was made of one of these views, and it is not kept of which.
            let views = [ChannelView::Mid, ChannelView::Side];
            let of_view = |view| shown.iter().map(move |one| within(view, one.passage.reference, longest_s));
            let spans: Vec<AudioSpan> = views.into_iter().flat_map(of_view).collect();
            let mut mid = heard(decoder, &file, "the recording's audio", &spans)?;
            let side = mid.split_off(shown.len().min(mid.len()));
            Ok((sha256, mid, side))
        });
        let (sha256, mid, side) = match cut {
            Ok(cut) => cut,
            Err(why) => return self.leave_out(OF, None, why),
        };
        for (one, (mid, side)) in shown.iter().zip(mid.into_iter().zip(side)) {
            let is_there = |heard: &Heard| recognised(decoder, heard, encoded);
            let (heard, recognised) = if is_there(&mid) {
                (mid, true)
            } else if is_there(&side) {
                (side, true)
            } else {
                (mid, false)
            };
            if heard.sound.samples.is_empty() {
                self.leave_out(OF, Some(one.number), "the recording has no sound there".to_owned());
                continue;
            }
            self.add(OF, one, sha256, &heard, Some(recognised));
            if self.reference.is_none() && covers(&heard.span, one.passage.reference) {
                self.reference = Some(heard);
            }
        }
    }
}

fn not_configured(key: &str) -> String {
    format!("the configuration allows none (evidence.{key} = 0)")
}

fn has_lost_tracks(analysis: &Analysis) -> bool {
    analysis.info.warnings.iter().any(|warning| warning.starts_with("audio track "))
}

/// Cuts spans out of a file; a span becomes as short as what is there.
fn heard(decoder: &Decoder, file: &File, name: &str, spans: &[AudioSpan]) -> Result<Vec<Heard>, String> {
    let sounds = decoder.cut(file, name, spans).map_err(|error| error.to_string())?;
    let heard = spans.iter().zip(sounds).map(|(span, sound)| {
        let samples = u32::try_from(sound.samples.len()).unwrap_or(span.samples);
        Heard { span: AudioSpan { samples, ..*span }, sound }
    });
    Ok(heard.collect())
}

fn span(shown: &Shown<'_>, (from_s, to_s): (f64, f64)) -> AudioSpan {
    AudioSpan::between(shown.track, shown.found.channel, from_s, to_s)
}

/// The passage with as much around it as fits into `longest_s`: of the match, and a little of what is before and after it.
fn around(shown: &Shown<'_>, longest_s: f64) -> AudioSpan {
    let (from, to) = shown.passage.suspect;
    let room = longest_s - (to - from);
    if room <= 0.0 {
        return span(shown, middle((from, to), longest_s));
    }
    let earliest = (shown.found.query_start_s - CONTEXT_S).max(0.0).min(from);
    let latest = (shown.found.query_end_s + CONTEXT_S).min(shown.heard.duration_s()).max(to);
    let start = (from - room / 2.0).max(earliest);
    let end = (start + longest_s).min(latest);
    span(shown, ((end - longest_s).max(earliest), end))
}

/// The middle of a passage of the recording, no longer than is allowed.
fn within(view: ChannelView, passage: (f64, f64), longest_s: f64) -> AudioSpan {
    let (from_s, to_s) = middle(passage, longest_s);
    // The owner's audio is its first track, as when it was fingerprinted.
    let mut span = AudioSpan::between(0, view, from_s, to_s);
    span.samples = span.samples.min((longest_s * f64::from(ANALYSIS_RATE_HZ)) as u32);
    span
}

fn middle((from, to): (f64, f64), longest_s: f64) -> (f64, f64) {
    let beyond = (to - from - longest_s).max(0.0) / 2.0;
    (from + beyond, to - beyond)
}

/// Whether a span holds a passage, to a twentieth of a second.
fn covers(span: &AudioSpan, (from_s, to_s): (f64, f64)) -> bool {
    const NEAR_S: f64 = 0.05;
    span.start_s() <= from_s + NEAR_S && span.end_s() >= to_s - NEAR_S
}

/// Opens the recording's audio, where it still is the file that was fingerprinted; else says why not.
fn opened(audio: Option<&RecordingAudio>) -> Result<(File, Digest), String> {
    let audio = audio.ok_or("the catalogue does not say where the recording's audio is")?;
    let file = open(Path::new(&audio.path))
        .map_err(|error| format!("the recording's audio is no longer where the catalogue has it: {error}"))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("where the catalogue has the recording's audio, there is no file".to_owned());
    }
    let sha256 =
        digest_of(&file).map_err(|error| format!("the recording's audio cannot be read: {error}"))?;
    if sha256 == audio.sha256 {
        Ok((file, sha256))
    } else {
        Err("the recording's audio is no longer the file that was fingerprinted: its SHA-256 is another"
            .to_owned())
    }
}

/// Whether a piece of a recording is recognised in its fingerprint, where it was taken from.
fn recognised(listener: &dyn Listener, heard: &Heard, encoded: &[u8]) -> bool {
    const NEAR_S: f64 = 0.1;
    let place = listener.place(&heard.sound, encoded);
    place.is_ok_and(|at| at.is_some_and(|at| (at - heard.span.start_s()).abs() <= NEAR_S))
}

impl Listener for Decoder {
    fn cut(&self, media: Section<'_>, spans: &[AudioSpan]) -> Result<Vec<Pcm>, String> {
        Decoder::cut(self, &spooled(media)?, MEDIA, spans).map_err(|error| error.to_string())
    }

    fn place(&self, piece: &Pcm, encoded: &[u8]) -> Result<Option<f64>, String> {
        if piece.duration_s() < TELLING_S {
            return Ok(None);
        }
        let id = RecordingId::new("reference").map_err(|error| error.to_string())?;
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let index = index_of(folder.path(), id, reference(encoded)?)?;
        let query = analyze(&piece.samples);
        let found = find_matches(&query, ChannelView::Mid, &index, &MatchOptions::default()).matches;
        let at_own_speed = |one: &&Match| (one.speed - 1.0).abs() <= SPEED_TOLERANCE;
        Ok(found.iter().find(at_own_speed).map(|one| one.reference_start_s - one.query_start_s))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::pictures::Passage;
    use crate::fingerprint::{Fingerprint, TIME_STEPS_PER_S};

    proptest! {
        #[test]
        fn an_excerpt_holds_the_passage_and_is_no_longer_than_allowed(
            start_s in 0.0f64..100.0,
            lengths in prop::array::uniform3(0.1f64..60.0),
            passage_at in 0.0f64..1.0,
            longest_s in 1u32..120,
        ) {
            let [match_s, after_s, passage_s] = lengths;
            let end_s = start_s + match_s;
            let passage_s = passage_s.min(match_s).min(20.0);
            let from = start_s + passage_at * (match_s - passage_s);
            let passage = (from, from + passage_s);
            let found = Match {
                recording_id: RecordingId::new("R").unwrap(),
                query_start_s: start_s,
                query_end_s: end_s,
                reference_start_s: 0.0,
                reference_end_s: match_s,
                speed: 1.0,
                tempo: 1.0,
                pitch_semitones: 0.0,
                channel: ChannelView::Mid,
                matched_peaks: 50,
                log10_false_match: -9.0,
            };
            let duration_s = end_s + after_s - 0.1;
            let heard = Fingerprint { duration: (duration_s * TIME_STEPS_PER_S) as u32, peaks: Vec::new() };
            let passage = Passage { suspect: passage, reference: passage };
            let shown = Shown { rank: 1, number: 1, found: &found, track: 0, heard: &heard, pairs: Vec::new(), passage };
            let longest_s = f64::from(longest_s);
            let span = around(&shown, longest_s);
            let sample_s = 1.0 / f64::from(ANALYSIS_RATE_HZ);
            let (from, to) = passage.suspect;
            prop_assert!(span.end_s() - span.start_s() <= longest_s + 2.0 * sample_s);
            prop_assert!(span.start_s() >= start_s - CONTEXT_S - sample_s);
            prop_assert!(span.end_s() <= end_s + CONTEXT_S + sample_s);
            if longest_s >= to - from || longest_s + 0.2 < to - from {
                prop_assert_eq!(covers(&span, (from, to)), longest_s >= to - from);
            }
            let of_recording = within(ChannelView::Mid, passage.reference, longest_s);
            prop_assert!(f64::from(of_recording.samples) <= longest_s * f64::from(ANALYSIS_RATE_HZ));
            prop_assert!(of_recording.start_s() >= from - sample_s && of_recording.end_s() <= to + sample_s);
        }
    }
}
