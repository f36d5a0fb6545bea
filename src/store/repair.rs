//! Looking after a store: figures, a check of everything, and making it anew from what is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::files::{self, Layout, Session};
use super::journal::{self, HEADER_BYTES, Reader, Step};
use super::opening::{changes_of, open_reader};
use super::trees::{Mark, Trees};
use super::{Error, Options, Store, line};
use crate::base::Hasher;

/// How large the frames of a rescued journal are, in bytes, about.
const FRAME_BYTES: usize = 1 << 20;

/// How many problems a check lists.
const PROBLEMS_MAX: usize = 1000;

/// The figures of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Each kind of record.
    pub kinds: Vec<KindStats>,
    /// The journal's length in bytes.
    pub journal_bytes: u64,
    /// What the trees take on disk, in bytes.
    pub trees_bytes: u64,
    /// How many large things are kept in files.
    pub blobs: u64,
    /// What they take, in bytes.
    pub blob_bytes: u64,
    /// What is free on the file system, in bytes.
    pub free_bytes: u64,
}

/// The figures of one kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindStats {
    /// The kind.
    pub kind: String,
    /// Whether it is journalled.
    pub journalled: bool,
    /// How many records there are.
    pub records: u64,
    /// The length of their keys and values, in bytes.
    pub bytes: u64,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Records in the journal that are live, each compared with its tree.
    pub records: u64,
    /// Files whose bytes were compared with their name.
    pub blobs: u64,
    /// What is wrong, of the first 1,000; empty when all is well.
    pub problems: Vec<String>,
}

/// What a rebuilding found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    /// Records there are now, of all kinds.
    pub records: u64,
    /// Stretches of the journal that could not be read.
    pub gaps: Vec<Gap>,
    /// Whether the old trees still had what stood in the gaps, so that nothing was lost.
    pub recovered_from_trees: bool,
    /// Damaged files that were kept for inspection.
    pub set_aside: Vec<PathBuf>,
}

/// A stretch of the journal that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Store {
    /// Returns the figures of the store.
    ///
    /// # Errors
    /// [`Error`] when the store cannot be read.
    pub fn stats(&self) -> Result<Stats, Error> {
        let engine = |source| Error::Engine { path: self.path().to_owned(), source };
        let mut kinds = Vec::new();
        for (kind, journalled) in self.trees().kinds() {
            let mut stats = KindStats { kind, journalled, records: 0, bytes: 0 };
            for entry in &self.trees().tree(&stats.kind, journalled).map_err(engine)? {
                let (key, value) = entry.map_err(engine)?;
                stats.records += 1;
                stats.bytes += (key.len() + value.len()) as u64;
            }
            kinds.push(stats);
        }
        let (mut blobs, mut blob_bytes) = (0, 0);
        let root = self.layout().blobs();
        self.blobs()
            .for_each(|path| {
                blobs += 1;
                blob_bytes += fs::metadata(path).map_or(0, |metadata| metadata.len());
            })
            .map_err(Error::io(&root))?;
        Ok(Stats {
            kinds,
            journal_bytes: self.lock_journal().end(),
            trees_bytes: self.trees().size_on_disk().map_err(engine)?,
            blobs,
            blob_bytes,
            free_bytes: files::system_free_space(self.path()).map_err(Error::io(self.path()))?,
        })
    }

    /// Compares the trees with the journal and each large thing with its digest.
    ///
    /// # Errors
    /// [`Error`] when the store cannot be read at all.
    pub fn check(&self) -> Result<CheckReport, Error> {
        let mut report = CheckReport::default();
        // Held throughout: a commit in between would look like a difference.
        let _journal = self.lock_journal();
        let live = self.live_in_journal()?;
        report.records = live.len() as u64;
        self.compare_trees(&live, &mut report)?;
        let root = self.layout().blobs();
        self.blobs()
            .for_each(|path| {
                report.blobs += 1;
                check_blob(path, &mut report);
            })
            .map_err(Error::io(&root))?;
        Ok(report)
    }

    /// Returns the checksum of each live record in the journal.
    fn live_in_journal(&self) -> Result<BTreeMap<(String, String), u32>, Error> {
        let path = self.layout().journal();
        let mut reader = open_reader(&path)?;
        let mut live = BTreeMap::new();
        loop {
            match reader.step().map_err(Error::io(&path))? {
                Step::Frame { payload, end } => {
                    let changes = changes_of(&payload).map_err(|what| Error::Damaged {
                        path: path.clone(),
                        offset: end,
                        what,
                    })?;
                    for change in changes {
                        let key = (change.kind, change.key);
                        match change.value {
                            Some(value) => live.insert(key, crc32fast::hash(&value)),
                            None => live.remove(&key),
                        };
                    }
                }
                Step::End => return Ok(live),
                Step::Torn { offset, what } | Step::Damaged { offset, what, .. } => {
                    return Err(Error::Damaged { path, offset, what: what.to_owned() });
                }
            }
        }
    }

    fn compare_trees(
        &self,
        live: &BTreeMap<(String, String), u32>,
        report: &mut CheckReport,
    ) -> Result<(), Error> {
        let engine = |source| Error::Engine { path: self.path().to_owned(), source };
        for ((kind, key), crc) in live {
            let kept = self.trees().tree(kind, true).map_err(engine)?.get(key).map_err(engine)?;
            match kept {
                None => report.problem(format!("{kind} `{key}` is in the journal but not in its tree")),
                Some(value) if crc32fast::hash(&value) != *crc => {
                    report.problem(format!("{kind} `{key}` differs between the journal and its tree"));
                }
                Some(_) => {}
            }
        }
        for (kind, journalled) in self.trees().kinds() {
            for entry in &self.trees().tree(&kind, journalled).map_err(engine)? {
                let key = String::from_utf8_lossy(&entry.map_err(engine)?.0).into_owned();
                if journalled && !live.contains_key(&(kind.clone(), key.clone())) {
                    report.problem(format!("{kind} `{key}` is in its tree but not in the journal"));
                }
            }
        }
        Ok(())
    }

    /// Makes the trees anew from the journal, after cutting out of the journal what is damaged; where the old
    /// trees still have what stood there, it is taken from them. Records that are not journalled are carried over
    /// if the old trees can still be read. Damaged files are kept beside the new ones.
    ///
    /// # Errors
    /// [`Error`] when the folder is in use or cannot be written.
    pub fn rebuild(path: &Path, options: Options) -> Result<RebuildReport, Error> {
        let layout = Layout::new(path);
        let mut report = RebuildReport::default();
        {
            let _session = Session::begin(&layout)?;
            options.check_space(path, options.keep_free_bytes)?;
            files::check_version(&layout)?;
            let old = Trees::open(&layout.trees()).ok();
            mend_journal(&layout, old.as_ref(), &mut report)?;
            drop(old);
            renew_trees(&layout, &mut report)?;
        }
        let store = Self::open_with(path, options)?;
        for (kind, journalled) in store.trees().kinds() {
            report.records +=
                store.trees().tree(&kind, journalled).map_err(Error::engine(path))?.len() as u64;
        }
        Ok(report)
    }

    /// Rewrites the journal so that it holds only what is live. Opening does so by itself when the journal has
    /// grown to more than four times that.
    ///
    /// # Errors
    /// [`Error`] when it cannot be written; the old journal stays then.
    pub fn compact(&self) -> Result<(), Error> {
        let mut journal = self.lock_journal();
        super::opening::rewrite_journal(self.layout(), self.trees(), &mut journal)
    }
}

