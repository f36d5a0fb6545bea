//! Echo and reverberation.

use crate::sound::{RATE_HZ, Sound};

/// Time of the echo, and how much of it comes back each time.
const ECHO_S: f64 = 0.28;
const ECHO_GAIN: f32 = 0.5;

/// A repeating echo.
pub(crate) fn echo(sound: Sound) -> Sound {
    let delay = (ECHO_S * RATE_HZ) as usize;
    sound.each(|mut side| {
        for at in delay..side.len() {
            side[at] += ECHO_GAIN * side[at - delay];
        }
        side
    })
}

/// Lengths of the delay lines in samples: primes between 30 and 75 ms, so that echoes do not coincide.
const DELAYS: [usize; 8] = [1327, 1523, 1801, 2111, 2377, 2693, 2999, 3307];
/// Time in which the sound of the room falls by 60 dB: a large hall.
const FADE_S: f64 = 2.2;
/// Share of high frequencies that the walls take at each turn.
const DAMPING: f32 = 0.35;
/// Room to direct sound, in decibels.
const WET_DB: f64 = -3.0;

/// A feedback delay network of eight lines that a Householder matrix mixes (Jot and Chaigne, AES 90, 1991).
pub(crate) fn reverb(sound: Sound) -> Sound {
    let mut lines: Vec<Vec<f32>> = DELAYS.iter().map(|&delay| vec![0.0; delay]).collect();
    let gains = DELAYS.map(|delay| 10f64.powf(-3.0 * delay as f64 / (FADE_S * RATE_HZ)) as f32);
    let mut damped = [0.0f32; 8];
    let room = sound.clone().pairs(|at, left, right| {
        let mut out = [0.0f32; 8];
        for (line, value) in out.iter_mut().enumerate() {
            let heard = lines[line][at % DELAYS[line]];
            damped[line] += (1.0 - DAMPING) * (heard - damped[line]);
            *value = damped[line] * gains[line];
        }
        let reflected = out.iter().sum::<f32>() * 0.25;
        for (line, value) in out.iter().enumerate() {
            let input = if line % 2 == 0 { left } else { right };
            lines[line][at % DELAYS[line]] = input + value - reflected;
        }
        (out[0] + out[2] - out[4] - out[6], out[1] + out[3] - out[5] - out[7])
    });
    sound.with_added(&room, -WET_DB)
}
