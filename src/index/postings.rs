//! Postings of one bucket as bits, and back.
//!
//! ```text
//! number of keys gamma
//! per key: distance of its remainder from the one before rice | number of its postings gamma
//! per key, per posting: recordings since the posting before rice | time rice | pitch and duration fixed
//! ```
//!
//! All heads come first: most keys that a query asks for are not there, which so is known after a few bits.

use super::bits::{BitReader, BitWriter, rice_parameter};
use super::family::Family;
use super::units::{
    DURATIONS, PITCHES, TIME_UNIT, duration_steps, duration_unit, pitch_steps, pitch_unit, time_steps,
};
use crate::fingerprint::{Quad, QuadKey};

/// Scrambles a key so that its upper bits are evenly spread, which those of keys are not; one to one.
#[inline]
pub(super) fn scramble(key: QuadKey) -> u32 {
    let mixed = key.0.wrapping_mul(0x9E37_79B1);
    (mixed ^ mixed >> 15).wrapping_mul(0x85EB_CA6B)
}

/// One posting on its way into a segment, packed so that sorting sorts by key, recording, time, pitch, duration: from
/// the highest bit 32 bits of the scrambled key, 32 of the recording's number, 32 of the unit of time, 16 each of the
/// units of pitch and duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tuple(u128);

impl Tuple {
    pub(super) fn of_quad(recording: u32, quad: &Quad) -> Self {
        let (pitch, duration) = (pitch_unit(quad.pitch), duration_unit(quad.duration));
        Self::new(scramble(quad.key()), recording, quad.time / TIME_UNIT, pitch, duration)
    }

    fn new(key: u32, recording: u32, time: u32, pitch: u16, duration: u8) -> Self {
        let high = u128::from(key) << 96 | u128::from(recording) << 64 | u128::from(time) << 32;
        Self(high | u128::from(pitch) << 16 | u128::from(duration))
    }

    /// The scrambled key.
    pub(super) fn key(self) -> u32 {
        (self.0 >> 96) as u32
    }

    fn recording(self) -> u32 {
        (self.0 >> 64) as u32
    }

    fn time(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn pitch(self) -> u32 {
        u32::from((self.0 >> 16) as u16)
    }

    pub(super) fn duration(self) -> u8 {
        self.0 as u8
    }
}

/// How the postings of one family are laid out in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Recordings of the segment.
    pub(super) recordings: u32,
    /// Two to this power is the number of buckets; 4 to 28.
    pub(super) bucket_bits: u8,
    /// Parameter of the Rice codes of times.
    pub(super) time_parameter: u8,
    /// The least unit of duration.
    pub(super) duration_first: u8,
    /// How many units of duration there are from that on; 0 where postings carry no pitch and duration.
    pub(super) durations: u8,
}

/// Postings in a bucket, on average: few enough to decode at a look, many enough that the directory of five bytes a
/// bucket is small beside them.
const POSTINGS_PER_BUCKET: u64 = 24;
const BUCKET_BITS: (u8, u8) = (4, 28);

impl Shape {
    /// The shape for so many postings, in recordings of so many steps of time all told.
    pub(super) fn new(
        family: Family,
        recordings: u32,
        steps: u64,
        postings: u64,
        durations: (u8, u8),
    ) -> Self {
        let buckets = (postings / POSTINGS_PER_BUCKET).max(1);
        let bits = u8::try_from(buckets.ilog2()).unwrap_or(u8::MAX).clamp(BUCKET_BITS.0, BUCKET_BITS.1);
        let units = steps / u64::from(TIME_UNIT) / u64::from(recordings.max(1));
        // Times are evenly spread, not geometrically: their best parameter is a little lower.
        let time_parameter = rice_parameter(units * 5 / 8) as u8;
        let (first, last) = durations;
        let durations = if family.has_pitch() { last.saturating_sub(first) + 1 } else { 0 };
        Self { recordings, bucket_bits: bits, time_parameter, duration_first: first, durations }
    }

