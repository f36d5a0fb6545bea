//! JSON-LD: `contentUrl` and `embedUrl` of AudioObject, VideoObject, MusicRecording and whatever else carries them.

use serde_json::Value;

use super::sink::Sink;
use super::{MediaKind, extension_kind};

/// Adds what a script of type `application/ld+json` names. Text that is not JSON is searched for strings instead.
pub(super) fn scan(text: &str, sink: &mut Sink) {
    let text = text.trim().trim_start_matches("<!--").trim_end_matches("-->").trim();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => walk(&value, sink),
        Err(_) => super::strings::scan(text, "json-ld", sink),
    }
}

/// Walks the whole value; the parser's own limit on nesting bounds the depth.
fn walk(value: &Value, sink: &mut Sink) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, sink)),
        Value::Object(members) => {
            for (name, value) in members {
                member(name, value, sink);
                walk(value, sink);
            }
        }
        _ => {}
    }
}

fn member(name: &str, value: &Value, sink: &mut Sink) {
    let addresses: Vec<&str> = match value {
        Value::String(address) => vec![address],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    for address in addresses {
        let kind = extension_kind(address.split(['?', '#']).next().unwrap_or_default());
        match name {
            "contentUrl" | "contentURL" => sink.media(address, "json-ld", kind.unwrap_or(MediaKind::Media)),
            "embedUrl" | "embedURL" => sink.media(address, "json-ld", MediaKind::Embed),
            "audio" | "video" | "url" | "encoding" => {
                if let Some(kind) = kind {
                    sink.media(address, "json-ld", kind);
                }
            }
            _ => {}
        }
    }
}
