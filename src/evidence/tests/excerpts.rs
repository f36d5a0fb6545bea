//! What the verifier makes of excerpts: sound ones, others, and lies about them.

use super::*;
use crate::base::{ANALYSIS_RATE_HZ, AudioSpan, Pcm};

/// Stands for the engine: the sound of the media and of the recording is the number of each sample.
struct Ears {
    can_decode: bool,
    /// Where every piece of the recording is recognised.
    place: Option<f64>,
}

const GOOD: Ears = Ears { can_decode: true, place: Some(60.0) };

fn sound_of(span: &AudioSpan) -> Pcm {
    Pcm::from_16_bit((0..span.samples).map(|n| (span.first_sample as u32 + n) as i16))
}

impl Listener for Ears {
    fn cut(&self, media: Section<'_>, spans: &[AudioSpan]) -> Result<Vec<Pcm>, String> {
        assert_eq!(media.read(1 << 20).unwrap(), super::media());
        if self.can_decode { Ok(spans.iter().map(sound_of).collect()) } else { Err("no ffmpeg".to_owned()) }
    }

    fn place(&self, piece: &Pcm, reference: &[u8]) -> Result<Option<f64>, String> {
        assert_eq!((piece.samples.len(), reference), (2000, &b"reference"[..]));
        Ok(self.place)
    }
}

fn excerpt(of: ExcerptOf, number: usize, sound: &Pcm) -> Excerpt {
    let first_sample = if of == ExcerptOf::Suspect { 700 } else { 60 * u64::from(ANALYSIS_RATE_HZ) };
    let span =
        AudioSpan { track: 0, view: ChannelView::Mid, first_sample, samples: sound.samples.len() as u32 };
    let source = if of == ExcerptOf::Suspect { media() } else { b"recording".to_vec() };
    Excerpt {
        path: format!("earwitness/excerpt-{}-{number}.wav", of.as_str()),
        sha256: Digest::of(&wav(sound)),
        of,
        match_number: 1,
        source_sha256: Digest::of(&source),
        span,
        start_s: span.start_s(),
        end_s: span.end_s(),
        alignment: Alignment::from(&a_match()),
        recognised: (of == ExcerptOf::Reference).then_some(true),
    }
}

/// A bundle with one excerpt of each side: those that hold, once they were changed by `change`.
struct Shown {
    record: Excerpts,
    files: Vec<(String, Vec<u8>)>,
}

impl Shown {
    fn new() -> Self {
        let sound =
            sound_of(&AudioSpan { track: 0, view: ChannelView::Mid, first_sample: 700, samples: 2000 });
        let excerpts = [ExcerptOf::Suspect, ExcerptOf::Reference].map(|of| excerpt(of, 1, &sound));
        let files = excerpts.iter().map(|one| (one.path.clone(), wav(&sound))).collect();
        let record = Excerpts {
            format: EXCERPTS_FORMAT.to_owned(),
            rate_hz: ANALYSIS_RATE_HZ,
            excerpts: excerpts.to_vec(),
            left_out: Vec::new(),
        };
        Self { record, files }
    }

    /// Puts another sound in the place of the suspect's, and says so.
    fn with_sound(mut self, sound: &Pcm) -> Self {
        self.files[0].1 = wav(sound);
        self.record.excerpts[0].sha256 = Digest::of(&self.files[0].1);
        self
    }

    /// The check of the sealed bundle.
    fn check(&self, listener: Option<&dyn Listener>) -> Check {
        let house = House::new();
        let mut draft = house.draft(at("2026-03-05T00:00:00Z"), Some(Digest::of(b"recording")));
        draft.add_json("excerpts.json", &self.record).unwrap();
        for (path, bytes) in &self.files {
            draft.add(path.strip_prefix("earwitness/").unwrap(), bytes.clone()).unwrap();
        }
        let sealed = draft.seal(&house.key(), None, &house.out()).unwrap();
        let bundle = File::open(sealed.path).unwrap();
        let report = verify(&bundle, &Demands { listener, replay: Some(&engine), ..Demands::default() });
        let mut others = report.checks.iter().filter(|check| check.name != "excerpts");
        assert!(others.all(|check| check.outcome != Outcome::Failed), "{report:?}");
        report.checks.iter().find(|check| check.name == "excerpts").unwrap().clone()
    }
}

