//! The demonstration's own music: here is a seed and a style, gives a piece in stereo. Composed and played by this
//! module alone, the same on every run.

mod beat;
mod compose;
mod drums;
mod instruments;
mod melody;
mod pieces;
mod rng;
mod style;
mod talk;
mod voice;

pub(super) use pieces::{AFTER_FIREWORKS, BICYCLE, CAFE, LULLABY, STATION, STRANGER};
pub(super) use rng::Rng;
pub(super) use style::Style;
pub(super) use talk::talk;

use drums::strike;
use voice::{Player, Sides};

/// Samples per second of everything made here.
pub(super) const RATE_HZ: u32 = 44_100;

/// Two channels of equal length, −1 to 1.
#[derive(Debug, Clone, Default)]
pub(super) struct Stereo {
    pub(super) left: Vec<f32>,
    pub(super) right: Vec<f32>,
}

impl Stereo {
    pub(super) fn silent(samples: usize) -> Self {
        Self { left: vec![0.0; samples], right: vec![0.0; samples] }
    }

    pub(super) fn len(&self) -> usize {
        self.left.len()
    }

    /// Both channels from one sample to another, as far as they are there.
    fn sides(&mut self, start_s: f32, length_s: f32) -> Sides<'_> {
        let end = self.len();
        let from = ((start_s * RATE_HZ as f32) as usize).min(end);
        let to = (from + (length_s * RATE_HZ as f32) as usize).min(end);
        Sides { left: &mut self.left[from..to], right: &mut self.right[from..to] }
    }

    /// Brings the loudest sample to `peak`.
    pub(super) fn normalise(&mut self, peak: f32) {
        let loudest = self.left.iter().chain(&self.right).fold(1e-6f32, |most, x| most.max(x.abs()));
        self.left.iter_mut().chain(&mut self.right).for_each(|x| *x *= peak / loudest);
    }
}

/// Composes and plays a piece.
pub(super) fn perform(style: &Style) -> Stereo {
    let score = compose::compose(style);
    let mut sound = Stereo::silent((score.length_s * RATE_HZ as f32) as usize);
    let mut player = Player::new(style.seed ^ 0x5eed);
    for note in &score.notes {
        let mut sides = sound.sides(note.start_s, note.timbre.length_s(note.duration_s));
        player.play(note, &mut sides);
    }
    let mut dry = Rng::new(style.seed ^ 0xd12);
    let mut drums = Stereo::silent(sound.len());
    for stroke in &score.strokes {
        strike(stroke, &mut dry, &mut drums.sides(stroke.start_s, stroke.drum.length_s()));
    }
    room(&mut sound, style.room);
    for (sound, drums) in [(&mut sound.left, &drums.left), (&mut sound.right, &drums.right)] {
        sound.iter_mut().zip(drums).for_each(|(x, drum)| *x = (0.9 * (*x + drum)).tanh());
    }
    sound.normalise(0.89);
    sound
}

/// Adds a small room: four echoes that feed themselves, of lengths without a common measure, for each side.
fn room(sound: &mut Stereo, share: f32) {
    const DELAYS: [[usize; 4]; 2] = [[1557, 1817, 2137, 2473], [1607, 1879, 2053, 2539]];
    for (channel, delays) in [&mut sound.left, &mut sound.right].into_iter().zip(DELAYS) {
        let mut lines = delays.map(|delay| (vec![0.0f32; delay], 0usize, 0.0f32));
        for sample in channel.iter_mut() {
            let dry = *sample;
            let mut wet = 0.0;
            for (line, at, dull) in &mut lines {
                let echo = line[*at];
                *dull += 0.45 * (echo - *dull);
                line[*at] = dry + 0.74 * *dull;
                *at = if *at + 1 == line.len() { 0 } else { *at + 1 };
                wet += echo;
            }
            *sample = dry + share * 0.25 * wet;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fingerprint::analyze;

    const STYLES: [&Style; 6] = [&STATION, &BICYCLE, &CAFE, &AFTER_FIREWORKS, &LULLABY, &STRANGER];

    fn mid(sound: &Stereo) -> Vec<f32> {
        // Every fourth sample is near enough to the analysis rate; what folds over is weak.
        let mixed: Vec<f32> =
            sound.left.iter().zip(&sound.right).map(|(l, r)| f32::midpoint(*l, *r)).collect();
        mixed.chunks_exact(4).map(|four| four.iter().sum::<f32>() / 4.0).collect()
    }

    #[test]
    fn pieces_are_of_a_songs_length_loud_and_never_silent() {
        for style in STYLES {
            let sound = perform(style);
            let seconds = sound.len() / RATE_HZ as usize;
            assert!((40..=60).contains(&seconds), "{:x}: {seconds} s", style.seed);
            assert_eq!(sound.left.len(), sound.right.len());
            assert!(sound.left.iter().chain(&sound.right).all(|x| x.is_finite() && x.abs() <= 0.9));
            let power = |second: &[f32]| second.iter().map(|x| x * x).sum::<f32>() / second.len() as f32;
            for (n, second) in sound.left.chunks_exact(RATE_HZ as usize).take(seconds - 1).enumerate() {
                assert!(power(second) > 1e-4, "{:x} is silent at {n} s", style.seed);
            }
            let side: f32 = sound.left.iter().zip(&sound.right).map(|(l, r)| (l - r).powi(2)).sum();
            let mid: f32 = sound.left.iter().zip(&sound.right).map(|(l, r)| (l + r).powi(2)).sum();
            let width = side / mid;
            assert!((0.005..0.5).contains(&width), "{:x}: side over mid is {width}", style.seed);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_piece_and_another_one_another() {
        let first = perform(&LULLABY);
        assert_eq!(first.left, perform(&LULLABY).left);
        let other = perform(&Style { seed: LULLABY.seed + 1, ..LULLABY });
        assert_ne!(first.left, other.left);
    }

    #[test]
    fn a_melody_comes_back_varied_not_looped() {
        let sound = perform(&STATION);
        let peaks = analyze(&mid(&sound)).peaks;
        assert!(peaks.len() > 400, "{} peaks", peaks.len());
        // No shift by whole bars lays most of the peaks onto others.
        let bar_s = 60.0 * STATION.beats_per_bar as f64 / f64::from(STATION.beats_per_minute);
        for bars in 1..16 {
            let shift = (f64::from(bars) * bar_s * crate::fingerprint::TIME_STEPS_PER_S) as u32;
            let repeated = peaks.iter().filter(|peak| {
                peaks.iter().any(|other| {
                    other.time.abs_diff(peak.time + shift) <= 8 && other.pitch.abs_diff(peak.pitch) <= 6
                })
            });
            let share = repeated.count() as f64 / peaks.len() as f64;
            assert!(share < 0.5, "{bars} bars later {share:.2} of the peaks come again");
        }
    }
}
