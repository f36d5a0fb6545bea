//! Everything that is printed: results on stdout, the rest on stderr.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::EnvFilter;

use super::args::{Global, LogFormat};
use super::context::{Context, Exit};
use crate::base::{ChannelView, Clock as _, SystemClock};
use crate::cases::{Comparison, FieldCompared};
use crate::matching::Match;

/// Whether lines on stderr are JSON.
static IS_JSON_LOG: AtomicBool = AtomicBool::new(false);

/// Sends log lines to stderr; `EARWITNESS_LOG` overrides the level. A service says what it does without being asked to.
pub(super) fn init_logging(global: &Global, is_service: bool) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) if !is_service => "warn",
        (false, 0 | 1) => "earwitness=info,warn",
        (false, _) => "earwitness=debug,info",
    };
    let filter = EnvFilter::try_from_env("EARWITNESS_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let is_json = global.log_format == LogFormat::Json;
    IS_JSON_LOG.store(is_json, Ordering::Relaxed);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    let _ = if is_json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        lines.try_init()
    };
}

/// Writes one line on stderr, beside those of the log and in their form.
fn say(level: &'static str, prefix: &str, message: &str) {
    let mut stderr = io::stderr().lock();
    let _ = if IS_JSON_LOG.load(Ordering::Relaxed) {
        let timestamp = SystemClock.now().to_string();
        let line = serde_json::json!({ "timestamp": timestamp, "level": level, "message": message });
        writeln!(stderr, "{line}")
    } else {
        writeln!(stderr, "{prefix}{message}")
    };
}

/// Prints one line on stdout. A closed pipe is no error: the reader has had enough.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints one line on stdout, and returns whether anybody still reads there: who prints without end must ask.
pub(super) fn line_is_read(text: &str) -> bool {
    writeln!(io::stdout().lock(), "{text}").is_ok()
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
    say("ERROR", "error: ", message);
}

/// Prints one line on stderr, whatever the options say: what a person is waiting for.
pub(super) fn told(message: &str) {
    say("INFO", "", message);
}

/// Prints one line of information on stderr, unless `--quiet`.
pub(super) fn note(context: &Context, message: &str) {
    if !context.quiet {
        say("INFO", "", message);
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

/// Returns a progress bar on stderr, hidden where stderr is no terminal or `--quiet` was given.
pub(super) fn progress(context: &Context, total: usize) -> ProgressBar {
    let target = if context.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(total as u64), target);
    match ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left  {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Returns a spinner on stderr with a message, hidden where stderr is no terminal or `--quiet` was given.
pub(super) fn spinner(context: &Context) -> ProgressBar {
    let target = if context.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(None, target);
    match ProgressStyle::with_template("{spinner} {elapsed}  {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Returns a table of matches for people.
pub(super) fn matches_table(context: &Context, matches: &[Match]) -> Table {
    let header = ["recording", "in the file", "in the recording", "altered", "peaks", "log10 false match"];
    let mut table = table(context, &header);
    for one in matches {
        table.add_row([
            one.recording_id.to_string(),
            span(one.query_start_s, one.query_end_s),
            span(one.reference_start_s, one.reference_end_s),
            alteration(one),
            one.matched_peaks.to_string(),
            format!("{:.1}", one.log10_false_match),
        ]);
    }
    table
}

/// Returns a table of the tags of an owner's file and a copy for people.
pub(super) fn information_table(context: &Context, comparison: &Comparison) -> Table {
    let mut table = table(context, &["field", "the owner's file", "the copy", ""]);
    let cell = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), inert);
    for one in &comparison.fields {
        table.add_row([
            one.field.as_str().to_owned(),
            cell(&one.reference),
            cell(&one.copy),
            one.outcome.as_str().to_owned(),
        ]);
    }
    table
}

/// A field that a copy lacks or says otherwise, in words.
pub(super) fn changed(one: &FieldCompared) -> String {
    let said = |text: &Option<String>| text.as_deref().map(inert).unwrap_or_default();
    let copy =
        one.copy.as_ref().map(|_| format!(", the copy says “{}”", said(&one.copy))).unwrap_or_default();
    format!(
        "{} {} (the owner's file says “{}”{copy})",
        one.field.as_str(),
        one.outcome.as_str(),
        said(&one.reference)
    )
}

/// A stretch of time, as minutes and seconds.
pub(super) fn span(start_s: f64, end_s: f64) -> String {
    let clock = |s: f64| format!("{}:{:04.1}", (s / 60.0).floor(), s % 60.0);
    format!("{} – {}", clock(start_s), clock(end_s))
}

/// How a copy was altered, in words; `as it is` where nothing was done to it.
pub(super) fn alteration(one: &Match) -> String {
    let mut words = factors(one.speed, one.tempo, one.pitch_semitones);
    if one.channel != ChannelView::Mid {
        words.push(format!("in {}", one.channel.as_str()));
    }
    if words.is_empty() { "as it is".to_owned() } else { words.join(", ") }
}

/// Factors of alteration in words; none where nothing was altered by as much as one would hear.
pub(super) fn factors(speed: f64, tempo: f64, pitch_semitones: f64) -> Vec<String> {
    let mut words = Vec::new();
    if (speed - 1.0).abs() >= 0.005 {
        words.push(format!("speed ×{speed:.3}"));
    }
    if (tempo - 1.0).abs() >= 0.005 {
        words.push(format!("tempo ×{tempo:.3}"));
    }
    if pitch_semitones.abs() >= 0.1 {
        words.push(format!("pitch {pitch_semitones:+.1} st"));
    }
    words
}

/// Text of a site, made harmless to a terminal: no control characters, no changes of direction.
pub(super) fn inert(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().take(500).map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}
