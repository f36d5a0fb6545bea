//! A copy of a whole store, taken while it is in use: here is an open store, gives a folder that [`super::restore`] makes the
//! same store of.
//!
//! ```text
//! backup.jsonl       two lines: the manifest, and the digest of its line; written last
//! store.json         as in the store
//! journal            up to one commit
//! records.jsonl      the records of kinds that are not journalled, as they were at that commit
//! blobs/ab/ab12…     every kept file
//! index/…, papers/…  files of other rooms, as the plan says
//! ```
//!
//! Commits wait only while the records that are not journalled are written; whoever holds or releases files waits while those
//! are copied that came since the first look. All that the copied records refer to is in the copy, since a file is kept before
//! a record names it, and no file is released meanwhile.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{Layout, sync_folder};
use super::{Error, Options, Store};
use crate::base::{Digest, Hasher, Timestamp};

/// The manifest's name.
pub(super) const MANIFEST: &str = "backup.jsonl";
/// The records that are not journalled.
pub(super) const RECORDS: &str = "records.jsonl";
/// What `format` says.
const FORMAT: &str = "earwitness-backup";
/// The newest version that is written and read.
const VERSION: u64 = 1;
/// How many bytes are copied at a time.
const PIECE_BYTES: usize = 1 << 20;
/// The longest manifest, in bytes: more than a million documents.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// How many problems are listed.
pub(super) const PROBLEMS_MAX: usize = 1000;

/// What a backup holds beside records and kept files.
#[derive(Debug, Clone, Copy)]
pub struct BackupPlan<'a> {
    /// When it is taken.
    pub at: Timestamp,
    /// Kinds of record that are not journalled and left out: of no use elsewhere.
    pub without: &'a [&'a str],
    /// Files in the store's folder that do not change while it is taken, each by its path there.
    pub files: &'a [PathBuf],
    /// Folders in the store's folder; of each all files that do not begin with a full stop.
    pub folders: &'a [&'a str],
}

/// How far a backup or a restoring is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Files copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Is told how far it is, and says whether to go on.
pub type Going<'a> = &'a mut dyn FnMut(Copied) -> bool;

/// What came of a backup or a restoring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// The instant of the backup.
    pub at: Option<Timestamp>,
    /// What was copied.
    #[serde(flatten)]
    pub copied: Copied,
    /// Kept files among them.
    pub blobs: u64,
    /// What is damaged, of the first 1,000; empty when all is well.
    pub problems: Vec<String>,
}

impl BackupReport {
    pub(super) fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text);
        }
    }
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: String,
    version: u64,
    pub(super) at: Timestamp,
    program: String,
    /// All files but the kept ones.
    pub(super) files: Vec<FileEntry>,
    pub(super) blobs: u64,
    /// Digest of the names of all kept files, sorted, each ended by a line feed.
    pub(super) blob_names_sha256: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    /// Below the folder, with `/` between names.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
}

#[derive(Serialize, Deserialize)]
struct Seal {
    sha256: Digest,
}

impl Store {
    /// Copies the store into the new folder `to` while it goes on being used; all of one instant.
    ///
    /// # Errors
    /// [`Error`] when something cannot be read or written, the folder is there already, or `going` said to stop. Nothing has
    /// the name `to` then.
    pub fn backup(&self, to: &Path, plan: &BackupPlan<'_>, going: Going<'_>) -> Result<BackupReport, Error> {
        let to = &std::path::absolute(to).map_err(Error::io(to))?;
        let partial = partial_of(to)?;
        if to.exists() || partial.exists() {
            let path = if to.exists() { to } else { &partial };
            let what = "it is there already; choose another name, or remove it".to_owned();
            return Err(Error::Backup { path: path.to_owned(), what });
        }
        make_private(&partial)?;
        let taken = self.back_up_into(&partial, plan, going).and_then(|report| {
            sync_all(&partial)?;
            fs::rename(&partial, to).map_err(Error::io(to))?;
            sync_folder(partial.parent().unwrap_or(Path::new("."))).map_err(Error::io(to))?;
            Ok(report)
        });
        if taken.is_err() {
            // Half a backup only takes space.
            let _ = fs::remove_dir_all(&partial);
        }
        taken
    }

