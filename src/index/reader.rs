//! Segment files, memory-mapped and read only.

use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::format::{
    BUCKET_BYTES, END_MAGIC, Error, FOOTER_BYTES, HEADER_BYTES, MAGIC, PEAK_BYTES, POSTING_BYTES,
    SEGMENT_VERSION, TABLE_ENTRY_BYTES, bucket_of, is_like, scramble, unpack_quad,
};
use super::manifest::Manifest;
use crate::base::RecordingId;
use crate::fingerprint::{FORMAT_VERSION, Fingerprint, Peak, Quad};

/// One (quad → recording, time) entry of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which recording.
    pub recording: RecordingIndex,
    /// The quad as the recording has it.
    pub quad: Quad,
}

/// A recording's number in an open [`Index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingIndex(pub u32);

/// What is known of one recording of a segment without touching its peaks.
struct TableEntry {
    id: RecordingId,
    duration: u32,
    peaks: Range<usize>,
}

/// One open segment file.
pub struct Segment {
    path: PathBuf,
    map: Mmap,
    bucket_bits: u32,
    table: Vec<TableEntry>,
    peaks: Range<usize>,
    buckets: Range<usize>,
    postings: Range<usize>,
}

impl Segment {
    /// Opens a segment file and checks its header, its sizes and its table; [`Segment::verify`] checks the rest.
    ///
    /// # Errors
    /// [`Error`] when the file cannot be read, is of another version, or is not as long as it says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let map = map_file(&File::open(path).map_err(io)?).map_err(io)?;
        Layout::read(path, &map)?.open(path, map)
    }

    /// Number of recordings, removed ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the segment holds no recording.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Returns the recordings' ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &RecordingId> {
        self.table.iter().map(|entry| &entry.id)
    }

    /// Reads the fingerprint of the recording with number `local` in this segment.
    #[must_use]
    pub fn fingerprint(&self, local: usize) -> Option<Fingerprint> {
        let entry = self.table.get(local)?;
        let peaks = self.map[self.peaks.clone()].chunks_exact(PEAK_BYTES);
        let peaks = peaks.skip(entry.peaks.start).take(entry.peaks.len()).map(peak).collect();
        Some(Fingerprint { duration: entry.duration, peaks })
    }

    /// Checks the checksums of the whole file.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the section that does not fit.
    pub fn verify(&self) -> Result<(), Error> {
        let layout = Layout::read(&self.path, &self.map)?;
        let footer = &self.map[layout.sections[4].end..];
        for (index, (range, name)) in layout.sections.iter().zip(SECTION_NAMES).enumerate() {
            let stored = u32_at(footer, index * 4);
            if crc32fast::hash(&self.map[range.clone()]) != stored {
                return Err(damaged(&self.path, format!("the checksum of its {name} does not fit")));
            }
        }
        Ok(())
    }

    /// Calls `visit` with recording, time and packed quad of each posting in the bucket of a scrambled key that is
    /// like `quad`.
    fn postings(&self, scrambled: u32, quad: &Quad, mut visit: impl FnMut(u32, u32, u64)) {
        let bucket = bucket_of(scrambled, self.bucket_bits);
        let offset = self.buckets.start + bucket * BUCKET_BYTES;
        let first = u32_at(&self.map, offset) as usize;
        let last =
            (u32_at(&self.map, offset + BUCKET_BYTES) as usize).min(self.postings.len() / POSTING_BYTES);
        let postings = &self.map[self.postings.clone()];
        let Some(bytes) = postings.get(first * POSTING_BYTES..last * POSTING_BYTES) else { return };
        let (postings, _) = bytes.as_chunks::<POSTING_BYTES>();
        for posting in postings {
            let [.., a, b, c, d, e, f, g, h] = *posting;
            let packed = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
            if is_like(packed, quad) {
                visit(u32_at(posting, 0), u32_at(posting, 4), packed);
            }
        }
    }
}

