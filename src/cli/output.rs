//! Everything that is printed: results on stdout, the rest on stderr.

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use tracing_subscriber::EnvFilter;

use super::context::{Context, Exit};

/// Sends log lines to stderr; `EARWITNESS_LOG` overrides the level.
pub(super) fn init_logging(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "earwitness=info,warn",
        (false, _) => "earwitness=debug,info",
    };
    let filter = EnvFilter::try_from_env("EARWITNESS_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .try_init();
}

/// Prints one line on stdout. A closed pipe is no error: the reader has had enough.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints one JSON object on a line of stdout.
///
/// # Errors
/// When the value cannot be encoded.
pub(super) fn json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?);
    Ok(())
}

/// Prints one line on stderr: `error: …`, for an input that failed while the rest goes on.
pub(super) fn failed(message: &str) {
    let _ = writeln!(io::stderr().lock(), "error: {message}");
}

/// Prints one line of information on stderr, unless `--quiet`.
pub(super) fn note(context: &Context, message: &str) {
    if !context.quiet {
        let _ = writeln!(io::stderr().lock(), "{message}");
    }
}

/// Returns an empty table in the house's style.
pub(super) fn table(context: &Context, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    match context.color {
        Some(true) => _ = table.enforce_styling(),
        Some(false) => _ = table.force_no_tty(),
        None => {}
    }
    table
}

/// Prints an error and what caused it, and says how the process ends.
pub(super) fn report(error: &anyhow::Error) -> Exit {
    failed(&format!("{error:#}"));
    let wrong_usage =
        error.chain().any(|cause| cause.is::<crate::config::Error>() || cause.is::<super::Usage>());
    if wrong_usage { Exit::Usage } else { Exit::CouldNotRun }
}