#[test]
fn excerpts_that_hold_pass_and_what_is_not_heard_is_not_checked() {
    let shown = Shown::new();
    let check = shown.check(Some(&GOOD));
    assert_eq!(check.outcome, Outcome::Passed, "{check:?}");
    assert!(
        check.detail.contains("sample by sample")
            && check.detail.contains("1 of the recording are recognised")
    );
    assert_eq!(shown.check(None).outcome, Outcome::NotChecked);
    // What is recognised no longer matters where it was not when the bundle was made, and is told.
    let mut faint = Shown::new();
    faint.record.excerpts[1].recognised = Some(false);
    let check = faint.check(Some(&Ears { place: None, ..GOOD }));
    assert_eq!(check.outcome, Outcome::Passed);
    assert!(check.detail.contains("1 of the recording cannot be checked"), "{check:?}");
    let check = faint.check(Some(&Ears { can_decode: false, place: None }));
    assert_eq!(check.outcome, Outcome::NotChecked);
    assert!(check.detail.contains("no ffmpeg"), "{check:?}");
    let mut none = Shown::new();
    none.record.excerpts.clear();
    none.files.clear();
    none.record.left_out =
        vec![LeftOut { of: ExcerptOf::Suspect, match_number: None, why: "no wish".to_owned() }];
    let check = none.check(Some(&GOOD));
    assert_eq!((check.outcome, check.detail.contains("no wish")), (Outcome::NotChecked, true));
}

#[test]
fn the_rounding_of_another_processor_passes_and_another_sound_does_not() {
    let mut sound = Pcm::from_16_bit((700..2700).map(|n: i16| n));
    sound.samples[9] += 2.0 / 32_768.0;
    let check = Shown::new().with_sound(&sound).check(Some(&GOOD));
    assert_eq!((check.outcome, check.detail.contains("but for the rounding")), (Outcome::Passed, true));
    sound.samples[9] += 1.0 / 32_768.0;
    let check = Shown::new().with_sound(&sound).check(Some(&GOOD));
    assert_eq!(check.outcome, Outcome::Failed);
    assert!(check.detail.contains("excerpt-suspect-1.wav"), "{check:?}");
    for place in [None, Some(60.2), Some(f64::NAN)] {
        let check = Shown::new().check(Some(&Ears { place, ..GOOD }));
        assert_eq!(check.outcome, Outcome::Failed, "{place:?}");
        assert!(check.detail.contains("excerpt-reference-1.wav"), "{check:?}");
    }
}

#[test]
fn a_record_that_lies_fails_even_where_nothing_is_heard() {
    type Lie = fn(&mut Shown);
    let lies: [(&str, Lie); 12] = [
        ("another format", |shown| shown.record.format = "x".to_owned()),
        ("another rate", |shown| shown.record.rate_hz = 44_100),
        ("a file that is not listed", |shown| shown.record.excerpts.truncate(1)),
        ("a file that is missing", |shown| shown.files.truncate(1)),
        ("one file twice", |shown| shown.record.excerpts.push(shown.record.excerpts[0].clone())),
        ("another entry", |shown| shown.record.excerpts[0].path = "earwitness/case.json".to_owned()),
        ("another digest", |shown| shown.record.excerpts[0].sha256 = Digest::of(b"")),
        ("another recording", |shown| shown.record.excerpts[1].source_sha256 = Digest::of(b"other")),
        ("a match that is none", |shown| shown.record.excerpts[0].match_number = 2),
        ("another length", |shown| shown.record.excerpts[0].span.samples += 1),
        ("two places", |shown| shown.record.excerpts[0].start_s = f64::MAX),
        ("no WAV", |shown| {
            shown.files[0].1[20] = 3;
            shown.record.excerpts[0].sha256 = Digest::of(&shown.files[0].1);
        }),
    ];
    for (name, lie) in lies {
        let mut shown = Shown::new();
        lie(&mut shown);
        let check = shown.check(None);
        assert_eq!(check.outcome, Outcome::Failed, "{name}: {check:?}");
    }
}

#[test]
fn an_older_bundle_without_excerpts_is_as_good_as_before() {
    let report = check_all(&House::new().bundle());
    assert_eq!(outcome(&report, "excerpts"), Outcome::NotChecked);
    assert!(report.passed());
}
