//! Media and links of an HTML page.

use scraper::{ElementRef, Html, Selector};

use super::attributes::{self, Quoted};
use super::leads::LeadKind;
use super::sink::Sink;
use super::{MediaKind, address_kind, json_ld, leads, strings, tree, unescape};

/// Attributes that players' lazy loaders keep an address in.
const SOURCES: &[&str] = &[
    "src",
    "data-src",
    "data-source",
    "data-video-src",
    "data-audio-src",
    "data-url",
    "data-lazy-src",
    "data-lazy",
    "data-original",
    "data-file",
];
/// The same of frames.
const FRAME_SOURCES: &[&str] =
    &["src", "data-src", "data-lazy-src", "data-litespeed-src", "data-original", "data-url"];

/// Collects what `html` leads to.
pub(super) fn scan(html: &str, sink: &mut Sink) {
    let mut quoted = Quoted::default();
    let page = read(html, sink, &mut quoted);
    // The last resort comes last, so that what the page says openly keeps its better provenance.
    for script in all(&page, "script").filter(|script| !is_json_ld(*script)) {
        let text = script.text().collect::<String>();
        if is_template(script) {
            quoted.add(&text);
        } else {
            strings::scan(&text, "script", sink);
        }
    }
    // Of markup in markup, only what stands openly in it: its scripts and its own quotations are left.
    for html in std::mem::take(&mut quoted.pieces) {
        let base = sink.base().clone();
        read(&html, sink, &mut Quoted::full());
        sink.restore_base(base);
    }
    leads::text::scan(html, sink);
}

/// Collects what the elements of `html` lead to, and the markup that they quote.
fn read(html: &str, sink: &mut Sink, quoted: &mut Quoted) -> Html {
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
        attributes::scan(element, sink, quoted);
    }
    page
}

/// The elements that a CSS selector picks, in the order of the page.
fn all<'p>(page: &'p Html, css: &str) -> impl Iterator<Item = ElementRef<'p>> {
    let selector = Selector::parse(css);
    debug_assert!(selector.is_ok(), "{css}");
    let picked: Vec<_> = selector.iter().flat_map(|selector| page.select(selector)).collect();
    picked.into_iter()
}

/// The value of an attribute, trimmed, if it is there and not empty.
pub(super) fn get<'p>(element: ElementRef<'p>, name: &str) -> Option<&'p str> {
    element.attr(name).map(str::trim).filter(|value| !value.is_empty())
}

fn element_leads_to(element: ElementRef<'_>, sink: &mut Sink) {
    match element.value().name() {
        "audio" | "amp-audio" => sources(element, "audio", sink),
        "bgsound" => sources(element, "audio", sink),
        "video" | "amp-video" => sources(element, "video", sink),
        "source" => sources(element, "source", sink),
        "a" | "area" => anchor(element, sink),
        "link" => head_link(element, sink),
        "meta" => meta(element, sink),
        "iframe" | "frame" | "amp-iframe" | "amp-video-iframe" => {
            for src in FRAME_SOURCES.iter().filter_map(|name| get(element, name)) {
                sink.media(src, "iframe", MediaKind::Embed);
                inner(src, "iframe", sink);
            }
        }
        "embed" => plugin(element, "src", sink),
        "object" => plugin(element, "data", sink),
        "param" => attributes::param(element, sink),
        "script" if is_json_ld(element) => json_ld::scan(&element.text().collect::<String>(), sink),
        _ => {}
    }
}

fn is_json_ld(script: ElementRef<'_>) -> bool {
    let kind = get(script, "type").map(str::to_ascii_lowercase);
    kind.is_some_and(|kind| kind.starts_with("application/ld+json"))
}

/// Whether a script holds markup that other scripts show.
fn is_template(script: ElementRef<'_>) -> bool {
    let kind = get(script, "type").map(str::to_ascii_lowercase).unwrap_or_default();
    kind == "text/html"
        || ["template", "handlebars", "mustache", "tmpl"].iter().any(|word| kind.contains(word))
}

/// Adds the media that an address carries inside, percent-encoded: `player.html?url=https%3A%2F%2F…mp3`.
fn inner(address: &str, via: &str, sink: &mut Sink) {
    if let Some(address) = unescape::inner(address)
        && let Some(kind) = address_kind(&address)
    {
        sink.media(&address, via, kind);
    }
}

/// The addresses of a player element.
fn sources(element: ElementRef<'_>, via: &str, sink: &mut Sink) {
    let type_kind = get(element, "type").and_then(type_kind);
    for name in SOURCES {
        if let Some(src) = get(element, name) {
            let decoded = name.starts_with("data-").then(|| unescape::base64(src)).flatten();
            let src = decoded.as_deref().filter(|text| text.starts_with("http")).unwrap_or(src);
            let kind = type_kind.or_else(|| address_kind(src)).unwrap_or(MediaKind::Media);
            sink.media(src, via, kind);
        }
    }
}

