//! Single ways, step by step.

use super::*;

const DAY: &str = "2026-03-02T02:00:00Z";

/// A case that was notified under a law, and sent at [`DAY`].
fn sent(form: Form, forum: Forum) -> CaseFile {
    let mut file = approved(at(DAY));
    file.write_notice(&notice(form, forum, PROVIDER, &[URL]), at(DAY)).unwrap();
    file.receive(1, &received(Event::Sent, at(DAY)), at(DAY)).unwrap();
    file
}

fn kinds(file: &CaseFile, now: &str, within_hours: i64) -> Vec<(DueKind, String)> {
    let all = due(file, at(now), hours(within_hours), &Calendars::built_in().unwrap());
    all.into_iter().map(|one| (one.kind, one.at.to_string())).collect()
}

#[test]
fn an_ignored_sector_notice_is_seen_after_a_day() {
    let calendars = Calendars::built_in().unwrap();
    let mut file = sent(Form::Ncac, Forum::CnSector);
    let end = "2026-03-03T02:00:00Z";
    assert_eq!(kinds(&file, DAY, 48), [(DueKind::Provider, end.to_owned())]);
    // Live before the end proves nothing.
    file.look(vec![looked(&file, URL, at("2026-03-03T01:59:59Z"), Alive::Yes)], at(end), "earwitness");
    assert_eq!(file.settle(at(end), &calendars, "earwitness"), None);
    assert_eq!(kinds(&file, end, 0), [(DueKind::Recheck, end.to_owned())]);
    file.look(vec![looked(&file, URL, at(end), Alive::Yes)], at(end), "earwitness");
    assert_eq!(file.settle(at(end), &calendars, "earwitness"), Some(Event::Ignored));
    assert_eq!((file.case.state, file.notifications[0].standing), (State::Ignored, Standing::Ignored));
    assert_eq!(kinds(&file, end, 1000), []);
    // Once more, or to an authority.
    file.write_notice(&notice(Form::Ncac, Forum::Cn, PROVIDER, &[URL]), at(end)).unwrap();
    assert_eq!(file.case.state, State::Noticed);
    file.write_notice(&notice(Form::Complaint, Forum::Cn, "ncac", &[URL]), at(end)).unwrap();
    assert_eq!(file.case.state, State::Noticed, "a complaint that is written is not filed");
    file.receive(3, &received(Event::Sent, at(end)), at(end)).unwrap();
    assert_eq!(file.case.state, State::Escalated);
}

#[test]
fn a_notice_that_nobody_sent_runs_no_clock() {
    let mut file = approved(at(DAY));
    file.write_notice(&notice(Form::Ncac, Forum::CnSector, PROVIDER, &[URL]), at(DAY)).unwrap();
    assert_eq!(kinds(&file, "2026-06-01T00:00:00Z", 0), [(DueKind::Send, DAY.to_owned())]);
    let later = at("2026-06-01T00:00:00Z");
    file.look(vec![looked(&file, URL, later, Alive::Yes)], later, "earwitness");
    assert_eq!(file.settle(later, &Calendars::built_in().unwrap(), "earwitness"), None);
    assert_eq!(file.notifications[0].standing, Standing::Written);
}

#[test]
fn a_counter_notice_locks_its_provider_and_starts_our_own_clock() {
    let mut file = sent(Form::Dmca, Forum::Us);
    let now = at("2026-03-04T15:00:00Z");
    file.receive(1, &received(Event::Countered, now), now).unwrap();
    assert_eq!(file.case.state, State::Countered);
    // Ours ends on the ninth business day, for on the tenth it may be restored; that of the provider on the fourteenth.
    assert_eq!(
        kinds(&file, DAY, 24 * 60),
        [
            (DueKind::Answer, "2026-03-18T04:00:00Z".to_owned()),
            (DueKind::Restore, "2026-03-25T04:00:00Z".to_owned())
        ]
    );
    let again = file.write_notice(&notice(Form::Dmca, Forum::Us, " PIRATE.example", &[URL]), now);
    assert!(matches!(again, Err(Error::Refused { .. })), "{again:?}");
    assert!(again.unwrap_err().to_string().contains("Regulation Art. 17"));
    let to = |provider| sendable(&file, provider, Purpose::Takedown, now, hours(72));
    assert_eq!(to(PROVIDER).urls, Vec::<String>::new());
    assert!(to(PROVIDER).left_out.iter().all(|one| matches!(one.why, Why::Countered { number: 1, .. })));
    // Another provider, or an authority, is another matter.
    assert_eq!(to("search.example").urls.len(), 2);
    assert_eq!(sendable(&file, PROVIDER, Purpose::Complaint, now, hours(72)).urls.len(), 2);
    let mut suit = received(Event::Escalated, now);
    suit.note = Some("filed with the district court".to_owned());
    file.escalate(Some(1), &suit, now).unwrap();
    assert_eq!(file.case.state, State::Escalated);
    assert_eq!(kinds(&file, DAY, 24 * 60), []);
    assert!(file.notifications[0].is_locked(), "for ever");
}

