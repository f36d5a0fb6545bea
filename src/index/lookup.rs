//! Keys → postings, in one sweep through each segment.

use super::catalogue::{Index, Part, RecordingIndex};
use super::family::Family;
use super::postings::{Bucket, scramble};
use crate::fingerprint::QuadKey;

/// One entry of the index: a tuple of peaks of a recording. Numbers are the middle of coarse units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which recording.
    pub recording: RecordingIndex,
    /// Time of the root in steps, within 16 of it.
    pub time: u32,
    /// Pitch of the root in steps of 1/384 octave, within 4 of it.
    pub pitch: u16,
    /// Steps of time from the root to the last peak, within 2 %.
    pub duration: u16,
}

/// The keys that are asked for, each with a tag by which its answers are known.
#[derive(Debug, Clone, Default)]
pub struct Probes {
    /// Scrambled key above, tag below.
    packed: Vec<u64>,
}

impl Probes {
    /// Asks for a key.
    #[inline]
    pub fn push(&mut self, key: QuadKey, tag: u32) {
        self.packed.push(u64::from(scramble(key)) << 32 | u64::from(tag));
    }

    /// How many keys are asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.packed.clear();
    }
}

/// How much of the index one lookup may visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostLimit {
    /// About so many postings, each counted once for every probe that reaches it. Where there are more, the probes of the
    /// longest buckets are left out: their keys are the most frequent, which tell recordings apart the least.
    pub postings_max: u64,
}

impl CostLimit {
    /// Everything.
    pub const NONE: Self = Self { postings_max: u64::MAX };
}

/// What a lookup did, and what it left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LookupReport {
    /// Postings told, each counted for every probe that reached it.
    pub visited: u64,
    /// Probes, counted for every segment, left out for the cost limit.
    pub skipped_probes: u64,
    /// About how many postings lie in the buckets that those would have reached; fewer would have been told, where a
    /// bucket holds several keys.
    pub skipped_postings: u64,
}

impl LookupReport {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            visited: self.visited + other.visited,
            skipped_probes: self.skipped_probes + other.skipped_probes,
            skipped_postings: self.skipped_postings + other.skipped_postings,
        }
    }
}

/// Of this many probes one is weighed, which is enough to know what all cost.
const WEIGHED_OF: usize = 8;

/// Buckets whose places are looked up before the first of them is read: the processor then waits for many places of
/// memory at a time, and not for one after the other.
const AHEAD: usize = 32;

impl Index {
    /// Calls `visit` with every posting under the keys of `probes` and the probe's tag.
    ///
    /// Probes are sorted into the order in which their keys lie in the files: what would be millions of jumps across
    /// memory becomes one sweep through each segment.
    pub fn lookup(
        &self,
        family: Family,
        probes: &mut Probes,
        limit: CostLimit,
        mut visit: impl FnMut(u32, Posting),
    ) -> LookupReport {
        probes.packed.sort_unstable();
        let threshold = self.threshold(family, &probes.packed, limit);
        self.sweep(family, &probes.packed, threshold, &mut visit)
    }

