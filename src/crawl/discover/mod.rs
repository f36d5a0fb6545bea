//! Discovery: here are a document's bytes; gives the media it plays or links to, and the pages it links to.
//!
//! [`discover`] is pure, takes any bytes and never fails: what cannot be read is left out. The order in which media
//! are given is the order of trust: what players load, what links and metadata name, and last what only a script's
//! strings hint at.

mod attributes;
mod cue;
mod dash;
mod hls;
mod html;
mod json_ld;
mod leads;
mod plain;
mod playlist;
mod sink;
pub(super) mod sitemap;
mod stream;
mod strings;
mod text;
mod tokens;
mod tree;
mod unescape;
mod xml;

use serde::{Deserialize, Serialize};
use url::Url;

pub use html::refresh_target;
pub use leads::{Lead, LeadKind};
pub use plain::page_text;
pub use stream::{DecryptError, Segment, SegmentKey, Stream, decrypt};

use super::sniff::{Content, sniff};
use sink::Sink;

/// What a link promises; what is really there, the bytes will tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Audio or video.
    Media,
    /// A playlist of some kind.
    Playlist,
    /// A page shown inside the page, such as a player.
    Embed,
    /// A feed of the site.
    Feed,
}

/// One link to media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaLink {
    /// Where it leads; always http or https.
    pub url: Url,
    /// How the page names it: `audio`, `source`, `link`, `og:audio`, `json-ld`, `playlist`, `script` …
    pub via: String,
    /// What it promises.
    pub kind: MediaKind,
}

/// What a document leads to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovered {
    /// The document's title, as text.
    pub title: Option<String>,
    /// Media, each URL once.
    pub media: Vec<MediaLink>,
    /// Pages, each URL once.
    pub links: Vec<Url>,
    /// What points to music and is not followed, each target once.
    pub leads: Vec<Lead>,
    /// The streams or segments, where the document is an HLS playlist or a DASH manifest.
    pub stream: Option<Stream>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// Finds what the document in `bytes`, fetched from `url`, leads to.
///
/// ```
/// use earwitness::crawl::discover::discover;
///
/// let page = br#"<title>New</title><audio src="song.mp3"></audio><a href="/more">more</a>"#;
/// let url = "https://music.example/new/".parse()?;
/// let found = discover(&url, Some("text/html"), page);
/// assert_eq!(found.title.as_deref(), Some("New"));
/// assert_eq!(found.media[0].url.as_str(), "https://music.example/new/song.mp3");
/// assert_eq!(found.links[0].as_str(), "https://music.example/more");
/// # Ok::<(), url::ParseError>(())
/// ```
#[must_use]
pub fn discover(url: &Url, content_type: Option<&str>, bytes: &[u8]) -> Discovered {
    let mut sink = Sink::new(url);
    let content = sniff(content_type, bytes);
    if matches!(content, Content::Media | Content::Archive(_) | Content::Other) {
        return sink.finish();
    }
    let (text, encoding) = text::decode(bytes, content_type, url);
    sink.set_encoding(encoding);
    let mut stream = None;
    match content {
        Content::Html => html::scan(&text, &mut sink),
        Content::Xml => {
            xml::scan(&text, &mut sink);
            leads::text::scan(&text, &mut sink);
        }
        Content::Json => {
            strings::scan(&text, "json", &mut sink);
            leads::text::scan(&text, &mut sink);
        }
        // A stream's playlist may say so late, or be sent as a plain one.
        Content::M3u if text.contains("#EXT-X-TARGETDURATION") || text.contains("#EXT-X-STREAM-INF") => {
            stream = hls::parse(&text, &mut sink);
        }
        Content::M3u => playlist::m3u(&text, &mut sink),
        Content::Pls => playlist::pls(&text, &mut sink),
        Content::Cue => cue::scan(&text, &mut sink),
        Content::Dash => stream = dash::parse(&text, &mut sink),
        Content::Hls => stream = hls::parse(&text, &mut sink),
        Content::Media | Content::Archive(_) | Content::Other => {}
    }
    Discovered { stream, ..sink.finish() }
}

/// Extensions of audio and video.
const MEDIA_EXTENSIONS: &[&str] = &[
    "mp3", "mp2", "m4a", "m4b", "m4r", "aac", "ogg", "oga", "opus", "spx", "flac", "wav", "wave", "aif",
    "aiff", "aifc", "wma", "ape", "wv", "mka", "alac", "caf", "amr", "ac3", "dts", "tta", "tak", "mpc", "au",
    "snd", "dsf", "dff", "ra", "mp4", "m4v", "webm", "mkv", "mov", "avi", "flv", "f4v", "3gp", "wmv", "asf",
    "mpg", "mpeg", "ogv",
];

const PLAYLIST_EXTENSIONS: &[&str] = &["m3u", "m3u8", "pls", "xspf", "asx", "wpl", "mpd", "cue"];

/// What the extension of a path promises, if anything; files that music platforms encrypt count as media.
#[must_use]
pub fn extension_kind(path: &str) -> Option<MediaKind> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    if extension.len() > 8 {
        return None;
    }
    let extension = extension.to_ascii_lowercase();
    let extension = extension.as_str();
    if MEDIA_EXTENSIONS.contains(&extension) || leads::ENCRYPTED_EXTENSIONS.contains(&extension) {
        Some(MediaKind::Media)
    } else if PLAYLIST_EXTENSIONS.contains(&extension) {
        Some(MediaKind::Playlist)
    } else {
        None
    }
}

/// What an address promises: by its path's extension, or by a value of its query (`get.php?file=song.mp3`).
fn address_kind(href: &str) -> Option<MediaKind> {
    let href = href.split('#').next().unwrap_or_default();
    let (path, query) = href.split_once('?').unwrap_or((href, ""));
    // `http://a.example` has no path whose end could be an extension.
    let path =
        path.split_once("://").map_or(Some(path), |(_, rest)| rest.split_once('/').map(|(_, path)| path));
    path.and_then(extension_kind)
        .or_else(|| query.split('&').find_map(|pair| extension_kind(pair.split_once('=')?.1)))
}

#[cfg(test)]
mod tests;
