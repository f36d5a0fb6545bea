//! Eight numbers that are always computed with alike: eight frames go through one transform side by side.
//!
//! Vector instructions differ from one processor to the next in how they would cut one transform apart, and with it
//! in what they round. Here each lane is a transform of its own, computed in the plain order of the scalar algorithm;
//! whatever width the compiler's vectors have, the lanes' bits are the same on every machine that keeps IEEE 754.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use rustfft::num_traits::{FromPrimitive, Num, One, Signed, Zero};

/// Numbers in a [`Lanes`]: two vectors of SSE2 or NEON, one of AVX.
pub(super) const LANES: usize = 8;

/// One number of each of eight frames.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(32))]
pub(super) struct Lanes(pub(super) [f32; LANES]);

impl Lanes {
    /// The same number in each lane.
    pub(super) const fn all(value: f32) -> Self {
        Self([value; LANES])
    }

    /// Eight numbers that lie side by side. `from` has as many; any others are left alone.
    #[inline(always)]
    pub(super) fn load(from: &[f32]) -> Self {
        Self(from.first_chunk().copied().unwrap_or([0.0; LANES]))
    }

    /// Each lane by itself.
    #[inline(always)]
    pub(super) fn map(mut self, one: impl Fn(f32) -> f32) -> Self {
        for lane in &mut self.0 {
            *lane = one(*lane);
        }
        self
    }

    #[inline(always)]
    fn zip(mut self, other: Self, one: impl Fn(f32, f32) -> f32) -> Self {
        for (lane, other) in self.0.iter_mut().zip(other.0) {
            *lane = one(*lane, other);
        }
        self
    }
}

macro_rules! lane_by_lane {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, $trait::$method)
            }
        }
    )*};
}

lane_by_lane!(Add add, Sub sub, Mul mul, Div div, Rem rem);

impl Neg for Lanes {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.map(Neg::neg)
    }
}

impl Zero for Lanes {
    fn zero() -> Self {
        Self::all(0.0)
    }

    fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

impl One for Lanes {
    fn one() -> Self {
        Self::all(1.0)
    }
}

impl FromPrimitive for Lanes {
    fn from_i64(n: i64) -> Option<Self> {
        f32::from_i64(n).map(Self::all)
    }

    fn from_u64(n: u64) -> Option<Self> {
        f32::from_u64(n).map(Self::all)
    }

    // Twiddles come through here: computed in double precision, rounded once.
    fn from_f64(n: f64) -> Option<Self> {
        f32::from_f64(n).map(Self::all)
    }
}

// What the transform asks for and never uses.
impl Num for Lanes {
    type FromStrRadixErr = <f32 as Num>::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        f32::from_str_radix(text, radix).map(Self::all)
    }
}

impl Signed for Lanes {
    fn abs(&self) -> Self {
        self.map(f32::abs)
    }

    fn abs_sub(&self, other: &Self) -> Self {
        self.zip(*other, |a, b| (a - b).max(0.0))
    }

    fn signum(&self) -> Self {
        self.map(f32::signum)
    }

    fn is_positive(&self) -> bool {
        self.0.iter().all(|lane| lane.is_sign_positive())
    }

    fn is_negative(&self) -> bool {
        self.0.iter().all(|lane| lane.is_sign_negative())
    }
}
