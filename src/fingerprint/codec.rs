//! The bytes of a fingerprint, specified in `fingerprints/FORMAT.md`.

use super::{BINS, Fingerprint, PITCH_STEPS_PER_BIN, Peak};

const MAGIC: &[u8; 4] = b"EWFP";

/// Version of the fingerprint's bytes and of the analysis that made them: fingerprints of different versions must
/// not be compared.
pub const FORMAT_VERSION: u16 = 2;

const HEADER_BYTES: usize = 4 + 2 + 2 + 4 + 4;
const SALIENT: u8 = 0x80;

/// Why bytes are not a fingerprint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The bytes do not begin as a fingerprint does.
    #[error("not a fingerprint")]
    NotAFingerprint,
    /// Made by another version of the analysis.
    #[error(
        "fingerprint has format version {0}, this program reads version {FORMAT_VERSION}; index the audio again"
    )]
    Version(u16),
    /// The bytes end early, go on too long or do not fit their checksum.
    #[error("fingerprint is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Returns the bytes of a fingerprint.
#[must_use]
pub fn encode(fingerprint: &Fingerprint) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + fingerprint.peaks.len() * 5 + 4);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&fingerprint.duration.to_le_bytes());
    bytes.extend_from_slice(&(fingerprint.peaks.len() as u32).to_le_bytes());
    let mut last = 0;
    for peak in &fingerprint.peaks {
        put_varint(&mut bytes, peak.time - last);
        last = peak.time;
        bytes.extend_from_slice(&peak.pitch.to_le_bytes());
        bytes.push(peak.strength & !SALIENT | if peak.salient { SALIENT } else { 0 });
    }
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads the bytes of a fingerprint.
///
/// # Errors
/// [`Error`] when they are none, of another version, or damaged.
pub fn decode(bytes: &[u8]) -> Result<Fingerprint, Error> {
    if bytes.len() < HEADER_BYTES + 4 || &bytes[..4] != MAGIC {
        return Err(Error::NotAFingerprint);
    }
    let version = u16::from_le_bytes([bytes[4], bytes[5]]);
    if version != FORMAT_VERSION {
        return Err(Error::Version(version));
    }
    let (body, checksum) = bytes.split_at(bytes.len() - 4);
    if crc32fast::hash(body).to_le_bytes() != checksum {
        return Err(Error::Damaged { offset: body.len(), what: "the checksum does not fit" });
    }
    let mut reader = Reader { bytes: body, offset: 8 };
    let duration = reader.u32()?;
    let count = reader.u32()? as usize;
    if count > (body.len() - HEADER_BYTES) / 4 {
        return Err(Error::Damaged { offset: 12, what: "more peaks are promised than there are bytes" });
    }
    let mut peaks = Vec::with_capacity(count);
    let mut time = 0u32;
    for _ in 0..count {
        time = reader.varint()?.checked_add(time).ok_or_else(|| reader.damaged("a time is out of range"))?;
        peaks.push(reader.peak(time)?);
    }
    if reader.offset != body.len() {
        return Err(reader.damaged("bytes after the last peak"));
    }
    Ok(Fingerprint { duration, peaks })
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged { offset: self.offset, what }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let taken = self.bytes.get(self.offset..self.offset + N).and_then(|slice| slice.try_into().ok());
        let taken = taken.ok_or_else(|| self.damaged("the bytes end early"))?;
        self.offset += N;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn varint(&mut self) -> Result<u32, Error> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number is too long"))
    }

    fn peak(&mut self, time: u32) -> Result<Peak, Error> {
        let pitch = u16::from_le_bytes(self.take()?);
        if usize::from(pitch) >= BINS * usize::from(PITCH_STEPS_PER_BIN) {
            return Err(self.damaged("a pitch is out of range"));
        }
        let [strength] = self.take()?;
        Ok(Peak { time, pitch, strength: strength & !SALIENT, salient: strength & SALIENT != 0 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn fingerprints() -> impl Strategy<Value = Fingerprint> {
        let pitch = 0..BINS as u16 * PITCH_STEPS_PER_BIN;
        let peak = (any::<u32>(), pitch, 0u8..128, any::<bool>());
        (any::<u32>(), prop::collection::vec(peak, 0..200)).prop_map(|(duration, peaks)| {
            let peak = |(time, pitch, strength, salient)| Peak { time, pitch, strength, salient };
            let mut peaks: Vec<Peak> = peaks.into_iter().map(peak).collect();
            peaks.sort_unstable();
            Fingerprint { duration, peaks }
        })
    }

    /// Corrects the checksum, so that damage is met by what reads the peaks.
    fn reseal(bytes: &mut [u8]) {
        let (body, checksum) = bytes.split_at_mut(bytes.len() - 4);
        checksum.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let peak = Peak { time: 300, pitch: 2111, strength: 127, salient: true };
        let good = encode(&Fingerprint { duration: 1000, peaks: vec![peak] });
        assert_eq!(good.len(), 16 + 5 + 4);
        assert_eq!(decode(b""), Err(Error::NotAFingerprint));
        assert_eq!(decode(b"EWFP"), Err(Error::NotAFingerprint));
        let told = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            reseal(&mut bytes);
            decode(&bytes).unwrap_err().to_string()
        };
        assert!(told(4, 99).contains("version 99"), "{}", told(4, 99));
        assert!(told(12, 2).contains("more peaks are promised"), "{}", told(12, 2));
        assert!(told(12, 0).contains("bytes after the last peak"), "{}", told(12, 0));
        assert!(told(19, 0x09).contains("a pitch is out of range"), "{}", told(19, 0x09));
        assert!(told(17, 0x82).contains("damaged at byte"), "{}", told(17, 0x82));
        let mut bytes = good;
        bytes[18] ^= 1;
        assert!(decode(&bytes).unwrap_err().to_string().contains("checksum"));
    }

    proptest! {
        #[test]
        fn a_fingerprint_comes_back(fingerprint in fingerprints()) {
            prop_assert_eq!(decode(&encode(&fingerprint)), Ok(fingerprint));
        }

        #[test]
        fn a_changed_or_lost_byte_is_seen(
            fingerprint in fingerprints(), at in any::<prop::sample::Index>(), change in 1u8..
        ) {
            let mut bytes = encode(&fingerprint);
            let at = at.index(bytes.len());
            prop_assert!(decode(&bytes[..at]).is_err());
            bytes[at] ^= change;
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(decode(&bytes).is_err());
            if bytes.len() >= HEADER_BYTES + 4 {
                bytes[..8].copy_from_slice(b"EWFP\x02\0\0\0");
                bytes[13..16].fill(0);
                reseal(&mut bytes);
                if let Ok(fingerprint) = decode(&bytes) {
                    prop_assert_eq!(decode(&encode(&fingerprint)), Ok(fingerprint));
                }
            }
        }

        #[test]
        fn damage_under_a_right_checksum_does_not_panic(
            fingerprint in fingerprints(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9)
        ) {
            let mut bytes = encode(&fingerprint);
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            reseal(&mut bytes);
            if let Ok(fingerprint) = decode(&bytes) {
                prop_assert_eq!(decode(&encode(&fingerprint)), Ok(fingerprint));
            }
        }
    }
}
