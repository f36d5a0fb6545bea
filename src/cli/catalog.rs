//! `earwitness catalog`: the recordings that are looked for.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::ProgressBar;

use super::overlaps::{self, OverlapsArgs};
use super::{Context, Exit, Usage, output};
use crate::base::RecordingId;
use crate::base::encoding_by_name;
use crate::catalog::import::{Filter, Options, Row, TABLE_BYTES_MAX, Table, parse};
use crate::catalog::{Catalog, Recording};
use crate::scan::Library;
use crate::scan::overlap::{self, Overlap};
use crate::scan::register::{self, Progress, Registered};
use crate::scan::worker::Decoder;
use crate::store::{Batch, Store};

/// How many rows are committed together.
const ROWS_PER_BATCH: usize = 500;

/// How many recordings are read at a time for listing.
const PAGE: usize = 1000;

/// The recordings that are looked for: add, import, list, show, remove
#[derive(Debug, clap::Args)]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add audio files, or folders of them: fingerprint each and register it as a recording
    #[command(
        after_help = "The recording_id is the file's ISRC tag, else the file's name without its ending. \
        A file that was added before is skipped if its bytes are the same, else fingerprinted again. What new \
        recordings share with others (the same master, a remix, a loop) is told; `catalog overlaps` lists it."
    )]
    Add {
        /// Audio files, or folders that are searched for them
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Do not look for what they share with other recordings; `catalog overlaps --scan` does it later
        #[arg(long)]
        no_overlaps: bool,
    },
    /// Import a table of recordings, and with --audio-root their audio
    #[command(after_long_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// List recordings
    List {
        /// Only those whose recording_id begins with this
        #[arg(default_value = "")]
        prefix: String,
        /// At most this many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show all that is known of one recording
    Show {
        /// The recording_id
        id: RecordingId,
    },
    /// What recordings share with each other: the same master twice, a remix, a loop
    Overlaps(OverlapsArgs),
    /// Remove recordings and their fingerprints
    Remove {
        /// The recording_ids
        #[arg(required = true)]
        ids: Vec<RecordingId>,
    },
    /// How many recordings there are, and how much audio
    Stats,
}

const IMPORT_HELP: &str = "\
The first line names the columns, in any order and case:
  recording_id (or reference_id, custom_id, track_id), filename, isrc, iswc, upc, title, title_alt (several with | \
between), version, artist, album, label, p_line, c_line, first_made_date, release_date, duration, registration_no.
The YouTube Content ID sound-recording table and common Chinese and Japanese names are understood too; columns that \
are not known are left alone. Without a recording_id the ISRC stands for it, else the file's name.

Encoding (UTF-8, GB18030, Shift-JIS, …) and delimiter (comma, semicolon, tab) are detected. Bad rows are named on \
stderr with line and column, the good ones are kept (exit code 3). Importing again changes only what differs; an \
empty cell changes nothing.

Examples:
  earwitness catalog import recordings.csv --audio-root masters/
  earwitness catalog import manifest.csv --where role=catalogue --dry-run";

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// The table, as CSV
    csv: PathBuf,
    /// Fingerprint the audio files that the table names, relative to this folder
    #[arg(long, value_name = "DIR")]
    audio_root: Option<PathBuf>,
    /// Do not look for what new recordings share with others; `catalog overlaps --scan` does it later
    #[arg(long)]
    no_overlaps: bool,
    /// The table's encoding, for example gb18030 or shift-jis [default: detected]
    #[arg(long, value_name = "NAME", value_parser = parse_encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,
    /// Only rows that have VALUE in column COL; several must all hold
    #[arg(long = "where", value_name = "COL=VALUE", value_parser = parse_filter)]
    filters: Vec<Filter>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn parse_encoding(name: &str) -> Result<&'static encoding_rs::Encoding, String> {
    encoding_by_name(name)
        .ok_or_else(|| "unknown encoding; try utf-8, gb18030, shift-jis, big5, euc-kr".to_owned())
}

fn parse_filter(text: &str) -> Result<Filter, String> {
    let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
    Ok(Filter { column: column.to_owned(), value: value.to_owned() })
}

pub(super) fn run(context: &Context, args: CatalogArgs) -> anyhow::Result<Exit> {
    match args.command {
        Command::Add { paths, no_overlaps } => add(context, &paths, !no_overlaps),
        Command::Import(args) => import(context, args),
        Command::List { prefix, limit } => list(context, &prefix, limit.unwrap_or(usize::MAX)),
        Command::Show { id } => show(context, &id),
        Command::Overlaps(args) => overlaps::run(context, &args),
        Command::Remove { ids } => remove(context, &ids),
        Command::Stats => stats(context),
    }
}

fn add(context: &Context, paths: &[PathBuf], with_overlaps: bool) -> anyhow::Result<Exit> {
    for path in paths {
        if !path.exists() {
            return Err(Usage(format!("{}: there is no such file or folder", path.display())).into());
        }
    }
    let mut library = open_for_repair(context)?;
    let mut report = Report::new(context);
    let decoder = Decoder::of_this_program()?;
    register::add_files(&mut library, &decoder, paths, &mut |progress| {
        report.tell(&progress);
        true
    })?;
    report.finish_with(with_overlaps.then_some(&library))
}

