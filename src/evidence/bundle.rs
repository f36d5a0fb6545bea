//! From captures and documents to the signed file.
//!
//! - [`Draft::begin`]: writes the web archive aside, and says where the media is in it, so that the match can be replayed.
//! - [`Draft::add`]: documents, pictures, excerpts: whatever else belongs to the case.
//! - [`Draft::seal`]: lists, signs and writes all of it as one file, and records its root in the store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::annex::{ANNEX, ANNEX_BYTES, Annex};
use super::capture::Capture;
use super::container::Part;
use super::error::Error;
use super::keys::SigningKey;
use super::made::{BundleRecord, PendingBundle, settle};
use super::manifest::{Listed, MANIFEST, Manifest, SIGNATURE, Signature, TIMESTAMP, UNLISTED, document};
use super::packing::{Packed, pack};
use super::redaction::Redaction;
use super::replay::MediaPlace;
use super::section::Section;
use super::warc::{self, Page};
use super::withheld::{WITHHELD, WithheldKind};
use crate::base::{Digest, Timestamp};
use crate::store::{Blobs, Store};

pub(super) const ARCHIVE: &str = "archive/data.warc";
pub(super) const INDEX: &str = "indexes/index.cdxj";
pub(super) const PAGES: &str = "pages/pages.jsonl";
pub(super) const CAPTURES: &str = "earwitness/captures.json";

/// The longest document of a bundle that is read into memory, in bytes; the archive is not.
pub const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// Asks for a time-stamp token (RFC 3161) over a digest; gives its DER bytes, or why there is none, in a line.
pub type Stamp<'a> = dyn Fn(&Digest) -> Result<Vec<u8>, String> + 'a;

/// A bundle in the making.
pub struct Draft<'a> {
    store: &'a Store,
    case_id: String,
    made_at: Timestamp,
    archive: File,
    media: MediaPlace,
    pages: Vec<Page>,
    entries: BTreeMap<String, Vec<u8>>,
    /// What is taken out of each document, where the bundle is a redacted one.
    redaction: Option<Redaction>,
    /// The whole bundle, sealed.
    annex: Option<File>,
    sealed_root: Option<Digest>,
}

/// A bundle that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// The case.
    pub case_id: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Its Merkle root.
    pub root: Digest,
    /// The key that signed it.
    pub key_id: Digest,
    /// Why there is no time-stamp, where one was asked for.
    pub timestamp_error: Option<String>,
}

impl<'a> Draft<'a> {
    /// Writes the web archive of `captures` into a temporary file. `media` is the digest of the case's file.
    ///
    /// # Errors
    /// [`Error::Missing`] and [`Error::Damaged`] where the store no longer has the media as it was; [`Error::Bundle`] where
    /// the archive cannot be made; [`Error::Io`].
    pub fn begin(
        store: &'a Store,
        case_id: &str,
        made_at: Timestamp,
        captures: &[Capture],
        media: &Digest,
    ) -> Result<Self, Error> {
        Self::begun(store, (case_id, made_at), captures, media, None)
    }

    /// As [`Draft::begin`], of a bundle that leaves out what is about people: bodies but the media's, pictures and titles of pages,
    /// cookies, passwords and tokens, who of us wrote what. All documents that are added as JSON lose the same. The whole bundle goes
    /// inside as its [`Draft::enclose`]d annex.
    ///
    /// # Errors
    /// As [`Draft::begin`], and [`Error::Json`].
    pub fn begin_redacted(
        store: &'a Store,
        case_id: &str,
        made_at: Timestamp,
        captures: &[Capture],
        media: &Digest,
        mut redaction: Redaction,
    ) -> Result<Self, Error> {
        let blobs = store.blobs();
        let exchanges = captures.iter().flat_map(|capture| &capture.exchanges);
        for exchange in exchanges.filter(|exchange| exchange.body_bytes > 0) {
            let kept = exchange.body_sha256.filter(|sha256| sha256 != media && blobs.contains(sha256));
            if let Some(sha256) = kept {
                redaction.withhold(WithheldKind::Body, ARCHIVE, &exchange.url, sha256);
            }
        }
        let captures = redaction.captures(CAPTURES, captures)?;
        Self::begun(store, (case_id, made_at), &captures, media, Some(redaction))
    }

