//! Media and links of an HTML page.

use super::sink::Sink;
use super::tags::{Reader, Tag, Token, unescape};
use super::{MediaKind, extension_kind, json_ld, strings};

/// Attributes that players' lazy loaders keep an address in.
const SOURCES: &[&str] =
    &["src", "data-src", "data-source", "data-video-src", "data-audio-src", "data-url", "data-lazy-src"];

/// Collects what `html` leads to.
pub(super) fn scan(html: &str, sink: &mut Sink) {
    if let Some(base) = base_of(html) {
        sink.set_base(&base);
    }
    let mut page = Page { in_picture: false, raw: Raw::Other, scripts: Vec::new() };
    for token in Reader::new(html) {
        match token {
            Token::Open(tag) => page.open(&tag, sink),
            Token::Close(name) if name == "picture" => page.in_picture = false,
            Token::Close(_) => {}
            Token::Raw(text) => page.raw(text, sink),
        }
    }
    // The last resort comes last, so that what the page says openly keeps its better provenance.
    for script in page.scripts {
        strings::scan(script, "script", sink);
    }
}

/// The first `<base href>` counts, also for what stands before it.
fn base_of(html: &str) -> Option<String> {
    Reader::new(html).find_map(|token| match token {
        Token::Open(tag) if tag.name == "base" => tag.get("href").map(str::to_owned),
        _ => None,
    })
}

/// What the raw text that comes next is.
enum Raw {
    Title,
    JsonLd,
    Script,
    Other,
}

struct Page<'t> {
    in_picture: bool,
    raw: Raw,
    scripts: Vec<&'t str>,
}

impl<'t> Page<'t> {
    fn open(&mut self, tag: &Tag, sink: &mut Sink) {
        self.raw = Raw::Other;
        match tag.name.as_str() {
            "audio" | "amp-audio" => sources(tag, "audio", sink),
            "video" | "amp-video" => sources(tag, "video", sink),
            "source" if !self.in_picture => sources(tag, "source", sink),
            "picture" => self.in_picture = true,
            "a" | "area" => anchor(tag, sink),
            "link" => head_link(tag, sink),
            "meta" => meta(tag, sink),
            "iframe" | "frame" | "amp-iframe" => {
                for name in ["src", "data-src"] {
                    tag.get(name).into_iter().for_each(|src| sink.media(src, "iframe", MediaKind::Embed));
                }
            }
            "embed" => plugin(tag, "src", sink),
            "object" => plugin(tag, "data", sink),
            "title" => self.raw = Raw::Title,
            "script" => self.raw = script_kind(tag),
            _ => {}
        }
        data_attributes(tag, sink);
    }

    fn raw(&mut self, text: &'t str, sink: &mut Sink) {
        match std::mem::replace(&mut self.raw, Raw::Other) {
            Raw::Title => sink.title(&unescape(text)),
            Raw::JsonLd => json_ld::scan(text, sink),
            Raw::Script => self.scripts.push(text),
            Raw::Other => {}
        }
    }
}

fn script_kind(tag: &Tag) -> Raw {
    match tag.get("type").map(str::to_ascii_lowercase).as_deref() {
        Some(kind) if kind.starts_with("application/ld+json") => Raw::JsonLd,
        _ => Raw::Script,
    }
}

/// The addresses of a player element.
fn sources(tag: &Tag, via: &str, sink: &mut Sink) {
    let type_kind = tag.get("type").and_then(type_kind);
    for name in SOURCES {
        if let Some(src) = tag.get(name) {
            let kind = type_kind.or_else(|| extension_kind_of_url(src)).unwrap_or(MediaKind::Media);
            sink.media(src, via, kind);
        }
    }
}

/// `<a href>`: media where the address or the `type` says so, else a page.
fn anchor(tag: &Tag, sink: &mut Sink) {
    let Some(href) = tag.get("href") else { return };
    match tag.get("type").and_then(type_kind).or_else(|| extension_kind_of_url(href)) {
        Some(kind) => sink.media(href, "link", kind),
        None => sink.link(href),
    }
}

