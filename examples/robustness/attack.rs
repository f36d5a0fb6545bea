//! What is done to an excerpt before the engine hears it.

use crate::codec::Codec;
use crate::dsp::filter::{Biquad, high_pass, low_pass};
use crate::dsp::noise::{Colour, noise};
use crate::dsp::resample::resample;
use crate::dsp::{dynamics, room, stretch, voice};
use crate::rng::Rng;
use crate::sound::{RATE_HZ, Sound};

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attack {
    /// What `--attacks` and the table call it.
    pub(crate) name: String,
    /// The kind of attack, by which totals are formed.
    pub(crate) group: &'static str,
    pub(crate) kind: Kind,
}

/// How an excerpt is altered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Not at all.
    Clean,
    /// One channel, 300–3400 Hz, 8 kHz, 8 bits µ-law.
    Telephone,
    /// Nothing above this many Hz.
    LowPass(f64),
    /// Six bands, each 10 dB up or down.
    Equaliser,
    /// Compressed 8:1, a tenth of the samples clipped.
    Crushed,
    /// Quieter by this many dB, rounded to 16 bits.
    Quieter(f64),
    /// Noise, this many dB under the music.
    Noise(Colour, f64),
    /// A voice, this many dB under the music.
    Voice(f64),
    /// A repeating echo.
    Echo,
    /// A large hall.
    Reverb,
    /// Time and pitch together, as a factor.
    Speed(f64),
    /// Time alone, as a factor.
    Tempo(f64),
    /// Pitch alone, in semitones.
    Pitch(f64),
    /// Faster, higher, brighter.
    Nightcore,
    /// Slower, lower, in a large hall.
    SlowedReverb,
    /// The right side's phase inverted.
    Antiphase,
    /// The right side silent.
    LeftOnly,
    /// From side to side every four seconds.
    AutoPan,
    /// Another recording of the catalogue, as loud.
    Mashup,
    /// Backwards.
    Reversed,
    /// Through a lossy codec of ffmpeg.
    Coded(Codec),
    /// A set of several recordings with crossfades.
    Mix,
}

/// Speed of what goes by the name of nightcore, and of its counterpart.
const NIGHTCORE: f64 = 1.25;
const SLOWED: f64 = 0.8;
/// Frequencies of the equaliser's bands in Hz, two octaves wide.
const BANDS_HZ: [f64; 6] = [100.0, 250.0, 630.0, 1600.0, 4000.0, 10_000.0];
const BAND_DB: f64 = 10.0;

impl Kind {
    /// By how much the copy's time and its frequencies are faster and higher than the recording's.
    pub(crate) fn factors(self) -> (f64, f64) {
        match self {
            Self::Speed(factor) => (factor, factor),
            Self::Tempo(factor) => (factor, 1.0),
            Self::Pitch(semitones) => (1.0, (semitones / 12.0).exp2()),
            Self::Nightcore => (NIGHTCORE, NIGHTCORE),
            Self::SlowedReverb => (SLOWED, SLOWED),
            _ => (1.0, 1.0),
        }
    }

    /// Whether the engine is asked to find such a copy; what is reversed is another piece to it.
    pub(crate) fn is_asked_for(self) -> bool {
        self != Self::Reversed
    }
}

/// All attacks, in the order of the table; those through codecs only where there is an ffmpeg.
pub(crate) fn all(with_codecs: bool) -> Vec<Attack> {
    let mut list = Vec::new();
    let mut add = |group, kind, name: String| list.push(Attack { name, group, kind });
    add("plain", Kind::Clean, "clean".into());
    add("plain", Kind::Telephone, "telephone".into());
    add("plain", Kind::LowPass(4000.0), "low-pass-4k".into());
    add("plain", Kind::Equaliser, "equaliser".into());
    add("plain", Kind::Crushed, "crushed".into());
    add("plain", Kind::Quieter(30.0), "quieter-30dB".into());
    add("plain", Kind::Antiphase, "antiphase".into());
    add("plain", Kind::LeftOnly, "left-only".into());
    add("plain", Kind::AutoPan, "auto-pan".into());
    if with_codecs {
        for codec in Codec::ALL {
            add("codec", Kind::Coded(codec), codec.name().into());
        }
    }
    for (colour, name) in [(Colour::White, "white"), (Colour::Pink, "pink")] {
        for db in [10, 5, 0] {
            add("noise", Kind::Noise(colour, f64::from(db)), format!("{name}-noise{db:+}dB"));
        }
    }
    for db in [6, 0, -6] {
        add("voice", Kind::Voice(f64::from(db)), format!("voice{db:+}dB"));
    }
    add("room", Kind::Echo, "echo".into());
    add("room", Kind::Reverb, "reverb".into());
    add("room", Kind::SlowedReverb, "slowed-reverb".into());
    for percent in [-50, -25, -20, -10, -5, 5, 10, 15, 25, 35, 100] {
        add("speed", Kind::Speed(1.0 + f64::from(percent) / 100.0), format!("speed{percent:+}%"));
    }
    add("speed", Kind::Nightcore, "nightcore".into());
    for percent in [-40, -20, -10, -5, 5, 10, 20, 60] {
        add("tempo", Kind::Tempo(1.0 + f64::from(percent) / 100.0), format!("tempo{percent:+}%"));
    }
    for semitones in [-9, -4, -2, -1, 1, 2, 4, 7, 12] {
        add("pitch", Kind::Pitch(f64::from(semitones)), format!("pitch{semitones:+}st"));
    }
    add("mashup", Kind::Mashup, "mashup".into());
    add("reversed", Kind::Reversed, "reversed".into());
    add("mix", Kind::Mix, "mix".into());
    list
}

