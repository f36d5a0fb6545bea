//! Which segments are merged, and when.
//!
//! Segments are in classes of a factor of three by their live recordings. Three of one class become one of the next, so
//! that a recording is written anew about once for every factor of three by which the catalogue outgrows it, and the
//! index has at most two segments of each class, beside the largest. Each segment is asked by every query, which is most
//! of what a short query costs; so they are few. What is below the first class is small enough to be merged whenever
//! something is added.

use super::manifest::SegmentEntry;

/// Segments with fewer live recordings than this are merged with what is added next, at once: some 8 MB.
const SMALL_RECORDINGS: u64 = 256;
/// So many segments of one class are merged.
const SEGMENTS_PER_MERGE: usize = 3;
/// A segment with more live recordings than this is only written anew when many of them are removed: some 8 GB, of which
/// a merge needs as much again.
pub const MERGED_RECORDINGS_MAX: u64 = 262_144;
/// Of a segment, at most this many removed recordings are kept in the manifest, which must stay a small record; at half
/// of it, and with one in eight removed, the segment is written anew without them.
pub const REMOVED_MAX: usize = 4096;

/// Whether a segment is merged at once with what is added next.
#[must_use]
pub fn is_small(entry: &SegmentEntry) -> bool {
    entry.live() < SMALL_RECORDINGS
}

/// The segments to be merged next, by their places in the manifest: those of the lowest class that is full, else one
/// that has lost many recordings. `None` when all is well.
#[must_use]
pub fn next_merge(segments: &[SegmentEntry]) -> Option<Vec<usize>> {
    let class = |entry: &SegmentEntry| (entry.live() / SMALL_RECORDINGS).max(1).ilog(3);
    let mut by_class: Vec<(u32, usize)> = segments
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.live() <= MERGED_RECORDINGS_MAX / SEGMENTS_PER_MERGE as u64)
        .map(|(at, entry)| (class(entry), at))
        .collect();
    by_class.sort_unstable();
    let full = by_class.chunk_by(|a, b| a.0 == b.0).find(|group| group.len() >= SEGMENTS_PER_MERGE);
    if let Some(group) = full {
        return Some(group.iter().take(2 * SEGMENTS_PER_MERGE).map(|&(_, at)| at).collect());
    }
    segments.iter().position(is_worn).map(|at| vec![at])
}

fn is_worn(entry: &SegmentEntry) -> bool {
    let removed = entry.without.len();
    removed > REMOVED_MAX / 2 || removed as u64 * 8 > u64::from(entry.recordings)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::index::Removed;

    fn entry(recordings: u32, removed: u32) -> SegmentEntry {
        let mut without = Removed::default();
        (0..removed).for_each(|number| _ = without.insert(number));
        SegmentEntry { without, ..SegmentEntry::new(format!("{recordings}.seg"), recordings) }
    }

    #[test]
    fn three_of_one_class_or_a_worn_one_are_merged() {
        let sizes = |sizes: &[u32]| sizes.iter().map(|&size| entry(size, 0)).collect::<Vec<_>>();
        assert_eq!(next_merge(&sizes(&[260, 5000, 1000])), None);
        assert_eq!(next_merge(&sizes(&[260, 5000, 300, 1000, 9])), Some(vec![0, 2, 4]));
        assert_eq!(next_merge(&[entry(5000, 600), entry(5000, 700)]), Some(vec![1]));
        assert_eq!(next_merge(&[entry(500_000, 2049)]), Some(vec![0]));
        assert_eq!(next_merge(&sizes(&[200_000; 9])), None);
    }

    #[test]
    fn few_segments_and_few_rewritings_while_a_catalogue_grows() {
        let mut segments: Vec<SegmentEntry> = Vec::new();
        let mut written = 0;
        for number in 0..4000 {
            segments.push(entry(256, 0));
            while let Some(places) = next_merge(&segments) {
                let size: u64 = places.iter().map(|&at| segments[at].live()).sum();
                written += size;
                places.iter().rev().for_each(|&at| _ = segments.remove(at));
                segments.push(entry(size as u32, 0));
            }
            assert!(segments.len() <= 20, "{number}: {}", segments.len());
        }
        let added = 4000 * 256;
        assert!(written < 6 * added, "{written}");
        assert!(segments.iter().all(|entry| entry.live() <= MERGED_RECORDINGS_MAX));
    }
}
