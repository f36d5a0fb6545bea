//! Which representation of a period is taken: audio before video, readable before protected, small before large.

use super::manifest::Node;
use crate::crawl::discover::stream::BANDWIDTH_MIN;

/// Adaptation sets, and representations in each, that are looked at.
const CANDIDATES_MAX: usize = 200;
/// The longest name of an encryption that is reported, in characters.
const SCHEME_CHARS_MAX: usize = 80;

/// What is taken of a period.
pub(super) struct Chosen<'n> {
    pub(super) set: &'n Node,
    pub(super) representation: &'n Node,
}

/// Takes an audio set, or one of pictures with sound, that is not protected if there is such; of it the
/// representation of the lowest bandwidth that can be music.
pub(super) fn choose(period: &Node) -> Option<Chosen<'_>> {
    let sets = period.all("AdaptationSet").take(CANDIDATES_MAX);
    let best = sets
        .filter_map(|set| {
            let representation = smallest(set)?;
            let chosen = Chosen { set, representation };
            let rank = (kind_rank(&chosen)?, protection(&chosen).is_some(), !is_main(set));
            Some((rank, chosen))
        })
        .min_by_key(|(rank, _)| *rank)?;
    Some(best.1)
}

fn smallest(set: &Node) -> Option<&Node> {
    let candidates = set.all("Representation").take(CANDIDATES_MAX);
    candidates.min_by_key(|candidate| {
        let bandwidth = candidate.number("bandwidth").unwrap_or(u64::MAX);
        (bandwidth < BANDWIDTH_MIN, bandwidth)
    })
}

/// 0 for audio, 1 for video that names an audio codec, 2 for video that may have sound; none for text and pictures.
fn kind_rank(chosen: &Chosen<'_>) -> Option<u8> {
    let get = |name| chosen.representation.get(name).or_else(|| chosen.set.get(name));
    let kind = chosen.set.get("contentType").or_else(|| get("mimeType")).unwrap_or("video");
    let codecs = get("codecs").unwrap_or_default();
    let is_audio_codec = |codec: &str| {
        ["mp4a", "opus", "vorbis", "flac", "ac-3", "ec-3", "mp3", "alac", "dts"]
            .iter()
            .any(|known| codec.trim().to_ascii_lowercase().starts_with(known))
    };
    let has_sound = codecs.split(',').any(is_audio_codec);
    match kind.split('/').next().unwrap_or_default() {
        "audio" => Some(0),
        "video" if has_sound => Some(1),
        "video" => Some(2),
        _ => None,
    }
}

fn is_main(set: &Node) -> bool {
    set.all("Role").any(|role| role.get("value") == Some("main"))
}

/// The names of what protects it, such as `cenc (Widevine, PlayReady)`, if anything does.
pub(super) fn protection(chosen: &Chosen<'_>) -> Option<String> {
    let marks = || chosen.set.all("ContentProtection").chain(chosen.representation.all("ContentProtection"));
    marks().next()?;
    let mut systems: Vec<&str> = Vec::new();
    for mark in marks().take(CANDIDATES_MAX) {
        let scheme = mark.get("schemeIdUri").unwrap_or("unknown");
        if !scheme.eq_ignore_ascii_case("urn:mpeg:dash:mp4protection:2011") {
            let name = system(scheme);
            if !systems.contains(&name) {
                systems.push(name);
            }
        }
    }
    let cipher = marks().find_map(|mark| {
        mark.get("value").filter(|value| matches!(*value, "cenc" | "cbcs" | "cens" | "cbc1"))
    });
    let named = match (cipher, systems.is_empty()) {
        (Some(cipher), true) => cipher.to_owned(),
        (Some(cipher), false) => format!("{cipher} ({})", systems.join(", ")),
        (None, true) => "protected".to_owned(),
        (None, false) => systems.join(", "),
    };
    Some(named.chars().take(SCHEME_CHARS_MAX).collect())
}

/// The protection system behind a scheme's identifier (<https://dashif.org/identifiers/content_protection/>).
fn system(scheme: &str) -> &str {
    match scheme.to_ascii_lowercase().strip_prefix("urn:uuid:") {
        Some("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed") => "Widevine",
        Some("9a04f079-9840-4286-ab92-e65be0885f95") => "PlayReady",
        Some("94ce86fb-07ff-4f43-adb8-93d2fa968ca2") => "FairPlay",
        Some("e2719d58-a985-b3c9-781a-b030af78d30e" | "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b") => "ClearKey",
        _ => scheme,
    }
}
