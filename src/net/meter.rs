//! Counting bytes for callers that keep budgets.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the bytes of bodies; may be shared by as many requests as wanted.
#[derive(Debug, Default)]
pub struct Meter {
    wire: AtomicU64,
    inflated: AtomicU64,
}

impl Meter {
    /// Returns the bytes that came: bodies as the server sent them, before content codings are taken off, without
    /// heads, chunk lines and the layers below.
    #[must_use]
    pub fn wire(&self) -> u64 {
        self.wire.load(Ordering::Relaxed)
    }

    /// Returns the bytes that were handed out, after content codings were taken off.
    #[must_use]
    pub fn inflated(&self) -> u64 {
        self.inflated.load(Ordering::Relaxed)
    }

    pub(super) fn count_wire(&self, bytes: u64) {
        self.wire.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_inflated(&self, bytes: u64) {
        self.inflated.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A number of bytes on the wire (as [`Meter::wire`] counts them) that bodies may take together.
#[derive(Debug)]
pub struct Allowance {
    whose: String,
    left: AtomicU64,
}

impl Allowance {
    /// Allows `bytes`; `whose` names the budget in errors, such as `the byte budget of example.com`.
    #[must_use]
    pub const fn new(whose: String, bytes: u64) -> Self {
        Self { whose, left: AtomicU64::new(bytes) }
    }

    /// Returns how many bytes may still come.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Returns the name of the budget.
    #[must_use]
    pub fn whose(&self) -> &str {
        &self.whose
    }

    /// Takes `bytes`, and returns whether so many were left. Where they were not, nothing is left afterwards: bytes
    /// that have come cannot be sent back.
    pub fn take(&self, bytes: u64) -> bool {
        let before = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)))
            .unwrap_or(0);
        before >= bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_never_goes_below_nothing() {
        let allowance = Allowance::new("the budget".to_owned(), 10);
        assert!(allowance.take(4) && allowance.take(6) && allowance.take(0));
        assert!(!allowance.take(1));
        assert_eq!(allowance.left(), 0);
        let allowance = Allowance::new("the budget".to_owned(), 10);
        assert!(!allowance.take(11));
        assert_eq!((allowance.left(), allowance.whose()), (0, "the budget"));
    }
}