impl CheckReport {
    fn problem(&mut self, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(message);
        }
    }
}

fn check_blob(path: &Path, report: &mut CheckReport) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match digest_of_file(path) {
        Ok(digest) if digest == name => {}
        Ok(digest) => report.problem(format!("{}: its bytes have the digest {digest}", path.display())),
        Err(error) => report.problem(format!("{}: {error}", path.display())),
    }
}

fn digest_of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish().to_string()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// What is left of a journal.
#[derive(Default)]
struct Survey {
    generation: Option<u64>,
    gaps: Vec<Gap>,
    length: u64,
}

/// Replaces a journal that is missing or damaged by one of all that can be read, and keeps the old one.
pub(super) fn mend_journal(
    layout: &Layout,
    trees: Option<&Trees>,
    report: &mut RebuildReport,
) -> Result<(), Error> {
    let path = layout.journal();
    let mark = trees.map(Trees::mark).and_then(Result::ok).unwrap_or_default();
    let survey = survey(&path, mark.applied)?;
    let torn_only = survey.gaps.is_empty() && survey.length >= mark.applied;
    if survey.generation.is_some() && torn_only {
        return Ok(());
    }
    let same_journal = survey.generation.is_none_or(|generation| generation == mark.generation);
    let covered = mark.applied > HEADER_BYTES
        && same_journal
        && survey.gaps.iter().all(|gap| gap.offset + gap.bytes <= mark.applied);
    let generation = survey.generation.unwrap_or(mark.generation).max(mark.generation) + 1;
    if survey.length > 0 {
        let aside = free_name(&layout.root, "journal.damaged");
        fs::copy(&path, &aside).map_err(Error::io(&aside))?;
        report.set_aside.push(aside);
    }
    report.gaps = survey.gaps;
    report.recovered_from_trees = covered;
    let from_trees = if covered { trees } else { None };
    let skip_to = if covered { mark.applied } else { HEADER_BYTES };
    rescue(&path, generation, from_trees, skip_to)
}

