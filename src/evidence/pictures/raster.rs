//! The spectrogram as an image: dark is loud, as print wants it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Sound;
use crate::base::ANALYSIS_RATE_HZ;
use crate::fingerprint::{BINS, HOP_SAMPLES, Spectrogram, spectrogram};

/// What lies this far under the loudest place is white. Most music has 40 to 60 dB between its loud and its faint notes.
pub(super) const RANGE_DB: f32 = 60.0;
/// Shades: an eye tells hardly more apart, and each costs bytes.
const SHADES: usize = 32;
/// Columns of an image: about as many as it has places on the page.
const COLUMNS_MAX: usize = 900;
/// Hops of silence that the analysis assumes before its first sample, half a window: as many are looked at and left out.
const BEFORE_HOPS: usize = 4;
/// The longest stretch that is drawn, in seconds.
const STRETCH_S_MAX: f64 = 120.0;

/// Draws a stretch of the file that `sound` is of; what lies outside of `sound` is silence. Gives the PNG as base64; `None`
/// where there is nothing to draw.
pub(super) fn png(sound: &Sound<'_>, from_s: f64, to_s: f64) -> Option<String> {
    let to_s = to_s.min(from_s + STRETCH_S_MAX);
    let from = place(from_s - sound.start_s);
    let hops = usize::try_from((place(to_s - sound.start_s) - from).max(0)).ok()? / HOP_SAMPLES;
    let margin = (BEFORE_HOPS * HOP_SAMPLES) as i64;
    let samples = window(&sound.pcm.samples, from - margin, (hops + 2 * BEFORE_HOPS) * HOP_SAMPLES)?;
    let shown = spectrogram(&samples);
    let frames = BEFORE_HOPS..BEFORE_HOPS + hops.max(1);
    let columns = frames.len().min(COLUMNS_MAX);
    let pixels = pixels(&shown, &frames, columns);
    encoded(columns, &pixels).map(|bytes| STANDARD.encode(bytes))
}

/// The sample at an instant; within what sums of places can take.
fn place(seconds: f64) -> i64 {
    (seconds.clamp(-1e8, 1e8) * f64::from(ANALYSIS_RATE_HZ)).round() as i64
}

/// `count` samples from place `from` on, which may lie before the first; silence where there are none. `None` where all are
/// beside.
fn window(samples: &[f32], from: i64, count: usize) -> Option<Vec<f32>> {
    let mut shown = vec![0.0; count];
    // One of both is nothing: samples that lie before the window, or places of it that lie before the samples.
    let skipped = usize::try_from(from.max(0)).ok()?;
    let ahead = usize::try_from((-from).max(0)).ok()?;
    let there = samples.get(skipped..).filter(|there| !there.is_empty())?;
    let places = shown.get_mut(ahead..).filter(|places| !places.is_empty())?;
    places.iter_mut().zip(there).for_each(|(to, sample)| *to = *sample);
    Some(shown)
}

/// The shades, row by row from the highest pitch down.
fn pixels(shown: &Spectrogram, frames: &std::ops::Range<usize>, columns: usize) -> Vec<u8> {
    let mut levels = Vec::with_capacity(BINS * columns);
    for bin in (0..BINS).rev() {
        for column in 0..columns {
            let first = frames.start + column * frames.len() / columns;
            let next = frames.start + (column + 1) * frames.len() / columns;
            let loudest =
                (first..next.max(first + 1)).map(|frame| shown.decibels(frame, bin)).fold(-100.0, f32::max);
            levels.push(loudest);
        }
    }
    let top = levels.iter().copied().fold(-100.0, f32::max);
    let shade = |level: f32| {
        let share = ((level - top) / RANGE_DB + 1.0).clamp(0.0, 1.0);
        (share * (SHADES - 1) as f32).round() as u8
    };
    levels.into_iter().map(shade).collect()
}

fn encoded(columns: usize, pixels: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, u32::try_from(columns).ok()?, BINS as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette());
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

/// White over light blue to nearly black.
fn palette() -> Vec<u8> {
    (0..SHADES).flat_map(|shade| colour(shade as f64 / (SHADES - 1) as f64)).collect()
}

/// The colour of a share of the range, 0 to 1.
fn colour(share: f64) -> [u8; 3] {
    const ENDS: [[f64; 3]; 3] = [[255.0, 255.0, 255.0], [116.0, 158.0, 208.0], [6.0, 18.0, 56.0]];
    let (from, to, part) =
        if share < 0.5 { (ENDS[0], ENDS[1], share * 2.0) } else { (ENDS[1], ENDS[2], share * 2.0 - 1.0) };
    [0, 1, 2].map(|n| (from[n] + (to[n] - from[n]) * part).round() as u8)
}

/// The same for the legend: shades from faint to loud, as colours of SVG.
pub(super) fn legend(steps: usize) -> Vec<String> {
    let share = |step: usize| step as f64 / steps.saturating_sub(1).max(1) as f64;
    (0..steps).map(|step| colour(share(step))).map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}")).collect()
}
