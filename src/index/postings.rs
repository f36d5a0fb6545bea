//! Postings of one bucket as bits, and back.
//!
//! ```text
//! number of keys gamma
//! per key: distance of its remainder from the one before rice | number of its postings gamma
//! per key: of more than one block: per block, bits of the block 16 | place of its first posting 16
//!          per block, per posting: number since the posting before rice | time rice
//! ```
//!
//! All heads come first: most keys that a query asks for are not there, which so is known after a few bits. A posting's
//! *place* is its pitch and duration, its *number* is place × recordings + recording: postings of one key lie in the
//! order of their pitches, so that a query that knows what a copy's pitch can be reads a few blocks of a frequent key.

use std::ops::RangeInclusive;

use super::bits::{BitReader, BitWriter, long_rice_bits, long_rice_parameter, rice_bits, rice_parameter};
use super::units::{DURATIONS, PITCHES, TIME_UNIT, duration_unit, pitch_unit};
use crate::fingerprint::{Quad, QuadKey};

/// Scrambles a key so that its upper bits are evenly spread, which those of keys are not; one to one.
#[inline]
pub(super) fn scramble(key: QuadKey) -> u32 {
    let mixed = key.0.wrapping_mul(0x9E37_79B1);
    (mixed ^ mixed >> 15).wrapping_mul(0x85EB_CA6B)
}

/// One posting on its way into a segment, packed so that sorting sorts by key, pitch, duration, recording, time: from
/// the highest bit 32 bits of the scrambled key, 16 of the unit of pitch, 16 of the unit of duration, 32 of the
/// recording's number, 32 of the unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tuple(u128);

impl Tuple {
    pub(super) fn of_quad(recording: u32, quad: &Quad) -> Self {
        let (pitch, duration) = (pitch_unit(quad.pitch), duration_unit(quad.duration));
        Self::new(scramble(quad.key()), recording, quad.time / TIME_UNIT, pitch, duration)
    }

    fn new(key: u32, recording: u32, time: u32, pitch: u16, duration: u8) -> Self {
        let high = u128::from(key) << 96 | u128::from(pitch) << 80 | u128::from(duration) << 64;
        Self(high | u128::from(recording) << 32 | u128::from(time))
    }

    /// The scrambled key.
    pub(super) fn key(self) -> u32 {
        (self.0 >> 96) as u32
    }

    fn pitch(self) -> u16 {
        (self.0 >> 80) as u16
    }

    pub(super) fn duration(self) -> u8 {
        (self.0 >> 64) as u8
    }

