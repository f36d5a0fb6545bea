//! What a doubter would try: documents that contradict each other under a good signature, tokens of other bundles, bundles that
//! the store was not told of, and bytes that were changed at random.

use super::*;

/// Whatever is changed in an exchange of the captures, while the archive stays, or the other way round, is told.
#[test]
fn archive_and_captures_are_held_against_each_other_in_full() {
    let house = House::new();
    let (entries, key) = (apart(&house.bundle()), house.key());
    assert!(check_all(&resigned(entries.clone(), &key)).passed());
    let captures: Vec<Capture> = serde_json::from_slice(&entries["earwitness/captures.json"]).unwrap();
    type Change = fn(&mut Exchange);
    let changes: [(&str, Change); 16] = [
        ("method", |one| one.request_head = one.request_head.replace("GET", "POST")),
        ("request head", |one| one.request_head = one.request_head.replace("pirate", "honest")),
        ("answer head", |one| one.response_head = one.response_head.replace("audio", "text")),
        ("status", |one| one.status = 203),
        ("url", |one| one.url.push('x')),
        ("asked at", |one| one.asked_at = one.answered_at),
        ("answered at", |one| one.answered_at = one.asked_at),
        ("http", |one| one.http = "HTTP/1.0".to_owned()),
        ("peer", |one| one.peer = Some("203.0.113.8:443".to_owned())),
        ("port", |one| one.peer = Some("203.0.113.7:80".to_owned())),
        ("proxy", |one| one.via_proxy = true),
        ("name", |one| one.dns = None),
        ("tls", |one| one.tls = None),
        ("cipher", |one| one.tls.as_mut().unwrap().cipher = Some("TLS_AES_128_GCM_SHA256".to_owned())),
        ("certificate", |one| one.tls.as_mut().unwrap().certificates[0].push('A')),
        ("truncated", |one| one.truncated = Some(Truncated::Length)),
    ];
    // The page, and the file the second time, which the archive has as a revisit.
    for (capture, exchange) in [(0, 1), (1, 0)] {
        for (what, change) in changes {
            let mut changed = captures.clone();
            change(&mut changed[capture].exchanges[exchange]);
            let mut entries = entries.clone();
            entries.insert("earwitness/captures.json".to_owned(), document(&changed, "").unwrap());
            let failed = failed(&check_all(&resigned(entries, &key)));
            assert!(failed.contains(&"web archive"), "{what}: {failed:?}");
        }
    }
    let archive = String::from_utf8_lossy(&entries["archive/data.warc"]).into_owned();
    for (what, old, new) in [
        ("a field more", "WARC-Truncated: time\r\n", "WARC-Truncated: time\r\nWARC-Note: x\r\n"),
        ("another field", "WARC-IP-Address: 203.0.113.7", "WARC-IP-Address: 203.0.113.8"),
        ("another reference", "WARC-Refers-To-Date: 2026-03-01", "WARC-Refers-To-Date: 2026-03-02"),
    ] {
        assert!(archive.contains(old), "{what}");
        let bytes = &entries["archive/data.warc"];
        let at = bytes.windows(old.len()).position(|part| part == old.as_bytes()).unwrap();
        let changed = [&bytes[..at], new.as_bytes(), &bytes[at + old.len()..]].concat();
        let mut entries = entries.clone();
        entries.insert("archive/data.warc".to_owned(), changed);
        let report = check_all(&resigned(entries, &key));
        let check = report.checks.iter().find(|check| check.name == "web archive").unwrap();
        assert!(check.detail.ends_with("its fields differs"), "{what}: {}", check.detail);
    }
}

/// A token that OpenSSL made, of other bytes.
const TOKEN: &[u8] = include_bytes!("../timestamp/golden/token.tsr");

#[test]
fn a_token_is_looked_at_where_no_authority_is_trusted() {
    let house = House::new();
    let path = house.sealed("2026-03-05T00:00:00Z").path;
    let detail = || {
        let report = check_all(&std::fs::read(&path).unwrap());
        let check = report.checks.iter().find(|check| check.name == "time-stamp").unwrap();
        (check.outcome, check.detail.clone())
    };
    attach_timestamp(&path, TOKEN).unwrap();
    let (outcome, told) = detail();
    assert_eq!(outcome, Outcome::Failed);
    assert!(told.contains("the token is of another digest"), "{told}");
    // Of this signature, though nobody vouches for it: the imprint alone is put in its place.
    let imprint = timestamp_imprint(&File::open(&path).unwrap()).unwrap();
    let other = Digest::of(b"abc");
    let mut token = TOKEN.to_vec();
    let at = token.windows(32).position(|part| part == other.as_bytes()).unwrap();
    token[at..at + 32].copy_from_slice(imprint.as_bytes());
    attach_timestamp(&path, &token).unwrap();
    let (outcome, told) = detail();
    assert_eq!(outcome, Outcome::NotChecked);
    assert!(
        told.starts_with("imprint right, it says 2026-11-26T02:24:36.4Z; signer not checked: no roots"),
        "{told}"
    );
}

