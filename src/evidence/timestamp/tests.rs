//! On a token that OpenSSL issued (`openssl ts -reply`, one day before its certificate ended), kept in `golden/`. What needs
//! a living authority is in `tests/it/timestamp.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use der::{Decode as _, Encode as _};
use proptest::prelude::*;
use x509_tsp::TimeStampReq;

use super::verify::verify_answer;
use super::*;
use crate::base::Digest;

const TOKEN: &[u8] = include_bytes!("golden/token.tsr");
const ROOT: &[u8] = include_bytes!("golden/root.der");

fn digest() -> Digest {
    Digest::of(b"abc")
}

fn roots() -> Vec<Vec<u8>> {
    vec![ROOT.to_vec()]
}

#[test]
fn a_token_tells_what_it_says_long_after_its_certificate_has_ended() {
    let stamped = verify(TOKEN, &digest(), &roots()).unwrap();
    let expected = Stamped {
        at: "2026-11-26T02:24:36.4Z".parse().unwrap(),
        accuracy_us: Some(1_500_000),
        authority: "CN=Test time-stamp authority,O=Test,C=CN".to_owned(),
        serial: "02".to_owned(),
        policy: "1.2.3.4.1".to_owned(),
        is_modified: false,
    };
    assert_eq!(stamped, expected);
    // The token alone, without the response around it.
    let token = response::open(TOKEN).unwrap().token;
    assert_eq!(verify(token, &digest(), &roots()).unwrap().serial, "02");
    // The first of several roots need not be the right one.
    let other = signed::Signed::read(token).unwrap().certificates[0].to_vec();
    assert!(verify(TOKEN, &digest(), &[other, ROOT.to_vec()]).is_ok());
}

#[test]
fn a_claim_is_read_without_roots_and_only_of_its_own_digest() {
    let claim = claimed(TOKEN, &digest()).unwrap();
    let stamped = verify(TOKEN, &digest(), &roots()).unwrap();
    assert_eq!((claim.at, claim.accuracy_us), (stamped.at, stamped.accuracy_us));
    assert!(matches!(claimed(TOKEN, &Digest::of(b"abd")), Err(Error::Imprint { .. })));
    assert!(matches!(claimed(b"token", &digest()), Err(Error::Malformed { .. })));
    assert!(matches!(claimed(&[0x30; TOKEN_BYTES_MAX + 1], &digest()), Err(Error::Malformed { .. })));
}

#[test]
fn what_does_not_hold_is_named() {
    let other = Digest::of(b"abd");
    let error = verify(TOKEN, &other, &roots()).unwrap_err();
    assert!(matches!(&error, Error::Imprint { expected, .. } if *expected == other.to_string()), "{error}");
    assert!(matches!(verify(TOKEN, &digest(), &[]), Err(Error::NoRoots)));
    let not_a_root = verify(TOKEN, &digest(), &[vec![1, 2, 3]]).unwrap_err();
    assert!(matches!(not_a_root, Error::Chain(_)), "{not_a_root}");
    let nonce = [0x22, 0x6E, 0xA6, 0xD3, 0x63, 0xB3, 0xB6, 0x39];
    assert!(matches!(verify_answer(TOKEN, &digest(), Some(nonce), &roots()), Err(Error::Nonce)));
}

#[test]
fn a_request_is_what_the_standard_asks_for() {
    for nonce in [[0; NONCE_BYTES], [0xff; NONCE_BYTES], [0x80, 1, 2, 3, 4, 5, 6, 7]] {
        let bytes = request(&digest(), nonce).unwrap();
        let read = TimeStampReq::from_der(&bytes).unwrap();
        assert!(read.cert_req && read.extensions.is_none() && read.req_policy.is_none());
        assert_eq!(read.message_imprint.hashed_message.as_bytes(), digest().as_bytes());
        let sent = read.nonce.as_ref().unwrap();
        // Positive, in its shortest form, and as long as the random number.
        assert!(sent.as_bytes().len() == NONCE_BYTES && (0x40..0x80).contains(&sent.as_bytes()[0]));
        assert_eq!(read.to_der().unwrap(), bytes);
    }
}

#[test]
fn a_refusal_repeats_what_the_authority_says_and_steers_no_terminal() {
    let text = "no \u{1b}[31mclock\u{202e}";
    let mut status = vec![0x02, 0x01, 0x02, 0x30, text.len() as u8 + 2, 0x0c, text.len() as u8];
    status.extend(text.bytes());
    status.extend([0x03, 0x03, 0x01, 0x00, 0x02]); // bit 14
    let mut response = vec![0x30, status.len() as u8 + 2, 0x30, status.len() as u8];
    response.extend(status);
    let error = verify(&response, &digest(), &roots()).unwrap_err();
    assert!(matches!(error, Error::Refused(_)));
    let told = error.to_string();
    for expected in ["rejection", "timeNotAvailable", "no ⟨U+001B⟩[31mclock⟨U+202E⟩"] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(matches!(verify(&[0x30, 5, 0x30, 3, 2, 1, 0], &digest(), &roots()), Err(Error::NoToken)));
}

#[test]
fn roots_are_read_from_pem() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let good = file("good.pem", include_bytes!("golden/root.pem"));
    assert_eq!(read_roots(&[&good, &good]).unwrap(), [ROOT, ROOT]);
    let missing = folder.path().join("missing.pem");
    for (path, told) in [
        (file("empty.pem", b"no certificate"), "no PEM certificate"),
        (file("broken.pem", b"-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n"), "broken.pem"),
        (file("long.pem", &vec![b' '; 5 << 20]), "longer than"),
        (missing, "missing.pem"),
    ] {
        let error = read_roots(&[path]).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify(&bytes, &digest(), &roots()).is_err());
    }

    #[test]
    fn cut_and_lengthened_tokens_are_refused(cut in 0..TOKEN.len(), more in 1usize..50) {
        prop_assert!(verify(&TOKEN[..cut], &digest(), &roots()).is_err());
        let long = [TOKEN, &vec![0; more]].concat();
        prop_assert!(verify(&long, &digest(), &roots()).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_changes_nothing_that_is_told(at in 0..TOKEN.len(), to in any::<u8>()) {
        let mut bytes = TOKEN.to_vec();
        bytes[at] = to;
        // Unsigned parts are the status (granted, or granted with changes), versions, and the list of digest algorithms.
        if let Ok(stamped) = verify(&bytes, &digest(), &roots()) {
            let told = verify(TOKEN, &digest(), &roots()).unwrap();
            prop_assert_eq!(Stamped { is_modified: false, ..stamped }, told);
        }
    }
}