/// Opens the library; segments that cannot be read are told and left out, since adding their audio again is the cure.
fn open_for_repair(context: &Context) -> anyhow::Result<Library> {
    let (library, problems) = Library::open_for_repair(context.open_store()?)?;
    for problem in problems {
        output::failed(&format!(
            "{problem}; its recordings are fingerprinted again when their audio is added"
        ));
    }
    Ok(library)
}

fn import(context: &Context, args: ImportArgs) -> anyhow::Result<Exit> {
    let bytes = read_table(&args.csv)?;
    let options = Options { encoding: args.encoding, delimiter: None, filters: args.filters };
    let table = parse(&bytes, &options);
    drop(bytes);
    if table.rows.is_empty() && table.bad_rows == 0 && !table.problems.is_empty() {
        let problem = &table.problems[0];
        return Err(Usage(format!("{}: {problem}", args.csv.display())).into());
    }
    report_table(context, &args.csv, &table);
    let mut report = Report::new(context);
    report.failed = table.bad_rows;
    match args.audio_root {
        Some(root) if !args.dry_run => {
            let mut library = open_for_repair(context)?;
            let decoder = Decoder::of_this_program()?;
            register::import_rows(&mut library, &decoder, table.rows, &root, &mut |progress| {
                report.tell(&progress);
                true
            })?;
            return report.finish_with((!args.no_overlaps).then_some(&library));
        }
        _ => {
            if table.names_audio && !args.dry_run {
                output::note(
                    context,
                    "the table names audio files; to fingerprint them give --audio-root DIR",
                );
            }
            import_metadata(&context.open_store()?, &table.rows, args.dry_run, &mut report)?;
        }
    }
    if args.dry_run {
        output::note(context, "dry run: nothing was changed");
    }
    report.finish()
}

fn read_table(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| path.display().to_string());
    let file = file.map_err(|error| Usage(format!("{error:#}")))?;
    let read = file.take(TABLE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.with_context(|| path.display().to_string()).map_err(|error| Usage(format!("{error:#}")))?;
    if bytes.len() as u64 > TABLE_BYTES_MAX {
        return Err(
            Usage(format!("{}: longer than {TABLE_BYTES_MAX} bytes; split it", path.display())).into()
        );
    }
    Ok(bytes)
}

fn report_table(context: &Context, path: &Path, table: &Table) {
    for problem in &table.problems {
        output::failed(&format!("{}: {problem}", path.display()));
    }
    let delimiter = if table.delimiter == '\t' { "tab".to_owned() } else { table.delimiter.to_string() };
    output::note(
        context,
        &format!(
            "{}: {} rows read ({}, delimiter {delimiter}), {} bad, {} left out by --where",
            path.display(),
            table.rows.len(),
            table.encoding,
            table.bad_rows,
            table.filtered_rows
        ),
    );
}

/// Brings rows into the catalogue, without audio.
fn import_metadata(
    store: &Store,
    rows: &[Row],
    dry_run: bool,
    report: &mut Report<'_>,
) -> anyhow::Result<()> {
    let catalog = Catalog::new(store);
    let mut done = 0;
    for chunk in rows.chunks(ROWS_PER_BATCH) {
        let mut batch = Batch::new();
        let mut results = Vec::with_capacity(chunk.len());
        for row in chunk {
            let outcome = catalog.upsert_in(&mut batch, &row.recording, row.title_given);
            results.push(Registered {
                path: None,
                line: Some(row.line),
                recording_id: Some(row.recording.recording_id.clone()),
                outcome: outcome.as_ref().ok().copied(),
                error: outcome.err().map(|error| error.to_string()),
                warnings: Vec::new(),
                fingerprinted: false,
            });
        }
        if !dry_run {
            store.commit(batch)?;
        }
        for result in &results {
            done += 1;
            report.tell(&Progress { done, total: rows.len(), result });
        }
    }
    Ok(())
}

/// Tells results as they come, and counts them.
struct Report<'a> {
    context: &'a Context,
    bar: ProgressBar,
    outcomes: [u64; 3],
    failed: u64,
    /// Recordings with a new fingerprint.
    fresh: Vec<RecordingId>,
}

impl<'a> Report<'a> {
    fn new(context: &'a Context) -> Self {
        Self { context, bar: output::progress(context, 0), outcomes: [0; 3], failed: 0, fresh: Vec::new() }
    }

    fn tell(&mut self, progress: &Progress<'_>) {
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
        let result = progress.result;
        if let Some(id) = &result.recording_id {
            self.bar.set_message(id.to_string());
        }
        if let Some(outcome) = result.outcome {
            self.outcomes[outcome as usize] += 1;
        }
        if result.fingerprinted {
            self.fresh.extend(result.recording_id.clone());
        }
        if let Some(error) = &result.error {
            self.failed += 1;
            let path = result.path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default();
            let line = result.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            self.bar.suspend(|| output::failed(&format!("{path}{line}{error}")));
        }
        if self.context.json {
            // A result that cannot be encoded does not exist: it holds nothing but text and numbers.
            let _ = output::json(result);
        }
    }

