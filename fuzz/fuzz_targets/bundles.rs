//! Bundles of evidence from anybody's hand: the whole verifier, the container, the web archive, each document in a container
//! that holds, excerpts of the log, time-stamp tokens. Input: a byte that selects the parser; for documents one that selects
//! the entry of the golden bundle that is replaced; the bytes.
#![no_main]

use earwitness::evidence::fuzzing as evidence;
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    match selector % 8 {
        0 | 1 => told("bundle", bytes, evidence::bundle),
        2 => told("bundle, some bytes of the golden one replaced", bytes, patched),
        3 | 4 => told("web archive", bytes, evidence::archive),
        5 => told("document", bytes, document),
        6 => told("log", bytes, evidence::log),
        _ => told("time-stamp", bytes, evidence::token),
    }
});

fn told(parser: &'static str, bytes: &[u8], run: fn(&[u8])) {
    count(parser);
    run(bytes);
}

/// Input: where, in four bytes, and what is put there.
fn patched(bytes: &[u8]) {
    let Some((place, new)) = bytes.split_first_chunk::<4>() else { return };
    let mut bundle = evidence::GOLDEN.to_vec();
    let place = u32::from_le_bytes(*place) as usize % bundle.len();
    for (old, new) in bundle[place..].iter_mut().zip(new) {
        *old = *new;
    }
    evidence::bundle(&bundle);
}

fn document(bytes: &[u8]) {
    if let Some((which, content)) = selected(bytes) {
        evidence::document(which, content);
    }
}