    fn begun(
        store: &'a Store,
        (case_id, made_at): (&str, Timestamp),
        captures: &[Capture],
        media: &Digest,
        redaction: Option<Redaction>,
    ) -> Result<Self, Error> {
        let blobs = store.blobs();
        let media_file = open_media(&blobs, case_id, media)?;
        let mut archive = tempfile::tempfile_in(store.path()).map_err(Error::io(store.path()))?;
        let body = |sha256: &Digest| open_blob(&blobs, sha256);
        let mut out = std::io::BufWriter::new(&mut archive);
        let failed = |source| Error::Io { path: PathBuf::from(format!("archive of case {case_id}")), source };
        let withholds = redaction.is_some();
        warc::write_captures(&mut out, (case_id, made_at), captures, (media, &media_file), &body, withholds)
            .map_err(failed)?;
        out.flush().map_err(failed)?;
        drop(out);
        let mut draft = Self {
            store,
            case_id: case_id.to_owned(),
            made_at,
            media: MediaPlace { path: ARCHIVE.to_owned(), offset: 0, bytes: 0, sha256: *media },
            pages: warc::pages_of(captures),
            entries: BTreeMap::new(),
            redaction,
            annex: None,
            sealed_root: None,
            archive,
        };
        draft.read_back()?;
        draft.entries.insert(PAGES.to_owned(), warc::pages(&draft.pages).into_bytes());
        draft.add_json("captures.json", &captures)?;
        Ok(draft)
    }

    /// Reads the archive as a verifier would: makes its index, and finds the media in it.
    fn read_back(&mut self) -> Result<(), Error> {
        let archive = Section::all(&self.archive).map_err(Error::io(ARCHIVE))?;
        let records =
            warc::read(&archive).map_err(|fault| self.wrong(format!("its web archive is wrong: {fault}")))?;
        let place = media_in(&archive, &records, &self.media.sha256);
        self.media = place.ok_or_else(|| self.wrong("its web archive does not hold the media".to_owned()))?;
        let index = warc::index(&records).into_bytes();
        self.entries.insert(INDEX.to_owned(), index);
        Ok(())
    }

    fn wrong(&self, what: String) -> Error {
        Error::Bundle { case_id: self.case_id.clone(), what }
    }

    /// Where the media's bytes are.
    #[must_use]
    pub fn media(&self) -> &MediaPlace {
        &self.media
    }

