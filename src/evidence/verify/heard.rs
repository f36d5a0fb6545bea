//! Whether the excerpts are what the media and the recording hold where they are said to be from.

use serde_json::Value;

use super::opened::Opened;
use super::{Demands, Told};
use crate::base::{ANALYSIS_RATE_HZ, AudioSpan, Digest, Pcm};
use crate::evidence::bundle::{ARCHIVE, media_in};
use crate::evidence::excerpts::{
    EXCERPT, EXCERPTS, EXCERPTS_FORMAT, Excerpt, ExcerptOf, Excerpts, Listener, read_wav, wav_bytes,
};
use crate::evidence::replay::ReplayRecord;

/// Excerpts of either side in one bundle.
const EXCERPTS_MAX: usize = 8;
/// How much a sample may differ from what decoding gives here, in steps of 16 bits: another processor rounds the last bits of
/// its sums in another way, and now and then that tips a sample over.
const STEPS_MAX: f32 = 2.0 / 32_768.0;
/// How far from its place, in seconds, an excerpt of the recording may be recognised.
const PLACE_S: f64 = 0.1;

/// Cuts the excerpts out again, and looks for the recording's in its fingerprint.
pub(super) fn excerpts(opened: &Opened<'_>, demands: &Demands<'_>) -> Told {
    let mut files = opened.container.entries().iter().filter(|entry| entry.name.starts_with(EXCERPT));
    if opened.container.get(EXCERPTS).is_none() {
        return match files.next() {
            Some(entry) => Told::Failed(format!("{} is there without {EXCERPTS}", entry.name.escape_debug())),
            None => Told::NotChecked("the bundle has none".to_owned()),
        };
    }
    let listed = match listed(opened) {
        Ok(listed) => listed,
        Err(why) => return Told::Failed(why),
    };
    if listed.excerpts.is_empty() {
        let why = listed.left_out.first().map(|left| format!(": {}", left.why)).unwrap_or_default();
        return Told::NotChecked(format!("the bundle has none{why}"));
    }
    let Some(listener) = demands.listener else {
        return Told::NotChecked("they are those that are listed; to hear them was not asked for".to_owned());
    };
    hear(opened, &listed.excerpts, listener)
}

/// Reads the record, and sees that it and the files are about each other, and about this media and this recording.
fn listed(opened: &Opened<'_>) -> Result<Excerpts, String> {
    let listed: Excerpts = opened.json(EXCERPTS)?;
    if listed.format != EXCERPTS_FORMAT || listed.rate_hz != ANALYSIS_RATE_HZ {
        return Err(format!(
            "the record's format is `{}`, {} Hz, not {EXCERPTS_FORMAT}, {ANALYSIS_RATE_HZ} Hz",
            listed.format.escape_debug(),
            listed.rate_hz
        ));
    }
    let named = |path: &str| listed.excerpts.iter().filter(|excerpt| excerpt.path == path).count();
    let files = opened.container.entries().iter().filter(|entry| entry.name.starts_with(EXCERPT));
    if let Some(strange) = files.into_iter().find(|entry| named(&entry.name) != 1) {
        return Err(format!("{} is not listed once in {EXCERPTS}", strange.name.escape_debug()));
    }
    let replay: ReplayRecord = opened.json("earwitness/replay.json")?;
    let recording: Value = opened.json("earwitness/recording.json")?;
    let reference: Option<Digest> =
        recording.pointer("/audio/sha256").and_then(Value::as_str).and_then(|sha256| sha256.parse().ok());
    let of = |side| listed.excerpts.iter().filter(|excerpt| excerpt.of == side).count();
    if of(ExcerptOf::Suspect).max(of(ExcerptOf::Reference)) > EXCERPTS_MAX {
        return Err(format!("there are more than {EXCERPTS_MAX} of one side"));
    }
    for excerpt in &listed.excerpts {
        let source = match excerpt.of {
            ExcerptOf::Suspect => Some(replay.media.sha256),
            ExcerptOf::Reference => reference,
        };
        agrees(opened, excerpt, source, replay.matches.len())
            .map_err(|why| format!("{}: {why}", excerpt.path.escape_debug()))?;
    }
    Ok(listed)
}

/// One excerpt is a file, and says of it what is so.
fn agrees(
    opened: &Opened<'_>,
    excerpt: &Excerpt,
    source: Option<Digest>,
    matches: usize,
) -> Result<(), String> {
    let Excerpt { path, sha256, span, start_s, end_s, .. } = excerpt;
    let is_named = path.starts_with(EXCERPT);
    let Some(entry) = opened.container.get(path).filter(|_| is_named) else {
        return Err("it is missing".to_owned());
    };
    if entry.sha256 != *sha256 {
        return Err(format!("its SHA-256 is {}, listed is {sha256}", entry.sha256));
    }
    if source != Some(excerpt.source_sha256) {
        return Err("it is said to be of a file that the bundle is not about".to_owned());
    }
    if !(1..=matches).contains(&excerpt.match_number) {
        return Err("it is of no match of replay.json".to_owned());
    }
    let near = |a: f64, b: f64| (a - b).abs() < 1e-3;
    if span.samples > AudioSpan::SAMPLES_MAX || !near(span.start_s(), *start_s) || !near(span.end_s(), *end_s)
    {
        return Err("its place is told in two ways, or it is too long".to_owned());
    }
    // Before it is read: what is listed is bounded.
    if entry.content.bytes != wav_bytes(span.samples) {
        return Err("it is not as long as is listed".to_owned());
    }
    sound(opened, excerpt).map(|_| ())
}

