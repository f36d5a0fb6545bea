//! Whether the match can be made again from the bytes in the bundle.

use super::opened::Opened;
use super::{Demands, Told};
use crate::base::MediaTags;
use crate::evidence::bundle::{ARCHIVE, media_in};
use crate::evidence::replay::{
    ExactMatch, REPLAY_FORMAT, Replay, ReplayRecord, Rerun, TAGS_FORMAT, TagsTold,
};

/// The media's tags beside the reference's.
const TAGS: &str = "earwitness/tags.json";

/// Decodes, fingerprints and matches anew, and compares to the last bit.
pub(super) fn replay(opened: &Opened<'_>, demands: &Demands<'_>) -> Told {
    match demands.replay {
        Some(run) => again(opened, run).into(),
        None => Told::NotChecked("it was not asked for".to_owned()),
    }
}

fn again(opened: &Opened<'_>, run: &Replay<'_>) -> Result<String, String> {
    let record: ReplayRecord = opened.json("earwitness/replay.json")?;
    if record.format != REPLAY_FORMAT {
        return Err(format!(
            "the record's format is `{}`, not {REPLAY_FORMAT}",
            record.format.escape_debug()
        ));
    }
    let settings = &record.settings;
    if !(1.0..1e15).contains(&settings.catalogue_s.0)
        || !(-1e6..=0.0).contains(&settings.log10_false_match_max.0)
    {
        return Err("its settings are none that a match could be found with".to_owned());
    }
    let archive = opened.section(ARCHIVE)?;
    if media_in(&archive, opened.records()?, &record.media.sha256).as_ref() != Some(&record.media) {
        return Err(format!("the media is not where the record says, in {ARCHIVE}"));
    }
    let reference = opened.bytes(&record.reference.path)?;
    let listed = opened.container.get(&record.reference.path).map(|entry| entry.sha256);
    if listed != Some(record.reference.sha256) {
        return Err(format!("{} is not the fingerprint of the record", record.reference.path.escape_debug()));
    }
    let found = run(&Rerun {
        media: archive.part(record.media.offset, record.media.bytes),
        reference: &reference,
        recording_id: &record.reference.recording_id,
        settings: &record.settings,
    })?;
    let matches: Vec<ExactMatch> = found.matches.iter().map(ExactMatch::from).collect();
    Ok(compare(&record, &matches)? + compare_tags(opened, &found.tags)?)
}

/// Whether the media still says of itself what was recorded; gives what is to be added to the result.
fn compare_tags(opened: &Opened<'_>, now: &MediaTags) -> Result<&'static str, String> {
    if opened.container.get(TAGS).is_none() {
        return Ok("");
    }
    let then: TagsTold = opened.json(TAGS)?;
    if then.format != TAGS_FORMAT {
        Ok("; its tags were recorded by a program that reads them otherwise")
    } else if then.copy == *now {
        Ok("; its tags as recorded")
    } else {
        Err(format!("the media's tags are not those that {TAGS} says"))
    }
}

fn compare(record: &ReplayRecord, found: &[ExactMatch]) -> Result<String, String> {
    if record.agrees_with_case && found.is_empty() {
        return Err("it gives no match, and the record says that it agrees with the case".to_owned());
    }
    if record.matches.len() != found.len() {
        return Err(format!("it gives {} matches, recorded are {}", found.len(), record.matches.len()));
    }
    for (number, (now, then)) in (1..).zip(found.iter().zip(&record.matches)) {
        if now != then {
            return Err(format!("match {number} is now {now:?}, recorded is {then:?}"));
        }
    }
    let spans: Vec<String> = found.iter().map(span).collect();
    let spans = if spans.is_empty() { "no match".to_owned() } else { spans.join("; ") };
    let remark = if record.agrees_with_case { String::new() } else { format!("; but: {}", record.remark) };
    Ok(format!("{spans}, as recorded to the last bit{remark}"))
}

fn span(one: &ExactMatch) -> String {
    format!(
        "{:.1}–{:.1} s = {:.1}–{:.1} s of {}, 10^{:.1}",
        one.query_start_s.0,
        one.query_end_s.0,
        one.reference_start_s.0,
        one.reference_end_s.0,
        one.recording_id,
        one.log10_false_match.0
    )
}
