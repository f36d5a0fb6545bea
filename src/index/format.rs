//! The bytes of a segment file. All numbers are little-endian.
//!
//! ```text
//! header    magic "EWSEGMNT" | format version u16 | fingerprint version u16 | bucket bits u32
//!           | recordings u32 | peaks u64 | postings u64 | length of the ids u64 | CRC32 of the header u32
//! ids       recording ids, UTF-8, one after the other
//! table     per recording: end of its id u32 | duration u32 | end of its peaks u64
//! peaks     per peak: time u32 | pitch u16 | strength u8 | salient u8        (in order of recording, then time)
//! buckets   2^bits + 1 times: index of the bucket's first posting u32
//! postings  per posting: recording u32 | time u32 | packed quad u64          (in order of bucket)
//! footer    CRC32 of each of ids, table, peaks, buckets, postings | magic "EWSEGEND"
//! ```

use std::path::PathBuf;

use crate::fingerprint::{INTERVAL_TOLERANCE, Quad, QuadKey, RATIO_TOLERANCE};

pub(super) const MAGIC: &[u8; 8] = b"EWSEGMNT";
pub(super) const END_MAGIC: &[u8; 8] = b"EWSEGEND";
/// Version of the layout above.
pub(super) const SEGMENT_VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 8 + 2 + 2 + 4 + 4 + 8 + 8 + 8 + 4;
pub(super) const TABLE_ENTRY_BYTES: usize = 16;
pub(super) const PEAK_BYTES: usize = 8;
pub(super) const BUCKET_BYTES: usize = 4;
pub(super) const POSTING_BYTES: usize = 16;
pub(super) const FOOTER_BYTES: usize = 5 * 4 + 8;

/// What can go wrong with segment files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("index segment {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("index segment {path} is damaged: {what}; `earwitness store check` says more")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Written by another version.
    #[error(
        "index segment {path} has segment version {segment} and fingerprint version {fingerprint}, this program reads \
         {SEGMENT_VERSION} and {}; index the audio again with `earwitness catalog add`",
        crate::fingerprint::FORMAT_VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its segment version.
        segment: u16,
        /// Its fingerprint version.
        fingerprint: u16,
    },
    /// More than a segment can hold.
    #[error("index segment {path}: {what}")]
    TooLarge {
        /// The file that was to be written.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
    },
}

/// Scrambles a key so that its upper bits are evenly spread, which those of keys are not; one to one.
pub(super) fn scramble(key: QuadKey) -> u32 {
    key.0.wrapping_mul(0x9E37_79B1)
}

/// The bucket of a scrambled key among 2^`bits`.
pub(super) fn bucket_of(scrambled: u32, bits: u32) -> usize {
    (scrambled >> (32 - bits)) as usize
}

/// Packs a quad without its time: 3 × 9 bits of intervals, 2 × 7 of ratios, 10 of duration, 12 of pitch.
pub(super) fn pack_quad(quad: &Quad) -> u64 {
    let mut bits = 0u64;
    for interval in quad.intervals {
        bits = bits << 9 | u64::from((interval + 256) as u16 & 0x1ff);
    }
    for ratio in quad.ratios {
        bits = bits << 7 | u64::from(ratio & 0x7f);
    }
    bits = bits << 10 | u64::from(quad.duration & 0x3ff);
    bits << 12 | u64::from(quad.pitch & 0xfff)
}

/// The inverse of [`pack_quad`].
pub(super) fn unpack_quad(time: u32, bits: u64) -> Quad {
    let interval = |shift: u32| ((bits >> shift & 0x1ff) as i16) - 256;
    let ratio = |shift: u32| (bits >> shift & 0x7f) as u8;
    Quad {
        time,
        pitch: (bits & 0xfff) as u16,
        duration: (bits >> 12 & 0x3ff) as u16,
        intervals: [interval(54), interval(45), interval(36)],
        ratios: [ratio(29), ratio(22)],
    }
}

/// Whether a packed quad is like `quad` within tolerance; compared without unpacking, since nearly all postings of a
/// bucket differ in the first interval.
pub(super) fn is_like(bits: u64, quad: &Quad) -> bool {
    let near =
        |value: u64, wanted: i32, tolerance: i32| (value as i32 - wanted).unsigned_abs() <= tolerance as u32;
    near(bits >> 54 & 0x1ff, i32::from(quad.intervals[0]) + 256, INTERVAL_TOLERANCE)
        && near(bits >> 45 & 0x1ff, i32::from(quad.intervals[1]) + 256, INTERVAL_TOLERANCE)
        && near(bits >> 36 & 0x1ff, i32::from(quad.intervals[2]) + 256, INTERVAL_TOLERANCE)
        && near(bits >> 29 & 0x7f, i32::from(quad.ratios[0]), RATIO_TOLERANCE)
        && near(bits >> 22 & 0x7f, i32::from(quad.ratios[1]), RATIO_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packing_is_reversible(
            time: u32,
            pitch in 0u16..2112,
            duration in 1u16..1024,
            intervals in prop::array::uniform3(-144i16..=144),
            ratios in prop::array::uniform2(0u8..128),
        ) {
            let quad = Quad { time, pitch, duration, intervals, ratios };
            prop_assert_eq!(unpack_quad(time, pack_quad(&quad)), quad);
            prop_assert!(is_like(pack_quad(&quad), &quad));
            let mut other = quad;
            other.intervals[1] += INTERVAL_TOLERANCE as i16 + 1;
            prop_assert!(!is_like(pack_quad(&quad), &other));
        }
    }
}
