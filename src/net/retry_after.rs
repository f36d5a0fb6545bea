//! When a server wants to be asked again.

use std::time::Duration;

use jiff::fmt::rfc2822;

use crate::base::Timestamp;

/// Reads a `Retry-After` in both its forms (RFC 9110, section 10.2.3): seconds, or a date, from which is counted at `now`. A date
/// that has passed asks for no wait. `None` where it is neither.
#[must_use]
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are longer than any patience.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX / 4)));
    }
    let date = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    Some(Duration::from_secs(u64::try_from(date.as_second() - now.as_second()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let read = |text: &str| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!((read("120"), read(" 0 ")), (Some(120), Some(0)));
        assert_eq!(read("Sun, 01 Mar 2026 10:02:00 GMT"), Some(120));
        assert_eq!(read("Sun, 01 Mar 2026 09:00:00 GMT"), Some(0));
        assert!(read(&"9".repeat(50)).unwrap() > 1 << 40);
        assert_eq!((read(""), read("-1"), read("soon"), read("1.5")), (None, None, None, None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in ".{0,40}") {
            let _ = retry_after(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
