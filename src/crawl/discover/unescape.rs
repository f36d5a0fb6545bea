//! From what stands in a script to the address that is meant: escapes of JavaScript and JSON, percent-encoding, Base64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::xml::unescape as unescape_markup;

/// Layers of encoding that are taken off: a JSON text within a string within an attribute, or Base64 over
/// percent-encoding.
const LAYERS_MAX: usize = 3;
/// The shortest Base64 of an address.
const BASE64_BYTES_MIN: usize = 12;

const LAX: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LAX);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LAX);

/// The plain form of an address in a script.
pub(super) fn address(text: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(text);
    for _ in 0..LAYERS_MAX {
        if !plain.contains('\\') {
            break;
        }
        plain = Cow::Owned(escapes(&plain));
    }
    if plain.contains('&') {
        plain = Cow::Owned(unescape_markup(&plain).into_owned());
    }
    if is_wholly_encoded(&plain) {
        plain = Cow::Owned(percent(&plain));
    }
    plain
}

/// Undoes the escapes of JavaScript strings: `\/`, `\xNN`, `\uNNNN`, `\u{N…}` and single letters. What is none stays.
fn escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (character, used) = escape(rest);
        out.push(character);
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

/// The character that an escape stands for, and how many bytes behind the backslash it has.
fn escape(rest: &str) -> (char, usize) {
    let numeric = match rest.as_bytes().first() {
        Some(b'x') => code(rest, 1, 2).and_then(|code| Some((char::from_u32(code)?, 3))),
        Some(b'u') if rest[1..].starts_with('{') => braced(rest),
        Some(b'u') => unit(rest),
        _ => None,
    };
    let first = rest.chars().next();
    numeric.unwrap_or_else(|| match first {
        Some('n' | 'r' | 't') => (' ', 1),
        Some(character) => (character, character.len_utf8()),
        None => ('\\', 0),
    })
}

fn code(text: &str, start: usize, digits: usize) -> Option<u32> {
    let digits = text.get(start..start + digits)?;
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

fn braced(rest: &str) -> Option<(char, usize)> {
    let end = rest.bytes().take(12).position(|byte| byte == b'}')?;
    Some((char::from_u32(code(rest, 2, end.checked_sub(2)?)?)?, end + 1))
}

/// `uNNNN`, or the two that make a character beyond the first plane.
fn unit(rest: &str) -> Option<(char, usize)> {
    let high = code(rest, 1, 4)?;
    if let Some(character) = char::from_u32(high) {
        return Some((character, 5));
    }
    let low = rest.get(5..7).filter(|start| *start == "\\u").and_then(|_| code(rest, 7, 4))?;
    let joined = char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?]).next()?.ok()?;
    Some((joined, 11))
}

/// Whether an address is percent-encoded as a whole: `https%3A%2F%2F…`, `%2Fmusic%2F…`.
fn is_wholly_encoded(text: &str) -> bool {
    let start =
        |pattern: &str| text.get(..pattern.len()).is_some_and(|start| start.eq_ignore_ascii_case(pattern));
    start("http%3a%2f%2f")
        || start("https%3a%2f%2f")
        || start("%2f")
        || start("%68%74%74%70")
        || start("http%253a%252f%252f")
        || start("https%253a%252f%252f")
}

/// Undoes percent-encoding, twice where it was done twice.
fn percent(text: &str) -> String {
    let once = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    if is_wholly_encoded(&once) {
        return percent_encoding::percent_decode_str(&once).decode_utf8_lossy().into_owned();
    }
    once
}

/// The address that is percent-encoded inside another one, as the value of a parameter:
/// `player.html?url=https%3A%2F%2F…`.
pub(super) fn inner(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = ["http%3a%2f%2f", "https%3a%2f%2f"].iter().filter_map(|start| lower.find(start)).min()?;
    let value = &text[start..];
    let end = value.find(['&', '#', '"', '\'']).unwrap_or(value.len());
    Some(percent(&value[..end]))
}

/// The text in Base64 that `text` is, if it is printable; percent-encoding in it is undone too.
pub(super) fn base64(text: &str) -> Option<String> {
    let text = text.trim_end_matches('=');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    if text.len() < BASE64_BYTES_MIN || text.len() % 4 == 1 || !text.bytes().all(is_letter) {
        return None;
    }
    let bytes = BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)).ok()?;
    let decoded = String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))?;
    Some(if is_wholly_encoded(&decoded) { percent(&decoded) } else { decoded })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn javascript() {
        for (given, wanted) in [
            ("https:\\/\\/a\\/x.mp3?k=1\\u0026s=2", "https://a/x.mp3?k=1&s=2"),
            ("\\x68ttp\\u003a//a/\\u{6b4c}\\ud83c\\udfb5.mp3", "http://a/歌🎵.mp3"),
            ("http:\\\\/\\\\/a", "http://a"),
            ("\\ud83c\\", "ud83c\\"),
            ("\\x+1\\u{}\\u{110000}", "x+1u{}u{110000}"),
            ("/a?x=1&amp;y=2", "/a?x=1&y=2"),
        ] {
            assert_eq!(address(given), wanted, "{given}");
        }
    }

    #[test]
    fn percent_and_base64() {
        assert_eq!(address("https%3A%2F%2Fa%2Fb%20c.mp3"), "https://a/b c.mp3");
        assert_eq!(address("https%253A%252F%252Fa%252Fb.mp3"), "https://a/b.mp3");
        assert_eq!(address("https://a/b%20c.mp3"), "https://a/b%20c.mp3");
        assert_eq!(inner("/p.html?url=HTTP%3a%2f%2Fa%2Fb.mp3&t=1").as_deref(), Some("HTTP://a/b.mp3"));
        assert_eq!(base64("aHR0cHM6Ly9hLmV4YW1wbGUveA==").as_deref(), Some("https://a.example/x"));
        assert_eq!(base64("JTY4JTc0JTc0JTcwJTNBJTJGJTJGYQ").as_deref(), Some("http://a"));
        assert_eq!(base64("AAAAAAAAAAAAAAAAAAAA"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\\\|u|x|\\{|\\}|d83c|dfb5|%|3a|2f|http|[0-9a-f]|é|&amp;){0,40}") {
            prop_assert!(address(&text).len() <= 3 * text.len());
            let _ = (inner(&text), base64(&text));
        }
    }
}
