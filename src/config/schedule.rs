//! When a site is crawled.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// When a site is crawled: `schedule = { cron = "30 2 * * 1-5", time_zone = "Asia/Tokyo" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Minute, hour, day of the month, month, day of the week, as cron reads them; also `@daily` and the like. A time
    /// that a change of clocks leaves out comes at the end of the gap, one that it repeats comes once.
    #[serde(deserialize_with = "cron_text")]
    pub cron: String,
    /// The time zone of the cron text, by its IANA name. Default: UTC.
    #[serde(default = "utc", deserialize_with = "zone_name")]
    pub time_zone: String,
    /// What becomes of times that were missed, while the machine was off or the schedule paused: `once` makes up for all of
    /// them by one run, `skip` waits for the next time. Default: once.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// A run begins up to so many seconds after its time, by a number that follows from site and time: sites with one
    /// schedule do not begin all at once. Default 0.
    #[serde(default)]
    pub jitter_s: u32,
}

/// What becomes of times that were missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// The next time is waited for.
    Skip,
}

/// The instant from which a cron text must come sometime; any that ever does comes within the next leap years.
const CHECKED_FROM: Timestamp = Timestamp::constant(1_704_067_200, 0);

impl ScheduleSettings {
    /// Makes a schedule.
    ///
    /// # Errors
    /// What is wrong with the cron text or the name of the time zone.
    pub fn new(cron: &str, time_zone: &str) -> Result<Self, String> {
        parse(cron)?;
        zone(time_zone)?;
        Ok(Self {
            cron: cron.to_owned(),
            time_zone: time_zone.to_owned(),
            catch_up: CatchUp::Once,
            jitter_s: 0,
        })
    }

    /// Returns the first instant of the schedule after `after`; `None` only beyond the calendar's end.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        next(&parse(&self.cron).ok()?, &zone(&self.time_zone).ok()?, after)
    }
}

fn next(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    cron.find_next_occurrence(&after.to_zoned(zone.clone()), false).ok().map(|time| time.timestamp())
}

fn parse(text: &str) -> Result<Cron, String> {
    // Five fields: a schedule by the second would be no crawl, and one of a single year no schedule.
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(text).map_err(|error| {
        format!("`{text}` is no cron text of five fields such as \"30 2 * * *\" or \"@daily\": {error}")
    })?;
    if next(&cron, &TimeZone::UTC, CHECKED_FROM).is_none() {
        return Err(format!("`{text}` never comes"));
    }
    Ok(cron)
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("`{name}` is no time zone such as \"Asia/Tokyo\" or \"UTC\""))
}

fn utc() -> String {
    "UTC".to_owned()
}

fn cron_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map(|_| text).map_err(de::Error::custom)
}

fn zone_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    zone(&name).map(|_| name).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn after(cron: &str, zone: &str, times: usize, from: &str) -> Vec<String> {
        let schedule = ScheduleSettings::new(cron, zone).unwrap();
        let first = from.parse().unwrap();
        std::iter::successors(Some(first), |&time| schedule.next_after(time))
            .skip(1)
            .take(times)
            .map(|time| time.to_string())
            .collect()
    }

    #[test]
    fn times_are_those_of_the_zone() {
        assert_eq!(
            after("30 2 * * 1-5", "Asia/Tokyo", 2, "2026-11-27T00:00:00Z"),
            ["2026-11-29T17:30:00Z", "2026-11-30T17:30:00Z"],
            "after Friday morning in Tokyo comes its Monday"
        );
        assert_eq!(after("@daily", "UTC", 1, "2026-11-27T00:00:00Z"), ["2026-11-28T00:00:00Z"]);
        assert_eq!(after("0 0 29 2 *", "UTC", 1, "2096-03-01T00:00:00Z"), ["2104-02-29T00:00:00Z"]);
    }

    #[test]
    fn a_change_of_clocks_neither_loses_nor_repeats_a_time() {
        // 02:30 is left out on 29 March and comes twice on 25 October.
        assert_eq!(
            after("30 2 * * *", "Europe/Berlin", 3, "2026-03-28T00:00:00Z"),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            after("30 2 * * *", "Europe/Berlin", 3, "2026-10-24T12:00:00Z"),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"]
        );
    }

    #[test]
    fn wrong_texts_are_named() {
        for (cron, zone, said) in [
            ("0 0 30 2 *", "UTC", "never comes"),
            ("61 * * * *", "UTC", "no cron text"),
            ("* * * * * *", "UTC", "no cron text"),
            ("", "UTC", "no cron text"),
            ("@daily", "Asia/Tokio", "no time zone"),
        ] {
            let error = ScheduleSettings::new(cron, zone).unwrap_err();
            assert!(error.contains(said), "{cron}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_or_comes(text in "[-0-9*/,@#LW? a-z]{0,30}") {
            if let Ok(schedule) = ScheduleSettings::new(&text, "Europe/Berlin") {
                let next = schedule.next_after(CHECKED_FROM);
                proptest::prop_assert!(next.is_some_and(|next| next > CHECKED_FROM), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_taken_comes_again_and_again_later(
            fields in prop::collection::vec("(\\*|[0-9]{1,2})((-|/|,|L|W|#)[0-9]{1,2})?", 5),
            zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
            second in 0_i64..4_000_000_000, noise in ".{0,12}", at in 0_usize..20,
        ) {
            let mut text = fields.join(" ");
            if let Ok(schedule) = ScheduleSettings::new(&text, zone) {
                let mut last = Timestamp::from_second(second).unwrap();
                for _ in 0..4 {
                    let Some(next) = schedule.next_after(last) else { break };
                    prop_assert!(next > last, "{} in {}: {} after {}", text, zone, next, last);
                    last = next;
                }
            }
            let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
            text.insert_str(at, &noise);
            let _ = ScheduleSettings::new(&text, &noise);
        }
    }
}
