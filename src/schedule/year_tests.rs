//! A year of schedules on a simulated clock: changes of clocks, restarts, a week's pause.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::{LastRun, SiteStanding, begin_now};
use crate::base::Timestamp;
use crate::config::{CatchUp, ScheduleSettings};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(count: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(count)
}

/// The times of a schedule in a stretch, told from the cron text alone.
fn times(schedule: &ScheduleSettings, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    std::iter::successors(schedule.next_after(from), |time| schedule.next_after(*time))
        .take_while(|time| *time <= until)
        .collect()
}

#[test]
fn each_due_run_of_a_year_comes_exactly_once() {
    let (from, until) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let paused = at("2026-06-01T12:00:00Z")..at("2026-06-08T12:00:00Z");
    let schedule = |cron: &str, zone: &str, catch_up| ScheduleSettings {
        catch_up,
        ..ScheduleSettings::new(cron, zone).unwrap()
    };
    let sites: BTreeMap<&str, ScheduleSettings> = [
        ("berlin", schedule("30 2 * * *", "Europe/Berlin", CatchUp::Once)),
        ("new york", schedule("30 1 * * *", "America/New_York", CatchUp::Skip)),
        ("tokyo", schedule("0 3 * * 1-5", "Asia/Tokyo", CatchUp::Once)),
        ("hourly", schedule("17 * * * *", "UTC", CatchUp::Skip)),
    ]
    .into();
    // What the store would keep over restarts, and what runs until when: a run takes 40 minutes.
    let mut last: BTreeMap<&str, LastRun> = sites.keys().map(|name| (*name, LastRun::Done(from))).collect();
    let mut running: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut began: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    let mut now = from;
    let mut minute = 0u64;
    while now < until {
        now = now.checked_add(minutes(1)).unwrap();
        minute += 1;
        running.retain(|_, end| *end > now);
        // A restart every 1,000 minutes, for five: what runs is killed and goes on afterwards.
        if minute % 1000 < 5 {
            for name in std::mem::take(&mut running).into_keys() {
                last.insert(name, LastRun::Killed);
            }
            continue;
        }
        let standing: Vec<SiteStanding<'_>> = sites
            .iter()
            .map(|(name, schedule)| SiteStanding {
                name,
                schedule,
                last: last[name],
                is_running: running.contains_key(name),
                is_paused: paused.contains(&now),
            })
            .collect();
        for name in begin_now(&standing, now, 3) {
            assert!(running.insert(name, now.checked_add(minutes(40)).unwrap()).is_none(), "{name} overlaps");
            if last[name] != LastRun::Killed {
                began.entry(name).or_default().push(now);
            }
            last.insert(name, LastRun::Done(now));
        }
        assert!(running.len() <= 3);
    }
    for (name, schedule) in &sites {
        let began = &began[name];
        let mut due = times(schedule, from, until);
        let missed = due.iter().filter(|time| paused.contains(time)).count();
        assert!(missed >= 5, "{name}");
        due.retain(|time| !paused.contains(time));
        match schedule.catch_up {
            // One run makes up for the whole week, when it is over.
            CatchUp::Once => {
                let made_up = began.iter().filter(|time| **time == paused.end).count();
                assert_eq!(made_up, 1, "{name}");
                assert_eq!(began.len(), due.len() + 1, "{name}");
            }
            CatchUp::Skip => assert_eq!(began.len(), due.len(), "{name}"),
        }
        // Each within the restart, the other runs and the run before it.
        let made_up = |time: &&Timestamp| schedule.catch_up == CatchUp::Skip || **time != paused.end;
        for (time, due) in began.iter().filter(made_up).zip(&due) {
            let late = time.duration_since(*due);
            assert!((minutes(0)..minutes(50)).contains(&late), "{name}: {due} began {time}");
        }
    }
}
