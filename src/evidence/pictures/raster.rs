//! The spectrogram as an image: dark is loud, as print wants it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::{ANALYSIS_RATE_HZ, Pcm};
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

/// Draws a stretch of `sound`; gives the PNG as base64. `None` where there is nothing to draw.
pub(super) fn png(sound: &Pcm, from_s: f64, to_s: f64) -> Option<String> {
    let rate = f64::from(ANALYSIS_RATE_HZ);
    let to_s = to_s.min(from_s + STRETCH_S_MAX);
    let hop = |seconds: f64| (seconds.max(0.0) * rate / HOP_SAMPLES as f64).round() as usize;
    let (first, end) = (hop(from_s), hop(to_s));
    let begins = first.saturating_sub(BEFORE_HOPS);
    let last = ((end + BEFORE_HOPS) * HOP_SAMPLES).min(sound.samples.len());
    let samples = sound.samples.get(begins * HOP_SAMPLES..last)?;
    let shown = spectrogram(samples);
    let frames = first - begins..end.saturating_sub(begins).max(first - begins + 1);
    let columns = frames.len().min(COLUMNS_MAX);
    let pixels = pixels(&shown, &frames, columns);
    encoded(columns, &pixels).map(|bytes| STANDARD.encode(bytes))
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
