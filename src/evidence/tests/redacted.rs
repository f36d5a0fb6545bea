//! Bundles for others: what they leave out, that they say so, and that the whole one is inside.

use super::annex::{ANNEX, ANNEX_BYTES};
use super::withheld::WITHHELD;
use super::*;
use crate::base::Recipient;

/// Key pairs: public key, secret key.
fn identity() -> (Recipient, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let secret = format!("# created: today\n{}\n", identity.to_string().expose_secret());
    (identity.to_public().to_string().parse().unwrap(), secret)
}

impl House {
    /// The redacted bundle and the whole one that is sealed in it.
    fn bundle_for(&self, recipients: &[Recipient]) -> (Vec<u8>, Sealed) {
        self.bundle_with(recipients, None)
    }

    fn bundle_with(&self, recipients: &[Recipient], picture: Option<&[u8]>) -> (Vec<u8>, Sealed) {
        let made_at = at("2026-03-05T00:00:00Z");
        let whole = self.draft(made_at, None).seal(&self.key(), None, &self.out()).unwrap();
        let annex = Annex::seal(&whole, recipients, self.folder.path()).unwrap();
        let redaction = Redaction::of(&File::open(&whole.path).unwrap()).unwrap();
        let (captures, media) = (captures(&self.store), Digest::of(&media()));
        let draft = Draft::begin_redacted(&self.store, CASE, made_at, &captures, &media, redaction).unwrap();
        let mut draft = self.with_documents(draft, None);
        if let Some(picture) = picture {
            draft.add_screenshot("screenshot-1.png", picture.to_vec()).unwrap();
        }
        draft.enclose(annex).unwrap();
        let sealed = draft.seal(&self.key(), None, &self.out()).unwrap();
        let name = sealed.path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with(&format!("{CASE}-redacted")), "{name}");
        (std::fs::read(sealed.path).unwrap(), whole)
    }
}

#[test]
fn a_redacted_bundle_verifies_and_says_what_it_leaves_out() {
    let house = House::new();
    let (key, _) = identity();
    let (bytes, whole) = house.bundle_for(std::slice::from_ref(&key));
    let report = check_all(&bytes);
    assert!(report.passed(), "{report:#?}");
    let told = |name: &str| report.checks.iter().find(|check| check.name == name).unwrap().detail.clone();
    assert!(told("replay").contains("to the last bit"), "the match is made again");
    let annex = told("annex");
    for words in ["1 bodies", "3 page titles", "texts with credentials", "2 texts of persons", key.as_str()] {
        assert!(annex.contains(words), "{words}: {annex}");
    }
    assert!(told("web archive").contains("1 bodies withheld"));
    assert!(annex.contains(&whole.root.to_string()));
    assert!(is_redacted(&bytes) && !is_redacted(&std::fs::read(&whole.path).unwrap()));
    // Nothing of it is anywhere in the clear, and the media is.
    for secret in ["SECRET", "somebody", "<html>page</html>", "免费", "Ann"] {
        let held = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!held, "{secret}");
    }
    assert!(bytes.windows(64).any(|window| window == &media()[..64]));
    // Both are known to the store, each to be held against the newest of its kind.
    let newest = |redacted| newest_bundle_of(&house.store, CASE, redacted).unwrap().unwrap();
    assert_eq!((newest(true).root, newest(true).sealed_root), (report.root.unwrap(), Some(whole.root)));
    assert_eq!((newest(false).root, newest(false).is_redacted()), (whole.root, false));
    assert_eq!(newest_bundle(&house.store, CASE).unwrap(), Some(newest(true)));
}

#[test]
fn whoever_it_is_sealed_for_opens_it_and_nobody_else() {
    let house = House::new();
    let ((key, secret), (counsel, counsel_secret), (_, stranger)) = (identity(), identity(), identity());
    let (bytes, whole) = house.bundle_for(&[key, counsel]);
    let out = house.folder.path().join("whole.wacz");
    let opened = open_annex(&bytes, &secret, &out).unwrap();
    assert_eq!(
        (opened.root, opened.sha256, opened.case_id.as_deref()),
        (whole.root, whole.sha256, Some(CASE))
    );
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole.path).unwrap());
    assert!(check_all(&std::fs::read(&out).unwrap()).passed());
    assert!(open_annex(&bytes, &secret, &out).is_err(), "never over another file");
    let other = house.folder.path().join("other.wacz");
    open_annex(&bytes, &counsel_secret, &other).unwrap();
    let none = house.folder.path().join("none.wacz");
    for (keys, why) in
        [(stranger.as_str(), "does not open it"), ("# nothing\n", "holds no key"), ("age1xyz", "key 1 of")]
    {
        let error = open_annex(&bytes, keys, &none).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let error = open_annex(&std::fs::read(&whole.path).unwrap(), &secret, &none).unwrap_err().to_string();
    assert!(error.contains("annex.json is missing"), "{error}");
    assert!(!none.exists(), "nothing is written");
}

