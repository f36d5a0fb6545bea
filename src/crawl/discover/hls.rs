//! HLS playlists (RFC 8216), as far as fetching the audio needs them. A line that cannot be read is skipped.

use std::collections::BTreeMap;

use url::Url;

use super::sink::Sink;
use super::stream::{BANDWIDTH_MIN, LIVE_SEGMENTS_MAX, SEGMENTS_MAX, Segment, SegmentKey, Stream, newest};
use super::{MediaKind, extension_kind};

/// Variants and renditions that are looked at.
const VARIANTS_MAX: usize = 200;
/// Key formats that one playlist may use side by side.
const KEY_FORMATS_MAX: usize = 8;
/// The longest name of an encryption that is reported, in characters.
const METHOD_CHARS_MAX: usize = 40;

/// Reads `text` as HLS; `None` where it names neither streams nor segments.
pub(super) fn parse(text: &str, sink: &mut Sink) -> Option<Stream> {
    if text.contains("#EXT-X-STREAM-INF") || text.contains("#EXT-X-MEDIA:") {
        return master(text, sink);
    }
    if text.contains("#EXT-X-I-FRAMES-ONLY") {
        sink.problem("the playlist holds single pictures only".to_owned());
        return None;
    }
    let mut playlist = Playlist { ended: text.contains("#EXT-X-ENDLIST"), ..Playlist::default() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if playlist.segments.len() >= SEGMENTS_MAX {
            sink.problem(format!("only the stream's first {SEGMENTS_MAX} segments were taken"));
            break;
        }
        playlist.line(line, sink);
    }
    playlist.finish(sink)
}

/// How good a choice is; the greatest is taken, and of equals the first.
type Rank = (bool, bool, std::cmp::Reverse<u64>);

fn master(text: &str, sink: &mut Sink) -> Option<Stream> {
    let mut best: Option<(Rank, Url)> = None;
    let mut offer = |rank: Rank, url: Url| {
        if best.as_ref().is_none_or(|(best, _)| rank > *best) {
            best = Some((rank, url));
        }
    };
    let mut bandwidth: Option<u64> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()).take(VARIANTS_MAX * 4) {
        if let Some(list) = line.strip_prefix("#EXT-X-MEDIA:") {
            let is_audio = attribute(list, "TYPE").is_some_and(|kind| kind == "AUDIO");
            let is_default = attribute(list, "DEFAULT").is_some_and(|value| value == "YES");
            if let (true, Some(uri)) = (is_audio, attribute(list, "URI")) {
                sink.part(uri)
                    .into_iter()
                    .for_each(|url| offer((true, is_default, std::cmp::Reverse(0)), url));
            }
        } else if let Some(list) = line.strip_prefix("#EXT-X-STREAM-INF:") {
            bandwidth =
                Some(attribute(list, "BANDWIDTH").and_then(|value| value.parse().ok()).unwrap_or(u64::MAX));
        } else if !line.starts_with('#')
            && let Some(bandwidth) = bandwidth.take()
            && let Some(url) = sink.part(line)
        {
            offer((false, bandwidth >= BANDWIDTH_MIN, std::cmp::Reverse(bandwidth)), url);
        }
    }
    best.map(|(_, chosen)| Stream::Choice { chosen })
}

/// A media playlist as far as it has been read.
#[derive(Default)]
struct Playlist {
    segments: Vec<Segment>,
    /// The number of the next segment.
    number: u64,
    /// What holds for the next segment only.
    range: Option<(u64, u64)>,
    /// Where that range ends: a range without a first byte continues it, within the same resource.
    range_end: u64,
    duration_s: Option<f64>,
    discontinuity: bool,
    is_gap: bool,
    gaps: usize,
    keys: Keys,
    map: Option<Segment>,
    target_s: Option<f64>,
    encrypted: Option<String>,
    ended: bool,
    /// Whether segments stay in the playlist though it grows.
    keeps_all: bool,
}

impl Playlist {
    fn line(&mut self, line: &str, sink: &mut Sink) {
        let Some(tag) = line.strip_prefix('#') else {
            self.segment(line, sink);
            return;
        };
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        match name {
            "EXTINF" => self.duration_s = seconds(value.split(',').next().unwrap_or_default()),
            "EXT-X-TARGETDURATION" => self.target_s = seconds(value),
            "EXT-X-MEDIA-SEQUENCE" if self.segments.is_empty() => {
                self.number = value.trim().parse().unwrap_or(0);
            }
            "EXT-X-DISCONTINUITY" => self.discontinuity = true,
            "EXT-X-GAP" => self.is_gap = true,
            "EXT-X-KEY" => self.keys.set(value, sink),
            "EXT-X-MAP" => self.map(value, sink),
            "EXT-X-BYTERANGE" => {
                self.range = byte_range(value, self.range_end);
                self.range_end = self.range.map_or(0, |(first, count)| first.saturating_add(count));
            }
            "EXT-X-PLAYLIST-TYPE" => {
                self.keeps_all = true;
                self.ended |= value.trim() == "VOD";
            }
            _ => {}
        }
    }

