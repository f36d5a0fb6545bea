//! Large things, in files named by the SHA-256 of their bytes: `blobs/ab/ab12…`.
//!
//! A file is written under a temporary name, synced and renamed, so that a name always stands for whole bytes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Error;
use super::engine::Options;
use super::files::sync_folder;
use crate::base::{Digest, Hasher};

/// How many bytes are written between two looks at the free space.
const SPACE_CHECK_BYTES: u64 = 16 << 20;

/// The files of a store, by digest.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
    options: Options,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was not there before.
    pub new: bool,
}

impl Blobs {
    pub(super) fn new(root: PathBuf, options: Options) -> Self {
        Self { root, options }
    }

    /// Returns where the bytes with `digest` are, or would be.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(name)
    }

    /// Returns whether the bytes with `digest` are kept.
    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Keeps `bytes`.
    ///
    /// # Errors
    /// As [`BlobWriter::finish`].
    pub fn put(&self, bytes: &[u8]) -> Result<StoredBlob, Error> {
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(Error::io(&self.root))?;
        writer.finish()
    }

    /// Starts a file whose digest is not known yet. It is kept by [`BlobWriter::finish`], else forgotten.
    ///
    /// # Errors
    /// [`Error::NoSpace`] below the floor, [`Error::Io`] when the folder cannot be written.
    pub fn writer(&self) -> Result<BlobWriter, Error> {
        let folder = self.root.join("tmp");
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        self.options.check_space(&folder, self.options.keep_free_bytes)?;
        let file = tempfile::NamedTempFile::new_in(&folder).map_err(Error::io(&folder))?;
        Ok(BlobWriter { blobs: self.clone(), file, hasher: Hasher::new(), bytes: 0, unchecked: 0 })
    }

    /// Calls `each` with the path of every file, in the order of the digests.
    pub(super) fn for_each(&self, mut each: impl FnMut(&Path)) -> io::Result<()> {
        for folder in sorted(&self.root)? {
            if folder.file_name().is_some_and(|name| name.len() == 2) {
                sorted(&folder)?.iter().for_each(|path| each(path));
            }
        }
        Ok(())
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Takes bytes, hashes them on the way, and keeps them under their digest at the end.
pub struct BlobWriter {
    blobs: Blobs,
    file: tempfile::NamedTempFile,
    hasher: Hasher,
    bytes: u64,
    unchecked: u64,
}

impl BlobWriter {
    /// Returns how many bytes were taken so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the temporary file, for reading what was written before it is kept.
    #[must_use]
    pub fn temporary_path(&self) -> &Path {
        self.file.path()
    }

    /// Syncs the bytes and keeps them under their digest.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be synced or renamed; nothing is kept then.
    pub fn finish(self) -> Result<StoredBlob, Error> {
        let digest = self.hasher.finish();
        let path = self.blobs.path(&digest);
        let stored = |new| StoredBlob { digest, bytes: self.bytes, path: path.clone(), new };
        if path.is_file() {
            return Ok(stored(false));
        }
        self.file.as_file().sync_all().map_err(Error::io(self.file.path()))?;
        let folder = path.parent().unwrap_or(&self.blobs.root);
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        self.file.persist(&path).map_err(|error| Error::Io { path: path.clone(), source: error.error })?;
        sync_folder(folder).map_err(Error::io(folder))?;
        sync_folder(&self.blobs.root).map_err(Error::io(&self.blobs.root))?;
        Ok(stored(true))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.unchecked >= SPACE_CHECK_BYTES {
            self.unchecked = 0;
            let options = &self.blobs.options;
            options.check_space(&self.blobs.root, options.keep_free_bytes).map_err(|error| match error {
                Error::Io { source, .. } => source,
                other => io::Error::new(io::ErrorKind::StorageFull, other.to_string()),
            })?;
        }
        let written = self.file.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        self.unchecked += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
