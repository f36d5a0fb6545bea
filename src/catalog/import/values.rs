//! One cell to one value.

use jiff::civil::Date;

/// The longest text of one field, in bytes.
const FIELD_BYTES_MAX: usize = 2000;

/// No recording was made before the phonautograph.
const FIRST_YEAR: i16 = 1857;

/// Checks what holds for every cell; gives the text without outer space.
pub(super) fn text(cell: &str) -> Result<Option<&str>, String> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Ok(None);
    }
    if cell.len() > FIELD_BYTES_MAX {
        return Err(format!("{} bytes long, at most {FIELD_BYTES_MAX} are taken", cell.len()));
    }
    if cell.contains('\u{fffd}') {
        return Err(
            "holds bytes that are not in the table's encoding; name the right one with --encoding".to_owned()
        );
    }
    if cell.contains(['\n', '\r']) {
        return Err("holds a line break; is a closing quotation mark missing?".to_owned());
    }
    match cell.chars().find(|c| c.is_control()) {
        Some(control) => Err(format!("holds the control character {}", control.escape_unicode())),
        None => Ok(Some(cell)),
    }
}

/// Reads a date: `YYYY`, `YYYY-MM-DD`, `YYYY/M/D`, `YYYY.M.D`, `YYYYMMDD` or `YYYY年M月D日`; gives `YYYY` or
/// `YYYY-MM-DD`.
pub(super) fn date(cell: &str) -> Result<String, String> {
    let wrong = || format!("`{}` is not a date; write YYYY or YYYY-MM-DD", shorten(cell));
    let parts: Vec<&str> = if cell.len() == 8 && cell.bytes().all(|byte| byte.is_ascii_digit()) {
        vec![&cell[..4], &cell[4..6], &cell[6..]]
    } else {
        // Some tables append a time of day, which does not count here.
        let day = cell.split(['T', ' ']).next().unwrap_or(cell).trim_end_matches('日').trim_end_matches('年');
        day.split(['-', '/', '.', '年', '月']).collect()
    };
    let all_digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(all_digits) || parts[0].len() != 4 {
        return Err(wrong());
    }
    let year: i16 = parts[0].parse().map_err(|_| wrong())?;
    if year < FIRST_YEAR {
        return Err(format!("the year {year} is before the first sound recording"));
    }
    match parts.as_slice() {
        [_] => Ok(format!("{year:04}")),
        [_, month, day] => {
            let month: i8 = month.parse().map_err(|_| wrong())?;
            let day: i8 = day.parse().map_err(|_| wrong())?;
            let date =
                Date::new(year, month, day).map_err(|_| format!("there is no day `{}`", shorten(cell)))?;
            Ok(date.to_string())
        }
        _ => Err(wrong()),
    }
}

/// Reads a length: seconds (`215.4`), `3:35`, `1:02:03`, or ISO 8601 as DDEX writes it (`PT3M35S`); gives seconds.
pub(super) fn duration(cell: &str) -> Result<f64, String> {
    let wrong = || format!("`{}` is not a length; write seconds or minutes:seconds", shorten(cell));
    let seconds = if cell.starts_with(['P', 'p']) {
        let span: jiff::SignedDuration = cell.parse().map_err(|_| wrong())?;
        span.as_secs_f64()
    } else {
        let mut seconds = 0.0;
        let parts: Vec<&str> = cell.split(':').collect();
        for part in &parts {
            if parts.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                return Err(wrong());
            }
            seconds = seconds * 60.0 + part.parse::<f64>().map_err(|_| wrong())?;
        }
        seconds
    };
    // A week: longer than any recording, shorter than any mistake of units.
    if (0.0..=604_800.0).contains(&seconds) { Ok(seconds) } else { Err(wrong()) }
}

/// Splits titles in other scripts, which stand in one cell with `|` between.
pub(super) fn titles(cell: &str) -> Vec<String> {
    cell.split('|').map(str::trim).filter(|title| !title.is_empty()).map(str::to_owned).collect()
}

fn shorten(cell: &str) -> String {
    cell.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates() {
        for (cell, date_text) in [
            ("1987", "1987"),
            ("1987-03-09", "1987-03-09"),
            ("1987/3/9", "1987-03-09"),
            ("19870309", "1987-03-09"),
            ("1987年3月9日", "1987-03-09"),
            ("1987年", "1987"),
            ("2020-02-29T00:00:00Z", "2020-02-29"),
        ] {
            assert_eq!(date(cell).as_deref(), Ok(date_text), "{cell}");
        }
        for wrong in
            ["", "87", "09.03.1987", "1987-13-01", "2019-02-29", "1987-03", "tomorrow", "1066", "1987-3-9-1"]
        {
            assert!(date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        for (cell, seconds) in [("85.38", 85.38), ("3:35", 215.0), ("1:02:03.5", 3723.5), ("PT3M35S", 215.0)]
        {
            assert_eq!(duration(cell), Ok(seconds), "{cell}");
        }
        for wrong in ["", "abc", "-5", "1:2:3:4", "1e9", "NaN", "inf", "99999999", ":"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cells() {
        assert_eq!(text("  夜に駆ける 🎵 "), Ok(Some("夜に駆ける 🎵")));
        assert_eq!(text(" \u{3000}"), Ok(None));
        for wrong in ["a\nb", "a\u{7}b", "a\u{fffd}b", &"x".repeat(FIELD_BYTES_MAX + 1)] {
            assert!(text(wrong).is_err());
        }
    }

    proptest! {
        #[test]
        fn never_panic(cell in any::<String>()) {
            let _ = (text(&cell), date(&cell), duration(&cell), titles(&cell));
        }
    }
}
