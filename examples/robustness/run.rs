//! The run: excerpts are cut, attacked, looked for and judged.

use std::time::Instant;

use earwitness::matching::Match;
use earwitness::scan::worker::Analysis;

use crate::attack::{Attack, Kind, apply};
use crate::corpus::Corpus;
use crate::engine::{self, Engine};
use crate::mix::{self, MixScore};
use crate::parallel::{Progress, map};
use crate::plan::{Job, place};
use crate::rng::Rng;
use crate::score::{Answer, Truth, judge};
use crate::sound::{RATE_HZ, Sound, Stretch, cut};

/// What became of one query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) attack: usize,
    pub(crate) length_s: f64,
    pub(crate) stranger: bool,
    /// One for each recording that is in the query.
    pub(crate) answers: Vec<Answer>,
    /// Recordings that were named and are not in the query.
    pub(crate) accused: Vec<Match>,
    /// Of a stranger: the least `log10_false_match` of all, however weak.
    pub(crate) best: Option<f64>,
    pub(crate) mix: Option<MixScore>,
    /// Analysis and search, without decoding, in milliseconds.
    pub(crate) cost_ms: f64,
    /// Where the query comes from.
    pub(crate) source: String,
    pub(crate) error: Option<String>,
}

/// What all queries share.
pub(crate) struct Setting<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) attacks: &'a [Attack],
    pub(crate) engine: &'a Engine,
    /// The limit at which a match counts.
    pub(crate) limit: f64,
    /// Second recordings for mashups: of the catalogue, and of strangers.
    pub(crate) company: [Vec<Company>; 2],
}

/// A second recording of mashups.
pub(crate) struct Company {
    track: usize,
    start_s: f64,
    sound: Sound,
}

/// How many second recordings are kept in memory.
const COMPANY: usize = 12;
/// Excerpts of a track that are cut in one go: bounds the memory of a thread to some 100 MB.
const EXCERPTS_AT_ONCE: usize = 16;
/// The limit at which the calibration listens: everything that the engine can say.
const ANYTHING: f64 = 0.0;

/// Cuts the second recordings.
pub(crate) fn company(corpus: &Corpus, length_s: f64, seed: u64) -> [Vec<Company>; 2] {
    [&corpus.catalogue, &corpus.strangers].map(|of| {
        let mut rng = Rng::new(seed, "company", of.len() as u64);
        let mut tracks = of.clone();
        rng.shuffle(&mut tracks);
        let one = |&track: &usize| {
            let stretch =
                place(&corpus.tracks[track], length_s.min(corpus.tracks[track].duration_s), &mut rng);
            let sound = cut(&corpus.tracks[track].path, &[stretch]).ok()?.pop()?;
            Some(Company { track, start_s: stretch.start_s, sound })
        };
        tracks.iter().take(COMPANY).filter_map(one).collect()
    })
}

/// Does all jobs; the outcomes are in the jobs' order, whatever the threads did.
pub(crate) fn run(setting: &Setting<'_>, jobs: &[Job], threads: usize) -> Vec<Outcome> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&job| (jobs[job].track, job));
    let mut bundles: Vec<Vec<usize>> = Vec::new();
    for job in order {
        match bundles.last_mut() {
            Some(last) if last.len() < EXCERPTS_AT_ONCE && jobs[last[0]].track == jobs[job].track => {
                last.push(job);
            }
            _ => bundles.push(vec![job]),
        }
    }
    let progress = Progress::new(jobs.len(), "attacked excerpts");
    let nothing = Progress::hidden();
    let done = map(&bundles, threads, &nothing, |bundle| {
        let outcomes = of_one_track(setting, jobs, bundle);
        progress.add(outcomes.len());
        outcomes
    });
    progress.finish();
    let mut numbered: Vec<(usize, Outcome)> =
        bundles.concat().into_iter().zip(done.into_iter().flatten()).collect();
    numbered.sort_by_key(|(job, _)| *job);
    numbered.into_iter().map(|(_, outcome)| outcome).collect()
}

fn of_one_track(setting: &Setting<'_>, jobs: &[Job], bundle: &[usize]) -> Vec<Outcome> {
    let track = &setting.corpus.tracks[jobs[bundle[0]].track];
    let stretches: Vec<Stretch> = bundle.iter().map(|&job| jobs[job].stretch).collect();
    let pieces = cut(&track.path, &stretches).map_err(|error| error.to_string());
    let outcome = |(at, &job): (usize, &usize)| {
        let empty = Outcome {
            source: format!("{} at {:.1} s", track.id, stretches[at].start_s),
            ..start(&jobs[job])
        };
        let piece = pieces.as_ref().map_err(Clone::clone).map(|pieces| pieces[at].clone());
        let filled = piece.and_then(|piece| single(setting, &jobs[job], piece, empty.clone()));
        filled.unwrap_or_else(|error| Outcome { error: Some(error), ..empty })
    };
    bundle.iter().enumerate().map(outcome).collect()
}

fn start(job: &Job) -> Outcome {
    Outcome { attack: job.attack, length_s: job.length_s, stranger: job.stranger, ..Outcome::default() }
}

