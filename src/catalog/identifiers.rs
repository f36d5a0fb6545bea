//! Identifiers with rules of their own: ISRC, ISWC, UPC/EAN. Here is what somebody typed, gives the one spelling
//! that is stored and compared.

/// The text is not the identifier that it should be; the message says what to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {why}")]
pub struct IdentifierError {
    text: String,
    what: &'static str,
    why: String,
}

/// Returns an International Standard Recording Code (ISO 3901) as 12 capital letters and digits.
///
/// Hyphens, spaces, lower case, full-width characters and a leading `ISRC` are taken. There is no check digit.
///
/// # Errors
/// [`IdentifierError`] when it is not two letters, three letters or digits, and seven digits.
pub fn isrc(text: &str) -> Result<String, IdentifierError> {
    let error = |why: String| fault(text, "an ISRC", why);
    let plain = plain(text);
    let code = plain.strip_prefix("ISRC").unwrap_or(&plain).trim_start_matches(':');
    let length = code.chars().count();
    if length != 12 {
        return Err(error(format!("it has {length} characters, 12 are needed, for example JPXX12300001")));
    }
    for (index, c) in code.chars().enumerate() {
        let (fits, needed) = match index {
            0..2 => (c.is_ascii_uppercase(), "a letter A–Z"),
            2..5 => (c.is_ascii_uppercase() || c.is_ascii_digit(), "a letter A–Z or a digit"),
            _ => (c.is_ascii_digit(), "a digit"),
        };
        if !fits {
            let hint = match c {
                'O' => " (the letter O for a zero?)",
                'I' | 'L' => " (a letter for a one?)",
                '0' | '1' => " (a digit for the letter O or I?)",
                _ => "",
            };
            return Err(error(format!("character {} is `{c}`, must be {needed}{hint}", index + 1)));
        }
    }
    Ok(code.to_owned())
}

/// Returns an International Standard Musical Work Code (ISO 15707) as `T` and ten digits.
///
/// # Errors
/// [`IdentifierError`] when the form or the check digit is wrong.
pub fn iswc(text: &str) -> Result<String, IdentifierError> {
    let error = |why: String| fault(text, "an ISWC", why);
    let plain = plain(text);
    let code = plain.strip_prefix("ISWC").unwrap_or(&plain).trim_start_matches(':');
    let Some(digits) = code.strip_prefix('T').and_then(digits) else {
        return Err(error("it must be T and ten digits, for example T-034.524.680-1".to_owned()));
    };
    if digits.len() != 10 {
        return Err(error(format!("T must be followed by ten digits, not {}", digits.len())));
    }
    // ISO 15707: one, plus each digit times its place; the check digit fills up to the next ten.
    let sum = 1 + digits[..9].iter().zip(1..).map(|(digit, place)| digit * place).sum::<u32>();
    let check = (10 - sum % 10) % 10;
    if digits[9] != check {
        return Err(error(format!("the check digit is {}, must be {check}; a digit is mistyped", digits[9])));
    }
    Ok(code.to_owned())
}

/// Returns a UPC (12 digits) or EAN (13 digits).
///
/// An EAN that begins with zero is a UPC and is returned as its 12 digits, so that both spellings are equal.
///
/// # Errors
/// [`IdentifierError`] when the length or the check digit is wrong.
pub fn upc(text: &str) -> Result<String, IdentifierError> {
    let error = |why: String| fault(text, "a UPC or EAN", why);
    let code = plain(text);
    if code.contains("E+") {
        return Err(error(
            "a spreadsheet has rounded it; format the column as text and export again".to_owned(),
        ));
    }
    let Some(digits) = digits(&code) else {
        return Err(error("it must be 12 or 13 digits".to_owned()));
    };
    match digits.len() {
        12..=14 => {}
        10 | 11 => {
            let why =
                format!("it has {} digits, 12 or 13 are needed; did a spreadsheet drop zeros?", digits.len());
            return Err(error(why));
        }
        length => return Err(error(format!("it has {length} digits, 12 or 13 are needed"))),
    }
    // Weights 3 and 1 alternate from the digit before the check digit to the left.
    let (check, body) = digits.split_last().unwrap_or((&0, &[]));
    let weights = [3, 1].into_iter().cycle();
    let sum: u32 = body.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let expected = (10 - sum % 10) % 10;
    if *check != expected {
        return Err(error(format!("the check digit is {check}, must be {expected}; a digit is mistyped")));
    }
    let padding = code.len() - 12;
    let zeros = code.bytes().take(padding).take_while(|&byte| byte == b'0').count();
    match &code[zeros..] {
        short if short.len() <= 13 => Ok(short.to_owned()),
        _ => Err(error("14 digits name a packing unit, not a release".to_owned())),
    }
}

/// Drops what people put between the characters, and makes full-width and small letters plain capitals.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            // Full-width forms, as Japanese and Chinese input methods write them.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .filter(|c| {
            !c.is_whitespace() && !matches!(c, '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{feff}')
        })
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

fn fault(text: &str, what: &'static str, why: String) -> IdentifierError {
    let text = text.trim().chars().take(40).flat_map(char::escape_debug).collect();
    IdentifierError { text, what, why }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn isrcs() {
        for text in [
            "USRC17607839",
            "us-rc1-76-07839",
            " ISRC US RC1 76 07839 ",
            "ＵＳＲＣ１７６０７８３９",
            "ISRC:USRC17607839",
        ] {
            assert_eq!(isrc(text).unwrap(), "USRC17607839", "{text}");
        }
        for (text, part) in [
            ("USRC1760783", "11 characters"),
            ("USRC1760783O", "the letter O for a zero"),
            ("U1RC17607839", "character 2"),
            ("日本RC17607839", "character 1"),
            ("", "0 characters"),
        ] {
            let message = isrc(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn iswcs() {
        assert_eq!(iswc("T-034.524.680-1").unwrap(), "T0345246801");
        assert_eq!(iswc("t0345246801").unwrap(), "T0345246801");
        assert!(iswc("T-034.524.680-2").unwrap_err().to_string().contains("must be 1"));
        for text in ["", "T", "0345246801", "T-034.524.68-1", "T034524680X"] {
            assert!(iswc(text).is_err(), "{text}");
        }
    }

    #[test]
    fn upcs() {
        assert_eq!(upc("036000291452").unwrap(), "036000291452");
        assert_eq!(upc("0036000291452").unwrap(), "036000291452");
        assert_eq!(upc("4006381333931").unwrap(), "4006381333931");
        assert_eq!(upc("4 006381 333931").unwrap(), "4006381333931");
        for (text, part) in [
            ("036000291453", "must be 2"),
            ("36000291452", "drop zeros"),
            ("4.00638E+12", "spreadsheet"),
            ("abc", "12 or 13"),
            ("10036000291459", "packing"),
        ] {
            let message = upc(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    proptest! {
        #[test]
        fn never_panic_and_are_stable(text in ".{0,20}") {
            for check in [isrc, iswc, upc] {
                if let Ok(code) = check(&text) {
                    prop_assert_eq!(check(&code).unwrap(), code);
                }
            }
        }

        #[test]
        fn every_mistyped_digit_of_a_upc_is_seen(body in "[0-9]{12}", place in 0usize..13, other in 0u32..10) {
            let right = (0..10).map(|check| format!("{body}{check}")).find(|code| upc(code).is_ok()).unwrap();
            let mut wrong: Vec<char> = right.chars().collect();
            wrong[place] = char::from_digit(other, 10).unwrap();
            let wrong: String = wrong.into_iter().collect();
            prop_assert_eq!(upc(&wrong).is_ok(), wrong == right);
        }
    }
}
