//! The file itself: WACZ's own lists added, all entries packed, written whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::bundle::{CAPTURES, DOCUMENT_BYTES_MAX};
use super::capture::Capture;
use super::container::{Container, Part, write};
use super::error::Error;
use super::manifest::{
    DATAPACKAGE, DATAPACKAGE_DIGEST, Listed, MANIFEST, Manifest, SIGNATURE, TIMESTAMP, datapackage,
    datapackage_digest,
};
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
    let read = |name: &str| {
        let entry = container.get(name).ok_or_else(|| not(format!("it has no {name}")))?;
        entry.content.read(DOCUMENT_BYTES_MAX).map_err(Error::io(path))
    };
    let manifest = Manifest::parse(&read(MANIFEST)?).map_err(|why| not(format!("{MANIFEST}: {why}")))?;
    let captures: Vec<Capture> =
        serde_json::from_slice(&read(CAPTURES)?).map_err(|error| not(format!("{CAPTURES}: {error}")))?;
    let replaced = [TIMESTAMP, DATAPACKAGE, DATAPACKAGE_DIGEST];
    let mut parts: Vec<Part<'_>> = Vec::new();
    for entry in container.entries().iter().filter(|entry| !replaced.contains(&entry.name.as_str())) {
        parts.push(Part { name: entry.name.clone(), content: entry.content });
    }
    parts.push(Part { name: TIMESTAMP.to_owned(), content: Section::of(token) });
    let pages = warc::pages_of(&captures);
    let (_, sha256, _) = write_packed(parts, &manifest, pages.first(), &Place::Over(path))?;
    Ok(sha256)
}

/// Where a bundle is written.
pub(super) enum Place<'a> {
    /// Into a folder, under a name that is free and begins so.
    New(&'a Path, &'a str),
    /// In place of a file.
    Over(&'a Path),
}

/// Adds WACZ's own two documents and writes the archive; gives its path, digest and length.
pub(super) fn write_packed(
    parts: Vec<Part<'_>>,
    manifest: &Manifest,
    home: Option<&Page>,
    place: &Place<'_>,
) -> Result<(PathBuf, Digest, u64), Error> {
    let mut parts: Vec<Part<'_>> = parts.into_iter().collect();
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
    let folder = match place {
        Place::New(folder, _) => folder,
        Place::Over(path) => {
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
        }
    };
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
    let path = match place {
        Place::New(folder, stem) => keep_new(file, folder, (&manifest.case_id, stem))?,
        Place::Over(path) => {
            file.persist(path)
                .map_err(|error| Error::Io { path: (*path).to_owned(), source: error.error })?;
            (*path).to_owned()
        }
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder))?;
    Ok((path, sha256, bytes))
}

/// Gives a file the first name that is free: a bundle that may have been sent is never written over.
fn keep_new(
    mut file: tempfile::NamedTempFile,
    folder: &Path,
    (case_id, stem): (&str, &str),
) -> Result<PathBuf, Error> {
    const NAMES_MAX: u32 = 10_000;
    for number in 1..NAMES_MAX {
        let name = if number == 1 { format!("{stem}.wacz") } else { format!("{stem}-{number}.wacz") };
        let path = folder.join(name);
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => file = error.file,
            Err(error) => return Err(Error::Io { path, source: error.error }),
        }
    }
    let what = format!("{} is full of bundles of it; choose another folder", folder.display());
    Err(Error::Bundle { case_id: case_id.to_owned(), what })
}
