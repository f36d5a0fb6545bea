//! Running maxima along frequency, whose cost grows with the logarithm of their width.

use super::BINS;
use super::level::Level;
use super::spectrum::Frame;

/// Bins that a maximum may reach to each side.
const REACH_MAX: usize = 32;

const PADDED: usize = BINS + 2 * REACH_MAX;

/// Puts into `out`, for every bin, the maximum of the bins up to `reach` (at most [`REACH_MAX`]) away on both sides.
pub(super) fn running_max(frame: &Frame, reach: usize, out: &mut Frame) {
    let reach = reach.min(REACH_MAX);
    let mut maxima = [Level::MIN; PADDED];
    maxima[reach..reach + BINS].copy_from_slice(frame);
    let mut width = 1;
    // maxima[i] is that of `width` levels from i on.
    while 2 * width <= 2 * reach + 1 {
        let before = maxima;
        for (max, &other) in maxima.iter_mut().zip(&before[width..]) {
            *max = other.max(*max);
        }
        width *= 2;
    }
    // Two that overlap, for the width that is no power of two.
    let last = &maxima[2 * reach + 1 - width..];
    for ((out, &low), &high) in out.iter_mut().zip(&maxima).zip(last) {
        *out = low.max(high);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_maximum(levels in prop::collection::vec(any::<Level>(), BINS), reach in 0..=REACH_MAX) {
            let mut frame = [0; BINS];
            frame.copy_from_slice(&levels);
            let mut maxima = [0; BINS];
            running_max(&frame, reach, &mut maxima);
            for (bin, &max) in maxima.iter().enumerate() {
                let around = &levels[bin.saturating_sub(reach)..BINS.min(bin + reach + 1)];
                prop_assert_eq!(Some(&max), around.iter().max());
            }
        }
    }
}
