//! Media addresses in quoted strings: the settings of players in scripts, JSON in attributes.

use super::sink::Sink;
use super::{MediaKind, address_kind, unescape};

/// The longest string that can be an address.
const STRING_BYTES_MAX: usize = 2000;
/// The shortest.
const STRING_BYTES_MIN: usize = 5;
/// Bytes before a string in which the name of its setting is looked for.
const NAME_BYTES_MAX: usize = 64;
/// Bytes on either side of a common name (`url`) in which a word must speak of music.
const NEAR_BYTES: usize = 250;
/// Strings behind a common name whose surroundings are looked at, per text.
const LOOKS_MAX: usize = 500;
/// The shortest Base64 that is tried without anything that announces it.
const BARE_BASE64_BYTES_MIN: usize = 24;

/// Names of settings that hold media, without `_` and `-`: their address needs no extension.
const MEDIA_NAMES: &[&str] = &[
    "file",
    "fileurl",
    "audio",
    "audiourl",
    "audiosrc",
    "audiofile",
    "audiosource",
    "mp3",
    "mp3url",
    "mp3file",
    "m4a",
    "m4aurl",
    "flac",
    "flacurl",
    "ogg",
    "hls",
    "hlsurl",
    "m3u8",
    "m3u8url",
    "dash",
    "dashurl",
    "manifesturl",
    "stream",
    "streamurl",
    "streamingurl",
    "video",
    "videourl",
    "videosrc",
    "videoalturl",
    "contenturl",
    "playurl",
    "playaddr",
    "musicurl",
    "musicsrc",
    "songurl",
    "songsrc",
    "songfile",
    "trackurl",
    "tracksrc",
    "dataurl",
    "mediaurl",
    "mediasrc",
    "mediafile",
    "previewurl",
    "soundurl",
    "soundfile",
];
/// Names that hold media in the settings of a player, and anything elsewhere.
const COMMON_NAMES: &[&str] = &["src", "url", "source"];
/// What shows that a common name stands in the settings of a player or a list of songs.
const MUSIC_WORDS: &[&str] = &[
    "artist", "singer", "author", "audio", "mp3", "song", "music", "player", "howl", "lrc", "lyric",
    "sources", "m3u8", "hls", "video",
];
/// Extensions of what is no media: a setting that holds such a thing is passed over.
const OTHER_EXTENSIONS: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "ico", "bmp", "css", "js", "mjs", "map", "woff",
    "woff2", "ttf", "otf", "eot", "html", "htm", "xhtml", "shtml", "json", "xml", "txt", "md", "vtt", "srt",
    "ass", "lrc", "pdf", "doc", "docx", "zip", "rar", "7z", "gz", "tar", "exe", "apk", "dmg", "iso",
    "torrent", "swf", "wasm",
];

/// Adds what the quoted strings of `text` name as media: addresses with a media extension (`"https:\/\/…mp3"`), also
/// percent-encoded or in Base64, and those that a setting's name promises to be media (`audio_url: "/get/123"`).
///
/// The text is cut at each kind of quote in turn and every piece is looked at, inside or outside of quotes: that is
/// linear, and an apostrophe in a comment cannot hide what follows.
pub(super) fn scan(text: &str, via: &str, sink: &mut Sink) {
    let mut looks = 0;
    for quote in ['"', '\'', '`'] {
        let (mut start, mut list_name) = (0, Name::None);
        for piece in text.split(quote) {
            if sink.is_full() {
                return;
            }
            let here = start;
            start += piece.len() + 1;
            if piece.len() > STRING_BYTES_MAX || piece.len() < STRING_BYTES_MIN {
                if piece.len() > STRING_BYTES_MIN || !is_separator(piece) {
                    list_name = Name::None;
                }
                continue;
            }
            let before = before(text, here).trim_end_matches(['\\', ' ', '\n', '\t']);
            // The next entry of a list has the name of the list.
            let name = if before.ends_with(',') { list_name } else { name(before) };
            list_name = if is_separator(piece) { list_name } else { name };
            let is_near_music = || {
                looks += 1;
                looks <= LOOKS_MAX && speaks_of_music(text, here, piece.len())
            };
            match read(piece, name, is_near_music) {
                Some((address, Some(kind))) => sink.media(&address, via, kind),
                Some((address, None)) => sink.guess(&address, via),
                None => {}
            }
        }
    }
}

