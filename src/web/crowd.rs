//! How many there are of each: connections of a network, uploads of an account.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use crate::base::lock;

/// Counts who is inside, by a key. Holds no more keys than there are insiders.
pub(super) struct Crowd<K> {
    inside: Mutex<HashMap<K, usize>>,
}

/// Somebody inside, until dropped.
pub(super) struct Inside<K: Eq + Hash> {
    crowd: Arc<Crowd<K>>,
    key: K,
}

impl<K> Default for Crowd<K> {
    fn default() -> Self {
        Self { inside: Mutex::default() }
    }
}

impl<K: Eq + Hash + Clone> Crowd<K> {
    /// Lets one more of `key` in; nobody where there are `most` already.
    pub(super) fn enter(self: &Arc<Self>, key: K, most: usize) -> Option<Inside<K>> {
        let mut inside = lock(&self.inside);
        let count = inside.get(&key).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        inside.insert(key.clone(), count + 1);
        Some(Inside { crowd: Arc::clone(self), key })
    }
}

impl<K: Eq + Hash> Drop for Inside<K> {
    fn drop(&mut self) {
        let mut inside = lock(&self.crowd.inside);
        if let Some(count) = inside.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inside.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_more_than_so_many_of_each_and_nobody_is_remembered() {
        let crowd: Arc<Crowd<&str>> = Arc::default();
        let first = crowd.enter("a", 2).unwrap();
        let second = crowd.enter("a", 2).unwrap();
        assert!(crowd.enter("a", 2).is_none());
        assert!(crowd.enter("b", 2).is_some());
        drop(first);
        let third = crowd.enter("a", 2).unwrap();
        assert!(crowd.enter("a", 2).is_none());
        drop((second, third));
        assert!(lock(&crowd.inside).is_empty());
    }
}
