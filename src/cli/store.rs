//! `earwitness store`: figures, backup, repair.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::{Context, Exit, backup, output};
use crate::cases;
use crate::catalog::Recording;
use crate::crawl;
use crate::evidence;
use crate::rights::Licence;
use crate::scan::overlap::Overlap;
use crate::scan::transfer::Imported;
use crate::scan::{Library, inspect, transfer};
use crate::store::{Kinds, RebuildReport, Stats, Store};
use crate::{schedule, web};

/// Look after the store: figures, backup and repair
#[derive(Debug, clap::Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How many records of each kind and fingerprints there are, and what the store takes on disk
    Stats,
    /// Copy the whole store into a new folder, while a service uses it or not
    #[command(
        after_help = "Records, kept files, fingerprints and documents of one instant, each with its digest. While `earwitness \
        serve` runs, it takes the backup itself, and nobody has to wait. The folder holds the signing key: keep it as \
        safe as the store.\n\nExample: earwitness store backup /backups/$(date +%F)"
    )]
    Backup {
        /// The folder to make; it must not be there yet
        folder: PathBuf,
    },
    /// Make the store of a backup, in the folder that --store names
    #[command(
        after_help = "Each file is compared with its digest, and the whole store is checked before it is in use. The folder \
        must hold no store yet. A restoring that was cut off is completed by running it again. Exit code 3 where damaged \
        parts were taken with --take-damaged.\n\nExample: earwitness --store /var/lib/earwitness/store store restore \
        /backups/2026-03-02"
    )]
    Restore {
        /// The folder that `store backup` made
        backup: PathBuf,
        /// Take what is damaged as it is, instead of nothing
        #[arg(long)]
        take_damaged: bool,
    },
    /// Write every record and fingerprint as JSON Lines, one object {"kind","key","value"} per line
    #[command(
        after_help = "An import into an empty store makes the same catalogue and index of it, without the audio. \
        Kept files (the media that cases rest on) are not part of the export; `earwitness store backup` copies all.\n\n\
        Example: earwitness store export records.jsonl"
    )]
    Export {
        /// The file to write; `-` is stdout
        file: PathBuf,
    },
    /// Read what `store export` wrote, over what is there
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
    /// Compare the trees with the journal, and every kept file and index segment with its digest
    #[command(
        after_help = "Also checked: that each recording with audio has a fingerprint. Nothing is changed. Exit code 4 \
        when anything is wrong. To repair the trees: earwitness store rebuild; to repair the index: earwitness \
        catalog add with the audio, or earwitness store import with a backup."
    )]
    Check,
}

/// The kinds of record that an import takes. Each room with records of its own has a line here.
fn kinds() -> Kinds {
    let kinds = evidence::with_kinds(Kinds::new()).with::<Recording>().with::<Licence>().with::<Overlap>();
    web::with_kinds(schedule::with_kinds(crawl::with_kinds(cases::with_kinds(kinds))))
}

pub(super) fn run(context: &Context, args: StoreArgs) -> anyhow::Result<Exit> {
    match args.command {
        Command::Stats => stats(context),
        Command::Backup { folder } => backup::backup(context, &folder),
        Command::Restore { backup: from, take_damaged } => {
            backup::restore(context, &from, take_damaged, &kinds())
        }
        Command::Export { file } => export(context, &file),
        Command::Import { file } => import(context, &file),
        Command::Rebuild => rebuild(context),
        Command::Check => check(context),
    }
}

/// One object of `store stats --json`.
#[derive(serde::Serialize)]
struct Figures {
    #[serde(flatten)]
    store: Stats,
    index: inspect::IndexStats,
}

fn stats(context: &Context) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let figures = Figures { store: store.stats()?, index: inspect::stats(&store)? };
    if context.json {
        output::json(&figures)?;
        return Ok(Exit::Done);
    }
    let Figures { store: stats, index } = figures;
    let mut table = output::table(context, &["kind", "records", "bytes", "journalled"]);
    for kind in &stats.kinds {
        let journalled = if kind.journalled { "yes" } else { "no" };
        table.add_row([&kind.kind, &kind.records.to_string(), &kind.bytes.to_string(), journalled]);
    }
    output::line(&table.to_string());
    output::line(&format!("store    {}", context.store_path.display()));
    output::line(&format!("journal  {} bytes", stats.journal_bytes));
    output::line(&format!("trees    {} bytes", stats.trees_bytes));
    output::line(&format!(
        "index    {} recordings in {} segments ({} bytes)",
        index.recordings, index.segments, index.bytes
    ));
    output::line(&format!("files    {} ({} bytes)", stats.blobs, stats.blob_bytes));
    output::line(&format!("free     {} bytes", stats.free_bytes));
    Ok(Exit::Done)
}

