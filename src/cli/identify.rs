//! `earwitness identify`: what is this audio, where in which recording, and how was it altered?

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::streaming::{self, StreamOptions};
use super::{Context, Exit, Usage, output};
use crate::index::Index;
use crate::matching::{Match, MatchOptions, Stretches};
use crate::scan::worker::{Decoder, Listen, in_order};
use crate::scan::{Library, StreamIdentifier, StreamSummary};

/// Find the catalogue's recordings in audio files, pipes and live streams; no licence is asked, no case opened
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads MP3, AAC, HE-AAC, ALAC, FLAC, WAV, AIFF, Vorbis, Opus, the audio of MP4, WebM, MKV and \
    MPEG-TS, by content and never by name; other formats through an ffmpeg on the PATH. Files may be as long as they \
    like: memory does not grow with them.\n\n\
    `-` reads the same formats from a pipe, and prints each span as soon as it is over. `--follow URL` listens to a \
    live stream (HTTP, Icecast, SHOUTcast) until Ctrl-C, --for, or its end, and also says what begins. With --json \
    these print, besides the line per input at the end, one line per span:\n  \
    {\"query\": …, \"span\": {…}, \"confirmed_at_s\": …}   and   {\"query\": …, \"began\": {…}, \"told_at_s\": …}\n\n\
    speed: time and pitch together; tempo: time alone; pitch: in semitones. log10_false_match is the base-10 \
    logarithm of the probability that audio holding nothing of the catalogue matches as well; only matches under \
    the configured limit (matching.log10_false_match_max, default -6) are printed.\n\n\
    Examples:\n  earwitness identify suspect.mp3 other.flac\n  \
    ffmpeg -i rtmp://example.net/live -f wav - | earwitness identify -\n  \
    earwitness identify --follow http://radio.example/stream.mp3 --for 3600 --json\n\n\
    Exit codes: 0 all was read; 3 some was not (each named on stderr)."
)]
pub(super) struct IdentifyArgs {
    /// Audio or video files; `-` is standard input; with --follow the URL of a live stream
    #[arg(required = true, value_name = "FILE|-|URL")]
    inputs: Vec<PathBuf>,
    /// Follow a live stream: a URL, or a pipe that is live
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    stream: StreamOptions,
    /// Of files too, print each span as soon as it is confirmed
    #[arg(long)]
    spans: bool,
}

/// One line of `identify --json`.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) query: String,
    duration_s: Option<f64>,
    pub(super) error: Option<String>,
    warnings: Vec<String>,
    matches: Vec<Match>,
}

impl Answer {
    pub(super) fn new(query: String, summary: StreamSummary) -> Self {
        Self {
            query,
            duration_s: summary.duration_s,
            error: summary.error.map(|error| error.to_string()),
            warnings: summary.warnings,
            matches: summary.matches,
        }
    }
}

/// What all inputs are looked for in, and with.
pub(super) struct Search<'a> {
    pub(super) index: &'a Index,
    pub(super) options: MatchOptions,
    pub(super) decoder: Decoder,
}

pub(super) fn run(context: &Context, args: &IdentifyArgs) -> anyhow::Result<Exit> {
    let streams = streams(args)?;
    let library = Library::open(context.open_store()?)?;
    if library.index().is_empty() {
        output::note(
            context,
            "the catalogue has no audio yet; add some with `earwitness catalog add PATH...`",
        );
    }
    let decoder = Decoder::of_this_program()?;
    let search = Search { index: library.index(), options: context.match_options(), decoder };
    if streams { one_by_one(context, &search, args) } else { side_by_side(context, &search, args) }
}

/// Whether spans are printed on the way; checks what can be asked for together.
fn streams(args: &IdentifyArgs) -> Result<bool, Usage> {
    let pipes = args.inputs.iter().filter(|input| is_pipe(input)).count();
    if args.follow && args.inputs.len() != 1 {
        return Err(Usage("--follow takes one stream; start one process for each".to_owned()));
    }
    if pipes > 1 {
        return Err(Usage("`-` (standard input) can be read once".to_owned()));
    }
    let url = args.inputs.iter().find(|input| streaming::url_of(input).is_some());
    match (url, args.follow) {
        (Some(url), false) => Err(Usage(format!(
            "`{0}` is a URL: follow a live stream with `earwitness identify --follow {0}`, or check what a site \
             plays with `earwitness check {0}`",
            url.display()
        ))),
        (None, true) if pipes == 0 => Err(Usage("--follow takes a URL, or `-` for a pipe".to_owned())),
        _ => Ok(args.follow || args.spans || pipes > 0),
    }
}

pub(super) fn is_pipe(input: &Path) -> bool {
    input.as_os_str() == "-"
}

/// One input after the other, each span as it is confirmed.
fn one_by_one(context: &Context, search: &Search<'_>, args: &IdentifyArgs) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for input in &args.inputs {
        let listened = streaming::listen(context, search, input, args.follow, &args.stream)?;
        if let Some(error) = &listened.answer.error {
            output::failed(error);
            exit = Exit::SomeFailed;
        }
        print_summary(context, &listened.answer)?;
        if listened.was_stopped {
            break;
        }
    }
    Ok(exit)
}

/// As many files at a time as there are processors, the answers in their order.
fn side_by_side(context: &Context, search: &Search<'_>, args: &IdentifyArgs) -> anyhow::Result<Exit> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let stretches = args.stream.stretches(Stretches::FILE);
    let how = Listen { is_live: false, audio_s: args.stream.audio_s() };
    let work = |index: usize| {
        let file: &PathBuf = &args.inputs[index];
        let mut identifier = StreamIdentifier::new(search.index, search.options, stretches);
        let ended = search.decoder.listen_file(file, how, &mut |heard| identifier.hear(heard, &mut |_| {}));
        let summary = identifier.finish(ended.map(|(info, _)| info), &mut |_| {});
        Answer::new(file.display().to_string(), summary)
    };
    let mut exit = Exit::Done;
    let mut printed = Ok(());
    let bar = output::progress(context, args.inputs.len());
    in_order(args.inputs.len(), threads, &work, &mut |_, answer| {
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

fn print(context: &Context, answer: &Answer) -> anyhow::Result<()> {
    if context.json {
        return output::json(answer);
    }
    if answer.error.is_some() {
        return Ok(());
    }
    warn(context, answer);
    let seconds = seconds(answer);
    if answer.matches.is_empty() {
        output::line(&format!("{}{seconds}: no recording of the catalogue", answer.query));
        return Ok(());
    }
    output::line(&format!("{}{seconds}", answer.query));
    output::line(&output::matches_table(context, &answer.matches).to_string());
    Ok(())
}

/// Ends the account of an input whose spans were printed on the way.
fn print_summary(context: &Context, answer: &Answer) -> anyhow::Result<()> {
    if context.json {
        return output::json(answer);
    }
    warn(context, answer);
    if answer.error.is_none() || !answer.matches.is_empty() {
        let found = match answer.matches.len() {
            0 => "no recording of the catalogue".to_owned(),
            1 => "1 span of the catalogue's recordings".to_owned(),
            spans => format!("{spans} spans of the catalogue's recordings"),
        };
        output::line(&format!("{}{}: {found}", output::inert(&answer.query), seconds(answer)));
    }
    Ok(())
}

fn warn(context: &Context, answer: &Answer) {
    for warning in &answer.warnings {
        output::note(context, &format!("warning: {}: {warning}", answer.query));
    }
}

fn seconds(answer: &Answer) -> String {
    answer.duration_s.map(|s| format!(" ({s:.1} s)")).unwrap_or_default()
}
