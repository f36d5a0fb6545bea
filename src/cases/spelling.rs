//! When two spellings of what a tag says are the same.

use unicode_normalization::UnicodeNormalization as _;

use super::information::Field;

/// Brings a tag's text into the one spelling that is compared: compatibility forms (full width, half width, ligatures),
/// white space, case, invisible characters, and what is customary in the field do not count.
pub(super) fn spelt(field: Field, text: &str) -> String {
    let visible = text.nfkc().filter(|c| !is_invisible(*c));
    // Small letters may be composed otherwise than the capitals they come from.
    let plain: String = visible.flat_map(char::to_lowercase).nfkc().collect();
    match field {
        Field::Isrc => isrc(&plain),
        // A UPC is an EAN whose first digit is zero.
        Field::Upc => plain.chars().filter(char::is_ascii_digit).skip_while(|c| *c == '0').collect(),
        Field::RightsUrl => {
            let mut address = plain.trim();
            while let Some((_, rest)) = address.split_once("://") {
                address = rest.trim();
            }
            address.trim_end_matches(|c: char| c == '/' || c.is_whitespace()).to_owned()
        }
        Field::PLine | Field::CLine => {
            let marked = words(&plain).replace("(p)", "℗").replace("(c)", "©");
            words(marked.trim_start_matches(['℗', '©', ' ']))
        }
        Field::Owner | Field::Label | Field::Title | Field::Artist | Field::Album | Field::Cover => {
            words(&plain)
        }
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without hyphens, and without the word before it that ISO 3901 asks for in print.
fn isrc(text: &str) -> String {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.strip_prefix("isrc") {
        Some(code) if code.len() == 12 => code.to_owned(),
        _ => letters,
    }
}

/// Whether a text is an ISRC as it should be (ISO 3901): two letters, three letters or digits, seven digits.
pub(super) fn is_isrc(text: &str) -> bool {
    let code = isrc(&text.to_lowercase());
    let code = code.as_bytes();
    code.len() == 12
        && code.iter().take(2).all(u8::is_ascii_alphabetic)
        && code.iter().skip(5).all(u8::is_ascii_digit)
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}
