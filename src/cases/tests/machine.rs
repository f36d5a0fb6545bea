//! Random events on a simulated clock, against a model that knows only the law: no illegal transition, no missed deadline, no
//! second notice after a counter-notice.

use proptest::prelude::*;

use super::*;

/// What may happen next; most of it cannot at most times.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes.
    Wait(i64),
    Write {
        form: Form,
        forum: Forum,
        provider: usize,
    },
    Receive {
        number: u32,
        event: Event,
        hours_ago: i64,
        /// When the provider had a counter-notice, in hours before now.
        provider_had: Option<i64>,
    },
    Look {
        url: usize,
        alive: Alive,
    },
    Settle,
    Decide(Event),
    End(Event),
    License(bool),
}

const PROVIDERS: [&str; 3] = ["pirate.example", "search.example", "Pirate.Example "];
const URLS: [&str; 2] = [URL, "https://cdn.pirate.example/b.mp3"];

fn step() -> impl Strategy<Value = Step> {
    let forms = prop::sample::select(Form::ALL.to_vec());
    let forums = prop::sample::select(Forum::ALL.to_vec());
    let events = prop::sample::select(Event::ALL.to_vec());
    let alive = prop::sample::select(vec![Alive::Yes, Alive::Gone, Alive::Unclear]);
    prop_oneof![
        4 => (1_i64..200).prop_map(Step::Wait),
        4 => (forms, forums, 0_usize..3).prop_map(|(form, forum, provider)| Step::Write { form, forum, provider }),
        4 => (1_u32..4).prop_map(|number| Step::Receive { number, event: Event::Sent, hours_ago: 0, provider_had: None }),
        6 => (1_u32..4, events, 0_i64..30, prop::option::of(0_i64..60))
            .prop_map(|(number, event, hours_ago, provider_had)| Step::Receive { number, event, hours_ago, provider_had }),
        // What comes after all seemed to be done.
        2 => (1_u32..4, 0_i64..30)
            .prop_map(|(number, hours_ago)| Step::Receive { number, event: Event::Countered, hours_ago, provider_had: None }),
        3 => (0_usize..2, alive).prop_map(|(url, alive)| Step::Look { url, alive }),
        3 => Just(Step::Settle),
        1 => prop::sample::select(vec![Event::Approved, Event::Dismissed, Event::Review]).prop_map(Step::Decide),
        1 => prop::sample::select(vec![Event::Closed, Event::Retracted]).prop_map(Step::End),
        1 => any::<bool>().prop_map(Step::License),
    ]
}

/// Which states the law lets follow on which, whatever the event; written down apart from the code under test.
fn may_follow(from: State, to: State) -> bool {
    use State as S;
    from == to
        || match from {
            S::Queued | S::Undetermined => to <= S::Dismissed,
            S::Review => matches!(to, S::Approved | S::Dismissed),
            S::Dismissed => matches!(to, S::Review | S::Approved),
            S::Approved => matches!(to, S::Dismissed | S::Noticed | S::Removed | S::Escalated),
            S::Noticed | S::Ignored | S::Forwarded => to >= S::Noticed,
            S::Removed => matches!(to, S::Countered | S::Closed | S::Retracted),
            S::Countered => matches!(to, S::Removed | S::Escalated | S::Closed | S::Retracted),
            S::Escalated => matches!(to, S::Removed | S::Countered | S::Closed | S::Retracted),
            S::Closed => matches!(to, S::Countered | S::Retracted),
            S::Retracted => false,
        }
}

/// What the law knows of a notice.
#[derive(Debug, Clone)]
struct Law {
    provider: String,
    forum: Forum,
    is_takedown: bool,
    urls: Vec<String>,
    sent: Option<Timestamp>,
    countered: Option<Timestamp>,
    /// When the provider had it, as far as it told us.
    provider_had: Option<Timestamp>,
    /// The provider acted, or is known not to have, or it ended.
    is_answered: bool,
    /// We went to court, or it ended.
    is_pursued: bool,
}

struct Model {
    notices: Vec<Law>,
}

