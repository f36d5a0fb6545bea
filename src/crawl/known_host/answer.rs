//! Reading what `yt-dlp` said: its JSON, with bounds. Pure.
//!
//! The fields are those of its "information dictionary":
//! <https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/common.py>.

use serde_json::Value;
use url::Url;

use super::Error;
use super::child::{ANSWER_BYTES_MAX, Said};
use crate::config::KnownHostSettings;
use crate::net::shown;

/// Formats of one entry that are compared.
const FORMATS_MAX: usize = 1000;
/// Bytes of a URL that is taken. Signed ones have up to 3,000.
const URL_BYTES_MAX: usize = 16 << 10;
/// Characters of a title that are kept.
const TITLE_CHARS_MAX: usize = 1000;
/// Characters of other texts that are kept.
const TEXT_CHARS_MAX: usize = 300;

/// What is found at a media URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A file.
    File,
    /// An HLS playlist.
    Hls,
    /// A DASH manifest.
    Dash,
}

/// A media object of a known host.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownMedia {
    /// Where it is. Often signed, and good for some hours only.
    pub url: Url,
    /// What is to be found there.
    pub kind: MediaKind,
    /// The page that must be named as referer, where one must.
    pub referer: Option<Url>,
    /// The page that is its own, as the host writes it; the one asked about where it says none.
    pub page: Url,
    /// Its title.
    pub title: Option<String>,
    /// Its length in seconds, as the host says.
    pub duration_s: Option<f64>,
    /// The host's name for the format that was chosen.
    pub format: String,
    /// Whether it is audio alone.
    pub is_audio_only: bool,
}

/// An answer that was read.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) extractor: String,
    pub(super) media: Vec<KnownMedia>,
    pub(super) pages: Vec<Url>,
    pub(super) problems: Vec<String>,
}

/// Reads what a child said about `url`.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Failed`] or [`Error::Answer`].
pub(super) fn read(said: &Said, url: &Url, settings: &KnownHostSettings) -> Result<Answer, Error> {
    let wrong = |reason: &str| Err(Error::Answer { url: shown(url), reason: reason.to_owned() });
    if said.answer.len() as u64 > ANSWER_BYTES_MAX {
        return wrong("it is too long");
    }
    let complaint = complaint(&said.complaints);
    if is_unknown(complaint.as_deref().unwrap_or_default()) {
        return Err(Error::Unknown { url: shown(url) });
    }
    let failed = |reason: String| Err(Error::Failed { url: shown(url), reason });
    if said.answer.trim_ascii().is_empty() {
        return failed(complaint.unwrap_or_else(|| "nothing".to_owned()));
    }
    // `serde_json` bounds how deep it may be nested.
    let value: Value = match serde_json::from_slice(&said.answer) {
        Ok(value) => value,
        Err(error) => return wrong(&error.to_string()),
    };
    if !value.is_object() {
        return failed(complaint.unwrap_or_else(|| "nothing".to_owned()));
    }
    let mut answer = Answer { extractor: text(&value, "extractor").unwrap_or_default(), ..Answer::default() };
    let entries_max = settings.entries_max.max(1) as usize;
    match value.get("entries").and_then(Value::as_array) {
        Some(entries) => {
            entries.iter().take(entries_max).for_each(|entry| answer.take(entry, url));
            if entries.len() > entries_max {
                answer.problems.push(format!("only the first {entries_max} entries were taken"));
            }
        }
        None => answer.take(&value, url),
    }
    if answer.media.is_empty() && answer.pages.is_empty() {
        let first = answer.problems.into_iter().next();
        return failed(complaint.or(first).unwrap_or_else(|| "no media".to_owned()));
    }
    Ok(answer)
}

