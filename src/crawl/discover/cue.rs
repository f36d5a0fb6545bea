//! CUE sheets: which file holds the tracks, next to the sheet.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::MediaKind;
use super::sink::Sink;

/// Files that one sheet names; a sheet of single tracks has one for each, 99 at most.
const FILES_MAX: usize = 200;

/// What a file's name must not hold as a part of an address; `/` divides folders.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b':');

/// Adds the files that `sheet` names. `BINARY` and `MOTOROLA` are images of discs, which nothing here decodes.
pub(super) fn scan(sheet: &str, sink: &mut Sink) {
    let (mut files, mut in_track) = (0, false);
    for line in sheet.lines().map(str::trim) {
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match command.to_ascii_uppercase().as_str() {
            "FILE" if files < FILES_MAX => {
                files += 1;
                let (name, kind) = name_and_kind(rest.trim());
                if matches!(kind.to_ascii_uppercase().as_str(), "BINARY" | "MOTOROLA") {
                    sink.problem("the sheet is of a disc image, which is not read".to_owned());
                } else if let Some(address) = address(name) {
                    sink.media(&address, "cue", MediaKind::Media);
                }
            }
            "TRACK" => in_track = true,
            "TITLE" if !in_track => sink.title(rest.trim().trim_matches('"')),
            _ => {}
        }
    }
}

/// `"name" WAVE`, or the name without quotes.
fn name_and_kind(text: &str) -> (&str, &str) {
    match text.strip_prefix('"').and_then(|text| text.rsplit_once('"')) {
        Some((name, kind)) => (name, kind.trim()),
        None => text.rsplit_once(char::is_whitespace).unwrap_or((text, "")),
    }
}

/// The address of a file beside the sheet. Of a path on somebody's disk (`C:\\Music\\x.flac`) only the name is of use.
fn address(name: &str) -> Option<String> {
    let name = name.trim();
    if name.starts_with("http://") || name.starts_with("https://") {
        return Some(name.to_owned());
    }
    let plain = name.replace('\\', "/");
    let is_absolute = plain.starts_with('/') || plain.get(1..2) == Some(":");
    let relative = if is_absolute { plain.rsplit('/').next()? } else { plain.as_str() };
    (!relative.is_empty()).then(|| format!("./{}", utf8_percent_encode(relative, RESERVED)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use url::Url;

    use super::*;

    #[test]
    fn files_beside_the_sheet() {
        let sheet = "REM GENRE Pop\r\nPERFORMER \"A\"\r\nTITLE \"An Album\"\r\nFILE \"A - Album #1 100%?.flac\" WAVE\r\n  TRACK 01 AUDIO\r\n\
                     TITLE \"One\"\r\nFILE \"C:\\Music\\two.wav\" WAVE\r\nFILE \"cd 2\\three.ape\" WAVE\nFILE four.mp3 MP3\nFILE x.bin BINARY\n\
                     FILE \"https://b.example/5.mp3\" MP3\nFILE \"\" WAVE\n";
        let mut sink = Sink::new(&Url::parse("http://a.example/d/x.cue").unwrap());
        scan(sheet, &mut sink);
        let found = sink.finish();
        let urls: Vec<_> = found.media.iter().map(|link| link.url.as_str()).collect();
        let wanted = [
            "http://a.example/d/A%20-%20Album%20%231%20100%25%3F.flac",
            "http://a.example/d/two.wav",
            "http://a.example/d/cd%202/three.ape",
            "http://a.example/d/four.mp3",
            "https://b.example/5.mp3",
        ];
        assert_eq!(urls, wanted);
        assert_eq!((found.title.as_deref(), found.problems.len()), (Some("An Album"), 1));
    }
}