    /// Ends with what the new recordings share with others, where a library is given to look in.
    fn finish_with(mut self, library: Option<&Library>) -> anyhow::Result<Exit> {
        let fresh = std::mem::take(&mut self.fresh);
        let context = self.context;
        let exit = self.finish()?;
        if let Some(library) = library {
            overlaps::tell_of(context, library, &fresh)?;
        }
        Ok(exit)
    }

    fn finish(self) -> anyhow::Result<Exit> {
        self.bar.finish_and_clear();
        let [added, updated, unchanged] = self.outcomes;
        let failed = self.failed;
        output::note(
            self.context,
            &format!("{added} added, {updated} updated, {unchanged} unchanged, {failed} failed"),
        );
        Ok(if failed > 0 { Exit::SomeFailed } else { Exit::Done })
    }
}

fn list(context: &Context, prefix: &str, limit: usize) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let catalog = Catalog::new(&store);
    let mut table = output::table(context, &["recording_id", "ISRC", "title", "artist", "seconds"]);
    let mut after: Option<RecordingId> = None;
    let mut left = limit;
    loop {
        let page = catalog.list(prefix, after.as_ref(), left.min(PAGE))?;
        for recording in &page {
            if context.json {
                output::json(recording)?;
            } else {
                table.add_row(list_row(recording));
            }
        }
        left -= page.len();
        match page.into_iter().last() {
            Some(last) if left > 0 => after = Some(last.recording_id),
            _ => break,
        }
    }
    if !context.json {
        output::line(&table.to_string());
    }
    Ok(Exit::Done)
}

fn list_row(recording: &Recording) -> [String; 5] {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let seconds = recording.audio.as_ref().map(|audio| format!("{:.1}", audio.duration_s));
    [
        recording.recording_id.to_string(),
        text(&recording.isrc),
        recording.title.clone(),
        text(&recording.artist),
        seconds.unwrap_or_else(|| "no audio".to_owned()),
    ]
}

fn show(context: &Context, id: &RecordingId) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let Some(recording) = Catalog::new(&store).get(id)? else {
        return Err(unknown(id).into());
    };
    let shared = overlap::list(&store, Some(id))?;
    if context.json {
        output::json(&Shown { recording: &recording, overlaps: &shared })?;
        return Ok(Exit::Done);
    }
    let mut table = output::table(context, &["field", "value"]);
    let fields = serde_json::to_value(&recording)?;
    for (name, value) in fields.as_object().into_iter().flatten() {
        for (name, value) in flatten(name, value) {
            table.add_row([name, value]);
        }
    }
    for one in &shared {
        table.add_row(["overlap".to_owned(), overlaps::words(one)]);
    }
    output::line(&table.to_string());
    Ok(Exit::Done)
}

/// One object of `catalog show --json`.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    recording: &'a Recording,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    overlaps: &'a [Overlap],
}

/// Returns the rows of a field: one, or one for each part of it.
fn flatten(name: &str, value: &serde_json::Value) -> Vec<(String, String)> {
    match value {
        serde_json::Value::Object(parts) => {
            parts.iter().flat_map(|(part, value)| flatten(&format!("{name}.{part}"), value)).collect()
        }
        serde_json::Value::Array(items) => items.iter().flat_map(|item| flatten(name, item)).collect(),
        serde_json::Value::String(text) => vec![(name.to_owned(), text.clone())],
        other => vec![(name.to_owned(), other.to_string())],
    }
}

fn remove(context: &Context, ids: &[RecordingId]) -> anyhow::Result<Exit> {
    let removed = register::remove(&mut Library::open(context.open_store()?)?, ids)?;
    let mut exit = Exit::Done;
    for id in ids {
        let there = removed.contains(id);
        if context.json {
            output::json(&serde_json::json!({ "recording_id": id, "removed": there }))?;
        }
        if !there {
            output::failed(&unknown(id).0);
            exit = Exit::SomeFailed;
        }
    }
    output::note(context, &format!("{} removed", removed.len()));
    Ok(exit)
}

fn unknown(id: &RecordingId) -> Usage {
    Usage(format!("there is no recording `{id}`; `earwitness catalog list` shows all"))
}

fn stats(context: &Context) -> anyhow::Result<Exit> {
    let stats = Catalog::new(&context.open_store()?).stats()?;
    if context.json {
        output::json(&stats)?;
        return Ok(Exit::Done);
    }
    output::line(&format!("recordings   {}", stats.recordings));
    output::line(&format!("with audio   {}", stats.with_audio));
    output::line(&format!("with ISRC    {}", stats.with_isrc));
    output::line(&format!("audio        {:.1} s", stats.audio_s));
    Ok(Exit::Done)
}