    fn recording(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn time(self) -> u32 {
        self.0 as u32
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
    /// How many units of duration there are from that on.
    pub(super) durations: u8,
}

/// Postings in a bucket, on average: few enough to decode at a look, many enough that the directory of five bytes a
/// bucket is small beside them.
const POSTINGS_PER_BUCKET: u64 = 24;
const BUCKET_BITS: (u8, u8) = (4, 28);
/// Postings of a key in one block.
pub(super) const BLOCK: u32 = 64;

impl Shape {
    /// The shape for so many postings, in recordings of so many steps of time all told.
    pub(super) fn new(recordings: u32, steps: u64, postings: u64, durations: (u8, u8)) -> Self {
        let buckets = (postings / POSTINGS_PER_BUCKET).max(1);
        let bits = u8::try_from(buckets.ilog2()).unwrap_or(u8::MAX).clamp(BUCKET_BITS.0, BUCKET_BITS.1);
        let units = steps / u64::from(TIME_UNIT) / u64::from(recordings.max(1));
        // Times are evenly spread, not geometrically: their best parameter is a little lower.
        let time_parameter = rice_parameter(units * 5 / 8) as u8;
        let (first, last) = durations;
        let durations = last.saturating_sub(first) + 1;
        Self { recordings, bucket_bits: bits, time_parameter, duration_first: first, durations }
    }

    /// Whether a segment can have this shape.
    pub(super) fn is_right(&self) -> bool {
        (BUCKET_BITS.0..=BUCKET_BITS.1).contains(&self.bucket_bits)
            && self.time_parameter < 32
            && self.durations > 0
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
    fn number_parameter(&self, postings: u32) -> u32 {
        let numbers = u64::from(PITCHES) * u64::from(self.durations) * u64::from(self.recordings);
        long_rice_parameter(numbers / (u64::from(postings) + 1))
    }

    /// The place of a pitch with a duration, both in units; of durations that the segment does not have, the nearest.
    pub(super) fn place(&self, pitch: u16, duration: u8) -> u32 {
        let duration = duration.saturating_sub(self.duration_first).min(self.durations - 1);
        u32::from(pitch) * u32::from(self.durations) + u32::from(duration)
    }

    fn number(&self, tuple: Tuple) -> u64 {
        let place = self.place(tuple.pitch(), tuple.duration());
        u64::from(place) * u64::from(self.recordings) + u64::from(tuple.recording())
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
        encode_key(shape, of_key, bits);
    }
    bits.align();
}

fn encode_key(shape: &Shape, of_key: &[Tuple], bits: &mut BitWriter) {
    let parameter = shape.number_parameter(of_key.len() as u32);
    let several = of_key.len() as u32 > BLOCK;
    let first_place =
        |block: &[Tuple]| if several { shape.place(block[0].pitch(), block[0].duration()) } else { 0 };
    if several {
        for block in of_key.chunks(BLOCK as usize) {
            bits.put(block_bits(shape, first_place(block), block, parameter), 16);
            bits.put(first_place(block), 16);
        }
    }
    for block in of_key.chunks(BLOCK as usize) {
        each_in_block(shape, first_place(block), block, |number, time| {
            bits.put_long_rice(number, parameter);
            bits.put_rice(time, u32::from(shape.time_parameter));
        });
    }
}

/// The numbers of a block's postings, each less the one before (the first less that of `place`), and the times.
fn each_in_block(shape: &Shape, place: u32, block: &[Tuple], mut visit: impl FnMut(u64, u32)) {
    let mut before = u64::from(place) * u64::from(shape.recordings);
    for &tuple in block {
        let number = shape.number(tuple);
        visit(number - before, tuple.time());
        before = number;
    }
}

fn block_bits(shape: &Shape, place: u32, block: &[Tuple], parameter: u32) -> u32 {
    let mut bits = 0;
    each_in_block(shape, place, block, |number, time| {
        bits += long_rice_bits(number, parameter) + rice_bits(time, u32::from(shape.time_parameter));
    });
    bits
}

/// One posting as it lies in a bucket, in units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) recording: u32,
    pub(super) time: u32,
    pub(super) pitch: u16,
    pub(super) duration: u8,
}

impl Unit {
    /// The posting under a key in another segment, where its recording has another number.
    pub(super) fn tuple(self, key: u32, recording: u32) -> Tuple {
        Tuple::new(key, recording, self.time, self.pitch, self.duration)
    }
}

/// The keys of one bucket with how many postings each has, and where the postings begin.
#[derive(Clone, Copy)]
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

    /// Reads all postings of the next key, of which its head promised `count`; fewer where they are damaged.
    pub(super) fn postings(&mut self, shape: &Shape, count: u32, visit: impl FnMut(Unit)) {
        self.postings_of_places(shape, count, Some(&(0..=u32::MAX)), visit);
    }

    /// Reads the postings of the next key, of which its head promised `count`, that lie in a range of places, if any is
    /// given; others may be among them.
    #[inline]
    pub(super) fn postings_of_places(
        &mut self,
        shape: &Shape,
        count: u32,
        places: Option<&RangeInclusive<u32>>,
        mut visit: impl FnMut(Unit),
    ) {
        let block = Block::new(shape, count, self.end);
        if count <= BLOCK {
            // Too few to leave any out.
            self.bits = block.read(self.bits, 0, count, &mut visit);
            return;
        }
        let table = self.bits;
        let blocks = count.div_ceil(BLOCK) as usize;
        if table.at + 32 * blocks > self.end {
            self.bits.at = self.end;
            return;
        }
        let entry = |at: usize| table.at_bit(table.at + 32 * at).take(32);
        let first_bit = table.at + 32 * blocks;
        let wanted = |first: u32, last: u32| {
            places.is_some_and(|places| first <= *places.end() && last >= *places.start())
        };
        let mut start_bit = first_bit;
        let mut here = entry(0);
        for at in 0..blocks {
            // Nothing lies beyond the place at which the next block begins.
            let next = if at + 1 < blocks { entry(at + 1) } else { u32::MAX };
            if wanted(here >> 16, next >> 16) {
                let of_block = BLOCK.min(count - at as u32 * BLOCK);
                block.read(table.at_bit(start_bit), here >> 16, of_block, &mut visit);
            }
            start_bit += (here & 0xffff) as usize;
            here = next;
        }
        self.bits.at = start_bit;
    }
}

/// How the blocks of a key are read.
struct Block {
    parameter: u32,
    time_parameter: u32,
    recordings: u64,
    durations: u64,
    duration_first: u8,
    /// Ones over recordings and durations.
    inverses: (u64, u64),
    end: usize,
}

impl Block {
    #[inline]
    fn new(shape: &Shape, count: u32, end: usize) -> Self {
        let (recordings, durations) = (u64::from(shape.recordings), u64::from(shape.durations));
        Self {
            parameter: shape.number_parameter(count),
            time_parameter: u32::from(shape.time_parameter),
            recordings,
            durations,
            duration_first: shape.duration_first,
            inverses: (inverse(recordings), (1u64 << 32) / durations.max(1) + 1),
            end,
        }
    }

