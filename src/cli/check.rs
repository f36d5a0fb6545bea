//! `earwitness check`: the one-off: identify, ask for the licence, open a case.

use std::path::Path;

use super::scanning::{Run, Tally};
use super::{Context, Exit};

/// Identify what a URL or a file holds, ask who may use it, and open a case for what is not licensed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A URL may be a media file, a playlist, or a page: then all media that the page plays or \
    links to are checked. A local file has no address, so no case is opened for it.\n\n\
    Examples:\n  earwitness check https://music.example/song.html --territory CN\n  \
    earwitness check suspect.mp3 --territory CN --operator music.example\n\n\
    Exit codes: 0 nothing unlicensed; 1 at least one UNLICENSED; 3 some inputs failed (each named on stderr)."
)]
pub(super) struct CheckArgs {
    /// URLs or files
    #[arg(required = true, value_name = "URL|FILE")]
    inputs: Vec<String>,
    #[command(flatten)]
    options: super::scanning::CheckOptions,
}

pub(super) fn run(context: &Context, args: &CheckArgs) -> anyhow::Result<Exit> {
    let run = Run::new(context, &args.options)?;
    let mut tally = Tally::default();
    for input in &args.inputs {
        if is_url(input) {
            run.url(input, &mut tally)?;
        } else {
            run.file(Path::new(input), &mut tally)?;
        }
        if tally.cancelled {
            break;
        }
    }
    Ok(run.finish(&tally))
}

fn is_url(input: &str) -> bool {
    input
        .split_once("://")
        .is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+'))
}
