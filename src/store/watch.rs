//! Who keeps a view of some records in memory learns here which of them were changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};

use super::record::Change;
use super::{Record, Store};
use crate::base::lock;

/// The keys of one kind's records that were put or deleted since they were last taken. Memory is bounded by the number of
/// such records, however often each changes.
pub struct Watch {
    changed: Arc<Changed>,
}

impl Watch {
    /// Takes the keys that were changed since the last call, in their order.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.changed.keys)).into_iter().collect()
    }
}

/// What a watch and the store share.
pub(super) struct Changed {
    kind: &'static str,
    keys: Mutex<BTreeSet<String>>,
}

/// All watches of a store; those that nobody holds any more are forgotten.
#[derive(Default)]
pub(super) struct Watches {
    all: Mutex<Vec<Weak<Changed>>>,
}

impl Watches {
    fn add(&self, kind: &'static str) -> Watch {
        let changed = Arc::new(Changed { kind, keys: Mutex::default() });
        lock(&self.all).push(Arc::downgrade(&changed));
        Watch { changed }
    }

    /// Tells all watches what a commit changed.
    pub(super) fn tell(&self, changes: &[Change]) {
        lock(&self.all).retain(|watch| {
            let Some(watch) = watch.upgrade() else { return false };
            let of_kind = changes.iter().filter(|change| change.kind == watch.kind);
            lock(&watch.keys).extend(of_kind.map(|change| change.key.clone()));
            true
        });
    }
}

impl Store {
    /// Watches the records of a kind from now on: a commit that has returned before [`Watch::take`] is called is told by it.
    #[must_use]
    pub fn watch<R: Record>(&self) -> Watch {
        self.watches().add(R::KIND)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::Batch;
    use crate::store::testing::{Cached, Kept};

    #[test]
    fn a_watch_tells_each_changed_key_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.put(&Kept::new("before", "1")).unwrap();
        let watch = store.watch::<Kept>();
        assert!(watch.take().is_empty());
        let mut batch = Batch::new();
        batch.put(&Kept::new("b", "1")).unwrap();
        batch.put(&Cached::new("other", "1")).unwrap();
        batch.delete::<Kept>("before");
        store.commit(batch).unwrap();
        store.put(&Kept::new("b", "2")).unwrap();
        assert_eq!(watch.take(), ["b", "before"]);
        assert!(watch.take().is_empty());
        drop(watch);
        store.put(&Kept::new("c", "1")).unwrap();
        assert!(lock(&store.watches().all).is_empty());
    }
}
