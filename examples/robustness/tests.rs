//! The attacks do what they say, and the judge is just.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::TAU;

use earwitness::base::{ChannelView, RecordingId};
use earwitness::fingerprint::{Fingerprint, Peak};
use earwitness::matching::Match;

use crate::attack::{Kind, all, apply};
use crate::corpus::{Track, copies};
use crate::dsp::noise::Colour;
use crate::rng::Rng;
use crate::score::{Truth, judge, sounds_alike};
use crate::sound::{RATE_HZ, Sound};
use crate::stats::{Share, percentile};

const TONE_HZ: f64 = 440.0;

fn tone(seconds: f64) -> Sound {
    let sample = |n: usize| (0.3 * (TAU * TONE_HZ * n as f64 / RATE_HZ).sin()) as f32;
    Sound::mono((0..(seconds * RATE_HZ) as usize).map(sample).collect())
}

fn rng() -> Rng {
    Rng::new(7, "test", 0)
}

fn attacked(kind: Kind, sound: Sound) -> Sound {
    apply(kind, sound, None, &mut rng()).unwrap()
}

/// Power at a frequency, over the middle half.
fn power(samples: &[f32], hz: f64) -> f64 {
    let middle = &samples[samples.len() / 4..3 * samples.len() / 4];
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in middle.iter().enumerate() {
        let angle = TAU * hz * n as f64 / RATE_HZ;
        let hann = 0.5 - 0.5 * (TAU * n as f64 / middle.len() as f64).cos();
        re += hann * f64::from(sample) * angle.cos();
        im += hann * f64::from(sample) * angle.sin();
    }
    (re * re + im * im) / (middle.len() as f64).powi(2)
}

/// The strongest frequency on a grid of a fifth of a semitone around the tone.
fn pitch_of(sound: &Sound) -> f64 {
    let grid = (-75..=75).map(|step| TONE_HZ * 2f64.powf(f64::from(step) / 60.0));
    grid.max_by(|a, b| power(&sound.left, *a).total_cmp(&power(&sound.left, *b))).unwrap()
}

fn assert_close(value: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((value - expected).abs() <= tolerance, "{what}: {value}, expected {expected}");
}

#[test]
fn speed_changes_length_and_pitch_tempo_length_alone_and_pitch_pitch_alone() {
    let kinds = [
        Kind::Speed(1.25),
        Kind::Speed(0.5),
        Kind::Tempo(0.6),
        Kind::Tempo(1.6),
        Kind::Pitch(7.0),
        Kind::Pitch(-9.0),
        Kind::Nightcore,
        Kind::SlowedReverb,
    ];
    for kind in kinds {
        let sound = attacked(kind, tone(2.0));
        let (time, frequency) = kind.factors();
        assert_close(sound.duration_s(), 2.0 / time, 0.001, &format!("length of {kind:?}"));
        let semitones = 12.0 * (pitch_of(&sound) / TONE_HZ).log2();
        assert_close(semitones, 12.0 * frequency.log2(), 0.11, &format!("pitch of {kind:?}"));
        assert!(sound.rms() > 0.1 && sound.rms() < 0.6, "loudness of {kind:?}: {}", sound.rms());
    }
}

#[test]
fn stretching_keeps_a_steady_tone_steady() {
    let sound = attacked(Kind::Tempo(0.8), tone(3.0));
    let parts = sound.left[8192..sound.len() - 8192].chunks(4410);
    let levels: Vec<f64> = parts.map(|part| Sound::mono(part.to_vec()).rms()).collect();
    assert!(levels.iter().all(|level| (level - 0.212).abs() < 0.03), "{levels:?}");
}

#[test]
fn noise_and_voice_are_as_loud_as_they_say() {
    for kind in [Kind::Noise(Colour::White, 5.0), Kind::Noise(Colour::Pink, 0.0), Kind::Voice(-6.0)] {
        let clean = tone(3.0);
        let dirty = attacked(kind, clean.clone());
        let rest = dirty.pairs(|at, left, right| (left - clean.left[at], right - clean.right[at]));
        let wanted = match kind {
            Kind::Noise(_, db) | Kind::Voice(db) => db,
            _ => 0.0,
        };
        assert_close(20.0 * (clean.rms() / rest.rms()).log10(), wanted, 0.1, &format!("{kind:?}"));
    }
}

