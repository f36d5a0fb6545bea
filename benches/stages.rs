//! How long the stages between a file's bytes and a fingerprint's take: `cargo bench --bench stages`.
//!
//! Each works on ten seconds of the same music, so that the figures can be set against each other.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use earwitness::audio::{self, Block, Limits, Source};
use earwitness::base::ANALYSIS_RATE_HZ;
use earwitness::fingerprint::{Density, analyze, decode, encode, query_quads, reference_quads};

const SECONDS: u32 = 10;

/// Three voices of triangle tones that step about every third of a second, one sample after the other.
fn music(rate_hz: u32) -> Vec<i16> {
    let mut random = 1u32;
    let mut voices = [(3, 2, 0u32, 0u32), (4, 5, 0, 0), (7, 9, 0, 0)];
    let sample = |n| {
        let mut sum = 0i32;
        for (notes, octave, phase, step) in &mut voices {
            if n % (rate_hz / *notes) == 0 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let hz = 110 + (random >> 8) % 110;
                *step = u32::MAX / rate_hz * hz * *octave;
            }
            *phase = phase.wrapping_add(*step);
            sum += ((*phase >> 17).cast_signed() - 16_384).abs() - 8_192;
        }
        sum as i16
    };
    (0..SECONDS * rate_hz).map(sample).collect()
}

/// A stereo WAV file, the right channel softer.
fn wav(rate_hz: u32) -> Vec<u8> {
    let data: Vec<u8> =
        music(rate_hz).iter().flat_map(|&left| [left, left / 2].map(i16::to_le_bytes).concat()).collect();
    let length = data.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((length + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    bytes
}

fn stages(criterion: &mut Criterion) {
    for rate_hz in [44_100, 48_000] {
        let file = wav(rate_hz);
        criterion.bench_function(&format!("read, resample from {rate_hz} Hz, cut into views"), |bencher| {
            bencher.iter(|| {
                let mut sum = 0.0;
                let mut consume = |block: &Block<'_>| sum += block.mid.iter().sum::<f32>();
                let info =
                    audio::decode(&mut Source::bytes(file.as_slice()), 0, &Limits::default(), &mut consume);
                black_box((info.is_ok(), sum))
            });
        });
    }
    let samples: Vec<f32> =
        music(ANALYSIS_RATE_HZ).iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    criterion.bench_function("spectrum and peaks", |bencher| bencher.iter(|| analyze(black_box(&samples))));
    let fingerprint = analyze(&samples);
    let bytes = encode(&fingerprint);
    criterion.bench_function("encode", |bencher| bencher.iter(|| encode(black_box(&fingerprint))));
    criterion.bench_function("decode", |bencher| bencher.iter(|| decode(black_box(&bytes))));
    let peaks = fingerprint.peaks;
    criterion
        .bench_function("reference quads", |bencher| bencher.iter(|| reference_quads(black_box(&peaks))));
    criterion.bench_function("query quads", |bencher| {
        bencher.iter(|| query_quads(black_box(&peaks), 0..u32::MAX, Density::Dense));
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);
