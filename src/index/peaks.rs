//! The peaks of one recording as bits.
//!
//! ```text
//! number of peaks gamma (plus one) | parameter of times 5 bits | parameter of strengths 3 bits | all salient 1 bit
//! per peak: time since the peak before rice | pitch 11 bits | strength rice | salient 1 bit (unless all are)
//! ```
//!
//! Numbers are kept in coarser units than peaks of audio have: a copy's peaks are looked for within 29 ms and a quarter
//! of a semitone.

use super::bits::{BitReader, BitWriter, rice_parameter};
use crate::fingerprint::{BINS, Fingerprint, PITCH_STEPS_PER_BIN, Peak};

/// Steps of time in the unit of a kept peak's: 5.8 ms.
const TIME_UNIT: u32 = 2;
/// Steps of pitch in the unit of a kept peak's: 1/192 octave.
const PITCH_UNIT: u16 = 2;
const PITCHES: u16 = BINS as u16 * PITCH_STEPS_PER_BIN / PITCH_UNIT;
const PITCH_BITS: u32 = 11;
/// Half decibels in the unit of a kept peak's strength (6 dB), and the least strength that peaks of audio have (4 dB).
const STRENGTH_UNIT: u8 = 12;
const STRENGTH_LEAST: u8 = 8;
/// Strengths in units: those of seven bits of half decibels.
const STRENGTHS: u32 = 10;
/// Peaks beyond those of a day of music are damage.
const PEAKS_MAX: u32 = 1 << 24;

/// A peak in the units in which it is kept.
struct Units {
    time: u32,
    pitch: u16,
    strength: u32,
}

impl Units {
    fn of(peak: &Peak) -> Self {
        let strength = u32::from(peak.strength.saturating_sub(STRENGTH_LEAST) / STRENGTH_UNIT);
        Self {
            time: peak.time / TIME_UNIT,
            pitch: (peak.pitch / PITCH_UNIT).min(PITCHES - 1),
            strength: strength.min(STRENGTHS - 1),
        }
    }

    fn peak(&self, salient: bool) -> Peak {
        Peak {
            time: self.time.saturating_mul(TIME_UNIT),
            pitch: self.pitch * PITCH_UNIT,
            strength: STRENGTH_LEAST + self.strength as u8 * STRENGTH_UNIT,
            salient,
        }
    }
}

/// A fingerprint as a segment gives it back: times to 5.8 ms, pitches to 1/192 octave and strengths to 6 dB, each rounded
/// down.
#[must_use]
pub fn kept(fingerprint: &Fingerprint) -> Fingerprint {
    let peaks = fingerprint.peaks.iter().map(kept_peak).collect();
    Fingerprint { duration: fingerprint.duration, peaks }
}

fn kept_peak(peak: &Peak) -> Peak {
    Units::of(peak).peak(peak.salient)
}

/// Returns the bytes of peaks, which are in order of time.
pub(super) fn encode(peaks: &[Peak]) -> Vec<u8> {
    let peaks = &peaks[..peaks.len().min(PEAKS_MAX as usize)];
    let count = peaks.len().max(1) as u64;
    let last = peaks.last().map_or(0, |peak| u64::from(Units::of(peak).time));
    let times = rice_parameter(last / count);
    let strengths = peaks.iter().map(|peak| u64::from(Units::of(peak).strength)).sum::<u64>() / count;
    let strengths = rice_parameter(strengths).min(7);
    let all_salient = peaks.iter().all(|peak| peak.salient);
    let mut bits = BitWriter::default();
    bits.put_gamma(peaks.len() as u32 + 1);
    bits.put(times, 5);
    bits.put(strengths, 3);
    bits.put(u32::from(all_salient), 1);
    let mut before = 0;
    for peak in peaks {
        let units = Units::of(peak);
        bits.put_rice(units.time.saturating_sub(before), times);
        before = units.time;
        bits.put(u32::from(units.pitch), PITCH_BITS);
        bits.put_rice(units.strength, strengths);
        if !all_salient {
            bits.put(u32::from(peak.salient), 1);
        }
    }
    bits.align();
    bits.bytes
}

/// The inverse of [`encode`]; ends where the bytes are damaged.
pub(super) fn decode(bytes: &[u8]) -> Vec<Peak> {
    let end = bytes.len() * 8;
    let mut bits = BitReader::new(bytes);
    let count = bits.take_gamma() - 1;
    let (times, strengths, all_salient) = (bits.take(5), bits.take(3), bits.take(1) == 1);
    let least_bits = 2 + PITCH_BITS as usize;
    let count = (count.min(PEAKS_MAX) as usize).min(end / least_bits);
    let mut peaks = Vec::with_capacity(count);
    let mut time = 0u32;
    for _ in 0..count {
        let Some(next) = time.checked_add(bits.take_rice(times)) else { break };
        time = next;
        let pitch = bits.take(PITCH_BITS) as u16;
        let strength = bits.take_rice(strengths);
        let salient = all_salient || bits.take(1) == 1;
        let right = pitch < PITCHES && strength < STRENGTHS && time <= u32::MAX / TIME_UNIT;
        if bits.at > end || !right {
            break;
        }
        peaks.push(Units { time, pitch, strength }.peak(salient));
    }
    peaks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn peaks_come_back(
            peaks in prop::collection::vec((any::<u32>(), 0u16..2112, 0u8..128, any::<bool>()), 0..60),
            shift in 0u32..32,
            salient: bool,
        ) {
            let peak = |(time, pitch, strength, one)| Peak { time: time >> shift, pitch, strength, salient: salient || one };
            let mut peaks: Vec<Peak> = peaks.into_iter().map(peak).collect();
            peaks.sort_unstable();
            let expected: Vec<Peak> = peaks.iter().map(kept_peak).collect();
            prop_assert_eq!(decode(&encode(&peaks)), expected);
        }

        #[test]
        fn damage_gives_fewer_peaks_in_order(
            peaks in prop::collection::vec((0u32..90_000, 0u16..2112, 0u8..128, any::<bool>()), 0..60),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..9),
        ) {
            let peak = |(time, pitch, strength, salient)| Peak { time, pitch, strength, salient };
            let mut peaks: Vec<Peak> = peaks.into_iter().map(peak).collect();
            peaks.sort_unstable();
            let mut bytes = encode(&peaks);
            for (at, value) in damage {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let read = decode(&bytes);
            prop_assert!(read.len() <= bytes.len() && read.is_sorted_by_key(|peak| peak.time));
            prop_assert!(decode(&bytes[..bytes.len() / 2]).len() <= bytes.len());
        }
    }
}
