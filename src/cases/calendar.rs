//! Working days: which days count in a forum, and when a period of them ends.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::base::Timestamp;

/// The longest period that is reckoned with, in working days.
pub const PERIOD_DAYS_MAX: u32 = 250;

/// No row of days off is longer than this; a calendar that claims one is taken to know no better.
const DAYS_OFF_MAX: u32 = 31;

/// Where a calendar holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// Mainland China.
    Cn,
    /// The United States.
    Us,
    /// The European Union.
    Eu,
    /// Japan.
    Jp,
}

impl Region {
    /// All regions.
    pub const ALL: [Self; 4] = [Self::Cn, Self::Us, Self::Eu, Self::Jp];

    /// Returns the name of its file, without the ending.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Jp => "jp",
        }
    }

    const fn built_in(self) -> &'static str {
        match self {
            Self::Cn => include_str!("../../assets/calendars/cn.toml"),
            Self::Us => include_str!("../../assets/calendars/us.toml"),
            Self::Eu => include_str!("../../assets/calendars/eu.toml"),
            Self::Jp => include_str!("../../assets/calendars/jp.toml"),
        }
    }
}

/// Why a calendar cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calendar {name}: {reason}")]
pub struct CalendarError {
    /// Which file.
    pub name: String,
    /// What is wrong with it, and where.
    pub reason: String,
}

/// The file's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarFile {
    name: String,
    zone: String,
    weekend: Vec<Day>,
    #[serde(default)]
    year: Vec<YearOfFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct YearOfFile {
    year: i16,
    #[expect(dead_code, reason = "for whoever reads the file")]
    source: String,
    holidays: Vec<Date>,
    #[serde(default)]
    workdays: Vec<Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    const fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

/// The working days of one region.
#[derive(Debug, Clone)]
pub struct Calendar {
    name: String,
    zone: TimeZone,
    weekend: Vec<Weekday>,
    years: BTreeSet<i16>,
    holidays: BTreeSet<Date>,
    /// Days of a weekend that are worked.
    workdays: BTreeSet<Date>,
}

/// When a period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ends {
    /// The first instant after it.
    pub at: Timestamp,
    /// Whether the calendar knows the holidays of every year that the period touches. Otherwise weekends alone were left
    /// out, and it may end later.
    pub is_sure: bool,
}

impl Calendar {
    /// Reads a calendar from the text of its file; `name` is named in errors.
    ///
    /// # Errors
    /// [`CalendarError`] where the text is no calendar, or a date stands under another year.
    pub fn parse(text: &str, name: &str) -> Result<Self, CalendarError> {
        let wrong = |reason: String| CalendarError { name: name.to_owned(), reason };
        let file: CalendarFile = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let zone =
            TimeZone::posix(&file.zone).map_err(|error| wrong(format!("zone `{}`: {error}", file.zone)))?;
        let mut calendar = Self {
            name: file.name,
            zone,
            weekend: file.weekend.into_iter().map(Day::weekday).collect(),
            years: BTreeSet::new(),
            holidays: BTreeSet::new(),
            workdays: BTreeSet::new(),
        };
        for year in file.year {
            if let Some(date) =
                year.holidays.iter().chain(&year.workdays).find(|date| date.year() != year.year)
            {
                return Err(wrong(format!("{date} stands under the year {}", year.year)));
            }
            if let Some(date) = year.holidays.iter().find(|date| year.workdays.contains(date)) {
                return Err(wrong(format!("{date} is both a holiday and a working day")));
            }
            if !calendar.years.insert(year.year) {
                return Err(wrong(format!("the year {} comes twice", year.year)));
            }
            calendar.holidays.extend(year.holidays);
            calendar.workdays.extend(year.workdays);
        }
        Ok(calendar)
    }

    /// Returns the region's name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the last year whose holidays are known.
    #[must_use]
    pub fn last_year(&self) -> Option<i16> {
        self.years.last().copied()
    }