impl Model {
    fn is_locked(&self, provider: &str) -> bool {
        let same = |one: &&Law| one.provider.trim().eq_ignore_ascii_case(provider.trim());
        self.notices.iter().filter(same).any(|one| one.countered.is_some())
    }

    fn happened(&mut self, number: u32, event: Event, when: Timestamp, provider_had: Option<Timestamp>) {
        let one = &mut self.notices[number as usize - 1];
        match event {
            Event::Sent => one.sent = Some(when),
            Event::Countered => {
                one.countered.get_or_insert(when);
                one.provider_had = one.provider_had.or(provider_had);
                (one.is_answered, one.is_pursued) = (true, false);
            }
            Event::Escalated => (one.is_answered, one.is_pursued) = (true, true),
            Event::Removed | Event::Closed | Event::Retracted => {
                (one.is_answered, one.is_pursued) = (true, true);
            }
            Event::Ignored => one.is_answered = true,
            // Passed on: the provider still owes the rest.
            Event::Forwarded => one.is_answered = false,
            _ => {}
        }
    }

    /// The deadlines that have passed by `now` and that nobody has answered.
    fn missed(&self, now: Timestamp, calendars: &Calendars) -> Vec<(u32, Timestamp)> {
        let mut missed = Vec::new();
        for (at, one) in self.notices.iter().enumerate().filter(|(_, one)| one.is_takedown) {
            for term in one.forum.terms() {
                let (from, waits) = match term.starts {
                    Starts::Sent => (one.sent, !one.is_answered),
                    Starts::Countered => {
                        let theirs = one.provider_had.or(one.countered);
                        let both = one.countered.zip(theirs);
                        // We reckon with the worst: ours from the earlier arrival, the provider's from the later.
                        let from = both.map(|(ours, theirs)| match term.owes {
                            Owes::Us => ours.min(theirs),
                            Owes::Provider => ours.max(theirs),
                        });
                        (from, !one.is_pursued)
                    }
                };
                let Some(from) = from.filter(|_| waits) else { continue };
                let ends = term.ends(one.forum, from, calendars).at;
                if ends <= now {
                    missed.push((at as u32 + 1, ends));
                }
            }
        }
        missed.sort();
        missed
    }
}

