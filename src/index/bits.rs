//! Numbers as few bits: fixed width, Rice code and gamma code, the lowest bit first.

/// Ones that announce a number written in full in place of its Rice code: no number takes more than 56 bits.
const ESCAPE_ONES: u32 = 24;

/// The same for long numbers, which then take this many bits.
const LONG_BITS: u32 = 48;

/// Bits → bytes.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    pub(super) bytes: Vec<u8>,
    pending: u64,
    filled: u32,
}

impl BitWriter {
    /// Appends the low `width` (at most 32) bits of `value`.
    pub(super) fn put(&mut self, value: u32, width: u32) {
        let value = u64::from(value) & ((1 << width) - 1);
        self.pending |= value << self.filled;
        self.filled += width;
        while self.filled >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.filled -= 8;
        }
    }

    /// Appends a Rice code: as many ones as `value` >> `parameter` (at most 31), a zero, and the low bits.
    pub(super) fn put_rice(&mut self, value: u32, parameter: u32) {
        let high = value >> parameter;
        if high < ESCAPE_ONES {
            self.put((1 << high) - 1, high + 1);
            self.put(value, parameter);
        } else {
            self.put(u32::MAX, ESCAPE_ONES);
            self.put(value, 32);
        }
    }

    /// As [`BitWriter::put_rice`] of a number of up to 48 bits, with a parameter of up to 48.
    pub(super) fn put_long_rice(&mut self, value: u64, parameter: u32) {
        let high = value >> parameter;
        if high < u64::from(ESCAPE_ONES) {
            self.put((1 << high) - 1, high as u32 + 1);
            self.put_long(value, parameter);
        } else {
            self.put(u32::MAX, ESCAPE_ONES);
            self.put_long(value, LONG_BITS);
        }
    }

    /// Appends the low `width` (at most 48) bits of `value`.
    fn put_long(&mut self, value: u64, width: u32) {
        self.put(value as u32, width.min(24));
        self.put((value >> 24) as u32, width.saturating_sub(24));
    }

    /// Appends a gamma code of a number that is at least 1: as many ones as it has bits after its first, a zero, and
    /// those bits.
    pub(super) fn put_gamma(&mut self, value: u32) {
        let bits = value.max(1).ilog2();
        self.put(u32::MAX, bits);
        self.put(0, 1);
        self.put(value, bits);
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.put(0, (8 - self.filled) % 8);
    }
}

/// Bytes → bits. Beyond the last byte it reads zeros, so that damage cannot lead it astray; whoever reads bounds how
/// often.
#[derive(Debug, Clone, Copy)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits read so far.
    pub(super) at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The same bytes, read from another bit on.
    #[inline]
    pub(super) fn at_bit(mut self, at: usize) -> Self {
        self.at = at;
        self
    }

    /// The next bits, at least 57 of them.
    #[inline]
    fn window(&self) -> u64 {
        let first = self.at / 8;
        match self.bytes.get(first..).and_then(<[u8]>::first_chunk) {
            Some(eight) => u64::from_le_bytes(*eight) >> (self.at % 8),
            None => self.last_window(first),
        }
    }

    #[cold]
    fn last_window(&self, first: usize) -> u64 {
        let mut eight = [0; 8];
        let left = self.bytes.get(first..).unwrap_or_default();
        eight[..left.len()].copy_from_slice(left);
        u64::from_le_bytes(eight) >> (self.at % 8)
    }

    /// Reads `width` (at most 32) bits.
    #[inline]
    pub(super) fn take(&mut self, width: u32) -> u32 {
        let value = self.window() & ((1 << width) - 1);
        self.at += width as usize;
        value as u32
    }

    /// The inverse of [`BitWriter::put_rice`].
    #[inline]
    pub(super) fn take_rice(&mut self, parameter: u32) -> u32 {
        let window = self.window();
        let ones = window.trailing_ones();
        if ones >= ESCAPE_ONES {
            self.at += ESCAPE_ONES as usize + 32;
            return (window >> ESCAPE_ONES) as u32;
        }
        self.at += (ones + 1 + parameter) as usize;
        let low = window >> (ones + 1) & ((1 << parameter) - 1);
        (ones << parameter) | low as u32
    }

    /// The inverse of [`BitWriter::put_long_rice`].
    #[inline]
    pub(super) fn take_long_rice(&mut self, parameter: u32) -> u64 {
        let window = self.window();
        let ones = window.trailing_ones();
        if ones >= ESCAPE_ONES {
            self.at += ESCAPE_ONES as usize;
            return self.take_long(LONG_BITS);
        }
        // A window holds 57 bits: nearly always the whole code.
        if ones + 1 + parameter <= 56 {
            self.at += (ones + 1 + parameter) as usize;
            let low = window >> (ones + 1) & ((1 << parameter) - 1);
            return u64::from(ones) << parameter | low;
        }
        self.at += ones as usize + 1;
        u64::from(ones) << parameter | self.take_long(parameter)
    }

    /// Reads `width` (at most 48) bits.
    #[inline]
    fn take_long(&mut self, width: u32) -> u64 {
        let value = self.window() & ((1 << width) - 1);
        self.at += width as usize;
        value
    }

    /// The inverse of [`BitWriter::put_gamma`].
    pub(super) fn take_gamma(&mut self) -> u32 {
        let bits = self.window().trailing_ones().min(31);
        self.at += bits as usize + 1;
        self.take(bits) | 1 << bits
    }
}

