//! The sealed annex: the whole bundle inside a redacted one, encrypted by the `age` format to those who may open it.

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bundle::{DOCUMENT_BYTES_MAX, Sealed};
use super::container::Container;
use super::error::Error;
use super::manifest::canonical;
use super::section::{ReadAt, Section};
use crate::base::{Digest, Hasher, Recipient};

pub(super) const ANNEX: &str = "earwitness/annex.json";
pub(super) const ANNEX_BYTES: &str = "earwitness/annex.age";

const FORMAT: &str = "earwitness-annex/1";
const ENCRYPTION: &str = "age-encryption.org/v1";

/// The longest header of an encrypted file: some hundred recipients.
const HEADER_BYTES_MAX: u64 = 64 << 10;

/// The most recipients, which fit such a header.
const RECIPIENTS_MAX: usize = 100;

/// How much is decrypted at a time.
const PIECE_BYTES: usize = 64 << 10;

/// `earwitness/annex.json`: what is sealed, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnexRecord {
    /// `earwitness-annex/1`.
    pub format: String,
    /// The entry with the encrypted bytes.
    pub path: String,
    /// `age-encryption.org/v1`.
    pub encryption: String,
    /// Length of the encrypted bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// Length of the whole bundle inside.
    pub bundle_bytes: u64,
    /// Its SHA-256.
    pub bundle_sha256: Digest,
    /// Its Merkle root.
    pub merkle_root: Digest,
    /// The public keys of those who can open it.
    pub recipients: Vec<Recipient>,
}

impl AnnexRecord {
    /// Reads the record and checks its form.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let fits = record.format == FORMAT
            && record.path == ANNEX_BYTES
            && record.encryption == ENCRYPTION
            && !record.recipients.is_empty()
            && canonical(&record).is_some_and(|canonical| canonical == bytes);
        if fits { Ok(record) } else { Err(format!("it is not written as {FORMAT}")) }
    }
}

/// A whole bundle, encrypted.
pub struct Annex {
    pub(super) file: File,
    pub(super) record: AnnexRecord,
}

impl Annex {
    /// Encrypts a bundle to `recipients`, into a temporary file in `folder`. Bytes differ each time: the key is drawn anew.
    ///
    /// # Errors
    /// [`Error::Annex`] without recipients or with too many, [`Error::Io`].
    pub fn seal(whole: &Sealed, recipients: &[Recipient], folder: &Path) -> Result<Self, Error> {
        let mut recipients = recipients.to_vec();
        recipients.sort();
        recipients.dedup();
        if recipients.is_empty() || recipients.len() > RECIPIENTS_MAX {
            let what =
                format!("it is sealed for 1 to {RECIPIENTS_MAX} recipients, not for {}", recipients.len());
            return Err(Error::Annex { what });
        }
        let keys = recipients.iter().map(|one| {
            one.as_str()
                .parse::<age::x25519::Recipient>()
                .map_err(|why| Error::Annex { what: format!("{one}: {why}") })
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let failed = |_| Error::Annex { what: "the recipients' keys cannot be used together".to_owned() };
        let encryptor = age::Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient));
        let encryptor = encryptor.map_err(failed)?;
        let source = File::open(&whole.path).map_err(Error::io(&whole.path))?;
        let mut file = tempfile::tempfile_in(folder).map_err(Error::io(folder))?;
        let encrypt = || -> std::io::Result<()> {
            let mut out = encryptor.wrap_output(std::io::BufWriter::new(&mut file))?;
            Section::all(&source)?.each(|piece| out.write_all(piece))?;
            out.finish()?.flush()
        };
        encrypt().map_err(Error::io(&whole.path))?;
        let section = Section::all(&file).map_err(Error::io(ANNEX_BYTES))?;
        let (bytes, sums) = (section.bytes, section.sums().map_err(Error::io(ANNEX_BYTES))?);
        let record = AnnexRecord {
            format: FORMAT.to_owned(),
            path: ANNEX_BYTES.to_owned(),
            encryption: ENCRYPTION.to_owned(),
            bytes,
            sha256: sums.sha256,
            bundle_bytes: whole.bytes,
            bundle_sha256: whole.sha256,
            merkle_root: whole.root,
            recipients,
        };
        Ok(Self { file, record })
    }
}