#[test]
fn every_flipped_byte_of_a_redacted_bundle_is_seen() {
    let (bytes, _) = House::new().bundle_for(&[identity().0]);
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..300 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut changed = bytes.clone();
        let place = (random >> 33) as usize % bytes.len();
        changed[place] ^= 1 << (random >> 20 & 7);
        assert_eq!(failed(&check_all(&changed)), ["container"], "byte {place}");
    }
}

#[test]
fn what_is_missing_without_a_word_is_seen() {
    let house = House::new();
    let (bytes, _) = house.bundle_for(&[identity().0]);
    let entries = apart(&bytes);
    for name in [ANNEX, ANNEX_BYTES, WITHHELD] {
        let mut fewer = entries.clone();
        fewer.remove(name);
        assert!(failed(&check_all(&together(&fewer))).contains(&"annex"), "without {name}");
    }
    // A body that is not here, and not told.
    let mut untold = entries.clone();
    let list = String::from_utf8(untold[WITHHELD].clone()).unwrap();
    let mut list: serde_json::Value = serde_json::from_str(&list).unwrap();
    list["items"].as_array_mut().unwrap().retain(|item| item["what"] != "body");
    untold.insert(WITHHELD.to_owned(), document(&list, WITHHELD).unwrap());
    assert!(failed(&check_all(&together(&untold))).contains(&"web archive"));
    // A picture is told to be withheld that no capture has.
    let (strange, _) = house.bundle_with(&[identity().0], Some(b"a picture that no capture has"));
    assert_eq!(failed(&check_all(&strange)), ["annex"]);
}

#[test]
fn a_bundle_that_differs_from_the_one_inside_is_seen_when_it_is_opened() {
    let house = House::new();
    let (key, secret) = identity();
    let made_at = at("2026-03-05T00:00:00Z");
    let whole = house.draft(made_at, None).seal(&house.key(), None, &house.out()).unwrap();
    let annex = Annex::seal(&whole, &[key], house.folder.path()).unwrap();
    let redaction = Redaction::of(&File::open(&whole.path).unwrap()).unwrap();
    // One capture is kept from the reader, which nothing tells.
    let captures = &captures(&house.store)[..1];
    let media = Digest::of(&media());
    let draft = Draft::begin_redacted(&house.store, CASE, made_at, captures, &media, redaction).unwrap();
    let mut draft = house.with_documents(draft, None);
    draft.enclose(annex).unwrap();
    let sealed = draft.seal(&house.key(), None, &house.out()).unwrap();
    let out = house.folder.path().join("whole.wacz");
    let error = open_annex(&File::open(&sealed.path).unwrap(), &secret, &out).unwrap_err().to_string();
    assert!(error.contains("captures.json differs by more than is told"), "{error}");
    assert!(!out.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever stands in place of the annex and its record: no panic, no file.
    #[test]
    fn arbitrary_annexes_are_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300), record in any::<bool>(), headed in any::<bool>(),
    ) {
        thread_local! {
            static ENTRIES: (BTreeMap<String, Vec<u8>>, String) = {
                let (key, secret) = identity();
                (apart(&House::new().bundle_for(&[key]).0), secret)
            };
        }
        let (mut entries, secret) = ENTRIES.with(Clone::clone);
        let bytes = if headed { [&b"age-encryption.org/v1\n-> X25519 "[..], &bytes, b"\n--- "].concat() } else { bytes };
        if record {
            entries.insert(ANNEX.to_owned(), bytes);
        } else {
            let mut told: AnnexRecord = serde_json::from_slice(&entries[ANNEX]).unwrap();
            (told.bytes, told.sha256) = (bytes.len() as u64, Digest::of(&bytes));
            entries.insert(ANNEX.to_owned(), document(&told, ANNEX).unwrap());
            entries.insert(ANNEX_BYTES.to_owned(), bytes);
        }
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        prop_assert!(open_annex(&together(&entries), &secret, &out).is_err());
        prop_assert!(!out.exists());
    }
}