    /// Whether people work on this day.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> bool {
        self.workdays.contains(&date)
            || !self.weekend.contains(&date.weekday()) && !self.holidays.contains(&date)
    }

    /// Returns the calendar day of an instant.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// Returns when a period of `days` working days ends that an event at `from` sets off: the event's own day does not
    /// count, and the period ends with its last day. More than [`PERIOD_DAYS_MAX`] days are cut to that.
    #[must_use]
    pub fn after_working_days(&self, from: Timestamp, days: u32) -> Ends {
        let first = self.day_of(from);
        let mut last = first;
        for _ in 0..days.min(PERIOD_DAYS_MAX) {
            last = self.next_working_day(last);
        }
        self.end_of(first, last)
    }

    /// Returns when a period of `days` calendar days ends that an event at `from` sets off: the event's own day does not
    /// count, and the period ends with its last day. Where `rolls`, a last day on which nobody works gives way to the next
    /// working day.
    #[must_use]
    pub fn after_days(&self, from: Timestamp, days: u32, rolls: bool) -> Ends {
        let first = self.day_of(from);
        let mut last = first;
        for _ in 0..days.min(PERIOD_DAYS_MAX) {
            last = tomorrow(last);
        }
        if rolls && !self.is_working_day(last) {
            last = self.next_working_day(last);
        }
        self.end_of(first, last)
    }

    fn next_working_day(&self, day: Date) -> Date {
        let mut next = tomorrow(day);
        for _ in 0..DAYS_OFF_MAX {
            if self.is_working_day(next) {
                return next;
            }
            next = tomorrow(next);
        }
        tomorrow(day)
    }

    fn end_of(&self, first: Date, last: Date) -> Ends {
        let midnight = self.zone.to_timestamp(tomorrow(last).to_datetime(jiff::civil::Time::midnight()));
        let is_sure = (first.year()..=last.year()).all(|year| self.years.contains(&year));
        // Fails only at the end of the calendar's last year, 9999.
        Ends { at: midnight.unwrap_or(Timestamp::MAX), is_sure }
    }
}

fn tomorrow(day: Date) -> Date {
    day.tomorrow().unwrap_or(Date::MAX)
}

/// The calendars of all regions.
#[derive(Debug, Clone)]
pub struct Calendars(BTreeMap<Region, Calendar>);