    /// The media's bytes.
    ///
    /// # Errors
    /// [`Error::Io`] when the temporary file cannot be read.
    pub fn media_bytes(&self) -> Result<Section<'_>, Error> {
        let archive = Section::all(&self.archive).map_err(Error::io(ARCHIVE))?;
        Ok(archive.part(self.media.offset, self.media.bytes))
    }

    /// Adds `earwitness/NAME`. Names are of lower-case letters, digits, `.`, `-` and `_`.
    ///
    /// # Errors
    /// [`Error::Bundle`] where the name is taken, or the bytes are too many.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let path = format!("earwitness/{name}");
        if UNLISTED.contains(&path.as_str()) || self.entries.contains_key(&path) {
            return Err(self.wrong(format!("the name {path} is taken")));
        }
        if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
            return Err(self.wrong(format!("{path} is longer than {DOCUMENT_BYTES_MAX} bytes")));
        }
        self.entries.insert(path, bytes);
        Ok(())
    }

    /// Adds `earwitness/NAME` as JSON.
    ///
    /// # Errors
    /// As [`Draft::add`], and [`Error::Json`].
    pub fn add_json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let bytes = match &mut self.redaction {
            // Its lines are digested as they are: see [`super::log::Excerpt::redacted`].
            Some(redaction) if name != "log.json" => {
                let clean: serde_json::Value = redaction.document(&format!("earwitness/{name}"), value)?;
                document(&clean, name)?
            }
            _ => document(value, name)?,
        };
        self.add(name, bytes)
    }

    /// Whether it leaves out what is about people.
    #[must_use]
    pub const fn is_redacted(&self) -> bool {
        self.redaction.is_some()
    }

    /// Adds a picture of a page; a redacted bundle tells its digest alone.
    ///
    /// # Errors
    /// As [`Draft::add`].
    pub fn add_screenshot(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        match &mut self.redaction {
            Some(redaction) => {
                let entry = format!("earwitness/{name}");
                redaction.withhold(WithheldKind::Screenshot, &entry, "", Digest::of(&bytes));
                Ok(())
            }
            None => self.add(name, bytes),
        }
    }

    /// Puts the whole bundle, sealed, into a redacted one.
    ///
    /// # Errors
    /// As [`Draft::add`].
    pub fn enclose(&mut self, annex: Annex) -> Result<(), Error> {
        let record = document(&annex.record, ANNEX)?;
        self.entries.insert(ANNEX.to_owned(), record);
        self.sealed_root = Some(annex.record.merkle_root);
        self.annex = Some(annex.file);
        Ok(())
    }

    /// Lists, signs and writes the bundle into `folder`, and records it in the store and its log. A file that is there
    /// already is never written over. Where `stamp` gives no token, the bundle is made without one, and says so.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, [`Error::Store`] when it cannot be recorded.
    pub fn seal(
        mut self,
        key: &SigningKey,
        stamp: Option<&Stamp<'_>>,
        folder: &Path,
    ) -> Result<Sealed, Error> {
        if let Some(redaction) = self.redaction.take() {
            let withheld = document(&redaction.finish(), WITHHELD)?;
            self.entries.insert(WITHHELD.to_owned(), withheld);
        }
        let archive = Section::all(&self.archive).map_err(Error::io(ARCHIVE))?;
        let listed = self.listed(&archive)?;
        let manifest = Manifest::new(&self.case_id, self.made_at, listed);
        let manifest_bytes = document(&manifest, MANIFEST)?;
        let signature = document(&Signature::of(&manifest_bytes, key), SIGNATURE)?;
        let token = stamp.map(|stamp| stamp(&Digest::of(&signature)));
        self.entries.insert(MANIFEST.to_owned(), manifest_bytes);
        self.entries.insert(SIGNATURE.to_owned(), signature);
        let timestamp_error = match token {
            Some(Ok(token)) => {
                self.entries.insert(TIMESTAMP.to_owned(), token);
                None
            }
            Some(Err(why)) => Some(why),
            None => None,
        };
        let archive = Section::all(&self.archive).map_err(Error::io(ARCHIVE))?;
        let mut parts = vec![Part { name: ARCHIVE.to_owned(), content: archive }];
        for (name, bytes) in &self.entries {
            parts.push(Part { name: name.clone(), content: Section::of(bytes) });
        }
        if let Some(annex) = &self.annex {
            let content = Section::all(annex).map_err(Error::io(ANNEX_BYTES))?;
            parts.push(Part { name: ANNEX_BYTES.to_owned(), content });
        }
        let redacted = if self.sealed_root.is_some() { "-redacted" } else { "" };
        let stem = format!("{}{redacted}", self.case_id);
        let packed = pack(parts, &manifest, self.pages.first(), (folder, &stem))?;
        let (sha256, bytes) = (packed.sha256, packed.bytes);
        let record = BundleRecord {
            case_id: self.case_id.clone(),
            root: manifest.merkle_root,
            bundle_sha256: sha256,
            made_at: self.made_at,
            sealed_root: self.sealed_root,
        };
        let path = self.publish(packed, record, folder)?;
        Ok(Sealed {
            case_id: self.case_id,
            path,
            bytes,
            sha256,
            root: manifest.merkle_root,
            key_id: key.public().id(),
            timestamp_error,
        })
    }

    /// Names the file and records it, so that whenever the process ends, the store knows what is in the folder.
    fn publish(&self, packed: Packed, record: BundleRecord, folder: &Path) -> Result<PathBuf, Error> {
        // What was pending and is not in its folder never got a name; what is there is older than this one.
        for old in settle(self.store, &self.case_id, None)? {
            old.forget(self.store)?;
        }
        let pending = PendingBundle::keep(record, packed.bytes, folder, self.store)?;
        // Where that fails, it stays pending: it may have its name all the same.
        let path = packed.keep()?;
        pending.settle(self.store)?;
        Ok(path)
    }

    fn listed(&self, archive: &Section<'_>) -> Result<Vec<Listed>, Error> {
        let sums = archive.sums().map_err(Error::io(ARCHIVE))?;
        let mut listed = vec![Listed { path: ARCHIVE.to_owned(), bytes: archive.bytes, sha256: sums.sha256 }];
        listed.extend(self.entries.iter().map(|(path, bytes)| Listed {
            path: path.clone(),
            bytes: bytes.len() as u64,
            sha256: Digest::of(bytes),
        }));
        if let Some(annex) = &self.annex {
            let content = Section::all(annex).map_err(Error::io(ANNEX_BYTES))?;
            let sums = content.sums().map_err(Error::io(ANNEX_BYTES))?;
            listed.push(Listed { path: ANNEX_BYTES.to_owned(), bytes: content.bytes, sha256: sums.sha256 });
        }
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listed)
    }
}

/// Where the media is in an archive: in the first answer, or record of its own, that has just these bytes.
pub(super) fn media_in(
    archive: &Section<'_>,
    records: &[warc::Record<'_>],
    sha256: &Digest,
) -> Option<MediaPlace> {
    let holds = |record: &&warc::Record<'_>| {
        matches!(record.kind.as_str(), "response" | "resource") && record.sha256 == *sha256
    };
    let record = records.iter().find(holds)?;
    let offset = record.payload.offset - archive.offset;
    Some(MediaPlace { path: ARCHIVE.to_owned(), offset, bytes: record.payload.bytes, sha256: *sha256 })
}

fn open_blob(blobs: &Blobs, sha256: &Digest) -> std::io::Result<Option<File>> {
    match File::open(blobs.path(sha256)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the media of a case, and sees that it is what was captured.
fn open_media(blobs: &Blobs, case_id: &str, sha256: &Digest) -> Result<File, Error> {
    let what = format!("the media of case {case_id}");
    let path = blobs.path(sha256);
    let file = open_blob(blobs, sha256).map_err(Error::io(&path))?;
    let file = file.ok_or_else(|| Error::Missing { what: what.clone(), sha256: *sha256 })?;
    let sums = Section::all(&file).and_then(|all| all.sums()).map_err(Error::io(&path))?;
    if sums.sha256 == *sha256 { Ok(file) } else { Err(Error::Damaged { what, sha256: *sha256 }) }
}
