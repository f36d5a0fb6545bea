//! WAV files of 16 bits.

use super::synth::Stereo;

/// The bytes of a WAV file in stereo.
pub(super) fn stereo(sound: &Stereo, rate_hz: u32) -> Vec<u8> {
    let samples = sound.left.iter().zip(&sound.right).flat_map(|(&left, &right)| [left, right]);
    wav(samples, 2 * sound.len(), 2, rate_hz)
}

/// The bytes of a WAV file in mono: the mean of both sides.
pub(super) fn mono(sound: &Stereo, rate_hz: u32) -> Vec<u8> {
    let samples = sound.left.iter().zip(&sound.right).map(|(left, right)| f32::midpoint(*left, *right));
    wav(samples, sound.len(), 1, rate_hz)
}

/// RIFF, `fmt ` and `data` (Microsoft, Multimedia Programming Interface 1.0, 1991).
fn wav(samples: impl Iterator<Item = f32>, count: usize, channels: u16, rate_hz: u32) -> Vec<u8> {
    let data_bytes = 2 * count as u32;
    let block = 2 * channels;
    let mut bytes = Vec::with_capacity(44 + data_bytes as usize);
    bytes.extend(b"RIFF");
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes()); // integer PCM
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    for sample in samples {
        bytes.extend(((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).to_le_bytes());
    }
    bytes
}
