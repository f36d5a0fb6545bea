//! What comes after the end, or late, or twice: counter-notices to closed cases, notices that were overtaken, doubts after the
//! approval.

use super::*;

const DAY: &str = "2026-03-02T02:00:00Z";

fn written(form: Form, forum: Forum) -> CaseFile {
    let mut file = approved(at(DAY));
    file.write_notice(&notice(form, forum, PROVIDER, &[URL]), at(DAY)).unwrap();
    file
}

fn sent(form: Form, forum: Forum) -> CaseFile {
    let mut file = written(form, forum);
    file.receive(1, &received(Event::Sent, at(DAY)), at(DAY)).unwrap();
    file
}

fn told(file: &CaseFile, now: Timestamp) -> Vec<(DueKind, String)> {
    let all = due(file, now, hours(24 * 60), &Calendars::built_in().unwrap());
    all.into_iter().map(|one| (one.kind, one.what)).collect()
}

#[test]
fn a_counter_notice_to_a_closed_case_binds_and_runs_its_clock() {
    let mut file = sent(Form::Dmca, Forum::Us);
    let now = at("2026-03-04T15:00:00Z");
    file.end(Event::Closed, now, "Ann", "taken down").unwrap();
    let number = file.which(None, Event::Countered).unwrap();
    file.receive(number, &received(Event::Countered, now), now).unwrap();
    assert_eq!((file.case.state, file.notifications[0].standing), (State::Countered, Standing::Countered));
    assert!(matches!(file.may_notify(PROVIDER, Purpose::Takedown), Err(Why::Countered { .. })));
    let kinds: Vec<DueKind> = told(&file, now).into_iter().map(|one| one.0).collect();
    assert_eq!(kinds, [DueKind::Answer, DueKind::Restore]);
    // What was taken back is over: the claim is no longer made.
    let mut file = sent(Form::Dmca, Forum::Us);
    file.end(Event::Retracted, now, "Ann", "licensed").unwrap();
    assert!(file.receive(1, &received(Event::Countered, now), now).is_err());
}

#[test]
fn what_lies_written_is_not_to_be_sent_after_all() {
    let now = at("2026-03-04T15:00:00Z");
    let mut licensed = written(Form::Ncac, Forum::Cn);
    licensed.case.verdict = verdict(Decision::Licensed, now);
    assert_eq!(told(&licensed, now)[0].0, DueKind::DoNotSend);
    assert!(told(&licensed, now)[0].1.starts_with("do not send it: the newest verdict is LICENSED"));

    let mut countered = sent(Form::Ncac, Forum::Cn);
    countered.write_notice(&notice(Form::Ncac, Forum::Cn, PROVIDER, &[URL]), now).unwrap();
    assert_eq!(told(&countered, now)[0].0, DueKind::Send);
    countered.receive(1, &received(Event::Countered, now), now).unwrap();
    let all = told(&countered, now);
    let held = all.iter().find(|one| one.0 == DueKind::DoNotSend).unwrap();
    assert!(held.1.contains("Regulation Art. 17"), "{}", held.1);

    let mut dismissed = approved(at(DAY));
    dismissed.write_notice(&notice(Form::Complaint, Forum::Cn, PROVIDER, &[URL]), at(DAY)).unwrap();
    assert_eq!(told(&dismissed, now)[0].0, DueKind::Send);
    let no = Decided { event: Event::Dismissed, actor: "Ann".to_owned(), note: Some("a cover".to_owned()) };
    decide(&mut dismissed.case, now, &no).unwrap();
    assert!(told(&dismissed, now)[0].1.contains("the case is dismissed"));
}