impl Calendars {
    /// Reads the calendars: the text that `other` gives for a region, such as that of a newer file, else the one that the
    /// program holds.
    ///
    /// # Errors
    /// [`CalendarError`] where one of them is no calendar.
    pub fn new(other: impl Fn(Region) -> Option<String>) -> Result<Self, CalendarError> {
        let read = |region: Region| {
            let name = format!("{}.toml", region.as_str());
            let calendar = match other(region) {
                Some(text) => Calendar::parse(&text, &name),
                None => Calendar::parse(region.built_in(), &name),
            };
            Ok((region, calendar?))
        };
        Ok(Self(Region::ALL.into_iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Reads the calendars that the program holds.
    ///
    /// # Errors
    /// None for a program as it was tested; see [`Calendars::new`].
    pub fn built_in() -> Result<Self, CalendarError> {
        Self::new(|_| None)
    }

    /// Returns a region's calendar.
    #[must_use]
    pub fn get(&self, region: Region) -> Option<&Calendar> {
        self.0.get(&region)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn calendar(region: Region) -> Calendar {
        Calendar::parse(region.built_in(), region.as_str()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The last day of a period, as people say it.
    fn last_day(calendar: &Calendar, ends: Ends) -> Date {
        calendar.day_of(ends.at - jiff::SignedDuration::from_secs(1))
    }

    #[test]
    fn china_works_on_some_weekends_and_rests_on_weekdays() {
        let cn = calendar(Region::Cn);
        // The spring festival of 2026: Sunday, 15 to Monday, 23 February; the Saturdays before and after are worked.
        assert!(cn.is_working_day(date(2026, 2, 14)));
        assert!(!cn.is_working_day(date(2026, 2, 23)));
        assert!(cn.is_working_day(date(2026, 2, 28)));
        // Noon in China on Thursday, 12 February: Friday, Saturday (worked), then Tuesday, 24 February.
        let ends = cn.after_working_days(at("2026-02-12T04:00:00Z"), 3);
        assert_eq!((last_day(&cn, ends), ends.is_sure), (date(2026, 2, 24), true));
        assert_eq!(ends.at, at("2026-02-24T16:00:00Z"), "midnight in China");
        // Before and after midnight in China are two days.
        let before = cn.after_working_days(at("2026-03-02T15:59:59Z"), 1);
        let after = cn.after_working_days(at("2026-03-02T16:00:00Z"), 1);
        assert_eq!((last_day(&cn, before), last_day(&cn, after)), (date(2026, 3, 3), date(2026, 3, 4)));
    }

    #[test]
    fn twenty_working_days_over_the_national_holiday() {
        let cn = calendar(Region::Cn);
        // From Monday, 21 September 2026: 22–24, 28–30 September are six, 8–10 October nine, 12–16 fourteen, 19–23
        // nineteen, 26 October twenty.
        let ends = cn.after_working_days(at("2026-09-21T02:00:00Z"), 20);
        assert_eq!(last_day(&cn, ends), date(2026, 10, 26));
    }

    #[test]
    fn the_united_states_observe_holidays_on_weekdays_and_turn_clocks() {
        let us = calendar(Region::Us);
        assert!(!us.is_working_day(date(2026, 7, 3)), "Independence Day is a Saturday");
        // Wednesday, 25 November 2026, then Thanksgiving: ten business days later it is 10 December.
        let ends = us.after_working_days(at("2026-11-25T15:00:00Z"), 10);
        assert_eq!(last_day(&us, ends), date(2026, 12, 10));
        assert_eq!(ends.at, at("2026-12-11T05:00:00Z"));
        // In summer the same midnight is an hour earlier.
        assert_eq!(us.after_working_days(at("2026-07-06T15:00:00Z"), 1).at, at("2026-07-08T04:00:00Z"));
    }

    #[test]
    fn calendar_days_roll_to_a_working_day_where_they_shall() {
        let jp = calendar(Region::Jp);
        // Seven days from 27 April 2026 is 4 May, in the middle of the golden week, which lasts to 6 May.
        let from = at("2026-04-27T01:00:00Z");
        assert_eq!(last_day(&jp, jp.after_days(from, 7, false)), date(2026, 5, 4));
        assert_eq!(last_day(&jp, jp.after_days(from, 7, true)), date(2026, 5, 7));
        assert!(!jp.is_working_day(date(2026, 5, 6)) && !jp.is_working_day(date(2026, 9, 22)));
    }

    #[test]
    fn years_that_are_not_known_are_told() {
        let cn = calendar(Region::Cn);
        assert_eq!(cn.last_year(), Some(2026));
        assert!(!cn.after_working_days(at("2026-12-30T02:00:00Z"), 5).is_sure);
        assert!(cn.after_working_days(at("2026-12-01T02:00:00Z"), 5).is_sure);
    }

    #[test]
    fn wrong_files_are_named_with_their_fault() {
        let file =
            |year: &str| format!("name = \"x\"\nzone = \"UTC0\"\nweekend = [\"sunday\"]\n[[year]]\n{year}");
        for (text, reason) in [
            (file("year = 2026\nsource = \"\"\nholidays = [\"2027-01-01\"]"), "stands under the year 2026"),
            (file("year = 2026\nsource = \"\"\nholidays = [\"2026-13-01\"]"), "line 7"),
            (
                file("year = 2026\nsource = \"\"\nholidays = [\"2026-01-01\"]\nworkdays = [\"2026-01-01\"]"),
                "both a holiday and a working day",
            ),
            ("name = \"x\"\nzone = \"moon\"\nweekend = []".to_owned(), "zone `moon`"),
        ] {
            let error = Calendar::parse(&text, "cn.toml").unwrap_err().to_string();
            assert!(error.starts_with("calendar cn.toml: ") && error.contains(reason), "{error}");
        }
        // A calendar without any working day still lets periods end.
        let week = "[\"monday\",\"tuesday\",\"wednesday\",\"thursday\",\"friday\",\"saturday\",\"sunday\"]";
        let never =
            Calendar::parse(&format!("name = \"x\"\nzone = \"UTC0\"\nweekend = {week}"), "x").unwrap();
        assert_eq!(never.after_working_days(at("2026-01-01T00:00:00Z"), 2).at, at("2026-01-04T00:00:00Z"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn calendars_of_any_text_count_forward(
            region in prop::sample::select(Region::ALL.to_vec()), second in -3_000_000_000_i64..6_000_000_000,
            changes in prop::collection::vec((any::<prop::sample::Index>(), "[ -~]"), 0..4), cut in any::<prop::sample::Index>(),
        ) {
            let mut text: Vec<char> = region.built_in().chars().collect();
            for (at, with) in &changes {
                let at = at.index(text.len());
                text.splice(at..=at, with.chars());
            }
            if changes.len() == 3 {
                text.truncate(cut.index(text.len()));
            }
            let Ok(calendar) = Calendar::parse(&text.into_iter().collect::<String>(), "changed") else { return Ok(()) };
            let from = Timestamp::from_second(second).unwrap();
            let mut last = from;
            for days in [0, 1, 30, PERIOD_DAYS_MAX, u32::MAX] {
                let ends = calendar.after_working_days(from, days);
                prop_assert!(ends.at >= last && ends.at >= calendar.after_days(from, days, false).at);
                last = ends.at;
            }
        }
    }

    proptest! {
        #[test]
        fn a_period_holds_exactly_its_working_days(
            region in prop::sample::select(Region::ALL.to_vec()),
            second in 1_704_067_200_i64..1_798_000_000,
            days in 0_u32..60,
        ) {
            let calendar = calendar(region);
            let from = Timestamp::from_second(second).unwrap();
            let ends = calendar.after_working_days(from, days);
            let (first, last) = (calendar.day_of(from), last_day(&calendar, ends));
            let mut day = first;
            let mut count = 0;
            while day < last {
                day = tomorrow(day);
                count += u32::from(calendar.is_working_day(day));
            }
            prop_assert_eq!(count, days);
            prop_assert!(days == 0 || calendar.is_working_day(last));
            prop_assert!(ends.at > from);
            // One day more never ends earlier, and calendar days never later than working days.
            prop_assert!(calendar.after_working_days(from, days + 1).at > ends.at);
            prop_assert!(calendar.after_days(from, days, false).at <= ends.at);
        }

        #[test]
        fn any_text_is_a_calendar_or_an_error(text in ".{0,300}") {
            let _ = Calendar::parse(&text, "x");
        }
    }
}
