//! A year of schedules on a simulated clock: changes of clocks, restarts, a week's pause, a full disk, people who stop runs.

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
    // What is left to do of runs that were broken off.
    let mut left: BTreeMap<&str, jiff::SignedDuration> = BTreeMap::new();
    let (mut gone_on, mut stopped) = (0, 0);
    let mut began: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    let mut now = from;
    let mut minute = 0u64;
    while now < until {
        now = now.checked_add(minutes(1)).unwrap();
        minute += 1;
        running.retain(|_, end| *end > now);
        // A restart every 1,000 minutes, for five, and each evening ten minutes without room on the disk: what runs is broken off
        // and goes on afterwards.
        let is_short = (at("2026-01-01T18:20:00Z")..at("2026-01-01T18:30:00Z"))
            .contains(&now.checked_sub(minutes(i64::try_from(minute / 1440).unwrap() * 1440)).unwrap());
        if minute % 1000 < 5 || is_short {
            for (name, end) in std::mem::take(&mut running) {
                last.insert(name, LastRun::BrokenOff);
                left.insert(name, end.duration_since(now));
            }
            continue;
        }
        // Each seventh run is stopped by a person in its tenth minute, and waits for its next time.
        for (name, began) in &began {
            let is_in_tenth = began.last().is_some_and(|began| now.duration_since(*began) == minutes(10));
            if began.len() % 7 == 0 && is_in_tenth && running.remove(name).is_some() {
                last.insert(name, LastRun::Stopped(now));
                stopped += 1;
            }
        }
        let standing: Vec<SiteStanding<'_>> = sites
            .iter()
            .map(|(name, schedule)| SiteStanding {
                name,
                schedule: Some(schedule),
                last: last[name],
                is_running: running.contains_key(name),
                is_paused: paused.contains(&now),
            })
            .collect();
        for name in begin_now(&standing, now, 3) {
            let takes = left.remove(name).unwrap_or(minutes(40));
            assert!(running.insert(name, now.checked_add(takes).unwrap()).is_none(), "{name} overlaps");
            match last[name] {
                LastRun::BrokenOff => gone_on += 1,
                LastRun::Stopped(at) => {
                    assert!(now >= sites[name].next_after(at).unwrap(), "{name} begins before its time");
                    began.entry(name).or_default().push(now);
                }
                _ => began.entry(name).or_default().push(now),
            }
            last.insert(name, LastRun::Done(now));
        }
        assert!(running.len() <= 3);
    }
    assert!(gone_on > 600 && stopped > 1000, "{gone_on} went on, {stopped} were stopped");
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