#[test]
fn that_it_was_sent_may_be_said_when_it_is_over() {
    let now = at("2026-03-04T15:00:00Z");
    let mut file = written(Form::Ncac, Forum::Cn);
    let urls: Vec<String> = file.case.sightings.iter().map(|one| one.media_url.clone()).collect();
    let gone = urls.iter().map(|url| looked(&file, url, now, Alive::Gone)).collect();
    file.look(gone, now, "earwitness");
    file.settle(now, &Calendars::built_in().unwrap(), "earwitness");
    assert_eq!(file.case.state, State::Removed);
    let number = file.which(None, Event::Sent).unwrap();
    file.receive(number, &received(Event::Sent, at(DAY)), now).unwrap();
    let one = &file.notifications[0];
    assert_eq!(
        (one.standing, one.sent_at, file.case.state),
        (Standing::Removed, Some(at(DAY)), State::Removed)
    );
    assert!(file.receive(number, &received(Event::Sent, at(DAY)), now).is_err(), "once");
    file.end(Event::Retracted, now, "Ann", "licensed").unwrap();
    assert_eq!(file.tell_retraction(now, now, "Ann", None), 1);
    // Taken back before anybody said that it was sent: its provider is to be told all the same.
    let mut file = written(Form::Complaint, Forum::Cn);
    file.case.state = State::Escalated;
    file.end(Event::Retracted, now, "Ann", "licensed").unwrap();
    assert_eq!(told(&file, now), []);
    file.receive(1, &received(Event::Sent, at(DAY)), now).unwrap();
    let (kind, what) = told(&file, now).remove(0);
    assert_eq!(kind, DueKind::TellRetraction);
    assert!(what.starts_with("tell the authority that the complaint is taken back"), "{what}");
}

#[test]
fn our_time_runs_from_the_earlier_arrival_and_the_provider_s_from_the_later() {
    let ends = |theirs: Option<&str>| {
        let mut file = sent(Form::Dmca, Forum::Us);
        let now = at("2026-03-12T15:00:00Z");
        let told = Received {
            received_by_provider: theirs.map(at),
            ..received(Event::Countered, at("2026-03-09T15:00:00Z"))
        };
        file.receive(1, &told, now).unwrap();
        let clocks = file.notifications[0].clocks(&Calendars::built_in().unwrap());
        let countered = clocks.iter().filter(|clock| clock.term.starts == Starts::Countered);
        countered.map(|clock| clock.ends.at.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ends(None), ["2026-03-21T04:00:00Z", "2026-03-28T04:00:00Z"]);
    assert_eq!(ends(Some("2026-03-04T15:00:00Z")), ["2026-03-18T04:00:00Z", "2026-03-28T04:00:00Z"]);
    assert_eq!(ends(Some("2026-03-11T15:00:00Z")), ["2026-03-21T04:00:00Z", "2026-04-01T04:00:00Z"]);
    let mut file = sent(Form::Dmca, Forum::Us);
    let now = at("2026-03-12T15:00:00Z");
    let before = Received {
        received_by_provider: Some(at("2026-03-01T00:00:00Z")),
        ..received(Event::Countered, now)
    };
    assert!(matches!(file.receive(1, &before, now), Err(Error::When { .. })), "before the notice");
}

#[test]
fn one_provider_with_several_domains_is_locked_as_one() {
    let mut file = sent(Form::Ncac, Forum::Cn);
    let now = at("2026-03-04T15:00:00Z");
    file.receive(1, &received(Event::Countered, now), now).unwrap();
    // Another case, of another site of the provider, whose page leads to the same address.
    let locks = CounterLock::of(&file.case, &file.notifications[0]);
    let other = CaseFile { locks, ..approved(at(DAY)) };
    let also = [PROVIDER.to_owned()];
    let same = ProviderId { name: "mirror.example", also: &also };
    assert_eq!(sendable(&other, "mirror.example", Purpose::Takedown, now, hours(96)).urls.len(), 2);
    let left = sendable(&other, same, Purpose::Takedown, now, hours(96));
    assert!(left.urls.is_empty() && left.left_out.iter().all(|one| matches!(one.why, Why::Countered { .. })));
    let mut wanted = notice(Form::Ncac, Forum::Cn, "mirror.example", &[URL]);
    assert!(other.clone().write_notice(&wanted, now).is_ok());
    wanted.also = also.to_vec();
    assert!(matches!(other.clone().write_notice(&wanted, now), Err(Error::Refused { .. })));
}

#[test]
fn a_notice_whose_own_addresses_are_gone_is_done() {
    let calendars = Calendars::built_in().unwrap();
    let mut file = sent(Form::Ncac, Forum::Cn);
    let now = at("2026-04-03T02:00:00Z");
    file.look(vec![looked(&file, URL, now, Alive::Gone)], now, "earwitness");
    assert_eq!(file.settle(now, &calendars, "earwitness"), None);
    assert_eq!((file.notifications[0].standing, file.case.state), (Standing::Removed, State::Noticed));
    assert_eq!(told(&file, now), [], "nothing is fetched for it any more");
    assert!(file.case.history.last().unwrap().note.as_ref().unwrap().contains("others are not"));
    // The other address may still be notified.
    let other = "https://cdn.pirate.example/b.mp3";
    file.write_notice(&notice(Form::Ncac, Forum::Cn, PROVIDER, &[other]), now).unwrap();
    // One that lists only a part of its addresses is not judged by that part.
    let mut file = sent(Form::Ncac, Forum::Cn);
    file.notifications[0].urls_unlisted = 1;
    file.look(vec![looked(&file, URL, now, Alive::Gone)], now, "earwitness");
    file.settle(now, &calendars, "earwitness");
    assert_eq!(file.notifications[0].standing, Standing::Sent);
}

#[test]
fn a_doubt_after_the_approval_asks_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(&folder.path().join("store")).unwrap();
    let day = |day: i8| at(&format!("2026-03-{day:02}T02:00:00Z"));
    let see = |decision, on: i8| {
        let (seen, verdict) = (sighting(URL, PROVIDER, b"bytes", day(on)), verdict(decision, day(on)));
        let input = CaseInput {
            sighting: &seen,
            matches: &[found(-40.0)],
            verdict: &verdict,
            recording: &recording(),
            information: None,
        };
        queue(&store, day(on), input).unwrap().case_id().unwrap().to_owned()
    };
    let approve = |id: &str, on: i8, note: Option<&str>| {
        edit(&store, &[id.to_owned()], &mut |file| {
            let decided =
                Decided { event: Event::Approved, actor: "Ann".to_owned(), note: note.map(str::to_owned) };
            decide(&mut file.case, day(on), &decided)
        })
    };
    let id = see(Decision::Unlicensed, 1);
    approve(&id, 2, None).unwrap();
    see(Decision::Undetermined, 3);
    let file = load_file(&store, find(&store, &id).unwrap()).unwrap();
    assert_eq!((file.case.state, file.case.doubted_since()), (State::Approved, Some(day(3))));
    let why = file.may_notify(PROVIDER, Purpose::Takedown).unwrap_err();
    assert!(why.to_string().contains("UNDETERMINED since 2026-03-03"), "{why}");
    assert!(file.may_notify(PROVIDER, Purpose::Complaint).is_err());
    assert_eq!(told(&file, day(4))[0].0, DueKind::Approve);
    assert!(matches!(approve(&id, 4, None), Err(Error::Doubtful { .. })), "why is to be said");
    let file = approve(&id, 4, Some("the label has asked the licensor")).unwrap().remove(0);
    assert_eq!((file.case.doubted_since(), told(&file, day(4))), (None, Vec::new()));
    assert_eq!(file.may_notify(PROVIDER, Purpose::Takedown), Ok(()));
    see(Decision::Undetermined, 5);
    assert_eq!(find(&store, &id).unwrap().doubted_since(), None, "the same doubt is settled");
    // In doubt from the first, and approved with a reason: nothing new is asked.
    let recorded = approve(&id, 6, None).unwrap().remove(0);
    assert_eq!(recorded.case.history.len(), file.case.history.len());
}

