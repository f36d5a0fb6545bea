//! Media and links of an HTML page.

use scraper::{ElementRef, Html, Selector};

use super::sink::Sink;
use super::{MediaKind, extension_kind, json_ld, strings, tree};

/// Attributes that players' lazy loaders keep an address in.
const SOURCES: &[&str] =
    &["src", "data-src", "data-source", "data-video-src", "data-audio-src", "data-url", "data-lazy-src"];

/// Collects what `html` leads to.
pub(super) fn scan(html: &str, sink: &mut Sink) {
    let page = tree::parse(html);
    page.problem.into_iter().for_each(|problem| sink.problem(problem));
    let page = page.tree;
    // The first base counts, also for what stands before it.
    if let Some(base) = all(&page, "base[href]").find_map(|base| get(base, "href")) {
        sink.set_base(base);
    }
    for title in all(&page, "title") {
        sink.title(&title.text().collect::<String>());
    }
    let pictures: Vec<_> = all(&page, "picture source").map(|source| source.id()).collect();
    for element in all(&page, "*") {
        if pictures.binary_search(&element.id()).is_err() {
            element_leads_to(element, sink);
        }
        data_attributes(element, sink);
    }
    // The last resort comes last, so that what the page says openly keeps its better provenance.
    for script in all(&page, "script").filter(|script| !is_json_ld(*script)) {
        strings::scan(&script.text().collect::<String>(), "script", sink);
    }
}

/// The elements that a CSS selector picks, in the order of the page.
fn all<'p>(page: &'p Html, css: &str) -> impl Iterator<Item = ElementRef<'p>> {
    let selector = Selector::parse(css);
    debug_assert!(selector.is_ok(), "{css}");
    let picked: Vec<_> = selector.iter().flat_map(|selector| page.select(selector)).collect();
    picked.into_iter()
}

/// The value of an attribute, trimmed, if it is there and not empty.
fn get<'p>(element: ElementRef<'p>, name: &str) -> Option<&'p str> {
    element.attr(name).map(str::trim).filter(|value| !value.is_empty())
}

fn element_leads_to(element: ElementRef<'_>, sink: &mut Sink) {
    match element.value().name() {
        "audio" | "amp-audio" => sources(element, "audio", sink),
        "video" | "amp-video" => sources(element, "video", sink),
        "source" => sources(element, "source", sink),
        "a" | "area" => anchor(element, sink),
        "link" => head_link(element, sink),
        "meta" => meta(element, sink),
        "iframe" | "frame" | "amp-iframe" => {
            for src in ["src", "data-src"].iter().filter_map(|name| get(element, name)) {
                sink.media(src, "iframe", MediaKind::Embed);
            }
        }
        "embed" => plugin(element, "src", sink),
        "object" => plugin(element, "data", sink),
        "script" if is_json_ld(element) => json_ld::scan(&element.text().collect::<String>(), sink),
        _ => {}
    }
}

fn is_json_ld(script: ElementRef<'_>) -> bool {
    let kind = get(script, "type").map(str::to_ascii_lowercase);
    kind.is_some_and(|kind| kind.starts_with("application/ld+json"))
}

/// The addresses of a player element.
fn sources(element: ElementRef<'_>, via: &str, sink: &mut Sink) {
    let type_kind = get(element, "type").and_then(type_kind);
    for name in SOURCES {
        if let Some(src) = get(element, name) {
            let kind = type_kind.or_else(|| extension_kind_of_url(src)).unwrap_or(MediaKind::Media);
            sink.media(src, via, kind);
        }
    }
}

/// `<a href>`: media where the address or the `type` says so, else a page.
fn anchor(element: ElementRef<'_>, sink: &mut Sink) {
    let Some(href) = get(element, "href") else { return };
    match get(element, "type").and_then(type_kind).or_else(|| extension_kind_of_url(href)) {
        Some(kind) => sink.media(href, "link", kind),
        None => sink.link(href),
    }
}

fn head_link(element: ElementRef<'_>, sink: &mut Sink) {
    let Some(href) = get(element, "href") else { return };
    let rel = get(element, "rel").unwrap_or_default().to_ascii_lowercase();
    let has = |word: &str| rel.split_whitespace().any(|token| token == word);
    let kind = get(element, "type").and_then(type_kind);
    if has("alternate") {
        match kind {
            Some(kind) => sink.media(href, "alternate", kind),
            None if !get(element, "type").is_some_and(|kind| kind.contains('+')) => sink.link(href),
            None => {}
        }
    } else if has("audio_src") || has("video_src") || has("enclosure") {
        sink.media(href, "link", kind.unwrap_or(MediaKind::Media));
    } else if has("preload") && matches!(get(element, "as"), Some("audio" | "video" | "track")) {
        sink.media(href, "preload", kind.unwrap_or(MediaKind::Media));
    } else if has("next") || has("prev") {
        sink.link(href);
    }
}

/// `og:`, `twitter:`, microdata and refresh.
fn meta(element: ElementRef<'_>, sink: &mut Sink) {
    let Some(content) = get(element, "content") else { return };
    let name = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|name| get(element, name));
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
fn plugin(element: ElementRef<'_>, attribute: &str, sink: &mut Sink) {
    let Some(src) = get(element, attribute) else { return };
    match get(element, "type").and_then(type_kind).or_else(|| extension_kind_of_url(src)) {
        Some(kind) => sink.media(src, element.value().name(), kind),
        None if get(element, "type").is_some_and(|kind| kind.starts_with("text/html")) => {
            sink.media(src, element.value().name(), MediaKind::Embed);
        }
        None => {}
    }
}

/// `data-…` attributes of any element: an address with a media extension, or JSON that holds some.
fn data_attributes(element: ElementRef<'_>, sink: &mut Sink) {
    for (name, value) in element.value().attrs() {
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
