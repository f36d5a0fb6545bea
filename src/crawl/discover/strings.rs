//! Media addresses in quoted strings: the settings of players in scripts, JSON in attributes.

use super::sink::Sink;
use super::{MediaKind, extension_kind};

/// The longest string that can be an address.
const STRING_BYTES_MAX: usize = 2000;

/// Adds every quoted string of `text` that is an address with a media extension (`"file":"https:\/\/…mp3"`).
///
/// The text is cut at each kind of quote in turn and every piece is looked at, inside or outside of quotes: that is
/// linear, and an apostrophe in a comment cannot hide what follows.
pub(super) fn scan(text: &str, via: &str, sink: &mut Sink) {
    for quote in ['"', '\'', '`'] {
        for piece in text.split(quote) {
            if sink.is_full() {
                return;
            }
            if let Some((address, kind)) = address(piece) {
                sink.media(&address, via, kind);
            }
        }
    }
}

/// Whether a piece of script is an address of media, and its plain form.
fn address(piece: &str) -> Option<(String, MediaKind)> {
    let piece = piece.trim_end_matches('\\').trim();
    if piece.len() < 5 || piece.len() > STRING_BYTES_MAX || !piece.contains('.') {
        return None;
    }
    if piece
        .contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '{' | '}' | '(' | ')' | ';' | ','))
    {
        return None;
    }
    let plain = plain(piece);
    // A bare extension list or a pattern (`*.mp3`) is no address.
    if plain.contains('*') || plain.starts_with('.') && !plain.starts_with("./") && !plain.starts_with("../")
    {
        return None;
    }
    let path = plain.split(['?', '#']).next().unwrap_or_default();
    Some((plain.clone(), extension_kind(path)?))
}

/// Undoes the escapes that addresses are written with in scripts.
fn plain(text: &str) -> String {
    let mut out = text.replace("\\/", "/");
    for (escape, character) in [
        ("\\u002f", "/"),
        ("\\u002F", "/"),
        ("\\u0026", "&"),
        ("\\u003d", "="),
        ("\\u003D", "="),
        ("&amp;", "&"),
    ] {
        if out.contains(escape) {
            out = out.replace(escape, character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(
            address("https:\\/\\/a.example\\/x.mp3?k=1\\u0026s=2").map(|found| found.0).as_deref(),
            Some("https://a.example/x.mp3?k=1&s=2")
        );
        assert_eq!(address("/live/index.m3u8").map(|found| found.1), Some(MediaKind::Playlist));
        for none in [".mp3", "*.mp3", "a b.mp3", "x.css", "if(x){y.mp3}", "mp3"] {
            assert!(address(none).is_none(), "{none}");
        }
    }
}
