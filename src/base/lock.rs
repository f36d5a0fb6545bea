//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for a lock. For values that are whole whenever nobody holds it: that a thread panicked while it did then
/// changes nothing.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn a_panic_elsewhere_changes_nothing() {
        let value = Mutex::new(7);
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _held = lock(&value);
                panic!("while it is held");
            });
            assert!(thread.join().is_err());
        });
        assert!(value.is_poisoned());
        assert_eq!(*lock(&value), 7);
    }
}
