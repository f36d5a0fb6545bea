//! The pieces: five of the catalogue, and one that nobody here owns.

use super::instruments as play;
use super::style::{BassPattern, ChordPattern, DrumPattern, Lead, Part, Section, Style};
use super::voice::Timbre;

const MAJOR: [i32; 7] = [0, 2, 4, 5, 7, 9, 11];
const MIXOLYDIAN: [i32; 7] = [0, 2, 4, 5, 7, 9, 10];
const HARMONIC_MINOR: [i32; 7] = [0, 2, 3, 5, 7, 8, 11];
const PHRYGIAN: [i32; 7] = [0, 1, 3, 5, 7, 8, 10];
const DORIAN: [i32; 7] = [0, 2, 3, 5, 7, 9, 10];

const ALL: &[usize] = &[0, 1, 2, 3, 4, 5, 6];
const PENTATONIC: &[usize] = &[0, 1, 2, 4, 5];
/// With [`PHRYGIAN`]: the in scale of koto music.
const IN_SCALE: &[usize] = &[0, 1, 3, 4, 5];

const fn part(timbre: Timbre, level: f32, pan: f32, register: i32) -> Part {
    Part { timbre, level, pan, register }
}

const fn lead(part: Part, liveliness: f32, legato: f32) -> Lead {
    Lead { part, liveliness, legato }
}

/// A section with the whole band.
const fn tutti(chords: &'static [i32], melody: char) -> Section {
    Section { chords, melody: Some(melody), by_second: false, with_drums: true, with_bass: true, lift: 0 }
}

/// The same with the other voice.
const fn answer(chords: &'static [i32], melody: char) -> Section {
    Section { by_second: true, ..tutti(chords, melody) }
}

const fn intro(chords: &'static [i32]) -> Section {
    Section { melody: None, with_drums: false, with_bass: false, ..tutti(chords, ' ') }
}

/// 夜明けの駅: bright pop in D, 104 beats a minute, flute over broken chords.
pub(in crate::cli::demo) const STATION: Style = Style {
    seed: 0xA01,
    beats_per_minute: 104.0,
    beats_per_bar: 4,
    key: 62,
    scale: MAJOR,
    melody_steps: PENTATONIC,
    swing: 0.0,
    chord_notes: 3,
    sections: &[
        intro(&[0, 5]),
        tutti(&[0, 4, 5, 3, 0, 4, 3, 4], 'a'),
        answer(&[5, 3, 0, 4, 5, 3], 'b'),
        Section { lift: 2, ..tutti(&[0, 4, 5, 3], 'a') },
    ],
    lead: lead(part(play::FLUTE, 0.42, 0.15, 12), 0.55, 0.92),
    second: lead(part(play::STRINGS, 0.34, -0.25, 12), 0.3, 1.0),
    chords: part(play::ELECTRIC_PIANO, 0.26, -0.2, 0),
    chord_pattern: ChordPattern::Arpeggio,
    bass: part(play::ROUND_BASS, 0.42, 0.0, -24),
    bass_pattern: BassPattern::RootFifth,
    drums: DrumPattern::Pop,
    drum_level: 0.5,
    room: 0.22,
};

/// 青い自転車: a dance tune in G with a flat seventh, 132 beats a minute, organ on the off-beats.
pub(in crate::cli::demo) const BICYCLE: Style = Style {
    seed: 0xB02,
    beats_per_minute: 132.0,
    beats_per_bar: 4,
    key: 55,
    scale: MIXOLYDIAN,
    melody_steps: ALL,
    swing: 0.0,
    chord_notes: 3,
    sections: &[
        Section { melody: None, ..tutti(&[0, 0], ' ') },
        tutti(&[0, 6, 3, 0, 0, 6, 3, 4], 'a'),
        answer(&[1, 4, 1, 3, 6, 3], 'b'),
        tutti(&[0, 6, 3, 0], 'a'),
        Section { lift: 2, ..answer(&[1, 4, 3, 6, 0], 'c') },
    ],
    lead: lead(part(play::SAW_LEAD, 0.34, -0.1, 19), 0.7, 0.7),
    second: lead(part(play::BELL, 0.32, 0.3, 24), 0.5, 0.9),
    chords: part(play::ORGAN, 0.22, 0.2, 12),
    chord_pattern: ChordPattern::OffBeat,
    bass: part(play::BUZZ_BASS, 0.42, 0.0, -12),
    bass_pattern: BassPattern::Octaves,
    drums: DrumPattern::House,
    drum_level: 0.6,
    room: 0.12,
};

