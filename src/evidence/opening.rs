//! A redacted bundle and the key of somebody whom it is sealed for → the whole bundle, checked against what the redacted one says.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::annex::{annex_of, unseal};
use super::bundle::{ARCHIVE, CAPTURES, DOCUMENT_BYTES_MAX};
use super::container::Container;
use super::error::Error;
use super::manifest::SIGNATURE;
use super::section::ReadAt;
use super::verify::{Demands, Outcome, verify};
use super::warc;
use super::withheld::{WITHHELD, Withheld, WithheldKind, text_digest};
use crate::base::Digest;

/// The documents that both bundles have, made from the same.
const SHARED: [&str; 10] = [
    CAPTURES,
    "earwitness/case.json",
    "earwitness/match.json",
    "earwitness/verdict.json",
    "earwitness/recording.json",
    "earwitness/licences.json",
    "earwitness/configuration.json",
    "earwitness/tags.json",
    "earwitness/excerpts.json",
    "earwitness/captures-left-out.json",
];

/// A bundle that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenedAnnex {
    /// The case.
    pub case_id: Option<String>,
    /// Length of the whole bundle.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Its Merkle root.
    pub root: Digest,
    /// How many withheld things were found in it as they were told.
    pub found: usize,
}

/// Decrypts the annex of a redacted bundle into `out`, which must not be there yet; only its owner may read it. Nothing is written
/// unless the whole bundle has the digest and root that the redacted one tells, verifies (but for the replay), and differs from the
/// redacted one by nothing that is not told. `identities` is the text of a file of `age-keygen`.
///
/// # Errors
/// [`Error::NotABundle`] when the file is none; [`Error::Annex`] when it has no annex, the identity does not open it, or what is
/// inside is not what is told; [`Error::Io`] when it cannot be written.
pub fn open_annex(bundle: &dyn ReadAt, identities: &str, out: &Path) -> Result<OpenedAnnex, Error> {
    let redacted = Container::read(bundle).map_err(|fault| Error::NotABundle { what: fault.to_string() })?;
    let wrong = |what: String| Error::Annex { what };
    let (record, sealed) = annex_of(&redacted).map_err(wrong)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file =
        tempfile::Builder::new().prefix(".bundle-").tempfile_in(folder).map_err(Error::io(folder))?;
    let mut writer = std::io::BufWriter::new(file.as_file_mut());
    unseal((&record, &sealed), identities, &mut writer)?;
    writer.flush().map_err(Error::io(out))?;
    drop(writer);
    let demands = Demands { root: Some(&record.merkle_root), ..Demands::default() };
    let report = verify(file.as_file(), &demands);
    if let Some(check) = report.checks.iter().find(|check| check.outcome == Outcome::Failed) {
        return Err(wrong(format!("the bundle inside does not verify: {}: {}", check.name, check.detail)));
    }
    let found = compare(&redacted, file.as_file())
        .map_err(|what| wrong(format!("the bundle around it is no redaction of what is inside: {what}")))?;
    file.as_file().sync_all().map_err(Error::io(out))?;
    file.persist_noclobber(out).map_err(|error| Error::Io { path: out.to_owned(), source: error.error })?;
    Ok(OpenedAnnex {
        case_id: report.case_id,
        bytes: record.bundle_bytes,
        sha256: record.bundle_sha256,
        root: record.merkle_root,
        found,
    })
}

/// Whether all that is withheld is in the whole bundle as it is told, and nothing else is other; gives how many things that are.
fn compare(redacted: &Container<'_>, whole: &File) -> Result<usize, String> {
    let whole = Container::read(whole).map_err(|fault| fault.to_string())?;
    let withheld =
        Withheld::parse(&bytes(redacted, WITHHELD)?).map_err(|why| format!("{WITHHELD}: {why}"))?;
    let archive = whole.get(ARCHIVE).ok_or("the archive is missing")?.content;
    let records = warc::read(&archive).map_err(|fault| format!("{ARCHIVE}: {fault}"))?;
    let bodies: BTreeSet<Digest> =
        records.iter().filter(|record| record.kind == "response").map(|record| record.sha256).collect();
    let pictures: BTreeSet<Digest> = whole.entries().iter().map(|entry| entry.sha256).collect();
    for item in &withheld.items {
        let is_there = match item.what {
            WithheldKind::Body => bodies.contains(&item.sha256),
            WithheldKind::Screenshot => pictures.contains(&item.sha256),
            // Looked at in its document.
            _ => SHARED.contains(&item.entry.as_str()),
        };
        if !is_there {
            return Err(format!("{} {} is not in it", item.entry.escape_debug(), item.at.escape_debug()));
        }
    }
    let signature = bytes(&whole, SIGNATURE)?;
    for entry in SHARED.iter().filter(|entry| redacted.get(entry).is_some() || whole.get(entry).is_some()) {
        same_but_for(entry, redacted, &whole, (&withheld, &signature))?;
    }
    Ok(withheld.items.len())
}

/// Puts what is withheld into the place of what stands for it: then both must be the same.
fn same_but_for(
    entry: &str,
    redacted: &Container<'_>,
    whole: &Container<'_>,
    (withheld, signature): (&Withheld, &[u8]),
) -> Result<(), String> {
    let read = |container: &Container<'_>| -> Result<Value, String> {
        serde_json::from_slice(&bytes(container, entry)?).map_err(|error| format!("{entry}: {error}"))
    };
    let (mut redacted, whole) = (read(redacted)?, read(whole)?);
    let own = withheld.items.iter().filter(|item| item.entry == entry && !item.what.is_bytes());
    for item in own {
        let at = || item.at.escape_debug().to_string();
        let text = whole
            .pointer(&item.at)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("{entry} has no {}", at()))?;
        if text_digest(signature, text) != item.sha256 {
            return Err(format!("{entry} {} has another digest than is told", at()));
        }
        let place = redacted.pointer_mut(&item.at).ok_or_else(|| format!("{entry} has no {}", at()))?;
        *place = Value::String(text.to_owned());
    }
    if redacted == whole { Ok(()) } else { Err(format!("{entry} differs by more than is told")) }
}

fn bytes(container: &Container<'_>, name: &str) -> Result<Vec<u8>, String> {
    let entry = container.get(name).ok_or_else(|| format!("{name} is missing"))?;
    entry.content.read(DOCUMENT_BYTES_MAX).map_err(|error| format!("{name}: {error}"))
}