/// What stands before a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// Nothing that tells.
    None,
    /// A setting that holds media.
    Media,
    /// A setting that may hold media.
    Common,
    /// A call that decodes Base64.
    Base64,
}

/// The bytes before the quote at which the piece at `here` begins.
fn before(text: &str, here: usize) -> &str {
    let end = here.saturating_sub(1);
    let start =
        (end.saturating_sub(NAME_BYTES_MAX)..=end).find(|at| text.is_char_boundary(*at)).unwrap_or(end);
    &text[start..end]
}

/// Whether a piece stands between the entries of a list.
fn is_separator(piece: &str) -> bool {
    piece.trim().trim_matches('\\') == ","
}

/// What the text before a quote says of the string: `name: `, `"name": [`, `owner.src = `, `.src(`, `atob(`.
fn name(before: &str) -> Name {
    let is_blank = |c: char| c.is_whitespace() || c == '\\';
    let before = before.trim_end_matches(is_blank);
    if let Some(call) = before.strip_suffix('(') {
        let called = word(call.trim_end_matches(is_blank)).to_ascii_lowercase();
        return match called.rsplit('.').next().unwrap_or_default() {
            "atob" | "decode" | "base64decode" | "base64_decode" | "b64decode" => Name::Base64,
            "loadsource" | "audio" => Name::Media,
            "src" if called.contains('.') => Name::Media,
            _ => Name::None,
        };
    }
    let before = before.trim_end_matches(|c| is_blank(c) || c == '[');
    let is_assigned = before.ends_with('=');
    let Some(before) = before.strip_suffix([':', '=']) else { return Name::None };
    if before.ends_with(['=', '!', '<', '>']) {
        return Name::None;
    }
    let named = word(before.trim_end_matches(|c| is_blank(c) || c == '"' || c == '\''));
    match setting(named) {
        // `<img src="…">`, `var url = "…"`.
        Name::Common if is_assigned => Name::None,
        promised => promised,
    }
}

/// The identifier at the end of `text`, with the owners that it is reached through.
fn word(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-$.".contains(c)));
    start.map_or(text, |at| &text[at..]).trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
}

/// What the name of a setting or attribute promises.
fn setting(named: &str) -> Name {
    let plain: String =
        named.chars().filter(|c| !matches!(c, '_' | '-' | '$')).map(|c| c.to_ascii_lowercase()).collect();
    let (owner, last) = plain.rsplit_once('.').unwrap_or(("", &plain));
    let is_player =
        ["audio", "video", "player", "media", "sound", "music"].iter().any(|word| owner.contains(word));
    match last {
        _ if MEDIA_NAMES.contains(&last) => Name::Media,
        _ if COMMON_NAMES.contains(&last) && is_player => Name::Media,
        _ if COMMON_NAMES.contains(&last) && owner.is_empty() => Name::Common,
        _ => Name::None,
    }
}

/// Whether the name of an attribute (`data-audio-url`, `playurl`) promises media.
pub(super) fn is_media_name(attribute: &str) -> bool {
    setting(attribute.strip_prefix("data-").unwrap_or(attribute)) == Name::Media
}

