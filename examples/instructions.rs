//! Analyses music that it makes itself, so many seconds of it, from the bytes of a stereo WAV file to those of a
//! fingerprint: decode, resample, views, spectrum, peaks, codec. `.ci/instructions` counts what the processor does
//! meanwhile, which, unlike time, is the same on a busy machine.
//!
//! `cargo run --example instructions -- SECONDS`

use std::process::ExitCode;

use earwitness::audio::{self, Block, Limits, Source};
use earwitness::fingerprint::{Analyzer, encode};

const RATE_HZ: usize = 44_100;

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut analyzer = Analyzer::new();
    let mut push = |block: &Block<'_>| analyzer.push(block.mid);
    let decoded = audio::decode(&mut Source::bytes(wav(seconds)), 0, &Limits::default(), &mut push);
    let fingerprint = analyzer.finish();
    eprintln!("{} peaks, {} bytes", fingerprint.peaks.len(), encode(&fingerprint).len());
    // Nothing found means that something else was counted.
    if decoded.is_ok() && !fingerprint.peaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Three voices of triangle tones that step about every third of a second, in 16 bits.
fn wav(seconds: usize) -> Vec<u8> {
    let mut random = 1u32;
    let mut voices = [(14_700, 2, 0u32, 0u32), (11_025, 5, 0, 0), (6_300, 9, 0, 0)];
    let mut samples = Vec::with_capacity(seconds * RATE_HZ * 4);
    for n in 0..seconds * RATE_HZ {
        let mut sum = 0i32;
        for (note, octave, phase, step) in &mut voices {
            if n % *note == 0 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *step = ((random >> 8) % 12_000_000 + 10_000_000) * *octave;
            }
            *phase = phase.wrapping_add(*step);
            sum += ((*phase >> 17).cast_signed() - 16_384).abs() - 8_192;
        }
        for channel in [sum, sum / 2 + 100] {
            samples.extend((channel as i16).to_le_bytes());
        }
    }
    let length = samples.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((length + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend((RATE_HZ as u32).to_le_bytes());
    bytes.extend((RATE_HZ as u32 * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(samples);
    bytes
}