    fn back_up_into(
        &self,
        to: &Path,
        plan: &BackupPlan<'_>,
        going: Going<'_>,
    ) -> Result<BackupReport, Error> {
        let mut copy = Copying::new(to, self.options(), going);
        let mut report = BackupReport { at: Some(plan.at), ..BackupReport::default() };
        let (from, into) = (self.layout().blobs(), to.join("blobs"));
        // Most of the work, before anybody has to wait.
        copy_blobs(&from, &into, &mut copy, &mut report)?;
        let (journal, records, (blobs, names)) = {
            let _held = self.lock_holds();
            let (journal, records) = self.snapshot(to, plan, &mut copy)?;
            (journal, records, copy_blobs(&from, &into, &mut copy, &mut report)?)
        };
        let mut entries = vec![copy.file(journal, "journal")?, records];
        let mut wanted = vec![PathBuf::from("store.json")];
        wanted.extend(plan.files.iter().cloned());
        for folder in plan.folders {
            wanted.extend(
                plain_files(&self.path().join(folder))?.into_iter().map(|name| Path::new(folder).join(name)),
            );
        }
        for path in wanted {
            let from = self.path().join(&path);
            let file = File::open(&from).map_err(Error::io(&from))?;
            let length = file.metadata().map_err(Error::io(&from))?.len();
            entries.push(copy.file(file.take(length), &name_of(&path)?)?);
        }
        (report.copied, report.blobs) = (copy.copied, blobs);
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            at: plan.at,
            program: format!("earwitness {}", env!("CARGO_PKG_VERSION")),
            files: entries,
            blobs,
            blob_names_sha256: names,
        };
        write_manifest(to, &manifest)?;
        Ok(report)
    }

    /// Opens the journal and writes the other records, both of one instant.
    fn snapshot(
        &self,
        to: &Path,
        plan: &BackupPlan<'_>,
        copy: &mut Copying<'_>,
    ) -> Result<(io::Take<File>, FileEntry), Error> {
        let path = to.join(RECORDS);
        let journalled: Vec<String> = self
            .trees()
            .kinds()
            .into_iter()
            .filter(|(_, journalled)| *journalled)
            .map(|(kind, _)| kind)
            .collect();
        let without: Vec<&str> =
            plan.without.iter().copied().chain(journalled.iter().map(String::as_str)).collect();
        let journal = self.lock_journal();
        if let Some(why) = journal.poisoned() {
            return Err(Error::Poisoned { path: self.path().to_owned(), why: why.to_owned() });
        }
        let name = self.layout().journal();
        // Rewriting gives the name to another file; this one stays as it is.
        let file = File::open(&name).map_err(Error::io(&name))?;
        let mut output = Hashing::new(copy.create(&path)?, copy);
        let exported = self.export_without(&mut BufWriter::with_capacity(PIECE_BYTES, &mut output), &without);
        let Hashing { hasher, bytes, refused, .. } = output;
        exported.map_err(|error| match (refused, error) {
            (Some(refused), _) => refused,
            // It is the copy that cannot be written.
            (None, Error::Io { source, .. }) => Error::io(&path)(source),
            (None, other) => other,
        })?;
        let end = journal.end();
        drop(journal);
        Ok((file.take(end), FileEntry { path: RECORDS.to_owned(), bytes, sha256: hasher.finish() }))
    }
}

/// What is written on the way to the final name.
fn partial_of(to: &Path) -> Result<PathBuf, Error> {
    let Some(name) = to.file_name() else {
        let what = "the folder needs a name of its own".to_owned();
        return Err(Error::Backup { path: to.to_owned(), what });
    };
    let mut partial = OsString::from(name);
    partial.push(".partial");
    Ok(to.with_file_name(partial))
}

/// Makes a folder that others cannot read: a store holds a signing key.
fn make_private(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::io(path))
}

/// The names of a folder's files that do not begin with a full stop, sorted; none where there is no folder.
fn plain_files(folder: &Path) -> Result<Vec<OsString>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io(folder))?;
        let is_file = entry.file_type().map_err(Error::io(folder))?.is_file();
        if is_file && !entry.file_name().as_encoded_bytes().starts_with(b".") {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

/// A path as the manifest spells it.
fn name_of(path: &Path) -> Result<String, Error> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| Error::Backup {
        path: path.to_owned(),
        what: "its name is no text that can be written down".to_owned(),
    })
}

/// The path that a manifest's name stands for; `None` where it would lead elsewhere.
pub(super) fn path_of(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let is_ours =
        path.iter().next().is_some_and(|first| first != "lock" && first != "trees" && first != "blobs");
    (is_plain && is_ours && !name.is_empty()).then_some(path)
}

