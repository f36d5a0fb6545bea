//! The file itself: WACZ's own lists added, all entries packed, written whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::bundle::CAPTURES;
use super::capture::Capture;
use super::container::{Container, Part, write};
use super::error::Error;
use super::manifest::{
    DATAPACKAGE, DATAPACKAGE_DIGEST, Listed, MANIFEST, Manifest, SIGNATURE, TIMESTAMP, datapackage,
    datapackage_digest,
};
use super::reading;
use super::section::{ReadAt, Section};
use super::warc::{self, Page};
use crate::base::Digest;

/// The digest that a time-stamp of the bundle is asked for: that of its signature.
///
/// # Errors
/// [`Error::NotABundle`] when the file is none.
pub fn timestamp_imprint(bundle: &dyn ReadAt) -> Result<Digest, Error> {
    let container = Container::read(bundle).map_err(|fault| Error::NotABundle { what: fault.to_string() })?;
    let signature = container
        .get(SIGNATURE)
        .ok_or_else(|| Error::NotABundle { what: format!("it has no {SIGNATURE}") })?;
    Ok(signature.sha256)
}

/// Gives a bundle a time-stamp token, in place of one that it may have. Nothing else of it changes but WACZ's own lists.
///
/// The token is taken as it is: verify it first.
///
/// # Errors
/// [`Error::NotABundle`] when the file is none, [`Error::Io`] when it cannot be written.
pub fn attach_timestamp(path: &Path, token: &[u8]) -> Result<Digest, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let not = |what: String| Error::NotABundle { what: format!("{}: {what}", path.display()) };
    let container = Container::read(&file).map_err(|fault| not(fault.to_string()))?;
    let content = |name: &str| {
        let entry = container.get(name).ok_or_else(|| not(format!("it has no {name}")))?;
        Ok::<_, Error>(entry.content)
    };
    let manifest = reading::text(&content(MANIFEST)?, MANIFEST).map_err(not)?;
    let manifest = Manifest::parse(&manifest).map_err(|why| not(format!("{MANIFEST}: {why}")))?;
    let captures: Vec<Capture> = reading::json(&content(CAPTURES)?, CAPTURES).map_err(not)?;
    let replaced = [TIMESTAMP, DATAPACKAGE, DATAPACKAGE_DIGEST];
    let mut parts: Vec<Part<'_>> = Vec::new();
    for entry in container.entries().iter().filter(|entry| !replaced.contains(&entry.name.as_str())) {
        parts.push(Part { name: entry.name.clone(), content: entry.content });
    }
    parts.push(Part { name: TIMESTAMP.to_owned(), content: Section::of(token) });
    let pages = warc::pages_of(&captures);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let packed = pack(parts, &manifest, pages.first(), (folder, &manifest.case_id))?;
    let sha256 = packed.sha256;
    packed.keep_over(path)?;
    Ok(sha256)
}

/// A bundle that is written, and has no name yet.
pub(super) struct Packed {
    file: tempfile::NamedTempFile,
    folder: PathBuf,
    case_id: String,
    /// What its name begins with.
    stem: String,
    /// Its digest.
    pub(super) sha256: Digest,
    /// Its length.
    pub(super) bytes: u64,
}

/// Adds WACZ's own two documents and writes the archive into a temporary file of `folder`, synced.
pub(super) fn pack(
    parts: Vec<Part<'_>>,
    manifest: &Manifest,
    home: Option<&Page>,
    (folder, stem): (&Path, &str),
) -> Result<Packed, Error> {
    let mut parts: Vec<Part<'_>> = parts;
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut listed = Vec::with_capacity(parts.len());
    for Part { name, content } in &parts {
        let sums = content.sums().map_err(Error::io(name))?;
        listed.push(Listed { path: name.clone(), bytes: content.bytes, sha256: sums.sha256 });
    }
    let package = datapackage(manifest, &listed, home)?;
    let package_digest = datapackage_digest(&package)?;
    parts.push(Part { name: DATAPACKAGE.to_owned(), content: Section::of(&package) });
    parts.push(Part { name: DATAPACKAGE_DIGEST.to_owned(), content: Section::of(&package_digest) });
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let file = tempfile::Builder::new().prefix(".bundle-").tempfile_in(folder).map_err(Error::io(folder))?;
    let mut out = std::io::BufWriter::new(file.as_file());
    let named = |source| Error::Io { path: folder.join(format!("{}.wacz", manifest.case_id)), source };
    write(parts, &mut out).and_then(|()| out.flush()).map_err(named)?;
    drop(out);
    let whole = Section::all(file.as_file()).map_err(named)?;
    let (bytes, sha256) = (whole.bytes, whole.sums().map_err(named)?.sha256);
    // The folder is the user's own: the bundle is as readable as any other file there.
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(named)?;
    file.as_file().sync_all().map_err(named)?;
    let (folder, stem, case_id) = (folder.to_owned(), stem.to_owned(), manifest.case_id.clone());
    Ok(Packed { file, folder, case_id, stem, sha256, bytes })
}

impl Packed {
    /// Gives it the first name in its folder that is free: a bundle that may have been sent is never written over.
    pub(super) fn keep(self) -> Result<PathBuf, Error> {
        let Self { mut file, folder, case_id, stem, .. } = self;
        for number in 1..NAMES_MAX {
            let path = folder.join(name(&stem, number));
            match file.persist_noclobber(&path) {
                Ok(_) => return sync(&folder).map(|()| path),
                Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => file = error.file,
                Err(error) => return Err(Error::Io { path, source: error.error }),
            }
        }
        let what = format!("{} is full of bundles of it; choose another folder", folder.display());
        Err(Error::Bundle { case_id, what })
    }

    /// Puts it in place of a file of its folder.
    fn keep_over(self, path: &Path) -> Result<(), Error> {
        self.file.persist(path).map_err(|error| Error::Io { path: path.to_owned(), source: error.error })?;
        sync(&self.folder)
    }
}

/// Bundles of one case in one folder.
const NAMES_MAX: u32 = 10_000;

fn name(stem: &str, number: u32) -> String {
    if number == 1 { format!("{stem}.wacz") } else { format!("{stem}-{number}.wacz") }
}

fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder))
}

/// Whether a folder holds a bundle with these bytes, under one of the names that begin so.
pub(super) fn is_kept(folder: &Path, stem: &str, (sha256, bytes): (&Digest, u64)) -> bool {
    // Names are given out without a gap; one that was taken away leaves one, hence some more are looked at.
    const GAP_MAX: u32 = 100;
    let mut missing = 0;
    for number in 1..NAMES_MAX {
        let Ok(file) = File::open(folder.join(name(stem, number))) else {
            missing += 1;
            if missing > GAP_MAX {
                return false;
            }
            continue;
        };
        let whole = Section::all(&file).ok().filter(|whole| whole.bytes == bytes);
        if whole.is_some_and(|whole| whole.sums().is_ok_and(|sums| sums.sha256 == *sha256)) {
            return true;
        }
    }
    false
}
