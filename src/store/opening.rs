//! How a store is opened: lock, version, journal, trees, and the replay of what the trees lack.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use super::engine::{Options, Store};
use super::files::{self, Layout, Session};
use super::journal::{self, HEADER_BYTES, HeaderError, Journal, Reader, Step};
use super::record::Change;
use super::trees::{Mark, OpenError, Trees};
use super::{Error, line};

/// A file is rewritten when it has grown to more than this many times what is live in it …
const GROWTH_MAX: u64 = 4;

/// … and is larger than this, in bytes: below, the work is not worth it.
pub(super) const JOURNAL_COMPACT_BYTES_MIN: u64 = 8 << 20;

/// As above, for the trees, whose empty files alone take two of the engine's segments.
const TREES_COMPACT_BYTES_MIN: u64 = 64 << 20;

type FileReader = Reader<BufReader<File>>;

pub(super) fn open(path: &Path, options: Options) -> Result<Store, Error> {
    let layout = Layout::new(path);
    let session = Session::begin(&layout)?;
    open_held(layout, session, options)
}

/// As [`open`], for whoever makes a store of a backup.
pub(super) fn open_restoring(path: &Path, options: Options) -> Result<Store, Error> {
    let layout = Layout::new(path);
    let session = Session::begin_restoring(&layout)?;
    open_held(layout, session, options)
}

fn open_held(layout: Layout, session: Session, options: Options) -> Result<Store, Error> {
    let path = layout.root.as_path();
    options.check_space(path, options.keep_free_bytes / 4)?;
    files::check_version(&layout)?;
    remove_leftovers(&layout)?;
    let mut trees = open_trees(&layout)?;
    let mut journal = open_journal(&layout, &trees, session.machine_went_down())?;
    if options.check_space(path, options.keep_free_bytes).is_ok() {
        compact_journal(&layout, &trees, &mut journal)?;
        trees = compact_trees(&layout, trees)?;
    }
    Ok(Store::assemble(trees, journal, layout, options, session))
}

/// Removes what a killed process left half done; everything that counts is under its final name.
fn remove_leftovers(layout: &Layout) -> Result<(), Error> {
    let half_journal = layout.journal().with_extension("new");
    if half_journal.exists() {
        fs::remove_file(&half_journal).map_err(Error::io(&half_journal))?;
    }
    for folder in [layout.trees().with_extension("new"), layout.blobs().join("tmp")] {
        files::remove_folder(&folder).map_err(Error::io(&folder))?;
    }
    let old = layout.trees().with_extension("old");
    if old.exists() && !layout.trees().exists() {
        return fs::rename(&old, layout.trees()).map_err(Error::io(&old));
    }
    files::remove_folder(&old).map_err(Error::io(&old))
}

/// Opens the trees; damaged ones are set aside and begun anew, to be filled from the journal.
fn open_trees(layout: &Layout) -> Result<Trees, Error> {
    let path = layout.trees();
    let locked = |opened: &_| matches!(opened, Err(OpenError::Outside(error)) if is_locked(error));
    match files::patiently(|| Trees::open(&path), locked) {
        Ok(trees) => Ok(trees),
        Err(OpenError::Outside(source)) => Err(outside(layout, source)),
        Err(OpenError::Damaged(what)) => {
            let aside = layout.broken_trees();
            tracing::warn!(
                "the trees are damaged ({what}); setting them aside as {} and reading the journal again",
                aside.display()
            );
            files::remove_folder(&aside).map_err(Error::io(&aside))?;
            fs::rename(&path, &aside).map_err(Error::io(&path))?;
            Trees::open(&path).map_err(|error| match error {
                OpenError::Outside(source) => outside(layout, source),
                OpenError::Damaged(what) => Error::Damaged { path, offset: 0, what },
            })
        }
    }
}