/// Copies kept files that `into` lacks, and removes those that are no longer kept. Gives how many there are now, and the
/// digest of their names. A file whose bytes are not those of its name is copied as it is, and told.
pub(super) fn copy_blobs(
    from: &Path,
    into: &Path,
    copy: &mut Copying<'_>,
    report: &mut BackupReport,
) -> Result<(u64, Digest), Error> {
    let (mut count, mut hasher) = (0, Hasher::new());
    for first in 0..=u8::MAX {
        let prefix = format!("{first:02x}");
        let (source, target) = (from.join(&prefix), into.join(&prefix));
        let kept = blob_names(&source, &prefix)?;
        let there = blob_names(&target, &prefix)?;
        if !kept.is_empty() {
            fs::create_dir_all(&target).map_err(Error::io(&target))?;
        }
        for name in there.difference(&kept) {
            let path = target.join(name);
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
        for name in &kept {
            if !there.contains(name)
                && !copy_blob(&source.join(name), &target.join(name), name, copy, report)?
            {
                continue;
            }
            count += 1;
            hasher.update(format!("{name}\n").as_bytes());
        }
    }
    Ok((count, hasher.finish()))
}

/// Copies a kept file; whether it was still there.
fn copy_blob(
    from: &Path,
    to: &Path,
    name: &str,
    copy: &mut Copying<'_>,
    report: &mut BackupReport,
) -> Result<bool, Error> {
    let file = match File::open(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(Error::io(from))?,
    };
    let length = file.metadata().map_err(Error::io(from))?.len();
    let (_, digest) = copy.bytes(file.take(length), to)?;
    if digest.to_string() != name {
        report.problem(format!("the bytes of {} are not those of its name", from.display()));
    }
    Ok(true)
}

fn blob_names(folder: &Path, prefix: &str) -> Result<BTreeSet<String>, Error> {
    let is_digest = |name: &String| {
        name.len() == 64 && name.starts_with(prefix) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let names = plain_files(folder)?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).filter(is_digest).collect())
}

/// Copies files into a folder, minding the room there.
pub(super) struct Copying<'a> {
    to: PathBuf,
    options: Options,
    going: Going<'a>,
    pub(super) copied: Copied,
}

impl<'a> Copying<'a> {
    pub(super) fn new(to: &Path, options: Options, going: Going<'a>) -> Self {
        Self { to: to.to_owned(), options, going, copied: Copied::default() }
    }

    /// Copies bytes to where a manifest's name says.
    pub(super) fn file(&mut self, from: io::Take<File>, name: &str) -> Result<FileEntry, Error> {
        let path = self.to.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let (bytes, sha256) = self.bytes(from, &path)?;
        Ok(FileEntry { path: name.to_owned(), bytes, sha256 })
    }

    /// Makes a file that others cannot read: among them is a signing key.
    fn create(&self, path: &Path) -> Result<File, Error> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(Error::io(path))
    }

    fn check_room(&self, bytes: u64) -> Result<(), Error> {
        self.options.check_space(&self.to, self.options.keep_free_bytes.saturating_add(bytes))
    }

    /// Counts bytes, and asks whether to go on.
    fn go_on(&mut self, bytes: u64) -> Result<(), Error> {
        self.copied.bytes += bytes;
        if (self.going)(self.copied) { Ok(()) } else { Err(Error::Stopped { path: self.to.clone() }) }
    }

    /// Copies bytes into a new file; gives their number and digest.
    pub(super) fn bytes(&mut self, mut from: io::Take<File>, to: &Path) -> Result<(u64, Digest), Error> {
        self.check_room(from.limit())?;
        let mut output = self.create(to)?;
        let (mut hasher, mut bytes) = (Hasher::new(), 0);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let count = from.read(&mut piece).map_err(Error::io(to))?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            hasher.update(read);
            output.write_all(read).map_err(Error::io(to))?;
            bytes += count as u64;
            self.go_on(count as u64)?;
        }
        // Elsewhere the whole file system is synced at the end, which is much quicker than file by file.
        if cfg!(not(target_os = "linux")) {
            output.sync_all().map_err(Error::io(to))?;
        }
        self.copied.files += 1;
        Ok((bytes, hasher.finish()))
    }
}

/// Makes all that was written below a folder durable.
pub(super) fn sync_all(folder: &Path) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        let opened = File::open(folder).map_err(Error::io(folder))?;
        rustix::fs::syncfs(opened).map_err(|error| Error::io(folder)(error.into()))?;
    }
    sync_folder(folder).map_err(Error::io(folder))
}

/// Counts and digests what is written, minding the room.
struct Hashing<'c, 'g> {
    inner: File,
    copy: &'c mut Copying<'g>,
    hasher: Hasher,
    bytes: u64,
    /// Why nothing more is written.
    refused: Option<Error>,
}

impl<'c, 'g> Hashing<'c, 'g> {
    fn new(inner: File, copy: &'c mut Copying<'g>) -> Self {
        Self { inner, copy, hasher: Hasher::new(), bytes: 0, refused: None }
    }
}

