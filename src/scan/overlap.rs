//! Audio that several recordings of the catalogue share: the same master twice, a remix, a loop library.
//!
//! Here are recordings, gives [`Overlap`]s with their spans. Each recording is looked for in the index without
//! itself, with the ordinary matcher, so that what counts here is what would be found in a query. A recording's
//! repeats of itself are no overlaps.

mod record;
mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

pub(super) use record::forget;
pub use record::{Overlap, OverlapKind};
pub use search::Depth;

use super::library::{Error, Library};
use crate::base::RecordingId;
use crate::matching::MatchOptions;
use crate::store::Batch;

/// Recordings that are left out of the index together while they are looked for in it. Opening an index without them
/// costs about as much for one as for many; those of one group are then looked for among each other.
const GROUP: usize = 64;
/// Of each pair of recordings, the surest spans that are kept; a loop would give hundreds.
const SPANS_PER_PAIR_MAX: usize = 16;
/// Of each recording, the surest overlaps that are kept; a drum loop can be in every piece of a label.
const OVERLAPS_PER_RECORDING_MAX: usize = 256;

/// What the search tells as it goes: how many recordings are done, how many there are, and what the last one shares
/// with others that was not told before. Returns whether to go on.
pub type OnSearched<'a> = &'a mut dyn FnMut(usize, usize, &[Overlap]) -> bool;

/// Looks for what `ids` share with the catalogue and with each other, and keeps it in place of what was known of them.
/// Ids without a fingerprint are passed over. Gives how many overlaps were found.
///
/// # Errors
/// [`Error`] when the store or the index does not work; what was found so far is kept.
pub fn search(
    library: &Library,
    ids: &[RecordingId],
    depth: Depth,
    options: &MatchOptions,
    on_searched: OnSearched<'_>,
) -> Result<usize, Error> {
    let ids: BTreeSet<&RecordingId> = ids.iter().filter(|id| library.holds(id)).collect();
    let ids: Vec<RecordingId> = ids.into_iter().cloned().collect();
    let (mut done, mut found) = (0, 0);
    // Pairs that were found from one side need not be found from the other.
    let mut pairs: HashSet<(RecordingId, RecordingId)> = HashSet::new();
    for group in ids.chunks(GROUP) {
        let mut stopped = false;
        search::group(library, group, depth, options, &mut |id, mut overlaps| {
            overlaps.retain(|one| !pairs.contains(&(one.with.clone(), id.clone())));
            keep_surest(&mut overlaps);
            store(library, id, &overlaps, &pairs)?;
            pairs.extend(overlaps.iter().map(|one| (id.clone(), one.with.clone())));
            done += 1;
            found += overlaps.len();
            stopped = !on_searched(done, ids.len(), &overlaps);
            Ok(!stopped)
        })?;
        if stopped {
            break;
        }
    }
    Ok(found)
}

/// Replaces what is known of a recording, but for pairs that this same search has found from the other side.
fn store(
    library: &Library,
    id: &RecordingId,
    overlaps: &[Overlap],
    pairs: &HashSet<(RecordingId, RecordingId)>,
) -> Result<(), Error> {
    let mut batch = Batch::new();
    let mut fresh = HashSet::new();
    for one in overlaps {
        for side in [one.clone(), one.turned()] {
            fresh.insert(crate::store::Record::key(&side));
            batch.put(&side)?;
        }
    }
    let is_kept = |old: &Overlap| {
        pairs.contains(&(old.with.clone(), id.clone())) || fresh.contains(&crate::store::Record::key(old))
    };
    forget(library.store(), &mut batch, id, is_kept)?;
    library.store().commit(batch)?;
    Ok(())
}

/// Keeps the surest overlaps, numbers those of each pair, and brings them into an order that does not depend on chance.
fn keep_surest(overlaps: &mut Vec<Overlap>) {
    overlaps.sort_by(|a, b| {
        let order = a.log10_false_match.total_cmp(&b.log10_false_match).then(a.with.cmp(&b.with));
        order.then(a.start_s.total_cmp(&b.start_s))
    });
    overlaps.truncate(OVERLAPS_PER_RECORDING_MAX);
    let mut count: std::collections::HashMap<RecordingId, u32> = std::collections::HashMap::new();
    overlaps.retain_mut(|one| {
        let number = count.entry(one.with.clone()).or_default();
        one.number = *number;
        *number += 1;
        one.number < SPANS_PER_PAIR_MAX as u32
    });
}

/// What is known to be shared: by one recording, or by all, each pair once.
///
/// # Errors
/// [`Error`] when the store cannot be read.
pub fn list(store: &crate::store::Store, of: Option<&RecordingId>) -> Result<Vec<Overlap>, Error> {
    let prefix = of.map(record::prefix).unwrap_or_default();
    let all = store.scan::<Overlap>(&prefix)?.collect::<Result<Vec<_>, _>>()?;
    let once = |one: &Overlap| of.is_some() || one.recording_id < one.with;
    Ok(all.into_iter().filter(once).collect())
}
