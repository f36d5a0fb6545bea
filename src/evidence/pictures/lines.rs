//! Text laid into widths. How wide a letter is depends on the font, which is not known here; the estimates are those of
//! a wide one, so that what fits by them fits.

use crate::base::inert;

/// Returns the width of a letter in ems.
fn width(c: char) -> f64 {
    match c {
        ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'i' | 'j' | 'l' | 'I' | 'f' | 't' | 'r' | '-'
        | '(' | ')' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 1.0,
        'A'..='Z' => 0.75,
        '\u{20}'..='\u{7e}' => 0.65,
        // Marks that stand on the letter before.
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        '\u{80}'..='\u{10ff}' => 0.8,
        '\u{1f000}'..='\u{1ffff}' => 1.4,
        _ => 1.05,
    }
}

/// Returns the width of a text in ems.
pub(super) fn width_em(text: &str) -> f64 {
    text.chars().map(width).sum()
}

/// Letters of a text that are looked at.
const LETTERS_MAX: usize = 2000;

/// Shortens `text` to `most` ems, with an ellipsis where something was left out.
pub(super) fn fitted(text: &str, most: f64) -> String {
    // As it will be shown: what is active in it is written out, and so is longer. No place holds as many letters as this.
    let is_long = text.chars().nth(LETTERS_MAX).is_some();
    let text = inert(&text.chars().take(LETTERS_MAX).collect::<String>());
    if !is_long && width_em(&text) <= most {
        return text;
    }
    let mut left = most - width('…');
    let mut short = String::new();
    for c in text.chars() {
        left -= width(c);
        if left < 0.0 {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// Breaks our own sentences into lines of at most `most` ems: at blanks, and between Chinese or Japanese letters but not
/// before a mark that closes.
pub(super) fn wrapped(text: &str, most: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in pieces(text) {
        let wanted = width_em(&line) + width_em(word.trim_end());
        if wanted > most && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line.push_str(word);
    }
    if !line.trim().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What must stay together.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, c)) {
            pieces.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        before = Some(c);
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

fn may_break(before: char, after: char) -> bool {
    const CLOSING: &str = "、。，．；：！？）」』”’…％%ー・";
    const OPENING: &str = "（「『“‘";
    let is_wide = |c: char| ('\u{2e80}'..='\u{ffef}').contains(&c);
    let at_blank = before == ' ' && after != ' ';
    let within_wide = (is_wide(before) || is_wide(after)) && after != ' ';
    at_blank || (within_wide && !CLOSING.contains(after) && !OPENING.contains(before))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_where_people_break_them() {
        assert_eq!(wrapped("one two three", 5.0), ["one two", "three"]);
        let lines = wrapped("录音在左声道，未见变速、变调。", 7.5);
        assert!(
            lines.len() > 1 && lines.iter().all(|line| !line.starts_with(['，', '、', '。'])),
            "{lines:?}"
        );
        assert_eq!(fitted("short", 10.0), "short");
        assert_eq!(fitted("東京の夜の歌", 4.0), "東京…");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "[a-z 録音の、。]{0,200}", most in 8.0f64..60.0) {
            let lines = wrapped(&text, most);
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn what_is_fitted_fits(text in any::<String>(), most in 2.0f64..60.0) {
            prop_assert!(width_em(&fitted(&text, most)) <= most + 1e-9);
        }
    }
}
