//! `earwitness store`: figures, backup, repair.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::{Context, Exit, output};
use crate::catalog::Recording;
use crate::store::{ImportReport, Kinds, RebuildReport, Store};

/// Look after the store: figures, backup and repair
#[derive(Debug, clap::Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How many records of each kind there are, and what the store takes on disk
    Stats,
    /// Write every record as JSON Lines, one object {"kind","key","value"} per line
    #[command(
        after_help = "Audio segments and kept files are not part of the export, only the records are.\n\
        Example: earwitness store export backup.jsonl"
    )]
    Export {
        /// The file to write; `-` is stdout
        file: PathBuf,
    },
    /// Read records that `store export` wrote, over what is there
    #[command(
        after_help = "Bad lines are named on stderr with their number and the good ones are kept (exit code 3). \
        An import that was cut off is completed by running it again."
    )]
    Import {
        /// The file to read; `-` is stdin
        file: PathBuf,
    },
    /// Make the trees anew from the journal, leaving out what is damaged
    #[command(
        after_help = "Nothing is thrown away: damaged files are kept beside the new ones and named on stderr. \
        Exit code 4 when part of the journal was lost."
    )]
    Rebuild,
    /// Compare the trees with the journal and every kept file with its digest
    #[command(after_help = "Exit code 4 when anything is wrong. To repair: earwitness store rebuild")]
    Check,
}

/// The kinds of record that an import takes. Each room with records of its own has a line here.
fn kinds() -> Kinds {
    Kinds::new().with::<Recording>()
}

pub(super) fn run(context: &Context, args: StoreArgs) -> anyhow::Result<Exit> {
    match args.command {
        Command::Stats => stats(context),
        Command::Export { file } => export(context, &file),
        Command::Import { file } => import(context, &file),
        Command::Rebuild => rebuild(context),
        Command::Check => check(context),
    }
}

fn stats(context: &Context) -> anyhow::Result<Exit> {
    let stats = context.open_store()?.stats()?;
    if context.json {
        output::json(&stats)?;
        return Ok(Exit::Done);
    }
    let mut table = output::table(context, &["kind", "records", "bytes", "journalled"]);
    for kind in &stats.kinds {
        let journalled = if kind.journalled { "yes" } else { "no" };
        table.add_row([&kind.kind, &kind.records.to_string(), &kind.bytes.to_string(), journalled]);
    }
    output::line(&table.to_string());
    output::line(&format!("store    {}", context.store_path.display()));
    output::line(&format!("journal  {} bytes", stats.journal_bytes));
    output::line(&format!("trees    {} bytes", stats.trees_bytes));
    output::line(&format!("files    {} ({} bytes)", stats.blobs, stats.blob_bytes));
    output::line(&format!("free     {} bytes", stats.free_bytes));
    Ok(Exit::Done)
}

fn export(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    if file == Path::new("-") {
        store.export(&mut BufWriter::new(io::stdout().lock()))?;
        return Ok(Exit::Done);
    }
    // Under a temporary name first: a backup that was cut off must not look like one.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = || format!("writing {}", file.display());
    let mut temporary = tempfile::NamedTempFile::new_in(folder).with_context(named)?;
    let mut writer = BufWriter::new(temporary.as_file_mut());
    let records = store.export(&mut writer).with_context(named)?;
    writer.flush().with_context(named)?;
    drop(writer);
    temporary.as_file().sync_all().with_context(named)?;
    temporary.persist(file).map_err(|error| error.error).with_context(named)?;
    if context.json {
        output::json(&serde_json::json!({ "file": file, "records": records }))?;
    } else {
        output::note(context, &format!("{records} records written to {}", file.display()));
    }
    Ok(Exit::Done)
}

fn import(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let report = if file == Path::new("-") {
        context.open_store()?.import(&mut io::stdin().lock(), &kinds())?
    } else {
        let input = File::open(file).with_context(|| format!("reading {}", file.display()));
        let input = input.map_err(|error| super::Usage(format!("{error:#}")))?;
        context.open_store()?.import(&mut BufReader::new(input), &kinds())?
    };
    report_import(context, file, &report)
}

fn report_import(context: &Context, file: &Path, report: &ImportReport) -> anyhow::Result<Exit> {
    for problem in &report.problems {
        output::failed(&format!("{}:{}: {}", file.display(), problem.line, problem.message));
    }
    let unnamed = report.failed - report.problems.len() as u64;
    if unnamed > 0 {
        output::failed(&format!("{}: {unnamed} more bad lines", file.display()));
    }
    if context.json {
        output::json(report)?;
    } else {
        output::note(context, &format!("{} records written, {} lines failed", report.written, report.failed));
    }
    Ok(if report.failed > 0 { Exit::SomeFailed } else { Exit::Done })
}

fn rebuild(context: &Context) -> anyhow::Result<Exit> {
    let report = Store::rebuild(&context.store_path, context.store_options())?;
    if context.json {
        output::json(&report)?;
    } else {
        print_rebuild(context, &report);
    }
    let lost = !report.gaps.is_empty() && !report.recovered_from_trees;
    Ok(if lost { Exit::CouldNotRun } else { Exit::Done })
}

fn print_rebuild(context: &Context, report: &RebuildReport) {
    for gap in &report.gaps {
        let fate = if report.recovered_from_trees { "recovered from the old trees" } else { "lost" };
        output::failed(&format!("journal: {} bytes at byte {} are damaged; {fate}", gap.bytes, gap.offset));
    }
    for path in &report.set_aside {
        output::note(context, &format!("kept for inspection: {}", path.display()));
    }
    output::note(context, &format!("{} records rebuilt", report.records));
}

fn check(context: &Context) -> anyhow::Result<Exit> {
    let report = context.open_store()?.check()?;
    for problem in &report.problems {
        output::failed(problem);
    }
    if context.json {
        output::json(&report)?;
    } else if report.problems.is_empty() {
        let (records, blobs) = (report.records, report.blobs);
        output::line(&format!("the store is whole: {records} journalled records, {blobs} files"));
    }
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::CouldNotRun })
}