/// Alters an excerpt; `other` is the second recording of a mashup.
///
/// # Errors
/// What ffmpeg said, where a codec was wanted and failed.
pub(crate) fn apply(kind: Kind, sound: Sound, other: Option<&Sound>, rng: &mut Rng) -> Result<Sound, String> {
    let frames = sound.len();
    Ok(match kind {
        Kind::Clean | Kind::Mix => sound,
        Kind::Telephone => Sound::mono(telephone(&sound.mid(), frames)),
        Kind::LowPass(hz) => sound.each(|side| low_pass(side, hz)),
        Kind::Equaliser => equalise(sound, rng),
        Kind::Crushed => dynamics::crush(sound),
        Kind::Quieter(db) => dynamics::to_16_bits(sound.scaled(10f64.powf(-db / 20.0) as f32)),
        Kind::Noise(colour, db) => sound.with_added(&noise(colour, frames, rng), db),
        Kind::Voice(db) => sound.with_added(&voice::voice(frames, rng), db),
        Kind::Echo => room::echo(sound),
        Kind::Reverb => room::reverb(sound),
        Kind::Speed(factor) => sound.each(|side| resample(&side, factor)),
        Kind::Tempo(factor) => stretch::tempo(&sound, factor),
        Kind::Pitch(semitones) => stretch::pitch(&sound, semitones),
        Kind::Nightcore => sound.each(|side| Biquad::bell(6000.0, 0.7, 6.0).run(resample(&side, NIGHTCORE))),
        Kind::SlowedReverb => room::reverb(sound.each(|side| resample(&side, SLOWED))),
        Kind::Antiphase => sound.pairs(|_, left, right| (left, -right)),
        Kind::LeftOnly => sound.pairs(|_, left, _| (left, 0.0)),
        Kind::AutoPan => sound.pairs(pan),
        Kind::Mashup => sound.with_added(other.unwrap_or(&Sound::default()), 0.0),
        Kind::Reversed => sound.each(|mut side| {
            side.reverse();
            side
        }),
        Kind::Coded(codec) => codec.through(&sound)?,
    })
}

fn telephone(mid: &[f32], frames: usize) -> Vec<f32> {
    const LINE_HZ: f64 = 8000.0;
    let band = low_pass(high_pass(mid.to_vec(), 300.0), 3400.0);
    let line = dynamics::mu_law(resample(&band, RATE_HZ / LINE_HZ));
    let mut back = resample(&line, LINE_HZ / RATE_HZ);
    back.resize(frames, 0.0);
    back
}

fn equalise(sound: Sound, rng: &mut Rng) -> Sound {
    let gains = BANDS_HZ.map(|_| if rng.unit() < 0.5 { BAND_DB } else { -BAND_DB });
    sound.each(|side| {
        let bands = BANDS_HZ.iter().zip(gains);
        bands.fold(side, |side, (&hz, gain)| Biquad::bell(hz, 0.7, gain).run(side))
    })
}

fn pan(at: usize, left: f32, right: f32) -> (f32, f32) {
    const PERIOD_S: f64 = 4.0;
    let place = (std::f64::consts::TAU * at as f64 / (PERIOD_S * RATE_HZ)).sin() as f32;
    (left * (1.0 - place) * 0.5, right * (1.0 + place) * 0.5)
}