/// Opens the library as far as it can be read; what cannot be read is told. Gives whether all could.
fn open_library(context: &Context) -> anyhow::Result<(Library, bool)> {
    let (library, problems) = Library::open_for_repair(context.open_store()?)?;
    for problem in &problems {
        output::failed(&format!("{problem}; its fingerprints are left out"));
    }
    Ok((library, problems.is_empty()))
}

fn export(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let (library, whole) = open_library(context)?;
    let exit = if whole { Exit::Done } else { Exit::SomeFailed };
    if file == Path::new("-") {
        transfer::export(&library, &mut BufWriter::new(io::stdout().lock()), &web::PASSING_KINDS)?;
        return Ok(exit);
    }
    // Under a temporary name first: a backup that was cut off must not look like one.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = || format!("writing {}", file.display());
    let mut temporary = tempfile::NamedTempFile::new_in(folder).with_context(named)?;
    let mut writer = BufWriter::new(temporary.as_file_mut());
    let exported = transfer::export(&library, &mut writer, &web::PASSING_KINDS).with_context(named)?;
    writer.flush().with_context(named)?;
    drop(writer);
    temporary.as_file().sync_all().with_context(named)?;
    temporary.persist(file).map_err(|error| error.error).with_context(named)?;
    let transfer::Exported { records, fingerprints } = exported;
    if context.json {
        output::json(&serde_json::json!({ "file": file, "records": records, "fingerprints": fingerprints }))?;
    } else {
        let file = file.display();
        output::note(
            context,
            &format!("{records} records and {fingerprints} fingerprints written to {file}"),
        );
    }
    Ok(exit)
}

fn import(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let imported = if file == Path::new("-") {
        transfer::import(&mut open_library(context)?.0, &mut io::stdin().lock(), &kinds())?
    } else {
        let input = File::open(file).with_context(|| format!("reading {}", file.display()));
        let input = input.map_err(|error| super::Usage(format!("{error:#}")))?;
        transfer::import(&mut open_library(context)?.0, &mut BufReader::new(input), &kinds())?
    };
    report_import(context, file, &imported)
}

fn report_import(context: &Context, file: &Path, imported: &Imported) -> anyhow::Result<Exit> {
    let report = &imported.lines;
    for problem in &report.problems {
        output::failed(&format!("{}:{}: {}", file.display(), problem.line, problem.message));
    }
    let unnamed = report.failed - report.problems.len() as u64;
    if unnamed > 0 {
        output::failed(&format!("{}: {unnamed} more bad lines", file.display()));
    }
    if context.json {
        output::json(imported)?;
    } else {
        let (written, fingerprints, failed) = (report.written, imported.fingerprints, report.failed);
        let message =
            format!("{written} records and {fingerprints} fingerprints written, {failed} lines failed");
        output::note(context, &message);
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

/// One object of `store check --json`.
#[derive(serde::Serialize)]
struct Checked {
    records: u64,
    blobs: u64,
    segments: u64,
    fingerprints: u64,
    problems: Vec<String>,
}

fn check(context: &Context) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let (report, index) = (store.check()?, inspect::check(&store)?);
    let problems: Vec<String> = report.problems.into_iter().chain(index.problems).collect();
    let checked = Checked {
        records: report.records,
        blobs: report.blobs,
        segments: index.segments,
        fingerprints: index.fingerprints,
        problems,
    };
    for problem in &checked.problems {
        output::failed(problem);
    }
    if context.json {
        output::json(&checked)?;
    } else if checked.problems.is_empty() {
        let Checked { records, blobs, segments, fingerprints, .. } = checked;
        output::line(&format!(
            "the store is whole: {records} journalled records, {fingerprints} fingerprints in {segments} segments, \
             {blobs} files"
        ));
    }
    Ok(if checked.problems.is_empty() { Exit::Done } else { Exit::CouldNotRun })
}