/// 雨の喫茶店: swing in E flat, 88 beats a minute, vibraphone and a walking bass.
pub(in crate::cli::demo) const CAFE: Style = Style {
    seed: 0xC03,
    beats_per_minute: 88.0,
    beats_per_bar: 4,
    key: 51,
    scale: MAJOR,
    melody_steps: ALL,
    swing: 0.33,
    chord_notes: 4,
    sections: &[tutti(&[1, 4, 0, 5, 1, 4], 'a'), answer(&[3, 6, 2, 5], 'b'), tutti(&[1, 4, 0, 5, 1, 4], 'a')],
    lead: lead(part(play::VIBES, 0.46, 0.3, 19), 0.6, 1.2),
    second: lead(part(play::REED, 0.36, -0.3, 12), 0.5, 0.9),
    chords: part(play::ELECTRIC_PIANO, 0.2, -0.3, 5),
    chord_pattern: ChordPattern::Comping,
    bass: part(play::GUITAR, 0.5, 0.05, -17),
    bass_pattern: BassPattern::Walking,
    drums: DrumPattern::Shuffle,
    drum_level: 0.45,
    room: 0.3,
};

/// 花火のあと: a waltz in B minor, 148 beats a minute, strings and plucked strings.
pub(in crate::cli::demo) const AFTER_FIREWORKS: Style = Style {
    seed: 0xD04,
    beats_per_minute: 148.0,
    beats_per_bar: 3,
    key: 59,
    scale: HARMONIC_MINOR,
    melody_steps: ALL,
    swing: 0.0,
    chord_notes: 3,
    sections: &[
        Section { with_drums: false, ..tutti(&[0, 0, 3, 4], 'a') },
        tutti(&[0, 3, 4, 0, 5, 3, 4, 4], 'b'),
        answer(&[5, 2, 3, 4, 0, 3, 4, 0], 'c'),
        tutti(&[0, 3, 4, 0, 5, 3, 4, 4], 'b'),
        Section { lift: 3, ..answer(&[5, 2, 3, 4, 3, 4], 'c') },
    ],
    lead: lead(part(play::REED, 0.36, 0.2, 12), 0.35, 0.95),
    second: lead(part(play::STRINGS, 0.4, -0.2, 12), 0.2, 1.0),
    chords: part(play::GUITAR, 0.34, 0.25, 0),
    chord_pattern: ChordPattern::Waltz,
    bass: part(play::ROUND_BASS, 0.44, -0.05, -24),
    bass_pattern: BassPattern::Long,
    drums: DrumPattern::Waltz,
    drum_level: 0.4,
    room: 0.34,
};

/// 祖母の子守唄: a slow song in the in scale on A, koto, flute and festival drums far away.
pub(in crate::cli::demo) const LULLABY: Style = Style {
    seed: 0xE05,
    beats_per_minute: 150.0,
    beats_per_bar: 6,
    key: 57,
    scale: PHRYGIAN,
    melody_steps: IN_SCALE,
    swing: 0.0,
    chord_notes: 3,
    sections: &[
        intro(&[0]),
        tutti(&[0, 5, 3, 0, 0, 1], 'a'),
        answer(&[3, 5, 1, 0], 'b'),
        tutti(&[0, 5, 3, 0], 'a'),
        Section { lift: 5, ..answer(&[3, 5, 1], 'b') },
    ],
    lead: lead(part(play::KOTO, 0.62, -0.15, 12), 0.45, 1.6),
    second: lead(part(play::FLUTE, 0.42, 0.25, 12), 0.2, 1.0),
    chords: part(play::KOTO, 0.30, 0.3, 0),
    chord_pattern: ChordPattern::Arpeggio,
    bass: part(play::STRINGS, 0.25, 0.0, -12),
    bass_pattern: BassPattern::Long,
    drums: DrumPattern::Festival,
    drum_level: 0.45,
    room: 0.4,
};

/// A stranger's tune: funk in F sharp, 118 beats a minute.
pub(in crate::cli::demo) const STRANGER: Style = Style {
    seed: 0xF06,
    beats_per_minute: 118.0,
    beats_per_bar: 4,
    key: 54,
    scale: DORIAN,
    melody_steps: &[0, 2, 3, 4, 6],
    swing: 0.08,
    chord_notes: 4,
    sections: &[
        Section { melody: None, ..tutti(&[0, 0], ' ') },
        tutti(&[0, 0, 3, 3, 0, 0, 6, 4], 'a'),
        answer(&[2, 3, 5, 4], 'b'),
        tutti(&[0, 0, 3, 3, 6, 4], 'a'),
    ],
    lead: lead(part(play::BRASS, 0.36, 0.1, 17), 0.6, 0.6),
    second: lead(part(play::SAW_LEAD, 0.3, -0.2, 12), 0.7, 0.8),
    chords: part(play::CLAVINET, 0.45, -0.3, 0),
    chord_pattern: ChordPattern::Stabs,
    bass: part(play::BUZZ_BASS, 0.45, 0.0, -12),
    bass_pattern: BassPattern::Funk,
    drums: DrumPattern::Funk,
    drum_level: 0.55,
    room: 0.15,
};
