//! Away with what runs left in the store.

use super::exchanges::{ExchangeRecord, TlsRecord};
use super::known::KnownRecord;
use super::records::{
    BeyondRecord, HostRecord, JobRecord, LeadRecord, SeenRecord, ShapeRecord, SightingRecord, SiteRecord,
    SkipRecord, TaskRecord, VisitRecord, job_key,
};
use crate::store::{self, Batch, Record, Store};

/// Records that are removed in one batch.
const RECORDS_MAX: usize = 4000;

/// Removes all that a job left in the store, but for its ledger and sightings, which tell what it did.
pub(super) fn clear(store: &Store, name: &str) -> Result<(), store::Error> {
    // First, so that a run whose clearing is broken off is no run that could be gone on with.
    let mut batch = Batch::new();
    batch.delete::<JobRecord>(&job_key(name));
    store.commit(batch)?;
    let prefix = format!("{}/", job_key(name));
    clear_kind::<TaskRecord>(store, &prefix)?;
    clear_kind::<SeenRecord>(store, &prefix)?;
    clear_kind::<VisitRecord>(store, &prefix)?;
    clear_kind::<ExchangeRecord>(store, &prefix)?;
    clear_kind::<TlsRecord>(store, &prefix)?;
    clear_kind::<BeyondRecord>(store, &prefix)?;
    clear_kind::<ShapeRecord>(store, &prefix)?;
    clear_kind::<SkipRecord>(store, &prefix)
}

/// Removes all that is kept of a site's runs; the site itself stays. Not while it is crawled.
///
/// # Errors
/// When the store fails.
pub fn forget(store: &Store, name: &str) -> Result<(), store::Error> {
    clear(store, name)?;
    let prefix = format!("{}/", job_key(name));
    clear_kind::<SightingRecord>(store, &prefix)?;
    clear_kind::<LeadRecord>(store, &prefix)?;
    clear_kind::<KnownRecord>(store, &prefix)?;
    clear_kind::<HostRecord>(store, &prefix)
}

/// Removes a site that was added, and all that is kept of its runs; returns whether there was anything.
///
/// # Errors
/// When the store fails.
pub fn remove_site(store: &Store, name: &str) -> Result<bool, store::Error> {
    let was_there =
        store.get::<SiteRecord>(name)?.is_some() || store.get::<JobRecord>(&job_key(name))?.is_some();
    forget(store, name)?;
    let mut batch = Batch::new();
    batch.delete::<SiteRecord>(name);
    store.commit(batch)?;
    Ok(was_there)
}

fn clear_kind<R: Record>(store: &Store, prefix: &str) -> Result<(), store::Error> {
    loop {
        let keys: Vec<String> = store
            .scan::<R>(prefix)?
            .take(RECORDS_MAX)
            .map(|record| record.map(|record| record.key()))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        for key in keys {
            batch.delete::<R>(&key);
        }
        store.commit(batch)?;
    }
}
