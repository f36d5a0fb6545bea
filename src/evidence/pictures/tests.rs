#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::lines::width_em;
use super::*;
use crate::base::{ANALYSIS_RATE_HZ, ChannelView, RecordingId};
use crate::fingerprint::analyze;
use crate::matching::matched_pairs;

/// Notes of a wandering tune, played `speed` times as fast, from `from_s` on.
fn tune(from_s: f32, seconds: f32, speed: f32) -> Pcm {
    let rate = ANALYSIS_RATE_HZ as f32;
    let samples = (0..(seconds * rate) as usize).map(|n| {
        let t = from_s + n as f32 / rate * speed;
        let beat = (t * 4.0) as u32;
        let voice = |seed: u32, low: f32| {
            let step = (beat.wrapping_mul(seed) >> 3) % 29;
            let note = low * 2f32.powf(step as f32 / 12.0);
            (-3.0 * (t * 4.0).fract()).exp() * (std::f32::consts::TAU * note * t).sin()
        };
        0.2 * (voice(2_654_435_761, 220.0) + voice(40_503_331, 440.0) + voice(777_767_777, 700.0))
    });
    Pcm { samples: samples.collect() }
}

fn found(suspect_s: (f64, f64), reference_s: (f64, f64), speed: f64) -> Match {
    Match {
        recording_id: RecordingId::new("R").unwrap(),
        query_start_s: suspect_s.0,
        query_end_s: suspect_s.1,
        reference_start_s: reference_s.0,
        reference_end_s: reference_s.1,
        speed,
        tempo: 1.0,
        pitch_semitones: 0.0,
        channel: ChannelView::Mid,
        matched_peaks: 100,
        log10_false_match: -20.0,
    }
}

/// A copy, a quarter faster, of seconds 5 to 35 of a tune.
struct Copied {
    suspect: (Pcm, Fingerprint),
    reference: (Pcm, Fingerprint),
    found: Match,
    pairs: Vec<(Peak, Peak)>,
}

impl Copied {
    fn new() -> Self {
        let with_peaks = |sound: Pcm| {
            let fingerprint = analyze(&sound.samples);
            (sound, fingerprint)
        };
        let (suspect, reference) = (with_peaks(tune(5.0, 24.0, 1.25)), with_peaks(tune(0.0, 45.0, 1.0)));
        let found = found((0.0, 24.0), (5.0, 35.0), 1.25);
        let pairs = matched_pairs(&suspect.1, &reference.1, &found);
        Self { suspect, reference, found, pairs }
    }

    fn comparison<'a>(&'a self, titles: (&'a str, &'a str), has_sound: bool) -> Comparison<'a> {
        let side = |title, (sound, fingerprint): &'a (Pcm, Fingerprint)| Side {
            title,
            fingerprint,
            sound: has_sound.then_some(Sound { pcm: sound, start_s: 0.0 }),
        };
        Comparison {
            suspect: side(titles.0, &self.suspect),
            reference: side(titles.1, &self.reference),
            found: &self.found,
            passage: richest(&self.found, &self.pairs, 20.0),
            pairs: &self.pairs,
        }
    }
}

const TITLES: (&str, &str) =
    ("https://example.com/a/very/long/address/of/a/song.mp3", "東京の夜 – 東京 Été 북촌");

fn all_pictures(comparison: &Comparison<'_>, language: Language) -> [String; 3] {
    let matches = std::slice::from_ref(comparison.found);
    [
        spectrograms(comparison, language),
        time_map(comparison, language),
        coverage(&comparison.suspect, &comparison.reference, matches, language),
    ]
}

/// Every element of a picture with its attributes and its text; fails where it is no XML.
fn elements(svg: &str) -> Vec<(String, std::collections::BTreeMap<String, String>, String)> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut found: Vec<(String, std::collections::BTreeMap<String, String>, String)> = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                let text = |text: &str| text.to_owned();
                let attributes = tag.attributes().map(|one| {
                    let one = one.expect("attributes are well-formed and there once");
                    (text(one.key.as_ref()), text(&one.value))
                });
                let attributes = attributes.collect();
                found.push((text(tag.name().as_ref()), attributes, String::new()));
            }
            Event::Text(text) => {
                if let Some(last) = found.last_mut() {
                    last.2.push_str(&text);
                }
            }
            Event::GeneralRef(_) => found.last_mut().unwrap().2.push('&'),
            _ => {}
        }
    }
    found
}

