//! Webhooks in the store: each change is one batch with its entry in the operation log.

use std::sync::{Mutex, MutexGuard};

use jiff::SignedDuration;

use super::send::Sender;
use super::webhook::{Former, OVERLAP_H_MAX, WEBHOOKS_MAX, checked_events, checked_url, new_id};
use super::{Error, Outcome, Paused, Secret, Sent, Standing, Webhook, Why};
use crate::base::{Timestamp, lock};
use crate::config::FetchSettings;
use crate::evidence::log::{self, Log, NewEntry};
use crate::store::{Batch, Store};

/// What a new webhook is to be.
#[derive(Debug, Clone)]
pub(in crate::web) struct NewWebhook {
    /// See [`Webhook::url`].
    pub(in crate::web) url: String,
    /// The words of [`Webhook::events`].
    pub(in crate::web) events: Vec<String>,
}

/// What is to be changed of a webhook.
#[derive(Debug, Clone, Default)]
pub(in crate::web) struct Change {
    /// Another address.
    pub(in crate::web) url: Option<String>,
    /// Other events.
    pub(in crate::web) events: Option<Vec<String>>,
    /// Whether nothing is to be sent.
    pub(in crate::web) is_paused: Option<bool>,
}

/// Webhooks, each with how it stands.
pub(in crate::web) type Standings = Vec<(Webhook, Standing)>;

/// Makes, changes and removes webhooks.
#[derive(Default)]
pub(in crate::web) struct Hooks {
    /// Held by whoever changes one: people and the dispatcher do.
    turn: Mutex<()>,
    pub(super) sender: Sender,
}

