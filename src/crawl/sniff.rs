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
    /// A CUE sheet.
    Cue,
    /// Packed files.
    Archive(ArchiveKind),
    /// Nothing of these: pictures, style sheets, plain text.
    Other,
}

/// How files are packed, by the magic at the start. Documents and programs may be archives too (`.docx`, `.epub`,
/// `.apk` are zip): what lies inside, the one who unpacks will see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveKind {
    /// ZIP; also spanned and empty ones.
    Zip,
    /// RAR of versions 1.5 to 4.
    Rar4,
    /// RAR of version 5.
    Rar5,
    /// 7-Zip.
    SevenZip,
    /// gzip: one packed file, often a tar.
    Gzip,
    /// bzip2: the same.
    Bzip2,
    /// xz: the same.
    Xz,
    /// Zstandard: the same.
    Zstd,
    /// tar, not packed.
    Tar,
}

/// Decides by the first 512 bytes of a body and its Content-Type. The bytes come first: servers send audio as
/// `text/html` and error pages as `audio/mpeg`.
#[must_use]
pub fn sniff(content_type: Option<&str>, head: &[u8]) -> Content {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let essence =
        content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Its magic lies behind the first member's name, which may begin like anything.
    if is_tar(head) {
        return Content::Archive(ArchiveKind::Tar);
    }
    if has_media_magic(head) {
        return Content::Media;
    }
    if let Some(kind) = archive(head) {
        return Content::Archive(kind);
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
    if is_cue(text) {
        return Some(Content::Cue);
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
        || ["<?wpl", "<rss", "<feed", "<playlist", "<asx", "<smil", "<rdf"]
            .iter()
            .any(|start| text.starts_with(start));
    is_xml.then_some(Content::Xml)
}

/// A sheet begins with one of its commands, and soon names a file or a track, or has nothing but commands.
fn is_cue(text: &str) -> bool {
    let commands = ["rem ", "performer ", "title ", "file ", "catalog ", "cdtextfile ", "songwriter "];
    let is_command = |line: &str| commands.iter().any(|command| line.starts_with(command));
    let is_file = |line: &str| {
        let kinds = [" wave", " mp3", " aiff", " flac", " binary", " motorola"];
        line.starts_with("file ") && kinds.iter().any(|kind| line.ends_with(kind))
    };
    let is_track = |line: &str| line.starts_with("track ") && line.ends_with(" audio");
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    // The last line may be cut off where the first bytes end.
    let whole = lines().count().saturating_sub(1);
    is_command(text)
        && (lines().any(|line| is_file(line) || is_track(line))
            || whole >= 3 && lines().take(whole).all(is_command))
}

/// The kind of archive that these first bytes begin.
fn archive(head: &[u8]) -> Option<ArchiveKind> {
    const STARTS: &[(&[u8], ArchiveKind)] = &[
        (b"PK\x03\x04", ArchiveKind::Zip),
        (b"PK\x05\x06", ArchiveKind::Zip),
        (b"PK\x07\x08", ArchiveKind::Zip),
        (b"Rar!\x1a\x07\x00", ArchiveKind::Rar4),
        (b"Rar!\x1a\x07\x01\x00", ArchiveKind::Rar5),
        (b"7z\xbc\xaf\x27\x1c", ArchiveKind::SevenZip),
        (b"\x1f\x8b\x08", ArchiveKind::Gzip),
        (b"\xfd7zXZ\x00", ArchiveKind::Xz),
        (b"\x28\xb5\x2f\xfd", ArchiveKind::Zstd),
    ];
    let by_start = STARTS.iter().find(|(start, _)| head.starts_with(start)).map(|(_, kind)| *kind);
    // Behind `BZh` and the block size comes the mark of a block, or of the end.
    let is_bzip2 = head.starts_with(b"BZh")
        && matches!(head.get(3), Some(b'1'..=b'9'))
        && head.get(4..10).is_some_and(|mark| mark == b"1AY&SY" || mark == b"\x17\x72\x45\x38\x50\x90");
    by_start.or(is_bzip2.then_some(ArchiveKind::Bzip2))
}

/// A header of POSIX or GNU tar whose checksum is right: the sum of its bytes, the checksum's own taken as blanks.
fn is_tar(head: &[u8]) -> bool {
    if head.len() < 512 || !head[257..].starts_with(b"ustar") {
        return false;
    }
    let header = &head[..512];
    let written = String::from_utf8_lossy(&header[148..156]);
    let written = u32::from_str_radix(written.trim_matches(['\0', ' ']), 8);
    let sum = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u32::from(b' '),
        _ => u32::from(*byte),
    });
    written == Ok(sum.sum())
}

fn by_type(essence: &str, head: &[u8]) -> Content {
    match essence {
        "text/html" | "application/xhtml+xml" => Content::Html,
        "application/vnd.apple.mpegurl" => Content::Hls,
        "application/x-mpegurl" | "audio/mpegurl" | "audio/x-mpegurl" => Content::M3u,
        "audio/x-scpls" => Content::Pls,
        "application/dash+xml" => Content::Dash,
        "application/x-cue" | "audio/x-cue" | "text/x-cue" => Content::Cue,
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
            (Some("text/plain"), b"\xef\xbb\xbfREM GENRE Pop\r\nFILE \"a b.flac\" WAVE\r\n", Content::Cue),
            (None, b"TITLE \"x\"\n  TRACK 01 AUDIO\n", Content::Cue),
            (None, b"REM A 1\nREM B 2\nPERFORMER \"x\"\nFILE \"cut of", Content::Cue),
            (Some("text/plain"), b"title of the file: none\n", Content::Other),
            (Some("audio/mpeg"), b"PK\x03\x04\x14\x00", Content::Archive(ArchiveKind::Zip)),
            (None, b"Rar!\x1a\x07\x00\xcf", Content::Archive(ArchiveKind::Rar4)),
            (None, b"Rar!\x1a\x07\x01\x00", Content::Archive(ArchiveKind::Rar5)),
            (Some("text/html"), b"7z\xbc\xaf\x27\x1c\x00\x04", Content::Archive(ArchiveKind::SevenZip)),
            (None, b"\x1f\x8b\x08\x00", Content::Archive(ArchiveKind::Gzip)),
            (None, b"BZh91AY&SY\x00", Content::Archive(ArchiveKind::Bzip2)),
            (Some("text/plain"), b"BZh9 is how it begins", Content::Other),
            (None, b"\xfd7zXZ\x00\x00\x04", Content::Archive(ArchiveKind::Xz)),
            (None, b"\x28\xb5\x2f\xfd\x04", Content::Archive(ArchiveKind::Zstd)),
        ];
        for (content_type, head, wanted) in cases {
            assert_eq!(sniff(*content_type, head), *wanted, "{content_type:?} {head:?}");
        }
    }

    #[test]
    fn a_tar_is_known_by_its_checksum() {
        let mut header = [0u8; 512];
        // What a member is called does not make the archive a piece of music.
        header[..12].copy_from_slice(b"ID3 tags.mp3");
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(sniff(None, &header), Content::Archive(ArchiveKind::Tar));
        assert_eq!(sniff(None, &header[..511]), Content::Media);
        header[20] = 1;
        assert_eq!(sniff(None, &header), Content::Media);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_something(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600), kind: Option<String>) {
            let _ = sniff(kind.as_deref(), &bytes);
        }
    }
}
