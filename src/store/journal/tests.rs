#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// Returns a journal of the payloads, and the offset behind each frame.
fn journal_of(payloads: &[Vec<u8>]) -> (Vec<u8>, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    create(&path, 3, []).unwrap();
    let mut journal = Journal::open(&path, 3, HEADER_BYTES).unwrap();
    let ends = payloads.iter().map(|payload| journal.append(payload).unwrap()).collect();
    (std::fs::read(&path).unwrap(), ends)
}

/// Walks a journal to its end; gives the whole payloads and the steps that were none.
fn walk(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<Step>) {
    let mut reader = Reader::new(Cursor::new(bytes)).unwrap();
    let (mut payloads, mut others) = (Vec::new(), Vec::new());
    loop {
        match reader.step().unwrap() {
            Step::Frame { payload, .. } => payloads.push(payload),
            Step::End => return (payloads, others),
            other => others.push(other),
        }
    }
}

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Bytes of markers and lengths are likelier than by chance, to provoke false frames.
    let byte = prop_oneof![any::<u8>(), Just(0xff), Just(b'E'), Just(b'W'), Just(0xf1), Just(0)];
    prop::collection::vec(prop::collection::vec(byte, 1..60), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_at_any_byte_leaves_a_run_of_whole_frames(payloads in payloads()) {
        let (bytes, ends) = journal_of(&payloads);
        for cut in HEADER_BYTES as usize..=bytes.len() {
            let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
            let (found, others) = walk(&bytes[..cut]);
            prop_assert_eq!(&found[..], &payloads[..whole]);
            let last_end = if whole == 0 { HEADER_BYTES } else { ends[whole - 1] };
            if cut as u64 == last_end {
                prop_assert!(others.is_empty());
            } else {
                let torn = matches!(others[..], [Step::Torn { offset, .. }] if offset == last_end);
                prop_assert!(torn, "{:?}", others);
            }
        }
    }

    #[test]
    fn a_flipped_bit_costs_its_frame_alone_and_is_seen(payloads in payloads(), bit in 0u32..8) {
        let (bytes, ends) = journal_of(&payloads);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            if (at as u64) < HEADER_BYTES {
                prop_assert!(Reader::new(Cursor::new(&damaged)).is_err());
                continue;
            }
            let hit = ends.iter().position(|&end| (at as u64) < end).unwrap();
            let mut left = payloads.clone();
            left.remove(hit);
            let (found, others) = walk(&damaged);
            prop_assert_eq!(found, left);
            let start = if hit == 0 { HEADER_BYTES } else { ends[hit - 1] };
            match &others[..] {
                [Step::Torn { offset, .. }] => prop_assert!(*offset == start && hit + 1 == payloads.len()),
                [Step::Damaged { offset, resumes, .. }] => {
                    prop_assert_eq!((*offset, *resumes), (start, ends[hit]));
                }
                _ => prop_assert!(false, "{:?}", others),
            }
        }
    }

    #[test]
    fn any_bytes_can_be_walked(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut bytes, _) = journal_of(&[b"{}\n".to_vec()]);
        bytes.extend(&tail);
        let (found, _) = walk(&bytes);
        prop_assert_eq!(&found[0], b"{}\n");
        let _ = Reader::new(Cursor::new(&tail)).map(|mut reader| reader.step());
    }
}

#[test]
fn finds_frames_beyond_the_search_window() {
    let payloads = vec![vec![b'x'; 200_000], b"last\n".to_vec()];
    let (mut bytes, ends) = journal_of(&payloads);
    bytes[HEADER_BYTES as usize + 20] ^= 1;
    let (found, others) = walk(&bytes);
    assert_eq!(found, [b"last\n"]);
    assert!(matches!(others[..], [Step::Damaged { resumes, .. }] if resumes == ends[0]));
}

#[test]
fn an_open_journal_cuts_off_what_follows_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    create(&path, 1, [Ok(b"a\n".to_vec())]).unwrap();
    let end = std::fs::metadata(&path).unwrap().len();
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend(b"torn");
    std::fs::write(&path, torn).unwrap();
    let mut journal = Journal::open(&path, 1, end).unwrap();
    journal.append(b"b\n").unwrap();
    assert_eq!(walk(&std::fs::read(&path).unwrap()).0, [b"a\n", b"b\n"]);
    assert!(journal.append(b"").is_err());
}

#[test]
fn a_rewritten_journal_holds_what_is_live_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let line = |key: &str, value: &str| format!("{{\"kind\":\"k\",\"key\":\"{key}\",\"value\":{value}}}\n");
    let frames = [
        line("a", "1") + &line("b", "1"),
        line("c", "1.50"),
        line("a", "2") + &line("b", "null"),
        line("d", "null"),
    ];
    create(&path, 4, frames.iter().map(|frame| Ok(frame.clone().into_bytes()))).unwrap();
    let (generation, length) = compact(&path).unwrap();
    assert_eq!((generation, length), (5, std::fs::metadata(&path).unwrap().len()));
    let (found, others) = walk(&std::fs::read(&path).unwrap());
    assert!(others.is_empty());
    assert_eq!(String::from_utf8(found.concat()).unwrap(), line("c", "1.50") + &line("a", "2"));
    // What is damaged is not rewritten.
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(compact(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
