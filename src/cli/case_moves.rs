//! `earwitness cases receive|escalate|close|retract`: what happens to cases after their notices.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::case::{actor, usage};
use super::case_due::calendars;
use super::{Context, Exit, Usage, output};
use crate::base::Timestamp;
use crate::cases::{CaseFile, Error, Event, Form, Notification, Purpose, Received, edit, find};
use crate::catalog::Recording;
use crate::notice::{
    AcnsRetraction, CaseItem, Notice, NoticeInput, PageDetail, Retraction, acns_retraction, authority,
    compose, render_retraction,
};
use crate::scan::notifying::provider;
use crate::store::Store;

pub(super) const RECEIVE_HELP: &str = "\
A provider's time runs from the instant at which its notice was sent: say so with --sent. After a counter-notice that
provider must not be notified about the item again (Regulation on the Protection of the Right to Network Dissemination of
Information, Art. 17): `notice export` leaves it out, and `cases due` tells until when a complaint or suit must be proved. Of a
counter-notice --at is when it reached us. The provider's own time runs from when it reached the provider
(--received-by-provider); what we must do is reckoned from the earlier of both, what the provider may do from the later.

Examples:
  earwitness cases receive 3f2a 77b0 --sent --at 2026-03-02T10:00+08:00
  earwitness cases receive 3f2a --counter-notice --received-by-provider 2026-03-03 --note \"says that it has a licence of 2015\"
  earwitness cases receive 3f2a --removed --provider host.example";

/// What has happened to a notice.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Happened {
    /// The notice was sent
    #[arg(long)]
    sent: bool,
    /// The provider has passed the notice on to whoever put the file there
    #[arg(long)]
    forwarded: bool,
    /// The provider has taken the file down, or no longer links to it
    #[arg(long)]
    removed: bool,
    /// A counter-notice arrived, or the provider has passed one on
    #[arg(long)]
    counter_notice: bool,
    /// The provider refused, or did nothing in its time
    #[arg(long)]
    ignored: bool,
    /// The provider was told that the notice is taken back
    #[arg(long)]
    retraction_sent: bool,
}

impl Happened {
    /// The event; `None` for what is no event of a notice's own life.
    const fn event(&self) -> Option<Event> {
        match self {
            Self { sent: true, .. } => Some(Event::Sent),
            Self { forwarded: true, .. } => Some(Event::Forwarded),
            Self { removed: true, .. } => Some(Event::Removed),
            Self { counter_notice: true, .. } => Some(Event::Countered),
            Self { ignored: true, .. } => Some(Event::Ignored),
            _ => None,
        }
    }
}

/// Arguments of `cases receive`.
#[derive(Debug, Args)]
pub(super) struct ReceiveArgs {
    /// The cases' identifiers, or the beginnings of them
    #[arg(required = true)]
    id: Vec<String>,
    #[command(flatten)]
    happened: Happened,
    #[command(flatten)]
    who: Who,
    /// When the counter-notice reached the provider: a day, or an instant
    #[arg(long, value_name = "DATE", value_parser = moment, requires = "counter_notice")]
    received_by_provider: Option<Timestamp>,
    /// What was said, in words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Reads an instant, or a day: then its noon by UTC, which is of that day in every forum.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day = text.parse::<Date>().map_err(|_| "neither a day (2026-03-02) nor an instant".to_owned())?;
    let noon = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(noon.timestamp())
}

/// Arguments of `cases escalate`.
#[derive(Debug, Args)]
pub(super) struct EscalateArgs {
    /// The cases' identifiers, or the beginnings of them
    #[arg(required = true)]
    id: Vec<String>,
    /// With which authority or court it was filed, and under which number
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    who: Who,
}

