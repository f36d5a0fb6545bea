//! Webhooks in the store.
#![allow(clippy::unwrap_used)]

use super::keep::{Change, Hooks, NewWebhook};
use super::webhook::WEBHOOKS_MAX;
use super::{Error, Outcome, Sent, Standing, Webhook, Why};
use crate::base::Timestamp;
use crate::config::FetchSettings;
use crate::evidence::log;
use crate::store::Store;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn new(url: &str) -> NewWebhook {
    NewWebhook { url: url.to_owned(), events: vec!["approved".to_owned()] }
}

struct Kept {
    _folder: tempfile::TempDir,
    store: Store,
    hooks: Hooks,
    fetch: FetchSettings,
}

impl Kept {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self { _folder: folder, store, hooks: Hooks::default(), fetch: FetchSettings::default() }
    }

    fn create(&self) -> Webhook {
        let made =
            self.hooks.create(&self.store, &self.fetch, &new("https://a.example/x?key=k"), ("mika", at(0)));
        made.unwrap().0
    }

    fn now(&self, webhook: &Webhook) -> (Webhook, Standing) {
        Hooks::get(&self.store, &webhook.webhook_id).unwrap()
    }
}

#[test]
fn a_new_one_begins_at_the_logs_end_and_each_change_stands_there() {
    let kept = Kept::begin();
    let webhook = kept.create();
    let (known, standing) = kept.now(&webhook);
    assert_eq!((&known, standing.number), (&webhook, log::head(&kept.store).unwrap().number));
    let id = webhook.webhook_id.as_str();
    let pause = Change { is_paused: Some(true), ..Change::default() };
    let by = ("jun", at(1));
    let (paused, _) = kept.hooks.change(&kept.store, &kept.fetch, id, &pause, by).unwrap();
    assert_eq!(paused.paused.unwrap().by, "jun");
    // Nothing to change, nothing to enter.
    kept.hooks.change(&kept.store, &kept.fetch, id, &pause, by).unwrap();
    let other =
        Change { url: Some("https://b.example/".to_owned()), events: Some(Vec::new()), is_paused: None };
    kept.hooks.change(&kept.store, &kept.fetch, id, &other, by).unwrap();
    let renewed = kept.hooks.renew(&kept.store, id, 0, by).unwrap().0;
    assert_ne!(renewed.secret, webhook.secret);
    assert!(matches!(kept.hooks.renew(&kept.store, id, 73, by), Err(Error::Overlap)));
    kept.hooks.remove(&kept.store, id, by).unwrap();
    assert!(matches!(Hooks::get(&kept.store, id), Err(Error::Missing(_))));
    let entries = log::entries_about(&kept.store, &webhook.subject()).unwrap();
    let notes: Vec<&str> = entries.iter().map(|entry| entry.note.as_str()).collect();
    let wanted = [
        "made for https://a.example; events: approved",
        "paused",
        "now for https://b.example; events: all",
        "given a new secret; the old one is over",
        "removed",
    ];
    assert_eq!(notes, wanted);
    assert_eq!(kept.store.count::<Standing>().unwrap(), 0);
}

#[test]
fn what_came_of_a_try_counts_for_the_webhook_as_it_was() {
    let kept = Kept::begin();
    let webhook = kept.create();
    let answered = |status| Sent::from(Outcome::Answered(status));
    let taken = answered(200);
    kept.hooks.note(&kept.store, &webhook, (5, &taken), at(1)).unwrap();
    assert_eq!(kept.now(&webhook).1.number, 5);
    kept.hooks.renew(&kept.store, &webhook.webhook_id, 24, ("mika", at(2))).unwrap();
    // What was refused because of the old secret is no failure of the new one; what was taken was taken.
    kept.hooks.note(&kept.store, &webhook, (6, &answered(401)), at(3)).unwrap();
    assert_eq!((kept.now(&webhook).1.number, kept.now(&webhook).1.failures), (5, 0));
    kept.hooks.note(&kept.store, &webhook, (6, &taken), at(3)).unwrap();
    assert_eq!(kept.now(&webhook).1.number, 6);
    let elsewhere = Change { url: Some("https://b.example/".to_owned()), ..Change::default() };
    kept.hooks.change(&kept.store, &kept.fetch, &webhook.webhook_id, &elsewhere, ("mika", at(3))).unwrap();
    kept.hooks.note(&kept.store, &webhook, (7, &taken), at(3)).unwrap();
    let (renewed, standing) = kept.now(&webhook);
    assert_eq!(standing.number, 6);
    let gone = kept.hooks.note(&kept.store, &renewed, (7, &answered(410)), at(4)).unwrap();
    assert_eq!(gone, Some(Why::Gone));
    let (paused, standing) = kept.now(&webhook);
    assert_eq!((paused.paused.unwrap().why, standing.number), (Some(Why::Gone), 6));
    let last = log::entries_about(&kept.store, &webhook.subject()).unwrap().pop().unwrap();
    assert_eq!((last.actor.as_str(), last.note.contains("410")), ("earwitness", true));
    // One that was removed in the meantime is not there again.
    kept.hooks.remove(&kept.store, &webhook.webhook_id, ("mika", at(5))).unwrap();
    kept.hooks.note(&kept.store, &renewed, (7, &taken), at(6)).unwrap();
    kept.hooks.pass(&kept.store, &renewed, 9).unwrap();
    assert_eq!(kept.hooks.list(&kept.store).unwrap().0, []);
    assert_eq!(kept.store.count::<Standing>().unwrap(), 0);
}

#[test]
fn the_old_secret_signs_too_until_its_hours_are_over() {
    let kept = Kept::begin();
    let webhook = kept.create();
    let signed = |webhook: &Webhook, now| webhook.sign("W-1-1", now, b"{}").unwrap();
    let with_old = signed(&webhook, at(10));
    let renew =
        |hours, now| kept.hooks.renew(&kept.store, &webhook.webhook_id, hours, ("mika", now)).unwrap().0;
    let renewed = renew(1, at(0));
    let both = signed(&renewed, at(10));
    let (with_new, old) = both.split_once(' ').unwrap();
    assert_eq!(old, with_old);
    assert_eq!((renewed.former_until(at(10)), renewed.former_until(at(3600))), (Some(at(3600)), None));
    assert!(!signed(&renewed, at(3600)).contains(' ') && !with_new.contains(' '));
    // The next one puts the first out, and one that is over at once leaves nothing behind.
    let third = renew(1, at(20));
    let second_alone = Webhook { former: None, ..renewed };
    assert!(signed(&third, at(20)).ends_with(&format!(" {}", signed(&second_alone, at(20)))));
    assert_eq!(renew(0, at(30)).former, None);
}

#[test]
fn there_is_an_end_to_their_number() {
    let kept = Kept::begin();
    for _ in 0..WEBHOOKS_MAX {
        kept.create();
    }
    let more = kept.hooks.create(&kept.store, &kept.fetch, &new("https://a.example/"), ("mika", at(0)));
    assert!(matches!(more, Err(Error::TooMany)));
}