    /// Reads `count` postings from a place on.
    #[inline]
    fn read<'a>(
        &self,
        mut bits: BitReader<'a>,
        place: u32,
        count: u32,
        visit: &mut impl FnMut(Unit),
    ) -> BitReader<'a> {
        let mut number = u64::from(place) * self.recordings;
        for _ in 0..count {
            number = number.wrapping_add(bits.take_long_rice(self.parameter));
            let time = bits.take_rice(self.time_parameter);
            let (place, recording) = divide(number, self.recordings, self.inverses.0);
            // Division by a number of 8 bits is multiplication by this: right for places of under 24 bits.
            let pitch = (place * self.inverses.1) >> 32;
            if bits.at > self.end || pitch >= u64::from(PITCHES) {
                break;
            }
            let duration = (place - pitch * self.durations) as u8 + self.duration_first;
            visit(Unit { recording, time, pitch: pitch as u16, duration });
        }
        bits
    }
}

/// By what a number is multiplied to be divided by `by`: 2⁶⁴ / `by`, rounded down.
#[inline]
fn inverse(by: u64) -> u64 {
    u64::MAX / by.max(1)
}

/// Divides by a number of at most 32 bits, of which `inverse` is the inverse. A quotient of more than 24 bits, which no
/// place has, is given as the greatest of 24.
#[inline]
fn divide(number: u64, by: u64, inverse: u64) -> (u64, u32) {
    let mut quotient = ((u128::from(number) * u128::from(inverse)) >> 64) as u64;
    let mut rest = number.wrapping_sub(quotient.wrapping_mul(by));
    // The inverse was rounded down, and the quotient so at most two too small.
    while rest >= by.max(1) {
        rest -= by.max(1);
        quotient += 1;
    }
    (quotient.min(0xff_ffff), rest as u32)
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
            tuples in prop::collection::vec((any::<u32>(), 0u32..1000, any::<u32>(), 0u16..264, 3u8..103), 0..300),
            narrow in 0u32..32,
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
