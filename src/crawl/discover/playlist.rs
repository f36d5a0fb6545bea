//! Plain playlists: M3U and PLS. (XSPF is XML; HLS, which looks like M3U, has a reader of its own.)

use super::sink::Sink;
use super::{MediaKind, extension_kind};

/// Adds the entries of an M3U playlist: every line that is not a comment.
pub(super) fn m3u(text: &str, sink: &mut Sink) {
    for line in text.lines() {
        let line = line.trim();
        if let Some(title) = line.strip_prefix("#PLAYLIST:") {
            sink.title(title);
        } else if !line.is_empty() && !line.starts_with('#') {
            entry(line, sink);
        }
    }
}

/// Adds the entries of a PLS playlist: `File1=…`.
pub(super) fn pls(text: &str, sink: &mut Sink) {
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let number = name.strip_prefix("file").unwrap_or("-");
        if number.bytes().all(|byte| byte.is_ascii_digit()) {
            entry(value.trim(), sink);
        }
    }
}

fn entry(address: &str, sink: &mut Sink) {
    let kind = extension_kind(address.split(['?', '#']).next().unwrap_or_default());
    sink.media(address, "playlist", kind.unwrap_or(MediaKind::Media));
}
