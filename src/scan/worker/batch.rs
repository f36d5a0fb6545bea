//! Many files over several workers, the results in the order of the files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Analysis, Decoder, Error};

/// Results that may wait for an earlier file's, for each thread: bounds the memory.
const AHEAD_PER_THREAD: usize = 4;

struct State {
    /// The next file to be started.
    next: usize,
    /// The next result to be given.
    due: usize,
    done: BTreeMap<usize, Result<Analysis, Error>>,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Analyses `files` with `threads` workers at a time, and hands each result to `give` with its index, in order.
/// `give` returns whether to go on.
pub fn analyse_all(
    decoder: &Decoder,
    files: &[PathBuf],
    threads: usize,
    give: &mut dyn FnMut(usize, Result<Analysis, Error>) -> bool,
) {
    let threads = threads.clamp(1, files.len().max(1));
    let state = State { next: 0, due: 0, done: BTreeMap::new(), stopped: false };
    let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&shared, decoder, files, threads * AHEAD_PER_THREAD));
        }
        for index in 0..files.len() {
            let result = take(&shared, index);
            let go_on = give(index, result);
            let mut state = shared.lock();
            state.due = index + 1;
            state.stopped |= !go_on;
            shared.changed.notify_all();
            if !go_on {
                break;
            }
        }
    });
}

/// Takes files until there are no more, never too far ahead of what was given out.
fn work(shared: &Shared, decoder: &Decoder, files: &[PathBuf], ahead: usize) {
    loop {
        let mut state = shared.lock();
        while !state.stopped && state.next < files.len() && state.next >= state.due + ahead {
            state = shared.wait(state);
        }
        if state.stopped || state.next >= files.len() {
            return;
        }
        let index = state.next;
        state.next += 1;
        drop(state);
        let result = decoder.analyse(&files[index]);
        shared.lock().done.insert(index, result);
        shared.changed.notify_all();
    }
}

fn take(shared: &Shared, index: usize) -> Result<Analysis, Error> {
    let mut state = shared.lock();
    loop {
        if let Some(result) = state.done.remove(&index) {
            return result;
        }
        state = shared.wait(state);
    }
}
