//! Text from outside, made harmless to show.

/// Returns `text` with control characters and invisible or direction-changing ones written out as `⟨U+202E⟩`:
/// they could turn an address around, hide a part of it, or steer a terminal.
#[must_use]
pub fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) {
            shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns an address with everything percent-encoded that no URI may hold, white space among it.
#[must_use]
pub fn encoded(address: &str) -> String {
    url::Url::parse(address)
        .map_or_else(|_| address.split_whitespace().collect::<Vec<_>>().join("%20"), String::from)
}

/// Control characters, Unicode's `Bidi_Control`, format characters without a width, and what XML cannot hold.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directions_and_controls_are_written_out() {
        assert_eq!(inert("song\u{202E}3pm.exe\n"), "song⟨U+202E⟩3pm.exe⟨U+000A⟩");
        assert_eq!(inert("東京の夜 – 東京"), "東京の夜 – 東京");
    }

    proptest! {
        #[test]
        fn nothing_active_is_left(text in any::<String>()) {
            prop_assert!(!inert(&text).chars().any(is_active));
        }
    }
}
