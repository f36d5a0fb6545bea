//! A case with all that belongs to it, and how it moves: pure, so that every way through the law's clocks can be tested.

use std::collections::BTreeSet;

use super::calendar::Calendars;
use super::case::Case;
use super::information::Comparison;
use super::liveness::{Alive, Liveness, known_liveness};
use super::lock::{CounterLock, ProviderId};
use super::notification::{Notification, NotificationEvent, Standing};
use super::review::Error;
use super::sendable::Why;
use super::state::{Event, State};
use super::terms::{Form, Forum, Purpose};
use crate::base::Timestamp;
use crate::rights::Decision;

/// The most notices about one case.
const NOTIFICATIONS_MAX: usize = 200;

/// A case with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Its notices, the oldest first.
    pub notifications: Vec<Notification>,
    /// What its addresses served when they were looked at.
    pub liveness: Vec<Liveness>,
    /// Counter-notices about the same recording at the same addresses, of this case or another.
    pub locks: Vec<CounterLock>,
    /// The tags of its file beside the recording's, where both were known when it was opened.
    pub information: Option<Comparison>,
}

/// A notice that was written about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeWritten {
    /// The document's own name or number, the same for all cases that it is about.
    pub notice_id: String,
    /// Its form.
    pub form: Form,
    /// Under which law it is sent; [`Form::forum`] unless the provider's settings say otherwise.
    pub forum: Forum,
    /// To whom: the key of the provider's settings.
    pub provider: String,
    /// Other keys under which the settings have the same provider.
    pub also: Vec<String>,
    /// The addresses that it names.
    pub urls: Vec<String>,
    /// Who wrote it.
    pub actor: String,
    /// Its files with their digests, in words.
    pub note: String,
}

/// Something that a person says has happened to a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What: sent, forwarded, removed, countered, ignored or escalated.
    pub event: Event,
    /// When it happened; of a counter-notice, when it reached us.
    pub at: Timestamp,
    /// When a counter-notice reached the provider, where that is known.
    pub received_by_provider: Option<Timestamp>,
    /// Who says so.
    pub actor: String,
    /// In words.
    pub note: Option<String>,
}

impl CaseFile {
    /// A case without notices.
    #[must_use]
    pub const fn new(case: Case) -> Self {
        Self { case, notifications: Vec::new(), liveness: Vec::new(), locks: Vec::new(), information: None }
    }