fn carry_out(
    file: &mut CaseFile,
    model: &mut Model,
    step: &Step,
    now: &mut Timestamp,
    calendars: &Calendars,
) {
    match step {
        Step::Wait(hours) => *now += SignedDuration::from_hours(*hours),
        Step::Write { form, forum, provider } => {
            let provider = PROVIDERS[*provider];
            let was_locked = model.is_locked(provider);
            let written = file.write_notice(&notice(*form, *forum, provider, &URLS), *now);
            let Some(purpose) = form.purpose() else { return };
            if written.is_ok() {
                assert!(
                    !(was_locked && purpose == Purpose::Takedown),
                    "notified again after a counter-notice"
                );
                assert!(file.case.verdict.decision != Decision::Licensed);
                model.notices.push(Law {
                    provider: provider.to_owned(),
                    forum: *forum,
                    is_takedown: purpose == Purpose::Takedown,
                    urls: URLS.map(str::to_owned).to_vec(),
                    sent: None,
                    countered: None,
                    provider_had: None,
                    is_answered: false,
                    is_pursued: true,
                });
            }
        }
        Step::Receive { number, event, hours_ago, provider_had } => {
            let when = *now - SignedDuration::from_hours(*hours_ago);
            let provider_had = provider_had.map(|hours| *now - SignedDuration::from_hours(hours));
            let before = file.clone();
            let told = Received { received_by_provider: provider_had, ..received(*event, when) };
            match file.receive(*number, &told, *now) {
                Ok(()) => model.happened(*number, *event, when, provider_had),
                Err(_) => assert_eq!(*file, before, "a refused event changes nothing"),
            }
        }
        Step::Look { url, alive } => {
            let one = looked(file, URLS[*url], *now, *alive);
            file.look(vec![one], *now, "earwitness");
        }
        Step::Settle => {
            let before: Vec<Standing> = file.notifications.iter().map(|one| one.standing).collect();
            file.settle(*now, calendars, "earwitness");
            for (one, was) in file.notifications.iter().zip(before) {
                if one.standing == was {
                    continue;
                }
                let law = &mut model.notices[one.number as usize - 1];
                match one.standing {
                    Standing::Removed => law.is_answered = true,
                    Standing::Ignored => {
                        // Nobody is said to ignore what was not proved live after its time.
                        let ends = one.provider_ends(calendars).unwrap().at;
                        let is_proved = file.liveness.iter().any(|seen| {
                            seen.alive == Alive::Yes && seen.at >= ends && law.urls.contains(&seen.url)
                        });
                        assert!(is_proved && ends <= *now);
                        law.is_answered = true;
                    }
                    other => panic!("settled to {other:?}"),
                }
            }
        }
        Step::Decide(event) => {
            let decided = Decided { event: *event, actor: "Ann".to_owned(), note: Some("x".to_owned()) };
            let _ = decide(&mut file.case, *now, &decided);
        }
        Step::End(event) => {
            if file.end(*event, *now, "Ann", "reason").is_ok() {
                for number in 1..=model.notices.len() as u32 {
                    model.happened(number, *event, *now, None);
                }
            }
        }
        Step::License(is_licensed) => {
            let decision = if *is_licensed { Decision::Licensed } else { Decision::Unlicensed };
            file.case.verdict = verdict(decision, *now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_illegal_transition_no_missed_deadline_no_second_notice(
        steps in prop::collection::vec(step(), 1..80),
        start in 1_772_000_000_i64..1_790_000_000,
    ) {
        let calendars = Calendars::built_in().unwrap();
        let mut now = Timestamp::from_second(start).unwrap();
        let mut file = START.with(Clone::clone);
        for one in &mut file.case.sightings {
            one.last_seen = now;
        }
        let mut model = Model { notices: Vec::new() };
        for step in &steps {
            let before = file.clone();
            carry_out(&mut file, &mut model, step, &mut now, &calendars);
            prop_assert!(may_follow(before.case.state, file.case.state), "{:?} to {:?} by {step:?}",
                before.case.state, file.case.state);
            // Every change is logged with who, when and why; nothing that was logged changes.
            prop_assert!(file.case.history.starts_with(&before.case.history));
            prop_assert!(before.case.state == file.case.state
                || file.case.history.len() > before.case.history.len());
            for (one, was) in file.notifications.iter().zip(&before.notifications) {
                prop_assert!(!was.is_locked() || one.is_locked(), "a lock is never undone");
                prop_assert!(one.standing == was.standing || one.events.len() > was.events.len());
            }
            // What is open and over is told: exactly that.
            let told = due(&file, now, SignedDuration::ZERO, &calendars);
            let clocks = [DueKind::Answer, DueKind::Provider, DueKind::Recheck, DueKind::Calendar, DueKind::Restore];
            let mut over: Vec<(u32, Timestamp)> = told
                .iter()
                .filter(|one| clocks.contains(&one.kind) && one.is_overdue)
                .map(|one| (one.number.unwrap(), one.at))
                .collect();
            over.sort();
            prop_assert_eq!(over, model.missed(now, &calendars), "after {:?}", step);
            // Nothing is offered for sending that would be refused.
            for provider in PROVIDERS {
                let offered = sendable(&file, provider, Purpose::Takedown, now, hours(24));
                prop_assert_eq!(offered.urls.len() + offered.left_out.len(), file.case.sightings.len());
                if !offered.urls.is_empty() {
                    let urls: Vec<&str> = offered.urls.iter().map(String::as_str).collect();
                    let written = notice(Form::Ncac, Forum::Cn, provider, &urls);
                    prop_assert!(!model.is_locked(provider));
                    prop_assert!(file.clone().write_notice(&written, now).is_ok());
                }
            }
        }
    }
}

thread_local! {
    /// Making a store for each run would take most of the time.
    static START: CaseFile = approved(at("2026-02-01T00:00:00Z"));
}
