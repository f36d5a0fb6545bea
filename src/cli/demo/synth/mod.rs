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
