//! The documents that hold a bundle together: the manifest with the Merkle root, its signature, and WACZ's data package.
//!
//! ```text
//!   all other entries ──► manifest.json (names, lengths, digests, Merkle root)
//!                             ──► signature.json (Ed25519 over the manifest's bytes)
//!                                      ──► timestamp.tsr (RFC 3161, over the signature's bytes)
//!   all of these ──► datapackage.json ──► datapackage-digest.json   (no more than a repetition, as WACZ wants it)
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Error;
use super::keys::{PublicKey, SigningKey};
use super::merkle::merkle_root;
use super::warc::Page;
use crate::base::{Digest, Timestamp};

pub(super) const MANIFEST: &str = "earwitness/manifest.json";
pub(super) const SIGNATURE: &str = "earwitness/signature.json";
pub(super) const TIMESTAMP: &str = "earwitness/timestamp.tsr";
pub(super) const DATAPACKAGE: &str = "datapackage.json";
pub(super) const DATAPACKAGE_DIGEST: &str = "datapackage-digest.json";

/// Entries that the manifest does not list: itself, and what is made from it.
pub(super) const UNLISTED: [&str; 5] = [MANIFEST, SIGNATURE, TIMESTAMP, DATAPACKAGE, DATAPACKAGE_DIGEST];

const MANIFEST_FORMAT: &str = "earwitness-bundle/1";
const SIGNATURE_FORMAT: &str = "earwitness-signature/1";

/// One entry of a bundle, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its name.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// `earwitness/manifest.json`: what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `earwitness-bundle/1`.
    pub format: String,
    /// The case.
    pub case_id: String,
    /// When the bundle was made.
    pub made_at: Timestamp,
    /// By what.
    pub software: String,
    /// The root over the entries; see [`super::merkle_root`].
    pub merkle_root: Digest,
    /// The entries in the order of their names.
    pub entries: Vec<Listed>,
}

impl Manifest {
    /// Lists `entries`, which stand in the order of their names.
    pub(super) fn new(case_id: &str, made_at: Timestamp, entries: Vec<Listed>) -> Self {
        Self {
            format: MANIFEST_FORMAT.to_owned(),
            case_id: case_id.to_owned(),
            made_at,
            software: concat!("earwitness ", env!("CARGO_PKG_VERSION")).to_owned(),
            merkle_root: root_of(&entries),
            entries,
        }
    }

    /// Reads a manifest and checks its form.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.format != MANIFEST_FORMAT {
            return Err(format!("its format is `{}`, not {MANIFEST_FORMAT}", manifest.format.escape_debug()));
        }
        if canonical(&manifest).is_none_or(|canonical| canonical != bytes) {
            return Err("it is not written as the program writes it".to_owned());
        }
        Ok(manifest)
    }
}

/// The Merkle root over listed entries.
pub(super) fn root_of(entries: &[Listed]) -> Digest {
    merkle_root(entries.iter().map(|entry| (entry.path.as_str(), entry.sha256)))
}

/// `earwitness/signature.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `earwitness-signature/1`.
    pub format: String,
    /// `Ed25519` (RFC 8032).
    pub algorithm: String,
    /// The entry whose bytes are signed.
    pub signs: String,
    /// The digest of that, which only helps the eye.
    pub sha256: Digest,
    /// See [`PublicKey::id`].
    pub key_id: Digest,
    /// The public key in PEM.
    pub public_key: String,
    /// The 64 bytes of the signature, as base64.
    pub signature: String,
}

impl Signature {
    pub(super) fn of(manifest: &[u8], key: &SigningKey) -> Self {
        Self {
            format: SIGNATURE_FORMAT.to_owned(),
            algorithm: "Ed25519".to_owned(),
            signs: MANIFEST.to_owned(),
            sha256: Digest::of(manifest),
            key_id: key.public().id(),
            public_key: key.public().to_pem(),
            signature: STANDARD.encode(key.sign(manifest)),
        }
    }