/// Whether a file is a redacted bundle.
#[must_use]
pub fn is_redacted(bundle: &dyn ReadAt) -> bool {
    Container::read(bundle).is_ok_and(|container| container.get(ANNEX).is_some())
}

/// What a redacted bundle says of its annex, and the encrypted bytes.
pub(super) fn annex_of<'a>(container: &Container<'a>) -> Result<(AnnexRecord, Section<'a>), String> {
    let get = |name: &str| container.get(name).ok_or_else(|| format!("{name} is missing"));
    let record = get(ANNEX)?.content.read(DOCUMENT_BYTES_MAX).map_err(|error| format!("{ANNEX}: {error}"))?;
    let record = AnnexRecord::parse(&record).map_err(|why| format!("{ANNEX}: {why}"))?;
    let sealed = get(ANNEX_BYTES)?;
    if sealed.content.bytes != record.bytes || sealed.sha256 != record.sha256 {
        return Err(format!("{ANNEX_BYTES} has another length or digest than {ANNEX} says"));
    }
    Ok((record, sealed.content))
}

/// Decrypts an annex into `out`; what comes must have the length and digest that its record tells.
///
/// `identities` is the text of a file of `age-keygen`.
pub(super) fn unseal(
    (record, sealed): (&AnnexRecord, &Section<'_>),
    identities: &str,
    out: &mut dyn std::io::Write,
) -> Result<(), Error> {
    let wrong = |what: &str| Error::Annex { what: what.to_owned() };
    let head = sealed.part(0, HEADER_BYTES_MAX).read(HEADER_BYTES_MAX).map_err(Error::io(ANNEX_BYTES))?;
    // The reader of the format takes as much as comes without one.
    if !head.windows(5).any(|five| five == b"\n--- ") {
        return Err(wrong("its bytes are no file of age"));
    }
    let keys = keys_of(identities)?;
    let decryptor = age::Decryptor::new_buffered(BufReader::new(sealed.reader()))
        .map_err(|_| wrong("its bytes are no file of age"))?;
    let reader = decryptor.decrypt(keys.iter().map(|key| key as &dyn age::Identity));
    let mut reader = reader
        .map_err(|_| {
            let named: Vec<&str> = record.recipients.iter().map(Recipient::as_str).collect();
            Error::Annex {
                what: format!("this identity does not open it; it is sealed for {}", named.join(", ")),
            }
        })?
        .take(record.bundle_bytes.saturating_add(1));
    let (mut digest, mut bytes, mut piece) = (Hasher::new(), 0_u64, vec![0; PIECE_BYTES]);
    loop {
        let read = reader.read(&mut piece).map_err(|_| wrong("its bytes are damaged"))?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
        digest.update(piece);
        bytes += read as u64;
        out.write_all(piece).map_err(Error::io("the opened bundle"))?;
    }
    if bytes == record.bundle_bytes && digest.finish() == record.bundle_sha256 {
        Ok(())
    } else {
        Err(wrong("what is inside has another length or digest than the bundle says"))
    }
}

/// The secret keys of a file of `age-keygen`: one a line, beside remarks.
fn keys_of(identities: &str) -> Result<Vec<age::x25519::Identity>, Error> {
    let lines = identities.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let key = |(number, line): (usize, &str)| {
        line.parse()
            .map_err(|why| Error::Annex { what: format!("key {} of the identity file: {why}", number + 1) })
    };
    let keys: Vec<age::x25519::Identity> =
        lines.enumerate().take(RECIPIENTS_MAX).map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() {
        let what = "the identity file holds no key; `age-keygen -o FILE` writes one".to_owned();
        return Err(Error::Annex { what });
    }
    Ok(keys)
}
