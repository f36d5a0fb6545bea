//! HLS playlists (RFC 8216), as far as fetching the audio needs them. A line that cannot be read is skipped.

use url::Url;

use super::sink::Sink;

/// Segments that are taken of one playlist: eleven hours at the customary six seconds.
const SEGMENTS_MAX: usize = 7000;
/// Variants and renditions that are looked at.
const VARIANTS_MAX: usize = 200;

/// What an HLS playlist holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Hls {
    /// A choice of streams.
    Master {
        /// The stream to take: the default audio rendition, or the variant of the lowest bandwidth, since the audio
        /// is what is wanted and is mostly the same in all.
        chosen: Url,
    },
    /// The pieces of one stream, in order.
    Media {
        /// The initialisation segment (fragmented MP4) and the segments.
        segments: Vec<Segment>,
        /// The encryption method, if the segments are encrypted.
        encrypted: Option<String>,
        /// Whether the playlist is whole; a live stream's is not.
        ended: bool,
    },
}

/// One piece of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where it is.
    pub url: Url,
    /// First byte and number of bytes, where it is a part of the resource.
    pub range: Option<(u64, u64)>,
}

/// Reads `text` as HLS; `None` where it names neither streams nor segments.
pub(super) fn parse(text: &str, sink: &Sink) -> Option<Hls> {
    if text.contains("#EXT-X-STREAM-INF") || text.contains("#EXT-X-MEDIA:") {
        master(text, sink)
    } else {
        media(text, sink)
    }
}

fn master(text: &str, sink: &Sink) -> Option<Hls> {
    let mut audio: Option<(bool, Url)> = None;
    let mut variant: Option<(u64, Url)> = None;
    let mut bandwidth: Option<u64> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()).take(VARIANTS_MAX * 4) {
        if let Some(list) = line.strip_prefix("#EXT-X-MEDIA:") {
            let is_audio = attribute(list, "TYPE").is_some_and(|kind| kind == "AUDIO");
            let url = attribute(list, "URI").and_then(|uri| sink.resolve(uri));
            let is_default = attribute(list, "DEFAULT").is_some_and(|value| value == "YES");
            if let (true, Some(url)) = (is_audio, url)
                && audio.as_ref().is_none_or(|(chosen_is_default, _)| is_default && !chosen_is_default)
            {
                audio = Some((is_default, url));
            }
        } else if let Some(list) = line.strip_prefix("#EXT-X-STREAM-INF:") {
            bandwidth =
                Some(attribute(list, "BANDWIDTH").and_then(|value| value.parse().ok()).unwrap_or(u64::MAX));
        } else if !line.starts_with('#')
            && let Some(bandwidth) = bandwidth.take()
            && let Some(url) = sink.resolve(line)
            && variant.as_ref().is_none_or(|(lowest, _)| bandwidth < *lowest)
        {
            variant = Some((bandwidth, url));
        }
    }
    let chosen = audio.map(|(_, url)| url).or_else(|| variant.map(|(_, url)| url))?;
    Some(Hls::Master { chosen })
}

fn media(text: &str, sink: &Sink) -> Option<Hls> {
    let (mut segments, mut encrypted, mut ended) = (Vec::new(), None, false);
    let mut range: Option<(u64, u64)> = None;
    let mut range_end = 0;
    let mut map: Option<Segment> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if segments.len() >= SEGMENTS_MAX {
            break;
        }
        if let Some(list) = line.strip_prefix("#EXT-X-KEY:") {
            let method = attribute(list, "METHOD").unwrap_or("unknown");
            if method != "NONE" {
                encrypted = Some(method.chars().take(40).collect());
            }
        } else if let Some(list) = line.strip_prefix("#EXT-X-MAP:") {
            let range = attribute(list, "BYTERANGE").and_then(|text| byte_range(text, 0));
            let url = attribute(list, "URI").and_then(|uri| sink.resolve(uri));
            // The same one before every segment is needed once only.
            if let Some(next) =
                url.map(|url| Segment { url, range }).filter(|next| map.as_ref() != Some(next))
            {
                map = Some(next.clone());
                segments.push(next);
            }
        } else if let Some(text) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            range = byte_range(text, range_end);
            range_end = range.map_or(0, |(first, count)| first.saturating_add(count));
        } else if line.starts_with("#EXT-X-ENDLIST") {
            ended = true;
        } else if !line.starts_with('#') {
            let url = sink.resolve(line);
            segments.extend(url.map(|url| Segment { url, range: range.take() }));
        }
    }
    (!segments.is_empty()).then_some(Hls::Media { segments, encrypted, ended })
}

/// `count[@first]`; without a first byte the range continues the one before.
fn byte_range(text: &str, continued: u64) -> Option<(u64, u64)> {
    let (count, first) = match text.trim().split_once('@') {
        Some((count, first)) => (count, first.parse().ok()?),
        None => (text.trim(), continued),
    };
    Some((first, count.parse().ok()?))
}

/// Finds `NAME=value` or `NAME="value"` in an attribute list.
fn attribute<'t>(list: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = list;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if name.trim() == wanted {
            return Some(value);
        }
        rest = after.trim_start().strip_prefix(',')?;
    }
}
