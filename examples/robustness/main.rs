//! A yardstick: how well the engine recognises *your* music after all that may be done to it.
//!
//! `cargo run --release --example robustness -- MUSIC_DIR`; `--help` says the rest, `docs/engine.md` explains the figures.
//!
//! folder → `corpus` (fingerprints, copies, strangers) → `plan` (excerpts) → `run` (cut, `attack`, `engine`, `score`)
//! → `summary` → `report`; `mix` makes and scores whole sets, `dsp` is the sound of it all.

mod args;
mod attack;
mod codec;
mod corpus;
mod dsp;
mod engine;
mod mix;
mod parallel;
mod plan;
mod report;
mod rng;
mod run;
mod score;
mod sound;
mod stats;
mod summary;
#[cfg(test)]
mod tests;

use std::io::Write as _;

use anyhow::{bail, ensure};
use clap::Parser as _;

use args::Args;
use attack::{Attack, Kind};
use run::{Outcome, Setting};

/// Queries of a row for which a mix is made: a mix holds several recordings.
const QUERIES_PER_MIX: usize = 4;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let attacks = chosen(&args)?;
    if args.list {
        for one in &attacks {
            let _ = writeln!(std::io::stdout().lock(), "{:10} {}", one.group, one.name);
        }
        return Ok(());
    }
    ensure!(args.folder.is_dir(), "{}: there is no such folder", args.folder.display());
    let threads =
        args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let corpus = corpus::read(&args.folder, args.max_tracks, args.strangers, args.seed, threads)?;
    corpus.unread.iter().for_each(|problem| note(&format!("not used: {problem}")));
    ensure!(!corpus.catalogue.is_empty(), "{}: no music in it", args.folder.display());
    if corpus.strangers.is_empty() {
        note("there are no strangers: false accusations and calibration are not measured");
    }
    let outcomes = measure(&args, &attacks, &corpus, threads)?;
    let summary = summary::sum_up(&attacks, &outcomes);
    if args.json {
        report::json(&corpus, &summary, args.seed, args.limit);
    } else {
        report::tables(&corpus, &summary, args.limit);
    }
    Ok(())
}

/// The attacks that were asked for.
fn chosen(args: &Args) -> anyhow::Result<Vec<Attack>> {
    let with_codecs = codec::is_there();
    if !with_codecs {
        note("there is no ffmpeg on the PATH: lossy codecs are left out");
    }
    let all = attack::all(with_codecs);
    let wanted = |one: &Attack, name: &String| one.name.starts_with(name) || one.group.starts_with(name);
    if let Some(name) = args.attacks.iter().find(|name| !all.iter().any(|one| wanted(one, name))) {
        bail!("there is no attack `{name}`; --list names all");
    }
    let is_chosen =
        |one: &Attack| args.attacks.is_empty() || args.attacks.iter().any(|name| wanted(one, name));
    Ok(all.into_iter().filter(is_chosen).collect())
}

fn measure(
    args: &Args,
    attacks: &[Attack],
    corpus: &corpus::Corpus,
    threads: usize,
) -> anyhow::Result<Vec<Outcome>> {
    let catalogue: Vec<_> = corpus
        .catalogue
        .iter()
        .map(|&track| (corpus.tracks[track].id.clone(), corpus.tracks[track].fingerprint.clone()))
        .collect();
    let engine = engine::Engine::new(&catalogue)?;
    let per_attack = usize::from(args.per_attack);
    let jobs = plan::plan(corpus, attacks, &args.length, per_attack, args.seed);
    for (number, attack) in attacks.iter().enumerate().filter(|(_, attack)| attack.kind != Kind::Mix) {
        let is_planned =
            |length_s: f64| jobs.iter().any(|job| job.attack == number && job.length_s == length_s);
        for length_s in args.length.iter().filter(|&&length_s| !is_planned(length_s)) {
            note(&format!("{}, {length_s} s: not measured, no track is long enough", attack.name));
        }
    }
    let longest_s = args.length.iter().copied().fold(0.0, f64::max);
    let wants_company = attacks.iter().any(|one| one.kind == Kind::Mashup);
    let company = if wants_company { run::company(corpus, longest_s, args.seed) } else { Default::default() };
    let setting = Setting { corpus, attacks, engine: &engine, limit: args.limit, company };
    let mut outcomes = run::run(&setting, &jobs, threads);
    if let Some(mix) = attacks.iter().position(|one| one.kind == Kind::Mix) {
        let count = per_attack.div_ceil(QUERIES_PER_MIX);
        outcomes.extend(run::run_mixes(&setting, mix, count, args.seed, threads));
    }
    Ok(outcomes)
}

fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
