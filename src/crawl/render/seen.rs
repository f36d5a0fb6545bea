//! What a page asked for: the media in its network log, and what was refused. Pure.

use std::collections::HashMap;

use url::Url;

/// Media URLs of one page that are kept.
const MEDIA_MAX: usize = 500;
/// Refusals of one page that are kept.
const REFUSED_MAX: usize = 500;
/// Bytes of a URL that is kept; longer ones are no addresses of media.
const URL_BYTES_MAX: usize = 8192;
/// Characters of a content type that are kept.
const TYPE_CHARS_MAX: usize = 200;

/// Content types of media and of lists of media beside `audio/*` and `video/*`.
const TYPES: [&str; 6] = [
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "application/mpegurl",
    "application/dash+xml",
    "application/ogg",
    "application/mp4",
];

/// Endings of the paths of media and of lists of media.
const ENDINGS: [&str; 31] = [
    "mp3", "m4a", "m4b", "aac", "flac", "ogg", "oga", "opus", "wav", "wma", "ape", "aif", "aiff", "mka",
    "weba", "mp4", "m4v", "webm", "mkv", "mov", "flv", "avi", "3gp", "ts", "m4s", "m3u8", "m3u", "mpd",
    "pls", "xspf", "asx",
];

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) media: Vec<(Url, Option<String>)>,
    places: HashMap<Url, usize>,
    pub(super) refused: Vec<(String, String)>,
    pub(super) left_out: u64,
}

impl Seen {
    /// Takes a request or a response; `kind` is the browser's word for what it is for.
    pub(super) fn take(&mut self, url: &str, content_type: Option<&str>, kind: &str) {
        if url.len() > URL_BYTES_MAX {
            return;
        }
        let Ok(url) = Url::parse(url) else { return };
        let says_media = content_type.is_some_and(is_media_type);
        if matches!(url.scheme(), "http" | "https")
            && (says_media || kind == "Media" || has_media_ending(&url))
        {
            self.add(url, content_type.filter(|text| !text.is_empty()));
        }
    }

    /// Adds a media URL, or what is now known of its type.
    pub(super) fn add(&mut self, mut url: Url, content_type: Option<&str>) {
        url.set_fragment(None);
        let content_type = content_type.map(|text| text.chars().take(TYPE_CHARS_MAX).collect());
        if let Some(&place) = self.places.get(&url) {
            if content_type.is_some() {
                self.media[place].1 = content_type;
            }
        } else if self.media.len() < MEDIA_MAX {
            self.places.insert(url.clone(), self.media.len());
            self.media.push((url, content_type));
        } else {
            self.left_out += 1;
        }
    }

    /// Notes what was not let through.
    pub(super) fn refuse(&mut self, target: &str, why: &str) {
        let target: String = target.chars().take(URL_BYTES_MAX).collect();
        let is_known = self.refused.iter().any(|(known, reason)| *known == target && reason == why);
        if !is_known && self.refused.len() < REFUSED_MAX {
            self.refused.push((target, why.to_owned()));
        }
    }
}

fn is_media_type(text: &str) -> bool {
    let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    bare.starts_with("audio/") || bare.starts_with("video/") || TYPES.contains(&bare.as_str())
}

fn has_media_ending(url: &Url) -> bool {
    let ending = url.path().rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn media(seen: &Seen) -> Vec<(&str, Option<&str>)> {
        seen.media.iter().map(|(url, kind)| (url.as_str(), kind.as_deref())).collect()
    }

    #[test]
    fn media_by_type_ending_or_use() {
        let mut seen = Seen::default();
        seen.take("http://a.example/x.mp3?t=1", None, "XHR");
        seen.take("http://a.example/x.mp3?t=1#now", Some("audio/mpeg"), "XHR");
        seen.take("http://a.example/live", Some("application/vnd.apple.mpegurl; charset=utf-8"), "Fetch");
        seen.take("http://a.example/opaque", Some("application/octet-stream"), "Media");
        seen.take("http://a.example/page.html", Some("text/html"), "Document");
        seen.take("data:audio/mpeg;base64,AAAA", Some("audio/mpeg"), "Media");
        seen.take("blob:http://a.example/1", Some("audio/mpeg"), "Media");
        assert_eq!(
            media(&seen),
            [
                ("http://a.example/x.mp3?t=1", Some("audio/mpeg")),
                ("http://a.example/live", Some("application/vnd.apple.mpegurl; charset=utf-8")),
                ("http://a.example/opaque", Some("application/octet-stream")),
            ]
        );
    }

    #[test]
    fn lists_are_bounded() {
        let mut seen = Seen::default();
        for number in 0..2000 {
            seen.take(&format!("http://a.example/{number}.mp3"), None, "Media");
            seen.refuse(&format!("http://10.0.0.1/{number}"), "private");
            seen.refuse("http://10.0.0.1/", "private");
        }
        assert_eq!((seen.media.len(), seen.left_out), (MEDIA_MAX, 1500));
        assert_eq!(seen.refused.len(), REFUSED_MAX);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(url in ".{0,80}", kind in ".{0,20}") {
            let mut seen = Seen::default();
            seen.take(&url, Some(&kind), &kind);
            seen.take(&format!("http://a.example/{url}"), None, "Media");
            proptest::prop_assert!(seen.media.len() <= 2);
        }
    }
}
