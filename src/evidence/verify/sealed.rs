//! Whether the entries are those that were listed, signed and stamped.

use std::collections::BTreeSet;

use super::opened::Opened;
use super::{Demands, Told};
use crate::base::{Digest, Timestamp};
use crate::evidence::bundle::{ARCHIVE, CAPTURES, INDEX, PAGES};
use crate::evidence::manifest::{
    DATAPACKAGE, DATAPACKAGE_DIGEST, Listed, MANIFEST, SIGNATURE, Signature, TIMESTAMP, UNLISTED,
};
use crate::evidence::timestamp::{self, TOKEN_BYTES_MAX};

/// Entries without which a file is no bundle.
const NEEDED: [&str; 13] = [
    ARCHIVE,
    INDEX,
    PAGES,
    CAPTURES,
    MANIFEST,
    SIGNATURE,
    DATAPACKAGE,
    DATAPACKAGE_DIGEST,
    "earwitness/case.json",
    "earwitness/environment.json",
    "earwitness/log.json",
    "earwitness/recording.json",
    "earwitness/replay.json",
];

/// No entry is missing, none is there that is not listed.
pub(super) fn entries(opened: &Opened<'_>) -> Result<String, String> {
    let listed: BTreeSet<&str> = opened.manifest()?.entries.iter().map(|entry| entry.path.as_str()).collect();
    let present: BTreeSet<&str> =
        opened.container.entries().iter().map(|entry| entry.name.as_str()).collect();
    let missing = listed.iter().chain(&NEEDED).find(|name| !present.contains(*name));
    if let Some(name) = missing {
        return Err(format!("{name} is missing"));
    }
    let is_known = |name: &&&str| UNLISTED.contains(name) || (listed.contains(*name) && has_place(name));
    match present.iter().find(|name| !is_known(name)) {
        Some(name) => Err(format!("{name} is not listed in {MANIFEST}, or has no business in a bundle")),
        None => Ok(format!("{} listed, none missing, none besides", listed.len())),
    }
}

/// Whether an entry may be there at all.
fn has_place(name: &str) -> bool {
    [ARCHIVE, INDEX, PAGES].contains(&name) || name.starts_with("earwitness/")
}

/// Each listed entry has the length and digest that are listed.
pub(super) fn digests(opened: &Opened<'_>) -> Result<String, String> {
    let manifest = opened.manifest()?;
    for listed in &manifest.entries {
        let Some(entry) = opened.container.get(&listed.path) else { continue };
        let Listed { path, bytes, sha256 } = listed;
        if entry.content.bytes != *bytes || entry.sha256 != *sha256 {
            return Err(format!("{path} is not as listed: SHA-256 {}, listed {sha256}", entry.sha256));
        }
    }
    Ok(format!("SHA-256 of {} entries as listed", manifest.entries.len()))
}

/// The root over the entries as they are is the one in the manifest.
pub(super) fn merkle(opened: &Opened<'_>) -> Result<String, String> {
    let (found, listed) = (opened.root(), opened.manifest()?.merkle_root);
    if found == listed { Ok(found.to_string()) } else { Err(format!("it is {found}, listed is {listed}")) }
}

/// The manifest is signed, by the key that is asked for.
pub(super) fn signature(opened: &Opened<'_>, demands: &Demands<'_>) -> Result<String, String> {
    let (signature, manifest) = (opened.text(SIGNATURE)?, opened.text(MANIFEST)?);
    let key = Signature::check(&signature, &manifest).map_err(|why| format!("{SIGNATURE}: {why}"))?;
    let id = key.id();
    match demands.key {
        Some(wanted) if *wanted == key => Ok(format!("Ed25519, by the given key {id}")),
        Some(wanted) => Err(format!("it was signed by the key {id}, not by the given {}", wanted.id())),
        None => Ok(format!(
            "Ed25519, by the key {id} that the bundle itself holds; give --key to know whose it is"
        )),
    }
}

/// The root is the one that somebody else names.
pub(super) fn expected_root(opened: &Opened<'_>, demands: &Demands<'_>) -> Told {
    let found = opened.root();
    match demands.root {
        None => Told::NotChecked(
            "give --root or --known to tell an older bundle of the case from the newest".to_owned(),
        ),
        Some(wanted) if *wanted == found => Told::Passed(found.to_string()),
        Some(wanted) => Told::Failed(format!(
            "it is {found}, wanted is {wanted}: another bundle of the case, or a forgery"
        )),
    }
}

/// A time-stamping authority says that the signature was there.
pub(super) fn timestamp(opened: &Opened<'_>, demands: &Demands<'_>) -> Told {
    let has_token = opened.container.get(TIMESTAMP).is_some();
    match (has_token, demands.stamp) {
        (false, None) => Told::NotChecked("the bundle has none".to_owned()),
        (false, Some(_)) => Told::Failed("the bundle has none".to_owned()),
        (true, Some(check)) => stamped(opened).and_then(|(token, imprint)| check(&token, &imprint)).into(),
        // Whoever signed it, a token of something else is no time-stamp of this bundle.
        (true, None) => match stamped(opened).and_then(|(token, imprint)| claimed(&token, &imprint)) {
            Ok(at) => Told::NotChecked(format!(
                "imprint right, it says {at}; signer not checked: no roots (give --tsa-roots to say which authorities are \
                 trusted)"
            )),
            Err(why) => Told::Failed(why),
        },
    }
}

/// The token, and what it must be of.
fn stamped(opened: &Opened<'_>) -> Result<(Vec<u8>, Digest), String> {
    let signature = opened.container.get(SIGNATURE).ok_or_else(|| format!("{SIGNATURE} is missing"))?;
    let token = opened.section(TIMESTAMP)?.read(TOKEN_BYTES_MAX as u64);
    Ok((token.map_err(|error| format!("{TIMESTAMP}: {error}"))?, signature.sha256))
}

/// The instant that a token of this digest claims.
fn claimed(token: &[u8], imprint: &Digest) -> Result<Timestamp, String> {
    timestamp::claimed(token, imprint).map(|claim| claim.at).map_err(|error| error.to_string())
}
