//! The licence graph in memory, always of what the store holds.

use std::sync::{Arc, Mutex};

use crate::base::lock;
use crate::cases::load_licences;
use crate::rights::{Licence, LicenceGraph};
use crate::store::{self, Store, Watch};

/// The licence graph, read anew where a licence was recorded.
pub(super) struct Licences {
    watch: Watch,
    graph: Mutex<Arc<LicenceGraph>>,
}

impl Licences {
    pub(super) fn open(store: &Store) -> Result<Self, store::Error> {
        let watch = store.watch::<Licence>();
        Ok(Self { watch, graph: Mutex::new(Arc::new(load_licences(store)?)) })
    }

    pub(super) fn get(&self, store: &Store) -> Result<Arc<LicenceGraph>, store::Error> {
        let mut graph = lock(&self.graph);
        if !self.watch.take().is_empty() {
            *graph = Arc::new(load_licences(store)?);
        }
        Ok(Arc::clone(&graph))
    }
}
