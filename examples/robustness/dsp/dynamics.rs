//! What is done to loudness and to single samples.

use crate::sound::{RATE_HZ, Sound};

/// Attack and release of the compressor in seconds: a limiter of a loud broadcast.
const ATTACK_S: f64 = 0.005;
const RELEASE_S: f64 = 0.15;
/// The compressor's ratio.
const RATIO: f64 = 8.0;
/// It works on what is louder than this share of the mean.
const THRESHOLD: f64 = 0.25;
/// Of the compressed samples this share is clipped hard.
const CLIPPED_SHARE: f64 = 0.1;

/// Squeezes the loudness, and clips a tenth of all samples.
pub(crate) fn crush(sound: Sound) -> Sound {
    let threshold = THRESHOLD * sound.rms().max(1e-9);
    let follow = |seconds: f64| 1.0 - (-1.0 / (seconds * RATE_HZ)).exp();
    let (attack, release) = (follow(ATTACK_S), follow(RELEASE_S));
    let mut level = 0.0f64;
    let squeezed = sound.pairs(|_, left, right| {
        let now = f64::from(left.abs().max(right.abs()));
        level += if now > level { attack } else { release } * (now - level);
        let gain = (level / threshold).max(1.0).powf(1.0 / RATIO - 1.0) as f32;
        (left * gain, right * gain)
    });
    let mut heights: Vec<f32> =
        squeezed.left.iter().chain(&squeezed.right).map(|sample| sample.abs()).collect();
    heights.sort_by(f32::total_cmp);
    let at = ((1.0 - CLIPPED_SHARE) * heights.len() as f64) as usize;
    let ceiling = heights.get(at).copied().unwrap_or(1.0).max(1e-9);
    squeezed.pairs(|_, left, right| ((left / ceiling).clamp(-1.0, 1.0), (right / ceiling).clamp(-1.0, 1.0)))
}

/// Rounds to 16 bits.
pub(crate) fn to_16_bits(sound: Sound) -> Sound {
    let round = |sample: f32| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0;
    sound.pairs(|_, left, right| (round(left), round(right)))
}

/// Rounds to the 8 bits of telephony (ITU-T G.711, µ-law).
pub(crate) fn mu_law(samples: Vec<f32>) -> Vec<f32> {
    const MU: f32 = 255.0;
    let peak = samples.iter().fold(1e-9f32, |peak, sample| peak.max(sample.abs()));
    samples
        .into_iter()
        .map(|sample| {
            let squeezed = (MU * (sample / peak).abs()).ln_1p() / MU.ln_1p();
            let step = (squeezed * 127.0).round() / 127.0;
            ((step * MU.ln_1p()).exp_m1() / MU).copysign(sample) * peak
        })
        .collect()
}