#[test]
fn a_case_with_endless_addresses_and_matches_fits_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(&folder.path().join("store")).unwrap();
    let matches: Vec<Match> = (0..500).map(|n| found(-40.0 - f64::from(n))).collect();
    let mut id = String::new();
    for n in 0..150 {
        let url = format!("https://pirate.example/{n}/{}.mp3", "é".repeat(900));
        let mut seen = sighting(&url, PROVIDER, b"bytes", at(DAY));
        seen.page_title = Some("\u{1}".repeat(2_000));
        seen.page_url = Some(url);
        let verdict = verdict(Decision::Unlicensed, at(DAY));
        let input = CaseInput {
            sighting: &seen,
            matches: &matches,
            verdict: &verdict,
            recording: &recording(),
            information: None,
        };
        id = queue(&store, at(DAY), input).unwrap().case_id().unwrap().to_owned();
    }
    let case = find(&store, &id).unwrap();
    assert_eq!(case.sightings.len() as u64 + case.sightings_unlisted, 150);
    assert!(!case.sightings.is_empty() && (10..200).contains(&case.matches.len()));
    assert!(case.matches.iter().any(|one| one.log10_false_match < -538.0), "the surest are kept");
    assert!(serde_json::to_vec(&case).unwrap().len() < 48 << 10);
}
