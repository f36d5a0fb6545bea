//! The shape of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Finds unlicensed copies of licensed recordings, proves it, and writes the takedown notice.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done, nothing unlicensed found; 1 at least one UNLICENSED (check, crawl run) or \
    a failed verification; 2 wrong usage or configuration; 3 done, but some inputs failed (each named on stderr); \
    4 could not run (store locked or damaged, no space).\n\nStart with: earwitness demo"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Folder of the store [default: fingerprints/store]
    #[arg(long, global = true, value_name = "DIR", env = "EARWITNESS_STORE")]
    pub(super) store: Option<PathBuf>,
    /// Configuration file [default: earwitness.toml in the current folder, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "EARWITNESS_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Say more on stderr (-v: steps, -vv: details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Colour of tables
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// What lines on stderr look like
    #[arg(long, global = true, value_enum, value_name = "FORM", env = "EARWITNESS_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
    /// Print JSON Lines on stdout, one object per result, for machines
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// What lines on stderr look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for those who collect logs.
    Json,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal that wants it.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the whole chain on a built-in site, store and catalogue
    Demo(super::demo::DemoArgs),
    /// The recordings that are looked for: add, import, list, show, remove
    Catalog(super::catalog::CatalogArgs),
    /// Who may use which recording, where and when: import, list, explain
    Licence(super::licence::LicenceArgs),
    /// What is this audio, where in which recording, and how was it altered?
    Identify(super::identify::IdentifyArgs),
    /// Identify a URL or file, ask for its licence, and open a case
    Check(super::check::CheckArgs),
    /// Visit sites and check all audio found there
    Crawl(super::crawl::CrawlArgs),
    /// Suspected infringements under review: list, show, approve, dismiss
    Cases(super::case::CasesArgs),
    /// Signed bundles of evidence: export, verify, key, log
    Evidence(super::evidence::EvidenceArgs),
    /// Takedown notices from approved cases
    Notice(super::notice::NoticeArgs),
    /// Serve the review desk, its API and the scheduler
    Serve(super::serve::ServeArgs),
    /// The store itself: stats, backup, restore, export, import, rebuild
    Store(super::store::StoreArgs),
    /// The child process that decodes; not for people
    #[command(hide = true)]
    DecodeWorker(super::worker::WorkerArgs),
}
