//! The peaks of one recording as bits.
//!
//! ```text
//! number of peaks gamma (plus one) | parameter of times 5 bits | parameter of strengths 3 bits | all salient 1 bit
//! per peak: time since the peak before rice | pitch 12 bits | strength rice | salient 1 bit (unless all are)
//! ```

use super::bits::{BitReader, BitWriter, rice_parameter};
use crate::fingerprint::{BINS, PITCH_STEPS_PER_BIN, Peak};

const PITCH_BITS: u32 = 12;
/// Strengths are counted from the least that peaks of audio have, 4 dB.
const STRENGTH_LEAST: u8 = 8;
/// Strengths have seven bits.
const STRENGTH_MASK: u8 = 0x7f;
/// Peaks beyond those of a day of music are damage.
const PEAKS_MAX: u32 = 1 << 24;

/// Returns the bytes of peaks, which are in order of time.
pub(super) fn encode(peaks: &[Peak]) -> Vec<u8> {
    let peaks = &peaks[..peaks.len().min(PEAKS_MAX as usize)];
    let count = peaks.len().max(1) as u64;
    let last = peaks.last().map_or(0, |peak| u64::from(peak.time));
    let times = rice_parameter(last / count);
    let strength = |peak: &Peak| peak.strength.wrapping_sub(STRENGTH_LEAST) & STRENGTH_MASK;
    let strengths = peaks.iter().map(|peak| u64::from(strength(peak))).sum::<u64>() / count;
    let strengths = rice_parameter(strengths).min(7);
    let all_salient = peaks.iter().all(|peak| peak.salient);
    let mut bits = BitWriter::default();
    bits.put_gamma(peaks.len() as u32 + 1);
    bits.put(times, 5);
    bits.put(strengths, 3);
    bits.put(u32::from(all_salient), 1);
    let mut before = 0;
    for peak in peaks {
        bits.put_rice(peak.time.saturating_sub(before), times);
        before = peak.time;
        bits.put(u32::from(peak.pitch), PITCH_BITS);
        bits.put_rice(u32::from(strength(peak)), strengths);
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
        let right = pitch < BINS as u16 * PITCH_STEPS_PER_BIN && strength < 128;
        if bits.at > end || !right {
            break;
        }
        let strength = (strength as u8).wrapping_add(STRENGTH_LEAST) & STRENGTH_MASK;
        peaks.push(Peak { time, pitch, strength, salient });
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
            prop_assert_eq!(decode(&encode(&peaks)), peaks);
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
