//! What the fuzz targets share: a count of the parsers run, and a way past panics in the decoders of others.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, Once, PoisonError};

pub mod folder;
pub mod found;
pub mod sound;

static COUNTS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());
static AT_EXIT: Once = Once::new();

unsafe extern "C" {
    fn atexit(run: extern "C" fn()) -> i32;
}

extern "C" fn print_counts() {
    for (parser, runs) in &*COUNTS.lock().unwrap_or_else(PoisonError::into_inner) {
        eprintln!("runs: {parser}: {runs}");
    }
}

/// Counts one run of a parser; the counts are printed when the process ends.
pub fn count(parser: &'static str) {
    // SAFETY: the function takes nothing, touches a static alone and does not unwind.
    AT_EXIT.call_once(|| _ = unsafe { atexit(print_counts) });
    *COUNTS.lock().unwrap_or_else(PoisonError::into_inner).entry(parser).or_default() += 1;
}

/// The first byte, which selects, and the rest.
#[must_use]
pub fn selected(data: &[u8]) -> Option<(u8, &[u8])> {
    data.split_first().map(|(first, rest)| (*first, rest))
}

/// The crates that decode audio. In the program they run in a worker process, which a panic of theirs ends: one file
/// is lost, with a message. Here such a panic is told once and passed over, so that it does not hide our own.
const DECODERS: [&str; 5] = ["/symphonia", "/opus-rs-", "/nanomp3-core-", "/syom-", "/realfft-"];

static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Makes panics in [`DECODERS`] unwind, and all others end the process as a finding. To be called once, at the start.
pub fn unwind_from_decoders() {
    let end = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        if !DECODERS.iter().any(|decoder| place.contains(decoder)) {
            end(info);
            std::process::abort();
        }
        if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone()) {
            eprintln!("decoder: panic at {place}");
        }
    }));
}

/// Runs `work`; `None` where a decoder panicked.
pub fn unless_decoder_panics<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}
