//! One segment file, memory-mapped and read only.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::family::Family;
use super::format::{
    DIRECTORY_ENTRY_BYTES, END_MAGIC, Error, FamilyHeader, Header, ORDER_ENTRY_BYTES, TABLE_ENTRY_BYTES,
    damaged, u32_at, u64_at,
};
use super::peaks;
use crate::base::RecordingId;
use crate::fingerprint::Fingerprint;

/// One open segment file. What it holds stays in the file until it is asked for: an open segment takes hardly any
/// memory, however large it is.
pub struct Segment {
    path: PathBuf,
    map: Mmap,
    header: Header,
    ids: Range<usize>,
    table: Range<usize>,
    order: Range<usize>,
    peaks: Range<usize>,
    families: Vec<FamilyPlace>,
}

/// Where one family's postings are.
struct FamilyPlace {
    header: FamilyHeader,
    postings: Range<usize>,
    directory: Range<usize>,
}

/// One recording as a segment keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) id: &'a str,
    pub(super) duration: u32,
    pub(super) peaks: &'a [u8],
}

impl Segment {
    /// Opens a segment file and checks its header, its sizes and its table; [`Segment::verify`] checks the rest.
    ///
    /// # Errors
    /// [`Error`] when the file cannot be read, is of another version, or is not as long as it says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let map = map_file(&File::open(path).map_err(io)?).map_err(io)?;
        let header = Header::decode(path, &map)?;
        let places = header.places(map.len()).filter(|_| map.ends_with(END_MAGIC));
        let places = places
            .ok_or_else(|| damaged(path, format!("it has {} bytes, its header promises other", map.len())))?;
        let place = |at: usize| places[at].1.clone();
        let family = |header: &FamilyHeader| {
            let at = 4 + 2 * header.family.place();
            FamilyPlace { header: *header, postings: place(at), directory: place(at + 1) }
        };
        let families = header.families.iter().map(family).collect();
        let (ids, table, order, peaks) = (place(0), place(1), place(2), place(3));
        let segment = Self { path: path.to_owned(), map, header, ids, table, order, peaks, families };
        segment.check_table()?;
        Ok(segment)
    }

    fn check_table(&self) -> Result<(), Error> {
        let mut steps = 0u64;
        for local in 0..self.len() {
            let stored = self.stored(local).filter(|stored| RecordingId::new(stored.id).is_ok());
            let stored =
                stored.ok_or_else(|| damaged(&self.path, format!("entry {local} of its table is wrong")))?;
            steps += u64::from(stored.duration);
        }
        if steps != self.header.steps {
            let what = format!("its recordings last {steps} steps, its header says {}", self.header.steps);
            return Err(damaged(&self.path, what));
        }
        Ok(())
    }

    /// Number of recordings, removed ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.recordings as usize
    }

    /// Whether the segment holds no recording.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length of all recordings in steps of time, removed ones included.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.header.steps
    }

    /// Number of postings of one family.
    #[must_use]
    pub fn postings(&self, family: Family) -> u64 {
        self.families[family.place()].header.postings
    }

    /// The sections' names and lengths in bytes.
    #[must_use]
    pub fn section_bytes(&self) -> Vec<(&'static str, u64)> {
        let places = self.header.places(self.map.len()).unwrap_or_default();
        places.into_iter().map(|(name, range, _)| (name, range.len() as u64)).collect()
    }

    /// Returns the recordings' ids in order.
    pub fn ids(&self) -> impl Iterator<Item = RecordingId> {
        (0..self.len()).filter_map(|local| self.id(local))
    }

    /// Reads the id of the recording with number `local` in this segment.
    #[must_use]
    pub fn id(&self, local: usize) -> Option<RecordingId> {
        RecordingId::new(self.stored(local)?.id).ok()
    }

    /// Finds a recording's number in this segment.
    #[must_use]
    pub fn find(&self, id: &RecordingId) -> Option<usize> {
        let order = &self.map[self.order.clone()];
        let at = |place: usize| u32_at(order, place * ORDER_ENTRY_BYTES) as usize;
        let id_at = |place: usize| self.stored(at(place)).map_or("", |stored| stored.id);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if id_at(middle) < id.as_str() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.len() && id_at(low) == id.as_str()).then(|| at(low))
    }

    /// Length of the recording with number `local` in steps of time; 0 where there is none.
    #[must_use]
    pub fn duration(&self, local: usize) -> u32 {
        self.stored(local).map_or(0, |stored| stored.duration)
    }

    /// Reads the fingerprint of the recording with number `local` in this segment. Where the file is damaged, which
    /// [`Segment::verify`] tells, peaks may be missing or wrong.
    #[must_use]
    pub fn fingerprint(&self, local: usize) -> Option<Fingerprint> {
        let stored = self.stored(local)?;
        Some(Fingerprint { duration: stored.duration, peaks: peaks::decode(stored.peaks) })
    }

    /// What is kept of the recording with number `local`.
    pub(super) fn stored(&self, local: usize) -> Option<Stored<'_>> {
        if local >= self.len() {
            return None;
        }
        let table = &self.map[self.table.clone()];
        let ends = |local: usize| {
            let at = local * TABLE_ENTRY_BYTES;
            Some((u32_at(table, at) as usize, usize::try_from(u64_at(table, at + 8)).ok()?))
        };
        let (id_start, peaks_start) = local.checked_sub(1).map_or(Some((0, 0)), ends)?;
        let (id_end, peaks_end) = ends(local)?;
        let id = self.map[self.ids.clone()].get(id_start..id_end)?;
        let peaks = self.map[self.peaks.clone()].get(peaks_start..peaks_end)?;
        let duration = u32_at(table, local * TABLE_ENTRY_BYTES + 4);
        Some(Stored { id: std::str::from_utf8(id).ok()?, duration, peaks })
    }

    /// Checks the checksums of the whole file.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the section that does not fit.
    pub fn verify(&self) -> Result<(), Error> {
        for (name, range, checksum) in self.header.places(self.map.len()).unwrap_or_default() {
            if crc32fast::hash(&self.map[range]) != checksum {
                return Err(damaged(&self.path, format!("the checksum of its {name} does not fit")));
            }
        }
        Ok(())
    }

    /// What the header says of a family.
    #[inline]
    pub(super) fn family(&self, family: Family) -> &FamilyHeader {
        &self.families[family.place()].header
    }

    /// The bytes from a bucket's first to the end of the file, and how many of them are the bucket's.
    #[inline]
    pub(super) fn bucket(&self, family: Family, bucket: usize) -> (&[u8], usize) {
        let place = &self.families[family.place()];
        let entry = |bucket: usize| {
            let at = place.directory.start + bucket * DIRECTORY_ENTRY_BYTES;
            u64_at(&self.map, at) & 0xff_ffff_ffff
        };
        let size = place.postings.len() as u64;
        let (start, end) = (entry(bucket), entry(bucket + 1).min(size));
        if start >= end {
            return (&[], 0);
        }
        (&self.map[place.postings.start + start as usize..], (end - start) as usize)
    }

    /// Bytes of all postings of a family.
    pub(super) fn postings_bytes(&self, family: Family) -> u64 {
        self.families[family.place()].postings.len() as u64
    }
}

/// Maps a file into memory.
#[allow(unsafe_code)]
fn map_file(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: segment files are immutable: written under another name, renamed, never changed in place, and unlinked
    // (which leaves the map valid) only by the process that holds the store's lock.
    unsafe { Mmap::map(file) }
}