#[test]
fn white_noise_is_even_over_hertz_and_pink_over_octaves() {
    let octave = |sound: &Sound, low: f64| {
        let powers = (0..200).map(|n| power(&sound.left, low * (1.0 + f64::from(n) / 200.0)));
        10.0 * (powers.sum::<f64>() / 200.0 * low).log10()
    };
    for (colour, slope_db) in [(Colour::White, 3.01), (Colour::Pink, 0.0)] {
        let sound = crate::dsp::noise::noise(colour, 200_000, &mut rng());
        let rise = (octave(&sound, 6400.0) - octave(&sound, 100.0)) / 6.0;
        assert_close(rise, slope_db, 0.5, &format!("{colour:?}, dB an octave"));
    }
}

#[test]
fn telephone_and_low_pass_keep_their_band_alone() {
    let mut noise = crate::dsp::noise::noise(Colour::White, 150_000, &mut rng());
    noise = noise.scaled(0.1);
    let band =
        |sound: &Sound, hz: f64| (0..40).map(|n| power(&sound.left, hz + f64::from(n) * 3.0)).sum::<f64>();
    for (kind, kept, lost) in
        [(Kind::Telephone, 1000.0, [100.0, 5000.0]), (Kind::LowPass(4000.0), 1000.0, [6000.0, 9000.0])]
    {
        let out = attacked(kind, noise.clone());
        assert_eq!(out.len(), noise.len());
        for hz in lost {
            let db = 10.0 * (band(&out, kept) / band(&out, hz)).log10();
            assert!(db > 25.0, "{kind:?} at {hz} Hz: {db} dB");
        }
    }
}

#[test]
fn channels_are_treated_as_said() {
    let sound = tone(1.0);
    assert!(attacked(Kind::Antiphase, sound.clone()).mid().iter().all(|&sample| sample == 0.0));
    assert!(attacked(Kind::LeftOnly, sound.clone()).right.iter().all(|&sample| sample == 0.0));
    let pan = attacked(Kind::AutoPan, tone(4.0));
    let quarter =
        |side: &[f32], at: usize| Sound::mono(side[at * 44_100 - 4410..at * 44_100 + 4410].to_vec()).rms();
    assert!(quarter(&pan.left, 3) > 10.0 * quarter(&pan.right, 3));
    assert!(quarter(&pan.right, 1) > 10.0 * quarter(&pan.left, 1));
    let back = attacked(Kind::Reversed, attacked(Kind::Reversed, sound.clone()));
    assert_eq!(back, sound);
}

#[test]
fn crushing_flattens_and_quietening_quietens() {
    let loud = attacked(
        Kind::Crushed,
        tone(2.0).pairs(|at, l, r| if at > 44_100 { (l * 0.05, r * 0.05) } else { (l, r) }),
    );
    let level = |from: usize| Sound::mono(loud.left[from..from + 20_000].to_vec()).rms();
    let difference_db = 20.0 * (level(10_000) / level(66_000)).log10();
    assert!(difference_db < 20.0, "was 26 dB, is {difference_db}");
    assert!(loud.left.iter().filter(|sample| sample.abs() >= 1.0).count() > loud.len() / 20);
    let quiet = attacked(Kind::Quieter(30.0), tone(1.0));
    assert_close(20.0 * (tone(1.0).rms() / quiet.rms()).log10(), 30.0, 0.1, "dB");
}

#[test]
fn rooms_ring_on_and_stay_in_bounds() {
    let mut click = Sound::mono(vec![0.0; 88_200]);
    click.left[0] = 1.0;
    click.right[0] = 1.0;
    for kind in [Kind::Echo, Kind::Reverb] {
        let out = attacked(kind, click.clone());
        let energy = |range: std::ops::Range<usize>| out.left[range].iter().map(|s| s * s).sum::<f32>();
        assert!(energy(10_000..44_100) > 1e-3, "{kind:?} rings");
        assert!(energy(44_100..88_200) < energy(0..44_100), "{kind:?} fades");
        assert!(out.left.iter().all(|sample| sample.abs() < 4.0));
    }
}

