//! What a response really is: by its first bytes, and by its Content-Type where they say nothing.

/// Bytes that are looked at.
pub(super) const HEAD_BYTES: usize = 512;

/// What a response is, as far as the crawl cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Audio or video, or bytes that claim to be: the decoder will tell.
    Media,
    /// A page.
    Html,
    /// A feed or an XML playlist.
    Xml,
    /// JSON.
    Json,
    /// An HLS playlist.
    Hls,
    /// A plain M3U playlist.
    M3u,
    /// A PLS playlist.
    Pls,
    /// A DASH manifest.
    Dash,
    /// Nothing of these: pictures, style sheets, plain text, archives.
    Other,
}

/// Decides by the first 512 bytes of a body and its Content-Type. The bytes come first: servers send audio as
/// `text/html` and error pages as `audio/mpeg`.
#[must_use]
pub fn sniff(content_type: Option<&str>, head: &[u8]) -> Content {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let essence =
        content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if has_media_magic(head) {
        return Content::Media;
    }
    if let Some(content) = by_text(head, &essence) {
        return content;
    }
    by_type(&essence, head)
}

fn by_text(head: &[u8], essence: &str) -> Option<Content> {
    let text =
        String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)).to_ascii_lowercase();
    let text = text.trim_start();
    if text.starts_with("#extm3u") {
        return Some(if text.contains("#ext-x-") || essence.contains("apple.mpegurl") {
            Content::Hls
        } else {
            Content::M3u
        });
    }
    if text.starts_with("[playlist]") {
        return Some(Content::Pls);
    }
    if !text.starts_with('<') {
        return None;
    }
    if text.contains("<mpd") {
        return Some(Content::Dash);
    }
    let is_page = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<title",
        "<meta",
        "<div",
        "<p",
        "<a ",
        "<!--",
    ]
    .iter()
    .any(|start| text.starts_with(start))
        || text.contains("<html");
    if is_page {
        return Some(Content::Html);
    }
    let is_xml = text.starts_with("<?xml")
        || ["<rss", "<feed", "<playlist", "<asx", "<smil", "<rdf"]
            .iter()
            .any(|start| text.starts_with(start));
    is_xml.then_some(Content::Xml)
}

fn by_type(essence: &str, head: &[u8]) -> Content {
    match essence {
        "text/html" | "application/xhtml+xml" => Content::Html,
        "application/vnd.apple.mpegurl" => Content::Hls,
        "application/x-mpegurl" | "audio/mpegurl" | "audio/x-mpegurl" => Content::M3u,
        "audio/x-scpls" => Content::Pls,
        "application/dash+xml" => Content::Dash,
        "application/ogg" => Content::Media,
        "application/json" => Content::Json,
        _ if essence.ends_with("/xml") || essence.ends_with("+xml") && !essence.starts_with("image/") => {
            Content::Xml
        }
        _ if essence.starts_with("audio/") || essence.starts_with("video/") => Content::Media,
        "" if head.starts_with(b"<") => Content::Html,
        _ => Content::Other,
    }
}

/// The signatures of audio and video containers and streams.
fn has_media_magic(head: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"ID3",
        b"fLaC",
        b"OggS",
        b"FORM",
        b"#!AMR",
        b"MAC ",
        b"caff",
        b"wvpk",
        b"TTA1",
        b"tBaK",
        b"MPCK",
        b"MP+",
        b"DSD ",
        b".snd",
        b"FLV\x01",
        b"\x1a\x45\xdf\xa3",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        b"\x00\x00\x01\xba",
        b"\x0b\x77",
        b"CTENFDAM",
    ];
    if STARTS.iter().any(|start| head.starts_with(start)) || is_mpeg_frame(head) {
        return true;
    }
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let is_riff = at(0, b"RIFF") && (at(8, b"WAVE") || at(8, b"AVI "));
    let is_mp4 = ["ftyp", "moov", "moof", "styp", "mdat"].iter().any(|kind| at(4, kind.as_bytes()));
    let is_transport_stream = at(0, b"\x47") && at(188, b"\x47") && (head.len() <= 376 || at(376, b"\x47"));
    is_riff || is_mp4 || is_transport_stream
}

/// A frame header of MPEG audio (layers II and III) or ADTS without reserved values.
fn is_mpeg_frame(head: &[u8]) -> bool {
    let [0xff, second, third, ..] = *head else { return false };
    let layer = (second >> 1) & 3;
    if second & 0xf6 == 0xf0 {
        // ADTS: layer bits zero, sampling frequency index below 13.
        return (third >> 2) & 15 < 13;
    }
    // Layer I, of which there is no music on the web, begins like UTF-16's byte order mark.
    second & 0xe0 == 0xe0
        && (second >> 3) & 3 != 1
        && (layer == 1 || layer == 2)
        && third >> 4 != 15
        && (third >> 2) & 3 != 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_before_types() {
        let cases: &[(Option<&str>, &[u8], Content)] = &[
            (Some("text/html"), b"ID3\x04\x00", Content::Media),
            (Some("audio/mpeg"), b"\n<!DOCTYPE html><title>404</title>", Content::Html),
            (Some("audio/mpeg"), b"\xff\xfb\x90\x00", Content::Media),
            (Some("audio/mpeg"), b"just text", Content::Media),
            (Some("audio/mpeg"), b"", Content::Media),
            (Some("text/plain"), b"\xff\xfea\x00", Content::Other),
            (Some("application/octet-stream"), b"\x00\x00\x00\x20ftypM4A ", Content::Media),
            (None, b"#EXTM3U\n#EXT-X-VERSION:3\n", Content::Hls),
            (Some("audio/x-mpegurl"), b"http://a.example/1.mp3\n", Content::M3u),
            (Some("text/xml"), b"<?xml version=\"1.0\"?><rss>", Content::Xml),
            (None, b"<?xml version=\"1.0\"?><MPD xmlns=", Content::Dash),
            (Some("text/html; charset=x"), b"hello", Content::Html),
            (Some("image/png"), b"\x89PNG", Content::Other),
            (Some("image/svg+xml"), b"<svg>", Content::Other),
        ];
        for (content_type, head, wanted) in cases {
            assert_eq!(sniff(*content_type, head), *wanted, "{content_type:?} {head:?}");
        }
    }
}
