//! What fitted the filters that were asked for lately: whoever pages through a list, or goes from case to case in it, asks for
//! the same again and again.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::filter::{Filter, Sort};
use super::rows::Row;
use crate::base::lock;

/// Filters that are remembered: some 800 KB each where 100,000 cases fit.
const REMEMBERED: usize = 16;

type Slot = Arc<OnceLock<Arc<[Arc<Row>]>>>;

/// What was found lately, the newest last.
#[derive(Debug, Default)]
pub(super) struct FoundLately {
    slots: Mutex<Vec<(Filter, Sort, Slot)>>,
}

impl FoundLately {
    /// What fits a filter, sorted: as it was found before, else by `find`. Whoever asks for the same meanwhile waits for it.
    pub(super) fn get(
        &self,
        filter: &Filter,
        sort: Sort,
        find: impl FnOnce() -> Arc<[Arc<Row>]>,
    ) -> Arc<[Arc<Row>]> {
        let slot = self.slot(filter, sort);
        Arc::clone(slot.get_or_init(find))
    }

    fn slot(&self, filter: &Filter, sort: Sort) -> Slot {
        let mut slots = lock(&self.slots);
        let known = slots.iter().position(|(other, by, _)| *by == sort && other == filter);
        let slot = known.map(|at| slots.remove(at).2).unwrap_or_default();
        if slots.len() >= REMEMBERED {
            slots.remove(0);
        }
        slots.push((filter.clone(), sort, Arc::clone(&slot)));
        slot
    }

    /// Forgets all: a case has changed.
    pub(super) fn forget(&mut self) {
        self.slots.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
