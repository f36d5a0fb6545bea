//! Fingerprints → one segment file: written to a temporary name, synced, renamed.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::format::{
    END_MAGIC, Error, HEADER_BYTES, MAGIC, POSTING_BYTES, SEGMENT_VERSION, bucket_of, pack_quad, scramble,
};
use crate::base::RecordingId;
use crate::fingerprint::{FORMAT_VERSION, Fingerprint, Quad, reference_quads};

/// Postings in a bucket, on average: short scans, and a bucket table much smaller than the postings.
const POSTINGS_PER_BUCKET: usize = 4;

/// Writes the segment that holds `recordings` to `path`, replacing what is there. The same recordings in the same
/// order give the same bytes.
///
/// # Errors
/// [`Error`] when the file cannot be written, or there is more than a segment can hold (2³² postings).
pub fn write_segment(path: &Path, recordings: &[(RecordingId, Fingerprint)]) -> Result<(), Error> {
    let too_large = |what| Error::TooLarge { path: path.to_owned(), what };
    let recording_count = u32::try_from(recordings.len()).map_err(|_| too_large("too many recordings"))?;
    let postings = Postings::of(recordings);
    u32::try_from(postings.sorted.len()).map_err(|_| too_large("too many postings"))?;
    let sections =
        [ids(recordings), table(recordings), peaks(recordings), postings.bucket_table(), postings.bytes()];
    let peak_count: usize = recordings.iter().map(|(_, fingerprint)| fingerprint.peaks.len()).sum();

    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&SEGMENT_VERSION.to_le_bytes());
    header.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    header.extend_from_slice(&postings.bucket_bits.to_le_bytes());
    header.extend_from_slice(&recording_count.to_le_bytes());
    header.extend_from_slice(&(peak_count as u64).to_le_bytes());
    header.extend_from_slice(&(postings.sorted.len() as u64).to_le_bytes());
    header.extend_from_slice(&(sections[0].len() as u64).to_le_bytes());
    let checksum = crc32fast::hash(&header);
    header.extend_from_slice(&checksum.to_le_bytes());
    write_file(path, &header, &sections).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Writes all parts under a temporary name in the same folder, syncs, renames and syncs the folder.
fn write_file(path: &Path, header: &[u8], sections: &[Vec<u8>]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".segment-").tempfile_in(folder)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    writer.write_all(header)?;
    for section in sections {
        writer.write_all(section)?;
    }
    for section in sections {
        writer.write_all(&crc32fast::hash(section).to_le_bytes())?;
    }
    writer.write_all(END_MAGIC)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

fn ids(recordings: &[(RecordingId, Fingerprint)]) -> Vec<u8> {
    recordings.iter().flat_map(|(id, _)| id.as_str().bytes()).collect()
}

fn table(recordings: &[(RecordingId, Fingerprint)]) -> Vec<u8> {
    let (mut id_end, mut peak_end) = (0u32, 0u64);
    let mut bytes = Vec::new();
    for (id, fingerprint) in recordings {
        id_end += id.as_str().len() as u32; // at most 128 bytes each
        peak_end += fingerprint.peaks.len() as u64;
        bytes.extend_from_slice(&id_end.to_le_bytes());
        bytes.extend_from_slice(&fingerprint.duration.to_le_bytes());
        bytes.extend_from_slice(&peak_end.to_le_bytes());
    }
    bytes
}

fn peaks(recordings: &[(RecordingId, Fingerprint)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for peak in recordings.iter().flat_map(|(_, fingerprint)| &fingerprint.peaks) {
        bytes.extend_from_slice(&peak.time.to_le_bytes());
        bytes.extend_from_slice(&peak.pitch.to_le_bytes());
        bytes.extend_from_slice(&[peak.strength, u8::from(peak.salient)]);
    }
    bytes
}

/// All postings of a segment, in the order of their buckets.
struct Postings {
    bucket_bits: u32,
    sorted: Vec<(usize, u32, Quad)>,
}

impl Postings {
    fn of(recordings: &[(RecordingId, Fingerprint)]) -> Self {
        let mut quads: Vec<(u32, Quad)> = Vec::new();
        for (recording, (_, fingerprint)) in recordings.iter().enumerate() {
            quads
                .extend(reference_quads(&fingerprint.peaks).into_iter().map(|quad| (recording as u32, quad)));
        }
        let wanted = (quads.len() / POSTINGS_PER_BUCKET).max(16);
        let bucket_bits = wanted.next_power_of_two().ilog2().min(30);
        let mut sorted: Vec<_> = quads
            .into_iter()
            .map(|(recording, quad)| (bucket_of(scramble(quad.key()), bucket_bits), recording, quad))
            .collect();
        sorted.sort_by_key(|&(bucket, recording, quad)| (bucket, recording, quad.time, pack_quad(&quad)));
        Self { bucket_bits, sorted }
    }

    fn bucket_table(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 << self.bucket_bits);
        let mut next = 0;
        for bucket in 0..=1usize << self.bucket_bits {
            while next < self.sorted.len() && self.sorted[next].0 < bucket {
                next += 1;
            }
            bytes.extend_from_slice(&(next as u32).to_le_bytes());
        }
        bytes
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.sorted.len() * POSTING_BYTES);
        for (_, recording, quad) in &self.sorted {
            bytes.extend_from_slice(&recording.to_le_bytes());
            bytes.extend_from_slice(&quad.time.to_le_bytes());
            bytes.extend_from_slice(&pack_quad(quad).to_le_bytes());
        }
        bytes
    }
}
