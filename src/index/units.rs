//! The coarse units in which postings keep time, pitch and duration.

/// Steps of time in one unit of a posting's time: 93 ms.
pub(super) const TIME_UNIT: u32 = 32;
/// Steps of pitch in one unit of a posting's pitch: one bin, 1/48 octave.
const PITCH_UNIT: u16 = 8;
/// Pitches that a posting can have.
pub(super) const PITCHES: u32 = crate::fingerprint::BINS as u32;
/// Durations that a posting can have.
pub(super) const DURATIONS: usize = 144;

/// The least duration of each unit, in steps of time, and of the one after the last: each is the one before plus
/// 9/256 of it (3.5 %), rounded, but at least one step. All durations of a `u16` below 1,492 have a unit.
const DURATION_BOUNDS: [u16; DURATIONS + 1] = {
    let mut bounds = [1; DURATIONS + 1];
    let mut at = 0;
    while at < DURATIONS {
        let step = (bounds[at] * 9 + 128) / 256;
        bounds[at + 1] = bounds[at] + if step == 0 { 1 } else { step };
        at += 1;
    }
    bounds
};

/// The unit of a duration in steps; what is too short or too long is in the first or last.
pub(super) fn duration_unit(duration: u16) -> u8 {
    DURATION_BOUNDS[1..DURATIONS].partition_point(|&bound| bound <= duration) as u8
}

/// The middle of a unit of duration, in steps.
#[inline]
pub(super) fn duration_steps(unit: u8) -> u16 {
    const MIDDLES: [u16; DURATIONS] = {
        let mut middles = [0; DURATIONS];
        let mut at = 0;
        while at < DURATIONS {
            middles[at] = (DURATION_BOUNDS[at] + DURATION_BOUNDS[at + 1] - 1).div_ceil(2);
            at += 1;
        }
        middles
    };
    MIDDLES.get(usize::from(unit)).copied().unwrap_or(DURATION_BOUNDS[DURATIONS])
}

/// The unit of a pitch in steps.
pub(super) fn pitch_unit(pitch: u16) -> u16 {
    (pitch / PITCH_UNIT).min(PITCHES as u16 - 1)
}

/// The middle of a unit of pitch, in steps.
#[inline]
pub(super) fn pitch_steps(unit: u16) -> u16 {
    unit * PITCH_UNIT + PITCH_UNIT / 2
}

/// The middle of a unit of time, in steps.
#[inline]
pub(super) fn time_steps(unit: u32) -> u32 {
    unit.saturating_mul(TIME_UNIT).saturating_add(TIME_UNIT / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_near_the_middle_of_its_unit() {
        for duration in 1..=1023u16 {
            let middle = duration_steps(duration_unit(duration));
            assert!(duration.abs_diff(middle) <= 1 + duration / 52, "{duration}: {middle}");
        }
        assert_eq!((duration_unit(0), duration_unit(u16::MAX)), (0, DURATIONS as u8 - 1));
        assert_eq!(&DURATION_BOUNDS[..4], &[1, 2, 3, 4]);
        assert_eq!(DURATION_BOUNDS[DURATIONS], 1492);
    }

    #[test]
    fn pitches_and_times_are_the_middle_of_theirs() {
        assert_eq!((pitch_unit(0), pitch_unit(2111), pitch_unit(u16::MAX)), (0, 263, 263));
        assert_eq!(pitch_steps(263), 2108);
        assert_eq!((time_steps(0), time_steps(2), time_steps(u32::MAX)), (16, 80, u32::MAX));
    }
}
