//! Documents as files, never over one that may have been sent, and in the histories of their cases.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Error;
use super::export::{Batch, Ready};
use super::sift::Sifted;
use crate::base::Digest;
use crate::cases::{Forum, NoticeWritten, record_notice};
use crate::notice::{Form, LeftOut, NoticeFile};
use crate::store::Store;

/// A document that was written.
#[derive(Debug, Clone, Serialize)]
pub struct Written {
    /// What kind.
    pub form: Form,
    /// Its reference.
    pub number: String,
    /// The site's registrable domain.
    pub domain: String,
    /// The cases' identifiers.
    pub cases: Vec<String>,
    /// The first file of each format, by the format's name.
    #[serde(flatten)]
    pub paths: BTreeMap<&'static str, PathBuf>,
    /// All files.
    pub files: Vec<WrittenFile>,
    /// Addresses that it does not name, and why.
    pub left_out: Vec<LeftOut>,
}

/// A file that was written.
#[derive(Debug, Clone, Serialize)]
pub struct WrittenFile {
    /// Its format.
    pub format: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// What is known of whom a document goes to, by the site's domain.
pub(super) struct Addressee<'a> {
    /// Under which law.
    pub(super) forum_of: &'a dyn Fn(&str) -> Result<Forum, Error>,
    /// Under which other names.
    pub(super) also_of: &'a dyn Fn(&str) -> Vec<String>,
}

/// Writes a document's files, then records them in the histories of all its cases at once.
pub(super) fn write_and_record(
    store: &Store,
    ready: Ready,
    batch: &Batch<'_>,
    addressee: &Addressee<'_>,
) -> Result<Written, Error> {
    let Ready { notice, cases, files } = ready;
    let domain = cases.first().map(|one| one.case.domain.to_lowercase()).unwrap_or_default();
    let stem = format!("{}-{}-{}", notice.date, file_part(&domain), notice.form);
    let stem = free_stem(batch.out, &stem, &files)?;
    let mut written = Written {
        form: notice.form,
        number: notice.number,
        domain,
        cases: cases.iter().map(|one| one.case.case_id.clone()).collect(),
        paths: BTreeMap::new(),
        files: Vec::new(),
        left_out: notice.left_out,
    };
    for file in &files {
        let path = batch.out.join(name(&stem, file));
        write_whole(&path, &file.bytes)?;
        let format = file.format.as_str();
        written.paths.entry(format).or_insert_with(|| path.clone());
        written.files.push(WrittenFile { format, path, sha256: Digest::of(&file.bytes) });
    }
    let notices: Vec<(String, NoticeWritten)> = cases
        .into_iter()
        .map(|Sifted { case, urls, .. }| -> Result<_, Error> {
            let notice = NoticeWritten {
                notice_id: written.number.clone(),
                form: written.form,
                forum: (addressee.forum_of)(&case.domain)?,
                also: (addressee.also_of)(&case.domain),
                provider: case.domain,
                urls,
                actor: batch.actor.to_owned(),
                note: note(&written),
            };
            Ok((case.case_id, notice))
        })
        .collect::<Result<_, _>>()?;
    record_notice(store, &notices, batch.now)?;
    Ok(written)
}

fn note(written: &Written) -> String {
    let told = |file: &WrittenFile| format!("{} (SHA-256 {})", file.path.display(), file.sha256);
    let files: Vec<String> = written.files.iter().map(told).collect();
    format!("{} {}: {}", written.form, written.number, files.join(", "))
}

fn name(stem: &str, file: &NoticeFile) -> String {
    format!("{stem}{}.{}", file.suffix, file.format.as_str())
}

/// Finds a name that is free, or holds these very bytes: a notice that may have been sent is never written over.
fn free_stem(out: &Path, stem: &str, files: &[NoticeFile]) -> Result<String, Error> {
    let fits = |name: &str, bytes: &[u8]| match std::fs::read(out.join(name)) {
        Ok(known) => known == bytes,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    for n in 1..1_000 {
        let stem = if n == 1 { stem.to_owned() } else { format!("{stem}-{n}") };
        if files.iter().all(|file| fits(&name(&stem, file), &file.bytes)) {
            return Ok(stem);
        }
    }
    Err(Error::Unfit(format!("{} is full of documents named {stem}; choose another --out", out.display())))
}

/// A domain as a part of a file name: nothing in it can leave the folder.
fn file_part(domain: &str) -> String {
    let safe =
        domain.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' });
    safe.take(120).collect()
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`Error::Write`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".notice-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        // The folder is the user's own: the page is as readable as any other file there.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| Error::Write { path: path.to_owned(), source })
}
