//! The instruments of the demonstration's band.

use super::voice::{Additive, Envelope, Fm, Timbre};

const fn envelope(attack: f32, decay: f32, sustain: f32, release: f32) -> Envelope {
    Envelope { attack, decay, sustain, release }
}

pub(super) const FLUTE: Timbre = Timbre::Additive(&Additive {
    name: "flute",
    harmonics: &[1.0, 0.42, 0.20, 0.06, 0.03],
    envelope: envelope(0.045, 0.3, 0.85, 0.07),
    bright_s: 6.0,
    detune_cents: 1.0,
    vibrato_cents: 18.0,
    breath: 0.03,
});
pub(super) const STRINGS: Timbre = Timbre::Additive(&Additive {
    name: "strings",
    harmonics: &[1.0, 0.62, 0.48, 0.36, 0.27, 0.2, 0.16, 0.12, 0.09, 0.07],
    envelope: envelope(0.16, 0.6, 0.8, 0.18),
    bright_s: 3.0,
    detune_cents: 9.0,
    vibrato_cents: 7.0,
    breath: 0.0,
});
pub(super) const ORGAN: Timbre = Timbre::Additive(&Additive {
    name: "organ",
    harmonics: &[1.0, 0.85, 0.7, 0.5, 0.0, 0.3, 0.0, 0.25],
    envelope: envelope(0.006, 0.5, 0.9, 0.03),
    bright_s: 9.0,
    detune_cents: 3.0,
    vibrato_cents: 0.0,
    breath: 0.0,
});
pub(super) const SAW_LEAD: Timbre = Timbre::Additive(&Additive {
    name: "saw",
    harmonics: &[1.0, 0.5, 0.333, 0.25, 0.2, 0.167, 0.143, 0.125, 0.111, 0.1, 0.09],
    envelope: envelope(0.008, 0.4, 0.6, 0.05),
    bright_s: 0.5,
    detune_cents: 14.0,
    vibrato_cents: 10.0,
    breath: 0.0,
});
pub(super) const BRASS: Timbre = Timbre::Additive(&Additive {
    name: "brass",
    harmonics: &[0.7, 1.0, 0.85, 0.62, 0.45, 0.3, 0.2, 0.12],
    envelope: envelope(0.03, 0.2, 0.7, 0.05),
    bright_s: 0.8,
    detune_cents: 4.0,
    vibrato_cents: 8.0,
    breath: 0.01,
});
pub(super) const REED: Timbre = Timbre::Additive(&Additive {
    name: "reed",
    harmonics: &[1.0, 0.08, 0.62, 0.1, 0.38, 0.09, 0.2, 0.06, 0.1],
    envelope: envelope(0.03, 0.3, 0.85, 0.06),
    bright_s: 4.0,
    detune_cents: 1.5,
    vibrato_cents: 14.0,
    breath: 0.012,
});
pub(super) const ROUND_BASS: Timbre = Timbre::Additive(&Additive {
    name: "bass",
    harmonics: &[1.0, 0.55, 0.25, 0.1, 0.05],
    envelope: envelope(0.008, 0.5, 0.55, 0.05),
    bright_s: 0.4,
    detune_cents: 0.0,
    vibrato_cents: 0.0,
    breath: 0.0,
});
pub(super) const BUZZ_BASS: Timbre = Timbre::Additive(&Additive {
    name: "buzz",
    harmonics: &[1.0, 0.7, 0.6, 0.45, 0.4, 0.3, 0.25, 0.2, 0.15, 0.12],
    envelope: envelope(0.004, 0.15, 0.35, 0.03),
    bright_s: 0.12,
    detune_cents: 2.0,
    vibrato_cents: 0.0,
    breath: 0.0,
});
pub(super) const ELECTRIC_PIANO: Timbre =
    Timbre::Fm(&Fm { ratio: 1.0, index: 1.5, index_s: 0.5, envelope: envelope(0.003, 0.9, 0.12, 0.12) });
pub(super) const VIBES: Timbre =
    Timbre::Fm(&Fm { ratio: 4.0, index: 0.9, index_s: 0.15, envelope: envelope(0.002, 0.7, 0.05, 0.3) });
pub(super) const BELL: Timbre =
    Timbre::Fm(&Fm { ratio: 3.52, index: 2.4, index_s: 0.6, envelope: envelope(0.002, 0.9, 0.0, 0.5) });
pub(super) const KOTO: Timbre = Timbre::Pluck { sustain: 0.10, brightness: 0.85 };
pub(super) const GUITAR: Timbre = Timbre::Pluck { sustain: 0.16, brightness: 0.4 };
pub(super) const CLAVINET: Timbre = Timbre::Pluck { sustain: 0.03, brightness: 0.7 };