/// A process that ended between naming a bundle and recording it, or before.
#[test]
fn a_bundle_whose_making_was_ended_is_found_again() {
    let house = House::new();
    let old = house.sealed("2026-03-05T00:00:00Z");
    let record = |sealed: &Sealed, second: &str| BundleRecord {
        case_id: CASE.to_owned(),
        root: sealed.root,
        bundle_sha256: sealed.sha256,
        made_at: at(second),
        sealed_root: None,
    };
    let newest = |shown: Option<&Digest>| {
        let made = match shown {
            None => newest_bundle(&house.store, CASE),
            Some(root) => newest_bundle_beside(&house.store, CASE, root, false),
        };
        made.unwrap().unwrap()
    };
    let pend = |record: &BundleRecord, bytes| {
        made::PendingBundle::keep(record.clone(), bytes, &house.out(), &house.store).unwrap();
    };
    let bundles_in_log = || log::entries_about(&house.store, CASE).unwrap().len();
    // Not named: no file of the folder has these bytes.
    let lost = BundleRecord {
        root: Digest::of(b"lost"),
        bundle_sha256: Digest::of(b"lost"),
        ..record(&old, "2026-03-06T00:00:00Z")
    };
    pend(&lost, old.bytes);
    assert_eq!(newest(None).root, old.root);
    // Named, not recorded; as if by another process, so that the file is made by another house.
    let elsewhere = House::new();
    let made =
        elsewhere.draft(at("2026-03-07T00:00:00Z"), None).seal(&house.key(), None, &house.out()).unwrap();
    let named = record(&made, "2026-03-07T00:00:00Z");
    pend(&named, made.bytes);
    let before = bundles_in_log();
    assert_eq!(newest(None), named);
    assert_eq!(bundles_in_log(), before + 1);
    assert_eq!(newest(None), named, "once");
    assert_eq!(bundles_in_log(), before + 1);
    // Named and carried away before the store was asked: whoever has the file shows it.
    let away = BundleRecord { root: Digest::of(b"away"), ..record(&made, "2026-03-08T00:00:00Z") };
    pend(&BundleRecord { bundle_sha256: Digest::of(b"away"), ..away.clone() }, 1);
    assert_eq!(newest(None), named);
    assert_eq!(newest(Some(&away.root)).root, away.root);
    // The next bundle forgets what never got a name.
    let next = house.sealed("2026-03-09T00:00:00Z");
    assert_eq!((newest(None).root, newest(Some(&lost.root)).root), (next.root, next.root));
    log::check(&house.store).unwrap();
}

/// A bundle that an earlier build made: later ones must go on verifying it. `EARWITNESS_REGENERATE=1` makes another, for a
/// new version of the format.
#[test]
fn a_bundle_of_an_earlier_build_still_verifies() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(fuzzing::GOLDEN_PATH);
    if std::env::var_os("EARWITNESS_REGENERATE").is_some() && !path.exists() {
        std::fs::write(&path, House::new().bundle()).unwrap();
    }
    let report = check_all(&std::fs::read(&path).unwrap());
    assert!(report.passed(), "{report:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// The bodies of the fuzz targets, on the golden bundle with some bytes changed, cut or put in.
    #[test]
    fn mutated_bundles_archives_and_tokens_keep_what_is_promised(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        (cut, at) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..30), entry in any::<u8>(),
    ) {
        let mutated = |whole: &[u8]| {
            let mut bytes = whole.to_vec();
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            let at = at.index(bytes.len());
            bytes.splice(at..at, more.iter().copied());
            if entry % 4 == 0 {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes
        };
        fuzzing::bundle(&mutated(fuzzing::GOLDEN));
        fuzzing::token(&mutated(TOKEN));
        if let Some((_, content)) = fuzzing::entry(entry) {
            fuzzing::document(entry, &mutated(&content));
        }
        if let Some((_, archive)) = fuzzing::entry(0) {
            fuzzing::archive(&mutated(&archive));
        }
    }
}
