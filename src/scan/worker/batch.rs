//! Many files over several workers, the results in the order of the files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Analysis, Decoder, Error};
use crate::base::lock;

/// Results that may wait for an earlier file's, for each thread: bounds the memory.
const AHEAD_PER_THREAD: usize = 4;

struct State<T> {
    /// The next piece of work to be started.
    next: usize,
    /// The next result to be given.
    due: usize,
    done: BTreeMap<usize, T>,
    stopped: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
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
    in_order(files.len(), threads, &|index| decoder.analyse(&files[index]), give);
}

/// Does `count` pieces of work on `threads` threads, and hands each result to `give` with its index, in order.
/// `give` returns whether to go on.
pub fn in_order<T: Send>(
    count: usize,
    threads: usize,
    work: &(dyn Fn(usize) -> T + Sync),
    give: &mut dyn FnMut(usize, T) -> bool,
) {
    let threads = threads.clamp(1, count.max(1));
    let state = State { next: 0, due: 0, done: BTreeMap::new(), stopped: false };
    let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| do_pieces(&shared, count, work, threads * AHEAD_PER_THREAD));
        }
        for index in 0..count {
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

/// Takes pieces until there are no more, never too far ahead of what was given out.
fn do_pieces<T>(shared: &Shared<T>, count: usize, work: &(dyn Fn(usize) -> T + Sync), ahead: usize) {
    loop {
        let mut state = shared.lock();
        while !state.stopped && state.next < count && state.next >= state.due + ahead {
            state = shared.wait(state);
        }
        if state.stopped || state.next >= count {
            return;
        }
        let index = state.next;
        state.next += 1;
        drop(state);
        let result = work(index);
        shared.lock().done.insert(index, result);
        shared.changed.notify_all();
    }
}

fn take<T>(shared: &Shared<T>, index: usize) -> T {
    let mut state = shared.lock();
    loop {
        if let Some(result) = state.done.remove(&index) {
            return result;
        }
        state = shared.wait(state);
    }
}