/// Whether music is spoken of around the string at `here`.
fn speaks_of_music(text: &str, here: usize, length: usize) -> bool {
    let boundary = |at: usize| (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (from, to) = (boundary(here.saturating_sub(NEAR_BYTES)), boundary(here + length));
    let around = [&text[from..here.max(from)], &text[to..boundary(to + NEAR_BYTES)]];
    around.iter().any(|side| {
        let side = side.to_ascii_lowercase();
        MUSIC_WORDS.iter().any(|word| side.contains(word))
    })
}

/// The address in a piece of script, and what its extension promises; `None` as the kind where only the name does.
fn read(
    piece: &str,
    name: Name,
    is_near_music: impl FnOnce() -> bool,
) -> Option<(String, Option<MediaKind>)> {
    let piece = piece.trim_end_matches('\\').trim();
    let plain = unescape::address(piece);
    let is_named = name != Name::None;
    if let Some(kind) = kind_of(&plain, is_named) {
        return Some((plain.into_owned(), Some(kind)));
    }
    if let Some(inner) = unescape::inner(&plain)
        && let Some(kind) = kind_of(&inner, true)
    {
        return Some((inner, Some(kind)));
    }
    // `/get.php?file=song.mp3`
    if starts_as_address(&plain)
        && is_address(&plain, is_named)
        && let Some(kind) = address_kind(&plain)
    {
        return Some((plain.into_owned(), Some(kind)));
    }
    let is_announced = name == Name::Base64 || piece.starts_with("aHR0c");
    if (is_announced || piece.len() >= BARE_BASE64_BYTES_MIN)
        && let Some(decoded) = unescape::base64(&plain)
    {
        if let Some(kind) = kind_of(&decoded, true) {
            return Some((decoded, Some(kind)));
        }
        return (is_web(&decoded) && may_be_media(&decoded)).then_some((decoded, None));
    }
    let is_promised = match name {
        Name::Media => may_be_media(&plain),
        Name::Common => may_be_media(&plain) && is_near_music(),
        Name::None | Name::Base64 => false,
    };
    is_promised.then(|| (plain.into_owned(), None))
}

/// What the extension of an address promises. `is_named`: something announces an address, so that it may hold blanks.
fn kind_of(address: &str, is_named: bool) -> Option<MediaKind> {
    if address.len() < STRING_BYTES_MIN || !address.contains('.') || !is_address(address, is_named) {
        return None;
    }
    // A bare extension or a pattern (`*.mp3`) is no address.
    if address.contains('*')
        || address.starts_with('.') && !address.starts_with("./") && !address.starts_with("../")
    {
        return None;
    }
    // `…/song.mp4/?key` is how some sites write their files.
    let path = address.split(['?', '#']).next().unwrap_or_default();
    address_kind(path.trim_end_matches('/'))
}

fn is_address(text: &str, is_named: bool) -> bool {
    let is_web = is_web(text);
    // `function/0/https://…` is an address that was made unreadable on purpose.
    if !is_web && text.contains("://") {
        return false;
    }
    let never = |c: char| c.is_control() || matches!(c, '<' | '>' | '{' | '}' | '"' | '\\' | '|');
    let rarely = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';' | ',');
    !text.contains(never) && (is_named || is_web || !text.contains(rarely))
}

/// Whether this is written as an address: whole, from the host or root on, or relative with dots.
fn starts_as_address(text: &str) -> bool {
    is_web(text) || ["/", "./", "../"].iter().any(|start| text.starts_with(start))
}

fn is_web(text: &str) -> bool {
    let start =
        |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    start("http://") || start("https://")
}

/// Whether an address without a media extension may still lead to media: it is no root and names nothing else.
pub(super) fn may_be_media(address: &str) -> bool {
    let is_script = address.contains(".php?") && address.contains('=');
    if !(starts_as_address(address) || is_script) || !is_address(address, false) {
        return false;
    }
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path =
        path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let is_root = path.trim_matches('/').is_empty() && !address.contains('?');
    !is_root && !extension.is_some_and(|extension| OTHER_EXTENSIONS.contains(&extension.as_str()))
}

#[cfg(test)]
#[path = "strings_tests.rs"]
mod tests;