const SECTION_NAMES: [&str; 5] = ["ids", "table", "peaks", "buckets", "postings"];

/// Where the sections of a file are.
struct Layout {
    bucket_bits: u32,
    sections: [Range<usize>; 5],
}

impl Layout {
    fn read(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() < HEADER_BYTES + FOOTER_BYTES || &bytes[..8] != MAGIC {
            return Err(damaged(path, "it does not begin as a segment does".to_owned()));
        }
        let version = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        if (version(8), version(10)) != (SEGMENT_VERSION, FORMAT_VERSION) {
            return Err(Error::Version {
                path: path.to_owned(),
                segment: version(8),
                fingerprint: version(10),
            });
        }
        if crc32fast::hash(&bytes[..HEADER_BYTES - 4]) != u32_at(bytes, HEADER_BYTES - 4) {
            return Err(damaged(path, "the checksum of its header does not fit".to_owned()));
        }
        let bucket_bits = u32_at(bytes, 12);
        let sizes = Self::section_sizes(bytes, bucket_bits)
            .ok_or_else(|| damaged(path, "its header promises too much".to_owned()))?;
        let mut end = HEADER_BYTES;
        let sections = sizes.map(|size| {
            let start = end;
            end = end.saturating_add(size);
            start..end
        });
        if end.saturating_add(FOOTER_BYTES) != bytes.len() || !bytes.ends_with(END_MAGIC) {
            return Err(damaged(path, format!("it has {} bytes, its header promises other", bytes.len())));
        }
        Ok(Self { bucket_bits, sections })
    }

    fn section_sizes(bytes: &[u8], bucket_bits: u32) -> Option<[usize; 5]> {
        let size = |count: u64, each: usize| usize::try_from(count).ok()?.checked_mul(each);
        let buckets =
            (1..=30).contains(&bucket_bits).then(|| ((1usize << bucket_bits) + 1) * BUCKET_BYTES)?;
        Some([
            size(u64_at(bytes, 36), 1)?,
            size(u64::from(u32_at(bytes, 16)), TABLE_ENTRY_BYTES)?,
            size(u64_at(bytes, 20), PEAK_BYTES)?,
            buckets,
            size(u64_at(bytes, 28), POSTING_BYTES)?,
        ])
    }

    fn open(self, path: &Path, map: Mmap) -> Result<Segment, Error> {
        let [ids, table, peaks, buckets, postings] = self.sections;
        let peak_count = peaks.len() / PEAK_BYTES;
        let (mut id_start, mut peak_start) = (0, 0);
        let mut entries = Vec::with_capacity(table.len() / TABLE_ENTRY_BYTES);
        for entry in map[table].chunks_exact(TABLE_ENTRY_BYTES) {
            let id_end = u32_at(entry, 0) as usize;
            let peak_end = u64_at(entry, 8) as usize;
            let id = map[ids.clone()].get(id_start..id_end).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let id = id.and_then(|text| RecordingId::new(text).ok());
            let id = id.filter(|_| (peak_start..=peak_count).contains(&peak_end));
            let id =
                id.ok_or_else(|| damaged(path, format!("entry {} of its table is wrong", entries.len())))?;
            entries.push(TableEntry { id, duration: u32_at(entry, 4), peaks: peak_start..peak_end });
            (id_start, peak_start) = (id_end, peak_end);
        }
        let bucket_bits = self.bucket_bits;
        Ok(Segment { path: path.to_owned(), map, bucket_bits, table: entries, peaks, buckets, postings })
    }
}

fn damaged(path: &Path, what: String) -> Error {
    Error::Damaged { path: path.to_owned(), what }
}

