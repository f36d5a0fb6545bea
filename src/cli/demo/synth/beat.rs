//! The drummer.

use super::compose::{Band, Bar};
use super::drums::{Drum, Stroke};
use super::style::DrumPattern;

/// Plays one bar; the last of every four ends in a fill.
pub(super) fn drum_bar(band: &mut Band<'_>, bar: &Bar) {
    let beats = band.style.beats_per_bar;
    let fill = bar.number % 4 == 3 || bar.number + 1 == bar.bars;
    for sixteenth in 0..4 * beats {
        let at = bar.first_beat + sixteenth as f32 / 4.0;
        if fill && sixteenth >= 4 * (beats - 1) && band.rng.chance(0.65) {
            let drum = band.rng.pick(&FILLS).unwrap_or(Drum::Snare);
            stroke(band, at, drum, 0.7);
            continue;
        }
        let played = match band.style.drums {
            DrumPattern::Pop => pop(sixteenth),
            DrumPattern::House => house(sixteenth),
            DrumPattern::Shuffle => shuffle(sixteenth),
            DrumPattern::Waltz => waltz(sixteenth),
            DrumPattern::Festival => festival(sixteenth),
            DrumPattern::Funk => funk(sixteenth),
        };
        for &(drum, likely, velocity) in played {
            if band.rng.chance(likely) {
                stroke(band, at, drum, velocity);
            }
        }
    }
}

const FILLS: [Option<Drum>; 4] = [Some(Drum::Snare), Some(Drum::Tom), Some(Drum::Tom), Some(Drum::Hat)];

fn stroke(band: &mut Band<'_>, beat: f32, drum: Drum, velocity: f32) {
    let hurry = 0.004 * band.rng.both();
    let velocity = velocity * (1.0 + 0.25 * band.rng.both()) * band.style.drum_level;
    band.score.strokes.push(Stroke {
        start_s: (band.style.seconds(beat) + hurry).max(0.0),
        drum,
        velocity: velocity.clamp(0.02, 1.0),
    });
}

/// What may be struck, how likely, how hard.
type Played = &'static [(Drum, f32, f32)];

const fn pop(sixteenth: usize) -> Played {
    match sixteenth {
        0 | 10 => &[(Drum::Kick, 0.95, 0.9), (Drum::Hat, 0.9, 0.5)],
        4 | 12 => &[(Drum::Snare, 0.97, 0.8), (Drum::Hat, 0.8, 0.5)],
        7 => &[(Drum::Kick, 0.4, 0.6), (Drum::Snare, 0.15, 0.25)],
        14 => &[(Drum::OpenHat, 0.35, 0.5), (Drum::Hat, 0.6, 0.4)],
        _ if sixteenth.is_multiple_of(2) => &[(Drum::Hat, 0.92, 0.45)],
        _ => &[(Drum::Hat, 0.12, 0.2), (Drum::Snare, 0.05, 0.2)],
    }
}

const fn house(sixteenth: usize) -> Played {
    match sixteenth % 8 {
        0 => &[(Drum::Kick, 0.98, 1.0), (Drum::Shaker, 0.6, 0.4)],
        4 => &[(Drum::Kick, 0.98, 1.0), (Drum::Snare, 0.9, 0.5)],
        2 | 6 => &[(Drum::OpenHat, 0.93, 0.6)],
        _ => &[(Drum::Shaker, 0.75, 0.4), (Drum::Block, 0.08, 0.4)],
    }
}

const fn shuffle(sixteenth: usize) -> Played {
    match sixteenth {
        0 => &[(Drum::Kick, 0.8, 0.5), (Drum::Brush, 0.9, 0.6)],
        4 | 12 => &[(Drum::Brush, 0.95, 0.8), (Drum::Hat, 0.9, 0.5)],
        8 => &[(Drum::Kick, 0.5, 0.4), (Drum::Brush, 0.9, 0.6)],
        6 | 14 => &[(Drum::Hat, 0.85, 0.35), (Drum::Brush, 0.2, 0.3)],
        _ => &[(Drum::Brush, 0.06, 0.25)],
    }
}

const fn waltz(sixteenth: usize) -> Played {
    match sixteenth {
        0 => &[(Drum::Kick, 0.9, 0.7)],
        4 | 8 => &[(Drum::Brush, 0.85, 0.5), (Drum::Hat, 0.4, 0.3)],
        10 => &[(Drum::Brush, 0.25, 0.3)],
        _ => &[],
    }
}

const fn festival(sixteenth: usize) -> Played {
    match sixteenth {
        0 => &[(Drum::Taiko, 0.95, 0.9)],
        6 | 14 => &[(Drum::Taiko, 0.5, 0.6), (Drum::Block, 0.3, 0.5)],
        8 => &[(Drum::Block, 0.8, 0.6), (Drum::Shaker, 0.5, 0.5)],
        4 | 12 | 20 => &[(Drum::Block, 0.5, 0.5)],
        _ => &[(Drum::Shaker, 0.1, 0.3)],
    }
}

const fn funk(sixteenth: usize) -> Played {
    match sixteenth {
        0 | 6 => &[(Drum::Kick, 0.95, 0.95), (Drum::Hat, 0.9, 0.5)],
        4 | 12 => &[(Drum::Snare, 0.97, 0.9), (Drum::Hat, 0.9, 0.5)],
        10 => &[(Drum::Kick, 0.7, 0.8), (Drum::OpenHat, 0.3, 0.5)],
        7 | 9 | 15 => &[(Drum::Snare, 0.45, 0.25), (Drum::Hat, 0.8, 0.35)],
        _ => &[(Drum::Hat, 0.88, 0.4)],
    }
}
