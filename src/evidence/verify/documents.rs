//! Whether the documents are whole in themselves and say the same as each other.

use serde_json::Value;

use super::opened::Opened;
use crate::base::Digest;
use crate::evidence::bundle::{ARCHIVE, INDEX, PAGES};
use crate::evidence::capture::Capture;
use crate::evidence::clock::from_servers;
use crate::evidence::log::Excerpt;
use crate::evidence::manifest::{DATAPACKAGE, DATAPACKAGE_DIGEST, datapackage, datapackage_digest};
use crate::evidence::replay::ReplayRecord;
use crate::evidence::warc;
use crate::evidence::withheld::Withheld;

/// WACZ's own lists follow from the other entries.
pub(super) fn data_package(opened: &Opened<'_>) -> Result<String, String> {
    let listed = opened.listed_without(&[DATAPACKAGE, DATAPACKAGE_DIGEST]);
    let pages = warc::pages_of(opened.captures()?);
    let wanted =
        datapackage(opened.manifest()?, &listed, pages.first()).map_err(|error| error.to_string())?;
    same(opened, DATAPACKAGE, &wanted)?;
    same(opened, DATAPACKAGE_DIGEST, &datapackage_digest(&wanted).map_err(|error| error.to_string())?)?;
    Ok(format!("WACZ 1.2, {} resources with their digests", listed.len()))
}

fn same(opened: &Opened<'_>, name: &str, wanted: &[u8]) -> Result<(), String> {
    let entry = opened.container.get(name).ok_or_else(|| format!("{name} is missing"))?;
    if entry.content.bytes == wanted.len() as u64 && entry.sha256 == Digest::of(wanted) {
        Ok(())
    } else {
        Err(format!("{name} does not follow from the other entries"))
    }
}

/// The archive is well-formed, its digests hold, and it holds just what was captured, in the same words.
pub(super) fn web_archive(opened: &Opened<'_>) -> Result<String, String> {
    let records = opened.records()?;
    let withheld = opened.withheld()?.map(Withheld::bodies).unwrap_or_default();
    let exchanges = warc::compare(&opened.section(ARCHIVE)?, records, opened.captures()?, &withheld)?;
    let without =
        if withheld.is_empty() { String::new() } else { format!("; {} bodies withheld", withheld.len()) };
    Ok(format!(
        "WARC 1.1, {} records; block and payload digests hold; requests, answers and connections of {exchanges} exchanges \
         are those of the captures{without}",
        records.len()
    ))
}

/// Index and pages follow from archive and captures.
pub(super) fn index(opened: &Opened<'_>) -> Result<String, String> {
    let index = warc::index(opened.records()?);
    same(opened, INDEX, index.as_bytes())?;
    let pages = warc::pages_of(opened.captures()?);
    same(opened, PAGES, warc::pages(&pages).as_bytes())?;
    Ok(format!("{} lines, {} pages, as the archive says", index.lines().count(), pages.len()))
}

/// The excerpt of the operation log is a chain, and is about this case.
pub(super) fn log(opened: &Opened<'_>) -> Result<String, String> {
    let excerpt: Excerpt = opened.json("earwitness/log.json")?;
    let entries = excerpt.walk()?;
    let case_id = &opened.manifest()?.case_id;
    if let Some(other) = entries.iter().find(|entry| entry.subject != *case_id) {
        return Err(format!("entry {} is not about this case", other.number));
    }
    let (first, last) = (entries.first(), entries.last());
    let (Some(first), Some(last)) = (first, last) else {
        return Ok("no entry is about this case".to_owned());
    };
    let stretch =
        format!("{} entries about this case, numbers {} to {}", entries.len(), first.number, last.number);
    match excerpt.runs.len() {
        1 => Ok(format!("{stretch}, one unbroken chain")),
        runs => {
            Ok(format!("{stretch}, in {runs} unbroken chains; what lies between them is not in the bundle"))
        }
    }
}

/// Case, recording, captures and replay are about the same file and the same recording, and the program was in order.
pub(super) fn agree(opened: &Opened<'_>) -> Result<String, String> {
    let case: Value = opened.json("earwitness/case.json")?;
    let recording: Value = opened.json("earwitness/recording.json")?;
    let replay: ReplayRecord = opened.json("earwitness/replay.json")?;
    let told = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let expect = |what: &str, found: Option<String>, wanted: String| match found {
        Some(found) if found == wanted => Ok(()),
        _ => Err(format!("{what} is not {wanted}")),
    };
    expect("case_id of case.json", told(&case, "case_id"), opened.manifest()?.case_id.clone())?;
    expect("sha256 of case.json", told(&case, "sha256"), replay.media.sha256.to_string())?;
    let recording_id = replay.reference.recording_id.to_string();
    expect("recording_id of case.json", told(&case, "recording_id"), recording_id.clone())?;
    expect("recording_id of recording.json", told(&recording, "recording_id"), recording_id)?;
    for (name, key) in [("match.json", "matches"), ("verdict.json", "verdict")] {
        let own: Value = opened.json(&format!("earwitness/{name}"))?;
        if case.get(key) != Some(&own) {
            return Err(format!("{name} is not what case.json says"));
        }
    }
    let pictured: Vec<Digest> =
        opened.captures()?.iter().filter_map(|capture| capture.sighting.page_screenshot).collect();
    let strange =
        opened.container.entries().iter().find(|entry| {
            entry.name.starts_with("earwitness/screenshot-") && !pictured.contains(&entry.sha256)
        });
    if let Some(entry) = strange {
        return Err(format!("{} is none of the captures' pictures", entry.name.escape_debug()));
    }
    let other = opened.captures()?.iter().find(|capture| capture.sighting.sha256 != replay.media.sha256);
    if let Some(capture) = other {
        let url = capture.sighting.media_url.escape_debug();
        return Err(format!("the capture of {url} is of another file"));
    }
    let environment: Value = opened.json("earwitness/environment.json")?;
    self_test(&environment)?;
    clock(&environment, opened.captures()?)?;
    Ok("case, recording, captures and replay speak of the same; the self-tests passed".to_owned())
}

/// The program's own test gave the same, and what it must, before and after.
fn self_test(environment: &Value) -> Result<(), String> {
    let of = |when: &str| environment.pointer(&format!("/self_test/{when}"));
    let passed = |test: Option<&Value>| test.and_then(|test| test.get("passed")) == Some(&Value::Bool(true));
    if passed(of("before")) && of("before") == of("after") {
        Ok(())
    } else {
        Err("the self-tests of environment.json did not pass, or differ".to_owned())
    }
}

/// What is told of the clock by the servers' answers is what the captures say. Bundles of before tell nothing.
fn clock(environment: &Value, captures: &[Capture]) -> Result<(), String> {
    let Some(told) = environment.pointer("/clock_offset/servers") else { return Ok(()) };
    match serde_json::to_value(from_servers(captures)) {
        Ok(wanted) if wanted == *told => Ok(()),
        _ => Err("the clock's offset of environment.json does not follow from the captures".to_owned()),
    }
}