/// Walks the journal and notes what cannot be read; a torn end behind `written` is no damage.
fn survey(path: &Path, written: u64) -> Result<Survey, Error> {
    if !path.exists() {
        return Ok(Survey::default());
    }
    let (mut reader, generation) = match open_reader(path) {
        Ok(reader) => {
            let generation = reader.generation();
            (reader, Some(generation))
        }
        Err(Error::Damaged { .. }) => (open_ignoring_header(path)?, None),
        Err(other) => return Err(other),
    };
    let mut survey = Survey { generation, gaps: Vec::new(), length: reader.length() };
    if generation.is_none() {
        survey.gaps.push(Gap { offset: 0, bytes: HEADER_BYTES.min(reader.length()) });
    }
    let mut last_end = HEADER_BYTES;
    loop {
        match reader.step().map_err(Error::io(path))? {
            Step::Frame { payload, end } => {
                if changes_of(&payload).is_err() {
                    survey.gaps.push(Gap { offset: last_end, bytes: end - last_end });
                }
                last_end = end;
            }
            Step::End => return Ok(survey),
            Step::Torn { offset, .. } if offset >= written => return Ok(survey),
            Step::Torn { offset, .. } => {
                survey.gaps.push(Gap { offset, bytes: survey.length - offset });
                return Ok(survey);
            }
            Step::Damaged { offset, resumes, .. } => {
                survey.gaps.push(Gap { offset, bytes: resumes - offset });
                last_end = resumes;
            }
        }
    }
}

fn open_ignoring_header(path: &Path) -> Result<Reader<BufReader<File>>, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    Reader::ignoring_header(BufReader::new(file)).map_err(Error::io(path))
}

/// Writes a new journal in place of the old: the records of `trees`, if given, then each whole frame of the old
/// journal that ends behind `skip_to`.
fn rescue(path: &Path, generation: u64, trees: Option<&Trees>, skip_to: u64) -> Result<(), Error> {
    let mut reader = if path.exists() { Some(open_ignoring_header(path)?) } else { None };
    let frames = std::iter::from_fn(|| {
        let reader = reader.as_mut()?;
        loop {
            match reader.step() {
                // A frame that is whole but cannot be read would make the new journal unreadable as well.
                Ok(Step::Frame { payload, end }) if end > skip_to && changes_of(&payload).is_ok() => {
                    return Some(Ok(payload));
                }
                Ok(Step::Frame { .. } | Step::Damaged { .. }) => {}
                Ok(Step::End | Step::Torn { .. }) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    });
    let from_trees = journal::frames_of(trees.into_iter().flat_map(tree_lines), FRAME_BYTES);
    journal::create(path, generation, from_trees.chain(frames)).map(drop).map_err(Error::io(path))
}

/// Returns the journalled records of the trees as lines.
fn tree_lines(trees: &Trees) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let kinds = trees.kinds().into_iter().filter(|(_, journalled)| *journalled);
    kinds.flat_map(|(kind, _)| {
        let (entries, error) = match trees.tree(&kind, true) {
            Ok(tree) => (Some(tree.iter()), None),
            Err(error) => (None, Some(Err(error.into()))),
        };
        let lines = entries.into_iter().flatten().map(move |entry| {
            let (key, value) = entry?;
            let mut text = Vec::new();
            line::encode(&kind, &String::from_utf8_lossy(&key), Some(&value), &mut text);
            Ok(text)
        });
        error.into_iter().chain(lines)
    })
}

/// Puts fresh trees in place of the old, with those records of the old that are not journalled.
fn renew_trees(layout: &Layout, report: &mut RebuildReport) -> Result<(), Error> {
    let (path, old) = (layout.trees(), layout.broken_trees());
    files::remove_folder(&old).map_err(Error::io(&old))?;
    if path.exists() {
        fs::rename(&path, &old).map_err(Error::io(&path))?;
    }
    // In a thread of its own, since the engine panics on some damage.
    let (from, to) = (old.clone(), path.clone());
    let carried = std::thread::spawn(move || {
        let (from, to) = (Trees::open(&from).ok()?, Trees::open(&to).ok()?);
        from.copy_to(&to, |journalled| !journalled).ok()?;
        let live_other = from.mark().ok()?.live_other;
        to.set_mark(Mark { live_other, ..Mark::default() }).ok()
    });
    if matches!(carried.join(), Ok(Some(()))) {
        return files::remove_folder(&old).map_err(Error::io(&old));
    }
    tracing::warn!("what was not journalled could not be read and is lost: crawl progress and caches");
    files::remove_folder(&path).map_err(Error::io(&path))?;
    report.set_aside.push(old);
    Ok(())
}

fn free_name(folder: &Path, stem: &str) -> PathBuf {
    let mut path = folder.join(stem);
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = folder.join(format!("{stem}.{number}"));
    }
    path
}
