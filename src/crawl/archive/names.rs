//! Members' names: bytes to text, and text that may be shown.

use std::fmt::Write as _;

use super::limits::NAME_BYTES_MAX;
use crate::base::{decode_text, encoding_by_name};

/// A name as it goes into a [`Level`](super::Level).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) encoding: String,
    pub(super) hex: Option<String>,
}

/// How the names of one archive are read that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// One of the encodings that [`decode_text`] knows.
    Known(&'static str),
    /// The code page of the first personal computers, which zip falls back to.
    Cp437,
}

/// The most bytes of names that a guess looks at.
const GUESS_BYTES_MAX: usize = 1 << 16;

/// Guesses the encoding that an archive's names share, by all that are not UTF-8: a single one is too short.
pub(super) fn guess<'n>(names: impl Iterator<Item = &'n [u8]>) -> Guess {
    let mut joined = Vec::new();
    for name in names.filter(|name| std::str::from_utf8(name).is_err()) {
        if joined.len() + name.len() > GUESS_BYTES_MAX {
            break;
        }
        joined.extend_from_slice(name);
        joined.push(b'\n');
    }
    let decoded = decode_text(&joined, None);
    match decoded.encoding {
        // Western code pages of other systems than the one that wrote zips; and UTF-8 with broken places.
        name if decoded.malformed || name.starts_with("windows-") || name.starts_with("ISO-8859") => {
            Guess::Cp437
        }
        "UTF-8" => Guess::Cp437,
        name => Guess::Known(name),
    }
}

/// Reads a name: as UTF-8 where it is that, else as was guessed.
pub(super) fn decode(bytes: &[u8], guess: Guess) -> Name {
    let bytes = &bytes[..bytes.len().min(NAME_BYTES_MAX)];
    // A character that the cut went through is no reason to doubt the rest.
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if bytes.len() == NAME_BYTES_MAX && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    if let Some(text) = whole {
        return Name { text: text.to_owned(), encoding: "UTF-8".to_owned(), hex: None };
    }
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    let (text, encoding) = match guess {
        Guess::Known(name) => {
            let decoded = decode_text(bytes, encoding_by_name(name));
            (decoded.text, decoded.encoding.to_owned())
        }
        Guess::Cp437 => (bytes.iter().copied().map(cp437).collect(), "IBM437".to_owned()),
    };
    Name { text, encoding, hex: Some(hex) }
}

/// A name that is text already.
pub(super) fn plain(text: &str) -> Name {
    decode(text.as_bytes(), Guess::Cp437)
}

/// The upper half of IBM's code page 437.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

fn cp437(byte: u8) -> char {
    match byte {
        0..128 => byte as char,
        _ => CP437.chars().nth(usize::from(byte) - 128).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// A name as it may stand in a message: what would steer a terminal or turn the text's direction is escaped.
pub(super) fn shown(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || hidden {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_east_asian_archives() {
        let chinese: Vec<Vec<u8>> = ["月亮代表我的心.mp3", "茉莉花.mp3", "但愿人长久.flac"]
            .iter()
            .map(|name| encoding_rs::GB18030.encode(name).0.into_owned())
            .collect();
        let found = guess(chinese.iter().map(Vec::as_slice));
        assert_eq!(decode(&chinese[1], found).text, "茉莉花.mp3");
        assert_eq!(decode(&chinese[1], found).hex.as_deref(), Some("dcd4c0f2bba82e6d7033"));
        let japanese: Vec<Vec<u8>> = ["夜に駆ける.mp3", "さくらの季節.mp3"]
            .iter()
            .map(|name| encoding_rs::SHIFT_JIS.encode(name).0.into_owned())
            .collect();
        let found = guess(japanese.iter().map(Vec::as_slice));
        assert_eq!(decode(&japanese[0], found).text, "夜に駆ける.mp3");
    }

    #[test]
    fn names_of_western_archives() {
        let name = b"Bj\x94rk - J\xa2ga.mp3";
        let found = guess([&name[..]].into_iter());
        let decoded = decode(name, Guess::Cp437);
        assert_eq!((decoded.text.as_str(), decoded.encoding.as_str()), ("Björk - Jóga.mp3", "IBM437"));
        let _ = decode(name, found);
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(plain("a/é.mp3").hex, None);
    }

    #[test]
    fn long_names_are_cut() {
        let long = "é".repeat(5000);
        let decoded = decode(format!("x{long}").as_bytes(), Guess::Cp437);
        assert_eq!((decoded.text.len(), decoded.encoding.as_str()), (4095, "UTF-8"));
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(shown("../a\x1b[2J\u{202e}3pm.exe"), "../a\\u{1b}[2J\\u{202e}3pm.exe");
    }
}