    fn segment(&mut self, address: &str, sink: &mut Sink) {
        let number = self.number;
        self.number = number.saturating_add(1);
        let (range, duration_s) = (self.range.take(), self.duration_s.take());
        if std::mem::take(&mut self.is_gap) {
            self.gaps += 1;
            return;
        }
        if extension_kind(address.split(['?', '#']).next().unwrap_or_default()) == Some(MediaKind::Playlist) {
            sink.part(address)
                .into_iter()
                .for_each(|url| sink.media(url.as_str(), "playlist", MediaKind::Playlist));
            return;
        }
        let Some(url) = sink.part(address) else { return };
        let key = self.key(number);
        let discontinuity = std::mem::take(&mut self.discontinuity);
        self.segments.push(Segment { url, range, key, number, duration_s, is_init: false, discontinuity });
    }

    fn map(&mut self, list: &str, sink: &mut Sink) {
        let Some(url) = attribute(list, "URI").and_then(|uri| sink.part(uri)) else { return };
        let range = attribute(list, "BYTERANGE").and_then(|text| byte_range(text, 0));
        let (number, discontinuity) = (self.number, self.discontinuity);
        let key = self.key(number);
        let map = Segment { url, range, key, number, duration_s: None, is_init: true, discontinuity };
        // The same one before every segment is needed once only.
        let is_known = self.map.as_ref().is_some_and(|last| (&last.url, last.range) == (&map.url, map.range));
        if !is_known {
            self.map = Some(map.clone());
            self.segments.push(map);
        }
    }

    /// The key that holds now, for the segment with this number; notes where none can be used.
    fn key(&mut self, number: u64) -> Option<SegmentKey> {
        let key = self.keys.identity.as_ref().map(|(url, iv)| {
            let iv = iv.unwrap_or_else(|| u128::from(number).to_be_bytes());
            SegmentKey { url: url.clone(), iv }
        });
        if key.is_none() && self.encrypted.is_none() {
            self.encrypted = self.keys.other.values().next().cloned();
        }
        key
    }

    fn finish(mut self, sink: &mut Sink) -> Option<Stream> {
        if self.gaps > 0 {
            sink.problem(format!("{} segments of the stream are marked as missing", self.gaps));
        }
        if !self.ended && !self.keeps_all && self.segments.len() > LIVE_SEGMENTS_MAX {
            sink.problem(format!(
                "only the newest {LIVE_SEGMENTS_MAX} segments of the live stream were taken"
            ));
            newest(&mut self.segments);
        }
        let Self { segments, encrypted, ended, target_s, .. } = self;
        let has_media = segments.iter().any(|segment| !segment.is_init);
        has_media.then_some(Stream::Segments { segments, encrypted, ended, target_s })
    }
}

/// The keys that hold for the segments that follow. A segment under several can be read with any of them.
#[derive(Default)]
struct Keys {
    /// AES-128 with an openly served key: its address, and the vector where the playlist names one.
    identity: Option<(Url, Option<[u8; 16]>)>,
    /// By key format, what we do not decrypt.
    other: BTreeMap<String, String>,
}

impl Keys {
    fn set(&mut self, list: &str, sink: &Sink) {
        let method = attribute(list, "METHOD").unwrap_or("unknown");
        if method == "NONE" {
            *self = Self::default();
            return;
        }
        let format = attribute(list, "KEYFORMAT").unwrap_or("identity");
        let url = attribute(list, "URI").and_then(|uri| sink.resolve(uri));
        let iv = attribute(list, "IV").map(vector);
        if format == "identity" {
            self.identity = None;
        }
        self.other.remove(format);
        match (method, format, url, iv) {
            ("AES-128", "identity", Some(url), None) => self.identity = Some((url, None)),
            ("AES-128", "identity", Some(url), Some(Some(iv))) => self.identity = Some((url, Some(iv))),
            _ if self.other.len() < KEY_FORMATS_MAX => {
                let shown =
                    if format == "identity" { method.to_owned() } else { format!("{method}, {format}") };
                self.other.insert(format.to_owned(), shown.chars().take(METHOD_CHARS_MAX).collect());
            }
            _ => {}
        }
    }
}

/// `0x` and up to 32 hexadecimal digits.
fn vector(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

/// A length in seconds, if it is one.
fn seconds(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

/// `count[@first]`; without a first byte the range continues the one before.
fn byte_range(text: &str, continued: u64) -> Option<(u64, u64)> {
    let (count, first) = match text.trim().split_once('@') {
        Some((count, first)) => (count, first.parse().ok()?),
        None => (text.trim(), continued),
    };
    let count = count.parse().ok().filter(|count| *count > 0)?;
    first.checked_add(count).map(|_| (first, count))
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

#[cfg(test)]
#[path = "hls_tests.rs"]
mod tests;
