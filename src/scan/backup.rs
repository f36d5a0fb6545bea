//! Backups of a library: the store with its index and the documents that were made in it, of one instant.

use std::path::{Path, PathBuf};

use super::inspect;
use super::library::{self, Library};
use crate::base::Timestamp;
use crate::evidence::KEY_FILE;
use crate::store::{self, BackupPlan, BackupReport, Going, RestorePlan};

/// What is left out of a backup, and what is in it beside records and kept files.
#[derive(Debug, Clone, Copy)]
pub struct BackupScope<'a> {
    /// When it is taken.
    pub at: Timestamp,
    /// Kinds of record that are of no use in another store.
    pub without: &'a [&'a str],
    /// Folders of documents in the store's.
    pub folders: &'a [&'a str],
}

/// Copies a library into the new folder `to`, while it goes on being used.
///
/// # Errors
/// As [`store::Store::backup`].
pub fn back_up(
    library: &Library,
    to: &Path,
    scope: &BackupScope<'_>,
    going: Going<'_>,
) -> Result<BackupReport, library::Error> {
    // Whoever holds the library cannot change its index, so the manifest stays as it is.
    let manifest = library::current_manifest(library.store())?;
    let folder = library::index_folder(library.store());
    let folder = folder.file_name().map(PathBuf::from).unwrap_or_default();
    let mut files: Vec<PathBuf> = manifest.segments.iter().map(|entry| folder.join(&entry.file)).collect();
    // Without it, bundles that were signed so far would be nobody's.
    if library.store().path().join(KEY_FILE).exists() {
        files.push(KEY_FILE.into());
    }
    let plan = BackupPlan { at: scope.at, without: scope.without, files: &files, folders: scope.folders };
    Ok(library.store().backup(to, &plan, going)?)
}

