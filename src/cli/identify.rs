//! `earwitness identify`: what is this audio, where in which recording, and how was it altered?

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, Exit, output};
use crate::matching::Match;
use crate::scan::worker::{Analysis, Decoder, Error, analyse_all};
use crate::scan::{Library, identify, too_short};

/// Find the catalogue's recordings in audio files; no licence is asked and no case opened
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads MP3, AAC, HE-AAC, ALAC, FLAC, WAV, AIFF, Vorbis, Opus, the audio of MP4, WebM, MKV and \
    MPEG-TS, by content and never by name; other formats through an ffmpeg on the PATH.\n\n\
    speed: time and pitch together; tempo: time alone; pitch: in semitones. log10_false_match is the base-10 \
    logarithm of the probability that audio holding nothing of the catalogue matches as well; only matches under \
    the configured limit (matching.log10_false_match_max, default -6) are printed.\n\n\
    Exit codes: 0 all files were read; 3 some were not (each named on stderr)."
)]
pub(super) struct IdentifyArgs {
    /// Audio or video files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// One line of `identify --json`.
#[derive(Debug, Serialize)]
struct Answer {
    query: String,
    duration_s: Option<f64>,
    error: Option<String>,
    warnings: Vec<String>,
    matches: Vec<Match>,
}

pub(super) fn run(context: &Context, args: &IdentifyArgs) -> anyhow::Result<Exit> {
    let library = Library::open(context.open_store()?)?;
    let options = context.match_options();
    let decoder = Decoder::of_this_program()?;
    if library.index().is_empty() {
        output::note(
            context,
            "the catalogue has no audio yet; add some with `earwitness catalog add PATH...`",
        );
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut exit = Exit::Done;
    let mut printed = Ok(());
    let bar = output::progress(context, args.files.len());
    let matched = |analysis: &Analysis| identify(analysis, library.index(), &options).matches;
    analyse_all(&decoder, &args.files, threads, &mut |index, result| {
        let answer = answer(&args.files[index], result, &matched);
        if let Some(error) = &answer.error {
            bar.suspend(|| output::failed(error));
            exit = Exit::SomeFailed;
        }
        printed = bar.suspend(|| print(context, &answer));
        bar.inc(1);
        printed.is_ok()
    });
    bar.finish_and_clear();
    printed.map(|()| exit)
}

fn answer(
    file: &std::path::Path,
    result: Result<Analysis, Error>,
    matched: &impl Fn(&Analysis) -> Vec<Match>,
) -> Answer {
    let query = file.display().to_string();
    match result {
        Ok(analysis) => Answer {
            query,
            duration_s: Some(analysis.info.duration_s),
            error: None,
            matches: matched(&analysis),
            warnings: analysis.info.warnings.into_iter().chain(too_short(analysis.info.duration_s)).collect(),
        },
        Err(error) => Answer {
            query,
            duration_s: None,
            error: Some(error.to_string()),
            warnings: Vec::new(),
            matches: Vec::new(),
        },
    }
}

fn print(context: &Context, answer: &Answer) -> anyhow::Result<()> {
    if context.json {
        return output::json(answer);
    }
    if answer.error.is_some() {
        return Ok(());
    }
    for warning in &answer.warnings {
        output::note(context, &format!("warning: {}: {warning}", answer.query));
    }
    let seconds = answer.duration_s.map(|s| format!(" ({s:.1} s)")).unwrap_or_default();
    if answer.matches.is_empty() {
        output::line(&format!("{}{seconds}: no recording of the catalogue", answer.query));
        return Ok(());
    }
    output::line(&format!("{}{seconds}", answer.query));
    output::line(&output::matches_table(context, &answer.matches).to_string());
    Ok(())
}