    /// Whether a segment can have this shape.
    pub(super) fn is_right(&self, family: Family) -> bool {
        (BUCKET_BITS.0..=BUCKET_BITS.1).contains(&self.bucket_bits)
            && self.time_parameter < 32
            && (self.durations > 0) == family.has_pitch()
            && usize::from(self.duration_first) + usize::from(self.durations) <= DURATIONS
    }

    pub(super) fn buckets(&self) -> usize {
        1 << self.bucket_bits
    }

    /// Bits of a key that its bucket does not tell.
    fn remainder_bits(&self) -> u32 {
        32 - u32::from(self.bucket_bits)
    }

    /// The bucket of a scrambled key.
    #[inline]
    pub(super) fn bucket_of(&self, key: u32) -> usize {
        (key >> self.remainder_bits()) as usize
    }

    fn remainder_parameter(&self, keys: u32) -> u32 {
        rice_parameter((1u64 << self.remainder_bits()) / (u64::from(keys) + 1))
    }

    #[inline]
    fn recording_parameter(&self, postings: u32) -> u32 {
        rice_parameter(u64::from(self.recordings) / (u64::from(postings) + 1))
    }

    /// Bits of pitch and duration together.
    fn payload_bits(&self) -> u32 {
        match PITCHES * u32::from(self.durations) {
            0 => 0,
            combinations => (combinations - 1).max(1).ilog2() + 1,
        }
    }
}

/// Appends the bits of one bucket's postings, which are sorted and of one bucket, to whole bytes.
pub(super) fn encode(shape: &Shape, tuples: &[Tuple], bits: &mut BitWriter) {
    let keys = || tuples.chunk_by(|a, b| a.key() == b.key());
    let count = keys().count() as u32;
    if count == 0 {
        return;
    }
    bits.put_gamma(count);
    let mask = ((1u64 << shape.remainder_bits()) - 1) as u32;
    let parameter = shape.remainder_parameter(count);
    let mut next = 0;
    for of_key in keys() {
        let remainder = of_key[0].key() & mask;
        bits.put_rice(remainder - next, parameter);
        next = remainder.wrapping_add(1);
        bits.put_gamma(of_key.len() as u32);
    }
    for of_key in keys() {
        let parameter = shape.recording_parameter(of_key.len() as u32);
        let mut before = 0;
        for tuple in of_key {
            bits.put_rice(tuple.recording() - before, parameter);
            before = tuple.recording();
            bits.put_rice(tuple.time(), u32::from(shape.time_parameter));
            if shape.durations > 0 {
                let duration = tuple.duration().saturating_sub(shape.duration_first).min(shape.durations - 1);
                let payload = tuple.pitch() * u32::from(shape.durations) + u32::from(duration);
                bits.put(payload, shape.payload_bits());
            }
        }
    }
    bits.align();
}

/// One posting as it lies in a bucket, in units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) recording: u32,
    time: u32,
    pitch: u16,
    duration: u8,
}

impl Unit {
    pub(super) fn time(self) -> u32 {
        time_steps(self.time)
    }

    pub(super) fn pitch(self) -> u16 {
        pitch_steps(self.pitch)
    }

    pub(super) fn duration(self) -> u16 {
        duration_steps(self.duration)
    }

    /// The posting under a key in another segment, where its recording has another number.
    pub(super) fn tuple(self, key: u32, recording: u32) -> Tuple {
        Tuple::new(key, recording, self.time, self.pitch, self.duration)
    }
}

/// The keys of one bucket with how many postings each has, and where the postings begin.
pub(super) struct Bucket<'a> {
    bits: BitReader<'a>,
    end: usize,
}