impl Write for Hashing<'_, '_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let asked =
            self.copy.check_room(buffer.len() as u64).and_then(|()| self.copy.go_on(buffer.len() as u64));
        if let Err(refused) = asked {
            self.refused = Some(refused);
            return Err(io::Error::other("refused"));
        }
        let written = self.inner.write(buffer)?;
        self.hasher.update(buffer.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn write_manifest(to: &Path, manifest: &Manifest) -> Result<(), Error> {
    let path = to.join(MANIFEST);
    let encoded = |error: serde_json::Error| Error::io(&path)(error.into());
    let first = serde_json::to_string(manifest).map_err(encoded)?;
    let seal = serde_json::to_string(&Seal { sha256: Digest::of(first.as_bytes()) }).map_err(encoded)?;
    let text = format!("{first}\n{seal}\n");
    // What nobody could read is no backup.
    if text.len() as u64 > MANIFEST_BYTES_MAX {
        let what = format!("a manifest has at most {MANIFEST_BYTES_MAX} bytes: there are too many files");
        return Err(Error::Backup { path, what });
    }
    super::files::write_durably(&path, text.as_bytes()).map_err(Error::io(&path))
}

/// Reads what a backup says of itself.
pub(super) fn read_manifest(from: &Path) -> Result<Manifest, Error> {
    let path = from.join(MANIFEST);
    let damaged = |what: &str| Error::Backup { path: path.clone(), what: what.to_owned() };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged("there is no such file: this is no backup, or one that was cut off"));
        }
        file => file.map_err(Error::io(&path))?,
    };
    let mut text = String::new();
    file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text).map_err(Error::io(&path))?;
    let manifest = parse_manifest(&text).map_err(|what| damaged(&what))?;
    if manifest.version > VERSION {
        return Err(Error::Newer { path, found: manifest.version, known: VERSION });
    }
    Ok(manifest)
}

fn parse_manifest(text: &str) -> Result<Manifest, String> {
    let mut lines = text.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let seal: Seal = serde_json::from_str(second).map_err(|error| format!("line 2: {error}"))?;
    if seal.sha256 != Digest::of(first.as_bytes()) {
        return Err("line 1 is not what was written: its digest is another".to_owned());
    }
    let manifest: Manifest = serde_json::from_str(first).map_err(|error| format!("line 1: {error}"))?;
    if manifest.format != FORMAT {
        return Err("this is no backup of a store".to_owned());
    }
    Ok(manifest)
}

/// Where a backup's kept files are.
pub(super) fn blobs_of(backup: &Path) -> PathBuf {
    Layout::new(backup).blobs()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const GOLDEN: &str = include_str!("../../fingerprints/golden/backup-v1.jsonl");

    #[test]
    fn the_golden_manifest_is_read_and_written_to_the_letter() {
        let manifest = parse_manifest(GOLDEN).unwrap();
        assert_eq!((manifest.files.len(), manifest.blobs), (2, 1));
        let names = format!("{}\n", Digest::of(b"kept"));
        assert_eq!(manifest.blob_names_sha256, Digest::of(names.as_bytes()));
        let folder = tempfile::tempdir().unwrap();
        write_manifest(folder.path(), &manifest).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(MANIFEST)).unwrap(), GOLDEN);
        assert_eq!(read_manifest(folder.path()).unwrap(), manifest);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["", "/etc/passwd", "../store", "a/../b", "./a", "lock", "trees/db", "blobs/ab/x"] {
            assert_eq!(path_of(name), None, "{name}");
        }
        assert_eq!(path_of("index/0000000001.seg"), Some(PathBuf::from("index/0000000001.seg")));
    }

    #[test]
    fn a_changed_byte_anywhere_is_refused() {
        // Where the digits of the seal begin.
        let seal_at = GOLDEN.rfind(":\"").unwrap() + 2;
        for at in 0..GOLDEN.len() {
            let mut bytes = GOLDEN.as_bytes().to_vec();
            let was = bytes[at];
            for byte in (0x20..0x7f).filter(|byte| *byte != was) {
                bytes[at] = byte;
                let is_refused = parse_manifest(std::str::from_utf8(&bytes).unwrap()).is_err();
                // Digits of the seal may be written in either case, and its line may end in a space.
                let is_same_digit = was.is_ascii_hexdigit() && byte.eq_ignore_ascii_case(&was);
                let says_the_same = at >= seal_at && (is_same_digit || was == b'\n' && byte == b' ');
                assert!(is_refused || says_the_same, "{at}: {}", byte as char);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_manifest_or_told_why_not(text in "(?s).{0,300}") {
            let _ = parse_manifest(&text);
        }
    }
}