fn head_link(tag: &Tag, sink: &mut Sink) {
    let Some(href) = tag.get("href") else { return };
    let rel = tag.get("rel").unwrap_or_default().to_ascii_lowercase();
    let has = |word: &str| rel.split_whitespace().any(|token| token == word);
    let kind = tag.get("type").and_then(type_kind);
    if has("alternate") {
        match kind {
            Some(kind) => sink.media(href, "alternate", kind),
            None if !tag.get("type").is_some_and(|kind| kind.contains('+')) => sink.link(href),
            None => {}
        }
    } else if has("audio_src") || has("video_src") || has("enclosure") {
        sink.media(href, "link", kind.unwrap_or(MediaKind::Media));
    } else if has("preload") && matches!(tag.get("as"), Some("audio" | "video" | "track")) {
        sink.media(href, "preload", kind.unwrap_or(MediaKind::Media));
    } else if has("next") || has("prev") {
        sink.link(href);
    }
}

/// `og:`, `twitter:`, microdata and refresh.
fn meta(tag: &Tag, sink: &mut Sink) {
    let Some(content) = tag.get("content") else { return };
    let name = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|name| tag.get(name));
    let kind = || extension_kind_of_url(content).unwrap_or(MediaKind::Media);
    match name.map(str::to_ascii_lowercase).as_deref() {
        Some("og:audio" | "og:audio:url" | "og:audio:secure_url") => sink.media(content, "og:audio", kind()),
        Some("og:video" | "og:video:url" | "og:video:secure_url") => sink.media(content, "og:video", kind()),
        Some("twitter:player:stream") => sink.media(content, "twitter:player:stream", kind()),
        Some("twitter:player") => sink.media(content, "twitter:player", MediaKind::Embed),
        Some("contenturl" | "audio") => sink.media(content, "microdata", kind()),
        Some("embedurl") => sink.media(content, "microdata", MediaKind::Embed),
        Some("refresh") => {
            if let Some(target) = refresh_target(content) {
                sink.media(target, "meta-refresh", extension_kind_of_url(target).unwrap_or(MediaKind::Embed));
            }
        }
        _ => {}
    }
}

/// `5; url='next.html'`.
fn refresh_target(content: &str) -> Option<&str> {
    let (_, after) = content.split_once([';', ','])?;
    let after = after.trim_start();
    let is_url = after.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("url"));
    let target = if is_url { after[3..].trim_start().strip_prefix('=')? } else { after };
    let target = target.trim().trim_matches(['"', '\'']);
    (!target.is_empty()).then_some(target)
}

/// `<embed>`, `<object>`: only what is named as media.
fn plugin(tag: &Tag, attribute: &str, sink: &mut Sink) {
    let Some(src) = tag.get(attribute) else { return };
    match tag.get("type").and_then(type_kind).or_else(|| extension_kind_of_url(src)) {
        Some(kind) => sink.media(src, &tag.name, kind),
        None if tag.get("type").is_some_and(|kind| kind.starts_with("text/html")) => {
            sink.media(src, &tag.name, MediaKind::Embed);
        }
        None => {}
    }
}

/// `data-…` attributes of any element: an address with a media extension, or JSON that holds some.
fn data_attributes(tag: &Tag, sink: &mut Sink) {
    for (name, value) in tag.attributes() {
        if !name.starts_with("data-") && !name.starts_with("on") {
            continue;
        }
        if value.contains(['"', '\'']) {
            strings::scan(value, name, sink);
        } else if !value.contains(char::is_whitespace)
            && let Some(kind) = extension_kind_of_url(value)
        {
            sink.media(value, name, kind);
        }
    }
}

/// What a `type` attribute promises.
fn type_kind(text: &str) -> Option<MediaKind> {
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/vnd.apple.mpegurl"
        | "application/x-mpegurl"
        | "audio/mpegurl"
        | "audio/x-mpegurl"
        | "application/dash+xml"
        | "audio/x-scpls"
        | "application/xspf+xml" => Some(MediaKind::Playlist),
        "application/rss+xml" | "application/atom+xml" => Some(MediaKind::Feed),
        "application/ogg" => Some(MediaKind::Media),
        _ if essence.starts_with("audio/") || essence.starts_with("video/") => Some(MediaKind::Media),
        _ => None,
    }
}

/// What an address promises: by its path's extension, or by a value of its query (`get.php?file=song.mp3`).
fn extension_kind_of_url(href: &str) -> Option<MediaKind> {
    let href = href.split('#').next().unwrap_or_default();
    let (path, query) = href.split_once('?').unwrap_or((href, ""));
    // `http://a.example` has no path whose end could be an extension.
    let path =
        path.split_once("://").map_or(Some(path), |(_, rest)| rest.split_once('/').map(|(_, path)| path));
    path.and_then(extension_kind)
        .or_else(|| query.split('&').find_map(|pair| extension_kind(pair.split_once('=')?.1)))
}