fn outside(layout: &Layout, source: sled::Error) -> Error {
    if is_locked(&source) {
        return Error::Locked { path: layout.root.clone(), pid: None };
    }
    Error::Engine { path: layout.root.clone(), source }
}

/// Returns whether this is the engine's own lock: some other program than ours has the trees open.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// Opens the journal, or makes one, and brings into the trees what they lack.
fn open_journal(layout: &Layout, trees: &Trees, distrust_trees: bool) -> Result<Journal, Error> {
    let path = layout.journal();
    let mark = trees.mark().map_err(Error::engine(&layout.root))?;
    if !path.exists() {
        if mark.applied > HEADER_BYTES {
            let what = "the journal is missing, though the trees were made from one".to_owned();
            return Err(Error::Damaged { path, offset: 0, what });
        }
        journal::create(&path, 1, []).map_err(Error::io(&path))?;
    }
    let mut reader = open_reader(&path)?;
    let same_journal = mark.generation == reader.generation();
    let written = if same_journal { mark.applied } else { HEADER_BYTES };
    if written > reader.length() {
        let what = format!("the file ends here, though records up to byte {written} were written");
        return Err(Error::Damaged { path, offset: reader.length(), what });
    }
    let mut applied = written;
    if !same_journal || distrust_trees {
        tracing::debug!("reading the whole journal again");
        applied = HEADER_BYTES;
        trees.clear_journalled(reader.generation(), applied).map_err(Error::engine(&layout.root))?;
    }
    let end = replay(layout, trees, &mut reader, &Known { written, applied })?;
    Journal::open(&path, reader.generation(), end).map_err(Error::io(&path))
}

/// What the trees tell of the journal, as offsets behind a frame.
struct Known {
    /// Up to here the journal was surely written and synced once.
    written: u64,
    /// Up to here the trees have it.
    applied: u64,
}

pub(super) fn open_reader(path: &Path) -> Result<FileReader, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let path = path.to_owned();
    Reader::new(BufReader::new(file)).map_err(|error| match error {
        HeaderError::Io(source) => Error::Io { path, source },
        HeaderError::Damaged(what) => Error::Damaged { path, offset: 0, what: what.to_owned() },
        HeaderError::Newer { found, known } => {
            Error::Newer { path, found: found.into(), known: known.into() }
        }
    })
}

/// Walks the whole journal, so that damage anywhere is seen, and applies the frames that the trees lack. Gives the
/// offset behind the last whole frame.
fn replay(layout: &Layout, trees: &Trees, reader: &mut FileReader, known: &Known) -> Result<u64, Error> {
    let path = layout.journal();
    let mut good_end = HEADER_BYTES;
    loop {
        match reader.step().map_err(Error::io(&path))? {
            Step::End => return Ok(good_end),
            Step::Frame { payload, end } => {
                if end > known.applied {
                    let changes = changes_of(&payload).map_err(|what| Error::Damaged {
                        path: path.clone(),
                        offset: good_end,
                        what,
                    })?;
                    trees.apply(&changes, reader.generation(), end).map_err(Error::engine(&layout.root))?;
                }
                good_end = end;
            }
            // What the trees had applied was whole and synced once, so this is no append that was cut off.
            Step::Torn { offset, what } if offset < known.written => {
                return Err(Error::Damaged { path, offset, what: what.to_owned() });
            }
            Step::Torn { offset, what } => {
                tracing::warn!(
                    "{}: dropping {} bytes of a write that was cut off at byte {offset} ({what})",
                    path.display(),
                    reader.length() - offset
                );
                return Ok(good_end);
            }
            Step::Damaged { offset, resumes, what } => {
                let what = format!("{what}; whole records follow from byte {resumes}");
                return Err(Error::Damaged { path, offset, what });
            }
        }
    }
}

/// Reads the changes of a frame.
pub(super) fn changes_of(payload: &[u8]) -> Result<Vec<Change>, String> {
    let lines = payload.split_inclusive(|&byte| byte == b'\n');
    lines
        .map(|bytes| {
            let line::Operation { kind, key, value } =
                line::decode(bytes).map_err(|error| error.to_string())?;
            Ok(Change { kind, journalled: true, key, value })
        })
        .collect()
}