impl Hooks {
    fn turn(&self) -> MutexGuard<'_, ()> {
        // What is guarded is in the store, whose batches are whole.
        lock(&self.turn)
    }

    /// Returns all webhooks, and the number of the operation log's last entry.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub(in crate::web) fn list(&self, store: &Store) -> Result<(Standings, u64), Error> {
        let _turn = self.turn();
        let head = log::head(store)?.number;
        let all = store.scan::<Webhook>("")?.map(|webhook| {
            let webhook = webhook?;
            let standing = standing(store, &webhook.webhook_id)?;
            Ok((webhook, standing))
        });
        Ok((all.collect::<Result<_, Error>>()?, head))
    }

    /// Returns a webhook, and how it stands.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is none; [`Error::Store`] when the store fails.
    pub(in crate::web) fn get(store: &Store, webhook_id: &str) -> Result<(Webhook, Standing), Error> {
        let webhook = if webhook_id.is_empty() { None } else { store.get::<Webhook>(webhook_id)? };
        let webhook = webhook.ok_or_else(|| Error::Missing(webhook_id.chars().take(40).collect()))?;
        let standing = standing(store, webhook_id)?;
        Ok((webhook, standing))
    }

    /// Makes a webhook. It is told of what happens from now on.
    ///
    /// # Errors
    /// [`Error`] where address or events will not do, there are too many, or the store fails.
    pub(in crate::web) fn create(
        &self,
        store: &Store,
        fetch: &FetchSettings,
        new: &NewWebhook,
        (by, now): (&str, Timestamp),
    ) -> Result<(Webhook, Standing), Error> {
        let _turn = self.turn();
        if store.count::<Webhook>()? >= WEBHOOKS_MAX {
            return Err(Error::TooMany);
        }
        let webhook = Webhook {
            webhook_id: new_id()?,
            url: checked_url(&new.url, fetch)?,
            events: checked_events(new.events.iter().map(String::as_str))?,
            secret: Secret::random()?,
            former: None,
            paused: None,
            created_at: now,
            created_by: by.to_owned(),
        };
        let note = format!("made for {}; events: {}", webhook.origin(), webhook.events_text());
        let mut standing = Standing::begin(webhook.webhook_id.clone(), 0);
        put(store, &webhook, (by, now), &note, &mut |number, batch| {
            standing.number = number;
            Ok(batch.put(&standing)?)
        })?;
        Ok((webhook, standing))
    }

    /// Changes a webhook. At another address, and after a pause, it goes on at once from where it was.
    ///
    /// # Errors
    /// As [`Hooks::create`], and [`Error::Missing`].
    pub(in crate::web) fn change(
        &self,
        store: &Store,
        fetch: &FetchSettings,
        webhook_id: &str,
        change: &Change,
        (by, now): (&str, Timestamp),
    ) -> Result<(Webhook, Standing), Error> {
        let _turn = self.turn();
        let (mut webhook, mut standing) = Self::get(store, webhook_id)?;
        let mut said = Vec::new();
        if let Some(url) = &change.url {
            webhook.url = checked_url(url, fetch)?;
            standing = standing.resumed();
            said.push(format!("now for {}", webhook.origin()));
        }
        if let Some(events) = &change.events {
            webhook.events = checked_events(events.iter().map(String::as_str))?;
            said.push(format!("events: {}", webhook.events_text()));
        }
        match change.is_paused {
            Some(true) if webhook.paused.is_none() => {
                webhook.paused = Some(Paused { at: now, by: by.to_owned(), why: None });
                said.push("paused".to_owned());
            }
            Some(false) if webhook.paused.take().is_some() => {
                standing = standing.resumed();
                said.push("resumed".to_owned());
            }
            _ => {}
        }
        if !said.is_empty() {
            put(store, &webhook, (by, now), &said.join("; "), &mut |_, batch| Ok(batch.put(&standing)?))?;
        }
        Ok((webhook, standing))
    }

    /// Gives a webhook another secret. For `overlap_h` hours, at most 72, the one before signs too, so that the receiver can learn the new
    /// one without missing a message; with none it is over at once.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is no such webhook, [`Error::Overlap`] where the hours are too many; [`Error`] when the store or
    /// the system's random numbers fail.
    pub(in crate::web) fn renew(
        &self,
        store: &Store,
        webhook_id: &str,
        overlap_h: u8,
        (by, now): (&str, Timestamp),
    ) -> Result<(Webhook, Standing), Error> {
        if overlap_h > OVERLAP_H_MAX {
            return Err(Error::Overlap);
        }
        let _turn = self.turn();
        let (mut webhook, standing) = Self::get(store, webhook_id)?;
        let secret = std::mem::replace(&mut webhook.secret, Secret::random()?);
        let until = now.saturating_add(SignedDuration::from_hours(overlap_h.into()));
        let until = until.unwrap_or(Timestamp::MAX);
        webhook.former = (overlap_h > 0).then_some(Former { secret, until });
        let note = match &webhook.former {
            Some(_) => format!("given a new secret; the old one signs too until {until}"),
            None => "given a new secret; the old one is over".to_owned(),
        };
        put(store, &webhook, (by, now), &note, &mut |_, _| Ok(()))?;
        Ok((webhook, standing))
    }

    /// Removes a webhook; gives it as it was.
    ///
    /// # Errors
    /// As [`Hooks::renew`].
    pub(in crate::web) fn remove(
        &self,
        store: &Store,
        webhook_id: &str,
        (by, now): (&str, Timestamp),
    ) -> Result<(Webhook, Standing), Error> {
        let _turn = self.turn();
        let (webhook, standing) = Self::get(store, webhook_id)?;
        let mut batch = Batch::new();
        batch.delete::<Webhook>(webhook_id);
        batch.delete::<Standing>(webhook_id);
        commit(store, batch, &webhook, (by, now), "removed")?;
        Ok((webhook, standing))
    }

    /// Passes entries that are none of a webhook's concern.
    pub(super) fn pass(&self, store: &Store, tried: &Webhook, number: u64) -> Result<(), Error> {
        let _turn = self.turn();
        match Self::get(store, &tried.webhook_id) {
            Ok((_, standing)) => Ok(store.put(&standing.passed(number))?),
            Err(Error::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Keeps what came of a try to deliver entry `number`, and pauses where that is due. Where the
    /// webhook got another address in the meantime, nothing is kept: the entry is delivered there. With another secret a failure
    /// is none: it may have come of the old one. Gives why it was paused.
    pub(super) fn note(
        &self,
        store: &Store,
        tried: &Webhook,
        (number, sent): (u64, &Sent),
        now: Timestamp,
    ) -> Result<Option<Why>, Error> {
        let _turn = self.turn();
        let (mut webhook, standing) = match Self::get(store, &tried.webhook_id) {
            Err(Error::Missing(_)) => return Ok(None),
            other => other?,
        };
        let is_there =
            webhook.url == tried.url && (sent.outcome.is_taken() || webhook.secret == tried.secret);
        if !is_there {
            return Ok(None);
        }
        let (standing, why) = standing.after(number, sent, now);
        let Some(why) = why.filter(|_| webhook.paused.is_none()) else {
            store.put(&standing)?;
            return Ok(None);
        };
        let by = "earwitness";
        webhook.paused = Some(Paused { at: now, by: by.to_owned(), why: Some(why) });
        let note = format!("paused: {}", why.as_str());
        put(store, &webhook, (by, now), &note, &mut |_, batch| Ok(batch.put(&standing)?))?;
        Ok(Some(why))
    }
}

/// How a webhook stands. Both records come and go together; where one is lost, it begins behind the log's end.
fn standing(store: &Store, webhook_id: &str) -> Result<Standing, Error> {
    match store.get::<Standing>(webhook_id)? {
        Some(standing) => Ok(standing),
        None => Ok(Standing::begin(webhook_id.to_owned(), log::head(store)?.number)),
    }
}

/// Puts what belongs to a change into its batch; told the number of the change's own entry in the log.
type Beside<'a> = &'a mut dyn FnMut(u64, &mut Batch) -> Result<(), Error>;

fn put(
    store: &Store,
    webhook: &Webhook,
    (by, now): (&str, Timestamp),
    note: &str,
    beside: Beside<'_>,
) -> Result<(), Error> {
    let mut log = Log::open(store)?;
    let mut batch = Batch::new();
    batch.put(webhook)?;
    let number = log.add(&mut batch, &entry(&webhook.subject(), (by, now), note))?;
    beside(number, &mut batch)?;
    Ok(store.commit(batch)?)
}

fn commit(
    store: &Store,
    mut batch: Batch,
    webhook: &Webhook,
    (by, now): (&str, Timestamp),
    note: &str,
) -> Result<(), Error> {
    let mut log = Log::open(store)?;
    log.add(&mut batch, &entry(&webhook.subject(), (by, now), note))?;
    Ok(store.commit(batch)?)
}

/// Enters in the log that somebody had a test sent.
pub(super) fn enter_test(
    store: &Store,
    webhook: &Webhook,
    (by, now): (&str, Timestamp),
    outcome: &Outcome,
) -> Result<(), Error> {
    let note = format!("tested: {}", outcome.text());
    log::append(store, &entry(&webhook.subject(), (by, now), &note))?;
    Ok(())
}

const fn entry<'a>(subject: &'a str, (actor, at): (&'a str, Timestamp), note: &'a str) -> NewEntry<'a> {
    NewEntry { at, what: "webhook", subject, actor, sha256: None, note }
}