impl Answer {
    /// Takes one entry: media, or a page that leads to it.
    fn take(&mut self, entry: &Value, asked: &Url) {
        let kind = entry.get("_type").and_then(Value::as_str).unwrap_or("video");
        let page = web_url(entry, "webpage_url").unwrap_or_else(|| asked.clone());
        if kind != "video" {
            match web_url(entry, "url").or_else(|| web_url(entry, "webpage_url")) {
                Some(page) if page != *asked => self.pages.push(page),
                _ => self.problems.push(format!("an entry of type {}", kind.escape_debug())),
            }
            return;
        }
        let title = text(entry, "title").map(|title| title.chars().take(TITLE_CHARS_MAX).collect());
        let name = title.clone().unwrap_or_else(|| shown(&page));
        let formats = entry.get("formats").and_then(Value::as_array);
        let chosen = match formats {
            Some(formats) => formats.iter().take(FORMATS_MAX).filter_map(Format::read).min_by(Format::order),
            None => Format::read(entry),
        };
        let Some(chosen) = chosen else {
            self.problems.push(format!("{name}: no format that can be fetched without a key"));
            return;
        };
        self.media.push(KnownMedia {
            referer: chosen.referer.or_else(|| referer(entry)),
            url: chosen.url,
            kind: chosen.kind,
            page,
            title,
            duration_s: entry.get("duration").and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0),
            format: chosen.name,
            is_audio_only: chosen.is_audio_only,
        });
    }
}

/// One format of an entry, as far as it matters.
struct Format {
    url: Url,
    kind: MediaKind,
    referer: Option<Url>,
    name: String,
    is_audio_only: bool,
    /// Kilobits a second.
    rate: f64,
    /// Bytes, or what stands for them.
    size: f64,
}

impl Format {
    /// `None` for what has no audio, is protected, or is not fetched over HTTP.
    fn read(value: &Value) -> Option<Self> {
        let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| value.get(key).and_then(Value::as_f64).filter(|number| *number > 0.0);
        // `"maybe"` is a possible answer, and is tried.
        let is_protected = value.get("has_drm").and_then(Value::as_bool) == Some(true);
        // Pictures of the film for its time line.
        let is_pictures = word("ext") == "mhtml" || word("format_note") == "storyboard";
        if word("acodec") == "none" || is_protected || is_pictures {
            return None;
        }
        let (kind, url) = match word("protocol") {
            "" | "http" | "https" => (MediaKind::File, web_url(value, "url")?),
            "m3u8" | "m3u8_native" => (MediaKind::Hls, web_url(value, "url")?),
            "http_dash_segments" => (MediaKind::Dash, web_url(value, "manifest_url")?),
            _ => return None,
        };
        let rate = number("abr").or_else(|| number("tbr")).unwrap_or(0.0);
        let size = number("filesize").or_else(|| number("filesize_approx"));
        Some(Self {
            url,
            kind,
            referer: referer(value),
            name: text(value, "format_id").unwrap_or_default(),
            is_audio_only: word("vcodec") == "none" || word("resolution") == "audio only",
            rate,
            // Without a size the whole rate says how long it is, then the picture's height.
            size: size.or_else(|| number("tbr")).or_else(|| number("height")).unwrap_or(f64::MAX),
        })
    }

    /// The better one first: audio alone before all others, the best of those, the smallest of the others; files before
    /// playlists where nothing else tells.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let by_kind = |format: &Self| match format.kind {
            MediaKind::File => 0,
            MediaKind::Hls => 1,
            MediaKind::Dash => 2,
        };
        other.is_audio_only.cmp(&self.is_audio_only).then_with(|| {
            if self.is_audio_only {
                other.rate.total_cmp(&self.rate)
            } else {
                self.size.total_cmp(&other.size)
            }
            .then_with(|| by_kind(self).cmp(&by_kind(other)))
        })
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(TEXT_CHARS_MAX.max(TITLE_CHARS_MAX)).collect())
}

fn web_url(value: &Value, key: &str) -> Option<Url> {
    web(value.get(key)?.as_str()?)
}

fn web(text: &str) -> Option<Url> {
    if text.len() > URL_BYTES_MAX {
        return None;
    }
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Of the headers that it says are needed only the referer is taken: cookies and the rest would be somebody's.
fn referer(value: &Value) -> Option<Url> {
    let headers = value.get("http_headers")?.as_object()?;
    let named = headers.iter().take(100).find(|(name, _)| name.eq_ignore_ascii_case("referer"))?;
    web(named.1.as_str()?)
}

/// The last error that it complained of, in one line, without its prefix.
fn complaint(complaints: &str) -> Option<String> {
    let error = complaints.lines().rev().find_map(|line| line.trim().strip_prefix("ERROR:"));
    let last = || complaints.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let line = error.map(str::trim).or_else(last)?;
    let printable = line.chars().filter(|c| !c.is_control());
    Some(printable.take(TEXT_CHARS_MAX).collect())
}

fn is_unknown(complaint: &str) -> bool {
    complaint.starts_with("No suitable extractor") || complaint.starts_with("Unsupported URL")
}
