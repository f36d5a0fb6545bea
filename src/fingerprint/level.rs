//! Power → level: decibels as whole numbers, by arithmetic that is the same on every machine.
//!
//! All comparisons after this point are of whole numbers, so that no order of summing and no vector width can change
//! which of two is the higher.

use super::lanes::{LANES, Lanes};

/// A level: 1/256 decibel of full scale.
pub(super) type Level = i16;

/// Levels in a decibel.
pub(super) const PER_DB: i32 = 256;

/// Power below −100 dB of full scale, under the noise of 16-bit audio, is silence.
pub(super) const FLOOR: Level = (-100 * PER_DB) as Level;

/// The power of [`FLOOR`].
const FLOOR_POWER: f32 = 1e-10;

/// Levels in a doubling of power: 2560 · log₁₀ 2.
const PER_OCTAVE: f32 = 770.636_8;

/// log₂(1 + t) is t + t (1 − t) q(t) for t from 0 to 1, with a q of these coefficients, to 1/26 of a level: exact at
/// both ends, so that levels grow steadily from one power of two to the next.
const LOG: [f32; 4] = [0.442_418_6, -0.269_578, 0.150_533_2, -0.044_874];

/// 1.5 · 2²³: added to a number of less than 2²² it leaves no bits for a fraction, so that the sum is rounded to whole
/// numbers (halves to even) and its low bits are that number.
const ROUNDING: f32 = 12_582_912.0;

/// Returns the levels of eight powers (1 is full scale), not under [`FLOOR`].
#[inline(always)]
pub(super) fn levels(powers: Lanes) -> [Level; LANES] {
    let mut levels = [FLOOR; LANES];
    for (out, power) in levels.iter_mut().zip(powers.0) {
        *out = level(power);
    }
    levels
}

#[inline(always)]
fn level(power: f32) -> Level {
    // What is not a number becomes the floor: `max` gives the other one.
    let bits = power.max(FLOOR_POWER).to_bits();
    let exponent = (bits >> 23).cast_signed() - 127;
    let t = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000) - 1.0;
    let q = ((LOG[3] * t + LOG[2]) * t + LOG[1]) * t + LOG[0];
    let log = exponent as f32 + (t + t * (1.0 - t) * q);
    let rounded = (log * PER_OCTAVE + ROUNDING).to_bits().cast_signed() - ROUNDING.to_bits().cast_signed();
    rounded.clamp(i32::from(FLOOR), i32::from(Level::MAX)) as Level
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ends_of_the_scale() {
        assert_eq!(level(1.0), 0);
        assert_eq!(level(0.0), FLOOR);
        assert_eq!(level(-1.0), FLOOR);
        assert_eq!(level(f32::NAN), FLOOR);
        assert_eq!(level(f32::INFINITY), Level::MAX);
        assert_eq!(level(FLOOR_POWER), FLOOR);
        assert_eq!(level(2.0), 771);
    }

    proptest! {
        #[test]
        fn levels_are_decibels(power in 1e-10f32..1e10) {
            let exact = 256.0 * 10.0 * f64::from(power).log10();
            prop_assert!((f64::from(level(power)) - exact).abs() < 0.6, "{} for {exact}", level(power));
        }

        #[test]
        fn more_power_is_never_a_lower_level(bits in 0u32..0x7f80_0000) {
            prop_assert!(level(f32::from_bits(bits)) <= level(f32::from_bits(bits + 1)));
        }
    }
}