/// Checks that no text reaches beyond the picture's edges.
fn check_texts(svg: &str) {
    let elements = elements(svg);
    let height: f64 = elements[0].1["height"].parse().unwrap();
    for (name, attributes, text) in &elements {
        if name != "text" {
            continue;
        }
        let number = |key: &str| attributes.get(key).map(|value| value.parse::<f64>().unwrap());
        let (x, y) = (number("x").unwrap(), number("y").unwrap());
        let width = width_em(text) * number("font-size").unwrap_or(super::svg::LETTER);
        let before = match attributes["text-anchor"].as_str() {
            "start" => 0.0,
            "middle" => width / 2.0,
            _ => width,
        };
        let (along, edge) =
            if attributes.contains_key("transform") { (y, height) } else { (x, super::svg::WIDTH) };
        // Upright text that is turned runs upwards.
        assert!(
            along - before >= 0.0 && along - before + width <= edge,
            "beyond the edge: {text} ({along}, {width})"
        );
        assert!(y > 10.0 && y < height - 4.0, "{text} at {y} of {height}");
    }
}

#[test]
fn pairs_lie_on_the_line_of_the_match() {
    let copied = Copied::new();
    assert!(copied.pairs.len() > 60, "{} pairs", copied.pairs.len());
    for (own, other) in &copied.pairs {
        let expected = 5.0 + passage::seconds(own) * 1.25;
        assert!((passage::seconds(other) - expected).abs() < 0.06, "{own:?} {other:?}");
    }
}

#[test]
fn pictures_are_sound_in_every_language_with_and_without_sound() {
    let copied = Copied::new();
    for language in Language::ALL {
        for has_sound in [true, false] {
            let comparison = copied.comparison(TITLES, has_sound);
            let pictures = all_pictures(&comparison, language);
            assert_eq!(pictures, all_pictures(&comparison, language), "the same input, the same bytes");
            for svg in &pictures {
                check_texts(svg);
                assert!(svg.len() < 1 << 20, "{} bytes", svg.len());
                assert!(svg.contains(&format!("xml:lang=\"{}\"", language.tag())));
            }
            let images = elements(&pictures[0]).iter().filter(|(name, ..)| name == "image").count();
            assert_eq!(images, if has_sound { 2 } else { 0 });
        }
    }
}

/// The images of a picture.
fn images(svg: &str) -> Vec<String> {
    let images = elements(svg).into_iter().filter(|(name, ..)| name == "image");
    images.map(|(_, attributes, _)| attributes["href"].clone()).collect()
}

#[test]
fn an_excerpt_shows_what_the_whole_shows() {
    let copied = Copied::new();
    let whole = copied.comparison(TITLES, true);
    let Passage { suspect: (from_s, to_s), .. } = whole.passage;
    // With a second more on each side the analysis sees the same.
    let first = ((from_s - 1.0).max(0.0) * f64::from(ANALYSIS_RATE_HZ)) as usize;
    let end = ((to_s + 1.0) * f64::from(ANALYSIS_RATE_HZ)) as usize;
    let all = &copied.suspect.0.samples;
    let cut = Pcm { samples: all[first..end.min(all.len())].to_vec() };
    let start_s = first as f64 / f64::from(ANALYSIS_RATE_HZ);
    let mut excerpt = whole;
    excerpt.suspect.sound = Some(Sound { pcm: &cut, start_s });
    let shown = |comparison: &Comparison<'_>| images(&spectrograms(comparison, Language::English));
    assert_eq!(shown(&whole).len(), 2);
    assert_eq!(shown(&excerpt), shown(&whole));
    // Elsewhere in the file, it is another picture; beside the passage, it is none, and the peaks are told to stand for it.
    excerpt.suspect.sound = Some(Sound { pcm: &cut, start_s: start_s + 2.0 });
    assert_ne!(shown(&excerpt), shown(&whole));
    excerpt.suspect.sound = Some(Sound { pcm: &cut, start_s: to_s + 10.0 });
    assert_eq!(shown(&excerpt).len(), 1);
    excerpt.suspect.sound = whole.suspect.sound;
    excerpt.reference.sound = None;
    let svg = spectrograms(&excerpt, Language::English);
    assert!(images(&svg).len() == 1 && svg.contains("Of the recording the sound is not drawn"));
    check_texts(&svg);
}

#[test]
fn a_passage_is_no_longer_than_is_allowed_on_either_side() {
    let copied = Copied::new();
    for longest_s in [5.0, 10.0, 17.5, 60.0] {
        let Passage { suspect, reference } = richest(&copied.found, &copied.pairs, longest_s);
        let (here, there) = (suspect.1 - suspect.0, reference.1 - reference.0);
        assert!(here <= 20.0 + 1e-9 && there <= longest_s + 1e-9, "{longest_s}: {here} {there}");
        assert!((there - longest_s.min(25.0)).abs() < 1e-6, "as long as may be: {there}");
        assert!(suspect.0 >= 0.0 && suspect.1 <= 24.0);
        assert!((reference.0 - (5.0 + 1.25 * suspect.0)).abs() < 1e-9);
    }
}