impl<'a> Bucket<'a> {
    /// Reads the heads of a bucket whose bits are the first `length` of `bytes`; what lies behind is another's. Where
    /// they are damaged, there are fewer heads, in order.
    #[inline]
    pub(super) fn open(
        shape: &Shape,
        bucket: usize,
        bytes: &'a [u8],
        length: usize,
        heads: &mut Vec<(u32, u32)>,
    ) -> Self {
        heads.clear();
        let mut bits = BitReader::new(bytes);
        let end = length * 8;
        if length == 0 {
            return Self { bits, end };
        }
        let base = (bucket as u32) << shape.remainder_bits();
        let keys = bits.take_gamma();
        let parameter = shape.remainder_parameter(keys);
        let mut next = 0u64;
        for _ in 0..keys {
            let remainder = next + u64::from(bits.take_rice(parameter));
            let count = bits.take_gamma();
            if bits.at > end || remainder >> shape.remainder_bits() != 0 {
                break;
            }
            heads.push((base | remainder as u32, count));
            next = remainder + 1;
        }
        Self { bits, end }
    }

    /// Reads the next key's postings, of which its head promised `count`; fewer where they are damaged.
    #[inline]
    pub(super) fn postings(&mut self, shape: &Shape, count: u32, mut visit: impl FnMut(Unit)) {
        let parameter = shape.recording_parameter(count);
        let payload_bits = shape.payload_bits();
        let durations = u64::from(shape.durations).max(1);
        // Division by a number of 8 bits is multiplication by this: right for payloads of under 24 bits.
        let inverse = (1u64 << 32) / durations + 1;
        let mut recording = 0u32;
        let mut bits = self.bits;
        for _ in 0..count {
            recording = recording.wrapping_add(bits.take_rice(parameter));
            let time = bits.take_rice(u32::from(shape.time_parameter));
            let payload = u64::from(bits.take(payload_bits));
            if bits.at > self.end || recording >= shape.recordings {
                break;
            }
            let pitch = (payload * inverse) >> 32;
            let duration = (payload - pitch * durations) as u8 + shape.duration_first;
            visit(Unit { recording, time, pitch: pitch as u16, duration });
        }
        self.bits = bits;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(recordings: u32, bucket_bits: u8) -> Shape {
        Shape { recordings, bucket_bits, time_parameter: 8, duration_first: 3, durations: 100 }
    }

    fn decode(shape: &Shape, bucket: usize, bytes: &[u8], length: usize) -> Vec<Tuple> {
        let mut heads = Vec::new();
        let mut read = Bucket::open(shape, bucket, bytes, length, &mut heads);
        let mut tuples = Vec::new();
        for (key, count) in heads {
            read.postings(shape, count, |unit| tuples.push(unit.tuple(key, unit.recording)));
        }
        tuples
    }

    proptest! {
        #[test]
        fn a_bucket_comes_back(
            tuples in prop::collection::vec((any::<u32>(), 0u32..1000, any::<u32>(), 0u16..264, 3u8..103), 0..80),
            narrow in 0u32..28,
            late in 0u32..32,
            bucket_bits in 4u8..=28,
        ) {
            let shape = shape(1000, bucket_bits);
            let bucket = 3usize;
            let mut tuples: Vec<Tuple> = tuples.into_iter().map(|(key, recording, time, pitch, duration)| {
                let remainder = key >> narrow & ((1 << shape.remainder_bits()) - 1);
                let key = (bucket as u32) << shape.remainder_bits() | remainder;
                Tuple::new(key, recording, time >> late, pitch, duration)
            }).collect();
            tuples.sort_unstable();
            let mut bits = BitWriter::default();
            encode(&shape, &tuples, &mut bits);
            let length = bits.bytes.len();
            bits.bytes.extend([0xff; 8]);
            prop_assert_eq!(decode(&shape, bucket, &bits.bytes, length), tuples);
        }

        #[test]
        fn any_bytes_are_read_within_bounds(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            length in 0usize..300,
            bucket_bits in 4u8..=28,
        ) {
            let shape = shape(7, bucket_bits);
            let length = length.min(bytes.len());
            let tuples = decode(&shape, 5, &bytes, length);
            prop_assert!(tuples.len() <= length * 8);
            prop_assert!(tuples.iter().all(|tuple| tuple.recording() < 7 && shape.bucket_of(tuple.key()) == 5));
        }
    }
}
