//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Measures the engine on your own music: makes altered excerpts of a folder of it, looks for them, and prints how
/// often the right recording and place were found, how exactly, and how often a stranger was accused.
#[derive(Debug, Clone, Parser)]
#[command(name = "robustness", max_term_width = 110, after_long_help = HELP)]
pub(crate) struct Args {
    /// A folder of music, searched with its folders; some forty tracks and more make sense
    pub(crate) folder: PathBuf,
    /// What all choices are drawn from: the same seed and folder give the same queries and the same answers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Excerpts for each attack and length, of the catalogue and of the strangers each
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=5000))]
    pub(crate) per_attack: u16,
    /// Lengths of the attacked excerpts in seconds, 1 to 60
    #[arg(long, value_name = "S,…", default_value = "10", value_delimiter = ',', value_parser = length)]
    pub(crate) length: Vec<f64>,
    /// Only these attacks: names, groups, or beginnings of either
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) attacks: Vec<String>,
    /// Names the attacks and ends
    #[arg(long)]
    pub(crate) list: bool,
    /// Share of the tracks that is held out as strangers, 0 to 0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    pub(crate) strangers: f64,
    /// Matches count whose log10_false_match is at most this
    #[arg(long, value_name = "LOG10", default_value_t = -6.0, allow_negative_numbers = true)]
    pub(crate) limit: f64,
    /// At most so many tracks, drawn from the folder
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_tracks: usize,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Prints JSON Lines in place of tables: one object a row, then one of the whole
    #[arg(long)]
    pub(crate) json: bool,
}

const HELP: &str = "\
What happens: every track is fingerprinted. Tracks that hold the audio of another are put aside. A share of the rest is \
held out: these strangers never enter the index, and whatever is found in them is a false accusation. From the others \
and from the strangers excerpts are cut at random places, altered in each of the ways (--list), and identified as \
`earwitness identify` would. Nothing is written outside the system's folder of temporary files.

Right means: the right recording, within one second of the right place, or at a place whose peaks are the same (a loop).

The lossy codecs need an ffmpeg on the PATH; all other attacks are made by this program.

Examples:
  cargo run --release --example robustness -- ~/Music
  cargo run --release --example robustness -- ~/Music --attacks speed,tempo,pitch --length 5,10 --per-attack 40
  cargo run --release --example robustness -- ~/Music --seed 2 --json > figures.jsonl";

fn length(text: &str) -> Result<f64, String> {
    in_range(text, 1.0..=60.0)
}

fn share(text: &str) -> Result<f64, String> {
    in_range(text, 0.0..=0.9)
}

fn in_range(text: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    let wrong = || format!("must be from {} to {}", range.start(), range.end());
    range.contains(&value).then_some(value).ok_or_else(wrong)
}
