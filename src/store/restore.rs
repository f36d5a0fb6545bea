//! A store made of a backup: each file is compared with its digest on the way, and the whole is checked before it is in use.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use super::backup::{self, BackupReport, Copying, Going, MANIFEST, Manifest, RECORDS};
use super::files::{Layout, Session, sync_folder, write_durably};
use super::repair::{self, RebuildReport};
use super::{Error, Kinds, Options, Store, opening};

/// What stands in the mark that a store is half restored.
const MARK: &[u8] = b"earwitness store restore\n";

/// How a backup is made a store of.
pub struct RestorePlan<'a> {
    /// How the store is opened.
    pub options: Options,
    /// The kinds of record that are known.
    pub kinds: &'a Kinds,
    /// Whether what is damaged is taken as it is.
    pub take_damaged: bool,
}

/// A store that was made of a backup and is not in use yet: nobody else can open it before [`Restored::finish`].
pub struct Restored {
    store: Store,
    layout: Layout,
    report: BackupReport,
}

impl Restored {
    /// The store, for further checks.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What is damaged so far.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.report.problems
    }

    /// Gives the store over to use.
    ///
    /// # Errors
    /// [`Error::Io`] when the mark that it is half restored cannot be taken away.
    pub fn finish(self) -> Result<BackupReport, Error> {
        drop(self.store);
        // So that no other restoring begins in between.
        let _session = Session::begin_restoring(&self.layout)?;
        let mark = self.layout.restoring();
        fs::remove_file(&mark).map_err(Error::io(&mark))?;
        sync_folder(&self.layout.root).map_err(Error::io(&self.layout.root))?;
        Ok(self.report)
    }
}

/// Makes a store in `to`, a folder that is empty or not there, of the backup in `from`. One that was cut off is begun again.
///
/// # Errors
/// [`Error`] when something cannot be read or written, there is a store already, `going` said to stop, or the backup is damaged
/// and that is not to be taken.
pub fn restore(from: &Path, to: &Path, plan: &RestorePlan<'_>, going: Going<'_>) -> Result<Restored, Error> {
    let manifest = backup::read_manifest(from)?;
    let layout = Layout::new(to);
    let session = Session::begin_restoring(&layout)?;
    clear(&layout)?;
    let mut report = BackupReport { at: Some(manifest.at), ..BackupReport::default() };
    let mut copy = Copying::new(to, plan.options, going);
    copy_files(from, &manifest, &mut copy, &mut report)?;
    let copied = backup::copy_blobs(&backup::blobs_of(from), &layout.blobs(), &mut copy, &mut report)?;
    if copied != (manifest.blobs, manifest.blob_names_sha256) {
        report.problem(format!(
            "{} holds {} kept files, and not those {} that were written",
            backup::blobs_of(from).display(),
            copied.0,
            manifest.blobs
        ));
    }
    (report.copied, report.blobs) = (copy.copied, copied.0);
    refuse_damage(from, plan, &report)?;
    backup::sync_all(to)?;
    let mut mended = RebuildReport::default();
    if !report.problems.is_empty() {
        // Of a damaged journal what is whole is kept, as a rebuilding does.
        repair::mend_journal(&layout, None, &mut mended)?;
    }
    for gap in &mended.gaps {
        report.problem(format!("journal: {} bytes at byte {} are lost", gap.bytes, gap.offset));
    }
    drop(session);
    let store = opening::open_restoring(to, plan.options)?;
    take_records(from, &store, plan, &mut report)?;
    report.problems.extend(store.check()?.problems);
    refuse_damage(from, plan, &report)?;
    Ok(Restored { store, layout, report })
}

/// Makes room: of a restoring that was cut off nothing stays, as it may be half written or of another backup; anything else is
/// somebody's.
fn clear(layout: &Layout) -> Result<(), Error> {
    let (root, mark) = (&layout.root, layout.restoring());
    let is_cut_off = fs::read(&mark).is_ok_and(|bytes| bytes == MARK);
    for entry in fs::read_dir(root).map_err(Error::io(root))? {
        let path = entry.map_err(Error::io(root))?.path();
        if path == layout.lock() || (is_cut_off && path == mark) {
            continue;
        }
        if !is_cut_off {
            let what = "there is a store already, or something else; choose another folder with --store, or move away what is there";
            return Err(Error::Backup { path: root.clone(), what: what.to_owned() });
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(Error::io(&path))?;
    }
    write_durably(&mark, MARK).map_err(Error::io(&mark))
}

fn refuse_damage(from: &Path, plan: &RestorePlan<'_>, report: &BackupReport) -> Result<(), Error> {
    match report.problems.first() {
        Some(first) if !plan.take_damaged => {
            let more = match report.problems.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let what =
                format!("{first}{more}; take another backup, or this one as it is with --take-damaged");
            Err(Error::Backup { path: from.to_owned(), what })
        }
        _ => Ok(()),
    }
}

/// Copies all files that the manifest names, but the records.
fn copy_files(
    from: &Path,
    manifest: &Manifest,
    copy: &mut Copying<'_>,
    report: &mut BackupReport,
) -> Result<(), Error> {
    for entry in &manifest.files {
        let Some(path) = backup::path_of(&entry.path) else {
            let what = format!("`{}` is no place in a store", entry.path);
            return Err(Error::Backup { path: from.join(MANIFEST), what });
        };
        let source = from.join(path);
        let file = match File::open(&source) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                report.problem(format!("{} is missing", source.display()));
                continue;
            }
            file => file.map_err(Error::io(&source))?,
        };
        let length = file.metadata().map_err(Error::io(&source))?.len();
        let copied = copy.file(std::io::Read::take(file, length), &entry.path)?;
        if copied != *entry {
            report.problem(format!("{} is not what was written: its digest is another", source.display()));
        }
    }
    Ok(())
}

/// Takes in the records that are not journalled; then the file is of no more use.
fn take_records(
    from: &Path,
    store: &Store,
    plan: &RestorePlan<'_>,
    report: &mut BackupReport,
) -> Result<(), Error> {
    let path = store.path().join(RECORDS);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(Error::io(&path))?,
    };
    let imported = store.import(&mut BufReader::new(file), plan.kinds)?;
    for problem in imported.problems {
        report.problem(format!("{}:{}: {}", from.join(RECORDS).display(), problem.line, problem.message));
    }
    fs::remove_file(&path).map_err(Error::io(&path))
}