/// Makes a store in `to` of the backup in `from`, and looks whether store and index are whole.
///
/// # Errors
/// As [`store::restore`], and where the index is not whole and that is not to be taken.
pub fn restore(
    from: &Path,
    to: &Path,
    plan: &RestorePlan<'_>,
    going: Going<'_>,
) -> Result<BackupReport, library::Error> {
    let restored = store::restore(from, to, plan, going)?;
    let index = inspect::check(restored.store())?;
    if !index.problems.is_empty() && !plan.take_damaged {
        let what = format!("{}; the store in {} is not put in use", index.problems.join("; "), to.display());
        return Err(store::Error::Backup { path: from.to_owned(), what }.into());
    }
    let mut report = restored.finish()?;
    report.problems.extend(index.problems);
    Ok(report)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::{Batch, Kinds, Options, Pin, Store};

    #[test]
    fn a_backup_makes_the_same_library() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let kept = store.blobs().put(b"kept").unwrap().digest;
        store.put(&Pin { sha256: kept }).unwrap();
        store.hold("crawl", b"held for a time").unwrap();
        let papers = store.path().join("papers");
        std::fs::create_dir_all(&papers).unwrap();
        std::fs::write(papers.join("notice.pdf"), "%PDF").unwrap();
        std::fs::write(papers.join(".half"), "%P").unwrap();
        let library = Library::open(store).unwrap();
        let at: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let scope = BackupScope { at, without: &[], folders: &["papers", "none"] };
        let to = folder.path().join("backup");
        let report = back_up(&library, &to, &scope, &mut |_| true).unwrap();
        assert_eq!((report.blobs, report.problems.len()), (2, 0));
        assert!(back_up(&library, &to, &scope, &mut |_| true).is_err());
        // After the backup: not in it.
        let mut batch = Batch::new();
        batch.delete::<Pin>(&kept.to_string());
        library.store().commit(batch).unwrap();
        let kinds = crate::crawl::with_kinds(Kinds::new());
        let plan = RestorePlan { options: Options::default(), kinds: &kinds, take_damaged: false };
        let again = folder.path().join("again");
        let restored = restore(&to, &again, &plan, &mut |_| true).unwrap();
        assert_eq!((restored.at, restored.blobs), (Some(at), 2));
        let store = Store::open(&again).unwrap();
        assert!(store.get::<Pin>(&kept.to_string()).unwrap().is_some());
        assert!(store.blobs().contains(&kept));
        assert_eq!(store.release(|_| Ok(true)).unwrap(), 1);
        assert_eq!(std::fs::read(again.join("papers/notice.pdf")).unwrap(), b"%PDF");
        assert!(!again.join("papers/.half").exists());
    }

    #[test]
    fn what_comes_while_it_is_taken_is_whole_in_it_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        store.blobs().put(b"before").unwrap();
        let gone = store.hold("crawl", b"held when it began").unwrap().digest;
        let library = Library::open(store).unwrap();
        let scope = BackupScope { at: Timestamp::UNIX_EPOCH, without: &[], folders: &[] };
        let to = folder.path().join("backup");
        let mut pinned = None;
        let mut going = |_| {
            // At the first file: the record names a file that was not there when the copying began.
            pinned.get_or_insert_with(|| {
                let sha256 = library.store().blobs().put(b"meanwhile").unwrap().digest;
                library.store().put(&Pin { sha256 }).unwrap();
                assert_eq!(library.store().release(|_| Ok(true)).unwrap(), 1);
                sha256
            });
            true
        };
        let report = back_up(&library, &to, &scope, &mut going).unwrap();
        let pinned = pinned.unwrap();
        assert_eq!(report.blobs, 2);
        let kinds = crate::crawl::with_kinds(Kinds::new());
        let plan = RestorePlan { options: Options::default(), kinds: &kinds, take_damaged: false };
        let again = folder.path().join("again");
        restore(&to, &again, &plan, &mut |_| true).unwrap();
        let store = Store::open(&again).unwrap();
        assert!(store.get::<Pin>(&pinned.to_string()).unwrap().is_some() && store.blobs().contains(&pinned));
        assert!(!store.blobs().contains(&gone));
    }

    #[test]
    fn a_damaged_backup_is_told_and_not_put_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let kept = store.blobs().put(b"kept").unwrap().digest;
        store.put(&Pin { sha256: kept }).unwrap();
        let library = Library::open(store).unwrap();
        let scope = BackupScope { at: Timestamp::UNIX_EPOCH, without: &[], folders: &[] };
        let name = kept.to_string();
        let kinds = crate::crawl::with_kinds(Kinds::new());
        let whole = folder.path().join("whole");
        back_up(&library, &whole, &scope, &mut |_| true).unwrap();
        for (number, file) in
            ["journal", "records.jsonl", "backup.jsonl", &format!("blobs/{}/{name}", &name[..2])]
                .iter()
                .enumerate()
        {
            let damaged = folder.path().join(format!("damaged{number}"));
            copy(&whole, &damaged);
            let mut bytes = std::fs::read(damaged.join(file)).unwrap();
            bytes.push(b' ');
            bytes.rotate_right(1);
            std::fs::write(damaged.join(file), bytes).unwrap();
            let to = folder.path().join(format!("to{number}"));
            let plan = RestorePlan { options: Options::default(), kinds: &kinds, take_damaged: false };
            let error = restore(&damaged, &to, &plan, &mut |_| true).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(file), "{file}: {error}");
            if to.exists() {
                assert!(matches!(Store::open(&to), Err(store::Error::HalfRestored { .. })), "{file}");
            }
            // Once more, of a whole one, over what is half there.
            restore(&whole, &to, &plan, &mut |_| true).unwrap();
            Store::open(&to).unwrap();
            let error = restore(&whole, &to, &plan, &mut |_| true).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("a store already"), "{error}");
        }
    }

    #[test]
    fn a_backup_that_is_stopped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        store.blobs().put(b"kept").unwrap();
        let library = Library::open(store).unwrap();
        let scope = BackupScope { at: Timestamp::UNIX_EPOCH, without: &[], folders: &[] };
        let to = folder.path().join("backup");
        let stopped = back_up(&library, &to, &scope, &mut |_| false);
        assert!(matches!(stopped, Err(library::Error::Store(store::Error::Stopped { .. }))));
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &target);
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}
