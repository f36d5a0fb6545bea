//! The key that bundles are signed with: Ed25519 (RFC 8032), in a file of the store's folder that only its owner may read.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::Error;
use super::log::{Log, NewEntry};
use crate::base::{Digest, Timestamp};
use crate::store::{Batch, Record, Store};

/// The key's file in the store's folder.
pub const KEY_FILE: &str = "evidence-key.pem";

/// What stands before the 32 bytes of a public key in DER (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// No key in PEM is longer than this, in bytes.
const PEM_BYTES_MAX: usize = 16 << 10;

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    fn der(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.0].concat()
    }

    /// Its identifier: the SHA-256 of its DER form, as `openssl pkey -pubin -outform DER | sha256sum` gives it.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of(&self.der())
    }

    /// The key in PEM, as openssl reads it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &self.der())
    }

    /// Reads a key in PEM; `name` is used in the message only.
    ///
    /// # Errors
    /// [`Error::PublicKey`] when it is none.
    pub fn from_pem(text: &str, name: &str) -> Result<Self, Error> {
        let wrong = |why| Error::PublicKey { what: name.to_owned(), why };
        let der = unpem("PUBLIC KEY", text).map_err(wrong)?;
        let key = der.strip_prefix(&SPKI_PREFIX).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| wrong("it is a key of another kind"))
    }

    /// Whether `signature` is that of `message` by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.id()).finish()
    }
}

impl SigningKey {
    /// Its public part.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a message; the same message has the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(der).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }
}

/// A key that this store has signed with; its secret part is in no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// See [`PublicKey::id`].
    pub key_id: Digest,
    /// The public key in PEM.
    pub public_key: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When another took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

impl Record for KeyRecord {
    const KIND: &'static str = "evidence_key";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.key_id.to_string()
    }
}

/// Returns the store's key; makes it where there is none.
///
/// # Errors
/// [`Error::Key`] when its file is damaged or open to others, [`Error::Io`] when it cannot be read or written.
pub fn signing_key(store: &Store, now: Timestamp) -> Result<SigningKey, Error> {
    let path = store.path().join(KEY_FILE);
    let key = match read(&path)? {
        Some(key) => key,
        None => make(&path, false)?,
    };
    // Written after the file: a process may have been killed between the two.
    if store.get::<KeyRecord>(&key.public.id().to_string())?.is_none_or(|known| known.retired_at.is_some()) {
        record(store, &key.public, now, "a signing key was made")?;
    }
    Ok(key)
}

/// Makes another key in place of the store's, whose public part is kept.
///
/// # Errors
/// As [`signing_key`].
pub fn rotate(store: &Store, now: Timestamp) -> Result<SigningKey, Error> {
    let old = signing_key(store, now)?.public.id().to_string();
    let key = make(&store.path().join(KEY_FILE), true)?;
    if let Some(old) = store.get::<KeyRecord>(&old)? {
        store.put(&KeyRecord { retired_at: Some(now), ..old })?;
    }
    record(store, &key.public, now, "another signing key took the place of the one before")?;
    Ok(key)
}

/// All keys that this store has signed with, the newest first.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn public_keys(store: &Store) -> Result<Vec<KeyRecord>, Error> {
    let mut keys = store.scan::<KeyRecord>("")?.collect::<Result<Vec<_>, _>>()?;
    keys.sort_by_key(|key| (key.retired_at.is_some(), std::cmp::Reverse(key.made_at)));
    Ok(keys)
}

fn record(store: &Store, public: &PublicKey, now: Timestamp, note: &str) -> Result<(), Error> {
    let key_id = public.id();
    let mut log = Log::open(store)?;
    let mut batch = Batch::new();
    batch.put(&KeyRecord { key_id, public_key: public.to_pem(), made_at: now, retired_at: None })?;
    let subject = key_id.to_string();
    let entry =
        NewEntry { at: now, what: "key", subject: &subject, actor: "earwitness", sha256: Some(key_id), note };
    log.add(&mut batch, &entry)?;
    Ok(store.commit(batch)?)
}

