//! What queries feel of recordings that are added meanwhile.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use earwitness::base::{ChannelView, RecordingId};
use earwitness::fingerprint::Fingerprint;
use earwitness::index::{Index, Manifest, SegmentEntry, is_small, next_merge, write_segment};
use earwitness::matching::{MatchOptions, find_matches};

use crate::generate::Generator;
use crate::measure::{excerpt, part};
use crate::merge;

/// Recordings that are added at a time.
const BATCH: u64 = 100;
/// Seconds of each query.
const QUERY_S: f64 = 10.0;
/// How long queries are asked undisturbed, before and after.
const ALONE: Duration = Duration::from_secs(20);

/// The index that queries are asked of, as it is now.
type Current = Mutex<Arc<Index>>;

/// Asks queries one after the other, on one thread, before, while and after `added` recordings are added, merged as the
/// policy asks.
pub(crate) fn adds(
    folder: &Path,
    mut manifest: Manifest,
    generator: &Generator,
    queries: &[(RecordingId, Fingerprint)],
    added: u64,
) -> anyhow::Result<()> {
    println!(
        "\n| queries of {QUERY_S} s, one thread | queries | failed | ms, p50 | ms, p95 |\n|---|---:|---:|---:|---:|"
    );
    let index = Arc::new(Index::open(folder, &manifest)?);
    let current: Current = Mutex::new(index);
    asked(&current, queries, "before", alone)?;
    asked(&current, queries, &format!("while {added} recordings are added"), || {
        let first = manifest.segments.iter().map(|entry| u64::from(entry.recordings)).sum::<u64>();
        for batch in 0..added.div_ceil(BATCH) {
            let numbers = first + batch * BATCH..first + (batch * BATCH + BATCH).min(added);
            add(folder, &mut manifest, generator, numbers)?;
            let next = now(&current).reopen(folder, &manifest)?;
            *current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
        Ok(())
    })?;
    asked(&current, queries, "after", alone)
}

/// Leaves the queries to themselves for a while.
fn alone() -> anyhow::Result<()> {
    let (_never, waited) = mpsc::channel::<()>();
    _ = waited.recv_timeout(ALONE);
    Ok(())
}

fn now(current: &Current) -> Arc<Index> {
    Arc::clone(&current.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Adds recordings as the library does: what is small is written anew with them, and merges follow the policy.
fn add(
    folder: &Path,
    manifest: &mut Manifest,
    generator: &Generator,
    numbers: std::ops::Range<u64>,
) -> anyhow::Result<()> {
    let file = format!("{:08}.seg", numbers.start);
    let id = |number: u64| RecordingId::new(&format!("ADD-{number:08}"));
    let recordings = numbers
        .map(|number| Ok((id(number)?, generator.recording(number))))
        .collect::<anyhow::Result<Vec<_>>>()?;
    write_segment(&folder.join(&file), &recordings)?;
    manifest.segments.push(SegmentEntry::new(file, recordings.len() as u32));
    let small: Vec<usize> =
        (0..manifest.segments.len()).filter(|&at| is_small(&manifest.segments[at])).collect();
    if small.len() > 1 {
        merge(folder, manifest, &small)?;
    }
    while let Some(places) = next_merge(&manifest.segments) {
        merge(folder, manifest, &places)?;
    }
    Ok(())
}

/// Asks queries until `work` is done, and prints how that went.
fn asked(
    current: &Current,
    queries: &[(RecordingId, Fingerprint)],
    name: &str,
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let done = AtomicBool::new(false);
    let ask = || {
        let (mut times, mut failed) = (Vec::new(), 0);
        for (id, fingerprint) in queries.iter().cycle() {
            if done.load(Ordering::Relaxed) {
                break;
            }
            let query = excerpt(fingerprint, QUERY_S);
            let begun = Instant::now();
            let found = find_matches(&query, ChannelView::Mid, &now(current), &MatchOptions::default());
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            failed += usize::from(!found.matches.iter().any(|one| one.recording_id == *id));
        }
        (times, failed)
    };
    let (worked, (mut times, failed)) = std::thread::scope(|scope| {
        let asking = scope.spawn(ask);
        let worked = work();
        done.store(true, Ordering::Relaxed);
        (worked, asking.join().unwrap_or_default())
    });
    worked?;
    println!(
        "| {name} | {} | {failed} | {:.1} | {:.1} |",
        times.len(),
        part(&mut times, 0.5),
        part(&mut times, 0.95)
    );
    Ok(())
}
