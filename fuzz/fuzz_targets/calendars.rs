//! What a user's files say of time: schedules (cron texts, names of time zones) and calendars of working days. Input: a byte
//! that selects the parser; eight bytes for an instant; the text, of schedules with a line feed between cron text and zone.
#![no_main]

use earwitness::base::Timestamp;
use earwitness::cases::{Calendar, PERIOD_DAYS_MAX};
use earwitness::config::ScheduleSettings;
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((selector, rest)) = selected(data) else { return };
    let Some((instant, text)) = rest.split_first_chunk::<8>() else { return };
    let (at, text) = (at(*instant), String::from_utf8_lossy(text));
    match selector % 2 {
        0 => schedule(&text, at),
        _ => calendar(&text, at),
    }
});

/// An instant of this century or the last.
fn at(bytes: [u8; 8]) -> Timestamp {
    const SECONDS: i64 = 100 * 366 * 86_400;
    Timestamp::from_second(i64::from_le_bytes(bytes) % SECONDS).unwrap()
}

fn schedule(text: &str, at: Timestamp) {
    count("schedule");
    let (cron, zone) = text.split_once('\n').unwrap_or((text, "UTC"));
    let schedule = match ScheduleSettings::new(cron, zone) {
        Ok(schedule) => schedule,
        Err(why) => return assert!(!why.is_empty()),
    };
    count("schedule, taken");
    let written = serde_json::to_string(&schedule).unwrap();
    assert_eq!(serde_json::from_str::<ScheduleSettings>(&written).unwrap(), schedule);
    // Whoever asks again and again comes forward.
    let mut last = at;
    for _ in 0..4 {
        let Some(next) = schedule.next_after(last) else { return };
        assert!(next > last, "{cron:?} in {zone:?}: {next} after {last}");
        last = next;
    }
}

fn calendar(text: &str, at: Timestamp) {
    count("calendar");
    let calendar = match Calendar::parse(text, "fuzz.toml") {
        Ok(calendar) => calendar,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    count("calendar, taken");
    let _ = (calendar.name(), calendar.is_working_day(calendar.day_of(at)));
    let mut last = at;
    for days in [0, 1, 5, 30, PERIOD_DAYS_MAX, u32::MAX] {
        let ends = calendar.after_working_days(at, days);
        assert!(ends.at >= last && ends.at >= calendar.after_days(at, days, false).at);
        assert!(!ends.is_sure || calendar.last_year().is_some());
        last = ends.at;
    }
}