    /// As [`Index::lookup`], on several threads: each takes a share of the keys and collects what `visit` makes of its
    /// postings. Gives the collections in the order of the keys.
    pub fn lookup_in_parallel<C: Default + Send>(
        &self,
        family: Family,
        probes: &mut Probes,
        limit: CostLimit,
        threads: usize,
        visit: impl Fn(&mut C, u32, Posting) + Sync,
    ) -> (Vec<C>, LookupReport) {
        probes.packed.sort_unstable();
        let threshold = self.threshold(family, &probes.packed, limit);
        let shares = shares(&probes.packed, threads);
        let work = |share: &[u64]| {
            let mut collected = C::default();
            let report = self.sweep(family, share, threshold, &mut |tag, posting| {
                visit(&mut collected, tag, posting);
            });
            (collected, report)
        };
        let work = &work;
        let done = std::thread::scope(|scope| {
            let mut shares = shares.into_iter();
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
            let mut done = vec![work(own)];
            for other in others {
                match other.join() {
                    Ok(result) => done.push(result),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        let report = done.iter().fold(LookupReport::default(), |sum, (_, report)| sum.and(*report));
        (done.into_iter().map(|(collected, _)| collected).collect(), report)
    }

    /// The bytes that a bucket may have to be visited, so that all probes together stay within the limit: the shortest
    /// buckets first, in classes of a quarter of a power of two.
    fn threshold(&self, family: Family, probes: &[u64], limit: CostLimit) -> usize {
        if limit == CostLimit::NONE {
            return usize::MAX;
        }
        let mut postings_of_class = [0u64; CLASSES];
        let mut heads = Vec::new();
        for part in self.parts() {
            let shape = &part.segment.family(family).shape;
            for probe in probes.iter().step_by(WEIGHED_OF) {
                let key = (probe >> 32) as u32;
                let number = shape.bucket_of(key);
                let (bytes, length) = part.segment.bucket(family, number);
                if length > 0 {
                    Bucket::open(shape, number, bytes, length, &mut heads);
                    let count = heads.iter().find(|head| head.0 == key).map_or(0, |head| head.1);
                    postings_of_class[class(length)] += WEIGHED_OF as u64 * u64::from(count);
                }
            }
        }
        let mut sum = 0u64;
        for (class, postings) in postings_of_class.into_iter().enumerate() {
            sum = sum.saturating_add(postings);
            if sum > limit.postings_max {
                return class_bytes(class);
            }
        }
        usize::MAX
    }

    fn sweep(
        &self,
        family: Family,
        probes: &[u64],
        threshold: usize,
        visit: &mut impl FnMut(u32, Posting),
    ) -> LookupReport {
        let mut report = LookupReport::default();
        for part in self.parts() {
            let mut sweep = Sweep { part, family, heads: Vec::new(), report: LookupReport::default() };
            sweep.run(probes, threshold, visit);
            report = report.and(sweep.report);
        }
        report
    }
}

/// The probes of one bucket, the bytes from its first on, and how many of them are its own.
type Asked<'a> = (&'a [u64], &'a [u8], usize);

/// The sweep of sorted probes through one segment.
struct Sweep<'a> {
    part: &'a Part,
    family: Family,
    heads: Vec<(u32, u32)>,
    report: LookupReport,
}

impl Sweep<'_> {
    fn run(&mut self, probes: &[u64], threshold: usize, visit: &mut impl FnMut(u32, Posting)) {
        let segment = &self.part.segment;
        let shape = segment.family(self.family).shape;
        let bucket_of = |probe: u64| shape.bucket_of((probe >> 32) as u32);
        let mut groups = probes.chunk_by(|&a, &b| bucket_of(a) == bucket_of(b));
        loop {
            let mut ahead: [Option<Asked<'_>>; AHEAD] = [None; AHEAD];
            for (slot, group) in ahead.iter_mut().zip(groups.by_ref()) {
                let (bytes, length) = segment.bucket(self.family, bucket_of(group[0]));
                *slot = Some((group, bytes, length));
            }
            let first_bytes = ahead.iter().flatten().fold(0u8, |sum, (_, bytes, length)| {
                sum ^ bytes.get(..*length).and_then(<[u8]>::first).copied().unwrap_or(0)
            });
            std::hint::black_box(first_bytes);
            for (group, bytes, length) in ahead.iter().flatten() {
                if *length > threshold {
                    self.skip(group, *length);
                } else if *length > 0 {
                    self.bucket(group, bytes, *length, visit);
                }
            }
            if ahead[AHEAD - 1].is_none() {
                return;
            }
        }
    }

    fn skip(&mut self, group: &[u64], bytes: usize) {
        let segment = &self.part.segment;
        let postings =
            bytes as u64 * segment.postings(self.family) / segment.postings_bytes(self.family).max(1);
        self.report.skipped_probes += group.len() as u64;
        self.report.skipped_postings += postings * group.len() as u64;
    }

    /// Tells the postings of one bucket under the keys of `group`, which is sorted.
    fn bucket(&mut self, group: &[u64], bytes: &[u8], length: usize, visit: &mut impl FnMut(u32, Posting)) {
        let shape = &self.part.segment.family(self.family).shape;
        let number = shape.bucket_of((group[0] >> 32) as u32);
        let mut bucket = Bucket::open(shape, number, bytes, length, &mut self.heads);
        let mut left = group;
        for &(key, count) in &self.heads {
            let before = left.partition_point(|probe| ((probe >> 32) as u32) < key);
            left = &left[before..];
            if left.is_empty() {
                return;
            }
            let asked = left.partition_point(|probe| (probe >> 32) as u32 == key);
            let (here, later) = left.split_at(asked);
            bucket.postings(shape, count, |unit| {
                if here.is_empty() || self.part.is_gone(unit.recording) {
                    return;
                }
                let posting = Posting {
                    recording: RecordingIndex(self.part.base + unit.recording),
                    time: unit.time(),
                    pitch: unit.pitch(),
                    duration: unit.duration(),
                };
                self.report.visited += here.len() as u64;
                for probe in here {
                    visit(*probe as u32, posting);
                }
            });
            left = later;
        }
    }
}

/// Sorted probes in as many shares as there are threads, cut between keys.
fn shares(probes: &[u64], threads: usize) -> Vec<&[u64]> {
    let threads = threads.max(1);
    let mut shares = Vec::with_capacity(threads);
    let mut left = probes;
    for remaining in (1..=threads).rev() {
        let at = left.len() / remaining;
        let cut = match left.get(at) {
            Some(probe) if remaining > 1 => left.partition_point(|other| other >> 32 < probe >> 32),
            _ => left.len(),
        };
        let (share, rest) = left.split_at(cut);
        shares.push(share);
        left = rest;
    }
    shares
}

/// Classes of lengths in bytes: four to a power of two.
const CLASSES: usize = 4 * 40;

fn class(bytes: usize) -> usize {
    let bytes = bytes.max(4);
    let bits = bytes.ilog2() as usize;
    (4 * (bits - 2) + (bytes >> (bits - 2) & 3)).min(CLASSES - 1)
}

/// The greatest length that is below every one of a class.
fn class_bytes(class: usize) -> usize {
    ((4 + class % 4) << (class / 4)) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lengths_are_in_the_class_that_begins_at_or_before_them(bytes in 4usize..1 << 36) {
            let class = class(bytes);
            prop_assert!(class_bytes(class) < bytes && bytes <= class_bytes(class + 1), "{}", class);
        }

        #[test]
        fn shares_are_all_probes_and_no_key_is_in_two(keys in prop::collection::vec(0u64..30, 0..60), threads in 1usize..5) {
            let mut probes: Vec<u64> = keys.into_iter().map(|key| (key << 32) | (key % 3)).collect();
            probes.sort_unstable();
            let shares = shares(&probes, threads);
            prop_assert_eq!(shares.len(), threads);
            prop_assert_eq!(&shares.concat(), &probes);
            let ends: Vec<(u64, u64)> = shares.iter().filter_map(|share| Some((share.first()? >> 32, share.last()? >> 32))).collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
