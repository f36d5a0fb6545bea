//! Attributes of any element: addresses that scripts will use, quoted markup, the settings of Flash players.

use scraper::ElementRef;
use url::form_urlencoded;

use super::html::get;
use super::sink::Sink;
use super::{MediaKind, address_kind, strings, unescape};

/// Bytes of quoted markup that are read of one page, in all: each quotation is a page of its own to the parser.
const QUOTED_BYTES_MAX: usize = 256 << 10;
/// Quotations that are read of one page.
const QUOTED_MAX: usize = 200;
/// Settings that are read of one Flash player.
const SETTINGS_MAX: usize = 100;

/// Markup that stands in attributes and templates, to be read as pages of their own.
#[derive(Default)]
pub(super) struct Quoted {
    pub(super) pieces: Vec<String>,
    bytes: usize,
}

impl Quoted {
    /// One that takes nothing.
    pub(super) const fn full() -> Self {
        Self { pieces: Vec::new(), bytes: QUOTED_BYTES_MAX }
    }

    pub(super) fn add(&mut self, markup: &str) {
        let bytes = self.bytes.saturating_add(markup.len());
        if bytes <= QUOTED_BYTES_MAX && self.pieces.len() < QUOTED_MAX {
            self.bytes = bytes;
            self.pieces.push(markup.to_owned());
        }
    }
}

/// Adds what the attributes of an element hold, its own sources and links apart.
pub(super) fn scan(element: ElementRef<'_>, sink: &mut Sink, quoted: &mut Quoted) {
    for (name, value) in element.value().attrs() {
        let is_data = name.starts_with("data-");
        if name == "srcdoc" || is_data && value.contains('<') {
            quoted.add(value);
        }
        if is_data || name.starts_with("on") {
            data(name, value, sink);
        } else if strings::is_media_name(name) {
            named(name, value, sink);
        } else if name == "value" && matches!(element.value().name(), "option" | "input" | "button" | "li") {
            address(value, name, sink);
        } else if name == "itemprop" && !matches!(element.value().name(), "a" | "link" | "meta") {
            microdata(element, sink);
        }
    }
}

/// A `data-…` attribute or an event handler: an address with a media extension, JSON or script that holds some, or
/// an address that the attribute's name promises to be media.
fn data(name: &str, value: &str, sink: &mut Sink) {
    if value.contains(['"', '\'']) {
        strings::scan(value, name, sink);
    } else if strings::is_media_name(name) {
        named(name, value, sink);
    } else {
        address(value, name, sink);
    }
}

/// An attribute whose name promises media.
fn named(name: &str, value: &str, sink: &mut Sink) {
    let decoded = unescape::base64(value.trim()).filter(|text| text.starts_with("http"));
    let plain = unescape::address(decoded.as_deref().unwrap_or(value.trim())).into_owned();
    match address_kind(&plain) {
        Some(kind) if !plain.contains(char::is_whitespace) => sink.media(&plain, name, kind),
        None if strings::may_be_media(&plain) => sink.guess(&plain, name),
        _ => {}
    }
}

/// An address with a media extension, plain, percent-encoded or in Base64.
fn address(value: &str, name: &str, sink: &mut Sink) {
    let value = value.trim();
    let decoded = value.starts_with("aHR0c").then(|| unescape::base64(value)).flatten();
    let value = decoded.as_deref().unwrap_or(value);
    if value.contains(char::is_whitespace) {
        return;
    }
    let plain = unescape::address(value);
    if let Some(kind) = address_kind(&plain) {
        sink.media(&plain, name, kind);
    }
}

/// What the microdata property of an element promises of its address.
pub(super) fn item_kind(element: ElementRef<'_>) -> Option<MediaKind> {
    match get(element, "itemprop")?.to_ascii_lowercase().as_str() {
        "contenturl" | "audio" => Some(MediaKind::Media),
        "embedurl" => Some(MediaKind::Embed),
        _ => None,
    }
}

/// Microdata on elements that show something else.
fn microdata(element: ElementRef<'_>, sink: &mut Sink) {
    let address = ["content", "href"].iter().find_map(|name| get(element, name));
    if let (Some(kind), Some(address)) = (item_kind(element), address) {
        sink.media(address, "microdata", kind);
    }
}

/// `<param name= value=>` of an object.
pub(super) fn param(element: ElementRef<'_>, sink: &mut Sink) {
    let (Some(name), Some(value)) = (get(element, "name"), get(element, "value")) else { return };
    match name.to_ascii_lowercase().as_str() {
        "flashvars" => settings(value, sink),
        "movie" | "src" if is_flash(value) => {
            settings(value.split_once('?').map_or("", |(_, query)| query), sink);
        }
        "movie" | "src" | "filename" | "url" | "file" | "data" => address(value, "param", sink),
        name if strings::is_media_name(name) => named("param", value, sink),
        _ => {}
    }
}

/// Whether an address is that of a Flash player, which itself is no media.
pub(super) fn is_flash(address: &str) -> bool {
    address.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase().ends_with(".swf")
}

/// The settings of a Flash player, `file=…&autostart=1`.
pub(super) fn settings(query: &str, sink: &mut Sink) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(SETTINGS_MAX) {
        // Lists of songs are divided by bars.
        for value in value.split('|') {
            if strings::is_media_name(&name) || matches!(&*name, "src" | "url" | "source") {
                named("flashvars", value, sink);
            } else {
                address(value, "flashvars", sink);
            }
        }
    }
}
