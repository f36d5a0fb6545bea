//! A set of several recordings with crossfades, and how well it is taken apart.

use earwitness::matching::Match;

use crate::corpus::Corpus;
use crate::dsp::resample::resample;
use crate::plan::place;
use crate::rng::Rng;
use crate::score::{Answer, Truth, judge};
use crate::sound::{RATE_HZ, Sound, cut};

/// Recordings of a mix.
const PARTS: usize = 6;
/// How long each plays, and how long it fades, in seconds.
const PART_S: (f64, f64) = (25.0, 45.0);
const FADE_S: f64 = 4.0;
/// By how much a mixer changes the speed at most.
const SPEED_CHANGE: f64 = 0.04;
/// Step in which a mix is scored.
const TICK_S: f64 = 0.1;

/// One recording of a mix.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) track: usize,
    /// Where in the recording it begins.
    pub(crate) source_s: f64,
    pub(crate) speed: f64,
    /// From where to where in the mix.
    pub(crate) span: (f64, f64),
    pub(crate) known: bool,
}

/// What became of one mix.
#[derive(Debug, Clone, Default)]
pub(crate) struct MixScore {
    /// For each part that is of the catalogue.
    pub(crate) answers: Vec<Answer>,
    /// Ticks that were named rightly, named wrongly and not named.
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    pub(crate) missed: usize,
    /// Distances of starts and ends from the middle of the fade, in seconds.
    pub(crate) edges_s: Vec<f64>,
}

/// Draws the parts of a mix and makes its sound; one part in six is a stranger's, or all are.
pub(crate) fn make(
    corpus: &Corpus,
    strangers_only: bool,
    rng: &mut Rng,
) -> Result<(Vec<Part>, Sound), String> {
    let (mut known, mut strangers) = (corpus.catalogue.clone(), corpus.strangers.clone());
    rng.shuffle(&mut known);
    rng.shuffle(&mut strangers);
    let mut tracks: Vec<(usize, bool)> = strangers.into_iter().map(|track| (track, false)).collect();
    if !strangers_only {
        tracks.truncate(1);
        tracks.extend(known.into_iter().map(|track| (track, true)));
    }
    tracks.truncate(PARTS);
    rng.shuffle(&mut tracks);
    let (mut parts, mut sound) = (Vec::new(), Sound::default());
    for (track, known) in tracks {
        let speed = rng.between(1.0 - SPEED_CHANGE, 1.0 + SPEED_CHANGE);
        let wanted_s = rng.between(PART_S.0, PART_S.1).min(corpus.tracks[track].duration_s / speed);
        let stretch = place(&corpus.tracks[track], wanted_s * speed, rng);
        let cut = cut(&corpus.tracks[track].path, &[stretch]).map_err(|error| error.to_string())?;
        let piece = cut.into_iter().next().unwrap_or_default().each(|side| resample(&side, speed));
        let span = append(&mut sound, &piece);
        parts.push(Part { track, source_s: stretch.start_s, speed, span, known });
    }
    Ok((parts, sound))
}

/// Fades a piece in over the end of the mix, as loud as it; gives its span.
fn append(mix: &mut Sound, piece: &Sound) -> (f64, f64) {
    const LOUDNESS: f64 = 0.12;
    let factor = (LOUDNESS / piece.rms().max(1e-6)) as f32;
    let fade = ((FADE_S * RATE_HZ) as usize).min(piece.len() / 2).min(mix.len() / 2);
    let start = mix.len() - fade;
    for (mix, piece) in [(&mut mix.left, &piece.left), (&mut mix.right, &piece.right)] {
        for (at, &sample) in piece.iter().enumerate() {
            if at < fade {
                let angle = std::f32::consts::FRAC_PI_2 * at as f32 / fade as f32;
                mix[start + at] = mix[start + at] * angle.cos() + factor * sample * angle.sin();
            } else {
                mix.push(factor * sample);
            }
        }
    }
    (start as f64 / RATE_HZ, mix.duration_s())
}

/// Scores the matches of a mix.
pub(crate) fn score(corpus: &Corpus, parts: &[Part], matches: &[Match], duration_s: f64) -> MixScore {
    let mut score = MixScore::default();
    for part in parts.iter().filter(|part| part.known) {
        let track = &corpus.tracks[part.track];
        let start_s = part.source_s - part.speed * part.span.0;
        let truth = Truth { track, start_s, factors: (part.speed, part.speed) };
        let own: Vec<Match> = matches
            .iter()
            .filter(|one| {
                one.recording_id == track.id
                    && one.query_start_s < part.span.1
                    && one.query_end_s > part.span.0
            })
            .cloned()
            .collect();
        score.answers.push(judge(&own, &truth));
        let middle = FADE_S / 2.0;
        if let Some(first) = own.iter().map(|one| one.query_start_s).min_by(f64::total_cmp) {
            score.edges_s.push((first - part.span.0 - if part.span.0 > 0.0 { middle } else { 0.0 }).abs());
        }
        if let Some(last) = own.iter().map(|one| one.query_end_s).max_by(f64::total_cmp) {
            let fades = part.span.1 + TICK_S < duration_s;
            score.edges_s.push((last - part.span.1 + if fades { middle } else { 0.0 }).abs());
        }
    }
    for tick in 0..(duration_s / TICK_S) as usize {
        tally(corpus, parts, matches, tick as f64 * TICK_S, &mut score);
    }
    score
}

/// Scores one moment: what plays alone must be named; in a fade either is right, and neither is asked for.
fn tally(corpus: &Corpus, parts: &[Part], matches: &[Match], at_s: f64, score: &mut MixScore) {
    let playing: Vec<&Part> =
        parts.iter().filter(|part| (part.span.0..part.span.1).contains(&at_s)).collect();
    let mut named: Vec<&str> = matches
        .iter()
        .filter(|one| (one.query_start_s..one.query_end_s).contains(&at_s))
        .map(|one| one.recording_id.as_str())
        .collect();
    named.sort_unstable();
    named.dedup();
    let is = |part: &Part, id: &str| part.known && corpus.tracks[part.track].id.as_str() == id;
    score.wrong += named.iter().filter(|id| !playing.iter().any(|part| is(part, id))).count();
    if let [alone] = playing.as_slice()
        && alone.known
    {
        let found = named.iter().any(|id| is(alone, id));
        score.right += usize::from(found);
        score.missed += usize::from(!found);
    }
}