/// Maps a file into memory.
#[allow(unsafe_code)]
fn map_file(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: segment files are immutable: written under another name, renamed, never changed in place, and unlinked
    // (which leaves the map valid) only by the process that holds the store's lock.
    unsafe { Mmap::map(file) }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|slice| slice.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|slice| slice.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn peak(bytes: &[u8]) -> Peak {
    Peak {
        time: u32_at(bytes, 0),
        pitch: u16::from_le_bytes([bytes[4], bytes[5]]),
        strength: bytes[6],
        salient: bytes[7] != 0,
    }
}

/// The open segments of a manifest, as one.
#[derive(Default)]
pub struct Index {
    segments: Vec<Segment>,
    /// Number of the first recording of each segment.
    bases: Vec<u32>,
    removed: HashSet<u32>,
}

impl Index {
    /// Opens all segments of `manifest`, which lie in `folder`.
    ///
    /// # Errors
    /// [`Error`] naming the first segment that cannot be opened.
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<Self, Error> {
        let mut index = Self::default();
        let mut base = 0u32;
        for entry in &manifest.segments {
            let segment = Segment::open(&folder.join(&entry.file))?;
            let removed: HashSet<&RecordingId> = entry.removed.iter().collect();
            let gone = segment.ids().enumerate().filter(|(_, id)| removed.contains(id));
            index.removed.extend(gone.map(|(local, _)| base + local as u32));
            index.bases.push(base);
            base += segment.len() as u32;
            index.segments.push(segment);
        }
        Ok(index)
    }

    /// Number of recordings, removed ones left out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.iter().map(Segment::len).sum::<usize>() - self.removed.len()
    }

    /// Whether the index holds no recording.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The open segments, oldest first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Total length of all recordings in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        let steps: u64 = self
            .segments
            .iter()
            .flat_map(|segment| &segment.table)
            .map(|entry| u64::from(entry.duration))
            .sum();
        steps as f64 / crate::fingerprint::TIME_STEPS_PER_S
    }

    /// Calls `visit` with every pair of one of `quads` and a posting that is like it within tolerance.
    ///
    /// All cells of all quads are looked up in the order in which they lie in the files: what would be millions of
    /// jumps across memory becomes one sweep through it.
    pub fn lookup(&self, quads: &[Quad], mut visit: impl FnMut(&Quad, Posting)) {
        let mut probes: Vec<u64> = Vec::with_capacity(quads.len() * 8);
        for (at, quad) in quads.iter().enumerate() {
            quad.probes(|key| probes.push(u64::from(scramble(key)) << 32 | at as u64));
        }
        probes.sort_unstable();
        for (segment, &base) in self.segments.iter().zip(&self.bases) {
            for probe in &probes {
                let (scrambled, quad) = ((probe >> 32) as u32, &quads[*probe as u32 as usize]);
                segment.postings(scrambled, quad, |recording, time, packed| {
                    if recording as usize >= segment.len() {
                        return; // damage; what it says is of no recording
                    }
                    let posting = unpack_quad(time, packed);
                    // Another key may share the bucket; a quad of such a key is visited from its own probe.
                    let same_key = scramble(posting.key()) == scrambled;
                    if same_key && !self.removed.contains(&(base + recording)) {
                        visit(quad, Posting { recording: RecordingIndex(base + recording), quad: posting });
                    }
                });
            }
        }
    }

    /// Returns a recording's id.
    #[must_use]
    pub fn id(&self, recording: RecordingIndex) -> Option<&RecordingId> {
        let (segment, local) = self.locate(recording)?;
        segment.table.get(local).map(|entry| &entry.id)
    }

    /// Reads a recording's fingerprint.
    #[must_use]
    pub fn fingerprint(&self, recording: RecordingIndex) -> Option<Fingerprint> {
        let (segment, local) = self.locate(recording)?;
        segment.fingerprint(local)
    }

    fn locate(&self, recording: RecordingIndex) -> Option<(&Segment, usize)> {
        let at = self.bases.partition_point(|&base| base <= recording.0).checked_sub(1)?;
        Some((&self.segments[at], (recording.0 - self.bases[at]) as usize))
    }
}
