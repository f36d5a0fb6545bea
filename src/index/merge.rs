//! Segments → one segment, without those of their recordings that are removed; in bounded memory.
//!
//! Postings are taken as they are, not made anew. The range of keys is cut into slices; of each, the postings of all
//! segments are read, which lie there one after the other, sorted, and written. Peaks are copied as bytes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::family::Family;
use super::file::SegmentFile;
use super::format::{Error, FamilyHeader, damaged};
use super::postings::{Bucket, Tuple};
use super::reader::Segment;
use super::set::Removed;

/// Postings of a slice, on average: 64 MB.
const SLICE_POSTINGS: u64 = 4 << 20;
/// Stands for a recording that is not taken over.
const NOT_TAKEN: u32 = u32::MAX;

/// A segment to be merged.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// Its recordings that are left out.
    pub without: &'a Removed,
}

/// Merges segments into one file at `path`; recordings keep their order. Gives how many there are.
///
/// # Errors
/// [`Error::Damaged`] when a segment does not hold what it says, [`Error::Stopped`] once `stop` is set, others when the
/// file cannot be written. `path` then is as it was.
pub fn merge_into(path: &Path, sources: &[Source<'_>], stop: &AtomicBool) -> Result<u32, Error> {
    let mut taken: Vec<(u32, u32)> = Vec::new();
    let mut numbers: Vec<Vec<u32>> = Vec::with_capacity(sources.len());
    for (at, source) in sources.iter().enumerate() {
        let mut of_source = vec![NOT_TAKEN; source.segment.len()];
        for (local, number) in of_source.iter_mut().enumerate() {
            if !source.without.contains(local as u32) {
                *number = taken.len() as u32;
                taken.push((at as u32, local as u32));
            }
        }
        numbers.push(of_source);
    }
    let get = |at: usize| {
        let (source, local) = taken[at];
        let segment = sources[source as usize].segment;
        let wrong = || damaged(segment.path(), format!("entry {local} of its table is wrong"));
        segment.stored(local as usize).ok_or_else(wrong)
    };
    let mut file = SegmentFile::begin(path, taken.len(), get)?;
    let quads = merge_family(Family::Quads, &mut file, sources, &numbers, stop)?;
    file.finish([quads])?;
    Ok(taken.len() as u32)
}

fn merge_family(
    family: Family,
    file: &mut SegmentFile,
    sources: &[Source<'_>],
    numbers: &[Vec<u32>],
    stop: &AtomicBool,
) -> Result<FamilyHeader, Error> {
    let expected: u64 = sources.iter().map(|source| live_postings(family, source)).sum();
    let shapes = || sources.iter().map(|source| source.segment.family(family).shape);
    let first = shapes().map(|shape| shape.duration_first).min().unwrap_or(0);
    let last = shapes().map(|shape| shape.duration_first + shape.durations - 1).max().unwrap_or(0);
    let shape = file.shape(expected, (first, last));
    // Cut between the buckets of the new segment.
    let slice_bits = (expected / SLICE_POSTINGS).max(1).ilog2().min(u32::from(shape.bucket_bits));
    let mut cursors: Vec<Cursor<'_>> = sources
        .iter()
        .zip(numbers)
        .map(|(source, numbers)| Cursor::new(family, source.segment, numbers))
        .collect();
    let mut writer = file.begin_postings(shape)?;
    let mut slice: Vec<Tuple> = Vec::new();
    for number in 1..=1u64 << slice_bits {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        slice.clear();
        for cursor in &mut cursors {
            cursor.take_until(number << (32 - slice_bits), &mut slice);
        }
        // Made of sorted stretches, which this sort knows how to use.
        slice.sort();
        slice.dedup();
        writer.put(&slice)?;
    }
    let damage = cursors.iter().find(|cursor| cursor.read != cursor.segment.postings(family));
    if let Some(cursor) = damage {
        return Err(damaged(cursor.segment.path(), format!("{} of its postings can be read", cursor.read)));
    }
    writer.finish(family)
}

/// About how many postings a source has without those of removed recordings.
fn live_postings(family: Family, source: &Source<'_>) -> u64 {
    let (all, gone) = (source.segment.len().max(1) as u64, source.without.len() as u64);
    let postings = u128::from(source.segment.postings(family));
    (postings * u128::from(all.saturating_sub(gone)) / u128::from(all)) as u64
}

/// Reads the postings of one segment in the order of their keys.
struct Cursor<'a> {
    family: Family,
    segment: &'a Segment,
    /// The number of each recording in the new segment.
    numbers: &'a [u32],
    next_bucket: usize,
    /// Postings read, those of removed recordings included.
    read: u64,
    heads: Vec<(u32, u32)>,
    /// Postings of a bucket that reaches beyond the slice.
    waiting: Vec<Tuple>,
}

impl<'a> Cursor<'a> {
    fn new(family: Family, segment: &'a Segment, numbers: &'a [u32]) -> Self {
        Self { family, segment, numbers, next_bucket: 0, read: 0, heads: Vec::new(), waiting: Vec::new() }
    }

    /// Appends the postings whose keys are below `end` and that were not given before, with their new numbers.
    fn take_until(&mut self, end: u64, slice: &mut Vec<Tuple>) {
        let below = |tuples: &[Tuple]| tuples.partition_point(|tuple| u64::from(tuple.key()) < end);
        let due = below(&self.waiting);
        slice.extend(self.waiting.drain(..due));
        let shape = self.segment.family(self.family).shape;
        while self.waiting.is_empty() && self.next_bucket < shape.buckets() {
            if (self.next_bucket as u64) << (32 - shape.bucket_bits) >= end {
                return;
            }
            self.read_bucket();
            let due = below(&self.waiting);
            slice.extend(self.waiting.drain(..due));
        }
    }

    fn read_bucket(&mut self) {
        let header = self.segment.family(self.family);
        let (bytes, length) = self.segment.bucket(self.family, self.next_bucket);
        let mut bucket = Bucket::open(&header.shape, self.next_bucket, bytes, length, &mut self.heads);
        for &(key, count) in &self.heads {
            bucket.postings(&header.shape, count, |unit| {
                self.read += 1;
                let number = self.numbers.get(unit.recording as usize).copied().unwrap_or(NOT_TAKEN);
                if number != NOT_TAKEN {
                    self.waiting.push(unit.tuple(key, number));
                }
            });
        }
        self.next_bucket += 1;
    }
}