/// How many bits the Rice code of a number takes.
pub(super) fn rice_bits(value: u32, parameter: u32) -> u32 {
    let high = value >> parameter;
    if high < ESCAPE_ONES { high + 1 + parameter } else { ESCAPE_ONES + 32 }
}

/// The same of a long one.
pub(super) fn long_rice_bits(value: u64, parameter: u32) -> u32 {
    let high = value >> parameter;
    if high < u64::from(ESCAPE_ONES) { high as u32 + 1 + parameter } else { ESCAPE_ONES + LONG_BITS }
}

/// The parameter with which the Rice codes of numbers with this mean are shortest, near enough: they are when about
/// half of them are below 2 to its power.
pub(super) fn rice_parameter(mean: u64) -> u32 {
    long_rice_parameter(mean).min(31)
}

/// The same for long numbers; at most 48.
#[inline]
pub(super) fn long_rice_parameter(mean: u64) -> u32 {
    (mean.saturating_mul(11) / 16).max(1).ilog2().min(LONG_BITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec((any::<u32>(), 0u32..32, 0u32..32), 0..100)) {
            let mut writer = BitWriter::default();
            for &(value, shift, parameter) in &numbers {
                writer.put_rice(value >> shift, parameter);
                writer.put(value, parameter + 1);
                writer.put_gamma((value >> shift).max(1));
                writer.put_long_rice(u64::from(value) << 16 >> shift, parameter + 17);
            }
            writer.align();
            let mut reader = BitReader::new(&writer.bytes);
            for (value, shift, parameter) in numbers {
                prop_assert_eq!(reader.take_rice(parameter), value >> shift);
                prop_assert_eq!(u64::from(reader.take(parameter + 1)), u64::from(value) & ((2 << parameter) - 1));
                prop_assert_eq!(reader.take_gamma(), (value >> shift).max(1));
                prop_assert_eq!(reader.take_long_rice(parameter + 17), u64::from(value) << 16 >> shift);
            }
            prop_assert_eq!(reader.at.div_ceil(8), writer.bytes.len());
        }

        #[test]
        fn any_bits_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..40), parameter in 0u32..32) {
            let mut reader = BitReader::new(&bytes);
            for _ in 0..100 {
                let before = reader.at;
                reader.take_rice(parameter);
                reader.take_gamma();
                reader.take_long_rice(parameter + 17);
                prop_assert!(reader.at > before);
            }
        }
    }
}