/// Attacks one excerpt, looks for it and judges the answer.
fn single(setting: &Setting<'_>, job: &Job, piece: Sound, outcome: Outcome) -> Result<Outcome, String> {
    let kind = setting.attacks[job.attack].kind;
    let mut rng = job.rng.clone();
    let track = &setting.corpus.tracks[job.track];
    let other = (kind == Kind::Mashup).then(|| second(setting, job, &mut rng)).flatten();
    let frames = (job.length_s * RATE_HZ) as usize;
    let attacked = apply(kind, piece, other.map(|other| &other.sound), &mut rng)?;
    // Codecs add some silence, stretching lacks or adds a frame: all queries of a row are of one length.
    let attacked = if attacked.len() > frames { attacked.of_length(frames) } else { attacked };
    let truth = Truth { track, start_s: job.stretch.start_s, factors: kind.factors() };
    let mut truths = vec![truth];
    truths.extend(other.map(|other| Truth {
        track: &setting.corpus.tracks[other.track],
        start_s: other.start_s,
        factors: (1.0, 1.0),
    }));
    let analysing = Instant::now();
    let analysis = engine::analyse(&attacked)?;
    if job.stranger {
        return Ok(unknown(setting, &analysis, outcome, analysing));
    }
    let matches = setting.engine.identify(&analysis, setting.limit);
    let cost_ms = milliseconds(analysing);
    let accused = matches.iter().filter(|one| truths.iter().all(|truth| truth.track.id != one.recording_id));
    Ok(Outcome {
        answers: truths.iter().map(|truth| judge(&matches, truth)).collect(),
        accused: accused.cloned().collect(),
        cost_ms,
        ..outcome
    })
}

/// The second recording of a mashup: any but the first.
fn second<'a>(setting: &'a Setting<'_>, job: &Job, rng: &mut Rng) -> Option<&'a Company> {
    let company = &setting.company[usize::from(job.stranger)];
    let others: Vec<&Company> = company.iter().filter(|other| other.track != job.track).collect();
    others.get(rng.below(others.len())).copied()
}

/// Looks for a stranger: at no limit for the calibration, and again at the limit where that gave anything, since what
/// is found at one limit need not be found at the other.
fn unknown(setting: &Setting<'_>, analysis: &Analysis, outcome: Outcome, analysing: Instant) -> Outcome {
    let weak = setting.engine.identify(analysis, ANYTHING);
    let cost_ms = milliseconds(analysing);
    let best = weak.iter().map(|one| one.log10_false_match).min_by(f64::total_cmp);
    let accused = best.map_or_else(Vec::new, |_| setting.engine.identify(analysis, setting.limit));
    Outcome { accused, best, cost_ms, ..outcome }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Makes and scores mixes: `count` of catalogue and strangers, and as many of strangers alone where there are any.
pub(crate) fn run_mixes(
    setting: &Setting<'_>,
    attack: usize,
    count: usize,
    seed: u64,
    threads: usize,
) -> Vec<Outcome> {
    let all = if setting.corpus.strangers.is_empty() { count } else { 2 * count };
    let mixes: Vec<(usize, bool)> = (0..all).map(|number| (number, number >= count)).collect();
    let progress = Progress::new(mixes.len(), "mixes");
    let outcomes = map(&mixes, threads, &progress, |&(number, stranger)| {
        let source = format!("mix {}", number + 1);
        let empty = Outcome { attack, stranger, source, ..Outcome::default() };
        let filled = one_mix(setting, &mut Rng::new(seed, "mix", number as u64), empty.clone());
        filled.unwrap_or_else(|error| Outcome { error: Some(error), ..empty })
    });
    progress.finish();
    outcomes
}

fn one_mix(setting: &Setting<'_>, rng: &mut Rng, outcome: Outcome) -> Result<Outcome, String> {
    let corpus = setting.corpus;
    let (parts, sound) = mix::make(corpus, outcome.stranger, rng)?;
    let names = parts.iter().map(|part| format!("{} at {:.1} s", corpus.tracks[part.track].id, part.span.0));
    let source = format!("{} ({})", outcome.source, names.collect::<Vec<_>>().join(", "));
    let outcome = Outcome { source, ..outcome };
    let analysing = Instant::now();
    let analysis = engine::analyse(&sound)?;
    let length_s = sound.duration_s();
    if outcome.stranger {
        return Ok(Outcome { length_s, ..unknown(setting, &analysis, outcome, analysing) });
    }
    let matches = setting.engine.identify(&analysis, setting.limit);
    let cost_ms = milliseconds(analysing);
    let score = mix::score(corpus, &parts, &matches, length_s);
    let in_it = |one: &&Match| {
        parts.iter().any(|part| part.known && corpus.tracks[part.track].id == one.recording_id)
    };
    let accused = matches.iter().filter(|one| !in_it(one)).cloned().collect();
    Ok(Outcome { answers: score.answers.clone(), accused, mix: Some(score), cost_ms, length_s, ..outcome })
}