/// Rewrites the journal when most of it is no longer live.
pub(super) fn compact_journal(layout: &Layout, trees: &Trees, journal: &mut Journal) -> Result<(), Error> {
    let mark = trees.mark().map_err(Error::engine(&layout.root))?;
    let limit = JOURNAL_COMPACT_BYTES_MIN.max(mark.live_journalled.saturating_mul(GROWTH_MAX));
    if journal.end() > limit {
        rewrite_journal(layout, trees, journal)?;
    }
    Ok(())
}

/// Rewrites the journal so that it holds only what is live.
///
/// A kill between the rewriting and the new mark costs a replay: the next opening sees another generation.
pub(super) fn rewrite_journal(layout: &Layout, trees: &Trees, journal: &mut Journal) -> Result<(), Error> {
    let path = layout.journal();
    let (generation, length) = journal::compact(&path).map_err(|source| {
        // It may have failed before or after the new journal took the old one's name.
        if !open_reader(&path).is_ok_and(|reader| reader.generation() == journal.generation()) {
            journal.poison(format!("rewriting the journal: {source}"));
        }
        Error::Io { path: path.clone(), source }
    })?;
    let renewed = trees
        .mark()
        .and_then(|mark| trees.set_mark(Mark { generation, applied: length, ..mark }))
        .map_err(Error::engine(&layout.root))
        .and_then(|()| Journal::open(&path, generation, length).map_err(Error::io(&path)));
    match renewed {
        Ok(renewed) => *journal = renewed,
        Err(error) => {
            // The open file is no longer the one that has the journal's name.
            journal.poison(format!("rewriting the journal: {error}"));
            return Err(error);
        }
    }
    Ok(())
}

/// Copies the trees into fresh ones when most of their space is no longer live: the engine gives none back.
fn compact_trees(layout: &Layout, trees: Trees) -> Result<Trees, Error> {
    let engine = |source| Error::Engine { path: layout.root.clone(), source };
    let mark = trees.mark().map_err(engine)?;
    let live = mark.live_journalled.saturating_add(mark.live_other);
    let limit = TREES_COMPACT_BYTES_MIN.max(live.saturating_mul(GROWTH_MAX));
    if trees.size_on_disk().map_err(engine)? > limit { rewrite_trees(layout, trees) } else { Ok(trees) }
}

/// Copies the trees into fresh ones. A kill at any instant leaves the old trees or the new ones.
pub(super) fn rewrite_trees(layout: &Layout, trees: Trees) -> Result<Trees, Error> {
    let (path, new, old) =
        (layout.trees(), layout.trees().with_extension("new"), layout.trees().with_extension("old"));
    let fresh = open_trees_at(layout, &new)?;
    let copied = trees.copy_to(&fresh, |_| true).and_then(|()| fresh.set_mark(trees.mark()?));
    copied.map_err(Error::engine(&layout.root))?;
    drop(fresh);
    drop(trees);
    let data = new.join("db");
    File::open(&data).and_then(|file| file.sync_all()).map_err(Error::io(&data))?;
    fs::rename(&path, &old).map_err(Error::io(&path))?;
    fs::rename(&new, &path).map_err(Error::io(&new))?;
    files::sync_folder(&layout.root).map_err(Error::io(&layout.root))?;
    files::remove_folder(&old).map_err(Error::io(&old))?;
    open_trees_at(layout, &path)
}

fn open_trees_at(layout: &Layout, path: &Path) -> Result<Trees, Error> {
    Trees::open(path).map_err(|error| match error {
        OpenError::Outside(source) => outside(layout, source),
        OpenError::Damaged(what) => Error::Damaged { path: path.to_owned(), offset: 0, what },
    })
}