#[test]
fn what_is_joined_is_what_both_have() {
    let copied = Copied::new();
    let svg = spectrograms(&copied.comparison(TITLES, false), Language::English);
    let elements = elements(&svg);
    let place = |attributes: &std::collections::BTreeMap<String, String>, x: &str, y: &str| {
        (attributes[x].clone(), attributes[y].clone())
    };
    let circles: Vec<(String, String)> = elements
        .iter()
        .filter(|(name, attributes, _)| name == "circle" && attributes["fill"] == "none")
        .map(|(_, attributes, _)| place(attributes, "cx", "cy"))
        .collect();
    let joins: Vec<_> = elements
        .iter()
        .filter(|(name, attributes, _)| name == "line" && attributes.contains_key("stroke-opacity"))
        .collect();
    assert!((10..=40).contains(&joins.len()), "{} joins", joins.len());
    for (_, attributes, _) in joins {
        assert!(
            circles.contains(&place(attributes, "x1", "y1"))
                && circles.contains(&place(attributes, "x2", "y2"))
        );
        let x = |key: &str| attributes[key].parse::<f64>().unwrap();
        assert!((x("x1") - x("x2")).abs() < 4.0, "the same instant stands above itself: {attributes:?}");
    }
}

#[test]
fn shares_count_what_overlaps_once() {
    let copied = Copied::new();
    let comparison = copied.comparison(TITLES, false);
    // Of 24 s and 45 s: 6 s and 9 s, some of them twice.
    let matches = [found((0.0, 4.0), (0.0, 6.0), 1.0), found((2.0, 6.0), (3.0, 9.0), 1.0)];
    let svg = coverage(&comparison.suspect, &comparison.reference, &matches, Language::English);
    assert!(
        svg.contains("25.0 % of the suspect file is this recording; 20.0 % of the recording is in the file"),
        "{svg}"
    );
}

#[test]
fn titles_are_text_and_nothing_else() {
    let copied = Copied::new();
    let names = |svg: &str| elements(svg).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    let plain = all_pictures(&copied.comparison(("x", "y"), false), Language::English);
    let long = "W".repeat(10_000);
    for title in [
        "</text><script>alert(1)</script>",
        "a\u{202e}b\u{0}c\u{fffe}\u{ffff}\n",
        "]]>&#0;<!--",
        "🎵🎶 الليل",
        &long,
    ] {
        let hostile = all_pictures(&copied.comparison((title, title), false), Language::English);
        for (hostile, plain) in hostile.iter().zip(&plain) {
            assert_eq!(names(hostile), names(plain), "{title}");
            assert!(!hostile.contains(['\u{202e}', '\u{0}', '\u{fffe}']));
            check_texts(hostile);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_figures_of_a_match_break_a_picture(
        figures in prop::array::uniform7(prop_oneof![any::<f64>(), -10.0f64..100.0, Just(f64::NAN)]),
        times in prop::collection::vec((any::<u32>(), 0u16..3000, any::<u8>()), 0..40),
    ) {
        let peak = |(time, pitch, strength): (u32, u16, u8)| Peak { time: time >> 12, pitch, strength, salient: true };
        let peaks: Vec<Peak> = times.into_iter().map(peak).collect();
        let pairs: Vec<(Peak, Peak)> = peaks.iter().copied().zip(peaks.iter().rev().copied()).collect();
        let fingerprint = Fingerprint { duration: 10_000, peaks };
        let mut found = found((figures[0], figures[1]), (figures[2], figures[3]), figures[4]);
        (found.tempo, found.pitch_semitones) = (figures[5], figures[6]);
        let sound = Pcm { samples: vec![0.1; 3000] };
        let sound = Some(Sound { pcm: &sound, start_s: figures[6] });
        let side = Side { title: "t", fingerprint: &fingerprint, sound };
        let passage = richest(&found, &pairs, figures[5]);
        let comparison = Comparison { suspect: side, reference: side, found: &found, passage, pairs: &pairs };
        for svg in all_pictures(&comparison, Language::Japanese) {
            elements(&svg);
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
        prop_assert!(matched_pairs(&fingerprint, &fingerprint, &found).len() <= fingerprint.peaks.len());
    }
}