#[test]
fn the_same_seed_gives_the_same_and_each_attack_has_a_name() {
    let sound = tone(1.0);
    assert_eq!(attacked(Kind::Voice(0.0), sound.clone()), attacked(Kind::Voice(0.0), sound));
    let attacks = all(true);
    let mut names: Vec<&str> = attacks.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), attacks.len());
    assert!(attacks.len() > 50);
}

fn track(peaks: Vec<Peak>) -> Track {
    let fingerprint = Fingerprint { duration: 40_000, peaks };
    let id = RecordingId::new("a").unwrap();
    Track { path: "a".into(), id, fingerprint, duration_s: 116.0 }
}

/// Peaks of a bar of four seconds that is played `times` times, and then others.
fn looped(times: u32) -> Vec<Peak> {
    let mut rng = rng();
    let bar: Vec<(u32, u16)> = (0..80).map(|n| (n * 17, (rng.unit() * 2000.0) as u16)).collect();
    let mut peaks = Vec::new();
    for turn in 0..20u32 {
        for &(time, pitch) in &bar {
            let pitch = if turn < times { pitch } else { (rng.unit() * 2000.0) as u16 };
            peaks.push(Peak { time: turn * 1378 + time, pitch, strength: 20, salient: true });
        }
    }
    peaks
}

fn found_at(reference_start_s: f64, speed: f64) -> Match {
    Match {
        recording_id: RecordingId::new("a").unwrap(),
        query_start_s: 0.0,
        query_end_s: 8.0,
        reference_start_s,
        reference_end_s: reference_start_s + 8.0 * speed,
        speed,
        tempo: 1.0,
        pitch_semitones: 0.0,
        channel: ChannelView::Mid,
        matched_peaks: 50,
        log10_false_match: -20.0,
    }
}

#[test]
fn a_place_is_right_where_it_is_or_sounds_the_same() {
    let track = track(looped(10));
    let judged = |found: Match| judge(&[found], &Truth { track: &track, start_s: 4.0, factors: (1.0, 1.0) });
    let exact = judged(found_at(4.1, 1.002));
    assert!(
        exact.place && exact.place_error_s.is_some_and(|error| (error - 0.108).abs() < 0.01),
        "{exact:?}"
    );
    assert!(exact.time_error_percent.is_some_and(|error| (error - 0.2).abs() < 0.01));
    let repeat = judged(found_at(12.0, 1.0));
    assert!(repeat.place && repeat.place_error_s.is_none());
    let elsewhere = judged(found_at(14.0, 1.0));
    assert!(elsewhere.track && !elsewhere.place);
    assert!(!judged(Match { recording_id: RecordingId::new("b").unwrap(), ..found_at(4.0, 1.0) }).track);
    assert!(!sounds_alike(&track.fingerprint, 4.0, 60.0, 8.0));
}

#[test]
fn copies_form_a_group_and_others_do_not() {
    let of = |name: &str, seed: u64| {
        let mut rng = Rng::new(seed, "copies", 0);
        let peak = |n: u32| Peak {
            time: n * 20 + rng.below(10) as u32,
            pitch: (rng.unit() * 2000.0) as u16,
            strength: 20,
            salient: true,
        };
        let fingerprint = Fingerprint { duration: 40_000, peaks: (0..2000).map(peak).collect() };
        Track { id: RecordingId::new(name).unwrap(), fingerprint, ..track(Vec::new()) }
    };
    let tracks = [of("a", 1), of("b", 2), of("c", 1), of("d", 3)];
    assert_eq!(copies(&tracks, 2).unwrap(), [0, 1, 0, 3]);
}

#[test]
fn shares_and_percentiles() {
    let share = Share { hits: 203, of: 204 };
    let (low, high) = share.bounds();
    assert!((low - 97.3).abs() < 0.1 && (high - 99.9).abs() < 0.1, "{low} {high}");
    assert!((Share { hits: 0, of: 600 }.upper_bound_percent() - 0.5).abs() < 1e-9);
    assert_eq!(percentile(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
    assert_eq!(percentile(&[], 0.5), None);
}