    /// Reads a signature, checks its form and that it is one of `manifest` by the key in it; gives that key.
    pub(super) fn check(bytes: &[u8], manifest: &[u8]) -> Result<PublicKey, String> {
        let signature: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let fits = signature.format == SIGNATURE_FORMAT
            && signature.algorithm == "Ed25519"
            && signature.signs == MANIFEST
            && canonical(&signature).is_some_and(|canonical| canonical == bytes);
        if !fits {
            return Err(format!("it is not written as {SIGNATURE_FORMAT}"));
        }
        let key = PublicKey::from_pem(&signature.public_key, SIGNATURE).map_err(|error| error.to_string())?;
        if key.id() != signature.key_id || key.to_pem() != signature.public_key {
            return Err("its key is not the one that it names".to_owned());
        }
        let signed = STANDARD.decode(&signature.signature).map_err(|_| "the signature is no base64")?;
        if signature.sha256 != Digest::of(manifest) || !key.verifies(manifest, &signed) {
            return Err(format!("it is no signature of {MANIFEST} by the key {}", key.id()));
        }
        Ok(key)
    }
}

#[derive(Serialize)]
struct Resource<'a> {
    name: &'a str,
    path: &'a str,
    hash: String,
    bytes: u64,
}

#[derive(Serialize)]
struct Datapackage<'a> {
    profile: &'static str,
    wacz_version: &'static str,
    title: String,
    description: String,
    created: Timestamp,
    modified: Timestamp,
    software: &'a str,
    #[serde(rename = "mainPageUrl", skip_serializing_if = "Option::is_none")]
    main_page_url: Option<&'a str>,
    #[serde(rename = "mainPageDate", skip_serializing_if = "Option::is_none")]
    main_page_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<Home<'a>>,
    resources: Vec<Resource<'a>>,
}

#[derive(Serialize)]
struct Home<'a> {
    url: &'a str,
    ts: Timestamp,
}

/// WACZ 1.2: `datapackage.json`, which follows from all other entries.
pub(super) fn datapackage(
    manifest: &Manifest,
    entries: &[Listed],
    home: Option<&Page>,
) -> Result<Vec<u8>, Error> {
    let resources = entries.iter().map(|entry| Resource {
        // A resource's name must be unique, which a path without its folders need not be.
        name: &entry.path,
        path: &entry.path,
        hash: format!("sha256:{}", entry.sha256),
        bytes: entry.bytes,
    });
    let package = Datapackage {
        profile: "data-package",
        wacz_version: "1.2.0",
        title: format!("Evidence of case {}", manifest.case_id),
        description: format!(
            "What was recorded on the way to the file of case {}. Verify it with `earwitness evidence verify`, or by hand \
             as docs/evidence.md of Earwitness says.",
            manifest.case_id
        ),
        created: manifest.made_at,
        modified: manifest.made_at,
        software: &manifest.software,
        main_page_url: home.map(|page| page.url.as_str()),
        main_page_date: home.map(|page| page.ts),
        home: home.map(|page| Home { url: &page.url, ts: page.ts }),
        resources: resources.collect(),
    };
    document(&package, DATAPACKAGE)
}

/// WACZ 1.2: `datapackage-digest.json`.
pub(super) fn datapackage_digest(datapackage: &[u8]) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct PackageDigest {
        path: &'static str,
        hash: String,
    }
    let digest = PackageDigest { path: DATAPACKAGE, hash: format!("sha256:{}", Digest::of(datapackage)) };
    document(&digest, DATAPACKAGE_DIGEST)
}

/// A document as it is written: indented, ended by a line feed.
///
/// # Errors
/// [`Error::Json`] when it cannot be.
pub fn document<T: Serialize>(value: &T, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|source| Error::Json { what: name.to_owned(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The bytes that the program writes for a value; anything else that reads the same is refused.
pub(super) fn canonical<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    document(value, "").ok()
}