/// Reads the key's file; none where there is no file.
fn read(path: &Path) -> Result<Option<SigningKey>, Error> {
    let wrong = |what: &str| Error::Key { path: path.to_owned(), what: what.to_owned() };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { path: path.to_owned(), source }),
    };
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(wrong(
            "others than its owner may read it; take that from them with `chmod 600`, and if they may have \
                          done so, make another with `earwitness evidence key rotate`",
        ));
    }
    if metadata.len() > PEM_BYTES_MAX as u64 {
        return Err(wrong("it is no key; move it away, and another is made"));
    }
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let der = unpem("PRIVATE KEY", &text)
        .map_err(|why| wrong(&format!("{why}; move it away, and another is made")))?;
    let key = SigningKey::from_der(&der);
    key.map(Some).ok_or_else(|| wrong("it is no Ed25519 key in PKCS#8; move it away, and another is made"))
}

/// Makes a key and writes its file whole, readable by its owner alone from its first moment.
fn make(path: &Path, replace: bool) -> Result<SigningKey, Error> {
    let wrong = |what: &str| Error::Key { path: path.to_owned(), what: what.to_owned() };
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| wrong("the system gives no random numbers"))?;
    let key = SigningKey::from_der(der.as_ref()).ok_or_else(|| wrong("a new key cannot be read back"))?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut file = tempfile::Builder::new()
        .prefix(".evidence-key-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(&folder)
        .map_err(Error::io(&folder))?;
    file.write_all(pem("PRIVATE KEY", der.as_ref()).as_bytes()).map_err(Error::io(path))?;
    file.as_file().sync_all().map_err(Error::io(path))?;
    let kept = if replace { file.persist(path) } else { file.persist_noclobber(path) };
    kept.map_err(|error| Error::Io { path: path.to_owned(), source: error.error })?;
    fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(Error::io(&folder))?;
    Ok(key)
}

/// RFC 7468: base64 in lines of 64 between two marks.
fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII, so that any place is between two letters.
        let (line, next) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    text + &format!("-----END {label}-----\n")
}

fn unpem(label: &str, text: &str) -> Result<Vec<u8>, &'static str> {
    if text.len() > PEM_BYTES_MAX {
        return Err("it is too long");
    }
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let inside = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
    let (inside, _) = inside.ok_or("the marks of its kind are missing")?;
    let base64: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(base64).map_err(|_| "what stands between the marks is no base64")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let key = signing_key(&store, now()).unwrap();
        assert_eq!(signing_key(&store, now()).unwrap().public, key.public);
        let path = folder.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{key:?}").contains("pair"));
        let signature = key.sign(b"text");
        assert!(key.public.verifies(b"text", &signature) && !key.public.verifies(b"Text", &signature));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(signing_key(&store, now()).unwrap_err().to_string().contains("chmod 600"));
        fs::write(&path, "nothing").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(signing_key(&store, now()), Err(Error::Key { .. })));
    }

    #[test]
    fn rotation_keeps_the_old_public_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let old = signing_key(&store, now()).unwrap().public;
        let new = rotate(&store, now()).unwrap().public;
        assert_ne!(old, new);
        assert_eq!(signing_key(&store, now()).unwrap().public, new);
        let keys = public_keys(&store).unwrap();
        let known: Vec<(Digest, bool)> =
            keys.iter().map(|key| (key.key_id, key.retired_at.is_some())).collect();
        assert_eq!(known, [(new.id(), false), (old.id(), true)]);
        assert_eq!(PublicKey::from_pem(&keys[1].public_key, "old").unwrap(), old);
        assert_eq!(super::super::log::check(&store).unwrap().number, 2);
    }

    proptest! {
        #[test]
        fn a_key_comes_back_and_other_text_is_refused(bytes in any::<[u8; 32]>(), at in 0usize..120, with in any::<char>()) {
            let key = PublicKey(bytes);
            let text = key.to_pem();
            prop_assert_eq!(PublicKey::from_pem(&text, "it").unwrap(), key);
            let changed: String = text.chars().enumerate().map(|(n, c)| if n == at { with } else { c }).collect();
            if let Ok(other) = PublicKey::from_pem(&changed, "it") {
                prop_assert_eq!(PublicKey::from_pem(&other.to_pem(), "it").unwrap(), other);
            }
        }
    }
}