#[test]
fn a_counter_notice_after_our_suit_still_asks_for_its_proof() {
    let mut file = sent(Form::Ncac, Forum::CnEcommerce);
    let now = at("2026-03-04T02:00:00Z");
    file.receive(1, &received(Event::Escalated, now), now).unwrap();
    assert_eq!(kinds(&file, DAY, 24 * 60), []);
    file.receive(1, &received(Event::Countered, now), now).unwrap();
    assert_eq!(kinds(&file, DAY, 24 * 60), [(DueKind::Answer, "2026-03-19T16:00:00Z".to_owned())]);
    file.receive(1, &received(Event::Escalated, now), now).unwrap();
    assert_eq!(kinds(&file, DAY, 24 * 60), []);
}

#[test]
fn what_is_down_while_a_counter_notice_is_pending_stops_no_clock() {
    let calendars = Calendars::built_in().unwrap();
    let mut file = sent(Form::Dmca, Forum::Us);
    let now = at("2026-03-04T15:00:00Z");
    file.receive(1, &received(Event::Removed, now), now).unwrap();
    assert_eq!((file.case.state, file.case.gone_at), (State::Removed, Some(now)));
    file.receive(1, &received(Event::Countered, now), now).unwrap();
    assert_eq!((file.case.state, file.case.gone_at), (State::Countered, None));
    let gone = file.case.sightings.clone();
    let gone = gone.iter().map(|one| looked(&file, &one.media_url, now, Alive::Gone)).collect();
    file.look(gone, now, "earwitness");
    assert_eq!(file.settle(now, &calendars, "earwitness"), None);
    assert_eq!(kinds(&file, DAY, 24 * 60).len(), 2);
}

#[test]
fn removed_only_when_all_addresses_are_gone() {
    let calendars = Calendars::built_in().unwrap();
    let mut file = sent(Form::Ncac, Forum::Cn);
    let now = at("2026-03-03T02:00:00Z");
    file.look(vec![looked(&file, URL, now, Alive::Gone)], now, "earwitness");
    assert_eq!(file.settle(now, &calendars, "earwitness"), None);
    let left = sendable(&file, PROVIDER, Purpose::Takedown, now, hours(48));
    assert_eq!(left.urls, ["https://cdn.pirate.example/b.mp3"]);
    assert_eq!(left.left_out[0].why, Why::Gone { at: now, status: Some(404) });
    file.look(
        vec![looked(&file, "https://cdn.pirate.example/b.mp3", now, Alive::Unclear)],
        now,
        "earwitness",
    );
    assert_eq!(file.settle(now, &calendars, "earwitness"), None, "unclear is not gone");
    file.look(vec![looked(&file, "https://cdn.pirate.example/b.mp3", now, Alive::Gone)], now, "earwitness");
    assert_eq!(file.settle(now, &calendars, "earwitness"), Some(Event::Removed));
    assert_eq!((file.case.state, file.notifications[0].standing), (State::Removed, Standing::Removed));
}

#[test]
fn an_old_proof_is_no_proof() {
    let file = approved(at(DAY));
    let later = at("2026-03-05T02:00:00Z");
    let stale = sendable(&file, PROVIDER, Purpose::Takedown, later, hours(24));
    assert!(stale.urls.is_empty());
    assert!(stale.left_out.iter().all(|one| one.why == Why::Stale { at: at(DAY) }));
    assert_eq!(sendable(&file, PROVIDER, Purpose::Takedown, later, hours(72)).urls.len(), 2);
    let mut queued = file;
    queued.case.state = State::Queued;
    let why = sendable(&queued, PROVIDER, Purpose::Takedown, later, hours(72)).left_out[0].why.clone();
    assert_eq!(why.to_string(), "the case is queued");
}