/// `<a href>`: media where the address, the `type` or the file's name for saving says so, else a page or a lead.
fn anchor(element: ElementRef<'_>, sink: &mut Sink) {
    let Some(href) = get(element, "href") else { return };
    if href.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("javascript:")) {
        strings::scan(href, "link", sink);
        return;
    }
    let named = || get(element, "download").and_then(address_kind);
    let kind = get(element, "type").and_then(type_kind).or_else(|| address_kind(href)).or_else(named);
    let lead = leads::of_address(href, sink.base());
    // A share of Dropbox serves the file itself to players.
    let is_only_lead = lead.as_ref().is_some_and(|lead| lead.kind != LeadKind::Dropbox);
    if let Some(lead) = lead {
        sink.lead(lead);
    }
    match kind.or_else(|| attributes::item_kind(element)) {
        _ if is_only_lead => return,
        Some(kind) => sink.media(href, "link", kind),
        None => sink.link(href),
    }
    inner(href, "link", sink);
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
    } else if let Some(kind) = attributes::item_kind(element) {
        sink.media(href, "microdata", kind);
    } else if has("audio_src") || has("video_src") || has("enclosure") {
        sink.media(href, "link", kind.unwrap_or(MediaKind::Media));
    } else if has("preload") && matches!(get(element, "as"), Some("audio" | "video" | "track")) {
        sink.media(href, "preload", kind.unwrap_or(MediaKind::Media));
    } else if (has("preload") || has("prefetch")) && address_kind(href).is_some() {
        sink.media(href, "preload", address_kind(href).unwrap_or(MediaKind::Media));
    } else if has("next") || has("prev") {
        sink.link(href);
    }
}

/// `og:`, `twitter:`, microdata and refresh.
fn meta(element: ElementRef<'_>, sink: &mut Sink) {
    let Some(content) = get(element, "content") else { return };
    let name = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|name| get(element, name));
    let kind = || address_kind(content).unwrap_or(MediaKind::Media);
    match name.map(str::to_ascii_lowercase).as_deref() {
        Some("og:audio" | "og:audio:url" | "og:audio:secure_url") => sink.media(content, "og:audio", kind()),
        Some("og:video" | "og:video:url" | "og:video:secure_url") => sink.media(content, "og:video", kind()),
        Some("twitter:player:stream") => sink.media(content, "twitter:player:stream", kind()),
        Some("twitter:player") => sink.media(content, "twitter:player", MediaKind::Embed),
        Some("contenturl" | "audio") => sink.media(content, "microdata", kind()),
        Some("embedurl") => sink.media(content, "microdata", MediaKind::Embed),
        Some("refresh") => {
            if let Some(target) = refresh_target(content) {
                sink.media(target, "meta-refresh", address_kind(target).unwrap_or(MediaKind::Embed));
            }
        }
        _ => {}
    }
}

/// The address in a `Refresh` header or `<meta http-equiv=refresh>`, `5; url='next.html'`, as written there; `None`
/// where it only loads the page again.
///
/// ```
/// use earwitness::crawl::discover::refresh_target;
///
/// assert_eq!(refresh_target("0; URL=\"/next\""), Some("/next"));
/// assert_eq!(refresh_target("30"), None);
/// ```
#[must_use]
pub fn refresh_target(content: &str) -> Option<&str> {
    let (_, after) = content.split_once([';', ','])?;
    let after = after.trim_start();
    let is_url = after.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("url"));
    let target = if is_url { after[3..].trim_start().strip_prefix('=')? } else { after };
    let target = target.trim().trim_matches(['"', '\'']);
    (!target.is_empty()).then_some(target)
}

/// `<embed>`, `<object>`: what is named as media, and what a Flash player is told to play.
fn plugin(element: ElementRef<'_>, attribute: &str, sink: &mut Sink) {
    let name = element.value().name();
    if let Some(settings) = get(element, "flashvars") {
        attributes::settings(settings, sink);
    }
    let Some(src) = get(element, attribute) else { return };
    if attributes::is_flash(src) {
        attributes::settings(src.split_once('?').map_or("", |(_, query)| query), sink);
        return;
    }
    match get(element, "type").and_then(type_kind).or_else(|| address_kind(src)) {
        Some(kind) => sink.media(src, name, kind),
        None if get(element, "type").is_some_and(|kind| kind.starts_with("text/html")) => {
            sink.media(src, name, MediaKind::Embed);
        }
        None => {}
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