/// Who, when, and about which provider.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Which provider's notice, where a case has notices to several
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// When it happened, for example 2026-03-02T10:00+08:00 [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Who says so [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Arguments of `cases close` and `cases retract`.
#[derive(Debug, Args)]
pub(super) struct EndArgs {
    /// The cases' identifiers, or the beginnings of them
    #[arg(required = true)]
    id: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Arguments of `cases retract`.
#[derive(Debug, Args)]
pub(super) struct RetractArgs {
    #[command(flatten)]
    end: EndArgs,
    /// Write the letters to the providers that were sent a notice into this folder; made where missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn receive(context: &Context, store: &Store, args: ReceiveArgs) -> anyhow::Result<Exit> {
    let ReceiveArgs { id, happened, who: Who { provider, at, by }, received_by_provider, note } = args;
    let now = context.clock.now();
    let (at, actor) = (at.unwrap_or(now), actor(by));
    let Some(event) = happened.event() else {
        let mut untold = Vec::new();
        let files = change(store, &id, &mut |file| {
            if file.tell_retraction(at, now, &actor, note.as_deref()) == 0 {
                untold.push(file.case.case_id.clone());
            }
            Ok(())
        })?;
        if !untold.is_empty() {
            output::note(context, &format!("nothing was taken back that was sent: {}", untold.join(", ")));
        }
        return tell(context, &files);
    };
    // The noon of today may be to come.
    let received_by_provider = received_by_provider.map(|at| if is_later_today(at, now) { now } else { at });
    let received = Received { event, at, received_by_provider, actor, note };
    let files = change(store, &id, &mut |file| {
        let number = file.which(provider.as_deref(), event)?;
        file.receive(number, &received, now)
    })?;
    tell(context, &files)
}

fn is_later_today(at: Timestamp, now: Timestamp) -> bool {
    at > now && at.duration_since(now) <= jiff::SignedDuration::from_hours(12)
}

pub(super) fn escalate(context: &Context, store: &Store, args: EscalateArgs) -> anyhow::Result<Exit> {
    let EscalateArgs { id, reason, who: Who { provider, at, by } } = args;
    let reason = said(reason)?;
    let now = context.clock.now();
    let received = Received {
        event: Event::Escalated,
        at: at.unwrap_or(now),
        received_by_provider: None,
        actor: actor(by),
        note: Some(reason),
    };
    let files = change(store, &id, &mut |file| {
        let number = match file.which(provider.as_deref(), Event::Escalated) {
            // Nobody was notified: the case itself goes to the authority.
            Err(Error::NoNotification { provider: None, .. }) => None,
            number => Some(number?),
        };
        file.escalate(number, &received, now)
    })?;
    tell(context, &files)
}

pub(super) fn close(context: &Context, store: &Store, args: EndArgs) -> anyhow::Result<Exit> {
    let files = end(context, store, args, Event::Closed)?;
    tell(context, &files)
}

pub(super) fn retract(context: &Context, store: &Store, args: RetractArgs) -> anyhow::Result<Exit> {
    let RetractArgs { end: args, out } = args;
    let reason = args.reason.clone();
    let files = end(context, store, args, Event::Retracted)?;
    let untold: Vec<(&CaseFile, &Notification)> = files
        .iter()
        .flat_map(|file| file.notifications.iter().map(move |one| (file, one)))
        .filter(|(_, one)| one.owes_retraction())
        .collect();
    if let Some(out) = &out {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        for (file, one) in &untold {
            let whom = output::inert(&addressee(context, one));
            for path in write_letter(context, store, out, (file, one), &reason)? {
                output::note(context, &format!("the letter to {whom}: {}", path.display()));
            }
        }
    }
    if !untold.is_empty() {
        output::note(
            context,
            &format!(
                "{} notices were sent: tell whom they went to; `earwitness cases due` names them",
                untold.len()
            ),
        );
    }
    tell(context, &files)
}

fn end(context: &Context, store: &Store, args: EndArgs, event: Event) -> anyhow::Result<Vec<CaseFile>> {
    let EndArgs { id, reason, by } = args;
    let (reason, actor, now) = (said(reason)?, actor(by), context.clock.now());
    change(store, &id, &mut |file| file.end(event, now, &actor, &reason))
}

/// Whom a notice went to: the provider, or the authority that was complained to.
fn addressee(context: &Context, one: &Notification) -> String {
    if one.purpose == Purpose::Complaint {
        return authority(&context.settings.notice);
    }
    let known = provider(&context.settings, &one.provider).and_then(|provider| provider.name.clone());
    known.unwrap_or_else(|| one.provider.clone())
}

/// Writes the letter that takes one notice back, of an ACNS notice the messages too; never over another file.
fn write_letter(
    context: &Context,
    store: &Store,
    out: &Path,
    (file, one): (&CaseFile, &Notification),
    reason: &str,
) -> anyhow::Result<Vec<PathBuf>> {
    let settings = &context.settings;
    let party = settings.claim.agent.as_ref().or(settings.claim.right_holder.as_ref());
    let signature =
        settings.claim.signature.as_deref().or_else(|| party.and_then(|party| party.name.as_deref()));
    let calendars = calendars(context)?;
    // The forum's own day.
    let day = |at: Timestamp| match calendars.get(one.forum.region()) {
        Some(calendar) => calendar.day_of(at),
        None => at.to_zoned(TimeZone::UTC).date(),
    };
    let (sent_at, today) = (one.sent_at.unwrap_or(one.written_at), day(context.clock.now()));
    let text = render_retraction(&Retraction {
        notification: one,
        addressee: &addressee(context, one),
        sent: day(sent_at),
        reason,
        signature,
        date: today,
    });
    let name = format!("retraction-{}-{}", one.case_id, one.number);
    let letter = out.join(format!("{name}.txt"));
    write_new(&letter, text.as_bytes())?;
    let mut paths = vec![letter];
    if one.form == Form::Acns
        && let Some(notice) = composed_again(context, store, (file, one), today)?
    {
        let taken = AcnsRetraction { notice_id: &one.notice_id, sent_at, reason, letter: &text };
        for (number, message) in (1..).zip(acns_retraction(&notice, &taken)) {
            let path = out.join(format!("{name}.{number}.xml"));
            write_new(&path, message.as_bytes())?;
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The part of an ACNS notice that is about one case, as it would be written today; `None`, and it is told why, where it cannot be.
fn composed_again(
    context: &Context,
    store: &Store,
    (file, one): (&CaseFile, &Notification),
    date: Date,
) -> anyhow::Result<Option<Notice>> {
    let settings = &context.settings;
    let Some(recording) = store.get::<Recording>(file.case.recording_id.as_str())? else {
        output::note(context, "the recording is no longer in the catalogue, so there is no ACNS message");
        return Ok(None);
    };
    // A retraction states no ground.
    let items =
        [CaseItem { case: &file.case, recording: &recording, urls: Some(&one.urls), information: None }];
    let composed = compose(&NoticeInput {
        form: one.form,
        items: &items,
        claim: &settings.claim,
        provider_of: &|domain| provider(settings, domain),
        settings: &settings.notice,
        date,
        attachments: &[],
        left_out: &[],
        pages: PageDetail::Address,
    });
    match composed {
        Ok(notice) => Ok(Some(notice)),
        Err(lacks) => {
            output::note(context, &format!("there is no ACNS message beside the letter: {lacks}"));
            Ok(None)
        }
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn said(reason: String) -> anyhow::Result<String> {
    if reason.trim().is_empty() { Err(Usage("--reason is empty".to_owned()).into()) } else { Ok(reason) }
}

/// Changes all of the cases, or none.
fn change(
    store: &Store,
    ids: &[String],
    change: &mut dyn FnMut(&mut CaseFile) -> Result<(), Error>,
) -> anyhow::Result<Vec<CaseFile>> {
    let ids = ids
        .iter()
        .map(|id| find(store, id).map(|case| case.case_id))
        .collect::<Result<Vec<_>, _>>()
        .map_err(usage)?;
    edit(store, &ids, change).map_err(usage)
}

fn tell(context: &Context, files: &[CaseFile]) -> anyhow::Result<Exit> {
    for file in files {
        if context.json {
            output::json(&file.case)?;
        } else {
            output::line(&format!("{} {}", file.case.case_id, file.case.state));
        }
    }
    Ok(Exit::Done)
}
