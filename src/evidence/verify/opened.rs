//! A bundle whose container holds, with what several checks read of it.

use std::cell::OnceCell;

use serde::de::DeserializeOwned;

use crate::base::Digest;
use crate::evidence::bundle::{ARCHIVE, CAPTURES, DOCUMENT_BYTES_MAX};
use crate::evidence::capture::Capture;
use crate::evidence::container::Container;
use crate::evidence::manifest::{Listed, MANIFEST, Manifest, UNLISTED, root_of};
use crate::evidence::reading;
use crate::evidence::section::Section;
use crate::evidence::warc::{self, Record};
use crate::evidence::withheld::{WITHHELD, Withheld};

/// A bundle whose container holds.
pub(super) struct Opened<'a> {
    pub(super) container: Container<'a>,
    manifest: OnceCell<Result<Manifest, String>>,
    records: OnceCell<Result<Vec<Record<'a>>, String>>,
    captures: OnceCell<Result<Vec<Capture>, String>>,
    withheld: OnceCell<Result<Option<Withheld>, String>>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(container: Container<'a>) -> Self {
        Self {
            container,
            manifest: OnceCell::new(),
            records: OnceCell::new(),
            captures: OnceCell::new(),
            withheld: OnceCell::new(),
        }
    }

    /// The bytes of an entry.
    pub(super) fn section(&self, name: &str) -> Result<Section<'a>, String> {
        let entry = self.container.get(name).ok_or_else(|| format!("{name} is missing"))?;
        Ok(entry.content)
    }

    /// A document, read into memory.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        self.section(name)?.read(DOCUMENT_BYTES_MAX).map_err(|error| format!("{name}: {error}"))
    }

    /// The text of a document of JSON.
    pub(super) fn text(&self, name: &str) -> Result<Vec<u8>, String> {
        reading::text(&self.section(name)?, name)
    }

    /// A document of JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        reading::json(&self.section(name)?, name)
    }

    pub(super) fn manifest(&self) -> Result<&Manifest, String> {
        let read = || {
            let bytes = self.text(MANIFEST)?;
            Manifest::parse(&bytes).map_err(|why| format!("{MANIFEST}: {why}"))
        };
        self.manifest.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    pub(super) fn captures(&self) -> Result<&[Capture], String> {
        self.captures.get_or_init(|| self.json(CAPTURES)).as_deref().map_err(Clone::clone)
    }

    /// What it says that it leaves out; none where it is whole.
    pub(super) fn withheld(&self) -> Result<Option<&Withheld>, String> {
        let read = || match self.container.get(WITHHELD) {
            Some(_) => {
                Withheld::parse(&self.bytes(WITHHELD)?).map(Some).map_err(|why| format!("{WITHHELD}: {why}"))
            }
            None => Ok(None),
        };
        self.withheld.get_or_init(read).as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// The records of the web archive, their digests checked.
    pub(super) fn records(&self) -> Result<&[Record<'a>], String> {
        let read = || warc::read(&self.section(ARCHIVE)?).map_err(|fault| format!("{ARCHIVE}: {fault}"));
        self.records.get_or_init(read).as_deref().map_err(Clone::clone)
    }

    /// All entries but some, as they are.
    pub(super) fn listed_without(&self, without: &[&str]) -> Vec<Listed> {
        let entries = self.container.entries().iter().filter(|entry| !without.contains(&entry.name.as_str()));
        let listed = entries.map(|entry| Listed {
            path: entry.name.clone(),
            bytes: entry.content.bytes,
            sha256: entry.sha256,
        });
        listed.collect()
    }

    /// The Merkle root of the entries as they are.
    pub(super) fn root(&self) -> Digest {
        root_of(&self.listed_without(&UNLISTED))
    }
}
