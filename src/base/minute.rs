//! Instants as people read them.

use jiff::Timestamp;

/// Returns an instant to the minute, in UTC: `2026-11-26 02:30Z`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_to_the_minute() {
        assert_eq!(minute(Timestamp::constant(1_795_660_259, 0)), "2026-11-26 02:30Z");
    }
}