#[test]
fn a_wrong_claim_is_taken_back_and_told() {
    let mut file = sent(Form::Dsa, Forum::Eu);
    let now = at("2026-03-03T02:00:00Z");
    file.case.verdict = verdict(Decision::Licensed, now);
    assert_eq!(kinds(&file, "2026-03-03T02:00:00Z", 0), [(DueKind::Retract, now.to_string())]);
    file.end(Event::Retracted, now, "Ann", "the platform has a licence").unwrap();
    assert_eq!(file.case.state, State::Retracted);
    assert_eq!(kinds(&file, "2026-03-03T02:00:00Z", 24 * 60), [(DueKind::TellRetraction, now.to_string())]);
    assert_eq!(file.tell_retraction(now, now, "Ann", None), 1);
    assert_eq!(kinds(&file, "2026-03-03T02:00:00Z", 24 * 60), []);
    assert!(file.end(Event::Closed, now, "Ann", "done").is_err());
}

#[test]
fn one_provider_s_removal_leaves_the_others() {
    let mut file = sent(Form::Ncac, Forum::Cn);
    let now = at("2026-03-03T02:00:00Z");
    file.write_notice(&notice(Form::Google, Forum::Us, "google.com", &[URL]), now).unwrap();
    assert!(matches!(file.which(None, Event::Removed), Err(Error::WhichProvider { .. })));
    let number = file.which(Some("Google.com"), Event::Removed).unwrap();
    assert_eq!(number, 2);
    file.receive(number, &received(Event::Removed, now), now).unwrap();
    assert_eq!(file.case.state, State::Noticed);
    file.receive(1, &received(Event::Removed, now), now).unwrap();
    assert_eq!(file.case.state, State::Removed);
}

#[test]
fn instants_are_checked() {
    let mut file = sent(Form::Ncac, Forum::Cn);
    let now = at("2026-03-03T02:00:00Z");
    for wrong in ["2026-03-03T02:00:01Z", "2026-03-01T02:00:00Z"] {
        let error = file.receive(1, &received(Event::Forwarded, at(wrong)), now).unwrap_err();
        assert!(matches!(error, Error::When { .. }), "{error}");
    }
    let error = file.receive(1, &received(Event::Sent, now), now).unwrap_err();
    assert!(error.to_string().contains("is sent, so it cannot be sent"), "{error}");
    assert!(matches!(file.which(Some("other"), Event::Sent), Err(Error::NoNotification { .. })));
}

#[test]
fn who_is_beyond_the_calendar_is_not_said_to_ignore() {
    let calendars = Calendars::built_in().unwrap();
    let written = at("2026-12-30T02:00:00Z");
    let mut file = approved(written);
    file.write_notice(&notice(Form::Ncac, Forum::Cn, PROVIDER, &[URL]), written).unwrap();
    file.receive(1, &received(Event::Sent, written), written).unwrap();
    let now = at("2027-02-01T00:00:00Z");
    file.look(vec![looked(&file, URL, now, Alive::Yes)], now, "earwitness");
    assert_eq!(file.settle(now, &calendars, "earwitness"), None);
    assert_eq!(kinds(&file, "2027-02-01T00:00:00Z", 0)[0].0, DueKind::Calendar);
    file.receive(1, &received(Event::Ignored, now), now).unwrap();
    assert_eq!(file.case.state, State::Ignored);
}

