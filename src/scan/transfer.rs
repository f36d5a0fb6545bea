//! Everything that a library holds as JSON Lines, out and in: first the records, then one line for each fingerprint:
//! `{"kind":"fingerprint","key":"JP-1","value":{"format":1,"bytes":"RVdGUA…"}}`, with the bytes of
//! [`fingerprint::encode`] in base64. Segment files and their manifest are left out: they are made anew.

use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::library::{self, IndexState, Library};
use crate::base::RecordingId;
use crate::catalog::Catalog;
use crate::fingerprint::{self, FORMAT_VERSION, Fingerprint};
use crate::store::{self, Import, ImportReport, Kinds, OtherLine, Record};

/// The `kind` of a line with a fingerprint.
const FINGERPRINT: &str = "fingerprint";

/// The longest line: the fingerprint of a recording of a whole day.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Fingerprints that become a segment together, at most …
const FINGERPRINTS_PER_BATCH: usize = 500;

/// … and how many bytes of lines they may come from.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// Why an export or import stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library does not work.
    #[error(transparent)]
    Library(#[from] library::Error),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The output cannot be written.
    #[error("cannot write the export: {0}")]
    Output(#[from] io::Error),
}

/// What was written by an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Records of the store.
    pub records: u64,
    /// Fingerprints of the index.
    pub fingerprints: u64,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// What came of the lines; fingerprints are not among [`ImportReport::written`].
    #[serde(flatten)]
    pub lines: ImportReport,
    /// Fingerprints taken.
    pub fingerprints: u64,
}

/// The value of a line with a fingerprint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FingerprintValue {
    format: u16,
    bytes: String,
}

/// The shape of a line, for writing.
#[derive(Serialize)]
struct FingerprintLine<'a> {
    kind: &'static str,
    key: &'a RecordingId,
    value: FingerprintValue,
}

/// Writes all records and fingerprints.
///
/// Records of the kinds in `without` are left out: such as are of no use in another store.
///
/// # Errors
/// [`Error`] when the store cannot be read or `output` not be written.
pub fn export(library: &Library, output: &mut impl Write, without: &[&str]) -> Result<Exported, Error> {
    let without = [&[IndexState::KIND], without].concat();
    let records = library.store().export_without(output, &without)?;
    let mut fingerprints = 0;
    for id in library.indexed() {
        let Some(fingerprint) = library.fingerprint(&id) else { continue };
        let bytes = STANDARD.encode(fingerprint::encode(&fingerprint));
        let value = FingerprintValue { format: FORMAT_VERSION, bytes };
        serde_json::to_writer(&mut *output, &FingerprintLine { kind: FINGERPRINT, key: &id, value })
            .map_err(io::Error::from)?;
        output.write_all(b"\n")?;
        fingerprints += 1;
    }
    output.flush()?;
    Ok(Exported { records, fingerprints })
}

/// Reads lines that [`export`] wrote, over what is there, and makes the index of their fingerprints. Bad lines are
/// reported, good ones kept; an import that was cut off is completed by another.
///
/// # Errors
/// [`Error`] when something cannot be written.
pub fn import(library: &mut Library, input: &mut dyn BufRead, kinds: &Kinds) -> Result<Imported, Error> {
    let mut import = Import::new(input, kinds).with_other(FINGERPRINT, LINE_BYTES_MAX);
    let mut waiting = Vec::new();
    let (mut bytes, mut fingerprints) = (0, 0);
    while let Some(line) = import.read_on(library.store())? {
        bytes += line.value.len();
        match decode(&line) {
            Ok((id, fingerprint)) => waiting.push((line.number, id, fingerprint)),
            Err(message) => import.fail(line.number, format!("{FINGERPRINT} `{}`: {message}", line.key)),
        }
        if waiting.len() >= FINGERPRINTS_PER_BATCH || bytes >= BATCH_BYTES_MAX {
            fingerprints += put(library, &mut import, std::mem::take(&mut waiting))?;
            bytes = 0;
        }
    }
    fingerprints += put(library, &mut import, waiting)?;
    library.settle()?;
    Ok(Imported { lines: import.finish(library.store())?, fingerprints })
}

pub(super) fn decode(line: &OtherLine) -> Result<(RecordingId, Fingerprint), String> {
    let id = RecordingId::new(&line.key).map_err(|error| error.to_string())?;
    let value: FingerprintValue = serde_json::from_slice(&line.value).map_err(|error| error.to_string())?;
    if value.format != FORMAT_VERSION {
        return Err(fingerprint::Error::Version(value.format).to_string());
    }
    let bytes = STANDARD.decode(value.bytes).map_err(|error| error.to_string())?;
    Ok((id, fingerprint::decode(&bytes).map_err(|error| error.to_string())?))
}

/// Puts what waits into the index, once its recordings are in the catalogue. Gives how many were taken.
fn put(
    library: &mut Library,
    import: &mut Import<'_>,
    waiting: Vec<(u64, RecordingId, Fingerprint)>,
) -> Result<u64, Error> {
    import.commit(library.store())?;
    let mut known: Vec<(RecordingId, Fingerprint)> = Vec::with_capacity(waiting.len());
    let mut taken = 0;
    for (line, id, fingerprint) in waiting {
        if Catalog::new(library.store()).get(&id)?.is_none() {
            import.fail(line, format!("{FINGERPRINT} `{id}`: there is no such recording in the catalogue"));
            continue;
        }
        // A line for the same recording again: the later one counts, as for records.
        known.retain(|(other, _)| *other != id);
        known.push((id, fingerprint));
        taken += 1;
    }
    library.put_fingerprints(known)?;
    Ok(taken)
}
