//! Feeds (RSS, Atom) and XML playlists (XSPF, ASX, SMIL): one reader that knows their elements by name.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::sink::Sink;
use super::{MediaKind, extension_kind};

/// The longest text of one element that is kept.
const TEXT_BYTES_MAX: usize = 4096;

/// Adds what the document names. Stops at the first place that is not XML and keeps what came before.
pub(super) fn scan(xml: &str, sink: &mut Sink) {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut text = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => {
                text.clear();
                begin(&element, sink);
            }
            Ok(Event::Text(piece)) => push(&mut text, &piece.xml10_content()),
            Ok(Event::CData(piece)) => push(&mut text, &piece.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                let written = format!("&{};", reference.xml10_content());
                push(&mut text, &super::tags::unescape(&written));
            }
            Ok(Event::End(element)) => {
                end(&element.local_name().as_ref().to_ascii_lowercase(), text.trim(), sink);
                text.clear();
            }
            Ok(Event::Eof) => return,
            Ok(_) => {}
            Err(error) => {
                sink.problem(format!(
                    "not well-formed XML from byte {} on ({error})",
                    reader.error_position()
                ));
                return;
            }
        }
    }
}

fn push(text: &mut String, piece: &str) {
    if text.len() < TEXT_BYTES_MAX {
        text.push_str(super::tags::cut(piece, TEXT_BYTES_MAX));
    }
}

fn begin(element: &BytesStart<'_>, sink: &mut Sink) {
    let name = element.local_name().as_ref().to_ascii_lowercase();
    let get = |wanted: &str| {
        let attribute = element
            .attributes()
            .flatten()
            .find(|attribute| attribute.key.local_name().as_ref().eq_ignore_ascii_case(wanted))?;
        Some(super::tags::unescape(&attribute.value).into_owned())
    };
    match name.as_str() {
        "enclosure" => media(get("url").or_else(|| get("href")), "enclosure", sink),
        "content" if get("url").is_some() => typed_content(get("url"), get("type"), get("medium"), sink),
        "link" => match (get("rel").as_deref(), get("href")) {
            (Some("enclosure"), href) => media(href, "enclosure", sink),
            (Some("alternate") | None, Some(href)) => sink.link(&href),
            _ => {}
        },
        // ASX and SMIL.
        "ref" | "audio" | "video" => media(get("href").or_else(|| get("src")), "playlist", sink),
        _ => {}
    }
}

/// `<media:content>` also stands for pictures.
fn typed_content(url: Option<String>, kind: Option<String>, medium: Option<String>, sink: &mut Sink) {
    let is_media = kind.is_some_and(|kind| kind.starts_with("audio/") || kind.starts_with("video/"))
        || medium.is_some_and(|medium| medium == "audio" || medium == "video")
        || url
            .as_deref()
            .is_some_and(|url| extension_kind(url.split('?').next().unwrap_or_default()).is_some());
    if is_media {
        media(url, "enclosure", sink);
    }
}

fn media(url: Option<String>, via: &str, sink: &mut Sink) {
    if let Some(url) = url {
        let kind =
            extension_kind(url.split(['?', '#']).next().unwrap_or_default()).unwrap_or(MediaKind::Media);
        sink.media(&url, via, kind);
    }
}

fn end(name: &str, text: &str, sink: &mut Sink) {
    match name {
        "title" => sink.title(text),
        "link" if !text.is_empty() => sink.link(text),
        "location" => media(Some(text.to_owned()), "playlist", sink),
        _ => {}
    }
}