#[test]
fn what_comes_again_is_a_new_case_that_names_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(&folder.path().join("store")).unwrap();
    let day = |day: i8| at(&format!("2026-03-{day:02}T02:00:00Z"));
    let file_at = |bytes: &[u8], on: i8| {
        let queued = file_finding(&store, &sighting(URL, PROVIDER, bytes, day(on)), -40.0);
        (matches!(queued, Queued::New(_)), queued.case_id().unwrap().to_owned())
    };
    let (is_new, first) = file_at(b"bytes", 1);
    assert!(is_new);
    let approve = |id: &str, on: i8| {
        edit(&store, &[id.to_owned()], &mut |file| {
            let decided = Decided { event: Event::Approved, actor: "Ann".to_owned(), note: None };
            decide(&mut file.case, day(on), &decided)?;
            Ok(file.case.apply(Event::Removed, day(on), "Ann", None)?)
        })
        .unwrap();
    };
    approve(&first, 3);
    assert_eq!(file_at(b"bytes", 2), (false, first.clone()), "seen before it was gone");
    let (is_new, second) = file_at(b"bytes", 4);
    assert!(is_new && second != first);
    assert_eq!(find(&store, &second).unwrap().reupload_of, Some(first.clone()));
    assert_eq!(file_at(b"bytes", 5), (false, second.clone()));
    // Other bytes of the same recording at the same operator: the case before is still there, so no re-upload …
    let (_, other) = file_at(b"other bytes", 5);
    assert_eq!(find(&store, &other).unwrap().reupload_of, Some(first), "… of that, but of what is gone");
    approve(&second, 6);
    let (_, third) = file_at(b"third bytes", 7);
    assert_eq!(find(&store, &third).unwrap().reupload_of, Some(second));
    let ranked = offenders(&files(&store, None).unwrap());
    assert_eq!(ranked.operators.len(), 1);
    let worst = &ranked.operators[0];
    assert_eq!((worst.upheld, worst.suspected, worst.reuploads, worst.removed), (2, 2, 1, 2));
    assert!(ranked.mirrors.is_empty());
    // The same file at another operator.
    file_finding(&store, &sighting("https://b.example/x", "b.example", b"bytes", day(8)), -40.0);
    let ranked = offenders(&files(&store, None).unwrap());
    assert_eq!(ranked.mirrors.len(), 1);
    assert_eq!((ranked.mirrors[0].of, ranked.mirrors[0].operators.len()), (MirrorOf::Sha256, 2));
}

#[test]
fn a_counter_notice_binds_the_next_upload_at_the_same_address() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(&folder.path().join("store")).unwrap();
    let day = |day: i8| at(&format!("2026-03-{day:02}T02:00:00Z"));
    let open = |bytes: &[u8], url: &str, on: i8| {
        let queued = file_finding(&store, &sighting(url, PROVIDER, bytes, day(on)), -40.0);
        let id = queued.case_id().unwrap().to_owned();
        edit(&store, std::slice::from_ref(&id), &mut |file| {
            let decided = Decided { event: Event::Approved, actor: "Ann".to_owned(), note: None };
            decide(&mut file.case, day(on), &decided)
        })
        .unwrap();
        id
    };
    let first = open(b"bytes", URL, 1);
    let written = notice(Form::Ncac, Forum::Cn, PROVIDER, &[URL]);
    record_notice(&store, &[(first.clone(), written.clone())], day(1)).unwrap();
    edit(&store, std::slice::from_ref(&first), &mut |file| {
        file.receive(1, &received(Event::Sent, day(1)), day(1))?;
        file.receive(1, &received(Event::Countered, day(2)), day(2))
    })
    .unwrap();
    let same_place = open(b"other bytes", URL, 3);
    let elsewhere = open(b"other bytes still", "https://pirate.example/z.mp3", 3);
    let both = [
        (elsewhere.clone(), notice(Form::Ncac, Forum::Cn, PROVIDER, &["https://pirate.example/z.mp3"])),
        (same_place.clone(), written),
    ];
    let error = record_notice(&store, &both, day(3)).unwrap_err();
    assert!(error.to_string().contains(&format!("notice 1 of case {first}")), "{error}");
    let file = load_file(&store, find(&store, &elsewhere).unwrap()).unwrap();
    assert!(file.notifications.is_empty(), "all or none");
    record_notice(&store, &both[..1], day(3)).unwrap();
    assert_eq!(find(&store, &elsewhere).unwrap().state, State::Noticed);
}

#[test]
fn expected_wrong_accusations_grow_with_what_was_heard() {
    let case = |log10: f64| {
        let mut case = approved(at(DAY)).case;
        case.matches = vec![found(log10), found(log10 / 2.0)];
        case
    };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b.max(1e-30);
    assert!(near(expected_wrong(&[case(-6.0), case(-40.0)], 1_000), 1e-3));
    assert!(near(expected_wrong(&[case(-6.0), case(-6.0)], 100_000), 0.2));
    assert!(near(expected_wrong(&[case(-6.0)], 10_000_000), 1.0), "no more than there are");
    let mut empty = case(-6.0);
    empty.matches.clear();
    assert!(near(expected_wrong(std::slice::from_ref(&empty), 1), 1.0));
    assert!(near(expected_wrong(&[], 1_000), 0.0));
    let told = expected_wrong_of(&[case(-40.0), empty], 5);
    assert_eq!((told.cases, told.heard, told.worst[0].1), (2, 5, 1.0));
}