fn sound(opened: &Opened<'_>, excerpt: &Excerpt) -> Result<Pcm, String> {
    read_wav(&opened.bytes(&excerpt.path)?)
        .ok_or_else(|| format!("it is not 16-bit mono WAV of {ANALYSIS_RATE_HZ} Hz as the program writes it"))
}

fn hear(opened: &Opened<'_>, excerpts: &[Excerpt], listener: &dyn Listener) -> Told {
    let of = |side: ExcerptOf| excerpts.iter().filter(|excerpt| excerpt.of == side).collect::<Vec<_>>();
    let both = [
        suspects(opened, &of(ExcerptOf::Suspect), listener),
        references(opened, &of(ExcerptOf::Reference), listener),
    ];
    let (mut good, mut open) = (Vec::new(), Vec::new());
    for told in both.into_iter().flatten() {
        match told {
            Told::Passed(detail) => good.push(detail),
            Told::Failed(why) => return Told::Failed(why),
            Told::NotChecked(why) => open.push(why),
        }
    }
    let detail = [good.as_slice(), &open].concat().join("; ");
    if good.is_empty() { Told::NotChecked(detail) } else { Told::Passed(detail) }
}

/// Decodes the media again; each excerpt must be what is there.
fn suspects(opened: &Opened<'_>, excerpts: &[&Excerpt], listener: &dyn Listener) -> Vec<Told> {
    if excerpts.is_empty() {
        return Vec::new();
    }
    let cut = || -> Result<Vec<Pcm>, String> {
        let replay: ReplayRecord = opened.json("earwitness/replay.json")?;
        let archive = opened.section(ARCHIVE)?;
        let media = media_in(&archive, opened.records()?, &replay.media.sha256)
            .ok_or_else(|| format!("the media is not in {ARCHIVE}"))?;
        let spans: Vec<AudioSpan> = excerpts.iter().map(|excerpt| excerpt.span).collect();
        let cut = listener.cut(archive.part(media.offset, media.bytes), &spans)?;
        if cut.len() == spans.len() { Ok(cut) } else { Err("not all of them came".to_owned()) }
    };
    let cut = match cut() {
        Ok(cut) => cut,
        // That the media cannot be decoded fails the replay already.
        Err(why) => return vec![Told::NotChecked(format!("the suspect's cannot be cut out here: {why}"))],
    };
    let mut largest = 0.0f32;
    for (excerpt, cut) in excerpts.iter().zip(&cut) {
        match sound(opened, excerpt).map(|held| difference(&held, cut)) {
            Ok(difference) if difference <= STEPS_MAX => largest = largest.max(difference),
            Ok(_) => return vec![Told::Failed(format!("{} is not what decoding gives there", excerpt.path))],
            Err(why) => return vec![Told::Failed(format!("{}: {why}", excerpt.path))],
        }
    }
    let exact = if largest > 0.0 { ", but for the rounding of single samples" } else { ", sample by sample" };
    vec![Told::Passed(format!("{} of the suspect are what decoding gives there{exact}", excerpts.len()))]
}

/// The largest difference between samples at one place; more than any, where the lengths differ.
fn difference(a: &Pcm, b: &Pcm) -> f32 {
    if a.samples.len() != b.samples.len() {
        return f32::INFINITY;
    }
    let differences = a.samples.iter().zip(&b.samples).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// Recognises the recording's excerpts in its fingerprint, all those that were recognised when the bundle was made.
fn references(opened: &Opened<'_>, excerpts: &[&Excerpt], listener: &dyn Listener) -> Vec<Told> {
    let (telling, silent): (Vec<&Excerpt>, Vec<&Excerpt>) =
        excerpts.iter().copied().partition(|excerpt| excerpt.recognised == Some(true));
    let mut told = Vec::new();
    let mut recognised = 0;
    for excerpt in telling {
        let place = || {
            let replay: ReplayRecord = opened.json("earwitness/replay.json")?;
            listener.place(&sound(opened, excerpt)?, &opened.bytes(&replay.reference.path)?)
        };
        match place() {
            Ok(Some(at)) if (at - excerpt.start_s).abs() <= PLACE_S => recognised += 1,
            Ok(_) => {
                let path = &excerpt.path;
                told.push(Told::Failed(format!(
                    "{path} is not recognised in the recording's fingerprint at its place"
                )));
            }
            Err(why) => told.push(Told::NotChecked(format!("{}: {why}", excerpt.path))),
        }
    }
    if recognised > 0 {
        told.push(Told::Passed(format!(
            "{recognised} of the recording are recognised in its fingerprint at their place"
        )));
    }
    if !silent.is_empty() {
        told.push(Told::NotChecked(format!(
            "{} of the recording cannot be checked without it: too short or too faint to be recognised",
            silent.len()
        )));
    }
    told
}