    /// Says why a provider must not be sent a notice about this case, whatever its addresses serve.
    ///
    /// # Errors
    /// [`Why`]: the case is not approved or has ended, its newest verdict is LICENSED, or in doubt since it was approved, or the
    /// provider has passed on a counter-notice about it.
    pub fn may_notify<'a>(&self, provider: impl Into<ProviderId<'a>>, purpose: Purpose) -> Result<(), Why> {
        let provider = provider.into();
        let event = match purpose {
            Purpose::Takedown => Event::Noticed,
            Purpose::Complaint => Event::Escalated,
        };
        if self.case.state.after(event).is_none() {
            return Err(Why::State { state: self.case.state });
        }
        if self.case.verdict.decision == Decision::Licensed {
            return Err(Why::Licensed);
        }
        if let Some(at) = self.case.doubted_since() {
            return Err(Why::Doubted { case_id: self.case.case_id.clone(), at });
        }
        // A complaint is where a counter-notice leads.
        if purpose == Purpose::Complaint {
            return Ok(());
        }
        let locked = |one: &&Notification| one.is_locked() && provider.is(&one.provider);
        match self.notifications.iter().find(locked) {
            Some(one) => Err(Why::Countered {
                case_id: one.case_id.clone(),
                number: one.number,
                at: one.countered_at.unwrap_or(one.written_at),
            }),
            None => Ok(()),
        }
    }

    /// Returns the counter-notice that forbids to name `url` to `provider` again, of whichever case.
    #[must_use]
    pub fn lock_of<'a>(&self, provider: impl Into<ProviderId<'a>>, url: &str) -> Option<&CounterLock> {
        let provider = provider.into();
        self.locks.iter().find(|lock| lock.url == url && provider.is(&lock.provider))
    }

    /// Says why a notice that lies written must not be sent any more.
    ///
    /// # Errors
    /// As [`CaseFile::may_notify`], and where a counter-notice about one of its addresses arrived meanwhile.
    pub fn may_send(&self, notification: &Notification) -> Result<(), Why> {
        let Notification { provider, purpose, urls, .. } = notification;
        self.may_notify(provider, *purpose)?;
        let lock = urls.iter().find_map(|url| self.lock_of(provider, url));
        match lock.filter(|_| *purpose == Purpose::Takedown) {
            Some(lock) => Err(Why::countered(lock)),
            None => Ok(()),
        }
    }

    /// Enters a notice that was written.
    ///
    /// # Errors
    /// [`Error::Refused`] where [`CaseFile::may_notify`] or a counter-notice about one of its addresses forbids it;
    /// [`Error::NoUrls`] where it names none.
    pub fn write_notice(&mut self, notice: &NoticeWritten, now: Timestamp) -> Result<(), Error> {
        let case_id = self.case.case_id.clone();
        let Some(purpose) = notice.form.purpose() else { return Ok(()) };
        let refused = |why: Why| Error::Refused {
            case_id: case_id.clone(),
            provider: notice.provider.clone(),
            why: Box::new(why),
        };
        let provider = ProviderId { name: &notice.provider, also: &notice.also };
        self.may_notify(provider, purpose).map_err(refused)?;
        if notice.urls.is_empty() {
            return Err(Error::NoUrls { case_id });
        }
        if purpose == Purpose::Takedown {
            let locked = notice.urls.iter().find_map(|url| self.lock_of(provider, url));
            if let Some(lock) = locked {
                return Err(refused(Why::countered(lock)));
            }
        }
        if self.notifications.len() >= NOTIFICATIONS_MAX {
            return Err(Error::TooManyNotices { case_id, max: NOTIFICATIONS_MAX });
        }
        let (urls, urls_unlisted) = Notification::list(&notice.urls);
        let number = self.notifications.iter().map(|one| one.number).max().unwrap_or(0) + 1;
        self.notifications.push(Notification {
            case_id,
            number,
            notice_id: notice.notice_id.clone(),
            form: notice.form,
            forum: notice.forum,
            purpose,
            provider: notice.provider.clone(),
            urls,
            urls_unlisted,
            written_at: now,
            standing: Standing::Written,
            sent_at: None,
            countered_at: None,
            provider_countered_at: None,
            escalated_at: None,
            retraction_sent_at: None,
            events: Vec::new(),
        });
        let note = format!("{}: {}", told(number, &notice.provider), notice.note);
        match purpose {
            Purpose::Takedown => self.case.apply(Event::Noticed, now, &notice.actor, Some(note))?,
            // A complaint that is written is not filed yet: once it is sent, the case is escalated.
            Purpose::Complaint => self.case.log(Event::Noticed, now, &notice.actor, Some(note)),
        }
        Ok(())
    }

    /// Finds the notice that something is said of: the newest that is under way, to `provider` where it is named.
    ///
    /// # Errors
    /// [`Error::NoNotification`] where there is none; [`Error::WhichProvider`] where several providers have one.
    pub fn which(&self, provider: Option<&str>, event: Event) -> Result<u32, Error> {
        let case_id = || self.case.case_id.clone();
        // What a provider does is about what it was asked, not about a complaint to an authority.
        let is_provider_s =
            matches!(event, Event::Forwarded | Event::Removed | Event::Countered | Event::Ignored);
        let mut fitting: Vec<&Notification> = self
            .notifications
            .iter()
            .filter(|one| provider.is_none_or(|name| same_provider(&one.provider, name)))
            .filter(|one| !is_provider_s || one.purpose == Purpose::Takedown)
            .collect();
        if fitting.is_empty() {
            return Err(Error::NoNotification { case_id: case_id(), provider: provider.map(str::to_owned) });
        }
        // Of those that the event can happen to, if there are any; else the error names where the newest stands.
        if fitting.iter().any(|one| one.standing.after(event).is_some()) {
            fitting.retain(|one| one.standing.after(event).is_some());
        }
        let mut providers: Vec<String> = fitting.iter().map(|one| one.provider.clone()).collect();
        providers.sort();
        providers.dedup();
        if providers.len() > 1 {
            return Err(Error::WhichProvider { case_id: case_id(), providers });
        }
        Ok(fitting.iter().map(|one| one.number).max().unwrap_or(0))
    }

    /// Enters what happened to a notice, and moves the case with it.
    ///
    /// # Errors
    /// [`Error::Standing`] where it cannot happen as the notice stands; [`Error::When`] where it would have happened in the
    /// future or before the notice.
    pub fn receive(&mut self, number: u32, received: &Received, now: Timestamp) -> Result<(), Error> {
        let case_id = self.case.case_id.clone();
        let Some(one) = self.notifications.iter_mut().find(|one| one.number == number) else {
            return Err(Error::NoNotification { case_id, provider: None });
        };
        let earliest = if received.event == Event::Sent {
            one.written_at
        } else {
            one.sent_at.unwrap_or(one.written_at)
        };
        // A person gives a day or a minute; the notice was written at some second of it.
        let earliest = earliest.checked_sub(jiff::SignedDuration::from_mins(1)).unwrap_or(earliest);
        let instants = [Some(received.at), received.received_by_provider];
        if let Some(at) = instants.into_iter().flatten().find(|at| *at > now || *at < earliest) {
            return Err(Error::When { case_id, at, earliest, now });
        }
        let entry = NotificationEvent {
            event: received.event,
            at: received.at,
            recorded_at: now,
            actor: received.actor.clone(),
            note: received.note.clone(),
        };
        let wrong = Error::Standing {
            case_id,
            number,
            provider: one.provider.clone(),
            standing: one.standing,
            event: received.event,
        };
        if one.enter(entry).is_none() {
            return Err(wrong);
        }
        if received.event == Event::Countered && one.provider_countered_at.is_none() {
            one.provider_countered_at = received.received_by_provider;
        }
        let (provider, purpose) = (one.provider.clone(), one.purpose);
        let happened = if received.at == now { String::new() } else { format!(" at {}", received.at) };
        let note = match &received.note {
            Some(note) => format!("{}{happened}: {note}", told(number, &provider)),
            None => format!("{}{happened}", told(number, &provider)),
        };
        // A complaint that was sent is with the authority.
        let event = match (purpose, received.event) {
            (Purpose::Complaint, Event::Sent) => Event::Escalated,
            (_, event) => event,
        };
        self.follow(number, event, now, &received.actor, note);
        Ok(())
    }

    /// Moves the case as one of its notices did, unless another still counts.
    fn follow(&mut self, number: u32, event: Event, now: Timestamp, actor: &str, note: String) {
        let others = self.notifications.iter().any(|one| {
            one.number != number && one.standing.is_under_way() && one.purpose == Purpose::Takedown
        });
        let waits = others && matches!(event, Event::Removed | Event::Closed);
        if waits || self.case.state.after(event).is_none() {
            self.case.log(event, now, actor, Some(note));
        } else {
            // Cannot fail: that the state has an answer to the event was just asked.
            let _ = self.case.apply(event, now, actor, Some(note));
        }
    }

    /// Enters what the addresses serve now.
    pub fn look(&mut self, looked: Vec<Liveness>, now: Timestamp, actor: &str) {
        if looked.is_empty() {
            return;
        }
        let count = |alive| looked.iter().filter(|one| one.alive == alive).count();
        let note = format!(
            "{} addresses: {} live, {} gone, {} unclear",
            looked.len(),
            count(Alive::Yes),
            count(Alive::Gone),
            count(Alive::Unclear)
        );
        let is_known = |one: &Liveness| {
            self.liveness.iter().any(|known| known.url == one.url && known.alive == one.alive)
        };
        let changed = !looked.iter().all(is_known);
        self.liveness.retain(|known| looked.iter().all(|one| one.url != known.url));
        self.liveness.extend(looked);
        self.liveness.sort_by(|a, b| a.url.cmp(&b.url));
        // Of looks that change nothing the newest is kept with the addresses, and the history stays short.
        if changed {
            self.case.log(Event::Rechecked, now, actor, Some(note));
        }
    }

    /// Moves the case as its clocks and what its addresses serve command: to removed, where all are gone; to ignored, where one
    /// was seen live after a provider's time. What is countered or with a court stays: only people end that.
    ///
    /// Where the calendar does not know the holidays of the time in question, nobody is said to have ignored anything.
    pub fn settle(&mut self, now: Timestamp, calendars: &Calendars, actor: &str) -> Option<Event> {
        let known = known_liveness(&self.case, &self.liveness);
        let waits =
            matches!(self.case.state, State::Approved | State::Noticed | State::Forwarded | State::Ignored);
        let all_gone = self.case.sightings_unlisted == 0
            && !known.is_empty()
            && known.iter().all(|one| one.alive == Alive::Gone);
        if waits && all_gone {
            self.all_gone(now, actor);
            return Some(Event::Removed);
        }
        let of = |alive: Alive| known.iter().filter(move |one| one.alive == alive);
        let live: Vec<(String, Timestamp)> = of(Alive::Yes).map(|one| (one.url.to_owned(), one.at)).collect();
        let gone: BTreeSet<String> = of(Alive::Gone).map(|one| one.url.to_owned()).collect();
        self.own_gone(&gone, now, actor);
        let mut moved = None;
        for at in 0..self.notifications.len() {
            let Some(one) = self.notifications.get_mut(at) else { continue };
            if !matches!(one.standing, Standing::Sent | Standing::Forwarded) {
                continue;
            }
            let Some(ends) = one.provider_ends(calendars).filter(|ends| ends.is_sure && ends.at <= now)
            else {
                continue;
            };
            let Some((url, seen)) =
                live.iter().find(|(url, seen)| *seen >= ends.at && one.urls.contains(url))
            else {
                continue;
            };
            let note = format!("the time was over at {}; {url} was live at {seen}", ends.at);
            let entry = NotificationEvent {
                event: Event::Ignored,
                at: *seen,
                recorded_at: now,
                actor: actor.to_owned(),
                note: Some(note.clone()),
            };
            if one.enter(entry).is_some() {
                let (number, told) = (one.number, told(one.number, &one.provider));
                self.follow(number, Event::Ignored, now, actor, format!("{told}: {note}"));
                moved = Some(Event::Ignored);
            }
        }
        moved
    }

    /// Ends the clocks of notices all of whose own addresses are gone while the case has others: their providers did what they
    /// were asked. The case stays where it is.
    fn own_gone(&mut self, gone: &BTreeSet<String>, now: Timestamp, actor: &str) {
        for one in &mut self.notifications {
            let is_gone = one.purpose == Purpose::Takedown
                && matches!(one.standing, Standing::Sent | Standing::Forwarded)
                && one.urls_unlisted == 0
                && one.urls.iter().all(|url| gone.contains(url));
            if !is_gone {
                continue;
            }
            let note = "every address that it names was found to be gone".to_owned();
            let entry = NotificationEvent {
                event: Event::Removed,
                at: now,
                recorded_at: now,
                actor: actor.to_owned(),
                note: Some(note.clone()),
            };
            if one.enter(entry).is_some() {
                let told = told(one.number, &one.provider);
                self.case.log(Event::Removed, now, actor, Some(format!("{told}: {note}; others are not")));
            }
        }
    }

    fn all_gone(&mut self, now: Timestamp, actor: &str) {
        let note = "every address was found to be gone".to_owned();
        for one in &mut self.notifications {
            // What is countered goes on: a provider keeps the file down while it waits for our suit.
            if matches!(one.standing, Standing::Countered | Standing::Escalated | Standing::Removed) {
                continue;
            }
            let _ = one.enter(NotificationEvent {
                event: Event::Removed,
                at: now,
                recorded_at: now,
                actor: actor.to_owned(),
                note: Some(note.clone()),
            });
        }
        let _ = self.case.apply(Event::Removed, now, actor, Some(note));
    }

    /// Ends the case for good: [`Event::Closed`], or [`Event::Retracted`] where the claim was wrong. Its notices end with it;
    /// a provider that was sent one is then to be told (`cases due` names it).
    ///
    /// # Errors
    /// [`Error::Move`] where the case's state does not allow it.
    pub fn end(&mut self, event: Event, now: Timestamp, actor: &str, reason: &str) -> Result<(), Error> {
        self.case.apply(event, now, actor, Some(reason.to_owned()))?;
        for one in &mut self.notifications {
            let _ = one.enter(NotificationEvent {
                event,
                at: now,
                recorded_at: now,
                actor: actor.to_owned(),
                note: Some(reason.to_owned()),
            });
        }
        Ok(())
    }

    /// Escalates a case: about the notice `number`, or, where no provider was notified, the case alone.
    ///
    /// # Errors
    /// As [`CaseFile::receive`]; [`Error::Move`] for a case that cannot be escalated.
    pub fn escalate(
        &mut self,
        number: Option<u32>,
        received: &Received,
        now: Timestamp,
    ) -> Result<(), Error> {
        match number {
            Some(number) => self.receive(number, received, now),
            None => Ok(self.case.apply(Event::Escalated, now, &received.actor, received.note.clone())?),
        }
    }

    /// Enters that providers were told that their notices are taken back; gives how many.
    pub fn tell_retraction(
        &mut self,
        at: Timestamp,
        now: Timestamp,
        actor: &str,
        note: Option<&str>,
    ) -> usize {
        let mut told_to = Vec::new();
        for one in self.notifications.iter_mut().filter(|one| one.owes_retraction()) {
            one.retraction_sent_at = Some(at);
            told_to.push(told(one.number, &one.provider));
        }
        if !told_to.is_empty() {
            let why = note.map(|note| format!(": {note}")).unwrap_or_default();
            let note = format!("taken back: {}{why}", told_to.join(", "));
            self.case.log(Event::Sent, now, actor, Some(note));
        }
        told_to.len()
    }
}

/// A notice in a few words.
fn told(number: u32, provider: &str) -> String {
    format!("notice {number} to {provider}")
}

/// Whether two names of a provider are one: case and outer space do not count.
pub(super) fn same_provider(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
