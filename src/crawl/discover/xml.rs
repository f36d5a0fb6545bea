//! Feeds (RSS, Atom) and XML playlists (XSPF, ASX, SMIL, WPL): one reader that knows their elements by name.

use std::borrow::Cow;

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
                push(&mut text, &unescape(&written));
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
        text.push_str(cut(piece, TEXT_BYTES_MAX));
    }
}

fn begin(element: &BytesStart<'_>, sink: &mut Sink) {
    let name = element.local_name().as_ref().to_ascii_lowercase();
    let get = |wanted: &str| {
        let mut attributes = element.attributes();
        // Looking for repeated names costs the square of their number.
        let attribute = attributes
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.local_name().as_ref().eq_ignore_ascii_case(wanted))?;
        Some(unescape(&attribute.value).into_owned())
    };
    match name.as_str() {
        "enclosure" => media(get("url").or_else(|| get("href")), "enclosure", sink),
        "content" if get("url").is_some() => typed_content(get("url"), get("type"), get("medium"), sink),
        "link" => match (get("rel").as_deref(), get("href")) {
            (Some("enclosure"), href) => media(href, "enclosure", sink),
            (Some("alternate") | None, Some(href)) => sink.link(&href),
            _ => {}
        },
        // `<podcast:source>`
        "source" if get("uri").is_some() => media(get("uri"), "enclosure", sink),
        // ASX, SMIL and WPL.
        "ref" | "entryref" | "audio" | "video" | "media" => {
            media(get("href").or_else(|| get("src")), "playlist", sink);
        }
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

/// Returns at most `bytes_max` bytes of `text`, whole characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let end = (0..=bytes_max).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

/// The longest name of a character reference in HTML, `&CounterClockwiseContourIntegral;`.
const REFERENCE_BYTES_MAX: usize = 33;

/// Resolves character references (`&amp;`, `&#x27;`); what is none stays as it is.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name_end = rest.bytes().take(REFERENCE_BYTES_MAX).position(|byte| byte == b';');
        let resolved = name_end.and_then(|end| Some((resolve(&rest[1..end])?, end)));
        if let Some((character, end)) = resolved {
            out.push_str(&character);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn resolve(reference: &str) -> Option<Cow<'static, str>> {
    let Some(number) = reference.strip_prefix('#') else {
        return quick_xml::escape::resolve_html5_entity(reference).map(Cow::Borrowed);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?).filter(|c| *c != '\0').map(|c| Cow::Owned(c.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(
            unescape("a&b=1&copy=2&lt;&eacute;&#x4e2d;&#20013;&#0;&nosuch;&"),
            "a&b=1&copy=2<é中中&#0;&nosuch;&"
        );
    }
}
