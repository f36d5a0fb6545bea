//! The fingerprint's bytes, exported fingerprints, and what a worker answers. Input: a byte that selects the parser,
//! its bytes; checksums are put right, or nothing would get past them.
#![no_main]

use earwitness::fingerprint::{FORMAT_VERSION, decode, encode, reference_quads};
use earwitness::scan::fuzzing::exported_fingerprint;
use earwitness::scan::worker::{fuzzing as worker, parse_reply};
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    match selector % 6 {
        0 => fingerprint(bytes),
        1 => fingerprint(&sealed_fingerprint(bytes)),
        2 => reply(bytes),
        3 => reply(&sealed_reply(bytes)),
        4 => frames(bytes),
        _ => exported(bytes),
    }
});

fn fingerprint(bytes: &[u8]) {
    count("fingerprint");
    let Ok(fingerprint) = decode(bytes) else { return };
    count("fingerprint, whole");
    let written = encode(&fingerprint);
    assert!(written.len() <= bytes.len());
    assert_eq!(decode(&written).as_ref(), Ok(&fingerprint));
    if fingerprint.peaks.len() <= 500 {
        let _ = reference_quads(&fingerprint.peaks);
    }
}

/// With magic, version and checksum.
fn sealed_fingerprint(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = [b"EWFP", FORMAT_VERSION.to_le_bytes().as_slice(), &[0, 0], bytes].concat();
    let checksum = crc32fast::hash(&sealed);
    sealed.extend_from_slice(&checksum.to_le_bytes());
    sealed
}

fn reply(bytes: &[u8]) {
    count("reply");
    let Ok(reply) = parse_reply(bytes) else { return };
    count("reply, whole");
    let mut written = Vec::new();
    reply.write(&mut written).unwrap();
    assert_eq!(parse_reply(&written), Ok(reply));
}

/// With magic, length and checksum; what stands before the first `{` is left out, a length of the head put in place.
fn sealed_reply(bytes: &[u8]) -> Vec<u8> {
    let head_bytes = bytes.iter().rposition(|byte| *byte == b'}').map_or(0, |at| at + 1);
    let body = [(head_bytes as u32).to_le_bytes().as_slice(), bytes].concat();
    let (length, checksum) = ((body.len() as u32).to_le_bytes(), crc32fast::hash(&body).to_le_bytes());
    [b"EWR1", length.as_slice(), &checksum, &body].concat()
}

fn frames(bytes: &[u8]) {
    count("frames");
    let _ = worker::frames(bytes);
    let mut sealed = bytes.to_vec();
    worker::seal(&mut sealed);
    let (written, taken) = worker::frames(&sealed);
    if taken > 0 {
        count("frames, some whole");
    }
    assert_eq!(worker::frames(&written), (written, taken));
}

fn exported(bytes: &[u8]) {
    count("exported fingerprint");
    let Some(fingerprint) = exported_fingerprint("A-1", bytes) else { return };
    assert!(decode(&fingerprint).is_ok());
}
